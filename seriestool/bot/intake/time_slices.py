# SPDX-License-Identifier: GPL-2.0-or-later
"""A public-inbox server read by the time at which it got its mails, slice by slice."""

from collections.abc import Callable, Iterator, Sequence

from seriestool.series.mail import Mail
from seriestool.series.mail.headers import decode_text, parse_date
from seriestool.sources.lore import LargeAnswerError

_OVERLAP = 3600  # seconds: a server finds a mail some minutes after it came
_DAY = 24 * 3600
_SHORTEST = 60
_MOST_LARGE = 16  # answers of unbearable size in one look; a server that gives no others is given up


def read_slices(
    find_mails: Callable[[str], Sequence[bytes]], since: int, now: int
) -> Iterator[tuple[Sequence[bytes], int]]:
    """(mails, time up to which all is there) of one slice after the other, oldest first.

    `find_mails` asks the server. An answer that is too large is asked for again in halves. The time is one that the
    server has set in a mail, or the end of a slice before one: no clock of ours.
    """
    start = max(_DAY, since - _OVERLAP)  # a number of fewer than five digits would be no time for the server
    end = max(now, since) + _DAY  # a clock that went back must not hide what came since
    slices = [(start, end)]
    large = 0
    while slices:
        start, end = slices.pop()
        try:
            mails = find_mails(f"rt:{start}..{end}")
        except LargeAnswerError:
            large += 1
            if large > _MOST_LARGE or end - start <= _SHORTEST:
                raise
            middle = (start + end) // 2
            slices += [(middle, end), (start, middle)]
            continue
        newest = max((_received(raw) for raw in mails), default=0)
        yield mails, end if slices else min(newest, end, now)


def _received(raw: bytes) -> int:
    """When the last server got the mail, as public-inbox takes it: the topmost Received."""
    mail = Mail(raw)
    value = (mail.header("received") or b"").rpartition(b";")[2]
    date = parse_date(decode_text(value)) if value else None
    return int((date or mail.date).timestamp())
