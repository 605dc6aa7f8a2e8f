# SPDX-License-Identifier: GPL-2.0-or-later
"""Prechecks made of real repositories, with what the checks said written down by the test."""

from collections.abc import Sequence
from dataclasses import dataclass

from seriestool.base.find import find_base
from seriestool.check.protocol import CheckResult, Finding, Report
from seriestool.precheck.precheck_result import Precheck
from seriestool.rebase.patch_stack import find_series_base, make_stack
from seriestool.rebase.rebase_series import rebase_series
from seriestool.rebase.tree_rebaser import NoResolutions, Target
from seriestool.sources.resolve import SeriesSelector, series_of_text
from tests.helpers import Repo
from tests.rebases import open_place


@dataclass(frozen=True, slots=True)
class Said:
    """What a check said of a patch, or (None) of the series."""

    check: str
    counter: int | None
    findings: tuple[Finding, ...] = ()


def make_precheck(repo: Repo, mbox: bytes, said: Sequence[Said] = (), onto: Sequence[str] = ()) -> Precheck:
    """The precheck of the series in the mbox: its base as find-base finds it, and how it fares on these branches."""
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with open_place(repo) as place:
        verdict = find_base(series, place.context)
        base = find_series_base(verdict, None)
        stack = make_stack(series, base, place.scratch_repo)
        targets = [Target(name, repo.git("rev-parse", f"{name}^{{commit}}")) for name in onto]
        matrix = (
            rebase_series(series, stack, targets, place.context, place.scratch_repo, NoResolutions()) if onto else None
        )
    results = tuple(CheckResult(one.check, one.counter, one.findings) for one in said)
    checks = Report(series, base, None, "default", results)
    return Precheck(
        series=series, verdict=verdict, prerequisites=None, base=base, matrix=matrix, plan=None, checks=checks,
        timeline=None, versions=(), steps=(),
    )  # fmt: skip
