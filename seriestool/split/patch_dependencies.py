# SPDX-License-Identifier: GPL-2.0-or-later
"""What ties the patches of a series to each other, and the parts of one patch if it is cut by file.

The parts of a patch are read like the patches of a series, in both orders. Where one introduces a name that another
uses, the other waits for it: that can be cut. Where one changes a signature that another called already, or implements,
neither builds without the other. Nor do they where a function moves from one to the other. Where one removes a name,
those go first that stop using it. Parts that wait for each other cannot be parted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from seriestool.series.apply import FileState
from seriestool.series.model import Patch, path_text
from seriestool.split.c_syntax import CParser, is_header
from seriestool.split.dependency_graph import Dependency, DependencyKind, PatchStage, transitive_needs
from seriestool.split.outline import Definition, Outline, SymbolKind, SymbolName
from seriestool.split.patched_files import PatchReading, SourceReader
from seriestool.split.symbol_dependencies import LocalDependencies, SymbolDependencies
from seriestool.split.text_dependencies import textual_dependencies

_POINTER = b"( * ) "
"""What a pointer to a function has in its shape, and the function that it points to has not."""
_WORD = re.compile(rb"(->\s*|\.\s*)?\b([A-Za-z_]\w*)")

_Reshaped = tuple[bytes, bytes]
"""What is called, as it was and as it is, whether it is a function or a pointer to one."""
_Tied = tuple[int, int, str]
"""The part, the one that it needs, and by which name."""


class PartDependencies(Struct, frozen=True):
    """The ties between the parts of a patch, which are counted from 1."""

    ties: tuple[Dependency, ...]
    names: tuple[str, ...]
    """What holds parts together that cannot be parted; () where there is nothing, or where that is not known."""
    order: tuple[int, ...]
    """The parts, each after those that it needs; () where they cannot be parted, or where that is not known."""


def find_part_dependencies(stage: PatchStage, parts: Sequence[Patch], language: CParser) -> PartDependencies:
    """What ties the parts of the stage's patch, as `split_by_file` cuts it.

    It is not known where a file is too large to be parsed, or where `language` has parsed enough already.
    """
    reader = SourceReader([_stage_of(part, stage, n) for n, part in enumerate(parts, 1)], language)
    base = reader.base()
    readings = list(reader.readings())
    if None in base.values() or any(file.outline is None for reading in readings for file in reading.files):
        return PartDependencies((), (), ())
    ties = tuple(_as_dependencies(_ties(readings, base, stage)))
    numbers = range(1, len(parts) + 1)
    needs = transitive_needs(numbers, ties)
    knotted = [one for one in ties if one.patch in needs[one.needs]]
    if knotted:
        return PartDependencies(ties, tuple(dict.fromkeys(name for one in knotted for name in one.names)), ())
    # Whoever waits for another needs that one, and all that it needs: more of them.
    return PartDependencies(ties, (), tuple(sorted(numbers, key=lambda n: (len(needs[n]), n))))


def _stage_of(part: Patch, whole: PatchStage, number: int) -> PatchStage:
    paths = {path for diff in part.files for path in (diff.old_path, diff.new_path) if path is not None}
    before, after = ({p: one for p, one in files.items() if p in paths} for files in (whole.before, whole.after))
    return PatchStage(replace(part, counter=number), before, after)


class _ParsedPart(Struct, frozen=True, kw_only=True):
    """One part as it was read: what its files define together, and how often each word stands in them."""

    reading: PatchReading
    before: Mapping[SymbolName, Definition]
    after: Mapping[SymbolName, Definition]
    words_before: Counter[bytes]
    words_after: Counter[bytes]
    announced: frozenset[str]
    """What its headers declare anew, and its other files do not use: nobody misses the body yet."""

    @property
    def number(self) -> int:
        return self.reading.patch

    def gained(self) -> Iterator[SymbolName]:
        """What it offers to others and did not before."""
        for name, one in self.after.items():
            if one.is_shared and not (name in self.before and self.before[name].is_shared):
                yield name

    def lost(self) -> Iterator[SymbolName]:
        """What it had, and has no more."""
        return (name for name, one in self.before.items() if one.has_body and name not in self.after)

    def reshaped(self) -> Iterator[tuple[SymbolName, frozenset[bytes], frozenset[bytes]]]:
        """What is called in another way than before: the shapes that went, and those that came."""
        for name, old in self.before.items():
            new = self.after.get(name)
            if new is not None and new.shapes and old.shapes - new.shapes:
                yield name, old.shapes - new.shapes, new.shapes - old.shapes


def _ties(readings: Iterable[PatchReading], base: Mapping[bytes, Outline | None], stage: PatchStage) -> Iterator[_Tied]:
    parts = [_read(stage, reading, base) for reading in readings]
    yield from _by_use(parts, base)
    yield from _by_type(parts)
    yield from _by_removal(parts)


def _read(stage: PatchStage, reading: PatchReading, base: Mapping[bytes, Outline | None]) -> _ParsedPart:
    before: dict[SymbolName, Definition] = {}
    after: dict[SymbolName, Definition] = {}
    old_paths = dict.fromkeys(file.old_path for file in reading.files if file.old_path is not None)
    for path in old_paths:
        before.update(base.get(path) or {})
    for file in reading.files:
        after.update(file.outline or {})
    used = {use.text for file in reading.files if not is_header(file.path) for use in file.uses}
    new = (name for name, one in after.items() if name not in before and not one.has_body and name.text not in used)
    words_before = _words(stage.before[path] for path in old_paths)
    words_after = _words(stage.after[file.path] for file in reading.files if not file.is_gone)
    return _ParsedPart(
        reading=reading,
        before=before,
        after=after,
        words_before=words_before,
        words_after=words_after,
        announced=frozenset(path_text(name.text) for name in new),
    )


def _words(files: Iterable[FileState]) -> Counter[bytes]:
    """How often each word stands there; `.x` is how often as a member."""
    found: Counter[bytes] = Counter()
    for state in files:
        for lead, word in _WORD.findall(state.content):
            found[word] += 1
            if lead:
                found[b"." + word] += 1
    return found


def _word(name: SymbolName) -> bytes:
    return b"." + name.text if name.space is SymbolKind.MEMBER else name.text


def _by_use(parts: Sequence[_ParsedPart], base: Mapping[bytes, Outline | None]) -> Iterator[_Tied]:
    """Who uses what another introduces; and whose calls were right before another changed what it called."""
    by_number = {one.number: one for one in parts}
    changed = {one.number: {path_text(name.text): name for name, _, _ in one.reshaped()} for one in parts}
    for order in (parts, parts[::-1]):
        ties = SymbolDependencies(base)
        for part in order:
            ties.take(part.reading)
        for tie in ties.found():
            user = by_number[tie.patch]
            for text in tie.names:
                if text in user.announced:
                    continue
                yield tie.patch, tie.needs, text
                old = changed[tie.needs].get(text)
                if old is not None and user.words_before[_word(old)]:
                    yield tie.needs, tie.patch, text


def _by_type(parts: Sequence[_ParsedPart]) -> Iterator[_Tied]:
    """The type of a callback changes together with functions of that type."""
    functions: dict[_Reshaped, set[int]] = {}
    pointers: list[tuple[int, str, _Reshaped]] = []
    for part in parts:
        for name, olds, news in part.reshaped():
            for old, new in ((old, new) for old in olds for new in news):
                if _POINTER in old:
                    change = (old.replace(_POINTER, b"", 1), new.replace(_POINTER, b"", 1))
                    pointers.append((part.number, path_text(name.text), change))
                elif name.space is SymbolKind.NAME:
                    functions.setdefault((old, new), set()).add(part.number)
    for number, text, change in pointers:
        for other in sorted(functions.get(change, set()) - {number}):
            yield number, other, text
            yield other, number, text


def _by_removal(parts: Sequence[_ParsedPart]) -> Iterator[_Tied]:
    """What moves is there twice, or nowhere, if its parts are parted; what goes needs its last users to go first."""
    gained: dict[SymbolName, list[int]] = {}
    for part in parts:
        for name in part.gained():
            gained.setdefault(name, []).append(part.number)
    for part in parts:
        for name in part.lost():
            text, was_shared = path_text(name.text), part.before[name].is_shared
            for other in gained.get(name, ()):
                yield part.number, other, text
                if was_shared:
                    yield other, part.number, text
            for user in parts if was_shared and name not in gained else ():
                if user is not part and name not in user.before and _uses_less(user, name):
                    yield part.number, user.number, text


def _uses_less(part: _ParsedPart, name: SymbolName) -> bool:
    return part.words_after[_word(name)] < part.words_before[_word(name)]


def _as_dependencies(ties: Iterable[_Tied]) -> Iterator[Dependency]:
    """One for each two parts."""
    names: dict[tuple[int, int], set[str]] = {}
    for part, needs, name in ties:
        names.setdefault((part, needs), set()).add(name)
    for (part, needs), found in sorted(names.items()):
        yield Dependency(part, needs, DependencyKind.SYMBOL, tuple(sorted(found)))


def find_dependencies(stages: Sequence[PatchStage]) -> tuple[Dependency, ...]:
    """The needs of each patch, sorted by patch, by what it needs, and by tie, the plainest first.

    Of the same two patches there is one for each tie. Stages that are not known are left out of `stages`.
    """
    reader = SourceReader(stages)
    symbols, scopes = SymbolDependencies(reader.base()), LocalDependencies()
    for reading in reader.readings():
        symbols.take(reading)
        scopes.take(reading)
    return merge_dependencies((*textual_dependencies(stages), *symbols.found(), *scopes.found()))


def merge_dependencies(dependencies: Iterable[Dependency]) -> tuple[Dependency, ...]:
    """One for each two patches and each kind, with all names; sorted by patch, by need, the plainest kind first."""
    names: dict[tuple[int, int, DependencyKind], set[str]] = {}
    for one in dependencies:
        names.setdefault((one.patch, one.needs, one.tie), set()).update(one.names)
    order = list(DependencyKind)
    return tuple(
        Dependency(patch, needs, tie, tuple(sorted(names[patch, needs, tie])))
        for patch, needs, tie in sorted(names, key=lambda key: (key[0], key[1], order.index(key[2])))
    )
