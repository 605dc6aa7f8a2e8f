# SPDX-License-Identifier: GPL-2.0-or-later
"""kernel.org's push log: who held which commit as the tip of which branch, from when until when.

Every push to git.kernel.org is published as a mail
(https://www.kernel.org/doc/projects/korg/gitolite/transparency-log.html). Its body looks like YAML and is read here by
a few lines of our own: keys that are not known are passed over, and what is not a push is none.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from seriestool.series.mail import Mail
from seriestool.util.lazy_pattern import lazy_pattern

MAX_RECORD = 32_000_000
"""Bytes of a record that are looked at; kernel.org puts lists above 1 MB into an attachment."""
_MAX_CHANGES = 10_000
_MAX_COMMITS = 200_000
_MAX_SUBJECT = 300

_KEY = lazy_pattern(r"( *)(- )?([a-z_]{1,40}):(?: (.*))?")
_COMMIT = lazy_pattern(r"\s*([0-9a-f]{64}|[0-9a-f]{40})(?: (.*))?")
_OID = lazy_pattern(r"[0-9a-f]{64}|[0-9a-f]{40}")
_REPO = lazy_pattern(r"[A-Za-z0-9_][A-Za-z0-9._+~-]{0,200}(?:/[A-Za-z0-9_][A-Za-z0-9._+~-]{0,200}){0,20}")
_REF = lazy_pattern(r"refs/[!-~\u00a1-\U0010ffff]{1,500}")

PushedCommit = tuple[str, str]
"""(full id, subject)"""


class RefUpdate(Struct, frozen=True):
    """What a push did to one ref; `old` is None where it was created, `new` where it was deleted."""

    ref: str
    old: str | None
    new: str | None
    commits: tuple[PushedCommit, ...]
    """Those that the old tip did not have, oldest first, as far as the record lists them."""


class Push(Struct, frozen=True, kw_only=True):
    """One push to one repository."""

    msgid: str
    """Of the record."""
    repo: str
    """As the server names it: pub/scm/linux/kernel/git/cel/linux"""
    user: str
    time: datetime
    """When the server took it; UTC."""
    changes: tuple[RefUpdate, ...]


def index_path(common_dir: Path) -> Path:
    """Where a repository's index over the push log is."""
    return common_dir / "seriestool" / "push-log.sqlite"


def mirrors_path(common_dir: Path) -> Path:
    """Where copies of archives are kept that come from a URL."""
    return common_dir / "seriestool" / "push-log"


def parse_push(raw: bytes) -> Push | None:
    """The push that the mail is a record of, or None where it is another mail."""
    mail = Mail(_unix_lines(raw[:MAX_RECORD]))
    texts = [part.text for part in mail.parts]
    if not texts or not mail.msgid or not mail.header("date"):
        return None
    lines = _lines(texts[0])
    top = {match[3]: (match[4] or "").strip() for line in lines if (match := _KEY().fullmatch(line)) and not match[1]}
    if top.get("service") != "git-receive-pack" or not _REPO().fullmatch(top.get("repo", "")):
        return None
    attached = [text for text in texts[1:] if not text.startswith(b"certificate ")]
    return Push(
        msgid=mail.msgid,
        repo=top["repo"],
        user=top.get("user", "")[:100],
        time=mail.date,
        changes=tuple(_changes(lines, [_commits(_lines(text)) for text in attached])),
    )


def utc_time(time: int) -> datetime:
    """The unix time as a moment in UTC."""
    return datetime.fromtimestamp(time, UTC)


def _unix_lines(raw: bytes) -> bytes:
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    return raw.replace(b"\r\n", b"\n") if b"\r\n" in raw else raw


def _changes(lines: Sequence[str], attached: Sequence[tuple[PushedCommit, ...]]) -> Iterator[RefUpdate]:
    unused = [commits for commits in attached if commits]
    for block in _blocks(lines):
        change = _change(block)
        if change is None:
            continue
        if not change.commits and block.get("log", "").strip() and unused:
            commits = next((some for some in unused if any(oid == change.new for oid, _ in some)), unused[0])
            unused.remove(commits)
            change = RefUpdate(change.ref, change.old, change.new, commits)
        yield change


def _blocks(lines: Sequence[str]) -> list[dict[str, str]]:
    """The keys of each entry below `changes:`; those of `log` joined to one text."""
    blocks: list[dict[str, str]] = []
    log: list[str] | None = None
    inside = False
    for line in lines:
        if log is not None and _COMMIT().fullmatch(line) and line.startswith(" "):
            log.append(line)
            continue
        match = _KEY().fullmatch(line)
        if not match:
            continue
        if log:
            blocks[-1]["log"] = "\n".join(log)
        log = None
        if not match[1] and not match[2]:
            inside = match[3] == "changes"
        elif inside and match[2] and len(blocks) < _MAX_CHANGES:
            blocks.append({})
        if inside and blocks and (match[1] or match[2]):
            blocks[-1].setdefault(match[3], (match[4] or "").strip())
            log = [] if match[3] == "log" else None
    if log:
        blocks[-1]["log"] = "\n".join(log)
    return blocks


def _change(block: dict[str, str]) -> RefUpdate | None:
    ref, old, new = (block.get(key, "").strip("\"'") for key in ("ref", "old", "new"))
    if not (_REF().fullmatch(ref) and _OID().fullmatch(old) and _OID().fullmatch(new)):
        return None
    return RefUpdate(ref, _existing(old), _existing(new), _commits(block.get("log", "").split("\n")))


def _existing(oid: str) -> str | None:
    return oid if oid.strip("0") else None


def _commits(lines: Sequence[str]) -> tuple[PushedCommit, ...]:
    matches = (_COMMIT().fullmatch(line) for line in lines[:_MAX_COMMITS])
    return tuple((match[1], (match[2] or "").strip()[:_MAX_SUBJECT]) for match in matches if match)


def _lines(text: bytes) -> list[str]:
    # Not splitlines(): a subject with a U+2028 in it could then forge a line of its own.
    return text.decode("utf-8", "replace").split("\n")
