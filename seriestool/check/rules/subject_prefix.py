# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a subject is as those of its files' other commits are, and names the tree that it is for."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from seriestool.check.commits.subject_habits import MOST_PATHS, SubjectHabits, find_prefix
from seriestool.check.protocol import Check, CheckSubject, Finding, Scope, Status
from seriestool.series.mail import Mail
from seriestool.series.model import Patch
from seriestool.split.destination import Destination, Destinations, Flavour
from seriestool.split.file_owners import FileOwners, find_file_owners
from seriestool.trees import fixes_trees
from seriestool.trees.tree_names import repository_name, url_key

_SOURCE = "Documentation/process/submitting-patches.rst"
_TIP = "Documentation/process/maintainer-tip.rst"
_NETDEV = "Documentation/process/maintainer-netdev.rst"
_LONGEST = 75
_MOST_READ = 150
_ENOUGH = 5
"""Commits below which the habits of a path are not known."""
_VERSION = re.compile(r"(?:linux-)?v?(\d{1,2}\.\d{1,3})(?:\.(?:y|\d{1,3}))?(?:[/,-]\d[\d.y/,-]{0,40})?")
_MAKEFILE = re.compile(rb"^VERSION = (\d{1,3})\nPATCHLEVEL = (\d{1,3})\n", re.M)
_NO_TREE = {
    "rfc",
    "resend",
    "rft",
    "repost",
    "draft",
    "fix",
    "fixes",
    "bugfix",
    "regression",
    "internal",
    "kernel",
    "linux",
    "patch",
    "testing",
    "test",
    "wip",
    "rebased",
    "updated",
    "for",
    "next",
    "stable",
    "backport",
    "upstream",
}


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What a reader of the subject stumbles over."""
    title = subject.patch.subject
    yield from _judge_form(title)
    habits = SubjectHabits(subject.patch, subject.environment.history, subject.environment.scratch_repo.objects)
    yield from _judge_prefix(subject.patch, habits)
    yield from _judge_case(subject, habits)
    yield from _judge_designation(subject)


def _judge_form(title: str) -> Iterator[Finding]:
    if not title.strip():
        yield Finding(Status.FAIL, "no-subject", "it has no subject", source=_SOURCE)
    if len(title) > _LONGEST and not title.startswith('Revert "'):
        text = f"the subject has {len(title)} characters, {_LONGEST} are the most"
        yield Finding(Status.WARN, "too-long", text, source=_SOURCE)
    if title.endswith(".") and not title.endswith(("..", "etc.")):
        yield Finding(Status.WARN, "ends-with-dot", "the subject ends with a dot", mend=title.rstrip("."))
    if "\ufffd" in title:
        yield Finding(Status.WARN, "undecodable", "the subject is not in the character set that it names")


# What other commits of the same files are called.


def _judge_prefix(patch: Patch, habits: SubjectHabits) -> Iterator[Finding]:
    if patch.subject.startswith('Revert "') or not habits.are_known:
        return
    used = habits.prefixes
    most, times = used.most_common(1)[0] if used else ("", 0)
    share = sum(used.values()) / len(habits.titles)
    own = find_prefix(patch.subject)
    if not own and share >= 0.8:
        those = f"{sum(used.values())} of the last {len(habits.titles)} commits to its files"
        text = f"the subject has no prefix, and {those} have one: {_listed(used)}"
        # One that is used now and then may be that of another part of the project.
        mend = f"{most}: {patch.subject}" if 2 * times > sum(used.values()) and times >= _ENOUGH else None
        yield Finding(Status.WARN, "no-prefix", text, mend=mend, source=_SOURCE)
    elif own and share >= 0.6 and not _is_kin(own, used, patch):
        text = f"no commit to its files begins with '{own}:'; the last {len(habits.titles)} begin with {_listed(used)}"
        yield Finding(Status.PASS if times < _ENOUGH else Status.WARN, "unused-prefix", text, source=_SOURCE)


def _listed(used: Counter[str]) -> str:
    return ", ".join(f"'{one}:'" for one, _ in used.most_common(3))


def _is_kin(own: str, used: Iterable[str], patch: Patch) -> bool:
    """Whether the prefix shares a word with those in use, or with the name of a file or folder that it changes."""
    words = _words(own)
    known = {word for one in used for word in _words(one)}
    for diff in patch.files[:MOST_PATHS]:
        known |= _words(diff.path.decode("utf-8", "replace"))
    return bool(words & known) or any(word.startswith(tuple(words)) or _begins(words, word) for word in known)


def _begins(words: Iterable[str], known: str) -> bool:
    return any(len(known) > 2 and word.startswith(known) for word in words)


def _words(text: str) -> set[str]:
    return {word for word in re.split(r"[^a-z0-9]+", text.casefold()) if len(word) > 1}


def _judge_case(subject: CheckSubject, habits: SubjectHabits) -> Iterator[Finding]:
    """Where sentences begin in upper case behind the prefix, and this one does not."""
    prefix = find_prefix(subject.patch.subject)
    rest = subject.patch.subject[len(prefix) + 1 :].lstrip() if prefix else ""
    first = re.match(r"[a-z]+(?=\s|$)", rest)
    if first is None:
        return
    behind = [title[len(one) + 1 :].lstrip() for title in habits.titles if (one := find_prefix(title))]
    upper = sum(text[:1].isupper() for text in behind)
    if (habits.are_known and behind and upper / len(behind) >= 0.75) or _is_for_tip(subject):
        text = f"the subject goes on in lower case behind '{prefix}:'"
        mend = f"{prefix}: {rest[:1].upper()}{rest[1:]}"
        yield Finding(Status.PASS, "lower-case", text, mend=mend, source=_TIP)


def _is_for_tip(subject: CheckSubject) -> bool:
    if subject.maintainers is None:
        return False
    for diff in subject.patch.files[:MOST_PATHS]:
        found = [match for match in subject.maintainers.match(diff.path) if match.depth >= 0]
        if any(url_key(line.url).endswith("tip/tip") for match in found[:1] for line in match.section.trees):
            return True
    return False


# Which tree it is for.


def _judge_designation(subject: CheckSubject) -> Iterator[Finding]:
    words = tuple(word for word in _bracket(subject) if word.lower() not in _NO_TREE)
    if versions := [word for word in words if _VERSION.fullmatch(word)]:
        yield from _judge_version(subject, versions[0])
        return
    maintainers = subject.maintainers
    if maintainers is None:
        return
    places = Destinations(maintainers, subject.environment.trees, fixes_trees(subject.environment.config), words)
    files = [find_file_owners(diff.path, maintainers, places) for diff in subject.patch.files[:MOST_PATHS]]
    if words:
        yield from _judge_words(subject, words, files, places)
    else:
        others = (find_file_owners(path, maintainers, places) for path in subject.series.touched[:_MOST_READ])
        yield from _judge_silence(subject.patch, files, others)


def _bracket(subject: CheckSubject) -> tuple[str, ...]:
    patch = subject.patch
    return Mail(patch.raw).subject.prefixes if patch.raw else subject.series.prefixes


def _judge_version(subject: CheckSubject, word: str) -> Iterator[Finding]:
    """A backport: it can be judged only on the version that it is for."""
    wanted = _VERSION.fullmatch(word)
    makefile = subject.read(subject.before, b"Makefile") if subject.base is not None else None
    found = _MAKEFILE.search(makefile) if makefile is not None else None
    if wanted is None or found is None:
        return
    here = f"{int(found[1])}.{int(found[2])}"
    if here != wanted[1] and here not in re.findall(r"\d+\.\d+", word):
        # Whoever chose the base is to blame, and not the author.
        text = f"the subject says [{word}], and the base is version {here}: nothing said of that base counts"
        mend = f"name the tree of {wanted[1]} with --base or --tree"
        yield Finding(Status.SKIP, "stable-base", text, mend=mend)


def _judge_words(
    subject: CheckSubject, words: tuple[str, ...], files: Iterable[FileOwners], places: Destinations
) -> Iterator[Finding]:
    taking = {one: None for file in files for one in file.acceptable}
    said = {word.lower() for word in words}
    meant = next((one for one in taking if said & _names(one)), None)
    if meant is not None:
        yield from _judge_flavour(subject.patch, meant, said)
        return
    known = _known_names(subject, places)
    own = _words(find_prefix(subject.patch.subject))  # `[PATCH nfsd] nfsd: ...` says the same twice
    for word in (word for word in words if word.lower() not in own):
        if word.lower() in known and taking and not _series_has(subject, places, word.lower()):
            names = ", ".join(one.name for one in list(taking)[:3])
            text = f"the subject says [{word}], and MAINTAINERS has its files in {names}"
            yield Finding(Status.PASS, "other-tree", text)
        elif not {word.lower(), _stem(word)} & known and subject.patch.counter == min(_counters(subject)):
            text = f"[{word}] is the name of no tree that MAINTAINERS or this repository knows"
            yield Finding(Status.PASS, "unknown-tree", text)


def _counters(subject: CheckSubject) -> Iterator[int]:
    return (patch.counter for patch in subject.series.patches)


def _series_has(subject: CheckSubject, places: Destinations, word: str) -> bool:
    """Whether the tree takes files of another patch of the series."""
    maintainers = subject.maintainers
    assert maintainers is not None  # noqa: S101
    others = (find_file_owners(path, maintainers, places) for path in subject.series.touched[:_MOST_READ])
    return any(word in _names(one) for file in others for one in file.acceptable)


def _known_names(subject: CheckSubject, places: Destinations) -> set[str]:
    assert subject.maintainers is not None  # noqa: S101
    sections = (section for section in subject.maintainers.sections if section.trees)
    names = {name for section in sections for one in places.of_section(section) for name in _names(one)}
    trees = {name for tree in subject.environment.trees for name in (tree.name.lower(), (tree.branch or "").lower())}
    names |= trees | {name.rpartition("/")[2] for name in trees}
    return names | {_stem(name) for name in names}


def _stem(name: str) -> str:
    """What `net`, `net-next` and `net-fixes` have in common."""
    return re.sub(r"-(?:next|fixes|rc|testing|devel)$", "", name.lower())


def _names(destination: Destination) -> set[str]:
    """What it is called in brackets: also the name of its repository alone."""
    places = [place for place in (destination.next, destination.fixes) if place and place.url]
    bases = {repository_name(place.url or "").lower() for place in places} - {"linux", "kernel"}
    return set(destination.names) | bases


def _judge_flavour(patch: Patch, meant: Destination, said: set[str]) -> Iterator[Finding]:
    fixes = meant.fixes
    if fixes is None or not patch.is_fix:
        return
    next_names = _names_of_flavour(meant, Flavour.NEXT)
    if said & next_names and not said & _names_of_flavour(meant, Flavour.FIXES):
        text = f"it is a fix (Fixes:), and goes to {meant.next.name}: fixes of what is released go to {fixes.name}"
        yield Finding(Status.PASS, "fix-for-next", text, source=_NETDEV)


def _names_of_flavour(destination: Destination, flavour: Flavour) -> set[str]:
    place = destination.place(flavour)
    return {place.name.lower(), (place.branch or place.name).lower(), repository_name(place.url or place.name).lower()}


def _judge_silence(patch: Patch, files: Iterable[FileOwners], others: Iterable[FileOwners]) -> Iterator[Finding]:
    """No tree is named where two repositories, one of them for fixes, take such patches, and all of the series."""
    owners = [file.owners[0] for file in files if file.owners]
    if not owners or len(set(owners)) != 1 or not _is_pair(owners[0]):
        return
    if any(file.owners and owners[0] not in file.acceptable for file in others):
        return  # it goes through one of several trees
    two = owners[0]
    assert two.fixes is not None  # noqa: S101
    right = two.fixes if patch.is_fix else two.next
    text = f"the subject does not say for which tree it is: {two.fixes.name} or {two.next.name}"
    yield Finding(Status.PASS, "no-designation", text, mend=f"[PATCH {right.name}]", source=_NETDEV)


def _is_pair(destination: Destination) -> bool:
    """Whether fixes have a repository of their own, and the subject has to tell: net and net-next, bpf and bpf-next."""
    fixes = destination.fixes
    keys = {url_key(place.url) for place in (destination.next, fixes) if place}
    return len(keys) == 2 and all("/netdev/" in key or "/bpf/" in key for key in keys)


CHECK = Check("subject-prefix", "the subject is as its files' others are, and names the right tree", Scope.PATCH, run)
