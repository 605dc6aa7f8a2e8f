# SPDX-License-Identifier: GPL-2.0-or-later
"""The one place that starts programs which run code from a patch or a tree: make, kunit.py, scripts, compilers.

They run under bubblewrap (bwrap(1)): no network, no home, the system read-only, a /tmp and processes of their own,
nothing of the environment, and limits on time, memory, processes, file size and disk.
"""

from seriestool.sandbox.bubblewrap import Bubblewrap, find_sandbox
from seriestool.sandbox.job import KillReason, Sandbox, SandboxJob, SandboxLimits, SandboxResult
from seriestool.sandbox.process_start import PATH
from seriestool.sandbox.scratch_folder import read_output_file, scratch, wipe
from seriestool.sandbox.unsandboxed import Unsandboxed

__all__ = [
    "PATH",
    "Bubblewrap",
    "KillReason",
    "Sandbox",
    "SandboxJob",
    "SandboxLimits",
    "SandboxResult",
    "Unsandboxed",
    "find_sandbox",
    "read_output_file",
    "scratch",
    "wipe",
]
