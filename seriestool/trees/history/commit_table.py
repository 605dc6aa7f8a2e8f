# SPDX-License-Identifier: GPL-2.0-or-later
"""What the messages of all indexed commits say: title, author, dates, links, and the commits that they speak of.

A question costs a few look-ups in sorted arrays, whatever the size of the history. What was found under a hash is
compared with what was asked before it is an answer.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from seriestool.git import Commit, ObjectReader
from seriestool.trees.history.history_index import History
from seriestool.trees.history.index_layer import IndexLayer, SortedName
from seriestool.trees.history.message_record import (
    CHANGE_ID,
    FIXES,
    LINK,
    MESSAGE_ID,
    PICKS,
    REVERTS,
    cut_title,
    find_msgid,
    fold_titles,
    hash_text,
    read_notes,
    target_keys,
)

_MERGE = 1
_FEWEST_DIGITS = 7


class IndexedCommit(Struct, frozen=True, kw_only=True):
    """What the index knows of a commit without reading it."""

    position: int
    title: str
    """As `%s` of git-log(1) has it; no more than 1000 bytes of it."""
    author_name: str
    author_email: str
    authored: int
    """The author's date: seconds since 1970, UTC; 0 where it is older or unreadable, 2**32 - 1 where it is later."""
    zone: int
    """The clock that it was read from: minutes ahead of UTC."""
    committed: int
    """The committer's date, as `authored`."""
    is_merge: bool
    links: tuple[str, ...]
    """The values of the Link trailers, in order, as those of the other trailers."""
    msgids: tuple[str, ...]
    """The message-ids that the Message-Id and Link trailers name, without angle brackets, each once."""
    change_ids: tuple[str, ...]
    fixes: tuple[str, ...]
    """The ids of its Fixes trailers, lower case, abbreviated or not."""
    reverts: tuple[str, ...]
    """The ids that it says `This reverts commit` of."""
    picks: tuple[str, ...]
    """The ids that it says `(cherry picked from commit` of."""


class _Record(NamedTuple):
    title: bytes
    notes: Sequence[bytes]

    def values(self, letter: bytes) -> tuple[str, ...]:
        return tuple(_text(note[1:]) for note in self.notes if note[:1] == letter)

    def by_kind(self) -> dict[str, tuple[str, ...]]:
        """The notes by the names that `IndexedCommit` has for them."""
        return {
            "links": self.values(LINK),
            "msgids": self.msgids(),
            "change_ids": self.values(CHANGE_ID),
            "fixes": self.values(FIXES),
            "reverts": self.values(REVERTS),
            "picks": self.values(PICKS),
        }

    def msgids(self) -> tuple[str, ...]:
        found = (msgid for note in self.notes if (msgid := find_msgid(note)))
        return tuple(dict.fromkeys(map(_text, found)))


