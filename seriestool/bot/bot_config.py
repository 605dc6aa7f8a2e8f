# SPDX-License-Identifier: GPL-2.0-or-later
"""How the bot is to behave, as git-config says it; pure.

seriestool.bot.database     URL: sqlite:////path/bot.sqlite, postgresql://user@host/name (default: a file)
seriestool.bot.list         a list to watch, by the name that `lists add` gave it (repeatable; default: all of them)
seriestool.bot.policy       never (default), patchwork, draft, author, all
seriestool.bot.maildir      where drafts go
seriestool.bot.from         who speaks: Name <address>; nothing is sent where it is not set
seriestool.bot.optOut       an address or a @domain that is never written to (repeatable)
seriestool.bot.patchwork    URL of a Patchwork server's API; checks are posted there where it and a token are set
seriestool.bot.patchworkToken
seriestool.bot.url          where people find the pages
seriestool.bot.settle       minutes to wait for stragglers of a series (60)
seriestool.bot.interval     seconds between two looks at the lists (300)
seriestool.bot.perAuthor    series of one author in an hour (10)
seriestool.bot.perList      series of one list in an hour (100)
seriestool.bot.perHour      series in an hour (200)
seriestool.bot.queue        series that are admitted and not done, at most (200)
seriestool.bot.limit        minutes for one series, at most (60)
seriestool.bot.trees        minutes between two updates of the trees (60); 0: somebody else updates them
seriestool.bot.tries        how often a series is tried before a person has to look (3)
seriestool.bot.jobs         series that a worker looks at at a time (default: one per processor)
seriestool.bot.warnings     whether a warning is reason enough for a mail (false); drafts are made of them anyway
seriestool.bot.mailsPerAuthor  mails to one author in a day (3)
seriestool.bot.mailsPerDay  mails in a day (100)
seriestool.bot.templates    a folder with templates that stand in for our own
seriestool.bot.skip         checks that are left out, as --skip names them (repeatable, or a,b)
"""

from enum import StrEnum

from msgspec import Struct

from seriestool.util.config import Config, all_texts, find_text, get_boolean, get_number
from seriestool.util.errors import InputError


class Policy(StrEnum):
    """Who is told of a report."""

    NEVER = "never"
    PATCHWORK = "patchwork"
    """Checks on a Patchwork server and no mails; with the policies below both."""
    DRAFT = "draft"
    """A mail in a maildir, for a person to look at and to send."""
    AUTHOR = "author"
    """A mail to the author only."""
    ALL = "all"
    """A reply to all."""


class Bounds(Struct, frozen=True):
    """How many series are looked at in an hour; the others wait."""

    per_author: int = 10
    per_list: int = 100
    per_hour: int = 200
    queue: int = 200
    """Series that are admitted and not done: whatever waits in the queue waits for machines, not for its turn."""


class BotConfig(Struct, frozen=True, kw_only=True):
    """All of it."""

    database: str | None = None
    lists: tuple[str, ...] = ()
    policy: Policy = Policy.NEVER
    maildir: str | None = None
    sender: str | None = None
    opt_out: tuple[str, ...] = ()
    """Lower case."""
    patchwork: str | None = None
    patchwork_token: str | None = None
    url: str | None = None
    settle: int = 3600
    """Seconds."""
    interval: int = 300
    """Seconds."""
    bounds: Bounds = Bounds()
    tries: int = 3
    limit: int = 3600
    """Seconds for one series."""
    trees: int = 3600
    """Seconds between two updates of the trees; 0: never."""
    jobs: int | None = None
    skip: tuple[str, ...] = ()
    with_warnings: bool = False
    mails_per_author: int = 3
    mails_per_day: int = 100
    templates: str | None = None


def read_bot_config(config: Config) -> BotConfig:
    """What git-config says; raises InputError where a value is none."""
    return BotConfig(
        database=find_text(config, "seriestool.bot.database"),
        lists=all_texts(config, "seriestool.bot.list"),
        policy=parse_policy(find_text(config, "seriestool.bot.policy") or "never"),
        maildir=find_text(config, "seriestool.bot.maildir"),
        sender=find_text(config, "seriestool.bot.from"),
        opt_out=tuple(one.lower() for one in all_texts(config, "seriestool.bot.optout")),
        patchwork=find_text(config, "seriestool.bot.patchwork"),
        patchwork_token=find_text(config, "seriestool.bot.patchworktoken"),
        url=find_text(config, "seriestool.bot.url"),
        settle=60 * get_number(config, "seriestool.bot.settle", 60),
        interval=get_number(config, "seriestool.bot.interval", 300, least=1),
        bounds=Bounds(
            get_number(config, "seriestool.bot.perauthor", 10, least=1),
            get_number(config, "seriestool.bot.perlist", 100, least=1),
            get_number(config, "seriestool.bot.perhour", 200, least=1),
            get_number(config, "seriestool.bot.queue", 200, least=1),
        ),
        limit=60 * get_number(config, "seriestool.bot.limit", 60, least=1),
        trees=60 * get_number(config, "seriestool.bot.trees", 60),
        tries=get_number(config, "seriestool.bot.tries", 3, least=1),
        jobs=get_number(config, "seriestool.bot.jobs", 0) or None,
        skip=tuple(
            name.strip()
            for text in all_texts(config, "seriestool.bot.skip")
            for name in text.split(",")
            if name.strip()
        ),
        with_warnings=get_boolean(config, "seriestool.bot.warnings", default=False),
        mails_per_author=get_number(config, "seriestool.bot.mailsperauthor", 3),
        mails_per_day=get_number(config, "seriestool.bot.mailsperday", 100),
        templates=find_text(config, "seriestool.bot.templates"),
    )


def parse_policy(name: str) -> Policy:
    """The policy of that name; raises InputError."""
    if name not in tuple(Policy):
        raise InputError(f"'{name}' is no policy of the bot", hint=f"one of {', '.join(Policy)}")
    return Policy(name)
