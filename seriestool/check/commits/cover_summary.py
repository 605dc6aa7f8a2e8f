# SPDX-License-Identifier: GPL-2.0-or-later
"""What cover letters list: the totals of a diffstat, and the titles of a shortlog. Pure, and bounded."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from seriestool.series.mail.subject_line import clean_title
from seriestool.series.model import Patch

MOST_LINES = 20_000
"""Lines of a cover letter that are read."""
_TOTALS = re.compile(
    r"^ (\d{1,9}) files? changed(?:, (\d{1,9}) insertions?\(\+\))?(?:, (\d{1,9}) deletions?\(-\))?\s*$"
)
_AUTHOR = re.compile(r"^(\S.{0,200}) \((\d{1,4})\):\s*$")


class DiffstatTotals(Struct, frozen=True):
    """The last line of a diffstat."""

    files: int
    added: int
    removed: int

    def __str__(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files} files"
        return f"{files}, +{self.added} -{self.removed}"


class ShortlogSection(Struct, frozen=True):
    """One author's part of a shortlog."""

    author: str
    count: int
    titles: tuple[str, ...]


def parse_totals(body: str) -> tuple[DiffstatTotals, ...]:
    """The diffstats' last lines in the text, in order."""
    found = (_TOTALS.match(line.removesuffix("\r")) for line in body.split("\n", MOST_LINES))
    return tuple(DiffstatTotals(*(int(number or 0) for number in match.groups())) for match in found if match)


def count_totals(patches: Iterable[Patch]) -> DiffstatTotals:
    """What the patches change one by one: at least what they change together."""
    files = set[bytes]()
    added = removed = 0
    for patch in patches:
        for diff in patch.files:
            files.add(diff.path)
            marks = [line[:1] for hunk in diff.hunks for line in hunk.lines]
            added += marks.count(b"+")
            removed += marks.count(b"-")
    return DiffstatTotals(len(files), added, removed)


def totals_agree(said: DiffstatTotals, real: DiffstatTotals, patches: Sequence[Patch]) -> bool:
    """Whether a diffstat may be that of the patches together, given what they change one by one.

    How many lines are added and removed depends on the algorithm and on renames; the difference of the two does not.
    """
    if said.added - said.removed != real.added - real.removed:
        return False
    paths = {path for patch in patches for diff in patch.files for path in (diff.old_path, diff.new_path) if path}
    files = [diff for patch in patches for diff in patch.files]
    # A file renamed, or made and removed again, counts as one, as two, or not at all.
    moved = sum(diff.old_path != diff.new_path for diff in files)
    return real.files - moved <= said.files <= len(paths)


def is_among(key: str, others: Iterable[str]) -> bool:
    """Whether it is there, cut short perhaps."""
    return any(other.startswith(key) or key.startswith(other) for other in others)


def parse_shortlog(body: str) -> tuple[ShortlogSection, ...]:
    """What git-shortlog(1) lists by author; titles that were broken into lines are put together."""
    blocks: list[tuple[str, int, list[str]]] = []
    is_inside = False
    margin = 0
    for line in body.split("\n", MOST_LINES):
        text = line.strip()
        indent = len(line) - len(line.lstrip(" \t"))
        if match := _AUTHOR.match(line):
            blocks.append((match[1], int(match[2]), []))
            is_inside = True
        elif not text or not indent:
            is_inside = False
        elif is_inside and blocks[-1][2] and indent > margin:
            blocks[-1][2][-1] += f" {text}"
        elif is_inside:
            margin = indent
            blocks[-1][2].append(text)
    blocks = [(author, count, [clean_title(title) for title in titles]) for author, count, titles in blocks]
    return tuple(ShortlogSection(author, count, tuple(titles)) for author, count, titles in blocks)


def squeezed(title: str) -> str:
    """What is left of a title where lines were broken and characters lost."""
    return re.sub(r"[\W_]+", "", title.casefold())
