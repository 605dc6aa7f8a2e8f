# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool lists`: mailing lists' archives, and the index of their patches, one for all repositories of a user."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seriestool.cli.options import CliParser, add_common_options
from seriestool.cli.ui import Ui
from seriestool.cli.user_folders import list_mirrors_path, lists_path
from seriestool.git import Repository, config_at, remove_global_section, set_global_config, without_password
from seriestool.sources.archive.public_inbox import is_url, mirror_of
from seriestool.sources.lists.list_config import PREFIX, ConfiguredList, check_name, configured_lists, get_lists
from seriestool.util.errors import InputError, NotFoundError, OutsideError, SeriestoolError

if TYPE_CHECKING:
    from seriestool.sources.lists.patch_index_writer import PatchIndexWriter

_HINT = "for example: seriestool lists add netdev https://lore.kernel.org/netdev"


def add_arguments(parser: CliParser) -> None:
    """The sub-commands of lists."""
    actions = parser.add_subparsers(metavar="<action>", required=True)

    adding = actions.add_parser("add", help="name a list and where its archive is, in git-config")
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("source", metavar="PATH|URL", help="a public-inbox archive, or an mbox file")
    adding.add_argument("--global", dest="is_global", action="store_true", help="in the user's git-config")
    adding.set_defaults(action="add")

    removing = actions.add_parser("remove", help="forget a list, its patches, and the copy of its archive")
    removing.add_argument("name", metavar="NAME")
    removing.add_argument("--global", dest="is_global", action="store_true", help="one of the user's git-config")
    removing.set_defaults(action="remove")

    updating = actions.add_parser("update", help="read what is new on the lists")
    updating.add_argument("names", metavar="NAME", nargs="*", help="only these (default: all that are configured)")
    updating.set_defaults(action="update")

    listing = actions.add_parser("list", help="show the lists, and how many patches are known of each")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    listing.set_defaults(action="list")

    for each in (adding, removing, updating, listing):
        add_common_options(each)


def run(arguments: Namespace, ui: Ui) -> int:
    """Do what the sub-command says; its exit code."""
    match arguments.action:
        case "add":
            return _add(arguments.repo, arguments.name, arguments.source, arguments.is_global, ui)
        case "remove":
            return _remove(arguments.repo, arguments.name, arguments.is_global, ui)
        case "update":
            return _update(arguments.repo, arguments.names, ui)
    return _list(arguments.repo, arguments.json, ui)


def _add(repo: Path, name: str, source: str, is_global: bool, ui: Ui) -> int:
    check_name(name)
    if any(known.name == name for known in configured_lists(config_at(repo))):
        raise InputError(f"the list '{name}' exists", hint=f"run 'seriestool lists remove {name}' first")
    if is_url(source):
        key, value = "url", source
    else:
        key, value = "path", str(Path(source).absolute())
        if not Path(source).exists():
            raise NotFoundError(f"'{source}' does not exist", hint=_HINT)
    if is_global:
        set_global_config(f"{PREFIX}{name}.{key}", value)
    else:
        with Repository.open(repo) as repository:
            repository.set_config(f"{PREFIX}{name}.{key}", value)
    ui.note(f"added '{name}'; 'seriestool lists update {name}' reads it")
    return 0


def _remove(repo: Path, name: str, is_global: bool, ui: Ui) -> int:
    import shutil

    from seriestool.sources.lists.patch_index_writer import make_index

    (known,) = get_lists(config_at(repo), [name])
    if is_global:
        remove_global_section(f"{PREFIX}{known.name}")
    else:
        with Repository.open(repo) as repository:
            repository.remove_config_section(f"{PREFIX}{known.name}")
    if lists_path().exists():
        with make_index(lists_path()) as index:
            index.forget(known.name)
    if known.url:
        shutil.rmtree(mirror_of(known.url, list_mirrors_path()), ignore_errors=True)
    ui.note(f"removed '{known.name}'")
    return 0


def _update(repo: Path, names: Sequence[str], ui: Ui) -> int:
    from seriestool.sources.lists.patch_index_writer import make_index

    lists = get_lists(config_at(repo), names)
    if not lists:
        raise NotFoundError("no list was added", hint=_HINT)
    failed = []
    with make_index(lists_path()) as index:
        for each in lists:
            try:
                _read(index, each, ui)
            except SeriestoolError as error:
                failed.append(each.name)
                ui.note(f"cannot read '{each.name}': {error.message}")
        ui.note(f"{len(index)} patches in all")
    if failed:
        quoted = ", ".join(f"'{name}'" for name in failed)
        raise OutsideError(f"cannot read {quoted}", hint="the other lists are up to date")
    return 0


def _read(index: "PatchIndexWriter", each: ConfiguredList, ui: Ui) -> None:
    from seriestool.sources.lists.list_update import update_list

    ui.note(f"reading '{each.name}' from {without_password(each.source)}")
    with ui.transfer(f"fetching '{each.name}'") as listener, ui.progress("reading mails") as progress:
        tally = update_list(
            index=index,
            name=each.name,
            source=each.source,
            mirrors=list_mirrors_path(),
            progress=progress,
            listener=listener,
        )
    damaged = f"; {tally.damaged} could not be read" if tally.damaged else ""
    ui.note(f"{tally.mails} new mails, {tally.added} new patches{damaged}")


def _list(repo: Path, as_json: bool, ui: Ui) -> int:
    from seriestool.sources.lists.patch_index import find_index

    lists = configured_lists(config_at(repo))
    index = find_index(lists_path())
    known = index.lists() if index else {}
    if as_json:
        ui.json({"schema": 1, "lists": [_to_dict(each, known.get(each.name, 0)) for each in lists]})
    elif lists:
        width = min(max(len(each.name) for each in lists), 40)
        ui.out(
            "\n".join(
                f"{each.name.ljust(width)}  {known.get(each.name, 0):8}  {without_password(each.source)}"
                for each in lists
            )
        )
    return 0


def _to_dict(each: ConfiguredList, patches: int) -> dict[str, object]:
    return {"name": each.name, "url": without_password(each.url), "path": each.path, "patches": patches}
