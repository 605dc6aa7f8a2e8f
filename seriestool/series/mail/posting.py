# SPDX-License-Identifier: GPL-2.0-or-later
"""Which mails were sent at once: a cover letter and the patches of one version. Replies belong to no posting."""

from collections.abc import Sequence
from datetime import timedelta

from seriestool.series.mail.mail_parser import Mail
from seriestool.series.mail.patch_mail import is_empty_patch, stated_in_cover, stated_in_patch
from seriestool.series.mail.stated import change_id
from seriestool.util.errors import InputError

MAX_PATCHES = 5000
"""Mails of patches in one mailbox; every posting is compared with every other."""

_SENT_TOGETHER = timedelta(days=2)


class Posting:
    """The mails of one version, as sent at once."""

    __slots__ = ("cover", "expected", "older", "patches", "version")

    def __init__(self, version: int, expected: int) -> None:
        self.version = version
        self.expected = expected
        self.cover: Mail | None = None
        self.patches: dict[int, Mail] = {}
        # Taken over from the version before, in a partial reroll.
        self.older: dict[int, Mail] = {}

    @property
    def mails(self) -> list[Mail]:
        """The cover letter and the patches, in order."""
        return [*([self.cover] if self.cover else []), *(self.patches[n] for n in sorted(self.patches))]

    @property
    def first(self) -> Mail:
        """The cover letter, or the first patch."""
        return self.mails[0]

    @property
    def title(self) -> str:
        """Of the first mail, for comparing."""
        return self.first.subject.title.casefold()

    @property
    def missing(self) -> list[int]:
        """Counters that are promised and not there."""
        return [n for n in range(1, self.expected + 1) if n not in self.patches and n not in self.older]


def find_postings(mails: Sequence[Mail], around: Sequence[Mail] = ()) -> list[Posting]:
    """Every posting among the mails, oldest first. Raises InputError where there are too many patches.

    `around` are mails that belong to no posting that is looked for, but say what others hang below.
    """
    by_msgid = {mail.msgid: mail for mail in (*around, *mails) if mail.msgid}
    members = [mail for mail in mails if _is_member(mail)]
    if len(members) > MAX_PATCHES:
        raise InputError(
            f"there are more than {MAX_PATCHES} patches in one mailbox",
            hint="name a series by the message-id of one of its mails, and the mailbox with --archive",
        )
    if not any(mail.has_diff for mail in members):
        # Nothing calls itself a patch; then a mail with a diff, which answers none, is one.
        members += [mail for mail in mails if _may_be_patch(mail, by_msgid)]
    groups: dict[tuple[int, int], list[Mail]] = {}
    rerolls: dict[tuple[int, int], Posting] = {}
    for mail in members:
        version = _version(mail, by_msgid)
        place = _rerolled_place(mail, by_msgid)
        if place:
            posting = rerolls.setdefault((version, place[1]), Posting(version, place[1]))
            posting.patches[place[0]] = mail
        else:
            groups.setdefault((version, mail.subject.expected), []).append(mail)
    postings = [
        posting
        for (version, expected), group in groups.items()
        for posting in _split_group(version, expected, group, by_msgid)
    ]
    _merge_rerolls(postings, rerolls)
    postings = _adopt_uncounted(_adopt_covers(postings, by_msgid))
    return sorted(postings, key=lambda posting: (posting.first.posted, posting.first.msgid))


def _is_member(mail: Mail) -> bool:
    subject = mail.subject
    if subject.is_reply or not subject.is_patch:
        return False
    return subject.counter == 0 or mail.has_diff or (subject.counter is not None and is_empty_patch(mail))


def _may_be_patch(mail: Mail, by_msgid: dict[str, Mail]) -> bool:
    subject = mail.subject
    if subject.is_reply or subject.is_patch or any(one in by_msgid for one in mail.references):
        return False
    return mail.has_diff


def _version(mail: Mail, by_msgid: dict[str, Mail]) -> int:
    """Of the mail; one that does not say it has that of the cover letter or first patch that it hangs below."""
    if mail.subject.has_version or mail.subject.counter is None:
        return mail.subject.version
    for parent in reversed(mail.references):
        above = by_msgid.get(parent)
        if above is not None and not above.subject.is_reply and above.subject.expected == mail.subject.expected:
            return above.subject.version
    return mail.subject.version


def _rerolled_place(mail: Mail, by_msgid: dict[str, Mail]) -> tuple[int, int] | None:
    """(counter, expected) of the patch that the mail, which does not count itself, sends anew in answer to it."""
    subject = mail.subject
    if subject.counter is not None or subject.version < 2:
        return None
    for parent in reversed(mail.references):
        above = by_msgid.get(parent)
        if above is None or above.subject.is_reply or not above.subject.counter or above.subject.expected < 2:
            continue
        is_same = above.subject.title.casefold() == subject.title.casefold() and above.sender == mail.sender
        if is_same and above.subject.version < subject.version:
            return above.subject.counter, above.subject.expected
    return None


def _merge_rerolls(postings: list[Posting], rerolls: dict[tuple[int, int], Posting]) -> None:
    for (version, expected), reroll in rerolls.items():
        home = next((one for one in postings if (one.version, one.expected) == (version, expected)), None)
        if home is None:
            postings.append(reroll)
        else:
            home.patches = reroll.patches | home.patches


