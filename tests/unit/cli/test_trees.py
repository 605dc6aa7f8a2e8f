# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool trees`: the sub-commands, on real repositories."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repos import Repo
from tests.support.series import make_series, with_stated
from tests.support.session import Result, find

Make = Callable[..., Repo]
Cli = Callable[..., Result]
Shared = Callable[[str], Path]
SEED = "4d4d6605de5f91a40335729b6a7cc15e83b280f3"


@pytest.fixture
def there(make_repo: Make) -> Repo:
    """Somebody's tree, with two branches."""
    made = make_repo("there.git", bare=True)
    made.commit({"a": "1"}, branch="main")
    made.commit({"a": "2"}, branch="next")
    return made


def refs(repo: Repo, under: str = "refs") -> list[str]:
    return repo.git("for-each-ref", "--format=%(refname)", under).split()


def test_add_update_list_remove(repo: Repo, there: Repo, cli_here: Cli) -> None:
    url = there.path.as_uri()
    tip = there.git("rev-parse", "next")
    assert cli_here("trees", "add", "net", url, "next", cwd=repo.path).code == 0
    assert repo.git("config", "seriestool.tree.net.url") == url
    assert "not fetched" in cli_here("trees", "list", cwd=repo.path).out
    assert cli_here("trees", "update", cwd=repo.path).code == 0
    assert cli_here("trees", "list", cwd=repo.path).out == f"net  {tip[:12]}  {url} next\n"
    assert refs(repo) == ["refs/seriestool/trees/net/next"]
    assert cli_here("trees", "remove", "net", cwd=repo.path).code == 0
    assert cli_here("trees", "list", cwd=repo.path).out == ""
    assert refs(repo) == []
    assert "seriestool" not in (repo.path / ".git/config").read_text()


def test_list_as_json_has_every_key(repo: Repo, cli_here: Cli) -> None:
    commit = repo.commit({"a": "1"})
    cli_here("trees", "add", "net", "https://me:secret@example.org/x", cwd=repo.path)
    assert json.loads(cli_here("trees", "list", "--json", cwd=repo.path).out) == {
        "schema": 1,
        "trees": [
            {"name": "main", "ref": "refs/heads/main", "commit": commit, "url": None, "branch": "main",
             "kind": "branch"},
            {"name": "net", "ref": "refs/seriestool/trees/net/", "commit": None, "url": "https://example.org/x",
             "branch": None, "kind": "configured"},
        ],
    }  # fmt: skip


def test_update_fetches_all_branches_and_drops_what_is_gone(repo: Repo, there: Repo, cli_here: Cli) -> None:
    cli_here("trees", "add", "net", there.path.as_uri(), cwd=repo.path)
    cli_here("trees", "update", cwd=repo.path)
    assert refs(repo) == ["refs/seriestool/trees/net/main", "refs/seriestool/trees/net/next"]
    there.git("update-ref", "-d", "refs/heads/next")
    there.commit({"a": "3"}, branch="next/a")  # in the way of the old name
    cli_here("trees", "update", "net", cwd=repo.path)
    assert refs(repo, "refs/seriestool/trees") == ["refs/seriestool/trees/net/main", "refs/seriestool/trees/net/next/a"]


def test_another_branch_replaces_the_first(repo: Repo, there: Repo, cli_here: Cli) -> None:
    cli_here("trees", "add", "net", there.path.as_uri(), "next", cwd=repo.path)
    cli_here("trees", "update", cwd=repo.path)
    repo.git("config", "seriestool.tree.net.branch", "main")
    cli_here("trees", "update", cwd=repo.path)
    assert refs(repo, "refs/seriestool/trees") == ["refs/seriestool/trees/net/main"]


def test_rebased_away_tip_is_kept(repo: Repo, there: Repo, cli_here: Cli) -> None:
    old = there.git("rev-parse", "next")
    cli_here("trees", "add", "net", there.path.as_uri(), "next", cwd=repo.path)
    cli_here("trees", "update", cwd=repo.path)
    there.commit({"a": "other"}, branch="next", parent="main")
    cli_here("trees", "update", cwd=repo.path)
    repo.git("gc", "--quiet", "--prune=now")
    assert refs(repo, "refs/seriestool/tips") == [f"refs/seriestool/tips/{old}"]


