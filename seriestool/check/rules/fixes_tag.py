# SPDX-License-Identifier: GPL-2.0-or-later
"""`Fixes:` tags: how they are written, what they name, and what follows from them (docs/checks/fixes-tag.md)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property

from seriestool.check.commits.commit_lookup import AbsenceReason, CommitLookup, QuotedCommit
from seriestool.check.commits.designated_tree import find_fixes_tree, has_tree_for, judge_tree
from seriestool.check.commits.fix_recipients import find_missing_recipients, is_active, recent_work, recipients
from seriestool.check.commits.project_rules import is_only_docs_or_tests, read_mailmap
from seriestool.check.protocol import Check, CheckSubject, Finding, Scope, Status, skip
from seriestool.rebase.patch_stack import BaseKind, paths_of
from seriestool.series.mail import Mail
from seriestool.series.message.commit_message import CommitMessage
from seriestool.series.message.fixes import FixesFlaw, FixesTag, find_fixes_tags, format_fixes_tag
from seriestool.series.message.people import Mailmap, Person, parse_person
from seriestool.series.message.people import PersonMatch as People
from seriestool.series.message.stable_tags import STABLE, StableFlaw, find_stable_tags, names_upstream
from seriestool.series.message.title_comparison import TitleMatch, compare_titles, fold_title
from seriestool.trees import fixes_trees
from seriestool.util.text import shortened

_SUBMITTING = "Documentation/process/submitting-patches.rst"
_DESCRIBE = f"{_SUBMITTING}, Describe your changes"
_STABLE = "Documentation/process/stable-kernel-rules.rst"
_TIP = "Documentation/process/maintainer-tip.rst, Ordering of commit tags"
_NETDEV = "Documentation/process/maintainer-netdev.rst"
_MOST_TAGS = 30
_BUG_WORDS = re.compile(r"\b(BUG: K[A-Z]?[A-Z]SAN|KASAN|KMSAN|KCSAN|UBSAN): |(Call Trace:)|\b(syzkaller|syzbot)\b")
_SILENT = timedelta(days=3 * 365 + 1)
_STABLE_PREFIX = re.compile(r"v?\d+\.\d+(?:\.y|\.\d+)?$")

_MILD = frozenset((FixesFlaw.ID_CASE, FixesFlaw.SPACING, FixesFlaw.NAME, FixesFlaw.TEXT_AFTER, FixesFlaw.INDENTED))
_OF_THE_KERNEL = frozenset((FixesFlaw.SHORT_ID, FixesFlaw.NO_ID, FixesFlaw.URL))
"""Other projects name short ids, bug numbers and URLs, and are right to."""


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What is to be said of the Fixes tags of a patch, or of there being none."""
    inputs = _FixesContext(subject)
    for tag in inputs.tags:
        yield from _grammar(inputs, tag)
        yield from _target(inputs, tag)
    yield from _place(inputs)
    yield from _repeated(inputs)
    if inputs.is_kernel:
        yield from _missing(inputs)
        yield from _stable(inputs)
    yield from _blamed(inputs)
    yield from _designation(inputs)


