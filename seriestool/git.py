# SPDX-License-Identifier: GPL-2.0-or-later
"""Git, as verbs: the one module that starts it.

Callers name what they want (`refs`, `ls_tree`, `describe`), never an argv. Every call runs in a clean environment:
no GIT_* of the caller, no hooks, no pager, no prompts, no lazy fetches, so that the same question gets the same
answer on every machine (https://git-scm.com/docs/git#_environment_variables).
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from seriestool.errors import NotFoundError, OutsideError

_SEALED = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
}
# What the user's configuration could change in an answer, or run.
_CONFIG = (
    "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false",
    "-c", "core.untrackedCache=false", "-c", "core.splitIndex=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
    "-c", "advice.graftFileDeprecated=false", "-c", "log.showSignature=false", "-c", "diff.ignoreSubmodules=none",
    "-c", "apply.whitespace=nowarn", "-c", "apply.ignoreWhitespace=no",
)  # fmt: skip
_STALLED = 60  # seconds without 1000 bytes/s after which an http server is given up
# What no option of format-patch overrides.
_UNCONFIGURED_DIFF = {
    "format.headers": "",
    "diff.context": "3",
    "diff.algorithm": "default",
    "diff.suppressBlankEmpty": "no",
    "diff.indentHeuristic": "yes",
    "diff.orderFile": "/dev/null",
    "i18n.logOutputEncoding": "UTF-8",
}
_ARGUMENTS_PER_CALL = 500
_ARGUMENT_BYTES = 1 << 16  # all arguments together; POSIX promises little more
_LONGEST_PATH = 4096
_ABBREVIATION = 12  # hex digits in a description, whatever core.abbrev says


class Ref(NamedTuple):
    """A ref and the commit that it points to, tags peeled."""

    name: str
    commit: str


class TreeEntry(NamedTuple):
    """What a commit's tree has at a path: mode as in the tree (0o100644), type (blob, commit), object id."""

    mode: int
    kind: str
    oid: str


class ReflogEntry(NamedTuple):
    """A value that a ref got, and when (unix time)."""

    ref: str
    commit: str
    time: int


