# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual page of all git-config keys, made of the table that the program reads them by."""

from seriestool.util.config import KEYS, ConfigKey

_HEAD = """\
# seriestool-config(5)

## NAME

seriestool-config - what seriestool reads from git-config

## DESCRIPTION

Keys of the repository, the user and the system, as git-config(1) reads them; the last value counts. Booleans and
numbers are git's: `true`, `yes`, `on`, a number but 0, or a key without a value are true; `1k` is 1024. A value that is
none of its kind is an error, not a default.

b4's `b4.midmask` and `b4.*keyringsrc`, `patatt.*`, liblore's `lore.*` and git's `sendemail.*` are honoured where they
apply.

## KEYS

"""
_TAIL = """
## SEE ALSO

seriestool(1), git-config(1), seriestool-bot(1), seriestool-check(1), seriestool-lists(1), seriestool-trees(1)
"""


def config_page() -> str:
    """docs/man/seriestool-config.5.md, whole."""
    return _HEAD + "\n".join(map(_entry, KEYS)) + _TAIL


def _entry(key: ConfigKey) -> str:
    default = f" Default: {key.default}." if key.default else ""
    return f"`{key.name}` ({key.values})\n: {key.text}{default}\n"
