# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the tree compiles after each patch, so that bisection can stop at any of them.

Each patch compiles the objects that it touches, and those that include a header that it touches, with W=1. Only where
that says something is the same compiled before the patch: what was said there too is not the patch's.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from posixpath import basename

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.builds import duration_text, find_toolchain, open_build_workspace
from seriestool.check.builds.build_workspace import BuildFolder, BuildWorkspace
from seriestool.check.builds.diagnostics import Diagnostic
from seriestool.check.builds.includers import find_includers
from seriestool.check.builds.object_compiler import BuildResult, ObjectCompiler, object_of
from seriestool.check.protocol import (
    Check,
    CheckEnvironment,
    CheckSubject,
    Finding,
    Requirement,
    Scope,
    SkipCheck,
    Status,
    skip,
)
from seriestool.rebase.patch_stack import StackedPatch
from seriestool.series.model import DiffKind, FileDiff, Patch
from seriestool.util.config import find_text
from seriestool.util.text import shortened

_CONFIG_KEY = "seriestool.check.bisect-config"
_CONFIG = "allmodconfig"
_CONFIG_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,60}config")
_PROGRAMS = ("flex", "bison", "bc", "perl")
_MOST = 24  # objects that a patch compiles; a header of all would mean days
_LOOKED_AT = 400  # objects of which the Makefiles are asked; each folder costs a process
_NAMED = 8  # files that a message names
_SHOWN = 20  # findings of a kind for a patch
_OBJECT = re.compile(rb"(?<![\w./$(-])([\w/-]{1,200})\.o\b")
_PAGE = "Documentation/process/submitting-patches.rst, Separate your changes"
_WARNINGS_PAGE = "Documentation/process/maintainer-netdev.rst, W=1"
# Not of the kernel, though in its tree: programs, texts, other builds.
_ELSEWHERE = ("tools/", "Documentation/", "samples/", "usr/", "scripts/")


class _TouchedFiles(Struct, frozen=True):
    """What of a patch can change what compiles."""

    sources: tuple[str, ...]
    headers: tuple[str, ...]
    named: tuple[str, ...]
    """Objects that lines added to Makefiles name."""
    has_kconfig: bool

    @property
    def is_nothing(self) -> bool:
        """Whether none of it is compiled."""
        return not (self.sources or self.headers or self.named or self.has_kconfig)


def _run(subject: CheckSubject) -> Iterator[Finding]:
    touched = [_touched(step.patch) for step in subject.steps]
    if all(one.is_nothing for one in touched):
        return
    toolchain = find_toolchain(*_PROGRAMS)
    if isinstance(toolchain, str):
        raise SkipCheck(toolchain)
    place = subject.environment
    if place.sandbox is None:
        raise SkipCheck("there is no sandbox")
    config = _config(place)
    with open_build_workspace(
        place.cache_dir / "builds", str(place.repository.common_dir), place.scratch_repo, place.report
    ) as workspace:
        output = workspace.output(f"bisect-{config}-{toolchain.compiler}")
        compiler = ObjectCompiler(
            workspace=workspace,
            output=output,
            sandbox=place.sandbox,
            toolchain=toolchain,
            config=config,
            jobs=place.jobs,
        )
        series = _SeriesBuild(
            place=place, workspace=workspace, output=output, compiler=compiler, config=config, version=toolchain.version
        )
        series.begin(subject.before)
        for step, one in zip(subject.steps, touched, strict=True):
            for finding in series.judge(step, one):
                yield replace(finding, counter=step.patch.counter)
            if step.after is None:
                return


def _config(place: CheckEnvironment) -> str:
    config = find_text(place.config, _CONFIG_KEY) or _CONFIG
    if not _CONFIG_NAME.fullmatch(config):
        raise SkipCheck(f"{_CONFIG_KEY} is not the name of a configuration: {config[:80]}")
    return config


