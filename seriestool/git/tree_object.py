# SPDX-License-Identifier: GPL-2.0-or-later
"""Git's tree objects: read, and written anew with a few paths changed.

In the format (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects) each entry is `<mode> <name>\\0<raw id>`; they
are sorted by name, a folder as if its name ended with a slash.
"""

from collections.abc import Callable, Iterator, Mapping

from seriestool.git.scratch_index import TreeEntry

FOLDER = 0o040000
_GITLINK = 0o160000

Entries = dict[bytes, TreeEntry]
Read = Callable[[str], bytes]
"""The raw tree behind an id."""
Write = Callable[[bytes], str]
"""The id of a raw tree that was written."""
Changes = Mapping[bytes, TreeEntry | None]
"""Path -> what is to be there; None: nothing."""


def parse_tree(raw: bytes, oid_size: int) -> Entries:
    """The entries of a raw tree by name, in its order."""
    found: Entries = {}
    at = 0
    while (end := raw.find(b"\0", at)) >= 0:
        digits, _, name = raw[at:end].partition(b" ")
        mode = int(digits, 8)
        found[name] = TreeEntry(mode, kind_of(mode), raw[end + 1 : end + 1 + oid_size].hex())
        at = end + 1 + oid_size
    return found


def kind_of(mode: int) -> str:
    """What git calls an entry of this mode: tree, commit (a submodule) or blob."""
    return {FOLDER: "tree", _GITLINK: "commit"}.get(mode, "blob")


def format_tree(entries: Mapping[bytes, TreeEntry]) -> bytes:
    """The raw tree that has these entries."""
    ordered = sorted(entries.items(), key=lambda item: item[0] + b"/" * (item[1].kind == "tree"))
    return b"".join(b"%o %s\0" % (entry.mode, name) + bytes.fromhex(entry.oid) for name, entry in ordered)


def find_entries(root: Entries, paths: Iterator[bytes], read: Callable[[str], Entries]) -> Entries:
    """What the tree has at those of `paths` that it has; folders are none of them."""
    found: Entries = {}
    for path in paths:
        entry = _find(root, path, read)
        if entry is not None and entry.kind != "tree":
            found[path] = entry
    return found


def _find(root: Entries, path: bytes, read: Callable[[str], Entries]) -> TreeEntry | None:
    *folders, name = path.split(b"/")
    here = root
    for folder in folders:
        entry = here.get(folder)
        if entry is None or entry.kind != "tree":
            return None
        here = read(entry.oid)
    return here.get(name)


def edit_tree(entries: Entries, changes: Changes, read: Callable[[str], Entries], write: Write) -> Entries:
    """The entries with the changes made; folders below are read and written as needed, empty ones vanish.

    A file takes the place of a folder, and the other way round, as the changes want it.
    """
    edited = dict(entries)
    below: dict[bytes, dict[bytes, TreeEntry | None]] = {}
    for path, entry in changes.items():
        name, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(name, {})[rest] = entry
        elif entry is not None:
            edited[name] = entry
        elif name in edited and edited[name].kind != "tree":
            del edited[name]
    for name, inner in below.items():
        folder = edited.get(name)
        is_folder = folder is not None and folder.kind == "tree"
        if not is_folder and not any(inner.values()):
            continue  # nothing to remove below something that is no folder
        there = read(folder.oid) if folder is not None and is_folder else {}
        left = edit_tree(there, inner, read, write)
        if left:
            edited[name] = TreeEntry(FOLDER, "tree", write(format_tree(left)))
        else:
            edited.pop(name, None)
    return edited