class _FixesContext:
    """The patch with all that is looked up for it, once."""

    def __init__(self, subject: CheckSubject) -> None:
        self.subject = subject
        self.patch = subject.patch
        self.message: CommitMessage = self.patch.commit_message
        self.tags = find_fixes_tags(self.message)[:_MOST_TAGS]
        environment = subject.environment
        self.commits = CommitLookup(environment.repository, environment.scratch_repo, environment.history)
        self.base = subject.base.commit if subject.base else None
        self.project = subject.project
        self.is_kernel = subject.is_kernel
        self.paths = paths_of(self.patch.files, above=False)
        self._found: dict[str, QuotedCommit | AbsenceReason] = {}

    def find(self, tag: FixesTag) -> QuotedCommit | AbsenceReason | None:
        """What the tag's id stands for; None where it has none that could be looked up."""
        if tag.oid is None or FixesFlaw.LONG_ID in tag.flaws:
            return None
        if tag.oid not in self._found:
            self._found[tag.oid] = self.commits.find(tag.oid)
        return self._found[tag.oid]

    @cached_property
    def targets(self) -> tuple[QuotedCommit, ...]:
        """The commits that are named and here, each once."""
        found = (self.find(tag) for tag in self.tags)
        return tuple({one.oid: one for one in found if isinstance(one, QuotedCommit)}.values())

    @cached_property
    def is_base_stated(self) -> bool:
        """Whether it is the author's word that this is the base, and their patches apply there."""
        base, stated = self.subject.base, self.subject.series.base.commit
        if base is None or not stated:
            return False
        return base.commit.startswith(stated) and base.footing is not BaseKind.GIVEN

    @cached_property
    def is_base_sure(self) -> bool:
        """Whether the base can be held against the author: stated, or all fits and their tree is one of those here."""
        base, subject = self.subject.base, self.subject
        if base is None or base.footing is not BaseKind.EXACT:
            return self.is_base_stated
        return self.is_base_stated or has_tree_for(
            subject.series.prefixes, self.paths, subject.maintainers, subject.environment.trees
        )

    @cached_property
    def mailmap(self) -> Mailmap:
        """That of the project."""
        return read_mailmap(self.subject.environment.scratch_repo, self.project)

    @cached_property
    def mail(self) -> Mail | None:
        """The mail of the patch, where it was mailed."""
        return Mail(self.patch.raw) if self.subject.is_mailed and self.patch.raw else None

    def meant(self, title: str | None) -> QuotedCommit | None:
        """The commit that has this title, among those that changed the same paths; the base's own before others."""
        found = list(self.commits.with_title(title, self.paths)) if title else []
        own = (one for one in found if self.base and self.commits.is_within(one.oid, self.base))
        return next(own, found[0] if found else None)


# --- how it is written --------------------------------------------------------------------------------------------


def _grammar(inputs: _FixesContext, tag: FixesTag) -> Iterator[Finding]:
    flaws = [flaw for flaw in tag.flaws if inputs.is_kernel or flaw not in _OF_THE_KERNEL]
    mend = _corrected(inputs, tag) if flaws else None
    is_signed = any(one.key != "fixes" for one in (*inputs.message.trailers, *inputs.message.stray))
    for flaw in flaws:
        is_grave = inputs.is_kernel and flaw not in _MILD
        if flaw is FixesFlaw.NO_ID and not is_signed:
            is_grave = False  # it may be a sentence
        status = Status.FAIL if is_grave else Status.WARN
        yield Finding(status, str(flaw), flaw.meaning, line=tag.number, mend=mend, source=_DESCRIBE)


def _corrected(inputs: _FixesContext, tag: FixesTag) -> str | None:
    """The tag as it should be, as far as that is known."""
    found = inputs.find(tag)
    if isinstance(found, QuotedCommit):
        return inputs.commits.tag(found)
    if (meant := inputs.meant(tag.title)) is not None:
        return inputs.commits.tag(meant)
    if FixesFlaw.URL in tag.flaws and tag.oid is None:
        return f"Closes: {tag.text.partition(':')[2].strip()}"
    unusable = {FixesFlaw.LONG_ID, FixesFlaw.SHORT_ID} if inputs.is_kernel else {FixesFlaw.LONG_ID}
    if tag.oid is None or tag.title is None or unusable & {*tag.flaws}:
        return None
    return format_fixes_tag(tag.oid, tag.title)


def _place(inputs: _FixesContext) -> Iterator[Finding]:
    message = inputs.message
    if not message.trailers and not message.stray:
        return
    signed = _own_sign_off(inputs)
    for tag in inputs.tags:
        if not message.in_block(tag.number):
            text = "the tag does not stand in the last paragraph, with the other trailers: git does not see it"
            mend = "take out the empty line or the text between it and the other trailers"
            yield Finding(Status.WARN, "place", text, line=tag.number, mend=mend, source="git-interpret-trailers(1)")
        elif signed is not None and tag.number > signed and inputs.is_kernel:
            text = "the tag stands below the author's Signed-off-by"
            mend = "put it above the other trailers"
            yield Finding(Status.WARN, "order", text, line=tag.number, mend=mend, source=_TIP)


