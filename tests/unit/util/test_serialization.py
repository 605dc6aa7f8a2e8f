# SPDX-License-Identifier: GPL-2.0-or-later
"""Values that are kept, and read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.series.apply import FileState
from seriestool.series.model import DiffKind
from seriestool.util.serialization import decode_stored, encode_stored


@dataclass(frozen=True, slots=True)
class Inner:
    kind: Literal["tip", "carried"]
    files: Mapping[bytes, FileState | None]


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    when: datetime | None
    diff: DiffKind
    pair: tuple[int, str]
    inner: tuple[Inner, ...]
    share: float
    sure: bool


TEXTS = st.text(st.characters())  # lone surrogates too
STATES = st.none() | st.builds(FileState, st.binary(max_size=9), st.sampled_from([0o100644, 0o120000]))
FILES = st.dictionaries(st.binary(max_size=5), STATES, max_size=3)
INNER = st.builds(Inner, st.sampled_from(["tip", "carried"]), FILES)
DATES = st.datetimes(timezones=st.just(UTC))
OUTER = st.builds(
    Outer,
    name=TEXTS,
    when=st.none() | DATES,
    diff=st.sampled_from(DiffKind),
    pair=st.tuples(st.integers(-(2**63), 2**63 - 1), TEXTS),
    inner=st.lists(INNER, max_size=3).map(tuple),
    share=st.floats(allow_nan=False, allow_infinity=False),
    sure=st.booleans(),
)


@given(OUTER)
def test_what_was_written_is_read(value: Outer) -> None:
    assert decode_stored(Outer, encode_stored(value)) == value


def test_a_lone_surrogate_is_kept() -> None:
    assert decode_stored(tuple[str, bytes], encode_stored(("J\udcfcrgen", b"\xff"))) == ("J\udcfcrgen", b"\xff")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Inner, b'{"kind": "other", "files": {}}'),
        (Inner, b'{"kind": "tip"}'),
        (Inner, b'{"kind": "tip", "files": {"not base64": null}}'),
        (Inner, b'{"kind": "tip", "files": [["eA==", null]]}'),
        (Inner, b'"text"'),
        (Inner, b'{"kind": "\\udc80"}'),
        (Inner, b'{"kind": '),
        (Inner, b"\xff\xfe"),
        (Inner, "\udc80"),
        (Inner, b""),
        (tuple[int, ...], b'["text"]'),
        (tuple[int, str], b"[1]"),
        (DiffKind, b'"no kind"'),
        (datetime, b'"yesterday"'),
        (list[int], b'["1"]'),
        (str, b"1"),
    ],
)
def test_what_is_none_is_refused(kind: Any, data: bytes | str) -> None:
    with pytest.raises(ValueError):
        decode_stored(kind, data)
