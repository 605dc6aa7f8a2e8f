# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages as the program writes them."""

from collections.abc import Callable
from pathlib import Path

from tests.support.kernels import make_lamp_kernel, make_mistakes
from tests.support.repos import Repo
from tests.support.session import Result


def test_precheck_writes_its_page(repo: Repo, tmp_path: Path, cli: Callable[..., Result]) -> None:
    series = make_mistakes(make_lamp_kernel(repo))
    page = tmp_path / "report.html"
    options = ("--offline", "--only=fixes-tag,sign-off", "--format=html", "-o", page)
    result = cli("precheck", *options, series, cwd=repo.path)
    assert result.code == 1, result.err
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")
    assert 'id="why' not in text  # all goes in everywhere
    assert "fixes-tag/subject-mismatch" in text


def test_the_page_of_a_series_that_fits_nothing(repo: Repo, tmp_path: Path, cli: Callable[..., Result]) -> None:
    series = make_mistakes(make_lamp_kernel(repo))
    other = Repo(tmp_path / "other")
    other.commit({"README": "x\n"})
    result = cli("precheck", "--offline", "--only=sign-off", "--format=html", series, cwd=other.path)
    assert result.code == 1, result.err
    assert '<span class="chip bad">no base</span>' in result.out
    assert "lamp: return four" in result.out
    assert 'class="grid"' not in result.out
