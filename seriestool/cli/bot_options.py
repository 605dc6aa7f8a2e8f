# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bot's actions have in common: which database, which configuration."""

from pathlib import Path
from typing import TYPE_CHECKING

from seriestool.cli.options import CliParser
from seriestool.cli.user_folders import state_dir
from seriestool.git import config_at
from seriestool.util.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from seriestool.bot.bot_config import BotConfig
    from seriestool.bot.store import Store


def add_database_option(parser: CliParser) -> None:
    """--database."""
    parser.add_argument(
        "--database", metavar="URL", help="sqlite:////path/bot.sqlite or postgresql://user@host/name (default: a file)"
    )


def read_config(repo: Path) -> "BotConfig":
    """The bot's configuration in the git-config of the repository; raises InputError."""
    from seriestool.bot.bot_config import read_bot_config

    return read_bot_config(config_at(repo))


def database_url(asked: str | None, config: "BotConfig") -> str:
    """Where the bot keeps what it knows: as the command line says, or git-config, or a file of the user's."""
    return asked or config.database or f"sqlite:///{state_dir() / 'bot' / 'bot.sqlite'}"


def open_store(repo: Path, database: str | None) -> "Store":
    """The database of a bot that has run already; raises NotFoundError where there is none yet."""
    from seriestool.bot.dialects import with_driver
    from seriestool.bot.store import Store

    url = with_driver(database_url(database, read_config(repo)))
    if url.startswith("sqlite") and not Path(url.partition(":///")[2]).exists():
        raise NotFoundError(
            f"there is no bot's database '{url.partition(':///')[2]}'", hint="'seriestool bot run' makes it"
        )
    return Store.open(url)


def parse_count(text: str) -> int:
    """How many at a time, as --jobs says it; raises InputError."""
    if text.isascii() and text.isdigit() and 0 < int(text[:5]) <= 1000:
        return int(text)
    raise InputError(f"'{text}' is no number of jobs", hint="--jobs wants a number from 1 on")
