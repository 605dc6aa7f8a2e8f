# SPDX-License-Identifier: GPL-2.0-or-later
"""Where each tree pointed, and when: branches get rebased, and yesterday's tip is today's lost base.

The journal is a text file in the repository's common folder, a line for each new tip: `<unix time> <commit> <tree>`.
A tip that its tree no longer leads to (it was rebased, or is gone) is kept from `git gc` by a ref
`refs/seriestool/tips/<commit>`. Tips that were only built upon need none: a handful of refs, not one for each update.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from seriestool.git import Repository
from seriestool.trees import Tree
from seriestool.util.errors import OutsideError
from seriestool.util.files import find_content, locked, write_whole

TIPS = "refs/seriestool/tips/"
KEEP = 400
"""Tips remembered for each tree."""
_REFLOG_LINE = 400  # bytes that a line of a reflog hardly ever exceeds
_KEEP_ALL = 100_000  # of all trees together, those that are gone included


class PastTip(NamedTuple):
    """A commit that was the tip of a tree, from when until when (unix times); None: it still is, as far as is known."""

    tree: str
    commit: str
    seen_from: int
    seen_until: int | None


class _TipRecord(NamedTuple):
    time: int
    commit: str
    tree: str


def record_tips(repository: Repository, trees: Sequence[Tree], now: int, keep: int = KEEP) -> bool:
    """Whether the journal changed: it did where a tree moved since the last call, came, or is gone.

    `now` is unix time. Where nothing moved this reads one small file. Raises OutsideError where nothing can be written.
    """
    tips = {tree.name: tree.commit for tree in trees if _is_followed(tree, repository)}
    digest = _digest(tips)
    folder = _folder(repository)
    if find_content(folder / "digest") == digest.encode():
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / "lock"):
            _record(repository=repository, folder=folder, tips=tips, now=now, keep=keep)
            write_whole(folder / "digest", digest.encode())
    except OSError as error:
        raise OutsideError(f"cannot write the journal of tips '{folder}': {error.strerror}") from error
    return True


def past_tips(repository: Repository, trees: Iterable[Tree], limit: int = 1000) -> tuple[PastTip, ...]:
    """Every tip that the trees are known to have had and whose commit is here, by tree, oldest first.

    From the journal, and from the newest `limit` entries of each reflog that is there.
    """
    seen = list(_parse(find_content(_folder(repository) / "log")))
    seen += _in_reflogs(repository, tuple(trees), limit)
    tips = _intervals(seen)
    commits = sorted({tip.commit for tip in tips})
    here = {oid for oid, found in zip(commits, repository.objects.check(commits), strict=True) if found}
    return tuple(tip for tip in tips if tip.commit in here)


def _record(repository: Repository, folder: Path, tips: Mapping[str, str], now: int, keep: int) -> None:
    old = list(_parse(find_content(folder / "log")))
    last = {seen.tree: seen.commit for seen in old}
    new = [_TipRecord(now, commit, tree) for tree, commit in sorted(tips.items()) if last.get(tree) != commit]
    left = {commit for tree, commit in last.items() if tips.get(tree) != commit}
    kept = _newest([*old, *new], keep)
    _move_refs(repository, tips, left, {seen.commit for seen in kept})
    lines = "".join(f"{seen.time} {seen.commit} {seen.tree}\n" for seen in kept)
    write_whole(folder / "log", lines.encode("utf-8", "surrogateescape"))


def _move_refs(repository: Repository, tips: Mapping[str, str], left: set[str], kept: set[str]) -> None:
    refs = [ref for ref in repository.refs() if ref.name.startswith(TIPS)]
    old = {ref.commit for ref in refs}
    lost = repository.missing_from({*tips.values(), *old}, left) if left - old else frozenset()
    values: dict[str, str | None] = {ref.name: None for ref in refs if ref.commit not in kept}
    values |= {TIPS + commit: commit for commit in sorted(lost & kept)}
    if values:
        repository.update_refs(values)


def _newest(seen: Sequence[_TipRecord], keep: int) -> list[_TipRecord]:
    counts: dict[str, int] = {}
    kept = []
    for entry in reversed(seen[-_KEEP_ALL:]):
        counts[entry.tree] = counts.get(entry.tree, 0) + 1
        if counts[entry.tree] <= keep:
            kept.append(entry)
    return kept[::-1]


def _intervals(seen: Iterable[_TipRecord]) -> list[PastTip]:
    by_tree: dict[str, list[_TipRecord]] = {}
    for entry in sorted(dict.fromkeys(seen), key=lambda one: one.time):
        by_tree.setdefault(entry.tree, []).append(entry)
    return [
        PastTip(tree, entry.commit, entry.time, following.time if following else None)
        for tree, entries in sorted(by_tree.items())
        for entry, following in _steps(entries)
    ]


def _steps(entries: Iterable[_TipRecord]) -> list[tuple[_TipRecord, _TipRecord | None]]:
    # Journal and reflog both know of most moves; the later word on the same tip adds nothing.
    moves: list[_TipRecord] = []
    for entry in entries:
        if not moves or moves[-1].commit != entry.commit:
            moves.append(entry)
    return list(zip(moves, [*moves[1:], None], strict=True))


def _is_followed(tree: Tree, repository: Repository) -> bool:
    # In a bare mirror the branches are another repository's; in a work tree they are the user's own.
    return tree.kind in ("remote", "configured") or (repository.is_bare and tree.kind == "branch")


def _in_reflogs(repository: Repository, trees: Sequence[Tree], limit: int) -> Iterator[_TipRecord]:
    # Read from the files (gitrepository-layout(5), "logs"): git would walk those of all refs, and it never tells the
    # value from which the first entry moved away. That one is the lost base after a clone and one forced fetch.
    if (repository.common_dir / "reftable").exists():
        names = {tree.ref: tree.name for tree in trees}
        entries = repository.reflog(limit)
        yield from (_TipRecord(entry.time, entry.commit, names[entry.ref]) for entry in entries if entry.ref in names)
        return
    for tree in trees:
        lines = _read_end(repository.common_dir / "logs" / tree.ref, limit * _REFLOG_LINE).splitlines()
        moves = [move for line in lines[-limit:] if (move := _parse_move(line))]
        if moves and moves[0].old.strip("0"):
            yield _TipRecord(max(moves[0].time - 1, 0), moves[0].old, tree.name)
        yield from (_TipRecord(move.time, move.new, tree.name) for move in moves)


class _ReflogMove(NamedTuple):
    old: str
    new: str
    time: int


def _parse_move(line: bytes) -> _ReflogMove | None:
    words = line.partition(b"\t")[0].split(b" ")
    if len(words) < 5 or len(words[0]) not in (40, 64) or not words[-2].isdigit():
        return None
    old, new = (word.decode("ascii", "replace") for word in words[:2])
    return _ReflogMove(old, new, int(words[-2][:18]))


def _read_end(path: Path, size: int) -> bytes:
    """The last `size` bytes of a file; nothing where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - size, 0))
            return file.read()
    except OSError:
        return b""


def _folder(repository: Repository) -> Path:
    return repository.common_dir / "seriestool" / "tips"


def _digest(tips: Mapping[str, str]) -> str:
    text = "".join(f"{commit} {name}\n" for name, commit in sorted(tips.items()))
    return hashlib.sha1(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _parse(journal: bytes) -> Iterator[_TipRecord]:
    for line in journal.decode("utf-8", "surrogateescape").split("\n"):
        time, _, rest = line.partition(" ")
        commit, _, tree = rest.partition(" ")
        if time.isdigit() and tree and len(commit) in (40, 64):
            yield _TipRecord(int(time), commit, tree)
