# SPDX-License-Identifier: GPL-2.0-or-later
"""What is a kernel, and what only looks like one."""

import subprocess

import pytest

from seriestool.trees.kernel_tree import arch_of_machine, is_kernel
from tests.support.repos import Repo
from tests.support.session import open_scratch_repo

KERNEL = {
    "MAINTAINERS": "x\n",
    "arch/x86/Kconfig": "x\n",
    "include/uapi/linux/a.h": "x\n",
    "Documentation/index": "x\n",
}


@pytest.mark.parametrize("missing", [None, *KERNEL])
def test_a_kernel_is_known_by_its_folders(repo: Repo, missing: str | None) -> None:
    repo.commit({path: text for path, text in KERNEL.items() if path != missing} | {"z": "z\n"})
    with open_scratch_repo(repo) as scratch_repo:
        assert is_kernel(scratch_repo, scratch_repo.tree_of(repo.git("rev-parse", "HEAD"))) is (missing is None)


# scripts/subarch.include of Linux 6.12
SUBARCH = (
    "-e s/i.86/x86/ -e s/x86_64/x86/ -e s/sun4u/sparc64/ -e s/arm.*/arm/ -e s/sa110/arm/ -e s/s390x/s390/ "
    "-e s/ppc.*/powerpc/ -e s/mips.*/mips/ -e s/sh[234].*/sh/ -e s/aarch64.*/arm64/ -e s/riscv.*/riscv/ "
    "-e s/loongarch.*/loongarch/"
)
SRCARCH = {"sparc64": "sparc", "parisc64": "parisc"}
MACHINES = [
    "x86_64",
    "i386",
    "i686",
    "aarch64",
    "aarch64_be",
    "armv5tel",
    "armv7l",
    "ppc",
    "ppc64",
    "ppc64le",
    "sh4",
    "sh4a",
    "s390x",
    "riscv32",
    "riscv64",
    "mips",
    "mips64",
    "sun4u",
    "sparc64",
    "parisc",
    "parisc64",
    "loongarch64",
    "alpha",
    "m68k",
    "arc",
    "openrisc",
    "xtensa",
    "microblaze",
]


def test_a_machine_s_folder_is_the_one_that_the_kernel_s_own_rule_gives() -> None:
    text = "".join(f"{machine}\n" for machine in MACHINES)
    ran = subprocess.run(["sed", *SUBARCH.split()], input=text, capture_output=True, text=True, check=True)
    own = [SRCARCH.get(arch, arch) for arch in ran.stdout.split()]
    assert [arch_of_machine(machine) for machine in MACHINES] == own
