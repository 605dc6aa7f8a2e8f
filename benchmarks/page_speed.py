# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast the page of a big series is made, and how fast Chromium loads it: python -m benchmarks.page_speed

A series of 300 patches on eight trees, with findings beside its lines and conflicts; more with --patches. Measured are
the making of the page, its size, and the time until Chromium's load event, with all patches folded out out and with all
folded away; the medians of some rounds.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from seriestool.report.precheck_page import precheck_page
from tests.support.browser import Browser, open_browser
from tests.support.pages import made_patch, made_precheck, made_series


def main() -> int:
    """Print the figures; 1 where a page of 300 patches takes two seconds or more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=300)
    parser.add_argument("--lines", type=int, default=100, help="added by each patch")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    numbers = range(1, arguments.patches + 1)
    precheck = made_precheck(made_series(*(made_patch(n, f"net: part {n}", arguments.lines) for n in numbers)), 8)
    precheck_page(precheck)  # reads the templates
    start = time.monotonic()
    page = precheck_page(precheck)
    made = time.monotonic() - start
    print(f"{arguments.patches} patches of {arguments.lines} lines on 8 trees")
    print(f"  made in           {made:6.2f} s, {len(page.encode()) / 1e6:.1f} MB")
    opened = page.replace('<details class="patch target"', '<details open class="patch target"')
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        times = [median(browser, Path(folder), text, arguments.rounds) for text in (page, opened)]
    print(f"  loaded in         {times[0]:6.2f} s as it is")
    print(f"  loaded in         {times[1]:6.2f} s with all patches folded out")
    return int(arguments.patches <= 300 and times[0] >= 2)


def median(browser: Browser, folder: Path, page: str, rounds: int) -> float:
    """Seconds until the load event."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    browser.look()
    found = []
    for _ in range(rounds):
        browser.open(file)
        found.append(browser.load_seconds())
    return statistics.median(found)


if __name__ == "__main__":
    raise SystemExit(main())
