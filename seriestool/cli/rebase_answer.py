# SPDX-License-Identifier: GPL-2.0-or-later
"""How the answer of a rebase is printed, at once or when a person has resolved its conflicts."""

from seriestool.cli.ui import Ui
from seriestool.rebase.rebase_result import Rebase


def print_answer(answer: Rebase, form: str, ui: Ui) -> None:
    """Print it as text or as JSON."""
    if form == "json":
        ui.json(answer.to_dict())
        return
    from seriestool.report.rebase_text import rebase_text
    from seriestool.report.style import Style

    ui.out(rebase_text(answer, Style(ui.color)))
