# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees, suggestions and sightings in the push log, as text and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from seriestool.git import without_password
from seriestool.report.style import Style
from seriestool.series.model import SCHEMA
from seriestool.sources.pushlog import Push
from seriestool.sources.pushlog.push_log_index import Sighting
from seriestool.trees import ConfiguredTree, Tree
from seriestool.trees.suggestions import Suggestion

_SHORT = 12  # digits of an id in a table
_COMMITS = 30  # of one push that are shown


def trees_dict(trees: Iterable[Tree], unfetched: Iterable[ConfiguredTree]) -> dict[str, object]:
    """The trees as JSON shows them; those that were never fetched have no commit."""
    absent = [_unfetched(tree).to_dict() | {"commit": None} for tree in unfetched]
    return {"schema": SCHEMA, "trees": [*(tree.to_dict() for tree in trees), *absent]}


def trees_text(trees: Sequence[Tree], unfetched: Sequence[ConfiguredTree], style: Style) -> str:
    """One line for each tree: name, tip, where it comes from."""
    rows = [(tree, style.plain(tree.commit[:_SHORT])) for tree in trees]
    rows += [(_unfetched(tree), style.warn("not fetched".ljust(_SHORT))) for tree in unfetched]
    width = min(max((len(tree.name) for tree, _ in rows), default=0), 40)
    return "\n".join(
        f"{style.strong(tree.name.ljust(width))}  {tip}  {style.faint(_origin(tree))}".rstrip() for tree, tip in rows
    )


def suggestions_dict(msgid: str, suggestions: Iterable[Suggestion]) -> dict[str, object]:
    """The suggestions as JSON shows them, the likeliest first."""
    return {"schema": SCHEMA, "series": msgid, "suggestions": [one.to_dict() for one in suggestions]}


def suggestions_text(suggestions: Sequence[Suggestion], style: Style) -> str:
    """For each tree its name and where it is, and below that what speaks for it."""
    lines = []
    for one in suggestions:
        place = one.tree.commit[:_SHORT] if one.tree else f"not here: {one.url or ''}"
        lines.append(f"{style.plain(f'{one.score:5.1f}')}  {style.strong(one.name)}  {style.faint(place)}")
        lines += [f"       {style.plain(reason)}" for reason in one.reasons]
    return "\n".join(lines)


def sightings_dict(
    oid: str, sightings: Iterable[Sighting], pushes: Mapping[str, Push], ref: str | None
) -> dict[str, object]:
    """What the push log says of a commit; `ref` keeps it here if it was fetched."""
    return {
        "schema": SCHEMA,
        "commit": oid,
        "fetched": ref,
        "sightings": [
            one.to_dict() | {"commits": [{"commit": c, "subject": s} for c, s in _carried(one, pushes)]}
            for one in sightings
        ],
    }


def sightings_text(sightings: Sequence[Sighting], pushes: Mapping[str, Push], style: Style) -> str:
    """For each commit where and when it was seen, and what the push that tells of it carried."""
    lines = []
    for commit, group in groupby(sightings, key=lambda one: one.commit):
        lines.append(style.strong(commit))
        for one in group:
            lines.append(f"  {style.plain(f'{_role(one)} {one.ref} in {one.repo}')}")
            lines.append(f"    {style.plain(_when(one))}")
            carried = _carried(one, pushes)
            lines.append(f"    {style.faint(f'{_told_by(one)} <{one.msgid}>, with {len(carried)} commits')}")
            lines += [f"      {style.faint(c[:_SHORT])} {style.plain(s)}" for c, s in carried[:_COMMITS]]
            if len(carried) > _COMMITS:
                lines.append(f"      {style.faint(f'and {len(carried) - _COMMITS} more')}")
    return "\n".join(lines)


def _unfetched(tree: ConfiguredTree) -> Tree:
    return Tree(
        name=tree.name,
        ref=tree.ref or tree.folder,
        commit="",
        url=without_password(tree.url),
        branch=tree.branch,
        kind="configured",
    )


def _origin(tree: Tree) -> str:
    if tree.kind == "branch":
        return "branch"
    return " ".join(part for part in (tree.url, tree.branch) if part) or tree.kind


def _carried(one: Sighting, pushes: Mapping[str, Push]) -> tuple[tuple[str, str], ...]:
    push = pushes.get(one.msgid)
    return next((change.commits for change in push.changes if change.ref == one.ref), ()) if push else ()


def _role(one: Sighting) -> str:
    return "tip of" if one.role == "tip" else "pushed below the tip of"


def _told_by(one: Sighting) -> str:
    return "replaced by push" if one.until else "push"


def _when(one: Sighting) -> str:
    if one.role == "carried":
        return f"at {_time(one.since)}"
    since = f"from {_time(one.since)}" if one.since else "from an unknown time"
    if one.until:
        return f"{since} until {_time(one.until)}"
    if one.gone_by:
        return f"{since}, no longer at {_time(one.gone_by)}"
    return f"{since}; nothing newer is in the log"


def _time(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if time else "an unknown time"
