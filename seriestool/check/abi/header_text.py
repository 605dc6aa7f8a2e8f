# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be said of a header for user space by its text alone: licence, configuration, magic numbers of ioctls."""

import re
from collections.abc import Iterator

_LICENCE = re.compile(rb"SPDX-License-Identifier:[^\n]{0,300}GPL-[^\n]{0,300}")
_NOTE = b"WITH Linux-syscall-note"
_CONFIG = re.compile(rb"(?<!\w)CONFIG_\w{1,100}")
_CONDITION = re.compile(rb"[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif)\b(.*)")
_ONLY_KERNEL = re.compile(rb"(?:defined ?)?\(? ?__KERNEL__ ?\)? ?(?:&&.*)?")
_LONGEST = 300  # bytes of a condition that are looked at
_MAGIC = re.compile(
    rb"(?<!\w)(?:_IO|_IOR|_IOW|_IOWR)[ \t]*\([ \t]*('[^'\\\n]'|0[xX][0-9a-fA-F]{1,2}|[A-Za-z_]\w{0,80})[ \t]*,"
)
_NUMBER = re.compile(rb"'([^'\\\n])'|0[xX]([0-9a-fA-F]{1,2})")
_ROW = re.compile(rb"^('[^'\n]'|0[xX][0-9A-Fa-f]{2})\s", re.MULTILINE)


def lacks_syscall_note(text: bytes) -> bool:
    """Whether a licence of the GPL is named without the note that lets programs use the header."""
    return any(_NOTE not in line for line in _LICENCE.findall(text))


def without_comments(text: bytes) -> bytes:
    """The text with its comments blanked, line for line."""
    parts, at = [], 0
    while at < len(text):
        start = text.find(b"/", at)
        if start < 0:
            break
        opened = text[start : start + 2]
        if opened == b"/*":
            end = text.find(b"*/", start + 2)
            end = len(text) if end < 0 else end + 2
        elif opened == b"//":
            end = text.find(b"\n", start)
            end = len(text) if end < 0 else end
        else:
            parts.append(text[at : start + 1])
            at = start + 1
            continue
        parts += [text[at:start], b" ", b"\n" * text.count(b"\n", start, end)]
        at = end
    parts.append(text[at:])
    return b"".join(parts)


def user_lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, line) of what is left of a header without comments and without what only the kernel sees."""
    hidden: list[bool] = []
    deep = 0  # how many of them are
    for number, line in enumerate(without_comments(text).split(b"\n"), 1):
        match = _CONDITION.match(line)
        if match is None:
            if not deep:
                yield number, line
            continue
        word, rest = match.groups()
        if word in (b"if", b"ifdef"):
            hidden.append(_ONLY_KERNEL.fullmatch(b" ".join(rest[:_LONGEST].split())) is not None)
            deep += hidden[-1]
        elif word == b"ifndef":
            hidden.append(False)
        elif word == b"endif" and hidden:
            deep -= hidden.pop()
        elif hidden:
            deep -= hidden[-1]
            hidden[-1] = False
        if not deep:
            yield number, line


def leaked_options(text: bytes) -> dict[str, int]:
    """Options of the kernel's configuration that the header asks about -> line: programs do not have them."""
    found: dict[str, int] = {}
    for number, line in user_lines(text):
        for option in _CONFIG.findall(line):
            found.setdefault(option.decode(), number)
    return found


def ioctl_magics(text: bytes) -> dict[int, int]:
    """The first numbers of the ioctls that a header defines -> the line of the first such one."""
    lines = list(user_lines(text))
    named = {}
    for _, line in lines:
        words = line.split(None, 3)
        if len(words) >= 3 and words[0] == b"#define" and (match := _NUMBER.match(words[2].strip(b"()"))):
            named[words[1]] = match
    found: dict[int, int] = {}
    for number, line in lines:
        for word in _MAGIC.findall(line):
            match = _NUMBER.fullmatch(word) or named.get(word)
            if match is not None:
                found.setdefault(_value(match), number)
    return found


def listed_magics(text: bytes) -> frozenset[int]:
    """The numbers that Documentation/userspace-api/ioctl/ioctl-number.rst has a row for."""
    return frozenset(_value(match) for row in _ROW.findall(text) if (match := _NUMBER.match(row)))


def _value(match: re.Match[bytes]) -> int:
    return match[1][0] if match[1] is not None else int(match[2], 16)
