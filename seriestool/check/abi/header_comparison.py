# SPDX-License-Identifier: GPL-2.0-or-later
"""A header before and after, compared as user space sees it.

Old names are those of the header itself; new ones are looked for in all that it includes, so that what moves into
another header is nothing to report. Macros are compared by what they are worth, and not by their text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from seriestool.check.abi.abi_change import MOST_NAMES, AbiChange, ChangeSeverity, find_sentinels, is_sum
from seriestool.check.abi.c_types import Aggregate, Enumeration, HeaderTypes, Macro, Typedef
from seriestool.check.abi.macros import is_ioctl, may_be_number
from seriestool.check.abi.struct_comparison import Alike, compare_aggregates
from seriestool.util.text import shortened

_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|\w+|[^\w\s]')
_GUARD = re.compile(r"_*(?:UAPI_*)?\w*_H_*", re.IGNORECASE)
_IOC_SIZE = 0x3FFF << 16
_IOC_MAGIC = 0xFF00
_DRM = ord("d") << 8
_MOVED = "sentinel-moved"
_WIDE = (1 << 64) - 1


class HeaderAbi(Struct, frozen=True):
    """What user space sees of one header on one side."""

    own: HeaderTypes
    """What the header itself declares."""
    all: HeaderTypes
    """And what it includes."""
    own_macros: Mapping[str, Macro]
    macros: Mapping[str, Macro]
    values: Mapping[str, int]
    """Name -> what it is worth, of 64 bits; those that are no integer constants are not there."""


def merge_types(parts: Iterable[HeaderTypes]) -> HeaderTypes:
    """All of them as one."""
    aggregates: dict[str, Aggregate] = {}
    aliases: dict[str, Typedef] = {}
    enumerations: list[Enumeration] = []
    for part in parts:
        aggregates.update(part.aggregates)
        aliases.update(part.aliases)
        enumerations += part.enumerations
    return HeaderTypes(aggregates, aliases, tuple(enumerations))


def names_to_evaluate(own: HeaderTypes, macros: Mapping[str, Macro]) -> tuple[str, ...]:
    """The names of a header that may be worth a number."""
    enumerators = (name for one in own.enumerations for name in one.values)
    return tuple(dict.fromkeys([*enumerators, *(name for name, macro in macros.items() if may_be_number(macro))]))


def compare(old: HeaderAbi, new: HeaderAbi) -> Iterator[AbiChange]:
    """What is not as it was, with one note for all that only moves with what was added."""
    moved = []
    for change in _changes(old, new):
        if change.rule == _MOVED:
            moved.append(change)
        else:
            yield change
    if moved:
        message = f"moves with what was added: {shortened([one.message for one in moved], MOST_NAMES)}"
        yield AbiChange(
            ChangeSeverity.NOTE, _MOVED, moved[0].name, message, others=tuple(one.name for one in moved[1:])
        )


def _changes(old: HeaderAbi, new: HeaderAbi) -> Iterator[AbiChange]:
    for name, aggregate in old.own.aggregates.items():
        yield from _aggregate(name, aggregate, old, new)
    yield from _aliases(old, new)
    known = {one.name for one in new.all.enumerations}
    # Where a macro is in the way of an enumerator the compiler cannot be asked, but wrote it down.
    values = {name: value & _WIDE for one in new.all.enumerations for name, value in one.values.items()}
    for enumeration in old.own.enumerations:
        yield from _enumeration(enumeration, old.values, values | dict(new.values), enumeration.name in known)
    enumerators = {name for one in old.own.enumerations for name in one.values}
    for name, macro in old.own_macros.items():
        if name not in enumerators:
            yield from _macro(macro, old, new)
    yield from _unusable(old, new)


def _unusable(old: HeaderAbi, new: HeaderAbi) -> Iterator[AbiChange]:
    """Macros that are written as before, but use something that is not there any more."""
    names = [
        name
        for name, macro in old.own_macros.items()
        if name in old.values and name not in new.values and _normal(new.macros.get(name)) == _normal(macro)
    ]
    if names:
        message = f"no longer numbers, because of what they are made of: {shortened(names, MOST_NAMES)}"
        yield AbiChange(ChangeSeverity.ASK, "macro-unusable", names[0], message, others=tuple(names[1:]))


def _aggregate(name: str, aggregate: Aggregate, old: HeaderAbi, new: HeaderAbi) -> Iterator[AbiChange]:
    word, _, tag = name.partition(" ")
    other = new.macros.get(tag)
    now = new.all.aggregates.get(name)
    if now is None and other is not None:  # `#define old_name new_name`
        now = new.all.aggregates.get(f"{word} {other.body}")
    if now is None:
        yield AbiChange(ChangeSeverity.BREAK, "removed", tag, f"{name} is no longer there")
    else:
        yield from compare_aggregates(name, aggregate, now, _alike(old, new))


def _alike(old: HeaderAbi, new: HeaderAbi) -> Alike:
    """Tells of a struct that goes by another name now whether its members are the same, at the same places."""

    def is_alike(was: str, now: str) -> bool:
        before, after = old.all.aggregates.get(was), new.all.aggregates.get(now)
        if before is None or after is None or (before.size, len(before.members)) != (after.size, len(after.members)):
            return False
        pairs = zip(before.members, after.members, strict=True)
        return all((one.offset, one.size, one.type) == (other.offset, other.size, other.type) for one, other in pairs)

    return is_alike


def _aliases(old: HeaderAbi, new: HeaderAbi) -> Iterator[AbiChange]:
    for name, alias in old.own.aliases.items():
        now = new.all.aliases.get(name)
        if now is None:
            if name not in new.macros:
                yield AbiChange(ChangeSeverity.BREAK, "removed", name, f"the type {name} is no longer there")
        elif alias.aggregate is not None and now.aggregate is not None:
            yield from compare_aggregates(name, alias.aggregate, now.aggregate, _alike(old, new))
        elif alias.size != now.size and alias.size and now.size and alias.aggregate is None:
            message = f"the type {name} has {now.size} bytes, and had {alias.size}"
            # A typedef of a struct with a name is compared with that struct.
            severity = ChangeSeverity.ASK if alias.type == now.type else ChangeSeverity.BREAK
            yield AbiChange(severity, "type-changed", name, message)
        elif alias.type != now.type and alias.aggregate is None:
            yield AbiChange(
                ChangeSeverity.ASK, "type-changed", name, f"the type {name} was {alias.type}, and is {now.type} now"
            )


def _enumeration(
    old: Enumeration, before: Mapping[str, int], after: Mapping[str, int], is_known: bool
) -> Iterator[AbiChange]:
    label = f"enum {old.name}" if old.name else "an enum"
    sentinels = find_sentinels(tuple(old.values))
    gone = [name for name in old.values if name not in after]
    yield from _gone(label, [name for name in gone if name not in sentinels], ChangeSeverity.BREAK)
    yield from _gone(label, [name for name in gone if name in sentinels], ChangeSeverity.ASK)
    if old.name and not is_known and len(gone) < len(old.values):
        yield AbiChange(
            ChangeSeverity.ASK, "enum-tag-removed", old.name, f"enum {old.name} is no longer there by this name"
        )
    was = {name: before.get(name, value & _WIDE) for name, value in old.values.items()}
    moved = {
        name: f"{name} {_signed(value)} -> {_signed(after[name])}"
        for name, value in was.items()
        if name in after and not _is_same(value, after[name])
    }
    shifted = [name for name in moved if name not in sentinels]
    if shifted:
        message = (
            f"values of {label} are not what they were: {shortened([moved[name] for name in shifted], MOST_NAMES)}"
        )
        yield AbiChange(ChangeSeverity.BREAK, "enumerator-shifted", shifted[0], message, others=tuple(shifted[1:]))
    for name in sorted(moved.keys() & sentinels):
        yield AbiChange(ChangeSeverity.NOTE, _MOVED, name, moved[name])


def _gone(label: str, names: list[str], severity: ChangeSeverity) -> Iterator[AbiChange]:
    if names:
        message = f"{label} no longer has {shortened(names, MOST_NAMES)}"
        yield AbiChange(severity, "removed", names[0], message, others=tuple(names[1:]))


def _macro(macro: Macro, old: HeaderAbi, new: HeaderAbi) -> Iterator[AbiChange]:
    name = macro.name
    was, now = old.values.get(name), new.values.get(name)
    after = new.macros.get(name)
    if not macro.body:
        return  # a guard, or something that is only asked for with #ifdef
    if now is None and after is None:
        if was is None and _is_other_name(name, new):
            return
        rule = "ioctl-removed" if is_ioctl(macro) else "removed"
        # Of one with parameters nobody can tell whether it was of use: some never compiled outside the kernel.
        is_hard = macro.parameters is None and not is_sum(name, macro.body) and not _GUARD.fullmatch(name)
        severity = ChangeSeverity.BREAK if is_hard else ChangeSeverity.ASK
        yield AbiChange(severity, rule, name, f"{name} is no longer defined")
    elif was is not None and now is not None:
        yield from _value(macro, was, now)
    elif after is not None:
        yield from _body(macro, after, was)


def _is_other_name(name: str, new: HeaderAbi) -> bool:
    """Whether a type or function has taken the name over."""
    return name in new.all.aliases or f"struct {name}" in new.all.aggregates


def _value(macro: Macro, was: int, now: int) -> Iterator[AbiChange]:
    if _is_same(was, now):
        return
    if is_ioctl(macro):
        yield _ioctl(macro.name, was, now)
    elif is_sum(macro.name, macro.body):
        yield AbiChange(ChangeSeverity.NOTE, _MOVED, macro.name, f"{macro.name} {_signed(was)} -> {_signed(now)}")
    else:
        yield AbiChange(
            ChangeSeverity.ASK,
            "macro-value-changed",
            macro.name,
            f"{macro.name} was {_shown(was)}, and is {_shown(now)} now",
        )


def _ioctl(name: str, was: int, now: int) -> AbiChange:
    numbers = f"{name} was {was & 0xFFFFFFFF:#x}, and is {now & 0xFFFFFFFF:#x} now"
    only_size = (was ^ now) & ~_IOC_SIZE == 0
    if only_size and was & _IOC_MAGIC == _DRM:
        # drm_ioctl() looks at the number only, and takes arguments of every size.
        return AbiChange(ChangeSeverity.ASK, "ioctl-size-changed", name, f"{numbers}: its argument has another size")
    why = ": its argument has another size, so that binaries still use the old number" if only_size else ""
    return AbiChange(ChangeSeverity.BREAK, "ioctl-changed", name, numbers + why)


def _body(macro: Macro, after: Macro, was: int | None) -> Iterator[AbiChange]:
    if _normal(macro) == _normal(after):
        return  # spaces, names of parameters
    if was is not None:
        yield AbiChange(
            ChangeSeverity.ASK,
            "macro-value-changed",
            macro.name,
            f"{macro.name} was {_shown(was)}, and is no number now: {_short(after.body)}",
        )
    elif is_sum(macro.name, macro.body):
        yield AbiChange(ChangeSeverity.NOTE, _MOVED, macro.name, macro.name)
    else:
        yield AbiChange(
            ChangeSeverity.ASK,
            "macro-text-changed",
            macro.name,
            f"{macro.name} was '{_short(macro.body)}', and is '{_short(after.body)}' now",
        )


def _normal(macro: Macro | None) -> tuple[object, ...] | None:
    """A macro without what means nothing: spaces, and what its parameters are called."""
    if macro is None:
        return None
    parameters = {word: number for number, word in enumerate(_WORD.findall(macro.parameters or ""))}
    tokens = (parameters.get(word, word) for word in _TOKEN.findall(macro.body))
    return (macro.parameters is None, len(parameters), *tokens)


def _is_same(was: int, now: int) -> bool:
    """Whether they are the same number of 64 bits, or of 32 where one was written as unsigned."""
    low = 0xFFFFFFFF
    return was == now or (was & low == now & low and {was >> 32, now >> 32} == {0, low})


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _shown(value: int) -> str:
    signed = _signed(value)
    return str(signed) if -1000 < signed < 1000 else hex(value)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
