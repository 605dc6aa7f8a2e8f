# SPDX-License-Identifier: GPL-2.0-or-later
"""A replay of a whole archive with prechecks: series in a minute, and the memory of all its processes over the run.

    python -m benchmarks.bot_replay REPO ARCHIVE SINCE UNTIL [--skip kunit-build,bisect]

Whatever was kept of an earlier run is not used: the caches are in a temporary folder.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo", type=Path)
    parser.add_argument("archive", type=Path)
    parser.add_argument("since")
    parser.add_argument("until")
    parser.add_argument("--skip", default="kunit-build,bisect")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seriestool-bench-") as name:
        folder = Path(name)
        repo = folder / "repo.git"
        subprocess.run(["git", "clone", "-q", "--bare", "--shared", str(arguments.repo), str(repo)], check=True)
        subprocess.run(["git", "-C", str(repo), "config", "seriestool.bot.skip", arguments.skip], check=True)
        measure(folder, repo, arguments)
    return 0


def measure(folder: Path, repo: Path, arguments: argparse.Namespace) -> None:
    own = {f"XDG_{kind}_HOME": str(folder / kind) for kind in ("CACHE", "DATA", "STATE")}
    command = [
        sys.executable,
        "-m",
        "seriestool",
        "bot",
        "replay",
        "--repo",
        str(repo),
        "--archive",
        str(arguments.archive),
        arguments.since,
        arguments.until,
        "--policy",
        "all",
    ]
    begun = time.monotonic()
    process = subprocess.Popen(command, env={**os.environ, **own}, stdout=subprocess.PIPE, start_new_session=True)
    sizes: list[tuple[float, float, float]] = []
    watcher = threading.Thread(target=watch, args=(process.pid, begun, sizes), daemon=True)
    watcher.start()
    assert process.stdout is not None
    lines = [line.decode().rstrip("\n").split("  ") for line in process.stdout]
    code = process.wait()
    seconds = time.monotonic() - begun
    answers = Counter(line[4] for line in lines if len(line) > 4)
    series = sum(count for answer, count in answers.items() if answer not in ("incomplete", "superseded"))
    print(f"exit code {code}; {series} series in {seconds:.0f} s: {60 * series / seconds:.0f} a minute")
    print(", ".join(f"{count} {answer[:40]}" for answer, count in answers.most_common()))
    for place in (0.1, 0.25, 0.5, 0.75, 1.0):
        moment, main_size, largest = sizes[min(int(place * len(sizes)), len(sizes) - 1)]
        print(f"after {moment:4.0f} s: the replay {main_size:.0f} MB, the largest process that looks {largest:.0f} MB")


def watch(pid: int, begun: float, sizes: list[tuple[float, float, float]]) -> None:
    """Once a second (seconds since `begun`, MB of the process, MB of its largest descendant)."""
    while (own := resident(pid)) is not None:
        others = [size for child in descendants(pid) if (size := resident(child)) is not None]
        sizes.append((time.monotonic() - begun, own, max(others, default=0.0)))
        time.sleep(1)


def resident(pid: int) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), None)
    return int(line.split()[1]) / 1024 if line else None


def descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found, left = [], list(parents.get(pid, []))
    while left:
        child = left.pop()
        found.append(child)
        left += parents.get(child, [])
    return found


if __name__ == "__main__":
    sys.exit(main())
