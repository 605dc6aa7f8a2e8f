# SPDX-License-Identifier: GPL-2.0-or-later
"""seriestool as a library: the example of its page runs, and `--help` loads none of it."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import seriestool
from tests.support.repos import ROOT

PAGE = ROOT / "docs/python-api.md"


@pytest.fixture
def lamps(tmp_path: Path) -> Path:
    """A folder with what the example names: the repository of the demo, and the series that ship."""
    tree = tmp_path / "lamp.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", tree], check=True)
    with (ROOT / "series/lamp.fast-export").open("rb") as history:
        subprocess.run(["git", "-C", tree, "fast-import", "--quiet"], stdin=history, check=True)
    (tmp_path / "series").symlink_to(ROOT / "series")
    return tmp_path


def test_the_example_runs(lamps: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    block = PAGE.read_text().partition("    from seriestool import")[2].partition("\n\n`open`")[0]
    monkeypatch.chdir(lamps)
    exec(textwrap.dedent("    from seriestool import" + block), {})  # noqa: S102
    said = capsys.readouterr().out.splitlines()
    commit = subprocess.run(
        [
            sys.executable,
            "-m",
            "seriestool",
            "find-base",
            "--format=b4",
            "--repo",
            "lamp.git",
            "series/lamp-fade/series.mbox",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    level, twelve = said[1].split()
    assert level == "exact"
    assert twelve in commit
    assert len(said) > 4


def test_help_loads_no_session() -> None:
    program = (
        "import sys, seriestool.cli.main; sys.argv = ['seriestool', '--help']\n"
        "try: seriestool.cli.main.run()\nexcept SystemExit: pass\n"
        "heavy = {'seriestool.session', 'seriestool.base.find'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.endswith("[]\n")
    assert "find-base" in done.stdout


def test_what_the_api_has_not_is_no_attribute() -> None:
    assert seriestool.Session.__name__ == "Session"
    with pytest.raises(AttributeError, match="has no attribute 'Sessions'"):
        seriestool.Sessions  # noqa: B018
