# SPDX-License-Identifier: GPL-2.0-or-later
"""A rebased series as its next version: what is sent, with a cover letter that says what happened to it."""

import re
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from seriestool.git import ScratchRepository
from seriestool.series.mail import SeriesSelector, assemble, parse_mails, split_mbox
from seriestool.series.mail.compose import OutgoingSeries, make_change_id
from seriestool.series.model import CoverLetter, Patch, Series

_DIFFSTAT = re.compile(
    r" .* \| +(\d+ ?[+-]*|Bin .*|Unmerged)$| \d+ files? changed.*$| (create|delete) mode \d+ .*$"
    r"| (rename|copy) .* \(\d+%\)$| mode change \d+ => \d+.*$| rewrite .* \(\d+%\)$| \.{3}.* \| .*$"
)
_STATED = re.compile(r"^(base-commit|change-id|prerequisite-[a-z-]+):.*\n?", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(r"^-- \n.*\Z", re.MULTILINE | re.DOTALL)


class Sender(Struct, frozen=True):
    """Who sends, and when."""

    name: str
    email: str
    date: datetime


class RebasedSeries(Struct, frozen=True):
    """The patches of a series as commits on a tree."""

    tree: str
    onto: str
    title: str
    """What people call `onto`: its description or subject."""
    commits: tuple[tuple[Patch, str], ...]
    """Each patch that is left, as mailed, with its commit."""
    left_out: tuple[str, ...] = ()
    """Why which patches are not among them, a sentence each."""
    before: tuple[str, str] | None = None
    """(base, tip) of the same patches as they were mailed, as commits; None where that is not known."""

    @property
    def tip(self) -> str:
        """The last commit."""
        return self.commits[-1][1]


def next_version(
    series: Series, rebased: RebasedSeries, sender: Sender, scratch_repo: ScratchRepository
) -> OutgoingSeries:
    """The rebased series as the version after the one that was mailed."""
    patches = new_patches(rebased, scratch_repo)
    version = series.version + 1
    cover = "\n\n".join(
        part
        for part in (
            cover_text(series.cover),
            "\n".join(_changes(rebased, version)),
            link_to(series),
            shortlog_of(patches),
            scratch_repo.diffstat(rebased.onto, rebased.tip).rstrip("\n"),
            _range_diff(series, rebased, scratch_repo),
        )
        if part
    )
    return OutgoingSeries(
        subject=series.cover.subject if series.cover else series.subject,
        cover=cover,
        patches=patches,
        version=version,
        prefixes=series.prefixes,
        base_commit=rebased.onto,
        change_id=series.change_id or make_change_id(series.subject, series.posted, series.msgid),
        sender_name=sender.name,
        sender_email=sender.email,
        date=sender.date,
        recipients=series.recipients,
    )


def new_patches(rebased: RebasedSeries, scratch_repo: ScratchRepository) -> tuple[Patch, ...]:
    """The patches with the diffs that they have on the tree; message and notes as mailed, the diffstat anew."""
    mails = parse_mails(split_mbox(scratch_repo.format_patch(rebased.onto, rebased.tip)))
    fresh = assemble(mails, SeriesSelector(partial=True)).patches
    return tuple(
        replace(patch, counter=number, notes=_notes(patch.notes, new.notes), files=new.files, diff=new.diff)
        for number, ((patch, _), new) in enumerate(zip(rebased.commits, fresh, strict=True), 1)
    )


def _notes(mailed: str, fresh: str) -> str:
    """What the author said below the message, and the diffstat as it is now."""
    kept = "\n".join(line for line in _STATED.sub("", mailed).split("\n") if not _DIFFSTAT.fullmatch(line)).strip("\n")
    return f"{kept}\n\n{fresh}" if kept.strip() else fresh


def cover_text(cover: CoverLetter | None) -> str:
    """The cover letter's words: without diffstat, shortlog, base and signature, which are made anew."""
    if cover is None:
        return ""
    lines = _SIGNATURE.sub("", _STATED.sub("", cover.body)).split("\n")
    kept = [line for line in _without_shortlog(lines) if not _DIFFSTAT.fullmatch(line)]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return re.sub(r"\n+-{3}\s*\Z", "", text).rstrip()


def _without_shortlog(lines: Sequence[str]) -> list[str]:
    """The lines without what `git shortlog` made of the commits: `Name (3):` and titles below it, indented."""
    kept: list[str] = []
    in_log = False
    for line in lines:
        if re.fullmatch(r"\S.* \(\d+\):", line):
            in_log = True
        elif in_log and line and not line.startswith("  "):
            in_log = False
        if not in_log:
            kept.append(line)
    return kept


def _changes(rebased: RebasedSeries, version: int) -> list[str]:
    title = f"Changes in v{version}:"
    what = f"- rebased onto {rebased.tree}, {rebased.onto[:12]} ({rebased.title})"
    return [title, what, *(f"- {sentence}" for sentence in rebased.left_out)]


def link_to(series: Series) -> str:
    """Where the series was mailed."""
    return f"Link to v{series.version}: https://lore.kernel.org/r/{series.msgid}" if series.msgid else ""


def shortlog_of(patches: Sequence[Patch]) -> str:
    """As `git shortlog` groups them."""
    by_author: dict[str, list[str]] = {}
    for patch in patches:
        by_author.setdefault(patch.author_name or patch.author_email, []).append(patch.subject)
    groups = (
        "\n".join([f"{author} ({len(titles)}):", *(f"  {title}" for title in titles)])
        for author, titles in sorted(by_author.items())
    )
    return "\n\n".join(groups)


def _range_diff(series: Series, rebased: RebasedSeries, scratch_repo: ScratchRepository) -> str:
    if rebased.before is None:
        return ""
    text = scratch_repo.range_diff(rebased.before, (rebased.onto, rebased.tip)).rstrip("\n")
    return f"Range-diff against v{series.version}:\n{text}"
