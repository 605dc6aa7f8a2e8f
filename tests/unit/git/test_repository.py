# SPDX-License-Identifier: GPL-2.0-or-later
"""The git boundary: verbs answer the same on every machine, and nothing that a mail names can break out of them."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.git import GitError, Ref, Repository, TreeEntry, clean_environment, iter_tokens, version
from seriestool.util.errors import NotFoundError
from tests.support.repos import FIRST_DATE, Repo

MakeRepo = Callable[..., Repo]


def open_repository(repo: Repo) -> Repository:
    return Repository.open(repo.path)


def tokens(repository: Repository, *include: str, exclude: tuple[str, ...] = ()) -> list[bytes]:
    with repository.raw_log(include, exclude) as stream:
        return [token for some in iter_tokens(stream) for token in some]


# Where a repository is, and what kind it is


def test_version() -> None:
    assert (version() or "").startswith("git version ")


def test_no_git_has_no_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert version() is None


@pytest.mark.parametrize("name", ["", "nowhere", "file"])
def test_not_a_repository(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotFoundError, match=r"^not a git repository: '") as caught:
        Repository.open(tmp_path / name)
    assert "--repo" in (caught.value.hint or "")


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_open(make_repo: MakeRepo, object_format: str, bare: bool) -> None:
    repository = open_repository(made := make_repo("here", object_format, bare))
    assert repository.git_dir == repository.common_dir == (made.path if bare else made.path / ".git")
    assert (repository.object_format, repository.is_bare, repository.is_shallow) == (object_format, bare, False)
    assert repository.oid_size == {"sha1": 20, "sha256": 32}[object_format]


def test_open_below_the_top_and_in_a_worktree(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a/b": "x"})
    assert Repository.open(repo.path / "a").git_dir == repo.path / ".git"
    repo.git("worktree", "add", "--quiet", str(tmp_path / "other"), "-b", "other")
    worktree = Repository.open(tmp_path / "other")
    assert worktree.git_dir == repo.path / ".git/worktrees/other"
    assert worktree.common_dir == repo.path / ".git"
    assert worktree.head() == "refs/heads/other"


@pytest.mark.parametrize("name", ["with space", "ümläut", "line\u2028separator", "quote'\"", "-dash"])
def test_open_a_folder_with_an_odd_name(make_repo: MakeRepo, name: str) -> None:
    made = make_repo(name)
    commit = made.commit({"a": "x"})
    with open_repository(made) as repository:
        assert repository.git_dir == made.path / ".git"
        assert repository.refs() == (Ref("refs/heads/main", commit),)
        assert repository.objects.read(commit) is not None


def test_a_shallow_clone(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1"})
    last = repo.commit({"a": "2"})
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    shallow = Repository.open(tmp_path / "shallow")
    assert shallow.is_shallow
    assert [token.split()[0] for token in tokens(shallow, last) if token.startswith(b"\x01")] == [
        b"\x01" + last.encode()
    ]


# Refs and names


def test_an_empty_repository(repo: Repo) -> None:
    repository = open_repository(repo)
    assert repository.refs() == ()
    assert repository.head() == "refs/heads/main"
    assert repository.resolve("HEAD") is None
    assert tokens(repository) == []


def test_refs_are_peeled(repo: Repo) -> None:
    first = repo.commit({"a": "1"})
    second = repo.commit({"a": "2"}, branch="topic/ü\u2028x")
    repo.git("tag", "-a", "-m", "annotated", "v1", first)
    repo.git("tag", "-a", "-m", "a tag of a tag", "v1-again", "v1")
    repo.git("tag", "light", first)
    repo.git("tag", "tree", "HEAD^{tree}")
    repo.git("tag", "-a", "-m", "a blob", "blob", "HEAD:a")
    found = {ref.name: ref.commit for ref in open_repository(repo).refs()}
    assert found == {
        "refs/heads/main": first,
        "refs/heads/topic/ü\u2028x": second,
        "refs/tags/blob": repo.git("rev-parse", "HEAD:a"),
        "refs/tags/light": first,
        "refs/tags/tree": repo.git("rev-parse", "HEAD^{tree}"),
        "refs/tags/v1": first,
        "refs/tags/v1-again": first,
    }


def test_a_broken_ref_does_not_hide_the_others(repo: Repo) -> None:
    commit = repo.commit({"a": "1"})
    (repo.path / ".git/refs/heads/broken").write_text("1" * 40 + "\n")
    assert Ref("refs/heads/main", commit) in open_repository(repo).refs()


def test_refs_are_sorted(repo: Repo) -> None:
    commit = repo.commit({"a": "1"})
    for name in ("z", "b/c", "b-c", "a"):
        repo.git("branch", name, commit)
    names = [ref.name for ref in open_repository(repo).refs()]
    assert names == sorted(names)


def test_head(repo: Repo) -> None:
    commit = repo.commit({"a": "1"})
    repo.git("checkout", "--quiet", "--detach")
    assert open_repository(repo).head() is None
    assert open_repository(repo).resolve("HEAD") == commit


def test_resolve(repo: Repo) -> None:
    commit = repo.commit({"a": "1"})
    repo.git("tag", "-a", "-m", "annotated", "v1")
    repository = open_repository(repo)
    for name in ("main", "refs/heads/main", "v1", commit, commit[:8], "HEAD^0"):
        assert repository.resolve(name) == commit
    for name in (
        "HEAD^",
        "HEAD:a",
        "HEAD^{tree}",
        "0" * 40,
        "",
        "--all",
        "-h",
        "a b",
        "a\nb",
        "a\0b",
        "\udcff",
        "main..v1",
    ):
        assert repository.resolve(name) is None, name


def test_describe_does_not_depend_on_how_long_ids_are_shown(repo: Repo) -> None:
    first = repo.commit({"a": "1"})
    repository = open_repository(repo)
    assert repository.describe(first) is None
    repo.git("tag", "v1", first)
    second = repo.commit({"a": "2"})
    assert repository.describe(first) == "v1"
    assert repository.describe(second) == f"v1-1-g{second[:12]}"
    repo.git("config", "core.abbrev", "40")
    assert repository.describe(second) == f"v1-1-g{second[:12]}"


def test_config(repo: Repo) -> None:
    repo.git("config", "--add", "SeriesTool.tree.Net-Next.URL", "https://example.com/a")
    repo.git("config", "--add", "seriestool.tree.Net-Next.url", "two\nlines = 1")
    repo.write(".git/more", "[flag]\n\tset\n")
    repo.git("config", "include.path", "more")
    config = open_repository(repo).config()
    assert config["seriestool.tree.Net-Next.url"] == ("https://example.com/a", "two\nlines = 1")
    assert config["flag.set"] == ("true",)  # git-config(1): a key without a value is true
    assert config["user.name"] == ("C O Mitter",)


# Trees


def test_ls_tree(repo: Repo) -> None:
    link = repo.commit({"x": "1"})
    odd = b'd/\xff "\n\\*'
    files = {"d/a": "1", odd: "2", "run": ("3", 0o100755), "ln": ("run", 0o120000), "sub": (link, 0o160000)}
    commit = repo.commit(files)
    found = open_repository(repo).ls_tree(commit, [b"d/a", odd, b"run", b"ln", b"sub", b"gone", b"d/gone"])
    assert {path: (entry.mode, entry.kind) for path, entry in found.items()} == {
        b"d/a": (0o100644, "blob"),
        odd: (0o100644, "blob"),
        b"run": (0o100755, "blob"),
        b"ln": (0o120000, "blob"),
        b"sub": (0o160000, "commit"),
    }
    assert open_repository(repo).ls_tree(commit, [b"d"])[b"d"].kind == "tree"
    assert found[b"sub"] == TreeEntry(0o160000, "commit", link)
    assert found[b"d/a"].oid == repo.git("rev-parse", f"{commit}:d/a")


@pytest.mark.parametrize("name", [b":x", b":/x", b":(top)x", b":(glob)**", b"*", b"[x]", b"?", b"-r", b"x y", b"\\x"])
def test_ls_tree_takes_names_and_not_patterns(repo: Repo, name: bytes) -> None:
    commit = repo.commit({"x": "1", "sub/x": "1"})
    repository = open_repository(repo)
    assert repository.ls_tree(commit, [name]) == {}
    commit = repo.commit({name: "odd"})
    assert list(repository.ls_tree(commit, [name])) == [name]


@pytest.mark.parametrize(
    "name",
    [b"", b"/", b"/etc/passwd", b"../x", b"a/../x", b"./x", b"x\0y", b"a//x", b"a/", b".", b"x" * 200_000, b"a/x/y"],
)
def test_ls_tree_of_a_name_that_no_tree_can_have(repo: Repo, name: bytes) -> None:
    commit = repo.commit({"x": "1", "a/x": "1"})
    assert set(open_repository(repo).ls_tree(commit, [name, b"x"])) == {b"x"}


def test_ls_tree_of_very_many_long_names(repo: Repo) -> None:
    names = [b"d/%04d" % i + b"n" * 200 for i in range(1200)]
    commit = repo.commit(dict.fromkeys(names, "x"))
    missing = [b"%04d/" % i + b"m/" * 1900 + b"m" for i in range(600)]
    assert set(open_repository(repo).ls_tree(commit, names + missing)) == set(names)


def test_ls_tree_of_no_commit(repo: Repo) -> None:
    repo.commit({"x": "1"})
    with pytest.raises(GitError, match=r"^git ls-tree failed: ") as caught:
        open_repository(repo).ls_tree("0" * 40, [b"x"])
    assert caught.value.exit_code == 4
    assert caught.value.status == 128


# Objects


def test_objects(repo: Repo) -> None:
    commit = repo.commit({"a b": b"\0\xff\n", "empty": ""})
    blob = repo.git("rev-parse", "HEAD:a b")
    with open_repository(repo) as repository:
        read, check = repository.objects.read, repository.objects.check
        for name in (blob, blob[:10], f"{commit}:a b", b"HEAD:a b"):
            assert read(name) == (blob, "blob", b"\0\xff\n")
        assert read("HEAD:empty") == (repo.git("rev-parse", "HEAD:empty"), "blob", b"")
        assert read(f"{commit}:") is not None
        assert check([blob, "0" * 40, f"{commit}:gone", commit]) == [
            (blob, "blob", 3),
            None,
            None,
            (commit, "commit", int(repo.git("cat-file", "-s", commit))),
        ]


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "x\ncontents HEAD",
        "HEAD\n",
        "HEAD:a\nflush",
        "HEAD:a\0b",
        "HEAD:gone 5",
        "no such thing",
        "\udcff",
        "HEAD:../a",
    ],
)
def test_a_name_cannot_become_a_command(repo: Repo, name: str) -> None:
    repo.commit({"a": "1\n"})
    with open_repository(repo) as repository:
        assert repository.objects.read(name) is None
        assert repository.objects.check([name, "HEAD:a", name, "HEAD:a"])[::2] == [None, None]
        found = repository.objects.read("HEAD:a")  # question and answer are still in step
        assert found is not None
        assert found[2] == b"1\n"


def test_many_look_ups_do_not_block(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    with open_repository(repo) as repository:
        found = repository.objects.check(["HEAD:a", "HEAD:" + "long/" * 200] * 3000)
    assert [bool(one) for one in found] == [True, False] * 3000


def test_an_ambiguous_id(repo: Repo) -> None:
    # Two blobs whose ids begin alike, found by trying.
    commit = repo.commit({str(i): f"{i}\n" for i in range(2000)})
    oids = sorted(line.split()[2] for line in repo.git("ls-tree", commit).splitlines())
    prefix = next(one[:4] for one, other in itertools.pairwise(oids) if one[:4] == other[:4])
    with open_repository(repo) as repository:
        assert repository.objects.check([prefix, oids[0]])[0] is None
        assert repository.objects.read(prefix) is None
        assert repository.objects.read(oids[0]) is not None


def test_a_submodule_has_no_object_here(repo: Repo) -> None:
    repo.commit({"sub": ("1" * 40, 0o160000)})
    with open_repository(repo) as repository:
        assert repository.objects.check(["HEAD:sub", "HEAD"])[0] is None


def test_a_corrupt_object_is_one_clear_line(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    blob = repo.git("rev-parse", "HEAD:a")
    file = repo.path / ".git/objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.write_bytes(b"garbage")
    with open_repository(repo) as repository:
        try:
            assert repository.objects.read(blob) is None
        except GitError as error:
            assert "damaged" in error.message
            assert "\n" not in error.message


def test_a_blobless_clone_does_not_fetch_behind_our_back(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1\n", "b": "2\n", "c": "3\n"})
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    repo.git("clone", "--quiet", "--bare", "--filter=blob:none", f"file://{repo.path}", str(clone))
    blob = repo.git("rev-parse", "HEAD:a")
    with Repository.open(clone) as repository:
        assert repository.objects.read("main:a") is None
        found = repository.objects.check(["main:a", "main:b", "main", "main:a", "main:c", blob, "main^{tree}"])
        assert [bool(one) for one in found] == [False, False, True, False, False, False, True]
        assert repository.ls_tree("main", [b"a"])[b"a"].oid == blob
        assert f":000000 100644 {'0' * 40} {blob} A".encode() in b"".join(tokens(repository, "main"))
    assert repo.git("-C", str(clone), "count-objects", "-v").startswith("count: 0\n")
    assert len(list((clone / "objects/pack").glob("*.pack"))) == 1


def test_closing_twice_is_fine(repo: Repo) -> None:
    repository = open_repository(repo)
    repository.close()
    repo.commit({"a": "1"})
    assert repository.objects.read("HEAD") is not None
    repository.close()
    repository.close()


# The raw log


def parsed(found: list[bytes]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(commit, [(status, path)]) in the order of the log."""
    commits: list[tuple[str, list[tuple[str, str]]]] = []
    rest = iter(found)
    for raw in rest:
        token = raw.lstrip(b"\n")
        if token.startswith(b"\x01"):
            commits.append((token[1:].split()[0].decode(), []))
        elif token:
            commits[-1][1].append((token.split()[4].decode(), next(rest).decode()))
    return commits


