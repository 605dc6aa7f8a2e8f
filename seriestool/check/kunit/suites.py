# SPDX-License-Identifier: GPL-2.0-or-later
"""Which KUnit suites a patch can break, as configurations that build them, each with why it was chosen.

Nearest first: the `.kunitconfig` of the changed file's folder or of one above it; else the test objects of the Makefile
there, for which a configuration has to be made. Only the folders of changed files and those above them are read.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice

from msgspec import Struct

from seriestool.check.kunit.makefile import Makefile, options_of, parse_makefile
from seriestool.git import ScratchRepository

_KUNITCONFIG = b".kunitconfig"
_KUNIT_ITSELF = b"lib/kunit/.kunitconfig"  # it tests KUnit, and not what else is in lib/
_TEST_FOLDERS = (b"tests", b"test", b"kunit")
_CODE = (b".c", b".h", b".S", b".rs")
_STEERING = re.compile(rb"(?:^|/)(?:Kconfig[^/]*|Makefile|Kbuild|\.kunitconfig)$")
_NOT_BUILT = (b"Documentation/", b"tools/", b"samples/", b"scripts/", b"usr/", b"arch/")
_SUITE = re.compile(rb"\bkunit_test_(?:init_section_)?suites?\b|\bKUNIT_CASE(?:_PARAM|_SLOW|_ATTR)?\b|#\[kunit_tests\(")
_EXPORTED = re.compile(rb"\b(?:EXPORT_SYMBOL_IF_KUNIT|VISIBLE_IF_KUNIT|EXPORTED_FOR_KUNIT_TESTING)\b")
_INCLUDED = re.compile(rb'^#[ \t]{0,8}include[ \t]{1,8}"([^"\n]{0,100}(?:test|kunit)[^"\n]{0,100}\.c)"', re.MULTILINE)
_GUARD = re.compile(rb"^#[ \t]{0,8}if[^\n]{0,80}\bCONFIG_(\w{1,100}?)(?:_MODULE)?\b", re.MULTILINE)
_AFFIX = re.compile(r"^(?:test|kunit)[_-]|[_-]?(?:kunit[_-]tests?|kunit|tests?)$")
_ALL_TESTS = re.compile(rb"^CONFIG_KUNIT_ALL_TESTS=y\b", re.MULTILINE)
_MANY = 4  # tests in one folder, above which only those are taken that are about the file
_MAX_READ = 80  # sources looked into for each folder
_KEPT = 256  # files
_MAX_PATHS = 400  # changed files looked at for each patch


class SuiteConfiguration(Struct, frozen=True):
    """Something to build and run."""

    path: bytes | None
    """A `.kunitconfig` of the tree; None where one has to be made."""
    options: tuple[str, ...]
    """Where it has to be made: the options of the tests, then those of what they test."""
    folder: bytes

    @property
    def name(self) -> str:
        """What people call it."""
        return os.fsdecode(self.path) if self.path is not None else f"tests of {os.fsdecode(self.folder)}"


class SuiteChoice(Struct, frozen=True):
    """A configuration, and why a patch can break what it tests: a reason for each file."""

    configuration: SuiteConfiguration
    reasons: tuple[str, ...]


class SuiteFinder:
    """Finds configurations for one patch after the other; what several trees have is read once."""

    def __init__(self, scratch_repo: ScratchRepository) -> None:
        self._scratch_repo = scratch_repo
        self._blob = lru_cache(maxsize=_KEPT)(scratch_repo.blob)

    def find(self, tree: str, paths: Iterable[bytes]) -> tuple[SuiteChoice, ...]:
        """What is to be run for a change of these files, as the tree after it has them; each configuration once."""
        reader = _KunitTreeReader(self._scratch_repo, tree, self._blob)
        found: dict[SuiteConfiguration, dict[str, None]] = {}
        for path in sorted(filter(_is_relevant, paths))[:_MAX_PATHS]:
            for choice in _of_path(reader, path):
                reasons = found.setdefault(choice.configuration, {})
                reasons.update(dict.fromkeys(choice.reasons))
        return tuple(SuiteChoice(configuration, tuple(reasons)) for configuration, reasons in found.items())


def _is_relevant(path: bytes) -> bool:
    return not path.startswith(_NOT_BUILT) and (path.endswith(_CODE) or _STEERING.search(path) is not None)


class _KunitTreeReader:
    """Reads of one tree; what is asked again is not read again."""

    def __init__(self, scratch_repo: ScratchRepository, tree: str, blob: Callable[[str], bytes]) -> None:
        self._scratch_repo = scratch_repo
        self._tree = tree
        self._blob = blob
        self.text = lru_cache(maxsize=512)(self._text)
        self.makefile = lru_cache(maxsize=512)(self._makefile)
        self.tests = lru_cache(maxsize=128)(self._tests)

    def has_folder(self, folder: bytes) -> bool:
        """Whether the tree has it."""
        return self._scratch_repo.has_folder(self._tree, folder)

    def _text(self, path: bytes) -> bytes | None:
        entry = self._scratch_repo.entries(self._tree, (path,)).get(path)
        return self._blob(entry.oid) if entry is not None and entry.kind == "blob" else None

    def _makefile(self, folder: bytes) -> Makefile:
        text = self.text(_join(folder, b"Kbuild")) or self.text(_join(folder, b"Makefile")) or b""
        return parse_makefile(text)

    def _tests(self, folder: bytes) -> dict[str, bytes]:
        """Object -> source of the KUnit tests that the Makefile of the folder lists."""
        is_for_tests = folder.rpartition(b"/")[2] in _TEST_FOLDERS
        names = [name for name in self.makefile(folder) if is_for_tests or "test" in name or "kunit" in name]
        found = {}
        for name in [name for name in names if "/" not in name][:_MAX_READ]:
            source = self.text(_join(folder, os.fsencode(name) + b".c"))
            if source is not None and _SUITE.search(source):
                found[name] = source
        return found


def _of_path(reader: _KunitTreeReader, path: bytes) -> Iterator[SuiteChoice]:
    for folder, stem in _places(reader, path):
        choices = list(_of_place(reader, path, folder, stem))
        if choices:
            yield from choices
            return


def _of_place(reader: _KunitTreeReader, path: bytes, folder: bytes, stem: str) -> Iterator[SuiteChoice]:
    source = reader.text(path) or b""
    own = options_of(reader.makefile(folder), stem) if _SUITE.search(source) and path.endswith(b".c") else ()
    near = _nearest(reader, folder)
    if near is not None:
        there = near.rpartition(b"/")[0]
        yield SuiteChoice(SuiteConfiguration(near, (), there), (f"the nearest to {_text(path)}",))
        if _enables(reader.text(near) or b"", own):
            return
    if own:
        yield _made(reader=reader, folder=folder, stem=stem, tests=own, why=f"{_text(path)} is a test")
        return
    if near is None:
        yield from _of_tests(reader=reader, path=path, source=source, folder=folder, stem=stem) or _of_includer(
            reader, source, folder, stem
        )


def _of_includer(reader: _KunitTreeReader, source: bytes, folder: bytes, stem: str) -> tuple[SuiteChoice, ...]:
    """Where a test is no object of its own: what it tests includes it, and has its name without `_test`."""
    if not _SUITE.search(source):
        return ()
    subject = os.fsencode(_AFFIX.sub("", stem))
    for place in (folder, folder.rpartition(b"/")[0]):
        text = reader.text(_join(place, subject) + b".c")
        if text is not None:
            return _including(
                reader=reader, path=_join(place, subject) + b".c", source=text, folder=place, stem=os.fsdecode(subject)
            )
    return ()


def _enables(kunitconfig: bytes, options: tuple[str, ...]) -> bool:
    lines = set(kunitconfig.split())
    given = bool(_ALL_TESTS.search(kunitconfig))
    return given or all(f"CONFIG_{option}=y".encode() in lines for option in options)


def _including(
    reader: _KunitTreeReader, path: bytes, source: bytes, folder: bytes, stem: str
) -> tuple[SuiteChoice, ...]:
    for included in islice(_INCLUDED.finditer(source), _MAX_READ):
        guards = _GUARD.findall(source, 0, included.start())
        if guards and _SUITE.search(reader.text(_join(folder, included[1])) or b""):
            why = f"{_text(path)} includes {_text(included[1])}"
            return (_made(reader=reader, folder=folder, stem=stem, tests=(guards[-1].decode(),), why=why),)
    return ()


def _of_tests(
    reader: _KunitTreeReader, path: bytes, source: bytes, folder: bytes, stem: str
) -> tuple[SuiteChoice, ...]:
    """Tests without a `.kunitconfig`: included, listed beside the file, or in a folder for tests."""
    if included := _including(reader=reader, path=path, source=source, folder=folder, stem=stem):
        return included
    exported = " (it exports symbols for KUnit)" if _EXPORTED.search(source) else ""
    # Tests that use symbols exported for them may stand further off.
    above = [folder.rpartition(b"/")[0]] if exported and b"/" in folder else []
    for place in [folder, *(_join(at, name) for at in (folder, *above) for name in _TEST_FOLDERS), *above]:
        options = _related(reader, place, stem, path)
        if options:
            where = f"in the Makefile of {_text(place)}" if place else "in the Makefile at the top"
            return (
                _made(
                    reader=reader,
                    folder=folder,
                    stem=stem,
                    tests=options,
                    why=f"there are tests of {_text(path)} {where}{exported}",
                    place=place,
                ),
            )
    return ()


def _related(reader: _KunitTreeReader, folder: bytes, stem: str, path: bytes) -> tuple[str, ...]:
    """The options of the tests in a folder: all where they are few, else of those that are about the file."""
    tests = reader.tests(folder)
    makefile = reader.makefile(folder)
    name = re.escape(path.rpartition(b"/")[2])
    about = [
        one for one, source in tests.items() if _is_about(one, stem) or re.search(rb'["</]' + name + rb'[">]', source)
    ]
    chosen = about or ([] if len(tests) > _MANY else list(tests))
    return tuple(dict.fromkeys(option for one in chosen for option in options_of(makefile, one)))


def _is_about(test: str, stem: str) -> bool:
    """Whether the test's name is that of the file: string_helpers_kunit and string_helpers."""
    subject = _AFFIX.sub("", _AFFIX.sub("", test)).replace("-", "_")
    name = stem.replace("-", "_")
    return bool(subject) and (subject == name or subject.startswith(f"{name}_") or name.startswith(f"{subject}_"))


