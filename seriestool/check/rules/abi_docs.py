# SPDX-License-Identifier: GPL-2.0-or-later
"""Documentation/ABI: entries have their fields, leave by way of obsolete/, and new sysfs attributes have one."""

from collections.abc import Iterator

from seriestool.check.abi.abi_change import MOST_NAMES
from seriestool.check.abi.abi_entries import (
    FOLDER,
    AbiEntry,
    SysfsAttribute,
    is_abi_file,
    new_attributes,
    parse_entries,
)
from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, SkipCheck, Status
from seriestool.series.model import DiffKind
from seriestool.util.text import shortened

_SOURCE = "Documentation/ABI/README"
_LASTING = (FOLDER + b"stable/", FOLDER + b"testing/")


def _run(subject: CheckSubject) -> Iterator[Finding]:
    """Findings on the entries that the patch touches, and on the attributes that it adds."""
    touched = {path for file in subject.patch.files for path in (file.old_path, file.new_path) if path is not None}
    documents = sorted(path for path in touched if is_abi_file(path))
    attributes = new_attributes(subject.patch.files)
    if not documents and not attributes:
        return
    after = subject.after
    if after is None:
        raise SkipCheck("the patch does not apply to the base")
    for path in documents:
        yield from _entries(subject, path, after)
    if attributes and subject.environment.scratch_repo.has_folder(after, FOLDER.rstrip(b"/")):
        yield from _undocumented(subject, attributes)


def _entries(subject: CheckSubject, path: bytes, after: str) -> Iterator[Finding]:
    old = parse_entries(subject.read(subject.before, path) or b"")
    new = parse_entries(subject.read(after, path) or b"")
    known = {(entry.what, entry.lacks()) for entry in old}
    for entry in new:
        lacks = entry.lacks()
        if lacks and (entry.what, lacks) not in known:
            yield Finding(
                status=Status.WARN,
                rule="fields-missing",
                message=f"the entry of {_name(entry)} has no {' and no '.join(lacks)}",
                path=path,
                line=entry.line,
                source=_SOURCE,
            )
    if path.startswith(_LASTING) and not _removes_code(subject):
        kept = {what for entry in new for what in entry.what} | _elsewhere(subject)
        lost = [what for entry in old for what in entry.what if what not in kept]
        if lost:
            yield Finding(
                Status.WARN,
                "not-obsolete-first",
                f"no longer described, and not moved to obsolete/ or removed/: {shortened(lost, MOST_NAMES)}",
                path,
                source=_SOURCE,
            )


def _name(entry: AbiEntry) -> str:
    return entry.what[0] or "an interface without a name"


def _elsewhere(subject: CheckSubject) -> set[str]:
    """What the other files describe that the series touches."""
    end = subject.steps[-1].after or subject.after
    assert end is not None  # noqa: S101
    paths = {file.new_path for patch in subject.series.patches for file in patch.files if file.new_path is not None}
    texts = (subject.read(end, path) or b"" for path in paths if is_abi_file(path))
    return {what for text in texts for entry in parse_entries(text) for what in entry.what}


def _removes_code(subject: CheckSubject) -> bool:
    return any(
        file.kind is DiffKind.DELETE and (file.old_path or b"").endswith(b".c")
        for patch in subject.series.patches
        for file in patch.files
    )


def _undocumented(subject: CheckSubject, attributes: tuple[SysfsAttribute, ...]) -> Iterator[Finding]:
    described = _described(subject)
    unknown = [one for one in attributes if one.name.encode() not in described]
    if unknown:
        names = shortened([one.name for one in unknown], MOST_NAMES)
        yield Finding(
            status=Status.WARN,
            rule="attribute-undocumented",
            message=f"new in sysfs, and not in Documentation/ABI: {names}",
            path=unknown[0].path,
            line=unknown[0].line,
            source=_SOURCE,
        )


def _described(subject: CheckSubject) -> frozenset[bytes]:
    """The last parts of all names that the tree describes, as the series leaves it."""
    end = subject.steps[-1].after or subject.after
    assert end is not None  # noqa: S101
    scratch_repo = subject.environment.scratch_repo
    found: set[bytes] = set()
    for path, entry in scratch_repo.paths_below(end, FOLDER.rstrip(b"/")):
        if entry.kind == "blob" and is_abi_file(path):
            for one in parse_entries(scratch_repo.blob(entry.oid)):
                found.update(what.rpartition("/")[2].encode() for what in one.what)
    return frozenset(found)


CHECK = Check(
    name="abi-docs",
    summary="Documentation/ABI: entries are whole, and new sysfs attributes have one",
    scope=Scope.PATCH,
    run=_run,
    needs=frozenset({Requirement.BASE}),
)
