# SPDX-License-Identifier: GPL-2.0-or-later
"""What a commit message says to the stable team (Documentation/process/stable-kernel-rules.rst)."""

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from seriestool.series.message.commit_message import CommitMessage
from seriestool.series.message.trailer_names import edit_distance

STABLE = "stable@vger.kernel.org"
_PRIVATE = "stable@kernel.org"
_NO_AUTOSEL = "stable+noautosel@kernel.org"
_VALUE = re.compile(r"(?:([^<>@#]{0,100})<)?[ \t]*([^\s<>@#,]{1,60}@[^\s<>@#,]{1,60})[ \t]*>?[ \t]*(.*)", re.S)
_UPSTREAM = re.compile(
    r"^[ \t]*\[?[ \t]*(?:commit [0-9a-f]{12,64} upstream|upstream commit:?[ \t]+[0-9a-f]{12,64})"
    r"|^\((?:cherry picked|backported) from commit [0-9a-f]{12,64}",
    re.I,
)
_VERSION = re.compile(r"\bv?\d{1,2}\.\d{1,3}")


class StableFlaw(StrEnum):
    """What is wrong with a `Cc: stable`; the value is the slug of the rule."""

    ADDRESS = "stable-address"
    COMMENT = "stable-comment"
    """What stands behind the address does not begin with `#`."""
    NO_REASON = "stable-no-reason"
    """stable+noautosel without the reason that must be there."""

    @property
    def meaning(self) -> str:
        """In a line for people."""
        if self is StableFlaw.ADDRESS:
            return f"the stable team's address is {STABLE}"
        if self is StableFlaw.COMMENT:
            return "what stands behind the address has to begin with '#'"
        return "stable+noautosel needs a reason behind '#'"


class StableTag(Struct, frozen=True, kw_only=True):
    """A `Cc:` to the stable team."""

    number: int
    address: str
    remark: str
    """What stands behind it, without `#`: versions, prerequisites."""
    flaws: tuple[StableFlaw, ...]
    proper: str
    """The line as it should be."""

    @property
    def names_version(self) -> bool:
        """Whether it says itself which versions are meant."""
        return _VERSION.search(self.remark) is not None


def find_stable_tags(message: CommitMessage) -> tuple[StableTag, ...]:
    """The lines by which the commit asks to be backported, or not to be, wherever they stand."""
    lines = sorted((*message.named("cc"), *message.stray), key=lambda one: one.number)
    found = (_read(one.number, one.value[:500]) for one in lines if one.key == "cc" and "stable" in one.value.lower())
    return tuple(one for one in found if one is not None)


def names_upstream(message: CommitMessage) -> bool:
    """Whether the message says which upstream commit it is, as a submission to stable has to."""
    return any(_UPSTREAM.match(line) for line in message.lines[2:])


def _read(number: int, value: str) -> StableTag | None:
    match = _VALUE.match(value)
    if match is None or not _is_stable(match[2].lower()):
        return None
    address, rest = match[2].lower(), match[3].strip()
    remark = rest.strip("#[]() \t")
    meant = address if address in (STABLE, _PRIVATE, _NO_AUTOSEL) else STABLE
    proper = f"Cc: {meant}" + (f" # {remark}" if remark else "")
    return StableTag(
        number=number, address=meant, remark=remark, flaws=tuple(_flaws(address, rest, remark)), proper=proper
    )


def _flaws(address: str, rest: str, remark: str) -> Iterator[StableFlaw]:
    if address not in (STABLE, _PRIVATE, _NO_AUTOSEL):
        yield StableFlaw.ADDRESS
    if rest and not rest.startswith("#"):
        yield StableFlaw.COMMENT
    if address == _NO_AUTOSEL and not remark:
        yield StableFlaw.NO_REASON


def _is_stable(address: str) -> bool:
    """Whether the address is the stable team's, or a slip for it; other lists are called stable as well."""
    if address in (STABLE, _PRIVATE, _NO_AUTOSEL):
        return True
    local, _, host = address.partition("@")
    near = edit_distance(host, "vger.kernel.org", 2) <= 2 or edit_distance(host, "kernel.org", 1) <= 1
    return edit_distance(local, "stable", 1) <= 1 and (near or host.startswith(("vger.", "kernel.vger.")))
