# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files of a tree went into a build, as the build's own notes of dependencies say.

Code from a patch may have written them: nothing here follows a link, waits for a pipe, or reads without end.
"""

import contextlib
import os
import re
import stat
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from seriestool.check.kunit.build_errors import path_in_tree

_MAX_FILES = 50_000
_MAX_SIZE = 1 << 20
_MAX_TOTAL = 1 << 29
_STEERING = re.compile(rb"(?:^|/)(?:Kconfig[^/]*|Makefile[^/]*|Kbuild[^/]*|\.kunitconfig|[^/]*\.config)$")
_TOOLS = (b"scripts/", b"tools/testing/kunit/", b"tools/include/", b"tools/objtool/", b"usr/", b"rust/")
_CODE = (b".c", b".h", b".S", b".rs", b".lds", b".tbl", b".dts", b".dtsi", b".asn1")


def find_inputs(build: Path, source: Path) -> frozenset[bytes]:
    """Paths of the tree that went into what is in the build folder; empty where nothing was built."""
    found: set[bytes] = set()
    for text in _notes(build):
        found.update(name for name in text.split() if name.endswith(_CODE))
    paths = (path_in_tree(os.fsdecode(name), source, build) for name in found)
    return frozenset(path for path in paths if path is not None)


def _notes(build: Path) -> Iterator[bytes]:
    """The contents of the `.cmd` files."""
    files = total = 0
    for path in _note_files(build):
        text = _read(path)
        files, total = files + 1, total + len(text)
        if files > _MAX_FILES or total > _MAX_TOTAL:
            return
        yield text


def _note_files(build: Path) -> Iterator[str]:
    """Their paths; folders may be nested as deep as paths go, which is deeper than Python calls itself."""
    waiting = [os.fspath(build)]
    for _ in range(_MAX_FILES):
        if not waiting:
            return
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.name.startswith(".") and entry.name.endswith(".cmd"):
                    yield entry.path


def _read(path: str) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        return file.read(_MAX_SIZE) if stat.S_ISREG(os.fstat(handle).st_mode) else b""


def can_affect(paths: Iterable[bytes], old: Container[bytes], inputs: frozenset[bytes]) -> bool:
    """Whether a change of these files can change a build that was made of `inputs`; `old` has those that were there.

    What steers builds can. So can a new file in a folder that something is built from: another patch may include it.
    """
    folders = {path.rpartition(b"/")[0] for path in inputs}
    return any(
        path in inputs
        or _STEERING.search(path) is not None
        or path.startswith(_TOOLS)
        or (path not in old and path.endswith(_CODE) and path.rpartition(b"/")[0] in folders)
        for path in paths
    )
