# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user calls a series -> Series; the same names in every command.

A path that exists wins, then `-`, a URL, a git range `base..tip`, a change-id or message-id, and last a branch that
`b4 prep` manages.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from seriestool.git import Repository
from seriestool.series.mail import Mail, SeriesSelector, assemble, find_postings, parse_mails, split_mbox
from seriestool.series.model import Series
from seriestool.sources.archive import mails_on_disk
from seriestool.util.config import Config, find_text
from seriestool.util.errors import InputError, NotFoundError, SeriestoolError
from seriestool.util.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from seriestool.sources.lore import Lore

_URL = lazy_pattern(r"https?://", re.I)
_MSGID = lazy_pattern(r"[^\s<>/]+@[^\s<>/]+")
# `20260512-tls-session-tags-9d0042583f44`, as b4 makes them.
_CHANGE_ID = lazy_pattern(r"\d{8}-[^\s@/]+-[0-9a-f]{12}")
_FORMAT_PATCH_FROM = lazy_pattern(rb"^From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001$", re.M)
# Hosts whose links lead to lore.kernel.org.
_LORE_HOSTS = ("lore.kernel.org", "patch.msgid.link", "msgid.link", "lkml.kernel.org", "www.msgid.link")
_KINDS = "a message-id, URL, change-id, file, folder, '-', range of commits or b4 prep branch"


class SourceOptions(Struct, frozen=True, eq=False, kw_only=True):
    """Which version is wanted, and where to look; what is a callable costs something, and is called when needed."""

    version: int | None = None
    partial: bool = False
    """Accept a series of which patches are missing."""
    archives: tuple[Path, ...] = ()
    """Mailboxes, maildirs, folders and public-inbox git archives to look in for a message-id."""
    offline: bool = False
    lore_url: str | None = None
    """A public-inbox server, or an inbox of it; git-config `seriestool.lore` or b4's `b4.midmask` unless given."""
    cache_dir: Path | None = None
    config: Callable[[], Config] = dict
    """git-config: key -> values, as `Repository.config` gives it."""
    repository: Callable[[], Repository] | None = None
    """For a range of commits, and a branch that b4 manages."""
    read_stdin: Callable[[], bytes] | None = None

    @property
    def wanted(self) -> SeriesSelector:
        """The choice among the mails that are found."""
        return SeriesSelector(version=self.version, partial=self.partial)


def resolve(name: str, options: SourceOptions | None = None) -> Series:
    """The series that `name` means.

    Raises NotFoundError, InputError (no mail in it, incomplete, ambiguous) and OutsideError (lore is away).
    """
    options = options or SourceOptions()
    if name == "-":
        return series_of_text(_stdin(options), options.wanted, "standard input")
    if _is_path(name):
        return _series_of_path(Path(name), options.wanted)
    if _URL().match(name):
        return _series_of_url(name, options)
    if ".." in name and options.repository is not None and (series := _find_range(name, options)):
        return series
    msgid = name.removeprefix("id:").strip("<> ")
    if _MSGID().fullmatch(msgid):
        return _series_of_msgid(msgid, options, lore_of(options))
    if name.startswith("change-id:") or _CHANGE_ID().fullmatch(name):
        return _series_of_change_id(name.removeprefix("change-id:").strip(), options)
    if options.repository is not None and (series := _find_prep_branch(name, options)):
        return series
    raise NotFoundError(f"'{name}' is not there, and no message-id", hint=f"name a series by {_KINDS}")


def series_of_text(data: bytes, wanted: SeriesSelector, name: str) -> Series:
    """The series in the bytes of a mailbox, of a mail, or of a mail as a list archive prints it on a page."""
    raw_mails = split_mbox(data, name)
    mails = [mail for mail in parse_mails(raw_mails) if mail.header("from") or mail.header("subject")]
    if mails:
        return assemble(mails, wanted, name)
    if series := _series_of_page(data, wanted, name):
        return series
    raise InputError(
        f"'{name}' has no mail in it", hint="a mailbox, a mail or a patch made by git format-patch is wanted"
    )


