# SPDX-License-Identifier: GPL-2.0-or-later
"""Rebases of real series compared with what git itself makes of them.

    python -m benchmarks.rebase_oracle REPO [--topics 300] [--work DIR] [--out FILE]
    python -m benchmarks.rebase_oracle REPO --dataset DIR [--work DIR] [--out FILE]

The series are topics that were merged in REPO, or those of a folder with `meta.json`; each is rebased from its true
base onto commits that are older and later. Git does it three ways (benchmarks/rebase_judge.py): `rebase --onto`,
`am -3`, and the rule by which `seriestool rebase` is judged: the merge decides, and where it conflicts, the plain patch
may go in. The tool must have the very tree, or stop at the same patch with the same files. What git did is kept in
--work, so that the next run asks the tool only. Exits with 1 where there is a disagreement; --only NAME repeats one.
"""

import argparse
import heapq
import json
import re
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatch
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.rebase_cases import Case, Line, bare_clone, cases_of, mails_of, series_of_dataset, series_of_topics
from benchmarks.rebase_compare import Disagreement, compare
from benchmarks.rebase_judge import PLAIN, Judge, JudgeError, OnBase, Stop, Way
from benchmarks.rebase_tool import Answer, Tool
from benchmarks.topics import git

_REVERTED = re.compile(r"^This reverts commit ([0-9a-f]{40,64})", re.M)


@dataclass(frozen=True, slots=True)
class Record:
    """What git did with a case."""

    merge: Way
    am: Way
    rule: Way
    cherry: Way
    """Of `git rebase` with cherry marks; that of `merge` where it has none."""


def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(arguments.work or temporary).resolve()
        work.mkdir(parents=True, exist_ok=True)
        cases = list(find_cases(arguments, work))
        records, unjudged = judge_all(arguments.repository, cases, work)
        report_git(cases, records, unjudged)
        if arguments.judge_only:
            return bool(unjudged)
        tool = Tool(bare_clone(arguments.repository, work / "tool.git"), work)
        judged = [case for case in cases if case.name in records]
        answers = {case.name: tool.ask(case) for case in judged}
        found = [one for case in judged for one in compare(case.name, records[case.name].rule, answers[case.name])]
        found += [one for case in judged for one in check_landed(tool.repo, case, answers[case.name])]
        for case in judged[:: arguments.every]:
            found += compare_otherwise(tool, case, answers[case.name])
    report_tool(records, answers, found)
    if arguments.out:
        arguments.out.write_text(json.dumps([asdict(one) for one in found], indent=1))
    return bool(found or unjudged)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--topics", type=int, default=300)
    parser.add_argument("--dataset", type=Path, help="a folder with meta.json and an mbox for each series")
    parser.add_argument("--work", type=Path, help="where clones and git's results are kept from run to run")
    parser.add_argument("--out", type=Path, help="the disagreements as JSON")
    parser.add_argument("--only", default="*", metavar="NAME", help="only the cases so named; a pattern")
    parser.add_argument("--judge-only", action="store_true", help="ask git only")
    parser.add_argument("--every", type=int, default=20, help="every so many cases as a process, and without --base")
    return parser.parse_args()


def find_cases(arguments: argparse.Namespace, work: Path) -> Iterator[Case]:
    repo = arguments.repository
    if arguments.dataset:
        series = series_of_dataset(arguments.dataset)
    else:
        series = series_of_topics(repo, arguments.topics, work)
    line = Line(repo, with_tip=arguments.dataset is not None)
    return (case for case in cases_of(series, line) if fnmatch(case.name, arguments.only))


def judge_all(repo: Path, cases: Sequence[Case], work: Path) -> tuple[dict[str, Record], dict[str, str]]:
    """The record of each case, and why there is none; those made earlier are read from `records.jsonl`."""
    file = work / "records.jsonl"
    made = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    known = {(one["case"], one["base"], one["onto"]): one for one in made}
    judge = Judge(repo, work)
    with file.open("a") as out:
        for _, group in groupby(cases, lambda case: case.series):
            missing = [case for case in group if (case.name, case.series.base, case.onto) not in known]
            for case, result in judge_series(judge, missing) if missing else ():
                one = {"case": case.name, "base": case.series.base, "onto": case.onto, **result}
                known[case.name, case.series.base, case.onto] = one
                print(json.dumps(one), file=out, flush=True)
    found = {case.name: known[case.name, case.series.base, case.onto] for case in cases}
    errors = {name: one["error"] for name, one in found.items() if "error" in one}
    return {name: read_record(one) for name, one in found.items() if name not in errors}, errors


