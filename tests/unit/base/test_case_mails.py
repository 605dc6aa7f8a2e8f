# SPDX-License-Identifier: GPL-2.0-or-later
"""How patches travel: whatever mail does to them on the way, the base is found exact."""

import base64
import email
import quopri
import re
from collections.abc import Callable
from email.message import Message

import pytest

from tests.support.repos import Repo, git_applies
from tests.support.series import lines, make_series, with_stated
from tests.support.session import assert_applies, assert_exact, find, leading, run_find_base

Encode = Callable[[bytes], bytes]
TEXT = lines(1, 30).replace("line 14\n", "line 14 \u00fc\n\n").replace("line 17\n", "\n")
EDITED = TEXT.replace("line 15\n", "line fifteen = 15\n")


def mailed(mbox: bytes, encoding: str, body_of: Encode, flowed: bool = False) -> bytes:
    """The mails with their bodies encoded."""
    out = []
    for raw in re.split(rb"^(?=From [0-9a-f]{40,64} Mon Sep 17)", mbox, flags=re.M)[1:]:
        mail: Message = email.message_from_bytes(raw)
        from_line, _, rest = raw.partition(b"\n")
        head, _, body = rest.partition(b"\n\n")
        for name in ("MIME-Version", "Content-Type", "Content-Transfer-Encoding"):
            head = re.sub(rb"^%s:.*\n?" % name.encode(), b"", head, flags=re.M)
        kind = b"text/plain; charset=utf-8" + (b"; format=flowed" if flowed else b"")
        head = head.strip(b"\n") + b"\nMIME-Version: 1.0\nContent-Type: " + kind
        head += b"\nContent-Transfer-Encoding: " + encoding.encode()
        assert mail["From"]
        out.append(from_line + b"\n" + head + b"\n\n" + body_of(body) + b"\n")
    return b"".join(out)


def in_base64(mbox: bytes) -> bytes:
    return mailed(mbox, "base64", base64.encodebytes)


def in_quoted_printable(mbox: bytes) -> bytes:
    def encode(body: bytes) -> bytes:
        encoded = (quopri.encodestring(line).replace(b"\r", b"=0D") for line in body.split(b"\n"))
        return b"\n".join(encoded)

    return mailed(mbox, "quoted-printable", encode)


def flowed(mbox: bytes) -> bytes:
    """As RFC 3676 wants it: lines that begin with a blank, '>' or 'From ' are stuffed."""
    return mailed(mbox, "8bit", lambda body: re.sub(rb"^(?=[ >]|From )", b" ", body, flags=re.M), flowed=True)


ENCODERS = [in_base64, in_quoted_printable]


@pytest.mark.parametrize("encode", ENCODERS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_transfer_encodings(repo: Repo, encode: Encode, line_end: str) -> None:
    base = repo.commit({"a": TEXT.replace("\n", line_end)})
    mbox = encode(make_series(repo, base, {"a": EDITED.replace("\n", line_end)}, {"b": TEXT}))
    repo.commit({"a": "other\n"})
    assert_exact(repo, mbox, base)


@pytest.mark.parametrize("encode", ENCODERS)
def test_base_commit_in_an_encoded_mail(repo: Repo, encode: Encode) -> None:
    base = repo.commit({"a": TEXT})
    mbox = encode(with_stated(make_series(repo, base, {"a": EDITED}), base))
    assert assert_exact(repo, mbox, base)["stated"]["state"] == "known"


def test_mailbox_with_crlf_line_ends(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}, {"b": TEXT})
    repo.commit({"a": "other\n"})
    assert_exact(repo, mbox.replace(b"\n", b"\r\n"), base, judge=mbox)


def test_format_flowed(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}, {"b": TEXT})
    repo.commit({"a": "other\n"})
    assert_exact(repo, flowed(mbox), base, judge=mbox)


def test_mails_that_say_flowed_and_are_not(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "other\n"})
    assert_exact(repo, mailed(mbox, "8bit", lambda body: body, flowed=True), base, judge=mbox)


