# SPDX-License-Identifier: GPL-2.0-or-later
"""A repository of our own on top of another one's objects: merges, trees and commits are made there.

Nothing of it shows in the other repository until `publish` brings what was asked for over. It has no attributes, no
hooks and no configuration but its own, so that a merge is the same on every machine.
"""

import os
import re
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from threading import get_ident
from typing import Self

from msgspec.structs import replace

from seriestool.git.format_patch import format_patch
from seriestool.git.merge_tree import Merger, MergeResult
from seriestool.git.object_reader import ObjectReader
from seriestool.git.objects import Commit, TreeEntry, format_tree
from seriestool.git.process import Git, GitError, clean_environment, temporary_folder, version
from seriestool.git.tree_checkout import Checkout
from seriestool.git.tree_paths import Changes, Entries, edit_tree, find_entries
from seriestool.series.names import is_unsafe_path

_SYMLINK, _EXECUTABLE = 0o120000, 0o100755
_NOBODY = "seriestool <seriestool@localhost> 0 +0000"
_UNPACKED = 100  # objects up to which they are stored loose, as after `git fetch` (fetch.unpackLimit)
# diff3: what the series was made from is part of what people must see. The rest is what git does unconfigured.
_CONFIG = """\
[core]
	repositoryformatversion = 1
	bare = true
	compression = 1
	abbrev = 12
[extensions]
	objectFormat = {object_format}
[merge]
	conflictStyle = diff3
"""
_SEALED = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


