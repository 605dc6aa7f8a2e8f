# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's MAINTAINERS file: which sections a path belongs to, and which trees they name.

The format is described at the head of that file (https://docs.kernel.org/process/maintainers.html), the meaning of its
patterns is that of scripts/get_maintainer.pl: a pattern is the beginning of a path; one that ends in a slash has
everything below it, any other one only files of the same depth; `*` and `?` may stand for a slash as long as the depth
is right.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from seriestool.util.lazy_pattern import lazy_pattern

_GLOB = lazy_pattern(rb"[*?\[]")
_LINES = 200_000  # the kernel's file has 30,000
_UNSAFE = lazy_pattern(rb"\)[*+{]")
_UNBOUNDED = lazy_pattern(rb"(?<!\\)[*+]|,\}")
_CLOSED = lazy_pattern(rb"subscribers?[- ]only", re.IGNORECASE)
_TEXT = 400  # bytes of a path or a line that a pattern of the file is tried on


class TreeLine(Struct, frozen=True):
    """A `T:` line: where a tree is, and the branch if the line names one."""

    scm: str
    """git, hg or quilt."""
    url: str
    branch: str | None


class MaintainersSection(Struct, frozen=True):
    """One entry of the file; bytes where patterns are for paths and contents."""

    heading: str
    files: tuple[bytes, ...] = ()
    excluded: tuple[bytes, ...] = ()
    names: tuple[bytes, ...] = ()
    keywords: tuple[bytes, ...] = ()
    trees: tuple[TreeLine, ...] = ()
    lists: tuple[str, ...] = ()
    """Addresses, lower case."""
    maintainers: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    status: str | None = None
    closed: tuple[str, ...] = ()
    """Those of the lists that take mail of their subscribers only."""


class SectionMatch(Struct, frozen=True):
    """A section that a path belongs to; `depth` says how special it is: -1 everything, 0 by name, then by directory."""

    section: MaintainersSection
    depth: int


class Maintainers:
    """The sections of one MAINTAINERS file, ready to be asked."""

    def __init__(self, sections: Iterable[MaintainersSection]) -> None:
        self.sections = tuple(sections)
        # A path is looked up by each folder above it; only patterns that begin with that folder are tried.
        self._by_folder: dict[bytes, list[tuple[int, bytes]]] = {}
        for number, section in enumerate(self.sections):
            for pattern in section.files:
                self._by_folder.setdefault(_literal_folder(pattern), []).append((number, pattern))
        self._names: list[tuple[int, re.Pattern[bytes]]] | None = None
        self._keywords: list[tuple[int, re.Pattern[bytes]]] | None = None
        self._compiled: dict[bytes, re.Pattern[bytes]] = {}

    def match(self, path: bytes) -> tuple[SectionMatch, ...]:
        """The sections that the path belongs to, the most special first, then in the order of the file."""
        depths: dict[int, int] = {}
        for number, pattern in self._candidates(path):
            if self._fits(pattern, path):
                depths[number] = max(_depth(pattern), depths.get(number, -1))
        for number, name in self._name_patterns():
            if number not in depths and name.search(path[:_TEXT]):
                depths[number] = 0
        found = [(number, depth) for number, depth in depths.items() if not self._is_excluded(number, path)]
        found.sort(key=lambda item: (-item[1], item[0]))
        return tuple(SectionMatch(self.sections[number], depth) for number, depth in found)

    def match_content(self, lines: Iterable[bytes]) -> tuple[MaintainersSection, ...]:
        """The sections one of whose keywords stands in an added or removed line, in the order of the file."""
        if self._keywords is None:
            self._keywords = list(_regexes((n, section.keywords) for n, section in enumerate(self.sections)))
        text = b"\n".join(line[:_TEXT] for line in lines)
        found = {n for n, keyword in self._keywords if _needle(keyword.pattern) in text and keyword.search(text)}
        return tuple(self.sections[number] for number in sorted(found))

    def _candidates(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        yield from self._by_folder.get(b"", ())
        end = path.find(b"/")
        while end >= 0:
            yield from self._by_folder.get(path[: end + 1], ())
            end = path.find(b"/", end + 1)

    def _fits(self, pattern: bytes, path: bytes) -> bool:
        if not _GLOB().search(pattern):
            if pattern.endswith(b"/"):
                return path.startswith(pattern)
            if path.startswith(pattern + b"/"):  # a folder written without its slash
                return True
            return path.startswith(pattern) and path.count(b"/") == pattern.count(b"/")
        if len(path) > _TEXT or len(pattern) > _TEXT:
            return False
        regex = self._compiled.get(pattern)
        if regex is None:
            regex = self._compiled[pattern] = _glob_regex(pattern)
        if not regex.match(path):
            return False
        return pattern.endswith(b"/") or b"**" in pattern or path.count(b"/") == pattern.count(b"/")

    def _is_excluded(self, number: int, path: bytes) -> bool:
        return any(self._fits(pattern, path) for pattern in self.sections[number].excluded)

    def _name_patterns(self) -> Sequence[tuple[int, re.Pattern[bytes]]]:
        if self._names is None:
            self._names = list(_regexes((n, section.names) for n, section in enumerate(self.sections)))
        return self._names


def parse_maintainers(text: bytes) -> Maintainers:
    """The file's sections; what is not in its format is passed over."""
    return Maintainers(_sections(text))


def parse_tree_line(value: str) -> TreeLine | None:
    """What a `T:` line names: `git git://host/path.git branch`, or None for anything else."""
    words = value.split()
    if words and re.match(r"[a-z+]+://", words[0]):
        words.insert(0, "git")
    if len(words) < 2 or words[0].rstrip(":") not in ("git", "hg", "quilt"):
        return None
    if words[1] in ("git", "https:"):
        del words[1]
    if len(words) < 2 or "://" not in words[1]:
        return None
    # `(next)` is a branch, `(For ARM Updates)` is talk.
    is_talk = len(words) > 3 and words[2].startswith("(") and not words[2].endswith(")")
    branch = words[2].strip("()") if len(words) > 2 and not is_talk else ""
    return TreeLine(words[0].rstrip(":"), words[1], branch or None)


def _sections(text: bytes) -> Iterator[MaintainersSection]:
    heading, values = b"", dict[bytes, list[bytes]]()
    for line in text.split(b"\n", _LINES)[:_LINES]:
        if line[1:2] == b":" and line[:1].isupper():
            if value := line[2:].strip():
                values.setdefault(line[:1], []).append(value)
        elif line and not line.isspace() and not line.startswith(b"#"):
            if values:
                yield _section(heading, values)
                values = {}
            heading = line
    if values:
        yield _section(heading, values)


def _section(heading: bytes, values: dict[bytes, list[bytes]]) -> MaintainersSection:
    every = values.get
    status = every(b"S")
    return MaintainersSection(
        heading=_shown(heading),
        files=tuple(every(b"F", ())),
        excluded=tuple(every(b"X", ())),
        names=tuple(every(b"N", ())),
        keywords=tuple(every(b"K", ())),
        trees=tuple(tree for value in every(b"T", ()) if (tree := parse_tree_line(_shown(value)))),
        lists=tuple(map(_list, every(b"L", ()))),
        maintainers=tuple(map(_shown, every(b"M", ()))),
        reviewers=tuple(map(_shown, every(b"R", ()))),
        status=_shown(status[0]) if status else None,
        closed=tuple(_list(value) for value in every(b"L", ()) if _CLOSED().search(value)),
    )


def _list(value: bytes) -> str:
    return _shown(value.split()[0]).lower()


def _shown(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _literal_folder(pattern: bytes) -> bytes:
    glob = _GLOB().search(pattern)
    head = pattern[: glob.start()] if glob else pattern
    return head[: head.rfind(b"/") + 1]


def _depth(pattern: bytes) -> int:
    if pattern.startswith(b"*"):
        return -1
    return pattern.count(b"/") + (not pattern.endswith(b"/"))


def _glob_regex(pattern: bytes) -> re.Pattern[bytes]:
    # `*` may match a slash: the caller counts them. Stars are few and paths are short, so this is quick.
    parts = re.split(rb"(\*+|\?|\[[^\]]+\])", pattern)
    if sum(part.startswith(b"*") for part in parts) > 4:
        return re.compile(rb"(?!)")
    return _compile(b"".join(map(_glob_part, parts))) or re.compile(rb"(?!)")


def _glob_part(part: bytes) -> bytes:
    if part.startswith(b"*"):
        return b".*"
    if part == b"?":
        return b"."
    return part if len(part) > 2 and part.startswith(b"[") else re.escape(part)


def _regexes(patterns: Iterable[tuple[int, Sequence[bytes]]]) -> Iterator[tuple[int, re.Pattern[bytes]]]:
    for number, values in patterns:
        for value in values:
            if len(value) <= _TEXT and _is_quick(value) and (regex := _compile(value, re.VERBOSE)):
                yield number, regex


def _is_quick(pattern: bytes) -> bool:
    # A tree is not to be trusted: `(a+)+` would take for ever. What repeats a group, or repeats often, is passed over.
    return not _UNSAFE().search(pattern) and len(_UNBOUNDED().findall(pattern)) <= 2 + pattern.startswith(b"^")


def _needle(pattern: bytes) -> bytes:
    """What stands in every text that the pattern fits, looked for first because that is quick; b"" if not obvious."""
    if b"#" in pattern or re.search(rb"\(\?[a-z]+\)", pattern):
        return b""
    plain = re.sub(rb"\\.|\[[^\]]*\]", b" ", pattern)
    while (shorter := re.sub(rb"\([^()]*\)", b" ", plain)) != plain:
        plain = shorter
    if b"|" in plain or b"(" in plain:
        return b""
    return max(re.findall(rb"\w+", re.sub(rb".[?*{]", b" ", plain)), key=len, default=b"")


def _compile(pattern: bytes, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[bytes] | None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(pattern, flags)
        except (re.error, OverflowError, RecursionError):
            return None
