# SPDX-License-Identifier: GPL-2.0-or-later
"""Build folders of a kernel that stay warm: a source tree moved from tree to tree, and what was built of it."""

from seriestool.check.builds.build_times import as_text
from seriestool.check.builds.build_workspace import Output, Site, build_job, open_site
from seriestool.check.builds.toolchain import Toolchain, find_toolchain

__all__ = ["Output", "Site", "Toolchain", "as_text", "build_job", "find_toolchain", "open_site"]
