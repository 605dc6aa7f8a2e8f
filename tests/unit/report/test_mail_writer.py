# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails as RFC 5322 and RFC 2047 want them, whatever stands in them."""

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seriestool.report.mail_writer import (
    MailAddress,
    MailFormatError,
    MailHeaders,
    is_address,
    is_msgid,
    make_mail,
    reply_subject,
)

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
_ODD = st.text(alphabet=st.sampled_from("ab ,;:\"<>@\\()[]=?ü词\r\n\x00\u202e.'_-\ud800\u2028\U0001f600"), max_size=200)
_WORD = re.compile(rb"=\?[^? ]+\?[bq]\?[^? ]*\?=")


def envelope(**changes: object) -> MailHeaders:
    values = {
        "subject": "Re: x",
        "sender": MailAddress("bot@example.org", "Bot"),
        "to": (MailAddress("a@example.org", "A"),),
        "date": WHEN,
        "msgid": "id@example.org",
    }
    return MailHeaders(**{**values, **changes})  # type: ignore[arg-type]


@settings(deadline=None)
@given(_ODD, _ODD)
def test_odd_words_make_a_good_mail(subject: str, name: str) -> None:
    mail = make_mail(envelope(subject=reply_subject(subject), to=(MailAddress("a@example.org", name),)), "x\n")
    read = message_from_bytes(mail, policy=default)
    assert not read.defects
    assert [one.addr_spec for one in read["To"].addresses] == ["a@example.org"]
    assert set(map(str.lower, read)) == {"from", "to", "subject", "date", "message-id", "mime-version", "content-type",
                                         "content-transfer-encoding"}  # fmt: skip
    head = mail.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n"):
        words = _WORD.findall(line)
        assert all(len(word) <= 75 for word in words)
        assert not words or len(line) <= 76  # RFC 2047, 2


def test_a_subject_that_is_not_latin_is_read_by_the_old_way_too() -> None:
    subject = reply_subject("[PATCH v2 0/3] Grüße: 数字を数える " + "词" * 60)
    raw = message_from_bytes(make_mail(envelope(subject=subject), "x\n"))["Subject"]
    assert str(make_header(decode_header(raw.replace("\r\n", "").replace("\n", "")))) == subject


def test_message_ids_are_never_cut_nor_encoded() -> None:
    long = ("a" * 250 + "@example.org", "b" * 250 + "@example.org")
    mail = make_mail(envelope(in_reply_to=long[1], references=long), "x\n")
    assert b"In-Reply-To: <" + long[1].encode() + b">\r\n" in mail
    assert b"References: <" + long[0].encode() + b">\r\n <" + long[1].encode() + b">\r\n" in mail


@pytest.mark.parametrize(
    ("headline", "subject"),
    [("[PATCH] x", "Re: [PATCH] x"), ("Re: x", "Re: x"), ("RE: re : Re: x", "Re: x"), ("", "Re:"),
     ("a\r\nBcc: b", "Re: a Bcc: b"), ("=?utf-8?q?x?=", "Re: = ?utf-8?q?x?="), ("x" * 900, "Re: " + "x" * 400)],
)  # fmt: skip
def test_the_subject_of_a_reply(headline: str, subject: str) -> None:
    assert reply_subject(headline) == subject


def test_somebody_named_twice_gets_it_once() -> None:
    mail = make_mail(envelope(to=(MailAddress("a@example.org", "A"), MailAddress("A@example.org", "B"))), "x\n")
    assert len(message_from_bytes(mail, policy=default)["To"].addresses) == 1


@pytest.mark.parametrize("text", ["x\n", "ü\n", "x" * 3000 + "\n", "a\tb\n.\nFrom x\n", "\n"])
def test_the_text_comes_out_as_it_went_in(text: str) -> None:
    read = message_from_bytes(make_mail(envelope(), text), policy=default)
    assert read.get_content().replace("\r\n", "\n") == text


@pytest.mark.parametrize("address", ["", "a", "a@", "@b", "a b@c", "a@b\r\nBcc: c@d", "a@b, c@d", '"a b"@c', "ü@b",
                                     "a..b@c", "a@b..c", "a" * 70 + "@b", "<a@b>"])  # fmt: skip
def test_what_is_no_address_is_written_to_nobody(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(MailFormatError, match="is no address"):
        make_mail(envelope(to=(MailAddress(address),)), "x\n")


@pytest.mark.parametrize(
    ("msgid", "expected"),
    [("a@b", True), ("a b@c", False), ("a>@b", False), ("", False), ("ü@b", False), ("a" * 601, False),
     ("a\n@b", False), ("=?utf-8?q?x?=@b", False)],
)  # fmt: skip
def test_what_a_reply_can_name(msgid: str, expected: bool) -> None:
    assert is_msgid(msgid) is expected


_LOCAL = st.text(alphabet=st.sampled_from("a9.!#'-=?_~@"), min_size=1, max_size=8)


@settings(deadline=None, max_examples=400)
@given(_LOCAL, _LOCAL)
def test_what_is_called_an_address_can_be_written_to(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    if is_address(address):
        read = message_from_bytes(make_mail(envelope(cc=(MailAddress(address),)), "x\n"), policy=default)
        assert [one.addr_spec for one in read["Cc"].addresses] == [address]


@pytest.mark.parametrize("address", [".a@example.org", "a.@example.org", "a..b@example.org", ".@example.org"])
def test_dots_stand_between_words(address: str) -> None:
    assert not is_address(address)
