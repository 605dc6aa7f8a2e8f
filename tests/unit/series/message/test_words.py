# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of commit messages: where trailers stand, names and their spelling, people, titles."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seriestool.series.mail.patch_mail import has_via, without_via
from seriestool.series.message.commit_message import Trailer, message_below, parse_message
from seriestool.series.message.people import Mailmap, Person, PersonMatch, parse_mailmap, parse_person
from seriestool.series.message.stable_tags import find_stable_tags, names_upstream
from seriestool.series.message.title_comparison import TitleMatch as Titles
from seriestool.series.message.title_comparison import compare_titles
from seriestool.series.message.trailer_names import edit_distance, meant_name, proper_name, tip_rank
from tests.support.repos import Repo

SIGNED = "Signed-off-by: A U Thor <author@example.com>"


# --- messages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"foo: x\n\nText.\n\n{SIGNED}",
        f'foo: x\n\nText.\n\nFixes: 0123456789ab ("y")\n{SIGNED}\nCc: a@b',
        f"foo: x\n\nText.\n\nLink: a\n  b\n{SIGNED}",
        f"foo: x\n\nText.\n\n[ handler: moved it ]\n{SIGNED}",
        f"foo: x\n\nText: it is\nso: {SIGNED}",
        f"foo: x\n\n{SIGNED}\n\nno trailers: here and\nthere",
        "foo: x\n\nsays: one\nsays: two",
        f"foo: x\n\nmany\nlines\nof\ntext\nand\none\n{SIGNED}",
        "foo: x",
        f"foo: x\n\n{SIGNED}\n(cherry picked from commit 0123)",
        f"foo: x\n\nSee:\n  one\n  two\n  three\n  four\n{SIGNED}",
        f"foo: x\n\none\n  two\n  three\n  four\n{SIGNED}",
        "foo: x\n\none\ntwo\nthree\nLink: a\n(cherry picked from commit 0123)",
        f"foo: x\n\nText.\n\n{SIGNED}\n# a remark\n",
        f"foo: x\n\nText.\n\n# a remark\n{SIGNED}",
        f"foo: x\n\nText.\n\n--v2: less\n{SIGNED}",
    ],
)
def test_trailers_are_those_that_git_sees(repo: Repo, text: str) -> None:
    message = parse_message(text)
    expected = repo.git("interpret-trailers", "--parse", input=text + "\n").splitlines()
    own = [f"{one.name}: {one.value}" for one in message.trailers]
    assert own == [line for line in expected if not line.startswith("(")]


_LINES = (
    "", " ", "text", "  more: text", "\tgoes on", "Link: a", "-a : b", "a b: c", ": d", "# remark", SIGNED,
    "(cherry picked from commit 01)", "(cherry picked: so)", "> Cc: e", "Cc:",
)  # fmt: skip


@given(
    st.lists(
        st.sampled_from(_LINES),
        max_size=9,
    )
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_lines_are_trailers_where_git_says_so(repo: Repo, lines: list[str]) -> None:
    text = "foo: x\n\n" + "\n".join(lines)
    expected = repo.git("interpret-trailers", "--parse", "--no-divider", input=text + "\n").split("\n")
    own = [f"{one.name}: {one.value}".rstrip() for one in parse_message(text).trailers]
    assert own == [line.rstrip() for line in expected if line.strip() and not line.startswith("(")]


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ("text\n\nSigned-off-by: A <a@example.org>", ["Signed-off-by"]),
        ('text\n\nFixes: 0123 ("x")\nReported-by: A <a@x>\n', ["Fixes", "Reported-by"]),
        ("text\n\nCc: a\n\nSigned-off-by: A <a@x>", ["Signed-off-by"]),
        ("Signed-off-by: A <a@x>", ["Signed-off-by"]),
        ("Note: this is prose\nthat goes on", []),
        ("Note: this is prose\nSigned-off-by: A <a@x>", ["Note", "Signed-off-by"]),
        ("one\ntwo\nthree\nSigned-off-by: A <a@x>", ["Signed-off-by"]),
        ("one\ntwo\nthree\nfour\nSigned-off-by: A <a@x>", []),
        ("text\n\n> Reviewed-by: A <a@x>", []),
        ('text\n\nFixes: 0123\n  ("wrapped")\nSigned-off-by: A <a@x>', ["Fixes", "Signed-off-by"]),
        ("", []),
    ],
)
def test_trailers_of_a_mailed_message(message: str, names: list[str]) -> None:
    assert [trailer.name for trailer in trailers_below(message)] == names


def test_a_wrapped_trailer_is_one() -> None:
    (fixes, _) = trailers_below('text\n\nFixes: 0123\n  ("wrapped")\nSigned-off-by: A <a@x>')
    assert fixes.value == '0123 ("wrapped")'


def trailers_below(text: str) -> tuple[Trailer, ...]:
    return message_below("foo: x", text).trailers


def test_lines_are_numbered_as_in_the_commit_message() -> None:
    message = parse_message(f"foo: x\n\nText.\n\n{SIGNED}\nCc: a@b\n")
    assert [(one.number, one.name) for one in message.trailers] == [(5, "Signed-off-by"), (6, "Cc")]


def test_trailers_above_the_last_paragraph_are_stray() -> None:
    message = parse_message(f"foo: x\n\nReviewed-by: A <a@b>\nsays: so\n\n{SIGNED}")
    assert [one.name for one in message.stray] == ["Reviewed-by"]


