# SPDX-License-Identifier: GPL-2.0-or-later
"""Who does the bot's work, as the command line and git-config want it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from seriestool.cli.crash_log import log_bot_crash
from seriestool.cli.user_folders import cache_dir, list_mirrors_path, lists_path
from seriestool.git import Repository
from seriestool.sources.lists.list_config import ConfiguredList
from seriestool.util.errors import InputError

_RESEND_SECONDS = 120.0  # seconds between two tries to say what could not be said
_PURGE = 86_400.0

if TYPE_CHECKING:
    from seriestool.bot.bot_config import BotConfig
    from seriestool.bot.intake.list_intake import ListIntake
    from seriestool.bot.notify.notifier import Notifier
    from seriestool.bot.queue.handlers import Handlers
    from seriestool.bot.queue.main_loop import Task
    from seriestool.bot.queue.report_job import ReportJobConfig
    from seriestool.bot.store import Store
    from seriestool.util.config import Config


def make_handlers(job_config: "ReportJobConfig", notifier: "Notifier", repair: Callable[[], None] | None) -> "Handlers":
    """The crew of a bot."""
    from seriestool.bot.queue.handlers import Handlers
    from seriestool.bot.queue.report_job import PRELOAD, ReportJob

    return Handlers(
        look=ReportJob(job_config, log_bot_crash),
        decide=notifier.decide,
        say=notifier.say,
        log_crash=log_bot_crash,
        repair=repair,
        preload=PRELOAD,
    )


def make_report_job_config(database: str, repository: Path, config: "BotConfig") -> "ReportJobConfig":
    """How series are looked at: prerequisites are looked for on the lists that were added, no server is asked.

    Raises InputError where the configuration names checks that are none.
    """
    from seriestool.bot.queue.report_job import ReportJobConfig
    from seriestool.check.selection import CheckOptions, select_checks
    from seriestool.sandbox import Unsandboxed
    from seriestool.session import SessionOptions, SessionSettings

    checks = CheckOptions(skip=config.skip)
    with Repository.open(repository) as opened:
        select_checks(checks, opened.config(), os.environ, Unsandboxed())  # a slip is told now, not of each series
    settings = SessionSettings(cache_dir(), lists_path(), offline=True, jobs=1, environ=dict(os.environ))
    return ReportJobConfig(database, repository.absolute(), settings, SessionOptions(checks=checks))


def make_intake(config: "BotConfig", git_config: "Config", lists: "tuple[ConfiguredList, ...]") -> "ListIntake":
    """How the lists are read."""
    from seriestool.bot.intake.list_intake import ListIntake
    from seriestool.bot.intake.list_reader import ReadLimits

    return ListIntake(
        lists=lists, mirrors=list_mirrors_path(), settle=config.settle, limits=ReadLimits(), config=git_config
    )


def make_tasks(
    database: str, interval: int, intake: "ListIntake", notifier: "Notifier", is_leaving: Callable[[], bool]
) -> "Iterator[Task]":
    """What the bot does besides looking at series: read the lists, each `interval` seconds; say what is left unsaid."""
    from seriestool.bot.queue.main_loop import Task

    opened = _LazyStore(database)

    def send_pending() -> None:
        notifier.send_pending(opened.store(), is_leaving=is_leaving)

    yield Task("lists", float(interval), lambda: intake.read(opened.store()), leader_only=True)
    yield Task("patches", float(interval), lambda: intake.index(lists_path()))
    yield Task("messages", _RESEND_SECONDS, send_pending, leader_only=True)
    yield Task("old mails", _PURGE, lambda: intake.forget(opened.store()), leader_only=True)


class _LazyStore:
    """The database, opened when somebody needs it: it may be away when the bot starts."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._store: Store | None = None

    def store(self) -> "Store":
        from seriestool.bot.dialects import with_driver
        from seriestool.bot.store import Store

        if self._store is None:
            self._store = Store.open(with_driver(self._database))
        return self._store


def check_policy(config: "BotConfig", may_send: bool) -> None:
    """Nothing, where what the policy wants can be done; raises InputError where git-config says too little."""
    from seriestool.bot.bot_config import Policy

    speaks = config.policy in (Policy.DRAFT, Policy.AUTHOR, Policy.ALL)
    if speaks and not config.sender:
        raise InputError(
            f"policy '{config.policy}' needs to know who speaks", hint="git config seriestool.bot.from 'Name <address>'"
        )
    if config.policy is Policy.DRAFT and not config.maildir:
        raise InputError("policy 'draft' needs a maildir", hint="git config seriestool.bot.maildir DIR")
    if config.policy is Policy.PATCHWORK and not (config.patchwork and config.patchwork_token):
        raise InputError(
            "policy 'patchwork' needs a server and a token",
            hint="git config seriestool.bot.patchwork URL, and seriestool.bot.patchworkToken",
        )
    if config.policy in (Policy.AUTHOR, Policy.ALL, Policy.PATCHWORK) and not may_send:
        what = "checks" if config.policy is Policy.PATCHWORK else "mails"
        raise InputError(
            f"policy '{config.policy}' sends {what}, and that needs --send",
            hint="without it: seriestool.bot.policy draft, or never",
        )
