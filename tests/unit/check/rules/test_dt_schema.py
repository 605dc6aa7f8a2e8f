# SPDX-License-Identifier: GPL-2.0-or-later
import shutil
from pathlib import Path

import pytest

from seriestool.check.protocol import Status
from seriestool.check.rules import dt_schema
from seriestool.check.rules.dt_schema import CHECK
from seriestool.sandbox import KillReason, SandboxJob, SandboxResult
from tests.support.repos import File, Repo
from tests.support.sandboxes import PlainSandbox
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

DT = "Documentation/devicetree/bindings"
SAID = f"dt-bindings: leds: change\n\nWhy.\n\n{SIGNED}\n"
TREE: dict[str, File] = {
    f"{DT}/leds/acme,lamp.yaml": "$ref: /schemas/leds/common.yaml#\nlocal:\n  $ref: ../near.yaml#\n",
    f"{DT}/leds/common.yaml": "$ref: deep.yaml#\n",
    f"{DT}/leds/deep.yaml": "x: y\n",
    f"{DT}/near.yaml": "x: y\n",
    f"{DT}/Makefile": "DT_SCHEMA_MIN_VERSION = 2023.9\n",
}
# Says of each line with BAD in it what the real one would, in a path from the root.
FAKE = r"""#!/bin/sh
case "$*" in *--version*) echo "${0##*-v}"; exit 0;; esac
for name in "$@"; do
	case "$name" in *.yaml) sed -n "s|.*BAD|$PWD/$name: properties: 'anyOf' failed:\n\tbad|p" "$name";; esac
done >&2
ls -R Documentation > "${0%/*}/seen"
exit 1
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dt-doc-validate that stands where the check looks."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "dt-doc-validate-v2024.1").write_text(FAKE)
    (folder / "dt-doc-validate-v2024.1").chmod(0o755)
    (folder / "dt-doc-validate").symlink_to("dt-doc-validate-v2024.1")
    monkeypatch.setattr(shutil, "which", lambda *_, **__: str(folder / "dt-doc-validate-v2024.1"))
    return folder


def test_a_new_complaint_warns(repo: Repo, program: Path) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {f"{DT}/leds/acme,lamp.yaml": "BAD one\n"}))
    one = only_finding(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()), "schema")
    assert (one.status, one.path) == (Status.WARN, f"{DT}/leds/acme,lamp.yaml".encode())
    assert one.message == "properties: 'anyOf' failed: bad one"


def test_a_complaint_of_before_is_not_new(repo: Repo, program: Path) -> None:
    repo.commit({**TREE, f"{DT}/leds/acme,lamp.yaml": "BAD one\n"})
    mbox = mail_series(repo, (SAID, {f"{DT}/leds/acme,lamp.yaml": "x: y\nBAD one\n"}))
    assert ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()) == ()


def test_schemas_that_it_refers_to_go_along(repo: Repo, program: Path) -> None:
    repo.commit({**TREE, f"{DT}/leds/unrelated.yaml": "x: y\n"})
    changed = f"x: y\n{TREE[f'{DT}/leds/acme,lamp.yaml']}"
    mbox = mail_series(repo, (SAID, {f"{DT}/leds/acme,lamp.yaml": changed}))
    ask_check(CHECK, repo, mbox, sandbox=PlainSandbox())
    seen = (program / "seen").read_text()
    assert [name in seen for name in ("common.yaml", "deep.yaml", "near.yaml", "unrelated.yaml")] == [True] * 3 + [
        False
    ]


def test_a_patch_without_schemas_starts_nothing(repo: Repo, program: Path) -> None:
    repo.commit(TREE)
    sandbox = PlainSandbox()
    assert (
        ask_check(CHECK, repo, mail_series(repo, (SAID, {f"{DT}/x.txt": "x\n", "a.c": "x\n"})), sandbox=sandbox) == ()
    )
    assert sandbox.jobs == []


def test_no_dtschema_skips_and_says_how_to_get_it(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    repo.commit(TREE)
    found = ask_check(CHECK, repo, mail_series(repo, (SAID, {f"{DT}/n.yaml": "x\n"})), sandbox=PlainSandbox())
    assert rules_of(found) == [("skipped", "skip")]
    assert "apt install dt-schema" in found[0].message


def test_a_dtschema_older_than_the_tree_wants_skips(repo: Repo, program: Path) -> None:
    repo.commit({**TREE, f"{DT}/Makefile": "DT_SCHEMA_MIN_VERSION = 2024.10\n"})
    found = ask_check(CHECK, repo, mail_series(repo, (SAID, {f"{DT}/n.yaml": "x\n"})), sandbox=PlainSandbox())
    assert rules_of(found) == [("skipped", "skip")]
    assert "2024.1 is older than 2024.10" in found[0].message


class _Broken(PlainSandbox):
    outcome: SandboxResult

    def run(self, job: SandboxJob) -> SandboxResult:
        return SandboxResult(0, b"2099.1\n", b"") if "--version" in job.argv else self.outcome


@pytest.mark.parametrize(
    "outcome",
    [
        SandboxResult(137, b"", b"", KillReason.TIME),
        SandboxResult(1, b"", b"Traceback (most recent call last):\nImportError: ruamel\n"),
    ],
)
def test_one_that_does_not_run_skips_and_never_fails(repo: Repo, program: Path, outcome: SandboxResult) -> None:
    repo.commit(TREE)
    sandbox = _Broken()
    sandbox.outcome = outcome
    found = ask_check(CHECK, repo, mail_series(repo, (SAID, {f"{DT}/n.yaml": "x\n"})), sandbox=sandbox)
    assert rules_of(found) == [("skipped", "skip")]


def test_versions_are_compared_by_number() -> None:
    assert dt_schema._numbers("2022.08.2") < dt_schema._numbers("2022.8.10") < dt_schema._numbers("2023.9")
