# SPDX-License-Identifier: GPL-2.0-or-later
"""Who does the work on a series: what the engine asks of them, so that it need not know them."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from seriestool.bot.store import Store


class ReportRow(Struct, frozen=True):
    """A report, as the table `reports` has it."""

    answer: str
    sentence: str
    facts: str
    """JSON of `bot.facts.Facts`."""
    document: bytes
    """zlib of the precheck's JSON."""
    page: bytes
    """zlib of the HTML."""

    def row(self, key: str, made: int) -> dict[str, object]:
        """The row of `reports`, made at that unix time."""
        return {"key": key, "made": made, **{name: getattr(self, name) for name in self.__struct_fields__}}


class ReportHandler(Protocol):
    """Looks at a series, in a process of its own: it is pickled, and keeps nothing open."""

    def __call__(self, key: str) -> ReportRow:
        """The report on the series with that key."""


class DecisionHandler(Protocol):
    """Decides what is said of a report."""

    def __call__(self, store: "Store", key: str) -> object:
        """What is to be said of the report on the series stands in `sayings`; asked again, it adds nothing."""


class SendHandler(Protocol):
    """Says what was decided."""

    def __call__(self, store: "Store", key: str) -> object:
        """What was decided for the series was tried once: each message is claimed before it goes out."""


class Handlers(Struct, frozen=True):
    """All of them."""

    look: ReportHandler
    decide: DecisionHandler
    say: SendHandler
    log_crash: Callable[[BaseException], str]
    """Writes the log of a bug, and says where; pickled, as `look` is."""
    repair: Callable[[], None] | None = None
    """Makes the git mirror anew, where it is ours to make."""
    preload: tuple[str, ...] = ()
    """Modules that each process needs, imported once for all of them."""


class StepStatus(StrEnum):
    """What became of a try."""

    DONE = "done"
    AGAIN = "again"
    """The outside failed, or the process was killed: another try may help."""
    FAILED = "failed"
    """Another try would end as this one did."""
    LATER = "later"
    """No room on the disk, no database: it is not the series' fault, and no try of it."""
    BROKEN = "broken"
    """The git repository is damaged."""


class StepResult(Struct, frozen=True):
    """Why there is no report."""

    status: StepStatus
    error: str
