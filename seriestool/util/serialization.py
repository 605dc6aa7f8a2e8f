# SPDX-License-Identifier: GPL-2.0-or-later
"""Values <-> the JSON that we keep them as: saved rebases, answers of steps and checks, summaries of reports.

What is kept is ours alone. A version that has other fields reads none of it, and finds or asks anew.
"""

import json
from typing import TypeVar

import msgspec

T = TypeVar("T")


def encode_stored(value: object) -> bytes:
    """JSON in UTF-8 from which `decode_stored` has the value again: bytes in base64, dates in ISO 8601.

    Texts of mails can have lone surrogates, for bytes that are no UTF-8: msgspec refuses them, so they are escaped.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value, str_keys=True), separators=(",", ":")).encode("ascii")


def decode_stored(kind: type[T], data: bytes | str) -> T:
    """The value of this type; raises ValueError where the data has none, as what another version kept has not."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeEncodeError):
        return msgspec.convert(json.loads(data), kind, str_keys=True)  # lone surrogates, or no JSON at all
