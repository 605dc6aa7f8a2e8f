# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check is: asked about a patch or a series, it answers with findings.

A check is a module of `check/` with one `CHECK`. It never judges what it could not see: what is missing makes it SKIP
and say why, and only what is new against the tree before the patch counts.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from threading import Lock

from msgspec import Struct, field

from seriestool.git import Repository, ScratchRepository
from seriestool.rebase.patch_stack import SeriesBase, StackedPatch, is_for_tree
from seriestool.sandbox import Sandbox
from seriestool.series.model import SCHEMA, Patch, Series, path_text
from seriestool.trees import Tree
from seriestool.trees.history import History
from seriestool.trees.kernel_tree import is_kernel
from seriestool.trees.maintainers import Maintainers
from seriestool.util.config import Config
from seriestool.util.errors import SeriestoolError
from seriestool.util.json_struct import JsonStruct


class Status(StrEnum):
    """How a check ends, and how grave a finding is."""

    PASS = "pass"  # noqa: S105
    """Of a finding: a note, good to know and nothing to fix."""
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    """It could not be seen; the message says why. Never the author's fault."""
    ERROR = "error"
    """The check itself broke. Never the author's fault either."""

    @property
    def gravity(self) -> int:
        """The greater, the more a reader must know of it."""
        return (Status.PASS, Status.SKIP, Status.WARN, Status.ERROR, Status.FAIL).index(self)


class Scope(StrEnum):
    """What a check is asked about at a time."""

    PATCH = "patch"
    SERIES = "series"


class Requirement(StrEnum):
    """What must be there for a check to say anything; where it is not, the check is skipped and says so."""

    BASE = "base"
    """A base, and (for a patch) that the patch applies there."""
    KERNEL = "kernel"
    """The tree is that of a Linux kernel."""
    MAILED = "mailed"
    """The series is a mail, and not commits that nobody has sent yet."""
    SANDBOX = "sandbox"
    """Something that may run code from a patch or a tree."""
    COMPILER = "compiler"
    """A C compiler on this machine."""


class Finding(JsonStruct, frozen=True):
    """One thing that a check has to say."""

    status: Status
    rule: str
    """A slug that names the kind of it within the check: `subject-mismatch`; profiles set severities by it."""
    message: str
    """One line: what is wrong, with the names of what it is about."""
    path: bytes | None = None
    line: int | None = None
    """In the file after the patch, or in the commit message where there is no path; from 1."""
    mend: str | None = None
    """What to do, or the very line to paste; may be several lines."""
    source: str | None = None
    """Where the rule stands: a page of the kernel's documentation, an RFC."""
    counter: int | None = None
    """The patch that it is about; set by checks of a series, for the others it is the patch they were asked about."""
    details: str | None = None
    """More of it, several lines: a compiler's words, what a test printed."""

    def to_dict(self) -> dict[str, object]:
        """The finding as JSON shows it."""
        return {
            "status": str(self.status),
            "rule": self.rule,
            "message": self.message,
            "path": path_text(self.path) if self.path is not None else None,
            "line": self.line,
            "mend": self.mend,
            "details": self.details,
            "source": self.source,
            "patch": self.counter,
        }


class SkipCheck(Exception):  # noqa: N818  # it is no error
    """Raised by a check that finds out on the way that it can say nothing; the message says why."""


def _silent(text: str) -> None:
    """Nobody watches."""


class MaintainersFiles:
    """The MAINTAINERS files that were read, each parsed once for all patches and all threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._parsed: dict[str, Maintainers] = {}

    def read(self, scratch_repo: ScratchRepository, tree: str) -> Maintainers | None:
        """What the tree's file says; None where it has none."""
        entry = scratch_repo.entries(tree, (b"MAINTAINERS",)).get(b"MAINTAINERS")
        if entry is None or entry.kind != "blob":
            return None
        from seriestool.trees.maintainers import parse_maintainers

        with self._lock:
            if entry.oid not in self._parsed:
                self._parsed[entry.oid] = parse_maintainers(scratch_repo.blob(entry.oid))
            return self._parsed[entry.oid]


class CheckEnvironment(Struct, frozen=True):
    """What checks work with; the workbench is of the thread that the check runs in."""

    repository: Repository
    scratch_repo: ScratchRepository
    cache_dir: Path
    """Where what can be made again may be kept, in a folder of the check's own."""
    config: Config
    """git-config: key (section and name lower case) -> values."""
    sandbox: Sandbox | None = None
    history: History | None = None
    """The index of all commits; None where only the series is at hand."""
    trees: tuple[Tree, ...] = ()
    offline: bool = False
    jobs: int = 1
    """How many processes a build may run at a time."""
    maintainers: MaintainersFiles = field(default_factory=MaintainersFiles)
    report: Callable[[str], None] = field(default=_silent)
    """Told what is being done, in a few words, by checks that take long."""


