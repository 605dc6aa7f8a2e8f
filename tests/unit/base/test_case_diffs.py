# SPDX-License-Identifier: GPL-2.0-or-later
"""What patches can do to files: each kind of diff is found exact where it was made, and nowhere else."""

import pytest

from tests.support.repos import File, Repo, git_applies
from tests.support.series import lines, make_series
from tests.support.session import assert_exact, assert_partial, find

OID = "1234567890123456789012345678901234567890"
OTHER = "abcdefabcdefabcdefabcdefabcdefabcdefabcd"
TEXT = lines(1, 30)
EDITED = TEXT.replace("line 15\n", "line fifteen\n")


def between(repo: Repo, files: dict[str, File], after: dict[str, File], *changes: dict[str, File]) -> tuple[bytes, str]:
    """A series made on the second of three commits: the files come with it, and `after` changes them."""
    repo.commit({"other": "1\n"}, "before")
    base = repo.commit({**files, "keep": "1\n"}, "base")
    mbox = make_series(repo, base, *changes)
    repo.commit(after, "after")
    return mbox, base


def test_rename_then_modify(repo: Repo) -> None:
    mbox, base = between(repo, {"a": TEXT}, {"a": "gone\n"}, {"a": None, "b": TEXT}, {"b": EDITED})
    assert b"rename from a" in mbox
    assert b"similarity index 100%" in mbox
    assert_exact(repo, mbox, base)


def test_rename_with_a_change(repo: Repo) -> None:
    mbox, base = between(repo, {"a": TEXT}, {"a": "gone\n"}, {"a": None, "dir/b": EDITED})
    assert b"rename to dir/b" in mbox
    assert_exact(repo, mbox, base)


def test_the_new_name_of_a_rename_must_be_free(repo: Repo) -> None:
    mbox, base = between(repo, {"a": TEXT}, {"b": "taken\n"}, {"a": None, "b": EDITED})
    assert_exact(repo, mbox, base)


def test_copy(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"b": EDITED}, options=["-C", "--find-copies-harder"])
    assert b"copy from a" in mbox
    repo.commit({"a": EDITED})
    assert_exact(repo, mbox, base)


def test_copy_and_a_change_of_the_source(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"b": EDITED, "a": TEXT + "more\n"}, {"b": TEXT}, options=["-C"])
    assert b"copy from a" in mbox
    repo.commit({"a": EDITED})
    assert_exact(repo, mbox, base)


def test_mode_change_only(repo: Repo) -> None:
    base = repo.commit({"a": (TEXT, 0o100644)})
    mbox = make_series(repo, base, {"a": (TEXT, 0o100755)})
    assert b"\nindex " not in mbox
    repo.commit({"a": None})
    assert_exact(repo, mbox, base)


def test_mode_change_with_a_change_of_content(repo: Repo) -> None:
    base = repo.commit({"a": (TEXT, 0o100644)})
    mbox = make_series(repo, base, {"a": (EDITED, 0o100755)})
    repo.commit({"a": None})
    assert_exact(repo, mbox, base)


def test_symlink_is_not_a_file_with_the_same_content(repo: Repo) -> None:
    base = repo.commit({"a": ("target", 0o100644)})
    mbox = make_series(repo, base, {"a": ("elsewhere", 0o100644)})
    repo.commit({"a": ("target", 0o120000)})
    assert_exact(repo, mbox, base)


def test_file_becomes_a_symlink(repo: Repo) -> None:
    mbox, base = between(repo, {"a": TEXT}, {"a": EDITED}, {"a": ("target", 0o120000)})
    assert_exact(repo, mbox, base)


def test_new_files_only(repo: Repo) -> None:
    first = repo.commit({"x": "1\n"})
    second = repo.commit({"x": "2\n"})
    mbox = make_series(repo, second, {"new/file": TEXT}, {"new/file": EDITED, "new/other": "1\n"})
    repo.commit({"new/file": "here now\n"})
    assert_exact(repo, mbox, first, second)


def test_new_file_where_a_file_is_in_the_way_of_its_folder(repo: Repo) -> None:
    base = repo.commit({"x": "1\n"})
    mbox = make_series(repo, base, {"new/file": TEXT})
    repo.commit({"new": "no folder\n"})
    assert_exact(repo, mbox, base)


