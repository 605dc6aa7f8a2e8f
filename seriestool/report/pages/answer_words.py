# SPDX-License-Identifier: GPL-2.0-or-later
"""The answers as coloured words."""

from dataclasses import dataclass

from seriestool.precheck.precheck_result import Answer


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and the name of its colour."""

    word: str
    tone: str


ANSWERS = {
    Answer.DAMAGED: Word("damaged", "bad"),
    Answer.MERGED: Word("merged", "there"),
    Answer.NO_BASE: Word("no base", "bad"),
    Answer.WAITS: Word("waits", "merge"),
    Answer.CONFLICTS: Word("conflicts", "bad"),
    Answer.TO_MEND: Word("to mend", "merge"),
    Answer.READY: Word("ready", "ok"),
}
