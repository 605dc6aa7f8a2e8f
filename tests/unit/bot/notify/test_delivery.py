# SPDX-License-Identifier: GPL-2.0-or-later
"""Drafts: each is there once, wherever the person who reads them has put it."""

import mailbox
import os
from pathlib import Path

import pytest

from seriestool.bot.notify.delivery import DeliveryStatus, Maildir

ID = "0123456789abcdef" * 2
MAIL = b"To: author@example.org\r\nSubject: Re: x\r\n\r\nHello\r\n"


def test_a_draft_is_a_mail_in_new(tmp_path: Path) -> None:
    way = Maildir(tmp_path / "drafts")
    assert way.deliver(ID, MAIL).status is DeliveryStatus.DELIVERED
    box = mailbox.Maildir(tmp_path / "drafts", create=False)
    assert [mail["Subject"] for mail in box] == ["Re: x"]
    assert list((tmp_path / "drafts/tmp").iterdir()) == []
    assert (tmp_path / "drafts/new" / f"{ID}.seriestool").read_bytes() == MAIL.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("place", ["new/{}.seriestool", "cur/{}.seriestool:2,S", "cur/{}.seriestool:2,DFS"])
def test_a_draft_that_is_there_is_not_written_again(tmp_path: Path, place: str) -> None:
    way = Maildir(tmp_path)
    way.deliver(ID, MAIL)
    (tmp_path / "new" / f"{ID}.seriestool").rename(tmp_path / place.format(ID))
    assert way.deliver(ID, b"something else").status is DeliveryStatus.DELIVERED
    files = [file for folder in ("tmp", "new", "cur") for file in (tmp_path / folder).iterdir()]
    assert [file.relative_to(tmp_path) for file in files] == [Path(place.format(ID))]


def test_what_a_crash_left_in_tmp_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / f"{ID}.seriestool.1").write_bytes(b"half a ma")
    assert Maildir(tmp_path).deliver(ID, MAIL).status is DeliveryStatus.DELIVERED
    assert len(list((tmp_path / "new").iterdir())) == 1


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a/b", "x" * 5000, "0123\n"])
def test_a_name_that_is_no_digest_never_becomes_a_file(tmp_path: Path, name: str) -> None:
    assert Maildir(tmp_path / "box").deliver(name, MAIL).status is DeliveryStatus.REFUSED
    assert not (tmp_path / "box").exists()


def test_a_folder_that_cannot_be_written_is_tried_later(tmp_path: Path) -> None:
    (tmp_path / "box").write_text("a file")
    outcome = Maildir(tmp_path / "box").deliver(ID, MAIL)
    assert outcome.status is DeliveryStatus.LATER
    assert "cannot write the draft" in str(outcome.error)


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="needs /dev/full")
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    way = Maildir(tmp_path)
    way.deliver("a" * 40, MAIL)
    (tmp_path / "tmp" / f"{ID}.seriestool.{os.getpid()}").symlink_to("/dev/full")
    assert way.deliver(ID, MAIL).status is DeliveryStatus.LATER
    assert not (tmp_path / "new" / f"{ID}.seriestool").exists()
    assert way.deliver(ID, MAIL).status is DeliveryStatus.DELIVERED
