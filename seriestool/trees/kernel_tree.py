# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a tree is that of a Linux kernel: what many of its rules depend on."""

from seriestool.git import ScratchRepository

_FOLDERS = (b"arch", b"include/uapi/linux", b"Documentation")


def is_kernel(scratch_repo: ScratchRepository, tree: str) -> bool:
    """Whether the git tree is that of a Linux kernel; a part of one, cut out for a purpose, counts too.

    Others have some of it (QEMU checkpatch.pl, iproute2 the headers for user space), none has all.
    """
    has_maintainers = b"MAINTAINERS" in scratch_repo.entries(tree, (b"MAINTAINERS",))
    return has_maintainers and all(scratch_repo.has_folder(tree, folder) for folder in _FOLDERS)