def judge_series(judge: Judge, cases: Sequence[Case]) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Each case of one series with its record, or with the error that there was."""
    series = cases[0].series
    try:
        mails = mails_of(Path(series.mbox).read_bytes())
        on_base = judge.put_on_base(series.base, mails, series.paths, series.tree)
    except JudgeError as error:
        yield from ((case, {"error": str(error)}) for case in cases)
        return
    for case in cases:
        try:
            yield case, asdict(judge_case(judge, on_base, case))
        except JudgeError as error:
            yield case, {"error": str(error)}


def judge_case(judge: Judge, on_base: OnBase, case: Case) -> Record:
    merge, rule = judge.merge(on_base, case.onto)
    cherry = judge.cherry(on_base, case.onto, case.series.paths)
    return Record(merge, judge.am(on_base, case.onto), rule, cherry or merge)


def read_record(one: Mapping[str, Any]) -> Record:
    return Record(*(read_way(one[name]) for name in ("merge", "am", "rule", "cherry")))


def read_way(way: Mapping[str, Any]) -> Way:
    stops = tuple(Stop(one["patch"], tuple(one["paths"]), tuple(one["said"])) for one in way["stops"])
    return Way(tuple(way["outcomes"]), way["tree"], stops)


def check_landed(repo: Path, case: Case, answer: Answer) -> Iterator[Disagreement]:
    """A commit that is said to be a patch is one of the target, is not older than the series, and was not reverted."""
    named = {patch.merged_as: number for number, patch in enumerate(answer.patches, 1) if patch.merged_as}
    if not named:
        return
    new = dict(read_log(repo, case.onto, f"^{case.series.base}"))
    reverted = {commit for body in new.values() for commit in _REVERTED.findall(body)}
    for commit, number in named.items():
        if commit not in new:
            yield Disagreement(case.name, "merged as", f"patch {number}: {commit} is of the base, or not of the target")
        elif commit in reverted:
            yield Disagreement(case.name, "merged as", f"patch {number}: {commit} was reverted")


def read_log(repo: Path, *revisions: str) -> Iterator[tuple[str, str]]:
    for entry in git(repo, "log", "-z", "--format=%H%n%b", *revisions).split("\0"):
        commit, _, body = entry.partition("\n")
        yield commit, body


def compare_otherwise(tool: Tool, case: Case, answer: Answer) -> Iterator[Disagreement]:
    """A process of its own says the same, and so does the tool with a base that it finds itself."""
    process = tool.ask(case, in_process=False)
    if replace(process, seconds=answer.seconds) != answer:
        yield Disagreement(case.name, "process", f"exit code {process.code}, tree {process.tree} {process.error}")
    found = tool.ask(case, with_base=False)
    same = found.base and has_paths(tool.repo, case, found.base)
    if same and (found.tree, found.patches) != (answer.tree, answer.patches):
        yield Disagreement(case.name, "found base", f"from {found.base} it is tree {found.tree}, not {answer.tree}")
    elif not same:
        print(f"  {case.name}: another base was found, {found.base} {found.error}")


def has_paths(repo: Path, case: Case, commit: str) -> bool:
    """Whether all that the series touches is at the commit as it is on its true base."""
    paths = [f":(literal){path}" for path in case.series.paths]
    return not git(repo, "diff-tree", "-r", "--name-only", commit, case.series.base, "--", *paths)


def report_git(cases: Sequence[Case], records: Mapping[str, Record], unjudged: Mapping[str, str]) -> None:
    print(f"{len(cases)} cases of {len({case.series.name for case in cases})} series, {len(unjudged)} not judged")
    for name, error in unjudged.items():
        print(f"  {name}: {error.strip()}")
    print(f"  {'':24}{'all in':>10}{'conflict':>10}")
    for label, way in WAYS.items():
        ways = [way(record) for record in records.values()]
        stopped = sum(bool(one.stops) for one in ways)
        print(f"  {label:24}{len(ways) - stopped:10}{stopped:10}")
    report_names("rebase and am -3 both take all, with another result", differing(records, lambda record: record.am))
    marked = differing(records, lambda record: record.cherry)
    report_names("rebase with cherry marks takes all too, with another result", marked)
    report_names(
        "am -3 takes all where the rule stops",
        [name for name, record in records.items() if record.am.tree and record.rule.stops],
    )
    plain = [name for name, record in records.items() if PLAIN in record.rule.outcomes]
    report_names("the plain patch goes in where the merge conflicts", plain)


WAYS: Mapping[str, Callable[[Record], Way]] = {
    "rebase --onto": lambda record: record.merge,
    "rebase with cherry marks": lambda record: record.cherry,
    "am -3": lambda record: record.am,
    "the rule": lambda record: record.rule,
}


def differing(records: Mapping[str, Record], other: Callable[[Record], Way]) -> list[str]:
    """The cases that go in both ways and do not become the same."""
    return [
        name
        for name, record in records.items()
        if None not in (record.merge.tree, other(record).tree) and record.merge.tree != other(record).tree
    ]


def report_names(what: str, names: Sequence[str]) -> None:
    print(f"  {what}: {len(names)}")
    for name in names:
        print(f"    {name}")


def report_tool(records: Mapping[str, Record], answers: Mapping[str, Answer], found: Sequence[Disagreement]) -> None:
    taken = sum(answer.tree is not None for answer in answers.values())
    seconds = {name: answer.seconds for name, answer in answers.items()}
    slowest = heapq.nlargest(5, seconds, key=seconds.__getitem__)
    print(f"  {'seriestool rebase':24}{taken:10}{len(answers) - taken:10}")
    landed = [name for name, answer in answers.items() if records[name].rule.stops and answer.tree]
    print(f"  known to be merged in another form where git stops: {len(landed)}")
    print(f"  median {statistics.median(seconds.values()):.3f} s; the slowest:")
    for name in slowest:
        print(f"    {name} {seconds[name]:.1f} s")
    print(f"{len({one.case for one in found})} cases in disagreement: {dict(Counter(one.kind for one in found))}")
    for one in found:
        print(f"  {one.case}: {one.kind}: {one.text}")


if __name__ == "__main__":
    sys.exit(main())
