# SPDX-License-Identifier: GPL-2.0-or-later
"""Things that hang together, directly or through others."""

from collections.abc import Iterable, Mapping


def connected_groups(ties: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The keys in lots: two are in one lot where they have a name in common, or are each other's, or through others."""
    leader: dict[str, str] = {}

    def top(name: str) -> str:
        while (above := leader.setdefault(name, name)) != name:
            leader[name] = leader[above]
            name = above
        return name

    for key, names in ties.items():
        for name in names:
            leader[top(key)] = top(name)
    lots: dict[str, list[str]] = {}
    for key in ties:
        lots.setdefault(top(key), []).append(key)
    return list(lots.values())
