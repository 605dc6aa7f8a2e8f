# SPDX-License-Identifier: GPL-2.0-or-later
"""public-inbox archives as git repositories: their epochs, here or at a URL, and what is in each.

The one reader of them. An archive is one repository (layout v1, or one epoch of v2) or a folder of epochs `N.git` or
`git/N.git`. In v2 each commit has one mail as the blob `m`; a blob `d` names a mail that is taken back, perhaps one of
an earlier epoch. In v1 each mail is a file, which is deleted when it is taken back.
Source: public-inbox-v1-format(5), public-inbox-v2-format(5).
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from seriestool.git import GitError, Repository, iter_tokens, without_password
from seriestool.util.errors import NotFoundError, OutsideError
from seriestool.util.lazy_pattern import lazy_pattern
from seriestool.util.progress import TransferListener

_URL = lazy_pattern(r"[a-z][a-z0-9+.-]*://|[^/\s:]+@?[^/\s:]*:(?!/?$)", re.IGNORECASE)
_ABSENT = lazy_pattern(r"not found|does not appear to be a git repository|does not exist|not a git repository")
_FETCH_TIMEOUT = 6 * 3600.0
_MAX_EPOCHS = 1000
_RAW = lazy_pattern(rb"\n?:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) [A-Z]\d*")
_TAKEN_BACK = b"d"  # the path at which public-inbox names a mail that it removes


class ArchiveChange(NamedTuple):
    """A commit that brought a mail into the archive, or took one back."""

    commit: str
    time: int
    blob: str
    is_gone: bool


class ArchiveChanges:
    """What came into an archive since it was read last."""

    def __init__(self, tips: Sequence[str], lines: list[bytes], is_rewritten: bool) -> None:
        self.tips = tuple(tips)
        """Where the archive stands; to be given to `find_archive_changes` the next time."""
        self.is_rewritten = is_rewritten
        """Whether the archive lost what was read last, to take mails out: the news are all that it has then."""
        self._lines = lines  # an archive has hundreds of thousands

    def __len__(self) -> int:
        return len(self._lines)

    def settled(self) -> tuple[list[str], list[str]]:
        """(blobs of the mails that came and stayed, blobs of those that were taken back), each once, oldest first."""
        is_gone: dict[str, bool] = {}
        for batch in self.batches(1000):
            is_gone |= {one.blob: one.is_gone for one in batch}
        return [blob for blob, gone in is_gone.items() if not gone], [blob for blob, gone in is_gone.items() if gone]

    def batches(self, size: int) -> Iterator[list[ArchiveChange]]:
        """All of it, oldest first, in lists of at most `size`; the last commit of one is a place to go on from."""
        for start in range(len(self._lines), 0, -size):
            yield [_parse_arrival(line) for line in reversed(self._lines[max(0, start - size) : start])]


def is_url(source: str) -> bool:
    """Whether the source is fetched, and not read where it is."""
    return bool(_URL().match(source))


def fetch_epochs(source: str, mirrors: Path, listener: TransferListener | None = None) -> tuple[Path, ...]:
    """The git repositories of the archive at `source`, oldest first; those at a URL are copied below `mirrors`.

    () where `source` is a path and no archive. Raises NotFoundError where nothing is at the URL, OutsideError where it
    cannot be fetched.
    """
    if not is_url(source):
        return find_epochs(Path(source))
    return tuple(_fetched(source, mirror_of(source, mirrors), listener))


def read_epochs(
    source: str, mirrors: Path, read: Callable[[Path], None], listener: TransferListener | None = None
) -> bool:
    """Whether there is an archive; `read` was called with each of its repositories, oldest first.

    A copy that turns out to be damaged is moved away and fetched anew, and `read` called once more.
    Raises what `fetch_epochs` and `read` raise.
    """
    epochs = fetch_epochs(source, mirrors, listener)
    for path in epochs:
        try:
            read(path)
        except GitError:
            if not is_url(source):
                raise
            _set_aside(path)
            fetch_epochs(source, mirrors, listener)
            read(path)
    return bool(epochs)


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


def find_archive_changes(archive: Repository, done: Sequence[str], since: int = 0) -> ArchiveChanges | None:
    """What the archive has that is not reachable from the commits `done`, nor older than `since` (unix time).

    None where it stands where it stood.
    """
    tips = sorted({ref.commit for ref in archive.refs() if ref.name.startswith("refs/heads/")})
    if list(done) == tips:
        return None
    known = [found[0] for found in archive.objects.check(done) if found]
    is_rewritten = len(known) < len(done)
    return ArchiveChanges(tips, _arrivals(archive, tips, () if is_rewritten else known, since), is_rewritten)


def find_mails(archives: Sequence[Repository]) -> list[list[str]]:
    """Of each of these epochs, oldest first, the blobs of the mails that the archive has now, oldest first."""
    found: list[dict[str, None]] = []
    for archive in archives:
        changes = find_archive_changes(archive, ())
        come, gone = changes.settled() if changes else ([], [])
        for mails in found:
            for blob in gone:
                mails.pop(blob, None)
        found.append(dict.fromkeys(come))
    return [list(mails) for mails in found]


def newest_time(archive: Repository) -> int:
    """When the newest commit of the archive was made (unix time); 0 of an empty one."""
    tips = [ref.commit for ref in archive.refs() if ref.name.startswith("refs/heads/")]
    commits = (archive.objects.commit(tip) for tip in tips)
    return max((commit.committer.time for commit in commits if commit), default=0)


def small_mails(archive: Repository, oids: Sequence[str], largest: int) -> Iterator[tuple[str, bytes]]:
    """(blob id, content) of those of these mails that are not larger; one after the other.

    Raises GitError where one is not there.
    """
    small = []
    for oid, found in zip(oids, archive.objects.check(oids), strict=True):
        if found is None:
            raise GitError(f"the archive lacks the mail {oid}: it may be damaged")
        if found[1] == "blob" and found[2] <= largest:
            small.append(oid)
    count = 0
    for mail in archive.contents(small):
        count += 1
        yield mail
    if count < len(small):
        raise GitError("the archive lacks mails: it may be damaged")


def _arrivals(archive: Repository, tips: Sequence[str], known: Sequence[str], since: int) -> list[bytes]:
    """The commits' mails, newest first, as short lines."""
    found: list[bytes] = []
    commit, blobs = b"", (b"", b"")
    with archive.raw_log(tips, known, since) as stream:
        for tokens in iter_tokens(stream):
            for token in tokens:
                if (start := token[:2].find(b"\1")) >= 0:
                    commit = b" ".join(token[start + 1 :].split()[:2])
                elif match := _RAW().fullmatch(token):
                    blobs = match[1], match[2]
                elif blobs[1].strip(b"0"):
                    found.append(b"%s %s %s" % (commit, blobs[1], b"gone" if token == _TAKEN_BACK else b""))
                elif token not in (b"m", _TAKEN_BACK) and blobs[0].strip(b"0"):  # layout v1: the mail's file is deleted
                    found.append(b"%s %s gone" % (commit, blobs[0]))
    return found


