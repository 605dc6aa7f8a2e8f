# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user calls a series -> Series; the same names in every command.

A path that exists wins, then `-`, a URL, a git range `base..tip`, and last a change-id or message-id.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from seriestool import archive
from seriestool.errors import InputError, NotFoundError
from seriestool.git import Repository
from seriestool.mail import Wanted, assemble, parse_mails, split_mbox
from seriestool.model import Series


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Which version is wanted, and where to look; what is a callable costs something, and is called when needed."""

    version: int | None = None
    partial: bool = False
    """Accept a series of which patches are missing."""
    archives: tuple[Path, ...] = ()
    """Mailboxes, maildirs, folders and public-inbox git archives to look in for a message-id."""
    offline: bool = False
    lore_url: str | None = None
    cache_dir: Path | None = None
    config: Callable[[], Mapping[str, tuple[str, ...]]] = dict
    """git-config: key -> values, as `Repository.config` gives it."""
    repository: Callable[[], Repository] | None = None
    """For a range of commits."""
    read_stdin: Callable[[], bytes] | None = None


def resolve(name: str, options: SourceOptions | None = None) -> Series:
    """The series that `name` means.

    Raises NotFoundError, InputError (no mail in it, incomplete, ambiguous) and OutsideError (lore is away).
    """
    options = options or SourceOptions()
    wanted = Wanted(version=options.version, partial=options.partial)
    if name == "-":
        return series_of_text(_stdin(options), wanted, "standard input")
    path = Path(name)
    if path.exists():
        return series_of_path(path, wanted)
    raise NotFoundError(f"'{name}' was not found")


def series_of_text(data: bytes, wanted: Wanted, name: str) -> Series:
    """The series in the bytes of a mailbox."""
    mails = parse_mails(split_mbox(data, name))
    if not mails:
        raise InputError(
            f"'{name}' has no mail in it", hint="a mailbox, a mail or a patch made by git format-patch is wanted"
        )
    return assemble(mails, wanted, name)


def series_of_path(path: Path, wanted: Wanted) -> Series:
    """The series in a file or folder."""
    if path.is_dir():
        raise InputError(f"'{path}' has no mail in it")
    return series_of_text(archive.read_file(path), wanted, str(path))


def _stdin(options: SourceOptions) -> bytes:
    if options.read_stdin is None:
        raise InputError("there is no standard input to read a series from")
    return options.read_stdin()
