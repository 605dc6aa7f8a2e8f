# SPDX-License-Identifier: GPL-2.0-or-later
"""What trees are called, and which URLs are one repository."""

import pytest

from seriestool.trees.maintainers import TreeLine
from seriestool.trees.tree_names import repository_name, short_heading, tree_line_name, url_key

KORG = "git.kernel.org/pub/scm/linux/kernel/git"


@pytest.mark.parametrize(
    "url",
    [
        f"git://{KORG}/netdev/net.git",
        f"https://{KORG}/netdev/net",
        f"https://{KORG}/netdev/net.git/",
        "git@gitolite.kernel.org:pub/scm/linux/kernel/git/netdev/net",
        "ssh://git@ra.kernel.org/pub/scm/linux/kernel/git/netdev/net.git",
        "https://kernel.googlesource.com/pub/scm/linux/kernel/git/netdev/net.git",
    ],
)
def test_one_repository(url: str) -> None:
    assert url_key(url) == url_key(f"git://{KORG}/netdev/net.git")


def test_no_repository() -> None:
    assert url_key(None) == url_key("") == ""
    assert url_key("git://host/a.git") != url_key("git://host/b.git")


@pytest.mark.parametrize(
    ("url", "branch", "name"),
    [
        (f"git://{KORG}/netdev/net-next.git", None, "net-next"),
        (f"git://{KORG}/cel/linux.git", None, "cel/linux"),
        (f"git://{KORG}/cel/linux.git", "nfsd-next", "cel/linux nfsd-next"),
        ("https://gitlab.freedesktop.org/drm/misc/kernel.git", None, "misc/kernel"),
        ("quilt", None, "quilt"),
    ],
)
def test_name_of_a_line(url: str, branch: str | None, name: str) -> None:
    assert tree_line_name(TreeLine("git", url, branch)) == name


def test_short() -> None:
    assert repository_name("git://host/x/net-next.git") == repository_name("git://host/x/net-next/") == "net-next"
    assert short_heading("A" * 61) == "A" * 59 + "…"
    assert short_heading("A" * 60) == "A" * 60
