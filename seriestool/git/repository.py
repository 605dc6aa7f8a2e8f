# SPDX-License-Identifier: GPL-2.0-or-later
"""A repository, and the verbs that callers use on it: `refs`, `ls_tree`, `describe`; never an argv."""

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Self

from seriestool.git.format_patch import format_patch
from seriestool.git.object_reader import ObjectReader, batches
from seriestool.git.objects import TreeEntry
from seriestool.git.process import (
    Git,
    GitError,
    clean_environment,
    output_lines,
    parse_config,
    run_long,
    temporary_folder,
    unknown_identity,
)
from seriestool.git.scratch_index import ScratchIndex
from seriestool.git.scratch_repository import ScratchRepository
from seriestool.git.worktree import Worktree
from seriestool.util.errors import NotFoundError, OutsideError
from seriestool.util.progress import TransferListener

_STALLED = 60  # seconds without 1000 bytes/s after which an http server is given up
_ARGUMENTS_PER_CALL = 500
_ARGUMENT_BYTES = 1 << 16  # all arguments together; POSIX promises little more
_LONGEST_PATH = 4096
_IN_REFTABLE = "refs/heads/.invalid"  # what HEAD says where another file has it (git-refs(1), reftable)
ABBREVIATION = 12
"""Hex digits in a description, whatever core.abbrev says."""


BRANCH_REFS = "refs/seriestool/made/"
"""One ref for each branch that was made here, and not by people: `refs/seriestool/made/<branch>`."""
REBASE_REFS = "refs/seriestool/rebase/"
"""What a rebase that stopped needs later: `refs/seriestool/rebase/<id>/<what>`."""


class Ref(NamedTuple):
    """A ref and the commit that it points to, tags peeled."""

    name: str
    commit: str


class ReflogEntry(NamedTuple):
    """A value that a ref got, and when (unix time)."""

    ref: str
    commit: str
    time: int


