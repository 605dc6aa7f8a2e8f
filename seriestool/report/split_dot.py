# SPDX-License-Identifier: GPL-2.0-or-later
"""A plan as a Graphviz graph: what has to go first points to what needs it, each tree is a cluster."""

from collections.abc import Collection, Iterator

from seriestool.report.terminal import printable_line
from seriestool.split.dependency_graph import Dependency
from seriestool.split.split_plan import SplitPlan, SubSeries
from seriestool.util.text import shortened

_NAMES = 3
_TITLE = 60


def plan_dot(plan: SplitPlan, stopped: Collection[int] = ()) -> str:
    """The graph, for `dot -Tsvg`; patches that conflict (`stopped`) have a red frame."""
    lines = [
        "digraph plan {",
        "  rankdir=LR;",
        '  node [shape=box, fontname="sans-serif"];',
        f"  label={_quoted(plan.subject)};",
    ]
    for one in plan.subseries:
        lines += _cluster(one, stopped)
    lines += _edges(plan)
    return "\n".join([*lines, "}"])


def _cluster(one: SubSeries, stopped: Collection[int]) -> Iterator[str]:
    yield f"  subgraph cluster_{one.number} {{"
    yield f"    label={_quoted(f'{one.number}. {one.name}')};"
    for patch in one.patches:
        title = patch.subject if len(patch.subject) <= _TITLE else patch.subject[: _TITLE - 1] + "…"
        color = ", color=red" if patch.counter in stopped else ""
        yield f"    p{patch.counter} [label={_quoted(f'{patch.counter} {title}')}{color}];"
    yield "  }"


def _edges(plan: SplitPlan) -> Iterator[str]:
    known = {counter for one in plan.subseries for counter in one.counters}
    for one in plan.dependencies:
        if one.patch in known and one.needs in known:
            yield f"  p{one.needs} -> p{one.patch} [label={_quoted(_label(one))}];"


def _label(one: Dependency) -> str:
    return f"{one.tie}: {shortened(one.names, _NAMES)}" if one.names else str(one.tie)


def _quoted(text: str) -> str:
    """A quoted string; in a label a backslash would begin an escape (https://graphviz.org/docs/attr-types/escString/)."""
    return '"' + printable_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