def test_raw_log(repo: Repo) -> None:
    root = repo.commit({"a": "1", "b": "1"})
    side = repo.commit({"c": "1"}, branch="side")
    main = repo.commit({"a": None, "b": ("1", 0o100755)})
    moved = repo.commit({"b": None, "moved": ("1", 0o100755)})
    merge = repo.commit({"c": "1"}, parent=("main", "side"))
    found = tokens(open_repository(repo), merge)
    assert dict(parsed(found)) == {
        root: [("A", "a"), ("A", "b")],
        side: [("A", "c")],
        main: [("D", "a"), ("M", "b")],
        moved: [("D", "b"), ("A", "moved")],  # no renames
        merge: [("A", "c")],  # against its first parent
    }
    assert f"\x01{merge} {FIRST_DATE + 300} {moved} {side}".encode() in [token.strip(b"\n") for token in found]


def test_raw_log_of_what_is_new(repo: Repo) -> None:
    old = repo.commit({"a": "1"})
    new = repo.commit({"a": "2"})
    repository = open_repository(repo)
    assert parsed(tokens(repository, new, exclude=(old,))) == [(new, [("M", "a")])]
    assert tokens(repository, new, exclude=(new,)) == []
    assert parsed(tokens(repository, new, exclude=("0" * 40, old))) == [(new, [("M", "a")])]  # gone: ignored


