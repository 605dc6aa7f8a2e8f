# SPDX-License-Identifier: GPL-2.0-or-later
"""Series made from repositories, as they are mailed."""

import re
from collections.abc import Iterable, Mapping, Sequence

from seriestool.series.model import Series
from seriestool.sources.resolve import SeriesSelector, series_of_text
from tests.support.repos import File, Repo

_WORK = "seriestool-test-series"


def lines(*numbers: int) -> str:
    """A file of numbered lines: `lines(1, 9)` has nine, `lines(1, 3, 7, 9)` leaves some out."""
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return "".join(f"line {n}\n" for first, last in pairs for n in range(first, last + 1))


def make_series(
    repo: Repo, base: str, *changes: Mapping[str, File] | Mapping[bytes, File], options: Iterable[str] = ()
) -> bytes:
    """The mbox of a series made on `base`, one patch for each of `changes`; nothing refers to its commits any more."""
    tip = base
    for number, files in enumerate(changes, 1):
        tip = repo.commit(files, f"part {number}", branch=_WORK, parent=tip)
    mbox = repo.format_patch(f"{base}..{tip}", *options)
    repo.git("update-ref", "-d", f"refs/heads/{_WORK}")
    return mbox


def with_stated(mbox: bytes, value: str) -> bytes:
    """The same mails with a base-commit trailer where git puts it: below the first diff."""
    return mbox.replace(b"\n-- \n", b"\nbase-commit: " + value.encode() + b"\n-- \n", 1)


Change = Mapping[str, File]


_MAIL_BRANCH = "seriestool-test-series"


_DATED = re.compile(rb"\.\d{10}\.git\.")


AUTHOR = "A U Thor <author@example.com>"


SIGNED = f"Signed-off-by: {AUTHOR}"


def mail_series(
    repo: Repo,
    *patches: tuple[str, Mapping[str, File]],
    base: str = "main",
    author: str = AUTHOR,
    prefix: str = "PATCH",
    to: str = "list@example.com",
    options: Iterable[str] = (),
) -> bytes:
    """The mbox of a series made on `base`, as sent: a (whole commit message, changed files) for each patch."""
    tip = start = repo.git("rev-parse", f"{base}^{{commit}}")
    for message, files in patches:
        tip = repo.commit(files, message, branch=_MAIL_BRANCH, parent=tip, author=author)
    mbox = repo.format_patch(
        f"{start}..{tip}", f"--subject-prefix={prefix}", "--thread", f"--to={to}", "--full-index", *options
    )
    repo.git("update-ref", "-d", f"refs/heads/{_MAIL_BRANCH}")
    return _DATED.sub(b".1700000000.git.", mbox)  # --thread makes ids of the time


def parse_series(mbox: bytes) -> Series:
    """The series in the mbox."""
    return series_of_text(mbox, SeriesSelector(partial=True), "mbox")


def numbered(changes: Mapping[int, str] | None = None, count: int = 80) -> str:
    """A file of numbered lines with other words in some of them; '' takes the line out."""
    texts = {n: f"line {n}\n" for n in range(1, count + 1)}
    texts.update({n: f"{word}\n" if word else "" for n, word in (changes or {}).items()})
    return "".join(texts.values())


def mailed(repo: Repo, base: str, *changes: Mapping[str, File], options: Sequence[str] = ()) -> bytes:
    """The mbox of a series with message-ids; its commits are gone."""
    return make_series(repo, base, *changes, options=("--thread", *options))


def with_change_id(mbox: bytes, name: str) -> bytes:
    """The same mails, of the work of this name."""
    return mbox.replace(b"\n-- \n", b"\nchange-id: " + name.encode() + b"\n-- \n")


def parse_whole(mbox: bytes) -> Series:
    """The series in an mbox."""
    return series_of_text(mbox, SeriesSelector(), "mbox")
