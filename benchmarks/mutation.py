# SPDX-License-Identifier: GPL-2.0-or-later
"""How many small mistakes the unit tests notice: python -m benchmarks.mutation [--count N] [--seed N] [--only ROOM]

Each mutant is the package with one comparison, condition or arithmetic operator changed, chosen at random over all
modules. The module's own test file is asked first, then the tests of its room; a mutant that they all pass survives.
Survivors are printed as they are found: each wants a test, or its code can go. Those in `equivalent_mutants.txt` mean
the same as the program (the line says why) and are left out of the share that is killed.
"""

import argparse
import ast
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "seriestool"
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.txt")
LONGEST = 240.0  # seconds of one run of tests; a mutant that loops for ever is noticed as well
NOT_COPIED = (".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")

SWAPS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"), ast.And: ("and", "or"), ast.Or: ("or", "and"), ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "*"),
    ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"), ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"),
}  # fmt: skip
"""Of each operator how it is written, and what it becomes."""


@dataclass(frozen=True)
class Mutant:
    """One change of one file: the bytes from `start` to `end` become `text`."""

    path: Path
    start: int
    end: int
    text: str

    def changed(self, source: bytes) -> bytes:
        """The file with the change."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def shown(self, source: bytes) -> str:
        """`path: the line as it is -> the line as it becomes`."""
        begin = source.rfind(b"\n", 0, self.start) + 1
        lines = (text[begin:].split(b"\n", 1)[0].decode().strip() for text in (source, self.changed(source)))
        return f"{self.path}: {' -> '.join(lines)}"


def main() -> int:
    """Print the survivors and the share that was killed; 1 where it is below nine in ten."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a room: base, check/rules, ...")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
        shared = ROOT.parent / "shared"
        if shared.exists():
            (copy.parent / "shared").symlink_to(shared.resolve())
        every = [
            mutant
            for path in sorted((copy / PACKAGE / arguments.only).rglob("*.py"))
            for mutant in mutants_of(copy, path)
        ]
        chosen = random.Random(arguments.seed).sample(every, min(arguments.count, len(every)))
        print(f"{len(chosen)} of {len(every)} possible mutants", flush=True)
        results = Counter(judge(copy, mutant) for mutant in chosen)
    print(", ".join(f"{count} {name}" for name, count in sorted(results.items())))
    share = results["killed"] / max(1, results["killed"] + results["survived"])
    print(f"{share:.1%} killed")
    return int(share < 0.9)


def mutants_of(root: Path, path: Path) -> Iterator[Mutant]:
    """All mutants of a file, but those of what is read by type checkers only."""
    source = Source(path.relative_to(root), path.read_bytes())
    for node in _code(ast.parse(source.content)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
                yield from source.swap(operator, left, right)
        elif isinstance(node, ast.BoolOp):
            for left, right in pairwise(node.values):
                yield from source.swap(node.op, left, right)
        elif isinstance(node, ast.BinOp):
            yield from source.swap(node.op, node.left, node.right)
        elif isinstance(node, ast.If | ast.IfExp | ast.While):
            yield from source.negate(node.test)


class Source:
    """A file, and where in its bytes the nodes of its syntax tree stand."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.content = content
        self._lines = [0, *accumulate(len(line) for line in content.splitlines(keepends=True))]

    def swap(self, operator: ast.AST, left: ast.expr, right: ast.expr) -> Iterator[Mutant]:
        """The mutant with another operator between the two; none for operators that have no counterpart."""
        if type(operator) not in SWAPS:
            return
        written, other = SWAPS[type(operator)]
        at = self.content.find(written.encode(), self._span(left)[1], self._span(right)[0])
        if at >= 0:
            yield Mutant(self.path, at, at + len(written), other)

    def negate(self, test: ast.expr) -> Iterator[Mutant]:
        """The mutant that does the opposite; comparisons and their combinations have mutants of their own."""
        if not isinstance(test, ast.Compare | ast.BoolOp):
            begin, end = self._span(test)
            yield Mutant(self.path, begin, end, f"(not ({self.content[begin:end].decode()}))")

    def _span(self, node: ast.expr) -> tuple[int, int]:
        last, column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self._lines[node.lineno - 1] + node.col_offset, self._lines[last - 1] + column


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run: no annotations, no `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(tree, ast.AnnAssign | ast.arg | ast.FunctionDef) and child in (
            getattr(tree, "annotation", None), getattr(tree, "returns", None)
        ):  # fmt: skip
            continue
        yield child
        yield from _code(child)


def judge(copy: Path, mutant: Mutant) -> str:
    """`killed`, `survived` or `equivalent`."""
    path = copy / mutant.path
    source = path.read_bytes()
    shown = mutant.shown(source)
    if EQUIVALENT.exists() and any(line.startswith(shown) for line in EQUIVALENT.read_text().splitlines()):
        return "equivalent"
    path.write_bytes(mutant.changed(source))
    try:
        if any(_is_noticed(copy, tests) for tests in _tests_of(copy, mutant.path)):
            return "killed"
    finally:
        path.write_bytes(source)
    print(f"survived: {shown}", flush=True)
    return "survived"


def _tests_of(copy: Path, module: Path) -> Iterator[Path]:
    """The module's own tests, then those of its room, as tests/unit mirrors the package."""
    folder = Path("tests/unit") / module.parent.relative_to(PACKAGE)
    own = folder / f"test_{module.stem}.py"
    if (copy / own).exists():
        yield own
    while not (copy / folder).exists():
        folder = folder.parent
    yield folder


def _is_noticed(copy: Path, tests: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", str(tests)]
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    quiet = subprocess.DEVNULL
    run = subprocess.Popen(command, cwd=copy, env=env, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        return run.wait(LONGEST) != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)  # also what the tests have started
        run.wait()


if __name__ == "__main__":
    sys.exit(main())
