# SPDX-License-Identifier: GPL-2.0-or-later
"""What `check` is asked about: the series, the version before it, what it was made from.

As a command of b4's (`b4.review-perpatch-check-cmd`) it gets one mail on standard input, and b4's tracking data in
the file that B4_TRACKING_FILE names: there are the rest of the series and its base.
"""

import json
import os
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seriestool.base.search_context import SearchContext
from seriestool.check.protocol import CheckEnvironment, CheckSubject
from seriestool.cli.rebase_options import find_start
from seriestool.cli.source_options import source_options
from seriestool.cli.ui import Ui
from seriestool.git import Repository
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_stack import BaseKind, SeriesBase, make_stack
from seriestool.series.mail import SeriesSelector
from seriestool.series.model import Series
from seriestool.sources.resolve import SourceOptions, resolve, series_of_text
from seriestool.util.errors import SeriestoolError

_MOST_TRACKING = 8 << 20


@dataclass(frozen=True, slots=True)
class CheckInput:
    """The series in question."""

    series: Series
    base: str | None = None
    """The commit that it was made from, as far as whoever asks knows."""
    counters: frozenset[int] | None = None
    """Only these patches are asked about; None: all of it."""
    previous: Series | None = None


def read_check_input(arguments: Namespace, repository: Repository) -> CheckInput:
    """The series that the command line names; raises as `source.resolve` does."""
    options = source_options(arguments, repository)
    if arguments.format == "b4" and arguments.series == "-":
        return _asked_by_b4(resolve("-", replace(options, partial=True)), repository)
    series = resolve(arguments.series, options)
    base = arguments.base or _range_base(arguments.series, series, repository)
    return CheckInput(series, base, None, _find_previous(arguments.series, series, options))


def put_on_base(
    asked: CheckInput, arguments: Namespace, context: SearchContext, place: CheckEnvironment, ui: Ui
) -> CheckSubject:
    """The series on its base, as checks are asked about it."""
    base = _find_base(asked=asked, arguments=arguments, context=context, place=place, ui=ui)
    stack = make_stack(asked.series, base, place.scratch_repo)
    is_mailed = bool(asked.series.recipients)
    return CheckSubject(
        series=asked.series,
        steps=stack.steps,
        base=base,
        environment=place,
        step=None,
        previous=asked.previous,
        is_mailed=is_mailed,
    )


def _find_base(
    asked: CheckInput, arguments: Namespace, context: SearchContext, place: CheckEnvironment, ui: Ui
) -> SeriesBase | None:
    if asked.base is not None and asked.base != arguments.base:
        base = given_base(asked.series, asked.base, place.scratch_repo)
        if base.footing is not BaseKind.GIVEN:
            return base
    return find_start(arguments=arguments, series=asked.series, context=context, scratch_repo=place.scratch_repo, ui=ui)


def _range_base(name: str, series: Series, repository: Repository) -> str | None:
    """The commit below the first one of a range; None where the name is none, or the range has merges."""
    if ".." not in name or Path(name).exists():
        return None
    tip = name.partition("..")[2] or "HEAD"
    return repository.resolve(f"{tip}~{len(series.patches)}")


def _find_previous(name: str, series: Series, options: SourceOptions) -> Series | None:
    """The version before this one from where this one is, or None where it is not to be had."""
    if series.version < 2 or name == "-":
        return None
    try:
        return resolve(name, replace(options, version=series.version - 1, partial=True))
    except SeriestoolError:
        return None


def _asked_by_b4(mail: Series, repository: Repository) -> CheckInput:
    """The patch on standard input in its series, as far as b4 tells of it; else as if it were alone."""
    tracked = _tracked()
    thread = repository.objects.read(str(tracked.get("thread-blob") or ""))
    msgids = {patch.msgid for patch in mail.patches}
    if thread is None or thread[1] != "blob" or not msgids:
        return CheckInput(mail)
    try:
        series = series_of_text(thread[2], SeriesSelector(msgid=min(msgids), partial=True), "b4's tracking data")
    except SeriestoolError:
        return CheckInput(mail)
    counters = frozenset(patch.counter for patch in series.patches if patch.msgid in msgids)
    commit = tracked.get("base-commit")
    base = repository.resolve(commit) if isinstance(commit, str) and commit else None
    return CheckInput(series, base, counters) if counters else CheckInput(mail)


def _tracked() -> dict[str, Any]:
    """What b4 knows of the series; nothing where it did not call us, or says nothing that can be read."""
    path = os.environ.get("B4_TRACKING_FILE")
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            told = json.loads(file.read(_MOST_TRACKING))
    except (OSError, ValueError):
        return {}
    series = told.get("series") if isinstance(told, dict) else None
    return series if isinstance(series, dict) else {}
