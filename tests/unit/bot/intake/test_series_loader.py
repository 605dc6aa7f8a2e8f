# SPDX-License-Identifier: GPL-2.0-or-later
"""A series that was found, as a precheck gets it."""

from pathlib import Path

import pytest

from seriestool.bot.intake.series_loader import load_series
from seriestool.util.errors import InputError, NotFoundError
from tests.support.intake import Bot
from tests.support.mails import diff, mail, series


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return Bot(tmp_path)


def key(bot: Bot, msgid: str) -> str:
    (row,) = [row for row in bot.rows('SELECT "key", msgid FROM series') if row[1] == msgid]
    return str(row[0])


def test_series_previous_version_and_all_versions(bot: Bot) -> None:
    for version in (1, 2, 3):
        bot.get(*series("one", 2, version=version, day=version))
        bot.look()
    posted = load_series(bot.store, key(bot, "one-v2-0@x"))
    assert (posted.series.msgid, posted.series.version, len(posted.series.patches)) == ("one-v2-0@x", 2, 2)
    assert posted.previous is not None
    assert posted.previous.msgid == "one-v1-0@x"
    assert [(one.version, one.patches, one.is_this) for one in posted.versions] == [
        (1, 2, False),
        (2, 2, True),
        (3, 2, False),
    ]
    assert posted.list == "list"


def test_the_first_version_has_none_before(bot: Bot) -> None:
    bot.get(*series("one", 1), mail("stable@x", "[PATCH 6.1.y RFC] other", diff()))
    bot.look()
    assert load_series(bot.store, key(bot, "one-v1-0@x")).previous is None
    assert load_series(bot.store, key(bot, "stable@x")).hints == ("stable", "for:6.1.y", "rfc")


def test_a_partial_reroll_has_all_patches(bot: Bot) -> None:
    bot.get(*series("one", 3))
    bot.look()
    bot.get(mail("reroll@x", "[PATCH v2 2/3] one: part 2", diff(line="better"), below="one-v1-2@x", day=2))
    bot.settle()
    posted = load_series(bot.store, key(bot, "reroll@x"))
    assert [patch.msgid for patch in posted.series.patches] == ["one-v1-1@x", "reroll@x", "one-v1-3@x"]
    assert posted.previous is not None
    assert len(posted.previous.patches) == 3


def test_a_patch_on_top_comes_with_what_is_below(bot: Bot) -> None:
    bot.get(*series("one", 2, version=3))
    bot.look()
    bot.get(mail("more@x", "[PATCH 3/2] one: and this", diff(old="3000002"), below="one-v3-0@x", day=2))
    bot.settle()
    posted = load_series(bot.store, key(bot, "more@x"))
    assert [patch.msgid for patch in posted.series.patches] == ["one-v3-1@x", "one-v3-2@x", "more@x"]


def test_no_such_key(bot: Bot) -> None:
    with pytest.raises(NotFoundError, match="no series has the key"):
        load_series(bot.store, "../../etc/passwd")


def test_mails_that_are_gone(bot: Bot) -> None:
    bot.get(*series("one", 1), *series("one", 1, version=2, day=2))
    bot.look()
    with bot.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE mails SET raw = NULL WHERE msgid LIKE 'one-v1%'")
    assert load_series(bot.store, key(bot, "one-v2-0@x")).previous is None
    with pytest.raises(InputError, match="not kept any more"):
        load_series(bot.store, key(bot, "one-v1-0@x"))


def test_a_damaged_diff(bot: Bot) -> None:
    bot.get(mail("a@x", "[PATCH] f", diff().replace("@@ -1 +1 @@", "@@ -1,9 +1 @@")))
    bot.look()
    with pytest.raises(InputError, match="corrupt patch"):
        load_series(bot.store, key(bot, "a@x"))
