# SPDX-License-Identifier: GPL-2.0-or-later
"""What kunit.py printed, kept and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.check.kunit.build_errors import BuildError
from seriestool.check.kunit.kunit_outcome import (
    BuildFailure,
    ConfigFailure,
    KernelRun,
    KunitStage,
    KunitTimeout,
    Transcript,
    parse_transcript,
    read_outcome,
)
from seriestool.check.kunit.result_comparison import place_of

MISSING = (
    b"ERROR:root:Not all Kconfig options selected in kunitconfig were in the generated .config.\nMissing: CONFIG_A=y\n"
)
ERROR = b"ERROR:root:/s/net/a.c:3:1: error: no x\n"


def read(stage: KunitStage, output: bytes, is_over_time: bool = False) -> object:
    return read_outcome(Transcript(stage, output, is_over_time, "/s", "/b"))


def test_the_stages_are_told_apart() -> None:
    assert read(KunitStage.CONFIG, MISSING) == ConfigFailure(("A",), ())
    assert read(KunitStage.CONFIG, b"net/Kconfig:9: syntax error\n") == ConfigFailure(
        (), (BuildError("syntax error", b"net/Kconfig", 9),)
    )
    assert read(KunitStage.BUILD, ERROR) == BuildFailure((BuildError("no x", b"net/a.c", 3),))
    assert isinstance(read(KunitStage.EXEC, ERROR), KernelRun)


def test_an_option_that_goes_while_it_is_built_is_a_bad_configuration() -> None:
    """kunit.py leaves a configuration as it is that was good once; `build` has kconfig look at it again."""
    assert read(KunitStage.BUILD, MISSING) == ConfigFailure(("A",), ())


def test_too_little_time() -> None:
    assert read(KunitStage.BUILD, b"", True) == KunitTimeout(KunitStage.BUILD)
    ran = read(KunitStage.EXEC, b"KTAP version 1\n1..2\nok 1 a\n", True)
    assert isinstance(ran, KernelRun)
    assert ran.is_over_time
    assert not ran.log.is_complete


def test_files_are_named_as_the_tree_names_them() -> None:
    log = b"KTAP version 1\n1..1\n# a: EXPECTATION FAILED at %s/net/a.c:3\nnot ok 1 a\n"
    for prefix in (b"/w/1/source", b"../../source"):
        ran = read_outcome(Transcript(KunitStage.EXEC, log % prefix, False, "/w/1/source", "/w/1/output/kunit-1"))
        assert isinstance(ran, KernelRun)
        assert place_of(ran.log.suites[0]) == (b"net/a.c", 3)


@given(st.sampled_from(KunitStage), st.binary(max_size=100), st.booleans())
def test_what_is_kept_is_read_as_it_was(stage: KunitStage, output: bytes, is_over_time: bool) -> None:
    transcript = Transcript(stage, output, is_over_time, "/s", "/b")
    assert parse_transcript(transcript.to_bytes()) == transcript


def test_a_long_log_is_kept_whole() -> None:
    log = b"KTAP version 1\n1..1\n" + b"noise\n" * 900_000 + b"ok 1 a\n"
    transcript = Transcript(KunitStage.EXEC, log)
    assert parse_transcript(transcript.to_bytes()) == transcript


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]\n", b"null\nx", b'{"schema": 9}\n', b"\xff\n", b'{"schema": 1, "stage": "x"}']
)
def test_files_that_are_none_of_ours(raw: bytes) -> None:
    assert parse_transcript(raw) is None
