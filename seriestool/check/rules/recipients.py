# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether those whom MAINTAINERS names for the files of a patch are in To or Cc of its mail. It never says FAIL."""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from seriestool.check.protocol import Check, CheckSubject, Finding, Scope, SkipCheck, Status
from seriestool.rebase.patch_stack import paths_of
from seriestool.series.mail import Mail
from seriestool.series.mail.headers import decode_header
from seriestool.series.model import Patch
from seriestool.split.file_owners import address_of, find_person
from seriestool.trees.maintainers import Maintainers, MaintainersSection
from seriestool.util.text import shortened

_SOURCE = "Documentation/process/submitting-patches.rst"
_MOST_PATHS = 2000
_MOST_NAMED = 6
_MOST_MAPPED = 20_000
_ABSENT = {
    "missing-maintainer": (Status.WARN, "maintainers of its files"),
    "missing-list": (Status.WARN, "mailing lists of its files"),
    "missing-reviewer": (Status.PASS, "reviewers of its files"),
    "missing-general": (Status.PASS, "named by more general sections of MAINTAINERS, and"),
}
_PASSED = ("x-mailing-list", "list-post")
_PERSON = re.compile(r'("[^"]{0,200}"|[^<>,;"]{0,200})<\s*([^<>\s@]{1,200}@[^<>\s]{1,200}?)\s*>')
_ADDRESS = re.compile(r"[^\s<>,;\"]{1,200}@[^\s<>,;\"]{1,200}")


class ExpectedRecipients(Struct, frozen=True):
    """Whom a patch is for, as To and Cc spell them."""

    maintainers: tuple[str, ...]
    """Of the most special sections, for each file, that have any; so are the lists."""
    lists: tuple[str, ...]
    reviewers: tuple[str, ...]
    others: tuple[str, ...]
    """People and lists of more general sections: all of net/, where it is net/sunrpc/ that is changed."""

    @property
    def has_owner(self) -> bool:
        """Whether a section has its files besides the one that has everything."""
        return bool(self.maintainers or self.lists or self.reviewers or self.others)


class KnownRecipients(Struct, frozen=True):
    """Those who have a mail already; lower case."""

    addresses: frozenset[str]
    names: frozenset[str]


def run(subject: CheckSubject) -> Iterator[Finding]:
    """Who should have had the mail."""
    if subject.base is None:
        raise SkipCheck("no base is known, and so no MAINTAINERS")
    if subject.maintainers is None:
        raise SkipCheck("there is no MAINTAINERS in the tree")
    wanted = find_people(subject.patch, subject.maintainers)
    if not subject.is_mailed or not subject.patch.raw:
        yield from _suggest(wanted, subject.patch)
        return
    yield from _find_missing(subject, wanted)


def find_people(patch: Patch, maintainers: Maintainers) -> ExpectedRecipients:
    """The people and lists of the sections that have a file of the patch; lists that only take subscribers are none."""
    groups: tuple[list[str], ...] = ([], [], [], [])
    people, lists, reviewers, others = groups
    for path in paths_of(patch.files, above=False)[:_MOST_PATHS]:
        found = [match for match in maintainers.match(path) if match.depth >= 0]  # THE REST has everything
        of_people = max((match.depth for match in found if match.section.maintainers), default=0)
        of_lists = max((match.depth for match in found if _lists(match.section)), default=0)
        for match in found:
            (people if match.depth == of_people else others).extend(match.section.maintainers)
            (lists if match.depth == of_lists else others).extend(_lists(match.section))
            (reviewers if match.depth == of_people else others).extend(match.section.reviewers)
    taken: set[str] = set()
    return ExpectedRecipients(*(_once(group, taken) for group in groups))


def _lists(section: MaintainersSection) -> tuple[str, ...]:
    return tuple(one for one in section.lists if one not in section.closed and _ADDRESS.fullmatch(one))


def _once(entries: Iterable[str], taken: set[str]) -> tuple[str, ...]:
    """Each address once, as a header takes it; those in `taken` are in another group already."""
    found: list[str] = []
    for person in filter(None, map(find_person, entries)):
        if address_of(person) not in taken:
            taken.add(address_of(person))
            found.append(person)
    return tuple(found)


def _suggest(wanted: ExpectedRecipients, patch: Patch) -> Iterator[Finding]:
    others = _without(wanted.maintainers + wanted.reviewers, _authors(patch))
    lines = [f"To: {one}" for one in wanted.lists] + [f"Cc: {one}" for one in others]
    if lines:
        yield Finding(
            Status.PASS, "send-to", f"it goes to {len(lines)} addresses", mend="\n".join(lines), source=_SOURCE
        )


