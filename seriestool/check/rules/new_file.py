# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that come and go: whether MAINTAINERS and the Makefiles know, once the whole series is in."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import islice

from msgspec import Struct, field

from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, SkipCheck, Status
from seriestool.git import ScratchRepository
from seriestool.rebase.patch_stack import folders_above
from seriestool.series.model import DiffKind, path_text
from seriestool.trees.maintainers import Maintainers, MaintainersSection
from seriestool.util.text import shortened

_SOURCE = "MAINTAINERS"
_SMALL, _LARGE = 75, 500
"""netdev's measures: a section of so many files knows its files; one of more than that is a whole subsystem."""
_ALREADY = (b"Documentation/", b"tools/testing/")  # their sections are by subject, not by folder
_NO_MAKEFILE = (b"tools/", b"Documentation/", b"samples/", b"scripts/", b"usr/", b"LICENSES/")
_SELFTESTS = b"tools/testing/selftests/"
_BUILT = (b".c", b".S", b".dts")
_MAKEFILES = (b"Makefile", b"Kbuild")
_UP = 4  # folders above that may name an object: drivers/net/wireless/x/Makefile for its own subfolder
_INCLUDE = re.compile(rb'(?m)^[ \t]*#[ \t]*include[ \t]*["<](?:[^">\n]{0,200}/)?([^">/\n]{1,200})[">]')
_WILDCARD = re.compile(rb"\$\(\s*wildcard\s+([^()]{1,1000})")
_LISTING = re.compile(rb"\$\(\s*shell[^\n]{0,500}?(?:\bfind\b|\bls\b|\*)")
_NAMED, _LISTED, _LOOKED, _PATTERNS = 4, 2000, 10_000, 200


