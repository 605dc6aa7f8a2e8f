# SPDX-License-Identifier: GPL-2.0-or-later
"""Diffs and messages as lines with what is said under them; of a big diff the first lines, and those near findings.

A diff may have a million lines, so a line is looked at only where it is shown.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from seriestool.report.pages.finding_views import FindingView
from seriestool.series.model import BinaryKind, DiffKind, FileDiff, Hunk

MOST_OF_FILE = 400
"""Lines of one file's diff that are shown, besides those near findings."""
FOLDED = 150
"""Lines from which on a file's diff is folded away, unless something is said of it."""
NEAR = 5
"""Lines shown before and after one of which something is said."""
_LONGEST = 600  # of a line, in characters
_NAMES = {
    DiffKind.CREATE: "new file",
    DiffKind.DELETE: "deleted",
    DiffKind.RENAME: "renamed from",
    DiffKind.COPY: "copied from",
}
_KINDS = {b"+": "add", b"-": "del"}


class TextRow(Struct, frozen=True):
    """A line: of a diff, or of a message."""

    kind: str
    """add, del, same, hunk, meta or gap."""
    number: int | None
    """In the file after the patch, or in the message."""
    text: str


class LineBlock(Struct, frozen=True):
    """Lines without a break, and what is said under the last one of them."""

    rows: tuple[TextRow, ...]
    said: tuple[FindingView, ...]


class FileView(Struct, frozen=True, kw_only=True):
    """One file's diff."""

    path: bytes
    what: str
    """'new file', 'renamed from', or nothing."""
    old_path: bytes | None
    added: int
    removed: int
    said: tuple[FindingView, ...]
    """Of the file, or of lines of it that are not in the diff."""
    blocks: tuple[LineBlock, ...]
    shown: int
    left_out: int
    is_folded: bool


def view_file(diff: FileDiff, said: Sequence[FindingView], budget: int) -> FileView:
    """The file's diff in so many lines, besides those near what is said of it."""
    lines = sorted({one.finding.line for one in said if one.finding.line is not None})
    there = set(_find_lines(diff, lines))
    rows = tuple(_rows(diff, max(min(budget, MOST_OF_FILE), 0), sorted(there)))
    total = sum(1 + len(hunk.lines) for hunk in diff.hunks)
    shown = sum(row.kind not in ("gap", "meta") for row in rows)
    return FileView(
        path=diff.path,
        what=_what(diff),
        old_path=diff.old_path if diff.kind in (DiffKind.RENAME, DiffKind.COPY) else None,
        added=sum(len(hunk.lines) - hunk.old_lines for hunk in diff.hunks),
        removed=sum(len(hunk.lines) - hunk.new_lines for hunk in diff.hunks),
        said=tuple(one for one in said if one.finding.line not in there),
        blocks=attach_findings(rows, [one for one in said if one.finding.line in there]),
        shown=shown,
        left_out=total - shown,
        is_folded=not said and shown > FOLDED,
    )


def attach_findings(rows: Sequence[TextRow], said: Iterable[FindingView]) -> tuple[LineBlock, ...]:
    """The rows, broken where something is said of one."""
    by_line: dict[int | None, list[FindingView]] = {}
    for one in said:
        by_line.setdefault(one.finding.line, []).append(one)
    blocks: list[LineBlock] = []
    run: list[TextRow] = []
    for row in rows:
        run.append(row)
        under = by_line.pop(row.number, None) if row.number is not None else None
        if under:
            blocks.append(LineBlock(tuple(run), tuple(under)))
            run = []
    return tuple([*blocks, LineBlock(tuple(run), ())] if run else blocks)


def cut(text: str) -> str:
    """The line, not longer than a page can hold."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\u2026"


def _what(diff: FileDiff) -> str:
    parts = [_NAMES.get(diff.kind, "")]
    if diff.binary is not None:
        parts.append("binary" if diff.binary is BinaryKind.PATCH else "binary, without its data")
    if diff.new_mode is not None and diff.old_mode is not None and diff.new_mode != diff.old_mode:
        parts.append(f"mode {diff.old_mode:o} to {diff.new_mode:o}")
    return ", ".join(filter(None, parts))


def _find_lines(diff: FileDiff, lines: Sequence[int]) -> Iterator[int]:
    """Those of the numbers, which are sorted, that are lines of the diff in the file after the patch."""
    if lines:
        for hunk in diff.hunks:
            yield from _within(hunk, lines)


def _within(hunk: Hunk, lines: Sequence[int]) -> Sequence[int]:
    return lines[bisect_left(lines, hunk.new_start) : bisect_right(lines, hunk.new_start + hunk.new_lines - 1)]


def _rows(diff: FileDiff, budget: int, wanted: Sequence[int]) -> Iterator[TextRow]:
    """The first rows, and those near what something is said of; a gap in the place of others."""
    skipped = 0
    for hunk in diff.hunks:
        kept = set(range(min(budget, 1 + len(hunk.lines))))
        budget -= len(kept)
        if len(kept) <= len(hunk.lines):
            kept |= _near(hunk, _within(hunk, wanted))
        if not kept:
            skipped += 1 + len(hunk.lines)
            continue
        for at, rows in enumerate(_shown(hunk, kept)):
            if at not in kept:
                skipped += 1
                continue
            if skipped:
                yield _gap(skipped)
                skipped = 0
            yield from rows
    if skipped:
        yield _gap(skipped)


def _near(hunk: Hunk, wanted: Sequence[int]) -> set[int]:
    """The places in the hunk, its header being the first, of the lines near these."""
    if not wanted:
        return set()
    numbers, number = set(wanted), hunk.new_start
    kept: set[int] = set()
    for at, line in enumerate(hunk.lines, 1):
        if not line.startswith(b"-"):
            if number in numbers:
                kept.update(range(max(at - NEAR, 0), min(at + NEAR, len(hunk.lines)) + 1))
            number += 1
    return kept


def _shown(hunk: Hunk, kept: set[int]) -> Iterator[Sequence[TextRow]]:
    """The rows of each place in the hunk; none of those that are not kept."""
    section = hunk.section[:_LONGEST].decode("utf-8", "replace").strip()
    yield (TextRow("hunk", None, f"{hunk.header} {section}".rstrip()),)
    number = hunk.new_start
    for at, line in enumerate(hunk.lines, 1):
        yield _rows_of(line, number) if at in kept else ()
        number += not line.startswith(b"-")


def _rows_of(line: bytes, number: int) -> tuple[TextRow, ...]:
    mark = line[:1]
    kind = _KINDS.get(mark, "same")
    text = cut(line[1 : _LONGEST * 4 + 2].rstrip(b"\r\n").decode("utf-8", "replace"))
    row = TextRow(kind, None if kind == "del" else number, f"{mark.decode('ascii', 'replace') or ' '}{text}")
    return (row,) if line.endswith(b"\n") else (row, TextRow("meta", None, "\\ No newline at end of file"))


def _gap(count: int) -> TextRow:
    return TextRow("gap", None, f"{count} {'line' if count == 1 else 'lines'} not shown")
