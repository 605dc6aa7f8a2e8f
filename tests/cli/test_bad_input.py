# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input to find-base: one clear line, the right exit code, no traceback, and nothing of the repository changes."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.repos import Repo
from tests.support.series import lines, make_series
from tests.support.session import Result, find, run_find_base

Cli = Callable[..., Result]
TEXT = lines(1, 30)
EDITED = TEXT.replace("line 15\n", "line fifteen\n")


@pytest.fixture
def mbox(repo: Repo) -> bytes:
    """A good series on the repository's second commit of three."""
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT, "dir/b": TEXT})
    made = make_series(repo, base, {"a": EDITED}, {"dir/b": EDITED})
    repo.commit({"a": "2\n"})
    return made


@pytest.fixture
def untouched(repo: Repo, mbox: bytes) -> Iterator[None]:
    """After the test refs, HEAD, index, work tree and configuration are as before."""
    before = state(repo)
    yield
    assert state(repo) == before


def state(repo: Repo) -> dict[str, object]:
    """Everything of the repository that is the user's."""
    git = repo.path / ".git"
    seen: dict[str, object] = {
        str(file.relative_to(repo.path)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in repo.path.rglob("*")
        if file.is_file() and git not in file.parents
    }
    for name in ("HEAD", "index", "config", "packed-refs", "ORIG_HEAD", "FETCH_HEAD"):
        seen[name] = (git / name).read_bytes() if (git / name).exists() else None
    refs = (file for file in (git / "refs").rglob("*") if file.is_file() and "seriestool" not in file.parts)
    return seen | {str(file): file.read_bytes() for file in refs}


def refused(result: tuple[int, str, str] | Result, code: int, *words: str) -> str:
    """The error text: one line, perhaps a hint, no traceback."""
    status, out, err = result if isinstance(result, tuple) else (result.code, result.out, result.err)
    assert (status, out) == (code, ""), err
    first, *rest = err.splitlines()
    assert first.startswith("seriestool: ")
    assert len(rest) <= 1
    assert all(line.startswith("hint: ") for line in rest)
    assert "Traceback" not in err
    assert "a bug" not in err
    for word in words:
        assert word in err
    return err


def only_hints(err: str) -> None:
    """An answer, yes or no, is no error."""
    assert all(line.startswith("hint: ") for line in err.splitlines()), err


# --- the repository -----------------------------------------------------------------------------------------------


def test_no_git_repository(mbox: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    refused(run_find_base(folder, mbox), 2, "not a git repository", "--repo")
    assert list(folder.iterdir()) == []


def test_folder_that_is_not_there(mbox: bytes, tmp_path: Path) -> None:
    refused(run_find_base(tmp_path / "nowhere", mbox), 2, "not a git repository")


def test_empty_repository(mbox: bytes, tmp_path: Path) -> None:
    empty = Repo(tmp_path / "empty")
    refused(run_find_base(empty, mbox), 2, "no commits in")


def spoil(repo: Repo, name: str, how: str) -> None:
    """Damage an object on disk."""
    oid = repo.git("rev-parse", name)
    file = repo.path / ".git/objects" / oid[:2] / oid[2:]
    if not file.exists():
        for pack in sorted((repo.path / ".git/objects/pack").glob("*.pack")):
            data = pack.read_bytes()
            for other in pack.parent.glob(pack.stem + ".*"):
                other.unlink()
            repo.git("unpack-objects", "-q", input=data)
    file.chmod(0o644)
    if how == "truncated":
        file.write_bytes(file.read_bytes()[:10])
    elif how == "empty":
        file.write_bytes(b"")
    else:
        file.unlink()


@pytest.mark.parametrize("how", ["truncated", "empty", "missing"])
@pytest.mark.parametrize("name", ["HEAD~1", "HEAD~1^{tree}", "HEAD~1:dir", "HEAD~1:a", "HEAD"])
def test_corrupt_object(repo: Repo, mbox: bytes, how: str, name: str) -> None:
    spoil(repo, name, how)
    code, out, err = run_find_base(repo, mbox)
    if code in (0, 1):  # it was not needed, or the answer says that it is not there
        only_hints(err)
        assert "Traceback" not in out
    else:
        refused((code, out, err), 4)


@pytest.mark.parametrize("name", ["HEAD~1", "HEAD~1:a"])
def test_object_that_breaks_after_it_was_indexed(repo: Repo, mbox: bytes, name: str) -> None:
    find(repo, mbox)
    spoil(repo, name, "truncated")
    code, out, err = run_find_base(repo, mbox)
    if code not in (0, 1):
        refused((code, out, err), 4)
    else:
        only_hints(err)


def test_damaged_index_of_the_history_is_made_again(repo: Repo, mbox: bytes) -> None:
    first = find(repo, mbox)
    folder = repo.path / ".git/seriestool/history"
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert find(repo, mbox) == first


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything; see the next test")
def test_repository_that_may_not_be_read(repo: Repo, mbox: bytes) -> None:
    (repo.path / ".git/objects").chmod(0)
    try:
        code, out, err = run_find_base(repo, mbox)
        assert code in (2, 4)  # to git itself it is no repository then
        refused((code, out, err), code)
    finally:
        (repo.path / ".git/objects").chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_repository_that_somebody_else_may_not_read(repo: Repo, mbox: bytes) -> None:
    (repo.path / ".git/objects").chmod(0o700)
    code, out, err = as_nobody(repo, mbox)
    assert code in (2, 4)
    refused((code, out, err), code)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_repository_that_may_be_read_only(repo: Repo, mbox: bytes) -> None:
    """The index goes to the cache then; whose files they are is git's business (safe.directory)."""
    code, out, err = as_nobody(repo, mbox)
    assert code == 0, err
    assert "base: exact" in out
    assert not (repo.path / ".git/seriestool").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_no_branch_in_a_repository_that_may_be_read_only(repo: Repo, mbox: bytes) -> None:
    """It is the repository that refuses, not the patch."""
    code, _, err = as_nobody(repo, mbox, "--branch", "review")
    assert (code, "cannot write to" in err) == (4, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_repository_that_git_does_not_trust(repo: Repo, mbox: bytes) -> None:
    code, out, err = as_nobody(repo, mbox, trusting=False)
    refused((code, out, err), 2, "belongs to somebody else", "safe.directory")


@pytest.mark.usefixtures("untouched")
def test_the_mbox_does_not_mix_with_the_answer(repo: Repo, mbox: bytes) -> None:
    refused(run_find_base(repo, mbox, "-o", "-"), 2, "standard output")


@pytest.mark.usefixtures("untouched")
def test_a_branch_that_is_there_already_is_said_before_any_work(repo: Repo, mbox: bytes) -> None:
    refused(run_find_base(repo, mbox, "--branch", "main"), 2, "a branch 'main' is there already")


def as_nobody(repo: Repo, mbox: bytes, *options: str, trusting: bool = True) -> tuple[int, str, str]:
    """find-base run with the rights of a user who owns nothing here."""
    other = Repo(repo.path.parent / "imports-everything")
    other.commit({"a": TEXT})
    run_find_base(other, mbox)
    home = Path(os.environ["HOME"])
    with (home / ".gitconfig").open("a") as config:
        # An empty value forgets what the machine's own configuration trusts.
        config.write(f"[safe]\n\tdirectory = {'*' if trusting else ''}\n")
    for folder in [home, repo.path, *home.parents, *repo.path.parents]:
        if folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    os.chown(home, 65534, 65534)
    os.setresgid(65534, 65534, 0)
    os.setresuid(65534, 65534, 0)
    try:
        return run_find_base(repo, mbox, *options)
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


# --- the series ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("20200101000000.1-1-nobody@example.com", "20200101000000.1-1-nobody@example.com"),
        ("https://lore.kernel.org/all/nothing@example.com/", "nothing@example.com"),
        ("no such file", "no such file"),
        ("deadbeef..HEAD", "deadbeef"),
        ("", ""),
    ],
)
@pytest.mark.usefixtures("untouched")
def test_unknown_series_offline(repo: Repo, cli_here: Cli, name: str, word: str) -> None:
    refused(cli_here("find-base", "--offline", name, cwd=repo.path), 2, word)


def test_half_a_series(repo: Repo, mbox: bytes) -> None:
    first = mbox[: mbox.index(b"\nFrom ", 10) + 1]
    refused(run_find_base(repo, first), 2, "patch 2 of 2 is missing", "--partial")


@pytest.mark.parametrize(
    "text",
    [b"", b"\n\n", b"hello\n", b"\0" * 5000, b"From nowhere\n", bytes(range(256)) * 40, b"\x1f\x8b\x08broken",
     b"From: a <a@example.com>\nSubject: hello\n\nJust words.\n", b"\xff\xfe" + "From: a".encode("utf-16-le")],
)  # fmt: skip
@pytest.mark.usefixtures("untouched")
def test_not_a_series(repo: Repo, text: bytes) -> None:
    refused(run_find_base(repo, text), 2)


@pytest.mark.usefixtures("untouched")
def test_folder_with_nothing_in_it(repo: Repo, cli_here: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(cli_here("find-base", tmp_path / "empty", cwd=repo.path), 2)


@pytest.mark.usefixtures("untouched")
def test_truncated_anywhere(repo: Repo, mbox: bytes) -> None:
    """Wherever the mailbox ends: an answer, or one clear line."""
    for size in range(0, len(mbox), 37):
        code, out, err = run_find_base(repo, mbox[:size])
        if code in (0, 1):
            only_hints(err)
        else:
            refused((code, out, err), 2)


def test_truncated_in_the_last_hunk(repo: Repo, mbox: bytes) -> None:
    code, out, err = run_find_base(repo, mbox[: mbox.rindex(b" line 17\n")])
    refused((code, out, err), 2)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "dir/../../outside", ".git/config", "a/.GIT/hooks/x"])
