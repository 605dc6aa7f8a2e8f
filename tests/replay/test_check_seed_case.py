# SPDX-License-Identifier: GPL-2.0-or-later
"""The real case, checked on its rebuilt base: what is said was compared with mails and trees by hand.

https://lore.kernel.org/r/20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com; docs/checks/tls-session-tags.md
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.repos import Repo, shared
from tests.support.session import run_program

JUDGED = {
    ("attestation", "patatt-no-key", None, "pass"),
    ("cover-letter", "base-unknown", None, "pass"),
    ("apply", "contained", 1, "warn"),
    ("uapi", "sentinel-moved", 2, "pass"),
    ("uapi", "cc-linux-api", 2, "pass"),
    ("new-file", "no-section", 3, "warn"),
    ("new-file", "wide-section", 3, "pass"),
    ("recipients", "missing-list", 3, "warn"),
    ("recipients", "missing-general", 4, "pass"),
    ("recipients", "missing-general", 6, "pass"),
    ("uapi", "sentinel-moved", 6, "pass"),
    ("uapi", "cc-linux-api", 6, "pass"),
    ("uapi", "sentinel-moved", 9, "pass"),
    ("uapi", "cc-linux-api", 9, "pass"),
    *(("apply", "offset", patch, "pass") for patch in (4, 5, 8, 9)),
}


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("seed")
    repo = Repo(folder / "kernel", bare=True)
    repo.git("fetch", "--quiet", str(shared("data/kernel-subset.bundle")), "+refs/*:refs/*")
    mbox = shared("data/tls-session-tags/series.mbox")
    result = run_program("check", "--repo", repo.path, "--json", "--offline", mbox, env={"XDG_CACHE_HOME": str(folder)})
    assert (result.code, result.out[:1]) == (0, "{"), result.err
    return json.loads(result.out)


def test_it_stands_on_the_rebuilt_base(answer: Any) -> None:
    base = answer["base"]
    assert (base["footing"], base["describe"], base["expected"]) == ("rebuilt", "v7.2.13", 26)
    assert base["matched"] >= 20


def test_what_is_said_is_what_was_judged(answer: Any) -> None:
    found = {
        (result["check"], one["rule"], one["patch"], one["status"])
        for result in answer["results"]
        for one in result["findings"]
        if one["status"] != "skip"
    }
    assert found == JUDGED


def test_what_the_fix_became_is_named(answer: Any) -> None:
    (said,) = [
        one["message"] for result in answer["results"] for one in result["findings"] if one["rule"] == "contained"
    ]
    assert said.endswith("mainline, stable-6.12, stable-7.1, stable-7.2")


def test_what_cut_trees_lack_is_skipped_with_the_reason(answer: Any) -> None:
    skipped = {
        result["check"]: one["message"]
        for result in answer["results"]
        for one in result["findings"]
        if one["status"] == "skip"
    }
    assert set(skipped) == {"attestation", "bisect", "fixes-tag", "kernel-doc", "kunit-build", "netlink-spec"}
    assert "arch/um" in skipped["kunit-build"]
    assert "3b3009ea8abb" in skipped["fixes-tag"]


def test_the_page_has_each_finding() -> None:
    page = (Path(__file__).parents[2] / "docs/checks/tls-session-tags.md").read_text()
    without_lists = {("apply", "offset", 8), ("apply", "offset", 9)}  # fewer blobs are proven
    missing = {
        (check, rule) for check, rule, patch, _ in JUDGED if f"{check}/{rule}" not in page
        and (check, rule, patch) not in without_lists
    }  # fmt: skip
    assert missing == set()
