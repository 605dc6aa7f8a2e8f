# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of two kernels side by side: what passes no more, what is new, where the second one died.

A kernel that panics leaves tests without a name behind; the first one's results say which they are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from seriestool.check.kunit.ktap import Case, CaseStatus, KtapLog

CasePath = tuple[str, ...]
"""The names of a suite, of a test in it, of a parameter of that."""

_BAD = frozenset({CaseStatus.FAIL, CaseStatus.CRASHED})
_PLACE = re.compile(r"(?:EXPECTATION|ASSERTION) FAILED at ([\w./+-]{1,200}):(\d{1,7})")
_ABOUT = re.compile(r" *# (.{1,200}?): (.+)")
_ADDRESS = re.compile(r"\b(?:0x)?[0-9a-f]{8,16}\b")


class KernelCrash(Struct, frozen=True):
    """Where a kernel died."""

    path: CasePath
    """The test that was running, as far as it is known: perhaps only its suite."""
    reason: str
    function: str | None
    """The function that it died in."""
    not_run: int
    """How many tests of the kernel before it were not reached."""


class ResultDifference(Struct, frozen=True, kw_only=True):
    """What the second kernel does otherwise; tests in the order in which they ran."""

    broken: tuple[tuple[CasePath, Case], ...] = ()
    """They passed, and fail."""
    moved: tuple[tuple[CasePath, Case], ...] = ()
    """They passed, and fail for no reason but one for which another test failed before."""
    new: tuple[CasePath, ...] = ()
    """They were not there, and pass or skip themselves."""
    new_failing: tuple[tuple[CasePath, Case], ...] = ()
    """They were not there, or skipped themselves, and fail."""
    fixed: tuple[CasePath, ...] = ()
    gone: tuple[CasePath, ...] = ()
    """They passed, and are there no more."""
    still_failing: tuple[CasePath, ...] = ()
    unfinished: CasePath | None = None
    """Where the results end, though the kernel does not say that it died."""
    crash: KernelCrash | None = None
    not_run: tuple[CasePath, ...] = ()
    """They were there, and were not reached by a kernel that died or was ended."""


def leaves(log: KtapLog) -> dict[CasePath, Case]:
    """Path -> case, of all that has no subtests, in order; a name that comes twice gets a number."""
    found: dict[CasePath, Case] = {}
    again: dict[CasePath, int] = {}
    for path, case in _leaves(log.suites, ()):
        name = path
        while name in found:
            again[path] = again.get(path, 1) + 1
            name = (*path[:-1], f"{path[-1]} ({again[path]})")
        found[name] = case
    return found


def _leaves(cases: Iterable[Case], above: CasePath) -> Iterator[tuple[CasePath, Case]]:
    for case in cases:
        path = (*above, case.name)
        if case.subtests:
            yield from _leaves(case.subtests, path)
            # A suite can fail where all of its tests pass: in what it does after them.
            if case.status is CaseStatus.FAIL and not any(one.status in _BAD for one in case.subtests):
                yield path, case
        elif case.name or case.status is CaseStatus.CRASHED:
            yield path, case


def compare(old: Mapping[CasePath, Case], after: KtapLog) -> ResultDifference:
    """What `after` does otherwise than the kernels before, of whose tests `old` has the last that is known."""
    new = leaves(after)
    known = _reasons(old.items())
    builder = _DifferenceBuilder(known)
    for path, case in new.items():
        if case.status is not CaseStatus.CRASHED:
            builder.take(path, old.get(path), case)
    absent = [path for path in old if path not in new or new[path].status is CaseStatus.MISSING]
    lost = tuple(path for path in absent if old[path].status is not CaseStatus.MISSING)
    crash = _crash(old, after, len(lost)) if after.panic is not None else None
    stopped = crash is not None or not after.is_complete
    return ResultDifference(
        broken=tuple(builder.broken),
        moved=tuple(builder.moved),
        new=tuple(builder.new),
        new_failing=tuple(builder.new_failing),
        fixed=tuple(builder.fixed),
        gone=() if stopped else tuple(path for path in lost if old[path].status is CaseStatus.PASS),
        still_failing=tuple(builder.still_failing),
        unfinished=_stopped_at(old, after) if crash is None and not after.is_complete else None,
        crash=crash,
        not_run=lost if stopped else (),
    )


