# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands are asked about the same series, and say the same: base, fixes, names of trees, who is merged."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.repos import Repo
from tests.support.series import lines, mail_series
from tests.support.session import Result

LAMP = "lamp.c"
Ask = Callable[..., Any]


@pytest.fixture
def lamps(make_repo: Callable[..., Repo]) -> Repo:
    """A tree, and another one that has gone on and has the first patch already."""
    repo = make_repo("lamps")
    repo.commit({LAMP: lines(1, 30), "bulb.c": lines(1, 9)}, "lamps")
    return repo


@pytest.fixture
def ask(lamps: Repo, cli: Callable[..., Result], tmp_path: Any) -> Ask:
    """`ask("split", mbox)`: what the command says of the series, as JSON."""

    def ask_command(command: str, mbox: bytes, *arguments: str) -> Any:
        path = tmp_path / "series.mbox"
        path.write_bytes(mbox)
        result = cli(command, "--repo", str(lamps.path), "--json", "--offline", *arguments, str(path))
        return json.loads(result.out)

    return ask_command


def test_all_of_them_agree(lamps: Repo, ask: Ask) -> None:
    first = (
        'bulb: one line more\n\nFixes: {} ("lamps")'.format(lamps.git("rev-parse", "--short=12", "HEAD")),
        {"bulb.c": lines(1, 10)},
    )
    mbox = mail_series(lamps, first, ("lamp: one line more", {LAMP: lines(1, 31)}))
    base = lamps.git("rev-parse", "HEAD")
    lamps.git("branch", "next")
    lamps.commit({"bulb.c": lines(1, 10)}, "bulb: one line more")

    found = ask("find-base", mbox)
    rebased = ask("rebase", mbox, "--all-trees")
    planned = ask("split", mbox)
    checked = ask("check", mbox, "--only=integrity,apply")
    whole = ask("precheck", mbox, "--only=integrity,apply")

    assert found["base"]["commit"] == base
    commits = {rebased["base"]["commit"], planned["base"]["commit"], whole["base"]["base"]["commit"]}
    assert commits == {base}
    assert checked["base"]["commit"] == base

    names = {tree["name"] for tree in rebased["trees"]}
    assert names == {tree["name"] for tree in whole["matrix"]["trees"]}
    assert names == {"main", "next"}

    merged = {tree["name"]: [patch["outcome"] for patch in tree["patches"]] for tree in rebased["trees"]}
    assert merged == {
        tree["name"]: [patch["outcome"] for patch in tree["patches"]] for tree in whole["matrix"]["trees"]
    }
    assert merged["main"][0] == "ALREADY_MERGED"

    fixes = [patch["fix"] for part in planned["subseries"] for patch in part["patches"]]
    assert sorted(fixes) == [False, True]
    mixed = [finding for result in checked["results"] for finding in result["findings"] if finding["rule"] == "mixed"]
    assert mixed == []  # the fix comes first: check takes the same patch for it