def test_the_text_leaves_out_what_is_quoted() -> None:
    message = parse_message(f"foo: x\n\none\n  two\n> three\n\nfour\n\n{SIGNED}")
    assert list(message.prose()) == [(3, "one"), (7, "four")]


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [("a", "a", 0), ("ab", "ba", 1), ("abc", "ac", 1), ("abc", "abxc", 1), ("abc", "xyz", 3), ("abcd", "badc", 2)],
)
def test_slips_between_words(one: str, other: str, slips: int) -> None:
    assert edit_distance(one, other, 3) == edit_distance(other, one, 3) == slips
    assert edit_distance(one, other, 0) == min(slips, 1)


def test_names_of_trailers() -> None:
    assert proper_name("signed-OFF-by") == "Signed-off-by"
    assert meant_name("Reviewd-by") == "Reviewed-by"
    assert meant_name("Reviewed-by") is None
    assert meant_name("Based") is None


@pytest.mark.parametrize("name", ["Nacked-by", "Hacked-by", "Posted-by", "Exported-by", "Notified-by", "Analysed-by",
                                  "Tested-in", "Rebased-on", "Suggested-to"])  # fmt: skip
def test_other_words_are_no_slips(name: str) -> None:
    """A Nacked-by that became an Acked-by would say the opposite."""
    assert meant_name(name) is None
    assert tip_rank("Fixes") == 0
    assert tip_rank("Reported-by") < tip_rank("Closes")  # type: ignore[operator]
    assert tip_rank("Foo") is None


# --- people ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("A B <a@b.c>", "A B", "a@b.c"),
        ('"B, A" <a@b.c> # remark', "B, A", "a@b.c"),
        ("<a@b.c>", "", "a@b.c"),
        ("a@b.c", "", "a@b.c"),
        ("A B (C) <a@b.c>", "A B (C)", "a@b.c"),
    ],
)
def test_people_in_trailers(text: str, name: str, address: str) -> None:
    assert parse_person(text) == Person(name, address)


def test_who_is_nobody() -> None:
    assert parse_person("Somebody") is None
    nobody = Person("root", "root@a"), Person("root", "root@b")
    assert Mailmap().compare(*nobody) is PersonMatch.OTHER


@pytest.mark.parametrize(
    ("line", "old"),
    [
        ("New <new@a> <old@a>", Person("Whoever", "old@a")),
        ("New <new@a> Old <old@a>", Person("Old", "old@a")),
        ("New <new@a> Old <OLD@a>", Person("old", "old@A")),
    ],
)
def test_the_mailmap_knows_who_it_is(line: str, old: Person) -> None:
    mailmap = parse_mailmap(f"# a remark\n\nnonsense\n{line} # another\n".encode())
    assert mailmap.proper(old) == Person("New", "new@a")
    assert mailmap.compare(old, Person("Other Name", "new@a")) is PersonMatch.SAME
    assert mailmap.compare(Person("Else", "else@a"), Person("Other Name", "new@a")) is PersonMatch.OTHER


def test_the_mailmap_may_only_mend_a_name() -> None:
    assert parse_mailmap(b"Proper Name <a@b>").proper(Person("prop", "a@b")) == Person("Proper Name", "a@b")


def test_names_that_lists_put_together() -> None:
    assert has_via("A U Thor via B4 Relay")
    assert without_via("'A U Thor' via Foo List") == "A U Thor"
    assert not has_via("Olivia Thor")


@given(st.text(max_size=200))
def test_no_text_breaks_people(text: str) -> None:
    person = parse_person(text)
    assert person is None or Mailmap().compare(person, person) is PersonMatch.SAME
    parse_mailmap(text.encode())


# --- titles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quoted", "likeness"),
    [
        ('foo: say "no" to caf\u00e9s', Titles.SAME),
        ("foo: say 'no' to caf\u00e9s", Titles.NEARLY),
        ('foo: say \\"no\\" to caf\u00e9s', Titles.NEARLY),
        ("foo: say \u201cno\u201d to cafe\u0301s", Titles.NEARLY),
        ('foo: say "no" to caf??s', Titles.NEARLY),
        ('Foo: say  "no" to caf\u00e9s.', Titles.NEARLY),
        ('foo: say "no" ...', Titles.NEARLY),
        ("foo: say", Titles.OTHER),
        ('foo: say "yes" to caf\u00e9s', Titles.OTHER),
        ("", Titles.OTHER),
    ],
)
def test_titles(quoted: str, likeness: Titles) -> None:
    assert compare_titles(quoted, 'foo: say "no" to caf\u00e9s') is likeness


# --- stable ---------------------------------------------------------------------------------------------------------


def test_versions_for_stable() -> None:
    message = parse_message(f"foo: x\n\nCc: stable@vger.kernel.org # 5.4+\nCc: <stable@vger.kernel.org>\n{SIGNED}")
    assert [(one.number, one.names_version) for one in find_stable_tags(message)] == [(3, True), (4, False)]


def test_the_upstream_commit_may_be_named_in_several_ways() -> None:
    for line in ("commit 0123456789ab upstream.", "[ Upstream commit 0123456789ab ]", "Upstream commit: 0123456789ab"):
        assert names_upstream(parse_message(f"foo: x\n\n{line}\n\nText."))
    assert not names_upstream(parse_message("foo: x\n\nThere is no upstream commit 1."))
