# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels in small: lamp (for checks of series), foo (commits quote each other), toy (headers that user space sees)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.repos import FIRST_DATE, File, Repo
from tests.support.series import SIGNED, mail_series

NOTE = "/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */\n"


_UAPI = "include/uapi/"


_TYPES = """\
typedef __signed__ char __s8;
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef __signed__ int __s32;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef __u32 __le32;
"""


_IOCTL = """\
#define _IOC(dir,type,nr,size) (((dir) << 30) | ((type) << 8) | ((nr) << 0) | ((size) << 16))
#define _IO(type,nr) _IOC(0U,(type),(nr),0)
#define _IOR(type,nr,arg) _IOC(2U,(type),(nr),sizeof(arg))
#define _IOW(type,nr,arg) _IOC(1U,(type),(nr),sizeof(arg))
#define _IOWR(type,nr,arg) _IOC(3U,(type),(nr),sizeof(arg))
"""


TOY = (
    NOTE
    + """\
#ifndef _UAPI_LINUX_TOY_H
#define _UAPI_LINUX_TOY_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define TOY_MAX_NAME 16
#define TOY_F_FAST (1 << 0)
#define TOY_F_SAFE (1 << 31)

/* attributes */
enum toy_attr {
	TOY_A_UNSPEC,
	TOY_A_NAME,
	TOY_A_SIZE,
	__TOY_A_MAX
};
#define TOY_A_MAX (__TOY_A_MAX - 1)

enum {
	TOY_RED,
	TOY_GREEN,
	TOY_BLUE,
};

struct toy_args {
	__u32 size;
	__u32 flags;
	__u64 user;
	__u32 reserved[2];
};

struct toy_list {
	__u32 count;
	__u32 items[1];
};

#define TOY_IOC_GET _IOWR('t', 1, struct toy_args)
#define TOY_IOC_RESET _IO('t', 2)

#endif
"""
)


_USER = (
    NOTE
    + """\
#include <linux/toy.h>
struct box {
	struct toy_args args;
	__u32 last;
};
"""
)


TOY_KERNEL = {
    f"{_UAPI}linux/types.h": NOTE + _TYPES,
    f"{_UAPI}linux/ioctl.h": NOTE + "#include <asm/ioctl.h>\n",
    f"{_UAPI}asm-generic/ioctl.h": NOTE + _IOCTL,
    f"{_UAPI}linux/toy.h": TOY,
    f"{_UAPI}linux/box.h": _USER,
    "drivers/toy.c": "int toy;\n",
}


TOY_HEADER = f"{_UAPI}linux/toy.h"


FAIL, WARN, PASS, SKIP = "fail", "warn", "pass", "skip"


# The sixteen changes that the survey injected: name -> (what is put in the place of what, what `uapi` says of it).
INJECTED: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str]]]] = {
    "enumerator appended before the sentinel": (
        [("\t__TOY_A_MAX\n", "\tTOY_A_COLOR,\n\t__TOY_A_MAX\n")],
        [("sentinel-moved", PASS)],
    ),
    "enumerator inserted into a named enum": (
        [("\tTOY_A_NAME,\n", "\tTOY_A_COLOR,\n\tTOY_A_NAME,\n")],
        [("enumerator-shifted", FAIL), ("sentinel-moved", PASS)],
    ),
    "enumerator inserted into an enum without a name": (
        [("\tTOY_GREEN,\n", "\tTOY_BLACK,\n\tTOY_GREEN,\n")],
        [("enumerator-shifted", FAIL)],
    ),
    "enumerator appended where there is no sentinel": ([("\tTOY_BLUE,\n", "\tTOY_BLUE,\n\tTOY_PINK,\n")], []),
    "enumerator renamed": ([("\tTOY_GREEN,\n", "\tTOY_LIME,\n")], [("removed", FAIL)]),
    "enum removed": ([("enum {\n\tTOY_RED,\n\tTOY_GREEN,\n\tTOY_BLUE,\n};\n", "")], [("removed", FAIL)]),
    "macro removed": ([("#define TOY_MAX_NAME 16\n", "")], [("removed", FAIL)]),
    "value of a macro changed": ([("TOY_MAX_NAME 16", "TOY_MAX_NAME 32")], [("macro-value-changed", WARN)]),
    "macro spelled otherwise": ([("TOY_F_FAST (1 << 0)", "TOY_F_FAST 0x1")], []),
    "number of an ioctl changed": ([("_IO('t', 2)", "_IO('t', 3)")], [("ioctl-changed", FAIL)]),
    "ioctl removed": ([("#define TOY_IOC_RESET _IO('t', 2)\n", "")], [("ioctl-removed", FAIL)]),
    "member inserted into a struct": (
        [("\t__u32 count;\n", "\t__u32 count;\n\t__u32 kind;\n")],
        [("member-moved", FAIL), ("struct-grown", WARN)],
    ),
    "member appended to a struct": (
        [("\t__u32 items[1];\n", "\t__u32 items[1];\n\t__u32 kind;\n")],
        [("struct-grown", WARN)],
    ),
    "type of a member changed, not its size": (
        [("\t__u32 count;\n", "\t__s32 count;\n")],
        [("member-type-changed", WARN)],
    ),
    "member renamed": ([("\t__u32 count;\n", "\t__u32 number;\n")], [("member-renamed", WARN)]),
    "comment changed": ([("/* attributes */", "/* the attributes of a toy */")], []),
}


