# SPDX-License-Identifier: GPL-2.0-or-later
"""Who signed the patch off: its author, who developed it with them, and who sent it (docs/checks/sign-off.md)."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from seriestool.check.commits.commit_lookup import CommitLookup
from seriestool.check.commits.project_rules import read_mailmap, signs_off
from seriestool.check.protocol import Check, CheckSubject, Finding, Scope, Status
from seriestool.series.mail import Mail
from seriestool.series.mail.headers import decode_header
from seriestool.series.mail.patch_mail import has_via, parse_author, take_apart, without_via
from seriestool.series.message.commit_message import Trailer
from seriestool.series.message.people import Mailmap, Person, PersonMatch, parse_person
from seriestool.series.message.trailer_names import edit_distance

_SIGN = "Documentation/process/submitting-patches.rst, Sign your work"
_CO_DEVELOPED = "Documentation/process/submitting-patches.rst, When to use Acked-by:, Cc:, and Co-developed-by:"
_KEY = "signed-off-by"
_CO_KEY = "co-developed-by"
_LOOK_BACK = 200
_SLIPS = 3
_MOST_LINES = 300
_MOST_READ = 5000


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What is to be said of the sign-offs of a patch; nothing where the project has no use for them."""
    inputs = _SignOffContext(subject)
    if not inputs.signed:
        if inputs.is_rule:
            yield _missing(inputs)
        return
    yield from _forms(inputs)
    yield from _author(inputs)
    yield from _sender(inputs)
    yield from _co_developers(inputs)


class _SignOff(Struct, frozen=True):
    """A sign-off, and whose it is."""

    line: Trailer
    person: Person | None


class _SignOffContext:
    """The patch with all that is looked up for it, once."""

    def __init__(self, subject: CheckSubject) -> None:
        self.subject = subject
        self.patch = subject.patch
        self.message = self.patch.commit_message
        lines = sorted((*self.message.trailers, *self.message.stray), key=lambda one: one.number)
        self.lines: Sequence[Trailer] = lines[:_MOST_LINES]
        self.signed = [_SignOff(one, parse_person(one.value)) for one in self.lines if one.key == _KEY]
        self.mail = Mail(self.patch.raw) if subject.is_mailed and self.patch.raw else None
        self.author = Person(self.patch.author_name, self.patch.author_email)

    @cached_property
    def is_rule(self) -> bool:
        """Whether patches of the project have to be signed off: it is a kernel, or its last commits are."""
        environment = self.subject.environment
        if self.subject.project is None:
            return False
        if self.subject.is_kernel:
            return True
        commits = CommitLookup(environment.repository, environment.scratch_repo, environment.history)
        return bool(signs_off(commits.recent(self.subject.project, _LOOK_BACK)))

    @cached_property
    def grave(self) -> Status:
        """How grave it is that a rule is broken."""
        return Status.FAIL if self.is_rule else Status.WARN

    @cached_property
    def mailmap(self) -> Mailmap:
        """That of the project."""
        return read_mailmap(self.subject.environment.scratch_repo, self.subject.project)

    @cached_property
    def sender(self) -> Person | None:
        """Who sent the mail; None where it was not sent."""
        value = self.mail.header("from") if self.mail else None
        return Person(*parse_author(decode_header(value))) if value else None

    @cached_property
    def has_own_from(self) -> bool:
        """Whether the mail's text begins with a From line, which is the author then."""
        return self.mail is not None and "from" in take_apart(self.mail).inbody

    def likeness(self, person: Person) -> PersonMatch:
        """The best that is found among those who signed."""
        found = {self.mailmap.compare(person, one.person) for one in self.signed if one.person is not None}
        return next((one for one in (PersonMatch.SAME, PersonMatch.NAME) if one in found), PersonMatch.OTHER)

    def unwrapped(self, person: Person) -> tuple[Person, ...]:
        """Who may be behind an address that a list or a relay put in the place of the sender's."""
        if self.mail is None or not (has_via(person.name) or self._is_list(person)):
            return ()
        name = without_via(person.name)
        values = [value for key in ("x-original-from", "reply-to") for value in self.mail.headers(key)]
        others = (parse_person(decode_header(value)) for value in values)
        return (Person(name, ""), *(one for one in others if one is not None and not self._is_list(one)))

    def _is_list(self, person: Person) -> bool:
        ids = self.mail.headers("list-id") if self.mail else []
        local, _, host = person.address.lower().partition("@")
        return any(f"<{local}.{host}>".encode() in value.lower() for value in ids)


# --- there is none --------------------------------------------------------------------------------------------------


def _missing(inputs: _SignOffContext) -> Finding:
    slip = _slip(inputs)
    mend = f"Signed-off-by: {inputs.author}"
    if slip is not None:
        text = f"there is no Signed-off-by; '{slip.text[:60]}' is none"
        return Finding(Status.FAIL, "missing", text, line=slip.number, mend=mend, source=_SIGN)
    if "signed-off-by:" in inputs.patch.notes.lower():
        text = "there is no Signed-off-by in the commit message; what stands below '---' is not part of it"
        return Finding(Status.FAIL, "missing", text, mend=mend, source=_SIGN)
    return Finding(Status.FAIL, "missing", "there is no Signed-off-by", mend=mend, source=_SIGN)