class Repository:
    """A git repository on disk: bare or not, a worktree, shallow, partial, sha1 or sha256."""

    def __init__(self, git_dir: Path, common_dir: Path, object_format: str, is_bare: bool, is_shallow: bool) -> None:
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.object_format = object_format
        self.is_bare = is_bare
        self.is_shallow = is_shallow
        self._git = Git(git_dir)
        self._objects: ObjectReader | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """The repository that `path` stands in.

        Raises NotFoundError where there is none.
        """
        answer = subprocess.run(
            [
                "git",
                "-C",
                str(path),
                "rev-parse",
                "--path-format=absolute",
                "--git-dir",
                "--git-common-dir",
                "--show-object-format",
                "--is-bare-repository",
                "--is-shallow-repository",
            ],
            capture_output=True,
            env=clean_environment(),
        )
        if b"dubious ownership" in answer.stderr:
            raise NotFoundError(
                f"git does not trust the repository at '{path}': it belongs to somebody else",
                hint="see 'safe.directory' in git help config",
            )
        if answer.returncode:
            raise NotFoundError(
                f"not a git repository: '{path}'", hint="stand in a git repository, or name one with --repo"
            )
        git_dir, common_dir, object_format, bare, shallow = os.fsdecode(answer.stdout).removesuffix("\n").split("\n")
        return cls(Path(git_dir), Path(common_dir), object_format, bare == "true", shallow == "true")

    def beside(self) -> "Repository":
        """Another one for another thread: the same repository, processes of its own."""
        return Repository(
            git_dir=self.git_dir,
            common_dir=self.common_dir,
            object_format=self.object_format,
            is_bare=self.is_bare,
            is_shallow=self.is_shallow,
        )

    @classmethod
    def create(cls, path: Path) -> Self:
        """The bare repository at `path`, made (sha1) where it is not there yet."""
        command = ["git", "init", "--quiet", "--bare", "--template=", "--object-format=sha1", "--", str(path)]
        run_long(command, timeout=60)
        return cls.open(path)

    @property
    def oid_size(self) -> int:
        """Bytes in an object id: 20 or 32."""
        return 32 if self.object_format == "sha256" else 20

    @property
    def objects(self) -> "ObjectReader":
        """The long-lived reader of this repository's objects."""
        if self._objects is None:
            self._objects = ObjectReader(self._git.command, clean_environment())
        return self._objects

    def close(self) -> None:
        """End the long-lived reader, if one was started."""
        if self._objects is not None:
            self._objects.close()
            self._objects = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def refs(self) -> tuple[Ref, ...]:
        """Every ref with what it leads to, sorted by name: a commit but for odd tags, annotated tags peeled.

        That it is a commit is not looked up: with thousands of refs it would take most of an answer's time. Branches
        that were made here, and are as they were made, are left out: nobody can have based work on them; so is what
        we keep for later.
        """
        out = self._git.attempt("show-ref", "--dereference")  # exit code 1: there are none, or one of them is broken
        if out is None:
            out = self._git.run("for-each-ref", "--format=%(objectname) %(refname)")
        found = {name.removesuffix("^{}"): oid for oid, _, name in (line.partition(" ") for line in output_lines(out))}
        made = {
            (f"refs/heads/{name.removeprefix(BRANCH_REFS)}", oid)
            for name, oid in found.items()
            if name.startswith(BRANCH_REFS)
        }
        return tuple(
            Ref(name, oid)
            for name, oid in found.items()
            if not name.startswith((BRANCH_REFS, REBASE_REFS)) and (name, oid) not in made
        )

    def packed_bytes(self) -> int:
        """The size of the packs: a rough measure of how much history there is."""
        return sum(pack.stat().st_size for pack in (self.common_dir / "objects" / "pack").glob("*.pack"))

    def head(self) -> str | None:
        """The full name of the branch that HEAD points to, or None where it is detached or unborn."""
        file = self.git_dir / "HEAD"  # gitrepository-layout(5); without a process
        if not file.is_symlink():  # as git made it long ago
            kind, _, name = file.read_text(errors="surrogateescape").partition(" ")
            if name.strip() != _IN_REFTABLE:
                return name.strip() if kind == "ref:" else None
        out = self._git.attempt("symbolic-ref", "-q", "HEAD")
        return out.decode().strip() if out else None

    def resolve(self, name: str) -> str | None:
        """The full id of the commit that `name` (a ref, an id, any git revision) stands for, or None."""
        if "\0" in name:
            return None
        out = self._git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}")
        return out.decode().strip() if out else None

    def config(self) -> dict[str, tuple[str, ...]]:
        """git-config as this repository sees it: key (section and name lower case) -> its values, last one last."""
        return parse_config(self._git.run("config", "--list", "-z"))

    def ls_tree(self, commit: str, paths: Sequence[bytes]) -> dict[bytes, TreeEntry]:
        """What `commit` has at those of `paths` that it has; one process for some hundred paths.

        A folder is among them only where nothing below it is asked for.
        """
        wanted = frozenset(path for path in paths if _is_tree_path(path))
        entries: dict[bytes, TreeEntry] = {}
        for some in batches(sorted(wanted), _ARGUMENT_BYTES, _ARGUMENTS_PER_CALL):
            out = self._git.run(
                "ls-tree",
                "-z",
                "--full-tree",
                "--full-name",
                commit,
                "--",
                *map(os.fsdecode, some),
                env={"GIT_LITERAL_PATHSPECS": "1"},
            )
            for line in out.split(b"\0")[:-1]:
                meta, _, path = line.partition(b"\t")
                mode, kind, oid = meta.decode().split()
                if path in wanted:
                    entries[path] = TreeEntry(int(mode, 8), kind, oid)
        return entries

    def describe(self, commit: str) -> str | None:
        """`git describe --tags` of the commit, or None where no tag leads to it."""
        return self.start_describe(commit)()

    def start_describe(self, commit: str) -> Callable[[], str | None]:
        """The same, to be asked for later: it takes longer than other questions, and can go on beside them."""
        process = self._git.start("describe", "--tags", f"--abbrev={ABBREVIATION}", commit)

        def result() -> str | None:
            out = process.communicate()[0]
            return out.decode("utf-8", "replace").strip() or None

        return result

    def raw_log(
        self,
        include: Iterable[str],
        exclude: Iterable[str] = (),
        since: int = 0,
        until: int | None = None,
        has_messages: bool = False,
    ) -> AbstractContextManager[IO[bytes]]:
        """A stream of all commits reachable from `include` and not from `exclude`, each against its first parent.

        `since` and `until` bound the committer's time (seconds since 1970; a walk ends at commits before `since`).
        NUL-separated tokens. A commit is `\\x01<id> <committer time> <parent ids>`; then for each path that it changes
        `:<old mode> <new mode> <old id> <new id> <status>` (sometimes after a newline) and the path. Merges are
        compared with their first parent, roots with the empty tree. With `has_messages`, behind the token of each
        commit comes another one: `<author> <<address>>`, its date as `<seconds> <zone>`, the title and the message,
        each after a newline, in UTF-8 where the commit's encoding header is right.
        """
        revisions = "".join([*(f"{oid}\n" for oid in include), *(f"^{oid}\n" for oid in exclude)])
        message = "%x00%an <%ae>%n%ad%n%s%n%B" if has_messages else ""
        return self._git.stream(
            "log",
            "--ignore-missing",
            "--stdin",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--root",
            "--diff-merges=first-parent",
            "--ignore-submodules=none",
            "--no-ext-diff",
            "--no-textconv",
            "-z",
            "-O/dev/null",
            "--encoding=UTF-8",
            "--date=raw",
            f"--format=%x01%H %ct %P{message}",
            *([f"--max-age={since}"] if since else []),
            *([f"--min-age={until}"] if until is not None else []),
            *([] if revisions else ["--all", "--max-count=0"]),  # asked about nothing, git would tell of HEAD
            stdin=revisions.encode(),
        )

    def reflog(self, limit: int = 5000) -> tuple[ReflogEntry, ...]:
        """The newest `limit` values that the refs had, as far as reflogs remember them and the commits are there."""
        options = ("--walk-reflogs", "--all", "--ignore-missing", f"--max-count={limit}", "--date=unix")
        out = self._git.attempt("log", *options, "--format=%H %gD")
        return tuple(entry for line in output_lines(out or b"") if (entry := _parse_reflog(line)))

    def missing_from(self, tips: Iterable[str], commits: Iterable[str]) -> frozenset[str]:
        """Those of `commits` that are here and that none of `tips` leads to."""
        wanted = tuple(commits)
        revisions = "".join([*(f"{oid}\n" for oid in wanted), *(f"^{oid}\n" for oid in tips)])
        out = self._git.run("rev-list", "--ignore-missing", "--stdin", stdin=revisions.encode())
        return frozenset(out.decode().split()) & frozenset(wanted)

    def has_whole_history(self) -> bool:
        """Whether every branch leads to a commit, and all commits before it are here and can be read."""
        names = self._git.attempt("for-each-ref", "--format=%(refname)", "refs/heads/")
        return names is not None and self._git.attempt("rev-list", "--count", "--branches") is not None

    def create_branch(self, name: str, commit: str) -> None:
        """A new branch, with a ref below MADE that says it is our work; both or none.

        Raises GitError where the branch is there already.
        """
        self.create_branches({name: commit})

    def create_branches(
        self, branches: Mapping[str, str], others: Mapping[str, tuple[str | None, str]] | None = None
    ) -> None:
        """The same for several branches, and other refs moved from (old, None: nothing) to new with them; or none."""
        lines = [
            f"create refs/heads/{name}\0{commit}\0update {BRANCH_REFS}{name}\0{commit}\0\0"
            for name, commit in branches.items()
        ]
        nothing = "0" * (2 * self.oid_size)
        lines += [f"update {name}\0{new}\0{old or nothing}\0" for name, (old, new) in (others or {}).items()]
        self._git.run("update-ref", "--stdin", "-z", stdin="".join(lines).encode("utf-8", "surrogateescape"))

    def committer(self) -> tuple[str, str, int]:
        """(name, address, seconds since 1970) of who commits here, now (git-var(1)).

        Raises InputError where git does not know.
        """
        ident = self._git.attempt("var", "GIT_COMMITTER_IDENT")
        match = re.match(rb"(.*) <([^>]*)> (\d+)", ident or b"")
        if match is None:
            raise unknown_identity()
        return match[1].decode("utf-8", "replace"), match[2].decode("utf-8", "replace"), int(match[3])

    def is_branch_name(self, name: str) -> bool:
        """Whether a branch may be called so (git-check-ref-format(1))."""
        return self._git.attempt("check-ref-format", "--branch", name) is not None and not name.startswith(("-", "@{"))

    def update_refs(self, values: Mapping[str, str | None]) -> None:
        """Refs set to new values (None: deleted), all of them or none (`git update-ref --stdin`)."""
        lines = [
            f"delete {name}\0\0" if value is None else f"update {name}\0{value}\0\0" for name, value in values.items()
        ]
        self._git.run(
            "update-ref", "--no-deref", "--stdin", "-z", stdin="".join(lines).encode("utf-8", "surrogateescape")
        )

    def fetch(
        self, url: str, refspecs: Sequence[str], timeout: float, listener: TransferListener | None = None
    ) -> None:
        """Refs of another repository fetched into this one, without tags and FETCH_HEAD; the listener is told of it.

        Refs that are gone there go here too, among those that the refspecs write; they go first (so no --atomic),
        because `next` may stand in the way of `next/a`. Protocol version 2 whatever is configured: it alone hands
        out commits that no ref leads to any more (gitprotocol-v2, "fetch").
        Raises GitError, also when it takes longer than `timeout` seconds.
        """
        command = [
            *self._git.command,
            "-c",
            "protocol.version=2",
            "-c",
            "fetch.writeCommitGraph=false",
            "-c",
            "http.lowSpeedLimit=1000",
            "-c",
            f"http.lowSpeedTime={_STALLED}",
            "fetch",
            "--progress" if listener else "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-gc",
            "--no-recurse-submodules",
            "--prune",
            "--no-prune-tags",
            "--end-of-options",
            url,
            *refspecs,
        ]
        run_long(command, timeout, listener)

    def contents(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(id, content) of each of these objects that is here, in that order; one process, one after the other."""
        names = "".join(f"{oid}\n" for oid in oids).encode()
        with self._git.stream("cat-file", "--batch", "--buffer", stdin=names) as stream:
            while line := stream.readline():
                oid, _, rest = line.decode("ascii", "replace").strip().partition(" ")
                if rest == "missing":
                    continue
                size = int(rest.rpartition(" ")[2])
                content = stream.read(size)
                if len(content) < size:
                    raise GitError("git cat-file ended early: the repository may be damaged")
                yield oid, content
                stream.read(1)

    def format_patch(self, base: str, tip: str) -> bytes:
        """The commits of `base..tip`, merges left out, as mails in one mboxrd; full blob ids, binary patches whole.

        As `git format-patch` writes them where nothing is configured.
        """
        return format_patch(self._git, base, tip, {})

    def set_config(self, key: str, value: str) -> None:
        """The repository's git-config with `key` set to this one value."""
        self._git.run("config", "--local", "--replace-all", key, value)

    def add_config(self, key: str, value: str) -> None:
        """The repository's git-config with one more value of `key`."""
        self._git.run("config", "--local", "--add", key, value)

    def unset_config(self, key: str, value: str) -> None:
        """The repository's git-config without this value of `key`."""
        self._git.run("config", "--local", "--fixed-value", "--unset-all", key, value)

    def remove_config_section(self, section: str) -> None:
        """The repository's git-config without this section."""
        self._git.run("config", "--local", "--remove-section", section)

    @contextmanager
    def scratch(self) -> Iterator["ScratchIndex"]:
        """An index and an object store of their own, on top of this repository's objects; gone after the block."""
        with temporary_folder() as folder:
            objects = folder / "objects"
            objects.mkdir()
            alternates = str(self.common_dir / "objects")
            env = {"GIT_OBJECT_DIRECTORY": str(objects), "GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates}
            yield ScratchIndex(self._git, folder, env)

    @contextmanager
    def scratch_repository(self) -> Iterator[ScratchRepository]:
        """A repository of its own on top of this one's objects; gone after the block."""
        with (
            temporary_folder() as folder,
            ScratchRepository.create(folder, self.common_dir, self.object_format) as scratch_repo,
        ):
            yield scratch_repo

    def worktree(self, path: Path) -> Worktree:
        """The linked work tree at the path, there or not."""
        return Worktree(self.common_dir, path)

    def refs_under(self, prefix: str) -> tuple[str, ...]:
        """The full names of the refs that begin so, of all refs."""
        return tuple(output_lines(self._git.run("for-each-ref", "--format=%(refname)", prefix)))

    def publish(self, scratch_repo: ScratchRepository, tips: Iterable[str]) -> None:
        """Take over everything that `tips` need from the workbench; no ref leads to it yet."""
        if not os.access(self.common_dir / "objects", os.W_OK):
            raise OutsideError(f"cannot write to '{self.common_dir / 'objects'}'")
        scratch_repo.publish(self.git_dir, tips)

    @contextmanager
    def draft(self) -> Iterator["ScratchIndex"]:
        """An index of its own, gone after the block; new objects go to the repository, where no ref leads to them.

        Raises OutsideError where the repository cannot be written to.
        """
        objects = self.common_dir / "objects"
        if not os.access(objects, os.W_OK):
            raise OutsideError(f"cannot write to '{objects}'")
        with temporary_folder() as folder:
            yield ScratchIndex(self._git, folder, {})


def _parse_reflog(line: str) -> ReflogEntry | None:
    commit, _, selector = line.partition(" ")
    ref, _, time = selector.rpartition("@{")
    return ReflogEntry(ref, commit, int(time[:-1])) if ref and time[:-1].isdigit() else None


def _is_tree_path(path: bytes) -> bool:
    """Whether a tree could have the path; git takes others for a mistake of the caller."""
    if b"\0" in path or len(path) > _LONGEST_PATH:
        return False
    return not any(part in (b"", b".", b"..") for part in path.split(b"/"))
