# SPDX-License-Identifier: GPL-2.0-or-later
"""Versions put into the folder: nothing that differs is replaced unasked, nothing outside of the folder is touched."""

import json
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from seriestool.series.model import Series
from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.track.store_version import Extras, StoredVersion, mbox_of, store_version
from seriestool.track.track_store import TrackStore
from seriestool.util.errors import InputError, NotFoundError, OutsideError

CHANGE_ID = "20260316-lamp-fade-9d0042583f44"


def mail(version: int = 1, old: str = "on", subject: str = "lamp: fade", change_id: str | None = CHANGE_ID) -> Series:
    prefix = f"PATCH v{version}" if version > 1 else "PATCH"
    trailer = f"change-id: {change_id}\n" if change_id else ""
    raw = f"""\
From: A U Thor <author@example.com>
Date: Mon, 16 Mar 2026 10:00:00 +0000
Subject: [{prefix}] {subject}
Message-ID: <v{version}@example.com>
X-Odd: >kept

From here on it fades.
>From above, too.
---
{trailer}
diff --git a/lamp.c b/lamp.c
index 1111111111..2222222222 100644
--- a/lamp.c
+++ b/lamp.c
@@ -1 +1 @@
-{old}
+off
"""
    return series_of_text(raw.encode(), SeriesSelector(), "mail")


@pytest.fixture
def store(tmp_path: Path) -> TrackStore:
    return TrackStore(tmp_path / "series")


def put(store: TrackStore, series: Series, extras: Extras = Extras(), force: bool = False) -> StoredVersion:  # noqa: B008
    return store_version(store, store.home_of(series), series, extras, force)


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_facts_mails_and_report_are_kept(store: TrackStore) -> None:
    kept = put(store, mail(), Extras(report={"schema": 1}, trees=("next",)))
    assert kept.is_new
    assert set(files(store.root)) == {
        f"{CHANGE_ID}/{name}" for name in ("series.toml", "versions/v1.mbox", "reports/v1.json")
    }
    assert store.names() == (CHANGE_ID,)
    assert store.get(CHANGE_ID) == kept.tracked
    assert json.loads(store.read(CHANGE_ID, "reports/v1.json") or b"") == {"schema": 1}
    assert kept.tracked.trees == ("next",)


def test_the_mails_are_read_again_as_they_came(store: TrackStore) -> None:
    series = mail()
    kept = put(store, series)
    again = store.series(kept.tracked, kept.version)
    assert again.to_dict() == series.to_dict()
    assert again.patches[0].raw.rstrip() == series.patches[0].raw.rstrip()
    assert again.patches[0].message == series.patches[0].message
    assert again.patches[0].diff.rstrip() == series.patches[0].diff.rstrip()
    assert not put(store, again).is_new


def test_a_series_that_never_was_a_mail_is_kept_too(store: TrackStore) -> None:
    series = mail()
    bare = replace(series, patches=tuple(replace(patch, raw=b"") for patch in series.patches))
    kept = put(store, bare)
    assert store.series(kept.tracked, kept.version).patches[0].diff.strip() == series.patches[0].diff.strip()


def test_without_mails_there_are_only_facts(store: TrackStore) -> None:
    kept = put(store, mail(), Extras(mails=False))
    assert set(files(store.root)) == {f"{CHANGE_ID}/series.toml"}
    with pytest.raises(NotFoundError, match="not kept"):
        store.series(kept.tracked, kept.version)


def test_the_same_again_changes_nothing(store: TrackStore) -> None:
    put(store, mail(), Extras(report={}))
    before = files(store.root)
    assert not put(store, mail()).is_new
    assert files(store.root) == before


def test_a_new_version_comes_beside_the_old_one(store: TrackStore) -> None:
    put(store, mail())
    old = files(store.root)[f"{CHANGE_ID}/versions/v1.mbox"]
    put(store, mail(3, subject="lamp: fade slowly"))
    put(store, mail(2))
    tracked = store.get(CHANGE_ID)
    assert [one.version for one in tracked.versions] == [1, 2, 3]
    assert tracked.subject == "lamp: fade slowly"
    assert files(store.root)[f"{CHANGE_ID}/versions/v1.mbox"] == old


def test_a_version_that_differs_is_not_replaced_unless_forced(store: TrackStore) -> None:
    put(store, mail())
    before = files(store.root)
    with pytest.raises(InputError, match="differs"):
        put(store, mail(old="dim"))
    other = replace(mail(), msgid="evil@example.com")
    with pytest.raises(InputError, match="another v1"):
        put(store, other)
    assert files(store.root) == before
    put(store, other, force=True)
    assert store.get(CHANGE_ID).newest.msgid == "evil@example.com"