class _TreeChange(Struct, frozen=True, dict=True, kw_only=True):
    """The tree before the series and after it."""

    scratch_repo: ScratchRepository
    before: str
    after: str
    came: Mapping[bytes, int]
    """New file -> the patch that makes it."""
    went: Mapping[bytes, int]
    moved: frozenset[bytes]
    """Those of the new files that were renamed."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Section -> how many files it has, as far as counted."""
    read_makefiles: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)

    def has(self, path: bytes) -> bool:
        """Whether there is such a file or folder after the series."""
        name = path.rstrip(b"/")
        return bool(self.scratch_repo.entries(self.after, (name,))) or self.scratch_repo.has_folder(self.after, name)

    def read(self, path: bytes) -> bytes | None:
        """The content of a file after the series."""
        entry = self.scratch_repo.entries(self.after, (path,)).get(path)
        return self.scratch_repo.blob(entry.oid) if entry is not None and entry.kind == "blob" else None

    def makefiles(self, folder: bytes) -> tuple[bytes, ...]:
        """The contents of the folder's Makefile and Kbuild after the series, those that there are."""
        if folder not in self.read_makefiles:
            texts = (self.read(folder + b"/" + name) for name in _MAKEFILES)
            self.read_makefiles[folder] = tuple(text for text in texts if text is not None)
        return self.read_makefiles[folder]

    @cached_property
    def included(self) -> frozenset[bytes]:
        """Names, without their folders, of the files that new sources include."""
        sources = (path for path in self.came if path.endswith((*_BUILT, b".h", b".dtsi")))
        texts = (self.read(path) or b"" for path in islice(sources, _LISTED))
        return frozenset(name for text in texts for name in _INCLUDE.findall(text)[:_LISTED])

    @cached_property
    def is_maintained_anew(self) -> bool:
        """Whether the series changes MAINTAINERS."""
        sides = [self.scratch_repo.entries(tree, (b"MAINTAINERS",)) for tree in (self.before, self.after)]
        return sides[0] != sides[1]


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What is to be asked of the files that come and go."""
    change = _change(subject)
    if change.came or change.went or change.is_maintained_anew:
        yield from _maintained(subject, change)
    yield from _not_built(change)
    yield from _not_run(change)


def _maintained(subject: CheckSubject, change: _TreeChange) -> Iterator[Finding]:
    old = new = subject.maintainers
    if change.is_maintained_anew:
        new = subject.environment.maintainers.read(change.scratch_repo, change.after)
    if new is None:
        return
    yield from _unmaintained(change, new)
    yield from _left_behind(change, new)
    if old is not None and new is not old:
        yield from _without_files(change, old, new)


def _change(subject: CheckSubject) -> _TreeChange:
    before, after = subject.steps[0].before, subject.steps[-1].after
    if after is None or any(step.after is None for step in subject.steps):
        raise SkipCheck("not all patches apply, so what there is after the series is unknown")
    came: dict[bytes, int] = {}
    went: dict[bytes, int] = {}
    moved = set[bytes]()
    for step in subject.steps:
        for file in step.patch.files:
            if file.kind in (DiffKind.CREATE, DiffKind.COPY, DiffKind.RENAME) and file.new_path is not None:
                came[file.new_path] = step.patch.counter
                moved.update({file.new_path} if file.kind is DiffKind.RENAME else ())
            if file.kind in (DiffKind.DELETE, DiffKind.RENAME) and file.old_path is not None:
                went[file.old_path] = step.patch.counter
    scratch_repo = subject.environment.scratch_repo
    sides = [scratch_repo.entries(tree, [*came, *went]) for tree in (before, after)]
    return _TreeChange(
        scratch_repo=scratch_repo,
        before=before,
        after=after,
        came={path: counter for path, counter in came.items() if path in sides[1] and path not in sides[0]},
        went={path: counter for path, counter in went.items() if path not in sides[1]},
        moved=frozenset(moved),
    )


def _unmaintained(change: _TreeChange, maintainers: Maintainers) -> Iterator[Finding]:
    """New files of which no section of a size that one can know is in charge, one finding for each folder."""
    groups: dict[tuple[bytes, str | None, int], list[bytes]] = {}
    for path in change.came:
        if not path.startswith(_ALREADY):
            size, name = _in_charge(change, maintainers, path)
            if name is None or size > _SMALL:
                groups.setdefault((path.rpartition(b"/")[0], name, size), []).append(path)
    for (folder, name, size), paths in groups.items():
        is_new_folder = not change.scratch_repo.has_folder(change.before, folder)
        if name is not None and not is_new_folder and all(path in change.moved for path in paths):
            continue
        yield _ask_for_section(
            name=name, size=size, paths=paths, is_new_folder=is_new_folder, counter=change.came[paths[0]]
        )


def _in_charge(change: _TreeChange, maintainers: Maintainers, path: bytes) -> tuple[int, str | None]:
    """(size, heading) of the smallest section that has the path; no heading where only THE REST has it."""
    sections = [match.section for match in maintainers.match(path) if match.depth >= 0]
    sizes: list[tuple[int, str | None]] = [(_size(change, one), one.heading) for one in sections]
    return min(sizes, key=lambda pair: pair[0], default=(0, None))


def _ask_for_section(name: str | None, size: int, paths: Sequence[bytes], is_new_folder: bool, counter: int) -> Finding:
    mend = f"name it in a section of MAINTAINERS, or in a new one:\nF:\t{path_text(paths[0])}"
    names = _listed(paths)
    if name is None:
        message = f"no section of MAINTAINERS has {names}"
        return Finding(
            status=Status.WARN,
            rule="no-section",
            message=message,
            path=paths[0],
            mend=mend,
            source=_SOURCE,
            counter=counter,
        )
    if size > _LARGE and is_new_folder:
        message = f"only {name!r}, a section of more than {_LARGE} files, has the new folder of {names}"
        return Finding(
            status=Status.WARN,
            rule="large-section",
            message=message,
            path=paths[0],
            mend=mend,
            source=_SOURCE,
            counter=counter,
        )
    message = f"{name!r}, a section of more than {_SMALL} files, has {names}"
    return Finding(
        status=Status.PASS, rule="wide-section", message=message, path=paths[0], source=_SOURCE, counter=counter
    )


def _size(change: _TreeChange, section: MaintainersSection) -> int:
    """How many files the section has, counted up to what matters: a bound, not a sum, for patterns with wildcards."""
    if section.heading not in change.sizes:
        change.sizes[section.heading] = _count(change, section)
    return change.sizes[section.heading]


def _count(change: _TreeChange, section: MaintainersSection) -> int:
    known = Maintainers((section,))
    total = looked = 0
    for pattern in section.files[:_PATTERNS]:
        wild = re.search(rb"[*?\[]", pattern)
        folder = pattern[: wild.start()].rpartition(b"/")[0] if wild else pattern.rstrip(b"/")
        if wild and not folder:
            continue  # `*/foo*` would mean reading the whole tree
        total += not wild and not change.scratch_repo.has_folder(change.after, folder)
        for path, _ in change.scratch_repo.paths_below(change.after, folder):
            looked += 1
            total += not wild or bool(known.match(path))
            if total > _LARGE or looked > _LOOKED:
                return total
    return total


def _left_behind(change: _TreeChange, maintainers: Maintainers) -> Iterator[Finding]:
    """Patterns of MAINTAINERS that name a file, or a folder, that the series takes away."""
    named = {pattern: section.heading for section in maintainers.sections for pattern in section.files}
    told = set[bytes]()
    for path, counter in change.went.items():
        for gone in (path, *folders_above(path)):
            for pattern in (gone, gone + b"/"):
                if pattern in named and pattern not in told and not change.has(pattern):
                    told.add(pattern)
                    message = f"{named[pattern]!r} of MAINTAINERS still names {path_text(pattern)}, which is gone"
                    yield Finding(
                        status=Status.WARN,
                        rule="stale-pattern",
                        message=message,
                        path=path,
                        source=_SOURCE,
                        counter=counter,
                    )


def _without_files(change: _TreeChange, old: Maintainers, new: Maintainers) -> Iterator[Finding]:
    """Patterns that the series adds to MAINTAINERS and that nothing fits."""
    known = {pattern for section in old.sections for pattern in section.files}
    added = ((one.heading, pattern) for one in new.sections for pattern in one.files if pattern not in known)
    for heading, pattern in islice(added, _PATTERNS):
        if _fits_nothing(change, pattern):
            message = f"nothing in the tree fits 'F: {path_text(pattern)}' of {heading!r}"
            yield Finding(status=Status.WARN, rule="dead-pattern", message=message, path=b"MAINTAINERS", source=_SOURCE)


def _fits_nothing(change: _TreeChange, pattern: bytes) -> bool:
    wild = re.search(rb"[*?\[]", pattern)
    if wild is None:
        return not change.has(pattern)
    folder = pattern[: wild.start()].rpartition(b"/")[0]
    if not folder:
        return False  # it would mean reading the whole tree
    known = Maintainers((MaintainersSection("", files=(pattern,)),))
    listed = 0
    for path, _ in islice(change.scratch_repo.paths_below(change.after, folder), _LISTED):
        listed += 1
        if known.match(path):
            return False
    return listed < _LISTED


def _not_built(change: _TreeChange) -> Iterator[Finding]:
    """New sources that no Makefile names, one finding for each folder."""
    forgotten: dict[bytes, list[bytes]] = {}
    for path in change.came:
        folder, _, name = path.rpartition(b"/")
        is_source = path.endswith(_BUILT) and not path.startswith(_NO_MAKEFILE)
        if is_source and _is_forgotten(change, path, name.rpartition(b".")[0], b""):
            forgotten.setdefault(folder, []).append(path)
    for folder, paths in forgotten.items():
        message = f"no Makefile in {path_text(folder)} or above it has what is made of {_listed(paths)}"
        source = "Documentation/kbuild/makefiles.rst"
        yield Finding(
            status=Status.WARN,
            rule="not-built",
            message=message,
            path=paths[0],
            source=source,
            counter=change.came[paths[0]],
        )


def _not_run(change: _TreeChange) -> Iterator[Finding]:
    """New selftests that their Makefile does not list, one finding for each folder."""
    forgotten: dict[bytes, list[bytes]] = {}
    for path in change.came:
        folder, _, name = path.rpartition(b"/")
        if path.startswith(_SELFTESTS) and path.count(b"/") >= 4 and _is_test(change, path):
            stem = name.removesuffix(b".c")
            if _is_forgotten(change, path, stem, _SELFTESTS):
                forgotten.setdefault(folder, []).append(path)
    for paths in forgotten.values():
        message = f"the selftests' Makefile does not list {_listed(paths)}"
        source = "Documentation/dev-tools/kselftest.rst"
        yield Finding(
            status=Status.WARN,
            rule="not-run",
            message=message,
            path=paths[0],
            source=source,
            counter=change.came[paths[0]],
        )


def _is_test(change: _TreeChange, path: bytes) -> bool:
    if path.endswith(b".c"):
        return True
    entry = change.scratch_repo.entries(change.after, (path,))[path]
    return path.endswith((b".sh", b".py")) and entry.mode == 0o100755


def _is_forgotten(change: _TreeChange, path: bytes, stem: bytes, top: bytes) -> bool:
    """Whether surely no Makefile here or above names the stem, and no other new file includes it."""
    word = re.compile(rb"(?<![\w-])%b(?![\w-])" % re.escape(stem))
    above = [folder for folder in islice(folders_above(path), _UP) if folder.startswith(top.rstrip(b"/"))]
    texts = [text for folder in above for text in change.makefiles(folder)]
    if not texts or path.rpartition(b"/")[2] in change.included:
        return False
    return not any(word.search(text) or _may_list(text, path) for text in texts)


def _may_list(makefile: bytes, path: bytes) -> bool:
    """Whether the Makefile lists files by a pattern that may be true of this one."""
    patterns = (word for found in _WILDCARD.findall(makefile)[:100] for word in found.split()[:100])
    name = path.rpartition(b"/")[2]
    fits = (fnmatchcase(name, word.rpartition(b"/")[2]) for word in patterns if word.count(b"*") <= 2)
    return any(fits) or bool(_LISTING.search(makefile))


def _listed(paths: Iterable[bytes]) -> str:
    return shortened([path_text(path) for path in paths], _NAMED)


CHECK = Check(
    "new-file",
    "MAINTAINERS and Makefiles of files that come or go",
    Scope.SERIES,
    run,
    needs=frozenset((Requirement.BASE, Requirement.KERNEL)),
)