def _own_sign_off(inputs: _FixesContext) -> int | None:
    """The line of the author's Signed-off-by."""
    author = Person(inputs.patch.author_name, inputs.patch.author_email)
    for line in inputs.message.named("signed-off-by"):
        person = parse_person(line.value)
        if person is not None and inputs.mailmap.compare(author, person) is not People.OTHER:
            return line.number
    return None


def _repeated(inputs: _FixesContext) -> Iterator[Finding]:
    seen: set[str] = set()
    for tag in inputs.tags:
        found = inputs.find(tag)
        oid = found.oid if isinstance(found, QuotedCommit) else tag.oid
        if oid is not None and oid in seen:
            yield Finding(Status.WARN, "repeated", "the same commit is named twice", line=tag.number)
        seen.add(oid or "")


# --- what it names ------------------------------------------------------------------------------------------------


def _target(inputs: _FixesContext, tag: FixesTag) -> Iterator[Finding]:
    found = inputs.find(tag)
    if found is None:
        return
    sibling = _sibling(inputs, tag, found)
    if sibling is not None:
        yield sibling
    elif isinstance(found, QuotedCommit):
        yield from _title(inputs, tag, found)
        yield from _ancestry(inputs, tag, found)
    elif found is AbsenceReason.MISSING:
        yield _unknown(inputs, tag)
    else:
        what = {
            AbsenceReason.AMBIGUOUS: "stands for several commits",
            AbsenceReason.NOT_A_COMMIT: "is no commit, but another object",
        }
        mend = _correction_of(inputs, inputs.meant(tag.title))
        yield Finding(Status.FAIL, str(found), f"{tag.oid} {what[found]}", line=tag.number, mend=mend, source=_DESCRIBE)


def _sibling(inputs: _FixesContext, tag: FixesTag, found: QuotedCommit | AbsenceReason) -> Finding | None:
    """That the tag names a patch of its own series, which has no id yet that could last."""
    titles = {
        fold_title(title) for title in (tag.title, found.subject if isinstance(found, QuotedCommit) else None) if title
    }
    series = inputs.subject.series
    other = next((one for one in series.patches if fold_title(one.subject) in titles), None)
    if other is None or other.counter == inputs.patch.counter:
        return None
    if isinstance(found, QuotedCommit) and inputs.base and inputs.commits.is_within(found.oid, inputs.base):
        return None
    status = Status.FAIL if _is_only_there(inputs, found) else Status.WARN
    number = f"{other.counter}/{series.expected}"
    text = f"it names patch {number} of the same series, which has no lasting id: '{other.subject}'"
    return Finding(status, "same-series", text, line=tag.number, mend=f"squash it into {number}", source=_SUBMITTING)


def _is_only_there(inputs: _FixesContext, found: QuotedCommit | AbsenceReason) -> bool:
    """Whether no older commit can be meant: none of this id is anywhere, or only where nothing is published."""
    if not isinstance(found, QuotedCommit):
        return inputs.project is not None and inputs.commits.completeness(inputs.project).is_complete
    published = [tree.commit for tree in inputs.subject.environment.trees if tree.kind in ("remote", "configured")]
    return not inputs.commits.tips_containing(found.oid, published)


def _title(inputs: _FixesContext, tag: FixesTag, found: QuotedCommit) -> Iterator[Finding]:
    likeness = compare_titles(tag.title, found.subject) if tag.title else TitleMatch.SAME
    if likeness is TitleMatch.SAME or (likeness is TitleMatch.NEARLY and FixesFlaw.UNCLOSED in tag.flaws):
        return
    if likeness is TitleMatch.NEARLY:
        mend = inputs.commits.tag(found)
        text = f"the title is not quite that of the commit: '{found.subject}'"
        yield Finding(Status.WARN, "subject-nearly", text, line=tag.number, mend=mend, source=_DESCRIBE)
        return
    meant = inputs.meant(tag.title) or found
    text = f"{tag.oid} has another title: '{found.subject}'"
    mend = inputs.commits.tag(meant)
    yield Finding(Status.FAIL, "subject-mismatch", text, line=tag.number, mend=mend, source=_DESCRIBE)


