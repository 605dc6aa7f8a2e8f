# SPDX-License-Identifier: GPL-2.0-or-later
"""A look at a series: its mails from the table, the precheck, and the row of `reports` that comes of it."""

import json
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from seriestool.bot.dialects import with_driver
from seriestool.bot.intake.series_loader import load_series
from seriestool.bot.notify.summary import SeriesRow, damaged_summary, summarize_report, summary_to_json
from seriestool.bot.queue.error_handling import is_disk_full, is_repository_damaged
from seriestool.bot.queue.handlers import ReportRow
from seriestool.bot.store import Store
from seriestool.check.runner import CheckCrash
from seriestool.git import Repository
from seriestool.precheck.conclusions import answer_of
from seriestool.precheck.precheck_json import precheck_dict
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer
from seriestool.precheck.precheck_run import run_precheck
from seriestool.precheck.resources import PrecheckResources
from seriestool.precheck.summary_sentence import verdict_sentence
from seriestool.series.model import SCHEMA
from seriestool.session import SeriesInput, Session, SessionOptions, SessionSettings
from seriestool.util.errors import InputError, NotFoundError, SeriestoolError

PRELOAD = (
    "seriestool.precheck.precheck_run",
    "seriestool.report.precheck_page",
    "seriestool.bot.queue.report_job",
    "sqlalchemy",
    "jinja2",
)
"""What a process that looks at series needs."""


class ReportJobConfig(Struct, frozen=True, dict=True):
    """Where everything is, and how it is looked at; may be sent to another process."""

    database: str
    repository: Path
    settings: SessionSettings
    wishes: SessionOptions = field(default_factory=SessionOptions)


class ReportJob:
    """Looks at series, one after the other; what it has opened stays open until something goes wrong.

    Sent to another process it has nothing open. Raises what `load_series` and `run_precheck` raise.
    """

    def __init__(self, job_config: ReportJobConfig, log_crash: Callable[[BaseException], str]) -> None:
        self._plan = job_config
        self._log_crash = log_crash
        self._opened: _JobResources | None = None

    def __call__(self, key: str) -> ReportRow:
        """The report on the series with that key."""
        try:
            opened = self._open()
            return self._look(opened, key)
        except BaseException:
            self.close()  # a repository that was made anew in the meantime is another one
            raise

    def close(self) -> None:
        """Close what is open."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            opened.close()

    def _open(self) -> "_JobResources":
        if self._opened is None:
            self._opened = _JobResources(self._plan)
        return self._opened

    def _look(self, opened: "_JobResources", key: str) -> ReportRow:
        row = get_row(opened.store, key)
        try:
            posted = load_series(opened.store, key)
        except InputError as error:
            return damaged_report(row, error)
        asked, resources = SeriesInput(posted.series, posted.previous), opened.resources
        with Session(asked, resources, self._plan.wishes, broke=self._broke) as session:
            precheck = run_precheck(session, resources.steps, posted.versions, _stop_where_broken)
        return make_report(precheck, SeriesRow.from_row(row))

    def _broke(self, broken: CheckCrash) -> None:
        """A check of ours that broke is in the report; of what broke in it there is a log."""
        self._log_crash(broken.error)


class _JobResources:
    """What is open."""

    def __init__(self, job_config: ReportJobConfig) -> None:
        self.store = Store.open(with_driver(job_config.database))
        self.repository = Repository.open(job_config.repository)
        self.resources = PrecheckResources(self.repository, job_config.settings)

    def close(self) -> None:
        self.resources.close()
        self.repository.close()
        self.store.close()


def make_report(precheck: Precheck, known: SeriesRow) -> ReportRow:
    """The row of `reports`."""
    from seriestool.report.precheck_page import precheck_page

    return ReportRow(
        answer=str(answer_of(precheck)),
        sentence=verdict_sentence(precheck),
        facts=summary_to_json(summarize_report(precheck, known)),
        document=_packed(json.dumps(precheck_dict(precheck))),
        page=_packed(precheck_page(precheck)),
    )


def damaged_report(row: Mapping[str, Any], error: InputError) -> ReportRow:
    """The same of a series of which a mail cannot be read: it says which one, and why."""
    from seriestool.report.damaged_page import damaged_page

    sentence = f"The series cannot be read: {error.message}."
    page = damaged_page(
        subject=row["subject"],
        author=row["author_name"],
        posted=datetime.fromtimestamp(row["posted"], UTC),
        msgid=row["msgid"],
        sentence=sentence,
    )
    document = {"schema": SCHEMA, "msgid": row["msgid"], "answer": str(PrecheckAnswer.DAMAGED), "sentence": sentence}
    return ReportRow(
        answer=str(PrecheckAnswer.DAMAGED),
        sentence=sentence,
        facts=summary_to_json(damaged_summary(row, sentence)),
        document=_packed(json.dumps(document)),
        page=_packed(page),
    )


def get_row(store: Store, key: str) -> Mapping[str, Any]:
    """The row of the table `series`; raises NotFoundError where there is none."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import series

    with store.transaction() as connection:
        row = connection.execute(select(series).where(series.c.key == key)).mappings().first()
    if row is None:
        raise NotFoundError(f"no series has the key '{key[:50]}'")
    return {str(name): value for name, value in row.items()}


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "backslashreplace"))


def _stop_where_broken(error: SeriestoolError) -> None:
    """Raise what is no answer about the series: a damaged repository, a full disk."""
    if is_repository_damaged(error) or is_disk_full(error):
        raise error
