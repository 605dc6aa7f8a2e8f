# SPDX-License-Identifier: GPL-2.0-or-later
"""A name means one thing: no two classes or modules of one name, no name that says only what happened to something."""

import ast
import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support.repos import ROOT

PACKAGE = ROOT / "seriestool"
UNIT = ROOT / "tests/unit"
WIDE = 5
"""Fields from which on nobody remembers their order."""
PARTICIPLES = frozenset(
    """
    Added Allowed Answered Applied Asked Assembled Booked Bound Broken Built Cached Called Changed Checked
    Chosen Claimed Cloned Closed Compared Computed Counted Cut Decided Declared Deferred Done Drawn Dropped Due
    Ended Expected Failed Fetched Fetching Filed Filled Found Given Gone Graded Grown Heard Held Hidden Indexed
    Judged Kept Killed Known Learned Left Listed Loaded Looked Lost Made Mailed Marked Matched Meant Measured
    Merged Moved Named Needed Noted Offered Opened Ordered Owned Packed Parsed Picked Placed Planned Posted
    Printed Proven Put Queued Quoted Ran Read Rebased Rebuilt Received Recorded Refused Removed Renamed Rendered
    Reported Resolved Rewritten Said Saved Seen Sent Served Shown Skipped Solved Sorted Spoken Staged Started
    Stated Stopped Stored Taken Tied Told Touched Tracked Tried Turned Used Wanted Watched Won Written
    """.split()  # noqa: SIM905
)


@functools.cache
def trees() -> dict[Path, ast.Module]:
    """Each module of the package, parsed."""
    return {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


@functools.cache
def classes() -> tuple[ast.ClassDef, ...]:
    return tuple(node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def twice(names: Iterator[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def test_no_class_name_means_two_things() -> None:
    assert twice(node.name.lstrip("_") for node in classes()) == []


def test_no_class_is_named_by_a_bare_participle() -> None:
    assert sorted(node.name for node in classes() if node.name.lstrip("_") in PARTICIPLES) == []


def test_no_two_modules_have_one_name() -> None:
    rules, doors = PACKAGE / "check/rules", PACKAGE / "cli"  # a check has the name users know; so has a command
    assert twice(path.stem for path in trees() if path.stem != "__init__" and path.parent not in (rules, doors)) == []


def fields(node: ast.ClassDef) -> int:
    """How many values the class holds, those of the classes it extends included."""
    own = [one for one in node.body if isinstance(one, ast.AnnAssign) and "ClassVar" not in ast.dump(one.annotation)]
    extended = {base.id for base in node.bases if isinstance(base, ast.Name)}
    return len(own) + sum(fields(other) for other in classes() if other.name in extended)


def test_wide_values_are_made_by_keyword() -> None:
    """No call gives a class so many values by position; up to four may stand in the order that everybody knows."""
    wide = {node.name for node in classes() if fields(node) >= WIDE and not has_init(node)}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {called_name(node)}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called_name(node) in wide and len(node.args) >= WIDE
    ]
    assert found == []


def has_init(node: ast.ClassDef) -> bool:
    return any(isinstance(one, ast.FunctionDef) and one.name == "__init__" for one in node.body)


def called_name(call: ast.Call) -> str:
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def test_unit_tests_lie_where_what_they_test_lies() -> None:
    """A test named after a module lies in that module's folder; any other in the room that it is about."""
    folders: dict[str, set[Path]] = {}
    for path in trees():
        name = path.parent if path.stem == "__init__" else path.with_suffix("")
        folders.setdefault(name.name, set()).add(name.parent.relative_to(PACKAGE.parent))
    misplaced = []
    for file in UNIT.rglob("test_*.py"):
        room, name = file.parent.relative_to(UNIT), file.stem.removeprefix("test_")
        homes = folders.get(name, {"seriestool" / room}) | ({"seriestool" / room} if room.name == name else set())
        assert (PACKAGE / room).is_dir() or room == Path("support"), file
        if "seriestool" / room not in homes:
            misplaced.append(f"{file.relative_to(ROOT)}: {name} lies in {sorted(map(str, homes))}")
    assert misplaced == []
