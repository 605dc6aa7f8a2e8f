# SPDX-License-Identifier: GPL-2.0-or-later
"""Devicetree bindings: in patches of their own, before what uses them, and there for each compatible string.

The rules are those of Documentation/devicetree/bindings/submitting-patches.rst. Whether a binding is a valid schema is
the business of the check dt-schema.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from msgspec import Struct

from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, Status
from seriestool.series.model import DiffKind, FileDiff, Patch, path_text

_SOURCE = "Documentation/devicetree/bindings/submitting-patches.rst"
_BINDINGS = b"Documentation/devicetree/bindings/"
_DOCUMENTS = (b"Documentation/devicetree/", b"include/dt-bindings/")
_VENDORS = _BINDINGS + b"vendor-prefixes.yaml"
_TREES = (b".dts", b".dtsi", b".dtso")
_CODE = (b".c", b".h")
_LICENCE = re.compile(rb"SPDX-License-Identifier:[ \t]*([^\r\n]{0,200})")
_DUAL = {"GPL-2.0-ONLY", "OR", "BSD-2-CLAUSE"}
# In a patch that does one thing to bindings all over the tree, a prefix has no room for a folder.
_PREFIX = re.compile(r"\bdt-bindings?\b", re.IGNORECASE)

_IN_TREE = re.compile(rb"\s*(?:/\*.*\*/)?\s*compatible\s*=\s*(.*)")
_IN_CODE = re.compile(rb"[^\n]{0,200}\.compatible\s*=\s*(\"[^\"\n]{1,128}\")")
_STRING = re.compile(rb'"([A-Za-z0-9][A-Za-z0-9_.+-]{0,63},[A-Za-z0-9_.+-]{1,63})"')
_BUS = re.compile(rb"(?:usb|pci|pciclass|pciex|sd|fsia|mdio)[0-9a-f]*,", re.IGNORECASE)
_TESTS = re.compile(rb"(?:^|/)(?:kunit|unittest|selftest|tests?)|[-_](?:kunit|unittest|test)", re.IGNORECASE)
_LINE, _STRINGS, _MOST = 1000, 200, 20
_READ_FILES, _READ_BYTES = 12_000, 64 << 20


class _CompatibleUse(Struct, frozen=True):
    """Where a compatible string is used first."""

    counter: int
    path: bytes
    line: int


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What is wrong with the series' bindings, patch by patch, and what has none."""
    patches = subject.series.patches
    for patch in patches:
        yield from _alone(patch)
        yield from _new_bindings(patch)
    uses = _uses(patches)
    if not uses:
        return
    documented = _documented(patches, uses)
    yield from _order(uses, documented)
    yield from _undocumented(subject, {name: use for name, use in uses.items() if name not in documented})


def _is_document(path: bytes) -> bool:
    return path.startswith(_DOCUMENTS)


def _alone(patch: Patch) -> Iterator[Finding]:
    """Bindings with other things in one patch; a subject that does not say what the patch is."""
    documents = [file.path for file in patch.files if _is_document(file.path)]
    others = [file.path for file in patch.files if not _is_document(file.path) and file.path != b"MAINTAINERS"]
    if not documents:
        return
    if others:
        message = (
            f"devicetree bindings ({path_text(documents[0])}) and other files ({path_text(others[0])}) in one patch"
        )
        mend = "make the binding a patch of its own, before this one"
        yield Finding(
            status=Status.WARN,
            rule="split",
            message=message,
            path=documents[0],
            mend=mend,
            source=_SOURCE,
            counter=patch.counter,
        )
    elif any(path.startswith(_BINDINGS) for path in documents) and not _PREFIX.search(patch.subject):
        message = "the subject of a patch to devicetree bindings begins with 'dt-bindings: <folder>:'"
        mend = f"dt-bindings: {_folder(documents)}: {patch.subject.rpartition(': ')[2]}"
        yield Finding(
            status=Status.WARN, rule="prefix", message=message, line=1, mend=mend, source=_SOURCE, counter=patch.counter
        )


def _folder(documents: Iterable[bytes]) -> str:
    path = next(path for path in documents if path.startswith(_BINDINGS))
    return path_text(path.removeprefix(_BINDINGS).rpartition(b"/")[0]) or "<folder>"


def _new_bindings(patch: Patch) -> Iterator[Finding]:
    for file in patch.files:
        if file.kind is not DiffKind.CREATE or not file.path.startswith(_BINDINGS):
            continue
        if file.path.endswith(b".txt"):
            message = f"the new binding {path_text(file.path)} is no schema: bindings are written in YAML"
            yield Finding(
                status=Status.WARN,
                rule="text",
                message=message,
                path=file.path,
                line=1,
                source=_SOURCE,
                counter=patch.counter,
            )
        elif file.path.endswith(b".yaml"):
            yield from _licence(file, patch.counter)


def _licence(file: FileDiff, counter: int) -> Iterator[Finding]:
    first = next((text for hunk in file.hunks for _, text in hunk.added), b"")
    match = _LICENCE.search(first[:_LINE])
    named = match[1].decode("utf-8", "replace").strip() if match else ""
    # `-or-later` is as free, and is what many write.
    words = {word.upper().replace("-OR-LATER", "-ONLY") for word in re.findall(r"[\w.+-]+", named)}
    if match and not words >= _DUAL and not words >= {"GPL-2.0", "OR", "BSD-2-CLAUSE"}:
        message = f"new bindings have two licences, (GPL-2.0-only OR BSD-2-Clause), and this one {named!r}"
        mend = "# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)"
        yield Finding(
            status=Status.WARN,
            rule="licence",
            message=message,
            path=file.path,
            line=1,
            mend=mend,
            source=_SOURCE,
            counter=counter,
        )


