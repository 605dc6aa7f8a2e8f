# SPDX-License-Identifier: GPL-2.0-or-later
"""Sources and build folders: locked while used, warm from run to run, and removed when there are too many."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seriestool.check.builds import Toolchain, build_job, duration_text, find_toolchain, open_build_workspace
from seriestool.check.builds.build_folders import lock_folder, measure, prune_folders, prune_outputs, size, wipe
from seriestool.check.builds.build_times import BuildTimes
from seriestool.git import ScratchRepository
from seriestool.sandbox import SandboxLimits, find_sandbox
from seriestool.util.errors import InputError, OutsideError
from tests.support.repos import ROOT, Repo
from tests.support.session import open_scratch_repo


@pytest.fixture
def scratch_repo(repo: Repo) -> Iterator[ScratchRepository]:
    repo.commit({"Makefile": "$(O)/out: in\n\tcp in $(O)/out\nin: ;\n", "in": "1\n"})
    with open_scratch_repo(repo) as scratch_repo:
        yield scratch_repo


def say_nothing(text: str) -> None:
    pass


def test_a_build_folder_is_warm_the_next_time(scratch_repo: ScratchRepository, tmp_path: Path, repo: Repo) -> None:
    sandbox = find_sandbox()
    assert not isinstance(sandbox, str), sandbox
    for expected in (b"cp in", b"is up to date"):
        with open_build_workspace(tmp_path, "repository", scratch_repo, say_nothing) as workspace:
            workspace.move_to(repo.git("rev-parse", "HEAD"))
            output = workspace.output("plain")
            assert output.is_warm is (expected != b"cp in")
            answer = sandbox.run(build_job(workspace, output, ["make", f"O={output.path}"], SandboxLimits()))
            assert expected in answer.stdout
            output.record_time(answer.seconds)


def test_a_build_cannot_write_to_the_source(scratch_repo: ScratchRepository, tmp_path: Path, repo: Repo) -> None:
    sandbox = find_sandbox()
    assert not isinstance(sandbox, str), sandbox
    with open_build_workspace(tmp_path, "repository", scratch_repo, say_nothing) as workspace:
        workspace.move_to(repo.git("rev-parse", "HEAD"))
        script = "echo x >> Makefile; echo x > new; echo x > ../state; echo $CCACHE_DIR; touch $CCACHE_DIR/x"
        answer = sandbox.run(build_job(workspace, workspace.output("plain"), ["sh", "-c", script], SandboxLimits()))
        assert answer.code == 0
        assert {path.name for path in workspace.source.iterdir()} == {"Makefile", "in"}
        assert (workspace.ccache / "x").exists()


def test_what_a_build_took_is_what_the_next_is_expected_to_take(
    scratch_repo: ScratchRepository, tmp_path: Path
) -> None:
    with open_build_workspace(tmp_path, "repository", scratch_repo, say_nothing) as workspace:
        output = workspace.output("kunit-1")
        assert output.expected is None
        output.path.joinpath("vmlinux").touch()
        output.record_time(480.0)
        assert output.expected is None
        output.record_time(10.0)
        assert (output.is_warm, output.expected) == (True, 10.0)
        assert workspace.output("kunit-2").expected == 480.0
        output.discard()
        assert (output.is_warm, output.expected, list(output.path.iterdir())) == (False, 480.0, [])


def test_a_name_that_leads_elsewhere_is_refused(scratch_repo: ScratchRepository, tmp_path: Path) -> None:
    with open_build_workspace(tmp_path, "repository", scratch_repo, say_nothing) as workspace:
        for name in ("../x", "", ".", "a/b", "a\n"):
            with pytest.raises(InputError):
                workspace.output(name)


@pytest.mark.parametrize("content", ["", "[]", '{"cold": "x", "warm": -1}', '{"cold": NaN}', "\0"])
def test_a_broken_record_is_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "times").write_text(content)
    times = BuildTimes(tmp_path / "times")
    assert (times.get("x", "cold"), times.get("x", "warm")) == (None, None)
    times.put("x", "cold", 3.0)
    assert times.get("x", "cold") == 3.0


def test_times_are_told_as_people_tell_them() -> None:
    assert [duration_text(seconds) for seconds in (0.2, 13.8, 480, 846)] == [
        "about 1 seconds", "about 14 seconds", "about 8 minutes", "about 14 minutes",
    ]  # fmt: skip


HOLDER = """\
import sys, time
from pathlib import Path
from seriestool.check.builds.build_folders import lock_folder
with lock_folder(Path(sys.argv[1]), print) as folder:
    print(folder.name, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def another_run(root: Path) -> Iterator[str]:
    command = [sys.executable, "-c", HOLDER, str(root)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def test_another_run_takes_another_folder(tmp_path: Path) -> None:
    with another_run(tmp_path) as first, another_run(tmp_path) as second, lock_folder(tmp_path, say_nothing) as third:
        assert (first, second, third.name) == ("1", "2", "3")
    with lock_folder(tmp_path, say_nothing) as folder:
        assert folder.name == "1"


def test_another_thread_waits_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    names: list[str] = []

    def run() -> None:
        with lock_folder(tmp_path, said.append) as folder:
            names.append(folder.name)

    with lock_folder(tmp_path, say_nothing):
        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.5)
        assert (said, names) == (["waiting for another build to end"], [])
    thread.join(5)
    assert names == ["1"]


def test_what_compilers_keep_is_nobody_s_to_tidy(scratch_repo: ScratchRepository, tmp_path: Path) -> None:
    for name in "0123456789abcdef":  # as ccache lays it out
        (tmp_path / "ccache" / name).mkdir(parents=True)
    for _ in range(2):
        with open_build_workspace(tmp_path, "repository", scratch_repo, say_nothing) as workspace:
            workspace.output("plain").path.joinpath("vmlinux").touch()
    assert len(list((tmp_path / "ccache").iterdir())) == 16
    with open_build_workspace(tmp_path, "repository", scratch_repo, say_nothing) as workspace:
        assert workspace.output("plain").path.joinpath("vmlinux").exists()


def test_the_least_recently_used_go_first_and_those_in_use_stay(tmp_path: Path) -> None:
    for age, name in enumerate(("new/1", "used/1", "old/1", "oldest/1")):
        (tmp_path / name).mkdir(parents=True)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    with another_run(tmp_path / "used"):
        os.utime(tmp_path / "used/1", (1, 1))
        prune_folders(tmp_path, most_folders=2)
        assert sorted(path.parent.name for path in tmp_path.glob("*/1")) == ["new", "old", "used"]


def test_folders_that_are_too_large_together_go(tmp_path: Path) -> None:
    for age, name in enumerate(("new/1", "old/1")):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_bytes(b"x" * 100_000)
        measure(tmp_path / name)
        assert 100_000 <= size(tmp_path / name) < 200_000
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    prune_folders(tmp_path, most_bytes=150_000)
    assert [path.parent.name for path in tmp_path.glob("*/1")] == ["new"]


def test_build_folders_beyond_a_number_go(tmp_path: Path) -> None:
    for age in range(5):
        (tmp_path / f"o{age}").mkdir()
        os.utime(tmp_path / f"o{age}", (1000 - age, 1000 - age))
    prune_outputs(tmp_path, most=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o0", "o1"]


def test_what_a_program_left_goes_however_deep_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    code = "import os\nfor _ in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\nos.symlink('/', 'link')"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    (folder / "closed").mkdir()
    (folder / "closed/file").touch()
    (folder / "closed").chmod(0)
    wipe(folder)
    assert not folder.exists()


def test_a_machine_without_a_compiler_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"make", "gcc", "flex", "ccache"}
    monkeypatch.setattr("shutil.which", lambda name, path: f"/usr/bin/{name}" if name in there else None)
    monkeypatch.setattr("seriestool.check.builds.toolchain._identity", lambda name: "1")
    assert find_toolchain("flex") == Toolchain("gcc", True, "1")
    assert find_toolchain("flex", "bison") == "bison is not installed"
    assert find_toolchain("bc", "bison") == "bc and bison are not installed"
    there.remove("gcc")
    assert find_toolchain() == "no C compiler is installed"
    there.add("clang")
    assert "ld.lld" in str(find_toolchain())
    there.update({"ld.lld", "llvm-ar", "llvm-nm", "llvm-objcopy"})
    found = find_toolchain()
    assert isinstance(found, Toolchain)
    assert found.make_variables == ("LLVM=1", "CC=ccache clang")


AS_NOBODY = """\
import os, sys, tempfile, time
from pathlib import Path
from seriestool.check.builds.build_folders import wipe
from seriestool.sandbox.disk_watch import DiskWatch
if not os.geteuid():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
with tempfile.TemporaryDirectory() as name:
    top = Path(name, "top")
    deep = top / "one/two/three"
    deep.mkdir(parents=True)
    growth = DiskWatch([top], 1 << 30)
    growth._next_scan = 0.0
    for folder in (deep, deep.parent, deep.parent.parent):
        folder.chmod(0o500 if folder == deep.parent else 0)
    print(any(time.sleep(0.2) or growth.is_over(0) for _ in range(10)))
    top.chmod(0)
    wipe(top)
    print(top.exists())
"""


def test_folders_that_a_build_closed_to_us_are_seen_and_go() -> None:
    command = [sys.executable, "-c", AS_NOBODY]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.stdout.split() == ["True", "False"], said.stderr


def test_a_build_folder_that_was_tidied_away_is_not_warm(scratch_repo: ScratchRepository, tmp_path: Path) -> None:
    with open_build_workspace(tmp_path, "repository", scratch_repo, say_nothing) as workspace:
        output = workspace.output("plain")
        output.path.joinpath("vmlinux").touch()
        output.keep_note("of the tree")
        assert output.note == "of the tree"
        wipe(output.path)
        output = workspace.output("plain")
        output.path.joinpath("half").touch()  # and then it was killed
        assert (workspace.output("plain").is_warm, workspace.output("plain").note) == (False, "")


def test_a_folder_that_cannot_be_made_is_said_to_be_so(scratch_repo: ScratchRepository, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = open_build_workspace(tmp_path / "file/builds", "repository", scratch_repo, say_nothing)
    with pytest.raises(OutsideError, match="nothing can be built in"), place:
        pass


def test_a_folder_that_make_cannot_take_is_said_to_be_so(scratch_repo: ScratchRepository, tmp_path: Path) -> None:
    place = open_build_workspace(tmp_path / "a b/builds", "repository", scratch_repo, say_nothing)
    with pytest.raises(OutsideError, match="no folder with spaces"), place:
        pass


def test_what_a_build_leaves_is_closed_to_others_and_configures_no_ccache(
    scratch_repo: ScratchRepository, tmp_path: Path
) -> None:
    with open_build_workspace(tmp_path / "builds", "repository", scratch_repo, say_nothing) as workspace:
        output = workspace.output("plain")
        output.path.chmod(0)
        (workspace.ccache / "ccache.conf").write_text("disable = true\n")
        assert workspace.env["CCACHE_CONFIGPATH"] == os.devnull
        for folder in (tmp_path / "builds", workspace.ccache, workspace.output("plain").path):
            assert folder.stat().st_mode & 0o777 == 0o700
        workspace.reset(output)
        assert list(workspace.ccache.iterdir()) == []


def test_a_note_that_cannot_be_kept_is_none(
    scratch_repo: ScratchRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with open_build_workspace(tmp_path, "repository", scratch_repo, say_nothing) as workspace:
        output = workspace.output("plain")
        output.path.joinpath("vmlinux").touch()
        output.keep_note("old")
        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_text", full)
            output.keep_note("new")
        assert (output.note, output.is_warm) == ("", False)
