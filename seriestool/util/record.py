# SPDX-License-Identifier: GPL-2.0-or-later
"""Frozen dataclasses <-> plain values that JSON can hold, by their type hints."""

import base64
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """The value as JSON can hold it: bytes in base64, dates in ISO 8601, dataclasses as objects, mappings as pairs."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return [[to_plain(key), to_plain(item)] for key, item in value.items()]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    return value


def from_plain(kind: type[T], plain: Any) -> T:
    """The value of this type; raises ValueError, TypeError or KeyError where the plain value is not one of it."""
    return typing.cast("T", _read(kind, plain))


def _read(kind: Any, plain: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin is not None:
        return _read_generic(kind, origin, plain)
    if kind is bytes:
        return base64.b64decode(plain, validate=True)
    if kind is datetime:
        return datetime.fromisoformat(plain)
    if is_dataclass(kind):
        return kind(**{name: _read(hint, plain[name]) for name, hint in _hints(kind)})  # type: ignore[operator, arg-type]
    if issubclass(kind, Enum):
        return kind(plain)
    if not isinstance(plain, kind):
        raise TypeError(f"{plain!r} is no {kind.__name__}")
    return plain


def _read_generic(kind: Any, origin: Any, plain: Any) -> Any:
    inner = typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if plain is None else _read(_only(inner), plain)
    if origin is typing.Literal:
        if plain not in inner:
            raise ValueError(f"{plain!r} is none of {inner}")
        return plain
    if origin is tuple and inner[-1] is Ellipsis:
        return tuple(_read(inner[0], item) for item in plain)
    if origin is tuple:
        return tuple(_read(one, item) for one, item in zip(inner, plain, strict=True))
    if issubclass(origin, Mapping):
        return {_read(inner[0], key): _read(inner[1], item) for key, item in plain}
    raise TypeError(f"{kind} cannot be kept")


@cache
def _hints(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Name and type of each field; looked up once, there may be thousands of values of a type."""
    hints = typing.get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in fields(kind))


def _only(union: tuple[Any, ...]) -> Any:
    """The one type of a union with None."""
    return next(inner for inner in union if inner is not type(None))
