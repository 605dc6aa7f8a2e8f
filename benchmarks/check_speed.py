# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the checks of ten patches take on a kernel: python -m benchmarks.check_speed KERNEL.git [--rounds N]

Ten patches are made on the tip of KERNEL.git (each changes some C files in folders far apart). All checks that build
nothing run on them, with and without checkpatch; beside them, in the same rounds, the tree's own checkpatch.pl on the
same mails, as b4's review does it, and `git am` of them in a work tree.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BUILDS = "bisect,kunit-build,dt-schema,attestation"
PATCHES, FILES = 10, 3
SEED = 7


def main() -> int:
    """Print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = folder / "tree"
        run(["git", "clone", "-q", "--shared", str(arguments.repository.resolve()), str(tree)])
        mbox = make_series(tree, folder)
        ways = list_ways(tree, mbox)
        for way in ways.values():
            way()  # the first run reads the history
        seconds = {name: [timed(way) for _ in range(arguments.rounds)] for name, way in ways.items()}
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        print(f"{name:<28} {median:6.2f} s  {median / medians['checkpatch.pl, each mail']:5.2f} of checkpatch.pl")
    return 0


def list_ways(tree: Path, mbox: Path) -> dict[str, Callable[[], None]]:
    command = [sys.executable, "-m", "seriestool", "check", "--repo", str(tree), "--no-cache", "--offline", "-q"]
    base = ["--base", "HEAD", f"--skip={BUILDS}"]

    def checks(*more: str) -> None:
        run([*command, *base, *more, str(mbox)], allowed=(0, 1))

    def checkpatch() -> None:
        for patch in sorted(mbox.parent.glob("*.patch")):
            run(["perl", "scripts/checkpatch.pl", "-q", "--terse", "--no-summary", str(patch)], tree, (0, 1))

    def am() -> None:
        run(["git", "am", "-q", str(mbox)], tree)
        run(["git", "reset", "-q", "--hard", f"HEAD~{PATCHES}"], tree)

    return {
        "checks that build nothing": lambda: checks("--skip=checkpatch,kernel-doc,uapi,netlink-spec"),
        "and headers, kernel-doc": lambda: checks("--skip=checkpatch"),
        "and checkpatch": lambda: checks(),
        "checkpatch.pl, each mail": checkpatch,
        "git am": am,
    }


def make_series(tree: Path, folder: Path) -> Path:
    """The mbox; the patches are beside it."""
    chosen = random.Random(SEED)
    paths = run(["git", "ls-files", "*.c"], tree).splitlines()
    files = chosen.sample([path for path in paths if (tree / path).stat().st_size < 100_000], PATCHES * FILES)
    for number in range(PATCHES):
        for path in files[number * FILES : (number + 1) * FILES]:
            with (tree / path).open("a") as file:
                file.write(f"\nstatic int benchmark_{number}(void)\n{{\n\treturn {number};\n}}\n")
        subject = f"benchmark: change {number}\n\nIt is wanted.\n\nSigned-off-by: A U Thor <author@example.com>"
        run(["git", "-c", "user.name=A U Thor", "-c", "user.email=author@example.com", "commit", "-qam", subject], tree)
    run(
        ["git", "format-patch", "-q", "--to=lkml@example.com", "-o", str(folder), f"HEAD~{PATCHES}"],
        tree,
    )
    run(["git", "reset", "-q", "--hard", f"HEAD~{PATCHES}"], tree)
    mbox = folder / "series.mbox"
    mbox.write_bytes(b"".join(patch.read_bytes() for patch in sorted(folder.glob("*.patch"))))
    run(["git", "config", "user.name", "A U Thor"], tree)
    run(["git", "config", "user.email", "author@example.com"], tree)
    return mbox


def run(command: list[str], folder: Path | None = None, allowed: tuple[int, ...] = (0,)) -> str:
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if answer.returncode not in allowed:
        sys.exit(f"{command[:4]} ended with {answer.returncode}: {answer.stderr}")
    return answer.stdout


def timed(way: Callable[[], None]) -> float:
    start = time.monotonic()
    way()
    return time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main())
