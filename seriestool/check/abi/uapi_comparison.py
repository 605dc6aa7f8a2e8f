# SPDX-License-Identifier: GPL-2.0-or-later
"""Two trees compared in what they install for user space: the headers that changed, and those that include them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from seriestool.check.abi.abi_change import Change, Weight, find_line
from seriestool.check.abi.c_types import Shapes
from seriestool.check.abi.header_comparison import Seen, asked_names, compare, merge_shapes
from seriestool.check.abi.header_compiler import Compiled, Compiler, Refused, Unit
from seriestool.check.abi.installed_headers import Installed, find_header
from seriestool.git import Workbench
from seriestool.sandbox import Sandbox

MOST_INCLUDERS = 60
"""Headers that were not changed, but include what was: so many are compiled, the nearest first."""
MOST_CHANGES = 60
"""Of one header; where it is none of theirs any more, nobody reads them one by one."""
_BEFORE, _AFTER = "before", "after"
_NAMES = MappingProxyType(
    {
        "x86_64": "x86", "i386": "x86", "i686": "x86", "aarch64": "arm64", "ppc64le": "powerpc", "ppc64": "powerpc",
        "riscv64": "riscv", "s390x": "s390", "loongarch64": "loongarch", "mips64": "mips", "sparc64": "sparc",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Examined:
    """One header before and after."""

    path: bytes
    name: str
    """As in `#include <name>`."""
    changes: tuple[tuple[Change, int | None], ...] = ()
    """With the line of the header after the patch, or of the one before for what is gone."""
    more: int = 0
    """How many changes there are besides."""
    unseen: str | None = None
    """Why it could not be compared."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What two trees install on one architecture, and which headers are compared."""

    arch: str
    old: Installed
    new: Installed
    names: tuple[bytes, ...]


def arch_of(machine: str) -> str:
    """The kernel's name of the architecture of a machine, as `uname -m` names it."""
    return _NAMES.get(machine, machine)


class Examiner:
    """Compares the headers of two trees."""

    def __init__(self, bench: Workbench, sandbox: Sandbox, folder: Path, jobs: int = 1) -> None:
        """`folder` is empty and ours."""
        self._bench = bench
        self._sandbox = sandbox
        self._folder = folder
        self._jobs = jobs

    def examine(
        self, before: str, after: str, paths: Iterable[bytes], machine: str, includers: int = MOST_INCLUDERS
    ) -> Iterator[Examined]:
        """What is not as it was in these paths of the trees, and in up to `includers` headers that include them."""
        here = arch_of(machine)
        for pair in self._pairs(before, after, paths, here):
            found = list(self._compare(pair, self._folder / f"{pair.arch}-1"))
            yield from found
            # Who includes a header that is as it was, but for what is new in it, is as he was too. And of another
            # machine only its own headers: what is behind them is compiled for this one anyway.
            if includers and pair.arch == here and any(one.changes for one in found):
                yield from self._includers(pair, includers)

    def _includers(self, pair: Pair, most: int) -> Iterator[Examined]:
        names = [name for name in pair.new.includers(pair.names) if pair.old.path(name)]
        behind = replace(pair, names=tuple(names[:most]))
        # What could not be compared before is no matter of a patch that does not touch it.
        yield from (one for one in self._compare(behind, self._folder / f"{pair.arch}-2") if one.changes)
        if more := len(names[most:]):
            path = pair.new.path(pair.names[0]) or pair.old.path(pair.names[0]) or b""
            why = f"{more} more headers include what is changed here: they were not compiled"
            yield Examined(path, pair.names[0].decode("utf-8", "replace"), unseen=why)

    def _pairs(self, before: str, after: str, paths: Iterable[bytes], here: str) -> Iterator[Pair]:
        texts: dict[str, bytes] = {}
        touched: dict[str, list[bytes]] = {}
        for path in paths:
            if header := find_header(path):
                touched.setdefault(header.arch or here, []).append(header.name)
        for arch, names in touched.items():
            old = Installed(self._bench, before, arch, texts)
            new = Installed(self._bench, after, arch, texts)
            changed = tuple(name for name in dict.fromkeys(names) if old.blob(name) != new.blob(name))
            if changed:
                yield Pair(arch, old, new, changed)

    def _compare(self, pair: Pair, folder: Path) -> Iterator[Examined]:
        if not pair.names:
            return
        compiler = Compiler(self._sandbox, folder, self._jobs)
        units: dict[tuple[str, bytes], Unit] = {}
        for side, installed in ((_BEFORE, pair.old), (_AFTER, pair.new)):
            root = compiler.headers / side
            there = [name for name in pair.names if installed.path(name)]
            installed.write(there, root)
            units |= {(side, name): Unit(root, name) for name in there}
        compiled = compiler.types(list(units.values()))
        both = [
            (units[_BEFORE, name], units[_AFTER, name])
            for name in pair.names
            if (_BEFORE, name) in units and (_AFTER, name) in units
        ]
        seen = _look(compiler, both, compiled)
        for name in pair.names:
            old, new = units.get((_BEFORE, name)), units.get((_AFTER, name))
            yield from _judge(pair, name, compiled, old, new, seen)