def _made(
    reader: _KunitTreeReader, folder: bytes, stem: str, tests: tuple[str, ...], why: str, place: bytes | None = None
) -> SuiteChoice:
    """A configuration that has to be made: the tests, what they test, and the folders of both."""
    options = [*tests, *options_of(reader.makefile(folder), stem)]
    for at in (folder, *(() if place is None else (place,))):
        above, _, name = at.rpartition(b"/")
        options += options_of(reader.makefile(above), f"{os.fsdecode(name)}/")
    return SuiteChoice(SuiteConfiguration(None, tuple(dict.fromkeys(options)), folder), (why,))


def _nearest(reader: _KunitTreeReader, folder: bytes) -> bytes | None:
    for name in _TEST_FOLDERS:
        beside = _join(_join(folder, name), _KUNITCONFIG)
        if beside != _KUNIT_ITSELF and reader.text(beside) is not None:
            return beside
    while folder:
        here = _join(folder, _KUNITCONFIG)
        if reader.text(here) is not None:
            return here
        folder = folder.rpartition(b"/")[0]
    return None


def _places(reader: _KunitTreeReader, path: bytes) -> Iterator[tuple[bytes, str]]:
    """(folder, stem) of what a change of the file may break; of a header, where what it declares is likely to be."""
    folder, _, name = path.rpartition(b"/")
    stem = os.fsdecode(name.rpartition(b".")[0])
    if not path.startswith(b"include/"):
        yield folder, stem
        return
    parts = path.split(b"/")[1:]
    if parts[0] == b"kunit":
        yield b"lib/kunit", stem
    subject = os.fsencode(stem) if len(parts) == 2 else parts[1]
    if parts[0] == b"linux":
        for top in (b"drivers", b"net", b"fs", b"sound", b"block", b"security", b"lib", b"kernel"):
            if reader.has_folder(_join(top, subject)):
                yield _join(top, subject), stem
        for top in (b"lib", b"kernel", b"mm", b"fs", b"block"):
            if reader.text(_join(top, subject) + b".c") is not None:
                yield top, stem
    elif reader.has_folder(_join(parts[0], subject)):
        yield _join(parts[0], subject), stem


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name


def _text(path: bytes) -> str:
    return path.decode("utf-8", "replace")
