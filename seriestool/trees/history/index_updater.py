# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps the index up to date: what is new becomes a layer, small layers are merged into larger ones.

Layer files never change. An updater holds a lock, writes new files, and commits by replacing the manifest; readers
need no lock. A commit that was indexed stays, also when its branch was rebased away.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from seriestool.git import Ref, Repository
from seriestool.trees.history.history_index import History
from seriestool.trees.history.index_layer import IndexLayer
from seriestool.trees.history.index_manifest import Manifest, sweep, write_manifest
from seriestool.trees.history.tips_file import read_oids, write_tips
from seriestool.util.errors import OutsideError
from seriestool.util.files import find_content, locked, write_durably

if TYPE_CHECKING:
    from seriestool.trees.history.layer_builder import LayerDraft

Progress = Callable[[int], None]
_GROWTH = 4  # a layer has at least so many times the commits of the one above it


def index_dir(repository: Repository) -> Path:
    """Where the index of a repository is, unless the caller has a better place."""
    return repository.common_dir / "seriestool" / "history"


def fingerprint(repository: Repository, refs: Sequence[Ref]) -> str:
    """A digest of everything but the refs that decides what git says the history is.

    Object format, shallow boundary, grafts and replace refs (gitrepository-layout(5), git-replace(1)).
    """
    replaced = sorted(f"{name} {oid}" for name, oid in refs if name.startswith("refs/replace/"))
    parts = [
        repository.object_format.encode(),
        find_content(repository.common_dir / "shallow"),
        find_content(repository.common_dir / "info" / "grafts"),
        "\n".join(replaced).encode("utf-8", "surrogateescape"),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def update(
    repository: Repository,
    refs: Sequence[Ref],
    folder: Path,
    progress: Progress | None = None,
    past: Callable[[], Iterable[str]] = tuple,
) -> History:
    """The index in the folder, with all commits that the refs lead to; it is built where there is none.

    `past` gives ids of commits that refs led to before; it is asked only where the refs have moved.
    `progress` is told how many commits git has listed so far. A second updater waits for the first. Raises OutsideError
    where the folder cannot be written, GitError where git cannot read the history.
    """
    key, tips = fingerprint(repository, refs), sorted({ref.commit for ref in refs})
    wanted = hashlib.sha256("".join(tips).encode()).hexdigest()
    history = History.open(folder, key)
    if history and history.refs_digest == wanted:
        return history
    try:
        with _locked(folder):
            history = History.open(folder, key) or History([])
            if history.refs_digest != wanted:
                tips = sorted({*tips, *past()})
                history = _extend(
                    history=history,
                    repository=repository,
                    tips=tips,
                    folder=folder,
                    manifest=Manifest(key, wanted, is_shallow=repository.is_shallow),
                    progress=progress,
                )
    except OSError as error:
        raise OutsideError(
            f"cannot write the history index in '{folder}': {error.strerror or error}",
            hint="make room or give write permission there, or choose another folder",
        ) from error
    return history


def _extend(
    history: History,
    repository: Repository,
    tips: Sequence[str],
    folder: Path,
    manifest: Manifest,
    progress: Progress | None,
) -> History:
    """Index what the tips add to the history; commit it as `manifest`, to which layers and tips are added."""
    old = history.manifest
    layers = dict(zip(old.layers, history.layers, strict=True)) if old else {}
    new = _commits(repository, [tip for tip in tips if history.find_raw(bytes.fromhex(tip)) is None])
    if new:
        from seriestool.trees.history.layer_builder import (
            LogReader,  # NumPy: only here, it takes longer to import than to answer
        )

        known = read_oids(folder / old.tips, repository.oid_size) if old else []
        with repository.raw_log(new, known, has_messages=True) as stream:
            # What was read is large, and not needed any more once it is a draft.
            reader = LogReader.read(stream, 2 * repository.oid_size, progress, has_messages=True)
            draft = reader.draft(len(history), history.find_raw)
            del reader
        layers = _stack(folder, layers, draft)
    history = History(layers.values())
    tips_name = f"tips-{os.urandom(8).hex()}"
    found = ((oid, history.find_raw(oid)) for oid in map(bytes.fromhex, tips))
    write_tips(folder / tips_name, [(oid, position) for oid, position in found if position is not None])
    manifest = replace(manifest, tips=tips_name, layers=tuple(layers))
    write_manifest(folder, manifest)
    return History(layers.values(), manifest, folder)


def _commits(repository: Repository, oids: Sequence[str]) -> list[str]:
    """Those of the objects that are commits and here: a ref may lead to a blob, or to nothing."""
    return [found[0] for found in repository.objects.check(oids) if found and found[1] == "commit"]


def _stack(folder: Path, layers: dict[str, IndexLayer], draft: "LayerDraft") -> dict[str, IndexLayer]:
    """The layers with one more on top, made of the draft and of those below it that are not much larger."""
    from seriestool.trees.history.layer_builder import join, pack

    if not len(draft):
        return layers
    history = History(layers.values())
    kept = list(layers.items())
    while kept and len(kept[-1][1]) < _GROWTH * len(draft):
        draft = join(kept.pop()[1], draft)
    name = f"layer-{os.urandom(8).hex()}"
    write_durably(folder / name, pack(draft, history.depth))
    return {**dict(kept), name: IndexLayer.open(folder / name)}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One updater at a time; whatever an updater leaves behind is removed, be it this one or one that was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        try:
            yield
        finally:
            sweep(folder)
