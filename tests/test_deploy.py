# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/deploy.md offers: units that systemd understands and bubblewrap can live with, paths that are served."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from seriestool.bot.site.site_queries import parse_query
from tests.support.repos import ROOT
from tests.support.site import alive, fill, key_of, report_row, series_row, serve, sqlite_url

UNITS = sorted((ROOT / "docs/systemd").glob("*.service"))
GUIDE = (ROOT / "docs/deploy.md").read_text()
BREAKS_BUBBLEWRAP = {
    "ProtectKernelTunables", "ProtectKernelLogs", "ProtectHostname", "RestrictNamespaces", "ProcSubset", "PrivateUsers"
}  # fmt: skip


def settings(unit: Path) -> dict[str, str]:
    """The last value of each setting."""
    pairs = (line.partition("=") for line in unit.read_text().splitlines() if re.match(r"[A-Z]\w*=", line))
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze (Debian: systemd)")
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE))
    answer = subprocess.run([program, "verify", "--man=no", copy], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_is_locked_in(unit: Path) -> None:
    found = settings(unit)
    wanted = {
        "DynamicUser": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
        "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "StateDirectory": "seriestool", "User": "seriestool",
    }  # fmt: skip
    assert {name: found.get(name) for name in wanted} == wanted
    assert found["ExecStart"].startswith("/opt/seriestool/bin/seriestool --repo ")


def test_the_worker_leaves_bubblewrap_what_it_needs() -> None:
    found = settings(ROOT / "docs/systemd/seriestool-bot.service")
    assert BREAKS_BUBBLEWRAP & found.keys() == set()
    assert {"@mount", "sethostname"} <= set(found["SystemCallFilter"].split())
    assert "AF_NETLINK" in found["RestrictAddressFamilies"].split()


def test_the_site_is_shut_where_the_worker_cannot_be() -> None:
    found = settings(ROOT / "docs/systemd/seriestool-site.service")
    assert found.keys() >= BREAKS_BUBBLEWRAP
    assert "--listen 127.0.0.1:8087" in found["ExecStart"]


def test_the_guide_names_each_file() -> None:
    for path in [*UNITS, ROOT / "docs/container/Containerfile"]:
        assert f"({path.relative_to(ROOT / 'docs')})" in GUIDE


def test_the_guide_names_paths_and_metrics_that_are_served(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    said = {"id": "1", "key": key_of(1), "lineage": "l", "channel": "draft", "state": "unknown", "reason": "",
            "said": "", "message": b"", "msgid": "", "decided": 1, "sent": None, "error": None}  # fmt: skip
    fill(url, series=[series_row(1)], reports=[report_row(1)], sayings=[said], **alive())
    named = re.findall(r"^\| `(/\S+)` \|", GUIDE, re.MULTILINE)
    assert len(named) == 6
    with serve(url) as site:
        for path in (*named, "/health", "/metrics"):
            reply = site.get(path.replace("<key>", key_of(1)).replace("<message-id>", "series-1@example.com"))
            assert reply.status in (200, 302), path
        metrics = site.get("/metrics").body.decode()
    for name in set(re.findall(r"seriestool_[a-z_]+", GUIDE)):
        assert f"# TYPE {name} gauge" in metrics
    parameters = re.search(r"parameters (.*)", GUIDE)
    assert parameters
    names = set(re.findall(r"`(\w+)`(?= \(|, )", parameters[1]))
    assert names == {"list", "state", "author", "q", "limit", "before"}
    parse_query({"list": "a", "state": "done", "author": "b", "q": "c", "limit": "5", "before": "1-a"})


def test_the_container_has_what_the_program_starts() -> None:
    text = (ROOT / "docs/container/Containerfile").read_text()
    final = text.rpartition("\nFROM ")[2]
    for package in ("git", "bubblewrap", "python3", "make", "gcc", "perl"):
        assert re.search(rf"(?<=\s){package}(?=\s)", final)
    for source in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in source.split())
    assert re.search(r"^USER seriestool$", final, re.MULTILINE)
