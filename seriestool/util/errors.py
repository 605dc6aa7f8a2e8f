# SPDX-License-Identifier: GPL-2.0-or-later
"""The errors that a user can do something about; `cli/main.py` turns them into text and an exit code."""


class SeriestoolError(Exception):
    """One line that says what is wrong, and perhaps a hint that says what to do."""

    exit_code = 4

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(SeriestoolError):
    """The command line, or what it names, is wrong; trying again will not help."""

    exit_code = 2


class NotFoundError(InputError):
    """What was named does not exist: an unknown message-id, a file, a repository, a commit."""


class ConflictError(SeriestoolError):
    """A merge stopped at a conflict."""

    exit_code = 3


class OutsideError(SeriestoolError):
    """The outside world failed (network, git, disk): trying again may help."""
