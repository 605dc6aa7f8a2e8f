# SPDX-License-Identifier: GPL-2.0-or-later
"""The results in a kernel's log: KTAP as KUnit prints it, with the kernel's own lines in between.

The format: https://docs.kernel.org/dev-tools/ktap.html. A kernel that dies prints no result for what was running then,
and of what was to come only the number; such tests have no name here.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

_MAX_LEVELS = 8
_MAX_CASES = 50_000
_MAX_UNNAMED = 1000  # a plan is one number: `1..999999999` costs its writer nothing
_MAX_LINES = 60  # kept of each test
_MAX_LINE = 400
_MAX_TRACE = 32

_STAMP = re.compile(r"(?:<\d{1,3}>)?(?:\[[ 0-9]{1,12}\.[0-9]{1,9}\])?(?:\[[ TC0-9]{1,12}\])? ?")
_VERSION = re.compile(r"( *)K?TAP version \d{1,4}$")
_TITLE = re.compile(r"( *)# Subtest: (.+)$")
_PLAN = re.compile(r"( *)1\.\.(\d{1,9})(?: *#.*)?$")
_RESULT = re.compile(r"( *)(ok|not ok) (\d{1,9}) ?(?:- )?(.*)$")
_DIRECTIVE = re.compile(r"(?:^|\s)#\s?(SKIP|XFAIL|TODO|TIMEOUT|ERROR)\b\s?(.*)$", re.IGNORECASE)
_ATTRIBUTE = re.compile(r" *# (?:.{0,200}\.)?(?:module|speed|is_init): ")
_TOTALS = re.compile(r" *# .{1,200}: pass:\d+ fail:\d+ skip:\d+ total:\d+$")
_PANIC = re.compile(r"Kernel panic - not syncing: (.{1,300})")
_FRAME = re.compile(r" ?(?:\[<[0-9a-f]{1,16}>\] )?(?:\? )?([A-Za-z_][\w.]{0,120})\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}")
_POINTER = re.compile(r"R?IP: [0-9a-f]{1,4}:(?:\[<[0-9a-f]{1,16}>\] )?([A-Za-z_][\w.]{0,120})\+0x")
_END = "reboot: System halted"


class CaseStatus(StrEnum):
    """How a test ended."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SKIP = "skip"
    CRASHED = "crashed"
    """It was running when the kernel panicked."""
    MISSING = "missing"
    """It was announced, and there is no result of it."""


class Case(Struct, frozen=True):
    """A suite, a test, or a test with one of its parameters."""

    name: str
    """"" where the log does not say it."""
    number: int
    status: CaseStatus
    lines: tuple[str, ...] = ()
    """What was printed while it ran."""
    subtests: tuple["Case", ...] = ()


class KtapLog(Struct, frozen=True, kw_only=True):
    """What a kernel's log says of its tests."""

    suites: tuple[Case, ...]
    has_ktap: bool
    is_complete: bool
    """Whether each test that was announced has a result."""
    panic: str | None = None
    """Why the kernel gave up."""
    trace: tuple[str, ...] = ()
    """The functions on the stack then, the innermost first."""
    complaints: tuple[str, ...] = ()
    """What is wrong with the log itself."""


class _SubtestLevel(Struct):
    indent: int
    title: str | None = None
    plan: int | None = None
    cases: list[Case] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.plan is not None and len(self.cases) < self.plan


def parse_ktap(output: bytes) -> KtapLog:
    """What the log says of the tests; anything may stand in it."""
    reader = _KtapReader()
    for line in _lines(output):
        reader.read(line)
    return reader.log()


def _lines(output: bytes) -> Iterator[str]:
    """The lines without what the console puts before each: time stamps, and what precedes the first `KTAP version`."""
    prefix: str | None = None
    for raw in output.decode("utf-8", "replace").split("\n"):
        line = raw[: 4 * _MAX_LINE].rstrip("\r").removeprefix(prefix or "")
        stamp = _STAMP.match(line) if line[:1] in ("<", "[") else None
        line = line[stamp.end() :] if stamp else line
        at = line.find("KTAP version ")
        if at >= 0 and prefix is None:
            prefix = line[:at] if line[:at].strip() else ""
            line = line[len(prefix) :]
        text = line.lstrip(" \t")
        yield line[: len(line) - len(text)].expandtabs() + text.rstrip()


