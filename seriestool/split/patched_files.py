# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a series read patch by patch: what each patch uses, defines and declares, and whose each line is.

Only files that tell by their syntax what a name is are read: C, and what Kbuild reads. Prose is not: in documentation
the name of a struct is often just a word (a text that says "tagset" need not mean `struct tagset`), and no text fails
to build without it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from posixpath import basename

from msgspec import Struct
from msgspec.structs import replace

from seriestool.series.apply import FileState
from seriestool.series.hunks import MisplacedHunk, apply_edits, prepare_edits, split_lines
from seriestool.series.model import DiffKind, FileDiff, Hunk
from seriestool.split.c_syntax import MOST_BYTES, CParser, ParsedCode, is_c, is_header
from seriestool.split.dependency_graph import PatchStage
from seriestool.split.outline import Definition, Outline, SymbolKind, SymbolName, read_outline
from seriestool.split.symbol_uses import LineNames, LocalDeclaration, LocalScopes, SymbolUse, find_uses, functions

BASE = 0
"""Of lines that were there before the series; patches are counted from 1."""


def follow(origins: Sequence[int], before: bytes, hunks: Sequence[Hunk], after: bytes, counter: int) -> tuple[int, ...]:
    """The origins of the lines after the patch `counter`, from those before it."""
    edits = prepare_edits(hunks)
    lines = split_lines(before)
    placed = apply_edits(lines, edits)
    size = after.count(b"\n") + (not after.endswith(b"\n") and bool(after))
    if isinstance(placed, MisplacedHunk) or len(origins) != len(lines):
        return _between(origins, lines, split_lines(after), counter)
    found = list(origins)
    for hunk, edit, at in zip(hunks, edits, placed.places, strict=True):
        found[at : at + len(edit.old)] = _hunk_origins(hunk, found[at : at + len(edit.old)], counter)
    return tuple(found) if len(found) == size else _between(origins, lines, split_lines(after), counter)


def rows_of(origins: Sequence[int], counter: int) -> tuple[int, ...]:
    """The lines (0-based) that the patch added."""
    return tuple(row for row, origin in enumerate(origins) if origin == counter)


def _hunk_origins(hunk: Hunk, old: Sequence[int], counter: int) -> list[int]:
    found = []
    at = 0
    for line in hunk.lines:
        if len(line) < 2:  # as in `prepare_edits`: git passes over it
            continue
        if line[:1] == b"+":
            found.append(counter)
            continue
        if line[:1] == b" ":
            found.append(old[at])
        at += 1
    return found


def _between(origins: Sequence[int], before: Sequence[bytes], after: Sequence[bytes], counter: int) -> tuple[int, ...]:
    """Where hunks do not tell: all between what both files begin and end with is new."""
    most = min(len(before), len(after), len(origins))
    head = next((n for n in range(most) if before[n] != after[n]), most)
    tail = next((n for n in range(most - head) if before[-1 - n] != after[-1 - n]), most - head)
    end = tuple(origins[len(origins) - tail :]) if tail else ()
    return (*origins[:head], *(counter,) * (len(after) - head - tail), *end)


_ENTRY = re.compile(rb"\s*(?:menu)?config\s+(\w+)")
_HELP = re.compile(rb"\s*(?:---)?help(?:---)?\s*$")
_NO_CODE = re.compile(rb"\"[^\"\n]*\"|'[^'\n]*'|#.*")
_SYMBOL = re.compile(rb"CONFIG_\w+")
_OBJECT = re.compile(rb"([\w./-]+)\.o\b")
_WORDS = re.compile(rb"\w+")


def is_kconfig(path: bytes) -> bool:
    """Whether options are defined there."""
    return basename(path).startswith(b"Kconfig")


def is_makefile(path: bytes) -> bool:
    """Whether it says what is built, or which options are on."""
    name = basename(path)
    return name.startswith((b"Makefile", b"Kbuild")) or name.endswith((b"_defconfig", b".config", b".mk"))


def read_options(content: bytes) -> Outline:
    """The options of a Kconfig file, with CONFIG_ before their names as all others call them."""
    found = (_ENTRY.match(line) for _, line in _statements(content))
    defined = Definition(is_shared=True, has_body=True)
    return {SymbolName(SymbolKind.CONFIG, b"CONFIG_" + match[1]): defined for match in found if match}


def find_option_uses(content: bytes, rows: Collection[int]) -> Iterator[SymbolUse]:
    """The words on these lines of a Kconfig file that can be options; what help texts say does not count."""
    for row, line in _statements(content):
        if row in rows and not _ENTRY.match(line):
            yield from (
                SymbolUse(SymbolKind.CONFIG, b"CONFIG_" + word) for word in _WORDS.findall(_NO_CODE.sub(b"", line))
            )


def find_make_uses(content: bytes, rows: Collection[int]) -> Iterator[SymbolUse]:
    """The options and the objects on these lines of a Makefile."""
    for row, line in enumerate(split_lines(content)):
        if row in rows:
            text = line.partition(b"#")[0]
            yield from (SymbolUse(SymbolKind.CONFIG, symbol) for symbol in _SYMBOL.findall(text))
            yield from (SymbolUse(SymbolKind.FILE, stem + b".o") for stem in _OBJECT.findall(text))


