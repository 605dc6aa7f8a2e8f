# SPDX-License-Identifier: GPL-2.0-or-later
import pytest

from seriestool.check.protocol import Finding, Status
from seriestool.check.rules.doc_refs import CHECK
from tests.support.repos import File, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

SAID = f"area: change\n\nWhy.\n\n{SIGNED}\n"
TREE: dict[str, File] = {
    "Documentation/process/coding-style.rst": "C\n",
    "Documentation/networking/a.rst": "A\n" * 20,
    "tools/perf/Documentation/perf.txt": "P\n",
    "tools/perf/builtin.c": "int p;\n",
    "net/a.c": "/* see Documentation/networking/old.rst */\nint a;\n",
}


def _series(repo: Repo, *changes: dict[str, File], counter: int = 1) -> tuple[Finding, ...]:
    repo.commit(TREE)
    mbox = mail_series(repo, *((SAID, change) for change in changes), options=["-M"])
    return ask_check(CHECK, repo, mbox, counter)


def test_a_project_without_the_folder_speaks_of_anothers(repo: Repo) -> None:
    repo.commit({"utils/nfsdctl.c": "int n;\n"})
    said = {"utils/n.h": "/* from Documentation/netlink/specs/nfsd.yaml of the kernel */\n"}
    assert ask_check(CHECK, repo, mail_series(repo, (SAID, said))) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Documentation/process/coding-style.rst",
        "(Documentation/process/coding-style.rst).",
        "Documentation/process/coding-style",
        "``Documentation/process/``",
        "Documentation/process/*.rst",
        "Documentation/process/{coding-style,other}.rst",
        "https://docs.example.org/Documentation/nothing.rst",
        "$(srctree)/Documentation/nothing.rst",
        "Documentation/<subsystem>/x.rst",
        "Documentation/output/html",
        "Documentation/process/coding-style.rst[1]",
        "Documentation/...",
        "MyDocumentation/x.rst",
    ],
)
def test_references_that_lead_somewhere_or_are_none_pass(repo: Repo, text: str) -> None:
    assert _series(repo, {"net/n.c": f"/* {text} */\n"}) == ()


def test_a_reference_that_leads_nowhere_warns_at_its_line(repo: Repo) -> None:
    one = only_finding(
        _series(repo, {"net/n.c": "int a;\n/* see Documentation/proces/coding-style.rst. */\n"}), "dead-reference"
    )
    assert (one.status, one.path, one.line) == (Status.WARN, b"net/n.c", 2)
    assert one.message.startswith("Documentation/proces/coding-style.rst is not there")


def test_one_finding_for_one_name(repo: Repo) -> None:
    assert len(_series(repo, {"net/n.c": "/* Documentation/x.rst */\n" * 5})) == 1


def test_a_document_that_a_later_patch_brings_is_there(repo: Repo) -> None:
    assert _series(repo, {"net/n.c": "/* Documentation/new.rst */\n"}, {"Documentation/new.rst": "N\n"}) == ()


def test_a_dead_reference_that_only_moves_is_not_new(repo: Repo) -> None:
    assert _series(repo, {"net/a.c": "int a;\n/* see Documentation/networking/old.rst */\n"}) == ()


def test_a_tool_has_documents_of_its_own(repo: Repo) -> None:
    assert _series(repo, {"tools/perf/builtin.c": "/* Documentation/perf.txt */\n"}) == ()
    assert _series(repo, {"lib/x.c": "/* tools/perf/Documentation/perf.txt */\n"}) == ()


@pytest.mark.parametrize("path", ["MAINTAINERS", "net/Makefile", "scripts/x.sh", ".gitignore"])
def test_patterns_of_tools_are_no_references(repo: Repo, path: str) -> None:
    assert _series(repo, {path: "F:\tDocumentation/nothing.rst\n"}) == ()


def test_a_document_that_goes_away_and_is_still_named_warns(repo: Repo) -> None:
    change: dict[str, File] = {
        "Documentation/networking/a.rst": None,
        "net/a.c": "int z;\n/* Documentation/networking/a.rst */\n",
    }
    found = _series(repo, change)
    assert rules_of(found) == [("dead-reference", "warn"), ("left-behind", "warn")]
    assert (found[1].path, found[1].line) == (b"net/a.c", 2)


def test_a_document_that_moves_and_is_named_by_a_file_that_a_later_patch_touches(repo: Repo) -> None:
    repo.commit({**TREE, "net/b.c": "/* Documentation/networking/a.rst */\nint b;\n"})
    move: dict[str, File] = {"Documentation/networking/a.rst": None, "Documentation/networking/b.rst": "A\n" * 20}
    late: dict[str, File] = {"net/b.c": "/* Documentation/networking/a.rst */\nint c;\n"}
    mbox = mail_series(repo, (SAID, move), (SAID, late), options=["-M"])
    assert rules_of(ask_check(CHECK, repo, mbox)) == [("left-behind", "warn")]


def test_a_document_that_moves_with_all_that_names_it_passes(repo: Repo) -> None:
    move: dict[str, File] = {"Documentation/networking/a.rst": None, "Documentation/networking/b.rst": "A\n" * 20}
    assert _series(repo, {**move, "net/n.c": "/* Documentation/networking/b.rst */\n"}) == ()


def test_a_line_without_end_and_bytes_that_are_no_text(repo: Repo) -> None:
    long = b"a/" * 200_000 + b"Documentation/" + b"\xff" * 1000
    assert _series(repo, {"net/n.c": long + b"\n", "net/m.c": b"Documentation/\xff\xfe.rst\n"}) == ()


def test_a_patch_that_does_not_apply_skips(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"net/a.c": "int z;\n"}))
    repo.commit({"net/a.c": "something else\n"})
    assert rules_of(ask_check(CHECK, repo, mbox)) == [("skipped", "skip")]
