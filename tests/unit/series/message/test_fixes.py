# SPDX-License-Identifier: GPL-2.0-or-later
"""The grammar of Fixes tags: each kind of mistake that seven years of linux-next mails count."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.series.message.commit_message import parse_message
from seriestool.series.message.fixes import FixesFlaw, FixesTag, find_fixes_tags

SIGNED = "Signed-off-by: A U Thor <author@example.com>"
ID = "0123456789ab"
TITLE = "foo: count the frames"


def tags_of(*lines: str) -> tuple[FixesTag, ...]:
    """The tags of a message whose last paragraph has these lines."""
    return find_fixes_tags(parse_message("\n".join(["foo: mend it", "", "It was wrong.", "", *lines, SIGNED])))


def the_tag(*lines: str) -> FixesTag:
    found = tags_of(*lines)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    "title",
    [
        TITLE,
        'Revert "foo: count the frames"',
        "foo: use (a) and (b)",
        'foo: "a" and "b"',
        'foo: call bar("x")',
        "foo: Zähler für Rahmen",
        "foo: it's `here`",
        'Revert "Revert "foo: x""',
        "x",
    ],
)
def test_a_good_tag_has_no_flaw(title: str) -> None:
    line = f'Fixes: {ID} ("{title}")'
    assert the_tag(line) == FixesTag(5, line, ID, title)


@pytest.mark.parametrize("digits", [12, 13, 20, 40, 64])
def test_ids_of_twelve_digits_or_more_are_good(digits: int) -> None:
    oid = (ID * 6)[:digits]
    line = f'Fixes: {oid} ("{TITLE}")'
    assert the_tag(line) == FixesTag(5, line, oid, TITLE)


def test_wrapped_over_two_lines() -> None:
    tag = the_tag(f'Fixes: {ID} ("foo: count', 'the frames")')
    assert (tag.oid, tag.title, tag.flaws, tag.lines) == (ID, TITLE, (FixesFlaw.WRAPPED,), 2)


def test_wrapped_and_indented_as_mail_headers_are() -> None:
    assert the_tag(f'Fixes: {ID} ("foo: count', '  the frames")').flaws == (FixesFlaw.WRAPPED,)


def test_wrapped_over_three_lines() -> None:
    tag = the_tag(f'Fixes: {ID} ("foo:', "count the", 'frames")')
    assert (tag.title, tag.flaws, tag.lines) == (TITLE, (FixesFlaw.WRAPPED,), 3)


def test_wrapped_before_the_title() -> None:
    tag = the_tag(f"Fixes: {ID}", f'("{TITLE}")')
    assert (tag.title, tag.flaws) == (TITLE, (FixesFlaw.WRAPPED,))


def test_wrapped_where_the_next_line_looks_like_a_trailer_of_its_own() -> None:
    tag = the_tag(f'Fixes: {ID} ("foo: count the frames of', 'net: all of them")')
    assert (tag.title, tag.flaws) == ("foo: count the frames of net: all of them", (FixesFlaw.WRAPPED,))


def test_a_quote_that_is_not_closed() -> None:
    tag = the_tag(f'Fixes: {ID} ("{TITLE})')
    assert (tag.title, tag.flaws) == (TITLE, (FixesFlaw.UNCLOSED,))


def test_a_parenthesis_that_is_not_closed() -> None:
    tag = the_tag(f'Fixes: {ID} ("{TITLE}"')
    assert (tag.title, tag.flaws) == (TITLE, (FixesFlaw.UNCLOSED,))


def test_a_title_cut_short_takes_no_line_of_the_next_trailer() -> None:
    found = tags_of(f'Fixes: {ID} ("foo: count', f'Fixes: {ID[::-1]} ("{TITLE}")')
    assert [(tag.flaws, tag.lines) for tag in found] == [((FixesFlaw.UNCLOSED,), 1), ((), 1)]


@pytest.mark.parametrize("digits", [7, 8, 10, 11])
def test_an_id_of_less_than_twelve_digits(digits: int) -> None:
    tag = the_tag(f'Fixes: {ID[:digits]} ("{TITLE}")')
    assert (tag.oid, tag.flaws) == (ID[:digits], (FixesFlaw.SHORT_ID,))


def test_an_id_with_a_digit_too_many() -> None:
    assert the_tag(f'Fixes: {(ID * 4)[:41]} ("{TITLE}")').flaws == (FixesFlaw.LONG_ID,)


def test_no_id_at_all() -> None:
    tag = the_tag(f'Fixes: ("{TITLE}")')
    assert (tag.oid, tag.title, tag.flaws) == (None, TITLE, (FixesFlaw.NO_ID,))


@pytest.mark.parametrize("value", [TITLE, "the frames", "#1234", "1234567", "CVE-2026-12345", "N/A", "added in v5"])
def test_something_else_in_the_place_of_the_id(value: str) -> None:
    tag = the_tag(f"Fixes: {value}")
    assert (tag.oid, tag.flaws) == (None, (FixesFlaw.NO_ID,))


def test_a_url_of_the_commit_in_the_place_of_the_id() -> None:
    tag = the_tag(f'Fixes: https://git.kernel.org/linus/c/{ID} ("{TITLE}")')
    assert (tag.oid, tag.title, tag.flaws) == (ID, TITLE, (FixesFlaw.URL,))
    tag = the_tag(f"Fixes: https://git.kernel.org/pub/scm/x.git/commit/?id={ID}")
    assert (tag.oid, tag.flaws) == (ID, (FixesFlaw.URL,))


def test_a_url_of_a_report_in_the_place_of_the_id() -> None:
    tag = the_tag("Fixes: https://bugzilla.kernel.org/show_bug.cgi?id=218000")
    assert (tag.oid, tag.flaws) == (None, (FixesFlaw.URL,))


@pytest.mark.parametrize("word", ["commit", "Commit", "commit:", "patch", "sha1", "upstream commit"])
def test_a_word_before_the_id(word: str) -> None:
    tag = the_tag(f'Fixes: {word} {ID} ("{TITLE}")')
    assert (tag.oid, tag.title, tag.flaws) == (ID, TITLE, (FixesFlaw.WORD,))


def test_no_blank_before_the_title() -> None:
    assert the_tag(f'Fixes: {ID}("{TITLE}")').flaws == (FixesFlaw.NO_SPACE,)


def test_no_blank_after_the_colon() -> None:
    assert the_tag(f'Fixes:{ID} ("{TITLE}")').flaws == (FixesFlaw.NO_SPACE,)


@pytest.mark.parametrize(
    "line",
    [
        f'Fixes:  {ID} ("{TITLE}")',
        f'Fixes:\t{ID} ("{TITLE}")',
        f'Fixes : {ID} ("{TITLE}")',
        f'Fixes: {ID}  ("{TITLE}")',
        f'Fixes: {ID}: ("{TITLE}")',
        f'Fixes: <{ID}> ("{TITLE}")',
        f'Fixes: {ID} ("{TITLE} ")',
        f'Fixes: {ID} - ("{TITLE}")',
    ],
)
def test_blanks_and_marks_that_do_not_belong_there(line: str) -> None:
    tag = the_tag(line)
    assert (tag.oid, tag.title, tag.flaws) == (ID, TITLE, (FixesFlaw.SPACING,))


@pytest.mark.parametrize(
    "name", ["fixes:", "FIXES:", "Fix:", "Fixed:", "Fixs:", "Fxies:", "Fixes", "Fixes;", "Fix-for:"]
)
def test_the_name_of_the_tag_in_another_spelling(name: str) -> None:
    tag = the_tag(f'{name} {ID} ("{TITLE}")')
    assert (tag.oid, tag.title, tag.flaws) == (ID, TITLE, (FixesFlaw.NAME,))


def test_an_id_in_capitals() -> None:
    tag = the_tag(f'Fixes: {ID.upper()} ("{TITLE}")')
    assert (tag.oid, tag.flaws) == (ID, (FixesFlaw.ID_CASE,))


@pytest.mark.parametrize(
    "title",
    [
        f"({TITLE})",
        f'"{TITLE}"',
        f"('{TITLE}')",
        f"(\u201c{TITLE}\u201d)",
        f"(`{TITLE}`)",
        f"'{TITLE}'",
        TITLE,
        f'({TITLE}")',
        f"(\"{TITLE}')",
        f'( "{TITLE}" )',
    ],
)
def test_other_quotes_or_none(title: str) -> None:
    tag = the_tag(f"Fixes: {ID} {title}")
    assert (tag.title, tag.flaws) == (TITLE, (FixesFlaw.QUOTES,))


def test_no_title() -> None:
    tag = the_tag(f"Fixes: {ID}")
    assert (tag.oid, tag.title, tag.flaws) == (ID, None, (FixesFlaw.NO_TITLE,))


@pytest.mark.parametrize("after", [".", ",", " in v5.4", " # v5.4", " [1]", ';"'])
def test_text_behind_the_tag(after: str) -> None:
    tag = the_tag(f'Fixes: {ID} ("{TITLE}"){after}')
    assert (tag.title, tag.flaws) == (TITLE, (FixesFlaw.TEXT_AFTER,))


@pytest.mark.parametrize("between", [", ", " ", " and ", "; ", " Fixes: "])
def test_several_commits_in_one_tag(between: str) -> None:
    other = ID[::-1]
    found = tags_of(f'Fixes: {ID} ("{TITLE}"){between}{other} ("bar: b")')
    assert [(tag.oid, tag.title, tag.flaws) for tag in found] == [
        (ID, TITLE, (FixesFlaw.SEVERAL,)),
        (other, "bar: b", (FixesFlaw.SEVERAL,)),
    ]


def test_indented_among_the_trailers() -> None:
    found = find_fixes_tags(parse_message(f'foo: mend\n\nText.\n\n{SIGNED}\n  Fixes: {ID} ("{TITLE}")'))
    assert [(tag.oid, tag.flaws) for tag in found] == [(ID, (FixesFlaw.INDENTED,))]


def test_a_tag_above_the_last_paragraph_is_a_tag() -> None:
    found = find_fixes_tags(parse_message(f'foo: mend\n\nText.\n\nFixes: {ID} ("{TITLE}")\n\n{SIGNED}'))
    assert [(tag.number, tag.flaws) for tag in found] == [(5, ())]


def test_several_mistakes_at_once_are_told_apart() -> None:
    tag = the_tag(f"fixes: commit {ID[:8]} ({TITLE}).")
    assert set(tag.flaws) == {
        FixesFlaw.NAME,
        FixesFlaw.WORD,
        FixesFlaw.SHORT_ID,
        FixesFlaw.QUOTES,
        FixesFlaw.TEXT_AFTER,
    }
    assert (tag.oid, tag.title) == (ID[:8], TITLE)


@pytest.mark.parametrize(
    "text",
    [
        "Fixes: a race between the two",
        "fixes:",
        "Fix: the frames are counted",
        "This fixes: 0123456789ab",
        "Fixes the bug of 0123456789ab",
        f'fixes {ID} ("{TITLE}")',
        f'    Fixes: {ID} ("{TITLE}")',
        f'> Fixes: {ID} ("{TITLE}")',
        f'| Fixes: {ID} ("{TITLE}")',
        f'Tested without Fixes: {ID} ("{TITLE}")',
        "Fixes: decade old trouble",
        "Fixes: 100000 warnings",
    ],
)
def test_sentences_and_quotations_are_no_tags(text: str) -> None:
    assert find_fixes_tags(parse_message(f"foo: mend\n\n{text}\nand so on.\n\n{SIGNED}")) == ()


def test_a_message_with_a_subject_only_has_no_tags() -> None:
    assert find_fixes_tags(parse_message("Fixes: it")) == ()


@given(st.text(alphabet="Fixes: 0a1b(\"')#\n\t>,.-", max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    for tag in find_fixes_tags(parse_message(f"foo: mend\n\n{text}")):
        assert tag.lines >= 1
        assert tag.oid is None or tag.oid == tag.oid.lower()


@pytest.mark.parametrize("piece", ['"', '" ', "\t", "(", '")', "a1", "commit ", '" , ', "/commit/?&"])
def test_no_line_takes_long(piece: str) -> None:
    start = time.process_time()
    find_fixes_tags(parse_message(f"foo: mend\n\n{f'Fixes: {ID} (' + piece * 20_000}\n{SIGNED}"))
    find_fixes_tags(parse_message(f"foo: mend\n\n{'Fixes: https://x' + piece * 20_000}\n{SIGNED}"))
    assert time.process_time() - start < 0.5
