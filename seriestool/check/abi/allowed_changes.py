# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers in which some changes are none to user space, with the reason: the list is short, and each entry argued."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.abi.abi_change import AbiChange, ChangeSeverity


class AllowedChange(Struct, frozen=True):
    """Changes that are let pass, by header, name and rule; each a pattern as in a shell."""

    header: str
    reason: str
    name: str = "*"
    rule: str = "*"

    def covers(self, header: str, change: AbiChange) -> bool:
        """Whether it speaks of this change in this header."""
        return (
            fnmatchcase(header, self.header)
            and fnmatchcase(change.rule, self.rule)
            and all(fnmatchcase(name, self.name) for name in (change.name, *change.others))
        )


BUILT_IN = (
    AllowedChange("linux/snmp.h", "counters are read from /proc/net by their names; the numbers are the kernel's own"),
    AllowedChange("asm/vmx.h", "names of a processor's exit reasons, as its manual has them"),
    AllowedChange("asm/svm.h", "names of a processor's exit reasons, as its manual has them"),
    AllowedChange("linux/pci_regs.h", "registers of hardware, as the PCI specification names them"),
    AllowedChange(
        "linux/nl80211.h",
        "never sent: the attribute is left out for it, as its description says",
        name="NL80211_AUTHTYPE_AUTOMATIC",
    ),
    AllowedChange("linux/version.h", "made anew for each release"),
)


def parse_allowed(pattern: str) -> AllowedChange:
    """What a pattern of git-config's `seriestool.check.uapi-allow` lets pass: `linux/foo.h`, or `linux/foo.h:NAME*`."""
    header, _, name = pattern.partition(":")
    return AllowedChange(header.strip(), "allowed by git-config", name.strip() or "*")


def downgrade_allowed(header: str, change: AbiChange, allowed: Iterable[AllowedChange]) -> AbiChange:
    """The change, as a note with the reason where it is allowed."""
    for one in allowed:
        if change.severity is not ChangeSeverity.NOTE and one.covers(header, change):
            return replace(change, severity=ChangeSeverity.NOTE, message=f"{change.message} ({one.reason})")
    return change
