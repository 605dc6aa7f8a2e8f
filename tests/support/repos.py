# SPDX-License-Identifier: GPL-2.0-or-later
"""Real repositories made quickly, what git itself says of them, and where the project and its data are."""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


SHARED = ROOT.parent / "shared"


FIRST_DATE = 1_700_000_000  # 2023-11-14 22:13:20 UTC


_MAKES_COMMITS = {"am", "cherry-pick", "commit", "commit-tree", "merge", "rebase", "revert", "tag"}


Content = bytes | str


File = Content | tuple[Content, int] | None
"""The content, (content, mode), or None for a file that goes; a mode of 0o160000 takes a commit id as content."""


def shared(path: str) -> Path:
    """The file or folder in ../shared; the test is skipped, saying so, where it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"needs ../shared/{path}, which is not there")
    return found


class Repo:
    """A git repository in a test's own folder; dates of commits go up by a minute each."""

    def __init__(self, path: Path, object_format: str = "sha1", bare: bool = False) -> None:
        self.path = path
        self.bare = bare
        self.now = FIRST_DATE
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", f"--object-format={object_format}", *(["--bare"] if bare else []))

    def git_bytes(self, *arguments: str, input: Content | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """The standard output of git, as it is; AssertionError with its standard error where it fails."""
        if arguments and arguments[0] in _MAKES_COMMITS:
            self.now += 60
        date = f"{self.now} +0000"
        answer = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=_bytes(input or b""),
            capture_output=True,
            env={**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, **(env or {})},
        )
        assert answer.returncode == 0, f"git {' '.join(arguments)}: {os.fsdecode(answer.stderr)}"
        return answer.stdout

    def git(self, *arguments: str, input: Content | None = None, env: Mapping[str, str] | None = None) -> str:
        """The standard output of git as text, without the newline at its end."""
        return os.fsdecode(self.git_bytes(*arguments, input=input, env=env)).removesuffix("\n")

    def write(self, path: str | bytes, content: Content) -> Path:
        """The file in the work tree, written."""
        file = self.path / os.fsdecode(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_bytes(content))
        return file

    def commit(
        self,
        files: Mapping[str | bytes, File] | Mapping[str, File] | Mapping[bytes, File] | None = None,
        message: Content = "change",
        *,
        date: int | None = None,
        branch: str | None = None,
        parent: str | Sequence[str] | None = None,
        author: str = "A U Thor <author@example.com>",
        charset: str = "",
    ) -> str:
        """The id of a new commit: the (first) parent's tree with `files` changed; the branch moves to it.

        The branch is the one that HEAD names unless given; the parent is the branch's tip (for a branch that is not
        there yet: HEAD) unless given; several parents make a merge, `parent=()` a root. The work tree follows HEAD.
        With a `charset` the commit is written in it, and has it in its encoding header.
        """
        self.now = self.now + 60 if date is None else date
        ref = f"refs/heads/{branch}" if branch else self.git("symbolic-ref", "HEAD")
        parents = self._parents(ref, parent)
        text = message.encode(charset or "utf-8") if isinstance(message, str) else message
        stamp = f"{self.now} +0000"
        stream = [
            b"feature done\n",
            f"commit {ref}\nmark :1\nauthor {author} {stamp}\n".encode(charset or "utf-8"),
            f"committer C O Mitter <committer@example.com> {stamp}\n".encode(),
            f"encoding {charset}\n".encode() if charset else b"",
            b"data %d\n%s\n" % (len(text), text),
            *(f"{'merge' if i else 'from'} {oid}\n".encode() for i, oid in enumerate(parents)),
            *(_change(os.fsencode(path), file) for path, file in (files or {}).items()),
            b"\n",
            b"get-mark :1\ndone\n",
        ]
        oid = self.git("fast-import", "--quiet", "--force", "--done", input=b"".join(stream)).split()[-1]
        if not self.bare and ref == self.git("symbolic-ref", "-q", "HEAD"):
            self.git("read-tree", "-u", "--reset", "HEAD")
        return oid

    def format_patch(self, revisions: str, *arguments: str) -> bytes:
        """The series as an mbox, as `git format-patch --stdout` writes it."""
        return self.git_bytes("format-patch", "--stdout", *arguments, revisions)

    def _parents(self, ref: str, parent: str | Sequence[str] | None) -> list[str]:
        if parent is None:
            tip = self._tip(ref) or self._tip(self.git("symbolic-ref", "HEAD"))
            return [tip] if tip else []
        names = [parent] if isinstance(parent, str) else parent
        return [self.git("rev-parse", "--verify", f"{name}^{{commit}}") for name in names]

    def _tip(self, ref: str) -> str:
        # Empty for an unborn branch, where rev-parse would fail.
        return self.git("for-each-ref", "--format=%(objectname)", ref)


