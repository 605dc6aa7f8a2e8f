# SPDX-License-Identifier: GPL-2.0-or-later
"""A worker's own copy of the trees: a bare repository that can be made again at any time, and is where it is damaged.

The trees are those of a git-config, fetched as `trees update` does. The index of the history lies in the repository,
so that a damaged repository takes its index with it.
"""

import logging
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Self

from seriestool.bot.queue.error_handling import is_repository_damaged
from seriestool.bot.queue.workers import lock_or_raise
from seriestool.git import GitError, Repository
from seriestool.trees import list_trees
from seriestool.trees.fetch_trees import TreeFetchResult, fetch_tree, get_configured, record_current_tips
from seriestool.trees.history import index_dir, update
from seriestool.trees.tip_journal import past_tips
from seriestool.util.config import Config
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from seriestool.util.progress import noted_transfer

_LOG = logging.getLogger(__name__)

_MARK = "seriestool-mirror"
_COPIED = "seriestool."
_OURS = ("seriestool.bot.", "seriestool.list.")  # of the machine, not of the repository
_TREE = "seriestool.tree."


class Mirror:
    """The copy in a folder; one process at a time has it."""

    def __init__(self, folder: Path, config: Config) -> None:
        """`config` names the trees. Raises InputError where the folder has something else in it."""
        if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
            raise InputError(f"'{folder}' is not empty, and no mirror of seriestool", hint="name a new folder")
        self.folder = folder
        self._config = {
            key: values for key, values in config.items() if key.startswith(_COPIED) and not key.startswith(_OURS)
        }
        self._lock = _lock(folder.with_name(folder.name + ".lock"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def update(self, now: Callable[[], float] = time.time) -> tuple[TreeFetchResult, ...]:
        """How fetching each tree went; the mirror is made first where there is none, and anew where it is damaged."""
        try:
            return self._update(now)
        except (GitError, NotFoundError) as error:
            if isinstance(error, GitError) and not is_repository_damaged(error):
                raise
            _LOG.warning("the mirror '%s' is damaged (%s): it is made anew", self.folder, error.message)
        self._set_aside()
        return self._update(now)

    def repair(self) -> None:
        """Made anew, where git finds something wrong with it."""
        try:
            with Repository.open(self.folder) as repository:
                _check(repository)
        except (GitError, NotFoundError) as error:
            _LOG.warning("the mirror '%s' is damaged (%s): it is made anew", self.folder, error.message)
            self._set_aside()
        self.update()

    def _update(self, now: Callable[[], float]) -> tuple[TreeFetchResult, ...]:
        with self._made() as repository:
            _check(repository)
            return update_trees(repository, now)

    def _made(self) -> Repository:
        if not (self.folder / _MARK).exists():
            Repository.create(self.folder).close()
            (self.folder / _MARK).write_text("Made by seriestool bot; it can be deleted.\n")
        repository = Repository.open(self.folder)
        _configure(repository, self._config)
        return repository

    def _set_aside(self) -> None:
        """Kept for whoever wants to know what happened to it; an older one is not."""
        aside = self.folder.with_name(self.folder.name + ".damaged")
        shutil.rmtree(aside, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(aside)


def update_trees(repository: Repository, now: Callable[[], float] = time.time) -> tuple[TreeFetchResult, ...]:
    """How fetching each configured tree went, with the journal and the index brought up to date.

    A tree that cannot be fetched is logged, and the others go on. Raises GitError where it is the repository itself.
    """
    record_current_tips(repository, int(now()))
    fetched = tuple(
        fetch_tree(repository, tree, listener=noted_transfer(_LOG.info, f"fetching '{tree.name}'"))
        for tree in get_configured(repository, ())
    )
    for one in fetched:
        if one.error:
            _LOG.warning("cannot fetch '%s': %s", one.name, one.error)
    if any(one.error and is_repository_damaged(GitError(one.error)) for one in fetched):
        _check(repository)  # the other side's repository may be the damaged one
    record_current_tips(repository, int(now()))
    refs = repository.refs()
    if refs:
        trees = list_trees(refs, repository.config(), repository.head())
        past = {tip.commit for tip in past_tips(repository, trees)}
        update(repository=repository, refs=refs, folder=index_dir(repository), progress=None, past=lambda: past)
    return fetched


def _check(repository: Repository) -> None:
    """Nothing, where each ref leads to a commit with a tree; raises GitError. (A whole fsck of Linux takes minutes.)"""
    commits = list(dict.fromkeys(ref.commit for ref in repository.refs()))
    found = repository.objects.check([name for commit in commits for name in (commit, f"{commit}^{{tree}}")])
    if None in found:
        raise GitError("bad object: a ref leads to a commit that cannot be read")


def _configure(repository: Repository, wanted: Config) -> None:
    """The keys of the repository's git-config set as wanted; trees that are not wanted any more go, with their refs."""
    present = repository.config()
    sections = {key.rpartition(".")[0] for key in present if key.startswith(_TREE)}
    for section in sorted(sections - {key.rpartition(".")[0] for key in wanted}):
        _forget(repository, section)
    for key, values in wanted.items():
        if present.get(key) != values:
            _set(repository, key, values)


def _forget(repository: Repository, section: str) -> None:
    from seriestool.trees import TREES

    try:
        repository.remove_config_section(section)
    except GitError:
        return  # it is of the user's own configuration
    folder = f"{TREES}{section[len(_TREE) :]}/"
    stale = {ref.name: None for ref in repository.refs() if ref.name.startswith(folder)}
    if stale:
        repository.update_refs(stale)


def _set(repository: Repository, key: str, values: Sequence[str]) -> None:
    repository.set_config(key, values[0])
    for value in values[1:]:
        repository.add_config(key, value)


def _lock(path: Path) -> IO[bytes]:
    mirror = path.with_suffix("")
    return lock_or_raise(
        path, OutsideError(f"another bot has the mirror '{mirror}'", hint="give each its own with --mirror")
    )