class CommitTable:
    """The messages of a history's commits, by position, title, message-id, change-id, and by whom they speak of."""

    def __init__(self, history: History, objects: ObjectReader | None = None) -> None:
        """`objects`: where `at` reads a commit whose message the index has not: of a window of the history."""
        self._history = history
        self._objects = objects

    @property
    def missing(self) -> tuple[str, ...]:
        """Why commits may be missing from an answer; () where the table has all that the refs lead to."""
        manifest = self._history.manifest
        found = ["the history is shallow" if manifest and manifest.is_shallow else ""]
        found.append("" if self.has_all_messages else "only a part of the history is indexed")
        return tuple(filter(None, found))

    @property
    def has_all_messages(self) -> bool:
        """Whether the messages of all commits of the history were read."""
        return all(layer.has_messages for layer in self._history.layers)

    def at(self, position: int) -> IndexedCommit | None:
        """What is known of the commit at the position; None where its message was not read, and is not here.

        Raises IndexError where there is no such position.
        """
        layer, index = self._history.locate(position)
        if not layer.has_messages:
            commit = self._objects.commit(self._history.oid(position)) if self._objects else None
            return _as_indexed(position, commit) if commit else None
        record = _record(layer, index)
        author, _, email = layer.person(layer.authors[index]).rpartition(b" <")
        return IndexedCommit(
            position=position,
            title=_text(record.title),
            author_name=_text(author),
            author_email=_text(email.removesuffix(b">")),
            authored=layer.authored[index],
            zone=layer.zones[index],
            committed=layer.times[index],
            is_merge=layer.marks[index] == _MERGE,
            **record.by_kind(),
        )

    def find(self, oid: str) -> IndexedCommit | None:
        """The same by the commit's id, or at least 7 digits of it; None where it is unknown or ambiguous."""
        position = self._history.find(oid)
        return None if position is None else self.at(position)

    def with_title(self, title: str) -> tuple[int, ...]:
        """The positions of the commits with that title, the newest first; titles are compared as by `fold_title`."""
        folded = fold_titles([cut_title(" ".join(title.split("\n")).encode("utf-8", "replace"))])[0]
        wanted = hash_text(folded)
        return self._newest_first(
            lambda layer: _under(layer, "title", wanted), lambda record: fold_titles([record.title])[0] == folded
        )

    def with_msgid(self, msgid: str) -> tuple[int, ...]:
        """The positions of the commits whose Message-Id or Link trailers name the mail, the newest first."""
        wanted = hash_text(MESSAGE_ID + msgid.encode("utf-8", "replace"))
        return self._newest_first(lambda layer: _under(layer, "id", wanted), lambda record: msgid in record.msgids())

    def with_change_id(self, change_id: str) -> tuple[int, ...]:
        """The positions of the commits with that Change-Id trailer, the newest first."""
        wanted = hash_text(CHANGE_ID + change_id.encode("utf-8", "replace"))
        return self._newest_first(
            lambda layer: _under(layer, "id", wanted), lambda record: change_id in record.values(CHANGE_ID)
        )

    def fixing(self, oid: str) -> tuple[int, ...]:
        """The positions of the commits with a Fixes trailer that names the commit of this full id, the newest first."""
        return self._speaking_of(oid, FIXES)

    def reverting(self, oid: str) -> tuple[int, ...]:
        """The positions of the commits that say to revert the commit of this full id, the newest first."""
        return self._speaking_of(oid, REVERTS)

    def picking(self, oid: str) -> tuple[int, ...]:
        """The positions of the commits that say to be picked from the commit of this full id, the newest first."""
        return self._speaking_of(oid, PICKS)

    def _speaking_of(self, oid: str, letter: bytes) -> tuple[int, ...]:
        oid = oid.lower()
        keys = tuple(target_keys(oid)) if len(oid) >= _FEWEST_DIGITS else ()

        def places(layer: IndexLayer) -> Iterator[int]:
            return (index for key in keys for index in _under(layer, "target", key))

        return self._newest_first(places, lambda record: any(map(oid.startswith, record.values(letter))))

    def _newest_first(
        self, places: Callable[[IndexLayer], Iterator[int]], accept: Callable[[_Record], bool]
    ) -> tuple[int, ...]:
        found = {
            (-layer.times[index], layer.offset + index)
            for layer in self._history.layers
            for index in places(layer)
            if accept(_record(layer, index))
        }
        return tuple(position for _, position in sorted(found))


def _under(layer: IndexLayer, name: SortedName, key: int) -> Iterator[int]:
    """The indexes of the layer's commits that are sorted under the hash or key, in the arrays of that name."""
    hashes, commits = layer.sorted_arrays(name)
    for at in range(bisect_left(hashes, key), len(hashes)):
        if hashes[at] != key:
            return
        yield commits[at]


def _as_indexed(position: int, commit: Commit) -> IndexedCommit:
    """The same of a commit that was read."""
    lines = commit.message.lines
    record = _Record(b"", read_notes("\n".join(lines).encode("utf-8", "replace")))
    author = commit.author
    return IndexedCommit(
        position=position,
        title=_text(cut_title(commit.subject.encode("utf-8", "replace"))),
        author_name=author.name,
        author_email=author.email,
        authored=author.time,
        zone=_minutes(author.zone),
        committed=commit.committer.time,
        is_merge=len(commit.parents) > 1,
        **record.by_kind(),
    )


def _minutes(zone: str) -> int:
    """`+0530` as minutes ahead of UTC; 0 for what is no zone."""
    if not zone[1:].isdecimal() or zone[0] not in "+-":
        return 0
    hours, minutes = divmod(int(zone[1:]), 100)
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)


def _record(layer: IndexLayer, index: int) -> _Record:
    title, *notes = layer.record(index).split(b"\n")
    return _Record(title, notes)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