def make_toy_kernel(repo: Repo) -> Repo:
    """The repository, with a small kernel on main."""
    repo.commit({**TOY_KERNEL}, "a kernel")
    return repo


def edited(*pairs: tuple[str, str], text: str = TOY) -> str:
    """The header with each text of the pairs put in the place of the other, which must be there once."""
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


LAMP_MAINTAINERS = """\
List of maintainers

LAMP DRIVER
M:	Lamp Keeper <keeper@example.com>
L:	lamps@example.com
F:	drivers/lamp/
F:	include/uapi/linux/lamp.h

THE REST
M:	The Rest <rest@example.com>
L:	linux-kernel@vger.kernel.org
F:	*
F:	*/
"""


LAMP = """\
// SPDX-License-Identifier: GPL-2.0
int lamp_on(void)
{
	return 1;
}
"""


LAMP_UAPI = """\
/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_LAMP_H
#define _UAPI_LINUX_LAMP_H

enum lamp_state {
	LAMP_OFF,
	LAMP_ON,
};

#endif /* _UAPI_LINUX_LAMP_H */
"""


LAMP_KERNEL: Mapping[str, File] = {
    "MAINTAINERS": LAMP_MAINTAINERS,
    "Makefile": "VERSION = 6\n",
    "Documentation/index.rst": "x\n",
    "LICENSES/preferred/GPL-2.0": "Valid-License-Identifier: GPL-2.0\n",
    "arch/x86/Kconfig": "x\n",
    "scripts/checkpatch.pl": "exit 0;\n",
    "include/linux/lamp.h": "/* SPDX-License-Identifier: GPL-2.0 */\n",
    "drivers/lamp/Makefile": "obj-y += lamp.o\n",
    "drivers/lamp/lamp.c": LAMP,
    "include/uapi/linux/lamp.h": LAMP_UAPI,
}


def signed(subject: str, body: str = "It was wanted.", *trailers: str) -> str:
    """A commit message with a Signed-off-by of the author."""
    return "\n".join([subject, "", body, "", *trailers, SIGNED])


@dataclass(frozen=True, slots=True)
class LampKernel:
    """The repository, and the commit that the series says it fixes."""

    repo: Repo
    fixed: str

    def mail(self, *patches: tuple[str, Mapping[str, File]], **options: str) -> Path:
        """A file with the series as it was sent."""
        return self.repo.write("../series.mbox", mail_series(self.repo, *patches, **options))  # type: ignore[arg-type]


def make_lamp_kernel(repo: Repo) -> LampKernel:
    """Some commits, as a kernel has them."""
    repo.commit(LAMP_KERNEL, signed("lamp: first light"))
    fixed = repo.commit({"drivers/lamp/lamp.c": LAMP.replace("1", "2")}, signed("lamp: return two"))
    repo.commit({"drivers/lamp/lamp.c": LAMP.replace("1", "3")}, signed("lamp: return three"))
    return LampKernel(repo, fixed)


