# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails that make series: in whatever order and pieces they come."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seriestool.bot.intake.due_mails import SETTLE, assemble_series
from seriestool.bot.intake.series_assembly import COVER_WAIT
from tests.support.intake import Bot
from tests.support.mails import diff, mail, series
from tests.support.repos import ROOT


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return Bot(tmp_path)


def test_a_series_is_found_when_its_last_patch_comes(bot: Bot) -> None:
    *mails, last = series("one", 3)
    bot.get(*mails)
    assert bot.look().complete == []
    bot.get(last)
    (key,) = bot.look().complete
    assert bot.series() == [("one-v1-0@x", 1, "waiting", 0)]
    assert bot.rows("SELECT DISTINCT series FROM mails") == [(key,)]
    assert bot.look().complete == bot.settle().complete == []


def test_a_lone_patch(bot: Bot) -> None:
    bot.get(mail("a@x", "[PATCH] f: change it", diff()))
    bot.look()
    assert bot.rows("SELECT msgid, expected, subject, author, author_name, list FROM series") == [
        ("a@x", 1, "f: change it", "author@example.com", "A U Thor", "list")
    ]


def test_what_is_no_series(bot: Bot) -> None:
    bot.get(
        mail("reply@x", "Re: [PATCH] f: change it", diff(), below="unknown@x"),
        mail("pull@x", "[GIT PULL] many things", diff()),
        mail("tip@x", "[tip: x86/urgent] x86: fix it", diff(), below="unknown@x"),
        mail("bug@x", "[BUG] it hangs", diff()),
        mail("talk@x", "What do you think of this?", diff()),
        mail("notice@x", 'FAILED: Patch "f" failed to apply', message=f"From {40 * 'a'} Mon\nSubject: f\n\n{diff()}"),
        mail("word@x", "[PATCH] f: nothing here"),
    )
    assert (bot.look().complete, bot.settle().incomplete) == ([], [])


def test_a_patch_that_does_not_say_so(bot: Bot) -> None:
    body = " f | 1 +\n 1 file changed\n\n" + diff()
    signed = "why\n\nSigned-off-by: A U Thor <author@example.com>"
    bot.get(
        mail("whole@x", "f: change it", body, message=signed),
        mail("quoted@x", "f: change it", body, message="> was\n\n" + signed),
        mail("bracket@x", "[RFT] f: change it", body, message=signed),
        mail("below@x", "f: change it", body, message=signed, below="other@x"),
    )
    bot.look()
    assert [row[0] for row in bot.series()] == ["whole@x"]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("seed", range(4))
def test_any_order_in_any_lots(tmp_path: Path, size: int, seed: int) -> None:
    mails = [
        *series("threaded", 3),
        *series("flat", 2, cover=False),
        *[mail(f"loose-{n}@x", f"[PATCH {n}/3] loose {n}", diff(old=f"{n:07}"), sender="o@x") for n in (0, 1, 2, 3)],
        *series("threaded", 3, version=2, day=3),
        mail("alone@x", "[PATCH] alone", diff(old="9999999"), sender="else@x"),
        mail("reply@x", "Re: [PATCH 1/3] threaded: part 1", below="threaded-v1-1@x", sender="else@x"),
    ]
    random.Random(seed).shuffle(mails)  # noqa: S311
    bot = Bot(tmp_path)
    for start in range(0, len(mails), size):
        bot.get(*mails[start : start + size])
        bot.look(after=1)
    bot.settle()
    assert sorted(bot.series()) == [
        ("alone@x", 1, "waiting", 0),
        ("flat-v1-1@x", 1, "waiting", 0),
        ("loose-0@x", 1, "waiting", 0),
        ("threaded-v1-0@x", 1, "superseded", 0),
        ("threaded-v2-0@x", 2, "waiting", 0),
    ]
    assert len(bot.members()) == len(mails) - 1
    lineages = bot.rows("SELECT count(DISTINCT lineage) FROM series")
    assert lineages == [(4,)]


def test_one_mail_on_two_lists(bot: Bot) -> None:
    mails = series("one", 2)
    bot.get(*mails[:2], name="a")
    bot.get(*mails, name="b")
    bot.look()
    bot.get(*mails, name="c")
    bot.look()
    assert bot.rows("SELECT msgid, list FROM series") == [("one-v1-0@x", "a")]


def test_a_cover_letter_that_comes_late(bot: Bot) -> None:
    cover, *patches = series("one", 2)
    bot.get(*patches)
    assert bot.look(after=COVER_WAIT - 1).complete == []
    bot.get(cover)
    bot.look()
    assert bot.series() == [("one-v1-0@x", 1, "waiting", 0)]


@pytest.mark.parametrize("below", ["loose-0@x", ""], ids=["threaded", "loose"])
def test_a_cover_letter_that_comes_too_late(bot: Bot, below: str) -> None:
    bot.get(*[mail(f"loose-{n}@x", f"[PATCH {n}/2] part {n}", diff(old=f"{n:07}"), below=below) for n in (1, 2)])
    assert len(bot.quiet().complete) == 1
    bot.get(mail("loose-0@x", "[PATCH 0/2] both"))
    found = bot.look()
    assert (found.complete, bot.settle().incomplete) == ([], [])
    assert bot.series() == [("loose-1@x", 1, "waiting", 0)]
    assert bot.members()["loose-0@x"] == "loose-1@x"


