# SPDX-License-Identifier: GPL-2.0-or-later
"""What dtschema's dt-doc-validate says of the devicetree bindings of a patch, and did not before it."""

import os
import posixpath
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, SkipCheck, Status, only_new
from seriestool.sandbox import SandboxJob, SandboxLimits, SandboxResult

_BINDINGS = b"Documentation/devicetree/bindings/"
_SOURCE = "Documentation/devicetree/bindings/writing-schema.rst"
_PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
_LIMITS = SandboxLimits(seconds=120, memory=1 << 30, processes=50, file_size=64 << 20, disk=64 << 20)
_FILES, _REFERRED, _SIZE = 100, 300, 1 << 20
_MOST, _LONGEST = 50, 300
_REFERENCE = re.compile(rb"\$ref:\s*['\"]?([^\s'\"#]{1,200}\.yaml)")
_WANTED = re.compile(rb"DT_SCHEMA_MIN_VERSION\s*=\s*([0-9.]{1,20})")
_SAID = re.compile(
    r"[^\s:]{0,4096}?(Documentation/devicetree/bindings/[^\s:]{1,4096}\.yaml):(?:(\d{1,9}):\d{1,9}:)? ?(.*)"
)


def run(subject: CheckSubject) -> Iterator[Finding]:
    """New complaints of dt-doc-validate."""
    if subject.after is None:
        raise SkipCheck("the patch does not apply")
    paths = [file.new_path for file in subject.patch.files if file.new_path is not None and _is_schema(file.new_path)]
    if not paths:
        return
    program = shutil.which("dt-doc-validate", path=_PROGRAMS)
    if program is None:
        raise SkipCheck(
            "dt-doc-validate is not in /usr/local/bin nor /usr/bin, where the sandbox sees it: "
            "install dtschema there (Debian: apt install dt-schema)"
        )
    _compare_versions(subject, program)
    sides = [_ask(subject, program, tree, paths[:_FILES]) for tree in (subject.before, subject.after)]
    new = only_new(sides[0], sides[1])
    yield from new[:_MOST]
    if len(new) > _MOST:
        yield Finding(Status.PASS, "more", f"dt-doc-validate says {len(new) - _MOST} things more")


def _is_schema(path: bytes) -> bool:
    return path.startswith(_BINDINGS) and path.endswith(b".yaml")


def _compare_versions(subject: CheckSubject, program: str) -> None:
    """SkipCheck where the tree wants a newer dtschema than there is."""
    wanted = _WANTED.search(subject.read(subject.before, _BINDINGS + b"Makefile") or b"")
    if wanted is None:
        return
    with TemporaryDirectory(prefix="seriestool-dt-schema-") as name:
        have = _run(subject, [program, "--version"], Path(name)).stdout.decode("utf-8", "replace").strip()
    least = wanted[1].decode()
    if _numbers(have) < _numbers(least):
        raise SkipCheck(f"dtschema {have or 'of an unknown version'} is older than {least}, which the tree wants")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d{1,9}", version)]


def _ask(subject: CheckSubject, program: str, tree: str, paths: Iterable[bytes]) -> list[Finding]:
    with TemporaryDirectory(prefix="seriestool-dt-schema-") as name:
        folder = Path(name)
        here = [path for path in paths if _write(subject, tree, path, folder) is not None]
        if not here:
            return []
        _write_referred(subject, tree, here, folder)
        argv = [program, "-u", os.fsdecode(_BINDINGS.rstrip(b"/")), *map(os.fsdecode, here)]
        outcome = _run(subject, argv, folder)
    if outcome.ended is not None:
        raise SkipCheck(f"dt-doc-validate was ended at the limit of {outcome.ended}")
    if b"Traceback (most recent call last)" in outcome.stderr:
        last = outcome.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
        raise SkipCheck(f"dt-doc-validate does not run: {last[:_LONGEST]}")
    return list(_said(outcome, name))


def _run(subject: CheckSubject, argv: list[str], folder: Path) -> SandboxResult:
    assert subject.environment.sandbox is not None  # noqa: S101
    env = {"HOME": str(folder), "PATH": _PROGRAMS, "LC_ALL": "C.UTF-8"}
    return subject.environment.sandbox.run(SandboxJob(argv, folder, readable=(folder,), env=env, limits=_LIMITS))


def _write(subject: CheckSubject, tree: str, path: bytes, folder: Path) -> bytes | None:
    content = subject.read(tree, path)
    if content is None or len(content) > _SIZE:
        return None
    subject.environment.scratch_repo.export(tree, (path,), folder)
    return content


def _write_referred(subject: CheckSubject, tree: str, paths: Iterable[bytes], folder: Path) -> None:
    """The schemas of the tree that these lead to, which dtschema looks up by their names."""
    waiting, seen = list(paths), set(paths)
    while waiting and len(seen) < _REFERRED:
        path = waiting.pop()
        for target in _REFERENCE.findall(_write(subject, tree, path, folder) or b"")[:_REFERRED]:
            if target.startswith(b"/schemas/"):
                other = _BINDINGS + target.removeprefix(b"/schemas/")
            else:
                other = posixpath.join(posixpath.dirname(path), target)
            other = posixpath.normpath(other)
            if other not in seen and _is_schema(other):
                seen.add(other)
                waiting.append(other)


def _said(outcome: SandboxResult, folder: str) -> Iterator[Finding]:
    text = (outcome.stdout + b"\n" + outcome.stderr).decode("utf-8", "replace").replace(folder, "")
    lines = text.split("\n")
    for number, line in enumerate(lines):
        match = _SAID.match(line)
        if match is None:
            continue
        path, at, message = match.groups()
        # What is wrong stands in the line below where this one only says that something is.
        below = lines[number + 1] if number + 1 < len(lines) else ""
        said = f"{message} {below.strip()}" if below.startswith(("\t", "  ")) else message
        yield Finding(
            status=Status.WARN,
            rule="schema",
            message=said.strip()[:_LONGEST],
            path=path.encode(),
            line=int(at) if at else None,
            source=_SOURCE,
        )


CHECK = Check(
    "dt-schema",
    "new complaints of dt-doc-validate about devicetree bindings",
    Scope.PATCH,
    run,
    needs=frozenset((Requirement.BASE, Requirement.KERNEL, Requirement.SANDBOX)),
    is_costly=True,
)
