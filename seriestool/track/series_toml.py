# SPDX-License-Identifier: GPL-2.0-or-later
"""`series.toml` written: what people added to it, comments too, stays as it is (tomlkit keeps it)."""

from datetime import UTC
from typing import TYPE_CHECKING, Any

from seriestool.track.tracked_series import FILE, TrackedSeries, TrackedVersion, parse_record
from seriestool.util.errors import InputError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

_HEAD = "Kept by 'seriestool track'; what is added by hand stays."


def write_record(tracked: TrackedSeries, before: str | None) -> str:
    """The text that says what is tracked; `before` is what stood there. The same input gives the same text.

    Raises InputError where that cannot be kept.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(before) if before is not None else _new(tracked)
        _edit(document, tracked)
        text = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise InputError(f"'{tracked.name}/{FILE}' cannot be edited: {error}", hint="fix it by hand") from error
    if not _means(text, tracked):  # hand edits can be odd: rather nothing than nonsense
        raise InputError(
            f"'{tracked.name}/{FILE}' cannot be edited without changing what it means",
            hint="write each version as a [[version]] of its own, below all other keys",
        )
    return text


def _means(text: str, tracked: TrackedSeries) -> bool:
    try:
        return parse_record(tracked.name, text) == tracked
    except InputError:
        return False


def _new(tracked: TrackedSeries) -> "TOMLDocument":
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment(_HEAD))
    for key, value in _fields(tracked).items():
        document.add(key, value)
    document.add(tomlkit.nl())
    document.add("version", tomlkit.aot())
    return document


def _edit(document: "TOMLDocument", tracked: TrackedSeries) -> None:
    import tomlkit

    for key, value in _fields(tracked).items():
        _set(document, key, value)
    tables = document["version"] if "version" in document else tomlkit.aot()
    known: dict[int, Any] = {table["version"]: table for table in tables}
    for version in tracked.versions:
        if version.version in known:
            for key, value in _version_fields(version).items():
                _set(known[version.version], key, value)
        else:
            tables.append(_table(version))


def _set(table: Any, key: str, value: object) -> None:
    """Where the value is another one: an equal one keeps the way it was written."""
    if key not in table or table[key] != value:
        table[key] = value


def _table(version: TrackedVersion) -> "Table":
    import tomlkit

    table = tomlkit.table()
    for key, value in _version_fields(version).items():
        table.add(key, value)
    return table


def _fields(tracked: TrackedSeries) -> dict[str, Any]:
    fields = {"change-id": tracked.change_id, "subject": tracked.subject, "author": tracked.author}
    found: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    return found if tracked.trees is None else {**found, "trees": list(tracked.trees)}


def _version_fields(version: TrackedVersion) -> dict[str, Any]:
    fields = {
        "version": version.version,
        "msgid": version.msgid,
        "subject": version.subject,
        "posted": version.posted.astimezone(UTC),
        "patches": version.patches,
        "base-commit": version.base_commit,
        "mails": version.mails,
        "report": version.report,
    }
    return {key: value for key, value in fields.items() if value is not None}
