# SPDX-License-Identifier: GPL-2.0-or-later
"""What ties the patches of a series to each other, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from seriestool.series.apply import FileState
from seriestool.series.model import Patch


class DependencyKind(StrEnum):
    """Why one patch needs another, the plainest reason first."""

    TEXT = "text"
    """They do not commute: one changes lines that the other changes, or needs around it."""
    SYMBOL = "symbol"
    """One uses a name that the other introduces, or whose signature the other changes."""
    SCOPE = "scope"
    """One uses a parameter or a local variable that the other introduces."""


@dataclass(frozen=True, slots=True)
class PatchStage:
    """One patch on the base of its series, after the patches before it: the paths that it touches, as far as they
    exist, before and after."""

    patch: Patch
    before: Mapping[bytes, FileState]
    after: Mapping[bytes, FileState]


@dataclass(frozen=True, slots=True)
class Dependency:
    """The patch `patch` needs the earlier patch `needs`; both are counters."""

    patch: int
    needs: int
    tie: DependencyKind
    names: tuple[str, ...]
    """Of TEXT the paths, else the identifiers; sorted."""

    def to_dict(self) -> dict[str, object]:
        """The dependency as JSON shows it."""
        return {"patch": self.patch, "needs": self.needs, "tie": str(self.tie), "names": list(self.names)}
