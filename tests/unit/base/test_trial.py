# SPDX-License-Identifier: GPL-2.0-or-later
"""One series on one commit, in order and each patch alone."""

import pytest

from seriestool.base.trial import count_applied, first_failure, level_of, try_series
from seriestool.base.verdict import FitLevel
from seriestool.series.apply import FileState
from seriestool.series.model import Outcome
from seriestool.sources.resolve import SeriesSelector, series_of_text
from tests.support.repos import Repo
from tests.support.series import lines, make_series

TEXT = lines(1, 30)
EDITED = TEXT.replace("line 15\n", "line fifteen\n")
MORE = EDITED.replace("line 16\n", "line sixteen\n")
PLAIN, MOVED, EMPTY, MERGED, CONFLICT = (
    Outcome.UNMODIFIED, Outcome.MODIFIED, Outcome.EMPTY, Outcome.ALREADY_MERGED, Outcome.CONFLICT)  # fmt: skip


@pytest.mark.parametrize(
    ("files", "in_order", "alone", "level"),
    [
        ({"a": TEXT, "b": TEXT}, [PLAIN, PLAIN, PLAIN], [PLAIN, CONFLICT, PLAIN], FitLevel.APPLIES),
        ({"a": "top\n" + TEXT, "b": TEXT}, [MOVED, MOVED, PLAIN], [MOVED, CONFLICT, PLAIN], FitLevel.APPLIES),
        ({"a": EDITED, "b": TEXT}, [MERGED, PLAIN, PLAIN], [MERGED, PLAIN, PLAIN], FitLevel.NONE),
        ({"a": TEXT, "b": EDITED}, [PLAIN, PLAIN, MERGED], [PLAIN, CONFLICT, MERGED], FitLevel.PARTIAL),
        ({"a": TEXT}, [PLAIN, PLAIN, CONFLICT], [PLAIN, CONFLICT, CONFLICT], FitLevel.PARTIAL),
        ({"b": TEXT}, [CONFLICT, None, None], [CONFLICT, CONFLICT, PLAIN], FitLevel.NONE),
        ({}, [CONFLICT, None, None], [CONFLICT, CONFLICT, CONFLICT], FitLevel.NONE),
    ],
)
def test_outcomes(
    repo: Repo, files: dict[str, str], in_order: list[Outcome | None], alone: list[Outcome], level: FitLevel
) -> None:
    base = repo.commit({"a": TEXT, "b": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}, {"a": MORE}, {"b": EDITED})
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    states = {path.encode(): FileState(text.encode()) for path, text in files.items()}
    outcomes = try_series(states, series.patches)
    assert [one.outcome for one in outcomes] == in_order
    assert [one.alone for one in outcomes] == alone
    assert level_of(outcomes) is level
    fine = [one in (PLAIN, MOVED, EMPTY) for one in in_order]
    assert count_applied(outcomes) == (fine.index(False) if False in fine else len(fine))
    failing = first_failure(outcomes)
    assert (failing.counter if failing else None) == (fine.index(False) + 1 if False in fine else None)


def test_failure_says_what_was_expected_and_found(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    series = series_of_text(make_series(repo, base, {"a": EDITED}), SeriesSelector(), "mbox")
    other = TEXT.replace("line 14\n", "line fourteen\n")
    failure = try_series({b"a": FileState(other.encode())}, series.patches)[0].failure
    assert failure is not None
    assert (failure.path, failure.reason, failure.hunk, failure.line) == (b"a", "hunk", 1, 12)
    assert b"line 14\n" in failure.expected
    assert b"line fourteen\n" in failure.found