def _statements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a Kconfig file without help texts: one goes on as long as lines are as far in as its first."""
    depth: int | None = None
    in_help = False
    for row, line in enumerate(split_lines(content)):
        text = line.expandtabs(8)
        if in_help and text.strip():
            indent = len(text) - len(text.lstrip())
            depth = indent if depth is None else depth
            in_help = indent > 0 and indent >= depth
        if not in_help:
            yield row, line
            in_help, depth = bool(_HELP.match(line)), None


_NOTHING = LineNames((), ())


class PatchedFile(Struct, frozen=True, kw_only=True):
    """One file after one patch that touches it."""

    path: bytes
    old_path: bytes | None
    """Where it was before; None where it was not there."""
    outline: Outline | None
    """What it defines; None where that cannot be told."""
    uses: tuple[SymbolUse, ...]
    """On the lines that the patch adds."""
    fresh: tuple[LocalDeclaration, ...]
    """Parameters, variables and labels of functions that had none of this name before."""
    origins: Sequence[int]
    """The patch that each line comes from."""
    is_gone: bool = False
    """Whether the patch removes it: there is nothing after it."""
    is_renamed: bool = False
    """Whether it is no longer at `old_path`; a copy leaves it there."""


class PatchReading(Struct, frozen=True):
    """All files of one patch."""

    patch: int
    files: tuple[PatchedFile, ...]


class SourceReader:
    """Reads the stages of one series in order."""

    def __init__(self, stages: Sequence[PatchStage], language: CParser | None = None) -> None:
        """`language` is one that has been asked already, and has so much less left to parse."""
        self._stages = stages
        self._language = language or CParser()
        self._origins: dict[bytes, tuple[int, ...]] = {}

    def base(self) -> dict[bytes, Outline | None]:
        """What the files defined before the series, by path; those that it makes are not there."""
        first: dict[bytes, FileState | None] = {}
        for stage in self._stages:
            for path in (*stage.before, *stage.after):
                first.setdefault(path, stage.before.get(path))
        return {path: self._outline(path, state.content) for path, state in first.items() if state is not None}

    def readings(self) -> Iterator[PatchReading]:
        """PatchStage by stage."""
        for stage in self._stages:
            before = dict(self._origins)
            files = tuple(
                replace(self._read(stage, diff, before), is_renamed=diff.kind is DiffKind.RENAME)
                for diff in stage.patch.files
            )
            yield PatchReading(stage.patch.counter, files)

    def _read(self, stage: PatchStage, diff: FileDiff, origins: Mapping[bytes, tuple[int, ...]]) -> PatchedFile:
        old_path = diff.old_path if diff.old_path in stage.before else None
        old = stage.before[old_path].content if old_path is not None else b""
        state = stage.after.get(diff.path)
        if state is None or diff.kind is DiffKind.DELETE:
            self._origins.pop(diff.path, None)
            return PatchedFile(
                path=diff.path, old_path=old_path, outline={}, uses=(), fresh=(), origins=(), is_gone=True
            )
        if max(len(old), len(state.content)) > MOST_BYTES:
            self._origins.pop(diff.path, None)
            return PatchedFile(path=diff.path, old_path=old_path, outline=None, uses=(), fresh=(), origins=())
        start = origins.get(old_path) if old_path is not None else ()
        lines = (BASE,) * (old.count(b"\n") + 1) if start is None else start
        if start is None and (not old or old.endswith(b"\n")):
            lines = lines[1:]
        now = follow(origins=lines, before=old, hunks=diff.hunks, after=state.content, counter=stage.patch.counter)
        if diff.kind is DiffKind.RENAME and old_path is not None:
            self._origins.pop(old_path, None)
        self._origins[diff.path] = now
        return self._with_names(
            path=diff.path,
            old_path=old_path,
            old=old,
            new=state.content,
            origins=now,
            rows=rows_of(now, stage.patch.counter),
        )

    def _with_names(
        self, path: bytes, old_path: bytes | None, old: bytes, new: bytes, origins: Sequence[int], rows: Sequence[int]
    ) -> PatchedFile:
        if not is_c(path):
            return PatchedFile(
                path=path,
                old_path=old_path,
                outline=self._outline(path, new),
                uses=tuple(_kbuild_uses(path, new, rows)),
                fresh=(),
                origins=origins,
            )
        code = self._language.find_code(new)
        if code is None:
            return PatchedFile(path=path, old_path=old_path, outline=None, uses=(), fresh=(), origins=origins)
        found = find_uses(self._language, code, rows) if rows else _NOTHING
        fresh = tuple(self._fresh(old, code, found.declared)) if found.declared else ()
        return PatchedFile(
            path=path,
            old_path=old_path,
            outline=read_outline(code, is_header(path)),
            uses=found.uses,
            fresh=fresh,
            origins=origins,
        )

    def _outline(self, path: bytes, content: bytes) -> Outline | None:
        if is_kconfig(path):
            return read_options(content)
        if not is_c(path):
            return {}
        code = self._language.find_code(content)
        return read_outline(code, is_header(path)) if code is not None else None

    def _fresh(self, old: bytes, new: ParsedCode, declared: Sequence[LocalDeclaration]) -> Iterator[LocalDeclaration]:
        """Those of `declared` of which the function has more than before: the others were only written anew."""
        code = self._language.find_code(old)
        wanted = {local.function for local in declared}
        before = _count_locals(code, wanted) if code is not None else Counter()
        after = _count_locals(new, wanted)
        places = ((local, (local.function, local.name)) for local in declared)
        return (local for local, place in places if after[place] > before[place])


def _count_locals(code: ParsedCode, wanted: Collection[bytes]) -> Counter[tuple[bytes, bytes]]:
    """(function, name) -> in how many blocks of the function the name is declared."""
    scopes = LocalScopes(code)
    chosen = (node_path for function, node_path in functions(code) if function in wanted)
    return Counter((local.function, local.name) for node_path in chosen for local in scopes.of_function(node_path))


def _kbuild_uses(path: bytes, content: bytes, rows: Sequence[int]) -> Iterator[SymbolUse]:
    if is_kconfig(path):
        return find_option_uses(content, set(rows))
    return find_make_uses(content, set(rows)) if is_makefile(path) else iter(())
