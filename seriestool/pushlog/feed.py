# SPDX-License-Identifier: GPL-2.0-or-later
"""Where records come from: public-inbox git archives (here or at a URL), folders of mails, mailboxes.

Each source is read from where the last update stopped. What was read is marked only after it is in the index, so an
update that is cut short reads some records again, and the index knows them by their message-id.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from seriestool.errors import InputError, NotFoundError, OutsideError
from seriestool.git import GitError, Repository, iter_tokens, without_password
from seriestool.mail import split_mbox
from seriestool.pushlog import MAX_RECORD, Push, parse_push
from seriestool.pushlog.index import PushLog

Progress = Callable[[int], None]

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|[^/\s:]+@?[^/\s:]*:(?!/?$)", re.IGNORECASE)
_RAW = re.compile(rb"\n?:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) [A-Z]\d*")
_ABSENT = re.compile(r"not found|does not appear to be a git repository|does not exist|not a git repository")
_FETCH_TIMEOUT = 6 * 3600.0
_MAX_EPOCHS = 1000
_MAX_FILES = 5_000_000


class _Item(NamedTuple):
    """A part of a source that is read as a whole: an archive's epoch, a file."""

    name: str
    state: str
    """How it is now; it is read again when this has changed."""
    mails: Iterable[bytes]


def is_url(source: str) -> bool:
    """Whether the source is fetched, and not read where it is."""
    return bool(_URL.match(source))


def read_source(
    source: str, log: PushLog, mirrors: Path, since: datetime | None = None, progress: Progress | None = None
) -> int:
    """How many pushes the source had that the index did not know; they are in it now.

    `source` is the path or the URL of a public-inbox archive (the folder with its epochs, or one epoch), a folder of
    mails, or a mailbox. Archives at a URL are copied below `mirrors`. Pushes before `since` are left out.
    Raises NotFoundError where there is no such source, OutsideError where it cannot be read or fetched.
    """
    added = 0
    # An earlier `since` than last time is another question, so everything is read again for it.
    key = f"{source} {since.isoformat() if since else ''}"
    for items in _batches(source, key, log, mirrors):
        added += log.add((push for item in items for push in _pushes(item, since)), progress)
        log.set_state(key, [(item.name, item.state) for item in items])
    return added


def _pushes(item: _Item, since: datetime | None) -> Iterator[Push]:
    for mail in item.mails:
        push = parse_push(mail)
        if push and (since is None or push.time >= since):
            yield push


def _batches(source: str, key: str, log: PushLog, mirrors: Path) -> Iterator[list[_Item]]:
    for path in _epochs(source, mirrors):
        with Repository.open(path) as archive:
            done = log.state(key, str(path))
            if item := _archive(archive, str(path), done):
                yield [item]
    if is_url(source) or _archives(Path(source)):
        return
    files: list[_Item] = []
    for item in _files(Path(source)):
        if log.state(key, item.name) != item.state:
            files.append(item)
        if len(files) == 1000:
            yield files
            files = []
    yield files


def _epochs(source: str, mirrors: Path) -> tuple[Path, ...]:
    if not is_url(source):
        return _archives(Path(source))
    return tuple(_fetched(source, mirrors / hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()[:12]))


def _archives(path: Path) -> tuple[Path, ...]:
    """The git repositories of a public-inbox archive: the path itself, N.git in it, or git/N.git in it."""
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


def _archive(archive: Repository, name: str, done: str | None) -> _Item | None:
    tips = sorted({ref.commit for ref in archive.refs() if ref.name.startswith("refs/heads/")})
    state = " ".join(tips)
    return None if state == done else _Item(name, state, _blobs(archive, tips, (done or "").split()))


def _blobs(archive: Repository, tips: Iterable[str], done: Iterable[str]) -> Iterator[bytes]:
    """The mails that commits put into the archive; public-inbox has one in each (public-inbox-v2-format(5))."""
    known = [found[0] for found in archive.objects.check(list(done)) if found]  # a rewritten archive has lost them
    with archive.raw_log(tips, known) as stream:
        for tokens in iter_tokens(stream):
            oids = [match[1].decode() for token in tokens if (match := _RAW.fullmatch(token))]
            wanted = [oid for oid in oids if oid.strip("0")]
            for found in archive.objects.check(wanted):
                if found and found[1] == "blob" and found[2] <= MAX_RECORD:
                    blob = archive.objects.read(found[0])
                    yield blob[2] if blob else b""


def _files(path: Path) -> Iterator[_Item]:
    if not path.exists():
        raise NotFoundError(f"'{path}' does not exist")
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    if len(files) > _MAX_FILES:
        raise InputError(f"'{path}' has more than {_MAX_FILES} files")
    for file in files:
        status = file.stat()
        yield _Item(str(file), f"{status.st_size} {status.st_mtime_ns}", _mails(file))


def _mails(file: Path) -> Iterator[bytes]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise OutsideError(f"cannot read '{file}': {error.strerror}") from error
    yield from split_mbox(data, str(file))
