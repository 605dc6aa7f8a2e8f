# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs of bugs in the bot; also in processes that look at series."""

from seriestool.cli.crash_log import write_crash_log


def log_crash(error: BaseException) -> str:
    """The log's path; the argument list is the process's own."""
    return str(write_crash_log(error, ["bot", "run"]))
