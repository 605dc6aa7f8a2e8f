# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of a layer that holds what commit messages say, while it is built. Needs NumPy, as `layer_builder` does."""

from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from seriestool.trees.history.index_layer import IndexLayer
from seriestool.trees.history.message_record import (
    TARGETS,
    as_utf8,
    cut_title,
    fold_titles,
    hash_text,
    named_id,
    read_notes,
    target_key,
)

Array = npt.NDArray[np.int64]
MERGE = 1
"""The mark of a commit with more than one parent."""
_COLUMNS = ("text_starts", "text_lengths", "marks", "authors", "authored", "zones")
_LATEST = 2**32 - 1


class MessageColumns(Struct, frozen=True, kw_only=True):
    """What the messages of a draft's commits say, row by row; `text` has the records in any order."""

    columns: dict[str, npt.NDArray[Any]]
    """The arrays of the layer with an item for each commit, but those that are sorted otherwise."""
    title_hashes: npt.NDArray[np.uint32]
    id_rows: Array
    id_hashes: npt.NDArray[np.uint32]
    target_rows: Array
    target_keys: npt.NDArray[np.uint64]
    people: list[bytes]
    text: npt.NDArray[np.uint8]

    def select(self, rows: npt.NDArray[np.bool_]) -> "MessageColumns":
        """The same for these rows only."""
        if rows.all():
            return self
        numbers = np.cumsum(rows) - 1
        columns = {name: column[rows] for name, column in self.columns.items()}
        starts, lengths = columns["text_starts"].tolist(), columns["text_lengths"].tolist()
        whole = self.text.tobytes()
        kept = b"".join(whole[start : start + length] for start, length in zip(starts, lengths, strict=True))
        columns["text_starts"] = _starts(columns["text_lengths"])
        ids, targets = rows[self.id_rows], rows[self.target_rows]
        return MessageColumns(
            columns=columns,
            title_hashes=self.title_hashes[rows],
            id_rows=numbers[self.id_rows[ids]],
            id_hashes=self.id_hashes[ids],
            target_rows=numbers[self.target_rows[targets]],
            target_keys=self.target_keys[targets],
            people=self.people,
            text=np.frombuffer(kept, np.uint8),
        )

    def above(self, layer: IndexLayer) -> "MessageColumns":
        """The messages of the layer, and behind them these."""
        below = _of_layer(layer)
        numbers = {name: number for number, name in enumerate(below.people)}
        authors = np.array([numbers.setdefault(name, len(numbers)) for name in self.people], np.int64)
        own = {
            **self.columns,
            "authors": authors[self.columns["authors"]],
            "text_starts": self.columns["text_starts"] + np.uint64(len(below.text)),
        }
        return MessageColumns(
            columns={name: np.concatenate([below.columns[name], own[name]]) for name in _COLUMNS},
            title_hashes=np.concatenate([below.title_hashes, self.title_hashes]),
            id_rows=np.concatenate([below.id_rows, self.id_rows + len(layer)]),
            id_hashes=np.concatenate([below.id_hashes, self.id_hashes]),
            target_rows=np.concatenate([below.target_rows, self.target_rows + len(layer)]),
            target_keys=np.concatenate([below.target_keys, self.target_keys]),
            people=list(numbers),
            text=np.concatenate([below.text, self.text]),
        )

    def arrays(self, position: Array, row_at: Array) -> dict[str, npt.NDArray[Any]]:
        """The arrays of a layer; `position` says for each row where it goes, `row_at` the reverse."""
        people = self.people
        by_title = np.argsort(self.title_hashes, kind="stable")
        by_id = np.argsort(self.id_hashes, kind="stable")
        by_target = np.argsort(self.target_keys, kind="stable")
        return {
            **{name: column[row_at] for name, column in self.columns.items()},
            "title_hashes": self.title_hashes[by_title],
            "by_title": position[by_title],
            "id_hashes": self.id_hashes[by_id],
            "by_id": position[self.id_rows[by_id]],
            "target_keys": self.target_keys[by_target],
            "by_target": position[self.target_rows[by_target]],
            "people_starts": np.concatenate([[0], np.cumsum(np.array([len(one) for one in people], np.int64))]),
            "people": np.frombuffer(b"".join(people), np.uint8),
            "text": self.text,
        }


def no_messages() -> dict[str, npt.NDArray[Any]]:
    """The arrays of a layer without messages."""
    none = np.empty(0, np.int64)
    names = (*_COLUMNS, "title_hashes", "by_title", "id_hashes", "by_id", "target_keys", "by_target", "people", "text")
    return {**dict.fromkeys(names, none), "people_starts": np.zeros(1, np.int64)}


