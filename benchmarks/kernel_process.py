# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole processes of find-base on a real repository of the kernel's size: time, memory, and whether they are right.

Three series of 10 patches to 20 C files, the busiest file of all among them: one whose base is a commit of the main
line from five weeks before its tip, one whose author had a private commit below it that changes other functions of
these files (so that it is nowhere exact, but applies), and one whose private commit changes the very lines (so that it
applies nowhere).
"""

import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.history_index import git, in_a_process_of_its_own, timed
from benchmarks.kernel_repository import c_paths, commit, import_commits, inline
from seriestool.git import Repository
from seriestool.trees.history import History, fingerprint, index_dir

PATCHES = 10
RUNS = 5
NEW_COMMITS = 1000
BEFORE_TIP = 5 * 7 * 86400
LEVELS = {"exact": ("exact",), "applies": ("applies",), "nowhere": ("none", "partial")}
"""The kinds of series, and the verdicts that are right for each."""
PRIVATE = {"exact": (), "applies": (5, b"return 0;", b"return 1;"), "nowhere": (40, b"dev->state", b"dev->other")}
"""What the author's private commit changes in each file; the patches change a line of function 40."""


@dataclass(frozen=True, slots=True)
class Run:
    """A process of find-base; `memory` is that of the largest of it and its children."""

    seconds: float
    memory: float
    verdict: str
    base: str | None


def measure(made: Path) -> dict[str, float | str]:
    """All figures; the repository itself is only read: what is new goes to another one that borrows its objects."""
    with tempfile.TemporaryDirectory(dir=made.parent) as scratch:
        repo = Path(scratch) / "tree.git"
        subprocess.run(["git", "clone", "--quiet", "--mirror", made, repo], check=True)
        author = Author(repo, Path(scratch) / "author.git")
        series = {kind: author.make_series(kind) for kind in LEVELS}
        return {
            **first_figures(repo, series["exact"]),
            **index_figures(repo),
            **{name: value for kind, mbox in series.items() for name, value in ask(repo, kind, mbox, author).items()},
            **update_figures(repo, series["exact"], author),
        }


