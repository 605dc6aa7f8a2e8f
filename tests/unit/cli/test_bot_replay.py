# SPDX-License-Identifier: GPL-2.0-or-later
"""bot replay: an old stretch of a list, with the time that it had."""

import io
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from seriestool.bot.queue.dry_run import DryRunResult
from seriestool.cli import bot_replay
from seriestool.cli.bot_replay import parse_moment
from seriestool.cli.options import CliParser, add_common_options, default_options
from seriestool.cli.ui import Ui
from seriestool.util.errors import InputError, NotFoundError
from tests.support.mails import fill, mail, series
from tests.support.repos import Repo

Make = Callable[..., Repo]
JUNE = parse_moment("2026-06-01T10:00")


@pytest.fixture
def archive(make_repo: Make) -> Path:
    repo = make_repo("list.git", bare=True)
    fill(repo, series("one", 2), date=JUNE)
    fill(repo, series("gap", 3, day=2)[:3], date=JUNE + 86_400)
    fill(repo, series("one", 2, version=2, day=5), date=JUNE + 4 * 86_400)
    return repo.path


def run(*words: str | Path) -> tuple[str, str]:
    parser = CliParser("replay")
    add_common_options(parser)
    bot_replay.add_arguments(parser)
    arguments = default_options()
    parser.parse_args([str(word) for word in words], arguments)
    out, err = io.StringIO(), io.StringIO()
    assert bot_replay.run(arguments, Ui(out, err)) == 0
    return out.getvalue(), err.getvalue()


def test_series_with_the_time_at_which_they_were_found(archive: Path) -> None:
    out, err = run("2026-06-01", "2026-06-10", "--archive", archive, "--no-precheck")
    assert [line.split("  ")[0] + " " + "  ".join(line.split("  ")[2:]) for line in out.splitlines()] == [
        "2026-06-01 10:05 list  one: all (v1, 2 patches)",
        "2026-06-02 11:05 list  gap: all (v1, 3 patches, 1 missing)  incomplete",
        "2026-06-05 10:05 list  one: all (v2, 2 patches)",
    ]
    assert err == "2 series, 1 of which patches never came\n"
    assert run("2026-06-01", "2026-06-10", "--archive", archive, "--no-precheck")[0] == out


def test_only_the_stretch(archive: Path) -> None:
    assert "v2" not in run("2026-06-01", "2026-06-05", "--archive", archive, "--no-precheck")[0]
    assert run("2026-06-06", "2026-06-07", "--archive", archive, "--no-precheck")[0] == ""


@pytest.fixture
def rehearse(monkeypatch: pytest.MonkeyPatch) -> Callable[[bot_replay.Begin], None]:
    """What looks at series, in the place of the precheck."""

    def install(begin: bot_replay.Begin) -> None:
        monkeypatch.setattr(bot_replay, "_open_dry_run", lambda *_: nullcontext(begin))

    return install


Install = Callable[[bot_replay.Begin], None]


def test_each_is_looked_at_once(archive: Path, tmp_path: Path, rehearse: Install) -> None:
    asked: list[str] = []

    def begin(key: str, now: int) -> Callable[[], DryRunResult]:
        asked.append(key)
        return lambda: DryRunResult("ready", "said nothing")

    rehearse(begin)
    out, _ = run("2026-06-01", "2026-06-10", "--archive", archive, "--state", tmp_path / "state")
    assert len(asked) == len(set(asked)) == 2
    assert out.splitlines()[0].endswith("one: all (v1, 2 patches)  ready  said nothing")
    assert run("2026-06-01", "2026-06-10", "--archive", archive, "--state", tmp_path / "state")[0] == ""


def test_what_was_cut_short_goes_on(archive: Path, tmp_path: Path, rehearse: Install) -> None:
    def die() -> DryRunResult:
        raise KeyboardInterrupt

    rehearse(lambda key, now: die)
    with pytest.raises(KeyboardInterrupt):
        run("2026-06-01", "2026-06-10", "--archive", archive, "--state", tmp_path / "state")
    rehearse(lambda key, now: lambda: DryRunResult("ready", ""))
    out, _ = run("2026-06-01", "2026-06-10", "--archive", archive, "--state", tmp_path / "state", "--json")
    found = json.loads(out)["series"]
    assert [(one["msgid"], one["answer"]) for one in found if not one["missing"]] == [
        ("one-v1-0@x", "ready"),
        ("one-v2-0@x", "ready"),
    ]


def test_decisions_come_in_order_though_looks_do_not(archive: Path, rehearse: Install) -> None:
    begun: list[int] = []
    finished: list[tuple[int, int]] = []

    def begin(key: str, now: int) -> Callable[[], DryRunResult]:
        begun.append(now)

        def finish() -> DryRunResult:
            finished.append((now, len(begun)))
            return DryRunResult("ready", "")

        return finish

    rehearse(begin)
    run("2026-06-01", "2026-06-10", "--archive", archive)
    assert [now for now, _ in finished] == sorted(begun)
    assert finished[0][1] == 2  # the second look had begun before the first was waited for


def test_a_mail_that_was_taken_back_later(make_repo: Make) -> None:
    repo = make_repo("list.git", bare=True)
    fill(repo, [*series("one", 1), spam := mail("spam@x", "[PATCH] buy", "diff --git a/f b/f\n")], date=JUNE)
    repo.commit({"m": None, "d": spam}, date=JUNE + 999)
    assert "buy" not in run("2026-06-01", "2026-06-10", "--archive", repo.path, "--no-precheck")[0]


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "1", "9999999999-01-01"])
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(InputError, match="is no date"):
        parse_moment(text)


def test_wrong_words(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not after"):
        run("2026-06-01", "2026-06-01", "--archive", archive, "--no-precheck")
    with pytest.raises(NotFoundError, match="is no public-inbox archive"):
        run("2026-06-01", "2026-06-02", "--archive", tmp_path, "--no-precheck")
    with pytest.raises(NotFoundError, match="no list was added"):
        run("2026-06-01", "2026-06-02", "--repo", tmp_path, "--no-precheck")
