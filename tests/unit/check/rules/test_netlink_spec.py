# SPDX-License-Identifier: GPL-2.0-or-later
"""`netlink-spec`: generated netlink code against its specification."""

from pathlib import Path

import pytest

from seriestool.check.abi.ynl import _python
from seriestool.check.protocol import Finding
from seriestool.check.rules.netlink_spec import CHECK
from tests.support.repos import File, Repo, shared
from tests.support.sandboxes import a_sandbox
from tests.support.series import mail_series
from tests.support.session import ask_check, rules_of

SPEC = "Documentation/netlink/specs/toy.yaml"
CODE = "net/toy/toy-genl-gen.c"
HEADER = "include/uapi/linux/toy.h"
TOOL = "tools/net/ynl/pyynl/ynl_gen_c.py"
_MARK = "/* Do not edit directly, auto-generated from: */\n/*\t{spec} */\n/* YNL-GEN {mode} {kind} */\n{arg}"
# What the real one does, for specifications that are words.
GENERATOR = """\
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in ("--mode", "--spec", "-o", "--prefix"):
    parser.add_argument(name, default="")
parser.add_argument("--header", action="store_true")
parser.add_argument("--source", action="store_true")
given = parser.parse_args()
words = pathlib.Path(given.spec).read_text()
if "broken" in words:
    raise Exception("no such thing as broken")
kind = "header" if given.header else "source"
top = "/* Do not edit directly, auto-generated from: */\\n/*\\tDocumentation/netlink/specs/toy.yaml */\\n"
arg = f"/* YNL-ARG --prefix {given.prefix} */\\n" if given.prefix else ""
pathlib.Path(given.o).write_text(f"{top}/* YNL-GEN {given.mode} {kind} */\\n{arg}{given.prefix}{words.upper()}")
"""


def code(words: str, mode: str = "kernel", kind: str = "source", prefix: str = "") -> str:
    arg = f"/* YNL-ARG --prefix {prefix} */\n" if prefix else ""
    return _MARK.format(spec=SPEC, mode=mode, kind=kind, arg=arg) + prefix + words.upper()


def header(words: str) -> str:
    return code(words, "uapi", "header")


@pytest.fixture
def kernel(repo: Repo) -> Repo:
    files = {TOOL: GENERATOR, SPEC: "one\ntwo\n", CODE: code("one\ntwo\n"), HEADER: header("one\ntwo\n")}
    repo.commit({**files, "net/toy/hand.c": "int hand;\n"}, "a family")
    return repo


def check(kernel: Repo, *patches: dict[str, File]) -> tuple[Finding, ...]:
    mbox = mail_series(kernel, *((f"part {number}", files) for number, files in enumerate(patches, 1)))
    return ask_check(CHECK, kernel, mbox, sandbox=a_sandbox())


NEW = "one\ntwo\nthree\n"


def test_a_series_of_something_else_says_nothing(kernel: Repo) -> None:
    assert check(kernel, {"net/toy/hand.c": "int foot;\n"}) == ()


def test_all_regenerated(kernel: Repo) -> None:
    assert check(kernel, {SPEC: NEW, CODE: code(NEW), HEADER: header(NEW)}) == ()


def test_a_specification_changed_alone(kernel: Repo) -> None:
    found = check(kernel, {SPEC: NEW})
    assert rules_of(found) == [("not-regenerated", "fail")] * 2
    assert [one.path for one in found] == [HEADER.encode(), CODE.encode()]
    assert (found[0].line, found[0].counter, found[0].mend) == (6, 1, "tools/net/ynl/ynl-regen.sh -f")


def test_one_file_forgotten(kernel: Repo) -> None:
    found = check(kernel, {SPEC: NEW, CODE: code(NEW)})
    assert [(one.path, str(one.status)) for one in found] == [(HEADER.encode(), "fail")]


def test_code_that_follows_in_a_later_patch(kernel: Repo) -> None:
    found = check(kernel, {SPEC: NEW, HEADER: header(NEW)}, {"net/toy/hand.c": "int a;\n"}, {CODE: code(NEW)})
    assert rules_of(found) == [("not-regenerated", "warn")]
    assert (found[0].counter, found[0].path) == (1, CODE.encode())
    assert "until patch 3" in found[0].message


def test_generated_code_edited_by_hand(kernel: Repo) -> None:
    found = check(kernel, {CODE: code("one\ntwo\n") + "int mine;\n"})
    assert rules_of(found) == [("not-regenerated", "fail")]
    assert found[0].line == 6


def test_code_that_was_out_of_date_before(kernel: Repo) -> None:
    kernel.commit({CODE: code("one\n")}, "by hand")
    found = check(kernel, {SPEC: NEW, HEADER: header(NEW)})
    assert rules_of(found) == [("out-of-date-before", "skip")]