class _KtapReader:
    def __init__(self) -> None:
        self._levels: list[_SubtestLevel] = []
        self._pending: list[str] = []
        self._panic: str | None = None
        self._trace: list[str] = []
        self._complaints: list[str] = []
        self._cases = 0
        self._has_ktap = self._has_halted = False

    def read(self, line: str) -> None:
        """Take in the next line."""
        if self._cases >= _MAX_CASES or self._read_ktap(line):
            return
        self._has_halted |= line == _END
        self._read_death(line)
        # What a test says of itself goes before what the kernel says meanwhile.
        limit = _MAX_LINES if line.lstrip().startswith("# ") else _MAX_LINES // 2
        if len(self._pending) < limit and line and not _TOTALS.match(line) and not _ATTRIBUTE.match(line):
            self._pending.append(line[:_MAX_LINE])

    def _read_death(self, line: str) -> None:
        if found := _POINTER.search(line):  # UML prints it before it gives up, other machines afterwards
            self._trace = [found[1]]
        elif found := _PANIC.search(line):
            self._panic = found[1].strip()
        elif self._panic is not None and len(self._trace) < _MAX_TRACE and (found := _FRAME.match(line)):
            self._trace += [found[1]] if found[1] not in self._trace else []

    def _read_ktap(self, line: str) -> bool:
        """Whether the line is part of the results, and not something printed in between."""
        if found := _VERSION.match(line):
            if not self._has_ktap:
                self._pending.clear()  # the kernel's start
                self._levels.append(_SubtestLevel(len(found[1])))
            self._has_ktap = True
            return True
        if not self._has_ktap:
            return False
        if found := _TITLE.match(line):
            return self._read_title(len(found[1]), found[2])
        if found := _PLAN.match(line):
            return self._read_plan(len(found[1]), int(found[2]))
        if found := _RESULT.match(line):
            return self._read_result(len(found[1]), found[2] == "ok", int(found[3]), found[4])
        return False

    def _at(self, indent: int) -> int | None:
        """The level of a line, opened where it is a new one; None where it is too deep. KUnit indents by four."""
        level = next((at for at, one in enumerate(self._levels) if one.indent >= indent), len(self._levels))
        if level >= _MAX_LEVELS:
            return None
        if level == len(self._levels):
            self._levels.append(_SubtestLevel(indent))
        return level

    def _read_title(self, indent: int, title: str) -> bool:
        level = self._at(indent)
        if not level:
            return level == 0 and self._levels[0].indent == indent
        if self._levels[level].title is not None or self._levels[level].cases:
            self._give_up(level)
            self._levels.append(_SubtestLevel(indent))
        self._levels[level].title = title
        return True

    def _read_plan(self, indent: int, plan: int) -> bool:
        level = self._at(indent)
        if level is None:
            return False
        here = self._levels[level]
        # A kernel that loads test modules prints one document after the other.
        here.plan = plan + (len(here.cases) if level == 0 else 0)
        return True

    def _read_result(self, indent: int, is_ok: bool, number: int, text: str) -> bool:
        level = self._at(indent)
        if level is None:
            return False
        name, status = _named(text, is_ok)
        subtests: tuple[Case, ...] = ()
        if len(self._levels) > level + 1:
            self._close_above(level + 1, CaseStatus.MISSING)
            title = self._levels[level + 1].title
            if title is not None and title != name:
                self._complain(f"the result of '{title}' calls it '{name}'")
            subtests = self._pop(CaseStatus.MISSING)
        here = self._levels[level]
        if number != len(here.cases) + 1 and level:
            self._complain(f"result {len(here.cases) + 1} is numbered {number}")
        self._add(here, Case(name=name, number=number, status=status, lines=tuple(self._pending), subtests=subtests))
        self._pending.clear()
        self._panic, self._trace = None, []  # whoever prints a result afterwards is alive
        return True

    def _complain(self, text: str) -> None:
        if len(self._complaints) < _MAX_LINES:
            self._complaints.append(text[:_MAX_LINE])

    def _add(self, level: _SubtestLevel, case: Case) -> None:
        self._cases += 1
        level.cases.append(case)

    def _give_up(self, level: int) -> None:
        """The suite at this level began, and another one began before its result came."""
        self._close_above(level, CaseStatus.MISSING)
        title = self._levels[level].title or ""
        subtests = self._pop(CaseStatus.MISSING)
        self._complain(f"there is no result of '{title}'")
        below = self._levels[level - 1]
        self._add(
            below, Case(name=title, number=len(below.cases) + 1, status=CaseStatus.MISSING, lines=(), subtests=subtests)
        )

    def _close_above(self, level: int, status: CaseStatus) -> None:
        """Give whatever is open above the level to what it belongs to, which has no result either."""
        while len(self._levels) > level + 1:
            title = self._levels[-1].title or ""
            subtests = self._pop(status)
            here = self._levels[-1]
            is_in_there = any(case.status is CaseStatus.CRASHED for case in subtests)
            lines = tuple(self._pending) if status is CaseStatus.CRASHED and not is_in_there else ()
            self._add(here, Case(name=title, number=len(here.cases) + 1, status=status, lines=lines, subtests=subtests))

    def _pop(self, status: CaseStatus) -> tuple[Case, ...]:
        """The cases of the innermost level; of those without a result the first has `status`."""
        level = self._levels.pop()
        count = max(0, min((level.plan or 0) - len(level.cases), _MAX_UNNAMED, _MAX_CASES - self._cases))
        self._cases += count
        at = len(level.cases) + 1
        rest = [Case("", at + i, CaseStatus.MISSING) for i in range(count)]
        is_running = rest and not any(case.status is CaseStatus.CRASHED for case in level.cases)
        if is_running and status is CaseStatus.CRASHED:
            rest[0] = replace(rest[0], status=status, lines=tuple(self._pending))
        return (*level.cases, *rest)

    def log(self) -> KtapLog:
        """What was read."""
        is_planned = bool(self._levels) and self._levels[0].plan is not None
        is_at_end = len(self._levels) <= 1 and not any(one.is_open for one in self._levels)
        is_complete = self._has_ktap and is_at_end and (is_planned or self._has_halted)
        status = CaseStatus.CRASHED if self._panic is not None and not is_complete else CaseStatus.MISSING
        suites: tuple[Case, ...] = ()
        if self._levels:
            self._close_above(0, status)
            suites = self._pop(status)
        trace = tuple(self._trace) if self._panic is not None else ()
        return KtapLog(
            suites=suites,
            has_ktap=self._has_ktap,
            is_complete=is_complete,
            panic=self._panic,
            trace=trace,
            complaints=tuple(self._complaints),
        )


def _named(text: str, is_ok: bool) -> tuple[str, CaseStatus]:
    """The name in a result line, and the status that it states."""
    found = _DIRECTIVE.search(text)
    name = (text[: found.start()] if found else text).strip()[:_MAX_LINE]
    if found and found[1].upper() == "SKIP":
        return name, CaseStatus.SKIP
    if found and found[1].upper() in ("TIMEOUT", "ERROR"):
        return name, CaseStatus.FAIL
    return name, CaseStatus.PASS if is_ok else CaseStatus.FAIL