def test_raw_log_without_tips_does_not_mean_head(repo: Repo) -> None:
    repo.commit({"a": "1"})
    assert tokens(open_repository(repo)) == []


def test_raw_log_left_early_ends_its_process(repo: Repo) -> None:
    for number in range(30):
        tip = repo.commit({f"{number}/{i}": str(number) for i in range(100)})
    with pytest.raises(KeyError), open_repository(repo).raw_log([tip]) as stream:
        stream.read(10)
        raise KeyError


def test_raw_log_of_a_damaged_repository(repo: Repo) -> None:
    first = repo.commit({"a": "1"})
    tip = repo.commit({"a": "2"})
    (repo.path / ".git/objects" / first[:2] / first[2:]).unlink()
    with pytest.raises(GitError, match=r"^git log failed: ") as caught:
        tokens(open_repository(repo), tip)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_tokens_across_blocks(tmp_path: Path, size: int) -> None:
    (tmp_path / "log").write_bytes(b"one\0two\0\0three\0last")
    with (tmp_path / "log").open("rb") as stream:
        assert [token for some in iter_tokens(stream, size) for token in some] == [
            b"one",
            b"two",
            b"",
            b"three",
            b"last",
        ]


# Sealed: neither the caller's environment nor anybody's configuration changes an answer


