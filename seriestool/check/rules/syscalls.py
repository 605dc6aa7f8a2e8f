# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of system calls: numbers stay what they are, and a new call is in all of them."""

from collections.abc import Iterator

from seriestool.check.abi.abi_change import MOST_NAMES, ChangeSeverity
from seriestool.check.abi.syscall_tables import (
    GENERIC,
    SyscallRow,
    SyscallTable,
    added,
    compare_tables,
    is_for_all,
    is_table,
    parse_generic,
    parse_table,
    shared_number,
)
from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, SkipCheck, Status
from seriestool.util.text import shortened

_SOURCE = "Documentation/process/adding-syscalls.rst"
_STATUS = {ChangeSeverity.NOTE: Status.PASS, ChangeSeverity.ASK: Status.WARN, ChangeSeverity.BREAK: Status.FAIL}
_SYMLINK = 0o120000


def _run(subject: CheckSubject) -> Iterator[Finding]:
    """Findings on the tables that the patch touches."""
    touched = [file.path for file in subject.patch.files if is_table(file.path) or file.path == GENERIC]
    if not touched:
        return
    after = subject.after
    if after is None:
        raise SkipCheck("the patch does not apply to the base")
    new: dict[str, tuple[bytes, SyscallRow]] = {}
    for path in touched:
        was, now = _table(subject, subject.before, path), _table(subject, after, path)
        if path != GENERIC:  # there `uapi` looks at the numbers
            yield from _compared(path, was, now)
        for row in added(was, now):
            if row.name != "syscalls" and is_for_all(row, path):
                new.setdefault(row.name, (path, row))
    if new:
        yield from _new_calls(subject, new)


def _table(subject: CheckSubject, tree: str, path: bytes) -> SyscallTable:
    text = subject.read(tree, path) or b""
    return parse_generic(text) if path == GENERIC else parse_table(text)


def _compared(path: bytes, was: SyscallTable, now: SyscallTable) -> Iterator[Finding]:
    lines = {row.name: row.line for row in reversed((*was, *now))}
    for change in compare_tables(was, now):
        yield Finding(
            status=_STATUS[change.severity],
            rule=change.rule,
            message=change.message,
            path=path,
            line=lines.get(change.name),
            source=_SOURCE,
        )


def _new_calls(subject: CheckSubject, new: dict[str, tuple[bytes, SyscallRow]]) -> Iterator[Finding]:
    """What is to be said of calls that were not there before, by the tables as the whole series leaves them."""
    end = subject.steps[-1].after or subject.after
    assert end is not None  # noqa: S101
    start = subject.steps[0].before
    known = {row.name for path in _tables(subject, start) for row in _table(subject, start, path)}
    tables = {path: _table(subject, end, path) for path in _tables(subject, end)}
    for name, (path, row) in new.items():
        if name in known:  # elsewhere: here it is wired up
            continue
        wanted = shared_number(row, path)
        rows = {other: one for other, table in tables.items() for one in table if one.name == name}
        missing = sorted(other.decode("utf-8", "replace") for other in tables if other not in rows)
        if missing and len(missing) < len(tables):
            yield Finding(
                status=Status.WARN,
                rule="not-in-all-tables",
                message=f"{name} is not in {shortened(missing, MOST_NAMES)}",
                path=path,
                line=row.line,
                source=_SOURCE,
            )
        for other, one in rows.items():
            if shared_number(one, other) != wanted:
                where = other.decode("utf-8", "replace")
                yield Finding(
                    status=Status.WARN,
                    rule="number-differs",
                    message=f"{name} has the number {one.number} in {where}, and {row.number} here",
                    path=path,
                    line=row.line,
                    source=_SOURCE,
                )
        yield Finding(
            status=Status.PASS,
            rule="new-call",
            message=f"{name} is new: it wants a manual page, and a test below tools/testing/selftests",
            path=path,
            line=row.line,
            mend="Cc: linux-api@vger.kernel.org, linux-man@vger.kernel.org",
            source=_SOURCE,
        )
    yield from _count(tables.get(GENERIC, ()), new)


def _count(generic: SyscallTable, new: dict[str, tuple[bytes, SyscallRow]]) -> Iterator[Finding]:
    count = next((row for row in generic if row.name == "syscalls"), None)
    past = [row for row in generic if row.name in new and count is not None and row.number >= count.number]
    if count is not None and past:
        yield Finding(
            status=Status.WARN,
            rule="count-not-raised",
            message=f"__NR_syscalls is {count.number}, and {past[-1].name} has that or more",
            path=GENERIC,
            line=count.line,
            mend=f"#define __NR_syscalls {max(row.number for row in past) + 1}",
            source=_SOURCE,
        )


def _tables(subject: CheckSubject, tree: str) -> list[bytes]:
    """All tables of the tree; those that are links to another one are that one."""
    scratch_repo = subject.environment.scratch_repo
    below = (pair for folder in (b"arch", b"scripts") for pair in scratch_repo.paths_below(tree, folder))
    found = [path for path, entry in below if entry.mode != _SYMLINK and is_table(path)]
    return found + [path for path in (GENERIC,) if scratch_repo.entries(tree, (path,))]


CHECK = Check(
    name="syscalls",
    summary="tables of system calls: numbers stay, new calls are in all of them",
    scope=Scope.PATCH,
    run=_run,
    needs=frozenset({Requirement.BASE}),
)