def _slip(inputs: _SignOffContext) -> Trailer | None:
    """A line that is meant for a sign-off."""
    for number, line in enumerate(inputs.message.lines[2:_MOST_READ], 3):
        name, colon, value = line[:200].partition(":")
        key = "-".join(name.strip().lower().split())
        if colon and 0 < edit_distance(key, _KEY, _SLIPS) <= _SLIPS and "@" in value:
            return Trailer(number, name, value, line)
        if colon and key == _KEY:
            return Trailer(number, name, value, line)
    return None


def _forms(inputs: _SignOffContext) -> Iterator[Finding]:
    for one in inputs.signed:
        if one.person is None:
            text = "the sign-off has no address"
            yield Finding(Status.WARN, "form", text, line=one.line.number, source=_SIGN)
        elif not one.person.name:
            text = "the sign-off has no name"
            yield Finding(Status.WARN, "form", text, line=one.line.number, source=_SIGN)


# --- whose they are -------------------------------------------------------------------------------------------------


def _author(inputs: _SignOffContext) -> Iterator[Finding]:
    likeness = inputs.likeness(inputs.author)
    if likeness is PersonMatch.SAME:
        return
    behind = inputs.unwrapped(inputs.author)
    if behind:
        yield from _behind_a_list(inputs, behind)
    elif likeness is PersonMatch.NAME:
        text = f"the author signed off with another address than that of the mail, {inputs.author.address}"
        yield Finding(Status.PASS, "author-address", text, line=inputs.signed[0].line.number)
    else:
        first = inputs.signed[0]
        text = f"the author {inputs.author} did not sign it off"
        if not inputs.has_own_from and inputs.mail is not None and first.person is not None:
            text += f"; if {first.person} wrote it, the mail's text has to begin with 'From: {first.person}'"
        mend = f"Signed-off-by: {inputs.author}"
        yield Finding(inputs.grave, "author", text, line=first.line.number, mend=mend, source=_SIGN)


def _behind_a_list(inputs: _SignOffContext, behind: Sequence[Person]) -> Iterator[Finding]:
    """The author of a mail whose From a list has rewritten, because their domain forbids others to send for it."""
    if any(inputs.likeness(one) is not PersonMatch.OTHER for one in behind):
        text = f"a list has put itself in the place of the author: git am would name {inputs.author}"
        mend = next((f"From: {one.person}" for one in inputs.signed if one.person is not None), None)
        yield Finding(Status.PASS, "via", text, mend=mend)
        return
    text = f"the author {behind[-1].name or behind[-1]} (sent by way of a list) did not sign it off"
    yield Finding(Status.WARN, "author", text, line=inputs.signed[0].line.number, source=_SIGN)


def _sender(inputs: _SignOffContext) -> Iterator[Finding]:
    """Whether who sent it signed it off, and last of all."""
    sender = inputs.sender
    if sender is None or inputs.unwrapped(sender):
        return
    last = inputs.signed[-1]
    if last.person is None or inputs.mailmap.compare(sender, last.person) is not PersonMatch.OTHER:
        return
    if inputs.likeness(sender) is not PersonMatch.OTHER:
        text = f"the last sign-off is that of {last.person}, and {sender} sent it"
        yield Finding(Status.WARN, "last", text, line=last.line.number, source=_CO_DEVELOPED)
    elif inputs.mailmap.compare(sender, inputs.author) is PersonMatch.OTHER:
        text = f"{sender} sent it, and did not sign it off"
        if sender.name in ("", sender.address):  # it may be the author's other one
            yield Finding(Status.PASS, "sender", text, line=last.line.number, source=_CO_DEVELOPED)
            return
        mend = f"Signed-off-by: {sender}"
        yield Finding(inputs.grave, "sender", text, line=last.line.number, mend=mend, source=_CO_DEVELOPED)


def _co_developers(inputs: _SignOffContext) -> Iterator[Finding]:
    for at, line in enumerate(inputs.lines):
        if line.key != _CO_KEY:
            continue
        person = parse_person(line.value)
        if person is None:
            yield Finding(Status.WARN, "form", "the Co-developed-by has no address", line=line.number)
            continue
        if inputs.mailmap.compare(person, inputs.author) is PersonMatch.SAME:
            text = f"{person} is the author, and not who developed it with them"
            yield Finding(Status.WARN, "co-developer-author", text, line=line.number, source=_CO_DEVELOPED)
        following = inputs.lines[at + 1] if at + 1 < len(inputs.lines) else None
        signer = parse_person(following.value) if following is not None and following.key == _KEY else None
        likeness = inputs.mailmap.compare(person, signer) if signer is not None else PersonMatch.OTHER
        if likeness is not PersonMatch.SAME:
            status = Status.WARN if likeness is PersonMatch.NAME else inputs.grave
            text = f"Co-developed-by: {person} has to be followed by the same person's Signed-off-by"
            mend = f"Co-developed-by: {person}\nSigned-off-by: {person}"
            yield Finding(status, "co-developer", text, line=line.number, mend=mend, source=_CO_DEVELOPED)


CHECK = Check("sign-off", "Signed-off-by: the author, who developed it with them, and the sender", Scope.PATCH, run)