def everything(repo: Repo) -> object:
    """What all reading verbs say."""
    with open_repository(repo) as repository:
        tip = repository.resolve("main") or ""
        return (
            repository.git_dir,
            repository.refs(),
            tip,
            repository.describe(tip),
            repository.ls_tree(tip, [b"a", b"sub"]),
            repository.objects.read(f"{tip}:a"),
            tokens(repository, tip),
        )


@pytest.fixture
def history(repo: Repo) -> Repo:
    """A history with a rename, a merge, a submodule, notes and a tag."""
    root = repo.commit({"a": "1\n" * 20, "sub": ("1" * 40, 0o160000), "z": "z"})
    repo.git("tag", "v1")
    repo.commit({"side": "1"}, branch="side")
    repo.commit({"z": None, "moved": "z", "sub": ("2" * 40, 0o160000)})
    repo.commit({"side": "1"}, parent=("main", "side"))
    repo.git("notes", "add", "-m", "a note", root)
    return repo


@pytest.mark.parametrize(
    "setting",
    [
        "diff.renames=copies",
        "log.showSignature=true",
        "log.showRoot=false",
        "log.diffMerges=combined",
        "log.date=relative",
        "log.decorate=full",
        "log.follow=true",
        "log.abbrevCommit=true",
        "log.mailmap=true",
        "core.abbrev=40",
        "core.abbrev=4",
        "core.quotePath=true",
        "core.pager=false",
        "color.ui=always",
        "color.diff=always",
        "format.pretty=oneline",
        "diff.ignoreSubmodules=all",
        "diff.submodule=log",
        "diff.orderFile=/dev/stdin",
        "diff.orderFile=/no/such/file",
        "diff.relative=true",
        "diff.noprefix=true",
        "diff.external=false",
        "notes.displayRef=*",
        "i18n.logOutputEncoding=UTF-16",
        "core.fsmonitor=false",
        "versionsort.suffix=x",
    ],
)
def test_configuration_changes_no_answer(history: Repo, setting: str) -> None:
    before = everything(history)
    history.git("config", *setting.split("=", 1))
    assert everything(history) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_DIR", "/nowhere"),
        ("GIT_WORK_TREE", "/nowhere"),
        ("GIT_COMMON_DIR", "/nowhere"),
        ("GIT_INDEX_FILE", "/nowhere"),
        ("GIT_OBJECT_DIRECTORY", "/nowhere"),
        ("GIT_NAMESPACE", "other"),
        ("GIT_CEILING_DIRECTORIES", "/"),
        ("GIT_LITERAL_PATHSPECS", "0"),
        ("GIT_ICASE_PATHSPECS", "1"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_EXTERNAL_DIFF", "false"),
        ("GIT_DIFF_OPTS", "-u0"),
        ("GIT_TRACE", "1"),
        ("GIT_CONFIG_COUNT", "bogus"),
        ("GIT_CONFIG_PARAMETERS", "'core.abbrev=40'"),
        ("GIT_DEFAULT_HASH", "sha256"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("LANGUAGE", "de"),
    ],
)
def test_environment_changes_no_answer(history: Repo, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    before = everything(history)
    monkeypatch.setenv(name, value)
    assert everything(history) == before


def test_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    env = clean_environment({"GIT_INDEX_FILE": "/scratch"})
    assert "GIT_DIR" not in env
    assert env["GIT_INDEX_FILE"] == "/scratch"
    assert env["GIT_TERMINAL_PROMPT"] == "0"
    assert env["PATH"]


def test_hooks_do_not_run(repo: Repo) -> None:
    commit = repo.commit({"a": "1"})
    trace = repo.path / "hook-ran"
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc", "post-index-change"):
        hook = repo.write(f".git/hooks/{name}", f"#!/bin/sh\necho {name} >>'{trace}'\n")
        hook.chmod(0o755)
    repository = open_repository(repo)
    repository.update_refs({"refs/seriestool/x": commit})
    assert repository.resolve("refs/seriestool/x") == commit
    assert not trace.exists()
    repo.git("update-ref", "refs/other", commit)
    assert trace.exists()  # it would have run


def test_refs_move_all_or_none(repo: Repo) -> None:
    commit = repo.commit({"a": "1"})
    repository = open_repository(repo)
    with pytest.raises(GitError):
        repository.update_refs({"refs/seriestool/x": commit, "refs/seriestool/y": "0" * 39 + "1"})
    assert repository.resolve("refs/seriestool/x") is None
