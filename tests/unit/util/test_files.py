# SPDX-License-Identifier: GPL-2.0-or-later
"""Files written whole or not at all, and locks between processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seriestool.util.files import find_content, locked, try_lock, write_durably, write_whole

_HOLDER = (
    "import sys, time; from pathlib import Path; from seriestool.util.files import try_lock\n"
    "print(try_lock(Path(sys.argv[1])) is not None, flush=True); sys.stdin.read()"
)


@pytest.mark.parametrize("write", [write_whole, lambda path, content: write_durably(path, [content[:2], content[2:]])])
def test_whole_and_nothing_beside_it(tmp_path: Path, write: object) -> None:
    assert callable(write)
    path = tmp_path / "new" / "file"
    write(path, b"first")
    write(path, b"second")
    assert path.read_bytes() == b"second"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    (tmp_path / f".file.{os.getpid()}.tmp").mkdir()  # in the way of the draft
    with pytest.raises(OSError, match="directory"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_pieces_that_break_off_leave_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_durably(path, [b"old"])

    def pieces() -> object:
        yield b"new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_durably(path, pieces())  # type: ignore[arg-type]
    assert (path.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (b"old", ["file"])


def test_the_time_of_a_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"x", mtime=1_700_000_000)
    assert (tmp_path / "file").stat().st_mtime == 1_700_000_000


def test_what_is_not_there_has_no_content(tmp_path: Path) -> None:
    assert (find_content(tmp_path / "none"), find_content(tmp_path)) == (b"", b"")


def test_of_two_processes_one_has_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert try_lock(path) is None
        holder.kill()
    lock = try_lock(path)  # whoever held it is gone
    assert lock is not None
    os.close(lock)


def test_a_folder_can_be_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert try_lock(tmp_path) is None
    with locked(tmp_path):
        pass
