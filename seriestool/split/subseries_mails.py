# SPDX-License-Identifier: GPL-2.0-or-later
"""The sub-series as commits and as mails: each a series of its own, whose cover letter says of what it is a part."""

import re
from collections.abc import Iterator, Sequence
from textwrap import fill

from msgspec import Struct

from seriestool.git import CommitIdent, ScratchRepository
from seriestool.rebase.next_version import RebasedSeries, Sender, cover_text, link_to, new_patches, shortlog_of
from seriestool.rebase.patch_commits import commit_series
from seriestool.rebase.rebased_branches import left_out
from seriestool.series.mail.compose import OutgoingSeries, make_change_id, slug
from seriestool.series.model import Patch, Series
from seriestool.series.patch_id import find_patch_id
from seriestool.split.plan_series import PlannedSeries
from seriestool.split.split_plan import SplitPlan, SubmissionOption, SubSeries
from seriestool.split.subseries_proof import Split, SubSeriesProof, patches_needed_first
from seriestool.util.errors import InputError
from seriestool.util.text import joined

_WIDTH = 72
_SUBJECT_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


class SubSeriesCommits(Struct, frozen=True, kw_only=True):
    """A sub-series as commits."""

    number: int
    proof: SubSeriesProof
    first: tuple[tuple[Patch, str], ...]
    """The patches of others that are below it, with their commits; what the tree has already is not there."""
    commits: tuple[tuple[Patch, str], ...]
    left_out: tuple[str, ...]
    """Why which of its patches are not among them, a sentence each."""

    @property
    def onto(self) -> str:
        """The commit of the tree."""
        return self.proof.tried_on.target.commit

    @property
    def start(self) -> str:
        """The commit below its own first one."""
        return self.first[-1][1] if self.first else self.onto

    @property
    def tip(self) -> str:
        """The last commit."""
        return self.commits[-1][1] if self.commits else self.start


def make_commits(
    planned: PlannedSeries, answer: Split, committer: CommitIdent, scratch_repo: ScratchRepository
) -> tuple[SubSeriesCommits, ...]:
    """The sub-series that go in, as commits; the same patches on the same commit are the same commits."""
    patches = {patch.counter: patch for patch in planned.series.patches}
    made = []
    for one, proof in zip(answer.plan.subseries, answer.proofs, strict=True):
        if not proof.is_clean:
            continue
        own = [patches[counter] for counter in one.counters]
        all_ones = [*(patches[counter] for counter in patches_needed_first(one, answer.plan)), *own]
        commits = commit_series(
            scratch_repo=scratch_repo,
            onto=proof.tried_on.target.commit,
            patches=all_ones,
            trees=proof.trees,
            committer=committer,
        )
        ours = tuple(pair for pair in commits if pair[0].counter in one.counters)
        kept = {patch.counter for patch, _ in ours}
        said = tuple(left_out(own, proof.patches, kept))
        made.append(
            SubSeriesCommits(
                number=one.number, proof=proof, first=commits[: len(commits) - len(ours)], commits=ours, left_out=said
            )
        )
    return tuple(made)


def subseries_labels(plan: SplitPlan) -> dict[int, str]:
    """Number of each sub-series -> what it is called in the names of branches and files."""
    found: dict[int, str] = {}
    for one in plan.subseries:
        name = slug(one.name)
        found[one.number] = f"{name}-{one.number}" if name in found.values() else name
    return found


def branch_names(template: str, series: Series, plan: SplitPlan) -> dict[int, str]:
    """Number -> branch, of a template with {series}, {tree} and {number}; InputError where two would be the same."""
    names = {
        number: template.replace("{tree}", label)
        .replace("{number}", str(number))
        .replace("{series}", slug(series.subject))
        for number, label in subseries_labels(plan).items()
    }
    if len(set(names.values())) < len(names):
        raise InputError(
            f"'{template}' is one name for {len(names)} branches", hint="a name for several has {tree} in it"
        )
    return names


def as_mails(
    planned: PlannedSeries,
    answer: Split,
    made: Sequence[SubSeriesCommits],
    sender: Sender,
    scratch_repo: ScratchRepository,
) -> dict[int, OutgoingSeries]:
    """Each sub-series that is left as the first version of a series of its own."""
    return {
        one.number: _as_mail(
            one=one, series=planned.series, answer=answer, made=made, sender=sender, scratch_repo=scratch_repo
        )
        for one in made
        if one.commits
    }


