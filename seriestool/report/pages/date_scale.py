# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a date stands on a line of so many pixels, and which dates are marked on it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

_DAY = timedelta(days=1)
_WEEK = 7 * _DAY
_MOST_TICKS = 10


class DateTick(Struct, frozen=True):
    """A date that the line is marked with."""

    x: float
    label: str


class DateScale(Struct, frozen=True):
    """From `since` at `left` to `until` at `right`."""

    since: datetime
    until: datetime
    left: float
    right: float

    def x(self, date: datetime) -> float:
        """Where the date stands; what lies outside stands at the edge."""
        share = (date - self.since) / (self.until - self.since)
        return round(self.left + min(max(share, 0.0), 1.0) * (self.right - self.left), 1)

    def has(self, date: datetime) -> bool:
        """Whether the date is on the line."""
        return self.since <= date <= self.until

    def ticks(self) -> tuple[DateTick, ...]:
        """The beginnings of days, Mondays, months, quarters or years, at most ten of them."""
        ways = (
            (_days(self, 1), "%b %-d"),
            (_days(self, 2), "%b %-d"),
            (_mondays(self, 1), "%b %-d"),
            (_mondays(self, 2), "%b %-d"),
            (_months(self, 1), "%b %Y"),
            (_months(self, 3), "%b %Y"),
            (_months(self, 6), "%b %Y"),
            *((_years(self, n), "%Y") for n in (1, 2, 5, 10, 50, 100, 1000)),
        )
        for dates, form in ways:
            found = [date for date, _ in zip(dates, range(_MOST_TICKS + 1), strict=False)]
            if len(found) <= _MOST_TICKS:
                return tuple(DateTick(self.x(date), f"{date:{form}}") for date in found)
        return ()


def make_scale(since: datetime, until: datetime, left: float, right: float) -> DateScale:
    """The scale; of an empty time one day."""
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    return DateScale(since, until if until - since >= _DAY else since + _DAY, left, right)


def _days(scale: DateScale, step: int) -> Iterator[datetime]:
    return _every(scale, _midnight(scale.since), step * _DAY)


def _mondays(scale: DateScale, step: int) -> Iterator[datetime]:
    start = _midnight(scale.since)
    return _every(scale, start - start.weekday() * _DAY, step * _WEEK)


def _every(scale: DateScale, date: datetime, step: timedelta) -> Iterator[datetime]:
    while date <= scale.until:
        if date >= scale.since:
            yield date
        try:
            date += step
        except OverflowError:
            return


def _months(scale: DateScale, step: int) -> Iterator[datetime]:
    for year in range(scale.since.year, scale.until.year + 1):
        for month in range(1, 13, step):
            date = datetime(year, month, 1, tzinfo=UTC)
            if scale.has(date):
                yield date


def _years(scale: DateScale, step: int) -> Iterator[datetime]:
    first = max(scale.since.year - scale.since.year % step, 1)
    for year in range(first, scale.until.year + 1, step):
        date = datetime(year, 1, 1, tzinfo=UTC)
        if scale.has(date):
            yield date


def _midnight(date: datetime) -> datetime:
    return date.replace(hour=0, minute=0, second=0, microsecond=0)
