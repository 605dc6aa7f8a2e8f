# SPDX-License-Identifier: GPL-2.0-or-later
"""Every series that ships in series/: what its series.toml says must be what find-base answers."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.helpers import ROOT

FOLDERS = sorted(file.parent for file in (ROOT / "series").glob("*/series.toml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_recorded_series_gets_its_answer(folder: Path, make_repo, cli) -> None:
    facts = tomllib.loads((folder / "series.toml").read_text())
    tree = make_repo("tree", bare=True)
    tree.git("fast-import", "--quiet", input=(ROOT / "series" / facts["tree"]).read_bytes())

    result = cli("find-base", "--json", "--repo", str(tree.path), str(folder / "series.mbox"))
    answer = json.loads(result.out)
    wanted = facts["answer"]

    assert answer["series"]["msgid"] == facts["msgid"]
    assert answer["verdict"] == wanted["verdict"]
    assert result.code == (0 if wanted["verdict"] in ("exact", "applies", "three-way") else 1)
    if "base" in wanted:
        assert (answer["base"]["commit"], answer["base"]["tree"]) == (wanted["base"], wanted["in"])
    if "stated" in wanted:
        assert answer["stated"]["state"] == wanted["stated"]
    if "failing" in wanted:
        _check_failure(answer, wanted)


def test_the_readme_shows_what_the_demo_prints(make_repo, cli) -> None:
    block = (ROOT / "README.md").read_text().partition("    $ seriestool find-base --repo lamp.git ")[2]
    name, *shown = block.partition("\n\nAn answer claims")[0].splitlines()
    tree = make_repo("tree", bare=True)
    tree.git("fast-import", "--quiet", input=(ROOT / "series/lamp.fast-export").read_bytes())
    printed = iter(cli("find-base", "--repo", str(tree.path), str(ROOT / name)).out.splitlines())
    shown = [line.removeprefix("    ") for line in shown if line.strip() not in ("", "...")]
    assert len(shown) > 12
    assert [line for line in shown if line not in printed] == []  # all of them, in this order


def _check_failure(answer: dict, wanted: dict) -> None:
    outcomes = answer["candidates"][0]["outcomes"]
    going_in = [o["patch"] for o in outcomes if o["outcome"] in ("UNMODIFIED", "MODIFIED")]
    failing = next(o for o in outcomes if o["outcome"] == "CONFLICT")
    never = [path["path"] for path in answer["unmatched"] if path["reason"] == "never"]
    merged = {
        candidate["tree"]: [o["patch"] for o in candidate["outcomes"] if o["outcome"] == "ALREADY_MERGED"]
        for candidate in answer["candidates"]
        if candidate["label"] == "tip"
    }
    assert len(going_in) == wanted["applied"]
    assert failing["patch"] == wanted["failing"]
    assert (failing["failure"]["path"], failing["failure"]["hunk"]) == (wanted["path"], wanted["hunk"])
    assert never == wanted["never"]
    assert {tree: patches for tree, patches in merged.items() if patches} == wanted["merged"]