def make_mistakes(kernel: LampKernel) -> Path:
    """Three patches: a Fixes tag with another subject, a new file that nobody owns, and a good one."""
    return kernel.mail(
        (
            signed("lamp: return four", "It returned three.", f'Fixes: {kernel.fixed[:12]} ("lamp: return too")'),
            {"drivers/lamp/lamp.c": LAMP.replace("1", "4")},
        ),
        ("bulb: new driver\n\nIt shines.", {"drivers/bulb/bulb.c": "int bulb;\n"}),
        (signed("lamp: say what it is for"), {"Documentation/lamp.rst": "Lamps\n=====\n"}),
        to="lamps@example.com, keeper@example.com",
    )


FOO_TITLE = "foo: count the frames that were sent"


FOO_OTHER_TITLE = "foo: say how many frames there were"


FOO_FILE = "drivers/net/foo.c"


FOO_CONTENT = "one\ntwo\nthree\nfour\nfive\n"
"""Of FOO_FILE at the end."""


OLD_HAND = "Old Hand <old@example.org>"


FOO_KERNEL = {
    "MAINTAINERS": "FOO\nM:\tA Maintainer <maint@example.org>\nF:\tdrivers/net/\n",
    "Documentation/index.rst": "Foo\n",
    "arch/Kconfig": "# SPDX-License-Identifier: GPL-2.0\n",
    "include/uapi/linux/foo.h": "#define FOO 1\n",
    "Makefile": "VERSION = 6\n",
    FOO_FILE: "one\ntwo\nthree\n",
    ".mailmap": "New Name <new@example.com> <former@example.com>\n",
}


_QUOTED = 12


@dataclass(frozen=True, slots=True)
class FooKernel:
    """The repository and the commits that tests speak of."""

    repo: Repo
    target: str
    """FOO_TITLE, which changes FOO_FILE."""
    other: str
    """FOO_OTHER_TITLE, which changes FOO_FILE too."""

    def tag(self, oid: str = "", title: str = FOO_TITLE, digits: int = 12) -> str:
        """A Fixes tag as it should be, for the target unless told otherwise."""
        return f'Fixes: {(oid or self.target)[:digits]} ("{title}")'


def make_foo_kernel(repo: Repo) -> FooKernel:
    """A kernel on main; its last commit quotes a dozen earlier ones, so an id that is not here can be told."""
    stream = [b"feature done\n", _foo_commit(1, "Linux 6.1", FOO_KERNEL)]
    stream += [_foo_commit(n, f"bar: step {n}", {"drivers/net/bar.c": f"{n}\n"}) for n in range(2, _QUOTED + 2)]
    stream += [
        _foo_commit(90, FOO_TITLE, {FOO_FILE: "one\ntwo\nthree\nfour\n"}, OLD_HAND, f"Signed-off-by: {OLD_HAND}"),
        _foo_commit(91, FOO_OTHER_TITLE, {FOO_FILE: FOO_CONTENT}, OLD_HAND, f"Signed-off-by: {OLD_HAND}"),
        *(b"get-mark :%d\n" % n for n in (*range(2, _QUOTED + 2), 90, 91)),
        b"done\n",
    ]
    *quoted, target, other = repo.git("fast-import", "--quiet", "--done", input=b"".join(stream)).split()
    repo.git("read-tree", "-u", "--reset", "HEAD")
    tags = "\n".join(f'Fixes: {oid[:12]} ("bar: step {n}")' for n, oid in enumerate(quoted, 2))
    repo.now += 60 * 100
    repo.commit({"drivers/net/bar.c": "all\n"}, f"bar: mend all steps\n\nSo it is.\n\n{tags}\n{SIGNED}\n")
    return FooKernel(repo, target, other)


def _foo_commit(mark: int, title: str, files: dict[str, str], author: str = OLD_HAND, trailer: str = SIGNED) -> bytes:
    message = f"{title}\n\nSo it is.\n\n{trailer}\n".encode()
    when = f"{FIRST_DATE + 60 * mark} +0000"
    head = f"commit refs/heads/main\nmark :{mark}\nauthor {author} {when}\ncommitter {author} {when}\n"
    changes = [f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files.items()]
    return head.encode() + b"data %d\n%s\n" % (len(message), message) + "".join(changes).encode() + b"\n"
