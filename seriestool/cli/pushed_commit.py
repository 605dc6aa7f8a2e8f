# SPDX-License-Identifier: GPL-2.0-or-later
"""A commit that the push log saw, fetched from a server that has it still.

git-config: `seriestool.pushLogUrl` (the server).
"""

from collections.abc import Sequence

from seriestool.cli.ui import Ui
from seriestool.git import Repository, without_password
from seriestool.sources.pushlog.lost_commits import KERNEL_ORG, fetch_commit, repo_url
from seriestool.sources.pushlog.push_log_index import Sighting
from seriestool.util.config import find_text
from seriestool.util.errors import InputError, NotFoundError

_URL = "seriestool.pushLogUrl"
_MAX_SERVERS = 20  # repositories that are asked for one commit


def fetch_pushed_commit(repository: Repository, found: Sequence[Sighting], ui: Ui) -> str:
    """The ref that keeps the commit, fetched from the first server that has it still.

    Raises NotFoundError where none has, InputError where the sightings are of several commits, OutsideError where a
    server cannot be reached.
    """
    commits = {one.commit for one in found}
    if len(commits) > 1:
        raise InputError(f"that is the beginning of {len(commits)} commits", hint="give more of its digits")
    base = find_text(repository.config(), _URL) or KERNEL_ORG
    failure: NotFoundError | None = None
    for repo in list(dict.fromkeys(one.repo for one in found))[:_MAX_SERVERS]:
        url = repo_url(repo, base)
        ui.note(f"fetching from {without_password(url)}")
        try:
            with ui.transfer("fetching the commit") as listener:
                ref = fetch_commit(repository, url, found[0].commit, listener)
        except NotFoundError as error:
            failure = failure or error
            continue
        ui.note(f"kept as {ref}")
        return ref
    raise failure or NotFoundError("the push log does not have it")
