# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is whose parent in a made-up history: a main line that merges topics, and stable lines beside it."""

import random
from dataclasses import dataclass

STABLE_SHARE = 0.3
TOPIC = 14  # commits, on average


@dataclass(frozen=True, slots=True)
class Size:
    """How large a history is made."""

    commits: int = 1_400_000
    files: int = 90_000
    changes: int = 5_000_000
    refs: int = 5_000


class Shape:
    """Commits are numbered oldest first; a topic's come right before its merge, those of the stable lines last."""

    def __init__(self, size: Size, seed: int = 1) -> None:
        chosen = random.Random(seed)
        self.parents: list[tuple[int, ...]] = [()]
        self.merged: dict[int, range] = {}
        self.stable: list[range] = []
        main = [0]
        until_stable = int(size.commits * (1 - STABLE_SHARE))
        while len(self.parents) < until_stable:
            fork = main[-1 - min(int(chosen.expovariate(1 / 200)), len(main) - 1)]
            topic = self._line(fork, min(1 + int(chosen.expovariate(1 / TOPIC)), 200))
            self.merged[len(self.parents)] = topic
            main.append(len(self.parents))
            self.parents.append((main[-2], topic[-1]))
        while len(self.parents) < size.commits:
            length = min(size.commits - len(self.parents), 10_000)
            self.stable.append(self._line(chosen.choice(main), length))
        self.main = main

    def _line(self, parent: int, length: int) -> range:
        first = len(self.parents)
        self.parents += [(parent,), *((number,) for number in range(first, first + length - 1))]
        return range(first, first + length)

    def tips(self, count: int) -> list[int]:
        """The ends of all lines, and tags spread over the main line, `count` in all."""
        ends = [self.main[-1], *(line[-1] for line in self.stable)]
        tags = max(1, count - len(ends))
        return [*ends, *self.main[:: max(1, len(self.main) // tags)][:tags]]
