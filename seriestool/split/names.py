# SPDX-License-Identifier: GPL-2.0-or-later
"""All names of the files that a series touches, as they are between two of its patches, and which patch each is of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from seriestool.split.origins import BASE
from seriestool.split.outline import Definition, Name, Outline, Space
from seriestool.split.reading import Reading, StageReading


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in one file."""

    path: bytes
    name: Name
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


_Key = tuple[Space, bytes]


class Names:
    """The names after the patches that were taken."""

    def __init__(self, base: Mapping[bytes, Outline]) -> None:
        self._files: dict[bytes, dict[Name, Entry]] = {}
        self._by_text: dict[_Key, dict[tuple[bytes, bytes], Entry]] = {}
        for path, outline in base.items():
            self._set(path, {name: Entry(path, name, one, BASE, BASE) for name, one in outline.items()})

    def find(self, space: Space, text: bytes) -> Iterable[Entry]:
        """What is called so, in any file."""
        return self._by_text.get((space, text), {}).values()

    def take(self, stage: StageReading) -> None:
        """Go on by one patch."""
        before = {
            path: self._files.get(path, {}) for file in stage.files for path in (file.path, file.old_path) if path
        }
        after = {file.path: file for file in stage.files}
        moved = _left_behind(before, after)
        for file in stage.files:
            if file.old_path not in (None, file.path) and file.old_path not in after:
                self._set(file.old_path or b"", {})
        for file in stage.files:
            self._set(file.path, dict(_entries(file, before.get(file.old_path or b"", {}), moved, stage.patch)))

    def _set(self, path: bytes, entries: dict[Name, Entry]) -> None:
        for name in self._files.pop(path, {}):
            self._by_text[name.space, name.text].pop((path, name.owner), None)
        for name, entry in entries.items():
            self._by_text.setdefault((name.space, name.text), {})[path, name.owner] = entry
        self._files[path] = entries


def _left_behind(before: Mapping[bytes, Mapping[Name, Entry]], after: Mapping[bytes, Reading]) -> dict[Name, Entry]:
    """What the patch takes out of a file: where it puts it into another, it is moved and not new."""
    return {
        name: entry
        for path, entries in before.items()
        for name, entry in entries.items()
        if path not in after or name not in after[path].outline
    }


def _entries(
    file: Reading, before: Mapping[Name, Entry], moved: Mapping[Name, Entry], patch: int
) -> Iterator[tuple[Name, Entry]]:
    for name, new in file.outline.items():
        old = before.get(name)
        if old is None and (found := moved.get(name)) and (found.definition.is_shared or not new.is_shared):
            old = found
        if old is None:
            yield name, Entry(file.path, name, new, patch, patch)
            continue
        shared = old.shared if old.definition.is_shared or not new.is_shared else patch
        entry = replace(old, path=file.path, name=name, definition=new, shared=shared)
        if old.definition.shapes - new.shapes and new.shapes:
            entry = replace(entry, reshaped=(*old.reshaped, patch))
        yield name, entry
