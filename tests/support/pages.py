# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the pages show: a series really put on trees and checked, and one made by hand of any size."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from seriestool.base.prerequisites.prerequisite_results import NeededPatch, NeededPatchState, PrerequisiteResult
from seriestool.base.verdict import BestBase as VerdictBase
from seriestool.base.verdict import Candidate, CommitSummary, FitLevel, Verdict
from seriestool.check.protocol import CheckResult, Finding, Report, Status
from seriestool.check.selection import CheckOptions
from seriestool.git import Repository
from seriestool.precheck.precheck_result import Precheck, SeriesVersion, StepNote
from seriestool.precheck.resources import PrecheckResources
from seriestool.precheck.timeline import MarkKind, Timeline, TimelineMark, TimelineSpan, TreeTimeline
from seriestool.rebase.conflict_regions import ConflictRegion
from seriestool.rebase.patch_stack import BaseKind, SeriesBase
from seriestool.rebase.rebase_result import Conflict, ConflictPlace, OutcomeReason, PatchResult, Rebase, TreeResult
from seriestool.series.diff import parse_diff
from seriestool.series.model import BaseInfo, DiffKind, Hunk, Outcome, Patch, PatchFailure, Series
from seriestool.session import SeriesInput, SessionOptions, SessionSettings
from seriestool.sources.lists import ListedPatch
from tests.support.kernels import LAMP, LampKernel, make_lamp_kernel, make_mistakes, signed
from tests.support.repos import Repo
from tests.support.series import parse_series
from tests.support.session import run_precheck_of

POSTED = datetime(2026, 1, 19, 15, 4, tzinfo=UTC)


DAY = timedelta(days=1)


_CHECKS = ("fixes-tag", "sign-off", "spdx", "new-file", "apply", "trailers", "subject-prefix")


def oid(number: int) -> str:
    """A commit's id."""
    return f"{number:040x}"


# --- a real one -----------------------------------------------------------------------------------------------------


def real_precheck(repo: Repo, cache: Path) -> Precheck:
    """Three patches with mistakes on four trees: one as the base is, one that moved, one in conflict, one that has
    the first patch."""
    kernel = make_lamp_kernel(repo)
    mails = make_mistakes(kernel).read_bytes()
    _make_trees(kernel)
    return run_on(repo, parse_series(mails), cache)


def run_on(repo: Repo, series: Series, cache: Path) -> Precheck:
    """What precheck says of the series, with checks that build nothing."""
    settings = SessionSettings(cache, cache / "lists", offline=True, jobs=2)
    with Repository.open(repo.path) as repository, PrecheckResources(repository, settings) as resources:
        wishes = SessionOptions(checks=CheckOptions(only=_CHECKS))
        return run_precheck_of(resources, SeriesInput(series), wishes, versions(series))


def _make_trees(kernel: LampKernel) -> None:
    repo, text = kernel.repo, LAMP.replace("1", "3")
    start = repo.git("rev-parse", "main")
    link = "Link: https://patch.msgid.link/20231114.five@example.org"
    changed = {"drivers/lamp/lamp.c": text.replace("3", "5")}
    repo.commit(changed, f"lamp: return five\n\nMore.\n\n{link}", branch="lamp-next", parent=start)
    lines = text.replace("int lamp_on", "\n/* On. */\n\n\nint lamp_on")
    repo.commit({"drivers/lamp/lamp.c": lines}, "lamp: say more", branch="lamp-fixes", parent=start)
    tag = f'Fixes: {kernel.fixed[:12]} ("lamp: return too")'
    done = signed("lamp: return four", "It returned three.", tag)
    repo.commit({"drivers/lamp/lamp.c": text.replace("3", "4")}, done, branch="linus", parent=start)


def versions(series: Series) -> tuple[SeriesVersion, ...]:
    """This one, and one before it."""
    before = SeriesVersion(0, "before@example.org", "the same, earlier", series.posted - 9 * DAY, 2, False)
    now = SeriesVersion(series.version, series.msgid, series.subject, series.posted, len(series.patches), True)
    return before, now


def steps() -> tuple[StepNote, ...]:
    """One kept, one that could not be done."""
    problem = "the list server is away"
    return StepNote("base", 0.4, True), StepNote("prerequisites", 1.25, problem=problem), StepNote("checks", 12.0)


# --- one made by hand -----------------------------------------------------------------------------------------------


