# SPDX-License-Identifier: GPL-2.0-or-later
"""Frozen dataclasses <-> plain values that JSON can hold, by their type hints."""

import base64
import types
import typing
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """The value as JSON can hold it: bytes in base64, dates in ISO 8601, dataclasses as objects."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    return value


def from_plain(kind: type[T], plain: Any) -> T:
    """The value of this type; raises ValueError, TypeError or KeyError where the plain value is not one of it."""
    return typing.cast("T", _read(kind, plain))


def _read(kind: Any, plain: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return None if plain is None else _read(_only(kind), plain)
    if origin is tuple:
        inner = typing.get_args(kind)
        if inner[-1] is Ellipsis:
            return tuple(_read(inner[0], item) for item in plain)
        return tuple(_read(one, item) for one, item in zip(inner, plain, strict=True))
    if kind is bytes:
        return base64.b64decode(plain, validate=True)
    if kind is datetime:
        return datetime.fromisoformat(plain)
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{field.name: _read(hints[field.name], plain[field.name]) for field in fields(kind)})  # type: ignore[operator]
    if issubclass(kind, Enum):
        return kind(plain)
    if not isinstance(plain, kind):
        raise TypeError(f"{plain!r} is no {kind.__name__}")
    return plain


def _only(union: Any) -> Any:
    """The one type of a union with None."""
    return next(inner for inner in typing.get_args(union) if inner is not type(None))