def _ancestry(inputs: _FixesContext, tag: FixesTag, found: QuotedCommit) -> Iterator[Finding]:
    if inputs.base is None:
        return
    within = inputs.commits.is_within(found.oid, inputs.base)
    if within is None:
        text = f"whether {tag.oid} is in the base cannot be seen: the history index does not have it"
        yield skip("ancestry-unseen", text)
    if within is not False:
        return
    twin = inputs.meant(found.subject)
    if twin is not None and not inputs.commits.is_within(twin.oid, inputs.base):
        twin = None
    trees = inputs.subject.environment.trees
    holders = inputs.commits.tips_containing(found.oid, [tree.commit for tree in trees]) or frozenset()
    names = [tree.name for tree in trees if tree.commit in holders]
    is_sure = inputs.is_base_stated or (inputs.is_base_sure and not holders)
    where = f"; it is in {shortened(names, 3, 'others')}" if names else ""
    text = f"{tag.oid} is not in the base {inputs.base[:12]}{where}"
    if twin is not None:
        text += f"; there the change is {inputs.commits.abbreviate(twin.oid)}"
    status = Status.FAIL if is_sure else Status.WARN
    yield Finding(status, "not-an-ancestor", text, line=tag.number, mend=_correction_of(inputs, twin))


def _unknown(inputs: _FixesContext, tag: FixesTag) -> Finding:
    meant = inputs.meant(tag.title)
    mend = _correction_of(inputs, meant)
    about = f"there is no commit {tag.oid} here"
    if inputs.project is None:
        return skip("commit-unseen", f"{about}, and no tree to compare with")
    seen = inputs.commits.completeness(inputs.project)
    text = f"{about}; {seen.reason}"
    if meant is not None:
        text = f"{about}; the title is that of {inputs.commits.abbreviate(meant.oid)}"
    if not seen.is_complete and meant is None:
        return Finding(Status.SKIP, "commit-unseen", text, line=tag.number)
    status = Status.FAIL if seen.is_complete and inputs.is_base_sure else Status.WARN
    return Finding(status, "unknown-commit", text, line=tag.number, mend=mend, source=_DESCRIBE)


def _correction_of(inputs: _FixesContext, commit: QuotedCommit | None) -> str | None:
    return inputs.commits.tag(commit) if commit is not None else None


# --- whether there should be one ----------------------------------------------------------------------------------


def _missing(inputs: _FixesContext) -> Iterator[Finding]:
    if inputs.tags or is_only_docs_or_tests(inputs.paths) or inputs.message.is_revert:
        return
    text = "\n".join(inputs.message.lines)
    if found := _BUG_WORDS.search(text[:200_000]):
        word = next(filter(None, found.groups()))
        said = f"the message tells of a bug ('{word}') and does not say which commit brought it"
        yield Finding(Status.WARN, "missing", said, mend='Fixes: <12 digits> ("<title>")', source=_DESCRIBE)
    elif any(not one.names_version and not one.flaws for one in find_stable_tags(inputs.message)):
        said = "it is for stable, and says neither since which version nor which commit it fixes"
        yield Finding(Status.WARN, "missing", said, mend='Fixes: <12 digits> ("<title>")', source=_STABLE)
    elif tree := find_fixes_tree(inputs.subject.series.prefixes, fixes_trees(inputs.subject.environment.config)):
        yield from _missing_for(inputs, tree)


def _missing_for(inputs: _FixesContext, tree: str) -> Iterator[Finding]:
    """That a series for a tree of fixes fixes nothing; said once, of its first patch that changes code."""
    patches = inputs.subject.series.patches
    first = next((one for one in patches if not is_only_docs_or_tests(paths_of(one.files, above=False))), None)
    if first is not inputs.patch or any(
        find_fixes_tags(one.commit_message) or one.commit_message.is_revert for one in patches
    ):
        return
    said = f"the series is for '{tree}', which takes fixes, and no patch of it has a Fixes tag"
    yield Finding(Status.WARN, "missing-for-tree", said, source=_NETDEV)


# --- stable -------------------------------------------------------------------------------------------------------


