# SPDX-License-Identifier: GPL-2.0-or-later
"""The index of patches: one SQLite file for all lists. The mails themselves stay in the archives."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from seriestool.git import Repository
from seriestool.series.mail import Mail, split_mbox
from seriestool.series.mail.patch_mail import parse_patch
from seriestool.series.model import Patch
from seriestool.sources.lists import BlobEdge, ListedPatch
from seriestool.sources.lists.patch_index_tables import KINDS, SCHEMA, blob_digits, blob_range, shorter_numbers
from seriestool.util.database import Database, find_database
from seriestool.util.errors import NotFoundError, OutsideError

LIMIT = 200
_PER_QUESTION = 500
_MOST_CANDIDATES = 50_000
_MOST_VERSIONS = 1000
_PATCH = (
    "SELECT patch.id, patch.msgid, subject, person.name, date, version, counter, expected, "
    "coalesce(series.msgid, patch.msgid), coalesce(series.title, subject), change_id, lower(hex(patch_id)) FROM patch "
    "JOIN person ON person.id = author LEFT JOIN series ON series.id = series "
)
_EDGE = (
    "SELECT patch, path.name, before.name, old, new, kind FROM edge JOIN path ON path.id = edge.path "
    "LEFT JOIN path AS before ON before.id = old_path "
)


class PatchIndex:
    """The index of patches, to ask; `find_index` opens it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._archives: dict[str, Repository] = {}
        self._mailbox: tuple[str, dict[bytes, bytes]] = ("", {})

    def close(self) -> None:
        """Close the file and the archives."""
        for archive in self._archives.values():
            archive.close()
        self._archives.clear()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM patch")[0][0])

    def lists(self) -> dict[str, int]:
        """The lists that are in the index, each with the number of its patches."""
        question = "SELECT list, count(DISTINCT patch) FROM source LEFT JOIN place ON source.id = source GROUP BY list"
        return dict(self._rows(question))

    def find_making(self, blob: str, path: bytes | None = None, limit: int = LIMIT) -> tuple[ListedPatch, ...]:
        """The patches that say they make the blob (of `path`, where it is given), newest first.

        `blob` may be shorter than what the patch says, or longer. Raises InputError where it is no id.
        """
        return self._patches_at(column="new", path_column="path", blob=blob, path=path, limit=limit)

    def find_needing(self, blob: str, path: bytes | None = None, limit: int = LIMIT) -> tuple[ListedPatch, ...]:
        """The patches that say they start from the blob, newest first; otherwise as `find_making`."""
        return self._patches_at(column="old", path_column="coalesce(old_path, path)", blob=blob, path=path, limit=limit)

    def edges_of(self, path: bytes) -> tuple[tuple[int, BlobEdge], ...]:
        """(number of the patch, edge) of every patch that touches the path, also where it is renamed or copied away.

        In order of the numbers; `find_patches` makes patches of them.
        """
        number = self._path_number(path)
        if number is None:
            return ()
        own = self._rows("SELECT patch, old_path, old, new, kind FROM edge WHERE path = ?", number)
        names = self._path_names({before for _, before, _, _, _ in own if before is not None})
        edges = [
            (
                patch,
                BlobEdge(
                    path=path, old_path=names.get(before), old=blob_digits(old), new=blob_digits(new), kind=KINDS[kind]
                ),
            )
            for patch, before, old, new, kind in own
        ]
        edges += [(row[0], _edge(row[1:])) for row in self._rows(_EDGE + "WHERE old_path = ?", number)]
        return tuple(sorted(edges, key=lambda pair: pair[0]))

    def find_touching(self, path: bytes, near: datetime, limit: int = LIMIT) -> tuple[ListedPatch, ...]:
        """The patches that touch the path, those first that were sent nearest to a moment."""
        number = self._path_number(path)
        if number is None:
            return ()
        question = (
            "SELECT id FROM patch WHERE id IN (SELECT patch FROM edge WHERE path = ? UNION "
            "SELECT patch FROM edge WHERE old_path = ?) ORDER BY abs(date - ?), msgid LIMIT ?"
        )
        return self.find_patches(self._numbers(question, number, number, int(near.timestamp()), limit))

    def find_patches(self, numbers: Iterable[int]) -> tuple[ListedPatch, ...]:
        """The patches of these numbers, in that order; those that are not there are left out."""
        wanted = tuple(dict.fromkeys(numbers))
        found = {patch.number: patch for some in _lots(wanted) for patch in self._patches("patch.id", some)}
        return tuple(found[number] for number in wanted if number in found)

    def find_patch(self, msgid: str) -> ListedPatch | None:
        """The patch that was sent with the message-id, or None."""
        return next(iter(self._patches("patch.msgid", (msgid,))), None)

    def find_patch_id(self, patch_id: str) -> tuple[ListedPatch, ...]:
        """The patches with this `git patch-id --stable`, newest first."""
        try:
            raw = bytes.fromhex(patch_id)
        except ValueError:
            return ()
        question = "SELECT id FROM patch WHERE substr(patch_id, 1, 6) = ? AND patch_id = ?"
        return _newest_first(self.find_patches(self._numbers(question, raw[:6], raw)))

    def find_change_id(self, change_id: str) -> tuple[ListedPatch, ...]:
        """The patches of all series with this change-id: series after series, oldest first, each in order."""
        question = "SELECT patch.id FROM series JOIN patch ON patch.series = series.id WHERE change_id = ?"
        return _by_series(self.find_patches(self._numbers(question, change_id)))

    def series_of(self, msgid: str) -> tuple[ListedPatch, ...]:
        """The patches of the series in order of their counters; `msgid` is of the series, or of one of its patches.

        Of a patch that was sent again the latest. () where the index does not know the message-id.
        """
        question = (
            "SELECT id FROM patch WHERE series = coalesce((SELECT id FROM series WHERE msgid = ?), "
            "(SELECT series FROM patch WHERE msgid = ?))"
        )
        numbers = self._numbers(question, msgid, msgid) or self._numbers("SELECT id FROM patch WHERE msgid = ?", msgid)
        patches = sorted(self.find_patches(numbers), key=lambda patch: (patch.date, patch.number))
        latest = {patch.counter: patch for patch in patches}
        return tuple(latest[counter] for counter in sorted(latest))

    def find_versions(self, msgid: str) -> tuple[str, ...]:
        """The message-ids of all versions of a series that are known, this one included, oldest version first.

        Versions have the same change-id; without one, the same sender and the titles of half of the patches.
        """
        own = self.series_of(msgid)
        if not own:
            return ()
        works = self._works(own)
        question = "SELECT id FROM patch WHERE work = ? ORDER BY id DESC LIMIT ?"
        numbers = [number for work in works for number in self._numbers(question, work, _MOST_VERSIONS)]
        others = {patch.series: self.series_of(patch.series) for patch in self.find_patches(numbers)}
        found = {
            series: patches
            for series, patches in others.items()
            if _is_same_work(own, patches, len(works & self._works(patches)))
        }
        found[own[0].series] = own
        if own[0].change_id:
            for patch in self.find_change_id(own[0].change_id):
                found.setdefault(patch.series, (patch,))
        return tuple(sorted(found, key=lambda one: (found[one][0].version, found[one][0].date, one)))

    def read_mail(self, patch: ListedPatch) -> bytes:
        """The mail, from the first archive that has it still.

        Raises NotFoundError where none has.
        """
        rows = self._rows(
            "SELECT path, blob FROM place JOIN source ON source.id = source WHERE patch = ? ORDER BY source.id",
            patch.number,
        )
        for path, blob in rows:
            with suppress(NotFoundError, OutsideError):
                if (mail := self._read(path, blob)) is not None:
                    return mail
        raise NotFoundError(
            f"the mail '{patch.msgid}' is no longer in the archives", hint="run 'seriestool lists update'"
        )

    def read_patch(self, patch: ListedPatch) -> Patch:
        """The mail, parsed; raises NotFoundError where it is gone."""
        return parse_patch(Mail(self.read_mail(patch)), patch.counter)

    def _read(self, path: str, blob: bytes) -> bytes | None:
        if not Path(path).is_dir():
            return self._read_mailbox(path).get(blob)
        if path not in self._archives:
            self._archives[path] = Repository.open(Path(path))
        found = self._archives[path].objects.read(blob.hex())
        return normalize_mail(found[2]) if found else None

    def _read_mailbox(self, path: str) -> dict[bytes, bytes]:
        if self._mailbox[0] != path:
            try:
                mails = split_mbox(Path(path).read_bytes(), path)
            except OSError as error:
                raise OutsideError(f"cannot read '{path}': {error.strerror}") from error
            self._mailbox = path, {mail_id(mail): mail for mail in mails}
        return self._mailbox[1]

    def _patches_at(
        self, column: str, path_column: str, blob: str, path: bytes | None, limit: int
    ) -> tuple[ListedPatch, ...]:
        low, high = blob_range(blob)
        shorter = shorter_numbers(blob)
        where, values = "", list[object]()
        if path is not None:
            where, values = f"AND {path_column} = ? ", [self._path_number(path)]
        tail = f"{where}LIMIT {_MOST_CANDIDATES}"
        numbers = self._numbers(f"SELECT patch FROM edge WHERE {column} BETWEEN ? AND ? {tail}", low, high, *values)  # noqa: S608
        exactly = f"SELECT patch FROM edge WHERE {column} IN ({_marks(shorter)}) {tail}"  # noqa: S608
        numbers += self._numbers(exactly, *shorter, *values)
        return self.find_patches(self._newest(numbers, limit))

    def _newest(self, numbers: Sequence[int], limit: int) -> list[int]:
        dated = [
            row
            for some in _lots(tuple(set(numbers)))
            for row in self._rows(f"SELECT date, msgid, id FROM patch WHERE id IN ({_marks(some)})", *some)  # noqa: S608
        ]
        return [number for _, _, number in sorted(dated, reverse=True)[:limit]]

    def _patches(self, column: str, values: Sequence[object]) -> Iterator[ListedPatch]:
        rows = self._rows(f"{_PATCH}WHERE {column} IN ({_marks(values)})", *values)
        numbers = [row[0] for row in rows]
        edges: dict[int, list[BlobEdge]] = {number: [] for number in numbers}
        among = f"({_marks(numbers)})"
        for row in self._rows(f"{_EDGE}WHERE patch IN {among} ORDER BY patch, number", *numbers):
            edges[row[0]].append(_edge(row[1:]))
        lists: dict[int, list[str]] = {number: [] for number in numbers}
        places = f"SELECT DISTINCT patch, list FROM place JOIN source ON source.id = source WHERE patch IN {among}"  # noqa: S608
        for number, name in sorted(self._rows(places, *numbers)):
            lists[number].append(name)
        for row in rows:
            number, msgid, subject, author, date, version, counter, expected, series, title, change_id, patch_id = row
            yield ListedPatch(
                number=number,
                msgid=msgid,
                subject=subject,
                author=author,
                date=datetime.fromtimestamp(date, UTC),
                version=version,
                counter=counter,
                expected=expected,
                series=series,
                title=title,
                change_id=change_id,
                patch_id=patch_id or None,
                edges=tuple(edges[number]),
                lists=tuple(lists[number]),
            )

    def _works(self, patches: Iterable[ListedPatch]) -> set[int]:
        numbers = tuple(patch.number for patch in patches)
        return {
            work
            for some in _lots(numbers)
            for work in self._numbers(f"SELECT work FROM patch WHERE id IN ({_marks(some)})", *some)  # noqa: S608
        }

    def _path_number(self, path: bytes) -> int | None:
        return next(iter(self._numbers("SELECT id FROM path WHERE name = ?", path)), None)

    def _path_names(self, numbers: Iterable[int]) -> dict[int | None, bytes]:
        wanted = tuple(numbers)
        rows = [
            row
            for some in _lots(wanted)
            for row in self._rows(f"SELECT id, name FROM path WHERE id IN ({_marks(some)})", *some)  # noqa: S608
        ]
        return dict(rows)

    def _numbers(self, question: str, *values: object) -> list[int]:
        return [row[0] for row in self._rows(question, *values)]

    def _rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.rows(question, values)


