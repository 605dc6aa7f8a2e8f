# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of what the bot says share: reports in short, and what becomes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from sqlalchemy import insert, select

from seriestool.bot.bot_config import Policy
from seriestool.bot.bot_tables import sayings, series
from seriestool.bot.notify.message_composer import Wording
from seriestool.bot.notify.notifier import decide_and_record
from seriestool.bot.notify.notify_decision import Decision, DecisionContext, NotifyRules, decide
from seriestool.bot.notify.summary import Complaint, PatchSummary, PatchworkCheck, ReportSummary
from seriestool.bot.store import Store
from seriestool.report.mail_writer import MailAddress

NOW = 1_700_000_000


WATCHED = "widgets"


FAILURE = Complaint(
    1, "a" * 40, "fixes-tag/mismatch", "fail", "the subject is another", "line 3 of the message", "Fixes: 0123456789ab",
    "widget: count halves",
)  # fmt: skip


WARNING = Complaint(2, "b" * 40, "spdx/missing", "warn", "no licence", "widget.c:1", None, "widget: count four")


RULES = NotifyRules(Policy.AUTHOR, frozenset({WATCHED}), "bot@example.org")


WORDING = Wording(MailAddress("bot@example.org", "Series Bot"), "https://series.example.org")


FACTS = ReportSummary(
    key="k" * 40,
    lineage="l" * 40,
    list=WATCHED,
    msgid="cover@example.org",
    subject="widget: halves and four",
    version=1,
    expected=2,
    posted=NOW - 3600,
    author_name="A U Thor",
    author="author@example.org",
    recipients=("widgets@lists.example.org", "reviewer@example.org", "netdev@vger.kernel.org"),
    hints=("precedence: bulk", "list-id: widgets <widgets.lists.example.org>"),
    answer="to-mend",
    sentence="It was made from 012345678901 (v6.9, in widgets-next), and goes in on the tip of widgets-next; "
    "1 thing to fix.",
    level="exact",
    is_sure=True,
    base="0123456789" * 4,
    base_name="012345678901 (v6.9, in widgets-next)",
    how="012345678901 (v6.9, in widgets-next) is the base, exactly: 1 of 1 paths are as the series names them.",
    complaints=(FAILURE, WARNING),
    patches=(
        PatchSummary(1, "one@example.org", "widget: count halves", "a" * 40, "[PATCH 1/2] widget: count halves"),
        PatchSummary(2, "two@example.org", "widget: count four", "b" * 40, "[PATCH 2/2] widget: count four"),
    ),
    contexts=(
        PatchworkCheck(
            "one@example.org", "seriestool-apply", "success", "it applies to 012345678901 (v6.9, in widgets-next)"
        ),
        PatchworkCheck("one@example.org", "seriestool-fixes-tag", "fail", "the subject is another"),
        PatchworkCheck(
            "two@example.org", "seriestool-apply", "success", "it applies to 012345678901 (v6.9, in widgets-next)"
        ),
    ),
    headline="[PATCH 0/2] widget: halves and four",
    takers=("widgets-next: all of it",),
)


def facts(**changes: Any) -> ReportSummary:
    """The report with something else in it."""
    return replace(FACTS, **changes)


def decided(
    report: ReportSummary = FACTS, rules: NotifyRules = RULES, moment: DecisionContext | None = None
) -> Decision:
    """The decision where nothing was said before."""
    return decide(report, (), rules, moment or DecisionContext())


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """The database of a bot in that folder."""
    store = Store.open(f"sqlite:///{folder}/bot.sqlite")
    try:
        yield store
    finally:
        store.close()


def record(store: Store, report: ReportSummary = FACTS, rules: NotifyRules = RULES, now: int = NOW) -> Decision:
    """The decision on the report, its sayings in the database."""
    return decide_and_record(store, report, rules, WORDING, now)


def rows_of(store: Store) -> list[dict[str, Any]]:
    """All sayings, in the order of their decision."""
    with store.transaction() as connection:
        found = connection.execute(select(sayings).order_by(sayings.c.decided, sayings.c.id)).mappings()
        return [dict(row) for row in found]


def add_series(store: Store, key: str, version: int, lineage: str = FACTS.lineage) -> None:
    """A series in the database."""
    row = {
        "key": key, "lineage": lineage, "list": WATCHED, "msgid": f"{key}@example.org", "version": version,
        "expected": 2, "missing": 0, "subject": "x", "author_name": "A U Thor", "author": "author@example.org",
        "posted": NOW, "found": NOW, "state": "waiting",
    }  # fmt: skip
    with store.transaction() as connection:
        connection.execute(insert(series).values(row))


def parsed(message: bytes) -> EmailMessage:
    """The mail as a stranger's program reads it."""
    mail = BytesParser(policy=default).parsebytes(message)
    assert isinstance(mail, EmailMessage)
    assert not mail.defects, mail.defects
    return mail
