# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees, commits and merges made beside a repository: as git makes them, and hidden until published."""

import os
import random
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seriestool.git import GitError, MergeResult, Repository, ScratchRepository, TreeEntry
from seriestool.git.merge_tree import Merger
from seriestool.git.objects import format_tree, kind_of
from seriestool.util.errors import OutsideError
from tests.support.repos import File, Repo, files_of, try_git, unmerged
from tests.support.series import lines
from tests.support.session import open_scratch_repo

MakeRepo = Callable[..., Repo]
Side = Mapping[str, File]
TEXT = lines(1, 30)
NOBODY = "N O Body <nobody@example.com> 0 +0000"


def edited(number: int, text: str = TEXT, by: str = "") -> str:
    """The text with one line changed."""
    return text.replace(f"line {number}\n", f"line {number} changed{by}\n")


def test_mailinfo_is_gits_whatever_is_configured(repo: Repo) -> None:
    repo.git("config", "mailinfo.scissors", "true")
    mail = (
        b"From: =?utf-8?q?J=C3=B6?= <j@example.com>\nSubject: [PATCH 1/2] a: b\n"
        b"Content-Transfer-Encoding: quoted-printable\n\n"
        b"Why=3D.\n-- >8 --\nMore.\n---\n a | 1 +\n\ndiff --git a/a b/a\n"
    )
    with open_scratch_repo(repo) as scratch_repo:
        about, message, patch = scratch_repo.mailinfo(mail)
    assert about.splitlines()[:3] == ["Author: Jö".encode(), b"Email: j@example.com", b"Subject: a: b"]
    assert message == b"Why=.\n-- >8 --\nMore.\n"
    assert patch.startswith(b"---\n a | 1 +\n")


# Trees: judged by git's own index