class MessageReader:
    """Takes the messages of the log as they come, and keeps what the index wants of them."""

    def __init__(self) -> None:
        self._people: dict[bytes, int] = {}
        self._authors = array("I")
        self._authored = array("I")
        self._zones = array("h")
        self._lengths = array("H")
        self._title_hashes = array("I")
        self._id_rows, self._id_hashes = array("q"), array("I")
        self._target_rows, self._target_keys = array("q"), array("Q")
        self._text: list[bytes] = []

    def feed(self, messages: Iterable[bytes]) -> None:
        """Take the next messages, as `Repository.raw_log` prints them."""
        titles: list[bytes] = []
        records: list[bytes] = []
        people = self._people
        for row, message in enumerate(messages, len(self._lengths)):
            author, date, title, body = message.split(b"\n", 3)
            if not message.isascii():
                author, title, body = _as_utf8(author, title, body)
            if len(title) > 500:
                title = cut_title(title)
            self._authors.append(people.setdefault(author, len(people)))
            self._date(date)
            titles.append(title)
            notes = read_notes(body)
            if notes:
                self._index(row, notes)
                records.append(b"\n".join([title, *notes]))
            else:
                records.append(title)
        self._title_hashes.extend(map(hash_text, fold_titles(titles)) if titles else ())
        self._lengths.extend(map(len, records))
        self._text.append(b"".join(records))

    def _date(self, date: bytes) -> None:
        """Seconds since 1970 and the zone's minutes; 0 where git has no readable date."""
        time, _, zone = date.partition(b" ")
        self._authored.append(min(max(int(time), 0), _LATEST) if time[-1:].isdigit() and len(time) < 20 else 0)
        minutes = int(zone[1:3]) * 60 + int(zone[3:]) if len(zone) == 5 and zone[1:].isdigit() else 0
        self._zones.append(-minutes if zone[:1] == b"-" else minutes)

    def _index(self, row: int, notes: Iterable[bytes]) -> None:
        for note in notes:
            if note[:1] in TARGETS:
                self._target_rows.append(row)
                self._target_keys.append(target_key(note[1:].decode("ascii")))
            elif (named := named_id(note)) is not None:
                self._id_rows.append(row)
                self._id_hashes.append(hash_text(named))

    def columns(self, merges: Array) -> MessageColumns:
        """All that was read; `merges` are the rows of commits with several parents."""
        lengths = np.frombuffer(self._lengths, np.uint16) if self._lengths else np.empty(0, np.uint16)
        marks = np.zeros(len(lengths), np.uint8)
        marks[merges] = MERGE
        text, self._text = b"".join(self._text), []
        return MessageColumns(
            columns={
                "text_starts": _starts(lengths),
                "text_lengths": lengths,
                "marks": marks,
                "authors": np.array(self._authors, np.uint32),
                "authored": np.array(self._authored, np.uint32),
                "zones": np.array(self._zones, np.int16),
            },
            title_hashes=np.array(self._title_hashes, np.uint32),
            id_rows=np.array(self._id_rows, np.int64),
            id_hashes=np.array(self._id_hashes, np.uint32),
            target_rows=np.array(self._target_rows, np.int64),
            target_keys=np.array(self._target_keys, np.uint64),
            people=list(self._people),
            text=np.frombuffer(text, np.uint8),
        )


def _as_utf8(author: bytes, title: bytes, body: bytes) -> tuple[bytes, bytes, bytes]:
    """Title and text are in one encoding, as the message is read as a whole elsewhere."""
    title, _, body = as_utf8(b"%s\n%s" % (title, body)).partition(b"\n")
    return as_utf8(author), title, body


def _starts(lengths: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    starts = np.zeros(len(lengths), np.uint64)
    np.cumsum(lengths[:-1], dtype=np.uint64, out=starts[1:])
    return starts


def _of_layer(layer: IndexLayer) -> MessageColumns:
    """The messages of a layer, its commits taken as rows."""
    views = layer.views

    def stored(name: str, kind: npt.DTypeLike) -> npt.NDArray[Any]:
        return np.frombuffer(views[name], kind)

    hashes = np.empty(len(layer), np.uint32)
    hashes[stored("by_title", np.uint32)] = stored("title_hashes", np.uint32)
    return MessageColumns(
        columns={name: stored(name, np.dtype(views[name].format)) for name in _COLUMNS},
        title_hashes=hashes,
        id_rows=stored("by_id", np.uint32).astype(np.int64),
        id_hashes=stored("id_hashes", np.uint32),
        target_rows=stored("by_target", np.uint32).astype(np.int64),
        target_keys=stored("target_keys", np.uint64),
        people=[layer.person(number) for number in range(layer.counts.people)],
        text=stored("text", np.uint8),
    )