class ScratchRepository:
    """Trees and commits in the making; `close` or the end of a `with` block ends its processes."""

    def __init__(self, folder: Path, object_format: str) -> None:
        """`folder` was laid out by `create`."""
        self._folder = folder
        self._format = object_format
        self.oid_size = 32 if object_format == "sha256" else 20
        self._git = Git(folder)
        self._env = clean_environment(_SEALED)
        self.objects = ObjectReader(self._git.command, self._env)
        self._trees: dict[str, Entries] = {}
        self._merger: Merger | None = None

    @classmethod
    def create(cls, folder: Path, common_dir: Path, object_format: str) -> Self:
        """A new one in `folder`, which is empty and stays ours; `common_dir` is the other repository's."""
        info = folder / "objects/info"
        info.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
        (folder / "config").write_text(_CONFIG.format(object_format=object_format))
        (info / "alternates").write_bytes(os.fsencode(common_dir / "objects") + b"\n")
        shallow = common_dir / "shallow"
        if shallow.exists():
            (folder / "shallow").write_bytes(shallow.read_bytes())
        return cls(folder, object_format)

    def beside(self) -> "ScratchRepository":
        """Another one for another thread: the same objects, processes of its own."""
        return ScratchRepository(self._folder, self._format)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        self.objects.close()
        if self._merger is not None:
            self._merger.close()
            self._merger = None

    def write(self, kind: str, content: bytes) -> str:
        """The id of a new object (blob, tree, commit) of ours."""
        import hashlib  # brings OpenSSL in: 5 ms that a find-base whose answer is exact does not need

        data = f"{kind} {len(content)}".encode() + b"\0" + content
        oid = hashlib.new(self._format, data, usedforsecurity=False).hexdigest()
        path = self._loose(oid)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            draft = path.with_name(f"{path.name}.{get_ident()}")
            draft.write_bytes(zlib.compress(data, 1))
            draft.rename(path)  # a process of git that reads meanwhile sees all of it or nothing
        return oid

    def tree_of(self, commit: str) -> str:
        """The id of the commit's tree; GitError where the commit is not here."""
        found = self.objects.read(f"{commit}^{{tree}}")
        if found is None or found[1] != "tree":
            raise GitError(f"commit {commit[:12]} is not in this repository")
        return found[0]

    def entries(self, tree: str, paths: Iterable[bytes]) -> Entries:
        """What the tree has at those of `paths` that it has; folders are none of them."""
        return find_entries(self._tree(tree), iter(paths), self._tree)

    def has_folder(self, tree: str, folder: bytes) -> bool:
        """Whether the tree has a folder of this name; b"" is the root."""
        return self._folder_at(tree, folder) is not None

    def find_below(self, tree: str, folder: bytes, known: Container[bytes]) -> tuple[bytes, TreeEntry] | None:
        """A file below the folder that is none of `known`, or None where there is none, or no such folder."""
        found = self._below(self._folder_at(tree, folder) or {}, folder + b"/")
        return next((pair for pair in found if pair[0] not in known), None)

    def _folder_at(self, tree: str, folder: bytes) -> Entries | None:
        here = self._tree(tree)
        for name in folder.split(b"/") if folder else ():
            entry = here.get(name)
            if entry is None or entry.kind != "tree":
                return None
            here = self._tree(entry.oid)
        return here

    def _below(self, entries: Entries, prefix: bytes) -> Iterator[tuple[bytes, TreeEntry]]:
        for name, entry in entries.items():
            if entry.kind == "tree":
                yield from self._below(self._tree(entry.oid), prefix + name + b"/")
            else:
                yield prefix + name, entry

    def paths_below(self, tree: str, folder: bytes) -> Iterator[tuple[bytes, TreeEntry]]:
        """(path, entry) of every file below the folder of the tree; b"" is the root."""
        return self._below(self._folder_at(tree, folder) or {}, folder + b"/" if folder else b"")

    def export(self, tree: str, names: Iterable[bytes], target: Path) -> None:
        """Write these files and folders of the tree below `target`; what the tree does not have is passed over.

        Only regular files: a link of a hostile tree could lead anywhere, and none is followed or made.
        """
        for name in names:
            entry = self.entries(tree, (name,)).get(name)
            for path, found in ((name, entry),) if entry else self.paths_below(tree, name):
                if found.kind == "blob" and found.mode != _SYMLINK and not is_unsafe_path(path):
                    file = target / os.fsdecode(path)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(self.blob(found.oid))
                    file.chmod(0o755 if found.mode == _EXECUTABLE else 0o644)

    def edit(self, tree: str, changes: Changes) -> str:
        """The tree with some paths changed; only the folders on the way to them are read and written."""
        edited = edit_tree(self._tree(tree), changes, self._tree, lambda raw: self.write("tree", raw))
        return self.write("tree", format_tree(edited))

    def blob(self, oid: str) -> bytes:
        """The content of a blob; GitError where it is not here."""
        found = self.objects.read(oid)
        if found is None:
            raise GitError(
                f"the content of blob {oid[:12]} is not in this repository: a partial clone fetches it with "
                "'git fetch --refetch --no-filter'"
            )
        return found[2]

    def commit(self, tree: str, parents: Iterable[str], message: bytes, author: str, committer: str = _NOBODY) -> str:
        """The id of a new commit; people as git writes them: `Name <address> seconds +0000`."""
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {author}"]
        head = "\n".join([*lines, f"committer {committer}", "", ""]).encode("utf-8", "surrogateescape")
        return self.write("commit", head + message)

    @property
    def object_folder(self) -> Path:
        """Where the objects are that are ours; it leads on to the other repository's."""
        return self._folder / "objects"

    def checkout(self, git_dir: Path, work_tree: Path) -> Checkout:
        """Files of our trees, below `work_tree`."""
        return Checkout(git_dir, work_tree, self.object_folder, self._format)

    def write_index(self, file: Path, stages: Mapping[bytes, Mapping[int, TreeEntry]], work_tree: Path) -> Path:
        """The file, made an index with these entries: path -> stage (0 where it is merged) -> what stands there."""
        lines = (
            b"%o %s %d\t%s\0" % (entry.mode, entry.oid.encode(), stage, path)
            for path, entries in stages.items()
            for stage, entry in sorted(entries.items())
        )
        env = {**_SEALED, "GIT_INDEX_FILE": str(file), "GIT_WORK_TREE": str(work_tree)}
        self._git.run("update-index", "-z", "--index-info", stdin=b"".join(lines), env=env, folder=work_tree)
        return file

    def merge(self, base: str, ours: str, theirs: str) -> MergeResult:
        """Git's three-way merge of three trees."""
        # Two commits with one parent stand for the trees: git 2.38 and 2.39 have no --merge-base, and 2.45 is the
        # first to take trees for it.
        parent = self.commit(base, (), b"base\n", _NOBODY)
        merge = self.merge_commits(*(self.commit(tree, (parent,), b"side\n", _NOBODY) for tree in (ours, theirs)))
        return replace(merge, base=parent)

    def merge_commits(self, ours: str, theirs: str) -> MergeResult:
        """Git's merge of two commits, as `git merge` would do it; GitError where they have no history in common."""
        if self._merger is None:
            empty = self.commit(self.write("tree", b""), (), b"idle\n", _NOBODY)
            self._merger = Merger(self._git.command, self._env, empty, _numbers(version() or ""))
        try:
            return self._merger.merge(ours, theirs)
        except BaseException:
            self._merger.close()  # its answers would no longer belong to our questions
            self._merger = None
            raise

    def changed_paths(self, commits: Iterable[str]) -> dict[str, frozenset[bytes]]:
        """The paths that each commit changes against its first parent; merges have none. One process for all."""
        wanted = {b"\x01" + oid.encode(): oid for oid in commits}
        out = self._diff_tree(wanted.values(), "-r", "--name-only", "-z", "--no-renames", "--format=%x01%H")
        found: dict[str, set[bytes]] = {}
        paths: set[bytes] = set()
        for token in out.split(b"\0")[:-1]:
            if token in wanted:
                paths = found[wanted[token]] = set()
            elif token:
                paths.add(token if paths else token.removeprefix(b"\n"))
        return {oid: frozenset(changed) for oid, changed in found.items()}

    def diff_commits(self, commits: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(id, diff against its first parent) of each commit, merges left out; one process for all."""
        out = self._diff_tree(commits, "-p", "--full-index", "--binary", "--find-renames", "--format=%x00%H%x00")
        # What git takes for text may have a NUL too, further down than it looks.
        parts = re.split(rb"\0([0-9a-f]{%d})\0" % (2 * self.oid_size), out)[1:]
        return ((oid.decode(), diff) for oid, diff in zip(parts[::2], parts[1::2], strict=True))

    def _diff_tree(self, commits: Iterable[str], *options: str) -> bytes:
        sealed = ("--no-color", "--no-ext-diff", "--no-textconv", "-O/dev/null", "--root", "--stdin")
        stdin = "".join(f"{oid}\n" for oid in commits).encode()
        return self._git.run("diff-tree", *sealed, *options, stdin=stdin, env=_SEALED)

    def range_diff(self, old: tuple[str, str], new: tuple[str, str]) -> str:
        """`git range-diff` of two ranges of commits, (base, tip) each, in plain text."""
        ranges = [f"{base}..{tip}" for base, tip in (old, new)]
        options = ("--no-color", "--creation-factor=100", "--no-notes", "--no-dual-color")
        return self._git.run("range-diff", *options, *ranges, env=_SEALED).decode("utf-8", "replace")

    def format_patch(self, base: str, tip: str) -> bytes:
        """The commits of `base..tip` as mails in one mboxrd, as `Repository.format_patch` gives them."""
        return format_patch(self._git, base, tip, _SEALED)

    def diffstat(self, base: str, tip: str) -> str:
        """`git diff --stat --summary` of two commits, as a cover letter shows it."""
        options = ("--stat=72", "--summary", "--find-renames", "--no-color", "--no-ext-diff", "--no-textconv")
        return self._git.run("diff", *options, base, tip, env=_SEALED).decode("utf-8", "replace")

    def diff(self, base: str, tip: str) -> bytes:
        """`git diff` of two commits, renames found, binary files named only."""
        options = ("--find-renames", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv")
        return self._git.run("diff", *options, base, tip, env=_SEALED)

    def mailinfo(self, mail: bytes) -> tuple[bytes, bytes, bytes]:
        """What `git mailinfo` makes of a mail: author and subject, the message, and the patch with what is above it."""
        with temporary_folder() as folder:
            message, patch = folder / "message", folder / "patch"
            options = ("--encoding=utf-8", "--no-scissors")
            about = self._git.run(
                "mailinfo", *options, str(message), str(patch), stdin=mail, env=_SEALED, folder=folder
            )
            return about, message.read_bytes(), patch.read_bytes()

    def publish(self, target: Path, tips: Iterable[str]) -> None:
        """Bring everything of ours that `tips` need into the repository at `target`, where no ref leads to it yet."""
        oids = list(dict.fromkeys(oid for tip in tips for oid in self._ours(tip)))
        if not oids:
            return
        listed = "".join(f"{oid}\n" for oid in oids).encode()
        pack = self._git.run("pack-objects", "--stdout", "-q", stdin=listed, env=_SEALED)
        unpack = ("unpack-objects", "-q") if len(oids) <= _UNPACKED else ("index-pack", "--stdin")
        Git(target).run(*unpack, stdin=pack)

    def _ours(self, oid: str) -> Iterator[str]:
        """The objects below and before this one that are here and not in the other repository."""
        waiting, seen = [oid], set[str]()
        while waiting:
            here = waiting.pop()
            if here in seen or not self._loose(here).exists():
                continue
            seen.add(here)
            yield here
            found = self.objects.read(here)
            assert found is not None  # noqa: S101
            if found[1] == "tree":
                waiting += [entry.oid for entry in self._tree(here).values()]
            elif found[1] == "commit":
                commit = Commit(here, found[2])
                waiting += [commit.tree, *commit.parents]

    def _tree(self, oid: str) -> Entries:
        if oid not in self._trees:
            found = self.objects.tree(oid)
            if found is None:
                raise GitError(f"tree {oid[:12]} is not in this repository")
            self._trees[oid] = found
        return self._trees[oid]

    def _loose(self, oid: str) -> Path:
        return self._folder / "objects" / oid[:2] / oid[2:]


def as_changes(entries: Mapping[bytes, TreeEntry], paths: Iterable[bytes]) -> dict[bytes, TreeEntry | None]:
    """The changes that give a tree these entries at `paths`, and nothing where there is none."""
    return {path: entries.get(path) for path in paths}


def _numbers(text: str) -> tuple[int, ...]:
    """(2, 39, 5) of `git version 2.39.5 (Apple Git-154)`."""
    words = text.split()
    digits = (part for part in words[2].split(".")) if len(words) > 2 else iter(())
    return tuple(int(part) for part in digits if part.isdigit())