def test_a_new_family(kernel: Repo) -> None:
    kernel.commit({SPEC: None, CODE: None, HEADER: None}, "no family yet")
    assert check(kernel, {SPEC: NEW, CODE: code(NEW), HEADER: header(NEW)}) == ()
    assert rules_of(check(kernel, {SPEC: NEW, CODE: code(NEW) + " "})) == [("not-regenerated", "fail")]


def test_a_family_removed(kernel: Repo) -> None:
    assert check(kernel, {SPEC: None, CODE: None, HEADER: None}) == ()


def test_arguments_in_the_file(kernel: Repo) -> None:
    kernel.commit({CODE: code("one\ntwo\n", prefix="toy_")}, "with an argument")
    assert check(kernel, {SPEC: NEW, CODE: code(NEW, prefix="toy_"), HEADER: header(NEW)}) == ()


def test_a_specification_that_the_generator_refuses(kernel: Repo) -> None:
    found = check(kernel, {SPEC: "broken\n"})
    assert rules_of(found) == [("spec-broken", "fail")] * 2
    assert "no such thing as broken" in found[0].message


def test_a_tree_without_a_generator_is_skipped(kernel: Repo) -> None:
    kernel.commit({TOOL: None}, "no generator")
    assert rules_of(check(kernel, {SPEC: NEW})) == [("skipped", "skip")]


def test_a_generator_that_lacks_a_module_is_skipped(kernel: Repo) -> None:
    kernel.commit({TOOL: "import nowhere_to_be_found\n"}, "needs more")
    found = check(kernel, {SPEC: NEW})
    assert rules_of(found) == [("skipped", "skip")]
    assert "nowhere_to_be_found" in found[0].message


def test_without_a_sandbox_it_is_skipped(kernel: Repo) -> None:
    mbox = mail_series(kernel, ("part 1", {SPEC: NEW}))
    assert rules_of(ask_check(CHECK, kernel, mbox)) == [("skipped", "skip")]


def test_arguments_for_a_shell(kernel: Repo) -> None:
    evil = code("one\ntwo\n").replace("/* YNL-GEN", "/* YNL-GEN", 1) + "/* YNL-ARG ; touch /tmp/x `id` */\n"
    found = check(kernel, {CODE: evil})
    assert rules_of(found) == [("not-regenerated", "fail")]


def test_a_specification_somewhere_else(kernel: Repo) -> None:
    text = _MARK.format(spec="../../etc/passwd", mode="kernel", kind="source", arg="")
    assert check(kernel, {"net/toy/odd-gen.c": text}) == ()


def test_the_real_generator(repo: Repo) -> None:
    pytest.importorskip("yaml")
    pytest.importorskip("jsonschema")
    repo.git("fetch", "-q", str(shared("data/kernel-subset.bundle")), "refs/tags/*:refs/tags/*")
    repo.git("update-ref", "refs/heads/main", "v7.1.8")
    path = "Documentation/netlink/specs/handshake.yaml"
    spec = repo.git("show", f"v7.1.8:{path}") + "\n"
    old = "entries: [none, tlshd, max]"
    assert spec.count(old) == 1
    found = check(repo, {path: spec.replace(old, "entries: [none, tlshd, more, max]")})
    assert [(one.path, str(one.status)) for one in found] == [
        (b"include/uapi/linux/handshake.h", "fail"),
        (b"net/handshake/genl.c", "fail"),
    ]
    assert check(repo, {path: spec.replace("doc: ", "doc:  ", 1)}) == ()


@pytest.mark.parametrize(
    "evil",
    [
        "out = pathlib.Path(given.o).parent\nout.rename(str(out) + 'x')\nout.symlink_to('/etc')\n",
        "import os\npathlib.Path(given.o).unlink()\nos.mkfifo(given.o)\n",
        "import os\nos.chdir(pathlib.Path(given.o).parent)\nfor _ in range(1500):\n    os.mkdir('d'), os.chdir('d')\n",
        "with open(given.o, 'wb') as file:\n    file.truncate(900 << 20)\n",
    ],
)
def test_a_generator_of_a_patch_leaves_nothing_that_harms(
    kernel: Repo, evil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = check(kernel, {TOOL: GENERATOR + evil, SPEC: NEW, CODE: code(NEW), HEADER: header(NEW)})
    assert {rule for rule, _ in rules_of(found)} <= {"spec-broken"}
    assert list(tmp_path.glob("seriestool-netlink-*")) == []


def test_a_python_in_a_home_does_not_show_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    for prefix in (Path.home(), Path.home().parent):
        monkeypatch.setattr("sys.base_prefix", str(prefix))
        assert _python() == ("/usr/bin/python3", ())
    monkeypatch.setattr("sys.base_prefix", str(Path.home() / "venv"))
    assert Path.home() / "venv" in _python()[1]
