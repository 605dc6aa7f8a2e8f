# SPDX-License-Identifier: GPL-2.0-or-later
"""File names as diff headers spell them: C-quoted, prefixed, followed by a time. The rules are those of git's apply.c.

Every function takes the rest of one header line, without its line end, and is linear in it.
"""

import re

from seriestool.util.lazy_pattern import lazy_pattern

_ESCAPES = {
    ord("a"): 7,
    ord("b"): 8,
    ord("t"): 9,
    ord("n"): 10,
    ord("v"): 11,
    ord("f"): 12,
    ord("r"): 13,
    ord('"'): 34,
    ord("\\"): 92,
}
_QUOTED = re.compile(rb'"((?:[^"\\]|\\(?:[abtnvfr"\\]|[0-3][0-7]{2}))*)"')
_ESCAPE = lazy_pattern(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)
_DATE = lazy_pattern(rb"(?:\d\d)?\d\d-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?(?: [+-]\d{4}| [+-]\d\d:\d\d)?$")
_LONGEST_DATE = 64
_EPOCH = lazy_pattern(rb"(1969-12-31|1970-01-01) ([0-2]\d):([0-5]\d):00(?:\.0+)? ([-+])([0-2]\d):?([0-5]\d)$")
# What git refuses to add to its index, also on behalf of file systems that ignore case or trailing dots: `.git`,
# its 8.3 name, both as an NTFS stream.
_DOT_GIT = re.compile(rb"(?:\.git|git~1)[ .]*(?::.*)?", re.IGNORECASE | re.DOTALL)


def is_unsafe_path(path: bytes) -> bool:
    """Whether git refuses the path: empty, absolute, with `.`, `..`, `.git` or nothing between slashes, or a NUL."""
    if b"\0" in path:
        return True
    parts = path.split(b"/")
    if any(part in (b"", b".", b"..") for part in parts):
        return True
    return any(_DOT_GIT.fullmatch(part) for part in path.replace(b"\\", b"/").split(b"/"))


def is_null(value: bytes) -> bool:
    """Whether a `---` or `+++` line names no file."""
    return value == b"/dev/null" or (value.startswith(b"/dev/null") and value[9:10].isspace())


def find_name(value: bytes, level: int) -> bytes | None:
    """The name of a line in a git header, without its `level` first components; None where it has not so many."""
    quoted = _unquote(value)
    if quoted is not None:
        return _strip(quoted[0], level)
    return _strip(value.partition(b"\t")[0], level)


def find_traditional_name(value: bytes, level: int, default: bytes | None = None) -> bytes | None:
    """The name in a `---` or `+++` line of a diff without git header, its time cut off.

    `default` is the name of the other line: it wins where this one only adds to it (`file.orig`).
    """
    quoted = _unquote(value)
    if quoted is not None:
        return _strip(quoted[0], level)
    name = _strip(_without_time(value), level) or default
    if name is not None and default is not None and name.startswith(default):
        return default
    return name


def find_header_name(value: bytes, level: int) -> bytes | None:
    """The name that stands twice after `diff --git `, or None where the names are not the same (a rename)."""
    first = _unquote(value)
    if first is not None:
        name, end = _strip(first[0], level), first[1]
        return name if name is not None and name == find_second(value[end:].lstrip(), level) else None
    quote = value.find(b'"')
    if quote > 0:
        name = find_second(value[quote:], level)
        return name if name is not None and name == _strip(value[:quote].rstrip(b" \t"), level) else None
    return _halved(value) if level == 0 else _halved_prefixed(value)


def find_second(value: bytes, level: int) -> bytes | None:
    """The second name after `diff --git `, quoted or not."""
    quoted = _unquote(value)
    return _strip(value if quoted is None else quoted[0], level)


def is_epoch(value: bytes) -> bool:
    """Whether the time behind the name is the start of 1970: GNU diff's mark for a file that is not there."""
    match = _EPOCH().match(value.rpartition(b"\t")[2]) if b"\t" in value else None
    if match is None:
        return False
    date, hour, minute, sign, zone_hour, zone_minute = match.groups()
    zone = (int(zone_hour) * 60 + int(zone_minute)) * (-1 if sign == b"-" else 1)
    return int(hour) * 60 + int(minute) - zone == (24 * 60 if date == b"1969-12-31" else 0)


def _halved(value: bytes) -> bytes | None:
    middle = len(value) // 2
    name = value[:middle]
    is_twice = len(value) % 2 == 1 and value[middle : middle + 1] in (b" ", b"\t") and value[middle + 1 :] == name
    return name if is_twice and name else None


def _halved_prefixed(value: bytes) -> bytes | None:
    """NAME in `x/NAME y/NAME`: the names have the same length, so at most one blank can part them."""
    rest = value.partition(b"/")[2] if not value.startswith(b"/") else b""
    slash = -1
    for blank in re.finditer(rb"[ \t]", rest):
        at = blank.start()
        if slash <= at:
            slash = rest.find(b"/", at)
        if slash < 0:
            return None
        if len(rest) - slash - 1 == at and slash > at + 1:
            return rest[:at] if at and rest[:at] == rest[slash + 1 :] else None
    return None


def _strip(name: bytes, level: int) -> bytes | None:
    # `/etc/passwd` must not turn into the harmless looking `etc/passwd`.
    if level and not name.startswith(b"/"):
        name = name.partition(b"/")[2]
    return re.sub(rb"/+", b"/", name) or None


def _without_time(value: bytes) -> bytes:
    match = _DATE().search(value, max(0, len(value) - _LONGEST_DATE))
    if match is None or not match.start():
        return value.partition(b"\t")[0]
    name = value[: match.start()]
    if name.endswith(b"\t"):
        return name[:-1]
    return name.rstrip(b" ") if name.endswith(b" ") else value.partition(b"\t")[0]


def _unquote(value: bytes) -> tuple[bytes, int] | None:
    """The name in C quotes that `value` begins with, and where it ends; None where it does not begin so."""
    match = _QUOTED.match(value)
    if match is None:
        return None
    return _ESCAPE().sub(_unescape, match[1]), match.end()


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8)] if len(code) == 3 else [_ESCAPES[code[0]]])