def test_another_series_of_the_same_name_is_refused_even_with_force(store: TrackStore) -> None:
    """A change-id that is what another series is called here."""
    name = put(store, mail(change_id=None)).tracked.name
    thief = mail(subject="evil", change_id=None)
    thief = replace(thief, change_id=name, msgid="evil@example.com")
    with pytest.raises(InputError, match="another series"):
        store_version(store, name, thief, Extras(), force=True)


def test_without_change_id_the_next_version_finds_its_folder(store: TrackStore) -> None:
    first = put(store, mail(change_id=None))
    second = put(store, mail(2, change_id=None))
    assert second.tracked.name == first.tracked.name
    third = put(store, mail(3))
    assert third.tracked.name == first.tracked.name
    assert third.tracked.change_id == CHANGE_ID
    other = replace(mail(subject="another lamp", change_id=None), msgid="other@example.com")
    assert store.home_of(other) != first.tracked.name


def test_trees_and_comments_by_hand_stay(store: TrackStore) -> None:
    put(store, mail(), Extras(trees=("next",)))
    path = store.root / CHANGE_ID / "series.toml"
    path.write_text("# mine\nowner = 'me'\n" + path.read_text().replace('["next"]', '["next", "mine"]'))
    put(store, mail(2))
    assert path.read_text().startswith("# mine\nowner = 'me'\n")
    assert store.get(CHANGE_ID).trees == ("next", "mine")


def test_a_damaged_record_is_not_written_over(store: TrackStore) -> None:
    put(store, mail())
    path = store.root / CHANGE_ID / "series.toml"
    path.write_text("half a lin")
    for force in (False, True):
        with pytest.raises(InputError, match="no TOML"):
            put(store, mail(2), force=force)
    assert path.read_text() == "half a lin"


@pytest.mark.parametrize("inner", ["", "versions", "versions/v1.mbox", "series.toml"])
def test_no_symbolic_link_leads_out_of_the_folder(store: TrackStore, tmp_path: Path, inner: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = store.root / CHANGE_ID / inner
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside / "file" if "." in inner else outside)
    with pytest.raises(InputError, match="symbolic link"):
        store_version(store, CHANGE_ID, mail(), Extras(report={}))
    assert list(outside.iterdir()) == []


def test_remove_takes_only_what_track_put_there(store: TrackStore, tmp_path: Path) -> None:
    put(store, mail(), Extras(report={}))
    folder = store.root / CHANGE_ID
    (folder / "notes.txt").write_text("mine")
    (tmp_path / "precious.mbox").write_text("precious")
    (folder / "versions/link.mbox").symlink_to(tmp_path / "precious.mbox")
    left = store.remove(CHANGE_ID)
    assert [path.name for path in left] == ["notes.txt", "versions", "link.mbox"]
    assert (tmp_path / "precious.mbox").read_text() == "precious"
    assert store.names() == ()


def test_remove_of_a_linked_folder_touches_nothing(store: TrackStore, tmp_path: Path) -> None:
    put(store, mail())
    (store.root / CHANGE_ID).rename(tmp_path / "moved")
    (store.root / CHANGE_ID).symlink_to(tmp_path / "moved")
    with pytest.raises(InputError, match="symbolic link"):
        store.remove(CHANGE_ID)
    assert (tmp_path / "moved/series.toml").exists()


@pytest.mark.parametrize("name", ["..", ".", "/etc", "a/b", "", ".git", "A"])
def test_names_that_are_none_are_not_there(store: TrackStore, name: str) -> None:
    with pytest.raises(NotFoundError):
        store.get(name)


def test_a_folder_that_cannot_be_made_is_told(store: TrackStore) -> None:
    store.root.write_text("a file")
    with pytest.raises(OutsideError, match="cannot use"):
        store_version(store, CHANGE_ID, mail(), Extras())


def test_a_disk_that_is_full_leaves_what_was_there(store: TrackStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, mail())
    before = files(store.root)

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutsideError, match="No space left"):
        put(store, mail(2))
    monkeypatch.undo()
    assert files(store.root) == before


def test_many_at_once_lose_nothing(store: TrackStore) -> None:
    threads = [threading.Thread(target=put, args=(store, mail(number))) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.version for one in store.get(CHANGE_ID).versions] == list(range(1, 9))


def test_the_mbox_escapes_what_would_end_a_mail() -> None:
    lines = mbox_of(mail()).splitlines()
    assert [line for line in lines if b"From " in line] == [
        b"From mboxrd@z Thu Jan  1 00:00:00 1970", b">From here on it fades.", b">>From above, too."
    ]  # fmt: skip
