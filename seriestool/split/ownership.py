# SPDX-License-Identifier: GPL-2.0-or-later
"""Who owns the files and patches of a series, as frozen values."""

from dataclasses import dataclass

from seriestool.series.model import path_text
from seriestool.split.destination import Destination, Flavour
from seriestool.split.destination_scores import DestinationChoice
from seriestool.split.file_owners import FileOwners


@dataclass(frozen=True, slots=True)
class Ack:
    """Whose agreement a patch wants when it goes through another tree: of any of `trees`, for these files."""

    trees: tuple[str, ...]
    people: tuple[str, ...]
    given: tuple[str, ...]
    """Those of the people who said so already, in the patch's trailers."""
    paths: tuple[bytes, ...]

    def to_dict(self) -> dict[str, object]:
        """The wish as JSON shows it."""
        return {
            "trees": list(self.trees),
            "people": list(self.people),
            "given": list(self.given),
            "files": [path_text(path) for path in self.paths],
        }


@dataclass(frozen=True, slots=True)
class PatchPart:
    """The files of a patch that go to one destination (None: undecided) when it is cut by file."""

    destination: str | None
    paths: tuple[bytes, ...]

    def to_dict(self) -> dict[str, object]:
        """The part as JSON shows it."""
        return {"destination": self.destination, "files": [path_text(path) for path in self.paths]}


@dataclass(frozen=True, slots=True)
class PatchOwner:
    """Where one patch goes."""

    counter: int
    destination: str | None
    """None where its owners are as good as each other."""
    choices: tuple[DestinationChoice, ...]
    """The likeliest first; of a patch that is decided the first one is its destination."""
    owned: tuple[Ack, ...]
    """The owners of its files, those of the destination too; files that only accompany code are left out."""
    parts: tuple[PatchPart, ...]
    """One where the patch does not straddle."""
    cc: tuple[str, ...]
    is_fix: bool
    """It has a Fixes: trailer."""
    stated: Flavour | None
    """What the series' subject says of its destination: [PATCH net] is for fixes."""

    def acks(self, destination: str | None) -> tuple[Ack, ...]:
        """Whose agreement it wants if it goes there: all owners but that one."""
        return tuple(one for one in self.owned if destination not in one.trees)

    @property
    def straddles(self) -> bool:
        """Whether files of it belong to several trees."""
        return len(self.parts) > 1

    @property
    def evidence(self) -> tuple[str, ...]:
        """Why its destination is that."""
        return self.choices[0].evidence if self.destination and self.choices else ()


@dataclass(frozen=True, slots=True)
class SeriesOwners:
    """The owners of all files and all patches of a series."""

    destinations: tuple[Destination, ...]
    files: tuple[FileOwners, ...]
    patches: tuple[PatchOwner, ...]

    def destination(self, name: str) -> Destination:
        """The destination of that name; KeyError where there is none."""
        return {one.name: one for one in self.destinations}[name]

    def patch(self, counter: int) -> PatchOwner:
        """What is known of the patch; KeyError where there is none."""
        return {one.counter: one for one in self.patches}[counter]
