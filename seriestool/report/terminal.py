# SPDX-License-Identifier: GPL-2.0-or-later
"""Text from mails and trees, made safe for a terminal: https://www.cve.org/CVERecord?id=CVE-2021-42574 shows why."""

import re

# C0 without tab and newline, DEL, C1, bidirectional controls, line and paragraph separator, lone surrogates.
_UNSAFE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_COLOR = r"\x1b\[[0-9;]{0,16}m"


def printable(text: str) -> str:
    """The text with everything escaped that could drive a terminal or reorder a line; tabs and newlines stay."""
    return re.sub(f"[{_UNSAFE}]", _escape, text)


def printable_line(text: str) -> str:
    """The text as above and on one line: a newline is escaped too."""
    return printable(text).replace("\n", "\\n")


def printable_styled(text: str) -> str:
    """The text as `printable` makes it, with its colours (SGR sequences) left in place."""
    return re.sub(f"({_COLOR})|[{_UNSAFE}]", lambda found: found[1] or _escape(found), text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