@pytest.mark.parametrize("options", [(), ("--branch", "applied")])
def test_path_that_leads_out(repo: Repo, mbox: bytes, path: str, options: tuple[str, ...]) -> None:
    diff = (
        f"diff --git a/{path} b/{path}\nnew file mode 100644\nindex 0000000..d00491f\n--- /dev/null\n+++ b/{path}\n"
        "@@ -0,0 +1 @@\n+1\n"
    )
    refuses(repo, diff, options)


def test_absolute_path_without_prefix(repo: Repo, mbox: bytes) -> None:
    refuses(repo, "--- /dev/null\n+++ /etc/cron.d/x\n@@ -0,0 +1 @@\n+1\n", ())


def test_file_below_a_symlink(repo: Repo, mbox: bytes) -> None:
    """Patch 1 makes a link that leads out, patch 2 writes through it."""
    outside = repo.path.parent / "outside"
    outside.mkdir()
    repo.commit({"link": (str(outside), 0o120000)})
    diff = "diff --git a/link/x b/link/x\nnew file mode 100644\nindex 0000000..d00491f\n--- /dev/null\n+++ b/link/x\n"
    code, _, err = run_find_base(repo, mail(diff + "@@ -0,0 +1 @@\n+1\n"), "--branch", "applied")
    assert (code, err) == (0, "") or (code == 1 and err.startswith("hint: ")) or "branch applied" in err
    assert list(outside.iterdir()) == []


