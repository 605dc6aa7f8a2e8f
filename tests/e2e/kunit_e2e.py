# SPDX-License-Identifier: GPL-2.0-or-later
"""kunit-build on a real kernel: a good patch, one that does not build, one that fails a test, one that panics.

    python -m tests.e2e.kunit_e2e [--kernel REPO] [--commit C] [--work FOLDER] [--record FOLDER] [--rounds N]

Takes the repository of a kernel, or Debian's linux-source where none is given, builds net/handshake for User Mode Linux
(cold: some minutes; the work folder keeps what was built, and not what came of it), and ends with 1 unless each patch
gets the findings that it should.
With --rounds it also times warm patches against bare kunit.py, in turns.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from seriestool.check.kunit.kunit_outcome import parse_transcript
from seriestool.check.protocol import CheckEnvironment, CheckSubject, Finding, SkipCheck
from seriestool.check.rules.kunit_build import CHECK
from seriestool.git import Repository
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_stack import make_stack
from seriestool.sandbox import find_sandbox
from tests.e2e.handshake import REQUEST, SERIES, Edit
from tests.support.series import parse_series

_EXPECTED = {
    1: [],
    2: ["new-tests pass"],
    3: ["build-broken fail"],
    4: ["works-again pass"],
    5: ["test-fails fail"],
    6: ["fixed pass"],
    7: ["panic fail"],
    8: ["works-again pass"],
}
_DISTINCT = (0, 1, 2, 3, 5, 7)
"""The base and the patches whose trees are none that was there before: what is repaired is as it was."""
_SETTING = ("--kunitconfig", "net/handshake", "--jobs", str(os.cpu_count() or 1))
_IDENTITY = {"NAME": "A U Thor", "EMAIL": "author@example.com", "DATE": "1700000000 +0000"}


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel", type=Path, default=os.environ.get("KERNEL") or None)
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument("--work", type=Path, default=Path.home() / ".cache/seriestool-kunit-e2e")
    parser.add_argument("--record", type=Path)
    parser.add_argument("--rounds", type=int, default=0)
    given = parser.parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    kernel = given.kernel or debian_kernel(given.work)
    scratch = Scratch(kernel.resolve(), given.work / "scratch.git", given.commit)
    # What is kept of an earlier run would answer for code that has changed since; the build folder stays warm.
    shutil.rmtree(given.work / "cache/kunit", ignore_errors=True)
    findings = run_check(scratch, scratch.series(SERIES), given.work)
    is_right = judge(findings)
    if given.record:
        record(given.work, given.record)
    if given.rounds:
        compare_times(scratch, given.work, given.rounds)
    return 0 if is_right else 1


def judge(findings: Sequence[Finding]) -> bool:
    """Whether each patch got what it should; says what it got."""
    is_right = True
    for finding in findings:
        place = f" [{os.fsdecode(finding.path)}:{finding.line}]" if finding.path else ""
        print(f"patch {finding.counter or '-'}: {finding.status} {finding.rule}: {finding.message}{place}")
    for counter, expected in _EXPECTED.items():
        got = [f"{one.rule} {one.status}" for one in findings if one.counter == counter]
        if got != expected:
            is_right = False
            print(f"patch {counter}: expected {expected}, got {got}", file=sys.stderr)
    return is_right


class Scratch:
    """A bare repository on top of the kernel's objects, for our commits."""

    def __init__(self, kernel: Path, folder: Path, commit: str) -> None:
        self.path = folder
        if not folder.exists():
            subprocess.run(["git", "clone", "-q", "--bare", "--shared", kernel, folder], check=True)
        self.base = self.git("rev-parse", f"{commit}^{{commit}}")

    def git(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> str:
        """What git prints."""
        env = {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER") for key, value in _IDENTITY.items()}
        env |= {"GIT_INDEX_FILE": str(index)} if index else {}
        answer = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=stdin,
            stdout=subprocess.PIPE,
            check=True,
            env={**os.environ, **env},
        )
        return answer.stdout.decode().removesuffix("\n")

    def commit(self, parent: str, edit: Edit) -> str:
        """The id of the commit that makes the edit."""
        index = self.path / "index.e2e"
        self.git("read-tree", parent, index=index)
        text = edit.made(self.git("show", f"{parent}:{edit.path}") + "\n")
        blob = self.git("hash-object", "-w", "--stdin", stdin=text.encode())
        self.git("update-index", "--cacheinfo", f"100644,{blob},{edit.path}", index=index)
        tree = self.git("write-tree", index=index)
        message = f"{edit.subject}\n\nSigned-off-by: A U Thor <author@example.com>\n"
        return self.git("commit-tree", "-p", parent, "-F", "-", tree, stdin=message.encode())

    def series(self, edits: Sequence[Edit]) -> bytes:
        """The mbox of the edits as patches."""
        tip = self.base
        for edit in edits:
            tip = self.commit(tip, edit)
        return self.git("format-patch", "--stdout", "--full-index", f"{self.base}..{tip}").encode() + b"\n"


@contextmanager
def open_subject(scratch: Scratch, mbox: bytes, work: Path) -> Iterator[CheckSubject]:
    """The series on the kernel, in a real sandbox."""
    sandbox = find_sandbox()
    if isinstance(sandbox, str):
        raise SystemExit(sandbox)
    series = parse_series(mbox)
    with Repository.open(scratch.path) as repository, repository.scratch_repository() as scratch_repo:
        base = given_base(series, scratch.base, scratch_repo)
        stack = make_stack(series, base, scratch_repo)
        place = CheckEnvironment(
            repository, scratch_repo, work / "cache", {}, sandbox, offline=True, jobs=os.cpu_count() or 1,
            report=lambda text: print(f"... {text}", file=sys.stderr),
        )  # fmt: skip
        yield CheckSubject(series, stack.steps, base, place)


def run_check(scratch: Scratch, mbox: bytes, work: Path) -> tuple[Finding, ...]:
    """What the check says."""
    with open_subject(scratch, mbox, work) as subject:
        try:
            return tuple(CHECK.run(subject))
        except SkipCheck as reason:
            raise SystemExit(f"skipped: {reason}") from None


def record(work: Path, target: Path) -> None:
    """Copy the transcripts of the runs, for the tests that have no kernel."""
    target.mkdir(parents=True, exist_ok=True)
    files = sorted((work / "cache/kunit").glob("*.run"), key=lambda path: path.stat().st_mtime)
    for number, file in zip(_DISTINCT, files, strict=False):
        transcript = parse_transcript(file.read_bytes())
        assert transcript is not None
        # The kernel's start says nothing of its tests, and what machine it was on.
        output = transcript.output[max(transcript.output.find(b"KTAP version"), 0) :]
        small = replace(transcript, output=output.replace(str(work).encode(), b"/build"))
        small = replace(
            small, source=small.source.replace(str(work), "/build"), build=small.build.replace(str(work), "/build")
        )
        (target / f"{number}.run").write_bytes(small.to_bytes())


def compare_times(scratch: Scratch, work: Path, rounds: int) -> None:
    """Time single warm patches here and with bare kunit.py, in turns."""
    plain, build = work / "plain", work / "plain-build"
    if not plain.exists():
        plain.mkdir()
        archive = subprocess.Popen(["git", "archive", scratch.base], cwd=scratch.path, stdout=subprocess.PIPE)
        subprocess.run(["tar", "x"], cwd=plain, stdin=archive.stdout, check=True)
    _bare(plain, build, work)
    ours, bare = [], []
    for number in range(rounds):
        edit = _variant(f"{os.getpid()}-{number}")
        mbox = scratch.series([edit])
        (plain / edit.path).write_text(edit.made(scratch.git("show", f"{scratch.base}:{edit.path}") + "\n"))
        for take in ("ours", "bare") if number % 2 else ("bare", "ours"):
            started = time.monotonic()
            if take == "bare":
                _bare(plain, build, work)
                bare.append(time.monotonic() - started)
            else:
                run_check(scratch, mbox, work)
                ours.append(time.monotonic() - started)
        print(f"round {number + 1}: ours {ours[-1]:.1f} s, bare {bare[-1]:.1f} s")
    middle = statistics.median(ours), statistics.median(bare)
    print(f"medians of {rounds}: ours {middle[0]:.1f} s, bare {middle[1]:.1f} s, ratio {middle[0] / middle[1]:.2f}")


def _variant(mark: str) -> Edit:
    old = "struct handshake_req *handshake_req_alloc(const struct handshake_proto *proto,\n"
    return Edit("handshake: name it", REQUEST, ((old, f'const char handshake_mark[] = "{mark}";\n\n{old}'),))


def _bare(source: Path, build: Path, work: Path) -> None:
    build.mkdir(exist_ok=True)
    argv = ["python3", "tools/testing/kunit/kunit.py", "run", *_SETTING, "--build_dir", str(build)]
    env = {**os.environ, "CCACHE_DIR": str(work / "plain-ccache")}
    argv += ["--make_options", "CC=ccache gcc"]
    with (work / "bare.log").open("wb") as log:
        subprocess.run(argv, cwd=source, env=env, stdout=log, stderr=log)  # a failing test ends it with 1


def debian_kernel(work: Path) -> Path:
    """A repository with Debian's linux-source as its one commit."""
    repository = work / "linux"
    if (repository / "HEAD").exists():
        return repository
    packages = work / "packages"
    packages.mkdir(exist_ok=True)
    print("... downloading Debian's linux-source", file=sys.stderr)
    name = _newest_source()
    subprocess.run(["apt-get", "download", name], cwd=packages, check=True, stdout=subprocess.DEVNULL)
    [package] = packages.glob(f"{name}_*.deb")
    unpacked = packages / "unpacked"
    subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
    [tarball] = unpacked.glob("usr/src/linux-source-*.tar.xz")
    source = packages / "source"
    source.mkdir()
    subprocess.run(["tar", "xf", tarball, "--strip-components=1", "-C", source], check=True)
    subprocess.run(["git", "init", "-q", "--bare", repository], check=True)
    git = ["git", f"--git-dir={repository}", f"--work-tree={source}", "-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run([*git, "add", "-A", "-f"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", name], check=True)
    shutil.rmtree(packages)
    return repository


def _newest_source() -> str:
    listed = subprocess.run(["apt-cache", "pkgnames", "linux-source-"], capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.split() if name.removeprefix("linux-source-")[0].isdigit()]
    if not names:
        raise SystemExit("there is no linux-source package here: give a kernel's repository with KERNEL=...")
    return max(names, key=lambda name: [int(part) for part in name.removeprefix("linux-source-").split(".")])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
