# SPDX-License-Identifier: GPL-2.0-or-later
"""Which objects a configuration builds: the tree's own Makefiles are asked, folder by folder.

Make compiles any file that is named to it, also one that the configuration leaves out, and then with flags that are
not its own; so this must be known before.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from seriestool.sandbox import SandboxResult
from seriestool.util.errors import OutsideError

RunProgram = Callable[[Sequence[str]], SandboxResult]
"""Runs a program in the sandbox, in the source."""

# Reads a folder's Makefile as scripts/Makefile.build does, and prints what it lists. Until Linux 6.10 `src` was
# relative to the tree.
_READ = """\
srctree := {source}
srcroot := {source}
obj := $(READ)
src := $(if $(RELATIVE),$(obj),$(srctree)/$(obj))
ARCH := {arch}
SRCARCH := {arch}
CC := {compiler}
-include include/config/auto.conf
-include $(srctree)/scripts/Kbuild.include
-include $(srctree)/scripts/Makefile.compiler
include $(firstword $(wildcard $(srctree)/$(READ)/Kbuild) $(srctree)/$(READ)/Makefile)
listed := $(obj-y) $(obj-m) $(lib-y) $(lib-m) $(subdir-y) $(subdir-m) $(extra-y) $(always-y)
$(info @ $(READ) $(foreach one,$(listed),$(one) $($(one:.o=-y)) $($(one:.o=-objs)) $($(one:.o=-m))))
.PHONY: read-no-more
read-no-more: ;
"""
_SCRIPT = """\
cd "$1" && text=$2 && shift 2 || exit 1
grep -q '^src := $(obj)' "$SOURCE/scripts/Makefile.build" && relative=1
for folder; do
    make -rRs -f /dev/null --eval "READ := $folder" --eval "RELATIVE := $relative" --eval "$text" read-no-more
done
exit 0
"""
_LISTED = re.compile(r"^@ (\S+) (.*)$", re.MULTILINE)


def find_built(
    objects: Iterable[str], run: RunProgram, source: Path, output: Path, arch: str, compiler: str
) -> frozenset[str]:
    """Those of the objects (`net/core/sock.o`) that the configuration in `output` builds.

    OutsideError where that could not be found out.
    """
    wanted = [one for one in objects if _is_for(one, arch)]
    folders = sorted({above for one in wanted for above in _above(one)})
    if not folders:
        return frozenset()
    text = _READ.format(source=source, arch=arch, compiler=compiler)
    argv = ["env", f"SOURCE={source}", "sh", "-c", _SCRIPT, "sh", str(output), text, *folders]
    outcome = run(argv)
    if outcome.ended is not None or outcome.code:
        raise OutsideError("the Makefiles of the tree could not be read")
    listed = {
        found[1]: frozenset(found[2].split()) for found in _LISTED.finditer(outcome.stdout.decode("utf-8", "replace"))
    }
    return frozenset(one for one in wanted if _is_listed(one, listed, arch))


def _is_for(path: str, arch: str) -> bool:
    return not path.startswith("arch/") or path.startswith(f"arch/{arch}/")


def _above(path: str) -> Iterable[str]:
    """The folders that it is in, the top included."""
    yield "."
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _is_listed(path: str, listed: dict[str, frozenset[str]], arch: str) -> bool:
    """Whether the Makefiles lead down to it, and one of them lists it; one that cannot be read does not say no."""
    reached = ["."]
    for folder in list(_above(path))[1:]:
        if _is_of_arch(folder, arch) or any(_lists(parent, f"{folder}/", listed) for parent in reached):
            reached.append(folder)
    own = path.rpartition("/")[0] or "."
    return any(_lists(parent, path, listed) for parent in reached if parent in listed or parent == own)


def _lists(folder: str, path: str, listed: dict[str, frozenset[str]]) -> bool:
    return folder not in listed or path[len(folder) + 1 if folder != "." else 0 :] in listed[folder]


def _is_of_arch(folder: str, arch: str) -> bool:
    # What is directly in the folder of the architecture is listed in other ways: libs-y, drivers-y, or by name.
    return folder == "arch" or (folder.startswith(f"arch/{arch}") and folder.count("/") <= 2)
