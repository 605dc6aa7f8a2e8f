# SPDX-License-Identifier: GPL-2.0-or-later
"""The grammar of `Fixes: 0123456789ab ("title")`, and what people write instead. Nothing here asks git.

The form is that of Documentation/process/submitting-patches.rst, "Describe your changes". A tag is looked for where its
author meant to write one: at the margin, or indented among the trailers. Quoted text and sentences are none.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from seriestool.series.message.commit_message import CommitMessage
from seriestool.series.message.trailer_names import edit_distance, is_well_known

SHORTEST = 12
"""Digits that an id needs."""
_MOST_LINES = 4
"""Lines that one wrapped tag is looked for on."""
_LONGEST = 4000
"""Characters of a line that are looked at."""
_TAG = re.compile(r"([ \t]{0,16})([A-Za-z][A-Za-z-]{2,13})([ \t]*)([:;]?)([ \t]*)(.*)", re.S)
_WORD = re.compile(r"(?:(?:commits?|patch|sha-?1?|revision|rev|tag|linus|upstream)\b[ \t:#]*)+", re.I)
_ID = re.compile(r"(<|\[|`|')?([0-9a-fA-F]{5,})(?![0-9A-Za-z_.-])([>\]`',:;]?)([ \t]*)(.*)", re.S)
_ID_AND_PAREN = re.compile(r"()([0-9a-fA-F]{5,})()()(\(.*)", re.S)
_URL = re.compile(r"<?[a-z]{3,5}://[^\s>]+>?", re.I)
_ID_IN_URL = re.compile(r"(?:/c/|/commit/(?:\?(?:[^#]*&)?(?:id|h)=)?|[?&]id=)([0-9a-f]{7,64})\b")
# Possessive: a line may be a quote and thousands of blanks.
_MORE = re.compile(
    r'["\')][ \t]*+\)?[ \t]*+(?:,|;|&|and\b)?[ \t]*+(?:fixes:[ \t]*+)?(?:commit[ \t]++)?'
    r'(?=[0-9a-f]{7,64}[ \t]*+\(["\'])',
    re.I,
)
_OPENING = "\"'`\u201c\u2018\u201e\u00ab\u201d\u2019"
_CLOSING = "\"'`\u201d\u2019\u201c\u00bb"
_NAMES = ("fixes", "fix", "fixed", "fixing", "fixs", "fixes-commit", "fixes-tag", "fixed-commit", "fix-for", "fixed-by")


class FixesFlaw(StrEnum):
    """What is wrong with a tag; the value is the slug of the rule."""

    WRAPPED = "wrapped"
    UNCLOSED = "unclosed"
    """A quote or parenthesis that is opened and not closed, and no next line that would close it."""
    NO_ID = "no-id"
    URL = "url"
    """A URL where the id belongs."""
    SHORT_ID = "short-id"
    LONG_ID = "long-id"
    ID_CASE = "id-case"
    WORD = "word"
    """A word such as `commit` before the id."""
    NO_TITLE = "no-title"
    QUOTES = "quotes"
    """No quotes or parentheses around the title, or others than ("...")."""
    SPACING = "spacing"
    """Blanks or marks that do not belong there."""
    NO_SPACE = "no-space"
    NAME = "name"
    """Not spelt `Fixes:`."""
    TEXT_AFTER = "text-after"
    SEVERAL = "several"
    """Several commits in one tag."""
    INDENTED = "indented"

    @property
    def meaning(self) -> str:
        """In a line for people."""
        return _MEANING[self]


_MEANING = {
    FixesFlaw.WRAPPED: "the tag goes on in the next line: tags are not wrapped",
    FixesFlaw.UNCLOSED: "a quote or parenthesis is opened and not closed",
    FixesFlaw.NO_ID: "there is no commit id in the tag",
    FixesFlaw.URL: "the tag has a URL in the place of a commit id",
    FixesFlaw.SHORT_ID: "the commit id has less than 12 digits",
    FixesFlaw.LONG_ID: "the commit id has more digits than an id has",
    FixesFlaw.ID_CASE: "the commit id has capital letters",
    FixesFlaw.WORD: "a word stands before the commit id",
    FixesFlaw.NO_TITLE: "the tag does not quote the commit's title",
    FixesFlaw.QUOTES: 'the title does not stand in ("...")',
    FixesFlaw.SPACING: "there are blanks or marks in the tag that do not belong there",
    FixesFlaw.NO_SPACE: "a blank is missing in the tag",
    FixesFlaw.NAME: "the tag is not spelt 'Fixes:'",
    FixesFlaw.TEXT_AFTER: "there is text behind the tag",
    FixesFlaw.SEVERAL: "several commits are named in one tag",
    FixesFlaw.INDENTED: "the tag is indented, so it belongs to the line above it",
}


class FixesTag(Struct, frozen=True):
    """A Fixes tag, well-formed or not."""

    number: int
    """Of its first line in the commit message."""
    text: str
    """Its first line as it stands."""
    oid: str | None
    """The id, in lower case; None where there is none."""
    title: str | None
    """What is quoted as the title; lines joined, quotes taken off."""
    flaws: tuple[FixesFlaw, ...] = ()
    lines: int = 1


def find_fixes_tags(message: CommitMessage) -> tuple[FixesTag, ...]:
    """The Fixes tags of a commit message in order; a tag that names several commits comes as several."""
    found: list[FixesTag] = []
    index = 2
    while index < len(message.lines):
        tags = _tags_at(message, index)
        found += tags
        index += tags[0].lines if tags else 1
    return tuple(found)


def is_fix(message: CommitMessage) -> bool:
    """Whether a Fixes tag names a commit, be it malformed or above the last paragraph: it is plain what is meant."""
    return any(tag.oid for tag in find_fixes_tags(message))


def format_fixes_tag(oid: str, title: str) -> str:
    """The line as it should be."""
    return f'Fixes: {oid} ("{title}")'


def _tags_at(message: CommitMessage, index: int) -> list[FixesTag]:
    line = message.lines[index][:_LONGEST].rstrip()
    match = _TAG.fullmatch(line)
    if match is None or not _is_meant(match, message, index):
        return []
    flaws = list(_outer_flaws(match))
    rest = match[6]
    word = _WORD.match(rest)
    if word is not None and _find_id(rest[word.end() :]):
        flaws.append(FixesFlaw.WORD)
        rest = rest[word.end() :]
    number = index + 1
    found = _find_id(rest)
    if found is None:
        return [_without_id(number, line, rest, flaws)]
    pieces = _MORE.split(found[5])
    if len(pieces) > 1:
        return _several(number, line, [rest[: found.start(5)] + pieces[0] + '")', *pieces[1:]], flaws)
    joined, lines = _with_next_lines(found[5], message, index)
    if lines > 1:
        flaws.append(FixesFlaw.WRAPPED)
    oid, own = _read_id(found)
    title, others = _read_title(joined, is_whole=lines > 1)
    return [
        FixesTag(
            number=number,
            text=line,
            oid=oid,
            title=title,
            flaws=tuple(dict.fromkeys([*flaws, *own, *others])),
            lines=lines,
        )
    ]


def _is_meant(match: re.Match[str], message: CommitMessage, index: int) -> bool:
    """Whether the line is meant as a tag, and is no sentence or quotation."""
    indent, name, _, colon, _, rest = match.groups()
    key = name.lower()
    in_block = message.has_block and message.in_block(index + 1)
    if indent and not (in_block and index > message.start):
        return False
    if key not in _NAMES and (edit_distance(key, "fixes", 2) > 2 or not in_block or is_well_known(name)):
        return False
    word = _WORD.match(rest)
    found = _find_id(rest[word.end() :] if word else rest)
    has_title = found is not None and found[5][:1] in ("(", *_OPENING)
    if key != "fixes" or colon != ":":
        return has_title and (in_block or colon == ":")
    return found is not None or rest.startswith('("') or in_block


def _find_id(rest: str) -> re.Match[str] | None:
    """An id at the start of the text; words and numbers that happen to be hexadecimal are none."""
    found = _ID.fullmatch(rest) or _ID_AND_PAREN.fullmatch(rest)
    if found is None:
        return None
    digits, after = found[2], found[5][:1]
    is_quoting = after in ("(", *_OPENING) and bool(after)
    if is_quoting or len(digits) >= SHORTEST:
        return found
    has_both = any(c.isdigit() for c in digits) and any(c.isalpha() for c in digits)
    return found if has_both and len(digits) >= 6 else None


def _outer_flaws(match: re.Match[str]) -> Iterator[FixesFlaw]:
    indent, name, before, colon, after, _ = match.groups()
    if indent:
        yield FixesFlaw.INDENTED
    if name != "Fixes" or colon != ":":
        yield FixesFlaw.NAME
    if colon and not after:
        yield FixesFlaw.NO_SPACE
    if (before and colon) or (colon and after not in ("", " ")):
        yield FixesFlaw.SPACING


def _without_id(number: int, line: str, rest: str, flaws: list[FixesFlaw]) -> FixesTag:
    url = _URL.match(rest)
    if url is not None:
        named = _ID_IN_URL.search(url[0])
        title, _ = _read_title(rest[url.end() :].strip(), is_whole=False)
        return FixesTag(
            number=number, text=line, oid=named[1] if named else None, title=title, flaws=(*flaws, FixesFlaw.URL)
        )
    title, _ = _read_title(rest, is_whole=False) if rest[:1] in ("(", *_OPENING) and rest else (rest or None, ())
    return FixesTag(number=number, text=line, oid=None, title=title, flaws=(*flaws, FixesFlaw.NO_ID))


def _several(number: int, line: str, pieces: Sequence[str], flaws: list[FixesFlaw]) -> list[FixesTag]:
    tags = []
    for piece in pieces[:20]:
        found = _find_id(piece.strip())
        if found is not None:
            oid, own = _read_id(found)
            title, _ = _read_title(found[5].strip(), is_whole=True)
            tags.append(
                FixesTag(
                    number=number,
                    text=line,
                    oid=oid,
                    title=title,
                    flaws=tuple(dict.fromkeys([*flaws, FixesFlaw.SEVERAL, *own])),
                )
            )
    return tags


def _read_id(found: re.Match[str]) -> tuple[str, list[FixesFlaw]]:
    opening, digits, closing, gap, rest = found.groups()
    flaws = []
    if len(digits) < SHORTEST:
        flaws.append(FixesFlaw.SHORT_ID)
    if len(digits) > 40 and len(digits) != 64:
        flaws.append(FixesFlaw.LONG_ID)
    if digits != digits.lower():
        flaws.append(FixesFlaw.ID_CASE)
    if rest and not gap and not closing:
        flaws.append(FixesFlaw.NO_SPACE)
    if opening or closing or (rest and gap not in ("", " ")):
        flaws.append(FixesFlaw.SPACING)
    return digits.lower(), flaws


def _with_next_lines(rest: str, message: CommitMessage, index: int) -> tuple[str, int]:
    """What stands behind the id, with the next lines where it is only closed there; and how many lines that are."""
    if _is_closed(rest):
        return rest, 1
    joined = rest
    for count in range(1, _MOST_LINES):
        at = index + count
        text = message.lines[at].strip() if at < len(message.lines) else ""
        if not text or _is_trailer(message.lines[at]) or (not rest and not joined and text[0] not in ("(", *_OPENING)):
            break
        joined = f"{joined} {text}".strip()[:_LONGEST]
        if _is_closed(joined):
            return joined, count + 1
    return rest, 1


def _is_trailer(line: str) -> bool:
    name, colon, _ = line.partition(":")
    return bool(colon) and is_well_known(name.strip())


def _is_closed(rest: str) -> bool:
    """Whether what is opened at the start of the text is closed in it; text that opens nothing is closed."""
    if not rest:
        return False
    if rest[0] in _OPENING:
        return any(mark in rest[1:] for mark in _CLOSING)
    if rest[0] != "(":
        return True
    if rest[1:2] and rest[1] in _OPENING:
        return any(f"{mark})" in rest[2:] or f"{mark} )" in rest[2:] for mark in _CLOSING)
    return _closing_paren(rest) is not None


def _closing_paren(text: str) -> int | None:
    """Where the parenthesis that the text begins with is closed."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return at
    return None


