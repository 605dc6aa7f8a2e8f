# SPDX-License-Identifier: GPL-2.0-or-later
"""A small kernel whose commits quote each other, for the checks of commit messages."""

from dataclasses import dataclass

from tests.checks import SIGNED
from tests.helpers import FIRST_DATE, Repo

TITLE = "foo: count the frames that were sent"
OTHER = "foo: say how many frames there were"
FILE = "drivers/net/foo.c"
CONTENT = "one\ntwo\nthree\nfour\nfive\n"
"""Of FILE at the end."""
AUTHOR = "Old Hand <old@example.org>"
TREE = {
    "MAINTAINERS": "FOO\nM:\tA Maintainer <maint@example.org>\nF:\tdrivers/net/\n",
    "Documentation/index.rst": "Foo\n",
    "arch/Kconfig": "# SPDX-License-Identifier: GPL-2.0\n",
    "include/uapi/linux/foo.h": "#define FOO 1\n",
    "Makefile": "VERSION = 6\n",
    FILE: "one\ntwo\nthree\n",
    ".mailmap": "New Name <new@example.com> <former@example.com>\n",
}
_QUOTED = 12


@dataclass(frozen=True, slots=True)
class Kernel:
    """The repository and the commits that tests speak of."""

    repo: Repo
    target: str
    """TITLE, which changes FILE."""
    other: str
    """OTHER, which changes FILE too."""

    def tag(self, oid: str = "", title: str = TITLE, digits: int = 12) -> str:
        """A Fixes tag as it should be, for the target unless told otherwise."""
        return f'Fixes: {(oid or self.target)[:digits]} ("{title}")'


def make_kernel(repo: Repo) -> Kernel:
    """A kernel on main; its last commit quotes a dozen earlier ones, so an id that is not here can be told."""
    stream = [b"feature done\n", _commit(1, "Linux 6.1", TREE)]
    stream += [_commit(n, f"bar: step {n}", {"drivers/net/bar.c": f"{n}\n"}) for n in range(2, _QUOTED + 2)]
    stream += [
        _commit(90, TITLE, {FILE: "one\ntwo\nthree\nfour\n"}, AUTHOR, f"Signed-off-by: {AUTHOR}"),
        _commit(91, OTHER, {FILE: CONTENT}, AUTHOR, f"Signed-off-by: {AUTHOR}"),
        *(b"get-mark :%d\n" % n for n in (*range(2, _QUOTED + 2), 90, 91)),
        b"done\n",
    ]
    *quoted, target, other = repo.git("fast-import", "--quiet", "--done", input=b"".join(stream)).split()
    repo.git("read-tree", "-u", "--reset", "HEAD")
    tags = "\n".join(f'Fixes: {oid[:12]} ("bar: step {n}")' for n, oid in enumerate(quoted, 2))
    repo.now += 60 * 100
    repo.commit({"drivers/net/bar.c": "all\n"}, f"bar: mend all steps\n\nSo it is.\n\n{tags}\n{SIGNED}\n")
    return Kernel(repo, target, other)


def _commit(mark: int, title: str, files: dict[str, str], author: str = AUTHOR, trailer: str = SIGNED) -> bytes:
    message = f"{title}\n\nSo it is.\n\n{trailer}\n".encode()
    when = f"{FIRST_DATE + 60 * mark} +0000"
    head = f"commit refs/heads/main\nmark :{mark}\nauthor {author} {when}\ncommitter {author} {when}\n"
    changes = [f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files.items()]
    return head.encode() + b"data %d\n%s\n" % (len(message), message) + "".join(changes).encode() + b"\n"