def first_figures(repo: Path, mbox: Path) -> dict[str, float | str]:
    """What the very first question costs: the answer from some months, and the one from all."""
    start = time.perf_counter()
    first = 0.0
    said = "none: the repository is too small"
    process = subprocess.Popen(command(repo, mbox), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if not first and "first answer" in line:
            first, said = time.perf_counter() - start, line.strip()
    process.wait()
    whole = time.perf_counter() - start
    shutil.rmtree(index_dir(Repository.open(repo)))
    return {"no index: first answer, s": first, "no index: it says": said, "no index: whole answer, s": whole}


def index_figures(repo: Path) -> dict[str, float | str]:
    idle = processor_time()
    bare, _ = timed(lambda: git(repo, "log", "--all", "--raw", output=subprocess.DEVNULL))
    bare_work = processor_time() - idle
    folder = index_dir(Repository.open(repo))
    built = in_a_process_of_its_own(repo, folder)
    build_work = processor_time() - idle - bare_work
    with Repository.open(repo) as repository:
        refs = repository.refs()
        opened, history = timed(lambda: History.open(folder, fingerprint(repository, refs)))
    assert history is not None
    counts = history.layers[0].counts
    return {
        "commits": len(history),
        "files": counts.paths,
        "changes": counts.changes,
        "refs": len(refs),
        "bare log pass, s": bare,
        "index: build, s": built["seconds"],
        "index: build / bare pass": built["seconds"] / bare,
        "index: the same in processor time": build_work / bare_work,
        "index: peak memory of the build, MB": built["memory"],
        "index: size, MB": size(folder),
        "index: open, ms": opened * 1e3,
    }


def processor_time() -> float:
    """Seconds that child processes worked: unlike the clock it does not tell of what else the machine does."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def size(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.iterdir()) / 1e6


def ask(repo: Path, kind: str, mbox: Path, author: "Author") -> dict[str, float | str]:
    runs = [find_base(repo, mbox) for _ in range(RUNS)]
    answer = runs[0]
    right = answer.verdict in LEVELS[kind] and (kind == "nowhere" or author.has_files(answer.base, kind))
    named = ", the very base" if answer.base == author.base else ""
    return {
        f"{kind}: median, s": statistics.median(run.seconds for run in runs),
        f"{kind}: worst, s": max(run.seconds for run in runs),
        f"{kind}: resident memory, MB": max(run.memory for run in runs),
        f"{kind}: answer": answer.verdict + named if right else f"WRONG: {answer.verdict} {answer.base}",
    }


def update_figures(repo: Path, mbox: Path, author: "Author") -> dict[str, float | str]:
    """What the first question costs after a thousand new commits, and the questions after that one."""
    before = git(repo, "rev-parse", "master").decode().strip()
    import_commits(repo, author.new_commits())
    bare, _ = timed(lambda: git(repo, "log", "--raw", f"{before}..master", output=subprocess.DEVNULL))
    first, later = find_base(repo, mbox), find_base(repo, mbox)
    return {
        f"{NEW_COMMITS} new commits: first answer, s": first.seconds,
        f"{NEW_COMMITS} new commits: later answers, s": later.seconds,
        f"{NEW_COMMITS} new commits: bare log of them, s": bare,
        f"{NEW_COMMITS} new commits: memory, MB": first.memory,
    }


def find_base(repo: Path, mbox: Path) -> Run:
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command(repo, mbox), stdout=out)
        _, _, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        out.seek(0)
        printed = out.read()
    if not printed:
        raise SystemExit(f"find-base gave no answer for {mbox}")
    answer = json.loads(printed)
    return Run(seconds, usage.ru_maxrss / 1024, answer["verdict"], answer["base"] and answer["base"]["commit"])


def command(repo: Path, mbox: Path) -> list[str]:
    return [sys.executable, "-m", "seriestool", "find-base", "--json", "--repo", str(repo), str(mbox)]


class Author:
    """Works on the tree at some base, in a repository of their own that nobody else sees."""

    def __init__(self, tree: Path, own: Path) -> None:
        self._tree, self._own = tree, own
        subprocess.run(["git", "init", "--quiet", "--bare", own], check=True)
        (own / "objects" / "info" / "alternates").write_text(f"{tree}/objects\n")
        self._tip_time = int(git(tree, "log", "-1", "--format=%ct", "master"))
        before = f"--before={self._tip_time - BEFORE_TIP}"
        self.base = git(tree, "log", "-1", "--format=%H", "--first-parent", before, "master").decode().strip()
        here = set(git(tree, "ls-tree", "-r", "-z", "--name-only", self.base).split(b"\0"))
        busiest, *others = (path for path in c_paths() if path in here)
        self._paths = [busiest, *random.Random(5).sample(others, 2 * PATCHES - 1)]

    def make_series(self, kind: str) -> Path:
        """An mbox; its mails were sent a day after the base was made."""
        import_commits(self._own, self._patches(kind))
        mails = ["-c", "user.name=A", "-c", "user.email=a@kernel.invalid", "format-patch", "--stdout", "--abbrev=12"]
        mbox = self._own.with_name(f"{kind}.mbox")
        mbox.write_bytes(git(self._own, *mails, "--thread", f"-{PATCHES}", f"refs/heads/{kind}"))
        return mbox

    def has_files(self, answer: str | None, kind: str) -> bool:
        """Whether the answer has the files of the base; where the series only applies, whether git applies it there."""
        if answer is None:
            return False
        if kind == "exact":
            return not git(self._tree, "diff-tree", "-r", answer, self.base, "--", *map(os.fsdecode, self._paths))
        environment = {**os.environ, "GIT_INDEX_FILE": str(self._own / "index")}
        for command in (["read-tree", answer], ["apply", "--cached", str(self._own.with_name(f"{kind}.mbox"))]):
            if subprocess.run(["git", "-C", self._own, *command], env=environment).returncode:
                return False
        return True

    def _patches(self, kind: str) -> Iterator[bytes]:
        files = {path: git(self._tree, "cat-file", "blob", f"{self.base}:{os.fsdecode(path)}") for path in self._paths}
        private = PRIVATE[kind]
        time = self._tip_time - BEFORE_TIP + 86400
        yield commit(f"refs/heads/{kind}", time, "private", parents=(self.base,))
        for path in self._paths if private else ():
            files[path] = edited(files[path], *private)
            yield inline(path, files[path])
        for number in range(PATCHES):
            yield commit(f"refs/heads/{kind}", time + number, f"part: patch {number}")
            for path in self._paths[2 * number : 2 * number + 2]:
                files[path] = edited(files[path], 40, b"return 0;", b"return dev->next;")
                yield inline(path, files[path])

    def new_commits(self) -> Iterator[bytes]:
        """A thousand commits on top of master, of two files each."""
        chosen = random.Random(6)
        for number in range(NEW_COMMITS):
            parents = (git(self._tree, "rev-parse", "master").decode().strip(),) if not number else ()
            yield commit("refs/heads/master", self._tip_time + 60 * number, f"new {number}", parents=parents)
            yield from (inline(path, b"%d\n" % number) for path in chosen.sample(c_paths(), 2))


def edited(content: bytes, function: int, old: bytes, new: bytes) -> bytes:
    """The file with the first `old` in that function replaced."""
    at = content.index(old, content.index(b"step_%d(" % function))
    return content[:at] + new + content[at + len(old) :]
