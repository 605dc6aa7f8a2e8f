# SPDX-License-Identifier: GPL-2.0-or-later
"""How long builds took, so that the next one can say how long it will take."""

import contextlib
import json
import math
from pathlib import Path

from seriestool.util.files import write_whole

_SIZE = 1 << 20


class BuildTimes:
    """A small file of (name, kind) -> seconds; lost or broken it is empty."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, name: str, kind: str) -> float | None:
        """Seconds that the last build of this name and kind took; else that the last one of the kind did."""
        known = self._read()
        return known.get(f"{kind} {name}", known.get(kind))

    def put(self, name: str, kind: str, seconds: float) -> None:
        """Keep what one took."""
        known = {**self._read(), f"{kind} {name}": round(seconds, 1), kind: round(seconds, 1)}
        with contextlib.suppress(OSError):
            write_whole(self._file, json.dumps(known).encode())

    def _read(self) -> dict[str, float]:
        try:
            found = json.loads(self._file.read_text()[:_SIZE])
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {
            key: float(value)
            for key, value in found.items()
            if isinstance(value, int | float) and math.isfinite(value) and value >= 0
        }


def duration_text(seconds: float) -> str:
    """About how long that is, for people: `about 8 minutes`."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} seconds"
    return f"about {round(seconds / 60)} minutes"