class _SeriesBuild:
    """The series on its way from tree to tree."""

    def __init__(
        self,
        place: CheckEnvironment,
        workspace: BuildWorkspace,
        output: BuildFolder,
        compiler: ObjectCompiler,
        config: str,
        version: str,
    ) -> None:
        self._environment = place
        self._workspace = workspace
        self._output = output
        self._compiler = compiler
        self._config = config
        self._version = version
        self._options: dict[str, int] = {}
        """tree -> which configuration it has: another one after each patch that touches Kconfig files."""
        self._configured = 0
        self._broken: BuildResult | None = None
        """What that configuration said, where it could not be made."""

    def begin(self, tree: str) -> None:
        """Make the configuration on the base; Skipped where that fails, which is not the series' fault."""
        output = self._output
        self._options[tree] = self._configured
        if output.note == self._note(tree):  # the last series had the same base, and touched no Kconfig file
            self._workspace.move_to(tree)
            return
        expected = output.expected
        kind = "warm" if output.is_warm else "cold"
        hint = f", {duration_text(expected)}" if expected else ""
        self._environment.report(f"bisect: making {self._config}, {kind}{hint}")
        self._workspace.move_to(tree)
        result = self._configure(tree)
        if result.limit is not None:
            output.discard()
            raise SkipCheck(f"the base cannot be prepared: the limit of {result.limit} was reached")
        if not result.is_good:
            raise SkipCheck(f"the base cannot be prepared: {_first_error(result)}")

    def _configure(self, tree: str) -> BuildResult:
        if self._output.is_warm:
            self._output.keep_note("")  # should we be killed
        result = self._compiler.configure()
        if result.is_good:
            self._output.record_time(result.seconds)
            self._output.keep_note(self._note(tree))
        return result

    def _note(self, tree: str) -> str:
        # Another version of the compiler has other options.
        return f"{tree} {self._version}"

    def judge(self, step: StackedPatch, touched: _TouchedFiles) -> Iterator[Finding]:
        """What is to be said of one patch."""
        if step.after is None:
            yield skip("not-applied", "it does not apply on the base, so nothing after it can be compiled")
            return
        self._options[step.after] = self._options[step.before] + touched.has_kconfig
        if touched.is_nothing:
            return
        after = self._prepare(step.after)
        if after is not None:
            yield from self._judge_config(step, after)
            return
        objects, notes = self._choose(step, touched)
        yield from notes
        if objects:
            yield from self._compare(step, objects)

    def _prepare(self, tree: str) -> BuildResult | None:
        """Move to the tree; what its configuration said where that failed."""
        self._workspace.move_to(tree)
        if self._options[tree] != self._configured or not self._output.is_warm:
            result = self._configure(tree)
            self._configured = self._options[tree]
            self._broken = None if result.is_good else result
        return self._broken

    def _judge_config(self, step: StackedPatch, after: BuildResult) -> Iterator[Finding]:
        if after.limit is not None:
            yield skip("limit", f"the configuration reached the limit of {after.limit}")
            return
        before = self._prepare(step.before)
        if before is not None:
            yield skip("base-broken", f"the configuration fails before the patch too: {_first_error(before)}")
            return
        message = f"the configuration cannot be made any more: {_first_error(after)}"
        yield Finding(Status.FAIL, "config-error", message, source=_PAGE)

    def _choose(self, step: StackedPatch, touched: _TouchedFiles) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        """The objects to compile, those touched first, and what there is to say about the others."""
        assert step.after is not None  # noqa: S101
        names = {one.encode("utf-8", "surrogateescape"): one for one in touched.sources}
        there = self._environment.scratch_repo.entries(step.after, names)
        own = {one: object_of(one) for name, one in names.items() if name in there}
        including = find_includers(touched.headers, self._compiler.run, 4 * _MOST) if touched.headers else ()
        others = [one for path in including if not path.startswith(_ELSEWHERE) and (one := object_of(path))]
        every = list(dict.fromkeys([*filter(None, own.values()), *touched.named, *others]))
        wanted = every[:_LOOKED_AT]
        built = self._compiler.find_built(wanted)
        left_out = [path for path, one in islice(own.items(), _LOOKED_AT) if one not in built]
        chosen = [one for one in wanted if one in built]
        notes = []
        if left_out:
            message = f"not built by {self._config} here: {shortened(left_out, _NAMED)}"
            notes.append(skip("not-built", message))
        if touched.headers and not chosen and not left_out:
            message = f"nothing that {self._config} builds here includes {shortened(touched.headers, _NAMED)}"
            notes.append(skip("not-built", message))
        unseen = len(every) - len(wanted)
        if len(chosen) > _MOST or unseen:
            first = len(chosen[:_MOST])
            message = f"compiled {first} objects of at least {len(chosen) + unseen} that are or include what it touches"
            notes.append(Finding(Status.PASS, "not-all", message))
        return tuple(chosen[:_MOST]), tuple(notes)

    def _compare(self, step: StackedPatch, objects: Sequence[str]) -> Iterator[Finding]:
        self._environment.report(f"bisect: patch {step.patch.counter}, compiling {len(objects)} objects")
        after = self._compiler.compile(objects)
        if after.limit is not None:
            yield skip("limit", f"compiling it reached the limit of {after.limit}")
            return
        if after.is_good and not after.diagnostics:
            return
        if self._prepare(step.before) is not None:
            yield skip("base-broken", "the configuration fails before the patch, so what is new cannot be told")
            return
        # What was not built before can have had nothing wrong with it.
        moved = _moved(step.patch)
        old = list(dict.fromkeys([*objects, *(one for path in moved if (one := object_of(path)))]))
        known = self._compiler.find_built(old)
        before = self._compiler.compile([one for one in old if one in known]) if known else None
        if before is not None and before.limit is not None:
            yield skip("limit", f"compiling the tree before it reached the limit of {before.limit}")
            return
        there = before.diagnostics if before else frozenset()
        new = after.diagnostics - {replace(one, path=moved.get(one.path, one.path)) for one in there}
        yield from _findings(new)
        if after.is_good or any(one.is_error for one in new):
            return
        if before is None or before.is_good:
            yield Finding(Status.FAIL, "build-error", f"it does not compile: {after.last}", source=_PAGE)
        else:
            yield skip("base-broken", f"it does not compile before the patch either: {_first_error(before)}")


