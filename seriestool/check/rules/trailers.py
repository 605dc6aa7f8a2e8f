# SPDX-License-Identifier: GPL-2.0-or-later
"""The trailers of a commit message: how they are written, where they stand, and what became of those that others gave
to the version before (docs/checks/trailers.md)."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from seriestool.check.commits.project_rules import read_mailmap
from seriestool.check.commits.tag_changes import compare_tags
from seriestool.check.protocol import Check, CheckSubject, Finding, Scope, Status
from seriestool.series.message.commit_message import Trailer
from seriestool.series.message.people import Mailmap, parse_person
from seriestool.series.message.trailer_names import is_well_known, meant_name, proper_name, tip_rank

_SUBMITTING = "Documentation/process/submitting-patches.rst"
_REPORTED = f"{_SUBMITTING}, Using Reported-by:, Tested-by:, Reviewed-by:, Suggested-by: and Fixes:"
_DESCRIBE = f"{_SUBMITTING}, Describe your changes"
_TIP = "Documentation/process/maintainer-tip.rst, Ordering of commit tags"
_ASSISTED = "Documentation/process/coding-assistants.rst"
_GERRIT = re.compile(r"I[0-9a-f]{8,64}$")
_COMBINED = re.compile(r"(?:[a-z]+-)?(?:by-)?[a-z]+(?:-(?:and|&|n)-[a-z]+){1,3}-by$", re.I)
_AND = re.compile(r"-(?:and|&|n)-", re.I)
_URL = re.compile(r"https?://[^\s/]+\.[^\s/]+(?:/\S*)?(?:\s.*)?$", re.I | re.S)
_MESSAGE_ID = re.compile(r"<?[^\s<>/]+@[^\s<>/]+>?(?:\s.*)?$", re.S)
_NO_SCHEME = re.compile(
    r"(?:www\.|lore\.kernel\.org/|bugzilla\.|github\.com/|git\.kernel\.org/|patch\.msgid\.link/)\S+"
)
_ASSISTANT = re.compile(r"[^\s:<>@]{1,60}:[^\s<>@]{1,100}(?:\s+\S{1,60}){0,20}$")
_NO_PERSON = ("assisted-by", "co-authored-by", "message-id", "tested-on")
_REPORTS = ("reported-by", "reported-and-tested-by")
_LINKS = ("closes", "link", "buglink", "bugzilla", "references", "bug")
_PLACED_ELSEWHERE = ("fixes", "link", "closes", "cc", "signed-off-by", "based-on", "depends-on", "message-id")
"""Not asked for among the trailers: fixes-tag and sign-off ask themselves, and links and people stand in text too."""
_MOST_LINES = 300
_TIP_LIST = "x86@kernel.org"


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What is to be said of the trailers of a patch."""
    inputs = _TrailersContext(subject)
    for line in inputs.lines:
        yield from _spelling(line)
        yield from _value(line)
    yield from _gaps(inputs)
    yield from _repeated(inputs)
    if inputs.is_kernel:
        yield from _co_authors(inputs)
        yield from _assistants(inputs)
        yield from _reports(inputs)
        yield from _of_gerrit(inputs)
        yield from _order(inputs)
    yield from _carried(inputs)


class _TrailersContext:
    """The patch with what is looked up for it."""

    def __init__(self, subject: CheckSubject) -> None:
        self.subject = subject
        self.message = subject.patch.commit_message
        self.lines = self.message.trailers[:_MOST_LINES]
        self.stray = self.message.stray[:_MOST_LINES]
        self.project = subject.project
        self.is_kernel = subject.is_kernel

    def named(self, key: str) -> tuple[Trailer, ...]:
        """The trailers of that name, given in lower case."""
        return tuple(line for line in self.lines if line.key == key)

    @cached_property
    def mailmap(self) -> Mailmap:
        """That of the project."""
        return read_mailmap(self.subject.environment.scratch_repo, self.project)


# --- how they are written -------------------------------------------------------------------------------------------


