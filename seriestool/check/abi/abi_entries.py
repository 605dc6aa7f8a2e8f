# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries of Documentation/ABI, and the sysfs attributes that a patch makes."""

import re
from collections.abc import Iterable

from msgspec import Struct

from seriestool.series.model import FileDiff

FOLDER = b"Documentation/ABI/"
_FIELD = re.compile(rb"(What|Date|KernelVersion|Contact|Description|Users)[ \t]*:[ \t]*(.*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    rb"\b(?:DEVICE|DRIVER|BUS|CLASS|BIN|KERNEL|IIO_DEVICE)_ATTR(?:_(?:RW|RO|WO|ADMIN_RW|ADMIN_RO))?[ \t]*"
    rb"\([ \t]*([a-z]\w{1,60})[ \t]*[,)]"
)
_CODE = (b".c", b".h")
_NO_DEVICES = (b"Documentation/", b"tools/", b"samples/", b"scripts/")


class AbiEntry(Struct, frozen=True):
    """One entry of a file: the interfaces it is about, and which fields it has."""

    what: tuple[str, ...]
    line: int
    fields: frozenset[str]
    """In small letters; those that say something."""

    def lacks(self) -> tuple[str, ...]:
        """What an entry should have and this one has not; a date or a version will do."""
        missing = [name for name in ("Contact", "Description") if name.lower() not in self.fields]
        if not self.fields & {"date", "kernelversion"}:
            missing.append("Date")
        return tuple(missing)


class SysfsAttribute(Struct, frozen=True):
    """A sysfs attribute that a patch adds."""

    name: str
    path: bytes
    line: int


def is_abi_file(path: bytes) -> bool:
    """Whether the file has entries."""
    return path.startswith(FOLDER) and path != FOLDER + b"README"


def parse_entries(text: bytes) -> tuple[AbiEntry, ...]:
    """The entries of a file; each begins with one `What:` or several."""
    found: list[AbiEntry] = []
    what: list[str] = []
    fields: set[str] = set()
    start, field = 0, ""
    for number, line in enumerate(text.split(b"\n"), 1):
        match = _FIELD.match(line)
        if match is None:
            if field and line.strip():
                fields.add(field)  # what is said of it stands on the lines below
                if field == "what" and line[:1] in b" \t":
                    what.append(_words(line))
            continue
        before, field = field, match[1].decode().lower()
        if field == "what" and before not in ("", "what"):
            if what:  # else fields of nothing, at the top
                found.append(AbiEntry(tuple(what), start, frozenset(fields)))
            what, fields, before = [], set(), ""
        if field == "what":
            start = number if before == "" else start
            what.append(_words(match[2]))
        if match[2].strip():
            fields.add(field)
    if what:
        found.append(AbiEntry(tuple(what), start, frozenset(fields)))
    return tuple(found)


def _words(line: bytes) -> str:
    return " ".join(line.decode("utf-8", "replace").split())


def new_attributes(files: Iterable[FileDiff]) -> tuple[SysfsAttribute, ...]:
    """The sysfs attributes that a patch adds, but for those that it takes away elsewhere."""
    gone: set[bytes] = set()
    found: dict[bytes, SysfsAttribute] = {}
    for file in files:
        if not file.path.endswith(_CODE) or file.path.startswith(_NO_DEVICES):
            continue
        for hunk in file.hunks:
            number = hunk.new_start
            for line in hunk.lines:
                names = _ATTRIBUTE.findall(line[:500])
                if line.startswith(b"-"):
                    gone.update(names)
                elif line.startswith(b"+"):
                    for name in names:
                        found.setdefault(name, SysfsAttribute(name.decode(), file.path, number))
                number += not line.startswith((b"-", b"\\"))
    return tuple(attribute for name, attribute in found.items() if name not in gone)
