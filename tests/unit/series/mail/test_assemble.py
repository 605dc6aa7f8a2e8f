# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads, each a mailbox in tests/data/mail named after its case; `v1-0` is `v1-0@example.org`."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seriestool.report.series_text import series_dict
from seriestool.series.mail import Mail, SeriesSelector, assemble, parse_mails, split_mbox
from seriestool.series.mail.mbox_writer import write_mbox
from seriestool.series.model import Prerequisite, Series
from seriestool.sources.resolve import series_of_text
from seriestool.util.errors import InputError, NotFoundError, SeriestoolError
from tests.support.repos import ROOT, shared

ONES, TWOS = "1" * 40, "2" * 40


def mails(case: str) -> tuple[Mail, ...]:
    return parse_mails(split_mbox((ROOT / f"tests/data/mail/{case}.mbox").read_bytes()))


def load(case: str, wanted: SeriesSelector | None = None) -> Series:
    return assemble(mails(case), wanted, f"{case}.mbox")


def ids(series: Series) -> list[str]:
    return [patch.msgid.removesuffix("@example.org") for patch in series.patches]


def test_cover_and_replies() -> None:
    """v1-0 cover
    ├ v1-1
    │ └ a reply with a diff and trailers, quoted and not
    └ v1-2
    """
    series = load("cover-and-replies")
    assert ids(series) == ["v1-1", "v1-2"]
    assert (series.msgid, series.subject, series.version, series.expected) == ("v1-0@example.org", "Some French", 1, 2)
    assert series.cover is not None and series.cover.body.startswith("Two words")
    assert series.base.commit == ONES
    assert series.base.prerequisites == (Prerequisite("patch-id", TWOS),)
    assert series.change_id is None
    assert series.posted == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert series.recipients == ("list@example.org", "maint@example.org")
    assert series.missing == ()


@pytest.mark.parametrize("case", ["two-versions", "newer-version-below-older"])
def test_the_newest_version_is_the_default(case: str) -> None:
    """v1-0 ─ v1-1, v1-2; v2-0 ─ v2-1, v2-2: on its own, or below v1-0."""
    assert ids(load(case)) == ["v2-1", "v2-2"]
    assert ids(load(case, SeriesSelector(version=1))) == ["v1-1", "v1-2"]
    assert ids(load(case, SeriesSelector(msgid="v1-2@example.org"))) == ["v2-1", "v2-2"]


def test_a_version_that_is_not_there() -> None:
    with pytest.raises(NotFoundError, match="version 7 of 'Some French' was not found") as caught:
        load("two-versions", SeriesSelector(version=7))
    assert caught.value.hint == "there is v1, v2"


@pytest.mark.parametrize("case", ["partial-reroll", "partial-reroll-uncounted"])
def test_partial_reroll(case: str) -> None:
    """v1-0
    ├ v1-1
    └ v1-2
      └ v2-2: `[PATCH v2 2/2]`, or `[PATCH v2]` with the same title
    """
    series = load(case)
    assert (ids(series), series.version, series.missing) == (["v1-1", "v2-2"], 2, ())
    assert series.remarks == ("v2 is a partial reroll: patches 1 are those of the version before",)
    assert series.posted == datetime(2026, 1, 6, 9, 0, 1, tzinfo=UTC)
    assert ids(load(case, SeriesSelector(version=1))) == ["v1-1", "v1-2"]


def test_no_cover_letter_and_shallow_threading() -> None:
    """1 ─ 2"""
    series = load("no-cover-shallow")
    assert (ids(series), series.msgid, series.cover) == (["1", "2"], "1@example.org", None)
    assert series.base.commit == ONES


@pytest.mark.parametrize("case", ["no-cover-chained", "not-threaded"])
def test_three_patches_in_order(case: str) -> None:
    """1 ─ 2 ─ 3; or 3, 1, 2 side by side."""
    assert ids(load(case)) == ["1", "2", "3"]


def test_lone_patch() -> None:
    series = load("lone-patch")
    assert (ids(series), series.expected, series.base.commit) == (["1"], 1, ONES)
    assert series.change_id == "20260101-french-0123456789ab"