def _parse_arrival(line: bytes) -> ArchiveChange:
    commit, time, blob, *gone = line.decode("ascii").split()
    return ArchiveChange(commit, int(time), blob, bool(gone))


def _fetched(url: str, mirror: Path, listener: TransferListener | None) -> Iterator[Path]:
    """The copies of all epochs at the URL, brought up to date; a URL may also name a single archive."""
    base = url.rstrip("/")
    for pattern in ("/git/{}.git", "/{}.git", "/{}"):
        copies = list(_fetched_epochs(base + pattern, mirror, listener))
        if copies:
            yield from copies
            return
    copy = _find_fetched(base, mirror / "single.git", listener)
    if not copy:
        raise NotFoundError(f"there is no git archive at '{url}'")
    yield copy


def _fetched_epochs(pattern: str, mirror: Path, listener: TransferListener | None) -> Iterator[Path]:
    for epoch in range(_MAX_EPOCHS):
        copy = _find_fetched(pattern.format(epoch), mirror / f"{epoch}.git", listener)
        if copy:
            yield copy
        elif epoch:  # some archives count from 0, some from 1
            return


def _find_fetched(url: str, copy: Path, listener: TransferListener | None) -> Path | None:
    import shutil

    was_there = copy.exists()
    try:
        copy.mkdir(parents=True, exist_ok=True)
        with Repository.create(copy) as repository:
            repository.fetch(url, ["+refs/heads/*:refs/heads/*"], _FETCH_TIMEOUT, listener)
    except (GitError, NotFoundError) as error:
        if was_there and not _is_whole(copy):
            _set_aside(copy)
            return _find_fetched(url, copy, listener)
        if was_there or not (isinstance(error, GitError) and _ABSENT().search(error.stderr)):
            raise OutsideError(f"cannot fetch '{without_password(url)}': {error.message}") from error
        shutil.rmtree(copy)
        return None
    return copy


def _is_whole(copy: Path) -> bool:
    """Whether git can walk the copy's history; the mails themselves are not looked at."""
    try:
        with Repository.open(copy) as repository:
            return repository.has_whole_history()
    except (GitError, NotFoundError):
        return False


def _set_aside(copy: Path) -> None:
    """Move a damaged copy out of the way, for somebody to look at; one is enough."""
    import shutil

    aside = copy.with_name(copy.name + ".damaged")
    shutil.rmtree(aside, ignore_errors=True)
    copy.rename(aside)
