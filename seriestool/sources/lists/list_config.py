# SPDX-License-Identifier: GPL-2.0-or-later
"""The lists that git-config names. It has, for a list called NAME, one of

seriestool.list.NAME.url      a public-inbox archive that `lists update` keeps a copy of
seriestool.list.NAME.path     one that is here already, or an mbox

and, of one at a URL, it may have

seriestool.list.NAME.via      git or http: how the bot reads it (default: git where there is a git archive)
"""

import re
from collections.abc import Sequence

from msgspec import Struct

from seriestool.util.config import Config, find_text
from seriestool.util.errors import InputError, NotFoundError

PREFIX = "seriestool.list."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


class ConfiguredList(Struct, frozen=True):
    """A list as git-config names it."""

    name: str
    url: str | None
    path: str | None
    via: str | None = None

    @property
    def source(self) -> str:
        """Where it is read from; '' where git-config says neither."""
        return self.path or self.url or ""


def configured_lists(config: Config) -> tuple[ConfiguredList, ...]:
    """The lists that git-config names, sorted by name."""
    names = {key[len(PREFIX) :].rpartition(".")[0] for key in config if key.startswith(PREFIX)} - {""}
    return tuple(
        ConfiguredList(name, *(find_text(config, f"{PREFIX}{name}.{key}") for key in ("url", "path", "via")))
        for name in sorted(names)
    )


def get_lists(config: Config, names: Sequence[str] = ()) -> tuple[ConfiguredList, ...]:
    """The lists called so, each once, in that order; all where no name is given.

    Raises NotFoundError where git-config names no such list.
    """
    known = {each.name: each for each in configured_lists(config)}
    for name in names:
        if name not in known:
            raise NotFoundError(f"no list '{name}' is configured", hint="see 'seriestool lists list'")
    return tuple(known[name] for name in dict.fromkeys(names or known))


def check_name(name: str) -> None:
    """Nothing, where a list may be called `name`; raises InputError where not."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{name}' cannot be the name of a list", hint="a name is letters, digits, '-', '_', '+' and dots"
        )
