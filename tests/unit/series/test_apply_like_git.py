# SPDX-License-Identifier: GPL-2.0-or-later
"""The same verdict and the same bytes as `git apply --cached`, on random trees that differ from what a patch expects.

SERIESTOOL_CASES sets how many trees are tried (git is run about three times for each), SERIESTOOL_SEED the first seed.
"""

import itertools
import os
import random
import re
import subprocess
from collections.abc import Mapping, Sequence

import pytest

from seriestool.series.apply import FileState, PatchedFiles, apply_patch, reverse_patch, tracks
from seriestool.series.binary import blob_oid
from seriestool.series.diff import parse_diff
from seriestool.series.model import FileDiff
from tests.support.repos import Repo

CASES = int(os.environ.get("SERIESTOOL_CASES", "240"))
SEED = int(os.environ.get("SERIESTOOL_SEED", "0"))
GROUPS = 12

Files = dict[bytes, FileState]


def random_content(dice: random.Random) -> bytes:
    # Few different lines, so that hunks fit in several places.
    kind = dice.random()
    if kind < 0.05:
        return b""
    if kind < 0.1:
        return dice.randbytes(dice.randrange(1, 300)) + b"\0"
    lines = [
        b"%c\n" % dice.choice(b"abcdefgh{}") if dice.random() < 0.8 else b"\n" for _ in range(dice.randrange(1, 40))
    ]
    return b"".join(lines)[: None if dice.random() < 0.8 else -1]


def edited(dice: random.Random, content: bytes, edits: int) -> bytes:
    lines = content.split(b"\n")
    for _ in range(edits):
        at = dice.randrange(len(lines) + 1)
        how = dice.random()
        if how < 0.3:
            lines[at:at] = [b"%c" % dice.choice(b"abcdefghxyz") for _ in range(dice.randrange(1, 4))]
        elif how < 0.6:
            del lines[at : at + dice.randrange(1, 4)]
        elif how < 0.9:
            lines[at : at + 1] = [b"new %d" % dice.randrange(50)]
        else:
            lines[at:at] = lines[max(0, at - 5) : at]
    return b"\n".join(lines)


def changed_tree(dice: random.Random, files: Files, edits: int) -> Files:
    found = dict(files)
    for path in sorted(files):
        how = dice.random()
        state = found[path]
        if how < 0.5:
            found[path] = FileState(edited(dice, state.content, dice.randrange(1, edits + 1)), state.mode)
        elif how < 0.56:
            del found[path]
        elif how < 0.66:
            found[b"d/moved-%d" % dice.randrange(6)] = found.pop(path)
        elif how < 0.72:
            found[b"copy-%d" % dice.randrange(6)] = FileState(edited(dice, state.content, 1), state.mode)
        elif how < 0.78:
            found[path] = FileState(state.content, dice.choice([0o100755, 0o100644]))
        elif how < 0.8:
            found[path] = FileState(b"target", 0o120000)
    if dice.random() < 0.3:
        found[b"new-%d" % dice.randrange(4)] = FileState(random_content(dice))
    if len(found) > 1 and dice.random() < 0.1:
        first, second = dice.sample(sorted(found), 2)
        found[first], found[second] = found[second], found[first]
    return found


def random_tree(dice: random.Random) -> Files:
    paths = [b"f-%d" % n for n in range(dice.randrange(1, 5))]
    return {path: FileState(random_content(dice)) for path in paths}


def perturbed(dice: random.Random, files: Files) -> Files:
    how = dice.random()
    if how < 0.2:
        return files
    return changed_tree(dice, files, 3) if how < 0.8 else {p: s for p, s in files.items() if dice.random() < 0.8}


def write_trees(repo: Repo, trees: Sequence[Files]) -> list[str]:
    """The ids of commits that have these trees."""
    stream = [b"feature done\n"]
    for number, files in enumerate(trees, 1):
        stream.append(b"commit refs/heads/tree\nmark :%d\ncommitter C <c@example.com> 1 +0000\ndata 0\n" % number)
        stream.append(b"deleteall\n")
        for path, state in files.items():
            stream.append(b"M %o inline %s\ndata %d\n%s\n" % (state.mode, path, len(state.content), state.content))
        stream.append(b"\nget-mark :%d\n" % number)
    return repo.git("fast-import", "--quiet", "--force", input=b"".join(stream) + b"done\n").split()