def test_an_update_before_the_first_question_reads_what_only_a_reflog_knows(repo: Repo, cli_here: Cli) -> None:
    base = repo.commit({"a": "1\n"}, branch="main")
    lost = repo.commit({"a": "2\n"}, branch="gone", parent=base)
    mbox = with_stated(make_series(repo, lost, {"a": "3\n"}), lost)
    repo.git("update-ref", "-d", "refs/heads/gone")
    for tip in (lost, base):
        repo.git("update-ref", "--create-reflog", "-m", "fetch", "refs/remotes/origin/main", tip)

    assert cli_here("trees", "update", cwd=repo.path).code == 0
    answer = find(repo, mbox)

    assert (answer["verdict"], answer["stated"]["state"]) == ("exact", "rebased-away")


def test_tree_that_fails_is_named_and_stops_no_other(repo: Repo, there: Repo, cli_here: Cli) -> None:
    for name, url in (
        ("a-gone", there.path.with_name("x").as_uri()),
        ("b-good", there.path.as_uri()),
        ("c-bad", "ext::x"),
    ):
        cli_here("trees", "add", name, url, cwd=repo.path)
    result = cli_here("trees", "update", cwd=repo.path)
    assert result.code == 4
    assert "seriestool: cannot fetch 'a-gone', 'c-bad'\nhint: the other trees are up to date\n" in result.err
    assert "refs/seriestool/trees/b-good/main" in refs(repo)


def test_a_tree_that_fails_alone_says_nothing_of_others(repo: Repo, there: Repo, cli_here: Cli) -> None:
    cli_here("trees", "add", "gone", there.path.with_name("x").as_uri(), cwd=repo.path)
    result = cli_here("trees", "update", "gone", cwd=repo.path)
    assert result.code == 4
    assert result.err.endswith("seriestool: cannot fetch 'gone'\n")


def test_interrupted_update_leaves_no_process_and_no_lock(repo: Repo, tmp_path: Path, cli_here: Cli) -> None:
    helper, pid = tmp_path / "git-remote-slow", tmp_path / "pid"
    helper.write_text(f"#!/bin/sh\necho $$ >{pid}.new; mv {pid}.new {pid}; exec sleep 60\n")
    helper.chmod(0o755)
    cli_here("trees", "add", "net", "slow://example.org/x", cwd=repo.path)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "seriestool", "trees", "update"]
    with subprocess.Popen(command, cwd=repo.path, env=environment, stderr=subprocess.PIPE) as process:
        while not pid.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert list((repo.path / ".git").rglob("*.lock")) == []


def test_sha256_repository(make_repo: Make, cli_here: Cli) -> None:
    there, here = make_repo("there", "sha256"), make_repo("here", "sha256")
    old = there.commit({"a": "1"})
    cli_here("trees", "add", "net", there.path.as_uri(), "main", cwd=here.path)
    assert cli_here("trees", "update", cwd=here.path).code == 0
    there.commit({"a": "2"}, parent=())
    assert cli_here("trees", "update", cwd=here.path).code == 0
    assert refs(here, "refs/seriestool/tips") == [f"refs/seriestool/tips/{old}"]


def test_trees_of_a_worktree_are_those_of_its_repository(
    repo: Repo, there: Repo, cli_here: Cli, tmp_path: Path
) -> None:
    repo.commit({"a": "1"})
    repo.git("worktree", "add", "-q", str(tmp_path / "w"), "-b", "w")
    cli_here("trees", "add", "net", there.path.as_uri(), "main", cwd=tmp_path / "w")
    assert cli_here("trees", "update", cwd=tmp_path / "w").code == 0
    assert "net " in cli_here("trees", "list", cwd=repo.path).out
    assert (repo.path / ".git/seriestool/tips/log").exists()


