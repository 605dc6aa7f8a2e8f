# SPDX-License-Identifier: GPL-2.0-or-later
"""Who wrote or signed the commits that a patch fixes, and does not get the mail."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from seriestool.check.commits.commit_lookup import CommitLookup, QuotedCommit
from seriestool.series.mail import Mail
from seriestool.series.mail.headers import decode_header
from seriestool.series.message.people import Mailmap, Person, is_any, parse_person

_MOST_ADDRESSES = 500
_MOST_RECENT = 200


class MissingRecipients(Struct, frozen=True):
    """People who are not among the recipients."""

    writers: tuple[Person, ...]
    """Authors, and who developed it with them."""
    signers: tuple[Person, ...]
    """Who only handled it on its way."""


def find_missing_recipients(
    targets: Iterable[QuotedCommit], told: Sequence[Person], mailmap: Mailmap
) -> MissingRecipients:
    """Who of the commits' people is none of `told`, by address, mailmap or name; each once."""
    writers: dict[str, Person] = {}
    signers: dict[str, Person] = {}
    for target in targets:
        for person in (*target.authors, *target.signers):
            if "@" not in person.address or is_any(person, told, mailmap):
                continue
            proper = mailmap.proper(person)
            among = writers if is_any(person, target.authors, mailmap) else signers
            among.setdefault(proper.key, proper)
    return MissingRecipients(tuple(writers.values()), tuple(one for key, one in signers.items() if key not in writers))


def recent_work(
    targets: Iterable[QuotedCommit], commits: CommitLookup, paths: Iterable[bytes], since: float
) -> tuple[QuotedCommit, ...]:
    """What is known of the time from `since` on: those of the targets, and commits in the same files."""
    others = (one for one in commits.changing(paths, _MOST_RECENT) if one.time >= since)
    return (*(one for one in targets if one.authored >= since), *others)


def is_active(person: Person, commits: Iterable[QuotedCommit], mailmap: Mailmap) -> bool:
    """Whether any of the commits is theirs, or signed by them."""
    return any(is_any(person, (*one.authors, *one.signers), mailmap) for one in commits)


def recipients(mail: Mail) -> tuple[Person, ...]:
    """All in To and Cc, with their names."""
    values = [value for name in ("to", "cc") for value in mail.headers(name)]
    shown = [decode_header(entry) for value in values for entry in value.split(b",")[:_MOST_ADDRESSES]]
    named = [person for person in map(parse_person, shown) if person is not None]
    return (*named, *(Person("", address) for address in mail.recipients[:_MOST_ADDRESSES]))
