# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder of all tracked series on disk: read, written whole or not at all, nothing outside of it touched."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from seriestool.series.mail import SeriesSelector
from seriestool.series.model import Series
from seriestool.sources.archive.mails_on_disk import read_file
from seriestool.sources.resolve import series_of_text
from seriestool.track.folder_name import folder_name, is_name
from seriestool.track.tracked_series import FILE, TrackedSeries, TrackedVersion, parse_record
from seriestool.util.errors import InputError, NotFoundError, OutsideError, SeriestoolError
from seriestool.util.files import locked, write_whole

_LONGEST_RECORD = 1_000_000
_OURS = ("versions", "reports")


class TrackStore:
    """The tracked series below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> tuple[str, ...]:
        """What is tracked, sorted; nothing where the folder is not there."""
        try:
            found = sorted(entry.name for entry in os.scandir(self.root) if is_name(entry.name))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise OutsideError(f"cannot read '{self.root}': {error.strerror}") from error
        return tuple(name for name in found if self._file(name, FILE).is_file())

    def get(self, name: str) -> TrackedSeries:
        """The tracked series; NotFoundError where there is none of that name, InputError where its file is no good."""
        if not is_name(name) or not self._file(name, FILE).is_file():
            raise NotFoundError(
                f"no series '{name}' is tracked in '{self.root}'", hint="'seriestool status' shows those that are"
            )
        return parse_record(name, self.text(name) or "")

    def home_of(self, series: Series) -> str:
        """The name of the series: where it, or another version of it, is tracked, or a new one."""
        own = folder_name(series)
        others = (name for name in self.names() if name != own)
        for name in (own, *others):
            with suppress(SeriestoolError):
                if self.get(name).is_same_work(series):
                    return name
        return own

    def text(self, name: str) -> str | None:
        """What its `series.toml` says; None where there is none."""
        path = self._file(name, FILE)
        if not path.is_file():
            return None
        with _explained(path):
            if path.stat().st_size > _LONGEST_RECORD:
                raise InputError(f"'{path}' is too large")
            try:
                return path.read_text("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(f"'{path}' is not UTF-8", hint="fix it by hand") from error

    def series(self, tracked: TrackedSeries, version: TrackedVersion) -> Series:
        """The version out of the mails that are kept; NotFoundError where none are."""
        if version.mails is None:
            raise NotFoundError(
                f"the mails of '{tracked.name}' v{version.version} are not kept",
                hint=f"'seriestool track {tracked.name} --force' fetches them again",
            )
        path = self._file(tracked.name, version.mails)
        wanted = SeriesSelector(msgid=version.msgid or None, version=version.version, partial=True)
        return series_of_text(read_file(path), wanted, str(path))

    def read(self, name: str, inner: str) -> bytes | None:
        """A file of the series' folder; None where it is not there."""
        path = self._file(name, inner)
        return read_file(path) if path.is_file() else None

    def write(self, name: str, inner: str, data: bytes) -> None:
        """Write a file of the series' folder, whole or not at all; raises OutsideError."""
        path = self._file(name, inner)
        with _explained(path):
            write_whole(path, data)

    def remove(self, name: str) -> tuple[Path, ...]:
        """Take away what was put there for the series; what else stands in its folder stays, and is returned."""
        self.get(name)
        folder = self.root / name
        with _explained(folder):
            self._file(name, FILE).unlink()  # first: without it nothing is tracked
            for inner in _OURS:
                _remove_ours(folder / inner)
            with suppress(OSError):
                folder.rmdir()
            return tuple(sorted(folder.rglob("*"))) if folder.is_dir() else ()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes anything meanwhile; the folder is made where it is missing."""
        with _explained(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        with locked(self.root):
            yield

    def _file(self, name: str, inner: str) -> Path:
        """A file of a series; InputError where a symbolic link on the way to it may lead elsewhere."""
        path = self.root / name / inner
        below = [path, *path.parents][: len(Path(inner).parts) + 1]
        if not is_name(name) or any(one.is_symlink() for one in below):
            raise InputError(f"'{path}' is a symbolic link", hint="tracked series are plain files in plain folders")
        return path


def _remove_ours(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink() and path.suffix in (".mbox", ".json"):
            path.unlink()
    with suppress(OSError):
        folder.rmdir()


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutsideError(f"cannot use '{path}': {error.strerror}") from error
