# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written down and compared: texts in tests/cli/golden, and the recorded series of series/.

Of a recorded series, `series.toml` says what the program answers: `[answer]` has what find-base says; it has
`[answer.rebuilt]`, `[[answer.rebase]]`, `[[answer.split]]` and `[answer.check]` where the series has such facts.
Whatever is not in the program's answer, or differs from it, is a difference.
"""

import email
import email.message
import json
import mailbox
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from seriestool.series.model import path_text
from seriestool.sources.lists.list_update import update_list
from seriestool.sources.lists.patch_index_writer import make_index
from seriestool.sources.resolve import resolve
from tests.support.repos import ROOT, Repo, shared
from tests.support.session import leading, run_program

SERIES = ROOT / "series"


PROSE = {"asked", "said", "why"}
"""Keys of what people said, in our words: nothing can be compared with them."""


PLACES = {"tree", "data"}
"""Keys that say where mails and trees are."""


RecordedFacts = dict[str, Any]


def recorded_folders() -> list[Path]:
    """The folders of all recorded series."""
    return sorted(file.parent for file in SERIES.glob("*/series.toml"))


def facts_of(folder: Path) -> RecordedFacts:
    """What is recorded of the series."""
    return tomllib.loads((folder / "series.toml").read_text())


def find_differences(facts: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    """Where the program says something else, or nothing: `answer.rebuilt.matched: 22, but 23 today`."""
    return list(_iter_differences(facts, said, ""))


def _iter_differences(fact: Any, said: Any, at: str) -> Iterator[str]:
    if isinstance(fact, Mapping) and isinstance(said, Mapping):
        for key, value in fact.items():
            if key not in PROSE and not (not at and key in PLACES):
                yield from _iter_differences(value, said.get(key), f"{at}.{key}" if at else key)
    elif _is_tables(fact) and _is_tables(said) and len(fact) == len(said):
        for number, (one, other) in enumerate(zip(fact, said, strict=True)):
            yield from _iter_differences(one, other, f"{at}[{number}]")
    elif fact != said:
        yield f"{at}: {fact!r}, but {said!r} today"


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


@dataclass(frozen=True, slots=True)
class Replay:
    """A recorded series with its trees, and the list where there is one."""

    facts: RecordedFacts
    repo: Repo
    mails: Path
    thread: Path | None
    data: Path
    """XDG_DATA_HOME: the index of the list is there."""

    def ask(self, command: str, *options: str) -> tuple[int, Any]:
        """(exit code, the JSON that the command prints of the series)."""
        arguments = (command, "--json", "--offline", "--repo", self.repo.path, *options, self.mails)
        result = run_program(*arguments, env={"XDG_DATA_HOME": str(self.data)})
        assert result.out.startswith("{"), result.err
        return result.code, json.loads(result.out)


def set_up(folder: Path, room: Path) -> Replay:
    """The series with its trees made in `room`; the test is skipped, saying so, where they are not at hand."""
    facts = facts_of(folder)
    tree = Repo(room / "tree", bare=True)
    if "tree" in facts:
        tree.git("fast-import", "--quiet", input=(SERIES / facts["tree"]).read_bytes())
        return Replay(facts, tree, folder / "series.mbox", None, room / "data")
    places = {key: shared(f"data/{name}") for key, name in facts["data"].items()}
    tree.git("fetch", "--quiet", str(places["trees"]), "+refs/*:refs/*")
    archive = Repo(room / "list.git", bare=True)
    archive.git("fetch", "--quiet", str(places["list"]), "+refs/heads/*:refs/heads/*")
    archive.git("symbolic-ref", "HEAD", "refs/heads/master")
    with make_index(room / "data/seriestool/lists.sqlite") as index:
        update_list(index, "list", str(archive.path), room / "mirrors")
    return Replay(facts, tree, places["mails"], places["thread"], room / "data")


def said_today(replay: Replay) -> RecordedFacts:
    """What the program says, in the layout of series.toml; commands are run only for what is recorded."""
    said: RecordedFacts = {**_of_mails(replay), "answer": {}}
    code, found = replay.ask("find-base")
    said["answer"] = _of_find_base(found, code)
    said["blob"] = [_blob(one) for one in found["preimage"]]
    if replay.thread is not None:
        said |= {key: _mail(replay.thread, replay.facts[key]["msgid"]) for key in ("question", "reply")}
    makers: dict[str, Callable[[Replay, Any], Any]] = {
        "rebuilt": lambda replay, found: _of_rebuilt(found),
        "rebase": lambda replay, found: _of_rebase(replay.ask("rebase", "--all-trees")[1]),
        "split": lambda replay, found: _of_split(replay.ask("split")[1]),
        "check": lambda replay, found: _of_check(*replay.ask("check")),
    }
    wanted = [key for key in makers if key in replay.facts["answer"]]
    said["answer"] |= {key: makers[key](replay, found) for key in wanted}
    return said


def _of_mails(replay: Replay) -> RecordedFacts:
    series = resolve(str(replay.mails))
    version = {
        "version": series.version,
        "msgid": series.msgid,
        "subject": series.subject,
        "posted": series.posted,
        "patches": len(series.patches),
        "base-commit": series.base.commit,
        "mails": "series.mbox" if "tree" in replay.facts else None,
    }
    return {
        "msgid": series.msgid,
        "change-id": series.change_id,
        "subject": series.subject,
        "author": series.patches[0].author_email,
        "files": [path_text(path) for path in series.touched],
        "version": [version],
        "patch": [{"counter": patch.counter, "msgid": patch.msgid} for patch in series.patches],
    }


def _of_find_base(found: Any, code: int) -> RecordedFacts:
    answer: RecordedFacts = {
        "verdict": found["verdict"],
        "exit": code,
        "stated": found["stated"]["state"] if found["stated"] else None,
        "never": [path["path"] for path in found["unmatched"] if path["reason"] == "never"],
        "matched": {one["label"]: one["matched"] for one in found["candidates"] if one["label"]},
        "merged": _merged(found["candidates"]),
    }
    if found["base"]:
        answer |= {"base": found["base"]["commit"], "in": found["base"]["tree"], "describe": found["base"]["describe"]}
    best = found["candidates"][0]
    answer["applied"] = leading(best)
    failing = next((one for one in best["outcomes"] if one["outcome"] == "CONFLICT"), None)
    if failing:
        failure = failing["failure"]
        answer |= {"failing": failing["patch"], "path": failure["path"], "hunk": failure["hunk"]}
    return answer


def _merged(candidates: Sequence[Any]) -> dict[str, list[int]]:
    """Tree -> the patches that its tip has already."""
    tips: dict[str, list[int]] = {}
    for one in candidates:
        there = [outcome["patch"] for outcome in one["outcomes"] if outcome["outcome"] == "ALREADY_MERGED"]
        if there and one["tree"] not in tips:
            tips[one["tree"]] = there
    return tips


def _blob(one: Any) -> RecordedFacts:
    return {
        "path": one["path"],
        "blob": one["blob"],
        "expects": one["expects"],
        "trees": sorted(one["trees"]),
    }


def _of_rebuilt(found: Any) -> RecordedFacts:
    rebuilt = found["rebuilt"]
    return {
        "commit": rebuilt["commit"],
        "in": rebuilt["tree"],
        "verdict": rebuilt["verdict"],
        "matched": rebuilt["matched"],
        "expected": rebuilt["expected"],
        "offset": [one["patch"] for one in rebuilt["outcomes"] if one["offsets"]],
        "ways": dict(Counter(one["kind"] for one in rebuilt["blobs"] if one["proven"])),
        "unproven": [one["path"] for one in rebuilt["blobs"] if not one["proven"]],
        "mails": [one["msgid"] for one in found["prerequisites"]],
    }


def _of_rebase(found: Any) -> list[RecordedFacts]:
    return [
        {
            "tree": tree["name"],
            "onto": tree["onto"],
            "merged": [one["patch"] for one in tree["patches"] if one["outcome"] == "ALREADY_MERGED"],
            "conflicts": [one["patch"] for one in tree["patches"] if one["outcome"] == "CONFLICT"],
            "places": sum(len(file["places"]) for one in tree["patches"] for file in one["conflicts"]),
            "paths": sorted({file["path"] for one in tree["patches"] for file in one["conflicts"]}),
        }
        for tree in found["trees"]
    ]


def _of_split(found: Any) -> list[RecordedFacts]:
    return [
        {"to": part["name"], "patches": [one["counter"] for one in part["patches"]], "verdicts": part["verdicts"]}
        for part in found["subseries"]
    ]


def _of_check(code: int, found: Any) -> RecordedFacts:
    findings: dict[str, list[str]] = {"warn": [], "fail": [], "note": []}
    for result in found["results"]:
        for one in result["findings"]:
            if one["status"] != "skip":  # what cannot be looked at depends on the machine
                where = f" {one['patch']}" if one["patch"] else ""
                findings["note" if one["status"] == "pass" else one["status"]].append(
                    f"{result['check']}/{one['rule']}{where}"
                )
    base = found["base"]
    return {
        "exit": code,
        "footing": base["footing"],
        "describe": base["describe"],
        **{key: sorted(value) for key, value in findings.items()},
    }


def _mail(thread: Path, msgid: str) -> RecordedFacts | None:
    """What is known of a mail of the thread, but not what it says."""
    mails: dict[str, email.message.Message] = {}
    for mail in mailbox.mbox(thread):
        mails[str(mail["Message-ID"]).strip("<> ")] = mail
    if msgid not in mails:
        return None
    mail = mails[msgid]
    sender = email.utils.parseaddr(str(mail["From"]))[0]
    return {
        "msgid": msgid,
        "by": sender,
        "on": parsedate_to_datetime(str(mail["Date"])).astimezone(UTC),
        "answers": str(mail["In-Reply-To"]).strip("<> "),
    }
