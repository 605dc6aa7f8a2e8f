# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rows of the table of series are versions of one work, and which of them a newer one makes void."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from seriestool.series.mail.lineage import PostingIdentity, is_same

if TYPE_CHECKING:
    from sqlalchemy import Connection

_WINDOW = 200 * 24 * 3600  # seconds between two versions of a work
_MOST = 400  # series of one sender that are compared with a new one, the nearest in time
_MOST_NAMES = 1000
_DIGITS = 12


class VersionRow(Struct, frozen=True, kw_only=True):
    """A series of the table, as far as it is compared with others."""

    key: str
    lineage: str
    state: str
    posted: int
    expected: int
    missing: int
    hints: frozenset[str]
    work: PostingIdentity
    content: tuple[str, ...]
    """Of each patch its patch-id, or what else it is known by."""

    @property
    def branches(self) -> frozenset[str]:
        """The old branches that it is for: backports of one patch to two of them are two works."""
        return frozenset(word for word in self.hints if word.startswith("for:"))


def shorten(work: PostingIdentity) -> PostingIdentity:
    """The same with digests in place of texts: as large as a series has patches, and not as its words are."""
    return work._replace(
        title=_digest(work.title),
        titles=_digests(work.titles),
        msgids=_digests(work.msgids),
        references=_digests(work.references - work.msgids),
    )


def pack_work(work: PostingIdentity, content: Sequence[str]) -> str:
    """The work of a short form, and what its patches are known by, as JSON."""
    kept = [
        work.change_id,
        work.sender,
        work.version,
        work.title,
        sorted(work.titles),
        sorted(work.msgids),
        sorted(work.references),
        list(content[:_MOST_NAMES]),
    ]
    return json.dumps(kept)


def find_other_versions(
    connection: "Connection", new: VersionRow, keys: Iterable[str], below: str = ""
) -> list[VersionRow]:
    """The other series of the same work, newest first.

    `keys` are of series whose mails the new one hangs below; `below` is of one that is known to be of the same work.
    """
    from sqlalchemy import or_, select

    from seriestool.bot.bot_tables import series

    near = (
        select(series.c.key)
        .where(series.c.author == new.work.sender)
        .where(series.c.posted.between(new.posted - _WINDOW, new.posted + _WINDOW))
        .order_by(series.c.posted.desc(), series.c.key)
        .limit(_MOST)
    )
    wanted: list[Any] = [series.c.key.in_(near), series.c.key.in_(sorted(set(keys))[:_MOST])]
    if new.work.change_id:
        wanted.append(series.c.change_id == new.work.change_id)
    query = select(series).where(or_(*wanted)).order_by(series.c.posted.desc(), series.c.key).limit(2 * _MOST)
    others = (_relative(row) for row in connection.execute(query))
    return [one for one in others if one.key != new.key and (one.key == below or _is_same_work(one, new))]


def choose_lineage(new: VersionRow, versions: Sequence[VersionRow]) -> str:
    """The lineage of the nearest older relative, else of the oldest one, else a new one."""
    for one in versions:
        if one.posted <= new.posted:
            return one.lineage
    return versions[-1].lineage if versions else hashlib.sha1(f"lineage {new.key}".encode()).hexdigest()  # noqa: S324


def supersedes(new: VersionRow, old: VersionRow) -> bool:
    """Whether nobody needs to look at `old` any more because of `new`.

    A series may begin to count anew when it is an RFC no more. Of two with one version, which only say that they are
    called the same, neither makes the other void.
    """
    if new.missing or (new.posted, new.key) <= (old.posted, old.key):
        return False
    if "rfc" in old.hints and "rfc" not in new.hints:
        return True
    if new.work.version != old.work.version:
        return new.work.version > old.work.version
    is_below = not old.work.msgids.isdisjoint(new.work.references)
    has_same_id = bool(new.work.change_id) and new.work.change_id == old.work.change_id
    return is_below or has_same_id or new.expected > 1


def _is_same_work(one: VersionRow, other: VersionRow) -> bool:
    if one.branches != other.branches:
        return False
    old, new = (one, other) if one.posted <= other.posted else (other, one)
    return is_same(old.work, new.work)


def _relative(row: Any) -> VersionRow:
    try:
        change_id, sender, version, title, titles, msgids, references, content = json.loads(row.work)
    except ValueError:
        change_id, sender, version, title, titles, msgids, references, content = None, "", 0, "", (), (), (), ()
    work = PostingIdentity(
        change_id=change_id,
        sender=sender,
        version=version,
        title=title,
        titles=frozenset(titles),
        msgids=frozenset(msgids),
        references=frozenset(references),
    )
    hints = frozenset((row.hints or "").split())
    return VersionRow(
        key=row.key,
        lineage=row.lineage,
        state=row.state,
        posted=row.posted,
        expected=row.expected,
        missing=row.missing,
        hints=hints,
        work=work,
        content=tuple(content),
    )


def _digests(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(sorted(map(_digest, texts))[:_MOST_NAMES])


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()[:_DIGITS]
