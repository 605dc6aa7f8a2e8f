# SPDX-License-Identifier: GPL-2.0-or-later
import json
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from seriestool.util.json_struct import JsonStruct


class Colour(StrEnum):
    RED = "red"


class Leaf(JsonStruct, frozen=True):
    json_names = (("counter", "patch"),)

    counter: int
    path: bytes


class Counted(JsonStruct, frozen=True):
    leaves: tuple[Leaf, ...]

    def to_dict(self) -> dict[str, object]:
        return {"leaves": len(self.leaves)}


class Branch(JsonStruct, frozen=True):
    leaves: tuple[Leaf, ...]
    colour: Colour
    since: datetime
    until: datetime | None
    counted: Counted
    names: tuple[str, ...] = ()


LEAF = Leaf(3, b"a\xff/\xc3\xa9")
BRANCH = Branch((LEAF,), Colour.RED, datetime(2026, 1, 2, tzinfo=UTC), None, Counted((LEAF, LEAF)), ("x",))


def test_every_field_is_there_in_its_order_and_as_json() -> None:
    assert json.dumps(BRANCH.to_dict()) == json.dumps(
        {
            "leaves": [{"patch": 3, "path": "a\\xff/\u00e9"}],
            "colour": "red",
            "since": "2026-01-02T00:00:00+00:00",
            "until": None,
            "counted": {"leaves": 2},
            "names": ["x"],
        }
    )


def test_it_is_a_struct() -> None:
    assert isinstance(BRANCH, Struct)
    assert Leaf(3, LEAF.path) == LEAF
