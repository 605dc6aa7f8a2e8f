# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a series is whole: every patch there, once, and none that takes another one back."""

from collections.abc import Callable, Hashable, Iterable, Iterator

from seriestool.check.protocol import Check, CheckSubject, Finding, Scope, Status
from seriestool.series.mail import Mail
from seriestool.series.model import FileDiff, Patch
from seriestool.series.patch_id import find_patch_id
from seriestool.util.text import joined, plural, shortened

_MANY = 15
_NETDEV = "Documentation/process/maintainer-netdev.rst"
_MOST_NAMED = 20


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What is odd about the patches taken together."""
    series = subject.series
    if missing := series.missing:
        text = f"{_patches(missing)} of {series.expected} {plural(len(missing), 'is', 'are')} not there"
        yield Finding(
            Status.WARN, "missing-patches", text, mend="send the series again as a whole, or look on the list"
        )
    yield from _find_miscounted(series.patches)
    yield from _find_same(series.patches)
    yield from _find_undone(series.patches)
    yield from (Finding(Status.PASS, "partial-reroll", remark) for remark in series.remarks)
    if len(series.patches) > _MANY:
        text = f"{len(series.patches)} patches: more than {_MANY} are hard to review at a time"
        yield Finding(Status.PASS, "too-many", text, source=_NETDEV)
    if subject.is_kernel:
        yield from _find_mixed(series.patches)


def _find_miscounted(patches: Iterable[Patch]) -> Iterator[Finding]:
    """Patches whose own subject counts beyond its end, as people do that send one more: 4/3."""
    for patch in patches:
        said = Mail(patch.raw).subject if patch.raw else None
        if said and said.counter is not None and said.counter > said.expected:
            text = f"it counts itself {said.counter} of {said.expected}: it was added to the series"
            yield Finding(Status.PASS, "miscounted", text, counter=patch.counter)


def _find_same(patches: tuple[Patch, ...]) -> Iterator[Finding]:
    for same in _groups(patches, lambda patch: patch.counter):
        yield Finding(Status.WARN, "duplicate-counter", f"{len(same)} patches are number {same[0].counter}")
    told = set()
    for same in _groups(patches, lambda patch: find_patch_id(patch.diff)):
        told.add(same)
        text = f"{_patches(_counters(same))} make the same change"
        yield Finding(Status.WARN, "duplicate-patch", text, mend="leave one of them out", counter=same[-1].counter)
    for same in _groups(patches, lambda patch: " ".join(patch.subject.casefold().split()) or None):
        if same not in told:
            text = f"{_patches(_counters(same))} have the same subject: '{same[0].subject}'"
            yield Finding(
                Status.WARN,
                "duplicate-subject",
                text,
                mend="say in each subject what only it does",
                counter=same[-1].counter,
            )


def _groups(patches: Iterable[Patch], key: Callable[[Patch], Hashable | None]) -> Iterator[tuple[Patch, ...]]:
    """Those that have the key in common with another one."""
    found: dict[Hashable, list[Patch]] = {}
    for patch in patches:
        if (of_patch := key(patch)) is not None:
            found.setdefault(of_patch, []).append(patch)
    return (tuple(same) for same in found.values() if len(same) > 1)


def _find_undone(patches: tuple[Patch, ...]) -> Iterator[Finding]:
    """Patches that take back all that an earlier one does."""
    waiting: dict[Hashable, Patch] = {}
    for patch in patches:
        done, undoes = _effect(patch, b"+", b"-"), _effect(patch, b"-", b"+")
        if done and undoes in waiting:
            text = f"it takes back all that patch {waiting[undoes].counter} does"
            yield Finding(Status.WARN, "undone", text, mend="leave both out", counter=patch.counter)
        elif done:
            waiting[done] = patch


def _effect(
    patch: Patch, added: bytes, removed: bytes
) -> frozenset[tuple[bytes, tuple[bytes, ...], tuple[bytes, ...]]]:
    """Path, lines added and lines removed of each file; empty where lines do not tell all (binary, mode, rename)."""
    files = frozenset((diff.path, _lines(diff, added), _lines(diff, removed)) for diff in patch.files)
    return files if all(more or less for _, more, less in files) and len(files) == len(patch.files) else frozenset()


def _lines(diff: FileDiff, mark: bytes) -> tuple[bytes, ...]:
    return tuple(line[1:] for hunk in diff.hunks for line in hunk.lines if line[:1] == mark)


def _find_mixed(patches: tuple[Patch, ...]) -> Iterator[Finding]:
    """Fixes behind other work, which they cannot overtake on their way to a release."""
    is_fix = {patch.counter: patch.is_fix for patch in patches}
    first = min((counter for counter in is_fix if not is_fix[counter]), default=None)
    late = sorted(counter for counter in is_fix if is_fix[counter] and first is not None and counter > first)
    if late:
        text = f"{_patches(late)} {plural(len(late), 'is a fix', 'are fixes')} (Fixes:) behind patches that are none"
        mend = "put fixes first, or send them apart: they go to another tree"
        yield Finding(Status.PASS, "mixed", text, mend=mend, source=_NETDEV)


def _counters(patches: Iterable[Patch]) -> list[int]:
    return sorted(patch.counter for patch in patches)


def _patches(counters: Iterable[int]) -> str:
    named = [str(counter) for counter in counters]
    listed = shortened(named, _MOST_NAMED) if len(named) > _MOST_NAMED else joined(named)
    return f"{plural(len(named), 'patch', 'patches')} {listed}"


CHECK = Check(
    "integrity", "every patch of the series is there, once, and none takes another one back", Scope.SERIES, run
)
