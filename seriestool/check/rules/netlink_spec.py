# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated netlink code against its specification: at the end of the series they must agree.

Specification and code are often changed in two patches: what a later patch brings in order is only asked about.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from seriestool.check.abi.ynl import (
    NoGenerator,
    YnlMarker,
    find_generated,
    first_difference,
    is_spec,
    parse_generated,
    regenerate,
)
from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, SkipCheck, Status
from seriestool.sandbox import Sandbox, scratch

_FIX_COMMAND = "tools/net/ynl/ynl-regen.sh -f"
_SOURCE = "Documentation/userspace-api/netlink/intro-specs.rst"


class _TreeState(Struct, frozen=True):
    """The tree after a patch (counter None: before all of them)."""

    counter: int | None
    tree: str


class _GeneratedFault(Struct, frozen=True):
    """A file that is not what the generator makes."""

    message: str
    line: int | None
    is_broken: bool = False
    """The generator made nothing at all."""


def _run(subject: CheckSubject) -> Iterator[Finding]:
    """Findings on the files that are generated from what the series touches."""
    touched = {file.path for patch in subject.series.patches for file in patch.files}
    specs = {path for path in touched if is_spec(path)}
    if not specs and not any(_marked(subject, path) for path in touched):
        return
    if subject.after is None:
        raise SkipCheck("not all patches apply to the base")
    if subject.environment.sandbox is None:
        raise SkipCheck("there is no sandbox to run the generator in")
    files = _files(subject, specs, touched)
    states = list(_states(subject, {*specs, *files}))
    try:
        faults = [_faults(subject, state, files, subject.environment.sandbox) for state in states]
    except NoGenerator as reason:
        raise SkipCheck(str(reason)) from reason
    for path in files:
        yield from _judge(path, states, [found.get(path) for found in faults])


def _marked(subject: CheckSubject, path: bytes) -> bool:
    """Whether the file says, before or after the series, that it is generated."""
    trees = (subject.before, subject.after)
    return any(
        parse_generated(text) is not None
        for tree in trees
        if tree is not None and (text := subject.read(tree, path)) is not None
    )


def _files(subject: CheckSubject, specs: set[bytes], touched: set[bytes]) -> list[bytes]:
    """The files generated from these specifications, and those generated ones that were touched themselves."""
    found = {path for path in touched if _marked(subject, path)}
    if specs:
        assert subject.after is not None  # noqa: S101
        for path, entry in find_generated(subject.environment.scratch_repo, subject.after):
            made = parse_generated(subject.environment.scratch_repo.blob(entry.oid))
            if made is not None and made.spec in specs:
                found.add(path)
    return sorted(found)


def _states(subject: CheckSubject, paths: set[bytes]) -> Iterator[_TreeState]:
    """The tree at the start, and after each patch that touches one of the paths."""
    yield _TreeState(None, subject.before)
    for step in subject.steps:
        if step.after is not None and any(file.path in paths for file in step.patch.files):
            yield _TreeState(step.patch.counter, step.after)


def _faults(
    subject: CheckSubject, state: _TreeState, files: Sequence[bytes], sandbox: Sandbox
) -> Mapping[bytes, _GeneratedFault]:
    """The files that are not what the tree's generator makes of the tree's specifications."""
    texts = {path: text for path in files if (text := subject.read(state.tree, path)) is not None}
    made = {path: one for path, text in texts.items() if (one := parse_generated(text)) is not None}
    there = {path: one for path, one in made.items() if subject.read(state.tree, one.spec) is not None}
    if not there:
        return {}
    with scratch("netlink") as folder:
        results = regenerate(
            scratch_repo=subject.environment.scratch_repo, tree=state.tree, wanted=there, sandbox=sandbox, folder=folder
        )
    found = ((path, _fault(texts[path], one, results[path])) for path, one in there.items())
    return {path: fault for path, fault in found if fault is not None}


def _fault(have: bytes, made: YnlMarker, result: bytes | str) -> _GeneratedFault | None:
    spec = made.spec.rpartition(b"/")[2].decode()
    if isinstance(result, str):
        return _GeneratedFault(f"the generator makes nothing of {spec}: {result}", None, True)
    line = first_difference(have, result)
    return _GeneratedFault(f"is not what the generator makes of {spec}", line) if line is not None else None


def _judge(path: bytes, states: Sequence[_TreeState], faults: Sequence[_GeneratedFault | None]) -> Iterator[Finding]:
    if faults[0] is not None:
        # It was out of step before: then nobody can tell what the series did to it.
        if faults[-1] is not None:
            yield Finding(Status.SKIP, "out-of-date-before", f"{faults[0].message}, already before the series", path)
        return
    for number in range(1, len(states)):
        fault = faults[number]
        if fault is None or faults[number - 1] is not None:
            continue
        mended = next((states[later].counter for later in range(number, len(states)) if faults[later] is None), None)
        rule = "spec-broken" if fault.is_broken else "not-regenerated"
        if mended is not None:
            yield Finding(
                status=Status.WARN,
                rule=rule,
                message=f"{fault.message}, until patch {mended} brings it",
                path=path,
                line=fault.line,
                source=_SOURCE,
                counter=states[number].counter,
            )
        else:
            yield Finding(
                status=Status.FAIL,
                rule=rule,
                message=fault.message,
                path=path,
                line=fault.line,
                mend=_FIX_COMMAND,
                source=_SOURCE,
                counter=states[number].counter,
            )


CHECK = Check(
    name="netlink-spec",
    summary="generated netlink code is what the tree's generator makes of its specification",
    scope=Scope.SERIES,
    run=_run,
    needs=frozenset({Requirement.BASE, Requirement.SANDBOX}),
    is_costly=True,
    lasting_skips=frozenset({"out-of-date-before"}),
)
