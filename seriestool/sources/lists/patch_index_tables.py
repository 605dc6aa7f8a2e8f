# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of the index, and how they spell blob ids.

An abbreviated id is one integer: its first 60 bits, filled up with zeros, and below them the number of digits. So ids
sort as their digits do, those that begin with an id are a range, and those that an id begins with are a dozen values.
"""

from seriestool.util.database import DatabaseSchema
from seriestool.util.errors import InputError

_DIGITS = 15
_SHORTEST = 4  # as git itself
_SIGN = 1 << 63  # SQLite's integers have one
_TABLES = """
CREATE TABLE source (id INTEGER PRIMARY KEY, list TEXT NOT NULL, path TEXT NOT NULL, state TEXT NOT NULL,
                     UNIQUE (list, path));
CREATE TABLE recent (list TEXT NOT NULL, msgid TEXT NOT NULL, posted INTEGER NOT NULL, mail TEXT NOT NULL,
                     PRIMARY KEY (list, msgid)) WITHOUT ROWID;
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE path (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
CREATE TABLE series (id INTEGER PRIMARY KEY, msgid TEXT NOT NULL UNIQUE, rank INTEGER NOT NULL, title TEXT NOT NULL,
                     change_id TEXT);
CREATE INDEX series_by_change_id ON series (change_id) WHERE change_id IS NOT NULL;
CREATE TABLE patch (id INTEGER PRIMARY KEY, msgid TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, author INTEGER NOT NULL,
                    date INTEGER NOT NULL, version INTEGER NOT NULL, counter INTEGER NOT NULL,
                    expected INTEGER NOT NULL, series INTEGER, work INTEGER NOT NULL, patch_id BLOB);
CREATE INDEX patch_by_series ON patch (series) WHERE series IS NOT NULL;
CREATE INDEX patch_by_work ON patch (work);
CREATE INDEX patch_by_patch_id ON patch (substr(patch_id, 1, 6)) WHERE patch_id IS NOT NULL;
CREATE TABLE place (patch INTEGER NOT NULL, source INTEGER NOT NULL, blob BLOB NOT NULL,
                    PRIMARY KEY (patch, source)) WITHOUT ROWID;
CREATE TABLE edge (path INTEGER NOT NULL, patch INTEGER NOT NULL, number INTEGER NOT NULL, old_path INTEGER,
                   kind INTEGER NOT NULL, old INTEGER, new INTEGER, PRIMARY KEY (path, patch, number)) WITHOUT ROWID;
CREATE INDEX edge_by_patch ON edge (patch);
CREATE INDEX edge_by_old_path ON edge (old_path) WHERE old_path IS NOT NULL;
CREATE INDEX edge_by_old ON edge (old) WHERE old IS NOT NULL;
CREATE INDEX edge_by_new ON edge (new) WHERE new IS NOT NULL;
"""

SCHEMA = DatabaseSchema(1, _TABLES, "the index of patches", hint="delete it, and run 'seriestool lists update'")
KINDS = ("modify", "create", "delete", "rename", "copy")
"""A kind is its place here."""


def blob_number(oid: str | None) -> int | None:
    """The integer of an abbreviated id, or None of None."""
    if oid is None:
        return None
    head = oid[:_DIGITS]
    return (int(head.ljust(_DIGITS, "0"), 16) << 4 | len(head)) - _SIGN


def blob_digits(number: int | None) -> str | None:
    """The digits of the integer, as many as were given, at most 15."""
    if number is None:
        return None
    value = number + _SIGN
    return ("%015x" % (value >> 4))[: value & 15]  # faster than an f-string, and done half a million times


def blob_range(oid: str) -> tuple[int, int]:
    """The integers of all ids that begin with this one lie between these two, bounds included."""
    head = check_blob(oid)[:_DIGITS]
    low, high = (int(head.ljust(_DIGITS, digit), 16) for digit in "0f")
    return (low << 4 | len(head)) - _SIGN, (high << 4 | _DIGITS) - _SIGN


def shorter_numbers(oid: str) -> tuple[int, ...]:
    """The integers of all shorter ids that this one begins with."""
    numbers = (blob_number(oid[:length]) for length in range(_SHORTEST, min(len(oid), _DIGITS)))
    return tuple(number for number in numbers if number is not None)


def check_blob(oid: str) -> str:
    """The id; raises InputError where it is none."""
    if not _SHORTEST <= len(oid) <= 64 or oid.strip("0123456789abcdef"):
        raise InputError(f"'{oid}' is not a blob id", hint="give at least 4 of its hexadecimal digits, in lower case")
    return oid
