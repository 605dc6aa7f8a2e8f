# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patch uses, in a function, a parameter, a local variable or a label that an earlier one introduces there."""

from collections.abc import Iterator

from seriestool.series.model import path_text
from seriestool.split.dependency_graph import Dependency, DependencyKind
from seriestool.split.local_names import LocalDeclaration
from seriestool.split.patched_files import PatchedFile, PatchReading

_Where = tuple[bytes, bytes]
"""The function and the name."""


class LocalDependencies:
    """What was found so far, patch by patch."""

    def __init__(self) -> None:
        self._fresh: dict[bytes, dict[_Where, list[int]]] = {}
        """Of each file, the patches that introduced a name in a function, in order."""
        self._found: dict[tuple[int, int], set[bytes]] = {}

    def take(self, stage: PatchReading) -> None:
        """Go on by one patch."""
        before = dict(self._fresh)
        for file in stage.files:
            known = {where: list(patches) for where, patches in before.get(file.old_path or b"", {}).items()}
            for local in file.fresh:
                known.setdefault((local.function, local.name), []).append(stage.patch)
            self._fresh[file.path] = known
            for local, origin in _origins(file, known):
                if origin != stage.patch:
                    self._found.setdefault((stage.patch, origin), set()).add(local.name.removesuffix(b":"))

    def found(self) -> tuple[Dependency, ...]:
        """What was found, sorted."""
        return tuple(
            Dependency(*pair, DependencyKind.SCOPE, tuple(sorted(map(path_text, names))))
            for pair, names in sorted(self._found.items())
        )


def _origins(file: PatchedFile, known: dict[_Where, list[int]]) -> Iterator[tuple[LocalDeclaration, int]]:
    """For each local name that is used, the patch that introduced it.

    That is the one which the line of the declaration comes from, unless it only wrote anew what was there: then the
    last one before it that did.
    """
    for local in {use.local for use in file.uses if use.local is not None}:
        line = file.origins[local.row] if local.row < len(file.origins) else 0
        earlier = [patch for patch in known.get((local.function, local.name), ()) if patch <= line]
        if earlier:
            yield local, earlier[-1]
