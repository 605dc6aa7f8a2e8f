# SPDX-License-Identifier: GPL-2.0-or-later
"""Our checks on a real Patchwork server: posted, read back by its API, and posted once.

    python -m tests.e2e.patchwork_e2e URL TOKEN MSGID

The token is that of a maintainer of the project that has the patch. tests/data/patchwork/answers.json was recorded of
such a server; series.mbox beside it is what `manage.py parsearchive` was given. Ends with 1 where something is not as
it should be.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence

import requests

from seriestool.bot.notify.delivery import DeliveryStatus
from seriestool.bot.notify.patchwork_api import find_patch, make_server
from seriestool.bot.notify.send.patchwork import Patchwork

_STATES = ("success", "warning", "fail", "pending")


def main(arguments: Sequence[str]) -> int:
    """Post, read back, post again, change one, read back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("msgid")
    given = parser.parse_args(arguments)
    server = make_server(given.url, given.token)
    run = f"seriestool-e2e-{int(time.time())}"
    bodies = [_body(given.msgid, f"{run}-{state}", state, f"{state}: “it is” {n}") for n, state in enumerate(_STATES)]
    way = Patchwork(server)
    steps = [
        ("posted", way.deliver("x", _bytes(bodies)).status is DeliveryStatus.DELIVERED),
        ("read back", _read(server.api, given.msgid, run) == _wanted(bodies)),
        ("posted again", way.deliver("x", _bytes(bodies)).status is DeliveryStatus.DELIVERED),
        ("each is there once", _read(server.api, given.msgid, run) == _wanted(bodies)),
    ]
    changed = [_body(given.msgid, f"{run}-fail", "success", "mended"), *bodies[:2]]
    steps += [
        ("one changed", way.deliver("x", _bytes(changed)).status is DeliveryStatus.DELIVERED),
        ("one more is there", _read(server.api, given.msgid, run) == [*_wanted(bodies), *_wanted(changed[:1])]),
        (
            "a patch it has not",
            way.deliver("x", _bytes([_body("no@where", run, "fail", "")])).status is DeliveryStatus.LATER,
        ),
        (
            "a wrong token",
            Patchwork(make_server(given.url, "0123"))
            .deliver("x", _bytes([_body(given.msgid, f"{run}-x", "fail", "")]))
            .status
            is DeliveryStatus.REFUSED,
        ),
    ]
    for name, is_good in steps:
        print(f"{'ok' if is_good else 'NOT OK'}  {name}")
    return 0 if all(is_good for _, is_good in steps) else 1


def _body(msgid: str, context: str, state: str, description: str) -> dict[str, str]:
    return {"msgid": msgid, "context": context, "state": state, "description": description,
            "target_url": "https://series.example.org/series/1.html"}  # fmt: skip


def _bytes(bodies: Sequence[dict[str, str]]) -> bytes:
    return json.dumps(bodies).encode()


def _wanted(bodies: Sequence[dict[str, str]]) -> list[tuple[str, str, str]]:
    return [(one["context"], one["state"], one["description"]) for one in bodies]


def _read(api: str, msgid: str, run: str) -> list[tuple[str, str, str]]:
    """(context, state, description) of the checks of this run, oldest first, as the server has them."""
    patch = find_patch(requests.get(f"{api}/patches/", {"msgid": msgid}, timeout=30).json(), msgid)
    checks = requests.get(f"{api}/patches/{patch}/checks/", {"per_page": 250}, timeout=30).json()
    return [(one["context"], one["state"], one["description"]) for one in checks if one["context"].startswith(run)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