def _spelling(line: Trailer) -> Iterator[Finding]:
    if _COMBINED.match(line.name) and proper_name(line.name) is None:
        names = [_capital(part) for part in _AND.split(re.sub(r"-by$", "", line.name, flags=re.I))]
        mend = "\n".join(f"{name}-by: {line.value}" for name in names)
        text = f"'{line.name}' says two things in one: tools know neither"
        yield Finding(Status.WARN, "combined", text, line=line.number, mend=mend)
        return
    proper, meant = proper_name(line.name), meant_name(line.name)
    if meant is not None and _fits(meant, line.value):
        text = f"'{line.name}' is not how '{meant}' is spelt"
        yield Finding(Status.WARN, "misspelt", text, line=line.number, mend=f"{meant}: {line.value}")
    elif proper is not None and proper != line.name and proper.endswith("-by") and line.key != "co-authored-by":
        text = f"'{line.name}' is written '{proper}'"
        yield Finding(Status.WARN, "case", text, line=line.number, mend=f"{proper}: {line.value}")
    if (proper or meant) and not line.text.startswith(f"{line.name}: ") and line.key != "fixes":
        text = "a colon and one blank stand between the name of a trailer and its value"
        yield Finding(Status.WARN, "spacing", text, line=line.number, mend=f"{proper or meant}: {line.value}")


def _fits(name: str, value: str) -> bool:
    """Whether the value is one for such a trailer: there are other words that are near a well-known name."""
    return parse_person(value) is not None if name.endswith("-by") else "://" in value


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:].lower()


def _value(line: Trailer) -> Iterator[Finding]:
    if line.key in ("link", "closes"):
        yield from _url(line)
    elif line.key.endswith("-by") and is_well_known(line.name) and line.key not in _NO_PERSON:
        if parse_person(line.value) is None:
            text = f"the {line.name} names nobody with an address"
            yield Finding(Status.WARN, "person", text, line=line.number)
        elif line.value.count("<") != line.value.count(">") or line.value.count("<") > 1:
            yield Finding(Status.WARN, "person", "the address does not stand in one pair of <>", line=line.number)


def _url(line: Trailer) -> Iterator[Finding]:
    if _URL.match(line.value) or _MESSAGE_ID.match(line.value):
        return
    mend = f"{line.name}: https://{line.value}" if _NO_SCHEME.match(line.value) else None
    text = f"the {line.name} has no URL"
    yield Finding(Status.WARN, "url", text, line=line.number, mend=mend, source=_DESCRIBE)


# --- where they stand -----------------------------------------------------------------------------------------------


def _gaps(inputs: _TrailersContext) -> Iterator[Finding]:
    """Trailers above the last paragraph, where git does not see them."""
    lost = [one for one in inputs.stray if one.key not in _PLACED_ELSEWHERE and parse_person(one.value)]
    lost += [one for one in inputs.stray if one.key == "signed-off-by" and parse_person(one.value)]
    if not lost or not (inputs.lines or len(lost) > 1):
        return
    lost.sort(key=lambda one: one.number)
    text = f"'{lost[0].name}' does not stand in the last paragraph, with the other trailers: git does not see it"
    if len(lost) > 1:
        text = text.replace("' does", f"' and {len(lost) - 1} others do").replace("see it", "see them")
    mend = "take out the empty line or the text between the trailers"
    yield Finding(Status.WARN, "place", text, line=lost[0].number, mend=mend, source="git-interpret-trailers(1)")


def _repeated(inputs: _TrailersContext) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for line in inputs.lines:
        key = (line.key, " ".join(line.value.lower().split()))
        if key in seen and is_well_known(line.name) and line.key != "fixes":
            yield Finding(Status.WARN, "repeated", f"this {line.name} stands here twice", line=line.number)
        seen.add(key)


def _co_authors(inputs: _TrailersContext) -> Iterator[Finding]:
    """What other projects say, where the kernel has words of its own."""
    for line in inputs.named("co-authored-by"):
        text = f"'{line.name}' is no tag of the kernel, which says Co-developed-by of people and Assisted-by of tools"
        yield Finding(Status.WARN, "co-authored", text, line=line.number, source=_ASSISTED)