def git_apply(repo: Repo, tree: str, text: bytes, *options: str) -> tuple[bytes, int] | None:
    """(the index afterwards, hunks at an offset), or None where git refuses."""
    repo.git("read-tree", tree)
    script = 'out=$(git apply --cached -v "$@" - 2>&1) || exit 1; printf "%s\\n" "$out" >&2; git ls-files -s -z'
    answer = subprocess.run(["sh", "-c", script, "sh", *options], cwd=repo.path, input=text, capture_output=True)
    return None if answer.returncode else (answer.stdout, len(re.findall(rb"\(offset -?\d+ line", answer.stderr)))


def ours(files: Files, diffs: tuple[FileDiff, ...]) -> tuple[bytes, int] | None:
    result = apply_patch(files, diffs)
    if not isinstance(result, PatchedFiles):
        return None
    listing = (
        b"%o %s 0\t%s\0" % (s.mode, blob_oid(s.content).encode(), path) for path, s in sorted(result.files.items())
    )
    return b"".join(listing), result.offsets


def without_modes(result: tuple[bytes, int] | None) -> bytes | None:
    # Before 2.44 `git apply -R` took the mode of an index line for a change of the mode.
    return re.sub(rb"(?:^|(?<=\0))100(?:644|755) ", b"", result[0]) if result is not None else None


@pytest.mark.parametrize("group", range(GROUPS))
def test_apply_and_reverse_say_what_git_says(repo: Repo, group: int) -> None:
    dice = random.Random(f"{SEED}-{group}")  # noqa: S311
    seen = {True: 0, False: 0}
    cases = []
    for _ in range(CASES // GROUPS):
        old = random_tree(dice)
        new = changed_tree(dice, old, 4)
        cases.append((old, new, perturbed(dice, old), perturbed(dice, new)))
    oids = iter(write_trees(repo, [tree for case in cases for tree in case]))
    for case in cases:
        _, _, base, other_base = case
        old_oid, new_oid, base_oid, other_oid = (next(oids) for _ in case)
        text = repo.git_bytes(
            "diff", f"-U{dice.choice([1, 2, 3, 3, 5])}", "-M", "-C", "--binary", "--find-copies-harder", "--full-index",
            old_oid, new_oid)  # fmt: skip
        if not text:
            continue
        diffs = parse_diff(text)
        expected = git_apply(repo, base_oid, text)
        assert ours(base, diffs) == expected, text.decode("latin-1")
        seen[expected is not None] += 1
        assert verdict_of_tracks(base, [diffs]) == (expected is not None), text.decode("latin-1")
        if b"copy from" in text:  # git cannot undo a copy: the source is in the way
            continue
        expected = git_apply(repo, other_oid, text, "-R")
        got = ours(other_base, reverse_patch(diffs))
        assert without_modes(got) == without_modes(expected), text.decode("latin-1")
    assert seen[True]
    assert seen[False]


def verdict_of_tracks(base: Files, patches: list[tuple[FileDiff, ...]]) -> bool:
    return first_failing(base, patches) is None


def first_failing(base: Files, patches: list[tuple[FileDiff, ...]]) -> int | None:
    found = tracks(patches)
    states = [(track, base.get(track.path)) for track in found]
    results = [t.try_content(s.content, s.mode) if s is not None else t.try_content(None) for t, s in states]
    return min((result.patch for result in results if result.patch is not None), default=None)


@pytest.mark.parametrize("group", range(GROUPS))
def test_tracks_say_what_patch_after_patch_says(repo: Repo, group: int) -> None:
    """A series is taken apart into paths; put together, they fail at the same patch."""
    dice = random.Random(f"series {SEED}-{group}")  # noqa: S311
    for _ in range(CASES // GROUPS // 4):
        versions = [random_tree(dice)]
        for _ in range(dice.randrange(2, 6)):
            versions.append(changed_tree(dice, versions[-1], 2))
        oids = write_trees(repo, versions)
        options = ["-M", "-C", "--binary", "--full-index"]
        patches = [parse_diff(repo.git_bytes("diff", *options, *pair)) for pair in itertools.pairwise(oids)]
        for _ in range(20):
            base = perturbed(dice, versions[0])
            assert first_failing(base, patches) == in_order(base, patches)


def in_order(files: Mapping[bytes, FileState], patches: list[tuple[FileDiff, ...]]) -> int | None:
    for number, diffs in enumerate(patches):
        result = apply_patch(files, diffs)
        if not isinstance(result, PatchedFiles):
            return number
        files = result.files
    return None
