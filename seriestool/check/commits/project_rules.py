# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rules for commit messages a project keeps to, by what its trees have and its commits do."""

from collections.abc import Iterable

from seriestool.check.commits.commit_lookup import QuotedCommit
from seriestool.git import ScratchRepository
from seriestool.series.message.people import Mailmap, parse_mailmap

_ABOUT_CODE = (b"Documentation/", b"tools/testing/", b"samples/")
_FEWEST = 10
_SHARE = 0.8


def is_only_docs_or_tests(paths: Iterable[bytes]) -> bool:
    """Whether all the paths are documentation, samples or tests: a fix of such needs no tag (maintainer-netdev.rst)."""
    return all(path.startswith(_ABOUT_CODE) or path.endswith(b".rst") for path in paths)


def read_mailmap(scratch_repo: ScratchRepository, commit: str | None) -> Mailmap:
    """The mailmap of a commit; an empty one where it has none."""
    if commit is None:
        return Mailmap()
    entry = scratch_repo.entries(scratch_repo.tree_of(commit), (b".mailmap",)).get(b".mailmap")
    return parse_mailmap(scratch_repo.blob(entry.oid)) if entry is not None and entry.kind == "blob" else Mailmap()


def signs_off(commits: Iterable[QuotedCommit]) -> bool | None:
    """Whether these commits are signed off as a rule; None where they are too few to say."""
    work = [one for one in commits if len(one.parents) < 2]
    if len(work) < _FEWEST:
        return None
    return sum(bool(one.message.named("signed-off-by")) for one in work) >= len(work) * _SHARE
