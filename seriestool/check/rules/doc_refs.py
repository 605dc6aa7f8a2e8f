# SPDX-License-Identifier: GPL-2.0-or-later
"""References to files below Documentation/: those that the patch adds lead somewhere, and none is left behind.

scripts/documentation-file-ref-check looks for the same in the whole tree; here only what the series touches is read.
"""

import posixpath
import re
from collections.abc import Iterator
from itertools import islice

from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, SkipCheck, Status, skip
from seriestool.git import ScratchRepository
from seriestool.series.model import DiffKind, FileDiff, path_text

_SOURCE = "scripts/documentation-file-ref-check"
_REFERENCE = re.compile(rb"(?<![\w./~$%{}()<>@-])((?:[\w.-]{1,64}/){0,6})(Documentation/[\w.,~/*?\[\]+-]{1,200})")
_URL = re.compile(rb"https?://\S{0,2000}")
_OUTPUT = b"Documentation/output"
# Patterns for tools, not references; a file of MAINTAINERS is looked at by the check new-file.
_PASSED_OVER = re.compile(rb"(?:^|/)(?:Makefile|MAINTAINERS|\.[^/]*|[^/]*\.sh)(?:[^/]*)$")
_SUFFIXES = (b"", b".rst", b".txt", b".yaml")
_LINE, _LINES, _MOST = 1000, 100_000, 20
_FILES, _SIZE, _LISTED = 200, 4 << 20, 2000
_LOOKED_UP = 3000  # names of a patch; a document of all that there is has less


def run(subject: CheckSubject) -> Iterator[Finding]:
    """References that lead nowhere, each at its line."""
    if subject.after is None:
        raise SkipCheck("the patch does not apply")
    yield from islice(_dead(subject), _MOST)
    yield from islice(_left_behind(subject), _MOST)


def _dead(subject: CheckSubject) -> Iterator[Finding]:
    """References that the patch adds to files that are there neither after it nor after the series."""
    known = {name for file in subject.patch.files for name in _removed(file)}
    seen = set[tuple[bytes, bytes]]()
    trees = tuple(dict.fromkeys(tree for tree in (subject.after, subject.steps[-1].after) if tree is not None))
    if not any(subject.environment.scratch_repo.has_folder(tree, b"Documentation") for tree in trees):
        return  # it speaks of another project's: nfs-utils of the kernel's
    for file in subject.patch.files:
        if file.new_path is None or _PASSED_OVER.search(file.new_path):
            continue
        for number, name in _added(file):
            place = (posixpath.dirname(file.new_path), name)
            if name in known or place in seen or len(seen) >= _LOOKED_UP:
                continue
            seen.add(place)
            if any(_exists(subject.environment.scratch_repo, tree, file.new_path, name) for tree in trees):
                continue
            known.add(name)
            message = f"{path_text(name)} is not there, nor does the series add it"
            yield Finding(
                status=Status.WARN,
                rule="dead-reference",
                message=message,
                path=file.new_path,
                line=number,
                source=_SOURCE,
            )
    if len(seen) == _LOOKED_UP:
        yield skip("too-many", f"only the first {_LOOKED_UP} references were looked up")


def _added(file: FileDiff) -> Iterator[tuple[int, bytes]]:
    for number, text in islice((line for hunk in file.hunks for line in hunk.added), _LINES):
        if b"Documentation/" in text:
            yield from ((number, name) for name in _references(text))


def _removed(file: FileDiff) -> Iterator[bytes]:
    """What was referred to before, from wherever: that it is dead is nothing new."""
    lines = (line[1:] for hunk in file.hunks for line in hunk.lines if line.startswith(b"-"))
    for text in islice(lines, _LINES):
        if b"Documentation/" in text:
            yield from _references(text)


def _references(text: bytes) -> Iterator[bytes]:
    text = _URL.sub(b"", text[:_LINE])
    for match in _REFERENCE.finditer(text):
        name = match[2]
        rest = text[match.end() : match.end() + 1]
        if rest in (b"{", b"<", b"$", b"%", b"(") or name.startswith(_OUTPUT):
            continue  # a name with a part left open
        if b"[" not in name:
            name = name.partition(b"]")[0]
        name = re.sub(rb"\[\d{1,3}\]$", b"", name).rstrip(b".,-")
        if b"..." not in name and name != b"Documentation/":
            yield match[1] + name


def _exists(scratch_repo: ScratchRepository, tree: str, by: bytes, name: bytes) -> bool:
    """Whether the tree has what is named, from its top or from beside the file that names it."""
    folder = posixpath.dirname(by)
    # tools/x has a Documentation/ of its own, and so may its parent.
    tops = (b"", folder, posixpath.dirname(folder), posixpath.dirname(posixpath.dirname(folder)))
    inner = name[name.find(b"Documentation/") :]
    return any(_is_there(scratch_repo, tree, posixpath.join(top, one)) for top in tops for one in {name, inner})


def _is_there(scratch_repo: ScratchRepository, tree: str, path: bytes) -> bool:
    path = posixpath.normpath(path)
    wild = re.search(rb"[*?\[]", path)
    if wild is None:
        return bool(scratch_repo.entries(tree, [path + suffix for suffix in _SUFFIXES])) or scratch_repo.has_folder(
            tree, path
        )
    return _fits(scratch_repo, tree, path, wild.start())


def _fits(scratch_repo: ScratchRepository, tree: str, pattern: bytes, wild: int) -> bool:
    # Only what stands before the first wildcard is looked for: enough to know that it is no slip of the pen.
    folder, _, start = pattern[:wild].rpartition(b"/")
    below = islice(scratch_repo.paths_below(tree, folder), _LISTED)
    return any(path[len(folder) + 1 :].startswith(start) for path, _ in below)


def _left_behind(subject: CheckSubject) -> Iterator[Finding]:
    """Documents that the patch takes away and that files which the series touches still name after it."""
    scratch_repo, last = subject.environment.scratch_repo, subject.steps[-1].after or subject.after
    assert last is not None  # noqa: S101
    gone = [file.old_path for file in subject.patch.files if file.kind in (DiffKind.DELETE, DiffKind.RENAME)]
    dead = [
        path for path in gone if path and path.startswith(b"Documentation/") and not scratch_repo.entries(last, (path,))
    ]
    if not dead:
        return
    touched = {file.new_path for step in subject.steps for file in step.patch.files if file.new_path is not None}
    for path in islice(sorted(touched), _FILES):
        content = subject.read(last, path)
        if content is None or len(content) > _SIZE or b"Documentation/" not in content:
            continue
        for name in dead:
            match = re.search(rb"(?<![\w/.-])%b(?![\w/-])" % re.escape(name), content)
            if match is not None:
                message = f"{path_text(name)} is named here and goes away"
                line = content.count(b"\n", 0, match.start()) + 1
                yield Finding(
                    status=Status.WARN, rule="left-behind", message=message, path=path, line=line, source=_SOURCE
                )


CHECK = Check(
    "doc-refs",
    "references to files of Documentation/ that are not there",
    Scope.PATCH,
    run,
    needs=frozenset((Requirement.BASE,)),
)
