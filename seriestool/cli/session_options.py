# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line as a session takes it: the one place where arguments become its settings and options."""

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from seriestool.cli.source_options import source_options
from seriestool.cli.ui import Ui
from seriestool.cli.user_folders import cache_dir, lists_path
from seriestool.git import Repository
from seriestool.session import (
    SeriesInput,
    Session,
    SessionOptions,
    SessionResources,
    SessionSettings,
    read_series,
)
from seriestool.sources.resolve import lore_of, resolve

if TYPE_CHECKING:
    from seriestool.check.runner import CheckCrash
    from seriestool.check.selection import CheckOptions


@contextmanager
def open_session(
    arguments: Namespace,
    ui: Ui,
    checks: "CheckOptions | None" = None,
    broke: "Callable[[CheckCrash], None]" = lambda _: None,
) -> Iterator[Session]:
    """A session on the series and the repository that the command line names; its remarks are shown.

    Raises as `Repository.open` and `resolve`.
    """
    with (
        Repository.open(arguments.repo) as repository,
        SessionResources(repository, session_settings(arguments, repository)) as resources,
        Session(
            series_input(arguments, repository, ui), resources, session_options(arguments, checks), ui, broke
        ) as session,
    ):
        yield session


def series_input(arguments: Namespace, repository: Repository, ui: Ui) -> SeriesInput:
    """The series that the command line names; what is remarkable about it is shown."""
    source = source_options(arguments, repository)
    if arguments.series == "-" and getattr(arguments, "format", None) == "b4" and hasattr(arguments, "only"):
        from seriestool.cli.b4_tracking import input_from_b4

        asked = input_from_b4(resolve("-", replace(source, partial=True)), repository)
    else:
        asked = read_series(arguments.series, source)
    for remark in asked.series.remarks:
        ui.note(remark)
    return asked


def session_settings(arguments: Namespace, repository: Repository) -> SessionSettings:
    """Where things are kept, and what may be used."""
    return SessionSettings(
        cache_dir=cache_dir(),
        lists_index=lists_path(),
        offline=arguments.offline,
        lore=lambda: lore_of(source_options(arguments, repository)),
        jobs=getattr(arguments, "jobs", None) or os.cpu_count() or 1,
        environ=os.environ,
        is_unsandboxed=getattr(arguments, "unsandboxed", False),
        keeps=not getattr(arguments, "no_cache", False),
    )


def session_options(arguments: Namespace, checks: "CheckOptions | None" = None) -> SessionOptions:
    """How the series is looked at; what a command has no option for is as by default."""
    return SessionOptions(
        trees=tuple(getattr(arguments, "trees", ())),
        base=getattr(arguments, "base", None),
        prerequisites=getattr(arguments, "prerequisites", None),
        checks=checks,
        by_file=getattr(arguments, "by_file", False),
    )