def test_missing_patches_are_named() -> None:
    """Patches 3 and 7 of 9 are not there."""
    with pytest.raises(InputError, match=r"^series is incomplete: patches 3 and 7 of 9 are missing$") as caught:
        load("missing-patches")
    assert "--partial" in (caught.value.hint or "")
    series = load("missing-patches", SeriesSelector(partial=True))
    assert (series.missing, len(series.patches)) == ((3, 7), 7)


def test_two_series_in_one_mailbox() -> None:
    """v1-0 ─ v1-1, v1-2; o1 ─ o2 by someone else"""
    with pytest.raises(InputError, match=r"more than one series: .*<v1-0@example.org>.*<o1@example.org>") as caught:
        load("two-series")
    assert "message-id" in (caught.value.hint or "")
    assert ids(load("two-series", SeriesSelector(msgid="v1-2@example.org"))) == ["v1-1", "v1-2"]
    assert ids(load("two-series", SeriesSelector(msgid="o2@example.org"))) == ["o1", "o2"]


def test_someone_elses_patch_in_the_thread_is_another_series() -> None:
    """v1-0
    ├ v1-1, v1-2
    └ stray: `[PATCH] fix`, by someone else
    """
    assert ids(load("stray-patch-in-thread")) == ["v1-1", "v1-2"]
    assert ids(load("stray-patch-in-thread", SeriesSelector(msgid="stray@example.org"))) == ["stray"]


def test_every_mail_twice() -> None:
    assert ids(load("every-mail-twice")) == ["v1-1", "v1-2"]


def test_sent_again_with_the_same_version() -> None:
    """v1-0 ─ v1-1, v1-2; the same a day later: the later one counts, unless the earlier is complete and it is not."""
    assert ids(load("sent-again")) == ["again-1", "again-2"]


def test_one_patch_that_lost_its_counter() -> None:
    """v1-0 ─ v1-1 `1/2`, v1-2 `[PATCH]`: by the same sender, below the same cover letter"""
    assert ids(load("one-patch-uncounted")) == ["v1-1", "v1-2"]


def test_cover_letter_that_does_not_count() -> None:
    """c `Some French` ─ 1, 2"""
    series = load("cover-without-counter")
    assert (series.msgid, series.subject, series.base.commit) == ("c@example.org", "Some French", ONES)


def test_empty_patch() -> None:
    series = load("empty-patch")
    assert (ids(series), series.patches[1].diff, series.patches[1].files) == (["v1-1", "v1-2"], b"", ())


def test_more_patches_than_promised() -> None:
    assert ids(load("more-patches-than-promised")) == ["1", "2"]


def test_only_replies() -> None:
    with pytest.raises(InputError, match=r"'only-replies\.mbox' has no patch in it"):
        load("only-replies")


def test_a_reply_names_the_series_it_is_about() -> None:
    assert ids(load("cover-and-replies", SeriesSelector(msgid="review@example.org"))) == ["v1-1", "v1-2"]


def test_unknown_message_id() -> None:
    with pytest.raises(NotFoundError, match=r"has no mail 'x@example\.org'"):
        load("lone-patch", SeriesSelector(msgid="x@example.org"))


def test_change_id_holds_versions_together() -> None:
    """v1-0 and a lone v2 with another title, without threading: the change-id is the same."""
    case = "change-id-new-title"
    assert load(case).subject == "lang: speak French"
    assert ids(load(case, SeriesSelector(msgid="v1-1@example.org", version=1))) == ["v1-1", "v1-2"]
    assert load(case, SeriesSelector(change_id="20260101-french-0123456789ab")).version == 2
    with pytest.raises(NotFoundError, match="no series with change-id 'x'"):
        load(case, SeriesSelector(change_id="x"))


def test_monthly_archive_of_pipermail() -> None:
    series = load("pipermail-month")
    assert [patch.author_email for patch in series.patches] == ["author@example.org"] * 2
    assert [patch.author_name for patch in series.patches] == ["A U Thor"] * 2
    assert ids(series) == ["v1-1", "v1-2"]


def test_no_mail_at_all() -> None:
    with pytest.raises(InputError, match="'x' has no mail in it"):
        assemble((), None, "x")


