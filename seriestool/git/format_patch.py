# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits as mails, the same whatever is configured."""

from collections.abc import Mapping

from seriestool.git.process import Git, as_environment

# What no option of format-patch overrides.
_UNCONFIGURED_DIFF = {
    "format.headers": "",
    "diff.context": "3",
    "diff.algorithm": "default",
    "diff.suppressBlankEmpty": "no",
    "diff.indentHeuristic": "yes",
    "diff.orderFile": "/dev/null",
    "i18n.logOutputEncoding": "UTF-8",
}


def format_patch(git: Git, base: str, tip: str, env: Mapping[str, str]) -> bytes:
    """The commits of `base..tip`, merges left out, as mails in one mboxrd; full blob ids, binary patches whole."""
    return git.run(
        "format-patch",
        "--stdout",
        "--pretty=mboxrd",
        "--full-index",
        "--binary",
        "--find-renames",
        "--numbered",
        "--subject-prefix=PATCH",
        "--no-attach",
        "--no-cover-letter",
        "--no-thread",
        "--no-base",
        "--no-notes",
        "--no-signoff",
        "--no-from",
        "--no-to",
        "--no-cc",
        "--no-add-header",
        "--no-signature",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        "--no-relative",
        "--ignore-submodules=none",
        "--submodule=short",
        "--inter-hunk-context=0",
        "--always",
        "--end-of-options",
        f"{base}..{tip}",
        env={**as_environment(_UNCONFIGURED_DIFF), **env},
    )