def test_update_leaves_the_users_own_alone(repo: Repo, there: Repo, cli_here: Cli) -> None:
    repo.commit({"a": "1"})
    repo.git("remote", "add", "origin", there.path.as_uri())
    cli_here("trees", "add", "net", there.path.as_uri(), cwd=repo.path)
    before = [(repo.path / ".git" / name).read_bytes() for name in ("config", "HEAD", "index")]
    assert cli_here("trees", "update", cwd=repo.path).code == 0
    assert [(repo.path / ".git" / name).read_bytes() for name in ("config", "HEAD", "index")] == before
    assert [name for name in refs(repo) if not name.startswith("refs/seriestool/")] == ["refs/heads/main"]
    assert not (repo.path / ".git/FETCH_HEAD").exists()
    assert (repo.path / ".git/seriestool/history").is_dir()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "a/b", "u"), "'a/b' cannot be the name of a tree"),
        (("add", "main", "u"), "'main' is a branch of this repository"),
        (("add", "net", "u"), "the tree 'net' exists"),
        (("add", "x", "u", "a..b"), "'a..b' cannot be the name of a branch"),
        (("add", "x", "u", "a:refs/heads/main"), "cannot be the name of a branch"),
        (("add", "x", ""), "'' is no URL"),
        (("remove", "nothing"), "no tree 'nothing' is configured"),
        (("update", "nothing"), "no tree 'nothing' is configured"),
        (("update", "nothing", "--frobnicate"), "unrecognized arguments: --frobnicate"),
        ((), "the following arguments are required: <action>"),
        (("push-log",), "the following arguments are required: <action>"),
        (("push-log", "show", SEED), "no push log was added"),
        (("push-log", "update"), "the push log has no source"),
        (("push-log", "add", "/nowhere/at/all"), "'/nowhere/at/all' does not exist"),
        (("push-log", "remove", "x"), "'x' is no source"),
        (("push-log", "add", "x", "--since", "May"), "'May' is no date"),
    ],
)
def test_what_cannot_be_done(arguments: tuple[str, ...], message: str, repo: Repo, cli_here: Cli) -> None:
    repo.commit({"a": "1"})
    cli_here("trees", "add", "net", "u", cwd=repo.path)
    before = (repo.path / ".git/config").read_bytes()
    result = cli_here("trees", *arguments, cwd=repo.path)
    assert result.code == 2
    assert f"seriestool: {message}" in result.err or message in result.err
    assert (repo.path / ".git/config").read_bytes() == before


def test_no_repository(tmp_path: Path, cli_here: Cli) -> None:
    assert cli_here("trees", "list", cwd=tmp_path).code == 2


def test_empty_repository(repo: Repo, cli_here: Cli) -> None:
    result = cli_here("trees", "list", cwd=repo.path)
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("there are no trees: ")
    assert cli_here("trees", "update", cwd=repo.path).code == 0


def test_push_log_answers_the_seed_case(repo: Repo, cli_here: Cli, shared: Shared) -> None:
    records = shared("data/korg-push-log")
    result = cli_here("trees", "push-log", "add", str(records), cwd=repo.path)
    assert result.err.endswith("10 new pushes, 10 in all\n")
    shown = cli_here("trees", "push-log", "show", SEED[:12], cwd=repo.path)
    assert shown.code == 0
    assert shown.out.startswith(
        f"{SEED}\n  tip of refs/heads/nfsd-testing in pub/scm/linux/kernel/git/cel/linux\n"
        "    from an unknown time until 2026-05-28 23:18:55 UTC\n"
    )
    answer = json.loads(cli_here("trees", "push-log", "show", SEED, "--json", cwd=repo.path).out)
    (sighting,) = answer["sightings"]
    assert (sighting["role"], sighting["since"], sighting["until"]) == ("tip", None, "2026-05-28T23:18:55+00:00")
    assert len(sighting["commits"]) == 8
    assert cli_here("trees", "push-log", "show", "0" * 39 + "1", cwd=repo.path).code == 1
    assert cli_here("trees", "push-log", "list", cwd=repo.path).out == f"{records.resolve()}\n"
    assert cli_here("trees", "push-log", "add", str(records), cwd=repo.path).code == 2
    assert cli_here("trees", "push-log", "remove", str(records), cwd=repo.path).code == 0
    assert not (repo.path / ".git/seriestool/push-log.sqlite").exists()


RECORD = """\
Date: Thu, 28 May 2026 10:00:0{n} -0000
Message-Id: <{n}@x>

---
service: git-receive-pack
repo: pub/x/linux
user: me
changes:
  - ref: refs/heads/next
    old: {old}
    new: {new}
"""


