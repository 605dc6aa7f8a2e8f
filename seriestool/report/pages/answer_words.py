# SPDX-License-Identifier: GPL-2.0-or-later
"""The answers as coloured words."""

from msgspec import Struct

from seriestool.precheck.precheck_result import PrecheckAnswer


class AnswerWord(Struct, frozen=True):
    """A word, and the name of its colour."""

    word: str
    tone: str


ANSWERS = {
    PrecheckAnswer.DAMAGED: AnswerWord("damaged", "bad"),
    PrecheckAnswer.MERGED: AnswerWord("merged", "there"),
    PrecheckAnswer.NO_BASE: AnswerWord("no base", "bad"),
    PrecheckAnswer.WAITS: AnswerWord("waits", "merge"),
    PrecheckAnswer.CONFLICTS: AnswerWord("conflicts", "bad"),
    PrecheckAnswer.TO_MEND: AnswerWord("to fix", "merge"),
    PrecheckAnswer.READY: AnswerWord("ready", "ok"),
}
