# SPDX-License-Identifier: GPL-2.0-or-later
"""Repositories with a story: a series that conflicts on a tree, a series for several trees."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.repos import File, Repo
from tests.support.series import lines, make_series
from tests.support.session import Result, run_program

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


SplitChange = tuple[str, Mapping[str, File]]


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


CHANGES: tuple[SplitChange, ...] = (
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


class SplitCase:
    """The repository, and the program's answers on a series."""

    def __init__(self, repo: Repo, changes: tuple[SplitChange, ...] = CHANGES, cover: bool = True) -> None:
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

    def series(self, changes: tuple[SplitChange, ...], cover: bool) -> bytes:
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


def answer(cli: Callable[..., Result], case: SplitCase, *options: str | Path, code: int = 0) -> dict[str, Any]:
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


CONFLICT_TEXT = lines(1, 30)


CONFLICT_SERIES = "a series of three"


@dataclass(frozen=True, slots=True)
class ConflictCase:
    """A repository with the trees `main` and `next`, on which patch 2 of 3 conflicts, and `clean`, on which none does.

    The user has a work tree with changes of their own on the branch `main`.
    """

    repo: Repo
    base: str
    mbox: Path

    def run(self, *arguments: str | Path, cwd: Path | None = None) -> Result:
        """`seriestool rebase` in the repository."""
        return run_program("rebase", *arguments, cwd=cwd or self.repo.path)

    def json(self, *arguments: str | Path) -> dict[str, Any]:
        """The answer of `rebase --json` on the series."""
        result = self.run("--json", *arguments, self.mbox)
        assert result.code in (0, 3), result.err
        answer: dict[str, Any] = json.loads(result.out)
        return answer

    def outcomes(self, *arguments: str | Path) -> list[str]:
        """The patches' outcomes on the first tree, and how they came about."""
        return [f"{patch['outcome']} {patch['how']}" for patch in self.json(*arguments)["trees"][0]["patches"]]

    def worktree(self) -> Path:
        """The work tree made for the one conflict that waits."""
        listed = self.repo.git("worktree", "list", "--porcelain")
        found = [Path(path) for path in re.findall(r"^worktree (.*)$", listed, re.M) if Path(path) != self.repo.path]
        assert len(found) == 1, listed
        return found[0]

    def resolve(self, text: str = "line ten, both\n") -> Path:
        """The conflict in the work tree resolved and added."""
        tree = self.worktree()
        file = tree / "a.c"
        file.write_text(re.sub(r"<{7} .*?>{7} [^\n]*\n", text, file.read_text(), flags=re.S))
        Repo.git(_at(self.repo, tree), "add", "a.c")
        return tree

    def state(self) -> dict[str, object]:
        """Everything of the user's that must not change: branches, HEAD, index, work tree, configuration, hooks."""
        git = self.repo.path / ".git"
        files = [path for path in self.repo.path.rglob("*") if path.is_file() and ".git" not in path.parts]
        kept = [git / "HEAD", git / "config", git / "index", *(git / "hooks").glob("*"), *(git / "rr-cache").rglob("*")]
        return {
            "refs": self.repo.git(
                "for-each-ref", "refs/heads", "refs/tags", "refs/notes", "refs/remotes", "refs/stash"
            ),
            **{str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in [*files, *kept] if path.is_file()},
        }

    def leftovers(self) -> list[str]:
        """What a rebase that is over must not leave behind."""
        trees = self.repo.git("worktree", "list").splitlines()[1:]
        refs = self.repo.git("for-each-ref", "--format=%(refname)", "refs/seriestool/rebase").splitlines()
        folder = self.repo.path / ".git/seriestool/rebase"
        return [*trees, *refs, *(str(path) for path in folder.rglob("*"))]


def _at(repo: Repo, path: Path) -> Repo:
    other = object.__new__(Repo)
    other.__dict__.update({**repo.__dict__, "path": path})
    return other


def make_conflict_case(folder: Path) -> ConflictCase:
    """The repository below the folder."""
    repo = Repo(folder / "repo")
    base = repo.commit({"a.c": CONFLICT_TEXT, "b.c": CONFLICT_TEXT}, "start")
    changes = (
        {"a.c": CONFLICT_TEXT.replace("line 3\n", "line three\n")},
        {"a.c": CONFLICT_TEXT.replace("line 3\n", "line three\n").replace("line 10\n", "line ten of the series\n")},
        {"b.c": CONFLICT_TEXT.replace("line 20\n", "line twenty\n")},
    )
    mbox = folder / "series.mbox"
    mbox.write_bytes(make_series(repo, base, *changes, options=["--subject-prefix=PATCH v3"]))
    other = CONFLICT_TEXT.replace("line 10\n", "line ten of the tree\n")
    repo.commit({"c.c": "1\n"}, "c: one", branch="clean", parent=base)
    repo.commit(
        {"a.c": other, "d.c": "1\n"}, "a: line ten\n\nLink: https://lore.kernel.org/r/1@x", branch="next", parent=base
    )
    repo.commit({"a.c": other}, "a: line ten")
    repo.git("read-tree", "-u", "--reset", "HEAD")
    repo.write("b.c", "changed by the user\n")
    repo.git("add", "b.c")
    repo.write("new.c", "untracked\n")
    (repo.path / ".git/hooks").mkdir(exist_ok=True)
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "post-rewrite"):
        hook = repo.path / ".git/hooks" / name
        hook.write_text('#!/bin/sh\necho ran >> "$(git rev-parse --git-common-dir)/hook-ran"\n')
        hook.chmod(0o755)
    return ConflictCase(repo, base, mbox)
