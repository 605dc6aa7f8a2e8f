# SPDX-License-Identifier: GPL-2.0-or-later
"""Every series that ships in series/: each fact of its series.toml must be what the program says today."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from seriestool.track.tracked_series import parse_record
from tests.support.golden import (
    PLACES,
    PROSE,
    RecordedFacts,
    facts_of,
    find_differences,
    recorded_folders,
    said_today,
    set_up,
)
from tests.support.repos import ROOT, SHARED

FOLDERS = recorded_folders()
Asked = tuple[RecordedFacts, RecordedFacts]
"""(what is recorded, what the program says)."""


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        (home / ".gitconfig").write_text("[user]\n\tname = C O Mitter\n\temail = committer@example.com\n")
        for name, value in {
            "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home, "GIT_CONFIG_NOSYSTEM": "1"
        }.items():  # fmt: skip
            patch.setenv(name, str(value))
        replay = set_up(request.param, tmp_path_factory.mktemp("series"))
        yield replay.facts, said_today(replay)


def test_each_fact_is_what_the_program_says(asked: Asked) -> None:
    facts, said = asked
    assert find_differences(facts, said) == []


def test_any_wrong_fact_is_found(asked: Asked) -> None:
    """Each single fact made wrong in a copy is told, and nothing else."""
    facts, said = asked
    places = list(leaves(facts))
    assert len(places) > 10
    for place in places:
        wrong = deepcopy(facts)
        make_wrong(wrong, place)
        assert len(find_differences(wrong, said)) == 1, place


def test_a_fact_that_the_program_knows_nothing_of_is_found(asked: Asked) -> None:
    facts, said = asked
    assert find_differences({**facts, "colour": "red"}, said) == ["colour: 'red', but None today"]
    assert find_differences({**facts, "version": [*facts["version"], {"version": 9}]}, said) != []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_status_can_read_it(folder: Path) -> None:
    tracked = parse_record(folder.name, (folder / "series.toml").read_text())
    assert tracked.newest.msgid == facts_of(folder)["msgid"]


def test_the_real_case_ships_without_its_mails() -> None:
    folder = ROOT / "series/tls-session-tags"
    assert [path.name for path in folder.iterdir()] == ["series.toml"]


def test_the_real_case_quotes_nobody() -> None:
    """No five words in a row are of a mail's text, subjects and paths apart."""
    folder = ROOT / "series/tls-session-tags"
    thread = SHARED / "data/tls-session-tags/thread.mbox"
    if not thread.exists():
        pytest.skip("needs ../shared/data/tls-session-tags/thread.mbox, which is not there")
    mails = " ".join(thread.read_text(errors="replace").lower().split())
    facts = facts_of(folder)
    for text in (facts["question"]["asked"], facts["reply"]["said"]):
        words = text.lower().split()
        assert [words[at : at + 5] for at in range(len(words) - 4) if " ".join(words[at : at + 5]) in mails] == []


def leaves(facts: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each single fact stands."""
    if isinstance(facts, Mapping):
        for key, value in facts.items():
            if key not in PROSE and not (not at and key in PLACES):
                yield from leaves(value, (*at, key))
    elif isinstance(facts, list) and facts and isinstance(facts[0], Mapping):
        for number, value in enumerate(facts):
            yield from leaves(value, (*at, number))
    else:
        yield at


def make_wrong(facts: Any, place: tuple[Any, ...]) -> None:
    """Put another value there."""
    *way, last = place
    for step in way:
        facts = facts[step]
    value = facts[last]
    facts[last] = [*value, "x"] if isinstance(value, list) else f"{value}x"


def test_the_readme_shows_what_the_demo_prints(make_repo, cli) -> None:
    block = (ROOT / "README.md").read_text().partition("    $ seriestool find-base --repo lamp.git ")[2]
    name, *shown = block.partition("\n\nAn answer claims")[0].splitlines()
    tree = make_repo("tree", bare=True)
    tree.git("fast-import", "--quiet", input=(ROOT / "series/lamp.fast-export").read_bytes())
    printed = iter(cli("find-base", "--repo", str(tree.path), str(ROOT / name)).out.splitlines())
    shown = [line.removeprefix("    ") for line in shown if line.strip() not in ("", "...")]
    assert len(shown) > 10
    assert [line for line in shown if line not in printed] == []  # all of them, in this order
