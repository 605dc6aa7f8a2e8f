# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixes tags on a real list: the grammar agrees with a reader, and calls no good tag bad."""

import re
import subprocess
from pathlib import Path

import pytest

from seriestool.series.mail import Mail
from seriestool.series.mail.patch_mail import take_apart
from seriestool.series.message.commit_message import CommitMessage
from seriestool.series.message.fixes import find_fixes_tags
from tests.support.repos import shared

_JUDGED = Path(__file__).parents[1] / "data/fixes-tags/linux-nfs-sample.tsv"
_CANDIDATE = re.compile(r"[^A-Za-z0-9]*fix(es|ed)?\b.{0,3}(:|commit|[0-9a-f]{6})", re.I)
"""Anything that somebody might mean as a tag."""
_STRICT = re.compile(r'Fixes: [0-9a-f]{12,40} \("[^ ].*[^ ]"\)')


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CommitMessage]:
    """Message-id -> commit message, of all patches in the archive."""
    folder = tmp_path_factory.mktemp("list")
    bundle = shared("data/linux-nfs-2026.bundle")
    subprocess.run(["git", "clone", "--quiet", "--bare", str(bundle), str(folder / "a.git")], check=True)
    mails = map(Mail, _mails(folder / "a.git"))
    return {mail.msgid: _message(mail) for mail in mails if _is_patch(mail)}


def _message(mail: Mail) -> CommitMessage:
    return CommitMessage((mail.subject.title, "", *take_apart(mail).message.split("\n")))


def _mails(archive: Path) -> list[bytes]:
    """Every mail of a public-inbox archive."""
    commits = subprocess.run(["git", "rev-list", "HEAD"], cwd=archive, capture_output=True, check=True).stdout.split()
    asked = b"".join(commit + b":m\n" for commit in commits)
    out = subprocess.run(["git", "cat-file", "--batch"], cwd=archive, input=asked, capture_output=True, check=True)
    found, at = [], 0
    while at < len(out.stdout):
        end = out.stdout.index(b"\n", at)
        size = int(out.stdout[at:end].split()[-1])
        found.append(out.stdout[end + 1 : end + 1 + size])
        at = end + size + 2
    return found


def _is_patch(mail: Mail) -> bool:
    return mail.subject.is_patch and not mail.subject.is_reply and mail.has_diff


def _said(message: CommitMessage) -> dict[int, tuple[str, str]]:
    """Line -> (verdict, mistake) of the grammar."""
    tags = find_fixes_tags(message)
    return {tag.number: ("bad", ",".join(tag.flaws)) if tag.flaws else ("good", "-") for tag in tags}


def test_the_grammar_agrees_with_a_reader(messages: dict[str, CommitMessage]) -> None:
    rows = [line.split("\t") for line in _JUDGED.read_text().splitlines() if not line.startswith("#")]
    assert len(rows) == 200
    other = [
        (msgid, line, verdict, mistake)
        for msgid, line, verdict, mistake in rows
        if _said(messages[msgid]).get(int(line), ("none", "-")) != (verdict, mistake)
    ]
    assert other == []


def test_no_good_tag_is_called_bad(messages: dict[str, CommitMessage]) -> None:
    good = called_bad = 0
    for message in messages.values():
        said = _said(message)
        for number, line in enumerate(message.lines, 1):
            if number > 2 and _STRICT.fullmatch(line):
                good += 1
                called_bad += said.get(number) != ("good", "-")
    assert (good, called_bad) == (445, 0)


def test_nothing_but_candidates_is_called_a_tag(messages: dict[str, CommitMessage]) -> None:
    candidates = tags = 0
    for message in messages.values():
        candidates += sum(_CANDIDATE.match(line) is not None for line in message.lines[2:])
        for number in _said(message):
            tags += 1
            assert _CANDIDATE.match(message.lines[number - 1])
    assert (candidates, tags) == (460, 455)