def _bytes(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _change(path: bytes, file: File) -> bytes:
    quoted = b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if file is None:
        return b"D " + quoted + b"\n"
    content, mode = file if isinstance(file, tuple) else (file, 0o100644)
    data = _bytes(content)
    if mode == 0o160000:
        return b"M %o %s %s\n" % (mode, data, quoted)
    return b"M %o inline %s\ndata %d\n%s\n" % (mode, quoted, len(data), data)


def git_applies(repo: Repo, commit: str, mbox: bytes, *options: str) -> int:
    """How many patches of the mbox, from the first on, `git apply --cached` takes on the commit.

    Git itself splits and decodes the mails (mailsplit, mailinfo), and works on an index of the test's own.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {"GIT_INDEX_FILE": str(folder / "index")}
        repo.git("read-tree", commit, env=env)
        for number, patch in enumerate(patches_of(repo, mbox, folder)):
            if not git_takes(repo, patch, env, *options):
                return number
        return number + 1


def patches_of(repo: Repo, mbox: bytes, folder: Path) -> list[Path]:
    """The diffs of the mails in order, each in a file of its own; replies and cover letters have none."""
    (folder / "mails").mkdir()
    repo.git("mailsplit", "--keep-cr", f"-o{folder}/mails", input=mbox)
    found = []
    for mail in sorted((folder / "mails").iterdir()):
        patch = folder / f"{mail.name}.patch"
        raw = mail.read_bytes()
        repo.git("mailinfo", str(folder / "message"), str(patch), input=raw)
        if not re.search(rb"^Subject: (Re:|\[[^]]*\b0+/\d)", raw, re.MULTILINE):
            found.append(patch)
    return found


def git_takes(repo: Repo, patch: Path, env: Mapping[str, str], *options: str) -> bool:
    """Whether `git apply --cached` takes the diff; an empty one changes nothing."""
    if b"\n+++ " not in patch.read_bytes() and b"diff --git" not in patch.read_bytes():
        return True
    answer = subprocess.run(
        ["git", "apply", "--cached", *options, str(patch)],
        cwd=repo.path, env={**os.environ, **env}, capture_output=True)  # fmt: skip
    return answer.returncode == 0


def misplaced(stderr: str) -> tuple[str, int]:
    """(path, line) of the first hunk that `git apply` could not place."""
    found = re.search(r"^error: patch failed: (.*):(\d+)$", stderr, flags=re.MULTILINE)
    assert found, stderr
    return found[1], int(found[2])


# --- git as the judge ---------------------------------------------------------------------------------------------


def files_of(repo: Repo, tree: str, env: Mapping[str, str] | None = None) -> dict[str, tuple[str, str]]:
    """Path -> (mode, id) of all that a tree has."""
    found = {}
    for line in repo.git("ls-tree", "-r", "-z", "--full-tree", tree, env=env).split("\0")[:-1]:
        meta, _, path = line.partition("\t")
        mode, _, oid = meta.split()
        found[path] = (mode, oid)
    return found


def unmerged(repo: Repo) -> dict[str, set[tuple[int, str, str]]]:
    """Path -> (stage, mode, id) of what the index of the work tree has in conflict."""
    found: dict[str, set[tuple[int, str, str]]] = {}
    for line in repo.git("ls-files", "-u", "-z").split("\0")[:-1]:
        meta, _, path = line.partition("\t")
        mode, oid, stage = meta.split()
        found.setdefault(path, set()).add((int(stage), mode, oid))
    return found


def try_git(repo: Repo, *arguments: str, env: Mapping[str, str] | None = None) -> int:
    """The exit code of git, which may fail."""
    answer = subprocess.run(["git", *arguments], cwd=repo.path, capture_output=True, env={**os.environ, **(env or {})})
    return answer.returncode