class _DifferenceBuilder(Struct):
    known: frozenset[str]
    broken: list[tuple[CasePath, Case]] = field(default_factory=list)
    moved: list[tuple[CasePath, Case]] = field(default_factory=list)
    new: list[CasePath] = field(default_factory=list)
    new_failing: list[tuple[CasePath, Case]] = field(default_factory=list)
    fixed: list[CasePath] = field(default_factory=list)
    still_failing: list[CasePath] = field(default_factory=list)

    def take(self, path: CasePath, before: Case | None, after: Case) -> None:
        """Put the test where it belongs."""
        was_bad = before is not None and before.status in _BAD
        if after.status in _BAD:
            if was_bad:
                self.still_failing.append(path)
            else:
                self._failing(path, before, after)
        elif after.status is CaseStatus.PASS and was_bad:
            self.fixed.append(path)
        elif after.status in (CaseStatus.PASS, CaseStatus.SKIP) and before is None:
            self.new.append(path)

    def _failing(self, path: CasePath, before: Case | None, after: Case) -> None:
        reasons = reasons_of(after)
        # An expectation of its own is its own failure, though another parameter failed at the same line before.
        if reasons and reasons <= self.known and place_of(after) is None:
            self.moved.append((path, after))
        elif before is not None and before.status is CaseStatus.PASS:
            self.broken.append((path, after))
        else:
            self.new_failing.append((path, after))


def reasons_of(case: Case) -> frozenset[str]:
    """What a test that failed says of why, without its own name and without addresses."""
    found = (_ABOUT.match(line) for line in case.lines)
    return frozenset(_ADDRESS.sub("*", one[2]) for one in found if one)


def _reasons(cases: Iterable[tuple[CasePath, Case]]) -> frozenset[str]:
    return frozenset(reason for _, case in cases if case.status in _BAD for reason in reasons_of(case))


def failure_text_of(case: Case) -> str:
    """What a test that failed says of why, on one line; "" where it says nothing."""
    lines = list(case.lines)
    at = next((number for number, line in enumerate(lines) if _PLACE.search(line)), None)
    if at is None:
        return next((found[2] for found in map(_ABOUT.match, lines) if found), "")[:300]
    told = [line.strip() for line in lines[at + 1 : at + 4] if not line.lstrip().startswith("#")]
    return " ".join(told)[:300]


def place_of(case: Case) -> tuple[bytes, int] | None:
    """(path, line) of the expectation that did not hold, or None where the log names none."""
    for line in case.lines:
        if found := _PLACE.search(line):
            return found[1].encode(), int(found[2])
    return None


def _crash(old: Mapping[CasePath, Case], after: KtapLog, lost: int) -> KernelCrash:
    path = _stopped_at(old, after) or ()
    is_known = path in old and old[path].status is not CaseStatus.MISSING
    return KernelCrash(path, after.panic or "", after.trace[0] if after.trace else None, max(lost - is_known, 0))


def _stopped_at(old: Mapping[CasePath, Case], after: KtapLog) -> CasePath | None:
    """The test that was running when the results end; its suite where its name is known from nowhere."""
    above: CasePath = ()
    cases = after.suites
    while cases:
        case = next((one for one in cases if one.status in (CaseStatus.CRASHED, CaseStatus.MISSING)), None)
        if case is None:
            return above or None
        name = case.name or _next_name(old, above, [one.name for one in cases if one.name and one is not case])
        if name is None:
            return above or None
        above, cases = (*above, name), case.subtests
    return above or None


def _next_name(old: Mapping[CasePath, Case], above: CasePath, seen: list[str]) -> str | None:
    """The name of the test that ran after the last of `seen`, in the kernel before."""
    names = list(
        dict.fromkeys(path[len(above)] for path in old if path[: len(above)] == above and len(path) > len(above))
    )
    places = {name: place for place, name in enumerate(names)}
    at = next((places[name] for name in reversed(seen) if name in places), -1)
    known = frozenset(seen)
    return next((name for name in names[at + 1 :] if name not in known), None)
