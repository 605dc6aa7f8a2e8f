# SPDX-License-Identifier: GPL-2.0-or-later
"""What -o and --force mean: where a file goes, and that nothing is lost that stands there."""

from pathlib import Path

from seriestool.series.mail.mbox_writer import mbox_name
from seriestool.series.model import Series
from seriestool.util.errors import InputError, OutsideError
from seriestool.util.files import write_whole


def output_path(output: str | None, series: Series) -> Path:
    """Where the mbox goes: a folder gets a file named after the series."""
    path = Path(output or ".")
    return path / mbox_name(series) if path.is_dir() or (output or "").endswith("/") else path


def write_file(path: Path, data: bytes, force: bool) -> None:
    """Write all of the file or nothing.

    Raises InputError where another content stands there and `force` is not given, OutsideError where it cannot be
    written.
    """
    try:
        check_file(path, data, force)
        write_whole(path, data)
    except OSError as error:
        raise OutsideError(f"cannot write '{path}': {error.strerror}") from error


def check_file(path: Path, data: bytes, force: bool) -> None:
    """Nothing, where the file may be written; InputError where another content stands there."""
    if not force and path.exists() and path.read_bytes() != data:
        raise InputError(f"'{path}' is there already", hint="name another file with -o, or replace it with --force")
