# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the cover letter is that of its patches: diffstat, shortlog, number, base, and what is new in a version."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from seriestool.check.commits.cover_summary import (
    MOST_LINES,
    DiffstatTotals,
    count_totals,
    is_among,
    parse_shortlog,
    parse_totals,
    squeezed,
    totals_agree,
)
from seriestool.check.protocol import Check, CheckSubject, Finding, Scope, Status, skip
from seriestool.git import GitError
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_stack import BaseKind
from seriestool.series.generated_diff import count_changes
from seriestool.series.mail import Mail
from seriestool.series.model import CoverLetter, Series
from seriestool.util.errors import InputError

_SOURCE = "Documentation/process/submitting-patches.rst"
_NETDEV = "Documentation/process/maintainer-netdev.rst"
_PLACEHOLDERS = ("*** SUBJECT HERE ***", "*** BLURB HERE ***")
_OID = re.compile(r"[0-9a-f]{7,64}")
_CHANGELOG = re.compile(
    r"\bv\d{1,4}\b|\bversion \d|change ?log|chang(?:es|ed) (?:since|in|from|to|between)|^changes:?\s*$|revision \d"
    r"|no (?:functional )?changes?\b|(?:previous|this|new) (?:version|posting|revision)"
    r"|since (?:the )?(?:last|previous|rfc)|rebased? (?:on|to)",
    re.I | re.M,
)


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What the cover letter says that is not so, and what it does not say."""
    series = subject.series
    if series.cover is not None:
        yield from _find_placeholders(series.cover)
        covered = _covered(series)
        yield from _find_miscount(covered, series.cover)
        yield from _compare_totals(subject, covered, series.cover)
        yield from _compare_titles(covered, series.cover)
    elif _may_have_cover(series):
        yield skip("cover-letter", "the first patch answers a mail that is not here: it may be the cover letter")
    elif len(series.patches) > 2:
        text = f"{len(series.patches)} patches without a cover letter"
        yield Finding(Status.PASS, "no-cover", text, mend="git format-patch --cover-letter", source=_NETDEV)
    yield from _judge_base(subject)
    if series.cover is not None or not _may_have_cover(series):
        yield from _find_changelog(series)


def _covered(series: Series) -> Series:
    """The series without patches that were added to it: 5/4."""
    said = {patch.counter: Mail(patch.raw).subject for patch in series.patches if patch.raw}
    added = {counter for counter, own in said.items() if own.counter is not None and counter > own.expected}
    if not added:
        return series
    patches = tuple(patch for patch in series.patches if patch.counter not in added)
    return replace(series, patches=patches, expected=max((patch.counter for patch in patches), default=0))


def _may_have_cover(series: Series) -> bool:
    """Whether a cover letter may exist that is not here: lists get the patches that are for them."""
    first = series.patches[0]
    return series.expected > 1 and (bool(series.missing) or bool(first.raw and Mail(first.raw).references))


def _find_placeholders(cover: CoverLetter) -> Iterator[Finding]:
    lines = {line.strip() for line in cover.body.split("\n", MOST_LINES)} | {cover.subject.strip()}
    for text in _PLACEHOLDERS:
        if text in lines:
            yield Finding(Status.FAIL, "placeholder", f"'{text}' was left in the cover letter")


def _find_miscount(series: Series, cover: CoverLetter) -> Iterator[Finding]:
    said = Mail(cover.raw).subject if cover.raw else None
    if said is None or said.counter != 0 or said.expected == series.expected:
        return
    text = f"the cover letter counts {said.expected} patches, and the patches count {series.expected}"
    yield Finding(Status.WARN, "count", text)


def _compare_totals(subject: CheckSubject, series: Series, cover: CoverLetter) -> Iterator[Finding]:
    said = parse_totals(cover.body)
    if not said:
        return
    if series.missing or series.remarks:
        yield skip("diffstat", "the diffstat cannot be compared: not all patches of the series are here")
        return
    real = count_totals(series.patches)
    if any(totals_agree(one, real, series.patches) for one in said):
        return
    ends = _find_ends(subject, len(series.patches))
    scratch_repo = subject.environment.scratch_repo
    together = count_changes(scratch_repo.diff(*ends)) if ends else None
    yield Finding(
        Status.WARN,
        "diffstat",
        f"the cover letter says {said[-1]}, and the patches change {DiffstatTotals(*together) if together else real}",
        mend=scratch_repo.diffstat(*ends).rstrip("\n") or None if ends else None,
        source=_SOURCE,
    )


def _find_ends(subject: CheckSubject, count: int) -> tuple[str, str] | None:
    """Commits of the tree before the first `count` patches and of that after them, where all of them apply."""
    steps = subject.steps[:count]
    if subject.base is None or any(step.after is None for step in steps):
        return None
    scratch_repo = subject.environment.scratch_repo
    trees = (steps[0].before, steps[-1].after)
    base, tip = (scratch_repo.commit(tree, (), b"diffstat\n", "x <x@localhost> 0 +0000") for tree in trees if tree)
    return base, tip


# The shortlog.


def _compare_titles(series: Series, cover: CoverLetter) -> Iterator[Finding]:
    real = {squeezed(patch.subject): patch.subject for patch in series.patches}
    blocks = [block for block in parse_shortlog(cover.body) if any(squeezed(title) in real for title in block.titles)]
    if not blocks or series.missing or series.remarks:
        return  # indented text of another kind, or a list of something else
    said = {squeezed(title): title for block in blocks for title in block.titles}
    for block in blocks:
        if block.count != len(block.titles):
            text = f"the cover letter counts {block.count} patches of {block.author} and lists {len(block.titles)}"
            yield Finding(Status.WARN, "shortlog", text)
    for key, title in said.items():
        if not is_among(key, real):
            yield Finding(Status.WARN, "shortlog", f"the cover letter lists a patch that is not there: '{title}'")
    for key, title in real.items():
        if not is_among(key, said):
            yield Finding(Status.WARN, "shortlog", f"the cover letter's list of patches lacks '{title}'")


# The base.


def _judge_base(subject: CheckSubject) -> Iterator[Finding]:
    stated = subject.series.base.commit
    if stated is None:
        if subject.base is None:
            yield Finding(
                Status.PASS,
                "no-base",
                "it does not say what it is based on, and no base was found",
                mend="git format-patch --base=auto",
                source=_SOURCE,
            )
        return
    if not _OID.fullmatch(stated.lower()):
        text = f"the base-commit is no commit id: '{stated[:80]}'"
        yield Finding(Status.WARN, "base-malformed", text, mend="git format-patch --base=<commit>", source=_SOURCE)
        return
    yield from _judge_commit(subject, stated.lower())


def _judge_commit(subject: CheckSubject, stated: str) -> Iterator[Finding]:
    series, scratch_repo = subject.series, subject.environment.scratch_repo
    (found,) = scratch_repo.objects.check([stated])
    if found is None or found[1] != "commit":
        text = f"the base-commit {stated[:12]} is not in this repository"
        yield Finding(Status.PASS, "base-unknown", text, mend="fetch the tree that has it")
        return
    if subject.base is not None and subject.base.commit == found[0] and subject.base.footing is BaseKind.EXACT:
        return
    try:
        base = given_base(series, found[0], scratch_repo)
    except (InputError, GitError) as error:
        yield skip("base-wrong", f"the base-commit cannot be tried: {error.message}")
        return
    if base.footing is not BaseKind.GIVEN:
        return
    wanted = series.base.prerequisites
    status = Status.PASS if wanted else Status.WARN
    more = f", as {len(wanted)} prerequisites are not in it" if wanted else ""
    text = (
        f"it does not apply to the base-commit that it states, {stated[:12]} "
        f"({base.matched} of {base.expected} files are as named){more}"
    )
    yield Finding(status, "base-wrong", text, mend="git format-patch --base=auto", source=_SOURCE)


# What is new.


def _find_changelog(series: Series) -> Iterator[Finding]:
    is_sent_again = any(word.upper() in ("RESEND", "REPOST") for word in series.prefixes)
    if series.version < 2 or is_sent_again:
        return
    texts = [series.cover.body] if series.cover else []
    texts += [patch.message for patch in series.patches]
    notes = (line for patch in series.patches for line in patch.notes.split("\n", MOST_LINES))
    # What an author has to say below the dashes of a new version is what is new in it, however they put it.
    if not any(_CHANGELOG.search(text) for text in texts) and not any(_is_prose(line) for line in notes):
        text = f"it is version {series.version}, and nothing says what is new in it"
        mend = "list the changes below '---' or in the cover letter"
        yield Finding(Status.WARN, "no-changelog", text, mend=mend, source=_SOURCE)


def _is_prose(line: str) -> bool:
    """Whether a line below the dashes is no part of a diffstat, and no trailer."""
    return bool(line.strip()) and not line.startswith((" ", "-", "base-commit:", "prerequisite-", "change-id:"))


CHECK = Check(
    "cover-letter", "diffstat, shortlog, count, base and changelog are those of the patches", Scope.SERIES, run
)
