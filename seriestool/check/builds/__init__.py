# SPDX-License-Identifier: GPL-2.0-or-later
"""Build folders of a kernel that stay warm: a source tree moved from tree to tree, and what was built of it."""

from seriestool.check.builds.build_times import duration_text
from seriestool.check.builds.build_workspace import BuildFolder, BuildWorkspace, build_job, open_build_workspace
from seriestool.check.builds.toolchain import Toolchain, find_toolchain

__all__ = [
    "BuildFolder",
    "BuildWorkspace",
    "Toolchain",
    "build_job",
    "duration_text",
    "find_toolchain",
    "open_build_workspace",
]
