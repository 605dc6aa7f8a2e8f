# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether somebody is told of a report, and of what: a pure function of the report, what was said and the policy.

Each rule answers a complaint about bots; docs/speaking.md names them. Who is not told has a reason, in words.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from msgspec import Struct

from seriestool.bot.bot_config import BotConfig, Policy
from seriestool.bot.notify.etiquette import find_refusal, find_robot, has_opted_out, is_hidden
from seriestool.bot.notify.summary import Complaint, PatchworkCheck, ReportSummary
from seriestool.report.mail_writer import is_address, is_msgid
from seriestool.util.text import count

DAY = 86_400
_MERGED = "merged"
_DAMAGED = "damaged"
_COUNTED_STATES = {"decided", "sending", "sent", "unknown"}
"""States of a saying that was heard, or may have been, or will be; what was refused or withdrawn was not."""
_NUMBERS = re.compile(r"(?::\d+(?::\d+)?\b)|\b(lines?|hunks?|patch(?:es)?|columns?) (?:\d+(?:-\d+)?(?:, | and )?)+")
_BRACKET = re.compile(r"^(?:\[[^]]*\]\s*|re:\s*)+", re.I)


class Channel(StrEnum):
    """By which way something is said."""

    DRAFT = "draft"
    AUTHOR = "author"
    ALL = "all"
    PATCHWORK = "patchwork"


_MAIL = {Policy.DRAFT: Channel.DRAFT, Policy.AUTHOR: Channel.AUTHOR, Policy.ALL: Channel.ALL}


def channels_of(policy: Policy) -> frozenset[Channel]:
    """By which ways something may be said under that policy."""
    if policy is Policy.NEVER:
        return frozenset()
    return frozenset({Channel.PATCHWORK, _MAIL.get(policy, Channel.PATCHWORK)})


class EarlierMessage(Struct, frozen=True):
    """Something that was said before of the same work."""

    id: str
    channel: str
    state: str
    """bot.tables.Sent."""
    version: int
    identities: frozenset[str]


class NotifyRules(Struct, frozen=True):
    """What the operator wants."""

    policy: Policy = Policy.NEVER
    lists: frozenset[str] = frozenset()
    """Those that are watched, by their names."""
    sender: str | None = None
    """Our own address, lower case."""
    opt_out: tuple[str, ...] = ()
    has_patchwork: bool = False
    with_warnings: bool = False
    """Whether a warning is reason enough to mail a person; a draft is always made."""
    per_author: int = 3
    """Mails to one author in a day."""
    per_day: int = 100
    """Mails to all authors in a day: a flood of forged mails must not become a flood of ours."""

    @classmethod
    def from_config(cls, config: BotConfig, lists: Iterable[str]) -> "NotifyRules":
        """Those of the configuration; `lists` are the names of the lists that are really watched."""
        sender = re.search(r"([^\s<>]+@[^\s<>]+)>?\s*$", config.sender or "")
        return cls(
            config.policy,
            frozenset(lists),
            sender[1].lower() if sender else None,
            config.opt_out,
            bool(config.patchwork and config.patchwork_token),
            config.with_warnings,
            config.mails_per_author,
            config.mails_per_day,
        )


class DecisionContext(Struct, frozen=True):
    """What else counts, as it is when the decision is made."""

    is_superseded: bool = False
    """Whether a newer version was mailed."""
    mails_to_author: int = 0
    """Decided within the last day."""
    mails: int = 0
    """To anybody."""


class Notification(Struct, frozen=True, kw_only=True):
    """Something to say."""

    id: str
    """A digest of what is said of what by which way: the same thing has the same id, whoever decides it when."""
    channel: Channel
    complaints: tuple[Complaint, ...]
    """Of a mail: what is new, the gravest first."""
    contexts: tuple[PatchworkCheck, ...]
    """Of Patchwork: all of it."""
    identities: tuple[str, ...]
    reason: str


class Decision(Struct, frozen=True):
    """What is said of a report, and why the rest is not."""

    key: str
    notifications: tuple[Notification, ...]
    skip_reasons: tuple[str, ...]
    """A sentence each."""

    def lines(self) -> list[str]:
        """The decision for people, a line for each part of it."""
        return [
            *(f"{notification.channel}: {notification.reason}" for notification in self.notifications),
            *self.skip_reasons,
        ]


class _NoNotificationError(Exception):
    """Nothing is said, and why."""


def decide(
    summary: ReportSummary, earlier: Iterable[EarlierMessage], rules: NotifyRules, moment: DecisionContext
) -> Decision:
    """What is said of the report; the same answer for the same arguments."""
    earlier = tuple(earlier)
    notifications: list[Notification] = []
    skip_reasons: list[str] = []
    try:
        _check_may_notify(summary, rules, moment)
    except _NoNotificationError as reason:
        return Decision(summary.key, (), (str(reason),))
    parts: tuple[Callable[[], Notification], ...] = (
        lambda: _decide_mail(summary, earlier, rules, moment),
        lambda: _decide_patchwork(summary, earlier, rules),
    )
    for part in parts:
        try:
            notifications.append(part())
        except _NoNotificationError as reason:
            skip_reasons.append(str(reason))
    return Decision(summary.key, tuple(notifications), tuple(skip_reasons))