def _series_of_page(data: bytes, wanted: SeriesSelector, name: str) -> Series | None:
    from seriestool.series.mail.pipermail import page_as_mail, parse_page, quoted_series

    page = parse_page(data)
    if page is None:
        return None
    mail = Mail(page_as_mail(page))
    if mail.has_diff:
        return assemble([mail], wanted, name)
    series = quoted_series(page)
    if series is None:
        raise InputError(
            f"'{name}' quotes no cover letter", hint="name the series by the message-id of one of its mails"
        )
    return series


def _series_of_path(path: Path, wanted: SeriesSelector) -> Series:
    if not path.is_dir():
        return series_of_text(mails_on_disk.read_file(path), wanted, str(path))
    if mails_on_disk.find_git_archives(path):
        raise InputError(f"'{path}' has many series", hint=f"name one by its message-id, with --archive {path}")
    return assemble(parse_mails(mails_on_disk.read_folder(path)), wanted, str(path))


def _is_path(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long for a path, or with a NUL
        return False


def _stdin(options: SourceOptions) -> bytes:
    if options.read_stdin is None:
        raise InputError("there is no standard input to read a series from")
    return options.read_stdin()


# --- a range of commits -------------------------------------------------------------------------------------------


def _find_range(name: str, options: SourceOptions) -> Series | None:
    """The commits of `base..tip` as a series; None where the name may be a message-id after all."""
    base_name, _, tip_name = name.partition("..")
    if tip_name.startswith("."):
        raise InputError(f"'{name}' has three dots", hint="write base..tip")
    assert options.repository is not None  # noqa: S101
    repository = options.repository()
    base, tip = (repository.resolve(side or "HEAD") for side in (base_name, tip_name))
    if base is None or tip is None:
        if "@" in name.replace("@{", ""):
            return None
        unknown = base_name if base is None else tip_name
        raise NotFoundError(f"'{unknown}' is no commit in this repository", hint="see 'git log --oneline --all'")
    mbox = repository.format_patch(base, tip)
    # It escapes as in an mboxrd; its From lines do not say so.
    mails = parse_mails(split_mbox(_FORMAT_PATCH_FROM().sub(b"From mboxrd@z Thu Jan  1 00:00:00 1970", mbox), name))
    if not mails:
        raise InputError(f"'{name}' has no commits", hint="write base..tip, the older one first")
    empty = next((mail for mail in mails if not mail.has_diff), None)
    if empty is not None and not options.wanted.partial:
        raise InputError(
            f"a commit of '{name}' changes nothing: '{empty.subject.title}'",
            hint="take it out (git rebase --no-keep-empty), or go without it with --partial",
        )
    series = assemble(mails, options.wanted._replace(version=None), name)
    return replace(series, posted=_commit_date(repository, tip) or series.posted)


def _find_prep_branch(name: str, options: SourceOptions) -> Series | None:
    """What `b4 send` would send of the branch; None where there is no such branch.

    Raises InputError where b4 does not manage it, OutsideError where b4 does not answer.
    """
    assert options.repository is not None  # noqa: S101
    try:
        repository = options.repository()
    except NotFoundError:  # somewhere else than in a repository
        return None
    branch = f"refs/heads/{name.removeprefix('refs/heads/')}"
    tip = repository.resolve(branch)
    if tip is None:
        return None
    from seriestool.sources.b4 import read_prep_branch

    raw_mails = read_prep_branch(repository, branch)
    if raw_mails is None:
        raise InputError(f"'{name}' is a branch, and b4 does not manage it", hint=f"name its commits: base..{name}")
    series = assemble(parse_mails(raw_mails), options.wanted._replace(version=None), name)
    return replace(series, posted=_commit_date(repository, tip) or series.posted)


def _commit_date(repository: Repository, commit: str) -> datetime | None:
    found = repository.objects.commit(commit)
    return found.committer.date if found else None


# --- a message-id, change-id or URL -------------------------------------------------------------------------------


def _series_of_url(url: str, options: SourceOptions) -> Series:
    msgid = find_msgid_in_url(url)
    if msgid is None and _is_patchwork(url):
        if options.offline:
            raise NotFoundError(f"'{url}' needs the network", hint="offline, name the series by its message-id")
        from seriestool.sources.lore import get_patchwork_msgid

        msgid = get_patchwork_msgid(url)
    if msgid is None:
        raise InputError(f"'{url}' names no mail", hint="a URL of a mail on lore.kernel.org or in Patchwork is wanted")
    from seriestool.sources.lore import server_of_url

    host = url.split("/")[2].lower()
    own_server = host in _LORE_HOSTS or _is_patchwork(url) or options.lore_url is not None
    lore = lore_of(options) if own_server else replace(lore_of(options), url=server_of_url(url))
    return _series_of_msgid(msgid, options, lore)


def find_msgid_in_url(url: str) -> str | None:
    """The message-id that the URL has as one of its path's parts, or None."""
    from urllib.parse import unquote, urlsplit

    try:
        path = urlsplit(url).path
    except ValueError:  # what stands for a host is none
        return None
    parts = (unquote(part).strip("<>") for part in path.split("/"))
    return next((part for part in parts if _MSGID().fullmatch(part)), None)


def _is_patchwork(url: str) -> bool:
    path = "/" + url.partition("//")[2].partition("/")[2]
    return re.search(r"/(?:project/[^/]+|patch|patches|cover|series)/", path) is not None


def lore_of(options: SourceOptions) -> "Lore":
    """The server that is asked, with its cache."""
    from seriestool.sources.lore import Lore

    return Lore(_lore_url(options), options.config, options.cache_dir, options.offline)


def _lore_url(options: SourceOptions) -> str:
    if options.lore_url:
        return options.lore_url.rstrip("/")
    from seriestool.sources.lore import DEFAULT_URL

    config = options.config()
    if own := find_text(config, "seriestool.lore"):
        return own.rstrip("/")
    mask = config.get("b4.midmask", ("",))[-1]
    return mask.partition("/%s")[0].rstrip("/") if "/%s" in mask else DEFAULT_URL


def _series_of_msgid(msgid: str, options: SourceOptions, lore: "Lore") -> Series:
    wanted = options.wanted._replace(msgid=msgid)
    for place in options.archives:
        if raw_mails := mails_on_disk.find_thread(_existing(place), msgid):
            return assemble(parse_mails(raw_mails), wanted, str(place))
    raw_mails = lore.get_thread(msgid)
    return _with_other_versions(raw_mails, wanted, lore)


def _series_of_change_id(change_id: str, options: SourceOptions) -> Series:
    wanted = options.wanted._replace(change_id=change_id)
    for place in options.archives:
        if raw_mails := mails_on_disk.find_thread(_existing(place), None, change_id):
            return assemble(parse_mails(raw_mails), wanted, str(place))
    lore = lore_of(options)
    raw_mails = lore.search(f'nq:"change-id: {change_id}"')
    if not raw_mails and options.offline:
        hint = "ask again without --offline, or name a local archive with --archive"
        raise NotFoundError(f"no series with change-id '{change_id}' in the cache or in an archive", hint=hint)
    if not raw_mails:
        raise NotFoundError(f"no series with change-id '{change_id}' on {lore.url}", hint="check the change-id")
    return assemble(parse_mails(raw_mails), wanted, lore.url)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise NotFoundError(f"there is no archive '{path}'", hint="--archive wants a mailbox, maildir or git archive")
    return path


def _with_other_versions(raw_mails: Sequence[bytes], wanted: SeriesSelector, lore: "Lore") -> Series:
    """The wanted version, looked for in the thread and, unless a version is named that is there, on the server."""
    mails = parse_mails(raw_mails)
    if wanted.version is not None and any(one.version == wanted.version for one in find_postings(mails)):
        return assemble(mails, wanted, lore.url)
    here = assemble(mails, wanted._replace(version=None, partial=True), lore.url)
    try:
        others = lore.search(_query(here, mails))
    except SeriestoolError as error:
        series = assemble(mails, wanted, lore.url)
        return replace(series, remarks=(*series.remarks, f"no search for newer versions: {error.message}"))
    return assemble(parse_mails([*raw_mails, *others]), wanted, lore.url)


def _query(series: Series, mails: Sequence[Mail]) -> str:
    """What finds the other versions of a series on a public-inbox server: its change-id, else title and sender."""
    if series.change_id:
        return f'nq:"change-id: {_plain(series.change_id)}"'
    sender = next((mail.sender for mail in mails if mail.msgid == series.msgid), "")
    return f's:"{_plain(series.subject)}" AND f:"{_plain(sender)}"'


def _plain(text: str) -> str:
    return " ".join(text.replace('"', " ").split())
