# SPDX-License-Identifier: GPL-2.0-or-later
"""Two structs compared, member by member, as programs see them that were made with the old one."""

from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from seriestool.check.abi.abi_change import AbiChange, ChangeSeverity, is_padding
from seriestool.check.abi.c_types import Aggregate, Member

Alike = Callable[[str, str], bool]
"""Whether two types of different text, the old one and the new one, look alike in memory."""


def compare_aggregates(name: str, old: Aggregate, new: Aggregate, is_alike: Alike) -> Iterator[AbiChange]:
    """What is not as it was. Old members that keep name, place and type are nothing to report, whatever is around."""
    if old != new:
        for change in _changes(name, old, new, is_alike):
            yield replace(change, inside=name) if change.name != name else change


def _changes(name: str, old: Aggregate, new: Aggregate, is_alike: Alike) -> Iterator[AbiChange]:
    now = {member.name: member for member in new.members}
    flexible = _opened(old, now)
    for member in old.members:
        after = now.get(member.name)
        if after is None:
            yield from _gone(name, member, old, new)
        else:
            yield from _kept(name=name, before=member, after=after, flexible=flexible, old=old, is_alike=is_alike)
    yield from _size(name, old, new, flexible)


def _opened(old: Aggregate, now: Mapping[str, Member]) -> frozenset[str]:
    """The arrays of one element or of none that are flexible arrays now, or the other way round."""
    return frozenset(
        member.name
        for member in old.members
        if member.is_array
        and (after := now.get(member.name)) is not None
        and after.is_array
        and after.offset == member.offset
        and after.size != member.size
        and 0 in (after.size, member.size)
        and _element(after) == _element(member)
    )


def _element(member: Member) -> str:
    return member.type.partition("[")[0]


def _gone(name: str, member: Member, old: Aggregate, new: Aggregate) -> Iterator[AbiChange]:
    if not member.name.rpartition(".")[2] or member.name.rpartition(".")[2].startswith("__empty"):
        return
    end = member.offset + member.size
    if is_padding(member.name) and end <= 8 * new.size:
        yield AbiChange(
            ChangeSeverity.NOTE, "padding-used", member.name, f"{name}: the room of {member.name!r} is used now"
        )
        return
    names = {one.name for one in old.members}
    there = [one for one in new.members if one.offset == member.offset and one.name not in names]
    same = next((one for one in there if one.size == member.size), None)
    if same is not None:
        yield AbiChange(
            ChangeSeverity.ASK,
            "member-renamed",
            member.name,
            f"{name}: {member.name!r} is {same.name!r} now: programs that name it do no longer compile",
        )
    elif there and end <= 8 * new.size:
        yield AbiChange(
            ChangeSeverity.ASK,
            "member-replaced",
            member.name,
            f"{name}: in the place of {member.name!r} there is {there[0].name!r} now",
        )
    else:
        yield AbiChange(
            ChangeSeverity.BREAK, "member-removed", member.name, f"{name}: {member.name!r} is no longer there"
        )


def _kept(
    name: str, before: Member, after: Member, flexible: frozenset[str], old: Aggregate, is_alike: Alike
) -> Iterator[AbiChange]:
    label = f"{name}: {before.name!r}"
    if before.offset != after.offset:
        if is_padding(before.name) or (before.name == "end" and not before.size):
            return
        yield AbiChange(
            ChangeSeverity.BREAK,
            "member-moved",
            before.name,
            f"{label} is at byte {_bytes(after.offset)}, and was at {_bytes(before.offset)}",
        )
    elif before.name in flexible:
        yield AbiChange(
            ChangeSeverity.ASK,
            "flexible-array",
            before.name,
            f"{label} was {before.type}, and is {after.type} now: sizes of structs with it may differ",
        )
    elif before.size != after.size:
        yield from _resized(label, before, after, old)
    elif before.type != after.type and not is_padding(before.name) and not is_alike(before.type, after.type):
        yield AbiChange(
            ChangeSeverity.ASK,
            "member-type-changed",
            before.name,
            f"{label} was {before.type}, and is {after.type} now",
        )


def _resized(label: str, before: Member, after: Member, old: Aggregate) -> Iterator[AbiChange]:
    if is_padding(before.name):
        return
    what = f"{label} takes {_bytes(after.size)} bytes, and took {_bytes(before.size)}"
    end, new_end = before.offset + before.size, before.offset + after.size
    holds = [one for one in old.members if one.offset < new_end and one.offset + one.size > end and one != before]
    into_padding = all(is_padding(one.name) for one in holds) and new_end <= 8 * old.size
    if not before.is_scalar and after.size > before.size:
        # What follows is looked at on its own: where that has moved, it says so.
        yield AbiChange(ChangeSeverity.ASK, "member-grown", before.name, what)
    elif not before.is_scalar or (into_padding and after.size > before.size):
        yield AbiChange(ChangeSeverity.ASK, "member-resized", before.name, what)
    else:
        yield AbiChange(ChangeSeverity.BREAK, "member-resized", before.name, what)


def _size(name: str, old: Aggregate, new: Aggregate, flexible: frozenset[str]) -> Iterator[AbiChange]:
    if new.size > old.size:
        yield AbiChange(
            ChangeSeverity.ASK,
            "struct-grown",
            name,
            f"{name} has {new.size} bytes, and had {old.size}: the kernel must still take the old size",
        )
    elif new.size < old.size and not flexible:
        places = {(one.name, one.offset, one.size) for one in new.members}
        lost = any((one.name, one.offset, one.size) not in places for one in old.members if not is_padding(one.name))
        severity = ChangeSeverity.BREAK if lost else ChangeSeverity.ASK  # only padding: what is there can still be read
        yield AbiChange(severity, "struct-shrunk", name, f"{name} has {new.size} bytes, and had {old.size}")


def _bytes(bits: int) -> str:
    whole, rest = divmod(bits, 8)
    return f"{whole}.{rest}" if rest else str(whole)
