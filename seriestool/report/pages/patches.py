# SPDX-License-Identifier: GPL-2.0-or-later
"""Each patch with what the checks say of it beside the lines that it is about; big diffs are cut, and say so."""

from msgspec import Struct

from seriestool.report.pages.diffs import FileView, LineBlock, TextRow, attach_findings, cut, view_file
from seriestool.report.pages.finding_views import Counts, FindingView, PageFindings
from seriestool.series.model import Patch, Series

MOST_OF_PATCH = 1500
"""Lines of a patch's diff that are shown, besides those near findings."""
MOST_OF_PAGE = 30_000
MOST_OPEN = 3000
"""Lines in patches that are folded out from the start: laying out more takes a browser long."""
MOST_OF_MESSAGE = 500
MOST_FILES = 300
"""Of a patch."""


class PatchView(Struct, frozen=True, kw_only=True):
    """One patch."""

    patch: Patch
    said: tuple[FindingView, ...]
    """Of the patch as a whole."""
    said_left_out: int
    message: tuple[LineBlock, ...]
    files: tuple[FileView, ...]
    files_left_out: int
    counts: Counts
    is_open: bool
    """Whether there is something to fix, and room for it."""


class _LineBudget(Struct):
    """How many lines may still be shown, and be folded out."""

    lines: int = MOST_OF_PAGE
    open: int = MOST_OPEN


def view_patches(series: Series, found: PageFindings) -> tuple[PatchView, ...]:
    """The patches in order."""
    budget = _LineBudget()
    return tuple(_patch(patch, found, budget) for patch in series.patches)


def _patch(patch: Patch, found: PageFindings, budget: _LineBudget) -> PatchView:
    lines = _message_lines(patch)
    above: list[FindingView] = []
    of_message: list[FindingView] = []
    of_files: dict[bytes, list[FindingView]] = {diff.path: [] for diff in patch.files[:MOST_FILES]}
    for one in found.shown.get(patch.counter, ()):
        path = one.finding.path
        if path in of_files:
            of_files[path].append(one)
        elif path is None and 1 <= (one.finding.line or 0) <= len(lines):
            of_message.append(one)
        else:
            above.append(one)
    files = _files(patch, of_files, budget)
    counts = found.counts.get(patch.counter, ())
    height = len(lines) + sum(file.shown for file in files)
    is_open = bool(counts) and height <= budget.open
    budget.open -= height if is_open else 0
    return PatchView(
        patch=patch,
        said=tuple(above),
        said_left_out=found.left_out.get(patch.counter, 0),
        message=attach_findings([TextRow("same", n, cut(line)) for n, line in enumerate(lines, 1)], of_message),
        files=files,
        files_left_out=max(len(patch.files) - MOST_FILES, 0),
        counts=counts,
        is_open=is_open,
    )


def _files(patch: Patch, said: dict[bytes, list[FindingView]], budget: _LineBudget) -> tuple[FileView, ...]:
    own = MOST_OF_PATCH
    views = []
    for diff in patch.files[:MOST_FILES]:
        view = view_file(diff, said.pop(diff.path, []), min(own, budget.lines))
        own -= view.shown
        budget.lines -= view.shown
        views.append(view)
    return tuple(views)


def _message_lines(patch: Patch) -> list[str]:
    lines = list(patch.commit_message.lines[:MOST_OF_MESSAGE])
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    return lines
