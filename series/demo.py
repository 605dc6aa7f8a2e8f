# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job on what ships here: two series, one small tree, `seriestool find-base` on each.

Nothing stays behind: the tree is made in a temporary folder from `lamp.fast-export`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERIES = ("lamp-fade", "lamp-gamma")
NO_BASE = 1


def main() -> int:
    """0 where each series got the answer that its series.toml tells of."""
    with tempfile.TemporaryDirectory(prefix="seriestool-demo-") as folder:
        tree = make_tree(Path(folder), HERE / "lamp.fast-export")
        codes = [find_base(tree, HERE / name / "series.mbox") for name in SERIES]
    return 0 if codes == [0, NO_BASE] else 1


def make_tree(folder: Path, export: Path) -> Path:
    """A bare repository with the history of a `git fast-export`."""
    tree = folder / "lamp.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(tree)], check=True)
    with export.open("rb") as history:
        subprocess.run(["git", "-C", str(tree), "fast-import", "--quiet"], stdin=history, check=True)
    return tree


def find_base(tree: Path, mbox: Path) -> int:
    """Run the program as a user would, and show how."""
    shown = mbox.relative_to(HERE.parent)
    print(f"\n$ seriestool find-base --repo {tree.name} {shown}\n", flush=True)
    code = subprocess.run([sys.executable, "-m", "seriestool", "find-base", "--repo", str(tree), str(mbox)]).returncode
    print(f"\n(exit code {code})", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
