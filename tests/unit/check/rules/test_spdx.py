# SPDX-License-Identifier: GPL-2.0-or-later
import pytest

from seriestool.check.protocol import Status
from seriestool.check.rules.spdx import CHECK
from tests.support.repos import File, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

SAID = f"area: change\n\nWhy.\n\n{SIGNED}\n"
C, H, SH = (f"{start} SPDX-License-Identifier: GPL-2.0{end}\n" for start, end in (("//", ""), ("/*", " */"), ("#", "")))


def _licence(*names: str) -> str:
    return "".join(f"Valid-License-Identifier: {name}\n" for name in names) + "License-Text:\n\ntext\n"


TREE: dict[str, File] = {
    "LICENSES/preferred/GPL-2.0": _licence("GPL-2.0", "GPL-2.0-only", "GPL-2.0+", "GPL-2.0-or-later"),
    "LICENSES/preferred/MIT": _licence("MIT"),
    "LICENSES/preferred/BSD-2-Clause": _licence("BSD-2-Clause"),
    "LICENSES/dual/Apache-2.0": _licence("Apache-2.0"),
    "LICENSES/deprecated/ISC": _licence("ISC"),
    "LICENSES/exceptions/Linux-syscall-note": "SPDX-Exception-Identifier: Linux-syscall-note\n"
    "SPDX-Licenses: GPL-2.0, GPL-2.0+\nLicense-Text:\n\nValid-License-Identifier: NOT-ONE\n",
    "include/uapi/linux/a.h": H,
    "include/linux/a.h": H,
    "MAINTAINERS": "x\n",
    "arch/x86/Kconfig": "# SPDX-License-Identifier: GPL-2.0\n",
    "Documentation/index": "x\n",
    "drivers/a.c": C,
    "drivers/b.c": C,
    "drivers/tool.sh": ("#!/bin/sh\n" + SH, 0o100755),
    "Documentation/a.rst": "A\n=\n",
}


def _new(repo: Repo, files: dict[str, File], tree: dict[str, File] = TREE) -> list[tuple[str, str]]:
    repo.commit(tree)
    return rules_of(ask_check(CHECK, repo, mail_series(repo, (SAID, files))))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("drivers/n.c", C),
        ("include/linux/n.h", H),
        ("drivers/n.S", H),
        ("drivers/n.sh", "#!/bin/sh\n" + SH),
        ("drivers/n.py", "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n" + SH),
        ("drivers/Makefile", SH),
        ("drivers/Kconfig", "# SPDX-License-Identifier: GPL-2.0-only\n#\n"),
        ("drivers/n.yaml", "# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)\n%YAML 1.2\n"),
        ("include/uapi/linux/n.h", "/* SPDX-License-Identifier: ((GPL-2.0+ WITH Linux-syscall-note) OR MIT) */\n"),
        ("drivers/lower.c", "// SPDX-License-Identifier: gpl-2.0-ONLY\n"),
        ("drivers/apache.c", "// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0\n"),
        ("drivers/data.json", "{}\n"),
        ("drivers/empty.c", ""),
        ("drivers/blob.c", b"\0\1"),
    ],
)
def test_good_files_pass(repo: Repo, path: str, text: File) -> None:
    assert _new(repo, {path: text}) == []


def test_a_new_file_without_one_fails_where_its_neighbours_have_it(repo: Repo) -> None:
    repo.commit(TREE)
    one = only_finding(ask_check(CHECK, repo, mail_series(repo, (SAID, {"drivers/n.c": "int a;\n"}))), "missing")
    assert (one.status, one.path, one.line) == (Status.FAIL, b"drivers/n.c", 1)
    assert "2 of 2" in one.message
    assert one.mend == "// SPDX-License-Identifier: GPL-2.0-only"


def test_a_new_folder_is_judged_by_the_one_above(repo: Repo) -> None:
    assert _new(repo, {"drivers/new/deep/n.c": "int a;\n"}) == [("missing", "fail")]


def test_a_new_file_without_one_only_warns_where_there_is_nothing_like_it(repo: Repo) -> None:
    assert _new(repo, {"lib/n.rs": "fn f() {}\n"}) == [("missing", "warn")]


def test_where_few_have_one_it_is_not_asked_for(repo: Repo) -> None:
    tree = {**TREE, **{f"data/{n}.c": "int a;\n" for n in range(6)}, "data/x.c": C}
    assert _new(repo, {"data/n.c": "int a;\n"}, tree) == []


def test_a_project_that_has_none_is_not_asked_for_any(repo: Repo) -> None:
    assert _new(repo, {"n.c": "int a;\n"}, {"a.c": "int a;\n", "b.c": "int b;\n"}) == []