def test_a_corrupt_patch_is_named() -> None:
    (first, second, third, *_) = split_mbox((ROOT / "tests/data/mail/two-versions.mbox").read_bytes())
    broken = third.replace(b" deux\n", b"", 1)
    with pytest.raises(InputError, match=r"^patch 2 'hello: say three in French': corrupt patch"):
        assemble(parse_mails([first, second, broken]))


REAL = (
    "data/tls-session-tags/series.mbox",
    "data/tls-session-tags/thread.mbox",
    "data/bench/libgpiod/20200617-811288da.mbox",
    "data/bench/libgpiod/20230523-64fd075b.mbox",
)


@pytest.mark.parametrize("path", REAL)
def test_the_same_patches_as_b4(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = shared(path).read_bytes()
    import b4

    monkeypatch.setattr(b4, "can_network", False)
    mailbox = b4.LoreMailbox()
    for message in b4.mailsplit_bytes(data):
        mailbox.add_message(message)
    theirs = mailbox.get_series(codereview_trailers=False)
    series = assemble(parse_mails(split_mbox(data)))
    assert series.version == theirs.revision
    assert series.change_id == theirs.change_id
    patches = [patch for patch in theirs.patches[1:] if patch is not None]
    assert [patch.msgid for patch in series.patches] == [patch.msgid for patch in patches]
    assert [b4.LoreMessage.get_patch_id(patch.diff.decode()) for patch in series.patches] == [
        patch.git_patch_id for patch in patches
    ]


def test_the_real_thread_has_no_trailers_from_replies() -> None:
    series = assemble(parse_mails(split_mbox(shared("data/tls-session-tags/thread.mbox").read_bytes())))
    assert series.base.commit == "4d4d6605de5f91a40335729b6a7cc15e83b280f3"
    assert {one.name for patch in series.patches for one in patch.trailers} <= {"Fixes", "Signed-off-by"}


def test_a_mailbox_with_too_many_patches_is_refused() -> None:
    mail = b"From: a@example.org\nMessage-ID: <%d@example.org>\nSubject: [PATCH 0/2] x\n\nwords\n"
    with pytest.raises(InputError, match="more than 5000 patches"):
        assemble(parse_mails(mail % number for number in range(5001)))


def test_a_long_archive_takes_no_time() -> None:
    mail = b"From: a@example.org\nMessage-ID: <%d@example.org>\nSubject: [PATCH] x%d\n\n---\ndiff --git a/x b/x\n"
    start = time.monotonic()
    with pytest.raises(InputError, match="and 1498 more"):
        assemble(parse_mails(mail % (number, number) for number in range(1500)))
    assert time.monotonic() - start < 10


FILES = sorted(path.name for path in (ROOT / "tests/data/mail").iterdir())


@given(st.sampled_from(FILES), st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_a_mail_holds_the_error_is_ours(name: str, data: st.DataObject) -> None:
    content = (ROOT / "tests/data/mail" / name).read_bytes()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        skipped = data.draw(st.integers(0, 40))
        content = content[:at] + data.draw(st.binary(max_size=8)) + content[at + skipped :]
    try:
        series = series_of_text(content, SeriesSelector(partial=True), name)
    except SeriestoolError as error:
        assert "\n" not in error.message
    else:
        assert split_mbox(write_mbox(series)) or not series.patches
        assert isinstance(json.dumps(series_dict(series)), str)


def test_one_whole_set_without_threading_is_a_series_whoever_wrote_its_patches() -> None:
    """- [PATCH 1/2] by one author
    - [PATCH 2/2] by another, three weeks later
    """
    mails = [
        b"From: %s\nDate: %s\nMessage-ID: <%d@example.org>\nSubject: [PATCH %d/2] part\n\ntext\n---\n"
        b"diff --git a/f%d b/f%d\nindex 1234567..89abcde 100644\n--- a/f%d\n+++ b/f%d\n@@ -1 +1 @@\n-a\n+b\n"
        % (author, date, n, n, n, n, n, n)
        for n, author, date in (
            (1, b"A <a@example.org>", b"Tue, 19 May 2026 02:55:22 +0000"),
            (2, b"B <b@example.org>", b"Wed, 10 Jun 2026 16:38:17 +0000"),
        )
    ]
    series = assemble(parse_mails(mails), SeriesSelector(), "a file")
    assert [patch.counter for patch in series.patches] == [1, 2]
