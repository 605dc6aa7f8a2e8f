# SPDX-License-Identifier: GPL-2.0-or-later
"""git-config: every key that the program reads, and values parsed as git parses them (git-config(1), Values).

A configuration is a mapping from key to all its values, the one that counts last, as `Repository.config()` reads it.
What is not in KEYS is not the program's: reading it is a bug and raises KeyError. The page
docs/man/seriestool-config.5.md is made of KEYS.
"""

from collections.abc import Mapping
from typing import NamedTuple

from seriestool.util.errors import InputError

Config = Mapping[str, tuple[str, ...]]
"""Section and name of a key are lower case, as git prints them; what stands between them is as it was written."""
VALUELESS = "true"
"""What a key without `=` says: git takes it for a boolean that is true."""


class ConfigKey(NamedTuple):
    """A key, what values it takes and what it is for."""

    name: str
    """As people write it; `<name>` in it stands for the name of a tree, a list, a check."""
    values: str
    text: str
    default: str = ""
    """In words; "" where there is none."""


KEYS = (
    ConfigKey(
        "seriestool.lore", "URL", "The list server.", "what `b4.midmask` names, else https://lore.kernel.org/all"
    ),
    ConfigKey("seriestool.tree.<name>.url", "URL", "Where an added tree is fetched from."),
    ConfigKey("seriestool.tree.<name>.branch", "branch", "Its branch there."),
    ConfigKey(
        "seriestool.tree.<name>.ref", "ref", "Instead of a URL: a ref of this repository, which then has this name."
    ),
    ConfigKey(
        "seriestool.tree.<name>.fixes",
        "tree",
        "The tree that takes fixes for the current release, where this takes all else.",
    ),
    ConfigKey("seriestool.pushLog", "path or URL, repeatable", "A source of kernel.org's log of pushes."),
    ConfigKey("seriestool.pushLogSince", "date", "Older pushes are left out."),
    ConfigKey("seriestool.pushLogUrl", "URL", "The server that `push-log --fetch` asks.", "https://git.kernel.org"),
    ConfigKey("seriestool.list.<name>.url", "URL", "Where the archive of a list is fetched from."),
    ConfigKey("seriestool.list.<name>.path", "path", "Where it is on this machine."),
    ConfigKey(
        "seriestool.list.<name>.via",
        "git or http",
        "How the bot reads a list at a URL.",
        "git, where there is a git archive",
    ),
    ConfigKey(
        "seriestool.profile",
        "generic, netdev, tip, stable or not-kernel",
        "How bad findings are.",
        "as the subject says",
    ),
    ConfigKey("seriestool.severity", "<check>[/<rule>]=<status>, repeatable", "How bad one kind of finding is."),
    ConfigKey("seriestool.perpatch-check-cmd", "command, repeatable", "A check of your own, asked of each patch."),
    ConfigKey("seriestool.series-check-cmd", "command, repeatable", "A check of your own, asked of a series."),
    ConfigKey(
        "seriestool.check.bisect-config",
        "make target",
        "The configuration that each patch is built with.",
        "allmodconfig",
    ),
    ConfigKey(
        "seriestool.check.checkpatch-ignore", "types of checkpatch.pl, repeatable", "What is not said.", "see its page"
    ),
    ConfigKey(
        "seriestool.check.kunit-cold", "boolean", "Whether a kernel is built where none was built before.", "true"
    ),
    ConfigKey("seriestool.check.kunit-configurations", "number", "How many configurations are built at most.", "3"),
    ConfigKey("seriestool.check.uapi-allow", "header, or header and name, repeatable", "Changes that are let pass."),
    ConfigKey(
        "seriestool.bot.database",
        "sqlite:////path or postgresql://user@host/name",
        "The bot's database.",
        "$XDG_STATE_HOME/seriestool/bot/bot.sqlite",
    ),
    ConfigKey(
        "seriestool.bot.list",
        "list, repeatable",
        "A list to watch, by the name that `lists add` gave it.",
        "all of them",
    ),
    ConfigKey("seriestool.bot.policy", "never, patchwork, draft, author or all", "Whom the bot notifies.", "never"),
    ConfigKey("seriestool.bot.from", "Name <address>", "Who writes; no policy that writes mails goes without it."),
    ConfigKey("seriestool.bot.maildir", "path", "Where drafts are put."),
    ConfigKey("seriestool.bot.optOut", "address or @domain, repeatable", "Who is never written to."),
    ConfigKey("seriestool.bot.warnings", "boolean", "Whether a warning is reason enough for a mail.", "false"),
    ConfigKey("seriestool.bot.mailsPerAuthor", "number", "Mails in a day to one author.", "3"),
    ConfigKey("seriestool.bot.mailsPerDay", "number", "Mails in a day to all.", "100"),
    ConfigKey("seriestool.bot.templates", "path", "A folder with templates that stand in for the bot's own."),
    ConfigKey("seriestool.bot.patchwork", "URL", "The API of a Patchwork server."),
    ConfigKey("seriestool.bot.patchworkToken", "token", "Of the user who posts checks there."),
    ConfigKey("seriestool.bot.url", "URL", "Where people find the pages; mails and checks link to it."),
    ConfigKey("seriestool.bot.settle", "minutes", "How long to wait for patches that are still to come.", "60"),
    ConfigKey("seriestool.bot.interval", "seconds", "Between two rounds over the lists.", "300"),
    ConfigKey("seriestool.bot.perAuthor", "number", "Series of one author in an hour.", "10"),
    ConfigKey("seriestool.bot.perList", "number", "Series of one list in an hour.", "100"),
    ConfigKey("seriestool.bot.perHour", "number", "Series in an hour, in all.", "200"),
    ConfigKey("seriestool.bot.queue", "number", "Series that are queued and running at most; more wait.", "200"),
    ConfigKey("seriestool.bot.tries", "number", "How often a series is tried before a person has to look.", "3"),
    ConfigKey("seriestool.bot.limit", "minutes", "For one series.", "60"),
    ConfigKey("seriestool.bot.jobs", "number", "Series at a time.", "the number of processors"),
    ConfigKey(
        "seriestool.bot.trees", "minutes", "Between two updates of the trees; 0: somebody else updates them.", "60"
    ),
    ConfigKey("seriestool.bot.skip", "check, repeatable", "A check that is left out."),
)
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_MOST_DIGITS = 18
_DECLARED = frozenset(one.name.lower() for one in KEYS)


