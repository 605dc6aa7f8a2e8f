# SPDX-License-Identifier: GPL-2.0-or-later
"""Where builds are made: one source, and a build folder for each configuration, kept warm from run to run."""

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from seriestool.check.builds.build_folders import lock_folder, measure, prune_folders, prune_outputs, remove
from seriestool.check.builds.build_times import BuildTimes
from seriestool.check.builds.source_folder import SourceFolder
from seriestool.git import ScratchRepository
from seriestool.sandbox import SandboxJob, SandboxLimits
from seriestool.util.errors import InputError, OutsideError

_ODD = re.compile(r"[^\w./+,@=~-]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class BuildWorkspace:
    """A source and its build folders, ours until the block of `open_build_workspace` ends."""

    def __init__(self, folder: Path, ccache: Path, times: BuildTimes, scratch_repo: ScratchRepository) -> None:
        self._folder = folder
        self._times = times
        self._source = SourceFolder(folder, scratch_repo)
        self.ccache = ccache
        """Compilers' answers, for all sites."""
        self.has_grown = False

    @property
    def source(self) -> Path:
        """The files of the tree. Hostile: a link among them may lead anywhere, so they are read in the sandbox only."""
        return self._source.path

    @property
    def env(self) -> Mapping[str, str]:
        """What builds are told so that the same source gives the same files."""
        return {
            "CCACHE_DIR": str(self.ccache),
            "CCACHE_CONFIGPATH": os.devnull,  # not what a build before may have put into its folder
            "CCACHE_BASEDIR": str(self._folder),
            "CCACHE_MAXSIZE": "3G",
            "CCACHE_TEMPDIR": "/tmp",  # noqa: S108  # the sandbox's own
            "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
            "KBUILD_BUILD_USER": "seriestool",
            "KBUILD_BUILD_HOST": "sandbox",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def move_to(self, tree: str) -> None:
        """Make the source that of the tree; only files that differ are written, and all others keep their times."""
        self.has_grown |= self._source.tree is None
        self._source.move_to(tree)

    def output(self, name: str) -> "BuildFolder":
        """The build folder of that name, made where it is not there; InputError where it is no name."""
        if not _NAME.fullmatch(name):
            raise InputError(f"'{name}' is no name of a build folder")
        path = self._folder / "output" / name
        mark = self._folder / "warm" / name
        if not path.exists():
            mark.unlink(missing_ok=True)  # of one that was tidied away
        _make_own(path)
        os.utime(path)
        return BuildFolder(path, mark, self._times, self)

    def reset(self, output: "BuildFolder") -> None:
        """Empty the build folder and what compilers kept: a build left more there than it may, or hid it."""
        output.discard()
        remove(self.ccache)
        _make_own(self.ccache)


class BuildFolder:
    """A build folder."""

    def __init__(self, path: Path, mark: Path, times: BuildTimes, workspace: BuildWorkspace) -> None:
        self.path = path
        self._mark = mark
        self._times = times
        self._workspace = workspace

    @property
    def is_warm(self) -> bool:
        """Whether a build has ended there."""
        return self._mark.exists() and any(self.path.iterdir())

    @property
    def expected(self) -> float | None:
        """Seconds that the next build will take, by what the last one took that was as cold or as warm; or None."""
        return self._times.get(self.path.name, "warm" if self.is_warm else "cold")

    def record_time(self, seconds: float) -> None:
        """Say that a build has ended by itself, and what it took."""
        self._times.put(self.path.name, "warm" if self.is_warm else "cold", seconds)
        self._workspace.has_grown |= not self.is_warm
        with contextlib.suppress(OSError):  # a full disk: then the next build is a cold one
            self._mark.parent.mkdir(exist_ok=True)
            self._mark.touch()

    @property
    def note(self) -> str:
        """What `keep_note` was told last; empty where the folder is not warm."""
        return self._mark.read_text() if self.is_warm else ""

    def keep_note(self, note: str) -> None:
        """Keep a word on what is there, where no build can write; it stays until the next one, and with the folder."""
        try:
            self._mark.parent.mkdir(exist_ok=True)
            self._mark.write_text(note)
        except OSError:  # a full disk: better none than that of before
            self._mark.unlink(missing_ok=True)

    def discard(self) -> None:
        """Empty it: the next build is a cold one."""
        self._mark.unlink(missing_ok=True)
        remove(self.path)
        _make_own(self.path)


def _make_own(folder: Path) -> None:
    """Make the folder, closed to other users: what a build puts there could be set-uid. It may have closed it to us."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


@contextlib.contextmanager
def open_build_workspace(
    root: Path, key: str, scratch_repo: ScratchRepository, report: Callable[[str], None]
) -> Iterator[BuildWorkspace]:
    """A source and build folders for the repository that `key` names, below `root`.

    Nobody else has them until the block ends. Another process gets others, another thread waits; `report` is told.
    """
    sources = root / "sources"
    repository = sources / hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    if _ODD.search(str(root)):
        raise OutsideError(
            f"make takes no folder with spaces, colons and the like in its name: {root}",
            hint="let XDG_CACHE_HOME name another folder for the cache",
        )
    ccache = root / "ccache"
    try:
        _make_own(root)
        _make_own(ccache)
        sources.mkdir(exist_ok=True)
    except OSError as error:
        raise OutsideError(f"nothing can be built in {root}: {error.strerror}") from error
    with lock_folder(repository, report) as folder:
        workspace = BuildWorkspace(folder, ccache, BuildTimes(root / "times.json"), scratch_repo)
        try:
            yield workspace
        finally:
            with contextlib.suppress(OSError):
                prune_outputs(folder / "output")
                if workspace.has_grown:
                    measure(folder)
    with contextlib.suppress(OSError):
        prune_folders(sources)


def build_job(
    workspace: BuildWorkspace,
    output: BuildFolder,
    argv: Sequence[str],
    limits: SandboxLimits,
    env: Mapping[str, str] | None = None,
) -> SandboxJob:
    """The program run in the source, which it can only read, with the build folder and ccache's to write to."""
    return SandboxJob(
        argv,
        workspace.source,
        readable=(workspace.source,),
        writable=(output.path, workspace.ccache),
        env={**workspace.env, **(env or {})},
        limits=limits,
    )
