# SPDX-License-Identifier: GPL-2.0-or-later
"""Where and why plain `git apply` refuses a patch, for people."""

from collections.abc import Iterator, Sequence

from seriestool.report.terminal import printable_line
from seriestool.series.model import PatchFailure, path_text

_MOST_LINES = 6


def failure_place(failure: PatchFailure) -> str:
    """Where a patch does not apply, in a few words."""
    path = path_text(failure.path)
    reasons = {
        "missing-file": "the file is not there",
        "exists": "the file is there already",
        "mode": "it is another kind of file",
        "binary": "the binary file is not the one that the patch was made from",
        "leaves-contents": "the file to be removed has more in it",
    }
    if failure.reason == "hunk":
        return f"{path} hunk {failure.hunk} at line {failure.line}"
    return f"{path}: {reasons.get(failure.reason, failure.reason)}"


def lines_of(failure: PatchFailure) -> Iterator[str]:
    """The first lines in which what was expected and what was found differ."""
    if failure.reason != "hunk":
        return
    same = next(
        (n for n, (old, new) in enumerate(zip(failure.expected, failure.found, strict=False)) if old != new),
        min(len(failure.expected), len(failure.found)),
    )
    yield from _excerpt(word="expected", mark="-", lines=failure.expected, others=failure.found, start=same)
    yield from _excerpt(word="found", mark="+", lines=failure.found, others=failure.expected, start=same)


def _excerpt(word: str, mark: str, lines: Sequence[bytes], others: Sequence[bytes], start: int) -> Iterator[str]:
    """Lines around the first difference; those that the other side does not have are marked."""
    some = lines[max(start - 1, 0) : start + _MOST_LINES]
    for line in some:
        yield f"      {word:<8} {' ' if line in others else mark}| {_text(line)}".rstrip()
        word = ""
    if not some:
        yield f"      {word:<8}  | (end of file)"


def _text(line: bytes) -> str:
    return printable_line(line.rstrip(b"\r\n").decode("utf-8", "replace"))