def _stable(inputs: _FixesContext) -> Iterator[Finding]:
    tags = find_stable_tags(inputs.message)[:_MOST_TAGS]
    for one in tags:
        for flaw in one.flaws:
            status = Status.FAIL if flaw is StableFlaw.NO_REASON else Status.WARN
            yield Finding(status, str(flaw), flaw.meaning, line=one.number, mend=one.proper, source=_STABLE)
    if not tags:
        yield from _sent_to_stable(inputs)
        yield from _not_asked_for(inputs)


def _sent_to_stable(inputs: _FixesContext) -> Iterator[Finding]:
    """That the mail goes to stable, which takes nothing that way; many senders copy a whole series to all."""
    if inputs.mail is None or STABLE not in inputs.mail.recipients or names_upstream(inputs.message):
        return
    series = inputs.subject.series
    if any(find_stable_tags(one.commit_message) for one in series.patches):
        return
    if any(_STABLE_PREFIX.match(word) for word in series.prefixes):
        text = "a patch for a stable tree has to name the upstream commit"
        yield Finding(Status.WARN, "stable-upstream", text, mend="commit <40 digits> upstream.", source=_STABLE)
        return
    text = f"the mail goes to {STABLE}, and no patch has the tag that asks for a backport"
    status = Status.WARN if series.missing else Status.FAIL  # one that is not here may have it
    yield Finding(status, "stable-without-tag", text, mend=f"Cc: {STABLE}", source=_STABLE)


def _not_asked_for(inputs: _FixesContext) -> Iterator[Finding]:
    """A note that what is fixed has been released, and nobody asks for the fix in stable."""
    if inputs.base is None or not inputs.targets:
        return
    release = inputs.commits.last_release(inputs.base)
    if release is None:
        return
    if any(inputs.commits.is_within(target.oid, release.oid) for target in inputs.targets):
        text = f"what it fixes is in '{release.subject}' already, and there is no 'Cc: {STABLE}'"
        yield Finding(Status.PASS, "stable-not-asked", text, source=_STABLE)


# --- people and trees ---------------------------------------------------------------------------------------------


def _blamed(inputs: _FixesContext) -> Iterator[Finding]:
    """Who wrote or signed what is fixed, and does not get the mail."""
    if inputs.mail is None or not inputs.targets:
        return
    told = (Person(inputs.patch.author_name, inputs.patch.author_email), *recipients(inputs.mail))
    missing = find_missing_recipients(inputs.targets, told, inputs.mailmap)
    since = (inputs.subject.series.posted - _SILENT).timestamp()
    recent = recent_work(inputs.targets, inputs.commits, inputs.paths, since) if missing.writers else ()
    active = tuple(one for one in missing.writers if is_active(one, recent, inputs.mailmap))
    others = (*(one for one in missing.writers if one not in active), *missing.signers)
    if active:
        text = f"who wrote what is fixed does not get the mail: {shortened([str(one) for one in active], 3, 'others')}"
        yield Finding(Status.WARN, "blamed", text, mend="\n".join(f"Cc: {one}" for one in active), source=_SUBMITTING)
    if others:
        text = "who signed what is fixed, or has been silent for three years, does not get the mail"
        yield Finding(Status.PASS, "blamed-others", f"{text}: {shortened([str(one) for one in others], 3, 'others')}")


def _designation(inputs: _FixesContext) -> Iterator[Finding]:
    """Whether the tree that the subject names is the one that takes such a fix."""
    if not inputs.targets or len(inputs.targets) != len(inputs.tags):
        return
    environment, prefixes = inputs.subject.environment, inputs.subject.series.prefixes
    found = judge_tree(
        targets=inputs.targets,
        prefixes=prefixes,
        fixes=fixes_trees(environment.config),
        trees=environment.trees,
        commits=inputs.commits,
    )
    if found is None:
        return
    mend = f"[PATCH {found.better}]"
    if found.is_for_fixes:
        text = f"it is for '{found.named}', and all that it fixes is in '{found.better}' already"
        yield Finding(Status.WARN, "tree-of-fixes", text, mend=mend, source=_NETDEV)
    else:
        text = f"it is for '{found.named}', and what it fixes is only in '{found.better}'"
        yield Finding(Status.WARN, "tree-of-next", text, mend=mend, source=_NETDEV)


CHECK = Check("fixes-tag", "Fixes tags: their form, the commits that they name, and who is to know", Scope.PATCH, run)
