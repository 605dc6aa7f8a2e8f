# SPDX-License-Identifier: GPL-2.0-or-later
"""What is particular to the tree of a Linux kernel: how one is known, and what it calls a machine."""

import re

from seriestool.git import ScratchRepository

_FOLDERS = (b"arch", b"include/uapi/linux", b"Documentation")

# The rule of scripts/subarch.include, and what the top Makefile makes of its answer for SRCARCH.
_ARCHES = tuple(
    (re.compile(pattern), arch)
    for pattern, arch in (
        (r"i.86|x86_64", "x86"),
        (r"sun4u|sparc.*", "sparc"),
        (r"arm.*|sa110", "arm"),
        (r"s390x?", "s390"),
        (r"ppc.*", "powerpc"),
        (r"mips.*", "mips"),
        (r"sh[234].*", "sh"),
        (r"aarch64.*", "arm64"),
        (r"riscv.*", "riscv"),
        (r"loongarch.*", "loongarch"),
        (r"parisc.*", "parisc"),
    )
)


def is_kernel(scratch_repo: ScratchRepository, tree: str) -> bool:
    """Whether the git tree is that of a Linux kernel; a part of one, cut out for a purpose, counts too.

    Others have some of it (QEMU checkpatch.pl, iproute2 the headers for user space), none has all.
    """
    has_maintainers = b"MAINTAINERS" in scratch_repo.entries(tree, (b"MAINTAINERS",))
    return has_maintainers and all(scratch_repo.has_folder(tree, folder) for folder in _FOLDERS)


def arch_of_machine(machine: str) -> str:
    """The folder below `arch/` for a machine that `uname -m` calls so: "armv7l" is "arm", "ppc64le" is "powerpc".

    A name that the kernel's own rule does not translate is its own folder ("m68k").
    Source: scripts/subarch.include and SRCARCH in the kernel's top Makefile.
    """
    return next((arch for pattern, arch in _ARCHES if pattern.fullmatch(machine)), machine)
