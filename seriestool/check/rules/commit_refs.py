# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits that the text of a message speaks of: whether they are there, and called what they are called
(docs/checks/commit-refs.md)."""

from collections.abc import Iterator

from seriestool.check.commits.commit_lookup import AbsenceReason, CommitLookup, Completeness, QuotedCommit
from seriestool.check.protocol import Check, CheckSubject, Finding, Scope, Status
from seriestool.series.message.commit_references import CommitReference, find_references
from seriestool.series.message.fixes import SHORTEST, find_fixes_tags
from seriestool.series.message.title_comparison import TitleMatch, compare_titles, fold_title

_SOURCE = "Documentation/process/submitting-patches.rst, Describe your changes"
_MOST = 50
_KERNEL = ("kernel", "linux", "upstream", "mainline")
"""What kernels call themselves; to others it is another project, whose commits are not here."""


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What is to be said of the commits that a message speaks of; each is spoken of once."""
    inputs = _ReferencesContext(subject)
    introduced = {tag.oid for tag in inputs.tags if tag.title}
    introduced |= {one.oid for one in inputs.references if one.title}
    seen: set[tuple[str, str | None]] = set()
    for one in inputs.references[:_MOST]:
        if (one.oid, one.title) in seen:
            continue
        seen.add((one.oid, one.title))
        found = inputs.commits.find(one.oid)
        if isinstance(found, QuotedCommit):
            yield from _known(inputs, one, found, introduced)
        elif not any(tag.oid == one.oid for tag in inputs.tags):  # fixes-tag speaks of those
            yield from _unknown(inputs, one, found)


class _ReferencesContext:
    """The patch with all that is looked up for it."""

    def __init__(self, subject: CheckSubject) -> None:
        environment = subject.environment
        message = subject.patch.commit_message
        self.subject = subject
        self.references = find_references(message)
        self.tags = find_fixes_tags(message)
        self.commits = CommitLookup(environment.repository, environment.scratch_repo, environment.history)
        self.project = subject.project
        self.is_kernel = subject.is_kernel
        self._completeness: Completeness | None = None

    def completeness(self) -> Completeness:
        """Whether what is not here can be said not to exist."""
        if self._completeness is None:
            nothing = Completeness(False, "there is no tree to compare with")
            self._completeness = self.commits.completeness(self.project) if self.project else nothing
        return self._completeness


def _known(
    inputs: _ReferencesContext, one: CommitReference, found: QuotedCommit, introduced: set[str | None]
) -> Iterator[Finding]:
    mend = f'commit {inputs.commits.abbreviate(found.oid)} ("{found.subject}")'
    likeness = compare_titles(one.title, found.subject) if one.title else TitleMatch.SAME
    if likeness is TitleMatch.OTHER:
        text = f"{one.oid[:40]} has another title: '{found.subject}'"
        yield Finding(Status.WARN, "title-mismatch", text, line=one.number, mend=mend, source=_SOURCE)
    elif inputs.is_kernel and len(one.oid) < SHORTEST:
        text = f"the id {one.oid} has less than {SHORTEST} digits"
        yield Finding(Status.WARN, "short-id", text, line=one.number, mend=mend, source=_SOURCE)
    elif inputs.is_kernel and one.needs_title and not any(oid and _same_id(oid, one.oid) for oid in introduced):
        text = f"{one.oid[:SHORTEST]} is named without its title"
        yield Finding(Status.WARN, "no-title", text, line=one.number, mend=mend, source=_SOURCE)


def _same_id(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _unknown(inputs: _ReferencesContext, one: CommitReference, found: AbsenceReason) -> Iterator[Finding]:
    patches = inputs.subject.series.patches
    sibling = next(
        (patch for patch in patches if one.title and fold_title(patch.subject) == fold_title(one.title)), None
    )
    if sibling is not None:
        text = f"{one.oid[:SHORTEST]} is patch {sibling.counter} of the same series, which has no lasting id"
        yield Finding(Status.WARN, "same-series", text, line=one.number, mend="say 'the previous patch', or its title")
    elif found is not AbsenceReason.MISSING:
        what = "stands for several commits" if found is AbsenceReason.AMBIGUOUS else "is no commit, but another object"
        yield Finding(Status.WARN, str(found), f"{one.oid[:40]} {what}", line=one.number, source=_SOURCE)
    elif not one.project or (inputs.is_kernel and one.project in _KERNEL):
        seen = inputs.completeness()
        text = f"there is no commit {one.oid[:40]} here; {seen.reason}"
        status = Status.WARN if seen.is_complete else Status.SKIP
        yield Finding(status, "unknown-commit" if seen.is_complete else "commit-unseen", text, line=one.number)


CHECK = Check(
    "commit-refs", "commits that the message speaks of: whether they exist and are called so", Scope.PATCH, run
)
