# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails -> one Series: which mails are its patches, which version is the newest, and what is missing.

Mails make postings (posting.py), postings of the same work make a lineage (lineage.py), and here one is chosen.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from seriestool.series.mail.headers import decode_text
from seriestool.series.mail.lineage import Lineage, find_lineages, find_tops
from seriestool.series.mail.mail_parser import Mail
from seriestool.series.mail.patch_mail import parse_patch, stated_in_cover, stated_in_patch
from seriestool.series.mail.posting import Posting, change_id_of, find_postings, hangs_below
from seriestool.series.mail.stated import base_info, change_id
from seriestool.series.model import CoverLetter, Patch, Series
from seriestool.util.errors import InputError, NotFoundError
from seriestool.util.text import joined, plural, shortened

_MAX_MISSING_NAMED = 10


class SeriesSelector(NamedTuple):
    """Which series of a mailbox is meant: that of a message-id, of a change-id, of a version; the newest by default."""

    msgid: str | None = None
    change_id: str | None = None
    version: int | None = None
    partial: bool = False
    """Accept a series of which patches are missing."""


def parse_mails(raw_mails: Iterable[bytes]) -> tuple[Mail, ...]:
    """The mails, each message-id once (lists deliver a mail many times); the first one counts."""
    mails: dict[object, Mail] = {}
    for raw in raw_mails:
        mail = Mail(raw)
        mails.setdefault(mail.msgid or len(mails), mail)
    return tuple(mails.values())


def assemble(mails: Sequence[Mail], wanted: SeriesSelector | None = None, name: str = "mailbox") -> Series:
    """The series that `wanted` means; `name` is what error messages call the mailbox.

    Raises NotFoundError where it is not among the mails, InputError where it is incomplete, or where two series
    are and nothing says which is meant.
    """
    wanted = wanted or SeriesSelector()
    postings = find_postings(mails)
    if not postings:
        raise _no_patches(mails, name)
    lineage = _choose_lineage(find_lineages(postings), mails, wanted, name)
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
    named = [str(n) for n in missing]
    listed = shortened(named, _MAX_MISSING_NAMED) if len(named) > _MAX_MISSING_NAMED else joined(named)
    verb, noun = plural(len(missing), "is", "are"), plural(len(missing), "patch", "patches")
    return InputError(
        f"series is incomplete: {noun} {listed} of {expected} {verb} missing",
        hint="look for the rest in another mailbox, or take what is there with --partial",
    )


def _choose_lineage(lineages: list[Lineage], mails: Sequence[Mail], wanted: SeriesSelector, name: str) -> Lineage:
    if wanted.msgid:
        return _lineage_of_msgid(lineages, mails, wanted.msgid, name)
    if wanted.change_id:
        found = [one for one in lineages if any(change_id_of(posting) == wanted.change_id for posting in one)]
        if not found:
            raise NotFoundError(f"'{name}' has no series with change-id '{wanted.change_id}'")
        return found[0]
    tops = find_tops(lineages)
    if len(tops) == 1:
        return tops[0]
    first, second, *more = (lineage[-1].first for lineage in tops)
    others = f" and {len(more)} more" if more else ""
    raise InputError(
        f"'{name}' has more than one series: '{first.subject.title}' <{first.msgid}>, "
        f"'{second.subject.title}' <{second.msgid}>{others}",
        hint=f"say which one by its message-id: {first.msgid} --archive {name}",
    )


def _lineage_of_msgid(lineages: list[Lineage], mails: Sequence[Mail], msgid: str, name: str) -> Lineage:
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


def _choose_version(lineage: Lineage, wanted: SeriesSelector) -> Posting:
    if wanted.version is None:
        return max(lineage, key=lambda posting: (posting.version, posting.first.posted))
    found = [posting for posting in lineage if posting.version == wanted.version]
    if found:
        return max(found, key=lambda posting: (not posting.missing, posting.first.posted))
    have = ", ".join(sorted({f"v{posting.version}" for posting in lineage}))
    raise NotFoundError(
        f"version {wanted.version} of '{lineage[-1].first.subject.title}' was not found", hint=f"there is {have}"
    )


def _fill_partial_reroll(posting: Posting, lineage: Lineage) -> None:
    """Where only some patches were sent again, below the version before: take the others from there."""
    older = [one for one in lineage if one.version < posting.version and one.expected == posting.expected]
    if not posting.missing or posting.cover or not older:
        return
    before = max(older, key=lambda one: (one.version, one.first.posted))
    if not hangs_below(posting, before):
        return
    _fill_partial_reroll(before, [one for one in lineage if one.version < posting.version])
    found = before.older | before.patches
    posting.older = {n: found[n] for n in posting.missing if n in found}


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
    return CoverLetter(mail.msgid, mail.subject.title, decode_text(mail.body, mail.charset), mail.raw)
