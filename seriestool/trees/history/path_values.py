# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a path as one number: the first 15 hex digits of its object id, then one digit for its mode.

0 says that the path is not there. The number is what the 16 digits spell, so that a prefix is a shift and a compare.
"""

DIGITS = 15
"""Hex digits of the object id that a value keeps; longer prefixes are compared by their first 15."""

_MODES = (0, 0o100644, 0o100755, 0o120000, 0o160000, 0o100664)
_CODES = {mode: code for code, mode in enumerate(_MODES)}
_OTHER = 5


def value_of(mode: int, oid: str) -> int:
    """The value of a tree entry; a mode that git does not write today counts as 0o100664."""
    return int(oid[:DIGITS], 16) << 4 | _CODES.get(mode, _OTHER)


def is_absent(value: int) -> bool:
    """Whether the path is not there."""
    return value == 0


def mode_of(value: int) -> int:
    """The mode as in a tree (0o100644), 0 where the path is absent, 0o100664 for every odd one."""
    return _MODES[min(value & 15, _OTHER)]


def blob_prefix(value: int) -> str:
    """The first 15 hex digits of the object id; all zero where the path is absent."""
    return f"{value >> 4:015x}"


def match_value(value: int, prefix: str) -> bool:
    """Whether the path is there and its object id starts with `prefix` (hex digits, of which the first 15 count)."""
    # No string of the value: this is asked of every state that a path ever had.
    digits = prefix[:DIGITS]
    return value != 0 and value >> 4 * (DIGITS + 1 - len(digits)) == int(digits or "0", 16)
