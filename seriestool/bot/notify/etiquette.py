# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom the bot does not answer, and to whom it does not write: programs, those who asked it not to, other lists. Pure.

RFC 3834 says what an automatic answer owes to others: none to what is automatic itself.
"""

import re
from collections.abc import Iterable

_ROBOT_ADDRESS = re.compile(
    r"^(?:no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounces?|nobody|daemon|lkp|0day|kbuild(?:-all)?|"
    r"syzbot|syzkaller|sashiko|patchwork|patchew|kernelci|tip-bot\d*|bpf-ci|ci|buildbot|jenkins|"
    r".*(?:[-+._]|^)(?:bot|robot|noreply|daemon|autobuild)\d*)(?:[-+._=][^@]*)?@"
)
_ROBOT_NAME = re.compile(
    r"\b(?:kernel test robot|syzbot|sashiko|patchwork|patchew|kernelci|(?:\w+-)?bot|robot|github actions?|bpf[ -]ci|"
    r"mail delivery (?:sub)?system)\b",
    re.I,
)
_LIST_HOST = re.compile(
    r"^(?:lists?|lists?-\w+|vger|ml|mailman)\.|\.lists?\.|^lore\.|^(?:vger\.kernel\.org|kvack\.org|"
    r"googlegroups\.com|nongnu\.org|groups\.io|lists\.linux\.dev)$"
)
_LIST_NAME = re.compile(
    r"^(?:linux-|u-boot$|qemu-|stable$|netdev$|bpf$|git$|dm-devel$)|"
    r"-(?:devel|dev|list|users?|announce|commits|discuss|patches|kernel)$"
)
_NOT_AUTOMATIC = {"no", ""}
_ACCEPTED_STATES = {"new", "under-review", "under review", "action-required", "action required"}
_LONGEST = 320  # characters: hostile names must not take long to look at
_VIA = re.compile(r"\bvia\b", re.I)


def find_robot(address: str, name: str, hints: Iterable[str]) -> str | None:
    """Why the sender is taken for a program, or None; `hints` as in Facts."""
    if _ROBOT_ADDRESS.search(address[:_LONGEST].lower()):
        return f"{address} is the address of a program"
    if _ROBOT_NAME.search(name[:_LONGEST]):
        return f"'{name}' is the name of a program"
    headers = _by_name(hints)
    for name_of, value in ((name_of, value) for name_of, values in headers.items() for value in values):
        if _is_automatic(name_of, value, has_list="list-id" in headers):
            return f"its header '{name_of}: {value}' says that a program sent it"
    return None


def _is_automatic(name: str, value: str, has_list: bool) -> bool:
    word = re.split(r"[\s;,(]", value, maxsplit=1)[0]
    if name == "auto-submitted":
        return word not in _NOT_AUTOMATIC
    if name == "precedence":  # lists put `bulk` and `list` above everybody's mails
        return word in ("junk", "auto_reply") or (word == "bulk" and not has_list)
    if name == "return-path":
        return value == "<>"
    return name in ("x-autoreply", "x-autorespond", "x-cron-env", "x-patchwork-bot", "x-seriestool")


def find_refusal(hints: Iterable[str]) -> str | None:
    """Why the mail asks to be left alone, or None."""
    for name, values in _by_name(hints).items():
        for value in values:
            if _refuses(name, value):
                return f"its header '{name}: {value}' asks to be left alone"
    return None


def _refuses(name: str, value: str) -> bool:
    if name in ("x-patchwork-action", "x-patchwork-hint", "x-seriestool-hint"):
        return "ignore" in value
    if name == "x-patchwork-state":
        return value not in _ACCEPTED_STATES
    if name == "x-auto-response-suppress":
        return bool({"all", "autoreply"} & set(re.split(r"[\s,;]+", value)))
    return name == "x-stable"  # patches that are merged elsewhere long since, sent again for review in bulk


def _by_name(hints: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for hint in hints:
        name, _, value = hint.partition(":")
        found.setdefault(name.strip(), []).append(value.strip())
    return found


def has_opted_out(address: str, opt_out: Iterable[str]) -> bool:
    """Whether the address, or its @domain or one above that, is never to be written to."""
    address = address.lower()
    domain = address.rpartition("@")[2]
    for one in opt_out:
        if one.startswith("@"):
            if domain == one[1:] or domain.endswith(f".{one[1:]}"):
                return True
        elif address == one:
            return True
    return False


def is_list(address: str) -> bool:
    """Whether it looks like the address of a list: a person who is taken for one misses a copy, and no more."""
    local, _, domain = address.lower().rpartition("@")
    return bool(_LIST_HOST.search(domain) or _LIST_NAME.search(local))


def is_hidden(address: str, name: str, recipients: Iterable[str]) -> bool:
    """Whether a list has put its own address in the place of the author's: 'A U Thor via devel <devel@...>'."""
    return is_list(address) or (address in recipients and _VIA.search(name) is not None)


def pick_recipients(recipients: Iterable[str], list_name: str, hints: Iterable[str]) -> tuple[str, ...]:
    """Those of To and Cc who may get a reply to all: people, and of lists only the one that is watched."""
    watched = {
        value.strip("<>") for value in _by_name(hints).get("list-id", []) for value in re.findall(r"<[^>]+>", value)
    }
    return tuple(
        one
        for one in recipients
        if find_robot(one, "", ()) is None
        and (not is_list(one) or one.partition("@")[0] == list_name or one.replace("@", ".") in watched)
    )