def made_patch(counter: int, subject: str, lines: int = 20, path: str | None = None) -> Patch:
    """A patch that adds so many lines to one file."""
    name = path or f"drivers/net/part{counter}.c"
    body = "".join(f"+\tvalue_{n} = compute({n}, &state);\n" for n in range(lines))
    header = f"diff --git a/{name} b/{name}\nindex 0123456..89abcde 100644\n--- a/{name}\n+++ b/{name}\n"
    diff = f"{header}@@ -10,3 +10,{3 + lines} @@ int start(void)\n \tint n;\n{body} \treturn n;\n }}\n".encode()
    message = "It was wanted, and this is why.\n\nSigned-off-by: A U Thor <author@example.com>"
    return Patch(f"part{counter}@example.org", counter, subject, "A U Thor", "author@example.com", POSTED, message, "",
                 parse_diff(diff), diff)  # fmt: skip


def made_series(*patches: Patch, subject: str = "net: parts that compute", version: int = 3) -> Series:
    """The series of them."""
    return Series("cover@example.org", subject, version, len(patches), patches, None, None, BaseInfo(), (), POSTED)


def made_precheck(series: Series, trees: int = 4) -> Precheck:
    """All parts of the answer filled: each outcome occurs, patches 2, 5, 8, ... conflict on the second tree, every
    patch has findings beside a line of its diff, of its message and of itself."""
    commits = (
        CommitSummary(
            oid(1), "net: change what they compute", POSTED + DAY, "Nora Net", "https://lore.kernel.org/r/n@x.org"
        ),
        CommitSummary(oid(2), "net: parts that compute, merged", POSTED + 2 * DAY, "Ned Net", "javascript:alert(1)"),
    )
    base = SeriesBase(BaseKind.EXACT, oid(3), 4, 4, 0, {})
    verdict = Verdict(
        series, FitLevel.EXACT, VerdictBase(oid(3), "net-next", "v6.19-rc5-214-g00", "net: a commit", POSTED - 3 * DAY),
        None,
        (Candidate("net-next", oid(3), FitLevel.EXACT, 4, 4),), (), commits,
    )  # fmt: skip
    names = ("net-next", "net", "linus", "stable/linux-6.12.y", *(f"tree-{n}" for n in range(trees)))[:trees]
    columns = tuple(
        TreeResult(name, oid(10 + n), tuple(_fared(patch, n) for patch in series.patches), ())
        for n, name in enumerate(names)
    )
    results = tuple(result for patch in series.patches for result in _found(patch))
    return Precheck(
        series, verdict, needed(), base, Rebase(series, base, columns, commits), None,
        Report(series, base, "v6.19-rc5", "netdev", (_of_series(), *results)), long_timeline(),
        versions(series), steps(),
    )  # fmt: skip


def _fared(patch: Patch, tree: int) -> PatchResult:
    n = patch.counter
    if tree == 0:
        return PatchResult(n, Outcome.UNMODIFIED, OutcomeReason.PLAIN)
    if tree == 1 and n % 3 == 2:
        return PatchResult(n, Outcome.CONFLICT, OutcomeReason.CONFLICT, conflicts=(made_conflict(patch),))
    if tree == 2 and n == 1:
        return PatchResult(
            n, Outcome.ALREADY_MERGED, OutcomeReason.SUBJECT, merged_as=oid(2), range_diff="1:  a ! 1:  b\n    - x"
        )
    if tree == 3:
        failure = PatchFailure(patch.files[0].path, "missing-file")
        return PatchResult(n, Outcome.CONFLICT, OutcomeReason.NO_BASE, failure=failure)
    ways = (
        (Outcome.UNMODIFIED, OutcomeReason.PLAIN, 0),
        (Outcome.MODIFIED, OutcomeReason.OFFSET, 2),
        (Outcome.MODIFIED, OutcomeReason.THREE_WAY, 0),
    )
    outcome, how, offsets = ways[(n + tree) % 3]
    return PatchResult(n, outcome, how, offsets)


def made_conflict(patch: Patch) -> Conflict:
    """A conflict at one place, with a commit behind it."""
    region = ConflictRegion(
        11, (b"\treturn n;\n",), (b"\treturn other(n);\n", b"\t/* done */\n"), (b"\tvalue_0 = compute(0);\n",),
        (b"int start(void)\n", b"{\n"), (b"}\n",),
    )  # fmt: skip
    return Conflict(patch.files[0].path, "contents", "", (ConflictPlace(region, 12, 1, (oid(1),)),))


