# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether what a check needs is there, and if not, why."""

import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from seriestool.check.protocol import Check, CheckSubject, Requirement, Scope
from seriestool.sandbox import PATH

COMPILERS = ("gcc", "clang", "cc")
OTHERS = ("ld", "perl", "python3", "dt-doc-validate")


class Availability(Struct, frozen=True, eq=False, dict=True):
    """What there is on this machine and in this tree."""

    is_kernel: bool
    no_sandbox: str | None
    """Why nothing can be run; None where it can."""

    @cached_property
    def compiler(self) -> str | None:
        """The C compiler's path."""
        return next(filter(None, map(_find, COMPILERS)), None)

    @cached_property
    def tools(self) -> str:
        """What names the programs of this machine that have a part in an answer."""
        found = (Path(path).resolve() for path in map(_find, (*COMPILERS, *OTHERS)) if path is not None)
        return " ".join(f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}" for path in found)

    def find_reason(self, check: Check, subject: CheckSubject) -> str | None:
        """Why the check cannot say anything of the subject, or None where it can."""
        reasons: Mapping[Requirement, str | None] = {
            Requirement.KERNEL: None if self.is_kernel else "the tree is not that of a kernel",
            Requirement.MAILED: None if subject.is_mailed else "the series has not been mailed",
            Requirement.BASE: _no_base(check, subject),
            Requirement.SANDBOX: self.no_sandbox,
            Requirement.COMPILER: None if self.compiler else "there is no C compiler (apt install gcc)",
        }
        return next((reason for need, reason in reasons.items() if need in check.needs and reason), None)


def _find(program: str) -> str | None:
    """Where the program is that is found in the sandbox; ~/bin, and the links of ccache, are not there."""
    return shutil.which(program, path=PATH)


def _no_base(check: Check, subject: CheckSubject) -> str | None:
    if subject.base is None:
        return "no base is known; --base names one"
    if check.scope is Scope.PATCH:
        return None if subject.after is not None else "the patch does not apply to the base"
    stopped = [str(step.patch.counter) for step in subject.steps if step.after is None]
    if not stopped:
        return None
    one = len(stopped) == 1
    return f"{'patch' if one else 'patches'} {', '.join(stopped)} {'does' if one else 'do'} not apply to the base"
