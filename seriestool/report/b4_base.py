# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer as b4 prints it: one ` Base:` line, for bots that mail it on.

The words are b4's own (https://b4.docs.kernel.org/), so that what reads them goes on working.
"""

from seriestool.base.preimage import ExpectedKind
from seriestool.base.verdict import FitLevel, StatedBaseState, Verdict


def b4_lines(verdict: Verdict) -> str:
    """The lines that b4 would print for this base; a base that only applies counts as a best guess."""
    lines = []
    stated = verdict.stated
    if stated and stated.state is not StatedBaseState.KNOWN:
        lines.append(f" Base: base-commit {stated.commit} not known, ignoring")
    lines.append(f" Base: {_guess(verdict)}")
    return "\n".join(lines)


def _guess(verdict: Verdict) -> str:
    blobs = [path for path in verdict.paths if path.expects == ExpectedKind.BLOB]
    matched = sum(path.matched for path in blobs)
    if verdict.base is None:
        return "failed to guess base"
    name = verdict.base.describe or verdict.base.commit
    if verdict.level is FitLevel.EXACT:
        return f"{name} (exact match)"
    return f"{name} (best guess, {matched}/{len(blobs)} blobs matched)" if matched else "failed to guess base"
