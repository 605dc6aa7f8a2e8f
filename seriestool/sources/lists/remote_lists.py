# SPDX-License-Identifier: GPL-2.0-or-later
"""The same questions to a public-inbox server: its search, with few requests.

Whatever the server answers is read into an index of its own, in memory, and that is asked: a server cannot give
another kind of answer than an archive here. Each question goes to the server once.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from seriestool.sources.lists import ListedPatch
from seriestool.sources.lists.indexed_mail import parse_entry
from seriestool.sources.lists.patch_index import LIMIT, mail_id
from seriestool.sources.lists.patch_index_tables import SCHEMA, check_blob
from seriestool.sources.lists.patch_index_writer import ArchivedMail, PatchIndexWriter
from seriestool.util.database import make_temporary
from seriestool.util.errors import InputError, NotFoundError

_SHORTEST = 7  # digits; the server knows ids by no fewer, and by each prefix from there on
_TERMS = 10  # in one request
_WINDOW = timedelta(days=60)
_UNQUOTABLE = frozenset('"\\\n\r\0')


class ListServer(Protocol):
    """What is needed of `lore.Lore`."""

    def search(self, query: str) -> Sequence[bytes]:
        """The mails of all threads that have a match."""

    def get_thread(self, msgid: str) -> Sequence[bytes]:
        """The mails of a thread; raises NotFoundError."""


class RemoteLists(PatchIndexWriter):
    """The lists of a server; errors of the network come through as OutsideError."""

    def __init__(self, server: ListServer, name: str = "lore") -> None:
        super().__init__(make_temporary(SCHEMA))
        self._server = server
        self._name = name
        self._asked: set[str] = set()
        self._mails: dict[str, bytes] = {}

    def prefetch(self, making: Iterable[str] = (), needing: Iterable[str] = ()) -> None:
        """Ask for the patches of many blobs with few requests; `find_making` and `find_needing` need no more then."""
        terms = [f"dfpost:{check_blob(blob)[:_SHORTEST]}" for blob in making if len(blob) >= _SHORTEST]
        terms += [f"dfpre:{check_blob(blob)[:_SHORTEST]}" for blob in needing if len(blob) >= _SHORTEST]
        self._search_any(dict.fromkeys(terms))

    def prefetch_touching(self, paths: Iterable[bytes], near: datetime) -> None:
        """The same for `find_touching`."""
        terms = dict.fromkeys(term for path in paths if (term := _file_term(path)))
        self._search_any(terms, f" {_days(near)}")

    def prefetch_patch_ids(self, patch_ids: Iterable[str]) -> None:
        """The same for `find_patch_id`."""
        terms = dict.fromkeys(f"patchid:{one}" for one in patch_ids if one.isalnum())
        self._search_any(terms)

    def find_making(self, blob: str, path: bytes | None = None, limit: int = LIMIT) -> tuple[ListedPatch, ...]:
        """The patches that say they make the blob, newest first; () for fewer than 7 digits."""
        self.prefetch(making=(blob,))
        return super().find_making(blob, path, limit)

    def find_needing(self, blob: str, path: bytes | None = None, limit: int = LIMIT) -> tuple[ListedPatch, ...]:
        """The patches that say they start from the blob, newest first; () for fewer than 7 digits."""
        self.prefetch(needing=(blob,))
        return super().find_needing(blob, path, limit)

    def find_touching(self, path: bytes, near: datetime, limit: int = LIMIT) -> tuple[ListedPatch, ...]:
        """The patches of the 60 days on either side of a moment that touch the path, the nearest first.

        `edges_of` knows no more than what this and other questions brought here.
        """
        if term := _file_term(path):
            self._search(f"{term} {_days(near)}")
        return super().find_touching(path, near, limit)

    def find_patch(self, msgid: str) -> ListedPatch | None:
        """The patch that was sent with the message-id, or None."""
        self._fetch_thread(msgid)
        return super().find_patch(msgid)

    def find_patch_id(self, patch_id: str) -> tuple[ListedPatch, ...]:
        """The patches with this stable patch-id, newest first."""
        if patch_id.isalnum():
            self._search(f"patchid:{patch_id}")
        return super().find_patch_id(patch_id)

    def find_change_id(self, change_id: str) -> tuple[ListedPatch, ...]:
        """The patches of all series with this change-id."""
        if _is_quotable(change_id):
            self._search(f'nq:"change-id: {change_id}"')
        return super().find_change_id(change_id)

    def series_of(self, msgid: str) -> tuple[ListedPatch, ...]:
        """The patches of the series in order; `msgid` is of the series, or of one of its patches."""
        self._fetch_thread(msgid)
        return super().series_of(msgid)

    def read_mail(self, patch: ListedPatch) -> bytes:
        """The mail itself."""
        if patch.msgid not in self._mails:
            raise NotFoundError(f"the server did not give the mail '{patch.msgid}'")
        return self._mails[patch.msgid]

    def _search_any(self, terms: Iterable[str], within: str = "") -> None:
        new = [term for term in terms if f"{term}{within}" not in self._asked]
        for start in range(0, len(new), _TERMS):
            some = new[start : start + _TERMS]
            joined = " OR ".join(some)
            self._take(self._server.search(f"({joined}){within}" if within else joined))
            self._asked.update(f"{term}{within}" for term in some)

    def _search(self, query: str) -> None:
        if query not in self._asked:
            self._take(self._server.search(query))
            self._asked.add(query)

    def _fetch_thread(self, msgid: str) -> None:
        if msgid in self._asked or msgid in self._mails:
            return
        self._asked.add(msgid)
        try:
            self._take(self._server.get_thread(msgid))
        except NotFoundError:
            return

    def _take(self, mails: Iterable[bytes]) -> None:
        found = [located for raw in mails if (located := _archived_mail(raw)) and self._is_new(located, raw)]
        if found:
            self.add(self._name, "", found, "")

    def _is_new(self, located: ArchivedMail, raw: bytes) -> bool:
        return self._mails.setdefault(located.entry.known.msgid, raw) is raw


def _archived_mail(raw: bytes) -> ArchivedMail | None:
    try:
        entry = parse_entry(raw)
    except InputError:
        return None
    return ArchivedMail(entry, mail_id(raw)) if entry else None


def _file_term(path: bytes) -> str | None:
    name = path.decode("utf-8", "replace")
    return f'dfn:"{name}"' if _is_quotable(name) else None


def _days(near: datetime) -> str:
    return f"d:{near - _WINDOW:%Y%m%d}..{near + _WINDOW:%Y%m%d}"


def _is_quotable(text: str) -> bool:
    return bool(text) and not _UNQUOTABLE & set(text)
