# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of what user space sees share: a small kernel, and patches of its headers."""

import functools

import pytest

from seriestool.check.protocol import Finding
from seriestool.sandbox import Sandbox, find_sandbox
from tests.checks import SIGNED, ask, mail_series
from tests.helpers import File, Repo

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
KERNEL = {
    f"{_UAPI}linux/types.h": NOTE + _TYPES,
    f"{_UAPI}linux/ioctl.h": NOTE + "#include <asm/ioctl.h>\n",
    f"{_UAPI}asm-generic/ioctl.h": NOTE + _IOCTL,
    f"{_UAPI}linux/toy.h": TOY,
    f"{_UAPI}linux/box.h": _USER,
    "drivers/toy.c": "int toy;\n",
}
HEADER = f"{_UAPI}linux/toy.h"

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


@functools.cache
def _found() -> Sandbox | str:
    return find_sandbox()


def a_sandbox() -> Sandbox:
    """A sandbox; the test is skipped, saying so, where there is none."""
    found = _found()
    if isinstance(found, str):
        pytest.skip(f"needs a sandbox: {found}")
    return found


def make_kernel(repo: Repo) -> Repo:
    """The repository, with a small kernel on main."""
    repo.commit({**KERNEL}, "a kernel")
    return repo


def edited(*pairs: tuple[str, str], text: str = TOY) -> str:
    """The header with each text of the pairs put in the place of the other, which must be there once."""
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def uapi(repo: Repo, text: File, path: str = HEADER, **options: object) -> tuple[Finding, ...]:
    """What `uapi` says of a patch that gives the header this text."""
    return uapi_of(repo, {path: text}, **options)


def uapi_of(
    repo: Repo, files: dict[str, File], to: str = "linux-api@vger.kernel.org", **options: object
) -> tuple[Finding, ...]:
    """What `uapi` says of a patch with these files."""
    from seriestool.check.rules.uapi import CHECK

    mbox = mail_series(repo, (f"toy: change it\n\n{SIGNED}", files), to=to)
    return ask(CHECK, repo, mbox, sandbox=options.pop("sandbox", None) or a_sandbox(), **options)  # type: ignore[arg-type]
