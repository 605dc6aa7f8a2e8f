# SPDX-License-Identifier: GPL-2.0-or-later
"""A commit message as numbered lines, with its trailers where they stand: the one place that decides what a trailer is.

The rules are those of git-interpret-trailers(1) as trailer.c of git has them, with no `trailer.*` configuration.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from seriestool.series.message.trailer_names import is_well_known

_TRAILER = re.compile(r"([A-Za-z0-9-]+)[ \t]*:[ \t]*(.*)", re.S)
_COMMENT = "#"
_MADE_BY_GIT = ("Signed-off-by: ", "(cherry picked from commit ")


class Trailer(Struct, frozen=True):
    """A trailer, or a line that looks like one."""

    number: int
    """Of its line in the commit message: the subject is line 1."""
    name: str
    value: str
    """Continuation lines joined with a blank."""
    text: str
    """The first line as it stands."""

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()


class CommitMessage(Struct, frozen=True, dict=True):
    """A commit message; `lines[0]` is the subject, `lines[1]` the empty line below it."""

    lines: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The title."""
        return self.lines[0]

    @cached_property
    def start(self) -> int:
        """The index of the first line of the last paragraph; that of no line where there is only a subject."""
        start = self._end
        while start > 2 and self.lines[start - 1].strip():
            start -= 1
        return start if self._end > 2 else len(self.lines)

    @cached_property
    def _end(self) -> int:
        """The index of the line behind the last one that is neither empty nor a comment."""
        end = len(self.lines)
        while end > 2 and (not self.lines[end - 1].strip() or self.lines[end - 1].startswith(_COMMENT)):
            end -= 1
        return end

    @cached_property
    def trailers(self) -> tuple[Trailer, ...]:
        """The trailers of the last paragraph; () where git takes that for text."""
        block = self.lines[: self._end]
        return tuple(_trailers(block, self.start)) if _is_trailer_block(block[self.start :]) else ()

    @cached_property
    def stray(self) -> tuple[Trailer, ...]:
        """Lines above the trailers that are well-known trailers by name, at the margin."""
        stop = self.start if self.trailers else len(self.lines)
        above = _trailers(self.lines[:stop], 2)
        return tuple(one for one in above if is_well_known(one.name) and one.value)

    @property
    def is_revert(self) -> bool:
        """Whether the commit takes another one back, as git-revert(1) or a person says it."""
        return self.lines[0].lower().startswith("revert") or any(
            line.startswith("This reverts commit") for line in self.lines
        )

    @property
    def has_block(self) -> bool:
        """Whether the last paragraph is one of trailers, with at least one that people know."""
        return any(is_well_known(one.name) for one in self.trailers)

    def in_block(self, number: int) -> bool:
        """Whether the line stands among the trailers."""
        return bool(self.trailers) and number > self.start

    def named(self, *keys: str) -> tuple[Trailer, ...]:
        """The trailers with these names, given in lower case, in order."""
        return tuple(one for one in self.trailers if one.key in keys)

    def prose(self) -> Iterator[tuple[int, str]]:
        """(number, line) of the text at the margin above the trailers: quoted text and logs are indented."""
        stop = self.start if self.trailers else len(self.lines)
        for index in range(2, stop):
            line = self.lines[index]
            if line.strip() and line[:1] not in (" ", "\t", ">", "|"):
                yield index + 1, line


def parse_message(text: str) -> CommitMessage:
    """The whole text of a commit; as for git (`%s` of git-log(1)) the lines of the first paragraph are its title."""
    lines = text.strip("\n").split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    end = next((index for index in range(first, len(lines)) if not lines[index].strip()), len(lines))
    below = next((index for index in range(end, len(lines)) if lines[index].strip()), len(lines))
    title = " ".join(line.rstrip() for line in lines[first:end]).strip()
    return CommitMessage((title, "", *lines[below:]))


def message_below(subject: str, text: str) -> CommitMessage:
    """The message with this title and, below it, this text."""
    return CommitMessage((subject, "", *text.split("\n")))


def is_trailer_line(line: str) -> bool:
    """Whether the line has the form of a trailer, wherever it stands."""
    return _TRAILER.fullmatch(line) is not None


def _is_trailer_block(lines: Iterable[str]) -> bool:
    """Whether git takes the paragraph for trailers: all its lines are, or a quarter and one of them made by git.

    Comments do not count; nor do indented lines, where they go on a trailer.
    """
    trailers, others = 0, 0
    by_git = goes_on = False
    for line in lines:
        if line.startswith(_COMMENT):
            goes_on = False
        elif line.startswith(_MADE_BY_GIT) or is_trailer_line(line):
            trailers += 1
            goes_on = True
            by_git = by_git or line.startswith(_MADE_BY_GIT)
        elif not (goes_on and line[:1].isspace()):
            others += 1
            goes_on = False
    return trailers * 3 >= others if by_git else trailers > 0 and others == 0


def _trailers(lines: Sequence[str], start: int) -> Iterator[Trailer]:
    """Each line from `start` that has the form of a trailer, with its continuation lines."""
    index = start
    while index < len(lines):
        match = _TRAILER.fullmatch(lines[index])
        number = index + 1
        index += 1
        if match is None:
            continue
        value = [match[2].strip()]
        while index < len(lines) and lines[index][:1].isspace() and lines[index].strip():
            value.append(lines[index].strip())
            index += 1
        yield Trailer(number, match[1], " ".join(value).strip(), match[0])
