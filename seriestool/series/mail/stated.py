# SPDX-License-Identifier: GPL-2.0-or-later
"""What an author states besides the patch: the base and the prerequisites of a series.

Only from where such lines stand: a quoted reply or a sentence that happens to hold one states nothing.
"""

import re
from collections.abc import Iterable

from seriestool.series.message.commit_message import is_trailer_line
from seriestool.series.model import BaseInfo, Prerequisite
from seriestool.util.lazy_pattern import lazy_pattern

_KEY = re.compile(
    r"^(base-commit|change-id|prerequisite-(?:patch-id|message-id|change-id|base-commit)|based-on|depends-on)"
    r"[ \t]*:(.*)$",
    re.I,
)
_SEPARATOR = re.compile(r"^(?:\s.*|---+\s*|--\s*|)$")
_MESSAGE_ID = lazy_pattern(r"^<([^<>\s]+)>")
_FULL_ID = lazy_pattern(r"^([0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?)\s+\(")
_PREREQUISITE_PREFIX = "prerequisite-"

Stated = tuple[tuple[str, str], ...]
"""(key in lower case, value as it stands), in order."""


def parse_stated(text: str) -> Stated:
    """What the trailer blocks of a cover letter, or of the text below `---`, state.

    A block is a run of lines at the margin that are all `key: value`; blank and indented lines, `---` and `-- ` end it.
    """
    found: list[tuple[str, str]] = []
    block: list[str] = []
    for line in [*text.split("\n"), ""]:
        if not _SEPARATOR.match(line):
            block.append(line)
        elif block:
            if all(is_trailer_line(one) for one in block):
                found.extend(_keys(block))
            block = []
    return tuple(found)


def parse_stated_below_diff(text: str) -> Stated:
    """What stands at the margin of a diff or below it: no line of a hunk begins there with a letter."""
    return tuple(_keys(line for line in text.split("\n") if line[:1] in "BbCcDdPp")) if ":" in text else ()


def _keys(lines: Iterable[str]) -> list[tuple[str, str]]:
    return [(match[1].lower(), match[2].strip()) for line in lines if (match := _KEY.match(line))]


def _commit(value: str) -> str:
    """A full id without the remark that may stand behind it; anything else as it stands."""
    match = _FULL_ID().match(value)
    return match[1] if match else value


def base_info(stated: Stated) -> BaseInfo:
    """The base and prerequisites that `stated` names; where a base-commit stands twice, the last one counts."""
    commits = [value for key, value in stated if key == "base-commit" and value]
    wanted = dict.fromkeys(
        Prerequisite(key.removeprefix(_PREREQUISITE_PREFIX), _bare(value))
        for key, value in stated
        if key not in ("base-commit", "change-id") and value
    )
    return BaseInfo(_commit(commits[-1]) if commits else None, tuple(wanted))


def change_id(stated: Stated) -> str | None:
    """The last change-id that `stated` names, or None."""
    values = [value for key, value in stated if key == "change-id" and value]
    return values[-1] if values else None


def _bare(value: str) -> str:
    match = _MESSAGE_ID().match(value)
    return match[1] if match else value