def test_what_never_came_is_listed(bot: Bot) -> None:
    mails = series("one", 3)
    bot.get(mails[0], mails[2])
    assert bot.look(after=SETTLE - 1).incomplete == []
    (key,) = bot.look(after=1).incomplete
    assert bot.series() == [("one-v1-0@x", 1, "incomplete", 2)]
    assert bot.settle().incomplete == []
    bot.get(mails[3])
    bot.look()
    assert bot.settle().incomplete == [key]
    assert bot.series() == [("one-v1-0@x", 1, "incomplete", 1)]
    bot.get(mails[1])
    assert bot.look().complete == [key]
    assert bot.series() == [("one-v1-0@x", 1, "waiting", 0)]


def test_a_straggler_that_becomes_the_first_mail(bot: Bot) -> None:
    mails = series("one", 3, cover=False)
    bot.get(*mails[1:])
    bot.settle()
    assert bot.series() == [("one-v1-2@x", 1, "incomplete", 1)]
    bot.get(mails[0])
    bot.look()
    assert bot.series() == [("one-v1-1@x", 1, "waiting", 0)]


def test_a_new_version_makes_the_one_that_waits_void(bot: Bot) -> None:
    bot.get(*series("one", 2))
    (old,) = bot.look().complete
    bot.get(*series("one", 2, version=2, day=2))
    found = bot.look()
    assert found.superseded == [old]
    assert bot.rows("SELECT version, state, superseded_by FROM series ORDER BY version") == [
        (1, "superseded", found.complete[0]),
        (2, "waiting", None),
    ]


@pytest.mark.parametrize("state", ["running", "done", "failed"])
def test_a_version_that_was_looked_at_stays(bot: Bot, state: str) -> None:
    bot.get(*series("one", 2))
    bot.look()
    with bot.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE series SET state = ?", (state,))
    bot.get(*series("one", 2, version=2, day=2))
    assert bot.look().superseded == []
    assert [row[2] for row in bot.series()] == [state, "waiting"]


def test_an_older_version_that_comes_later(bot: Bot) -> None:
    for version, day in ((3, 5), (1, 1), (2, 3)):
        bot.get(*series("one", 2, version=version, day=day))
        bot.look()
    assert [row[1:3] for row in bot.series()] == [(1, "superseded"), (2, "superseded"), (3, "waiting")]
    newest = bot.rows('SELECT "key" FROM series WHERE version = 3')
    assert bot.rows("SELECT DISTINCT superseded_by FROM series WHERE version < 3") == newest
    assert bot.rows("SELECT count(DISTINCT lineage) FROM series") == [(1,)]


def test_change_id_ties_versions_of_other_names_and_senders(bot: Bot) -> None:
    cover = "why\n\nchange-id: 20260601-x-123456789012\n"
    for version, title, sender in ((1, "first name", "A <a@x>"), (2, "second name", "B <b@x>")):
        tag = f"v{version}-0@x"
        bot.get(
            mail(tag, f"[PATCH v{version} 0/1] {title}", message=cover, sender=sender, day=version),
            mail(f"v{version}-1@x", f"[PATCH v{version} 1/1] {title} 1", diff(), below=tag, sender=sender, day=version),
        )
        bot.look()
    assert [row[2] for row in bot.series()] == ["superseded", "waiting"]


def test_an_rfc_that_becomes_a_series_counts_anew(bot: Bot) -> None:
    bot.get(mail("rfc@x", "[RFC PATCH v3] f: change it", diff()))
    bot.look()
    bot.get(mail("one@x", "[PATCH] f: change it", diff(line="two"), day=5))
    bot.look()
    assert bot.series() == [("rfc@x", 3, "superseded", 0), ("one@x", 1, "waiting", 0)]


def test_backports_of_one_patch_are_works_of_their_own(bot: Bot) -> None:
    bot.get(
        mail("a@x", "[PATCH 5.15.y] f: change it", diff()),
        mail("b@x", "[PATCH 6.1.y] f: change it", diff(line="two")),
        mail("c@x", "[PATCH AUTOSEL 6.6-6.1] f: change it", diff(line="three")),
    )
    bot.look()
    assert [row[2] for row in bot.series()] == ["waiting"] * 3
    assert [row[0] for row in bot.rows("SELECT hints FROM series ORDER BY msgid")] == [
        "stable for:5.15.y",
        "stable for:6.1.y",
        "stable for:6.6 for:6.1 autosel",
    ]


def test_the_same_again_is_no_new_series(bot: Bot) -> None:
    bot.get(mail("a@x", "[PATCH] f: change it", diff()))
    bot.look()
    bot.get(mail("b@x", "[PATCH RESEND] f: change it", diff(), day=5))
    found = bot.look()
    assert (found.complete, len(found.notes)) == ([], 1)
    assert "b@x" in found.notes[0]
    bot.get(mail("c@x", "[PATCH RESEND] f: change it", diff(line="other"), day=6))
    assert len(bot.look().complete) == 1


