# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a series that cannot be looked at: a mail of it is damaged."""

from datetime import datetime

from seriestool.precheck.precheck_result import PrecheckAnswer
from seriestool.report.pages.answer_words import ANSWERS
from seriestool.report.pages.page_template import render


def damaged_page(subject: str, author: str, posted: datetime, msgid: str, sentence: str) -> str:
    """One page of HTML that says why."""
    values = {
        "answer": ANSWERS[PrecheckAnswer.DAMAGED],
        "subject": subject,
        "author": author,
        "posted": posted,
        "msgid": msgid,
        "sentence": sentence,
    }
    return render("damaged.html", values)
