# SPDX-License-Identifier: GPL-2.0-or-later
"""A program of its own, run in the sandbox: prints a configuration that has all options of its command line on.

    python3 solve_kconfig.py <source folder> <option>...

It stands alone (kconfiglib apart) because reading a tree's Kconfig files runs what they say in `$(shell, ...)`. Ends
with 0 and the lines of the configuration, or with 3 and one line that says which option cannot be had, and why.
"""

import io
import os
import re
import sys
from collections.abc import Iterable
from typing import Any

import kconfiglib

_STEPS = 5000
_UNSOLVED = 3
# kconfiglib is of a time when it was `option modules`, and nothing was transitional.
_MODULES = re.compile(r"^([ \t]+)modules[ \t]*$", re.MULTILINE)
_TRANSITIONAL = re.compile(r"^[ \t]+transitional[ \t]*$", re.MULTILINE)
_PROGRAMS = {
    "CC": "gcc",
    "HOSTCC": "gcc",
    "LD": "ld",
    "AR": "ar",
    "NM": "nm",
    "OBJCOPY": "objcopy",
    "READELF": "readelf",
    "STRIP": "strip",
    "RUSTC": "rustc",
    "BINDGEN": "bindgen",
    "PAHOLE": "pahole",
}


class Kconfig(kconfiglib.Kconfig):  # type: ignore[misc]
    """The tree's Kconfig files, whose newest words kconfiglib does not know."""

    def _open(self, filename: str, mode: str) -> Any:
        with super()._open(filename, mode) as file:
            text = file.read()
        return io.StringIO(_TRANSITIONAL.sub("", _MODULES.sub(r"\1option modules", text)))


class Solver:
    """Turns options on, with what they depend on."""

    def __init__(self, kconfig: Any) -> None:
        self._kconfig = kconfig
        self._wanted: dict[Any, int] = {}
        self._under_way: set[Any] = set()
        self._steps = 0

    def turn_on(self, symbol: Any) -> bool:
        """Whether the option is on now."""
        self._steps += 1
        if symbol.tri_value == 2:
            return True
        if symbol in self._under_way or self._steps > _STEPS or self._wanted.get(symbol) == 0:
            return False
        self._under_way.add(symbol)
        try:
            return self._by_hand(symbol) or self._by_selection(symbol)
        finally:
            self._under_way.discard(symbol)

    def _by_hand(self, symbol: Any) -> bool:
        for node in symbol.nodes:
            if node.prompt is None:
                continue
            kept = dict(self._wanted)
            if self.satisfy(node.prompt[1]) and self._set(symbol, 2):
                return True
            self._go_back(kept)
        return False

    def _by_selection(self, symbol: Any) -> bool:
        """Through an option that selects it, or one that its default hangs on."""
        if symbol.rev_dep is not self._kconfig.n and self._try(symbol, symbol.rev_dep):
            return True
        return any(self._try(symbol, kconfiglib_and(value, condition)) for value, condition in symbol.defaults)

    def _try(self, symbol: Any, expression: Any) -> bool:
        kept = dict(self._wanted)
        if self.satisfy(expression) and self.satisfy(symbol.direct_dep) and symbol.tri_value == 2:
            return True
        self._go_back(kept)
        return False

    def satisfy(self, expression: Any) -> bool:
        """Whether the expression holds now."""
        if kconfiglib.expr_value(expression) == 2:
            return True
        if not isinstance(expression, tuple):
            return isinstance(expression, kconfiglib.Symbol) and self.turn_on(expression)
        operator, *parts = expression
        if operator is kconfiglib.AND:
            return all(self.satisfy(part) for part in parts) and kconfiglib.expr_value(expression) == 2
        if operator is kconfiglib.OR:
            return any(self.satisfy(part) for part in parts)
        if operator is kconfiglib.EQUAL and parts[1] is self._kconfig.y:
            return self.satisfy(parts[0])
        if operator is kconfiglib.NOT and isinstance(parts[0], kconfiglib.Symbol):
            return self._set(parts[0], 0)
        return False

    def _set(self, symbol: Any, value: int) -> bool:
        if self._wanted.get(symbol, value) != value:
            return False
        symbol.set_value(value)
        self._wanted[symbol] = value
        return bool(symbol.tri_value == value)

    def _go_back(self, kept: dict[Any, int]) -> None:
        for symbol in self._wanted.keys() - kept.keys():
            symbol.unset_value()
        self._wanted = kept

    def lines(self) -> Iterable[str]:
        """The configuration, as far as it was made by hand."""
        for symbol, value in self._wanted.items():
            yield f"CONFIG_{symbol.name}=y" if value else f"# CONFIG_{symbol.name} is not set"


def kconfiglib_and(value: Any, condition: Any) -> Any:
    """The expression that both hold."""
    return (kconfiglib.AND, value, condition)


def read(source: str) -> Any:
    """The Kconfig of the tree for User Mode Linux."""
    variables = {"srctree": source, "ARCH": "um", "SRCARCH": "um", "SUBARCH": "x86", "HEADER_ARCH": "x86"}
    os.environ.update({**_PROGRAMS, **variables, "KERNELVERSION": "0"})  # noqa: TID251  # it is a program
    return Kconfig("Kconfig", warn=False)


def solve(kconfig: Any, options: Iterable[str]) -> tuple[str, str | None]:
    """(the configuration, None), or ("", why there is none)."""
    solver = Solver(kconfig)
    names = ["KUNIT", *options]
    for name in names:
        symbol = kconfig.syms.get(name)
        if symbol is None or not symbol.nodes:
            return "", f"there is no CONFIG_{name} on UML"
        if not solver.turn_on(symbol):
            needs = kconfiglib.expr_str(symbol.direct_dep)[:300]
            return "", f"CONFIG_{name} cannot be had on UML: it depends on {needs}"
    lost = [name for name in names if kconfig.syms[name].tri_value != 2]
    if lost:
        return "", f"CONFIG_{lost[0]} cannot be had together with the others"
    return "".join(f"{line}\n" for line in solver.lines()), None


def main(arguments: list[str]) -> int:
    """The exit code."""
    try:
        text, problem = solve(read(arguments[0]), arguments[1:])
    except kconfiglib.KconfigError as error:
        text, problem = "", f"kconfiglib cannot read the tree's Kconfig: {str(error).splitlines()[0][:300]}"
    print(problem if problem is not None else text, end="")  # noqa: T201
    return 0 if problem is None else _UNSOLVED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))  # noqa: TID251
