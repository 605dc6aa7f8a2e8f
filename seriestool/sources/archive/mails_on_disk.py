# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails on disk: mailbox files, maildirs, folders of patches, and public-inbox git archives. No network."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from seriestool.git import Repository
from seriestool.series.mail import MAX_BYTES, Mail, refuse_large, split_mbox
from seriestool.sources.archive.public_inbox import find_epochs, find_mails, small_mails
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from seriestool.util.lazy_pattern import lazy_pattern

_MAIL_SUFFIXES = (".patch", ".eml", ".mbox", ".mbx", ".diff", ".gz", ".txt")
_CHANGE_ID = lazy_pattern(rb"^change-id:[ \t]*(\S+)[ \t]*$", re.M)


class _ScannedMail(NamedTuple):
    """What is kept of each mail while an archive is searched; the mail itself is read again if it is wanted."""

    key: str
    msgid: str
    references: tuple[str, ...]
    work: tuple[str, str]
    """Sender and title: what the versions of a series have in common."""
    change_id: str | None


def read_file(path: Path) -> bytes:
    """The content of a file of bearable size.

    Raises InputError where it is too large, NotFoundError where it is not there, OutsideError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"'{path}' does not exist") from error
    except OSError as error:
        raise OutsideError(f"cannot read '{path}': {error.strerror}") from error
    refuse_large(len(data), str(path))
    return data


def read_folder(path: Path) -> tuple[bytes, ...]:
    """All mails of a maildir, or of a folder of patches (`*.patch`, `*.eml` and such, in the order of their names).

    Raises InputError where there are none, or too many for a series.
    """
    mails: list[bytes] = []
    size = 0
    for file in _mail_files(path):
        data = read_file(file)
        size += len(data)
        refuse_large(size, str(path))
        mails.extend(split_mbox(data, str(file)))
    if not mails:
        raise InputError(
            f"'{path}' has no mail in it", hint="a maildir, or a folder with *.patch or *.eml files, is wanted"
        )
    return tuple(mails)


def is_maildir(path: Path) -> bool:
    """Whether the folder is a maildir (https://cr.yp.to/proto/maildir.html)."""
    return (path / "cur").is_dir() and (path / "new").is_dir()


def find_git_archives(path: Path) -> tuple[Path, ...]:
    """The git repositories of a public-inbox archive, oldest epoch first; () where the path is none.

    A work tree with patches in it is a folder of patches.
    """
    if (path / ".git").exists() and _mail_files(path):
        return ()
    return find_epochs(path)


def find_thread(archive: Path, msgid: str | None, change_id: str | None = None) -> tuple[bytes, ...]:
    """The mails of the thread that has `msgid` or `change_id`, and those of other versions of the same series.

    () where the archive does not have it. A git archive is read once from end to end, in one stream.
    Raises what `read_file` raises, and GitError for a damaged repository.
    """
    repositories = find_git_archives(archive)
    if repositories:
        return _find_in_git(repositories, msgid, change_id)
    mails = read_folder(archive) if archive.is_dir() else split_mbox(read_file(archive), str(archive))
    by_key = {str(n): raw for n, raw in enumerate(mails)}
    wanted = _select([_entry(key, raw) for key, raw in by_key.items()], msgid, change_id)
    return tuple(by_key[key] for key in wanted)


def _mail_files(path: Path) -> list[Path]:
    try:
        if is_maildir(path):
            return sorted(
                (file for name in ("cur", "new") for file in (path / name).iterdir() if _is_mail(file)),
                key=lambda file: file.name,
            )
        return sorted(file for file in path.iterdir() if file.suffix in _MAIL_SUFFIXES and _is_mail(file))
    except OSError as error:
        raise OutsideError(f"cannot read '{path}': {error.strerror}") from error


def _is_mail(file: Path) -> bool:
    return not file.name.startswith(".") and file.is_file()


def _find_in_git(paths: Sequence[Path], msgid: str | None, change_id: str | None) -> tuple[bytes, ...]:
    repositories = [Repository.open(path) for path in paths]
    entries: list[_ScannedMail] = []
    for place, (repository, mails) in enumerate(zip(repositories, find_mails(repositories), strict=True)):
        entries.extend(_entry(f"{place} {oid}", raw) for oid, raw in small_mails(repository, mails, MAX_BYTES))
    found: list[bytes] = []
    chosen = _select(entries, msgid, change_id)
    for place, repository in enumerate(repositories):
        oids = [oid for key in chosen for at, _, oid in [key.partition(" ")] if at == str(place)]
        found.extend(raw.replace(b"\r\n", b"\n") for _, raw in repository.contents(oids))
    return tuple(found)


def _entry(key: str, raw: bytes) -> _ScannedMail:
    mail = Mail(raw.replace(b"\r\n", b"\n") if b"\r\n" in raw[:2000] else raw)
    match = _CHANGE_ID().search(raw) if b"\nchange-id:" in raw else None
    subject = mail.subject
    return _ScannedMail(
        key=key,
        msgid=mail.msgid,
        references=mail.references,
        work=("", "") if subject.is_reply or not subject.is_patch else (mail.sender, subject.title.casefold()),
        change_id=match[1].decode("utf-8", "replace") if match and not subject.is_reply else None,
    )


def _select(entries: Sequence[_ScannedMail], msgid: str | None, change_id: str | None) -> list[str]:
    """Keys of the wanted thread and of the threads of the other versions, in the archive's order."""
    seeds = {one.msgid for one in entries if one.msgid == msgid or (change_id and one.change_id == change_id)}
    if not seeds:
        return []
    thread = _thread_of(entries, seeds)
    works = {one.work for one in entries if one.msgid in thread} - {("", "")}
    ids = {one.change_id for one in entries if one.msgid in thread} - {None}
    others = {one.msgid for one in entries if one.work in works or one.change_id in ids}
    thread |= _thread_of(entries, others)
    return [one.key for one in entries if one.msgid in thread]


def _thread_of(entries: Sequence[_ScannedMail], seeds: Iterable[str]) -> set[str]:
    """Message-ids of all mails that hang together with the seeds, up and down."""
    neighbours: dict[str, list[str]] = {}
    for one in entries:
        for parent in one.references:
            neighbours.setdefault(parent, []).append(one.msgid)
            neighbours.setdefault(one.msgid, []).append(parent)
    seen: set[str] = set()
    todo = list(seeds)
    while todo:
        msgid = todo.pop()
        if msgid not in seen:
            seen.add(msgid)
            todo.extend(neighbours.get(msgid, ()))
    return seen