def _look(
    compiler: Compiler, both: Iterable[tuple[Unit, Unit]], compiled: Mapping[Unit, Compiled | Refused]
) -> dict[Unit, Seen]:
    """What user space sees of each header, on both sides, with the values of what the old one names."""
    found: list[tuple[Unit, Compiled]] = []
    asked: dict[Unit, Sequence[str]] = {}
    for old, new in both:
        was, now = compiled[old], compiled[new]
        if isinstance(was, Compiled) and isinstance(now, Compiled):
            names = asked_names(was.shapes.get(old.file, Shapes()), was.names.own(old.file))
            asked |= {old: names, new: names}
            found += [(old, was), (new, now)]
    values = compiler.values(asked, list(compiled)) if asked else {}
    return {unit: _seen(unit, one, worth) for unit, one in found if (worth := values.get(unit)) is not None}


def _seen(unit: Unit, one: Compiled, values: dict[str, int]) -> Seen:
    own = one.shapes.get(unit.file, Shapes())
    return Seen(own, merge_shapes(one.shapes.values()), one.names.own(unit.file), one.names.macros, values)


def _judge(
    pair: Pair,
    name: bytes,
    compiled: Mapping[Unit, Compiled | Refused],
    old: Unit | None,
    new: Unit | None,
    seen: Mapping[Unit, Seen],
) -> Iterator[Examined]:
    shown = name.decode("utf-8", "replace")
    path = pair.new.path(name) or pair.old.path(name) or b""
    if new is None:
        if name not in pair.new:  # else something takes its place: the generic header of an architecture's own
            gone = Change(Weight.BREAK, "header-removed", shown, f"<{shown}> is no longer there to include")
            yield Examined(path, shown, ((gone, None),))
        return
    now = compiled[new]
    if old is None:
        if isinstance(now, Refused) and now.location and not now.location.startswith("asm/"):
            says = Change(Weight.ASK, "new-does-not-compile", shown, f"<{shown}> does not compile alone: {now.error}")
            yield Examined(path, shown, ((says, None),))
        return
    was = compiled[old]
    if isinstance(was, Refused):
        yield Examined(path, shown, unseen=f"<{shown}> did not compile before: {was.error}")
    elif isinstance(now, Refused):
        yield _broken(pair, path, shown, now)
    elif old not in seen or new not in seen:
        yield Examined(path, shown, unseen=f"what the names of <{shown}> are worth could not be found out")
    else:
        changes = [*_dangling(pair, was, now, shown), *compare(seen[old], seen[new])]
        texts = pair.new.read(name) or b"", pair.old.read(name) or b""
        if changes:
            told = tuple((one, _line(one, *texts)) for one in changes[:MOST_CHANGES])
            yield Examined(path, shown, told, len(changes) - len(told))


def _broken(pair: Pair, path: bytes, shown: str, now: Refused) -> Examined:
    message = f"<{shown}> does no longer compile: {now.error}"
    if not now.location:
        return Examined(path, shown, unseen=message)
    if "asm/" in now.error and "No such file" in now.error:
        return Examined(path, shown, unseen=f"{message}: it may be made while the kernel of {pair.arch} is built")
    return Examined(path, shown, ((Change(Weight.BREAK, "does-not-compile", shown, message), None),))


def _dangling(pair: Pair, was: Compiled, now: Compiled, shown: str) -> Iterator[Change]:
    """Headers that are gone, and are still included: the compiler took this machine's own for them."""
    if was.stands_alone and not now.stands_alone:
        message = f"<{shown}> compiles only with other headers before it now"
        yield Change(Weight.ASK, "not-self-contained", shown, message)
    for file in sorted(now.names.entered):
        for folder in ("/usr/include/", "/usr/include/x86_64-linux-gnu/"):
            name = file.removeprefix(folder).encode("utf-8", "replace")
            if file.startswith(folder) and pair.old.path(name) and name not in pair.new:
                message = f"<{shown}> includes <{name.decode()}>, which is no longer there"
                yield Change(Weight.BREAK, "does-not-compile", name.decode(), message)


def _line(change: Change, new: bytes, old: bytes) -> int | None:
    return find_line(new, change) or find_line(old, change)
