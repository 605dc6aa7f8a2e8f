# SPDX-License-Identifier: GPL-2.0-or-later
"""`series.toml` read and written: what people add stays, what is wrong is refused in one line."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from seriestool.track.series_toml import write_record
from seriestool.track.tracked_series import TrackedSeries, TrackedVersion, parse_record, toml_text
from seriestool.util.errors import InputError

POSTED = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
ONE = TrackedVersion(
    1, "one@example.com", "lamp: fade", POSTED, 3, "258d4b1b0391", "versions/v1.mbox", "reports/v1.json"
)
TWO = TrackedVersion(2, "two@example.com", "lamp: fade slowly", POSTED, 4)
TRACKED = TrackedSeries("lamp", "20260512-lamp", "lamp: fade", "author@example.com", ("next",), (ONE,))
TEXT = """\
# Kept by 'seriestool track'; what is added by hand stays.
change-id = "20260512-lamp"
subject = "lamp: fade"
author = "author@example.com"
trees = ["next"]

[[version]]
version = 1
msgid = "one@example.com"
subject = "lamp: fade"
posted = 2026-03-16T10:00:00Z
patches = 3
base-commit = "258d4b1b0391"
mails = "versions/v1.mbox"
report = "reports/v1.json"
"""


def test_a_new_one_is_written_and_read_again() -> None:
    assert write_record(TRACKED, None) == TEXT
    assert parse_record("lamp", TEXT) == TRACKED


def test_nothing_new_changes_nothing() -> None:
    odd = TEXT.replace('"one@example.com"', "'one@example.com'   # the first").replace("trees = [", "trees=[ ")
    assert write_record(TRACKED, odd) == odd


def test_a_new_version_leaves_what_people_added() -> None:
    by_hand = (
        TEXT.replace("trees =", "# asked of Jane\ntrees =").replace("patches = 3", "patches = 3  # of which 1 is in")
        + 'note = "mine"\n\n[question]\ntext = "why"\n'
    )
    tracked = replace(TRACKED, versions=(ONE, TWO), subject=TWO.subject)
    text = write_record(tracked, by_hand)
    for kept in ("# asked of Jane\n", "# of which 1 is in\n", 'note = "mine"\n', '[question]\ntext = "why"\n'):
        assert kept in text
    assert parse_record("lamp", text) == tracked
    assert write_record(tracked, text) == text


def test_an_older_version_that_comes_later_is_read_in_its_place() -> None:
    text = write_record(replace(TRACKED, versions=(TWO,)), None)
    tracked = replace(TRACKED, versions=(ONE, TWO))
    text = write_record(tracked, text)
    assert text.index("version = 2") < text.index("version = 1")
    assert parse_record("lamp", text).versions == (ONE, TWO)


def test_a_local_time_by_hand_is_taken_as_utc() -> None:
    assert parse_record("lamp", TEXT.replace("10:00:00Z", "10:00:00")) == TRACKED


@given(st.text(), st.text(), st.text(max_size=30))
def test_whatever_a_mail_says_is_read_again(msgid: str, subject: str, change_id: str) -> None:
    one = replace(ONE, msgid=toml_text(msgid), subject=toml_text(subject), base_commit=toml_text(change_id))
    tracked = replace(TRACKED, versions=(one,), subject=toml_text(subject), change_id=toml_text(change_id))
    text = write_record(tracked, None)
    assert parse_record("lamp", text) == tracked
    more = replace(tracked, versions=(one, replace(TWO, subject=toml_text(subject))))
    assert parse_record("lamp", write_record(more, text)) == more
    text.encode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "[[version]]"),
        ("version = 3", "'version'"),
        ("[[version]]", "'version'"),
        ("not toml", "no TOML"),
        ("a = " + "[" * 5000, "no TOML"),
        (TEXT.replace("version = 1", "version = 0"), "0 is no version"),
        (TEXT.replace("version = 1", "version = true"), "'version'"),
        (TEXT.replace("version = 1", "version = 99999999999"), "is no version"),
        (TEXT.replace("posted = 2026-03-16T10:00:00Z", "posted = 'today'"), "'posted'"),
        (TEXT.replace("2026-03-16T10:00:00Z", "0001-01-01T00:00:00+14:00"), "'posted'"),
        (TEXT.replace("2026-03-16T10:00:00Z", "2026-03-16"), "'posted'"),
        (TEXT.replace("versions/v1.mbox", "../../secret"), "'mails'"),
        (TEXT.replace("versions/v1.mbox", "/etc/passwd"), "'mails'"),
        (TEXT.replace("versions/v1.mbox", "versions/../../x"), "'mails'"),
        (TEXT.replace("reports/v1.json", ".git/config"), "'report'"),
        (TEXT.replace('["next"]', "[1]"), "trees"),
        (TEXT.replace('["next"]', '"next"'), "'trees'"),
        (TEXT + TEXT[TEXT.index("[[version]]") :], "twice"),
        (
            TEXT + "".join(TEXT[TEXT.index("[[") :].replace("version = 1", f"version = {n}") for n in range(2, 1100)),
            "1000",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_a_line(text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        parse_record("lamp", text)
    assert said in error.value.message
    assert error.value.message.startswith("'lamp/series.toml'")


@pytest.mark.parametrize(
    "text",
    [
        TEXT + '[version.by-hand]\nwhy = "asked"\n',
        TEXT
        + '[question]\nby = "Jane"\n\n[[version]]\n'
        + TEXT.partition("[[version]]\n")[2].replace("n = 1", "n = 4"),
        'a.b.c = 1\n"change-id" = "20260512-lamp"\n' + TEXT.partition("\n")[2].partition("\n")[2],
        TEXT.replace("\n", "\r\n"),
        TEXT.rstrip("\n"),
        TEXT.replace("posted = 2026-03-16T10:00:00Z", "posted = 2026-03-16 12:00:00+02:00 # in Berlin"),
        TEXT.partition("[[version]]")[0]
        + "version = [{version = 1, msgid = 'one@example.com', posted = 2026-03-16T10:00:00Z, patches = 3}]\n",
    ],
    ids=["below", "between", "dotted", "crlf", "no newline", "zone", "inline"],
)
def test_odd_hand_edits_survive_or_are_refused(text: str) -> None:
    before = parse_record("lamp", text)
    wanted = replace(before, versions=(before.versions[0], TWO, *before.versions[1:]))
    try:
        after = write_record(wanted, text)
    except InputError as error:
        assert "cannot be edited" in error.message
        return
    assert parse_record("lamp", after) == wanted
    for word in ("by-hand", "Jane", "a.b.c", "# in Berlin"):
        assert (word in after) == (word in text)
