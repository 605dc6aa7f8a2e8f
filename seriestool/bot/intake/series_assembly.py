# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of a posting: a series that was found, something to wait for, or a part of which the rest never came."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from seriestool.bot.dialects import in_batches
from seriestool.bot.intake.mail_table import plain_text
from seriestool.bot.intake.related_mails import StoredMail
from seriestool.bot.intake.versions import (
    VersionRow,
    choose_lineage,
    find_other_versions,
    pack_work,
    shorten,
    supersedes,
)
from seriestool.series.mail.lineage import posting_identity
from seriestool.series.mail.posting import Posting, find_postings

if TYPE_CHECKING:
    from sqlalchemy import Connection

COVER_WAIT = 300
"""Seconds to wait for a cover letter."""

_TOGETHER = 2 * 24 * 3600


class AssemblyResult(Struct):
    """What a look at the mails brought: keys of series."""

    complete: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was passed over, and why."""


def series_key(msgid: str, version: int) -> str:
    """The key of the series whose first mail has this message-id."""
    return hashlib.sha1(f"{msgid}\0{version}".encode(), usedforsecurity=False).hexdigest()


class SeriesAssembly:
    """One look at mails that hang together."""

    def __init__(
        self, connection: "Connection", lot: Sequence[StoredMail], now: int, settle: int, found: AssemblyResult
    ) -> None:
        self.connection = connection
        self.stored = {one.head.msgid: one for one in lot}
        self.home = {one.head.msgid: one.series for one in lot if one.series}
        self.now = now
        self.settle = settle
        self.found = found

    def postings(self) -> list[Posting]:
        """What the mails that are in no series yet make."""
        free = [one for one in self.stored.values() if one.series is None and (one.is_patch or not one.head.has_diff)]
        added = [one for one in free if _is_addition(one)]
        names = {one.head.msgid for one in free}
        around = [one.mail for one in self.stored.values() if one.head.msgid not in names]
        plain_mails = [one.mail for one in free if not _is_addition(one)]
        return find_postings(plain_mails, [*around, *(one.mail for one in added)]) + _additions(added)

    def judge(self, posting: Posting) -> None:
        """Find the series, wait for more of it, or give it up."""
        if self.is_sent_again(posting) or self.is_late_cover(posting):
            return
        seconds = self.wait_seconds(posting)
        if not self.is_over(posting, seconds):
            self.wait(posting, seconds)
        elif not posting.missing:
            self.complete(posting)
        elif below := self.find_built_on(posting):
            self.complete(posting, *below)
        else:
            self.give_up(posting)

    def wait_seconds(self, posting: Posting) -> int:
        """Seconds to wait, since the last mail of it came, for what may be on its way."""
        is_guess = posting.expected > 1 and any(mail.subject.counter is None for mail in posting.patches.values())
        if posting.missing or is_guess:  # of a patch that does not count: it may turn out that another one was meant
            return self.settle
        return COVER_WAIT if self.may_get_cover(posting) else 0

    def is_over(self, posting: Posting, seconds: int) -> bool:
        """Whether nothing of it came for so long; also where it came at a time that is yet to be."""
        newest = max(self.stored[mail.msgid].seen for mail in posting.mails)
        return not 0 <= self.now - newest < seconds

    def wait(self, posting: Posting, seconds: int) -> None:
        """Look at it again when so much time has gone by."""
        newest = max(self.stored[mail.msgid].seen for mail in posting.mails)
        self.set_mails(posting, due=newest + seconds)

    def may_get_cover(self, posting: Posting) -> bool:
        """Whether a cover letter may be on its way."""
        if posting.cover or posting.first.subject.counter is None:
            return False
        patches = posting.mails
        if not any(mail.references for mail in patches):
            return True
        parents = posting.first.references[-1:]
        return bool(parents) and parents[0] not in self.stored

    def is_sent_again(self, posting: Posting) -> bool:
        """Whether its patches are those of a series that was found, sent once more into its thread; then so be it."""
        keys = {self.home[above] for mail in posting.mails for above in mail.references if above in self.home}
        if posting.cover or not posting.missing or len(keys) != 1:
            return False
        (key,) = keys
        known = {one.patch_id for msgid, one in self.stored.items() if self.home.get(msgid) == key}
        if not all(self.stored[mail.msgid].patch_id in known - {None} for mail in posting.mails):
            return False
        self.take(posting, key)
        self.found.notes.append(f"'{posting.first.subject.title}' was sent again: {posting.first.msgid}")
        return True

    def is_late_cover(self, posting: Posting) -> bool:
        """Whether it is the cover letter of a series that was found without one; it is part of that one now."""
        if posting.patches or posting.cover is None:
            return False
        cover = posting.cover
        below = {
            self.home[one.head.msgid]
            for one in self.stored.values()
            if one.head.msgid in self.home and one.head.sender == cover.sender and cover.msgid in one.head.references
        }
        return any(self.add_cover(key, posting) for key in sorted(below) or self.find_series_without_cover(posting))

    def find_series_without_cover(self, posting: Posting) -> list[str]:
        """Keys of series that may be the ones that a cover letter without thread is of."""
        from sqlalchemy import select

        from seriestool.bot.bot_tables import series

        first = posting.first
        posted = int(first.posted.timestamp())
        query = (
            select(series.c.key)
            .where(series.c.author == first.sender, series.c.version == posting.version)
            .where(
                series.c.expected == posting.expected, series.c.posted.between(posted - _TOGETHER, posted + _TOGETHER)
            )
            .order_by(series.c.posted, series.c.key)
        )
        return list(self.connection.execute(query).scalars())

    def add_cover(self, key: str, posting: Posting) -> bool:
        """Whether the series had no cover letter; now it has."""
        from sqlalchemy import update

        from seriestool.bot.bot_tables import series

        is_bare = (series.c.key == key) & (series.c.has_cover == 0) & (series.c.missing == 0)
        is_same = (series.c.version == posting.version) & (series.c.expected == posting.expected)
        done = self.connection.execute(update(series).where(is_bare & is_same).values(has_cover=1)).rowcount
        if done:
            self.take(posting, key)
        return bool(done)

    def find_built_on(self, posting: Posting) -> tuple[str, str] | None:
        """What such a posting is called, and the key of the series that its other patches are of.

        'partial' where only some patches of a series were sent again, as a new version, below the older one;
        'added' where they are to be put on top of one, and count on: 5/4.
        """
        from sqlalchemy import select

        from seriestool.bot.bot_tables import series

        keys = {self.home[above] for mail in posting.mails for above in mail.references if above in self.home}
        if posting.cover or not keys:
            return None
        query = select(series.c.key, series.c.version, series.c.expected, series.c.author).where(
            series.c.key.in_(sorted(keys)), series.c.missing == 0
        )
        stated = posting.first.subject.expected
        for key, version, expected, author in self.connection.execute(query):
            if expected == posting.expected and version < posting.version:
                return "partial", key
            is_next = min(posting.patches) == expected + 1 and len(posting.missing) == expected == stated
            if is_next and author == posting.first.sender:
                posting.version = version
                return "added", key
        return None

    def complete(self, posting: Posting, hint: str = "", below: str = "") -> None:
        """A row for the series, once; what it makes void is said to be so."""
        from sqlalchemy import select

        from seriestool.bot.bot_tables import SeriesState, series

        row, new = self.describe(posting, hint)
        known = self.connection.execute(select(series.c.missing).where(series.c.key == new.key)).scalar()
        self.forget_incomplete(posting)
        self.take(posting, new.key)
        if known == 0:
            return
        versions = find_other_versions(self.connection, new, self.home.values(), below)
        finished = [one for one in versions if not one.missing]
        twin = next((one for one in finished if _is_twin(one, new)), None)
        if twin:
            self.found.notes.append(f"'{posting.first.subject.title}' was sent again unchanged: {posting.first.msgid}")
            return
        above = next((one for one in finished if supersedes(one, new)), None)
        row |= {
            "lineage": choose_lineage(new, [one for one in versions if one.key == below] or versions),
            "missing": 0,
            "state": SeriesState.SUPERSEDED if above else SeriesState.WAITING,
            "superseded_by": above.key if above else None,
        }
        self.connection.execute(series.insert(), [row])
        self.found.complete.append(new.key)
        self.supersede(new, [one for one in versions if supersedes(new, one)])

    def supersede(self, new: VersionRow, old: Sequence[VersionRow]) -> None:
        """Say of the older ones that nobody needs to look at them, and which one is the newest."""
        from sqlalchemy import func, select, update

        from seriestool.bot.bot_tables import SeriesState, series

        waiting = [
            one.key for one in old if one.state in (SeriesState.WAITING, SeriesState.QUEUED, SeriesState.INCOMPLETE)
        ]
        void = {"state": SeriesState.SUPERSEDED, "superseded_by": new.key}
        self.connection.execute(update(series).where(series.c.key.in_(waiting)).values(void))
        self.found.superseded += waiting
        newer = series.alias()
        known = select(func.max(newer.c.posted)).where(newer.c.key == series.c.superseded_by).scalar_subquery()
        is_older = series.c.key.in_([one.key for one in old if one.state == SeriesState.SUPERSEDED]) & (
            known < new.posted
        )
        self.connection.execute(update(series).where(is_older).values(superseded_by=new.key))

    def give_up(self, posting: Posting) -> None:
        """A row that says that patches are missing, or the same one with fewer of them."""
        from sqlalchemy import select

        from seriestool.bot.bot_tables import SeriesState, series

        row, new = self.describe(posting)
        known = self.connection.execute(select(series.c.missing).where(series.c.key == new.key)).scalar()
        if known == 0:
            self.take(posting, new.key)
            return
        self.forget_incomplete(posting)
        self.set_mails(posting, due=None)
        versions = find_other_versions(self.connection, new, self.home.values())
        above = next((one for one in versions if supersedes(one, new)), None)
        row |= {
            "lineage": choose_lineage(new, versions),
            "state": SeriesState.SUPERSEDED if above else SeriesState.INCOMPLETE,
            "superseded_by": above.key if above else None,
        }
        self.connection.execute(series.insert(), [row])
        self.found.incomplete.append(new.key)

    def describe(self, posting: Posting, hint: str = "") -> tuple[dict[str, object], VersionRow]:
        """The row without what others decide, and the same to be compared."""
        first = self.stored[posting.first.msgid]
        key = series_key(first.head.msgid, posting.version)
        work = shorten(posting_identity(posting))
        content = [self.stored[mail.msgid].patch_id or mail.msgid for _, mail in sorted(posting.patches.items())]
        words = (*first.hints, *([hint] if hint else []))
        new = VersionRow(
            key=key,
            lineage="",
            state="",
            posted=first.posted,
            expected=posting.expected,
            missing=0 if hint else len(posting.missing),
            hints=frozenset(words),
            work=work,
            content=tuple(content),
        )
        row: dict[str, object] = {
            "key": key,
            "list": first.list,
            "msgid": first.head.msgid,
            "version": posting.version,
            "expected": posting.expected,
            "missing": len(posting.missing),
            "subject": plain_text(first.head.subject.title),
            "author_name": first.sender_name,
            "author": first.head.sender,
            "posted": first.posted,
            "found": self.now,
            "tries": 0,
            "has_cover": int(posting.cover is not None),
            "change_id": plain_text(work.change_id) if work.change_id else None,
            "hints": " ".join(words) or None,
            "work": pack_work(work, content),
        }
        return row, new

    def take(self, posting: Posting, key: str) -> None:
        """The mails belong to that series, for good."""
        self.set_mails(posting, series=key, due=None)
        self.home.update(dict.fromkeys((mail.msgid for mail in posting.mails), key))

    def forget_incomplete(self, posting: Posting) -> None:
        """Take out the rows that listed parts of it as incomplete."""
        from sqlalchemy import delete

        from seriestool.bot.bot_tables import SeriesState, series

        for some in in_batches([mail.msgid for mail in posting.mails]):
            is_part = series.c.msgid.in_(some) & (series.c.missing > 0)
            is_open = series.c.state.in_((SeriesState.INCOMPLETE, SeriesState.SUPERSEDED))
            self.connection.execute(delete(series).where(is_part & is_open))

    def set_mails(self, posting: Posting, **values: object) -> None:
        """Set columns of its mails."""
        from sqlalchemy import update

        from seriestool.bot.bot_tables import mails

        for some in in_batches([mail.msgid for mail in posting.mails]):
            self.connection.execute(update(mails).where(mails.c.msgid.in_(some)).values(**values))


def _is_twin(old: VersionRow, new: VersionRow) -> bool:
    return old.work.version == new.work.version and old.content == new.content and old.expected == new.expected


def _is_addition(stored: StoredMail) -> bool:
    """Whether the mail counts beyond the end of its series: 5/4."""
    return (stored.head.subject.counter or 0) > stored.head.subject.expected


def _additions(added: Sequence[StoredMail]) -> list[Posting]:
    """What was sent to go on top of something else, one posting for each sender and parent."""
    postings: dict[tuple[str, str, int], Posting] = {}
    for one in added:
        subject = one.head.subject
        key = (one.head.sender, "".join(one.head.references[:1]), subject.expected)
        posting = postings.setdefault(key, Posting(subject.version, subject.expected))
        posting.patches[subject.counter or 1] = one.mail
        posting.expected = max(posting.patches)
    return list(postings.values())
