# SPDX-License-Identifier: GPL-2.0-or-later
"""The manifest: which files make the index, and of which refs. Replacing it is what commits an update."""

from pathlib import Path

import msgspec
from msgspec import Struct

from seriestool.util.files import write_durably

VERSION = 3
_NAME = "manifest.json"


class Manifest(Struct, frozen=True):
    """What an index consists of."""

    key: str
    """The fingerprint of the repository: another one, another history."""
    refs: str
    """A digest of the commits that the refs pointed to at the last update."""
    tips: str = ""
    """The file with the ids of the tips that are indexed."""
    layers: tuple[str, ...] = ()
    """The layer files, oldest commits first."""
    is_shallow: bool = False
    """Whether the history ends where the repository's does, and goes on elsewhere."""
    version: int = VERSION


def find_manifest(folder: Path) -> Manifest | None:
    """The manifest in the folder, or None where there is none that can be used."""
    try:
        manifest = msgspec.json.decode((folder / _NAME).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None
    return manifest if manifest.version == VERSION else None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest in the place of the one before, all or nothing."""
    write_durably(folder / _NAME, [msgspec.json.format(msgspec.json.encode(manifest), indent=1)])


def sweep(folder: Path) -> None:
    """Remove what no manifest names: older layers, and what an interrupted update left."""
    manifest = find_manifest(folder)
    keep = {_NAME, *(manifest.layers if manifest else ()), manifest.tips if manifest else ""}
    for file in folder.iterdir():
        if file.name not in keep and file.name.lstrip(".").startswith(("layer-", "tips-", _NAME)):
            file.unlink(missing_ok=True)
