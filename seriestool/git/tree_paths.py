# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths below a tree object: looked up, and changed a few at a time."""

from collections.abc import Callable, Iterator, Mapping

from seriestool.git.objects import FOLDER, TreeEntry, format_tree

Entries = dict[bytes, TreeEntry]
Write = Callable[[bytes], str]
"""The id of a raw tree that was written."""
Changes = Mapping[bytes, TreeEntry | None]
"""Path -> what is to be there; None: nothing."""


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
