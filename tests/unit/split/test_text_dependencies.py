# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patches do not commute: small series whose answer is plain, and random ones in the orders found allowed."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seriestool.series.apply import FileState, apply_patch
from seriestool.series.diff import parse_diff
from seriestool.series.hunks import split_lines
from seriestool.series.model import PatchFailure
from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.split import text_dependencies
from seriestool.split.dependency_graph import Dependency, PatchStage
from seriestool.split.text_dependencies import FileChange, commute, find_change, textual_dependencies
from tests.support.repos import Repo
from tests.support.series import lines, make_series
from tests.support.split_series import Files, hunks, staged, ties

TEXT = lines(1, 40)


def with_words(*numbers: int, text: str = TEXT, word: str = "changed") -> str:
    """The text with these lines changed."""
    for number in numbers:
        assert f"line {number}\n" in text
        text = text.replace(f"line {number}\n", f"{word} {number}\n")
    return text


def found(base: Files, *changes: Files | bytes) -> dict[str, list[str]]:
    return ties(textual_dependencies(staged(base, *changes)))


@pytest.mark.parametrize(
    ("second", "needs"),
    [(10, True), (12, True), (13, True), (14, False), (7, True), (6, False), (40, False), (1, False)],
)
def test_lines_of_context_are_needed(second: int, needs: bool) -> None:
    """Line 10 is changed first; a hunk has three lines of context."""
    text = with_words(10)
    second_text = text.replace("changed 10\n", "again\n") if second == 10 else with_words(second, text=text)
    assert found({"a": TEXT}, {"a": text}, {"a": second_text}) == ({"2<-1": ["a"]} if needs else {})


def test_a_line_put_in_moves_later_hunks_only() -> None:
    grown = TEXT.replace("line 5\n", "line 5\nmore\nand more\n")
    assert found({"a": TEXT}, {"a": grown}, {"a": with_words(30, text=grown)}) == {}


def test_lines_taken_out_in_between() -> None:
    shrunk = lines(1, 19, 21, 40)
    assert found({"a": TEXT}, {"a": shrunk}, {"a": with_words(18, text=shrunk)}) == {"2<-1": ["a"]}
    # Its context ends, resp. begins, where the line was: git takes it in either order.
    assert found({"a": TEXT}, {"a": shrunk}, {"a": with_words(24, text=shrunk)}) == {}
    assert found({"a": TEXT}, {"a": shrunk}, {"a": with_words(23, text=shrunk)}) == {"2<-1": ["a"]}


def test_only_direct_needs() -> None:
    one = with_words(10)
    two = with_words(12, text=one)
    three = with_words(14, text=two)
    four = with_words(30, text=three)
    assert found({"a": TEXT}, {"a": one}, {"a": two}, {"a": three}, {"a": four}) == {"2<-1": ["a"], "3<-2": ["a"]}


def test_a_patch_passes_over_one_between() -> None:
    one = with_words(10)
    two = with_words(30, text=one)
    assert found({"a": TEXT}, {"a": one}, {"a": two}, {"a": with_words(9, text=two)}) == {"3<-1": ["a"]}


def test_each_shared_file_is_named() -> None:
    base = {"a": TEXT, "b": TEXT, "c": TEXT}
    one, two = with_words(10), with_words(11, text=with_words(10))
    assert found(base, dict.fromkeys(base, one), {"a": two, "c": two}) == {"2<-1": ["a", "c"]}


def test_code_that_looks_alike_is_not_mistaken() -> None:
    """From the line that the second patch names, git would find its lines in another function first."""
    blocks = b"{\n\tint ret;\n\n\tret = 0;\n\treturn ret;\n}\n" * 9
    grown = b"".join(b"new %d\n" % number for number in range(12)) + blocks
    changed = b"--- a/a\n+++ b/a\n@@ -37,6 +37,6 @@\n {\n \tint ret;\n \n-\tret = 0;\n+\tret = 1;\n \treturn ret;\n }\n"
    assert found({"a": blocks}, {"a": grown}, changed) == {}
    assert found({"a": blocks}, changed, {"a": b"top\n" + staged({"a": blocks}, changed)[0].after[b"a"].content}) == {}


def test_start_and_end_of_the_file_hold_hunks_in_place() -> None:
    """One without context above or below stands at the very beginning or end."""
    top = "top\n" + TEXT
    assert found({"a": TEXT}, {"a": top}, {"a": "above\n" + top}) == {"2<-1": ["a"]}
    end = TEXT + "end\n"
    assert found({"a": TEXT}, {"a": end}, {"a": end + "below\n"}) == {"2<-1": ["a"]}
    assert found({"a": TEXT}, {"a": top}, {"a": top + "end\n"}) == {}


