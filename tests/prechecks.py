# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of precheck share: a workshop on a test's repository, and the answer on a series in an mbox."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seriestool.check.selection import CheckOptions
from seriestool.git import Repository
from seriestool.precheck.precheck_result import Precheck
from seriestool.precheck.precheck_run import PrecheckInput, PrecheckOptions, run_precheck
from seriestool.precheck.resources import PrecheckResources, PrecheckSettings
from seriestool.util.progress import NullProgressMonitor
from tests.checks import parse
from tests.helpers import Repo

QUICK = CheckOptions(only=("integrity", "sign-off", "apply"))


@contextmanager
def open_shop(
    repo: Repo | Path, cache: Path, keeps: bool = True, lists: Path | None = None
) -> Iterator[PrecheckResources]:
    """A workshop on the repository; what is kept goes to `cache`."""
    settings = PrecheckSettings(cache, lists or cache / "no-lists.sqlite", offline=True, jobs=2, keeps=keeps)
    path = repo.path if isinstance(repo, Repo) else repo
    with Repository.open(path) as repository, PrecheckResources(repository, settings) as resources:
        yield resources


def look_at(resources: PrecheckResources, mbox: bytes, wishes: PrecheckOptions | None = None) -> Precheck:
    """All that is known of the series."""
    return run_precheck(
        PrecheckInput(parse(mbox)), resources, wishes or PrecheckOptions(checks=QUICK), NullProgressMonitor()
    )


def precheck(repo: Repo, cache: Path, mbox: bytes, wishes: PrecheckOptions | None = None) -> Precheck:
    """The same, in a workshop of its own."""
    with open_shop(repo, cache) as resources:
        return look_at(resources, mbox, wishes)


def timeless(found: Precheck | dict[str, Any]) -> Any:
    """The answer as JSON, without how long it took, and whether it was kept."""
    plain = found.to_dict() if isinstance(found, Precheck) else found
    return json.loads(json.dumps(_timeless(plain), sort_keys=True))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in ("seconds", "kept")}
    return [_timeless(item) for item in value] if isinstance(value, list | tuple) else value