def test_mboxrd_escapes(repo: Repo) -> None:
    base = repo.commit({"a": "From here\nto there\n"})
    mbox = make_series(repo, base, {"a": "From here\nFrom there\n"}, options=["--pretty=mboxrd"])
    repo.commit({"a": "other\n"})
    answer = assert_exact(repo, mbox, base)
    assert answer["candidates"][0]["outcomes"][0]["outcome"] == "UNMODIFIED"


def test_latin1_content_in_an_8bit_mail(repo: Repo) -> None:
    base = repo.commit({"a": b"caf\xe9\nx\n"})
    mbox = make_series(repo, base, {"a": b"caf\xe9\ny\n"})
    repo.commit({"a": "other\n"})
    assert_exact(repo, mbox, base)


def test_cover_letter_and_replies_are_no_patches(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}, {"b": TEXT}, options=["--cover-letter", "--thread"])
    repo.commit({"a": "other\n"})
    reply = (
        b"From x@y Mon Sep 17 00:00:00 2001\nFrom: R <r@example.com>\nSubject: Re: [PATCH 1/2] part 1\n"
        b"Message-ID: <r1@example.com>\nDate: Tue, 14 Nov 2023 22:20:00 +0000\n\n"
        b"> diff --git a/a b/a\n> --- a/a\nno\n\n"
    )
    answer = assert_exact(repo, mbox + reply, base)
    assert answer["series"]["patches"] == 2


QUOTED = (
    b"From x@y Mon Sep 17 00:00:00 2001\nFrom: R <r@example.com>\nSubject: Re: [PATCH] part 1\n"
    b"Message-ID: <r1@example.com>\nIn-Reply-To: <p1@example.com>\nDate: Tue, 14 Nov 2023 22:20:00 +0000\n\n"
)


