# SPDX-License-Identifier: GPL-2.0-or-later
"""The exit codes of all commands, as docs/man and every script that calls them have them."""

EXIT_NO = 1
"""The answer is "no": no base, a check that fails, a commit that the push log never saw."""
EXIT_CONFLICT = 3
"""Stopped by a conflict."""
EXIT_OUTSIDE = 4
"""The outside world failed (network, git, disk): trying again may help."""
EXIT_BUG = 70
"""A bug of ours; where its log is was said."""
EXIT_INTERRUPTED = 130
EXIT_READER_GONE = 141
"""What a shell sees of a program that SIGPIPE ended."""
