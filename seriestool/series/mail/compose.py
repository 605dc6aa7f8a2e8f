# SPDX-License-Identifier: GPL-2.0-or-later
"""A series -> the mails of a new version of it, threaded below a cover letter, as people send them.

The shape is that of `git format-patch --cover-letter --thread --base` and of b4 (its `change-id`).
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from seriestool.series.mail.mbox_writer import encode_words, format_address, format_date, format_mail, patch_body
from seriestool.series.model import Patch

_LONGEST_SLUG = 40
# Git would take such a line for the end of the message, or for the beginning of a patch (mailinfo.c, patchbreak()).
_LIKE_PATCH = re.compile(r"^(?=diff -|Index: |---(?:\s|\Z)|\+\+\+ |@@ |GIT binary patch)", re.M)


class OutgoingSeries(Struct, frozen=True, kw_only=True):
    """A version of a series about to be sent."""

    subject: str
    cover: str
    """The text of the cover letter, without the lines that state base and change-id."""
    patches: tuple[Patch, ...]
    version: int
    prefixes: tuple[str, ...]
    base_commit: str
    change_id: str
    sender_name: str
    sender_email: str
    date: datetime
    """Of the cover letter; each mail that follows is one second later."""
    recipients: tuple[str, ...]
    """Bare addresses, for the header To."""
    cc: tuple[str, ...] = ()
    """People, `Name <address>`, and bare addresses."""
    needs: tuple[str, ...] = ()
    """What has to be there first, as lines: `prerequisite-patch-id: ...`."""


def compose(outgoing: OutgoingSeries) -> bytes:
    """The mails as one mbox, the cover letter first; a patch alone has none, and its notes say what the cover would."""
    if len(outgoing.patches) == 1:
        return _mail(
            outgoing=outgoing, counter=1, title=outgoing.patches[0].subject, body=_single_body(outgoing), above=None
        )
    # No `---`, as in git's own cover letters: `git am --empty=drop` passes over a mail without anything below one.
    cover = f"{_cover(outgoing)}\n\n{_stated(outgoing)}\n\n".encode("utf-8", "surrogateescape")
    mails = [
        _mail(outgoing=outgoing, counter=0, title=outgoing.subject, body=cover, above=None),
        *_patch_mails(outgoing),
    ]
    return b"".join(mails)


def slug(text: str, longest: int = _LONGEST_SLUG) -> str:
    """The text as part of a file's name, a branch's or a message-id: lower case ASCII words with dashes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:longest].rstrip("-") or "series"


def make_change_id(subject: str, posted: datetime, msgid: str) -> str:
    """A change-id as b4 makes them, the same each time for the same series."""
    digest = hashlib.sha256(f"{msgid} {subject} {posted.isoformat()}".encode("utf-8", "replace")).hexdigest()
    return f"{posted:%Y%m%d}-{slug(subject)}-{digest[:12]}"


def _patch_mails(outgoing: OutgoingSeries) -> Iterator[bytes]:
    for counter, patch in enumerate(outgoing.patches, 1):
        yield _mail(
            outgoing=outgoing,
            counter=counter,
            title=patch.subject,
            body=patch_body(patch, outgoing.sender_email),
            above=_msgid(outgoing, 0),
        )


def _single_body(outgoing: OutgoingSeries) -> bytes:
    """The patch with what is to be said of it between `---` and the diffstat, and its base below the diff."""
    patch = outgoing.patches[0]
    body = patch_body(patch, outgoing.sender_email).rstrip(b"\n")
    head, line, rest = body.partition(b"\n---\n") if not body.startswith(b"---\n") else (b"", b"---\n", body[4:])
    notes = _cover(outgoing).encode("utf-8", "surrogateescape")
    stated = _stated(outgoing).encode("utf-8", "surrogateescape")
    return head + line + notes + b"\n\n" + rest.lstrip(b"\n") + b"\n\n---\n" + stated + b"\n\n"


def _cover(outgoing: OutgoingSeries) -> str:
    """The words of the cover letter, in which nothing is a patch: they may be those of a stranger."""
    return _LIKE_PATCH.sub(" ", outgoing.cover.strip())


def _mail(outgoing: OutgoingSeries, counter: int, title: str, body: bytes, above: str | None) -> bytes:
    sender = format_address(outgoing.sender_name, outgoing.sender_email)
    headers = [
        f"From: {sender}",
        f"Date: {format_date(outgoing.date + timedelta(seconds=counter))}",
        f"Subject: {_bracket(outgoing, counter)} {encode_words(title)}",
        f"Message-ID: <{_msgid(outgoing, counter)}>",
        *([f"In-Reply-To: <{above}>", f"References: <{above}>"] if above else []),
        *([f"To: {_folded(outgoing.recipients)}"] if outgoing.recipients else []),
        *([f"Cc: {_people(outgoing.cc)}"] if outgoing.cc else []),
    ]
    return format_mail(headers, body)


def _bracket(outgoing: OutgoingSeries, counter: int) -> str:
    """`[PATCH net-next v2 03/10]`, as git and b4 order the words."""
    count = len(outgoing.patches)
    words = ["PATCH", *outgoing.prefixes]
    if "RFC" in words:
        words = ["RFC", *(word for word in words if word != "RFC")]
    if outgoing.version > 1:
        words.append(f"v{outgoing.version}")
    if count > 1:
        words.append(f"{counter:0{len(str(count))}}/{count}")
    return encode_words(f"[{' '.join(words)}]")


def _msgid(outgoing: OutgoingSeries, counter: int) -> str:
    """What a b4 message-id looks like; two that say something else of their series differ in the digits."""
    said = f"{outgoing.change_id} {outgoing.base_commit} {outgoing.date.isoformat()} {outgoing.cover}"
    digits = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:12]
    host = re.sub(r"[^A-Za-z0-9.-]", "", outgoing.sender_email.rpartition("@")[2]) or "localhost"
    name = re.sub(r"[^A-Za-z0-9.-]", "", outgoing.change_id.rpartition("-")[0]) or "series"
    return f"{name}-v{outgoing.version}-{counter}-{digits}@{host}"


def _stated(outgoing: OutgoingSeries) -> str:
    return "\n".join([f"base-commit: {outgoing.base_commit}", f"change-id: {outgoing.change_id}", *outgoing.needs])


def _folded(addresses: Sequence[str]) -> str:
    """Addresses, one a line (RFC 5322, 2.2.3)."""
    return ",\n ".join(map(_bare, addresses))


def _people(entries: Sequence[str]) -> str:
    """People, one a line."""
    parts = (entry.rpartition("<") for entry in entries)
    names = ((name.strip().removeprefix('"').removesuffix('"'), _bare(address)) for name, _, address in parts)
    return ",\n ".join(format_address(name, address) for name, address in names)


def _bare(address: str) -> str:
    return re.sub(r"[\x00-\x20\x7f,<>]", "", address)
