# SPDX-License-Identifier: GPL-2.0-or-later
"""Diffs that git made here, read with unidiff; a mailed one, perhaps damaged, is `diff.py`'s: docs/decisions/0003."""

import io


def count_changes(diff: bytes) -> tuple[int, int, int] | None:
    """(files, lines added, lines removed), as the last line of a diffstat has them; None where unidiff cannot read it.

    Nothing but numbers is taken from it, so the encoding does not matter: each byte is a character.
    """
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    try:
        found = PatchSet(io.StringIO(diff.decode("latin-1")), metadata_only=True)
    except UnidiffParseError:
        return None
    return len(found), found.added, found.removed
