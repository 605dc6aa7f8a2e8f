# SPDX-License-Identifier: GPL-2.0-or-later
"""Which objects a configuration builds, and what includes a header, asked of a small tree made like a kernel's."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from seriestool.check.builds.built_objects import RunProgram, find_built
from seriestool.check.builds.includers import find_includers
from seriestool.check.builds.object_compiler import object_of
from seriestool.sandbox import SandboxResult

TREE = {
    "Kbuild": "obj-y += net/ drivers/ arch/$(SRCARCH)/\n",
    "scripts/Makefile.build": "src := $(srcroot)/$(obj)\n",
    "net/Makefile": "obj-y += core.o\nobj-$(CONFIG_A) += a/\nobj-$(CONFIG_OFF) += off/\nobj-y += deep/down/\n",
    "net/a/Makefile": "obj-$(CONFIG_A) += a.o\na-y := one.o two.o\na-$(CONFIG_OFF) += three.o\nlib-y += l.o\n",
    "net/off/Makefile": "obj-y += x.o\n",
    "net/deep/down/Kbuild": "obj-y += x.o\ninclude $(src)/more.mk\n",
    "net/deep/down/more.mk": "obj-y += included.o\n",
    "drivers/Makefile": "obj-m += sub/in.o m.o\nm-objs := part.o\n$(error broken)\n",
    "drivers/b/Makefile": "obj-y += b.o\n",
    "arch/x86/Makefile": "libs-y += lib\n",
    "arch/x86/lib/Makefile": "lib-y += memcpy.o\n",
    "arch/arm/kernel/Makefile": "obj-y += setup.o\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write(tmp_path / "source", TREE)
    write(tmp_path / "output", {"include/config/auto.conf": "CONFIG_A=m\n"})
    return tmp_path


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def runner(source: Path) -> RunProgram:
    def run(argv: Sequence[str]) -> SandboxResult:
        answer = subprocess.run(argv, cwd=source, capture_output=True)
        return SandboxResult(answer.returncode, answer.stdout, answer.stderr)

    return run


def built(tree: Path, *objects: str) -> set[str]:
    source = tree / "source"
    return set(find_built(objects, runner(source), source, tree / "output", "x86", "gcc"))


@pytest.mark.parametrize(
    ("path", "is_built"),
    [
        ("net/core.o", True),
        ("net/none.o", False),
        ("net/a/a.o", True),
        ("net/a/one.o", True),
        ("net/a/three.o", False),
        ("net/a/l.o", True),
        ("net/off/x.o", False),
        ("net/deep/down/x.o", True),
        ("net/deep/down/included.o", True),
        ("arch/x86/lib/memcpy.o", True),
        ("arch/x86/lib/none.o", False),
        ("arch/arm/kernel/setup.o", False),
        ("nowhere/x.o", False),
    ],
)
def test_the_makefiles_say_what_is_built(tree: Path, path: str, is_built: bool) -> None:
    assert built(tree, path) == ({path} if is_built else set())


def test_a_makefile_that_cannot_be_read_does_not_say_no(tree: Path) -> None:
    assert built(tree, "drivers/m.o", "drivers/any.o") == {"drivers/m.o", "drivers/any.o"}


def test_where_src_is_relative_to_the_tree_its_includes_are_found(tree: Path) -> None:
    write(
        tree / "source",
        {"scripts/Makefile.build": "src := $(obj)\n", "net/Makefile": "include $(srctree)/$(src)/x.mk\n"},
    )
    write(tree / "source", {"net/x.mk": "obj-y += core.o\n"})
    assert built(tree, "net/core.o", "net/other.o") == {"net/core.o"}


def test_many_objects_are_asked_for_at_once(tree: Path) -> None:
    asked = [f"net/a/{n}.o" for n in range(500)] + ["net/a/two.o"]
    assert built(tree, *asked) == {"net/a/two.o"}


@pytest.mark.parametrize("name", ["-f.c", "a.h", "a b.c", "a=b.c", "$(x).c", "a.c\n", "c", ""])
def test_what_make_could_misread_is_no_source(name: str) -> None:
    assert object_of(name) is None
    assert object_of("net/a-b/c_d.S") == "net/a-b/c_d.o"


INCLUDES = {
    "include/net/hand.h": "",
    "include/net/wrap.h": "#include <net/hand.h>\n",
    "include/uapi/linux/u.h": "",
    "net/direct.c": "#include <net/hand.h>\n",
    "net/indirect.c": '#  include "../include/net/wrap.h"\n',
    "net/other.c": '#include "hand.h"\n',
    "net/text.c": "/* #include it: <net/hand.h> */\n",
    "drivers/own/hand.h": "",
    "drivers/own/own.c": '#include "hand.h"\n',
    "drivers/own/u.c": "#include <linux/u.h>\n",
    "tools/t.c": "#include <net/hand.h>\n",
}


@pytest.mark.parametrize(
    ("header", "files"),
    [
        ("include/net/hand.h", ("net/direct.c", "net/indirect.c")),
        ("drivers/own/hand.h", ("drivers/own/own.c",)),
        ("include/uapi/linux/u.h", ("drivers/own/u.c",)),
        ("include/none.h", ()),
        ("include/[.h", ()),
    ],
)
def test_who_includes_a_header(tmp_path: Path, header: str, files: tuple[str, ...]) -> None:
    write(tmp_path, INCLUDES)
    assert find_includers([header], runner(tmp_path), 100) == files


def test_the_nearest_are_enough(tmp_path: Path) -> None:
    write(tmp_path, INCLUDES)
    assert find_includers(["include/net/hand.h"], runner(tmp_path), 1) == ("net/direct.c",)
