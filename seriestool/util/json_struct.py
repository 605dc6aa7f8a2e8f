# SPDX-License-Identifier: GPL-2.0-or-later
"""Values that JSON shows field by field: the one way in which dates, bytes and words become JSON."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct


class JsonStruct(Struct, frozen=True):
    """A value whose documented JSON has its fields, all of them, in their order.

    Values of which JSON has more, less or something made of a field (a count for a list) write their own `to_dict`.
    """

    json_names: ClassVar[tuple[tuple[str, str], ...]] = ()
    """(field, key) where JSON knows a field by another name."""

    def to_dict(self) -> dict[str, object]:
        """The value as JSON shows it; every key is always there."""
        names = dict(self.json_names)
        return {names.get(field, field): json_value(getattr(self, field)) for field in self.__struct_fields__}


def json_value(value: object) -> object:
    """What JSON has of a value: dates in ISO 8601, words as str, lists of lists.

    bytes are paths: UTF-8, or \\xNN where they are none, so that every one can be written.
    """
    match value:
        case JsonStruct():
            return value.to_dict()
        case StrEnum():
            return str(value)
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return [json_value(item) for item in value]
    return value
