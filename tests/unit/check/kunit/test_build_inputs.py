# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files went into a build."""

import os
from pathlib import Path

import pytest

from seriestool.check.builds.build_folders import wipe
from seriestool.check.kunit.build_inputs import can_affect, find_inputs

NOTE = """\
savedcmd_net/a/b.o := gcc -I../source/include -c -o net/a/b.o ../source/net/a/b.c

source_net/a/b.o := ../source/net/a/b.c

deps_net/a/b.o := \\
    $(wildcard include/config/A) \\
  ../source/include/net/a.h \\
  ../source/include/linux/list.h \\
  include/generated/autoconf.h \\
  /usr/lib/gcc/x86_64-linux-gnu/12/include/stdarg.h \\

net/a/b.o: $(deps_net/a/b.o)
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    build, source = tmp_path / "build", tmp_path / "source"
    (build / "net/a").mkdir(parents=True)
    (build / "net/a/.b.o.cmd").write_text(NOTE)
    return build, source


def test_the_sources_and_headers_of_each_object(folders: tuple[Path, Path]) -> None:
    found = find_inputs(*folders)
    assert {b"net/a/b.c", b"include/net/a.h", b"include/linux/list.h"} <= found
    assert not [path for path in found if b"stdarg" in path]


def test_nothing_was_built(tmp_path: Path) -> None:
    assert find_inputs(tmp_path / "none", tmp_path) == frozenset()


def test_pipes_links_and_devices_are_not_read(folders: tuple[Path, Path]) -> None:
    build, _ = folders
    os.mkfifo(build / ".pipe.o.cmd")
    (build / ".link.o.cmd").symlink_to("/dev/zero")
    (build / ".itself").symlink_to(build)
    assert b"net/a/b.c" in find_inputs(*folders)


INPUTS = frozenset({b"net/a/b.c", b"include/net/a.h"})


@pytest.mark.parametrize(
    ("path", "is_old", "answer"),
    [
        (b"net/a/b.c", True, True),
        (b"include/net/a.h", True, True),
        (b"net/a/not-built.c", True, False),
        (b"net/a/new.h", False, True),
        (b"drivers/new.h", False, False),
        (b"net/Kconfig", True, True),
        (b"net/a/Makefile", True, True),
        (b"scripts/mod/modpost.c", True, True),
        (b"Documentation/a.rst", True, False),
        (b"MAINTAINERS", True, False),
    ],
)
def test_what_can_make_a_difference(path: bytes, is_old: bool, answer: bool) -> None:
    assert can_affect([path], [path] if is_old else [], INPUTS) is answer


def test_folders_that_are_deep_are_gone_through(folders: tuple[Path, Path]) -> None:
    build, source = folders
    here = build
    for _ in range(1100):  # more than Python lets a function call itself
        here /= "d"
        here.mkdir()
    (here / ".c.o.cmd").write_text("../source/net/deep.c")
    found = find_inputs(build, source)
    wipe(build)  # pytest cannot
    assert {b"net/a/b.c", b"net/deep.c"} <= found


def test_links_are_not_followed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    build, source = folders
    (tmp_path / "other").mkdir()
    (tmp_path / "other/.x.o.cmd").write_text("../source/net/x.c")
    (build / "link").symlink_to(tmp_path / "other")
    (build / ".y.o.cmd").symlink_to(tmp_path / "other/.x.o.cmd")
    os.mkfifo(build / ".z.o.cmd")
    assert b"net/x.c" not in find_inputs(build, source)
