# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails -> one Series: which mails are its patches, which version is the newest, and what is missing.

A *posting* is what was sent at once: a cover letter and the patches of one version. A *lineage* is all postings of the
same work. Replies belong to neither.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from seriestool.errors import InputError, NotFoundError
from seriestool.mail.headers import decode_text
from seriestool.mail.message import Mail
from seriestool.mail.patch import is_empty_patch, parse_patch, stated_in_cover, stated_in_patch
from seriestool.mail.stated import base_info, change_id
from seriestool.model import CoverLetter, Patch, Series

_MAX_MISSING_NAMED = 10
_SENT_TOGETHER = timedelta(days=2)


class Wanted(NamedTuple):
    """Which series of a mailbox is meant: that of a message-id, of a change-id, of a version; the newest by default."""

    msgid: str | None = None
    change_id: str | None = None
    version: int | None = None
    partial: bool = False
    """Accept a series of which patches are missing."""


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


def parse_mails(raw_mails: Iterable[bytes]) -> tuple[Mail, ...]:
    """The mails, each message-id once (lists deliver a mail many times); the first one counts."""
    mails: dict[object, Mail] = {}
    for raw in raw_mails:
        mail = Mail(raw)
        mails.setdefault(mail.msgid or len(mails), mail)
    return tuple(mails.values())


def assemble(mails: Sequence[Mail], wanted: Wanted | None = None, name: str = "mailbox") -> Series:
    """The series that `wanted` means; `name` is what error messages call the mailbox.

    Raises NotFoundError where it is not among the mails, InputError where it is incomplete, or where two series
    are and nothing says which is meant.
    """
    wanted = wanted or Wanted()
    postings = find_postings(mails)
    if not postings:
        raise _no_patches(mails, name)
    lineage = _choose_lineage(_lineages(postings), mails, wanted, name)
    posting = _choose_version(lineage, wanted)
    _fill_partial_reroll(posting, lineage)
    if posting.missing and not wanted.partial:
        raise incomplete(posting.missing, posting.expected)
    return _series(posting)


def _no_patches(mails: Sequence[Mail], name: str) -> InputError:
    if not mails:
        return InputError(f"'{name}' has no mail in it")
    return InputError(
        f"'{name}' has no patch in it", hint="replies and plain mails are not patches; look for the series they answer"
    )


def incomplete(missing: Sequence[int], expected: int) -> InputError:
    """The error that names the missing patches."""
    named = [str(n) for n in missing[:_MAX_MISSING_NAMED]]
    more = len(missing) - len(named)
    if more:
        listed = ", ".join(named) + f" and {more} more"
    else:
        listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    verb = "is" if len(missing) == 1 else "are"
    noun = "patch" if len(missing) == 1 else "patches"
    return InputError(
        f"series is incomplete: {noun} {listed} of {expected} {verb} missing",
        hint="look for the rest in another mailbox, or take what is there with --partial",
    )


# --- postings -----------------------------------------------------------------------------------------------------


def find_postings(mails: Sequence[Mail]) -> list[Posting]:
    """Every posting among the mails, oldest first."""
    by_msgid = {mail.msgid: mail for mail in mails if mail.msgid}
    members = [mail for mail in mails if _is_member(mail)]
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
    postings: list[Posting] = []
    for thread in sorted(threads.values(), key=lambda some: min(mail.posted for mail in some)):
        for part in _without_collisions(thread):
            _join(postings, _posting(version, expected, part))
    return postings


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
    for old in postings:
        if (
            _sent_together(old.first, new.first)
            and not (old.cover and new.cover)
            and not old.patches.keys() & new.patches.keys()
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
            and _hangs_below(one, posting)
            and abs(one.first.posted - posting.first.posted) <= _SENT_TOGETHER
        ]
        if len(fitting) == 1:
            posting.patches[posting.missing[0]] = fitting[0].first
            adopted += fitting
    return [one for one in postings if one not in adopted]


# --- lineages -----------------------------------------------------------------------------------------------------


def _lineages(postings: list[Posting]) -> list[list[Posting]]:
    """Postings of the same work together: same change-id, same title by the same sender, or a newer version below."""
    lineages: list[list[Posting]] = []
    for posting in postings:
        home = next((one for one in lineages if any(_same_work(old, posting) for old in one)), None)
        if home is None:
            lineages.append([posting])
        else:
            home.append(posting)
    return lineages


def _same_work(old: Posting, new: Posting) -> bool:
    ids = change_id_of(old), change_id_of(new)
    if ids[0] and ids[1]:
        return ids[0] == ids[1]
    below = _hangs_below(new, old)
    if old.first.sender != new.first.sender and not below:
        return False
    if old.title == new.title:
        return True
    titles = {mail.subject.title.casefold() for mail in old.patches.values()}
    shared = sum(mail.subject.title.casefold() in titles for mail in new.patches.values())
    if shared and shared * 2 >= min(len(titles), len(new.patches)):
        return True
    return below and old.first.sender == new.first.sender and new.version > old.version


def _hangs_below(posting: Posting, other: Posting) -> bool:
    above = {mail.msgid for mail in other.mails}
    return any(one in above for mail in posting.mails for one in mail.references)


