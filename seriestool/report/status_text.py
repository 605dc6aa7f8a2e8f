# SPDX-License-Identifier: GPL-2.0-or-later
"""How tracked series stand, for people: a line for each, and all that is known where it is asked for."""

from collections.abc import Iterable, Iterator, Sequence

from seriestool.report.style import Style
from seriestool.series.model import path_text
from seriestool.track.series_status import ApplyState, LandedPatch, SeriesStatus, TreeStatus
from seriestool.util.text import count

_SHORT = 12
_WORDS = {
    ApplyState.EXACT: "exact on",
    ApplyState.APPLIES: "applies to",
    ApplyState.MERGES: "merges with",
    ApplyState.MERGED: "merged in",
    ApplyState.CONFLICTS: "conflicts with",
}


def status_text(standings: Sequence[SeriesStatus], style: Style, details: bool) -> str:
    """One line for each series, and with `details` what is behind it."""
    width = max((len(one.name) for one in standings), default=0)
    blocks = ("\n".join(_block(one, width, style, details)) for one in standings)
    return ("\n\n" if details else "\n").join(blocks)


def _block(standing: SeriesStatus, width: int, style: Style, details: bool) -> Iterator[str]:
    yield f"{style.strong(standing.name)}{' ' * (width - len(standing.name))}  {_summary(standing, style)}"
    if details:
        yield from (f"  {line}" for line in _details(standing, style))


def _summary(standing: SeriesStatus, style: Style) -> str:
    parts = [f"v{standing.tracked.newest.version}"] if standing.tracked else []
    parts += [text for state in _WORDS if (text := _of_state(state, standing.trees, style))]
    if standing.is_superseded and standing.newest:
        parts.append(style.warn(f"v{standing.newest.version} is out"))
    parts += [style.warn(problem) for problem in standing.problems]
    return "; ".join(parts).replace("; ", "  ", 1) if standing.tracked else "; ".join(parts)


def _of_state(state: ApplyState, trees: Iterable[TreeStatus], style: Style) -> str:
    found = [tree for tree in trees if tree.state is state]
    if not found:
        return ""
    if state is not ApplyState.CONFLICTS:
        return style.good(f"{_WORDS[state]} {', '.join(one.tree for one in found)}")
    patches = sorted({one.patch or 0 for one in found})
    groups = (
        f"{', '.join(one.tree for one in found if (one.patch or 0) == patch)} at patch {patch}" for patch in patches
    )
    return style.bad(f"{_WORDS[state]} {' and '.join(groups)}")


def _details(standing: SeriesStatus, style: Style) -> Iterator[str]:
    tracked = standing.tracked
    if tracked is None:
        return
    newest = tracked.newest
    patches = count(newest.patches, "patch", "patches")
    yield f"{style.plain(tracked.subject)}, {patches}, posted {newest.posted:%Y-%m-%d}"
    for tree in standing.trees:
        yield from _tree(tree, standing, style)
    if standing.is_superseded and standing.newest:
        found = standing.newest
        yield f"v{found.version} was posted {found.posted:%Y-%m-%d}: {style.plain(found.msgid)}"


def _tree(tree: TreeStatus, standing: SeriesStatus, style: Style) -> Iterator[str]:
    tip = f" ({tree.tip[:_SHORT]})" if tree.tip else ""
    yield f"{style.plain(tree.tree)}{tip}: {_state(tree, style)}"
    if tree.broke:
        yield f"  not any more since {_commit(tree.broke, standing, style)}"
    yield from (f"  in its way: {_commit(oid, standing, style)}" for oid in tree.behind if oid != tree.broke)
    yield from (f"  {_landed(one, standing, style)}" for one in tree.landed)


def _state(tree: TreeStatus, style: Style) -> str:
    if tree.state is ApplyState.CONFLICTS:
        where = f", {path_text(tree.path)}" if tree.path is not None else ""
        return style.bad(f"conflicts at patch {tree.patch}{where}")
    if tree.state is ApplyState.NO_TREE:
        return style.warn("there is no such tree here")
    return style.good(str(tree.state))


def _landed(one: LandedPatch, standing: SeriesStatus, style: Style) -> str:
    if one.commit is None:
        return f"patch {one.counter} is there ({one.how})"
    return f"patch {one.counter} is {_commit(one.commit, standing, style)} ({one.how})"


def _commit(oid: str, standing: SeriesStatus, style: Style) -> str:
    commit = standing.commit(oid)
    if commit is None:
        return oid[:_SHORT]
    return style.plain(f"{oid[:_SHORT]} {commit.date:%Y-%m-%d} {commit.author}: {commit.subject}")
