# SPDX-License-Identifier: GPL-2.0-or-later
"""What people call trees and the sections of MAINTAINERS, and when two URLs are one repository."""

import re

from seriestool.trees.maintainers import TreeLine

_GENERIC = ("linux", "kernel")
_HEADING = 60  # characters of a heading that are shown


def url_key(url: str | None) -> str:
    """What two spellings of one repository's URL have in common: host and path."""
    if not url:
        return ""
    rest = re.sub(r"^[a-z+]+://", "", url.lower(), flags=re.ASCII).rpartition("@")[2]
    host, _, path = rest.replace(":", "/", 1).partition("/")
    host = {"ra.kernel.org": "git.kernel.org", "gitolite.kernel.org": "git.kernel.org"}.get(host, host)
    host = "git.kernel.org" if host == "kernel.googlesource.com" else host
    return f"{host}/{path.strip('/').removesuffix('.git').removeprefix('scm/')}"


def repository_name(url: str) -> str:
    """The last part of a URL: 'net-next' of '.../netdev/net-next.git'."""
    return url.rstrip("/").rpartition("/")[2].removesuffix(".git")


def tree_line_name(line: TreeLine) -> str:
    """What to call the tree of a T: line: 'net-next', 'cel/linux', 'cel/linux nfsd-next'."""
    parts = line.url.removesuffix("/").removesuffix(".git").split("/")
    name = "/".join(parts[-2:]) if parts[-1] in _GENERIC else parts[-1]
    return f"{name} {line.branch}" if line.branch else name


def short_heading(heading: str) -> str:
    """The heading of a section, cut where it is long."""
    return heading if len(heading) <= _HEADING else heading[: _HEADING - 1] + "…"
