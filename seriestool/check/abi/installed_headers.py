# SPDX-License-Identifier: GPL-2.0-or-later
"""The headers that a kernel tree installs for user space, under the names that user space includes them by.

They are laid out as `make headers_install` would, but unchanged: what its script takes out of them (`__user`,
`__KERNEL__`, `linux/compiler.h`) is defined away when they are compiled, so that line numbers stay those of the tree.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from seriestool.git import ScratchRepository, TreeEntry
from seriestool.series.names import is_unsafe_path

_SYMLINK = 0o120000
_GENERIC = b"include/uapi/"
_ARCH = re.compile(rb"arch/([a-z0-9_]{1,40})/include/uapi/(.+)")
_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"\n]{1,200})[>\"]", re.MULTILINE)
# Made while the kernel is built; what is in them is judged elsewhere (the numbers of system calls), or by nobody.
_GENERATED = re.compile(rb"asm/unistd_\w+\.h|linux/version\.h")
_TAKEN_OUT = (b"linux/compiler.h", b"linux/compiler_types.h")
# What the headers of libc take from the kernel's, whichever of them is included; and what numbers of ioctls need.
_FOR_ALL = (
    b"linux/errno.h",
    b"linux/ioctl.h",
    b"linux/limits.h",
    b"linux/posix_types.h",
    b"linux/stddef.h",
    b"linux/types.h",
)


class HeaderName(NamedTuple):
    """Where a header of a tree is installed."""

    arch: str | None
    """None of those that every architecture has."""
    name: bytes
    """As in `#include <name>`."""


def find_header(path: bytes) -> HeaderName | None:
    """Where the file of a tree is installed, or None where it is no header for user space."""
    if not path.endswith(b".h") or is_unsafe_path(path):
        return None
    if path.startswith(_GENERIC):
        return HeaderName(None, path.removeprefix(_GENERIC))
    match = _ARCH.fullmatch(path)
    return HeaderName(match[1].decode(), match[2]) if match else None


def included(text: bytes, name: bytes) -> tuple[bytes, ...]:
    """The headers that a header may include, on whatever condition; `name` is its own."""
    folder = posixpath.dirname(name)
    found = dict.fromkeys(
        posixpath.normpath(posixpath.join(folder, target)) if quote == b'"' and attempt else target
        for quote, target in _INCLUDE.findall(text)
        for attempt in (True, False)
    )
    return tuple(found)


class InstalledHeaders:
    """What one tree installs on one architecture."""

    def __init__(self, scratch_repo: ScratchRepository, tree: str, arch: str, texts: dict[str, bytes]) -> None:
        """`texts` keeps contents by blob, for all trees that are compared."""
        self._scratch_repo = scratch_repo
        self._texts = texts
        self._paths: dict[bytes, tuple[bytes, TreeEntry]] = {}
        for prefix in (_GENERIC, b"arch/%s/include/uapi/" % arch.encode()):
            for path, entry in scratch_repo.paths_below(tree, prefix.rstrip(b"/")):
                if entry.kind == "blob" and entry.mode != _SYMLINK and find_header(path):
                    self._paths[path.removeprefix(prefix)] = (path, entry)

    def __contains__(self, name: bytes) -> bool:
        return name in self._paths or self._made(name) is not None

    def names(self) -> Iterator[bytes]:
        """The headers that are files of the tree."""
        return iter(self._paths)

    def path(self, name: bytes) -> bytes | None:
        """The file of the tree that is installed under this name."""
        found = self._paths.get(name)
        return found[0] if found else None

    def blob(self, name: bytes) -> str | None:
        """The id of that file's content."""
        found = self._paths.get(name)
        return found[1].oid if found else None

    def read(self, name: bytes) -> bytes | None:
        """The text of a header, or None where there is none of that name."""
        found = self._paths.get(name)
        if found is None:
            return self._made(name)
        oid = found[1].oid
        if oid not in self._texts:
            self._texts[oid] = self._scratch_repo.blob(oid)
        return self._texts[oid]

    def _made(self, name: bytes) -> bytes | None:
        if name in _TAKEN_OUT or _GENERATED.fullmatch(name):
            return b""
        generic = b"asm-generic/" + name.removeprefix(b"asm/")
        if name.startswith(b"asm/") and generic in self._paths:
            return b"#include <" + generic + b">\n"
        return None

    def needed(self, names: Iterable[bytes]) -> set[bytes]:
        """These headers, and all that may be included on the way from them or from libc."""
        waiting = [*names, *_FOR_ALL]
        seen: set[bytes] = set()
        while waiting:
            name = waiting.pop()
            if name in seen or (text := self.read(name)) is None:
                continue
            seen.add(name)
            waiting += included(text, name)
            if name.startswith(b"asm-generic/"):
                waiting.append(b"asm/" + name.removeprefix(b"asm-generic/"))
        return seen

    def includers(self, names: Iterable[bytes]) -> list[bytes]:
        """The headers that come to include one of these, the nearest first."""
        behind: dict[bytes, list[bytes]] = {}
        for name in self._paths:
            for target in included(self.read(name) or b"", name):
                behind.setdefault(target, []).append(name)
                if target.startswith(b"asm/"):
                    behind.setdefault(b"asm-generic/" + target.removeprefix(b"asm/"), []).append(name)
        found: dict[bytes, None] = dict.fromkeys(names)
        start = len(found)
        for name in (order := list(found)):
            for other in behind.get(name, ()):
                if other not in found:
                    found[other] = None
                    order.append(other)
        return list(found)[start:]

    def write(self, names: Iterable[bytes], folder: Path) -> None:
        """Write these headers below the folder, with all that they need."""
        for name in self.needed(names):
            if is_unsafe_path(name):
                continue
            file = folder / os.fsdecode(name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.read(name) or b"")
