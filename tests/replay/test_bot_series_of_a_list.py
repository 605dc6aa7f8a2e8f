# SPDX-License-Identifier: GPL-2.0-or-later
"""Half a year of a real list: every complete series found, once, and each can be read."""

import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from seriestool.bot.intake.list_reader import ReadLimits, read_list
from seriestool.bot.intake.series_loader import load_series
from seriestool.util.errors import InputError
from tests.support.intake import Bot


def test_every_complete_series_once(tmp_path: Path, shared: Callable[[str], Path]) -> None:
    archive = tmp_path / "nfs.git"
    subprocess.run(["git", "clone", "-q", "--bare", shared("data/linux-nfs-2026.bundle"), archive], check=True)
    bot = Bot(tmp_path)
    start = time.process_time()
    tally = read_list(bot.store, "nfs", str(archive), tmp_path, bot.now, limits=ReadLimits(first_days=None))
    bot.look()
    bot.settle()
    assert time.process_time() - start < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 600_000
    assert (tally.mails, tally.left_out, tally.error) == (5147, 0, None)
    rows = bot.rows('SELECT "key", msgid, version, expected, hints FROM series WHERE missing = 0 ORDER BY posted')
    assert len(rows) == 552
    patches = bot.rows("SELECT count(*) FROM mails WHERE is_patch = 1")[0][0]
    homeless = bot.rows("SELECT count(*) FROM mails WHERE is_patch = 1 AND series IS NULL")[0][0]
    assert (patches, homeless) == (2621, 29)
    damaged = 0
    for key, msgid, version, expected, hints in rows:
        try:
            series = load_series(bot.store, key).series
        except InputError as error:
            assert "corrupt patch" in error.message
            damaged += 1
            continue
        assert (series.version, series.expected, len(series.patches)) == (version, expected, expected)
        assert series.msgid == msgid or "added" in (hints or "")
    assert damaged == 2, "two mails were wrapped by their mailers; git am does not take them either"