def _find_missing(subject: CheckSubject, wanted: ExpectedRecipients) -> Iterator[Finding]:
    patch = subject.patch
    mailed = _mailed(patch.raw)
    known = _join(mailed, _authors(patch))
    groups = {rule: _without(people, known) for rule, people in _groups(wanted).items()}
    if any(groups.values()):
        known = _with_mapped(known, subject)
        groups = {rule: _without(people, known) for rule, people in groups.items()}
    elsewhere = KnownRecipients(frozenset(subject.series.recipients), frozenset())
    for rule, people in groups.items():
        yield from _say(rule, _without(people, elsewhere))
    missing = [one for people in (groups["missing-maintainer"], groups["missing-list"]) for one in people]
    yield from _say_elsewhere([one for one in missing if address_of(one) in elsewhere.addresses])
    if not wanted.has_owner and not any(_is_list(one) for one in mailed.addresses):
        text = "it went to no mailing list, and no section of MAINTAINERS has its files"
        yield Finding(Status.PASS, "no-list", text, mend="Cc: linux-kernel@vger.kernel.org", source=_SOURCE)


def _groups(wanted: ExpectedRecipients) -> dict[str, tuple[str, ...]]:
    return {
        "missing-maintainer": wanted.maintainers,
        "missing-list": wanted.lists,
        "missing-reviewer": wanted.reviewers,
        "missing-general": wanted.others,
    }


def _say(rule: str, absent: Sequence[str]) -> Iterator[Finding]:
    if absent:
        status, who = _ABSENT[rule]
        mend = "\n".join(f"Cc: {one}" for one in absent)
        yield Finding(
            status, rule, f"{who} not in To or Cc: {shortened(absent, _MOST_NAMED)}", mend=mend, source=_SOURCE
        )


def _say_elsewhere(people: Sequence[str]) -> Iterator[Finding]:
    if people:
        text = f"in To or Cc of other mails of the series, and not of this one: {shortened(people, _MOST_NAMED)}"
        yield Finding(Status.PASS, "other-mails", text, source=_SOURCE)


def _without(people: Iterable[str], known: KnownRecipients) -> tuple[str, ...]:
    return tuple(one for one in people if address_of(one) not in known.addresses and _name(one) not in known.names)


def _name(person: str) -> str:
    """Lower case; empty where it is too short to tell people apart."""
    name = " ".join(person.rpartition("<")[0].strip(' "').lower().split())
    return name if " " in name else ""


def _mailed(raw: bytes) -> KnownRecipients:
    mail = Mail(raw)
    texts = [decode_header(value) for name in ("to", "cc", "from", "reply-to") for value in mail.headers(name)]
    found = [match for text in texts for match in _PERSON.finditer(text)]
    names = {_name(f"{match[1]}<{match[2]}>") for match in found}
    # A list that was in Bcc says so itself.
    passed = [value.decode("ascii", "replace")[:500] for name in _PASSED for value in mail.headers(name)]
    lists = {match[0].lower().removeprefix("mailto:") for text in passed for match in _ADDRESS.finditer(text)}
    addresses = {*mail.recipients, mail.sender, *(match[2].lower() for match in found), *lists}
    return KnownRecipients(frozenset(addresses), frozenset(names - {""}))


def _authors(patch: Patch) -> KnownRecipients:
    """Who made the patch or had a hand in it: they know of it."""
    people = [f"{patch.author_name} <{patch.author_email}>", *(one.value for one in patch.trailers)]
    found = [match for text in people for match in _PERSON.finditer(text[:500])]
    return KnownRecipients(
        frozenset(match[2].lower() for match in found),
        frozenset(_name(f"{match[1]}<{match[2]}>") for match in found) - {""},
    )


def _join(one: KnownRecipients, other: KnownRecipients) -> KnownRecipients:
    return KnownRecipients(one.addresses | other.addresses, one.names | other.names)


def _with_mapped(known: KnownRecipients, subject: CheckSubject) -> KnownRecipients:
    """And what .mailmap says their addresses are today."""
    text = subject.read(subject.before, b".mailmap")
    if text is None:
        return known
    added = set()
    for line in text.decode("utf-8", "replace").split("\n", _MOST_MAPPED):
        addresses = [match[0].lower() for match in _ADDRESS.finditer(line.partition("#")[0][:1000])]
        if len(addresses) == 2 and known.addresses.intersection(addresses):
            added.update(addresses)
    return KnownRecipients(known.addresses | added, known.names)


def _is_list(address: str) -> bool:
    host = address.rpartition("@")[2]
    return host.startswith(("lists.", "vger.")) or ".lists." in host or "lists" in host.split(".")


CHECK = Check(
    "recipients",
    "those whom MAINTAINERS names for its files have the mail",
    Scope.PATCH,
    run,
    lasting_skips=frozenset({"not-seen"}),
)
