# SPDX-License-Identifier: GPL-2.0-or-later
"""What `split` prints and makes."""

import re
from collections.abc import Callable

import pytest

from seriestool.git import Repository
from tests.support.cases import EXPORT, FIXED, HEADER, URL, SplitCase, SplitChange, answer, changed, fared, where
from tests.support.repos import FIRST_DATE, Repo
from tests.support.series import make_series, parse_whole
from tests.support.session import Result, find

Cli = Callable[..., Result]
Golden = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits and mails of all runs have one date."""
    monkeypatch.setattr(Repository, "committer", lambda _: ("C O Mitter", "committer@example.com", FIRST_DATE))


@pytest.fixture
def case(repo: Repo) -> SplitCase:
    return SplitCase(repo)


@pytest.mark.parametrize("form", ["text", "json", "dot"])
def test_the_answer(case: SplitCase, cli_here: Cli, golden: Golden, form: str) -> None:
    result = cli_here("split", f"--format={form}", case.file, cwd=case.repo.path)
    assert result.code == 0, result.err
    golden(f"split-{form}", result.out + result.err)


def test_every_key_of_the_proof_is_there(case: SplitCase, cli_here: Cli) -> None:
    found = answer(cli_here, case)
    assert {"schema", "series", "destinations", "subseries", "cycles", "dependencies", "files", "base", "clean",
            "parts", "proofs", "commits", "notes"} == set(found)  # fmt: skip
    assert found["clean"] is True
    assert [(one["tree"], one["own_tree"], [patch["patch"] for patch in one["first"]]) for one in found["proofs"]] == [
        ("net/main", True, []),
        ("net-next/main", True, []),
        ("nfsd/main", True, [2]),
        ("net-next/main", False, []),
    ]
    assert all(set(one) == {"subseries", "tree", "commit", "own_tree", "clean", "first", "patches"}
               for one in found["proofs"])  # fmt: skip
    assert [list(one.values()) for one in fared(found)] == [["UNMODIFIED"], ["UNMODIFIED"] * 3, ["UNMODIFIED"] * 2,
                                                           ["UNMODIFIED"]]  # fmt: skip


def test_rebase_split_is_the_same(case: SplitCase, cli_here: Cli) -> None:
    plain, other = (cli_here(*command, case.file, cwd=case.repo.path) for command in (["split"], ["rebase", "--split"]))
    assert plain == other


def test_by_file_cuts_what_can_be_cut(case: SplitCase, cli_here: Cli, golden: Golden) -> None:
    found = answer(cli_here, case, "--by-file")
    assert where(found) == [("net", [1]), ("net-next", [2, 5, 7]), ("nfsd", [3, 6]), ("gadgets", [4])]
    assert found["parts"] == [6, 7]
    assert found["series"]["expected"] == 7
    assert set(fared(found)[2]) == {2, 3, 6}
    assert found["clean"] is True
    golden("split-by-file", cli_here("split", "--by-file", case.file, cwd=case.repo.path).out)


def test_nothing_of_the_user_is_touched(case: SplitCase, cli_here: Cli) -> None:
    before = case.state()
    answer(cli_here, case)
    answer(cli_here, case, "--by-file")
    assert case.state() == before


def test_a_branch_for_each_tree(case: SplitCase, cli_here: Cli) -> None:
    before = case.state()
    result = cli_here("split", "--branch", "split/{series}/{tree}", case.file, cwd=case.repo.path)
    assert result.code == 0, result.err
    git = case.repo.git
    log = {
        name: git("log", "--format=%s", f"{tree}/main..split/tags-for-everybody/{name}").splitlines()
        for name, tree in (("net", "net"), ("net-next", "net-next"), ("nfsd", "nfsd"), ("gadgets", "net-next"))
    }
    assert log == {
        "net": ["net: core: start with nothing"],
        "net-next": ["net: core: say hello", "net: core: pass the tag", "net: core: add tags"],
        "nfsd": ["nfsd: use tags", "net: core: add tags"],
        "gadgets": ["gadget: more to read"],
    }
    after = case.state()
    assert {line for line in after.pop("refs") if "heads/split/" not in line} == set(before.pop("refs"))  # type: ignore[attr-defined, call-overload]
    assert after == before
    assert git("log", "-1", "--format=%an <%ae>", "split/tags-for-everybody/nfsd") == "Ann Author <ann@example.com>"


def test_what_two_need_is_the_same_commit(case: SplitCase, cli_here: Cli) -> None:
    options = ("--onto", "nfsd=net-next/main", "--branch", "s/{number}")
    result = cli_here("split", *options, case.file, cwd=case.repo.path)
    assert result.code == 0, result.err
    assert "branch s/3 is at" in result.err
    assert case.repo.git("rev-parse", "s/3^") == case.repo.git("rev-parse", "s/2~2")
    assert case.repo.git("merge-base", "s/2", "s/3") == case.repo.git("rev-parse", "s/3^")


def test_notes_come_with_the_branches(case: SplitCase, cli_here: Cli) -> None:
    result = cli_here("split", "--branch", "s/{tree}", "--notes", case.file, cwd=case.repo.path)
    assert result.code == 0, result.err
    assert "fs/nfsd/export.c" in case.repo.git("notes", "--ref=seriestool", "show", "s/nfsd")


def mailboxes(case: SplitCase, cli: Cli, *options: str) -> dict[str, bytes]:
    """Tree -> the mbox that was written for it."""
    folder = case.repo.path.parent / "out"
    result = cli("split", "-o", folder, *options, case.file, cwd=case.repo.path)
    assert result.code == 0, result.err
    return {path.name.partition("tags-for-everybody-")[2].removesuffix(".mbx"): path.read_bytes()
            for path in sorted(folder.iterdir())}  # fmt: skip


def test_each_part_is_a_series_of_its_own(case: SplitCase, cli_here: Cli, golden: Golden) -> None:
    found = mailboxes(case, cli_here)
    assert list(found) == ["net", "net-next", "nfsd", "gadgets"]
    for name in ("net", "net-next", "nfsd"):
        golden(f"split-mbox-{name}", found[name].decode())


@pytest.mark.parametrize("name", ["net", "net-next", "gadgets"])
def test_find_base_and_git_read_what_was_written(case: SplitCase, cli_here: Cli, name: str) -> None:
    mbox = mailboxes(case, cli_here)[name]
    tree = case.repo.git("rev-parse", f"{'net-next' if name == 'gadgets' else name}/main")
    found = find(case.repo, mbox)
    assert (found["verdict"], found["base"]["commit"], found["stated"]["verdict"]) == ("exact", tree, "exact")
    assert am(case, tree, mbox) == found["series"]["patches"]


def am(case: SplitCase, commit: str, mbox: bytes) -> int:
    """How many commits `git am` makes of it; it passes over the cover letter."""
    case.repo.git("checkout", "--quiet", "--detach", commit)
    case.repo.git("am", "--quiet", "--empty=drop", input=mbox)
    return int(case.repo.git("rev-list", "--count", f"{commit}..HEAD"))


def test_a_cover_letter_is_no_patch(case: SplitCase, cli_here: Cli) -> None:
    name = "net/core.c"
    evil = f"diff --git a/{name} b/{name}\ndeleted file mode 100644\n--- a/{name}\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    case.file.write_bytes(case.mbox.replace(b"everywhere.\n", b"everywhere.\n---\n" + evil.encode()))
    found = mailboxes(case, cli_here)
    assert b"\n diff --git a/net/core.c b/net/core.c\n" in found["net"]
    assert am(case, "net/main", found["net"]) == 1
    assert am(case, "net-next/main", found["net-next"]) == 3
    assert case.repo.git("log", "--format=", "--name-only", "net/main..HEAD", "--", "net/core.c")


def test_what_a_part_needs_is_stated(case: SplitCase, cli_here: Cli) -> None:
    found = {name: parse_whole(mbox) for name, mbox in mailboxes(case, cli_here, "--branch", "s/{tree}").items()}
    needs = [(one.kind, one.value) for one in found["nfsd"].base.prerequisites]
    patch_id = case.repo.git("patch-id", "--stable", input=case.repo.git_bytes("show", "s/nfsd^")).split()[0]
    assert needs == [("change-id", f"{found['net-next'].change_id}:v1"), ("patch-id", patch_id)]
    assert found["net-next"].base.prerequisites == ()
    assert len({one.change_id for one in found.values()}) == len(found)
    case.repo.git("checkout", "--quiet", "--detach", "s/nfsd^")
    case.repo.git("am", "--quiet", input=mailboxes(case, cli_here)["nfsd"])
    assert case.repo.git("rev-parse", "HEAD^{tree}") == case.repo.git("rev-parse", "s/nfsd^{tree}")


def test_a_conflict_stops_one_tree_only(case: SplitCase, cli_here: Cli) -> None:
    case.tree("nfsd", {"fs/nfsd/export.c": EXPORT.replace("return n;", "return -n;")})
    found = answer(cli_here, case, code=3)
    assert [proof["clean"] for proof in found["proofs"]] == [True, True, False, True]
    result = cli_here("split", "--branch", "s/{tree}", case.file, cwd=case.repo.path)
    assert result.code == 3
    assert "after 2 (net-next); patch 3 conflicts on nfsd/main" in result.out
    assert "CONFLICT 1 in 1 file  fs/nfsd/export.c" in result.out
    assert "'seriestool rebase --onto nfsd/main' says what is behind each conflict" in result.out
    assert "nothing made for nfsd: patch 3 conflicts on nfsd/main" in result.err
    made = case.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/s").splitlines()
    assert made == ["s/gadgets", "s/net", "s/net-next"]
    assert "color=red" in cli_here("split", "--format=dot", case.file, cwd=case.repo.path).out


def test_what_is_merged_already_is_not_made_again(case: SplitCase, cli_here: Cli) -> None:
    case.tree("net", {"net/core.c": FIXED})
    result = cli_here("split", "--branch", "s/{tree}", case.file, cwd=case.repo.path)
    assert result.code == 0, result.err
    assert "now, on its own; merged already in net/main" in result.out
    assert "nothing made for net: net/main has all patches already" in result.err
    assert case.repo.git("for-each-ref", "refs/heads/s/net") == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--onto", "nowhere=main"], "no sub-series goes to 'nowhere'"),
        (["--onto", "nfsd=nowhere"], "there is no tree, ref or commit 'nowhere'"),
        (["--onto", "nowhere"], "there is no tree, ref or commit 'nowhere'"),
        (["--base", "nowhere"], "there is no tree, ref or commit 'nowhere'"),
        (["--branch", "split"], "'split' is one name for 4 branches"),
        (["--branch", "s..{tree}"], "s..net"),
        (["--notes"], "notes are made for the commits of a branch"),
        (["--format", "svg"], "invalid choice: 'svg'"),
    ],
)
def test_bad_input(case: SplitCase, cli_here: Cli, options: list[str], message: str) -> None:
    before = case.state()
    result = cli_here("split", *options, case.file, cwd=case.repo.path)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert case.state() == before


def test_all_is_made_or_nothing(case: SplitCase, cli_here: Cli) -> None:
    folder = case.repo.path.parent / "out"
    mailboxes(case, cli_here)
    (folder / "3-tags-for-everybody-nfsd.mbx").write_text("mine\n")
    (folder / "1-tags-for-everybody-net.mbx").unlink()
    result = cli_here("split", "-o", folder, "--branch", "s/{tree}", case.file, cwd=case.repo.path)
    assert result.code == 2
    assert "nfsd.mbx' is there already" in result.err
    assert case.repo.git("for-each-ref", "refs/heads/s") == ""
    assert not (folder / "1-tags-for-everybody-net.mbx").exists()
    case.repo.git("branch", "s/nfsd", "main")
    result = cli_here("split", "--branch", "s/{tree}", case.file, cwd=case.repo.path)
    assert (result.code, result.out) == (2, "")
    assert case.repo.git("for-each-ref", "--format=%(refname)", "refs/heads/s") == "refs/heads/s/nfsd"


def test_without_maintainers_all_goes_to_one_tree(repo: Repo, cli_here: Cli) -> None:
    base = repo.commit({"a.c": "1\n", "b.c": "1\n"}, "start")
    mbox = make_series(repo, base, {"a.c": "2\n"}, {"b.c": "2\n"})
    result = cli_here("split", "-", cwd=repo.path, stdin=mbox)
    assert result.code == 0, result.err
    assert "main  patches 1-2  now" in result.out
    assert "note: there is no MAINTAINERS file, so all goes to one tree" in result.out


def test_a_lost_base_is_no_silent_plan(case: SplitCase, cli_here: Cli) -> None:
    author = Repo(case.repo.path.parent / "author")
    lost = author.commit({"net/other.c": "1\n2\n"})
    mbox = make_series(author, lost, {"net/other.c": "1\n3\n"})
    result = cli_here("split", "-", cwd=case.repo.path, stdin=mbox)
    assert result.code == 3
    assert "note: what the series was made from is not known, so neither is what ties its patches" in result.out


def test_names_are_hostile(repo: Repo, cli_here: Cli) -> None:
    odd = 'drivers/\x1b[31m "q" \\ ü.c'
    changes: tuple[SplitChange, ...] = (
        ('net: \x1b]0;own\x07 "title" \\ {tree} <x>', {"net/core.c": FIXED}),
        ("gadget: a file", {odd: "1\n"}),
    )
    case = SplitCase(repo, changes, cover=False)
    text = case.repo.path / "MAINTAINERS"
    hostile = (
        text.read_text()
        .replace("GADGET DRIVERS", "GADGET \x1b[2J")
        .replace("dan/gadgets.git", "dan/-x;y$(z).git ../b c")
    )
    case.tree("net-next", {"MAINTAINERS": hostile})
    base = case.repo.commit({"MAINTAINERS": hostile}, "main: hostile")
    result = cli_here("split", "--base", base, "--branch", "{tree}-x", "-o", case.repo.path.parent / "o",
                      case.file, cwd=case.repo.path)  # fmt: skip
    assert result.code == 0, result.err
    assert "\x1b" not in result.out + result.err
    assert "\x07" not in result.out + result.err
    names = case.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names), names
    files = [path.name for path in (case.repo.path.parent / "o").iterdir()]
    assert len(files) == 2
    assert all(re.fullmatch(r"\d-[a-z0-9-]+\.mbx", name) for name in files), files
    for path in (case.repo.path.parent / "o").iterdir():
        assert b"\x1b" not in path.read_bytes().partition(b"\n\n")[0]
    graph = cli_here("split", "--format=dot", "--base", base, case.file, cwd=case.repo.path)
    assert graph.code == 0
    assert "\x1b" not in graph.out


def test_parts_of_a_series_that_is_not_complete(case: SplitCase, cli_here: Cli) -> None:
    mails = case.mbox.split(b"\nFrom ")
    case.file.write_bytes(b"\nFrom ".join(mail for mail in mails if b"gadget: more to read\n" not in mail))
    found = answer(cli_here, case, "--partial", "--by-file")
    assert where(found) == [("net", [1]), ("net-next", [2, 5, 7]), ("nfsd", [3, 6])]
    assert (found["series"]["missing"], found["series"]["expected"], found["parts"]) == ([4], 7, [6, 7])
    assert found["clean"] is True


def test_a_part_waits_for_the_part_that_it_needs(repo: Repo, cli_here: Cli) -> None:
    both = {"net/core.c": FIXED + "\nint core_more(void)\n{\n\treturn 1;\n}\n",
            "include/net/core.h": changed(HEADER, ("#endif\n", "int core_more(void);\n\n#endif\n")),
            "fs/nfsd/export.c": changed(EXPORT, ("return n;", "return n + core_more();"))}  # fmt: skip
    case = SplitCase(repo, (("net: start with nothing", {"net/core.c": FIXED}), ("net: more", both)))
    assert where(answer(cli_here, case)) == [("net-next", [1, 2])]
    found = answer(cli_here, case, "--by-file", "--branch", "s/{tree}")
    assert where(found) == [("net-next", [1, 2]), ("nfsd", [3])]
    assert [(one["patch"], one["needs"], one["names"]) for one in found["dependencies"] if one["patch"] == 3] == [
        (3, 2, ["core_more"])
    ]
    message = case.repo.git("log", "-1", "--format=%B", "s/nfsd")
    assert '[part 2 of 2 of "net: more", the files of nfsd]' in message
    assert case.repo.git("log", "-1", "--format=", "--name-only", "s/nfsd") == "fs/nfsd/export.c"
    made = {case.repo.git("rev-parse", f"s/nfsd:{path}") for path in both}
    assert len(made) == len(both)


def test_the_words_of_the_subject_choose_the_branch_for_fixes(case: SplitCase, cli_here: Cli) -> None:
    case.file.write_bytes(case.mbox.replace(b"[PATCH RFC v2", b"[PATCH net v2"))
    found = answer(cli_here, case)
    assert where(found)[0] == ("net", [1, 2, 5, 6])


def test_git_config_names_the_tree_for_fixes(repo: Repo, cli_here: Cli) -> None:
    change: SplitChange = ('gadget: mend it\n\nFixes: 0123456789ab ("gadget")', {"drivers/README": "mended\n"})
    case = SplitCase(repo, (change,))
    for name in ("gadgets", "gadgets-fixes"):
        case.repo.git("update-ref", f"refs/remotes/{name}/main", case.base)
        case.repo.git("config", f"seriestool.tree.{name}.ref", f"refs/remotes/{name}/main")
        case.repo.git("config", f"seriestool.tree.{name}.url", f"{URL}/dan/{name}.git")
    assert where(answer(cli_here, case)) == [("gadgets", [1])]
    case.repo.git("config", "seriestool.tree.gadgets.fixes", "gadgets-fixes")
    found = answer(cli_here, case)
    assert where(found) == [("gadgets-fixes", [1])]
    assert (found["proofs"][0]["tree"], found["proofs"][0]["own_tree"]) == ("gadgets-fixes", True)


def test_a_tree_that_is_not_here_can_be_named(case: SplitCase, cli_here: Cli) -> None:
    other = case.tree("other", {"drivers/README": "quite different\n"})
    for option in ("gadgets=other/main", "4=other/main", "other/main", f"gadgets={other}"):
        found = answer(cli_here, case, "--onto", option, code=3)
        assert [proof["own_tree"] for proof in found["proofs"]] == [True, True, True, False]
        assert (found["proofs"][3]["commit"], found["proofs"][3]["clean"]) == (other, False)
    both = answer(cli_here, case, "--onto", "net=net-next/main")
    assert [(proof["tree"], proof["own_tree"]) for proof in both["proofs"][:2]] == [
        ("net-next/main", False),
        ("net-next/main", True),
    ]
