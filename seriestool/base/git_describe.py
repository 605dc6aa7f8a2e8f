# SPDX-License-Identifier: GPL-2.0-or-later
"""`git describe --tags` of a commit: from the history index where that decides, because git may take most of the time.

Git itself is asked where the tag's name takes more than the refs to know, or where the index does not decide.
"""

import os
from collections.abc import Callable, Sequence

from seriestool.git import ABBREVIATION, Repository, parse_tag_name
from seriestool.trees import Tree
from seriestool.trees.history import DescribeUndecidedError, History, find_nearest_tag


def start_describe(
    repository: Repository, history: History, tags: Sequence[Tree], commit: str
) -> Callable[[], str | None]:
    """The description, to be asked for later; it is None where no tag leads to the commit. `tags`: all of them."""
    try:
        description = _describe(repository, history, tags, commit)
    except DescribeUndecidedError:
        return repository.start_describe(commit)
    return lambda: description


def _describe(repository: Repository, history: History, tags: Sequence[Tree], commit: str) -> str | None:
    position = history.find(commit)
    if position is None:
        raise DescribeUndecidedError("the commit is not in the index")
    found = find_nearest_tag(history, position, {tag.commit for tag in tags})
    if found is None:
        return None
    tagged, on_top = found
    name = _name(repository, [tag for tag in tags if tag.commit == tagged])
    return f"{name}-{on_top}-g{_abbreviated(repository, commit)}" if on_top else name


def _name(repository: Repository, tags: Sequence[Tree]) -> str:
    """The name of the one tag. Git prefers the name that an annotated tag has inside, and of several the newest."""
    if len(tags) > 1:
        raise DescribeUndecidedError("there are several tags")
    found = repository.objects.read(tags[0].ref)
    name = os.fsencode(tags[0].name)
    inner = parse_tag_name(found[2]) if found and found[1] == "tag" else None
    if not found or (found[1] != "commit" and inner != name):
        raise DescribeUndecidedError("the tag is known by another name")
    return name.decode("utf-8", "replace")


def _abbreviated(repository: Repository, commit: str) -> str:
    """The first digits of the id; git takes more of them where they stand for something else, too."""
    short = commit[:ABBREVIATION]
    [found] = repository.objects.check([short])
    if found is None or found[0] != commit:
        raise DescribeUndecidedError("the abbreviated id is ambiguous")
    return short
