# SPDX-License-Identifier: GPL-2.0-or-later
"""Random histories as fast-import streams, and what git itself says of them."""

import random
from pathlib import Path

from seriestool.git import Repository
from seriestool.trees.history import History, update, value_of
from tests.support.repos import FIRST_DATE, Repo

PATHS = (
    b"plain", b"dir/inner", b"dir/with space", b"new\nline", "ü/é".encode(), b"\x01starts-odd", b":100644 100644",
    b"tab\there", b'quote"back\\slash', b"\xff\xfe", b"both", b"both/file-and-folder", b"sub",
)  # fmt: skip


MODES = (0o100644, 0o100644, 0o100644, 0o100755, 0o120000, 0o160000)


class Maker:
    """Adds random commits to a repository: roots, branches, merges of up to four parents, clocks that are wrong."""

    def __init__(self, repo: Repo, seed: int) -> None:
        self.repo = repo
        self.commits: list[str] = []
        self.parents: list[list[int]] = []
        self._random = random.Random(seed)  # noqa: S311
        self._oid_digits = len(repo.git("hash-object", "--stdin"))

    def grow(self, count: int) -> None:
        """Add commits; each commit without a child gets a branch of its own, and no other commit has one."""
        known = len(self.commits)
        stream = b"".join(self._commit(number, known) for number in range(known, known + count))
        marks = self.repo.path / "marks"
        self.repo.git("fast-import", "--quiet", "--force", f"--export-marks={marks}", input=stream)
        ids = dict(line.split() for line in marks.read_text().splitlines())
        self.commits += [ids[f":{number + 1}"] for number in range(known, known + count)]
        self._point_refs()

    def leaves(self) -> list[str]:
        """The commits that no other one has as a parent."""
        inner = {number for parents in self.parents for number in parents}
        return [oid for number, oid in enumerate(self.commits) if number not in inner]

    def _point_refs(self) -> None:
        old = self.repo.git("for-each-ref", "--format=delete %(refname)")
        self.repo.git("update-ref", "--stdin", input=old + "\n" if old else "")
        new = "".join(f"create refs/heads/leaf-{oid} {oid}\n" for oid in self.leaves())
        self.repo.git("update-ref", "--stdin", input=new)

    def _commit(self, number: int, known: int) -> bytes:
        parents = self._choose_parents(number)
        self.parents.append(parents)
        time = FIRST_DATE + 60 * number - (self._random.choice([0, 0, 0, 7200, 90_000]))
        names = [f":{parent + 1}" if parent >= known else self.commits[parent] for parent in parents]
        lines = [
            b"reset refs/heads/work\ncommit refs/heads/work\n",
            b"mark :%d\ncommitter C <c@example.com> %d +0000\ndata 0\n" % (number + 1, time),
            *(b"%s %s\n" % (b"merge" if i else b"from", name.encode()) for i, name in enumerate(names)),
            *(self._change() for _ in range(self._random.choice([0, 1, 1, 2, 5]))),
            b"\n",
        ]
        return b"".join(lines)

    def _choose_parents(self, number: int) -> list[int]:
        if number == 0 or self._random.random() < 0.04:
            return []
        count = self._random.choice([1, 1, 1, 1, 1, 2, 2, 4])
        near = [number - 1, *(self._random.randrange(max(0, number - 25), number) for _ in range(count))]
        self._random.shuffle(near)
        return list(dict.fromkeys(near))[:count]

    def _change(self) -> bytes:
        path = quoted(self._random.choice(PATHS))
        if self._random.random() < 0.25:
            return b"D %s\n" % path
        mode = self._random.choice(MODES)
        if mode == 0o160000:
            return b"M 160000 %s %s\n" % (b"%x" % self._random.randrange(1, 4) * self._oid_digits, path)
        data = b"%d" % self._random.randrange(6)
        return b"M %o inline %s\ndata %d\n%s\n" % (mode, path, len(data), data)


def quoted(path: bytes) -> bytes:
    """The path in git's C quotes, every byte in octal."""
    return b'"' + b"".join(b"\\%03o" % byte for byte in path) + b'"'


def states(repo: Repo, commit: str) -> dict[bytes, int]:
    """What git has in the commit's tree: path -> value."""
    found = {}
    for line in repo.git_bytes("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]:
        meta, _, path = line.partition(b"\t")
        mode, _, oid = meta.decode().split()
        found[path] = value_of(int(mode, 8), oid)
    return found


def indexed(repo: Repo, folder: Path) -> History:
    """The history of all refs of the repository, brought up to date in the folder."""
    with Repository.open(repo.path) as git:
        return update(git, git.refs(), folder)


def ids(history: History, segments: list[tuple[int, int]]) -> set[str]:
    """The commits at these positions."""
    return {history.oid(pos) for start, stop in segments for pos in range(start, stop)}


def assert_like_git(history: History, repo: Repo, commits: list[str]) -> None:
    """The index says of each commit and path what git says."""
    truth = {oid: states(repo, oid) for oid in commits}
    where = {oid: history.find(oid) for oid in commits}
    assert None not in where.values()
    for path in (*PATHS, b"never/there", b""):
        wanted = {oid: truth[oid].get(path, 0) for oid in commits}
        assert {oid: history.value(pos, path) for oid, pos in where.items() if pos is not None} == wanted
        for value in {0, *wanted.values()}:
            found = ids(history, history.segments(path, value.__eq__))
            assert found & set(commits) == {oid for oid in commits if wanted[oid] == value}
        present = history.segments(path, lambda value: value != 0)
        assert ids(history, present) & set(commits) == {oid for oid in commits if wanted[oid]}
