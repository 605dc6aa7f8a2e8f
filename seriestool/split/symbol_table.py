# SPDX-License-Identifier: GPL-2.0-or-later
"""All names of the files that a series touches, as they are between two of its patches, and which patch each is of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from seriestool.split.line_origins import BASE
from seriestool.split.outline import Definition, Outline, SymbolKind, SymbolName
from seriestool.split.patched_files import PatchedFile, PatchReading


@dataclass(frozen=True, slots=True)
class SymbolEntry:
    """A name in one file."""

    path: bytes
    name: SymbolName
    definition: Definition
    made: int
    """The patch that introduced it; BASE where it was there before the series."""
    shared: int
    """The patch since which other files see it."""
    reshaped: tuple[int, ...] = ()
    """The patches that changed what callers must agree with."""

    def origin_for(self, path: bytes) -> int | None:
        """The patch that brought the name to the file `path`; None where that does not see it."""
        if path == self.path:
            return self.made
        return self.shared if self.definition.is_shared else None


_Key = tuple[SymbolKind, bytes]


class SymbolTable:
    """The names after the patches that were taken."""

    def __init__(self, base: Mapping[bytes, Outline | None]) -> None:
        self._files: dict[bytes, dict[SymbolName, SymbolEntry]] = {}
        self._by_text: dict[_Key, dict[tuple[bytes, bytes], SymbolEntry]] = {}
        self._unread: set[bytes | None] = {path for path, outline in base.items() if outline is None}
        """Files of which nothing is known so far: what they have later on was there."""
        for path, outline in base.items():
            self._set(
                path,
                {
                    name: SymbolEntry(path=path, name=name, definition=one, made=BASE, shared=BASE)
                    for name, one in (outline or {}).items()
                },
            )

    def find(self, space: SymbolKind, text: bytes) -> Iterable[SymbolEntry]:
        """What is called so, in any file."""
        return self._by_text.get((space, text), {}).values()

    def take(self, stage: PatchReading) -> None:
        """Go on by one patch."""
        before = {
            path: self._files.get(path, {}) for file in stage.files for path in (file.path, file.old_path) if path
        }
        after = {file.path: file for file in stage.files}
        moved = _left_behind(before, after)
        for file in stage.files:
            if file.is_renamed and file.old_path is not None and file.old_path not in after:
                self._set(file.old_path, {})
        for file in stage.files:
            self._take_file(file, before.get(file.old_path or b"", {}), moved, stage.patch)

    def _take_file(
        self,
        file: PatchedFile,
        before: Mapping[SymbolName, SymbolEntry],
        moved: Mapping[SymbolName, SymbolEntry],
        patch: int,
    ) -> None:
        if file.outline is not None:
            made = BASE if self._unread & {file.path, file.old_path} else patch
            self._set(
                file.path,
                dict(
                    _entries(path=file.path, outline=file.outline, before=before, moved=moved, patch=patch, made=made)
                ),
            )
            self._unread -= {file.path, file.old_path}
        elif file.path not in self._files:
            self._unread.add(file.path)

    def _set(self, path: bytes, entries: dict[SymbolName, SymbolEntry]) -> None:
        for name in self._files.pop(path, {}):
            self._by_text[name.space, name.text].pop((path, name.owner), None)
        for name, entry in entries.items():
            self._by_text.setdefault((name.space, name.text), {})[path, name.owner] = entry
        self._files[path] = entries


def _left_behind(
    before: Mapping[bytes, Mapping[SymbolName, SymbolEntry]], after: Mapping[bytes, PatchedFile]
) -> dict[SymbolName, SymbolEntry]:
    """What the patch takes out of a file: where it puts it into another, it is moved and not new."""
    left = {}
    for path, entries in before.items():
        outline = after[path].outline if path in after else {}
        if outline is not None:
            left.update({name: entry for name, entry in entries.items() if name not in outline})
    return left


def _entries(
    path: bytes,
    outline: Outline,
    before: Mapping[SymbolName, SymbolEntry],
    moved: Mapping[SymbolName, SymbolEntry],
    patch: int,
    made: int,
) -> Iterator[tuple[SymbolName, SymbolEntry]]:
    """The names of a file after a patch; `made` is to whom new ones are put down."""
    for name, new in outline.items():
        old = before.get(name)
        if old is None and (found := moved.get(name)) and (found.definition.is_shared or not new.is_shared):
            old = found
        if old is None:
            yield name, SymbolEntry(path=path, name=name, definition=new, made=made, shared=made)
            continue
        shared = old.shared if old.definition.is_shared or not new.is_shared else patch
        entry = replace(old, path=path, name=name, definition=new, shared=shared)
        if old.definition.shapes - new.shapes and new.shapes:
            entry = replace(entry, reshaped=(*old.reshaped, patch))
        yield name, entry