def test_fetch_brings_the_base_back_or_says_that_it_is_gone(
    repo: Repo, make_repo: Make, cli_here: Cli, tmp_path: Path
) -> None:
    server = make_repo("srv/pub/x/linux.git", bare=True)
    tips = [server.commit({"a": str(n)}, branch="next", parent=()) for n in range(3)]
    (tmp_path / "log").mkdir()
    for n in (1, 2):
        (tmp_path / f"log/{n}.eml").write_text(RECORD.format(n=n, old=tips[n - 1], new=tips[n]))
    repo.git("config", "seriestool.pushLogUrl", (tmp_path / "srv").as_uri())
    cli_here("trees", "push-log", "add", str(tmp_path / "log"), cwd=repo.path)
    result = cli_here("trees", "push-log", "show", tips[0], "--fetch", cwd=repo.path)
    assert result.code == 0
    assert f"kept as refs/seriestool/bases/{tips[0]}" in result.err
    assert repo.git("cat-file", "-t", tips[0]) == "commit"
    server.git("gc", "--quiet", "--prune=now")
    result = cli_here("trees", "push-log", "show", tips[1], "--fetch", cwd=repo.path)
    assert (result.code, result.err.splitlines()[-2]) == (
        2, f"seriestool: the server no longer has '{tips[1]}': '{(tmp_path / 'srv/pub/x/linux.git').as_uri()}'",
    )  # fmt: skip
    server.path.rename(tmp_path / "away")
    assert cli_here("trees", "push-log", "show", tips[1], "--fetch", cwd=repo.path).code == 2
    repo.git("config", "seriestool.pushLogUrl", "http://127.0.0.1:9")
    assert cli_here("trees", "push-log", "show", tips[1], "--fetch", cwd=repo.path).code == 4


def test_push_log_update_reads_what_is_new(repo: Repo, cli_here: Cli, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    for n in (1, 2):
        (tmp_path / f"log/{n}.eml").write_text(RECORD.format(n=n, old="a" * 40, new="b" * 40))
        command = "add" if n == 1 else "update"
        arguments = ["log"] if n == 1 else []
        result = cli_here("trees", "push-log", command, *arguments, cwd=repo.path if n == 2 else tmp_path / "repo")
        if n == 1:
            assert result.code == 2  # a relative path, from where one stands
            result = cli_here("trees", "push-log", "add", "../log", cwd=repo.path)
        assert f"1 new pushes, {n} in all" in result.err


def test_a_push_log_goes_by_one_name_from_everywhere(repo: Repo, cli_here: Cli, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    cli_here("trees", "push-log", "add", "../log", cwd=repo.path)
    assert cli_here("trees", "push-log", "list", cwd=repo.path).out == f"{(tmp_path / 'log').resolve()}\n"
    assert cli_here("trees", "push-log", "remove", f"{tmp_path}/log/", cwd=repo.path).code == 0


def test_push_log_since_is_remembered(repo: Repo, cli_here: Cli, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/1.eml").write_text(RECORD.format(n=1, old="a" * 40, new="b" * 40))
    add = cli_here("trees", "push-log", "add", str(tmp_path / "log"), "--since", "2026-06-01", cwd=repo.path)
    assert "0 new pushes" in add.err
    assert repo.git("config", "seriestool.pushLogSince") == "2026-06-01"
    assert "0 new pushes" in cli_here("trees", "push-log", "update", cwd=repo.path).err
    assert "1 new pushes" in cli_here("trees", "push-log", "update", "--since", "2026-05-01", cwd=repo.path).err


def test_suggest(repo: Repo, cli_here: Cli, tmp_path: Path) -> None:
    text = (
        "NFSD\nT:\tgit git://example.org/nfsd.git\nF:\tfs/nfsd/\n\nTHE REST\nT:\tgit git://example.org/l.git\nF:\t*/\n"
    )
    base = repo.commit({"MAINTAINERS": text, "fs/nfsd/a.c": "1\n"})
    repo.commit({"fs/nfsd/a.c": "2\n"}, message="nfsd: two")
    mbox = tmp_path / "s.mbox"
    mbox.write_bytes(repo.format_patch(f"{base}.."))
    result = cli_here("trees", "suggest", str(mbox), cwd=repo.path)
    assert result.code == 0
    assert "nfsd  not here: git://example.org/nfsd.git" in result.out
    assert "MAINTAINERS: 1 of 1 files in 'NFSD'" in result.out
    (found,) = json.loads(cli_here("trees", "suggest", "--json", str(mbox), cwd=repo.path).out)["suggestions"]
    assert (found["name"], found["ref"], found["commit"]) == ("nfsd", None, None)


def test_suggest_with_nothing_to_go_by(repo: Repo, cli_here: Cli, tmp_path: Path) -> None:
    base = repo.commit({"a": "1\n"})
    repo.commit({"a": "2\n"}, message="two")
    (tmp_path / "s.mbox").write_bytes(repo.format_patch(f"{base}.."))
    assert cli_here("trees", "suggest", str(tmp_path / "s.mbox"), cwd=repo.path).code == 1