NAMES = [b"a", b"a.b", b"a-", b"a0", b"b", b"\xff", b"n\nl"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(b"/".join)
MODES = st.sampled_from([0o100644, 0o100755, 0o120000, 0o160000])


def entries_with(digits: int) -> st.SearchStrategy[TreeEntry]:
    ids = st.sampled_from("123").map(lambda digit: digit * digits)
    return st.builds(lambda mode, oid: TreeEntry(mode, kind_of(mode), oid), MODES, ids)


def without_clashes(entries: Mapping[bytes, TreeEntry | None]) -> dict[bytes, TreeEntry | None]:
    """Those that can stand side by side: no file has another one below it."""
    kept: dict[bytes, TreeEntry | None] = {}
    for path, entry in entries.items():
        if not any(
            entry and other and (a + b"/").startswith(b + b"/")
            for known, other in kept.items()
            for a, b in ((path, known), (known, path))
        ):
            kept[path] = entry
    return kept


def git_tree(repo: Repo, index: Path, entries: Mapping[bytes, TreeEntry | None]) -> str:
    """The tree that git makes of its index with these entries changed: first what goes, then what comes."""
    ordered = sorted(entries.items(), key=lambda item: item[1] is not None)
    nothing = "0" * (64 if repo.git("rev-parse", "--show-object-format") == "sha256" else 40)
    stdin = b"".join(
        (f"{entry.mode:o} {entry.oid}" if entry else f"0 {nothing}").encode() + b"\t" + path + b"\0"
        for path, entry in ordered
    )
    env = {"GIT_INDEX_FILE": str(index)}
    repo.git("update-index", "--add", "--replace", "-z", "--index-info", input=stdin, env=env)
    return repo.git("write-tree", "--missing-ok", env=env)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_edited_trees_are_those_that_git_makes_of_the_same_changes(make_repo: MakeRepo, object_format: str) -> None:
    repo = make_repo("repo", object_format)
    index = repo.path / "scratch-index"
    entry = entries_with(64 if object_format == "sha256" else 40)

    with open_scratch_repo(repo) as scratch_repo:

        @settings(max_examples=25, deadline=None)
        @given(st.dictionaries(PATHS, entry, max_size=8), st.dictionaries(PATHS, st.none() | entry, max_size=6))
        def check(start: dict[bytes, TreeEntry], changes: dict[bytes, TreeEntry | None]) -> None:
            index.unlink(missing_ok=True)
            before, made = without_clashes(start), without_clashes(changes)
            tree = git_tree(repo, index, before)
            assert scratch_repo.edit(scratch_repo.write("tree", b""), before) == tree
            after = git_tree(repo, index, made)
            assert scratch_repo.edit(tree, made) == after
            paths = {*before, *made}
            listed = {os.fsencode(path): one for path, one in files_of(repo, after).items()}
            found = scratch_repo.entries(scratch_repo.edit(tree, made), paths)
            assert {path: (f"{one.mode:06o}", one.oid) for path, one in found.items()} == listed

        check()


def test_a_folder_is_found_by_its_name(repo: Repo) -> None:
    tree = repo.git("rev-parse", repo.commit({"a/b/c": "1\n", "f": "1\n"}) + "^{tree}")
    with open_scratch_repo(repo) as scratch_repo:
        assert [scratch_repo.has_folder(tree, name) for name in (b"", b"a", b"a/b")] == [True] * 3
        assert [scratch_repo.has_folder(tree, name) for name in (b"f", b"a/b/c", b"b", b"a/x", b"f/x")] == [False] * 5


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_git_reads_what_was_written_and_finds_no_fault_in_it(make_repo: MakeRepo, object_format: str) -> None:
    repo = make_repo("repo", object_format)
    base = repo.commit({"a": TEXT, "dir/b": "b\n"})
    with open_scratch_repo(repo) as scratch_repo:
        blob = scratch_repo.write("blob", b"\0new\r\n" * 1000)
        entry = TreeEntry(0o100755, "blob", blob)
        tree = scratch_repo.edit(
            scratch_repo.tree_of(base), {b"dir/new": entry, b"dir/b": None, "\u00fc".encode(): entry}
        )
        commit = scratch_repo.commit(
            tree, (base,), b"new: one\n\nText.\n", "J\u00f6rg <j@example.com> 1700000000 +0000"
        )
        merge = scratch_repo.merge(scratch_repo.tree_of(base), tree, scratch_repo.edit(tree, {b"a": entry}))
        assert merge.is_clean
        inside = {"GIT_DIR": str(scratch_repo._folder)}
        assert repo.git_bytes("cat-file", "blob", blob, env=inside) == b"\0new\r\n" * 1000
        shown = repo.git("log", "-1", "--format=%an %ae %at %s|%b|%P", commit, env=inside)
        assert shown == f"J\u00f6rg j@example.com 1700000000 new: one|Text.\n|{base}"
        assert files_of(repo, commit, inside).keys() == {"a", "dir/new", "\u00fc"}
        assert repo.git("fsck", "--full", "--strict", "--no-dangling", env=inside).replace("\n", "") in (
            "",
            "notice: HEAD points to an unborn branch (none)",
        )
        assert [scratch_repo.write("blob", b"\0new\r\n" * 1000), scratch_repo.tree_of(commit)] == [blob, tree]
    assert try_git(repo, "cat-file", "-e", commit) != 0


def test_what_is_not_here_is_said(repo: Repo) -> None:
    base = repo.commit({"a": "1\n"})
    with open_scratch_repo(repo) as scratch_repo:
        with pytest.raises(GitError, match="commit 111111111111 is not in this repository"):
            scratch_repo.tree_of("1" * 40)
        with pytest.raises(GitError, match="blob 222222222222 is not in this repository: a partial clone"):
            scratch_repo.blob("2" * 40)
        with pytest.raises(GitError, match="tree 333333333333 is not in this repository"):
            scratch_repo.entries("3" * 40, [b"a"])
        assert scratch_repo.tree_of(base)


# Merges: judged by `git merge` in a work tree

RENAMED = {"a": None, "b": TEXT}
MANY = {f"d/{n}": lines(n * 100, n * 100 + 30) for n in range(1, 5)}
MOVED: Side = {**dict.fromkeys(MANY), **{f"e/{path[2:]}": text for path, text in MANY.items()}}
SPLIT: Side = {**dict.fromkeys(MANY), **{f"{'ef'[int(p[2:]) % 2]}/{p[2:]}": text for p, text in MANY.items()}}
MARKERS = TEXT.replace("line 9\n", "<<<<<<< HEAD\n=======\n>>>>>>> theirs\n").replace("line 20\n", "=======\n")
BINARY = bytes(range(256)) * 8
CRLF = TEXT.replace("\n", "\r\n")
SUB = 0o160000

MERGES: dict[str, tuple[Side, Side, Side]] = {
    "nothing": ({"a": TEXT}, {"a": TEXT}, {"a": TEXT}),
    "one-side": ({"a": TEXT}, {"a": TEXT}, {"a": edited(3)}),
    "same-on-both": ({"a": TEXT}, {"a": edited(3)}, {"a": edited(3)}),
    "apart": ({"a": TEXT}, {"a": edited(3)}, {"a": edited(20)}),
    "contents": ({"a": TEXT}, {"a": edited(9, by=" here")}, {"a": edited(9, by=" there")}),
    "two-places": ({"a": TEXT}, {"a": edited(3, edited(20), " x")}, {"a": edited(3, edited(20, by=" y"), " y")}),
    "rename-here": ({"a": TEXT}, RENAMED, {"a": edited(9)}),
    "rename-there": ({"a": TEXT}, {"a": edited(9)}, RENAMED),
    "rename-and-contents": ({"a": TEXT}, {"a": None, "b": edited(9, by="!")}, {"a": edited(9)}),
    "rename-rename": ({"a": TEXT}, RENAMED, {"a": None, "c": TEXT}),
    "rename-to-one": ({"a": TEXT, "x": MARKERS}, RENAMED, {"x": None, "b": MARKERS}),
    "rename-delete": ({"a": TEXT}, {"a": None}, {"a": None, "b": edited(2)}),
    "rename-add": ({"a": TEXT}, RENAMED, {"a": edited(2), "b": "other\n"}),
    "folder-renamed-here": (MANY, MOVED, {**MANY, "d/new": "new\n"}),
    "folder-renamed-there": (MANY, {**MANY, "d/new": "new\n"}, MOVED),
    "folder-split": (MANY, SPLIT, {**MANY, "d/new": "new\n"}),
    "modify-delete": ({"a": TEXT}, {"a": edited(9)}, {"a": None}),
    "delete-modify": ({"a": TEXT}, {"a": None}, {"a": edited(9)}),
    "add-add": ({}, {"a": TEXT}, {"a": edited(9)}),
    "add-add-same": ({}, {"a": TEXT}, {"a": TEXT}),
    "file-folder": ({"x": "1\n"}, {"x": "1\n", "a": TEXT}, {"x": "1\n", "a/b": TEXT}),
    "file-becomes-folder": ({"a": TEXT}, {"a": edited(9)}, {"a": None, "a/b": "b\n"}),
    "binary": ({"a": BINARY}, {"a": BINARY + b"1"}, {"a": BINARY + b"2"}),
    "binary-one-side": ({"a": BINARY}, {"a": BINARY}, {"a": BINARY + b"2"}),
    "mode": ({"a": TEXT}, {"a": (TEXT, 0o100755)}, {"a": edited(9)}),
    "mode-conflict": ({}, {"a": (TEXT, 0o100755)}, {"a": TEXT}),
    "link": ({"a": ("x", 0o120000)}, {"a": ("y", 0o120000)}, {"a": ("z", 0o120000)}),
    "link-or-file": ({"a": TEXT}, {"a": ("y", 0o120000)}, {"a": edited(9)}),
    "submodule": ({"s": ("1" * 40, SUB)}, {"s": ("2" * 40, SUB)}, {"s": ("3" * 40, SUB)}),
    "submodule-one-side": ({"s": ("1" * 40, SUB)}, {"s": ("1" * 40, SUB)}, {"s": ("3" * 40, SUB)}),
    "submodule-add-add": ({}, {"s": ("2" * 40, SUB)}, {"s": ("3" * 40, SUB)}),
    "submodule-or-file": ({"s": ("1" * 40, SUB)}, {"s": ("2" * 40, SUB)}, {"s": TEXT}),
    "submodule-and-more": (
        {"s": ("1" * 40, SUB), "a": TEXT},
        {"s": ("2" * 40, SUB), "a": edited(9, by=" here")},
        {"s": ("3" * 40, SUB), "a": edited(9)},
    ),
    "crlf": ({"a": CRLF}, {"a": CRLF.replace("9\r", "nine\r")}, {"a": CRLF.replace("9\r", "neuf\r")}),
    "crlf-on-one-side": ({"a": TEXT}, {"a": CRLF}, {"a": edited(9)}),
    "no-newline": ({"a": "1\n2"}, {"a": "1\n3"}, {"a": "1\n4"}),
    "no-newline-on-one-side": ({"a": "1\n2\n"}, {"a": "1\n2"}, {"a": "1\n2\n3\n"}),
    "non-ascii": ({'\u00fc "q"': TEXT}, {'\u00fc "q"': edited(9, by="!")}, {'\u00fc "q"': edited(9)}),
    "newline-in-name": ({"a\nb\t": TEXT}, {"a\nb\t": edited(9, by="!")}, {"a\nb\t": edited(9)}),
    "no-utf8-in-name": ({"\udcff": TEXT}, {"\udcff": edited(9, by="!")}, {"\udcff": edited(9)}),
    "number-for-a-name": ({"1": TEXT}, {"1": edited(9, by="!")}, {"1": edited(9)}),
    "markers": ({"a": MARKERS}, {"a": edited(11, MARKERS, "!")}, {"a": edited(11, MARKERS)}),
    "markers-made": ({"a": TEXT}, {"a": MARKERS}, {"a": edited(9)}),
    "empty-file": ({"a": ""}, {"a": "1\n"}, {"a": "2\n"}),
}


def commits_of(repo: Repo, case: tuple[Side, Side, Side], name: str = "x") -> tuple[str, str, str]:
    """(base, ours, theirs) as commits; a side holds all its files, None is one that it has no longer."""
    base = repo.commit(case[0], branch=f"{name}-base", parent=())
    sides = [delta(case[0], side) for side in case[1:]]
    ours, theirs = (repo.commit(side, branch=f"{name}-{n}", parent=base) for n, side in enumerate(sides))
    return base, ours, theirs


def delta(base: Side, side: Side) -> dict[str, File]:
    """What a side changes, what goes first."""
    changed = {path: file for path, file in side.items() if path not in base or base[path] != file}
    return dict(sorted(changed.items(), key=lambda item: item[1] is not None))


def merged_by(scratch_repo: ScratchRepository, commits: Iterable[str]) -> MergeResult:
    return scratch_repo.merge(*map(scratch_repo.tree_of, commits))


def unlabelled(text: bytes) -> bytes:
    """The text with the labels of conflict markers taken off."""
    return re.sub(rb"^(<<<<<<<|\|\|\|\|\|\|\||>>>>>>>) [^\r\n]*", rb"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", MERGES)
def test_merges_are_those_of_git_merge_in_a_work_tree(repo: Repo, name: str) -> None:
    repo.commit({"start": "1\n"})
    base, ours, theirs = commits_of(repo, MERGES[name])
    repo.git("config", "merge.conflictStyle", "diff3")
    repo.git("checkout", "--quiet", "--detach", ours)
    is_clean = try_git(repo, "merge", "--no-commit", "--no-ff", "--quiet", theirs) == 0
    with open_scratch_repo(repo) as scratch_repo:
        merge = merged_by(scratch_repo, (base, ours, theirs))
        assert merge.is_clean == is_clean
        assert bool(merge.conflicts) != is_clean
        if is_clean:
            assert merge.tree == repo.git("write-tree")
            return
        stages = {
            os.fsdecode(path): {(number, f"{one.mode:06o}", one.oid) for number, one in some.items()}
            for path, some in merge.stages.items()
        }
        here = unmerged(repo)
        # For what moves out of the way of something else, git names the side: HEAD here, a commit there.
        there = {re.sub(r"~(HEAD|[0-9a-f]{40}\S*|[0-9a-f]{7,})$", "~", path): entries for path, entries in here.items()}
        assert {re.sub(r"~[0-9a-f]{40}$", "~", path): entries for path, entries in stages.items()} == there
        for path in merge.stages:
            entry = scratch_repo.entries(merge.tree, [path]).get(path)
            file = repo.path / os.fsdecode(path)
            if entry and entry.mode in (0o100644, 0o100755) and b"~" not in path:
                assert unlabelled(scratch_repo.blob(entry.oid)) == unlabelled(file.read_bytes())


def test_many_merges_in_one_process_answer_as_a_process_for_each(repo: Repo) -> None:
    """git 2.38 has no `merge-tree --stdin`."""
    cases = [commits_of(repo, case, name) for name, case in list(MERGES.items())[::2]]
    with open_scratch_repo(repo) as scratch_repo, scratch_repo.beside() as alone:
        idle = scratch_repo.commit(scratch_repo.write("tree", b""), (), b"idle\n", NOBODY)
        alone._merger = Merger(alone._git.command, alone._env, idle, (2, 38, 5))
        for commits in [*cases, *cases[::-1]]:
            merge = merged_by(scratch_repo, commits)
            assert merged_by(alone, commits) == merge
        assert alone._merger._server is None
        assert scratch_repo._merger is not None
        assert scratch_repo._merger._server is not None


def test_random_merges_in_sequence(repo: Repo) -> None:
    dice = random.Random(4)  # noqa: S311
    kinds = set()
    with open_scratch_repo(repo) as scratch_repo, scratch_repo.beside() as alone:
        alone._merger = Merger(alone._git.command, alone._env, "", (2, 38))
        for _ in range(40):
            trees = random_trees(scratch_repo, dice)
            merge = scratch_repo.merge(*trees)
            assert alone.merge(*trees) == merge
            assert set(merge.stages) <= {path for conflict in merge.conflicts for path in conflict.paths}
            kinds |= {conflict.kind for conflict in merge.conflicts}
    assert kinds >= {"contents", "modify/delete"}


def random_trees(scratch_repo: ScratchRepository, dice: random.Random) -> list[str]:
    """Three trees, two of them made from the first one."""
    names = [b"a", b"b", b"d/a", b"d/b", b"e\n"]
    base = {name: [b"%d %d\n" % (n, dice.randrange(3)) for n in range(9)] for name in names if dice.random() < 0.7}
    sides = []
    for _ in range(2):
        side = dict(base)
        for _ in range(dice.randrange(1, 4)):
            name = dice.choice(names)
            if name in side and dice.random() < 0.2:
                side[dice.choice(names)] = side.pop(name)
            elif name in side and dice.random() < 0.2:
                del side[name]
            else:
                text = list(side.get(name, []))
                text.insert(dice.randrange(len(text) + 1), b"new %d\n" % dice.randrange(9))
                side[name] = text
        sides.append(side)
    nothing = scratch_repo.write("tree", b"")
    return [
        scratch_repo.edit(
            nothing,
            {
                name: TreeEntry(0o100644, "blob", scratch_repo.write("blob", b"".join(text)))
                for name, text in files.items()
            },
        )
        for files in (base, *sides)
    ]


def test_a_merge_that_fails_is_an_error_and_the_next_one_works(repo: Repo) -> None:
    conflict = commits_of(repo, MERGES["contents"])
    other = repo.commit({"z": "1\n"}, branch="other", parent=())
    with open_scratch_repo(repo) as scratch_repo:
        wanted = merged_by(scratch_repo, conflict)
        with pytest.raises(GitError, match=r"git merge-tree failed: .*unrelated histories"):
            scratch_repo.merge_commits(conflict[1], other)
        assert merged_by(scratch_repo, conflict) == wanted
        missing = TreeEntry(0o100644, "blob", "1" * 40)
        trees = [scratch_repo.edit(scratch_repo.tree_of(one), {b"m": missing}) for one in conflict[:2]]
        theirs = scratch_repo.edit(scratch_repo.tree_of(conflict[2]), {b"m": TreeEntry(0o100644, "blob", "2" * 40)})
        ours = scratch_repo.edit(trees[1], {b"m": TreeEntry(0o100644, "blob", "3" * 40)})
        with pytest.raises(GitError, match="git merge-tree failed: "):
            scratch_repo.merge(trees[0], ours, theirs)
        assert merged_by(scratch_repo, conflict) == wanted
        alone = Merger(scratch_repo._git.command, scratch_repo._env, "", (2, 38))
        with pytest.raises(GitError, match=r"git merge-tree failed: .*unrelated histories"):
            alone.merge(conflict[1], other)


def test_a_merge_of_commits_is_that_of_git_merge(repo: Repo) -> None:
    """MergeResult bases are found, and where there are several, they are merged first."""
    start = repo.commit({"a": TEXT})
    left, right = (repo.commit({"a": edited(n)}, branch=f"b{n}", parent=start) for n in (3, 20))
    both = edited(3, edited(20))
    ours = repo.commit({"a": edited(10, both)}, branch="ours", parent=[left, right])
    theirs = repo.commit({"a": edited(28, both)}, branch="theirs", parent=[right, left])
    repo.git("checkout", "--quiet", "--detach", ours)
    repo.git("merge", "--quiet", "--no-edit", theirs)
    with open_scratch_repo(repo) as scratch_repo:
        merge = scratch_repo.merge_commits(ours, theirs)
        assert (merge.is_clean, merge.tree) == (True, repo.git("rev-parse", "HEAD^{tree}"))


def test_nothing_that_is_configured_changes_a_merge(repo: Repo, sealed: Path) -> None:
    base, ours, theirs = commits_of(repo, MERGES["rename-and-contents"])
    with open_scratch_repo(repo) as scratch_repo:
        wanted = merged_by(scratch_repo, (base, ours, theirs))
    driver = f"touch {repo.path}/ran; cp %B %A"
    everything = "* merge=own diff=own -text\n"
    (sealed / "attributes").write_text(everything)
    for scope in ("--global", "--local"):
        for key, value in {
            "merge.conflictStyle": "merge",
            "merge.renames": "false",
            "diff.renames": "false",
            "merge.default": "own",
            "merge.directoryRenames": "true",
            "merge.own.driver": driver,
            "merge.own.name": "own",
            "merge.renormalize": "true",
            "core.autocrlf": "true",
            "diff.algorithm": "histogram",
            "core.attributesFile": str(sealed / "attributes"),
            "merge.verbosity": "5",
            "diff.renameLimit": "1",
        }.items():
            repo.git("config", scope, key, value)
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/attributes").write_text(everything)
    (repo.path / ".gitattributes").write_text(everything)
    with open_scratch_repo(repo) as scratch_repo:
        assert merged_by(scratch_repo, (base, ours, theirs)) == wanted
        entry = TreeEntry(0o100644, "blob", scratch_repo.write("blob", everything.encode()))
        trees = [
            scratch_repo.edit(scratch_repo.tree_of(one), {b".gitattributes": entry}) for one in (base, ours, theirs)
        ]
        merge = scratch_repo.merge(*trees)
        assert merge.stages == wanted.stages
        assert scratch_repo.edit(merge.tree, {b".gitattributes": None}) != merge.tree
    assert not (repo.path / "ran").exists()


# What commits changed


def test_changed_paths_are_those_of_each_commit(repo: Repo) -> None:
    """Names that look like git's own separators are names."""
    first = repo.commit({"a": "1\n", b"x\x01\xff": "1\n", "\n\n": "1\n"})
    second = repo.commit({"a": "2\n", "\nb": "1\n", b"\x01" + b"1" * 40: "1\n"})
    nothing = repo.commit({})
    merge = repo.commit({}, parent=[nothing, repo.commit({"c": "1\n"}, branch="side")])
    with open_scratch_repo(repo) as scratch_repo:
        assert scratch_repo.changed_paths([second, first, nothing, merge]) == {
            first: {b"a", b"x\x01\xff", b"\n\n"},
            second: {b"a", b"\nb", b"\x01" + b"1" * 40},
        }


def test_diffs_are_those_of_each_commit(repo: Repo) -> None:
    """A NUL behind the first 8000 bytes does not make a file binary: it stands in the diff."""
    first = repo.commit({"a": TEXT})
    late = "x" * 70 + "\n"
    second = repo.commit({"a": edited(3), "late": late * 200 + "\0 \0\n"})
    with open_scratch_repo(repo) as scratch_repo:
        found = dict(scratch_repo.diff_commits([second, first]))
    assert found.keys() == {first, second}
    assert found[second].count(b"diff --git") == 2
    assert b"+\0 \0\n" in found[second]
    assert b"+line 3 changed\n" in found[second]


# What is published


def stored(repo: Repo) -> tuple[set[str], int]:
    """(the objects of the repository itself, how many packs)."""
    found = repo.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered").split()
    count = dict(line.split(": ") for line in repo.git("count-objects", "-v").splitlines())
    return set(found), int(count["packs"])


def published(repo: Repo, files: int, useless: int = 3) -> set[str]:
    """The objects that came over with a commit of so many new files; things that it does not need are made too."""
    base = repo.git("rev-parse", "HEAD")
    before = stored(repo)[0]
    with Repository.open(repo.path) as repository, repository.scratch_repository() as scratch_repo:
        new = {
            b"new/%d" % n: TreeEntry(0o100644, "blob", scratch_repo.write("blob", b"%d\n" % n)) for n in range(files)
        }
        for n in range(useless):
            scratch_repo.write("blob", b"useless %d\n" % n)
        tree = scratch_repo.edit(scratch_repo.tree_of(base), new)
        tip = scratch_repo.commit(tree, (base,), b"new\n", NOBODY)
        top = scratch_repo.commit(tree, (tip,), b"top\n", NOBODY)
        repository.publish(scratch_repo, [tip, top])
    assert repo.git("rev-parse", "HEAD") == base
    assert repo.git("diff", "--name-only", base, top).count("new/") == files
    repo.git("fsck", "--full", "--strict")
    return stored(repo)[0] - before


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize(("files", "packs"), [(5, 0), (96, 0), (97, 1)])
def test_just_what_is_needed_comes_over(make_repo: MakeRepo, object_format: str, files: int, packs: int) -> None:
    """Loose up to 100 objects, as a pack above: with the files come two commits and two trees."""
    repo = make_repo("repo", object_format)
    repo.commit({"a": TEXT})
    had = stored(repo)[1]
    new = published(repo, files)
    assert len(new) == files + 4
    assert stored(repo)[1] == had + packs


def test_nothing_to_publish(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    before = stored(repo)
    with Repository.open(repo.path) as repository, repository.scratch_repository() as scratch_repo:
        repository.publish(scratch_repo, [base])
    assert stored(repo) == before


@pytest.mark.parametrize("options", [["--shared"], ["--depth=1"], ["--filter=blob:none"]], ids=lambda one: one[0])
def test_publication_into_a_clone(repo: Repo, tmp_path: Path, options: list[str]) -> None:
    repo.commit({"a": TEXT})
    repo.commit({"a": edited(3), "b": TEXT})
    repo.git("config", "uploadpack.allowFilter", "true")
    source = str(repo.path) if options == ["--shared"] else repo.path.as_uri()
    repo.git("clone", "--quiet", *options, source, str(tmp_path / "clone"))
    clone = cloned_at(tmp_path / "clone", repo)
    assert len(published(clone, 5)) == 9
    assert clone.git("status", "--porcelain") == ""


def test_publication_into_a_linked_worktree(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": TEXT})
    repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "linked")
    assert len(published(cloned_at(tmp_path / "linked", repo), 5)) == 9
    assert len(stored(repo)[0]) == 12


def cloned_at(path: Path, source: Repo) -> Repo:
    """The repository that git made at the path."""
    found = Repo.__new__(Repo)
    found.path, found.bare, found.now = path, False, source.now
    return found


def test_a_shallow_clone_merges(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": TEXT})
    repo.commit({"a": edited(3)})
    repo.git("clone", "--quiet", "--depth=1", repo.path.as_uri(), str(tmp_path / "clone"))
    clone = cloned_at(tmp_path / "clone", repo)
    left, right = (clone.commit({"a": edited(n, edited(3))}, branch=f"b{n}", parent="HEAD") for n in (10, 20))
    with open_scratch_repo(clone) as scratch_repo:
        assert scratch_repo.merge_commits(left, right).is_clean


def test_a_repository_that_cannot_be_written_to_is_said_so(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    base = repo.commit({"a": TEXT})
    with Repository.open(repo.path) as repository, repository.scratch_repository() as scratch_repo:
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(OutsideError, match="cannot write to"):
            repository.publish(scratch_repo, [base])


def test_nothing_of_a_workbench_is_left(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = repo.commit({"a": TEXT})
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = stored(repo)
    with open_scratch_repo(repo) as scratch_repo:
        scratch_repo.merge(scratch_repo.tree_of(base), scratch_repo.tree_of(base), scratch_repo.write("tree", b""))
        assert list(scratch.iterdir())
    assert list(scratch.iterdir()) == []
    assert stored(repo) == before


def test_an_interrupt_while_it_is_removed_leaves_nothing_either(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    unlink, calls = os.unlink, []

    def interrupted(*arguments: Any, **options: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        unlink(*arguments, **options)

    with pytest.raises(KeyboardInterrupt), open_scratch_repo(repo) as scratch_repo:
        scratch_repo.write("blob", b"1\n")
        monkeypatch.setattr(os, "unlink", interrupted)
    assert len(calls) > 2
    assert list(scratch.iterdir()) == []


def test_files_of_a_tree_are_written_out_and_links_are_not(repo: Repo, tmp_path: Path) -> None:
    """A link out of the folder would let a tree write anywhere."""
    repo.commit({"a/b/c.h": "c\n", "a/run": ("#!\n", 0o100755), "a/out": ("/etc", 0o120000), "d": "d\n", "e": "e\n"})
    with open_scratch_repo(repo) as scratch_repo:
        scratch_repo.export(
            scratch_repo.tree_of(repo.git("rev-parse", "HEAD")), [b"a", b"d", b"nothing"], tmp_path / "out"
        )
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")}
    assert written == {"a", "a/b", "a/b/c.h", "a/run", "d"}
    assert os.access(tmp_path / "out/a/run", os.X_OK)
    assert not os.access(tmp_path / "out/d", os.X_OK)


def test_a_tree_with_unsafe_names_writes_nothing_outside(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "a\n"})
    with open_scratch_repo(repo) as scratch_repo:
        blob = scratch_repo.write("blob", b"bad\n")
        inner = scratch_repo.write(
            "tree",
            format_tree(
                {
                    b"..": TreeEntry(
                        0o40000,
                        "tree",
                        scratch_repo.write("tree", format_tree({b"x": TreeEntry(0o100644, "blob", blob)})),
                    )
                }
            ),
        )
        scratch_repo.export(
            scratch_repo.write("tree", format_tree({b"a": TreeEntry(0o40000, "tree", inner)})), [b"a"], tmp_path / "o"
        )
    assert not (tmp_path / "o").exists()
    assert not (tmp_path / "x").exists()