def _split_group(version: int, expected: int, group: list[Mail], by_msgid: dict[str, Mail]) -> list[Posting]:
    """The postings among mails of one version and length: those of one thread belong together."""
    threads: dict[str, list[Mail]] = {}
    for place, mail in enumerate(group):
        threads.setdefault(_anchor(mail, group, by_msgid) or f"unnamed {place}", []).append(mail)
    if expected == 1 and all(mail.subject.counter is None for mail in group):
        return [_posting(version, 1, [mail]) for mail in group]
    if _is_one_set(expected, group):
        return [_posting(version, expected, group)]
    postings: list[Posting] = []
    for thread in sorted(threads.values(), key=lambda some: min(mail.posted for mail in some)):
        for part in _without_collisions(thread):
            _join(postings, _posting(version, expected, part))
    return postings


def _is_one_set(expected: int, group: list[Mail]) -> bool:
    """Whether the mails count themselves from 1 to the end, each once, and know nothing of any thread."""
    counters = sorted(mail.subject.counter or 0 for mail in group)
    return (
        counters[-expected:] == list(range(1, expected + 1))
        and not any(mail.references for mail in group)
        and (len(counters) == expected or counters[:-expected] == [0])
    )


def _anchor(mail: Mail, group: list[Mail], by_msgid: dict[str, Mail]) -> str:
    """Message-id of the cover letter that the mail hangs below, else of the topmost patch of its own posting."""
    own = {one.msgid for one in group}
    above = [one for one in mail.references if one in own]
    covers = [one for one in above if by_msgid[one].subject.counter == 0]
    if covers:
        return covers[-1]
    if above:
        return above[0]
    if mail.subject.counter in (0, 1) or not mail.references:
        return mail.msgid
    # The mail above all of them was not kept: patches that answer the same one belong together.
    return "parent " + mail.references[-1]


def _without_collisions(thread: list[Mail]) -> list[list[Mail]]:
    """The thread as one posting; two, if two people sent the same counter into it, or one person sent it again."""
    counters = [mail.subject.counter for mail in thread]
    if len(set(counters)) == len(counters):
        return [thread]
    by_sender: dict[str, list[Mail]] = {}
    for mail in thread:
        by_sender.setdefault(mail.sender, []).append(mail)
    return list(by_sender.values())


def _posting(version: int, expected: int, mails: list[Mail]) -> Posting:
    posting = Posting(version, expected)
    for mail in sorted(mails, key=lambda one: one.posted):
        counter = 1 if mail.subject.counter is None else mail.subject.counter
        if counter == 0:
            posting.cover = mail
        else:
            posting.patches[counter] = mail  # sent again: the later one counts
    posting.expected = max([expected, *posting.patches])
    return posting


def _join(postings: list[Posting], new: Posting) -> None:
    """Add `new`, or what it has to a posting that lacks it: mails sent without threading."""
    first = new.first
    for old in postings:
        if (
            not (old.cover and new.cover)
            and not old.patches.keys() & new.patches.keys()
            and _sent_together(old.first, first)
        ):
            old.cover = old.cover or new.cover
            old.patches.update(new.patches)
            old.expected = max(old.expected, new.expected)
            return
    postings.append(new)


def _sent_together(one: Mail, other: Mail) -> bool:
    if not one.msgid and not other.msgid:
        return True  # files of git format-patch, never sent: From and Date are the patch's own
    return one.sender == other.sender and abs(one.posted - other.posted) <= _SENT_TOGETHER


def _adopt_covers(postings: list[Posting], by_msgid: dict[str, Mail]) -> list[Posting]:
    """Give a posting without cover letter the mail above it: a cover that counts otherwise, or not at all."""
    bare = {posting.cover.msgid: posting for posting in postings if posting.cover and not posting.patches}
    adopted: set[str] = set()
    for posting in postings:
        if posting.cover or not posting.patches or (posting.expected == 1 and not posting.first.subject.counter):
            continue
        for parent in reversed(posting.first.references):
            above = by_msgid.get(parent)
            if above is None or above.subject.is_reply or above.has_diff or above.sender != posting.first.sender:
                continue
            if above.subject.counter == 0 and (parent not in bare or bare[parent].version != posting.version):
                continue
            posting.cover = above
            adopted.add(parent)
            break
    return [one for one in postings if one.patches or (one.cover and one.cover.msgid not in adopted)]


def _adopt_uncounted(postings: list[Posting]) -> list[Posting]:
    """Where one patch of a posting is missing, take the one patch that was sent below it without a counter."""
    lone = [one for one in postings if one.cover is None and one.first.subject.counter is None]
    adopted: list[Posting] = []
    for posting in postings:
        if len(posting.missing) != 1 or not posting.cover:
            continue
        fitting = [
            one
            for one in lone
            if one.version == posting.version
            and one.first.sender == posting.first.sender
            and hangs_below(one, posting)
            and abs(one.first.posted - posting.first.posted) <= _SENT_TOGETHER
        ]
        if len(fitting) == 1:
            posting.patches[posting.missing[0]] = fitting[0].first
            adopted += fitting
    return [one for one in postings if one not in adopted]


def hangs_below(posting: Posting, other: Posting) -> bool:
    """Whether a mail of `posting` answers one of `other`, or one below it."""
    above = {mail.msgid for mail in other.mails}
    return any(one in above for mail in posting.mails for one in mail.references)


def change_id_of(posting: Posting) -> str | None:
    """The change-id that the posting's first mail states."""
    first = posting.first
    return change_id(stated_in_cover(first) if first is posting.cover else stated_in_patch(first))