def _assistants(inputs: _TrailersContext) -> Iterator[Finding]:
    for line in inputs.named("assisted-by"):
        if not _ASSISTANT.match(line.value):
            text = "a tool is named as 'AGENT:MODEL', with other tools behind it"
            yield Finding(Status.PASS, "assisted-by", text, line=line.number, source=_ASSISTED)


def _reports(inputs: _TrailersContext) -> Iterator[Finding]:
    """Reported-by without a link to the report behind it; one link serves, and one is missed, for all in a row."""
    lines = sorted((*inputs.lines, *inputs.stray), key=lambda one: one.number)
    for at, line in enumerate(lines):
        rest = lines[at + 1 :]
        if line.key not in _REPORTS or (rest and rest[0].key in _REPORTS):
            continue
        if not _is_linked(rest):
            text = f"behind the {line.name} there is no Closes with the URL of the report"
            yield Finding(Status.WARN, "no-closes", text, line=line.number, mend="Closes: <URL>", source=_REPORTED)


def _is_linked(rest: Sequence[Trailer]) -> bool:
    for line in rest:
        if line.key in _LINKS:
            return True
        if line.key in ("signed-off-by", "reviewed-by"):
            return False
    return False


def _of_gerrit(inputs: _TrailersContext) -> Iterator[Finding]:
    for line in (*inputs.lines, *inputs.stray):
        if line.key == "change-id" and _GERRIT.match(line.value):
            text = "a Change-Id is for Gerrit, and means nothing here"
            mend = "take the line out"
            source = "Documentation/dev-tools/checkpatch.rst, GERRIT_CHANGE_ID"
            yield Finding(Status.FAIL, "change-id", text, line=line.number, mend=mend, source=source)


def _order(inputs: _TrailersContext) -> Iterator[Finding]:
    """The order of the tip tree, where the series goes there."""
    if _TIP_LIST not in inputs.subject.series.recipients:
        return
    highest, above = -1, ""
    for line in inputs.lines:
        rank = tip_rank(line.name)
        if rank is None:
            continue
        # Closes belongs to the Reported-by above it, of which there may be several.
        if rank < highest and not (
            line.key in ("reported-by", "closes") and above.lower() in ("reported-by", "closes")
        ):
            text = f"in the tip tree {line.name} stands above {above}"
            yield Finding(Status.WARN, "tip-order", text, line=line.number, source=_TIP)
            return
        highest, above = rank, line.name


# --- what others gave -----------------------------------------------------------------------------------------------


def _carried(inputs: _TrailersContext) -> Iterator[Finding]:
    previous, patch = inputs.subject.previous, inputs.subject.patch
    if previous is None:
        return
    carried = compare_tags(patch, previous, inputs.subject.series, inputs.mailmap)
    if carried is None:
        return
    version = f"v{previous.version}"
    if carried.dropped:
        lines = tuple(f"{one.name}: {one.value}" for one in carried.dropped)
        text = f"{_count(lines)} of {version} not carried over: {', '.join(lines[:3])}"
        if carried.has_changed_much or _speaks_of_it(inputs):
            why = "the patch has changed much since" if carried.has_changed_much else "the notes speak of it"
            yield Finding(Status.PASS, "dropped", f"{text} ({why})")
        else:
            yield Finding(Status.WARN, "dropped", text, mend="\n".join(lines), source=_REPORTED)
    if carried.added:
        lines = tuple(f"{one.name}: {one.value}" for one in carried.added)
        text = f"new since {version}: {', '.join(lines[:5])}"
        yield Finding(Status.PASS, "added", text, line=carried.added[0].number)


def _count(lines: Sequence[str]) -> str:
    return "a tag" if len(lines) == 1 else f"{len(lines)} tags"


def _speaks_of_it(inputs: _TrailersContext) -> bool:
    """Whether the author says that tags were dropped, below `---` or in the cover letter."""
    cover = inputs.subject.series.cover
    texts = (inputs.subject.patch.notes, cover.body if cover else "")
    return any(
        re.search(r"(?:drop|remov)\w{0,4}\b[^\n]{0,60}(?:-by\b|\btags?\b|\b[RAT]-?b\b)", text, re.I) for text in texts
    )


CHECK = Check(
    "trailers", "trailers: spelling, place, links to reports, and tags lost since the last version", Scope.PATCH, run
)
