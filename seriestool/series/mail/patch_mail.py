# SPDX-License-Identifier: GPL-2.0-or-later
"""One patch mail -> Patch: commit message, author and diff exactly as `git am` takes them (git-mailinfo(1))."""

import re
from datetime import datetime
from typing import NamedTuple

from seriestool.series.diff import parse_diff
from seriestool.series.mail.headers import decode_header, decode_text, parse_date
from seriestool.series.mail.mail_parser import Mail
from seriestool.series.mail.stated import Stated, parse_stated, parse_stated_below_diff
from seriestool.series.mail.subject_line import clean_title
from seriestool.series.message.commit_message import message_below
from seriestool.series.model import Patch
from seriestool.util.lazy_pattern import lazy_pattern

_INBODY = re.compile(rb"(from|subject|date)[ \t]*:[ \t]*(.*)$", re.I)
# mailinfo.c, patchbreak()
_BREAK = re.compile(rb"^(?:diff -|Index: |---[ \t\r\f\v]*$|--- \S)", re.M)
_DIFF_START = re.compile(rb"^(?:diff --git |diff -|Index: |--- \S[^\n]*\n\+\+\+ \S)", re.M)
_MAX_FROM = 2000  # characters; a real From value has some dozens
_VIA = lazy_pattern(r"\s+(?:via|on behalf of)\s+\S.{0,200}$", re.I)
_QUOTED_NAME = re.compile(r'^"((?:[^"\\]|\\.)*)"$')
_MADE_BY_GIT = lazy_pattern(rb"^(?:---$|-- \n\d+\.\d+)", re.M)
_STAT = lazy_pattern(rb"^---\n(?:[^\n]*\n){0,3}? [^\n]+\|[^\n]*\n", re.M)
_SIGNATURE = lazy_pattern(rb"^-- \n\d+\.\d+[^\n]*\n\s*\Z", re.M)
_NOT_OF_THE_MAIL = lazy_pattern(rb"^(?:>|Subject:|From [0-9a-f]{40} )", re.M)
_BLANK_RUN = re.compile(r"\n{3,}")


class MailText(NamedTuple):
    """A mail's text taken apart; in-body headers decoded."""

    inbody: dict[str, str]
    message: str
    notes: str
    diff: bytes


def take_apart(mail: Mail) -> MailText:
    """In-body headers, commit message, notes below `---`, and diff, of any mail; parts that are not there are empty."""
    inbody, body = _inbody_headers(mail.body)
    match = _BREAK.search(body)
    log, rest = (body[: match.start()], body[match.start() :]) if match else (body, b"")
    start = _DIFF_START.search(rest)
    notes, diff = (rest[: start.start()], rest[start.start() :]) if start else (rest, b"")
    return MailText(
        inbody,
        _strip_space(decode_text(log, mail.charset)),
        decode_text(notes, mail.charset).removeprefix("---").strip("\n"),
        diff,
    )


def is_empty_patch(mail: Mail) -> bool:
    """Whether the mail is a patch that changes nothing: no diff, but `---` or the signature of git format-patch."""
    return not mail.has_diff and _MADE_BY_GIT().search(mail.body) is not None


def is_unnamed_patch(mail: Mail) -> bool:
    """Whether the mail is git format-patch's from its first line to its last, and only its subject does not say so.

    A mail that quotes a patch, has one below its text, or says in brackets what else it is, is none.
    """
    if mail.subject.is_patch or mail.subject.is_reply or mail.references or not mail.has_diff:
        return False
    if (mail.header("subject") or b"").lstrip().startswith(b"["):
        return False
    stat = _STAT().search(mail.body)
    if stat is None or not _SIGNATURE().search(mail.body):
        return False
    message = mail.body[: stat.start()]
    return b"\nSigned-off-by: " in message and not _NOT_OF_THE_MAIL().search(message)


def parse_patch(mail: Mail, counter: int) -> Patch:
    """The patch that `mail` carries, as number `counter` of its series."""
    text = take_apart(mail)
    name, address = parse_author(text.inbody.get("from") or decode_header(mail.header("from") or b""))
    return Patch(
        msgid=mail.msgid,
        counter=counter,
        subject=clean_title(text.inbody["subject"]) if "subject" in text.inbody else mail.subject.title,
        author_name=name,
        author_email=address,
        date=_author_date(text.inbody.get("date"), mail),
        message=text.message,
        notes=text.notes,
        files=parse_diff(text.diff) if text.diff else (),
        diff=text.diff,
        raw=mail.raw,
    )


def stated_in_patch(mail: Mail) -> Stated:
    """What the first patch of a series states: in its last trailers, below `---`, or below its diff."""
    text = take_apart(mail)
    trailers = tuple(
        (trailer.key, trailer.value)
        for trailer in message_below("", text.message).named("base-commit", "based-on", "depends-on")
    )
    return trailers + parse_stated(text.notes) + parse_stated_below_diff(decode_text(text.diff, mail.charset))


def stated_in_cover(mail: Mail) -> Stated:
    """What a cover letter states."""
    return parse_stated(decode_text(mail.body, mail.charset))


def parse_author(value: str) -> tuple[str, str]:
    """(name, address) of a From value, as git-mailinfo cleans it: a name that is none, or too long, is the address."""
    value = value.replace("\0", "")[:_MAX_FROM]
    value = value if "@" in value else value.replace(" at ", "@", 1)
    match = re.search(r"<\s*([^<>\s]*@[^<>\s]*)\s*>|([^\s<>()]+@[^\s<>()]+)", value)
    if match is None:
        plain = value.strip()
        return plain, plain
    address = match[1] or match[2]
    name = (value[: match.start()] + value[match.end() :]).strip()
    if name.startswith("(") and name.endswith(")"):
        name = name[1:-1].strip()
    if quoted := _QUOTED_NAME.match(name):
        name = re.sub(r"\\(.)", r"\1", quoted[1])
    name = " ".join(name.split())
    # mailinfo.c, get_sane_name()
    return (name if 0 < len(name.encode()) <= 60 and not set(name) & set("@<>") else address), address


def without_via(name: str) -> str:
    """The name without what lists put behind it where they send in their own name: `A U Thor via B4 Relay`."""
    return _VIA().sub("", name).strip().strip("'\"").strip()


def has_via(name: str) -> bool:
    """Whether a list or a relay sends in its own name."""
    return _VIA().search(name) is not None


def _author_date(inbody: str | None, mail: Mail) -> datetime:
    return (parse_date(inbody) if inbody else None) or mail.date


def _inbody_headers(body: bytes) -> tuple[dict[str, str], bytes]:
    """From, Subject and Date at the top of the body, and the body below them."""
    found: dict[str, str] = {}
    at = len(body) - len(body.lstrip(b"\n"))
    key = ""
    while at < len(body):
        end = body.find(b"\n", at)
        line = body[at : end if end >= 0 else len(body)]
        if key and line[:1] in (b" ", b"\t"):
            found[key] += " " + decode_header(line.strip())
        elif (match := _INBODY.match(line)) and match[1].decode().lower() not in found:
            key = match[1].decode().lower()
            found[key] = decode_header(match[2].strip())
        elif not line.strip() or line.startswith(b">From "):
            key = ""
            if found and not line.strip():
                break
        elif line.startswith(b"[PATCH] ") and "subject" not in found:
            found["subject"] = decode_header(line)
        else:
            break
        at = end + 1 if end >= 0 else len(body)
    return found, body[at:]


def _strip_space(text: str) -> str:
    """As `git stripspace`: no white space at line ends, no two empty lines in a row, none at either end."""
    return _BLANK_RUN.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip("\n")