def _findings(new: frozenset[Diagnostic]) -> Iterator[Finding]:
    ordered = sorted(new, key=lambda one: (not one.is_error, one.path, one.line or 0, one.text))
    for is_error in (True, False):
        some = [one for one in ordered if one.is_error is is_error]
        yield from (_finding(one) for one in some[:_SHOWN])
        if some[_SHOWN:]:
            rule = "build-error" if is_error else "new-warning"
            status = Status.FAIL if is_error else Status.WARN
            yield Finding(status, rule, f"and {len(some) - _SHOWN} more of the kind")


def _finding(one: Diagnostic) -> Finding:
    path = one.path.encode("utf-8", "surrogateescape") or None
    flag = f" [{one.flag}]" if one.flag else ""
    if one.is_error:
        message = f"it does not compile: {one.text}{flag}"
        return Finding(status=Status.FAIL, rule="build-error", message=message, path=path, line=one.line, source=_PAGE)
    message = f"a new warning: {one.text}{flag}"
    return Finding(
        status=Status.WARN, rule="new-warning", message=message, path=path, line=one.line, source=_WARNINGS_PAGE
    )


def _first_error(result: BuildResult) -> str:
    errors = sorted((one for one in result.diagnostics if one.is_error), key=lambda one: (one.path, one.line or 0))
    if not errors:
        return result.last
    place = f"{errors[0].path}:{errors[0].line}: " if errors[0].path else ""
    return f"{place}{errors[0].text}"


def _touched(patch: Patch) -> _TouchedFiles:
    paths = [path.decode("utf-8", "surrogateescape") for diff in patch.files for path in _paths(diff)]
    paths = [path for path in dict.fromkeys(paths) if not path.startswith(_ELSEWHERE)]
    return _TouchedFiles(
        tuple(path for path in paths if object_of(path)),
        tuple(path for path in paths if path.endswith(".h")),
        tuple(_named(patch)),
        any(basename(path).startswith("Kconfig") for path in paths),
    )


def _paths(diff: FileDiff) -> Iterator[bytes]:
    yield from (path for path in (diff.old_path, diff.new_path) if path is not None)


def _moved(patch: Patch) -> dict[str, str]:
    """Old path -> new path of the files that the patch renames."""
    return {
        diff.old_path.decode("utf-8", "surrogateescape"): diff.new_path.decode("utf-8", "surrogateescape")
        for diff in patch.files
        if diff.kind is DiffKind.RENAME and diff.old_path is not None and diff.new_path is not None
    }


def _named(patch: Patch) -> Iterator[str]:
    """The objects that lines added to Makefiles name."""
    for diff in patch.files:
        path = diff.path.decode("utf-8", "surrogateescape")
        if basename(path) in ("Makefile", "Kbuild") and not path.startswith(_ELSEWHERE):
            added = b"".join(line[1:] for hunk in diff.hunks for line in hunk.lines if line.startswith(b"+"))
            folder = path[: -len(basename(path))]
            names = (found[1].decode() for found in _OBJECT.finditer(added))
            yield from (one for name in names if (one := object_of(f"{folder}{name}.c")))


CHECK = Check(
    name="bisect",
    summary="each patch compiles what it touches, without new warnings",
    scope=Scope.SERIES,
    run=_run,
    needs=frozenset({Requirement.BASE, Requirement.KERNEL, Requirement.SANDBOX, Requirement.COMPILER}),
    is_costly=True,
)