def test_new_empty_file(repo: Repo) -> None:
    base = repo.commit({"x": "1\n"})
    mbox = make_series(repo, base, {"empty": ""})
    repo.commit({"empty": ""})
    assert_exact(repo, mbox, base)


def test_pure_renames_only(repo: Repo) -> None:
    repo.commit({"other": "1\n"})
    first = repo.commit({"a": TEXT})
    second = repo.commit({"a": EDITED})
    mbox = make_series(repo, second, {"a": None, "b": EDITED})
    assert b"\nindex " not in mbox
    repo.commit({"a": None})
    # The mail names no blob: all that it says is that there is a file.
    assert_exact(repo, mbox, first, second)


def test_deletion(repo: Repo) -> None:
    mbox, base = between(repo, {"a": TEXT, "b": "1\n"}, {"a": EDITED}, {"a": None}, {"b": None})
    assert_exact(repo, mbox, base)


def test_deleted_and_made_again(repo: Repo) -> None:
    mbox, base = between(repo, {"a": TEXT}, {"a": EDITED}, {"a": None}, {"a": "anew\n"})
    assert_exact(repo, mbox, base)


def test_made_and_deleted_again(repo: Repo) -> None:
    base = repo.commit({"x": "1\n"})
    mbox = make_series(repo, base, {"a": TEXT}, {"a": None})
    repo.commit({"a": TEXT})
    assert_exact(repo, mbox, base)


def test_two_files_swap_names(repo: Repo) -> None:
    long, other = lines(1000, 1090), "".join(f"{n * n}\n" for n in range(100))
    base = repo.commit({"a": long, "b": other})
    mbox = make_series(repo, base, {"a": other + "x\n", "b": long + "x\n"}, options=["-M", "-B"])
    assert b"rename from b" in mbox
    repo.commit({"a": EDITED})
    assert_exact(repo, mbox, base)


def test_gitlink_moves(repo: Repo) -> None:
    repo.commit({"sub": (OTHER, 0o160000)})
    base = repo.commit({"sub": (OID, 0o160000)})
    mbox = make_series(repo, base, {"sub": ("9" * 40, 0o160000)})
    assert b"Subproject commit" in mbox
    repo.commit({"sub": (OTHER, 0o160000)})
    assert_exact(repo, mbox, base)


def test_gitlink_comes_and_goes(repo: Repo) -> None:
    base = repo.commit({"x": "1\n"})
    mbox = make_series(repo, base, {"sub": (OID, 0o160000)}, {"sub": None})
    repo.commit({"sub": (OTHER, 0o160000)})
    assert_exact(repo, mbox, base)


def test_gitlink_that_moved_on_does_not_fit(repo: Repo) -> None:
    base = repo.commit({"sub": (OID, 0o160000), "a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}, {"sub": ("9" * 40, 0o160000)})
    elsewhere = Repo(repo.path.parent / "elsewhere")
    elsewhere.commit({"sub": (OTHER, 0o160000), "a": TEXT})
    assert_partial(elsewhere, mbox, 1)


def test_binary_patch(repo: Repo) -> None:
    data = bytes(range(256)) * 8
    repo.commit({"x": "1\n"})
    base = repo.commit({"a.bin": data})
    mbox = make_series(repo, base, {"a.bin": data[::-1]}, {"a.bin": data[::-1] + b"\0more"}, options=["--binary"])
    assert b"GIT binary patch" in mbox
    repo.commit({"a.bin": data[1:]})
    assert_exact(repo, mbox, base)


def test_binary_patch_applies_nowhere_else(repo: Repo) -> None:
    data = bytes(range(256)) * 8
    base = repo.commit({"a.bin": data})
    mbox = make_series(repo, base, {"a.bin": data[::-1]}, options=["--binary"])
    elsewhere = Repo(repo.path.parent / "elsewhere")
    elsewhere.commit({"a.bin": data[1:]})
    answer = assert_partial(elsewhere, mbox, 0)
    assert answer["candidates"][0]["outcomes"][0]["failure"]["reason"] == "binary"


def test_new_binary_file(repo: Repo) -> None:
    base = repo.commit({"x": "1\n"})
    mbox = make_series(repo, base, {"a.bin": b"\0\1\2" * 99}, options=["--binary"])
    repo.commit({"a.bin": b"\0"})
    assert_exact(repo, mbox, base)


def test_binary_files_differ_has_nothing_to_apply(repo: Repo) -> None:
    data = bytes(range(256))
    base = repo.commit({"a.bin": data})
    mbox = make_series(repo, base, {"a.bin": data[::-1]}, options=["--no-binary"])
    assert b"Binary files" in mbox
    repo.commit({"a.bin": data[1:]})
    answer = find(repo, mbox)
    # The blob is named and is there: that much is proven. That the patch cannot be applied even there is told too.
    assert answer["base"]["commit"] == base
    assert git_applies(repo, base, mbox) == 0
    assert answer["candidates"][0]["outcomes"][0]["outcome"] == "CONFLICT"


def test_empty_patch_among_others(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}, {}, {"a": TEXT}, options=["--always"])
    repo.commit({"a": "other\n"})
    answer = assert_exact(repo, mbox, base)
    assert [one["outcome"] for one in answer["candidates"][0]["outcomes"]] == ["UNMODIFIED", "EMPTY", "UNMODIFIED"]


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "tab\there",
        'quote"and\\slash',
        "ümläut/é",
        "日本語",
        "-dash",
        ":colon",
        "a b/c d",
        "*star?",
        "[x]",
    ],
)
def test_names(repo: Repo, name: str) -> None:
    base = repo.commit({name: TEXT})
    mbox = make_series(repo, base, {name: EDITED})
    repo.commit({name: "other\n"})
    answer = assert_exact(repo, mbox, base)
    assert answer["series"]["files"] == [name]


