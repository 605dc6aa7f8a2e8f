# SPDX-License-Identifier: GPL-2.0-or-later
"""How grave a finding is: each check's own judgement, changed by the profile of a project and by the user.

A profile is what the maintainers of a part of the kernel have written down about what they want of patches.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.protocol import Finding, Status
from seriestool.series.model import Series
from seriestool.util.errors import InputError

SEVERITY = "seriestool.severity"
"""git-config, several values: `CHECK=warn`, or `CHECK/RULE=off`."""
_OFF = "off"
_GIVEN = {"pass": Status.PASS, "note": Status.PASS, "warn": Status.WARN, "fail": Status.FAIL, _OFF: None}
_STABLE = re.compile(r"v?\d+\.\d+(\.y)?$")

Severities = Mapping[str, Status | None]
"""`check/rule` or `check` -> how grave; None: not said at all."""


class Profile(Struct, frozen=True):
    """The severities of one kind of project."""

    name: str
    summary: str
    severities: Severities


PROFILES = (
    Profile("generic", "a kernel tree of which nothing more is known", {}),
    Profile(
        "netdev",
        "net and net-next (Documentation/process/maintainer-netdev.rst)",
        {
            "fixes-tag/missing-for-tree": Status.FAIL,
            "integrity/too-many": Status.WARN,
            "cover-letter/no-cover": Status.WARN,
            "subject-prefix/no-designation": Status.WARN,
        },
    ),
    Profile(
        "tip",
        "the tip tree (Documentation/process/maintainer-tip.rst)",
        {
            "fixes-tag/order": Status.FAIL,
            "trailers/tip-order": Status.FAIL,
            "subject-prefix/lower-case": Status.WARN,
        },
    ),
    Profile(
        "stable",
        "backports to stable trees (Documentation/process/stable-kernel-rules.rst)",
        {"fixes-tag/missing": None, "recipients": None},
    ),
    Profile(
        "not-kernel",
        "any other project that takes patches by mail",
        # What they have written down is not known here: the rules are the kernel's, or habits.
        {
            "sign-off": Status.WARN,
            "subject-prefix/no-prefix": Status.PASS,
            "subject-prefix/unused-prefix": Status.PASS,
            "subject-prefix/too-long": Status.PASS,
        },
    ),
)


def get_profile(name: str) -> Profile:
    """The profile of that name; InputError where there is none."""
    for profile in PROFILES:
        if profile.name == name:
            return profile
    raise InputError(f"there is no profile '{name}'", hint=f"one of {', '.join(one.name for one in PROFILES)}")


def guess_profile(series: Series, is_kernel: bool) -> Profile:
    """The profile that the subject's bracket names, or else that of kernels, or of other projects."""
    if not is_kernel:
        return get_profile("not-kernel")
    words = {word.lower() for word in series.prefixes}
    if words & {"net", "net-next"}:
        return get_profile("netdev")
    if "tip" in words:
        return get_profile("tip")
    if any(_STABLE.match(word) for word in words):
        return get_profile("stable")
    return get_profile("generic")


def parse_severities(values: Iterable[str]) -> Severities:
    """What git-config or the command line say; InputError where it cannot be read."""
    found: dict[str, Status | None] = {}
    for value in values:
        name, equals, given = (part.strip() for part in value.partition("="))
        if not equals or not name or given not in _GIVEN:
            raise InputError(f"'{value}' is no severity", hint=f"{SEVERITY} wants CHECK[/RULE]={'|'.join(_GIVEN)}")
        found[name] = _GIVEN[given]
    return found


def apply_severities(findings: Iterable[Finding], check: str, severities: Sequence[Severities]) -> tuple[Finding, ...]:
    """The findings as grave as the last of `severities` that names them says; those turned off are left out.

    What could not be seen, and what broke, stays what it is: that is no judgement. A note stays a note unless its very
    rule is named.
    """
    weighed = (_apply_severities(finding, check, severities) for finding in findings)
    return tuple(finding for finding in weighed if finding is not None)


def _apply_severities(finding: Finding, check: str, severities: Sequence[Severities]) -> Finding | None:
    if finding.status in (Status.SKIP, Status.ERROR):
        return finding
    rule = f"{check}/{finding.rule}"
    for table in reversed(severities):
        if rule in table:
            status = table[rule]
            return replace(finding, status=status) if status is not None else None
        if check in table:
            status = table[check]
            if status is None:
                return None
            return finding if finding.status is Status.PASS else replace(finding, status=status)
    return finding
