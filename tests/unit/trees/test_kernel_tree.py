# SPDX-License-Identifier: GPL-2.0-or-later
"""What is a kernel, and what only looks like one."""

import pytest

from seriestool.trees.kernel_tree import is_kernel
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
