# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits, trees and tags as they stand in objects, parsed as far as they are asked for; the one place that does so.

The formats are those of https://git-scm.com/book/en/v2/Git-Internals-Git-Objects. Nothing here raises on an object
that is damaged: what cannot be read is empty, or 0.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple, Self

from msgspec import Struct

from seriestool.series.mail.headers import decode_declared
from seriestool.series.message.commit_message import CommitMessage, parse_message
from seriestool.util.lazy_pattern import lazy_pattern

FOLDER = 0o040000
_KINDS = {FOLDER: "tree", 0o160000: "commit"}
_LATEST = 253402300799
"""The last second that a datetime can be (year 9999)."""
# ident.c, split_ident_line(): the address in the first brackets, the date behind the last one.
_IDENT = re.compile(rb"([^<]*)<([^>]*)>(?:.*>)?[ \t\r\f\v]*(?:(\d+)(?:[ \t\r\f\v]+([+-]\d+))?)?", re.DOTALL)
_UNWANTED = lazy_pattern(r"[<>\n\0]")
_TAG_NAME = re.compile(rb"\Aobject [^\n]+\ntype [^\n]+\ntag ([^\n]+)\n")


class CommitIdent(Struct, frozen=True):
    """Who wrote or committed something, and when."""

    name: str
    email: str
    time: int
    """Seconds since 1970, UTC."""
    zone: str = "+0000"
    """The clock that the date was read from: `+0530` is five and a half hours ahead of UTC."""

    @property
    def date(self) -> datetime:
        """The moment, in UTC."""
        return datetime.fromtimestamp(self.time, UTC)

    @property
    def line(self) -> str:
        """As a commit object has it (git-commit-tree(1)): without the characters that would end a field."""
        name, email = (_UNWANTED().sub("", text).strip() for text in (self.name, self.email))
        return f"{name or email} <{email}> {max(self.time, 0)} {self.zone}"


def parse_ident(line: bytes, charset: str = "") -> CommitIdent:
    """The person in the value of a commit's `author` or `committer` line, read as git reads it.

    A line without an address in brackets is all name; a date that is none, or too late for a calendar, is the first
    or the last one that there is.
    """
    match = _IDENT.match(line)
    if match is None:
        return CommitIdent(decode_declared(line, charset).strip(), "", 0)
    name, email, digits, zone = match.groups()
    return CommitIdent(
        name=decode_declared(name, charset).strip(),
        email=decode_declared(email, charset).strip(),
        time=min(int(digits), _LATEST) if digits and len(digits) < 20 else 0,
        zone=zone.decode() if zone else "+0000",
    )


class Commit:
    """A commit: `raw` is the object's content, and what is asked for is read from it then, and once.

    Text is decoded as `git log` decodes it: by the commit's `encoding` header, UTF-8 where there is none.
    """

    def __init__(self, oid: str, raw: bytes) -> None:
        self.oid = oid
        self.raw = raw

    @cached_property
    def tree(self) -> str:
        """The id of its tree; "" where the object names none."""
        return self._field(b"tree").decode("ascii", "replace")

    @cached_property
    def parents(self) -> tuple[str, ...]:
        """The ids of its parents, the first one first."""
        return tuple(value.decode("ascii", "replace") for value in self._fields.get(b"parent", ()))

    @cached_property
    def author(self) -> CommitIdent:
        """Who wrote it, and when."""
        return parse_ident(self._field(b"author"), self.charset)

    @cached_property
    def committer(self) -> CommitIdent:
        """Who committed it, and when."""
        return parse_ident(self._field(b"committer"), self.charset)

    @property
    def charset(self) -> str:
        """What its encoding header says; "" where there is none: UTF-8."""
        return self._field(b"encoding").decode("ascii", "replace").strip()

    @cached_property
    def message(self) -> CommitMessage:
        """Its message; the lines of the first paragraph are one, as `%s` of git log has it."""
        body = self.raw[self._end + 2 :]
        return parse_message(decode_declared(body, self.charset))

    @property
    def subject(self) -> str:
        """The first paragraph of its message in one line."""
        return self.message.subject

    @cached_property
    def _end(self) -> int:
        """Where the header ends."""
        at = self.raw.find(b"\n\n")
        return at if at >= 0 else len(self.raw)

    @cached_property
    def _fields(self) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for line in self.raw[: self._end].split(b"\n"):
            key, _, value = line.partition(b" ")
            if key:  # signatures and merged tags go on in lines that begin with a blank
                found.setdefault(key, []).append(value)
        return found

    def _field(self, key: bytes) -> bytes:
        return self._fields.get(key, (b"",))[0]


class TreeEntry(NamedTuple):
    """What a commit's tree has at a path: mode as in the tree (0o100644), type (blob, commit), object id."""

    mode: int
    kind: str
    oid: str


class TreeObject(dict[bytes, TreeEntry]):
    """One folder of git's: name -> entry."""

    @classmethod
    def parse(cls, raw: bytes, oid_size: int) -> Self:
        """The entries `<mode> <name>\\0<raw id>` of an object's content, in its order; ids have `oid_size` bytes."""
        entries = re.finditer(rb"([0-7]{1,6}) ([^\0]+)\0(.{%d})" % oid_size, raw, re.DOTALL)
        found = cls()
        for digits, name, oid in (match.groups() for match in entries):
            mode = int(digits, 8)
            found[name] = TreeEntry(mode, _KINDS.get(mode, "blob"), oid.hex())
        return found


def kind_of(mode: int) -> str:
    """What git calls an entry of this mode: tree, commit (a submodule) or blob."""
    return _KINDS.get(mode, "blob")


def format_tree(entries: Mapping[bytes, TreeEntry]) -> bytes:
    """The content of the object that has these entries: sorted by name, a folder as if its name ended in a slash."""
    ordered = sorted(entries.items(), key=lambda item: item[0] + b"/" * (item[1].kind == "tree"))
    return b"".join(b"%o %s\0" % (entry.mode, name) + bytes.fromhex(entry.oid) for name, entry in ordered)


def parse_tag_name(raw: bytes) -> bytes | None:
    """The name that an annotated tag has in itself; None where the content is no tag's."""
    found = _TAG_NAME.match(raw)
    return found[1] if found else None
