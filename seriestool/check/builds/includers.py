# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files include a header, themselves or by way of other headers; found in the text of the tree."""

import re
from collections.abc import Callable, Iterable, Sequence

from seriestool.sandbox import SandboxResult

_LEVELS = 4
_NAMES = 60  # headers that are asked for at a time
_LINE = re.compile(rb"^(?P<file>[^:\n]+):[ \t]*#[ \t]*include[ \t]*[<\"](?P<name>[^>\"\n]+)[>\"]", re.MULTILINE)
_PATTERN = r"^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]([^>\"]*/)?(%s)[>\"]"
_SEARCH = ("grep", "-rHoE", "--include=*.[chS]", "--exclude-dir=tools", "--exclude-dir=Documentation")
_SPECIAL = re.compile(r"([.+*?\[\]^$(){}|\\])")
_ROOTS = re.compile(r"(?:.*/)?include/(?:uapi/)?")


def find_includers(
    headers: Iterable[str], run: Callable[[Sequence[str]], SandboxResult], enough: int
) -> tuple[str, ...]:
    """The files (.c, .S) that include any of the headers, the nearest first; no further level once there are enough.

    `run` runs a program in the sandbox, in the source. Which of two headers of one name is meant is not always clear;
    then it is both.
    """
    known = set(headers)
    waiting = sorted(known)
    found: dict[str, None] = {}
    for _ in range(_LEVELS):
        if not waiting or len(found) >= enough:
            break
        names = sorted({path.rpartition("/")[2] for path in waiting})[:_NAMES]
        pattern = _PATTERN % "|".join(_SPECIAL.sub(r"\\\1", name) for name in names)
        out = run([*_SEARCH, "-e", pattern, "."]).stdout
        including = sorted({path for path, name in _pairs(out) if _may_mean(path, name, waiting)})
        found.update(dict.fromkeys(path for path in including if not path.endswith(".h")))
        waiting = [path for path in including if path.endswith(".h") and path not in known]
        known.update(waiting)
    return tuple(found)


def _pairs(out: bytes) -> Iterable[tuple[str, str]]:
    for match in _LINE.finditer(out):
        yield match["file"].decode("utf-8", "replace").removeprefix("./"), match["name"].decode("utf-8", "replace")


def _may_mean(file: str, name: str, headers: Sequence[str]) -> bool:
    name = name.rpartition("../")[2]
    if "/" in name:
        return any(f"/{header}".endswith(f"/{name}") for header in headers)
    folder = file.rpartition("/")[0]
    own = f"{folder}/{name}" if folder else name
    return any(
        header == own or (header.endswith(f"/{name}") and _ROOTS.fullmatch(header[: -len(name)])) for header in headers
    )
