# SPDX-License-Identifier: GPL-2.0-or-later
"""Values to JSON and back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.series.apply import FileState
from seriestool.series.model import DiffKind
from seriestool.util.record import from_plain, to_plain


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


STATES = st.none() | st.builds(FileState, st.binary(max_size=9), st.sampled_from([0o100644, 0o120000]))
FILES = st.dictionaries(st.binary(max_size=5), STATES, max_size=3)
INNER = st.builds(Inner, st.sampled_from(["tip", "carried"]), FILES)
DATES = st.datetimes(timezones=st.just(UTC))
OUTER = st.builds(
    Outer, st.text(), st.none() | DATES, st.sampled_from(DiffKind), st.tuples(st.integers(), st.text()),
    st.lists(INNER, max_size=3).map(tuple), st.floats(allow_nan=False, allow_infinity=False), st.booleans(),
)  # fmt: skip


@given(OUTER)
def test_what_was_written_is_read(value: Outer) -> None:
    assert from_plain(Outer, json.loads(json.dumps(to_plain(value)))) == value


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (Inner, {"kind": "other", "files": []}),
        (Inner, {"kind": "tip"}),
        (Inner, {"kind": "tip", "files": [["not base64", None]]}),
        (Inner, {"kind": "tip", "files": [["eA=="]]}),
        (Inner, "text"),
        (tuple[int, ...], ["text"]),
        (tuple[int, str], [1]),
        (DiffKind, "no kind"),
        (datetime, "yesterday"),
        (list[int], [1]),
        (str, 1),
    ],
)
def test_what_is_none_is_refused(kind: Any, plain: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        from_plain(kind, plain)