def test_link_made_by_the_series_itself(repo: Repo, mbox: bytes) -> None:
    outside = repo.path.parent / "outside"
    outside.mkdir()
    target = str(outside)
    link = (
        "diff --git a/link b/link\nnew file mode 120000\nindex 0000000..d00491f\n--- /dev/null\n+++ b/link\n"
        f"@@ -0,0 +1 @@\n+{target}\n\\ No newline at end of file\n"
    )
    below = "diff --git a/link/x b/link/x\nnew file mode 100644\n--- /dev/null\n+++ b/link/x\n@@ -0,0 +1 @@\n+1\n"
    run_find_base(repo, mail(link, 1, 2) + mail(below, 2, 2), "--branch", "applied")
    assert list(outside.iterdir()) == []
    assert repo.git("for-each-ref", "refs/heads/applied") == ""


def refuses(repo: Repo, diff: str, options: tuple[str, ...]) -> None:
    """No commit takes the diff, or it is refused as bad input; nothing is written anywhere."""
    before = state(repo)
    code, out, err = run_find_base(repo, mail(diff), *options)
    if code == 1:
        only_hints(err)
        assert out
    else:
        refused((code, out, err), 2)
    assert state(repo) == before
    assert not (repo.path.parent / "outside").exists()


def mail(diff: str, counter: int = 1, expected: int = 1) -> bytes:
    """A patch as mailed."""
    return (
        "From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.com>\n"
        f"Date: Tue, 14 Nov 2023 22:40:00 +0000\nSubject: [PATCH {counter}/{expected}] x: y\n\n"
        f"Text.\n---\n{diff}-- \n2.39.5\n\n"
    ).encode()


def test_a_million_lines(repo: Repo, mbox: bytes) -> None:
    body = "+x\n" * 1_000_000
    diff = (
        "diff --git a/big b/big\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/big\n"
        f"@@ -0,0 +1,1000000 @@\n{body}"
    )
    start = time.monotonic()
    assert find(repo, mail(diff))["verdict"] == "exact"
    assert time.monotonic() - start < 20


def test_a_million_files_are_refused_or_answered_soon(repo: Repo, mbox: bytes) -> None:
    diff = "".join(f"diff --git a/f{n} b/f{n}\nnew file mode 100644\nindex 0000000..e69de29\n" for n in range(20_000))
    start = time.monotonic()
    code, _, err = run_find_base(repo, mail(diff), "--json")
    assert code in (0, 1, 2), err
    assert time.monotonic() - start < 20


def test_control_sequences_do_not_reach_the_terminal(repo: Repo, mbox: bytes) -> None:
    evil = mbox.replace(b"part 1", b"part \x1b]0;owned\x07 \x1b[2J").replace(b"line fifteen", b"\x1b[31mline")
    assert "\x1b" not in run_find_base(repo, evil)[1]
    other = Repo(repo.path.parent / "other")
    other.commit({"a": TEXT.replace("line 13", "\x1b[31m line 13"), "dir/b": "1\n"})
    assert "\x1b" not in run_find_base(other, evil)[1]


def test_patches_that_contradict_each_other(repo: Repo, mbox: bytes) -> None:
    new = (
        "diff --git a/n b/n\nnew file mode 100644\nindex 0000000..d00491f\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+1\n"
    )
    code, out, err = run_find_base(repo, mail(new, 1, 2) + mail(new, 2, 2))
    assert (code, err) == (0, "")  # every path is as they name it, and yet
    assert "warning: patch 2 does not apply even there" in out


@pytest.mark.usefixtures("untouched")
def test_a_good_answer_changes_nothing_either(repo: Repo, mbox: bytes) -> None:
    assert find(repo, mbox)["verdict"] == "exact"
    other = make_series(repo, "HEAD", {"a": "3\n"}, {"zz": "1\n"})
    find(repo, other.replace(b"-2\n", b"-5\n"))
