# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits that the text of a message speaks of: `commit 0123456789ab ("title")`, over as many lines as it takes.

Other hexadecimal words (digests, addresses, message-ids, numbers) are none; nor is what stands in quoted text and logs.
"""

import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from seriestool.series.message.commit_message import CommitMessage

_TITLE = r'(?:\s{0,4}\(\s{0,4}["\u201c](.{1,300}?)["\u201d]\s{0,4}\))?'
_COMMIT = re.compile(
    rf"(?<![\w/@.=-])commits?\s{{1,4}}([0-9a-f]{{7,64}})(?![\w@/-]|\.\w|\s*[+*]|:\w){_TITLE}", re.I | re.S
)
_BARE = re.compile(r'(?<![\w/@.=-])([0-9a-f]{12,64})\s{1,4}\(\s{0,4}["\u201c](.{1,300}?)["\u201d]\s{0,4}\)', re.S)
_HALF_TITLE = re.compile(r"\s{0,4}\(")
"""What stands in parentheses behind an id is meant for its title, whatever else it says."""
_MOST_LINES = 2000
_MOST = 100
"""References of a paragraph."""
_LONGEST_LINE = 1000
_LOG = re.compile(
    r"(?:\[\s*\d+\.\d+\]|\d+\s+[0-9a-f]{16}|[0-9a-f]{8,16}:|\w+-by:|link:|closes:|fixes:|\[\d+\]:?\s*http|https?://)",
    re.I,
)
_PROJECT = re.compile(
    r"\b(kernel|linux|upstream|mainline|glibc|musl|gcc|llvm|clang|binutils|qemu|systemd|ltp|bluez|pahole|u-boot"
    r"|[a-z0-9]{1,20}-?(?:utils|tools|progs)|kvm-unit-tests|x?fstests|blktests|iproute2?|ethtool|libtirpc|libgpiod)"
    r"(?:'s|\.git)?(?:\s{1,4}git)?\s{1,4}(?:commits?\s{1,4})?$",
    re.I,
)
_BEFORE = 60  # characters
_OF_GIT = re.compile(r"This reverts |^\(cherry picked from |upstream\b|^\[ ?Upstream |\(backported from ", re.I)
"""Lines that git or the stable team have a form for, without a title."""


class CommitReference(Struct, frozen=True, kw_only=True):
    """A commit that the text speaks of."""

    number: int
    """The line of the message in which its id stands."""
    oid: str
    title: str | None
    """In one line; None where only the id is given."""
    needs_title: bool
    """Whether it is of the kind that is given with its title."""
    project: str = ""
    """The word before `commit`, lower case, where it names a project: `kernel`, `qemu`."""


def find_references(message: CommitMessage) -> tuple[CommitReference, ...]:
    """The commits that the text speaks of, in order, each as often as it stands there."""
    return tuple(one for paragraph in _paragraphs(message) for one in _in_paragraph(paragraph))


def _paragraphs(message: CommitMessage) -> Iterator[list[tuple[int, str]]]:
    paragraph: list[tuple[int, str]] = []
    for number, line in message.prose():
        if number > _MOST_LINES:
            break
        if _LOG.match(line):
            continue
        if paragraph and number != paragraph[-1][0] + 1:
            yield paragraph
            paragraph = []
        paragraph.append((number, line[:_LONGEST_LINE]))
    if paragraph:
        yield paragraph


def _in_paragraph(lines: list[tuple[int, str]]) -> Iterator[CommitReference]:
    text = "\n".join(line for _, line in lines)
    matches = (islice(pattern.finditer(text), _MOST) for pattern in (_BARE, _COMMIT))
    found = {match.start(1): match for some in matches for match in some}
    for start, match in sorted(found.items()):
        oid, title = match[1], match[2]
        if title is None and not _is_id(oid):
            continue
        number, line = lines[text.count("\n", 0, start)]
        flat = " ".join(title.split()) if title is not None else None
        needs_title = _OF_GIT.search(line) is None and not _HALF_TITLE.match(text, match.end())
        before = _PROJECT.search(text[max(match.start() - _BEFORE, 0) : start])
        yield CommitReference(
            number=number,
            oid=oid.lower(),
            title=flat,
            needs_title=needs_title,
            project=before[1].lower() if before else "",
        )


def _is_id(word: str) -> bool:
    """Whether a word without a title is an id: `commit 1000000` and `commit defaced` are none."""
    return any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
