# SPDX-License-Identifier: GPL-2.0-or-later
"""What a process loads before it answers: start-up is most of the time of a find-base."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repos import Repo
from tests.support.series import make_series

_RUN = """
import json, sys
from seriestool.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
HEAVY = ("git", "b4", "unidiff", "requests", "liblore", "numpy", "dataclasses", "inspect", "typing_extensions",
         "sqlalchemy", "dbos", "jinja2", "rich", "tree_sitter", "email", "sqlite3")  # fmt: skip


def loaded_by(*arguments: object) -> set[str]:
    result = subprocess.run([sys.executable, "-c", _RUN, *map(str, arguments)], capture_output=True, text=True)
    code, modules = json.loads(result.stderr.splitlines()[-1])
    assert code == 0, result.stdout
    return set(modules)


@pytest.fixture
def mbox(repo: Repo, tmp_path: Path) -> Path:
    base = repo.commit({"a.c": "one\n"})
    path = tmp_path / "series.mbox"
    path.write_bytes(make_series(repo, base, {"a.c": "two\n"}))
    loaded_by("find-base", "--repo", repo.path, path)  # the index is there afterwards
    return path


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_find_base_that_only_answers_loads_nothing_heavy(repo: Repo, mbox: Path, options: tuple[str, ...]) -> None:
    modules = loaded_by("find-base", *options, "--repo", repo.path, mbox)
    assert "seriestool.base.find" in modules
    assert modules.isdisjoint(HEAVY)


def test_help_loads_no_use_case() -> None:
    modules = loaded_by("--help")
    assert modules.isdisjoint((*HEAVY, "msgspec"))
    rooms = {name.split(".")[1] for name in modules if name.startswith("seriestool.")}
    assert rooms == {"cli", "report", "util"}
