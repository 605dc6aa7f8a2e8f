# SPDX-License-Identifier: GPL-2.0-or-later
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.series.mail import Mail, split_mbox
from seriestool.sources.archive import mails_on_disk
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from tests.support.repos import ROOT, Repo, shared

DATA = ROOT / "tests/data/mail"
V1 = ["v1-0@example.org", "v1-1@example.org", "v1-2@example.org"]
V2 = ["v2-0@example.org", "v2-1@example.org", "v2-2@example.org"]


def load(name: str) -> tuple[bytes, ...]:
    return split_mbox((DATA / name).read_bytes())


def found(path: Path, msgid: str | None, change_id: str | None = None) -> list[str]:
    return [Mail(raw).msgid for raw in mails_on_disk.find_thread(path, msgid, change_id)]


def v2_archive(repo: Repo, mails: tuple[bytes, ...]) -> Path:
    for mail in mails:
        repo.commit({"m": mail}, Mail(mail).subject.title or "mail")
    return repo.path


@pytest.fixture
def inbox(make_repo: Callable[..., Repo]) -> Path:
    other = (
        b"From: x@example.org\nSubject: [PATCH] other\nMessage-ID: <other@example.org>\n\n---\ndiff --git a/x b/x\n",
    )
    return v2_archive(make_repo("inbox.git", bare=True), load("two-versions.mbox") + other)


def test_git_archive_with_all_versions(inbox: Path) -> None:
    assert found(inbox, "v1-1@example.org") == V1 + V2
    assert found(inbox, "other@example.org") == ["other@example.org"]
    assert found(inbox, "unknown@example.org") == []


def test_git_archive_by_change_id(make_repo: Callable[..., Repo]) -> None:
    path = v2_archive(make_repo("inbox.git", bare=True), load("change-id-new-title.mbox"))
    assert found(path, None, "20260101-french-0123456789ab") == [*V1, "v2@example.org"]
    assert found(path, None, "20260101-other-0123456789ab") == []


def test_git_archive_of_several_epochs(tmp_path: Path) -> None:
    mails = load("two-versions.mbox")
    v2_archive(Repo(tmp_path / "inbox/git/0.git", bare=True), mails[:2])
    v2_archive(Repo(tmp_path / "inbox/git/1.git", bare=True), mails[2:])
    assert found(tmp_path / "inbox", "v2-2@example.org") == V1 + V2


def test_git_archive_with_a_mail_taken_back(make_repo: Callable[..., Repo]) -> None:
    repo = make_repo("inbox.git", bare=True)
    path = v2_archive(repo, load("two-versions.mbox"))
    repo.commit({"d": load("two-versions.mbox")[5], "m": None}, "delete")
    assert found(path, "v2-1@example.org") == V1 + V2[:2]


def test_git_archive_of_layout_v1(make_repo: Callable[..., Repo]) -> None:
    repo = make_repo("inbox.git", bare=True)
    for number, mail in enumerate(load("two-versions.mbox")):
        repo.commit({f"{number:02x}/{'0' * 37}{number}": mail}, "mail")
    assert found(repo.path, "v1-0@example.org") == V1 + V2


def test_git_archive_with_a_work_tree(repo: Repo) -> None:
    assert found(v2_archive(repo, load("two-versions.mbox")), "v1-0@example.org") == V1 + V2


def test_empty_git_archive(make_repo: Callable[..., Repo]) -> None:
    assert found(make_repo("inbox.git", bare=True).path, "v1-0@example.org") == []


def test_mbox_and_gz(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "a.mbox.gz").write_bytes(gzip.compress((DATA / "two-series.mbox").read_bytes()))
    assert found(tmp_path / "a.mbox.gz", "v1-0@example.org") == V1
    assert found(DATA / "two-series.mbox", "o1@example.org") == ["o1@example.org", "o2@example.org"]


def test_maildir(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / folder).mkdir()
    for number, mail in enumerate(load("two-versions.mbox")):
        (tmp_path / ("cur" if number % 2 else "new") / f"17.{number}.host:2,S").write_bytes(mail)
    (tmp_path / "tmp/half").write_bytes(b"From: a@example.org\n\n")
    (tmp_path / "cur/.hidden").write_bytes(b"From: a@example.org\n\n")
    assert sorted(found(tmp_path, "v1-0@example.org")) == V1 + V2


def test_folder_of_patches_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("0002-b.patch", "0001-a.patch", "0003-c.eml"):
        (tmp_path / name).write_bytes(f"From: a@example.org\nSubject: {name}\n\n".encode())
    (tmp_path / "README").write_text("From: no@example.org\n\n")
    subjects = [Mail(raw).header("subject") for raw in mails_on_disk.read_folder(tmp_path)]
    assert subjects == [b"0001-a.patch", b"0002-b.patch", b"0003-c.eml"]


def test_folder_without_patches(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("words")
    with pytest.raises(InputError, match="has no mail in it"):
        mails_on_disk.read_folder(tmp_path)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        mails_on_disk.read_file(tmp_path / "x")


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="cannot read"):
        mails_on_disk.read_file(tmp_path)


def test_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.mbox"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)  # sparse
    with pytest.raises(InputError, match="is larger than 200 MB"):
        mails_on_disk.read_file(path)


def test_a_real_archive_in_one_stream(make_repo: Callable[..., Repo], tmp_path: Path) -> None:
    bundle = shared("data/linux-nfs-2026.bundle")
    make_repo("x").git("clone", "--quiet", "--bare", str(bundle), str(tmp_path / "nfs.git"))
    thread = found(tmp_path / "nfs.git", "20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com")
    assert len(thread) == 21