def test_a_document_without_one_is_no_failure(repo: Repo) -> None:
    tree = {**TREE, "Documentation/b.rst": ".. SPDX-License-Identifier: GPL-2.0\n", "Documentation/c.rst": "C\n"}
    assert _new(repo, {"Documentation/n.rst": "N\n"}, tree) == []


def test_in_the_second_line_warns(repo: Repo) -> None:
    assert _new(repo, {"drivers/n.c": "/* file */\n" + C}) == [("wrong-line", "warn")]


def test_the_second_line_is_right_below_an_interpreter(repo: Repo) -> None:
    assert _new(repo, {"drivers/n.sh": "#!/bin/sh\n\n" + SH}) == [("wrong-line", "warn")]


@pytest.mark.parametrize(("path", "text"), [("drivers/n.c", H), ("include/linux/n.h", C), ("drivers/Kconfig", C)])
def test_the_comment_of_another_language_warns(repo: Repo, path: str, text: str) -> None:
    assert _new(repo, {path: text}) == [("comment-style", "warn")]


def test_a_project_that_is_no_kernel_has_its_own_style(repo: Repo) -> None:
    assert _new(repo, {"n.c": "/* about */\n" + H}, {"a.c": H, "b.c": H}) == []


@pytest.mark.parametrize(
    ("expression", "rule"),
    [
        ("GPL-2.0 BSD-2-Clause", "syntax"),
        ("GPL-2.0 OR", "syntax"),
        ("(GPL-2.0 OR MIT", "syntax"),
        ("GPL-2.0)", "syntax"),
        ("", "syntax"),
        ("AND GPL-2.0", "syntax"),
        ("(GPL-2.0) WITH Linux-syscall-note", "syntax"),
        ("GPL-2.0 / MIT", "syntax"),
        ("(" * 300, "syntax"),
        ("GPL-3.0", "unknown-licence"),
        ("GPL", "unknown-licence"),
        ("NOT-ONE", "unknown-licence"),
        ("GPL-2.0 WITH GCC-note", "unknown-exception"),
        ("MIT WITH Linux-syscall-note", "wrong-exception"),
    ],
)
def test_a_licence_that_the_tree_does_not_have_fails(repo: Repo, expression: str, rule: str) -> None:
    assert _new(repo, {"drivers/n.c": f"// SPDX-License-Identifier: {expression}\n"}) == [(rule, "fail")]


def test_a_licence_that_the_patch_itself_brings_is_known(repo: Repo) -> None:
    files = {"LICENSES/preferred/X": _licence("X-1.0"), "drivers/n.c": "// SPDX-License-Identifier: X-1.0\n"}
    assert _new(repo, files) == []


def test_without_licences_in_the_tree_nothing_is_unknown(repo: Repo) -> None:
    tree = {path: text for path, text in TREE.items() if not path.startswith("LICENSES")}
    assert _new(repo, {"drivers/n.c": "// SPDX-License-Identifier: Foo-1.0\n"}, tree) == []


def test_a_deprecated_licence_warns(repo: Repo) -> None:
    assert _new(repo, {"drivers/n.c": "// SPDX-License-Identifier: ISC\n"}) == [("deprecated-licence", "warn")]


def test_a_licence_for_dual_use_alone_warns(repo: Repo) -> None:
    assert _new(repo, {"drivers/n.c": "// SPDX-License-Identifier: Apache-2.0\n"}) == [("only-dual", "warn")]


def test_a_licence_that_changes_warns(repo: Repo) -> None:
    assert _new(repo, {"drivers/a.c": "// SPDX-License-Identifier: MIT\n"}) == [("changed", "warn")]


def test_a_tag_that_goes_away_warns(repo: Repo) -> None:
    assert _new(repo, {"drivers/a.c": "int a;\n"}) == [("removed", "warn")]


def test_a_bad_tag_that_was_there_before_is_not_this_patch(repo: Repo) -> None:
    bad = "/* SPDX-License-Identifier: GPL-9 */\n"
    assert _new(repo, {"drivers/old.c": bad + "int a;\n"}, {**TREE, "drivers/old.c": bad}) == []


def test_a_renamed_file_keeps_what_it_had(repo: Repo) -> None:
    text = "int a;\n" * 20
    repo.commit({**TREE, "drivers/old.c": text})
    mbox = mail_series(repo, (SAID, {"drivers/old.c": None, "drivers/new.c": text}), options=["-M"])
    assert ask_check(CHECK, repo, mbox) == ()


def test_a_patch_that_does_not_apply_skips(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"drivers/a.c": C + "int a;\n"}))
    repo.commit({"drivers/a.c": "something else\n"})
    assert rules_of(ask_check(CHECK, repo, mbox)) == [("skipped", "skip")]