def _as_mail(
    one: SubSeriesCommits,
    series: Series,
    answer: Split,
    made: Sequence[SubSeriesCommits],
    sender: Sender,
    scratch_repo: ScratchRepository,
) -> OutgoingSeries:
    sub = answer.plan.subseries[one.number - 1]
    patches = new_patches(_rebased(one.start, one.commits), scratch_repo)
    text = [*_introduction(one, sub, series, answer), cover_text(series.cover)]
    if len(patches) > 1:
        text += [shortlog_of(patches), scratch_repo.diffstat(one.start, one.tip).rstrip("\n")]
    lists = tuple(entry for entry in sub.cc if "<" not in entry)
    people = tuple(entry for entry in sub.cc if "<" in entry)
    title = series.cover.subject if series.cover else series.subject
    return OutgoingSeries(
        subject=f"{title} (part {sub.number} of {len(answer.plan.subseries)})",
        cover="\n\n".join(part for part in text if part),
        patches=patches,
        version=1,
        prefixes=_prefixes(sub, series, answer.plan),
        base_commit=one.onto,
        change_id=_change_id(sub, series),
        sender_name=sender.name,
        sender_email=sender.email,
        date=sender.date,
        recipients=lists or (() if people else series.recipients),
        cc=people,
        needs=tuple(_needs(one=one, series=series, plan=answer.plan, made=made, scratch_repo=scratch_repo)),
    )


def _rebased(start: str, commits: tuple[tuple[Patch, str], ...]) -> RebasedSeries:
    return RebasedSeries("", start, "", commits)


def _change_id(sub: SubSeries, series: Series) -> str:
    said = f"{series.msgid} {sub.number} {sub.name}"
    return make_change_id(f"{slug(series.subject, 28)} {slug(sub.name, 12)}", series.posted, said)


def _prefixes(sub: SubSeries, series: Series, plan: SplitPlan) -> tuple[str, ...]:
    """The tree's own word, and what the series said besides: RFC."""
    trees = {name for one in plan.destinations for name in one.names}
    kept = [word for word in series.prefixes if word.lower() not in trees]
    own = [sub.name] if sub.destination and _SUBJECT_WORD.fullmatch(sub.name) else []
    return (*kept, *own)


def _needs(
    one: SubSeriesCommits,
    series: Series,
    plan: SplitPlan,
    made: Sequence[SubSeriesCommits],
    scratch_repo: ScratchRepository,
) -> Iterator[str]:
    """What has to be below it on its base: the sub-series (as b4 names them), and the very patches (as git does)."""
    if not one.first:
        return
    below = {patch.counter for patch, _ in one.first}
    sent = {other.number for other in made if other.commits}
    for other in plan.subseries:
        if other.number in sent and not below.isdisjoint(other.counters):
            yield f"prerequisite-change-id: {_change_id(other, series)}:v1"
    for patch in new_patches(_rebased(one.onto, one.first), scratch_repo):
        if patch_id := find_patch_id(patch.diff):
            yield f"prerequisite-patch-id: {patch_id}"


# --- the cover letter ---------------------------------------------------------------------------------------------


def _introduction(one: SubSeriesCommits, sub: SubSeries, series: Series, answer: Split) -> Iterator[str]:
    """What a reader must know of a part; titles stand on lines of their own, for nobody knows what is in them."""
    plan = answer.plan
    title = series.cover.subject if series.cover else series.subject
    count = len(plan.subseries)
    yield _filled(f"This is part {sub.number} of {count} of a series, split by the trees that take it. {_goes_to(sub)}")
    yield "\n".join([f"  {title}", *([f"  {link_to(series)}"] if series.msgid else [])])
    if sub.waits:
        others = [f"part {wait.on} ({plan.subseries[wait.on - 1].name})" for wait in sub.waits]
        yield _filled(f"It goes after {joined(others)}.")
    if one.first:
        titles = [f"- {patch.subject} (part {plan.of_patch(patch.counter).number})" for patch, _ in one.first]
        yield "\n".join(["On its base-commit it needs these patches first:", *titles])
    if not one.proof.tried_on.is_own:
        commit = answer.commit(one.onto)
        what = f" ({commit.subject})" if commit else ""
        yield f"It was put on {one.proof.tried_on.target.name}, {one.onto[:12]}{what},\nnot on the tree itself."
    if acks := list(_acks(sub)):
        yield "\n".join(["An Acked-by is wanted of the owners of other files:", *acks])
    if one.left_out:
        yield "\n".join(f"- {sentence}" for sentence in one.left_out)
    yield "\n".join(["The parts:", *(_part_lines(other) for other in plan.subseries)])


def _goes_to(sub: SubSeries) -> str:
    if sub.destination:
        return f"It is for {sub.name}."
    names = [choice.destination for choice in sub.choices]
    return f"Which tree takes it is open: {joined(names, 'or')}." if names else "Which tree takes it is open."


def _acks(sub: SubSeries) -> Iterator[str]:
    for patch in sub.patches:
        wanted = [ack for ack in patch.acks if set(ack.people) - set(ack.given)]
        if SubmissionOption.THROUGH in patch.verdicts and wanted:
            trees = joined([" or ".join(ack.trees) for ack in wanted])
            yield f"- {patch.subject} ({trees})"


def _part_lines(sub: SubSeries) -> str:
    return "\n".join([f"  {sub.number}. {sub.name}", *(f"     {patch.subject}" for patch in sub.patches)])


def _filled(text: str) -> str:
    return fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
