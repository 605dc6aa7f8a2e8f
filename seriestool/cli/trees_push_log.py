# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool trees push-log`: kernel.org's log of all pushes, indexed here.

git-config: `seriestool.pushLog` (the sources, several), `seriestool.pushLogSince` (older pushes are left out).
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from seriestool.cli.exit_codes import EXIT_NO
from seriestool.cli.options import add_common_options
from seriestool.cli.ui import Ui
from seriestool.git import Repository, without_password
from seriestool.report.style import Style
from seriestool.sources.pushlog import index_path, mirrors_path
from seriestool.util.config import Config, all_texts, find_text
from seriestool.util.errors import InputError, NotFoundError

_SOURCES = "seriestool.pushLog"
_SINCE = "seriestool.pushLogSince"
_HINT = "for example: seriestool trees push-log add https://git.kernel.org/pub/scm/infra/transparency-logs/gitolite"


def add_arguments(parser: ArgumentParser) -> None:
    """The sub-commands of push-log."""
    actions = parser.add_subparsers(metavar="<action>", required=True)

    adding = actions.add_parser("add", help="read a source, and remember it for later updates")
    adding.add_argument("source", metavar="PATH|URL", help="a public-inbox archive, a folder of mails, an mbox")
    adding.add_argument("--since", metavar="DATE", type=_date, help="leave out older pushes, here and in updates")
    adding.set_defaults(log_action="add")

    updating = actions.add_parser("update", help="read what is new in all sources")
    updating.add_argument("--since", metavar="DATE", type=_date, help="leave out older pushes, now and later")
    updating.set_defaults(log_action="update")

    removing = actions.add_parser("remove", help="forget a source; with the last one the index goes too")
    removing.add_argument("source", metavar="PATH|URL")
    removing.set_defaults(log_action="remove")

    listing = actions.add_parser("list", help="show the sources")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    listing.set_defaults(log_action="list")

    showing = actions.add_parser("show", help="say where and when a commit was the tip of a branch")
    showing.add_argument("commit", metavar="COMMIT", help="its id, at least 7 digits")
    showing.add_argument("--fetch", action="store_true", help="fetch it from the server that had it, and keep it")
    showing.add_argument("--json", action="store_true", help="print one JSON object")
    showing.set_defaults(log_action="show")

    for each in (adding, updating, removing, listing, showing):
        add_common_options(each)


def run(arguments: Namespace, repository: Repository, ui: Ui) -> int:
    """Do what the sub-command says; its exit code."""
    match arguments.log_action:
        case "add":
            return _add(repository, arguments.source, arguments.since, ui)
        case "update":
            return _update(repository, arguments.since, ui)
        case "remove":
            return _remove(repository, arguments.source, ui)
        case "list":
            return _list(repository, arguments.json, ui)
    return _show(repository, arguments.commit, arguments.fetch, arguments.json, ui)


def _add(repository: Repository, name: str, since: datetime | None, ui: Ui) -> int:
    source = _named(name)
    if source not in _sources(repository.config()):
        _set_since(repository, since)
        _read(repository, [source], ui)
        repository.add_config(_SOURCES, source)
        return 0
    raise InputError(f"'{name}' is a source already", hint="'seriestool trees push-log update' reads it")


def _update(repository: Repository, since: datetime | None, ui: Ui) -> int:
    sources = _sources(repository.config())
    if not sources:
        raise NotFoundError("the push log has no source", hint=_HINT)
    _set_since(repository, since)
    _read(repository, sources, ui)
    return 0


def _remove(repository: Repository, name: str, ui: Ui) -> int:
    import shutil

    sources = _sources(repository.config())
    source = name if name in sources else _named(name)
    if source not in sources:
        raise NotFoundError(f"'{name}' is no source", hint="see 'seriestool trees push-log list'")
    repository.unset_config(_SOURCES, source)
    if len(sources) == 1:
        index_path(repository.common_dir).unlink(missing_ok=True)
        shutil.rmtree(mirrors_path(repository.common_dir), ignore_errors=True)
    ui.note(f"removed '{without_password(source)}'")
    return 0


def _list(repository: Repository, as_json: bool, ui: Ui) -> int:
    sources = [without_password(source) or "" for source in _sources(repository.config())]
    if as_json:
        ui.json({"schema": 1, "sources": sources})
    elif sources:
        ui.out("\n".join(sources))
    return 0


def _show(repository: Repository, commit: str, is_fetched: bool, as_json: bool, ui: Ui) -> int:
    from seriestool.cli.pushed_commit import fetch_pushed_commit
    from seriestool.report.trees_text import sightings_dict, sightings_text
    from seriestool.sources.pushlog.push_log_index import find_log

    log = find_log(index_path(repository.common_dir))
    if not log:
        raise NotFoundError("no push log was added", hint=_HINT)
    with log:
        found = log.find_commit(commit.lower())
        told = {one.msgid: push for one in found if (push := log.find_push(one.msgid))}
    ref = fetch_pushed_commit(repository, found, ui) if is_fetched and found else None
    if as_json:
        ui.json(sightings_dict(commit.lower(), found, told, ref))
    elif found:
        ui.out(sightings_text(found, told, Style(ui.color)))
    else:
        ui.note(f"the push log does not have '{commit}'")
    return 0 if found else EXIT_NO


def _read(repository: Repository, sources: Sequence[str], ui: Ui) -> None:
    from seriestool.sources.pushlog.push_log_index import make_log
    from seriestool.sources.pushlog.push_records import read_source

    stated = find_text(repository.config(), _SINCE) or ""
    since = _date(stated) if stated else None
    mirrors = mirrors_path(repository.common_dir)
    with make_log(index_path(repository.common_dir)) as log:
        for source in sources:
            ui.note(f"reading {without_password(source)}")
            with ui.transfer("fetching the log") as listener, ui.progress("reading pushes") as progress:
                added = read_source(
                    source=source, log=log, mirrors=mirrors, since=since, progress=progress, listener=listener
                )
            ui.note(f"{added} new pushes, {len(log)} in all")


def _sources(config: Config) -> tuple[str, ...]:
    return all_texts(config, _SOURCES)


def _named(source: str) -> str:
    from seriestool.sources.archive.public_inbox import is_url

    return source if is_url(source) else str(Path(source).resolve())


def _set_since(repository: Repository, since: datetime | None) -> None:
    if since:
        repository.set_config(_SINCE, f"{since:%Y-%m-%d}")


def _date(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"'{text}' is no date", hint="write it as 2026-05-28") from None