def test_missing_final_newline() -> None:
    bare = TEXT + "end"
    assert found({"a": bare}, {"a": bare + "\n"}, {"a": with_words(20, text=bare) + "\n"}) == {}
    assert found({"a": bare}, {"a": bare + "\n"}, {"a": bare + "\nmore"}) == {"2<-1": ["a"]}


def test_made_and_removed_files() -> None:
    assert found({}, {"a": TEXT}, {"a": with_words(9)}, {"a": None}) == {"2<-1": ["a"], "3<-2": ["a"]}
    assert found({"a": TEXT}, {"a": with_words(9)}, {"b": TEXT}) == {}
    assert found({"a": TEXT}, {"a": None}, {"a": "another\n"}) == {"2<-1": ["a"]}


def test_renamed_file() -> None:
    rename = b"diff --git a/a b/b\nsimilarity index 100%\nrename from a\nrename to b\n"
    changes = {"a": with_words(30)}, rename, {"b": with_words(9, text=with_words(30))}
    assert found({"a": TEXT}, *changes) == {"2<-1": ["a"], "3<-2": ["b"]}


def test_copies_need_what_they_copy_and_not_each_other() -> None:
    def copy(name: bytes) -> bytes:
        return b"diff --git a/a b/%s\nsimilarity index 100%%\ncopy from a\ncopy to %s\n" % (name, name)

    needs = {"2<-1": ["a"], "3<-1": ["a"], "4<-2": ["a"], "4<-3": ["a"]}
    assert found({"a": TEXT}, {"a": with_words(9)}, copy(b"b"), copy(b"c"), {"a": with_words(9, 20)}) == needs


def test_changed_mode() -> None:
    mode = b"diff --git a/a b/a\nold mode 100644\nnew mode 100755\n"
    assert found({"a": TEXT}, mode, {"a": with_words(9)}) == {"2<-1": ["a"]}


def test_binary_file(repo: Repo) -> None:
    """As git itself mails it."""
    contents = [b"\0" + bytes([number]) * 40 for number in range(3)]
    base = repo.commit({"a": contents[0], "b": contents[0]})
    mbox = make_series(repo, base, *({"a": content, "b": contents[0]} for content in contents[1:]))
    diffs = [patch.diff for patch in series_of_text(mbox, SeriesSelector(), "mbox").patches]
    assert found({"a": contents[0]}, *diffs) == {"2<-1": ["a"]}


def test_a_file_where_a_directory_was() -> None:
    assert found({"a/b": TEXT}, {"a/b": None}, {"c": TEXT}, {"a": TEXT}) == {"3<-1": ["a"]}
    assert found({"a": TEXT}, {"a": None}, {"a/b": TEXT}) == {"2<-1": ["a"]}
    assert found({}, {"a/b": TEXT}, {"a/c": TEXT}) == {}


def test_a_stage_that_is_not_known_is_passed_over() -> None:
    one, two = with_words(10), with_words(20, text=with_words(10))
    first, second, third = staged({"a": TEXT}, {"a": one}, {"a": two}, {"a": with_words(30, text=two)})
    assert ties(textual_dependencies([first, second])) == {}
    # What lies between is not known: the third is not moved past it.
    assert ties(textual_dependencies([first, third])) == {"3<-1": ["a"]}


def test_past_the_bound_patches_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [{"a": with_words(*range(9, last, 9))} for last in (10, 19, 28, 37)]
    assert found({"a": TEXT}, *changes) == {}
    monkeypatch.setattr(text_dependencies, "MOST_STEPS", 2)
    assert found({"a": TEXT}, *changes) == {"3<-1": ["a"], "4<-2": ["a"], "4<-3": ["a"]}


def test_a_long_series_is_quick() -> None:
    """342 patches on one file, and 500 more files of which each is touched once."""
    text = lines(1, 3420)
    changes = []
    for number in range(1, 343):
        text = with_words(number * 10, text=text)
        changes.append({"a": text, **({f"f{number}": TEXT} if number % 2 else {})})
    assert found({"a": lines(1, 3420)}, *changes) == {}


@st.composite
def edited(draw: st.DrawFn, texts: Sequence[str], number: int) -> list[str]:
    """The lines with some of them changed, left out, or with lines put in below; all lines stay unlike each other."""
    result = list(texts)
    spots = draw(st.sets(st.integers(0, max(len(result) - 1, 0)), min_size=1, max_size=2))
    for spot in sorted(spots, reverse=True):
        fresh = [f"{number}.{spot}.{n}\n" for n in range(draw(st.integers(0, 2)))]
        kept = result[spot : spot + 1] if draw(st.booleans()) else []
        result[spot : spot + 1] = [*kept, *fresh]
    return result