def _read_title(rest: str, is_whole: bool) -> tuple[str | None, list[FixesFlaw]]:
    """The title behind the id, and what is wrong with how it is written."""
    if not rest:
        return None, [FixesFlaw.NO_TITLE]
    if rest[0] == "(":
        return _read_in_parens(rest)
    if rest[0] in _OPENING:
        end = max(rest.rfind(mark) for mark in _CLOSING)
        if end <= 0:
            return rest[1:].strip() or None, [FixesFlaw.UNCLOSED]
        return rest[1:end].strip(), [FixesFlaw.QUOTES]
    bare = rest.lstrip(":-,\u2013\u2014 \t")
    if not bare or bare[0] in "#[":
        return None, [FixesFlaw.NO_TITLE]
    if bare[0] in ("(", *_OPENING) and not is_whole:
        return _read_title(bare, is_whole=True)[0], [FixesFlaw.SPACING]
    return bare.strip(_OPENING + _CLOSING + "() ") or None, [FixesFlaw.QUOTES]


def _read_in_parens(rest: str) -> tuple[str | None, list[FixesFlaw]]:
    inner = rest[1:].lstrip()
    quote = inner[:1] if inner[:1] and inner[:1] in _OPENING else ""
    ends = [(at, len(end)) for mark in _CLOSING for end in (f"{mark})", f"{mark} )") if (at := rest.rfind(end)) > 1]
    if quote and ends:
        at, size = max(ends)
        flaws = [] if rest[1] == '"' and rest[at : at + 2] == '")' else [FixesFlaw.QUOTES]
        title = rest[rest.index(quote) + 1 : at]
        return _bare(title, flaws, rest[at + size :])
    end = _closing_paren(rest)
    if end is None or quote:
        return inner.strip(_OPENING + _CLOSING + ") ") or None, [FixesFlaw.UNCLOSED]
    return _bare(rest[1:end].strip(_OPENING + _CLOSING), [FixesFlaw.QUOTES], rest[end + 1 :])


def _bare(title: str, flaws: list[FixesFlaw], after: str) -> tuple[str | None, list[FixesFlaw]]:
    if title != title.strip():
        flaws.append(FixesFlaw.SPACING)
    if after.strip():
        flaws.append(FixesFlaw.TEXT_AFTER)
    title = title.strip()
    if not title:
        flaws.append(FixesFlaw.NO_TITLE)
    return title or None, flaws
