# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool trees`: the trees to look in, and how they get here."""

import time
from argparse import Namespace
from collections.abc import Sequence

from seriestool.cli import trees_push_log
from seriestool.cli.exit_codes import EXIT_NO
from seriestool.cli.options import CliParser, add_common_options
from seriestool.cli.source_options import add_source_arguments, source_options
from seriestool.cli.ui import Ui
from seriestool.cli.user_folders import cache_dir
from seriestool.git import Repository, without_password
from seriestool.report.style import Style
from seriestool.report.trees_text import suggestions_dict, suggestions_text, trees_dict, trees_text
from seriestool.series.model import Series
from seriestool.sources.resolve import resolve
from seriestool.trees import configured_trees, list_trees
from seriestool.trees.fetch_trees import add_tree, fetch_tree, get_configured, record_current_tips, remove_tree
from seriestool.util.errors import OutsideError

_SHOWN = 10  # suggestions


def add_arguments(parser: CliParser) -> None:
    """The sub-commands of trees."""
    actions = parser.add_subparsers(metavar="<action>", required=True)

    listing = actions.add_parser("list", help="show the trees: branches, remote branches, configured ones")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    listing.set_defaults(action="list")

    adding = actions.add_parser("add", help="name a tree and where it is, in the repository's git-config")
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("url", metavar="URL")
    adding.add_argument("branch", metavar="BRANCH", nargs="?", help="the branch that matters (default: all)")
    adding.set_defaults(action="add")

    removing = actions.add_parser("remove", help="forget a configured tree and what was fetched of it")
    removing.add_argument("name", metavar="NAME")
    removing.set_defaults(action="remove")

    updating = actions.add_parser(
        "update",
        help="fetch the configured trees, remember all tips, bring the history index up to date",
        description="Only trees that were added are fetched; the repository's remotes are left to 'git fetch'.",
    )
    updating.add_argument("names", metavar="NAME", nargs="*", help="only these (default: all that are configured)")
    updating.set_defaults(action="update")

    suggesting = actions.add_parser("suggest", help="rank the trees that a series may be meant for")
    add_source_arguments(suggesting)
    suggesting.add_argument("--all", action="store_true", help=f"show more than the first {_SHOWN}")
    suggesting.add_argument("--json", action="store_true", help="print one JSON object, with all of them")
    suggesting.set_defaults(action="suggest")

    log = actions.add_parser("push-log", help="ask kernel.org's log of all pushes")
    for each in (listing, adding, removing, updating, suggesting):
        add_common_options(each)
    log.set_defaults(action="push-log")
    trees_push_log.add_arguments(log)


def run(arguments: Namespace, ui: Ui) -> int:
    """Do what the sub-command says; its exit code."""
    with Repository.open(arguments.repo) as repository:
        match arguments.action:
            case "list":
                return _list(repository, arguments.json, ui)
            case "add":
                return _add(repository, arguments.name, arguments.url, arguments.branch, ui)
            case "remove":
                return _remove(repository, arguments.name, ui)
            case "update":
                return _update(repository, arguments.names, ui)
            case "suggest":
                series = resolve(arguments.series, source_options(arguments, repository))
                return _suggest(repository, series, None if arguments.all else _SHOWN, arguments.json, ui)
        return trees_push_log.run(arguments, repository, ui)


def _list(repository: Repository, as_json: bool, ui: Ui) -> int:
    config = repository.config()
    trees = list_trees(repository.refs(), config, repository.head())
    fetched = {tree.name.partition("/")[0] for tree in trees if tree.kind == "configured"}
    unfetched = [tree for tree in configured_trees(config) if tree.name not in fetched]
    if as_json:
        ui.json(trees_dict(trees, unfetched))
    elif trees or unfetched:
        ui.out(trees_text(trees, unfetched, Style(ui.color)))
    else:
        ui.note("there are no trees: fetch a branch, or name one with 'seriestool trees add'")
    return 0


def _add(repository: Repository, name: str, url: str, branch: str | None, ui: Ui) -> int:
    add_tree(repository, name, url, branch)
    ui.note(f"added '{name}'; 'seriestool trees update {name}' fetches it")
    return 0


def _remove(repository: Repository, name: str, ui: Ui) -> int:
    remove_tree(repository, name)
    ui.note(f"removed '{name}'")
    return 0


def _update(repository: Repository, names: Sequence[str], ui: Ui) -> int:
    from seriestool.base.open_context import read_history

    trees = get_configured(repository, names)
    if not trees:
        ui.note("no tree is configured, so nothing is fetched; the repository's remotes are left to 'git fetch'")
    record_current_tips(repository, int(time.time()))  # what moves now may never be seen again
    failed = []
    for tree in trees:
        if tree.url:
            ui.note(f"fetching '{tree.name}' from {without_password(tree.url)}")
        with ui.transfer(f"fetching '{tree.name}'") as listener:
            fetched = fetch_tree(repository, tree, listener=listener)
        if fetched.error:
            failed.append(tree.name)
            ui.note(f"cannot fetch '{tree.name}': {fetched.error}")
    record_current_tips(repository, int(time.time()))
    refs = repository.refs()
    known = list_trees(refs, repository.config(), repository.head())
    read_history(
        repository=repository, refs=refs, trees=known, monitor=ui, title="reading the history", cache_dir=cache_dir()
    )
    if failed:
        others = "the other trees are up to date" if len(failed) < len(trees) else None
        raise OutsideError(f"cannot fetch {_quoted(failed)}", hint=others)
    return 0


def _suggest(repository: Repository, series: Series, most: int | None, as_json: bool, ui: Ui) -> int:
    """Print the likeliest trees, `most` of them, and as JSON all; 0 where there is one."""
    from seriestool.trees.suggestions import read_maintainers, suggest

    trees = list_trees(repository.refs(), repository.config(), repository.head())
    maintainers = read_maintainers(repository, [tree.commit for tree in trees[:20]])
    found = suggest(series, maintainers, trees)
    if as_json:
        ui.json(suggestions_dict(series.msgid, found))
    elif found:
        ui.out(suggestions_text(found[:most], Style(ui.color)))
    else:
        ui.note("nothing in the series says which tree it is for")
    return 0 if found else EXIT_NO


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
