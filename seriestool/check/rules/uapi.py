# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs see of the kernel's headers, before the patch and after it, as a compiler sees it."""

import platform
from collections.abc import Iterator

from seriestool.check.abi.abi_change import AbiChange, ChangeSeverity
from seriestool.check.abi.allowed_changes import BUILT_IN, AllowedChange, downgrade_allowed, parse_allowed
from seriestool.check.abi.header_compiler import CannotCompile
from seriestool.check.abi.header_text import ioctl_magics, lacks_syscall_note, leaked_options, listed_magics
from seriestool.check.abi.installed_headers import find_header
from seriestool.check.abi.uapi_comparison import HeaderComparison, UapiComparer
from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, SkipCheck, Status, skip
from seriestool.sandbox import scratch
from seriestool.series.model import DiffKind
from seriestool.util.config import all_texts

_ALLOW = "seriestool.check.uapi-allow"
_MAGICS = b"Documentation/userspace-api/ioctl/ioctl-number.rst"
_INSTALL = b"scripts/headers_install.sh"
_LIST = "linux-api@vger.kernel.org"


def _run(subject: CheckSubject) -> Iterator[Finding]:
    """Findings on the headers for user space that the patch touches, and on those that include them."""
    paths = _headers(subject)
    if not paths:
        return
    after = subject.after
    if after is None:
        raise SkipCheck("the patch does not apply to the base")
    for path in paths:
        yield from _by_text(subject, path, after)
    yield from _compared(subject, paths, after)
    yield from _announced(subject, paths[0])


def _headers(subject: CheckSubject) -> list[bytes]:
    named = (path for file in subject.patch.files for path in (file.old_path, file.new_path) if path is not None)
    return [path for path in dict.fromkeys(named) if find_header(path)]


def _by_text(subject: CheckSubject, path: bytes, after: str) -> Iterator[Finding]:
    """What needs no compiler."""
    text, old = subject.read(after, path), subject.read(subject.before, path) or b""
    if text is None:
        return
    if lacks_syscall_note(text) and not lacks_syscall_note(old):
        yield Finding(
            status=Status.FAIL,
            rule="syscall-note",
            message="a header for user space under the GPL needs 'WITH Linux-syscall-note'",
            path=path,
            line=1,
            mend="/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */",
            source="scripts/headers_install.sh",
        )
    known = leaked_options(old)
    ignored = subject.read(after, _INSTALL) or b""
    for option, line in leaked_options(text).items():
        if option not in known and path + b":" + option.encode() not in ignored:
            yield Finding(
                status=Status.FAIL,
                rule="config-leak",
                message=f"{option} is asked about: programs have no configuration",
                path=path,
                line=line,
                source="scripts/headers_install.sh",
            )
    new = ioctl_magics(text).items() - ioctl_magics(old).items()
    table = subject.read(after, _MAGICS) if new else None
    listed, had = listed_magics(table or b""), ioctl_magics(old)
    for magic, line in sorted(new):
        if table is not None and magic not in listed and magic not in had:
            yield Finding(
                status=Status.WARN,
                rule="ioctl-magic",
                message=f"ioctls with the number {_magic(magic)} are not in ioctl-number.rst",
                path=path,
                line=line,
                source=_MAGICS.decode(),
            )


def _magic(value: int) -> str:
    return f"'{chr(value)}'" if 0x20 < value < 0x7F else f"{value:#04x}"


def _compared(subject: CheckSubject, paths: list[bytes], after: str) -> Iterator[Finding]:
    """What the compiler sees."""
    environment = subject.environment
    if environment.sandbox is None:
        yield skip("not-compiled", "there is no sandbox to compile headers in")
        return
    allowed = (*BUILT_IN, *map(parse_allowed, all_texts(environment.config, _ALLOW)))
    with scratch("uapi") as folder:
        comparer = UapiComparer(environment.scratch_repo, environment.sandbox, folder, environment.jobs)
        try:
            for examined in comparer.compare_headers(subject.before, after, paths, platform.machine()):
                yield from _findings(subject, examined, allowed)
        except CannotCompile as reason:
            yield skip("not-compiled", str(reason))


def _findings(
    subject: CheckSubject, examined: HeaderComparison, allowed: tuple[AllowedChange, ...]
) -> Iterator[Finding]:
    if examined.unseen is not None:
        yield Finding(Status.SKIP, "not-compared", examined.unseen, examined.path)
    for change, line in examined.changes:
        yield _finding(subject, examined.path, downgrade_allowed(examined.name, change, allowed), line)
    if examined.more:
        message = f"{examined.more} more changes of {examined.name} are not shown"
        yield Finding(Status.WARN, "more", message, examined.path)


def _finding(subject: CheckSubject, path: bytes, change: AbiChange, line: int | None) -> Finding:
    status = {ChangeSeverity.NOTE: Status.PASS, ChangeSeverity.ASK: Status.WARN, ChangeSeverity.BREAK: Status.FAIL}[
        change.severity
    ]
    message = change.message
    if change.rule == "header-removed" and status is Status.FAIL and _removes_code(subject):
        status, message = Status.WARN, f"{message}, as is the code that the series removes"
    return Finding(
        status=status,
        rule=change.rule,
        message=message,
        path=path,
        line=line,
        source="Documentation/dev-tools/checkuapi.rst",
    )


def _removes_code(subject: CheckSubject) -> bool:
    """Whether the series removes code too, as when a whole driver goes."""
    return any(
        file.kind is DiffKind.DELETE and (file.old_path or b"").endswith(b".c")
        for patch in subject.series.patches
        for file in patch.files
    )


def _announced(subject: CheckSubject, path: bytes) -> Iterator[Finding]:
    if subject.is_mailed and not any(_LIST in one.lower() for one in subject.series.recipients):
        yield Finding(
            Status.PASS,
            "cc-linux-api",
            f"what programs see changes here: {_LIST} wants to know",
            path,
            mend=f"Cc: {_LIST}",
            source="Documentation/process/submitting-patches.rst",
        )


CHECK = Check(
    name="uapi",
    summary="the kernel's headers for user space, compiled and compared",
    scope=Scope.PATCH,
    run=_run,
    needs=frozenset({Requirement.BASE, Requirement.SANDBOX, Requirement.COMPILER}),
    is_costly=True,
)