def _check_may_notify(summary: ReportSummary, rules: NotifyRules, moment: DecisionContext) -> None:
    """Raise _NoNotificationError where nothing is said by any way."""
    if rules.policy is Policy.NEVER:
        raise _NoNotificationError("nothing is said: the policy is 'never'")
    if summary.list not in rules.lists:
        raise _NoNotificationError(f"nothing is said: the list '{summary.list}' is not watched")
    if rules.sender is not None and summary.author == rules.sender:
        raise _NoNotificationError("nothing is said: the mail is our own")
    for reason in (find_robot(summary.author, summary.author_name, summary.hints), find_refusal(summary.hints)):
        if reason is not None:
            raise _NoNotificationError(f"nothing is said: {reason}")
    if has_opted_out(summary.author, rules.opt_out):
        raise _NoNotificationError(f"nothing is said: {summary.author} has opted out")
    if moment.is_superseded:
        raise _NoNotificationError("nothing is said: a newer version was mailed")
    if summary.answer == _MERGED:
        raise _NoNotificationError("nothing is said: it is merged")
    if summary.answer == _DAMAGED:
        raise _NoNotificationError("nothing is said: a mail of it cannot be read")
    if len(summary.patches) < summary.expected:
        raise _NoNotificationError(f"nothing is said: {len(summary.patches)} of {summary.expected} patches are at hand")


def _decide_mail(
    summary: ReportSummary, earlier: tuple[EarlierMessage, ...], rules: NotifyRules, moment: DecisionContext
) -> Notification:
    channel = _MAIL.get(rules.policy)
    if channel is None:
        raise _NoNotificationError(f"no mail: the policy is '{rules.policy}'")
    if not summary.is_sure:
        raise _NoNotificationError("no mail: the base is not sure, and nobody is blamed for a wrong guess of ours")
    if not summary.complaints:
        raise _NoNotificationError("no mail: there is nothing to fix")
    heard = _counted_identities(earlier, (Channel.DRAFT, Channel.AUTHOR, Channel.ALL))
    new = tuple(one for one in summary.complaints if heard.isdisjoint(identities_of(one)))
    if not new:
        raise _NoNotificationError(f"no mail: all of it was said before, of {_versions(earlier)}")
    grave = sum(one.is_grave for one in new)
    if not grave and channel is not Channel.DRAFT and not rules.with_warnings:
        raise _NoNotificationError("no mail: what is new are warnings only")
    if not is_msgid(summary.msgid) or not is_address(summary.author):
        raise _NoNotificationError("no mail: its message-id or its author's address is none that a reply can name")
    if channel is not Channel.DRAFT:
        _check_mail_limits(summary, rules, moment)
    names = tuple(sorted({name for one in new for name in identities_of(one)}))
    digest = _id(channel, summary.key, names)
    if any(one.id == digest for one in earlier):
        raise _NoNotificationError("no mail: the very same was refused or withdrawn before")
    reason = f"{count(grave, 'failure')} and {count(len(new) - grave, 'warning')} that were not said before"
    return Notification(id=digest, channel=channel, complaints=new, contexts=(), identities=names, reason=reason)


def _check_mail_limits(summary: ReportSummary, rules: NotifyRules, moment: DecisionContext) -> None:
    """What a person who sends a draft decides themselves."""
    if is_hidden(summary.author, summary.author_name, summary.recipients):
        raise _NoNotificationError("no mail: the list hides the address of the author")
    if moment.mails_to_author >= rules.per_author:
        raise _NoNotificationError(f"no mail: {summary.author} got {moment.mails_to_author} in the last day")
    if moment.mails >= rules.per_day:
        raise _NoNotificationError(f"no mail: {moment.mails} were sent in the last day, and no more may be")


def _decide_patchwork(summary: ReportSummary, earlier: tuple[EarlierMessage, ...], rules: NotifyRules) -> Notification:
    if not rules.has_patchwork:
        raise _NoNotificationError("no checks on Patchwork: no server and token are set")
    contexts = tuple(one for one in summary.contexts if is_msgid(one.msgid))
    if not contexts:
        raise _NoNotificationError("no checks on Patchwork: there are none")
    names = tuple(sorted(f"{one.msgid} {one.context} {one.state} {one.description}" for one in contexts))
    digest = _id(Channel.PATCHWORK, summary.key, names)
    if any(one.id == digest for one in earlier):
        raise _NoNotificationError("no checks on Patchwork: they are there as they are now")
    reason = f"{count(len(contexts), 'check')} of {count(len({one.msgid for one in contexts}), 'patch', 'patches')}"
    return Notification(
        id=digest, channel=Channel.PATCHWORK, complaints=(), contexts=contexts, identities=(digest,), reason=reason
    )


def _versions(earlier: Iterable[EarlierMessage]) -> str:
    return ", ".join(
        f"v{version}" for version in sorted({one.version for one in earlier if one.state in _COUNTED_STATES})
    )


def _counted_identities(earlier: Iterable[EarlierMessage], channels: Iterable[Channel]) -> frozenset[str]:
    wanted = {str(one) for one in channels}
    return frozenset(
        name for one in earlier if one.channel in wanted and one.state in _COUNTED_STATES for name in one.identities
    )


def identities_of(complaint: Complaint) -> frozenset[str]:
    """The names under which the complaint is known again: by its patch's content, and by its patch's subject."""
    path = re.sub(r":\d+$", "", complaint.where or "")
    what = (complaint.source, _NUMBERS.sub("", path), _NUMBERS.sub(r"\1", complaint.message))
    title = _BRACKET.sub("", complaint.title or "").strip().casefold()
    of = ["series"] if complaint.counter is None else [f"subject {title}"]
    if complaint.patch_id is not None:
        of.append(f"patch-id {complaint.patch_id}")
    return frozenset(_digest(one, *what) for one in of)


def _id(channel: Channel, key: str, names: Iterable[str]) -> str:
    return _digest(str(channel), key, *names)


def _digest(*words: str) -> str:
    told = "\0".join(word.replace("\0", " ") for word in words)
    return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:40]
