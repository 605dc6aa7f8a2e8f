# SPDX-License-Identifier: GPL-2.0-or-later
"""The base that the user names: looked at before it is believed."""

from seriestool.base.preimage import find_preimage
from seriestool.git import ScratchRepository
from seriestool.rebase.patch_stack import BaseKind, SeriesBase, make_stack
from seriestool.series.model import Series


def given_base(series: Series, commit: str, scratch_repo: ScratchRepository) -> SeriesBase:
    """The commit as the base of the series, with what is true of it: exact, applies, or neither (given).

    Raises InputError where the patches contradict each other, GitError where the commit is not here.
    """
    preimage = find_preimage(series)
    there = scratch_repo.entries(scratch_repo.tree_of(commit), preimage.paths)
    found = {path: (entry.mode, entry.oid) for path, entry in there.items()}
    matched = sum(wanted.accepts_entry(*found.get(wanted.path, (0, ""))) for wanted in preimage.expectations)
    base = SeriesBase(
        footing=BaseKind.GIVEN, commit=commit, matched=matched, expected=len(preimage), put_in=0, files={}
    )
    if any(step.after is None for step in make_stack(series, base, scratch_repo).steps if step.patch.files):
        return base
    footing = BaseKind.EXACT if matched == len(preimage) else BaseKind.APPLIES
    return SeriesBase(footing=footing, commit=commit, matched=matched, expected=len(preimage), put_in=0, files={})
