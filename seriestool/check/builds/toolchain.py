# SPDX-License-Identifier: GPL-2.0-or-later
"""What compiles on this machine, or what is missing."""

import shutil
from pathlib import Path

from msgspec import Struct

from seriestool.sandbox import PATH

_LLVM = ("ld.lld", "llvm-ar", "llvm-nm", "llvm-objcopy")


class Toolchain(Struct, frozen=True):
    """A C compiler and what goes with it."""

    compiler: str
    """gcc or clang."""
    has_ccache: bool
    version: str
    """Changes when the compiler does."""

    @property
    def make_variables(self) -> tuple[str, ...]:
        """What a kernel's make is told, so that it takes this compiler."""
        compiler = f"CC={'ccache ' if self.has_ccache else ''}{self.compiler}"
        return (compiler,) if self.compiler == "gcc" else ("LLVM=1", compiler)


def find_toolchain(*programs: str) -> Toolchain | str:
    """What compiles here, or in one line which of it, of make and of `programs` is not installed."""
    compiler = next(filter(_find, ("gcc", "clang")), None)
    if compiler is None:
        return "no C compiler is installed"
    needed = ("make", *programs, *(_LLVM if compiler == "clang" else ()))
    missing = [name for name in dict.fromkeys(needed) if not _find(name)]
    if missing:
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
    return Toolchain(compiler, _find("ccache") is not None, _identity(compiler))


def _find(program: str) -> str | None:
    return shutil.which(program, path=PATH)


def _identity(program: str) -> str:
    file = Path(_find(program) or program).resolve()
    found = file.stat()
    return f"{file.name} {found.st_size} {found.st_mtime_ns}"
