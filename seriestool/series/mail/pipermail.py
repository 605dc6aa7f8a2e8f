# SPDX-License-Identifier: GPL-2.0-or-later
"""A mail as a list archive prints it on its page: no headers, `x at y.org`, the cover letter quoted.

There are no patches in it, but a quoted cover letter names them, their files, the base-commit and the change-id.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from seriestool.series.mail.headers import parse_date
from seriestool.series.mail.mbox import refuse_large
from seriestool.series.mail.stated import base_info, change_id, parse_stated
from seriestool.series.mail.subject_line import parse_subject
from seriestool.series.model import CoverLetter, Series

_AUTHOR = re.compile(r"^(?P<name>\S.{0,200}?)\s+(?:<\s*)?(?P<address>[^\s<>@]{1,100}(?: at |@)[^\s<>@]{1,200})>?\s*$")
_DATE_LINE = re.compile(r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s.{10,60}\d{4}\s*$")
_ATTRIBUTION = re.compile(r"^(?:On|Am|Le|On\s+\w+,)\s.{0,300}?(?:wrote|schrieb|a écrit)\s*:\s*$", re.M | re.S)
_SHORTLOG_NAME = re.compile(r"^\S.{0,200} \((\d{1,4})\):$")
_DIFFSTAT = re.compile(r"^ (\S.{0,1000}?)\s+\|\s+(?:\d+(?: [+-]+)?|Bin\b.*)\s*$")
_RENAME = re.compile(r"\{(.*?) => (.*?)\}")
_FOOTER = re.compile(r"^(?:More information about the .{0,200} mailing list|-{20,})$", re.M)
_PREAMBLE_LINES = 12
_LONGEST_LINE = 2000  # characters; of a longer one the patterns would try each part
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PipermailPage(NamedTuple):
    """The page taken apart."""

    subject: str
    author: str
    """`Name <address>`, the address with its @ restored."""
    date: str
    body: str


def parse_page(data: bytes) -> PipermailPage | None:
    """The parts of a page, or None where the text does not begin as one: a subject, an author, a date."""
    refuse_large(len(data), "the text")
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    top = [(n, text) for n, line in enumerate(lines[:_PREAMBLE_LINES]) if (text := line.strip()[:_LONGEST_LINE])]
    for (_, subject), (_, author), (place, date) in zip(top, top[1:], top[2:], strict=False):
        match = _AUTHOR.match(author)
        if match and _DATE_LINE.match(date) and parse_date(date):
            name, address = match["name"], match["address"].replace(" at ", "@")
            body = "\n".join(lines[place + 1 :])
            footer = _FOOTER.search(body)
            body = body[: footer.start()] if footer else body
            return PipermailPage(subject, f"{name} <{address}>", date, body.strip("\n") + "\n")
    return None


def page_as_mail(page: PipermailPage) -> bytes:
    """The mail that the page shows, as far as it shows it."""
    subject, author, date = (" ".join(part.split()) for part in page[:3])
    return f"From: {author}\nDate: {date}\nSubject: {subject}\n\n{page.body}".encode()


def quoted_series(page: PipermailPage) -> Series | None:
    """The series of which the page quotes (or shows) the cover letter; None where it holds no such letter."""
    quoted = "\n".join(unquoted for line in page.body.split("\n") if (unquoted := _unquote(line)) is not None)
    for text in (quoted, page.body):
        series = _series_of_cover(page, text)
        if series is not None:
            return series
    return None


def _unquote(line: str) -> str | None:
    if not line.startswith(">"):
        return None
    return line[1:].removeprefix(" ")


def _series_of_cover(page: PipermailPage, text: str) -> Series | None:
    titles, paths, stated = parse_shortlog(text), parse_diffstat(text), parse_stated(text)
    if not titles and not paths and not stated:
        return None
    subject = parse_subject(page.subject)
    expected = subject.expected if subject.counter is not None else max(len(titles), 1)
    return Series(
        msgid="",
        subject=subject.title,
        version=subject.version,
        expected=expected,
        patches=(),
        cover=CoverLetter("", subject.title, text),
        change_id=change_id(stated),
        base=base_info(stated),
        prefixes=subject.prefixes,
        posted=_posted(page),
        titles=titles,
        paths=paths,
        remarks=("only its quoted cover letter is at hand",),
    )


def _posted(page: PipermailPage) -> datetime:
    match = _ATTRIBUTION.search(page.body[:5000])
    quoted = _quoted_date(" ".join(match[0].split())) if match else None
    return quoted or parse_date(page.date) or _EPOCH


def _quoted_date(text: str) -> datetime | None:
    short = re.search(r"(\d{4}-\d{2}-\d{2}) at (\d{1,2}:\d{2}) ([+-]\d{4})", text)
    return parse_date(f"{short[1]} {short[2].zfill(5)}:00 {short[3]}" if short else text.replace(" at ", " "))


def parse_shortlog(text: str) -> tuple[str, ...]:
    """The titles that a cover letter lists (`Name (n):` and indented titles, wrapped or not), in its order."""
    titles: list[str] = []
    indent = 0
    for line in text.split("\n"):
        if _SHORTLOG_NAME.match(line):
            indent = 2
        elif indent and line.startswith(" " * indent) and line.strip():
            depth = len(line) - len(line.lstrip())
            if indent > 2 and depth > indent:
                titles[-1] += " " + line.strip()
            else:
                indent = depth
                titles.append(line.strip())
        else:
            indent = 0
    return tuple(titles)


def parse_diffstat(text: str) -> tuple[bytes, ...]:
    """The paths that a diffstat lists, sorted; of a rename both; those that it shortens to `...` are left out."""
    paths: set[str] = set()
    for line in text.split("\n"):
        match = _DIFFSTAT.match(line[:_LONGEST_LINE])
        if match is None or match[1].startswith("..."):
            continue
        paths.update(_renamed(match[1]))
    return tuple(sorted(path.encode() for path in paths))


def _renamed(name: str) -> tuple[str, ...]:
    if match := _RENAME.search(name):
        sides = (name[: match.start()] + side + name[match.end() :] for side in match.groups())
        return tuple(side.replace("//", "/") for side in sides)
    return tuple(name.split(" => "))
