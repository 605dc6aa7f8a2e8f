# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool track SERIES`: keep a series, its versions and reports, in a folder of its own."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from seriestool.cli.exit_codes import EXIT_OUTSIDE
from seriestool.cli.options import CliParser, read_options
from seriestool.cli.source_options import add_source_options, source_options
from seriestool.cli.track_options import add_dir_argument, find_tracked
from seriestool.cli.ui import Ui
from seriestool.cli.user_folders import cache_dir, lists_path
from seriestool.series.model import Series
from seriestool.sources.resolve import SourceOptions, resolve
from seriestool.track.track_store import TrackStore
from seriestool.util.errors import InputError, SeriestoolError

if TYPE_CHECKING:
    from seriestool.git import Repository
    from seriestool.track.tracked_series import TrackedSeries

_SLOW = ("bisect", "kunit-build")  # checks that may take minutes


class TrackOptions(NamedTuple):
    """What is kept of a series, and on which repository its report is made."""

    repo: Path
    offline: bool
    mails: bool
    report: bool
    trees: Sequence[str]
    force: bool


def add_arguments(parser: CliParser) -> None:
    """The options of track."""
    parser.add_argument(
        "series", metavar="SERIES", nargs="?", help="what the series is called, see below; or the name it is tracked by"
    )
    add_source_options(parser)
    group = parser.add_argument_group("what is kept")
    group.add_argument("--no-mails", dest="mails", action="store_false", help="only facts, not the mails")
    group.add_argument("--no-report", dest="report", action="store_false", help="find nothing out about it")
    group.add_argument(
        "--tree",
        dest="trees",
        metavar="NAME",
        action="append",
        default=[],
        help="where it is to apply (repeatable; default: the trees that it applied to)",
    )
    group = parser.add_argument_group("the folder")
    add_dir_argument(group)
    group.add_argument("--all", action="store_true", help="look for a new version of each series that is tracked")
    group.add_argument("--force", action="store_true", help="replace a version that differs, and make its report anew")
    group.add_argument("--remove", action="store_true", help="track it no longer: take away what was kept of it")


def run(arguments: Namespace, ui: Ui) -> int:
    """Track the series and print where; 0, or 4 where one of --all could not be asked for."""
    store = TrackStore(arguments.dir)
    if arguments.all == (arguments.series is not None):
        raise InputError("track which series?", hint="name one, or look at those that are tracked with --all")
    options = read_options(arguments, TrackOptions)
    if arguments.all:
        if arguments.remove or arguments.trees or arguments.wanted_version:
            raise InputError("--all goes with no --remove, --tree or --version", hint="name one series")
        return _track_all(options, source_options(arguments), store, ui)
    known = find_tracked(store, arguments.series)
    if arguments.remove:
        return _remove(store, known or arguments.series, ui)
    name = store.get(known).newest.msgid if known else arguments.series
    _track(options, resolve(name, source_options(arguments)), store, known, ui)
    return 0


def _track_all(options: TrackOptions, source: SourceOptions, store: TrackStore, ui: Ui) -> int:
    code = 0
    for name in store.names():
        try:
            _track(options, resolve(store.get(name).newest.msgid, source), store, name, ui)
        except SeriestoolError as error:
            ui.note(f"{name}: {error.message}")
            code = EXIT_OUTSIDE
    return code


def _remove(store: TrackStore, name: str, ui: Ui) -> int:
    with store.locked():
        left = store.remove(name)
    ui.out(f"{name} is not tracked any more")
    if left:
        ui.note(f"left in its folder, for it was not put there by track: {', '.join(str(path) for path in left[:5])}")
    return 0


def _track(options: TrackOptions, series: Series, store: TrackStore, known: str | None, ui: Ui) -> None:
    """Keep this version of the series, which is tracked as `known`, or not yet."""
    from seriestool.track.store_version import Extras, store_version

    for remark in series.remarks:
        ui.note(remark)
    name = known or store.home_of(series)
    tracked = store.get(name) if name in store.names() else None
    report, trees = _find_out(options, series, tracked, ui)
    extras = Extras(options.mails, report, trees)
    kept = store_version(store=store, name=name, series=series, extras=extras, force=options.force)
    is_as_it_was = not kept.is_new and report is None
    ui.out(f"{store.root / name}: v{kept.version.version}{' is there already' if is_as_it_was else ''}")
    ui.detail(f"in: {', '.join(kept.tracked.trees) if kept.tracked.trees is not None else 'all trees'}")


def _find_out(
    options: TrackOptions, series: Series, tracked: "TrackedSeries | None", ui: Ui
) -> tuple[Mapping[str, object] | None, tuple[str, ...] | None]:
    """(the report on the version, where one is to be made; the trees where they are said anew)."""
    asked = tuple(dict.fromkeys(options.trees)) or None
    old = tracked.find(series.version) if tracked else None
    has_report = old is not None and old.msgid == series.msgid and old.report is not None
    if not options.report or (has_report and not options.force and asked is None):
        return None, asked
    if not series.patches:
        raise InputError("there is no patch in it", hint="name the series by its message-id or by an mbox")
    from seriestool.git import Repository

    with Repository.open(options.repo) as repository:
        report, trees = _report(repository=repository, series=series, asked=asked, offline=options.offline, ui=ui)
    first_time = tracked is None or asked is not None
    return (None if has_report and not options.force else report), (trees if first_time else None)


def _report(
    repository: "Repository", series: Series, asked: tuple[str, ...] | None, offline: bool, ui: Ui
) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """(what precheck says of the series, but for what takes minutes; the trees where it is to apply)."""
    from seriestool.check.selection import CheckOptions
    from seriestool.precheck.precheck_json import precheck_dict
    from seriestool.precheck.precheck_run import run_precheck
    from seriestool.precheck.resources import PrecheckResources
    from seriestool.precheck.summary_sentence import verdict_sentence
    from seriestool.session import SeriesInput, Session, SessionOptions, SessionSettings
    from seriestool.track.tree_status import find_home_trees

    options = SessionOptions(asked or (), checks=CheckOptions(skip=_SLOW))
    settings = SessionSettings(cache_dir(), lists_path(), offline)
    with (
        PrecheckResources(repository, settings) as resources,
        Session(SeriesInput(series), resources, options, ui) as session,
    ):
        precheck = run_precheck(session, resources.steps)
        ui.note(verdict_sentence(precheck))
        return precheck_dict(precheck), asked or find_home_trees(series, resources.context(series, (), ui))
