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
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_ARGUMENTS_PER_CALL = 500  # well below the 128 KiB that Linux allows for one argument list of long paths


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
        git_dir, common_dir, object_format, bare, shallow = os.fsdecode(answer.stdout).splitlines()
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
        """Every ref that leads to a commit, sorted by name; an annotated tag counts as its commit."""
        out = self._run("for-each-ref", "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)")
        return tuple(ref for line in out.decode("utf-8", "surrogateescape").splitlines() if (ref := _parse_ref(line)))

    def head(self) -> str | None:
        """The full name of the branch that HEAD points to, or None where it is detached or unborn."""
        out = self._try("symbolic-ref", "-q", "HEAD")
        return out.decode().strip() if out else None

    def resolve(self, name: str) -> str | None:
        """The full id of the commit that `name` (a ref, an id, any git revision) stands for, or None."""
        out = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}")
        return out.decode().strip() if out else None

    def config(self) -> dict[str, tuple[str, ...]]:
        """git-config as this repository sees it: key (section and name lower case) -> its values, last one last."""
        return _parse_config(self._run("config", "--list", "-z"))

    def ls_tree(self, commit: str, paths: Sequence[bytes]) -> dict[bytes, TreeEntry]:
        """What `commit` has at those of `paths` that it has; one process for some hundred paths."""
        entries: dict[bytes, TreeEntry] = {}
        for start in range(0, len(paths), _ARGUMENTS_PER_CALL):
            some = paths[start : start + _ARGUMENTS_PER_CALL]
            out = self._run("ls-tree", "-z", "--full-tree", "--full-name", commit, "--", *map(os.fsdecode, some))
            for line in out.split(b"\0")[:-1]:
                meta, _, path = line.partition(b"\t")
                mode, kind, oid = meta.decode().split()
                entries[path] = TreeEntry(int(mode, 8), kind, oid)
        return entries

    def describe(self, commit: str) -> str | None:
        """`git describe --tags` of the commit, or None where no tag leads to it."""
        out = self._try("describe", "--tags", commit)
        return out.decode("utf-8", "replace").strip() if out else None

    def raw_log(self, include: Iterable[str], exclude: Iterable[str] = ()) -> AbstractContextManager[IO[bytes]]:
        """A stream of all commits reachable from `include` and not from `exclude`, each against its first parent.

        NUL-separated tokens. A commit is `\\x01<id> <committer time> <parent ids>`; then for each path that it changes
        `:<old mode> <new mode> <old id> <new id> <status>` (sometimes after a newline) and the path. Merges are
        compared with their first parent, roots with the empty tree.
        """
        revisions = "".join([*(f"{oid}\n" for oid in include), *(f"^{oid}\n" for oid in exclude)])
        return _Stream(
            [*self._command(), "log", "--ignore-missing", "--stdin", "--raw", "--no-abbrev", "--no-renames", "--root",
             "--diff-merges=first-parent", "--ignore-submodules=none", "--no-ext-diff", "--no-textconv", "-z",
             "--format=%x01%H %ct %P"],
            revisions.encode())  # fmt: skip

    def reflog(self, limit: int = 5000) -> tuple[ReflogEntry, ...]:
        """The newest `limit` values that the refs had, as far as reflogs remember them and the commits are there."""
        out = self._try("log", "--walk-reflogs", "--all", "--ignore-missing", f"--max-count={limit}", "--date=unix",
                        "--format=%H %gD")  # fmt: skip
        lines = (out or b"").decode("utf-8", "surrogateescape").splitlines()
        return tuple(entry for line in lines if (entry := _parse_reflog(line)))

    def missing_from(self, tips: Iterable[str], commits: Iterable[str]) -> frozenset[str]:
        """Those of `commits` that are here and that none of `tips` leads to."""
        wanted = tuple(commits)
        revisions = "".join([*(f"{oid}\n" for oid in wanted), *(f"^{oid}\n" for oid in tips)])
        out = self._run("rev-list", "--ignore-missing", "--stdin", stdin=revisions.encode())
        return frozenset(out.decode().split()) & frozenset(wanted)

    def update_refs(self, values: Mapping[str, str | None]) -> None:
        """Refs set to new values (None: deleted), all of them or none (`git update-ref --stdin`)."""
        lines = [
            f"delete {name}\0\0" if value is None else f"update {name}\0{value}\0\0" for name, value in values.items()
        ]
        self._run("update-ref", "--no-deref", "--stdin", "-z", stdin="".join(lines).encode("utf-8", "surrogateescape"))

    def fetch(self, url: str, refspecs: Sequence[str], timeout: float) -> None:
        """Refs of another repository fetched into this one: no tags, no FETCH_HEAD, all refs or none.

        Refs that are gone there go here too, among those that the refspecs write. Protocol version 2 whatever is
        configured: it alone hands out commits that no ref leads to any more (gitprotocol-v2, "fetch").
        Raises GitError, also when it takes longer than `timeout` seconds.
        """
        command = [
            *self._command(), "-c", "protocol.version=2", "-c", "fetch.writeCommitGraph=false",
            "-c", "http.lowSpeedLimit=1000", "-c", f"http.lowSpeedTime={_STALLED}",
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-recurse-submodules",
            "--atomic", "--prune", "--no-prune-tags", "--end-of-options", url, *refspecs,
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
        with tempfile.TemporaryDirectory(prefix="seriestool-") as folder:
            Path(folder, "objects").mkdir()
            yield Scratch(self, Path(folder))

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


def _parse_ref(line: str) -> Ref | None:
    kind, oid, *rest, name = line.split(" ")
    if kind == "commit":
        return Ref(name, oid)
    if kind == "tag" and rest and rest[0] == "commit":
        return Ref(name, rest[1])
    return None


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


class _Stream(AbstractContextManager[IO[bytes]]):
    """The output of a git process; leaving the block ends the process."""

    def __init__(self, command: Sequence[str], stdin: bytes) -> None:
        self._command = command
        self._stdin = stdin

    def __enter__(self) -> IO[bytes]:
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
    """Where patches are tried by git itself: nothing that happens here is seen in the repository."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        self._repository = repository
        self._folder = folder
        self._env = {
            "GIT_INDEX_FILE": str(folder / "index"),
            "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository.common_dir / "objects"),
            "GIT_WORK_TREE": str(folder),
        }

    def load(self, entries: Mapping[bytes, TreeEntry]) -> None:
        """Fill the index with just these entries."""
        (self._folder / "index").unlink(missing_ok=True)
        lines = (f"{entry.mode:o} {entry.oid}\t".encode() + path + b"\0" for path, entry in entries.items())
        self._repository._run("update-index", "-z", "--index-info", stdin=b"".join(lines), env=self._env)  # noqa: SLF001

    def apply(self, diff: bytes, strip: int) -> bool:
        """Whether plain `git apply --cached` takes the diff; if so the index has it."""
        return self._apply(diff, f"-p{strip}")

    def apply_three_way(self, diff: bytes, strip: int) -> bool:
        """The same, with a three-way merge where the diff alone does not apply."""
        return self._apply(diff, f"-p{strip}", "--3way")

    def _apply(self, diff: bytes, *options: str) -> bool:
        arguments = ("apply", "--cached", *options, "-")
        return self._repository._try(*arguments, stdin=diff, env=self._env) is not None  # noqa: SLF001


class ObjectReader:
    """One long-lived `git cat-file --batch-command`: thousands of look-ups, one process."""

    _CHUNK = 256  # requests in flight: both directions stay within a pipe's 64 KiB

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [*command, "cat-file", "--batch-command"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(env),
        )

    def read(self, name: str | bytes) -> tuple[str, str, bytes] | None:
        """(full id, type, content) of the object, or None where it is not here, or the name is ambiguous.

        `name` is an id, an abbreviated one, or any revision such as `commit:path`.
        """
        if not self._ask([b"contents " + _name(name)]):
            return None
        header = self._answer()
        if header is None:
            return None
        oid, kind, size = header
        content = self._out.read(size)
        self._out.read(1)
        return oid, kind, content

    def check(self, names: Sequence[str | bytes]) -> list[tuple[str, str, int] | None]:
        """(full id, type, size) for each name, None for each that is not here, or ambiguous."""
        found: list[tuple[str, str, int] | None] = []
        for start in range(0, len(names), self._CHUNK):
            some = [_name(name) for name in names[start : start + self._CHUNK]]
            asked = [name for name in some if b"\n" not in name]
            self._ask([b"info " + name for name in asked])
            answers = iter([self._answer() for _ in asked])
            found.extend(next(answers) if b"\n" not in name else None for name in some)
        return found

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout

    def _ask(self, lines: list[bytes]) -> bool:
        # A newline in a mailed path would become a second command.
        if any(b"\n" in line for line in lines):
            return False
        assert self._process.stdin is not None  # noqa: S101
        try:
            self._process.stdin.write(b"".join(line + b"\n" for line in lines))
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise GitError("git cat-file ended early: the repository may be damaged") from error
        return True

    def _answer(self) -> tuple[str, str, int] | None:
        line = self._out.readline()
        if not line:
            raise GitError("git cat-file ended early: the repository may be damaged")
        oid, _, rest = line.decode("utf-8", "replace").strip().rpartition(" ")
        if rest == "missing" or rest == "ambiguous":
            return None
        oid, _, kind = oid.rpartition(" ")
        return oid, kind, int(rest)


def _name(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else os.fsencode(name)


def iter_tokens(stream: IO[bytes], size: int = 1 << 20) -> Iterator[list[bytes]]:
    """Lists of NUL-separated tokens as they come in; the last token of a block waits for its end."""
    rest = b""
    while block := stream.read(size):
        tokens = (rest + block).split(b"\0")
        rest = tokens.pop()
        yield tokens
    if rest:
        yield [rest]