@st.composite
def small_series(draw: st.DrawFn) -> list[PatchStage]:
    """A few patches on two files, one of which may come and go."""
    start: dict[str, list[str]] = {"a": [f"{n}\n" for n in range(24)], "b": [f"{n}\n" for n in range(12)]}
    state: dict[str, list[str] | None] = {**start}
    changes: list[Files] = []
    for number in range(draw(st.integers(2, 5))):
        change: dict[str, list[str] | None] = {}
        for name in draw(st.sets(st.sampled_from("ab"), min_size=1)):
            old = state[name]
            goes = name == "b" and old is not None and draw(st.integers(0, 5)) == 0
            change[name] = None if goes else draw(edited(old or [], number))
        if all(state[name] != new for name, new in change.items()):
            state.update(change)
            changes.append({name: None if new is None else "".join(new) for name, new in change.items()})
    return staged({name: "".join(text) for name, text in start.items()}, *changes)


@given(small_series(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_every_order_that_keeps_to_the_needs_gives_the_same_files(
    stages: list[PatchStage], chance: random.Random
) -> None:
    """Lines differ from each other, so that git's search finds the one place for each hunk."""
    needs = textual_dependencies(stages)
    base: dict[bytes, FileState] = {}
    for stage in reversed(stages):
        for path in (*stage.before, *stage.after):
            base.pop(path, None)
        base.update(stage.before)
    results = []
    for order in (stages, allowed_order(stages, needs, chance), allowed_order(stages, needs, chance)):
        files = dict(base)
        for stage in order:
            applied = apply_patch(files, stage.patch.files)
            assert not isinstance(applied, PatchFailure), [one.patch.counter for one in order]
            files = dict(applied.files)
        results.append(files)
    assert results[0] == results[1] == results[2]


@given(small_series())
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_neighbours_that_need_each_other_cannot_be_exchanged(stages: list[PatchStage]) -> None:
    """No need is found where git would take both the other way round, with the same files."""
    for one, two in pairwise(stages):
        before = {**{path: state for path, state in two.before.items() if path not in one.after}, **one.before}
        after = {**{path: state for path, state in one.after.items() if path not in two.before}, **two.after}
        moved = apply_patch(before, two.patch.files)
        both = moved if isinstance(moved, PatchFailure) else apply_patch(moved.files, one.patch.files)
        commutes = not isinstance(both, PatchFailure) and dict(both.files) == after
        assert (f"{two.patch.counter}<-{one.patch.counter}" in ties(textual_dependencies([one, two]))) != commutes


def allowed_order(stages: Sequence[PatchStage], needs: Sequence[Dependency], chance: random.Random) -> list[PatchStage]:
    """The patches in an order in which each comes after all that it needs."""
    left = list(stages)
    order: list[PatchStage] = []
    while left:
        waiting = {stage.patch.counter for stage in left}
        free = [
            stage for stage in left if not any(n.patch == stage.patch.counter and n.needs in waiting for n in needs)
        ]
        order.append(chance.choice(free))
        left.remove(order[-1])
    return order


WORDS = lines(1, 40).encode()


def change(before: bytes, after: bytes) -> FileChange:
    diff = b"".join(hunks(split_lines(before), split_lines(after), b"a/a", b"b/a"))
    found = find_change(before, parse_diff(diff)[0].hunks)
    assert found is not None
    return found


def places(one: FileChange) -> list[tuple[int, int]]:
    """(where a hunk begins, where its first changed line is)."""
    return [(span.start, span.runs[0].start) for span in one]


def test_places_shift_by_what_is_above() -> None:
    grown = WORDS.replace(b"line 10\n", b"line 10\nmore\nand more\n")
    both = grown.replace(b"line 30\n", b"")
    pair = commute(change(WORDS, grown), change(grown, both))
    assert pair is not None
    second, first = pair
    assert second == change(WORDS, WORDS.replace(b"line 30\n", b""))
    assert first == change(WORDS.replace(b"line 30\n", b""), both)
    assert places(first) == [(7, 10)]
    assert places(second) == [(26, 29)]


def test_exchanged_twice_they_are_as_they_were() -> None:
    middle = WORDS.replace(b"line 30\n", b"line 30\nmore\n")
    end = middle.replace(b"line 5\n", b"")
    first, second = change(WORDS, middle), change(middle, end)
    pair = commute(first, second)
    assert pair is not None
    assert commute(*pair) == (first, second)


def test_what_changes_the_same_lines_stays() -> None:
    middle = WORDS.replace(b"line 30\n", b"changed\n")
    assert commute(change(WORDS, middle), change(middle, middle.replace(b"changed\n", b"again\n"))) is None


def test_no_change_where_hunks_find_no_place() -> None:
    hunk = parse_diff(b"--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n not there\n-a\n+b\n")[0].hunks
    assert find_change(WORDS, hunk) is None