def find_text(config: Config, key: str) -> str | None:
    """The value that counts; None where the key is not set, or set to nothing."""
    return config.get(_declared(key), ("",))[-1].strip() or None


def all_texts(config: Config, key: str) -> tuple[str, ...]:
    """All values of a key that may be given several times, without empty ones."""
    return tuple(value for value in all_values(config, key) if value)


def all_values(config: Config, key: str) -> tuple[str, ...]:
    """All values of a key that may be given several times; an empty one is for the caller to judge."""
    return tuple(value.strip() for value in config.get(_declared(key), ()))


def get_boolean(config: Config, key: str, default: bool) -> bool:
    """The value as git reads a boolean; raises InputError where it is none."""
    values = config.get(_declared(key))
    if values is None:
        return default
    truth = parse_boolean(values[-1])
    if truth is None:
        raise InputError(f"{written(key)} is '{values[-1]}'", hint="true or false is wanted")
    return truth


def get_number(config: Config, key: str, default: int, least: int = 0) -> int:
    """The value as git reads a number (`1k` is 1024); raises InputError where it is none, or below `least`."""
    text = find_text(config, key)
    if text is None:
        return default
    number = parse_number(text)
    if number is None or number < least:
        raise InputError(f"{written(key)} is '{text}'", hint=f"a number from {least} on is wanted")
    return number


def parse_boolean(text: str) -> bool | None:
    """What git takes the value of a boolean for; None where it is none to it.

    true, yes, on and numbers but 0 are true; false, no, off, 0 and nothing at all are false; in upper case too.
    """
    word = text.strip().lower()
    if word in ("true", "yes", "on"):
        return True
    if word in ("false", "no", "off", ""):
        return False
    number = parse_number(word)
    return None if number is None else number != 0


def parse_number(text: str) -> int | None:
    """The number, in units of 1024, its square or its cube where k, m or g is behind it; None where it is none."""
    digits = text[:-1] if text[-1:].lower() in _UNITS else text
    bare = digits[1:] if digits[:1] in ("-", "+") else digits
    if not (bare.isascii() and bare.isdigit() and len(bare) <= _MOST_DIGITS):
        return None
    return int(digits) * _UNITS.get(text[-1:].lower(), 1)


def written(key: str) -> str:
    """The key as people write it, `seriestool.bot.optOut`, for messages."""
    names = {one.name.lower(): one.name for one in KEYS}
    return names.get(key.lower(), key)


def _declared(key: str) -> str:
    """The key as it stands in a configuration; KeyError for one that is not in KEYS."""
    section, _, name = key.rpartition(".")
    head, _, sub = section.partition(".")
    group, _, inner = sub.partition(".")
    pattern = f"{head}.{group}.<name>.{name}" if inner else key
    if pattern.lower() not in _DECLARED:
        raise KeyError(key)
    return f"{head.lower()}.{sub if inner else sub.lower()}.{name.lower()}" if sub else key.lower()
