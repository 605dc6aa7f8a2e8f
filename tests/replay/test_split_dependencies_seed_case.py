# SPDX-License-Identifier: GPL-2.0-or-later
"""What ties the nine patches of a real series to each other, on the base that was rebuilt for it.

https://lore.kernel.org/r/20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com; each pair was looked up by hand.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from seriestool.base.find import find_base
from seriestool.base.prerequisites.patch_source import PatchSource
from seriestool.base.prerequisites.rebuilt_base import find_prerequisites
from seriestool.base.search_context import SearchContext
from seriestool.git import Repository
from seriestool.series.apply import FileState, apply_patch
from seriestool.series.model import PatchFailure
from seriestool.sources.lists.list_update import update_list
from seriestool.sources.lists.patch_index import find_index
from seriestool.sources.lists.patch_index_writer import make_index
from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.split.dependency_graph import Dependency, DependencyKind, PatchStage
from seriestool.split.patch_dependencies import find_dependencies
from seriestool.trees import list_tags, list_trees
from seriestool.trees.history import update
from tests.support.repos import Repo, shared

TEXT = {"2<-1", "5<-4", "6<-4", "8<-4"}
SYMBOL = {"4<-2", "4<-3", "5<-4", "6<-4", "7<-3", "8<-2", "8<-3", "8<-7", "9<-2", "9<-3", "9<-8"}
SCOPE = {"7<-4"}
NAMES = {
    "4<-2": {"HANDSHAKE_A_DONE_TAG"},
    "6<-4": {"HANDSHAKE_MAX_SESSIONTAGS"},
    "5<-4": {"handshake_try_complete", "handshake_finish_complete"},
    "8<-2": {"HANDSHAKE_SESSION_TAG_MAX_LEN"},
    "8<-7": {"xpt_handshake_tags"},
    "9<-2": {"HANDSHAKE_SESSION_TAG_MAX_LEN"},
    "9<-8": {"NFSD_MAX_ALLOW_TAGS", "check_allow_tags", "ex_allow_tags"},
}


def make_stages(folder: Path) -> list[PatchStage]:
    """The patches on the rebuilt base."""
    kernel, archive = Repo(folder / "kernel.git", bare=True), Repo(folder / "linux-nfs.git", bare=True)
    kernel.git("fetch", "--quiet", str(shared("data/kernel-subset.bundle")), "+refs/*:refs/*")
    archive.git("fetch", "--quiet", str(shared("data/linux-nfs-2026.bundle")), "+refs/heads/*:refs/heads/*")
    archive.git("symbolic-ref", "HEAD", "refs/heads/master")
    with make_index(folder / "lists.sqlite") as index:
        update_list(index, "linux-nfs", str(archive.path), folder / "mirrors")
    series = series_of_text(shared("data/tls-session-tags/series.mbox").read_bytes(), SeriesSelector(), "series.mbox")
    with Repository.open(kernel.path) as repository:
        refs = repository.refs()
        history = update(repository, refs, folder / "index")
        search_context = SearchContext(
            repository, history, list_trees(refs, repository.config(), repository.head()), list_tags(refs)
        )
        lists = find_index(folder / "lists.sqlite")
        assert lists is not None
        with lists:
            rebuilt = find_prerequisites(find_base(series, search_context), search_context, PatchSource(lists)).rebuilt
        assert rebuilt is not None
        position = history.find(rebuilt.commit)
        assert position is not None
        files = {**search_context.contents.at(position, series.touched), **rebuilt.grafts}
        for layer in rebuilt.layers:
            files.update(layer.files)
    stages = []
    for patch in series.patches:
        applied = apply_patch(files, patch.files)
        assert not isinstance(applied, PatchFailure), (patch.counter, applied)
        paths = {path for diff in patch.files for path in (diff.old_path, diff.new_path) if path is not None}
        stages.append(PatchStage(patch, _some(files, paths), _some(applied.files, paths)))
        files = dict(applied.files)
    return stages


def _some(files: Mapping[bytes, FileState], paths: set[bytes]) -> dict[bytes, FileState]:
    return {path: files[path] for path in paths if path in files}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dependency, ...]]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("seed")
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        patch.setenv("HOME", str(folder))  # wider than a test, so the sealed one is not there yet
        yield find_dependencies(make_stages(folder))


def pairs(found: tuple[Dependency, ...], tie: DependencyKind) -> dict[str, set[str]]:
    return {f"{one.patch}<-{one.needs}": set(one.names) for one in found if one.tie is tie}


def test_by_text(found: tuple[Dependency, ...]) -> None:
    assert set(pairs(found, DependencyKind.TEXT)) == TEXT


def test_by_symbol(found: tuple[Dependency, ...]) -> None:
    names = pairs(found, DependencyKind.SYMBOL)
    assert set(names) == SYMBOL
    assert {pair: names[pair] for pair in NAMES} == NAMES
    for pair in ("4<-3", "7<-3", "8<-3", "9<-3"):
        assert "tagset_destroy" in names[pair]
        assert all("tagset" in name.lower() or name == "ts_finalized" for name in names[pair])


def test_by_scope(found: tuple[Dependency, ...]) -> None:
    """Patch 7 uses the parameter that patch 4 gives to svc_tcp_handshake_done."""
    assert pairs(found, DependencyKind.SCOPE) == {"7<-4": {"tags"}}


def test_order(found: tuple[Dependency, ...]) -> None:
    ties = list(DependencyKind)
    keys = [(one.patch, one.needs, ties.index(one.tie)) for one in found]
    assert keys == sorted(set(keys))
