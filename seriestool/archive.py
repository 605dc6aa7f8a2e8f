# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails on disk: mailbox files, maildirs, folders of patches, and public-inbox git archives. No network."""

from pathlib import Path

from seriestool.errors import NotFoundError, OutsideError
from seriestool.mail import refuse_large


def read_file(path: Path) -> bytes:
    """The content of a file of bearable size.

    Raises InputError where it is too large, NotFoundError where it is not there, OutsideError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            refuse_large(path.stat().st_size, str(path))
            return file.read()
    except FileNotFoundError as error:
        raise NotFoundError(f"'{path}' does not exist") from error
    except OSError as error:
        raise OutsideError(f"cannot read '{path}': {error.strerror}") from error
