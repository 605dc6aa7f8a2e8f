# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series is, as text and as JSON."""

from collections.abc import Iterator

from seriestool.report.style import Style
from seriestool.series.model import SCHEMA, FileDiff, Patch, Series, path_text
from seriestool.util.text import count

_LABEL = 13  # columns


def series_dict(series: Series) -> dict[str, object]:
    """The series as JSON shows it; every key is always there."""
    return {
        "schema": SCHEMA,
        "series": series.to_dict(),
        "cover": series.cover.msgid if series.cover else None,
        "prefixes": list(series.prefixes),
        "base": {
            "commit": series.base.commit,
            "prerequisites": [{"kind": one.kind, "value": one.value} for one in series.base.prerequisites],
        },
        "titles": [patch.subject for patch in series.patches] or list(series.titles),
        "patches": [_patch_dict(patch) for patch in series.patches],
        "remarks": list(series.remarks),
    }


def _patch_dict(patch: Patch) -> dict[str, object]:
    return {
        "counter": patch.counter,
        "msgid": patch.msgid,
        "title": patch.subject,
        "author": {"name": patch.author_name, "email": patch.author_email},
        "date": patch.date.isoformat(),
        "trailers": [{"name": one.name, "value": one.value} for one in patch.trailers],
        "files": [_file_dict(diff) for diff in patch.files],
    }


def _file_dict(diff: FileDiff) -> dict[str, object]:
    return {
        "kind": diff.kind.value,
        "old_path": path_text(diff.old_path) if diff.old_path is not None else None,
        "new_path": path_text(diff.new_path) if diff.new_path is not None else None,
        "old_blob": diff.old_blob,
        "new_blob": diff.new_blob,
        "old_mode": f"{diff.old_mode:06o}" if diff.old_mode is not None else None,
        "new_mode": f"{diff.new_mode:06o}" if diff.new_mode is not None else None,
        "binary": diff.binary.value if diff.binary else None,
    }


def series_text(series: Series, style: Style) -> str:
    """The series for people; readable without colour."""
    lines = [style.strong(series.subject)]
    lines += [f"  {style.faint(label.ljust(_LABEL))}{style.plain(text)}" for label, text in _facts(series)]
    lines += ["", *_titles(series, style)]
    files = series.touched
    if files:
        lines += ["", style.strong(count(len(files), "file"))]
        lines += [f"  {style.plain(path_text(path))}" for path in files]
    return "\n".join(lines)


def _facts(series: Series) -> Iterator[tuple[str, str]]:
    yield "version", " ".join([f"v{series.version}", *(f"[{word}]" for word in series.prefixes)])
    authors = dict.fromkeys(f"{patch.author_name} <{patch.author_email}>" for patch in series.patches)
    for author in authors:
        yield "author", author
    yield "posted", f"{series.posted:%Y-%m-%d %H:%M:%S} UTC"
    if series.msgid:
        yield "message-id", series.msgid
    if series.change_id:
        yield "change-id", series.change_id
    yield "base-commit", f"{series.base.commit} (as stated)" if series.base.commit else "not stated"
    for one in series.base.prerequisites:
        yield "needs", f"{one.kind} {one.value}"
    if series.missing and series.patches:
        yield "missing", f"{', '.join(map(str, series.missing))} of {series.expected}"
    for remark in series.remarks:
        yield "note", remark


def _titles(series: Series, style: Style) -> list[str]:
    if not series.patches:
        names = [f"  {style.plain(title)}" for title in series.titles]
        return [style.strong(f"{count(series.expected, 'patch', 'patches')}, not at hand"), *names]
    width = len(str(series.expected))
    return [
        style.strong(count(len(series.patches), "patch", "patches")),
        *(
            f"  {patch.counter:{width}}  {style.plain(patch.subject)}"
            f"  {style.faint(count(len(patch.files), 'file') if patch.files else 'empty')}"
            for patch in series.patches
        ),
    ]