@pytest.mark.parametrize(
    "text",
    [
        b"> base-commit: %s\n",
        b"On Monday A wrote:\n> foo\n> base-commit: %s\n> -- \n> 2.39\nIndeed.\n",
        b"You should have said\n\nbase-commit: %s\n\nthen.\n",
        b"base-commit: %s\n",
    ],
)
def test_replies_state_no_base(repo: Repo, text: bytes) -> None:
    other = repo.commit({"a": "first\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}).replace(b"\nSubject:", b"\nMessage-ID: <p1@example.com>\nSubject:", 1)
    answer = assert_exact(repo, mbox + QUOTED + text % other.encode(), base)
    assert answer["stated"] is None


@pytest.mark.parametrize(
    "text",
    [
        "I used the one of v1, which had\n  > base-commit: {}\nas its trailer.",
        "The base-commit: {} of the last version was wrong.",
        "> base-commit: {}",
        "    base-commit: {}",
        "This is based on {}, more or less.",
    ],
)
def test_prose_and_quotes_in_a_commit_message_state_no_base(repo: Repo, text: str) -> None:
    other = repo.commit({"a": "first\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    mbox = mbox.replace(b"\n---\n", b"\n" + text.format(other).encode() + b"\n---\n", 1)
    assert assert_exact(repo, mbox, base)["stated"] is None


@pytest.mark.parametrize("where", ["below the diff", "below ---", "in the cover letter"])
def test_base_commit_is_taken_from_where_it_stands(repo: Repo, where: str) -> None:
    base = repo.commit({"a": TEXT})
    trailer = b"base-commit: " + base.encode() + b"\n"
    if where == "in the cover letter":
        mbox = make_series(repo, base, {"a": EDITED}, options=["--cover-letter", "--thread"])
        mbox = mbox.replace(b"\n-- \n", b"\n" + trailer + b"-- \n", 1)
    else:
        mbox = make_series(repo, base, {"a": EDITED})
        mark = b"\n-- \n" if where == "below the diff" else b"\n---\n"
        mbox = mbox.replace(mark, mark.replace(b"-- \n", b"") + trailer + mark[1:], 1) if mark == b"\n-- \n" else (
            mbox.replace(mark, mark + trailer + b"\n", 1))  # fmt: skip
    repo.commit({"a": "other\n"})
    answer = assert_exact(repo, mbox, base)
    assert (answer["stated"]["state"], answer["stated"]["verdict"]) == ("known", "exact")
    assert answer["stated"]["commit"] == base


def colliding(digits: int) -> tuple[str, str]:
    """Two contents whose blob ids begin with the same digits."""
    import hashlib

    seen: dict[str, str] = {}
    for number in range(1 << 24):
        text = TEXT + f"{number}\n"
        data = text.encode()
        short = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()[:digits]  # noqa: S324
        if short in seen:
            return seen[short], text
        seen[short] = text
    raise AssertionError("no two of so many")


def test_ambiguous_abbreviation(repo: Repo) -> None:
    """Where two blobs fit the mailed abbreviation, the one is claimed on which the series also applies."""
    right, wrong = colliding(7)
    wrong_at = repo.commit({"a": wrong})
    base = repo.commit({"a": right})
    number = right.splitlines()[-1]
    mbox = make_series(repo, base, {"a": right.replace(number + "\n", "last\n")}, options=["--abbrev=7"])
    short = repo.git("rev-parse", f"{base}:a")[:7].encode()
    mbox = re.sub(rb"^index [0-9a-f]+\.\.", b"index " + short + b"..", mbox, flags=re.M)
    repo.commit({"a": "other\n"})
    assert git_applies(repo, wrong_at, mbox) == 0
    assert_exact(repo, mbox, base)


def test_upper_case_abbreviation(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    mbox = re.sub(rb"^index [0-9a-f]+", lambda match: b"index" + match[0][5:].upper(), mbox, flags=re.M)
    repo.commit({"a": "other\n"})
    assert_exact(repo, mbox, base)


def test_a_patch_without_index_lines_is_tried(repo: Repo) -> None:
    first = repo.commit({"a": TEXT})
    second = repo.commit({"a": "new top\n" + TEXT})
    mbox = re.sub(rb"^index .*\n", b"", make_series(repo, first, {"a": EDITED}), flags=re.M)
    repo.commit({"a": "other\n"})
    assert_applies(repo, mbox, first, second)


def test_half_of_a_series_with_partial(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}, {"a": EDITED + "more\n"})
    second = mbox[mbox.index(b"From ", 10) :]
    answer = find(repo, second, "--partial")
    assert answer["verdict"] in ("applies", "partial", "none")
    assert answer["series"]["missing"] == [1]


def test_a_corrupt_hunk_is_told(repo: Repo) -> None:
    base = repo.commit({"a": TEXT, "b": TEXT})
    mbox = make_series(repo, base, {"b": EDITED}, {"a": EDITED})
    broken = mbox[::-1].replace(b"line 16\n"[::-1], b"line sixteen\n"[::-1], 1)[::-1]
    repo.commit({"a": EDITED})
    answer = find(repo, broken)
    assert (answer["verdict"], answer["base"]["commit"]) == ("exact", base)
    assert leading(answer["candidates"][0]) == git_applies(repo, base, broken) == 1
    assert "warning: patch 2 does not apply even there" in run_find_base(repo, broken)[1]


def test_an_id_that_begins_truly_and_ends_falsely_is_no_proof(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}, options=("--full-index",))
    blob = repo.git("rev-parse", f"{base}:a")
    false = mbox.replace(blob.encode(), blob[:20].encode() + bytes(reversed(blob[20:].encode())))
    assert assert_applies(repo, false, base)["base"]["commit"] == base


def test_fewer_than_seven_digits_name_no_blob(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    short = re.sub(rb"^index ([0-9a-f]{4})[0-9a-f]*\.\.", rb"index \1..", mbox, flags=re.M)
    assert find(repo, short)["verdict"] == "applies"
