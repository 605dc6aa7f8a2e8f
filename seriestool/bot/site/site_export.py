# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole site as a folder of files for any web server; each file is whole, and written only where it is new."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from seriestool.bot.site import site_queries
from seriestool.bot.site.database_reader import DatabaseReader
from seriestool.bot.site.wsgi_app import FEED, feed, index
from seriestool.report.series_index import page_name
from seriestool.util.errors import OutsideError
from seriestool.util.files import write_whole

_INDEX = re.compile(r"index(-\d{1,5})?\.html")


class SiteExportResult(Struct, frozen=True):
    """What was done."""

    written: int
    kept: int
    """Files that were there already as they should be."""


def export_site(
    reader: DatabaseReader, folder: Path, url: str, now: float, progress: Callable[[int], None] = lambda _: None
) -> SiteExportResult:
    """The site written below the folder; raises OutsideError where database or disk fail."""
    written = kept = 0
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for number, (key, made) in enumerate(site_queries.each_report(reader), 1):
            if site_queries.KEY.fullmatch(key) is None:
                continue
            done = _export_report(reader, folder / "series", key, made)
            written, kept = written + done, kept + (2 - done)
            progress(number)
        pages = dict(_pages(reader, now))
        for name, text in {**pages, FEED: feed(reader, url, now)}.items():  # after what they lead to
            is_new = _write(folder / name, text.encode("utf-8", "replace"))
            written, kept = written + is_new, kept + (not is_new)
        for file in folder.glob("index*.html"):
            if _INDEX.fullmatch(file.name) and file.name not in pages:
                file.unlink()
    return SiteExportResult(written, kept)


def _pages(reader: DatabaseReader, now: float) -> Iterator[tuple[str, str]]:
    number = 1
    while (text := index(reader, number, now)) is not None:
        yield page_name(number), text
        number += 1


def _export_report(reader: DatabaseReader, folder: Path, key: str, made: int) -> int:
    """How many of the two files of a report were written; their time says of which report they are."""
    written = 0
    for path, find in (
        (folder / key / "index.html", site_queries.find_page),
        (folder / f"{key}.json", site_queries.find_document),
    ):
        if _time_of(path) == made:
            continue
        found = find(reader, key)
        if found is not None:
            _write(path, found.text, found.made)
            written += 1
    return written


def _time_of(path: Path) -> int | None:
    try:
        return int(path.stat().st_mtime)
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes, made: int | None = None) -> bool:
    """Whether the file was written; not where it says the same already and no time is to be set."""
    with suppress(FileNotFoundError):
        if made is None and path.read_bytes() == data:
            return False
    write_whole(path, data, mtime=made)
    return True


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutsideError(f"cannot write '{error.filename or folder}': {error.strerror}") from error