class GitError(OutsideError):
    """Git said no; `stderr` is what it printed and `status` its exit code."""

    def __init__(self, message: str, stderr: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.stderr = stderr
        self.status = status


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for git: the caller's without GIT_*, sealed, and then `extra`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**env, **_SEALED, **(extra or {})}


def version() -> str | None:
    """What `git --version` prints, or None where there is no git."""
    try:
        answer = subprocess.run(["git", "--version"], capture_output=True, env=clean_environment())
    except OSError:
        return None
    return answer.stdout.decode("utf-8", "replace").strip()


def config_at(path: Path) -> dict[str, tuple[str, ...]]:
    """git-config as it is at `path`, in a repository or not; as `Repository.config` gives it."""
    answer = subprocess.run(
        ["git", "-C", str(path), "config", "--list", "-z"], capture_output=True, env=clean_environment()
    )
    return _parse_config(answer.stdout)


def _parse_config(listed: bytes) -> dict[str, tuple[str, ...]]:
    values: dict[str, list[str]] = {}
    for item in listed.decode("utf-8", "surrogateescape").split("\0"):
        key, _, value = item.partition("\n")
        if key:
            values.setdefault(key, []).append(value)
    return {key: tuple(found) for key, found in values.items()}


def without_password(url: str | None) -> str | None:
    """The URL as it may be shown: `https://user:secret@host/` has lost `user:secret@`."""
    return re.sub(r"^([a-z][a-z0-9+.-]{0,20}://)[^/@\s]*:[^/@\s]*@", r"\1", url, flags=re.IGNORECASE) if url else url


def _as_environment(config: Mapping[str, str]) -> dict[str, str]:
    """Environment that gives git these settings (git-config(1), GIT_CONFIG_COUNT)."""
    pairs = {"GIT_CONFIG_COUNT": str(len(config))}
    for n, (key, value) in enumerate(config.items()):
        pairs |= {f"GIT_CONFIG_KEY_{n}": key, f"GIT_CONFIG_VALUE_{n}": value}
    return pairs


class Repository:
    """A git repository on disk: bare or not, a worktree, shallow, partial, sha1 or sha256."""

    def __init__(self, git_dir: Path, common_dir: Path, object_format: str, is_bare: bool, is_shallow: bool) -> None:
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.object_format = object_format
        self.is_bare = is_bare
        self.is_shallow = is_shallow
        self._objects: ObjectReader | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """The repository that `path` stands in.

        Raises NotFoundError where there is none.
        """
        answer = subprocess.run(
            ["git", "-C", str(path), "rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir",
             "--show-object-format", "--is-bare-repository", "--is-shallow-repository"],
            capture_output=True, env=clean_environment())  # fmt: skip
        if answer.returncode:
            raise NotFoundError(
                f"not a git repository: '{path}'", hint="stand in a git repository, or name one with --repo"
            )
        git_dir, common_dir, object_format, bare, shallow = os.fsdecode(answer.stdout).removesuffix("\n").split("\n")
        return cls(Path(git_dir), Path(common_dir), object_format, bare == "true", shallow == "true")

    @classmethod
    def create(cls, path: Path) -> Self:
        """The bare repository at `path`, made (sha1) where it is not there yet."""
        command = ["git", "init", "--quiet", "--bare", "--template=", "--object-format=sha1", "--", str(path)]
        _run_long(command, timeout=60)
        return cls.open(path)

    @property
    def oid_size(self) -> int:
        """Bytes in an object id: 20 or 32."""
        return 32 if self.object_format == "sha256" else 20

    @property
    def objects(self) -> "ObjectReader":
        """The long-lived reader of this repository's objects."""
        if self._objects is None:
            self._objects = ObjectReader(self._command(), clean_environment())
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

        That it is a commit is not looked up: with thousands of refs it would take most of an answer's time.
        """
        out = self._try("show-ref", "--dereference")  # exit code 1: there are none, or one of them is broken
        if out is None:
            out = self._run("for-each-ref", "--format=%(objectname) %(refname)")
        found = {name.removesuffix("^{}"): oid for oid, _, name in (line.partition(" ") for line in _lines(out))}
        return tuple(Ref(name, oid) for name, oid in found.items())

    def packed_bytes(self) -> int:
        """The size of the packs: a rough measure of how much history there is."""
        return sum(pack.stat().st_size for pack in (self.common_dir / "objects" / "pack").glob("*.pack"))

    def head(self) -> str | None:
        """The full name of the branch that HEAD points to, or None where it is detached or unborn."""
        out = self._try("symbolic-ref", "-q", "HEAD")
        return out.decode().strip() if out else None

    def resolve(self, name: str) -> str | None:
        """The full id of the commit that `name` (a ref, an id, any git revision) stands for, or None."""
        if "\0" in name:
            return None
        out = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}")
        return out.decode().strip() if out else None

    def config(self) -> dict[str, tuple[str, ...]]:
        """git-config as this repository sees it: key (section and name lower case) -> its values, last one last."""
        return _parse_config(self._run("config", "--list", "-z"))

    def ls_tree(self, commit: str, paths: Sequence[bytes]) -> dict[bytes, TreeEntry]:
        """What `commit` has at those of `paths` that it has; one process for some hundred paths.

        A folder is among them only where nothing below it is asked for.
        """
        wanted = frozenset(path for path in paths if _is_tree_path(path))
        entries: dict[bytes, TreeEntry] = {}
        for some in _batches(sorted(wanted), _ARGUMENT_BYTES, _ARGUMENTS_PER_CALL):
            out = self._run("ls-tree", "-z", "--full-tree", "--full-name", commit, "--", *map(os.fsdecode, some),
                            env={"GIT_LITERAL_PATHSPECS": "1"})  # fmt: skip
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
        process = subprocess.Popen(
            [*self._command(), "describe", "--tags", f"--abbrev={_ABBREVIATION}", commit],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
        )

        def result() -> str | None:
            out = process.communicate()[0]
            return out.decode("utf-8", "replace").strip() or None

        return result

    def raw_log(
        self, include: Iterable[str], exclude: Iterable[str] = (), since: int = 0, until: int | None = None
    ) -> AbstractContextManager[IO[bytes]]:
        """A stream of all commits reachable from `include` and not from `exclude`, each against its first parent.

        `since` and `until` bound the committer's time (seconds since 1970; a walk ends at commits before `since`).
        NUL-separated tokens. A commit is `\\x01<id> <committer time> <parent ids>`; then for each path that it changes
        `:<old mode> <new mode> <old id> <new id> <status>` (sometimes after a newline) and the path. Merges are
        compared with their first parent, roots with the empty tree.
        """
        revisions = "".join([*(f"{oid}\n" for oid in include), *(f"^{oid}\n" for oid in exclude)])
        return _Stream(
            [*self._command(), "log", "--ignore-missing", "--stdin", "--raw", "--no-abbrev", "--no-renames", "--root",
             "--diff-merges=first-parent", "--ignore-submodules=none", "--no-ext-diff", "--no-textconv", "-z",
             "-O/dev/null", "--encoding=UTF-8", "--format=%x01%H %ct %P",
             *([f"--max-age={since}"] if since else []), *([f"--min-age={until}"] if until is not None else []),
             *([] if revisions else ["--all", "--max-count=0"])],  # asked about nothing, git would tell of HEAD
            revisions.encode())  # fmt: skip

    def reflog(self, limit: int = 5000) -> tuple[ReflogEntry, ...]:
        """The newest `limit` values that the refs had, as far as reflogs remember them and the commits are there."""
        out = self._try("log", "--walk-reflogs", "--all", "--ignore-missing", f"--max-count={limit}", "--date=unix",
                        "--format=%H %gD")  # fmt: skip
        return tuple(entry for line in _lines(out or b"") if (entry := _parse_reflog(line)))

    def missing_from(self, tips: Iterable[str], commits: Iterable[str]) -> frozenset[str]:
        """Those of `commits` that are here and that none of `tips` leads to."""
        wanted = tuple(commits)
        revisions = "".join([*(f"{oid}\n" for oid in wanted), *(f"^{oid}\n" for oid in tips)])
        out = self._run("rev-list", "--ignore-missing", "--stdin", stdin=revisions.encode())
        return frozenset(out.decode().split()) & frozenset(wanted)

    def create_ref(self, name: str, commit: str) -> None:
        """A new ref; GitError where one of that name is there already."""
        self._run("update-ref", "--stdin", "-z", stdin=f"create {name}\0{commit}\0".encode("utf-8", "surrogateescape"))

    def is_branch_name(self, name: str) -> bool:
        """Whether a branch may be called so (git-check-ref-format(1))."""
        return self._try("check-ref-format", "--branch", name) is not None and not name.startswith(("-", "@{"))

    def update_refs(self, values: Mapping[str, str | None]) -> None:
        """Refs set to new values (None: deleted), all of them or none (`git update-ref --stdin`)."""
        lines = [
            f"delete {name}\0\0" if value is None else f"update {name}\0{value}\0\0" for name, value in values.items()
        ]
        self._run("update-ref", "--no-deref", "--stdin", "-z", stdin="".join(lines).encode("utf-8", "surrogateescape"))

    def fetch(self, url: str, refspecs: Sequence[str], timeout: float) -> None:
        """Refs of another repository fetched into this one, without tags and FETCH_HEAD.

        Refs that are gone there go here too, among those that the refspecs write; they go first (so no --atomic),
        because `next` may stand in the way of `next/a`. Protocol version 2 whatever is configured: it alone hands
        out commits that no ref leads to any more (gitprotocol-v2, "fetch").
        Raises GitError, also when it takes longer than `timeout` seconds.
        """
        command = [
            *self._command(), "-c", "protocol.version=2", "-c", "fetch.writeCommitGraph=false",
            "-c", "http.lowSpeedLimit=1000", "-c", f"http.lowSpeedTime={_STALLED}",
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-recurse-submodules",
            "--prune", "--no-prune-tags", "--end-of-options", url, *refspecs,
        ]  # fmt: skip
        _run_long(command, timeout)

    def added_blobs(self) -> tuple[tuple[bytes, str], ...]:
        """(path, id) of every blob that a commit of any ref brought in, oldest first: an archive's mails."""
        out = self._run(
            "log", "--all", "--reverse", "--raw", "-z", "--no-abbrev", "--no-renames", "--root", "--format="
        )
        tokens = out.split(b"\0")
        pairs = zip(tokens[::2], tokens[1::2], strict=False)
        return tuple(
            (path, oid) for meta, path in pairs if (oid := meta.decode("ascii", "replace").split(" ")[3]).strip("0")
        )

    def contents(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(id, content) of each of these objects that is here, in that order; one process, one after the other."""
        names = "".join(f"{oid}\n" for oid in oids).encode()
        with _Stream([*self._command(), "cat-file", "--batch", "--buffer"], names) as stream:
            while line := stream.readline():
                oid, _, rest = line.decode("ascii", "replace").strip().partition(" ")
                if rest == "missing":
                    continue
                yield oid, stream.read(int(rest.rpartition(" ")[2]))
                stream.read(1)

    def format_patch(self, base: str, tip: str) -> bytes:
        """The commits of `base..tip`, merges left out, as mails in one mboxrd; full blob ids, binary patches whole.

        As `git format-patch` writes them where nothing is configured.
        """
        return self._run(
            "format-patch", "--stdout", "--pretty=mboxrd", "--full-index", "--binary", "--find-renames", "--numbered",
            "--subject-prefix=PATCH", "--no-attach", "--no-cover-letter", "--no-thread", "--no-base", "--no-notes",
            "--no-signoff", "--no-from", "--no-to", "--no-cc", "--no-add-header", "--no-signature", "--no-color",
            "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--no-relative",
            "--ignore-submodules=none", "--submodule=short", "--inter-hunk-context=0", "--always",
            "--end-of-options", f"{base}..{tip}", env=_as_environment(_UNCONFIGURED_DIFF))  # fmt: skip

    def set_config(self, key: str, value: str) -> None:
        """The repository's git-config with `key` set to this one value."""
        self._run("config", "--local", "--replace-all", key, value)

    def add_config(self, key: str, value: str) -> None:
        """The repository's git-config with one more value of `key`."""
        self._run("config", "--local", "--add", key, value)

    def unset_config(self, key: str, value: str) -> None:
        """The repository's git-config without this value of `key`."""
        self._run("config", "--local", "--fixed-value", "--unset-all", key, value)

    def remove_config_section(self, section: str) -> None:
        """The repository's git-config without this section."""
        self._run("config", "--local", "--remove-section", section)

    @contextmanager
    def scratch(self) -> Iterator["Scratch"]:
        """An index and an object store of their own, on top of this repository's objects; gone after the block."""
        with _temporary_folder() as folder:
            objects = folder / "objects"
            objects.mkdir()
            alternates = str(self.common_dir / "objects")
            env = {"GIT_OBJECT_DIRECTORY": str(objects), "GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates}
            yield Scratch(self, folder, env)

    @contextmanager
    def draft(self) -> Iterator["Scratch"]:
        """An index of its own, gone after the block; new objects go to the repository, where no ref leads to them."""
        with _temporary_folder() as folder:
            yield Scratch(self, folder, {})

    def _command(self) -> list[str]:
        return ["git", f"--git-dir={self.git_dir}", *_CONFIG]

    def _run(self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        answer = self._start(arguments, stdin, env)
        if answer.returncode:
            stderr = answer.stderr.decode("utf-8", "replace").strip()
            first = stderr.splitlines()[0] if stderr else f"exit code {answer.returncode}"
            raise GitError(f"git {arguments[0]} failed: {first}", stderr, answer.returncode)
        return answer.stdout

    def _try(self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes | None:
        answer = self._start(arguments, stdin, env)
        return answer.stdout if answer.returncode == 0 else None

    def _start(
        self, arguments: Sequence[str], stdin: bytes | None, env: Mapping[str, str] | None
    ) -> subprocess.CompletedProcess[bytes]:
        # Always a pipe as standard input, empty if need be: git must never read the user's terminal.
        return subprocess.run(
            [*self._command(), *arguments], capture_output=True, env=clean_environment(env), input=stdin or b""
        )


def _parse_reflog(line: str) -> ReflogEntry | None:
    commit, _, selector = line.partition(" ")
    ref, _, time = selector.rpartition("@{")
    return ReflogEntry(ref, commit, int(time[:-1])) if ref and time[:-1].isdigit() else None


def _run_long(command: Sequence[str], timeout: float) -> None:
    # In a session of its own: ssh finds no terminal to ask for a password, and nothing outlives a timeout or ^C.
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=clean_environment({"GIT_NO_LAZY_FETCH": "0"}),
        start_new_session=True,
    )
    try:
        stderr = process.communicate(timeout=timeout)[1].decode("utf-8", "replace").strip()
    except BaseException as error:
        _end_group(process)
        if isinstance(error, subprocess.TimeoutExpired):
            raise GitError(f"git took longer than {timeout:g} seconds") from None
        raise
    if process.returncode:
        raise GitError(_reason(stderr) or f"git ended with {process.returncode}", stderr, process.returncode)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=5)
            return


def _reason(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.startswith(("fatal: ", "error: "))]
    return re.sub(r"^(fatal|error): (remote error: )?", "", lines[0]) if lines else stderr.partition("\n")[0]


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="seriestool-") as folder:
        yield Path(folder)


class _Stream(AbstractContextManager[IO[bytes]]):
    """The output of a git process; leaving the block ends the process."""

    def __init__(self, command: Sequence[str], stdin: bytes) -> None:
        self._command = command
        self._stdin = stdin

    def __enter__(self) -> IO[bytes]:
        import tempfile

        source = tempfile.TemporaryFile()  # a pipe could fill up while nobody reads the other end yet
        source.write(self._stdin)
        source.seek(0)
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=clean_environment({"GIT_FLUSH": "0"}),  # or git writes to a pipe commit by commit
            bufsize=1 << 20,
        )
        source.close()
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdout.close()
        status = self._process.wait()
        self._errors.seek(0)
        stderr = self._errors.read().decode("utf-8", "replace").strip()
        self._errors.close()
        if kind is None and status:
            raise GitError(f"git log failed: {stderr.splitlines()[0] if stderr else status}", stderr, status)


class Scratch:
    """An index of our own, on which git itself tries patches: the user's index and work tree are not touched."""

    def __init__(self, repository: Repository, folder: Path, env: Mapping[str, str]) -> None:
        self._repository = repository
        self._index = folder / "index"
        self._env = {"GIT_INDEX_FILE": str(self._index), "GIT_WORK_TREE": str(folder), **env}

    def load(self, entries: Mapping[bytes, TreeEntry]) -> None:
        """Fill the index with just these entries."""
        self._index.unlink(missing_ok=True)
        lines = (f"{entry.mode:o} {entry.oid}\t".encode() + path + b"\0" for path, entry in entries.items())
        self._run("update-index", "-z", "--index-info", stdin=b"".join(lines))

    def load_commit(self, commit: str) -> None:
        """Fill the index with all that the commit has."""
        self._run("read-tree", commit)

    def apply(self, diff: bytes, strip: int) -> bool:
        """Whether plain `git apply --cached` takes the diff; if so the index has it."""
        return self._apply(diff, f"-p{strip}")

    def apply_three_way(self, diff: bytes, strip: int) -> bool:
        """The same, with a three-way merge where the diff alone does not apply."""
        return self._apply(diff, f"-p{strip}", "--3way")

    def commit(self, parent: str, message: bytes, author: Mapping[str, str]) -> str:
        """The id of a new commit of what the index has; `author` has GIT_AUTHOR_NAME, _EMAIL and _DATE."""
        tree = self._run("write-tree").decode().strip()
        arguments = ("-c", "commit.gpgSign=false", "commit-tree", "-p", parent, "-F", "-", tree)
        return self._repository._run(*arguments, stdin=message, env=author).decode().strip()  # noqa: SLF001

    def _run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        return self._repository._run(*arguments, stdin=stdin, env=self._env)  # noqa: SLF001

    def _apply(self, diff: bytes, *options: str) -> bool:
        arguments = ("apply", "--cached", *options, "-")
        return self._repository._try(*arguments, stdin=diff, env=self._env) is not None  # noqa: SLF001


class ObjectReader:
    """One long-lived `git cat-file --batch-command`: thousands of look-ups, one process."""

    # Requests in flight, and the bytes of their answers (a missing name comes back whole): a pipe holds 64 KiB.
    _CHUNK = 256
    _CHUNK_BYTES = 48 << 10
    _ANSWER_BYTES = 100

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._command = command
        self._env = dict(env)
        self._errors = os.memfd_create("git-cat-file") if hasattr(os, "memfd_create") else subprocess.DEVNULL
        self._process = self._start()

    def read(self, name: str | bytes) -> tuple[str, str, bytes] | None:
        """(full id, type, content) of the object, or None where it is not here, or the name is ambiguous.

        `name` is an id, an abbreviated one, or any revision such as `commit:path`.
        """
        asked = _name(name)
        if not _is_askable(asked):
            return None
        self._ask([b"contents " + asked])
        header = self._answer()
        if header is None:
            return None
        oid, kind, size = header
        content = self._out.read(size + 1)[:size]
        if len(content) < size:
            raise _damaged()
        return oid, kind, content

    def check(self, names: Sequence[str | bytes]) -> list[tuple[str, str, int] | None]:
        """(full id, type, size) for each name, None for each that is not here, or ambiguous."""
        found: dict[bytes, tuple[str, str, int] | None] = {}
        asked = dict.fromkeys(one for one in map(_name, names) if _is_askable(one))
        for some in _batches(asked, self._CHUNK_BYTES, self._CHUNK, self._ANSWER_BYTES):
            while some:
                self._ask([b"info " + one for one in some])
                process = self._process
                while some and process is self._process:  # a new one knows nothing of what the old one was asked
                    found[some[0]] = self._answer()
                    del some[0]
        return [found.get(_name(name)) for name in names]

    def close(self) -> None:
        """End the process."""
        self._stop()
        if self._errors != subprocess.DEVNULL:
            os.close(self._errors)

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self._command, "cat-file", "--batch-command"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=self._env,
        )

    def _stop(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()

    def _ask(self, lines: list[bytes]) -> None:
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # what was answered before it ended can still be read
            self._process.stdin.write(b"".join(line + b"\n" for line in lines))
            self._process.stdin.flush()

    def _answer(self) -> tuple[str, str, int] | None:
        line = self._out.readline()
        if not line:
            self._restart()
            return None
        oid, _, rest = line.decode("utf-8", "replace").strip().rpartition(" ")
        if rest in ("missing", "ambiguous", "submodule"):
            return None
        oid, _, kind = oid.rpartition(" ")
        return oid, kind, int(rest)

    def _restart(self) -> None:
        """A new process after one that ended for want of an object of a partial clone; GitError for other reasons."""
        self._stop()
        if b" from promisor remote" not in self._stderr():
            raise _damaged()
        self._process = self._start()

    def _stderr(self) -> bytes:
        """What the process said; forgotten once read."""
        if self._errors == subprocess.DEVNULL:
            return b""
        text = os.pread(self._errors, 1 << 16, 0)
        os.ftruncate(self._errors, 0)
        os.lseek(self._errors, 0, os.SEEK_SET)
        return text


def _damaged() -> GitError:
    return GitError("git cat-file ended early: the repository may be damaged")


def _name(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else os.fsencode(name)


def _is_askable(name: bytes) -> bool:
    """Whether cat-file would take the name for one name, and survive it."""
    # A newline in a mailed path would become a second command; git dies of a path that is relative to nowhere, and
    # of a reflog entry that is not there.
    revision, _, path = name.partition(b":")
    if not name.strip() or b"\n" in name or b"\0" in name:
        return False
    return b"@{" not in revision and not path.startswith((b"./", b"../"))


def _is_tree_path(path: bytes) -> bool:
    """Whether a tree could have the path; git takes others for a mistake of the caller."""
    if b"\0" in path or len(path) > _LONGEST_PATH:
        return False
    return not any(part in (b"", b".", b"..") for part in path.split(b"/"))


def _batches(items: Iterable[bytes], size: int, count: int, extra: int = 1) -> Iterator[list[bytes]]:
    """The items in lists of at most `count`, and of at most `size` bytes (with `extra` for each) unless it is one."""
    batch: list[bytes] = []
    used = 0
    for item in items:
        cost = len(item) + extra
        if batch and (len(batch) >= count or used + cost > size):
            yield batch
            batch, used = [], 0
        batch.append(item)
        used += cost
    if batch:
        yield batch


def _lines(out: bytes) -> list[str]:
    # Not splitlines(): a ref may contain U+2028, and others that count as line ends there.
    return out.decode("utf-8", "surrogateescape").split("\n")[:-1]


def iter_tokens(stream: IO[bytes], size: int = 1 << 20) -> Iterator[list[bytes]]:
    """Lists of NUL-separated tokens as they come in; the last token of a block waits for its end."""
    rest = b""
    while block := stream.read(size):
        tokens = (rest + block).split(b"\0")
        rest = tokens.pop()
        yield tokens
    if rest:
        yield [rest]
