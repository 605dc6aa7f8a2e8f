# SPDX-License-Identifier: GPL-2.0-or-later
"""The names of trailers that people know, how they are spelt, and in which order they stand."""

WELL_KNOWN = (
    "Fixes",
    "Reported-by",
    "Closes",
    "Originally-by",
    "Suggested-by",
    "Co-developed-by",
    "Signed-off-by",
    "Tested-by",
    "Reviewed-by",
    "Acked-by",
    "Cc",
    "Link",
    "Assisted-by",
    "Debugged-by",
    "Analyzed-by",
    "Based-on",
    "Depends-on",
    "Message-ID",
    "Tested-on",
    "Suggested-on",
    "Bisected-by",
    "Inspired-by",
    "Requested-by",
    "Helped-by",
    "Improved-by",
    "Noticed-by",
    "Confirmed-by",
    "Diagnosed-by",
    "Mentored-by",
    "Reviewed-on",
    "Co-authored-by",
)
"""As Documentation/process/submitting-patches.rst writes them, and others that are often seen."""

_OTHER_WORDS = {
    "nacked",
    "hacked",
    "backed",
    "packed",
    "picked",
    "tracked",
    "cracked",
    "posted",
    "hosted",
    "listed",
    "retested",
    "untested",
    "imported",
    "exported",
    "supported",
    "notified",
    "previewed",
    "reverted",
    "repeated",
    "rejected",
    "reworked",
    "rebased",
    "released",
    "analysed",
    "traced",
    "replied",
    "resigned",
    "assigned",
    "designed",
}
"""Words that are near those of well-known names, and mean something else: a Nacked-by is no slip for an Acked-by."""
_LAST_WORDS = {"by", "on", "in", "to", "for", "from", "with", "upon", "at", "as"}

_BY_KEY = {name.lower(): name for name in WELL_KNOWN}
_SPELT = tuple(name for name in WELL_KNOWN if len(name) > 4)
_TIP_ORDER = (
    ("fixes",),
    ("reported-by",),
    ("closes",),
    ("originally-by",),
    ("suggested-by",),
    ("co-developed-by", "signed-off-by"),
    ("tested-by",),
    ("reviewed-by",),
    ("acked-by",),
    ("cc",),
    ("link",),
)
"""Documentation/process/maintainer-tip.rst, "Ordering of commit tags"."""


def is_well_known(name: str) -> bool:
    """Whether people know the name, however it is capitalised; anything that ends in -by is one."""
    key = name.lower()
    return key in _BY_KEY or (key.endswith("-by") and len(key) > 4)


def proper_name(name: str) -> str | None:
    """The name as it is written, or None where it is not well known."""
    return _BY_KEY.get(name.lower())


def meant_name(name: str) -> str | None:
    """The well-known name that this one is a misspelling of, by one slip or two; None where it is none."""
    key = name.lower()
    if key in _BY_KEY or not 5 <= len(key) <= 20 or _OTHER_WORDS.intersection(key.split("-")):
        return None
    slips = 2 if len(key) >= 8 else 1
    last = key.rpartition("-")[2]
    near = [
        (edit_distance(key, known.lower(), slips), known)
        for known in _SPELT
        if last not in _LAST_WORDS or known.endswith(f"-{last}")  # Tested-in is no slip for Tested-on
    ]
    best = min(near, default=(slips + 1, ""))
    return best[1] if best[0] <= slips else None


def tip_rank(name: str) -> int | None:
    """The place of the trailer in the order of the tip tree; None for those that it does not speak of."""
    return next((rank for rank, names in enumerate(_TIP_ORDER) if name.lower() in names), None)


def edit_distance(one: str, other: str, limit: int) -> int:
    """How many slips (letters changed, added, left out, swapped) are between the two; limit + 1 for more."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    above: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, above, row = above, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], limit + 1)
