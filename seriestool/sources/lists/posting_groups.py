# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of a list's mails were sent as one series: `mail.posting` decides, asked about few mails at a time."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from seriestool.series.mail.mail_summary import MailSummary, mail_of_summary
from seriestool.series.mail.posting import Posting, find_postings
from seriestool.util.errors import InputError
from seriestool.util.groups import connected_groups


class PostingGroup(NamedTuple):
    """The patches of one posting."""

    msgid: str
    """Of the cover letter, or of the first patch that is known."""
    rank: int
    """Counter of that mail: of two opinions on a series, the one with the lower rank has seen more of it."""
    title: str
    change_id: str | None
    version: int
    expected: int
    patches: tuple[tuple[int, str], ...]
    """(counter, message-id)"""


def find_posting_groups(mails: Sequence[MailSummary], new: Collection[str]) -> Iterator[PostingGroup]:
    """The postings of more than a lone mail to which one of the `new` message-ids belongs, or could."""
    by_msgid: dict[str, MailSummary] = {}
    for mail in mails:
        by_msgid.setdefault(mail.msgid, mail)
    for component in _components(by_msgid):
        if any(mail.msgid in new for mail in component) and any(mail.has_diff for mail in component):
            yield from _groups(component, by_msgid)


def _groups(component: Sequence[MailSummary], by_msgid: dict[str, MailSummary]) -> Iterator[PostingGroup]:
    try:
        postings = find_postings([mail_of_summary(mail) for mail in component])
    except InputError:  # more patches of one sender in these days than a mailbox may have
        return
    for posting in postings:
        if posting.patches and (posting.cover or posting.expected > 1 or by_msgid[posting.first.msgid].change_id):
            yield _group(posting, by_msgid)


def _group(posting: Posting, by_msgid: dict[str, MailSummary]) -> PostingGroup:
    first = posting.first
    leaders = [first, *([posting.patches[1]] if 1 in posting.patches else [])]
    return PostingGroup(
        msgid=first.msgid,
        rank=0 if posting.cover else min(posting.patches),
        title=first.subject.title,
        change_id=next((found for mail in leaders if (found := by_msgid[mail.msgid].change_id)), None),
        version=posting.version,
        expected=posting.expected,
        patches=tuple((counter, mail.msgid) for counter, mail in sorted(posting.patches.items())),
    )


def _components(by_msgid: dict[str, MailSummary]) -> Iterable[list[MailSummary]]:
    """The mails in lots between which nothing can hang together: by sender and by thread."""
    ties = {mail.msgid: (f"sender {mail.sender}", *mail.references) for mail in by_msgid.values()}
    return [[by_msgid[msgid] for msgid in lot] for lot in connected_groups(ties)]
