# SPDX-License-Identifier: GPL-2.0-or-later
"""A commit message as numbered lines, with its trailers where they stand (git-interpret-trailers(1))."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from seriestool.series.message.trailer_names import is_well_known
from seriestool.series.model import Patch

_TRAILER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)([ \t]*:[ \t]*)(.*)", re.S)
_MADE_BY_GIT = ("Signed-off-by: ", "(cherry picked from commit ")


@dataclass(frozen=True, slots=True)
class TrailerLine:
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


@dataclass(frozen=True)
class CommitMessage:
    """A commit message; `lines[0]` is the subject, `lines[1]` the empty line below it."""

    lines: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The title."""
        return self.lines[0]

    @cached_property
    def start(self) -> int:
        """The index of the first line of the last paragraph; that of no line where there is only a subject."""
        end = len(self.lines)
        while end > 2 and not self.lines[end - 1].strip():
            end -= 1
        start = end
        while start > 2 and self.lines[start - 1].strip():
            start -= 1
        return start if end > 2 else len(self.lines)

    @cached_property
    def trailers(self) -> tuple[TrailerLine, ...]:
        """The trailers of the last paragraph; () where git takes that for text."""
        found = tuple(_trailers(self.lines, self.start))
        lines = [line for line in self.lines[self.start :] if line.strip()]
        own = sum(not line[:1].isspace() for line in lines)
        by_git = any(line.startswith(_MADE_BY_GIT) for line in lines)
        return found if len(found) == own or (by_git and len(found) * 4 >= own) else ()

    @cached_property
    def stray(self) -> tuple[TrailerLine, ...]:
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

    def named(self, *keys: str) -> tuple[TrailerLine, ...]:
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


def message_of(patch: Patch) -> CommitMessage:
    """The commit message of a mailed patch."""
    return CommitMessage((patch.subject, "", *patch.message.split("\n")))


def _trailers(lines: Sequence[str], start: int) -> Iterator[TrailerLine]:
    """Each line from `start` that has the form of a trailer, with its continuation lines."""
    index = start
    while index < len(lines):
        match = _TRAILER.fullmatch(lines[index])
        number = index + 1
        index += 1
        if match is None:
            continue
        value = [match[3].strip()]
        while index < len(lines) and lines[index][:1] in (" ", "\t") and lines[index].strip():
            value.append(lines[index].strip())
            index += 1
        yield TrailerLine(number, match[1], " ".join(value).strip(), match[0])
