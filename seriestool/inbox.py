# SPDX-License-Identifier: GPL-2.0-or-later
"""public-inbox archives as git repositories (public-inbox-v2-format(5)): the epochs of one, here or at a URL."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from seriestool.errors import NotFoundError, OutsideError
from seriestool.git import GitError, Repository, without_password

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|[^/\s:]+@?[^/\s:]*:(?!/?$)", re.IGNORECASE)
_ABSENT = re.compile(r"not found|does not appear to be a git repository|does not exist|not a git repository")
_FETCH_TIMEOUT = 6 * 3600.0
_MAX_EPOCHS = 1000


def is_url(source: str) -> bool:
    """Whether the source is fetched, and not read where it is."""
    return bool(_URL.match(source))


def fetch_epochs(source: str, mirrors: Path) -> tuple[Path, ...]:
    """The git repositories of the archive at `source`, oldest first; those at a URL are copied below `mirrors`.

    () where `source` is a path and no archive. Raises NotFoundError where nothing is at the URL, OutsideError where it
    cannot be fetched.
    """
    if not is_url(source):
        return find_epochs(Path(source))
    return tuple(_fetched(source, mirror_of(source, mirrors)))


def mirror_of(url: str, mirrors: Path) -> Path:
    """The folder below `mirrors` for the copy of what is at the URL."""
    return mirrors / hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()[:12]


def find_epochs(path: Path) -> tuple[Path, ...]:
    """The git repositories of a public-inbox archive, oldest first: the path itself, or N.git or git/N.git in it."""
    if (path / "HEAD").is_file() and (path / "objects").is_dir():
        return (path,)
    for folder in (path, path / "git"):
        epochs = [epoch for epoch in folder.glob("*.git") if epoch.stem.isdigit()]
        if epochs:
            return tuple(sorted(epochs, key=lambda epoch: int(epoch.stem)))
    return (path,) if (path / ".git").exists() else ()


def _fetched(url: str, mirror: Path) -> Iterator[Path]:
    """The copies of all epochs at the URL, brought up to date; a URL may also name a single archive."""
    base = url.rstrip("/")
    for pattern in ("/git/{}.git", "/{}.git", "/{}"):
        copies = list(_fetched_epochs(base + pattern, mirror))
        if copies:
            yield from copies
            return
    copy = _find_fetched(base, mirror / "single.git")
    if not copy:
        raise NotFoundError(f"there is no git archive at '{url}'")
    yield copy


def _fetched_epochs(pattern: str, mirror: Path) -> Iterator[Path]:
    for epoch in range(_MAX_EPOCHS):
        copy = _find_fetched(pattern.format(epoch), mirror / f"{epoch}.git")
        if copy:
            yield copy
        elif epoch:  # some archives count from 0, some from 1
            return


def _find_fetched(url: str, copy: Path) -> Path | None:
    was_there = copy.exists()
    copy.mkdir(parents=True, exist_ok=True)
    with Repository.create(copy) as repository:
        try:
            repository.fetch(url, ["+refs/heads/*:refs/heads/*"], _FETCH_TIMEOUT)
        except GitError as error:
            if was_there or not _ABSENT.search(error.stderr):
                raise OutsideError(f"cannot fetch '{without_password(url)}': {error.message}") from error
            shutil.rmtree(copy)
            return None
    return copy
