# SPDX-License-Identifier: GPL-2.0-or-later
"""Which postings are versions of the same work: a lineage."""

from collections.abc import Sequence
from typing import NamedTuple

from seriestool.series.mail.posting import Posting, change_id_of

Lineage = list[Posting]
"""Postings, oldest first."""


class PostingIdentity(NamedTuple):
    """What is compared of a posting, taken from its mails once: a monthly archive has hundreds of them."""

    change_id: str | None
    sender: str
    version: int
    title: str
    titles: frozenset[str]
    msgids: frozenset[str]
    references: frozenset[str]


def find_lineages(postings: Sequence[Posting]) -> list[Lineage]:
    """Postings of the same work together: same change-id, same titles by the same sender, or a newer version below."""
    lineages: list[tuple[Lineage, list[PostingIdentity]]] = []
    for posting in postings:
        work = posting_identity(posting)
        home = next((one for one in lineages if any(is_same(old, work) for old in one[1])), None)
        if home is None:
            lineages.append(([posting], [work]))
        else:
            home[0].append(posting)
            home[1].append(work)
    return [lineage for lineage, _ in lineages]


def find_tops(lineages: Sequence[Lineage]) -> list[Lineage]:
    """The lineages of which no mail answers another lineage: what a thread is about; all where there are none."""
    home = {mail.msgid: place for place, one in enumerate(lineages) for posting in one for mail in posting.mails}
    tops = [
        one
        for place, one in enumerate(lineages)
        if all(
            home.get(above, place) == place for posting in one for mail in posting.mails for above in mail.references
        )
    ]
    return tops or list(lineages)


def posting_identity(posting: Posting) -> PostingIdentity:
    """What is compared of the posting."""
    mails = posting.mails
    return PostingIdentity(
        change_id=change_id_of(posting),
        sender=posting.first.sender,
        version=posting.version,
        title=posting.title,
        titles=frozenset(mail.subject.title.casefold() for mail in posting.patches.values()),
        msgids=frozenset(mail.msgid for mail in mails if mail.msgid),
        references=frozenset(one for mail in mails for one in mail.references),
    )


def is_same(old: PostingIdentity, new: PostingIdentity) -> bool:
    """Whether the two are versions of the same work; `old` was posted first."""
    if old.change_id and new.change_id:
        return old.change_id == new.change_id
    is_below = not old.msgids.isdisjoint(new.references)
    if old.sender != new.sender and not is_below:
        return False
    if old.title == new.title:
        return True
    shared = len(old.titles & new.titles)
    if shared and shared * 2 >= min(len(old.titles), len(new.titles)):
        return True
    return is_below and old.sender == new.sender and new.version > old.version
