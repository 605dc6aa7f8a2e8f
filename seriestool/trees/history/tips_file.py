# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of tips: the ids of the commits that refs led to at the last update, then their positions.

Where it is gone, git lists more than is new at the next update, and lines that end in no branch are not told apart.
"""

from array import array
from collections.abc import Iterable
from pathlib import Path

from seriestool.util.files import write_durably

_POSITION = array("I")


def write_tips(file: Path, tips: Iterable[tuple[bytes, int]]) -> None:
    """Write the (raw id, position) of each tip."""
    ordered = sorted(tips, key=lambda tip: tip[1])
    write_durably(
        file, [b"".join(oid for oid, _ in ordered), array("I", [position for _, position in ordered]).tobytes()]
    )


def read_oids(file: Path, oid_size: int) -> list[str]:
    """The ids, in hex."""
    raw, count = _read(file, oid_size)
    return [raw[at * oid_size : (at + 1) * oid_size].hex() for at in range(count)]


def read_positions(file: Path, oid_size: int) -> "array[int]":
    """The positions, sorted."""
    raw, count = _read(file, oid_size)
    positions = array("I")
    positions.frombytes(raw[count * oid_size : count * (oid_size + _POSITION.itemsize)])
    return positions


def _read(file: Path, oid_size: int) -> tuple[bytes, int]:
    try:
        raw = file.read_bytes()
    except OSError:
        return b"", 0
    return raw, len(raw) // (oid_size + _POSITION.itemsize)
