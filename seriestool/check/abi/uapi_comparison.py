# SPDX-License-Identifier: GPL-2.0-or-later
"""Two trees compared in what they install for user space: the headers that changed, and those that include them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.abi.abi_change import AbiChange, ChangeSeverity, find_line
from seriestool.check.abi.c_types import HeaderTypes
from seriestool.check.abi.header_comparison import HeaderAbi, compare, merge_types, names_to_evaluate
from seriestool.check.abi.header_compiler import CompiledHeader, HeaderCompiler, HeaderUnit, RejectedHeader
from seriestool.check.abi.installed_headers import InstalledHeaders, find_header
from seriestool.git import ScratchRepository
from seriestool.sandbox import Sandbox
from seriestool.trees.kernel_tree import arch_of_machine

MOST_INCLUDERS = 60
"""Headers that were not changed, but include what was: so many are compiled, the nearest first."""
MOST_CHANGES = 60
"""Of one header; where it is none of theirs any more, nobody reads them one by one."""
_BEFORE, _AFTER = "before", "after"


class HeaderComparison(Struct, frozen=True):
    """One header before and after."""

    path: bytes
    name: str
    """As in `#include <name>`."""
    changes: tuple[tuple[AbiChange, int | None], ...] = ()
    """With the line of the header after the patch, or of the one before for what is gone."""
    more: int = 0
    """How many changes there are besides."""
    unseen: str | None = None
    """Why it could not be compared."""


class InstalledPair(Struct, frozen=True):
    """What two trees install on one architecture, and which headers are compared."""

    arch: str
    old: InstalledHeaders
    new: InstalledHeaders
    names: tuple[bytes, ...]


class UapiComparer:
    """Compares the headers of two trees."""

    def __init__(self, scratch_repo: ScratchRepository, sandbox: Sandbox, folder: Path, jobs: int = 1) -> None:
        """`folder` is empty and ours."""
        self._scratch_repo = scratch_repo
        self._sandbox = sandbox
        self._folder = folder
        self._jobs = jobs

    def compare_headers(
        self, before: str, after: str, paths: Iterable[bytes], machine: str, includers: int = MOST_INCLUDERS
    ) -> Iterator[HeaderComparison]:
        """What is not as it was in these paths of the trees, and in up to `includers` headers that include them.

        `machine` is what `uname -m` calls the one that compiles.
        """
        here = arch_of_machine(machine)
        for pair in self._pairs(before, after, paths, here):
            found = list(self._compare(pair, self._folder / f"{pair.arch}-1"))
            yield from found
            # Who includes a header that is as it was, but for what is new in it, is as it was too. And of another
            # machine only its own headers: what is behind them is compiled for this one anyway.
            if includers and pair.arch == here and any(one.changes for one in found):
                yield from self._includers(pair, includers)

    def _includers(self, pair: InstalledPair, most: int) -> Iterator[HeaderComparison]:
        names = [name for name in pair.new.includers(pair.names) if pair.old.path(name)]
        behind = replace(pair, names=tuple(names[:most]))
        # What could not be compared before is no matter of a patch that does not touch it.
        yield from (one for one in self._compare(behind, self._folder / f"{pair.arch}-2") if one.changes)
        if more := len(names[most:]):
            path = pair.new.path(pair.names[0]) or pair.old.path(pair.names[0]) or b""
            why = f"{more} more headers include what is changed here: they were not compiled"
            yield HeaderComparison(path, pair.names[0].decode("utf-8", "replace"), unseen=why)

    def _pairs(self, before: str, after: str, paths: Iterable[bytes], here: str) -> Iterator[InstalledPair]:
        texts: dict[str, bytes] = {}
        touched: dict[str, list[bytes]] = {}
        for path in paths:
            if header := find_header(path):
                touched.setdefault(header.arch or here, []).append(header.name)
        for arch, names in touched.items():
            old = InstalledHeaders(self._scratch_repo, before, arch, texts)
            new = InstalledHeaders(self._scratch_repo, after, arch, texts)
            changed = tuple(name for name in dict.fromkeys(names) if old.blob(name) != new.blob(name))
            if changed:
                yield InstalledPair(arch, old, new, changed)

    def _compare(self, pair: InstalledPair, folder: Path) -> Iterator[HeaderComparison]:
        if not pair.names:
            return
        compiler = HeaderCompiler(self._sandbox, folder, self._jobs)
        units: dict[tuple[str, bytes], HeaderUnit] = {}
        for side, installed in ((_BEFORE, pair.old), (_AFTER, pair.new)):
            root = compiler.headers / side
            there = [name for name in pair.names if installed.path(name)]
            installed.write(there, root)
            units |= {(side, name): HeaderUnit(root, name) for name in there}
        compiled = compiler.types(list(units.values()))
        both = [
            (units[_BEFORE, name], units[_AFTER, name])
            for name in pair.names
            if (_BEFORE, name) in units and (_AFTER, name) in units
        ]
        seen = _read_abis(compiler, both, compiled)
        for name in pair.names:
            old, new = units.get((_BEFORE, name)), units.get((_AFTER, name))
            yield from _judge(pair=pair, name=name, compiled=compiled, old=old, new=new, seen=seen)


def _read_abis(
    compiler: HeaderCompiler,
    both: Iterable[tuple[HeaderUnit, HeaderUnit]],
    compiled: Mapping[HeaderUnit, CompiledHeader | RejectedHeader],
) -> dict[HeaderUnit, HeaderAbi]:
    """What user space sees of each header, on both sides, with the values of what the old one names."""
    found: list[tuple[HeaderUnit, CompiledHeader]] = []
    asked: dict[HeaderUnit, Sequence[str]] = {}
    for old, new in both:
        was, now = compiled[old], compiled[new]
        if isinstance(was, CompiledHeader) and isinstance(now, CompiledHeader):
            names = names_to_evaluate(was.types.get(old.file, HeaderTypes()), was.names.own(old.file))
            asked |= {old: names, new: names}
            found += [(old, was), (new, now)]
    values = compiler.values(asked, list(compiled)) if asked else {}
    return {unit: _header_abi(unit, one, worth) for unit, one in found if (worth := values.get(unit)) is not None}


def _header_abi(unit: HeaderUnit, one: CompiledHeader, values: dict[str, int]) -> HeaderAbi:
    own = one.types.get(unit.file, HeaderTypes())
    return HeaderAbi(
        own=own,
        all=merge_types(one.types.values()),
        own_macros=one.names.own(unit.file),
        macros=one.names.macros,
        values=values,
    )


def _judge(
    pair: InstalledPair,
    name: bytes,
    compiled: Mapping[HeaderUnit, CompiledHeader | RejectedHeader],
    old: HeaderUnit | None,
    new: HeaderUnit | None,
    seen: Mapping[HeaderUnit, HeaderAbi],
) -> Iterator[HeaderComparison]:
    shown = name.decode("utf-8", "replace")
    path = pair.new.path(name) or pair.old.path(name) or b""
    if new is None:
        if name not in pair.new:  # else something takes its place: the generic header of an architecture's own
            gone = AbiChange(ChangeSeverity.BREAK, "header-removed", shown, f"<{shown}> is no longer there to include")
            yield HeaderComparison(path, shown, ((gone, None),))
        return
    now = compiled[new]
    if old is None:
        if isinstance(now, RejectedHeader) and now.location and not now.location.startswith("asm/"):
            says = AbiChange(
                ChangeSeverity.ASK, "new-does-not-compile", shown, f"<{shown}> does not compile alone: {now.error}"
            )
            yield HeaderComparison(path, shown, ((says, None),))
        return
    was = compiled[old]
    if isinstance(was, RejectedHeader):
        yield HeaderComparison(path, shown, unseen=f"<{shown}> did not compile before: {was.error}")
    elif isinstance(now, RejectedHeader):
        yield _broken(pair, path, shown, now)
    elif old not in seen or new not in seen:
        yield HeaderComparison(path, shown, unseen=f"what the names of <{shown}> are worth could not be found out")
    else:
        changes = [*_dangling(pair, was, now, shown), *compare(seen[old], seen[new])]
        texts = pair.new.read(name) or b"", pair.old.read(name) or b""
        if changes:
            told = tuple((one, _line(one, *texts)) for one in changes[:MOST_CHANGES])
            yield HeaderComparison(path, shown, told, len(changes) - len(told))


def _broken(pair: InstalledPair, path: bytes, shown: str, now: RejectedHeader) -> HeaderComparison:
    message = f"<{shown}> does no longer compile: {now.error}"
    if not now.location:
        return HeaderComparison(path, shown, unseen=message)
    if "asm/" in now.error and "No such file" in now.error:
        return HeaderComparison(
            path, shown, unseen=f"{message}: it may be made while the kernel of {pair.arch} is built"
        )
    return HeaderComparison(path, shown, ((AbiChange(ChangeSeverity.BREAK, "does-not-compile", shown, message), None),))


def _dangling(pair: InstalledPair, was: CompiledHeader, now: CompiledHeader, shown: str) -> Iterator[AbiChange]:
    """Headers that are gone, and are still included: the compiler took this machine's own for them."""
    if was.stands_alone and not now.stands_alone:
        message = f"<{shown}> compiles only with other headers before it now"
        yield AbiChange(ChangeSeverity.ASK, "not-self-contained", shown, message)
    for file in sorted(now.names.entered):
        for folder in ("/usr/include/", "/usr/include/x86_64-linux-gnu/"):
            name = file.removeprefix(folder).encode("utf-8", "replace")
            if file.startswith(folder) and pair.old.path(name) and name not in pair.new:
                message = f"<{shown}> includes <{name.decode()}>, which is no longer there"
                yield AbiChange(ChangeSeverity.BREAK, "does-not-compile", name.decode(), message)


def _line(change: AbiChange, new: bytes, old: bytes) -> int | None:
    return find_line(new, change) or find_line(old, change)