def test_name_that_is_not_utf8(repo: Repo) -> None:
    base = repo.commit({b"caf\xe9": TEXT})
    mbox = make_series(repo, base, {b"caf\xe9": EDITED})
    repo.commit({b"caf\xe9": "other\n"})
    answer = assert_exact(repo, mbox, base)
    assert answer["series"]["files"] == ["caf\\xe9"]


def test_renames_between_quoted_names(repo: Repo) -> None:
    base = repo.commit({"ümläut": TEXT})
    mbox = make_series(repo, base, {"ümläut": None, "tab\there": EDITED})
    assert b'rename from "' in mbox
    repo.commit({"ümläut": "other\n"})
    assert_exact(repo, mbox, base)


def test_names_that_git_does_not_quote(repo: Repo) -> None:
    repo.git("config", "core.quotePath", "false")
    base = repo.commit({"ümläut": TEXT})
    mbox = make_series(repo, base, {"ümläut": EDITED})
    assert "a/ümläut".encode() in mbox
    repo.commit({"ümläut": "other\n"})
    assert_exact(repo, mbox, base)


def test_files_with_crlf(repo: Repo) -> None:
    base = repo.commit({"a": TEXT.replace("\n", "\r\n")})
    mbox = make_series(repo, base, {"a": EDITED.replace("\n", "\r\n")})
    repo.commit({"a": TEXT})
    assert_exact(repo, mbox, base)


def test_file_without_newline_at_its_end(repo: Repo) -> None:
    base = repo.commit({"a": TEXT.rstrip("\n")})
    mbox = make_series(repo, base, {"a": EDITED.rstrip("\n")}, {"a": EDITED})
    repo.commit({"a": TEXT})
    assert_exact(repo, mbox, base)


@pytest.mark.parametrize("options", [["--no-prefix"], ["--src-prefix=old/", "--dst-prefix=new/"]])
def test_other_prefixes(repo: Repo, options: list[str]) -> None:
    base = repo.commit({"fs/nfsd/a.c": TEXT})
    mbox = make_series(repo, base, {"fs/nfsd/a.c": EDITED}, options=options)
    repo.commit({"fs/nfsd/a.c": "other\n"})
    level = "-p0" if "--no-prefix" in options else "-p1"
    answer = find(repo, mbox)
    assert answer["verdict"] == "exact"
    assert answer["base"]["commit"] == base
    assert answer["candidates"][0]["outcomes"][0]["outcome"] == "UNMODIFIED"
    assert git_applies(repo, base, mbox, level) == 1


@pytest.mark.parametrize("digits", [7, 8, 12, 15, 16, 20, 39, 40])
def test_abbreviations(repo: Repo, digits: int) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED}, options=[f"--abbrev={digits}"])
    assert f"index {repo.git('rev-parse', f'{base}:a')[:digits]}..".encode() in mbox
    repo.commit({"a": "other\n"})
    assert_exact(repo, mbox, base)
