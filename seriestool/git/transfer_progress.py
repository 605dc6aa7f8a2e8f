# SPDX-License-Identifier: GPL-2.0-or-later
"""What git says of a clone, fetch or push that is under way, read by GitPython: docs/decisions/0001.

Git itself is started by `process.py`, as always; GitPython gets the lines that it printed. Importing GitPython takes
longer than most questions, so this module is imported only where somebody watches.
"""

from git.util import CallableRemoteProgress, RemoteProgress

from seriestool.util.progress import TransferListener, TransferState

_LONGEST = 4096  # of a line, in bytes: what a server says has no bounds of its own
_KEPT = 1 << 16  # bytes of what is no progress
_UPDATED = (
    b" *+-t="  # after a blank: a ref that was updated; "!" would be one that was refused (git-fetch(1), "OUTPUT")
)
_STAGES = {
    RemoteProgress.COUNTING: "counting",
    RemoteProgress.COMPRESSING: "compressing",
    RemoteProgress.FINDING_SOURCES: "finding sources",
    RemoteProgress.RECEIVING: "receiving",
    RemoteProgress.RESOLVING: "resolving deltas",
    RemoteProgress.WRITING: "writing",
    RemoteProgress.CHECKING_OUT: "checking out",
}


class TransferReader:
    """Takes git's stderr as it comes; tells the listener of each step, and keeps what else was said."""

    def __init__(self, listener: TransferListener) -> None:
        self._listener = listener
        self._progress = CallableRemoteProgress(self._tell)
        self._rest = b""
        self._said: list[bytes] = []
        self._room = _KEPT

    def feed(self, data: bytes) -> None:
        """The next bytes, cut anywhere."""
        *lines, rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest[:_LONGEST]
        for line in lines:
            self._read(line[:_LONGEST])

    def close(self) -> bytes:
        """All that was said and is no progress: errors, and what the server prints."""
        self._read(self._rest)
        self._rest = b""
        return b"\n".join(self._said)

    def _read(self, line: bytes) -> None:
        self._progress.new_message_handler()(line.decode("utf-8", "replace"))
        not_progress = self._progress.error_lines + self._progress.other_lines
        # GitPython keeps each of them for good, and a server may send them without end.
        self._progress.error_lines.clear()
        self._progress.other_lines.clear()
        is_ref = line.startswith(b"From ") or (line[:1] == b" " and line[1:2] in _UPDATED)
        if not_progress and line and not is_ref and self._room > 0:
            self._said.append(line)
            self._room -= len(line)

    def _tell(self, code: int, done: float, total: float | None = None, message: str = "") -> None:
        stage = _STAGES.get(code & RemoteProgress.OP_MASK)
        if stage is not None:
            self._listener(TransferState(stage, int(done), int(total) if total else None, message))
