# SPDX-License-Identifier: GPL-2.0-or-later
"""The quick variant of every benchmark: python -m benchmarks [REPO], or make bench REPO=/path/to/git.

REPO is a repository with topics merged by --no-ff, such as a clone of git itself. The full variants are the modules
of this folder; each explains itself with --help.
"""

import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Run them one after the other; 1 where one of them found a wrong answer."""
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    failed = run("kernel_size", "--quick")
    failed |= run("lists_index", "--quick")
    failed |= run("bot_speed", "--quick")
    with tempfile.TemporaryDirectory() as folder:
        failed |= run("kernel_size", "--quick", "--repository", f"{folder}/tree.git")
    if len(sys.argv) < 2:
        print("history_index, topics and rebase_oracle need a repository: make bench REPO=/path/to/git")
        return failed
    repo = str(Path(sys.argv[1]).resolve())
    failed |= run("history_index", repo, "--topics", "50") | run("topics", repo, "--topics", "30")
    return failed | run("rebase_oracle", repo, "--topics", "10")


def run(name: str, *arguments: str) -> int:
    print(f"== {name} {' '.join(arguments)}", flush=True)
    return int(subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments]).returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