class CheckSubject(Struct, frozen=True, eq=False, dict=True):
    """What a check is asked about: a series, or one patch of it, on the base."""

    series: Series
    steps: tuple[StackedPatch, ...]
    """Each patch with the trees before and after it; `after` is None where it does not apply."""
    base: SeriesBase | None
    environment: CheckEnvironment
    step: StackedPatch | None = None
    """The patch in question; None for a check of the series."""
    previous: Series | None = None
    """The version before this one, where it is at hand."""
    is_mailed: bool = True
    """Whether it was read from mails; commits of a range have not been sent to anyone."""

    @property
    def patch(self) -> Patch:
        """The patch in question; only for checks of a patch."""
        assert self.step is not None  # noqa: S101
        return self.step.patch

    @property
    def before(self) -> str:
        """The tree before the patch, or before the series."""
        return self.step.before if self.step else self.steps[0].before

    @property
    def after(self) -> str | None:
        """The tree after the patch, or after the series; None where it does not apply."""
        return self.step.after if self.step else self.steps[-1].after

    def read(self, tree: str, path: bytes) -> bytes | None:
        """The content of a file of the tree, or None where there is no such file."""
        entry = self.environment.scratch_repo.entries(tree, (path,)).get(path)
        return self.environment.scratch_repo.blob(entry.oid) if entry is not None and entry.kind == "blob" else None

    @cached_property
    def project(self) -> str | None:
        """A commit of the project that the series is for: the base, or where none is known the tip of the first tree.

        None where that tree has nothing of what the series changes: lists get patches of more projects than one.
        """
        if self.base is not None:
            return self.base.commit
        tip = next((tree.commit for tree in self.environment.trees), None)
        scratch_repo = self.environment.scratch_repo
        return tip if tip is not None and is_for_tree(self.series, scratch_repo, scratch_repo.tree_of(tip)) else None

    @cached_property
    def is_kernel(self) -> bool:
        """Whether the project is a kernel."""
        if self.base is not None:
            return is_kernel(self.environment.scratch_repo, self.steps[0].before)
        return self.project is not None and is_kernel(
            self.environment.scratch_repo, self.environment.scratch_repo.tree_of(self.project)
        )

    @property
    def maintainers(self) -> Maintainers | None:
        """Who maintains what, as the tree before the patch says; None where it has no MAINTAINERS."""
        return (
            self.environment.maintainers.read(self.environment.scratch_repo, self.before)
            if self.base is not None
            else None
        )


CheckFunction = Callable[[CheckSubject], Iterable[Finding]]


class Check(Struct, frozen=True):
    """A check as it stands in its module: `CHECK = Check("fixes-tag", ...)`."""

    name: str
    """A slug."""
    summary: str
    """One line for people: what it looks at."""
    scope: Scope
    run: CheckFunction
    needs: frozenset[Requirement] = frozenset()
    version: int = 1
    """Goes up when the same question may get another answer: answers are kept by it."""
    is_costly: bool = False
    """Its answers are kept, by the patch and the trees, because finding them takes long."""
    is_lasting: bool = True
    """Whether it says the same of the same another day; not of one that asks the network."""
    lasting_skips: frozenset[str] = frozenset()
    """Rules of skips that last too: they come of the trees alone, and not of the machine or of a limit."""


class CheckResult(JsonStruct, frozen=True):
    """What one check said of one patch, or of the series."""

    check: str
    counter: int | None
    """The patch; None for the series."""
    findings: tuple[Finding, ...]
    seconds: float = 0.0
    is_kept: bool = False
    """Whether it is an answer of an earlier run."""

    @property
    def status(self) -> Status:
        """The gravest of the findings; PASS where there are none."""
        return max((finding.status for finding in self.findings), key=lambda one: one.gravity, default=Status.PASS)

    def to_dict(self) -> dict[str, object]:
        """The result as JSON shows it."""
        return {
            "check": self.check,
            "patch": self.counter,
            "status": str(self.status),
            "findings": [finding.to_dict() for finding in self.findings],
            "seconds": round(self.seconds, 3),
            "kept": self.is_kept,
        }


class Report(JsonStruct, frozen=True):
    """All that the checks said of a series; results in the order of the patches, those of the series first."""

    series: Series
    base: SeriesBase | None
    describe: str | None
    """The base as git describes it."""
    profile: str
    results: tuple[CheckResult, ...]

    @property
    def status(self) -> Status:
        """The gravest of the results."""
        return max((result.status for result in self.results), key=lambda one: one.gravity, default=Status.PASS)

    def to_dict(self) -> dict[str, object]:
        """The report as JSON shows it."""
        return {
            "schema": SCHEMA,
            "series": self.series.to_dict(),
            "base": {**self.base.to_dict(), "describe": self.describe} if self.base else None,
            "profile": self.profile,
            "status": str(self.status),
            "patches": [
                {"patch": patch.counter, "msgid": patch.msgid, "subject": patch.subject}
                for patch in self.series.patches
            ],
            "results": [result.to_dict() for result in self.results],
        }


def skip(rule: str, message: str) -> Finding:
    """A finding that a part of the check could not be looked at, and why."""
    return Finding(Status.SKIP, rule, message)


def only_new(before: Iterable[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of `after` that `before` does not have, whatever lines they are at: sets, and not counts."""
    known = {(one.rule, one.path, one.message) for one in before}
    return tuple(one for one in after if (one.rule, one.path, one.message) not in known)


class CheckError(SeriestoolError):
    """A check that cannot be run as it was asked for."""

    exit_code = 2