def test_two_patches_of_one_name_are_both_looked_at(bot: Bot) -> None:
    bot.get(mail("a@x", "[PATCH] docs: fix typo", diff("a")), mail("b@x", "[PATCH] docs: fix typo", diff("b"), day=2))
    bot.look()
    assert [row[2] for row in bot.series()] == ["waiting", "waiting"]


def test_a_patch_sent_again_into_its_thread(bot: Bot) -> None:
    mails = series("one", 2)
    bot.get(*mails)
    bot.look()
    bot.get(mails[2].replace(b"<one-v1-2@x>", b"<again@x>"))
    bot.look()
    assert bot.settle().incomplete == []
    assert bot.members()["again@x"] == "one-v1-0@x"


def test_some_patches_sent_again_as_a_new_version(bot: Bot) -> None:
    bot.get(*series("one", 3))
    bot.look()
    bot.get(mail("reroll@x", "[PATCH v2 2/3] one: part 2", diff(line="better"), below="one-v1-2@x", day=2))
    assert bot.look().complete == []
    assert len(bot.settle().complete) == 1
    assert bot.series() == [("one-v1-0@x", 1, "superseded", 0), ("reroll@x", 2, "waiting", 0)]
    assert bot.rows("SELECT hints FROM series WHERE version = 2") == [("partial",)]


def test_a_patch_on_top_of_a_series(bot: Bot) -> None:
    bot.get(*series("one", 2, version=3))
    bot.look()
    bot.get(mail("more@x", "[PATCH 3/2] one: and this", diff(old="3000002"), below="one-v3-0@x", day=2))
    bot.settle()
    assert bot.series() == [("one-v3-0@x", 3, "superseded", 0), ("more@x", 3, "waiting", 0)]


def test_a_stranger_in_the_thread_is_not_taken_for_the_missing_patch(bot: Bot) -> None:
    cover, one, two, three = series("one", 3)
    bot.get(cover, one, two, mail("stray@x", "[PATCH net] other: fix", diff("g"), below="one-v1-0@x"))
    bot.look()
    bot.get(three)
    bot.look()
    bot.settle()
    assert sorted(row[0] for row in bot.series()) == ["one-v1-0@x", "stray@x"]
    assert all(row[3] == 0 for row in bot.series())


def test_the_clock_goes_back(bot: Bot) -> None:
    bot.now += 10 * 365 * 86_400
    bot.get(*series("one", 3)[:3])
    bot.look()
    bot.now -= 10 * 365 * 86_400
    assert len(bot.look().incomplete) == 1, "what waits for a time that does not come is not waited for"
    bot.get(series("one", 3)[3])
    bot.look()
    assert bot.series() == [("one-v1-0@x", 1, "waiting", 0)]


def test_the_clock_jumps_ahead_and_comes_back(bot: Bot) -> None:
    cover, *patches = series("one", 2)
    bot.get(*patches)
    bot.look()
    bot.now += 10**9
    bot.look()
    bot.now -= 10**9
    bot.get(cover, *series("two", 2))
    bot.look()
    bot.settle()
    assert sorted(row[0] for row in bot.series()) == ["one-v1-1@x", "two-v1-0@x"]


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_no_claim_of_a_mail_breaks_it(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    bot = Bot(tmp_path_factory.mktemp("bot"))
    words = st.sampled_from(
        ["PATCH", "v2", "v9999", "0/3", "1/3", "3/3", "7/3", "1/9999", "1/99999999", "RFC", "net", "0/0"]
    )
    names = [f"m{n}@x" for n in range(8)]
    for name in data.draw(st.permutations(names)):
        subject = f"[{' '.join(data.draw(st.lists(words, max_size=4)))}] {data.draw(st.sampled_from('ab'))}"
        below = data.draw(st.sampled_from([*names, "", "none@x"]))
        diffs = [diff()] if data.draw(st.booleans()) else []
        bot.get(mail(name, subject, *diffs, below=below, day=data.draw(st.integers(1, 9))))
        bot.look(after=data.draw(st.integers(0, 4000)))
    bot.settle()
    assemble_series(bot.store, bot.now + SETTLE)
    assert bot.rows("SELECT count(*) FROM mails WHERE due IS NOT NULL") == [(0,)]
    keys = bot.rows("SELECT series FROM mails WHERE series IS NOT NULL")
    assert len(keys) <= len(names)


_CHILD = """
import sys
from seriestool.bot.intake.due_mails import assemble_series
from seriestool.bot.store import Store
print(len(assemble_series(Store.open(sys.argv[1]), int(sys.argv[2])).complete))
"""


def test_two_that_assemble_at_once(bot: Bot) -> None:
    bot.get(*[raw for n in range(150) for raw in series(f"s{n}", 3, day=1 + n % 28)])
    command = [sys.executable, "-c", _CHILD, bot.url, str(bot.now)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    counts = [int(process.communicate(timeout=120)[0]) for process in processes]
    assert sum(counts) == 150
    assert bot.rows("SELECT count(*), count(DISTINCT msgid) FROM series") == [(150, 150)]
