# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom the bot leaves alone, and to whom it writes."""

import pytest

from seriestool.bot.bot_config import read_bot_config
from seriestool.bot.notify.etiquette import find_robot, has_opted_out, is_hidden, is_list, pick_recipients
from seriestool.util.errors import InputError


@pytest.mark.parametrize(
    ("address", "opt_out", "expected"),
    [
        ("a@example.org", ("a@example.org",), True),
        ("A@Example.ORG", ("a@example.org",), True),
        ("aa@example.org", ("a@example.org",), False),
        ("a@example.org", ("@example.org",), True),
        ("a@mail.example.org", ("@example.org",), True),
        ("a@notexample.org", ("@example.org",), False),
        ("a@example.org.evil.net", ("@example.org",), False),
        ("a@example.org", (), False),
    ],
)
def test_who_has_opted_out(address: str, opt_out: tuple[str, ...], expected: bool) -> None:
    assert has_opted_out(address, opt_out) is expected


@pytest.mark.parametrize(
    "address",
    ["netdev@vger.kernel.org", "linux-kernel@vger.kernel.org", "linux-mm@kvack.org", "qemu-devel@nongnu.org",
     "x@lists.linux.dev", "ltp@lists.linux.it", "x@lists.infradead.org", "foo@googlegroups.com",
     "stable@vger.kernel.org",
     "dm-devel@redhat.com", "a-patches@example.org", "x@list.example.org"],
)  # fmt: skip
def test_a_list_is_known_by_its_looks(address: str) -> None:
    assert is_list(address)


@pytest.mark.parametrize("address", ["torvalds@linux-foundation.org", "dan@kernel.org", "alistair@example.org",
                                     "develop@example.org", "lists@example.org", "me@blacklist.example"])  # fmt: skip
def test_a_person_is_no_list(address: str) -> None:
    assert not is_list(address)


def test_a_reply_to_all_leaves_out_other_lists_and_programs() -> None:
    hints = ("list-id: the widgets <widgets.lists.example.org>",)
    people = ("widgets@lists.example.org", "x@example.org", "netdev@vger.kernel.org", "lkp@intel.com")
    assert pick_recipients(people, "my-own-name-for-it", hints) == ("widgets@lists.example.org", "x@example.org")
    assert pick_recipients(people, "netdev", ()) == ("x@example.org", "netdev@vger.kernel.org")


def test_an_address_that_a_list_puts_in_the_authors_place_is_known() -> None:
    people = ("widgets@example.org", "author@example.org")
    assert is_hidden("widgets@lists.example.org", "A U Thor", people)
    assert is_hidden("widgets@example.org", "A U Thor via Widgets", people)
    assert not is_hidden("author@example.org", "A U Thor", people)
    assert not is_hidden("author@example.org", "Via Dolorosa", ("x@example.org",))


def test_a_list_that_marks_all_mails_as_bulk_makes_nobody_a_program() -> None:
    assert find_robot("a@example.org", "A", ("precedence: bulk", "list-id: <x.example.org>")) is None
    assert find_robot("a@example.org", "A", ("precedence: list",)) is None
    assert find_robot("a@example.org", "A", ("precedence: bulk",)) is not None


@pytest.mark.parametrize("value", ["perhaps", "2x", "-"])
def test_a_truth_that_is_none_is_told(value: str) -> None:
    with pytest.raises(InputError, match=r"warnings is"):
        read_bot_config({"seriestool.bot.warnings": (value,)})
