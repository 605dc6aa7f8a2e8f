# SPDX-License-Identifier: GPL-2.0-or-later
"""A first answer before the whole history is in: the commits of some months, indexed in memory.

What a path was before the window, the commits at its edge have in their trees: the first parents that lie outside.
They make a layer below the window's commits, in which each is a root that creates the files that are asked for.
"""

from collections.abc import Iterable, Sequence

from seriestool.git import ObjectReader, Ref, Repository, TreeObject
from seriestool.trees.history.history_index import History
from seriestool.trees.history.index_layer import IndexLayer
from seriestool.trees.history.index_updater import Progress
from seriestool.trees.history.path_values import value_of

_LATEST = 2**32 - 1


class HistoryWindow:
    """The commits of a time, and those at its edge."""

    def __init__(self, repository: Repository, edge: Sequence[bytes], layer: IndexLayer) -> None:
        self._repository = repository
        self._edge = edge
        self._layer = layer

    def __len__(self) -> int:
        return len(self._layer)

    def history(self, paths: Iterable[bytes]) -> History:
        """The window as a history that knows these paths; of others it knows what changed within the window only.

        Ancestry, depths and changes begin at the edge.
        """
        from seriestool.trees.history.layer_builder import pack, roots_draft

        wanted = tuple(dict.fromkeys(paths))
        trees = _TreeStateReader(self._repository.objects)
        commits = [trees.commit(oid) for oid in self._edge]
        states = [trees.states(tree, wanted) for tree, _ in commits]
        draft = roots_draft(list(self._edge), [time for _, time in commits], states, self._repository.oid_size)
        below = IndexLayer(b"".join(pack(draft, lambda _: 0)))
        return History([below, self._layer])


def index_window(
    repository: Repository, refs: Sequence[Ref], since: int, until: int, progress: Progress | None = None
) -> HistoryWindow:
    """The commits that the refs lead to, with a committer's time of since..until (seconds since 1970, UTC).

    As with git log, a line of commits is followed down to the first one that is older than `since`. Raises GitError
    where git cannot read the history.
    """
    from seriestool.trees.history.layer_builder import LogReader, pack

    tips = sorted({ref.commit for ref in refs})
    with repository.raw_log(tips, since=since, until=until) as stream:
        reader = LogReader.read(stream, 2 * repository.oid_size, progress)
    edge = reader.outside()
    places = {oid: place for place, oid in enumerate(edge)}
    draft = reader.draft(len(edge), places.get)
    return HistoryWindow(repository, edge, IndexLayer(b"".join(pack(draft, lambda _: 0))))


class _TreeStateReader:
    """Reads states from tree objects, each of which is read once: the commits at an edge share most of them."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects
        self._seen: dict[str, TreeObject] = {}

    def commit(self, oid: bytes) -> tuple[str, int]:
        """The commit's tree, and the committer's time; an empty tree where the commit is not here."""
        found = self._objects.commit(oid.hex())
        return (found.tree, min(found.committer.time, _LATEST)) if found else ("", 0)

    def states(self, tree: str, paths: Iterable[bytes]) -> dict[bytes, int]:
        """What the tree has at those of the paths that it has."""
        return {path: value for path in paths if (value := self._state(tree, path.split(b"/")))}

    def _state(self, tree: str, names: Sequence[bytes]) -> int:
        for name in names[:-1]:
            folder = self._entries(tree).get(name)
            if folder is None or folder.kind != "tree":
                return 0
            tree = folder.oid
        entry = self._entries(tree).get(names[-1])
        return 0 if entry is None or entry.kind == "tree" else value_of(entry.mode, entry.oid)

    def _entries(self, tree: str) -> TreeObject:
        if tree not in self._seen:
            self._seen[tree] = (self._objects.tree(tree) if tree else None) or TreeObject()
        return self._seen[tree]
