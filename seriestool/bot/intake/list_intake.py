# SPDX-License-Identifier: GPL-2.0-or-later
"""All watched lists read on, and what is new on them made into series."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from seriestool.bot.intake.due_mails import assemble_series
from seriestool.bot.intake.list_reader import ReadLimits, read_list
from seriestool.bot.intake.purge import purge
from seriestool.bot.store import Store
from seriestool.sources.lists.list_config import ConfiguredList, configured_lists
from seriestool.util.config import Config
from seriestool.util.errors import SeriestoolError
from seriestool.util.progress import noted_transfer

_LOG = logging.getLogger(__name__)


class ListIntake(Struct, frozen=True, dict=True):
    """The lists, and how they are read."""

    lists: Sequence[ConfiguredList]
    mirrors: Path
    settle: int
    """Seconds to wait for stragglers."""
    limits: ReadLimits
    config: Config
    now: Callable[[], float] = time.time

    def read(self, store: Store) -> None:
        """Read them all; one that cannot be read is logged, and the others go on."""
        for each in self.lists:
            tally = read_list(
                store=store,
                name=each.name,
                source=each.source,
                mirrors=self.mirrors,
                now=int(self.now()),
                via=each.via,
                limits=self.limits,
                config=self.config,
            )
            if tally.error:
                _LOG.warning("cannot read '%s': %s", each.name, tally.error)
        assemble_series(store, int(self.now()), self.settle)

    def index(self, path: Path) -> None:
        """Bring the index of patches up to date, in which prerequisites are looked for: those lists that it has.

        A list comes into it by `seriestool lists update`: reading all of a large one for the first time takes long.
        """
        from seriestool.sources.lists.list_update import update_list
        from seriestool.sources.lists.patch_index import find_index
        from seriestool.sources.lists.patch_index_writer import make_index

        known = find_index(path)
        if known is None:
            return
        with known:
            wanted = known.lists()
        with make_index(path) as index:
            for each in configured_lists(self.config):
                if each.name not in wanted:
                    continue
                try:
                    listener = noted_transfer(_LOG.info, f"fetching '{each.name}' for the index")
                    update_list(index, each.name, each.source, self.mirrors, listener=listener)
                except SeriestoolError as error:
                    _LOG.warning("cannot index '%s': %s", each.name, error.message)

    def forget(self, store: Store) -> None:
        """Let go of what no open work can need any more."""
        purge(store, int(self.now()))
