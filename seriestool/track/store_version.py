# SPDX-License-Identifier: GPL-2.0-or-later
"""A version of a series put with the tracked ones: facts, mails, a report. What differs is not replaced unasked."""

import json
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from seriestool.series.mail.mbox_writer import write_mbox
from seriestool.series.model import Series
from seriestool.track.series_toml import write_record
from seriestool.track.track_store import TrackStore
from seriestool.track.tracked_series import FILE, TrackedSeries, TrackedVersion, author_of, toml_text
from seriestool.util.errors import InputError

_FROM_LINE = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"
_LOOKS_LIKE_FROM = re.compile(rb"^(>*From )", re.M)


class Extras(Struct, frozen=True):
    """What is kept besides the facts."""

    mails: bool = True
    report: Mapping[str, object] | None = None
    """What was found out about the version, as JSON shows it."""
    trees: tuple[str, ...] | None = None
    """Where the series is to apply, where that is said anew."""


class StoredVersion(Struct, frozen=True):
    """What became of it."""

    tracked: TrackedSeries
    version: TrackedVersion
    is_new: bool
    """Whether the version was not there before."""


def store_version(store: TrackStore, name: str, series: Series, extras: Extras, force: bool = False) -> StoredVersion:
    """Put the version into the folder `name`, which is made where it is not there.

    Raises InputError where another version of that number, or another series, has the place and `force` is not given;
    OutsideError where it cannot be written.
    """
    if not series.patches:
        raise InputError("there is no patch in it", hint="name the series by its message-id or by an mbox")
    with store.locked():
        before = store.text(name)
        known = store.get(name) if before is not None else None
        if known is not None and not known.is_same_work(series):
            raise InputError(
                f"'{store.root / name}' is of another series: '{known.subject}'",
                hint="track this one in another folder with --dir",
            )
        old = known.find(series.version) if known else None
        version = _version(series, extras, old)
        files = {**_mails(series, version, extras), **_report(version, extras)}
        if not force:
            _refuse_changes(store=store, name=name, old=old, new=version, files=files)
        tracked = _tracked(name=name, series=series, extras=extras, known=known, version=version)
        text = write_record(tracked, before)
        for inner, data in files.items():
            store.write(name, inner, data)
        if text != before:
            store.write(name, FILE, text.encode())  # last: what it names is there
    return StoredVersion(tracked, version, old is None)


def _refuse_changes(
    store: TrackStore, name: str, old: TrackedVersion | None, new: TrackedVersion, files: Mapping[str, bytes]
) -> None:
    if old is not None and old.msgid != new.msgid:
        raise InputError(
            f"'{name}' has another v{old.version} already: '{old.msgid}'", hint="--force puts this one in its place"
        )
    for inner, data in files.items():
        if inner == new.mails and store.read(name, inner) not in (None, data):
            raise InputError(f"'{store.root / name / inner}' is there already and differs", hint="--force replaces it")


def _tracked(
    name: str, series: Series, extras: Extras, known: TrackedSeries | None, version: TrackedVersion
) -> TrackedSeries:
    """The series with this version in its place."""
    others = [one for one in known.versions if one.version != version.version] if known else []
    versions = tuple(sorted([*others, version], key=lambda one: one.version))
    if known is None:
        change_id = toml_text(series.change_id) if series.change_id else None
        return TrackedSeries(
            name=name,
            change_id=change_id,
            subject=versions[-1].subject,
            author=_author(series),
            trees=extras.trees,
            versions=versions,
        )
    newest = versions[-1]
    return replace(
        known,
        versions=versions,
        subject=newest.subject or known.subject,
        change_id=known.change_id or (toml_text(series.change_id) if series.change_id else None),
        author=(_author(series) or known.author) if newest is version else known.author,
        trees=known.trees if extras.trees is None else extras.trees,
    )


def _version(series: Series, extras: Extras, old: TrackedVersion | None) -> TrackedVersion:
    same = old if old is not None and old.msgid == series.msgid else None
    return TrackedVersion(
        version=series.version,
        msgid=toml_text(series.msgid),
        subject=toml_text(series.subject),
        posted=series.posted.replace(microsecond=0),
        patches=len(series.patches),
        base_commit=toml_text(series.base.commit) if series.base.commit else None,
        mails=_place(same.mails if same else None, extras.mails, f"versions/v{series.version}.mbox"),
        report=_place(same.report if same else None, extras.report is not None, f"reports/v{series.version}.json"),
    )


def _place(old: str | None, wanted: bool, default: str) -> str | None:
    """Where a file is kept: where it was, or at its usual place."""
    return old or (default if wanted else None)


def _mails(series: Series, version: TrackedVersion, extras: Extras) -> dict[str, bytes]:
    return {version.mails: mbox_of(series)} if extras.mails and version.mails else {}


def _report(version: TrackedVersion, extras: Extras) -> dict[str, bytes]:
    if extras.report is None or version.report is None:
        return {}
    return {version.report: json.dumps(extras.report, indent=2).encode() + b"\n"}


def mbox_of(series: Series) -> bytes:
    """The mails of the series as they came, in one mbox (mboxrd); written anew where they did not come as mails."""
    raw = [patch.raw for patch in series.patches]
    if series.cover is not None:
        raw = [series.cover.raw, *raw]
    return _mboxrd(raw) if all(raw) else write_mbox(series)


def _mboxrd(mails: Sequence[bytes]) -> bytes:
    escaped = (_LOOKS_LIKE_FROM.sub(rb">\1", mail).rstrip(b"\n") for mail in mails)
    return b"".join(_FROM_LINE + mail + b"\n\n" for mail in escaped)


def _author(series: Series) -> str | None:
    author = author_of(series)
    return toml_text(author) if author else None
