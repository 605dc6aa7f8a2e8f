# SPDX-License-Identifier: GPL-2.0-or-later
"""Series made in memory, for tests of what ties patches: each patch is told by the files as they are after it."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from seriestool.series.apply import FileState, apply_patch
from seriestool.series.diff import parse_diff
from seriestool.series.hunks import split_lines
from seriestool.series.model import Patch, PatchFailure
from seriestool.split.dependency_graph import Dependency, DependencyKind, PatchStage
from seriestool.split.patch_dependencies import find_dependencies

Files = Mapping[str, str | bytes | None]
Tree = dict[bytes, FileState]


def staged(base: Files, *changes: Files | bytes) -> list[PatchStage]:
    """The stages of a series on `base`: each change has the new contents (None: removed), or is a diff as mailed."""
    tree = {path.encode(): FileState(as_bytes(content)) for path, content in base.items() if content is not None}
    stages = []
    for counter, change in enumerate(changes, 1):
        diff = change if isinstance(change, bytes) else b"".join(diff_of(tree, change))
        patch = patch_of(counter, diff)
        applied = apply_patch(tree, patch.files)
        assert not isinstance(applied, PatchFailure), (counter, applied)
        touched = {path for one in patch.files for path in (one.old_path, one.new_path) if path is not None}
        stages.append(PatchStage(patch, _some(tree, touched), _some(applied.files, touched)))
        tree = dict(applied.files)
    return stages


def ties(found: tuple[Dependency, ...], tie: DependencyKind | None = None) -> dict[str, list[str]]:
    """What was found, short: {"2<-1": ["name"]}; of one tie only, where it is named."""
    return {f"{one.patch}<-{one.needs}": list(one.names) for one in found if tie in (None, one.tie)}


def patch_of(counter: int, diff: bytes) -> Patch:
    """A patch with this diff."""
    date = datetime(2024, 1, 1, tzinfo=UTC)
    msgid = f"{counter}@example.com"
    return Patch(msgid, counter, f"part {counter}", "A", "a@example.com", date, "", "", (), parse_diff(diff), diff)


def diff_of(tree: Tree, change: Files) -> Iterator[bytes]:
    """The file diffs that make the change, as git writes them."""
    for name, content in change.items():
        path = name.encode()
        old, new = tree.get(path), None if content is None else as_bytes(content)
        yield b"diff --git a/%s b/%s\n" % (path, path)
        if old is None:
            yield b"new file mode 100644\n"
        if new is None:
            yield b"deleted file mode 100644\n"
        names = (b"a/" + path if old else b"/dev/null", b"b/" + path if new is not None else b"/dev/null")
        yield from hunks(split_lines(old.content if old else b""), split_lines(new or b""), *names)


def hunks(old: list[bytes], new: list[bytes], old_name: bytes, new_name: bytes) -> Iterator[bytes]:
    """A unified diff with three lines of context."""
    for line in difflib.diff_bytes(difflib.unified_diff, old, new, old_name, new_name, lineterm=b"\n"):
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def as_bytes(content: str | bytes) -> bytes:
    """The content as a file has it."""
    return content.encode() if isinstance(content, str) else content


def _some(tree: Mapping[bytes, FileState], paths: set[bytes]) -> Tree:
    return {path: tree[path] for path in paths if path in tree}


def found_by(tie: DependencyKind, stages: Sequence[PatchStage]) -> tuple[Dependency, ...]:
    """The needs of one kind."""
    return tuple(one for one in find_dependencies(stages) if one.tie is tie)
