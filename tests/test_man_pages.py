# SPDX-License-Identifier: GPL-2.0-or-later
"""The man pages that come with the package: what `setup.py` makes of docs/man."""

import runpy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repos import ROOT

PAGES = sorted((ROOT / "docs/man").glob("*.1.md"))


@pytest.fixture(scope="module")
def to_man() -> Callable[[str], str]:
    made: Callable[[str], str] = runpy.run_path(str(ROOT / "setup.py"))["to_man"]
    return made


def test_what_a_page_is_made_of(to_man: Callable[[str], str]) -> None:
    markdown = (
        "# x(1)\n\n## NAME\n\nx - does `it`\n\n**-o** PATH\n: Where; *not*\n  there.\n\n* one\n* two\n  more\n\n"
        "    .x \\y\n    z\n\n'quoted'\n"
    )
    assert to_man(markdown).splitlines() == [
        '.TH "X" "1" "" "seriestool" ""', ".ad l", ".SH NAME", ".PP", r"x \- does \fBit\fR",
        ".TP", r"\fB\-o\fR PATH", r"Where; \fInot\fR there.",
        r".IP \(bu 2", "one", r".IP \(bu 2", "two more",
        ".PP", ".RS 4", ".nf", r"\&.x \ey", r"\&z", ".fi", ".RE", ".PP", r"\&'quoted'",
    ]  # fmt: skip


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_groff_has_no_complaint(to_man: Callable[[str], str], page: Path) -> None:
    answer = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-K", "utf8", "-P-cbou"],
        input=to_man(page.read_text()), capture_output=True, text=True,
    )  # fmt: skip
    assert answer.stderr == ""
    assert page.name.partition(".")[0].upper() in answer.stdout
    assert "**" not in answer.stdout
