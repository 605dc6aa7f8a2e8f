# SPDX-License-Identifier: GPL-2.0-or-later
"""A commit that no branch has any more, fetched by its id from the server that had it.

Why the whole history is asked for, and not one commit alone: docs/decisions/0021-fetch-lost-bases-whole.md
"""

import re

from seriestool.git import GitError, Repository, without_password
from seriestool.util.errors import NotFoundError, OutsideError
from seriestool.util.progress import TransferListener

BASES = "refs/seriestool/bases/"
"""Refs that keep what was fetched: one for each commit."""
KERNEL_ORG = "https://git.kernel.org"

_GONE = re.compile(r"not our ref|unadvertised object|couldn't find remote ref")
_NO_REPOSITORY = re.compile(r"not found|does not appear to be a git repository|does not exist")
_TIMEOUT = 3600.0


def repo_url(repo: str, base: str = KERNEL_ORG) -> str:
    """Where a repository of the push log is fetched from."""
    return f"{base.rstrip('/')}/{repo}.git"


def fetch_commit(repository: Repository, url: str, oid: str, listener: TransferListener | None = None) -> str:
    """The full name of the ref that now keeps the commit in this repository.

    Raises NotFoundError where the server no longer has it, or the repository, OutsideError where it cannot be reached.
    """
    ref = BASES + oid
    if repository.resolve(oid) == oid:
        repository.update_refs({ref: oid})
        return ref
    try:
        repository.fetch(url, [f"{oid}:{ref}"], _TIMEOUT, listener)
    except GitError as error:
        shown = without_password(url)
        if _GONE.search(error.stderr):
            raise NotFoundError(
                f"the server no longer has '{oid}': '{shown}'", hint="ask the author to push it again"
            ) from error
        if _NO_REPOSITORY.search(error.stderr):
            raise NotFoundError(f"the server no longer has the repository '{shown}'") from error
        raise OutsideError(f"cannot fetch '{oid}' from '{shown}': {error.message}") from error
    return ref