def change_id_of(posting: Posting) -> str | None:
    """The change-id that the posting's first mail states."""
    first = posting.first
    return change_id(stated_in_cover(first) if first is posting.cover else stated_in_patch(first))


def _choose_lineage(lineages: list[list[Posting]], mails: Sequence[Mail], wanted: Wanted, name: str) -> list[Posting]:
    if wanted.msgid:
        return _lineage_of_msgid(lineages, mails, wanted.msgid, name)
    if wanted.change_id:
        found = [one for one in lineages if any(change_id_of(posting) == wanted.change_id for posting in one)]
        if not found:
            raise NotFoundError(f"'{name}' has no series with change-id '{wanted.change_id}'")
        return found[0]
    tops = [one for one in lineages if not _is_below_another(one, lineages)] or lineages
    if len(tops) == 1:
        return tops[0]
    first, second, *more = (lineage[-1].first for lineage in tops)
    others = f" and {len(more)} more" if more else ""
    raise InputError(
        f"'{name}' has more than one series: '{first.subject.title}' <{first.msgid}>, "
        f"'{second.subject.title}' <{second.msgid}>{others}",
        hint=f"say which one by its message-id: {first.msgid} --archive {name}",
    )


def _lineage_of_msgid(lineages: list[list[Posting]], mails: Sequence[Mail], msgid: str, name: str) -> list[Posting]:
    """The lineage that has the mail, or to which the mail, a reply, hangs nearest."""
    home = {mail.msgid: lineage for lineage in lineages for posting in lineage for mail in posting.mails}
    if msgid in home:
        return home[msgid]
    mail = next((one for one in mails if one.msgid == msgid), None)
    if mail is None:
        raise NotFoundError(f"'{name}' has no mail '{msgid}'", hint="check the message-id")
    for parent in reversed(mail.references):
        if parent in home:
            return home[parent]
    raise NotFoundError(f"'{msgid}' is no patch, and not part of a thread with patches")


def _is_below_another(lineage: list[Posting], lineages: list[list[Posting]]) -> bool:
    return any(
        _hangs_below(posting, other)
        for others in lineages
        if others is not lineage
        for other in others
        for posting in lineage
    )


def _choose_version(lineage: list[Posting], wanted: Wanted) -> Posting:
    if wanted.version is None:
        return max(lineage, key=lambda posting: (posting.version, posting.first.posted))
    found = [posting for posting in lineage if posting.version == wanted.version]
    if found:
        return max(found, key=lambda posting: (not posting.missing, posting.first.posted))
    have = ", ".join(sorted({f"v{posting.version}" for posting in lineage}))
    raise NotFoundError(
        f"version {wanted.version} of '{lineage[-1].first.subject.title}' was not found",
        hint=f"there is {have}",
    )


def _fill_partial_reroll(posting: Posting, lineage: list[Posting]) -> None:
    """Where only some patches were sent again, below the version before: take the others from there."""
    older = [one for one in lineage if one.version < posting.version and one.expected == posting.expected]
    if not posting.missing or posting.cover or not older:
        return
    before = max(older, key=lambda one: (one.version, one.first.posted))
    if not _hangs_below(posting, before):
        return
    _fill_partial_reroll(before, [one for one in lineage if one.version < posting.version])
    found = before.older | before.patches
    posting.older = {n: found[n] for n in posting.missing if n in found}


# --- the series ---------------------------------------------------------------------------------------------------


def _series(posting: Posting) -> Series:
    mails = posting.mails
    found = posting.older | posting.patches
    patches = tuple(_patch(found[n], n) for n in sorted(found))
    stated = stated_in_cover(posting.cover) if posting.cover else ()
    if 1 in found:
        of_patch = stated_in_patch(found[1])
        keys = {key for key, _ in stated}
        stated += tuple(item for item in of_patch if item[0] not in keys)
    prefixes = dict.fromkeys(word for mail in mails for word in mail.subject.prefixes)
    return Series(
        msgid=mails[0].msgid,
        subject=mails[0].subject.title,
        version=posting.version,
        expected=posting.expected,
        patches=patches,
        cover=_cover(posting.cover) if posting.cover else None,
        change_id=change_id(stated),
        base=base_info(stated),
        prefixes=tuple(prefixes),
        posted=_posted(mails),
        recipients=tuple(sorted({one for mail in mails for one in mail.recipients})),
        remarks=_remarks(posting),
    )


def _patch(mail: Mail, counter: int) -> Patch:
    try:
        return parse_patch(mail, counter)
    except InputError as error:
        raise InputError(f"patch {counter} '{mail.subject.title}': {error.message}", error.hint) from error


def _posted(mails: Sequence[Mail]) -> datetime:
    if not mails[0].msgid:
        return max(mail.posted for mail in mails)  # not sent yet: no earlier than the newest patch was written
    return min(mail.posted for mail in mails)


def _remarks(posting: Posting) -> tuple[str, ...]:
    if not posting.older:
        return ()
    counters = ", ".join(str(n) for n in sorted(posting.older))
    return (f"v{posting.version} is a partial reroll: patches {counters} are those of the version before",)


def _cover(mail: Mail) -> CoverLetter:
    return CoverLetter(mail.msgid, mail.subject.title, decode_text(mail.body, mail.charset))
