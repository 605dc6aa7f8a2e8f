# SPDX-License-Identifier: GPL-2.0-or-later
"""What `series.toml` says of a tracked series. Reading is pure; what is not known here is somebody else's and stays.

change-id = "20260512-lamp-fade-9d0042583f44"   absent where the author gives none
subject = "lamp: fade"                          of the newest version
author = "author@example.com"                   of its first patch
trees = ["next"]                                where it is to apply; absent: in all trees

[[version]]
version = 2
msgid = "20260316-lamp-fade-v2-0@example.net"
subject = "lamp: fade"
posted = 2026-03-16T10:00:00Z
patches = 3
base-commit = "..."                             as the author states it; absent where they do not
mails = "versions/v2.mbox"                      absent where the mails are not kept
report = "reports/v2.json"                      absent where there is none
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from seriestool.series.model import Series
from seriestool.util.errors import InputError
from seriestool.util.json_struct import JsonStruct

FILE = "series.toml"
_MOST_VERSIONS = 1000
_HIGHEST = 10_000
_LONGEST = 500
_INNER_PATH = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]*/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class TrackedVersion(JsonStruct, frozen=True):
    """One version that was mailed."""

    version: int
    msgid: str
    subject: str
    posted: datetime
    patches: int
    base_commit: str | None = None
    mails: str | None = None
    """The mailbox, as a path within the folder."""
    report: str | None = None


class TrackedSeries(Struct, frozen=True):
    """A tracked series; versions oldest first, at least one."""

    name: str
    change_id: str | None
    subject: str
    author: str | None
    trees: tuple[str, ...] | None
    """None: all of them."""
    versions: tuple[TrackedVersion, ...]

    @property
    def newest(self) -> TrackedVersion:
        """The version that counts."""
        return self.versions[-1]

    def find(self, version: int) -> TrackedVersion | None:
        """The version of that number."""
        return next((one for one in self.versions if one.version == version), None)

    def is_same_work(self, series: Series) -> bool:
        """Whether it is a version of this: the same change-id; without one, a mail of it, or title and author."""
        if self.change_id is not None and series.change_id is not None:
            return self.change_id == toml_text(series.change_id)
        if series.msgid and any(one.msgid == series.msgid for one in self.versions):
            return True
        titles = {title_key(self.subject), *(title_key(one.subject) for one in self.versions)}
        return (
            self.author is not None
            and self.author == author_of(series)
            and title_key(toml_text(series.subject)) in titles
        )


def author_of(series: Series) -> str | None:
    """The address of who wrote the first patch."""
    return series.patches[0].author_email.lower() if series.patches else None


def toml_text(text: str) -> str:
    """What a mail says, as a file of text can have it."""
    return text[:_LONGEST].encode("utf-8", "backslashreplace").decode()


def title_key(title: str) -> str:
    """The title as it is compared."""
    return " ".join(title.casefold().split())


def parse_record(name: str, text: str) -> TrackedSeries:
    """The series that is tracked as `name`; raises InputError where the text is not what it should be."""
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"'{name}/{FILE}' is no TOML: {error}", hint="fix it by hand") from error
    return _RecordReader(name).read(found)


class _RecordReader:
    """Reads one record, and says where it is wrong."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read(self, found: Mapping[str, Any]) -> TrackedSeries:
        tables = self._get(found, "version", list, [])
        if not tables or not all(isinstance(table, dict) for table in tables):
            raise self._wrong("there is no [[version]] in it")
        if len(tables) > _MOST_VERSIONS:
            raise self._wrong(f"it has more than {_MOST_VERSIONS} versions")
        versions = tuple(sorted((self._version(table) for table in tables), key=lambda one: one.version))
        if len({one.version for one in versions}) < len(versions):
            raise self._wrong("it has a version twice")
        trees = self._get(found, "trees", list, None)
        if trees is not None and not all(isinstance(tree, str) for tree in trees):
            raise self._wrong("trees are names")
        return TrackedSeries(
            name=self._name,
            change_id=self._get(found, "change-id", str, None),
            subject=self._get(found, "subject", str, versions[-1].subject),
            author=self._get(found, "author", str, None),
            trees=None if trees is None else tuple(trees),
            versions=versions,
        )

    def _version(self, table: Mapping[str, Any]) -> TrackedVersion:
        number = self._get(table, "version", int)
        if not 0 < number < _HIGHEST:
            raise self._wrong(f"{number} is no version of a series")
        posted = self._get(table, "posted", datetime)
        return TrackedVersion(
            version=number,
            msgid=self._get(table, "msgid", str),
            subject=self._get(table, "subject", str, ""),
            posted=self._utc(posted),
            patches=self._get(table, "patches", int),
            base_commit=self._get(table, "base-commit", str, None),
            mails=self._path(table, "mails"),
            report=self._path(table, "report"),
        )

    def _utc(self, date: datetime) -> datetime:
        try:
            return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
        except OverflowError as error:
            raise self._wrong("'posted' is no date") from error

    def _path(self, table: Mapping[str, Any], key: str) -> str | None:
        path: str | None = self._get(table, key, str, None)
        if path is not None and not _INNER_PATH.fullmatch(path):
            raise self._wrong(f"'{key}' is to be a file within the folder")
        return path

    def _get(self, table: Mapping[str, Any], key: str, kind: type, *default: Any) -> Any:
        if key not in table and default:
            return default[0]
        value = table.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._wrong(f"'{key}' is missing, or not what it should be")
        return value

    def _wrong(self, what: str) -> InputError:
        return InputError(f"'{self._name}/{FILE}' cannot be used: {what}", hint="fix it by hand")