def _found(patch: Patch) -> tuple[CheckResult, ...]:
    path = patch.files[0].path
    beside = Finding(Status.WARN, "long-line", "this line is long", path, 12, mend="break it")
    away = Finding(Status.WARN, "far", "not in the diff", path, 4000)
    message = Finding(
        Status.FAIL, "subject-mismatch", "the commit has another subject", line=3, mend="Fixes: 0123 (\"x\")",
        source="https://www.kernel.org/doc/html/latest/process/submitting-patches.html",
    )  # fmt: skip
    whole = Finding(Status.PASS, "note", "good to know", source="javascript:alert(1)", details="more\nof it")
    unseen = Finding(Status.SKIP, "not-there", "there is no compiler")
    some = [beside, away, whole] if patch.counter % 4 else [beside, message]
    return CheckResult("style", patch.counter, tuple(some)), CheckResult("build", patch.counter, (unseen,))


def _of_series() -> CheckResult:
    return CheckResult("cover-letter", None, (Finding(Status.WARN, "no-changelog", "it does not say what changed"),))


def mailed_patch(counter: int, series: str = "other@example.org", title: str = "net: what it needs") -> ListedPatch:
    """A patch on a list."""
    return ListedPatch(
        msgid=f"n{counter}.{series}", subject=f"net: need number {counter}", author="Nora Net", date=POSTED, version=2,
        counter=counter, expected=3, series=series, title=title,
    )  # fmt: skip


def needed() -> PrerequisiteResult:
    """Patches of two series, in each state."""
    return PrerequisiteResult((
        NeededPatch(mailed_patch(1), NeededPatchState.UNMERGED, "discovered"),
        NeededPatch(mailed_patch(2), NeededPatchState.MERGED, "discovered", merged_as=oid(4)),
        NeededPatch(mailed_patch(1, "third@example.org", "lib: a helper"), NeededPatchState.SUPERSEDED, "stated",
             "prerequisite-message-id: <n1.third@example.org>"),
        NeededPatch(None, NeededPatchState.MISSING, "stated", f"prerequisite-patch-id: {oid(77)}"),
    ), hints=("https://lore.kernel.org/r/hint@example.org", "javascript:alert(1)"))  # fmt: skip


def long_timeline() -> Timeline:
    """Three months, four trees, marks that crowd and marks outside of the window."""

    def span(number: int, since: float, until: float | None) -> TimelineSpan:
        end = POSTED + until * DAY if until is not None else None
        return TimelineSpan(
            oid(number), oid(number + 1), POSTED + since * DAY, end, 40 + number, oid(1) if end else None
        )

    lines = (
        TreeTimeline("net-next", oid(20), POSTED + 40 * DAY, (span(100, -20, -8), span(110, -6, None))),
        TreeTimeline("net", oid(21), POSTED + 30 * DAY, (span(120, -6, 9),)),
        TreeTimeline("linus", oid(22), POSTED + 41 * DAY, ()),
        TreeTimeline("stable/linux-6.12.y-with-a-very-long-name", oid(23), POSTED + 20 * DAY, (span(130, 2, 2.01),)),
    )
    marks = (
        TimelineMark(MarkKind.POSTED, POSTED, "this version"),
        TimelineMark(MarkKind.VERSION, POSTED - 2 * DAY, "v2"),
        TimelineMark(MarkKind.VERSION, POSTED - 12 * DAY, "v1"),
        TimelineMark(MarkKind.VERSION, POSTED + 14 * DAY, "v4"),
        TimelineMark(MarkKind.STATED, POSTED - 4 * DAY, "net: another commit", oid(5), "net-next"),
        TimelineMark(MarkKind.BASE, POSTED - 3 * DAY, "net: a commit", oid(3), "net-next"),
        TimelineMark(MarkKind.BROKE, POSTED - 8 * DAY, "net: undone", oid(6), "net-next"),
        TimelineMark(MarkKind.BROKE, POSTED + 9 * DAY, "net: change what they compute", oid(1), "net"),
        TimelineMark(MarkKind.BASE, POSTED - 200 * DAY, "long ago", oid(7), "linus"),
        TimelineMark(MarkKind.BROKE, POSTED + 2.01 * DAY, "again", oid(8), "stable/linux-6.12.y-with-a-very-long-name"),
    )
    return Timeline(POSTED - 30 * DAY, POSTED + 42 * DAY, FitLevel.EXACT, lines, marks)