def find_index(path: Path) -> PatchIndex | None:
    """The index to ask, or None where there is none; raises OutsideError where it is damaged."""
    database = find_database(path, SCHEMA)
    return PatchIndex(database) if database else None


def normalize_mail(raw: bytes) -> bytes:
    """What an archive keeps of a mail as the rest of the program reads it: without its From line, headers with LF."""
    if raw.startswith(b"From ") or b"\r" in raw[:2000]:
        return next(iter(split_mbox(raw)), b"")
    return raw


def mail_id(mail: bytes) -> bytes:
    """The id of the mail as git would have it, 20 bytes."""
    return hashlib.sha1(b"blob %d\0" % len(mail) + mail, usedforsecurity=False).digest()


def _edge(row: Sequence[Any]) -> BlobEdge:
    path, old_path, old, new, kind = row
    return BlobEdge(path=path, old_path=old_path, old=blob_digits(old), new=blob_digits(new), kind=KINDS[kind])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _lots(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _PER_QUESTION):
        yield numbers[start : start + _PER_QUESTION]


def _newest_first(patches: Iterable[ListedPatch]) -> tuple[ListedPatch, ...]:
    return tuple(sorted(patches, key=lambda patch: (patch.date, patch.msgid), reverse=True))


def _by_series(patches: Iterable[ListedPatch]) -> tuple[ListedPatch, ...]:
    return tuple(sorted(patches, key=lambda patch: (patch.version, patch.series, patch.counter, patch.date)))


def _is_same_work(own: Sequence[ListedPatch], other: Sequence[ListedPatch], shared: int) -> bool:
    """Whether two series with so many titles in common are versions of one work; the rule is that of `mail.lineage`."""
    ids = {own[0].change_id, other[0].change_id} - {None}
    return len(ids) < 2 and 0 < shared * 2 >= min(len(own), len(other))