def _uses(patches: Iterable[Patch]) -> dict[bytes, _CompatibleUse]:
    """Each compatible string that code or a devicetree gets and nothing of the series loses."""
    found: dict[bytes, _CompatibleUse] = {}
    lost = set[bytes]()
    for patch in patches:
        for file in patch.files:
            if not file.path.endswith((*_TREES, *_CODE)) or _TESTS.search(file.path):
                continue
            for line, name in _added(file):
                if len(found) < _STRINGS:
                    found.setdefault(name, _CompatibleUse(patch.counter, file.path, line))
            gone = (line for hunk in file.hunks for line in hunk.lines if line.startswith(b"-"))
            lost.update(name for line in gone if b"compatible" in line for name in _STRING.findall(line[:_LINE]))
    return {name: use for name, use in found.items() if name not in lost and not _BUS.match(name)}


def _added(file: FileDiff) -> Iterator[tuple[int, bytes]]:
    """(line, compatible string) of each that the diff adds."""
    is_tree = file.path.endswith(_TREES)
    for hunk in file.hunks:
        open_until = -1  # a property of a devicetree goes on to its semicolon
        for number, text in hunk.added:
            value = text[:_LINE]
            match = _IN_TREE.match(value) if is_tree else _IN_CODE.match(value)
            if match is None and not (is_tree and number == open_until):
                continue
            part = match[1] if match else value
            yield from ((number, name) for name in _STRING.findall(part))
            open_until = number + 1 if is_tree and b";" not in part else -1


def _documented(patches: Iterable[Patch], uses: Mapping[bytes, _CompatibleUse]) -> dict[bytes, int]:
    """Compatible string -> the first patch that documents it."""
    found: dict[bytes, int] = {}
    for patch in patches:
        files = (file for file in patch.files if file.path.startswith(_BINDINGS))
        text = b"\n".join(line for file in files for hunk in file.hunks for _, line in hunk.added)
        for name in uses:
            if name in text and name not in found and _names(text, name):
                found[name] = patch.counter
    return found


def _names(text: bytes, name: bytes) -> bool:
    return bool(re.search(rb"(?<![\w,.+-])%b(?![\w,+-])" % re.escape(name), text))


def _order(uses: Mapping[bytes, _CompatibleUse], documented: Mapping[bytes, int]) -> Iterator[Finding]:
    for name, counter in documented.items():
        use = uses[name]
        if use.counter < counter:
            message = f"{path_text(name)} is used here and documented only in patch {counter}: bindings come first"
            yield Finding(
                status=Status.WARN,
                rule="order",
                message=message,
                path=use.path,
                line=use.line,
                source=_SOURCE,
                counter=use.counter,
            )


def _undocumented(subject: CheckSubject, uses: Mapping[bytes, _CompatibleUse]) -> Iterator[Finding]:
    """Those that no binding of the tree has either."""
    if not uses or subject.base is None:
        return
    missing = _not_in_tree(subject, uses)
    vendors = subject.read(subject.steps[-1].after or subject.before, _VENDORS)
    for name in islice(missing, _MOST):
        use, vendor = uses[name], name.partition(b",")[0]
        message = f"no binding has the compatible string {path_text(name)}"
        yield Finding(
            status=Status.WARN,
            rule="undocumented",
            message=message,
            path=use.path,
            line=use.line,
            source=_SOURCE,
            counter=use.counter,
        )
        if vendors is not None and b'"^' + vendor + b",.*" not in vendors:
            message = f"{path_text(vendor)} is no vendor of vendor-prefixes.yaml"
            yield Finding(
                status=Status.WARN,
                rule="vendor",
                message=message,
                path=use.path,
                line=use.line,
                source=_SOURCE,
                counter=use.counter,
            )


def _not_in_tree(subject: CheckSubject, uses: Mapping[bytes, _CompatibleUse]) -> list[bytes]:
    """The strings that no binding names, nor may mean by a pattern; all bindings are read, a fifth of a second."""
    left = dict.fromkeys(uses)
    scratch_repo, read = subject.environment.scratch_repo, 0
    tree = next((step.after for step in reversed(subject.steps) if step.after is not None), subject.before)
    found_any = False
    for path, entry in islice(scratch_repo.paths_below(tree, _BINDINGS.rstrip(b"/")), _READ_FILES):
        if not left or read > _READ_BYTES:
            break
        if not path.endswith((b".yaml", b".txt")) or entry.kind != "blob" or path == _VENDORS:
            continue
        text, found_any = scratch_repo.blob(entry.oid), True
        read += len(text)
        for name in [name for name in left if _may_mean(text, name)]:
            del left[name]
    return list(left) if found_any and read <= _READ_BYTES else []


def _may_mean(text: bytes, name: bytes) -> bool:
    if name in text:
        return _names(text, name)
    # A pattern is not tried, it may be anything; that it speaks of this vendor is enough to say nothing. Bindings from
    # before YAML say `fsl,<chip>-guts`.
    vendor = name.partition(b",")[0]
    return vendor + b",<" in text or (b"pattern:" in text and vendor in text and _has_pattern(text, vendor))


def _has_pattern(text: bytes, vendor: bytes) -> bool:
    lines = (line for line in text.split(b"\n") if b"pattern:" in line)
    return any(_names(line.replace(b",", b" "), vendor) for line in islice(lines, 200))


CHECK = Check(
    "dt-binding",
    "devicetree bindings: patches of their own, prefix, order, and one for each compatible string",
    Scope.SERIES,
    run,
    needs=frozenset((Requirement.KERNEL,)),
)
