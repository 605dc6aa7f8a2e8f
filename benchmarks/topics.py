# SPDX-License-Identifier: GPL-2.0-or-later
"""Real topics whose base is known: how right find-base is, how fast, and b4 beside it.

    python -m benchmarks.topics REPO [--topics 300] [--peer]

Each merge on the first-parent line of HEAD is a topic; its patches become an mbox as they would have been mailed,
without any word of the base, and the merge base is the truth. REPO needs a work tree for --peer: b4 does not guess
in a bare repository. Whole processes are timed, turn about; with the figures come those of the questions alone.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seriestool.base import fit
from seriestool.base.preimage import find_preimage
from seriestool.base.search_context import SearchContext
from seriestool.git import Repository
from seriestool.sources.resolve import resolve
from seriestool.trees import list_tags, list_trees
from seriestool.trees.history import index_dir, update

MOST_PATCHES = 40
_B4_BASE = re.compile(r"Base: (\S+) \((exact match|best guess)")


@dataclass(frozen=True)
class Topic:
    name: str
    base: str
    mbox: Path
    files: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    commit: str | None
    claims_exact: bool
    seconds: float


def main() -> int:
    arguments = parse_arguments()
    repo: Path = arguments.repository
    with tempfile.TemporaryDirectory() as folder:
        topics = list(make_topics(repo, arguments.topics, Path(folder)))
        ask_tool(repo, topics[0])  # the index is built once, and not part of any question
        ours, theirs = [], []
        for topic in topics:
            ours.append(ask_tool(repo, topic))
            if arguments.peer:
                theirs.append(ask_b4(repo, topic, Path(folder)))
        print(f"{len(topics)} topics of {repo}")
        report("seriestool", repo, topics, ours)
        if theirs:
            report("b4", repo, topics, theirs)
            ratios = [mine.seconds / other.seconds for mine, other in zip(ours, theirs, strict=True)]
            print(f"  ratio      median {statistics.median(ratios):.2f}, worst {max(ratios):.2f} of b4's time")
        report_questions(repo, topics)
    pairs = zip(topics, ours, strict=True)
    return any(answer.claims_exact and not has_files(repo, topic, answer) for topic, answer in pairs)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--topics", type=int, default=300)
    parser.add_argument("--peer", action="store_true")
    return parser.parse_args()


def git(repo: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", repo, *arguments], capture_output=True, text=True, errors="replace").stdout


def make_topics(repo: Path, count: int, folder: Path) -> Iterator[Topic]:
    """Topics of 1 to 40 patches, newest first, whose base is older than their first patch."""
    for line in git(repo, "log", "--first-parent", "--merges", "--format=%H %P").splitlines():
        merge, *parents = line.split()
        if len(parents) == 2 and count > 0 and (topic := find_topic(repo, merge, parents, folder)):
            count -= 1
            yield topic


def find_topic(repo: Path, merge: str, parents: Sequence[str], folder: Path) -> Topic | None:
    base = git(repo, "merge-base", *parents).strip()
    revisions = f"{base}..{parents[1]}"
    commits = git(repo, "rev-list", "--reverse", revisions).split()
    if not base or not 1 <= len(commits) <= MOST_PATCHES or git(repo, "rev-list", "--merges", revisions):
        return None
    made, written = (
        int(git(repo, "log", "-1", f"--format={date}", commit)) for date, commit in (("%ct", base), ("%at", commits[0]))
    )
    if made > written:
        return None
    mbox = folder / f"{merge[:12]}.mbox"
    mails = ["format-patch", "--stdout", "--abbrev=10", revisions]
    mbox.write_bytes(with_msgids(subprocess.run(["git", "-C", repo, *mails], capture_output=True).stdout))
    files = git(repo, "diff", "--name-only", "--no-renames", "-z", base, parents[1]).split("\0")[:-1]
    return Topic(merge[:12], base, mbox, tuple(files))


def with_msgids(mails: bytes) -> bytes:
    """b4 wants each mail to have a message-id."""
    return re.sub(rb"^From ([0-9a-f]{40}) .*\n", rb"\g<0>Message-ID: <\1@topics.invalid>\n", mails, flags=re.M)


def ask_tool(repo: Path, topic: Topic) -> Answer:
    command = [sys.executable, "-m", "seriestool", "find-base", "--json", "--repo", str(repo), str(topic.mbox)]
    start = time.perf_counter()
    out = subprocess.run(command, capture_output=True).stdout
    seconds = time.perf_counter() - start
    answer = json.loads(out or "{}")
    return Answer((answer.get("base") or {}).get("commit"), answer.get("verdict") == "exact", seconds)


def ask_b4(repo: Path, topic: Topic, folder: Path) -> Answer:
    first = re.search(rb"^Message-ID: <(.*)>", topic.mbox.read_bytes(), re.M)
    assert first is not None
    command = [
        Path(sys.executable).with_name("b4"),
        "--offline-mode",
        "--no-interactive",
        "am",
        "--guess-base",
        "-m",
        str(topic.mbox),
        "-o",
        str(folder),
        first[1].decode(),
    ]
    start = time.perf_counter()
    said = subprocess.run(command, cwd=repo, capture_output=True, text=True, errors="replace").stderr
    seconds = time.perf_counter() - start
    found = _B4_BASE.search(said)
    commit = git(repo, "rev-parse", "--verify", "-q", f"{found[1]}^{{commit}}").strip() if found else None
    return Answer(commit or None, bool(found and found[2] == "exact match"), seconds)


def has_files(repo: Path, topic: Topic, answer: Answer) -> bool:
    """Whether all files of the topic are at the answer as they are at the true base."""
    if answer.commit is None:
        return False
    paths = [f":(literal){file}" for file in topic.files]
    compare = ["git", "-C", repo, "diff-tree", "--quiet", "-r", answer.commit, topic.base, "--", *paths]
    return subprocess.run(compare).returncode == 0


def report(name: str, repo: Path, topics: Sequence[Topic], answers: Sequence[Answer]) -> None:
    pairs = list(zip(topics, answers, strict=True))
    same = [has_files(repo, topic, answer) for topic, answer in pairs]
    exact = sum(answer.commit == topic.base for topic, answer in pairs)
    false = sum(answer.claims_exact and not right for (_, answer), right in zip(pairs, same, strict=True))
    seconds = [answer.seconds for answer in answers]
    right = f"pre-image {100 * sum(same) / len(pairs):.1f} %, the very commit {100 * exact / len(pairs):.1f} %"
    took = f"process median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s"
    print(f"  {name:10} {right}, false 'exact' {false}, {took}")


def report_questions(repo: Path, topics: Sequence[Topic]) -> None:
    """How long the questions to the whole history take, without process, mails and output."""
    exact, applies = [], []
    with Repository.open(repo) as repository:
        refs = repository.refs()
        history = update(repository, refs, index_dir(repository))
        trees = list_trees(refs, repository.config(), repository.head())
        for topic in topics:
            series = resolve(str(topic.mbox))
            preimage = find_preimage(series)
            context = SearchContext(repository, history, trees, list_tags(refs))
            exact.append(timed(fit.find_exact, history, preimage))
            applies.append(timed(fit.find_applying, history, preimage, context.contents, context.posting(series)))
    for name, seconds in (("exact", exact), ("applies", applies)):
        took = [1000 * one for one in seconds]
        print(f"  question '{name}': median {statistics.median(took):.1f} ms, worst {max(took):.0f} ms")


def timed(question: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    question(*arguments)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
