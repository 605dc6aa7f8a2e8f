# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers in which some changes are none to user space, with the reason: the list is short, and each entry argued."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from seriestool.check.abi.abi_change import Change, Weight


@dataclass(frozen=True, slots=True)
class Allowed:
    """Changes that are let pass, by header, name and rule; each a pattern as in a shell."""

    header: str
    reason: str
    name: str = "*"
    rule: str = "*"

    def covers(self, header: str, change: Change) -> bool:
        """Whether it speaks of this change in this header."""
        return (
            fnmatchcase(header, self.header)
            and fnmatchcase(change.rule, self.rule)
            and all(fnmatchcase(name, self.name) for name in (change.name, *change.others))
        )


BUILT_IN = (
    Allowed("linux/snmp.h", "counters are read from /proc/net by their names; the numbers are the kernel's own"),
    Allowed("asm/vmx.h", "names of a processor's exit reasons, as its manual has them"),
    Allowed("asm/svm.h", "names of a processor's exit reasons, as its manual has them"),
    Allowed("linux/pci_regs.h", "registers of hardware, as the PCI specification names them"),
    Allowed(
        "linux/nl80211.h",
        "never sent: the attribute is left out for it, as its description says",
        name="NL80211_AUTHTYPE_AUTOMATIC",
    ),
    Allowed("linux/version.h", "made anew for each release"),
)


def parse_allowed(pattern: str) -> Allowed:
    """What a pattern of git-config's `seriestool.check.uapi-allow` lets pass: `linux/foo.h`, or `linux/foo.h:NAME*`."""
    header, _, name = pattern.partition(":")
    return Allowed(header.strip(), "allowed by git-config", name.strip() or "*")


def let_pass(header: str, change: Change, allowed: Iterable[Allowed]) -> Change:
    """The change, as a note with the reason where it is allowed."""
    for one in allowed:
        if change.weight is not Weight.NOTE and one.covers(header, change):
            return replace(change, weight=Weight.NOTE, message=f"{change.message} ({one.reason})")
    return change
