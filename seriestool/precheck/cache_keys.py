# SPDX-License-Identifier: GPL-2.0-or-later
"""What the answer of a step depends on, as one digest: the same digest, the same answer."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from seriestool import __version__
from seriestool.base.search_context import SearchContext
from seriestool.rebase.patch_stack import SeriesBase
from seriestool.rebase.resolve_conflicts import resolutions_folder
from seriestool.series.model import Series
from seriestool.sources.pushlog import index_path

VERSION = 1
"""Goes up when a step may answer the same question in another way."""


def digest(*parts: object) -> str:
    """One digest for all parts; of each counts what `repr` says."""
    told = hashlib.sha256()
    for part in (VERSION, __version__, *parts):
        text = repr(part).encode("utf-8", "backslashreplace")
        told.update(b"%d:" % len(text) + text)
    return told.hexdigest()


def series_digest(series: Series | None) -> str:
    """All of the series, the raw mails included."""
    if series is None:
        return ""
    raws = [series.cover.raw if series.cover else b"", *(patch.raw for patch in series.patches)]
    return digest(series, [hashlib.sha256(raw).hexdigest() for raw in raws])


def context_digest(context: SearchContext) -> str:
    """The history that was indexed, the trees in their order, the tags, where trees pointed before, the push log."""
    manifest = context.history.manifest
    trees = [place.tree for place in context.tree_tips]
    log = index_path(context.repository.common_dir)
    return digest(
        str(context.repository.common_dir),
        manifest,
        trees,
        sorted(context.tag_names.items()),
        context.past,
        state_of_files((log, _wal(log))),
        sorted(_tree_settings(context)),
    )


def base_digest(base: SeriesBase | None) -> str:
    """What the series is put on."""
    if base is None:
        return ""
    files = sorted((path, state.mode, hashlib.sha256(state.content).hexdigest()) for path, state in base.files.items())
    return digest(base.footing, base.commit, base.matched, base.expected, files)


def lists_digest(index: Path) -> str:
    """The state of the index of lists."""
    return digest(state_of_files((index, _wal(index))))


def resolutions_digest(context: SearchContext) -> str:
    """The resolutions that are remembered."""
    folder = resolutions_folder(context.repository)
    return digest(state_of_files(sorted(folder.rglob("*")) if folder.is_dir() else ()))


def state_of_files(paths: Iterable[Path]) -> list[tuple[str, int, int]]:
    """Name, size and time of each of the files that are there."""
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((str(path), status.st_size, status.st_mtime_ns))
    return found


def _wal(path: Path) -> Path:
    """What SQLite has written beside a file and not yet into it."""
    return path.with_name(path.name + "-wal")


def _tree_settings(context: SearchContext) -> Iterable[tuple[str, tuple[str, ...]]]:
    return ((key, values) for key, values in context.repository.config().items() if key.startswith("seriestool.tree."))
