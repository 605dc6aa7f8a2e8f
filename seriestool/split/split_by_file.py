# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch that straddles trees, cut into one patch for each."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from seriestool.series.diff import split_diff
from seriestool.series.model import Patch
from seriestool.split.ownership import PatchPart, SeriesOwners

# The diffstat of the whole patch would be wrong in each part of it.
_DIFFSTAT = re.compile(
    r"^ \S.*\|\s+(?:\d+\s*[+-]*|Bin\b.*|Unmerged)$|^ \d+ files? changed\b.*$|^ (?:create|delete) mode \d.*$"
    r"|^ mode change \d.*$|^ (?:rename|copy) .* \(\d+%\)$",
    re.M,
)


def split_by_file(patch: Patch, owners: SeriesOwners, order: Sequence[int] = ()) -> tuple[Patch, ...]:
    """The patch cut into one for each tree that owns files of it, in the order of its parts; itself where one does.

    `order` has the numbers of these, from 1, in another order that is wanted.
    The file diffs stay as they are, byte for byte, and together they are the whole. The last line of each message
    says of what it is a part. The parts have the counter of the whole, and no message-id: they were never mailed.
    """
    parts = owners.patch(patch.counter).parts
    pieces = split_diff(patch.diff)
    if len(parts) < 2 or len(pieces) != len(patch.files):
        return (patch,)
    groups = [(part, [n for n, diff in enumerate(patch.files) if diff.path in part.paths]) for part in parts]
    groups = [(part, numbers) for part, numbers in groups if numbers]
    if len(groups) < 2:
        return (patch,)
    groups = [groups[number - 1] for number in order] or groups
    return tuple(
        replace(
            patch,
            msgid="",
            message=_message(patch, part, place, len(groups)),
            notes=_DIFFSTAT.sub("", patch.notes).strip("\n"),
            files=tuple(patch.files[n] for n in numbers),
            diff=_joined(pieces[n] for n in numbers),
        )
        for place, (part, numbers) in enumerate(groups, 1)
    )


def _message(patch: Patch, part: PatchPart, place: int, count: int) -> str:
    where = f", the files of {part.destination}" if part.destination else ""
    line = f'[part {place} of {count} of "{patch.subject}"{where}]'
    return f"{patch.message}\n{line}" if patch.message else line


def _joined(pieces: Iterable[bytes]) -> bytes:
    """The pieces one after the other; only the last of a mail may lack its newline."""
    return b"".join(piece if piece.endswith(b"\n") else piece + b"\n" for piece in pieces)
