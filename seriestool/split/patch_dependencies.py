# SPDX-License-Identifier: GPL-2.0-or-later
"""All that ties the patches of a series to each other."""

from collections.abc import Sequence

from seriestool.split.dependency_graph import Dependency, DependencyKind, PatchStage
from seriestool.split.local_dependencies import LocalDependencies
from seriestool.split.patched_files import SourceReader
from seriestool.split.symbol_dependencies import SymbolDependencies
from seriestool.split.text_dependencies import textual_dependencies


def find_dependencies(stages: Sequence[PatchStage]) -> tuple[Dependency, ...]:
    """The needs of each patch, sorted by patch, by what it needs, and by tie, the plainest first.

    Of the same two patches there is one for each tie. Stages that are not known are left out of `stages`.
    """
    reader = SourceReader(stages)
    symbols, scopes = SymbolDependencies(reader.base()), LocalDependencies()
    for reading in reader.readings():
        symbols.take(reading)
        scopes.take(reading)
    order = list(DependencyKind)
    found = (*textual_dependencies(stages), *symbols.found(), *scopes.found())
    return tuple(sorted(found, key=lambda one: (one.patch, one.needs, order.index(one.tie))))
