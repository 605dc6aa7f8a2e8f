# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tree's own kernel-doc script warns of in the files of a patch, and did not before it."""

import posixpath
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from seriestool.check.protocol import (
    Check,
    CheckSubject,
    Finding,
    Requirement,
    Scope,
    SkipCheck,
    Status,
    only_new,
    skip,
)
from seriestool.git import ScratchRepository
from seriestool.sandbox import SandboxJob, SandboxLimits, SandboxResult
from seriestool.series.names import is_unsafe_path

_SCRIPT = b"scripts/kernel-doc"
# What it imports: nothing up to 6.15, then Python modules, which have moved once.
_MODULES = (b"scripts/lib/kdoc", b"tools/lib/python")
_LINK = 0o120000
_SUFFIXES = (b".c", b".h")
_PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
_LIMITS = SandboxLimits(seconds=120, memory=1 << 30, processes=50, file_size=64 << 20, disk=256 << 20)
_FILES = 200
_SIZE = 4 << 20
_MOST = 100
_LONGEST = 300
_SOURCE = "Documentation/doc-guide/kernel-doc.rst"

# `a/b.c:12: warning: text` of the one in Perl, `Warning: a/b.c:12 text` of the one in Python.
_PERL = re.compile(r"(before|after)/([^:\n]{1,4096}):(\d{1,9}): (warning|error): ([^\n]{1,1000})", re.IGNORECASE)
_PYTHON = re.compile(r"(Warning|Error): (before|after)/([^:\n]{1,4096}):(\d{1,9}):? ([^\n]{1,1000})", re.IGNORECASE)


class _KernelDocScript(Struct, frozen=True):
    """The script and what runs it."""

    script: bytes
    interpreter: str


def run(subject: CheckSubject) -> Iterator[Finding]:
    """The new warnings, each at its line after the patch."""
    if subject.after is None:
        raise SkipCheck("the patch does not apply")
    touched = [(file.old_path, file.new_path) for file in subject.patch.files if _is_source(file.new_path)]
    if not touched:
        return
    tool = _find_tool(subject)
    if len(touched) > _FILES:
        yield skip("too-many", f"only {_FILES} of {len(touched)} files were looked at")
    with TemporaryDirectory(prefix="seriestool-kernel-doc-") as name:
        files = _lay_out(subject, touched[:_FILES], Path(name))
        if not files:
            return
        outcome = _run(subject, tool, files, Path(name))
    if outcome.ended is not None:
        raise SkipCheck(f"kernel-doc was ended at the limit of {outcome.ended}")
    before, after = _said(outcome)
    if not after and _is_broken(outcome):
        raise SkipCheck(f"kernel-doc does not run: {_last_line(outcome)}")
    new = only_new(before, after)
    yield from new[:_MOST]
    if len(new) > _MOST:
        yield Finding(Status.PASS, "more", f"kernel-doc says {len(new) - _MOST} things more")


def _is_source(path: bytes | None) -> bool:
    return path is not None and path.endswith(_SUFFIXES)


def _find_tool(subject: CheckSubject) -> _KernelDocScript:
    """The script of the base; Skipped where it is not there, or what runs it is not."""
    scratch_repo, root = subject.environment.scratch_repo, subject.steps[0].before
    script = _behind_links(scratch_repo, root, _SCRIPT)
    text = subject.read(root, script) if script is not None else None
    if script is None or text is None:
        raise SkipCheck("the tree has no scripts/kernel-doc")
    language = "python3" if b"python" in text.partition(b"\n")[0] else "perl"
    interpreter = shutil.which(language, path=_PROGRAMS)
    if interpreter is None:
        raise SkipCheck(f"{language} is not installed, and kernel-doc needs it")
    return _KernelDocScript(script, interpreter)


def _behind_links(scratch_repo: ScratchRepository, tree: str, path: bytes) -> bytes | None:
    """The file that the path leads to inside the tree, or None."""
    for _ in range(4):
        entry = scratch_repo.entries(tree, (path,)).get(path)
        if entry is None or entry.kind != "blob":
            return None
        if entry.mode != _LINK:
            return path
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), scratch_repo.blob(entry.oid)))
        if is_unsafe_path(path):
            return None
    return None


def _lay_out(subject: CheckSubject, touched: Iterable[tuple[bytes | None, bytes | None]], folder: Path) -> list[str]:
    """Write the files as they were and as they are, under the name that they have now; their paths in the folder."""
    written = []
    for old, new in touched:
        assert new is not None and subject.after is not None  # noqa: S101
        states = (("before", subject.before, old), ("after", subject.after, new))
        for side, tree, path in states:
            content = subject.read(tree, path) if path is not None else None
            # What has no doc comment has nothing to warn of.
            if content is None or b"/**" not in content or len(content) > _SIZE or is_unsafe_path(new):
                continue
            file = folder / side / new.decode("utf-8", "surrogateescape")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            written.append(f"{side}/{new.decode('utf-8', 'surrogateescape')}")
    return written


def _run(subject: CheckSubject, tool: _KernelDocScript, files: Sequence[str], folder: Path) -> SandboxResult:
    assert subject.environment.sandbox is not None  # noqa: S101
    home = folder / "tree"
    subject.environment.scratch_repo.export(subject.steps[0].before, (tool.script, *_MODULES), home)
    argv = [tool.interpreter, str(home / tool.script.decode("utf-8", "surrogateescape")), "-Wall", "-none", *files]
    env = {"HOME": str(folder), "PATH": _PROGRAMS, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    return subject.environment.sandbox.run(SandboxJob(argv, folder, readable=(folder,), env=env, limits=_LIMITS))


def _said(outcome: SandboxResult) -> tuple[list[Finding], list[Finding]]:
    """What it warns of before and after the patch."""
    sides: dict[str, list[Finding]] = {"before": [], "after": []}
    for line in (outcome.stderr + b"\n" + outcome.stdout).decode("utf-8", "surrogateescape").split("\n"):
        if perl := _PERL.match(line):
            side, path, number, level, text = perl.groups()
        elif python := _PYTHON.match(line):
            level, side, path, number, text = python.groups()
        else:
            continue
        message = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()[:_LONGEST]
        where = path.encode("utf-8", "surrogateescape")
        sides[side].append(
            Finding(
                status=Status.WARN, rule=level.lower(), message=message, path=where, line=int(number), source=_SOURCE
            )
        )
    return sides["before"], sides["after"]


def _is_broken(outcome: SandboxResult) -> bool:
    # It ends with the number of warnings, or of errors; a script that does not run says so in its language's way.
    return outcome.code != 0 and bool(re.search(rb"Traceback|Error:|(?m:^Can't locate )| line \d+\.?$", outcome.stderr))


def _last_line(outcome: SandboxResult) -> str:
    return outcome.stderr.strip().decode("utf-8", "replace").split("\n")[-1][:_LONGEST]


CHECK = Check(
    "kernel-doc",
    "new warnings of the tree's kernel-doc script in the files of the patch",
    Scope.PATCH,
    run,
    needs=frozenset((Requirement.BASE, Requirement.KERNEL, Requirement.SANDBOX)),
    is_costly=True,
)
