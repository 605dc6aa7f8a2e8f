# SPDX-License-Identifier: GPL-2.0-or-later
"""A repository with three trees, a MAINTAINERS file, and a series that goes to all of them and to one that is away."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.helpers import File, Repo, Result

URL = "git://git.example.org"
MAINTAINERS = f"""\
CORE NET
M:\tNed Nett <ned@example.org>
M:\t"Nora N. Nett" <nora@example.org>
L:\tnetdev@example.org
T:\tgit {URL}/ned/net.git
T:\tgit {URL}/ned/net-next.git
F:\tnet/
F:\tinclude/net/

NFS SERVER
M:\tSven Särv <sven@example.org>
R:\tRon <ron@example.org>
L:\tlinux-nfs@example.org
T:\tgit {URL}/sven/nfsd.git
F:\tfs/nfsd/

GADGET DRIVERS
M:\tDan <dan@example.org>
L:\tgadgets@example.org
T:\tgit {URL}/dan/gadgets.git
F:\tdrivers/

THE REST
M:\tLinus <linus@example.org>
L:\tall@example.org
F:\t*
F:\t*/
"""
HEADER = """\
#ifndef CORE_H
#define CORE_H

typedef void (*done_func_t)(void *data, int status);

void core_init(void);
int core_start(done_func_t done);

#endif
"""
CORE = """\
#include <net/core.h>

static done_func_t registered;

void core_init(void)
{
	registered = 0;
}

int core_start(done_func_t done)
{
	registered = done;
	registered(0, 1);
	return 1;
}
"""
EXPORT = """\
#include <net/core.h>

static int limit = 5;

int export_open(int n)
{
	if (n > limit)
		return -1;
	return 0;
}

int export_close(int n)
{
	return n;
}
"""
GADGET = """\
#include <net/core.h>

static int count;

static void gadget_done(void *data, int status)
{
	count += status;
}

int gadget_probe(void)
{
	return core_start(gadget_done);
}
"""
BASE: Mapping[str, File] = {
    "MAINTAINERS": MAINTAINERS,
    "include/net/core.h": HEADER,
    "net/core.c": CORE,
    "fs/nfsd/export.c": EXPORT,
    "drivers/gadget.c": GADGET,
    "drivers/README": "read me\n",
}
COVER = """\
From: Ann Author <ann@example.com>
Date: Wed, 15 Nov 2023 10:00:00 +0000
Subject: [PATCH RFC v2 0/{count}] tags for everybody
Message-ID: <tags-v2-0@example.com>
To: netdev@example.org

Tags are wanted everywhere.

Ann Author ({count}):
  net: something

 net/core.c | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)
---
base-commit: 0000000000000000000000000000000000000000
change-id: 20231115-tags-0123456789ab

"""
SOB = "\n\nSigned-off-by: Ann Author <ann@example.com>"

Change = tuple[str, Mapping[str, File]]


def changed(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


FIXED = changed(CORE, ("registered = 0;", "registered = (void *)0;"))
TAG = ("#endif\n", "int core_tag(int n);\n\n#endif\n")
TAGGED = FIXED + "\nint core_tag(int n)\n{\n\treturn n + 1;\n}\n"
EXPORTED = changed(EXPORT, ("return n;", "return core_tag(n);"))
WIDER = ("(void *data, int status)", "(void *data, int status, int tag)")
CHANGES: tuple[Change, ...] = (
    ("net: core: start with nothing" + "\n\nFixes: 0123456789ab (\"net: core\")\nSigned-off-by: Ann <ann@example.com>",
     {"net/core.c": FIXED}),
    ("net: core: add tags" + SOB, {"net/core.c": TAGGED, "include/net/core.h": changed(HEADER, TAG)}),
    ("nfsd: use tags" + SOB, {"fs/nfsd/export.c": EXPORTED}),
    ("gadget: more to read" + SOB, {"drivers/README": "read me, please\n"}),
    (
        "net: core: pass the tag" + SOB,
        {
            "include/net/core.h": changed(HEADER, TAG, WIDER),
            "net/core.c": changed(TAGGED, ("registered(0, 1)", "registered(0, 1, core_tag(1))")),
            "drivers/gadget.c": changed(GADGET, WIDER),
        },
    ),
    (
        "net: core: say hello" + SOB,
        {
            "net/core.c": "/* hello */\n" + changed(TAGGED, ("registered(0, 1)", "registered(0, 1, core_tag(1))")),
            "fs/nfsd/export.c": changed(EXPORTED, ("limit = 5", "limit = 55"), ("limit)", "limit + 1)")),
        },
    ),
)  # fmt: skip


class Case:
    """The repository, and the program's answers on a series."""

    def __init__(self, repo: Repo, changes: tuple[Change, ...] = CHANGES, cover: bool = True) -> None:
        self.repo = repo
        self.base = repo.commit(BASE, "start")
        repo.git("checkout", "--quiet", "main")
        for name in ("net", "net-next", "nfsd"):
            owner = "sven" if name == "nfsd" else "ned"
            repo.git("config", f"remote.{name}.url", f"{URL}/{owner}/{name}.git")
            self.tree(name, {f"{name}.txt": f"{name}\n"})
        self.mbox = self.series(changes, cover)
        self.file = repo.path.parent / "series.mbox"
        self.file.write_bytes(self.mbox)

    def tree(self, name: str, files: Mapping[str, File]) -> str:
        """One commit more on the tree."""
        ref = f"refs/remotes/{name}/main"
        has_ref = self.repo.git("for-each-ref", ref)
        oid = self.repo.commit(files, f"{name}: go on", branch="work", parent=ref if has_ref else self.base)
        self.repo.git("update-ref", ref, oid)
        self.repo.git("update-ref", "-d", "refs/heads/work")
        return oid

    def series(self, changes: tuple[Change, ...], cover: bool) -> bytes:
        tip = self.base
        for message, files in changes:
            tip = self.repo.commit(files, message, branch="work", parent=tip, author="Ann Author <ann@example.com>")
        mbox = self.repo.format_patch(
            f"{self.base}..{tip}", "--subject-prefix=PATCH RFC", "-v2", "--thread", "--numbered"
        )
        self.repo.git("update-ref", "-d", "refs/heads/work")
        head = COVER.format(count=len(changes)) if cover else ""
        return (f"From mboxrd@z Thu Jan  1 00:00:00 1970\n{head}\n" if cover else "").encode() + mbox

    def state(self) -> dict[str, object]:
        """What is the user's."""
        git = self.repo.path / ".git"
        refs = self.repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {
            "refs": [line for line in refs if not line.startswith("refs/seriestool/")],
            "files": {name: (git / name).read_bytes() for name in ("HEAD", "index", "config")},
            "status": self.repo.git("status", "--porcelain"),
        }


def answer(cli: Callable[..., Result], case: Case, *options: str | Path, code: int = 0) -> dict[str, Any]:
    """The object that `split --json` prints."""
    result = cli("split", "--json", *options, case.file, cwd=case.repo.path)
    assert result.code == code, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def where(found: Mapping[str, Any]) -> list[tuple[str, list[int]]]:
    """Name and patches of each sub-series, in order."""
    return [(one["name"], [patch["counter"] for patch in one["patches"]]) for one in found["subseries"]]


def fared(found: Mapping[str, Any]) -> list[dict[int, str]]:
    """Of each proof how each patch fared, those of others included."""
    return [{one["patch"]: one["outcome"] for one in (*proof["first"], *proof["patches"])} for proof in found["proofs"]]
