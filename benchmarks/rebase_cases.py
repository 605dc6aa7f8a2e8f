# SPDX-License-Identifier: GPL-2.0-or-later
"""Real series whose base is known, and the later commits that they are rebased onto."""

import email
import email.policy
import json
import re
import subprocess
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.topics import find_topic, git

LATER = {"older": -182, "month": 30, "half": 182, "years": 730}
"""The targets by the days that they are later than the base; a series may be wanted on an old tree too."""
TRIES = 3
"""Merges looked at for each topic wanted; many are too large, or have merges in them."""

_START = re.compile(rb"^From (?:mboxrd@z|[0-9a-f]{40}) .*\n", re.M)


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    mbox: str
    base: str
    paths: tuple[str, ...]
    tree: str | None
    """What is known of the tree that the whole series makes on its base."""
    merged: str | None = None
    """The commit of the main line just before this very series was merged."""


@dataclass(frozen=True, slots=True)
class Case:
    """A series and the commit that it is rebased onto; `name` is the same in every run."""

    name: str
    series: Series
    onto: str


def cases_of(series: Sequence[Series], line: "Line") -> list[Case]:
    """Each series on each of its targets; each commit but once."""
    cases = []
    for one in series:
        targets: dict[str, str] = {}
        for label, commit in line.targets(one):
            targets.setdefault(commit, label)
        cases += [Case(f"{one.name}@{label}", one, commit) for commit, label in targets.items()]
    return cases


class Line:
    """The first-parent line of HEAD, oldest first."""

    def __init__(self, repo: Path, with_tip: bool) -> None:
        self.repo = repo
        self.commits: list[str] = []
        self.latest: list[int] = []
        for line in git(repo, "log", "--first-parent", "--reverse", "--format=%H %ct").splitlines():
            commit, date = line.split()
            self.commits.append(commit)
            self.latest.append(max(int(date), *self.latest[-1:], 0))
        self.with_tip = with_tip

    def targets(self, series: Series) -> Iterator[tuple[str, str]]:
        """(what it is, commit): just before it was merged, some time later, and the tip."""
        if series.merged:
            yield "merged", series.merged
        start = int(git(self.repo, "log", "-1", "--format=%ct", series.base))
        for label, days in LATER.items():
            place = bisect_right(self.latest, start + days * 86400)
            if 0 < place < len(self.commits):
                yield label, self.commits[place]
        if self.with_tip:
            yield "tip", self.commits[-1]


def series_of_topics(repo: Path, count: int, folder: Path) -> list[Series]:
    """Topics from all over the history of HEAD, as `benchmarks.topics` makes them; they are kept in the folder."""
    made = folder / f"topics-{count}.json"
    if made.exists():
        return [_read(one) for one in json.loads(made.read_bytes())]
    (folder / "topics").mkdir(exist_ok=True)
    merges = git(repo, "log", "--first-parent", "--merges", "--format=%H %P").splitlines()
    found: list[Series] = []
    for line in merges[:: max(1, len(merges) // (TRIES * count))]:
        merge, *parents = line.split()
        if len(parents) != 2 or len(found) == count:
            continue
        if topic := find_topic(repo, merge, parents, folder / "topics"):
            tree = git(repo, "rev-parse", f"{parents[1]}^{{tree}}").strip()
            before = parents[0] if parents[0] != topic.base else None
            found.append(
                Series(
                    name=topic.name, mbox=str(topic.mbox), base=topic.base, paths=topic.files, tree=tree, merged=before
                )
            )
    made.write_text(json.dumps([asdict(one) for one in found], indent=1))
    return found


def series_of_dataset(folder: Path) -> list[Series]:
    """Those of a folder with `meta.json` that apply on their base."""
    known = json.loads((folder / "meta.json").read_bytes())["series"]
    return [
        Series(
            name=one["sid"],
            mbox=str((folder / one["mbox"]).resolve()),
            base=one["base"],
            paths=tuple(one["files"]),
            tree=one["result_tree"],
        )
        for one in known
        if one.get("clean")
    ]


def bare_clone(repo: Path, clone: Path) -> Path:
    """A repository to write to that borrows the objects of `repo`, and has its branches and tags."""
    if not clone.exists():
        subprocess.run(["git", "clone", "--quiet", "--shared", "--bare", repo.resolve(), clone], check=True)
    return clone


def mails_of(mbox: bytes) -> list[bytes]:
    """The mails with patches, in the order of the series; without the lines between mails and their escapes."""
    numbered = []
    for place, mail in enumerate(_START.split(mbox)[1:]):
        raw = re.sub(rb"(?m)^>(>*From )", rb"\1", mail) if b"From mboxrd@z" in mbox else mail
        message = email.message_from_bytes(raw, policy=email.policy.compat32)
        subject = re.sub(r"\s+", " ", str(message["subject"]))
        number = re.search(r"\b(\d+)/\d+\]", subject)
        if _has_diff(message) and (number is None or int(number[1])):
            numbered.append((int(number[1]) if number else 1, place, raw))
    return [raw for _, _, raw in sorted(numbered)]


def _has_diff(message: email.message.Message) -> bool:
    texts = (part.get_payload(decode=True) for part in message.walk() if part.get_content_maintype() == "text")
    return any(isinstance(text, bytes) and re.search(rb"^diff --git ", text, re.M) for text in texts)


def _read(one: dict[str, Any]) -> Series:
    return Series(**{**one, "paths": tuple(one["paths"])})