def without_answers(precheck: Precheck) -> Precheck:
    """The same where nothing could be found."""
    verdict = replace(precheck.verdict, level=FitLevel.NONE, base=None, candidates=())
    notes = tuple(StepNote(name, 0.0, problem=f"no {name} today") for name in
                  ("base", "prerequisites", "matrix", "split", "checks", "timeline", "versions"))  # fmt: skip
    return Precheck(precheck.series, verdict, None, None, None, None, None, None, (), notes)


# --- a hostile one --------------------------------------------------------------------------------------------------

EVIL = (
    '</title></style></script><script>window.hit = 1</script>"\'><img src=x onerror="window.hit = 1"> {{ 7*7 }} '
    "{% raw %} \u202egnp.exe\u2066 \x00\x1b[31m\u200f <svg onload=window.hit=1> ]]> --> &amp; "
)


LONG = "x" * 5000


def hostile_precheck() -> Precheck:
    """Every text that comes from a mail, a tree or a check is hostile."""
    path = 'drivers/</code><script>window.hit=1</script>"{{ 7*7 }}\u202e.c'
    made = made_precheck(made_series(made_patch(1, EVIL), made_patch(2, LONG), subject=EVIL))
    assert made.matrix
    assert made.checks
    assert made.timeline
    name = EVIL.encode()
    patch = replace(
        made_patch(1, EVIL), author_name=EVIL, message=f"{EVIL}\n\n{LONG}\n", msgid=EVIL, files=(
            replace(made_patch(1, "x").files[0], old_path=name, new_path=path.encode(), kind=DiffKind.RENAME, hunks=(
                Hunk(1, 1, 1, 2, name, (b" " + name + b"\n", b"+" + LONG.encode() + b"\xff\xfe\x00\n")),
            )),
        ),
    )  # fmt: skip
    series = replace(made.series, subject=EVIL, msgid=EVIL, patches=(patch, made.series.patches[1]), remarks=(EVIL,))
    commit = CommitSummary(oid(1), EVIL, POSTED, EVIL, f"https://example.org/{EVIL}")
    conflict = made_conflict(made.series.patches[0])
    place = replace(
        conflict.places[0], region=ConflictRegion(1, (name,), (b"\xff" + name,), (LONG.encode(),), (name,), (name,))
    )
    results = (
        PatchResult(
            1, Outcome.CONFLICT, OutcomeReason.CONFLICT, conflicts=(replace(conflict, path=name, places=(place,)),)
        ),
        PatchResult(2, Outcome.ALREADY_MERGED, OutcomeReason.SUBJECT, merged_as=oid(1), range_diff=EVIL),
    )
    finding = Finding(Status.FAIL, EVIL, EVIL, path.encode(), 2, EVIL, f"javascript:{EVIL}", None, EVIL)
    of_message = Finding(Status.WARN, "x", EVIL, line=1, source=f'https://example.org/"onmouseover={EVIL}')
    lines = (replace(made.timeline.lines[0], tree=EVIL), replace(made.timeline.lines[1], tree=LONG))
    marks = tuple(replace(mark, label=EVIL, tree=EVIL if mark.tree else None) for mark in made.timeline.marks)
    patches = tuple(
        replace(mailed_patch(n), subject=EVIL, author=EVIL, title=(EVIL, LONG)[n % 2], msgid=EVIL, series=str(n))
        for n in (1, 2)
    )
    needs = (
        *(NeededPatch(one, NeededPatchState.UNMERGED, "stated", EVIL) for one in patches),
        NeededPatch(None, NeededPatchState.MISSING, EVIL, EVIL),
    )
    base = VerdictBase(oid(3), EVIL, EVIL, EVIL, POSTED)
    return replace(
        made,
        series=series,
        verdict=replace(made.verdict, series=series, base=base, commits=(commit,), notes=(EVIL,)),
        prerequisites=PrerequisiteResult(needs, hints=(EVIL, f"https://example.org/{EVIL}")),
        matrix=Rebase(series, made.base, (TreeResult(EVIL, oid(9), results, ()),), (commit,), (EVIL,)),
        checks=replace(
            made.checks,
            series=series,
            describe=EVIL,
            profile=EVIL,
            results=(
                CheckResult(EVIL, 1, (finding, of_message, Finding(Status.SKIP, EVIL, EVIL))),
                CheckResult(EVIL, None, (finding,)),
            ),
        ),
        timeline=replace(made.timeline, lines=lines, marks=marks),
        versions=tuple(replace(one, subject=EVIL, msgid=EVIL) for one in made.versions),
        steps=(StepNote(EVIL, 1.0, problem=EVIL),),
    )
