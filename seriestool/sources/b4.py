# SPDX-License-Identifier: GPL-2.0-or-later
"""What b4's users expect to behave as b4: whose signatures hold, and what a `b4 prep` branch is.

b4 runs in a child process (`b4_driver.py`), which takes a tenth of a second to start: docs/decisions/0002. Its network
is off, but for keys of DKIM where the caller allows that.
"""

import json
import os
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from seriestool.git import Repository, clean_environment
from seriestool.git.process import temporary_folder
from seriestool.util.errors import OutsideError

Config = Mapping[str, tuple[str, ...]]

_KEYRINGS = ("ref:::.keys", "ref:::.local-keys", "ref::refs/meta/keyring:")  # as in b4
_SECTIONS = ("b4.", "patatt.", "gpg.", "user.")
_TIMEOUT = 300.0
_DOMAIN = "b4"
_NO_USER_FILES = ("XDG_DATA_HOME", ".local/share", "b4"), ("GNUPGHOME", ".gnupg", "")
# What would change how a commit is printed as a mail, or run something.
_PREP_CONFIG = {
    "core.hookspath": ("/dev/null",),
    "core.attributesfile": ("/dev/null",),
    "core.fsmonitor": ("false",),
    "log.showsignature": ("false",),
    "diff.noprefix": ("false",),
    "diff.mnemonicprefix": ("false",),
    "color.ui": ("false",),
}


class DnsLimits(NamedTuple):
    """How name servers are asked."""

    dns_port: int
    dns_seconds: float
    """To wait for one answer."""


SYSTEM_DNS = DnsLimits(53, 5.0)


class B4Error(OutsideError):
    """b4 did not answer."""


class Attestor(Struct, frozen=True, kw_only=True):
    """Who signed a mail, as b4 sees it."""

    kind: str
    """"patatt" or "DKIM"."""
    algorithm: str | None
    """Of patatt: ed25519, openpgp, openssh."""
    identity: str
    """An address; of DKIM a domain."""
    is_valid: bool
    has_key: bool
    """Of patatt: whether the key was found."""
    is_stale: bool
    """Whether it was made more days after the mail's date than `b4.attestation-staleness-days` allows."""
    is_sender: bool
    """Whether it is who the mail is from."""
    errors: tuple[str, ...]


class MailAttestation(Struct, frozen=True):
    """What b4 says of one mail."""

    attestors: tuple[Attestor, ...] = ()
    dkim_remarks: tuple[str, ...] = ()
    """Why signatures of DKIM did not hold, as dkimpy says it."""
    is_trimmed: bool = False
    """Whether something stands below what was signed."""
    error: str | None = None
    """Why the mail could not be looked at."""


class Attestation(Struct, frozen=True):
    """What b4 says of mails, and what it was not to look at."""

    mails: tuple[MailAttestation, ...]
    is_off: bool
    """`b4.attestation-policy` says so."""
    asks_dns: bool
    """Whether keys of DKIM were asked for."""


def attest(
    mails: Sequence[bytes], repository: Repository, config: Config, *, offline: bool, dns: DnsLimits = SYSTEM_DNS
) -> Attestation:
    """What the signatures of the mails prove, with the keyrings that git-config names to b4, or else to patatt.

    Name servers are those of `b4.attestation-dns-resolvers`, or the system's. Raises B4Error.
    """
    with temporary_folder() as folder:
        settings = {key: values for key, values in config.items() if key.startswith(_SECTIONS)}
        settings["b4.keyringsrc"] = tuple(_keyrings(repository, config))
        isolated = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": str(folder / "none")}
        job = {"job": "attest", "offline": offline, **dns._asdict(), "mails": [_text(mail) for mail in mails]}
        answer = _run(job, folder, {**isolated, **_config_environment(settings)})
    return Attestation(
        mails=tuple(_parse_mail(mail) for mail in answer["mails"]),
        is_off=answer["policy"] == "off",
        asks_dns=bool(answer["asks_dns"]),
    )


def read_prep_branch(repository: Repository, branch: str) -> list[bytes] | None:
    """The mails that `b4 send` would make of the branch, cover letter first; None where it is no `b4 prep` branch.

    `branch` is the full name of a ref. The base-commit, change-id and version are in the mails. Raises B4Error.
    """
    with temporary_folder() as folder:
        git_dir = folder / "git"
        git_dir.mkdir()
        # b4 reads the branch that HEAD names, so it gets a HEAD of its own on the user's objects and refs.
        (git_dir / "HEAD").write_bytes(b"ref: " + os.fsencode(branch) + b"\n")
        (git_dir / "commondir").write_bytes(os.fsencode(repository.common_dir.absolute()) + b"\n")
        job = {"job": "prep", "domain": _DOMAIN}
        answer = _run(job, folder, {"GIT_DIR": str(git_dir), **_config_environment(_PREP_CONFIG)})
    return None if answer["mails"] is None else [b64decode(mail) for mail in answer["mails"]]


def _keyrings(repository: Repository, config: Config) -> Iterator[str]:
    """Where keys are, as b4 reads the configuration; a repository that is not named is this one."""
    work_tree = repository.git_dir.parent if repository.git_dir.name == ".git" else repository.git_dir
    for source in config.get("b4.keyringsrc") or config.get("patatt.keyringsrc") or _KEYRINGS:
        kind, _, rest = source.partition(":")
        where, _, rest = rest.partition(":")
        ref, _, folder = rest.partition(":")
        # patatt finds neither a bare repository nor a linked work tree by itself, nor a branch where HEAD is detached.
        yield f"ref:{where or work_tree.absolute()}:{ref or 'HEAD'}:{folder}" if kind == "ref" else source


def _run(job: Mapping[str, object], folder: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """What the child process answers."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "seriestool.sources.b4_driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=_environment(folder, env),
        start_new_session=True,  # gpg and git end with it
    )
    try:
        out, said = process.communicate(json.dumps(job).encode("ascii"), _TIMEOUT)
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise B4Error(f"b4 took longer than {_TIMEOUT:g} seconds") from None
        raise
    if process.returncode:
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        raise B4Error(f"b4 ended early: {last[0][:200]}")
    answer: dict[str, Any] = json.loads(out)
    if "error" in answer:
        raise B4Error(f"b4: {answer['error'][:300]}")
    return answer


def _environment(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """git's clean environment; b4 and gpg make no folders in the user's home that are not there."""
    found = clean_environment(env)
    home = Path(found.get("HOME") or folder)
    for variable, default, name in _NO_USER_FILES:
        if not (Path(found.get(variable) or home / default) / name).is_dir():
            found[variable] = str(folder)
    return {**found, "XDG_CACHE_HOME": str(folder)}


def _config_environment(config: Config) -> dict[str, str]:
    pairs = [(key, value) for key, values in config.items() for value in values]
    env = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (key, value) in enumerate(pairs):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def _parse_mail(mail: Mapping[str, Any]) -> MailAttestation:
    if "error" in mail:
        return MailAttestation(error=str(mail["error"]))
    return MailAttestation(
        attestors=tuple(Attestor(**{**one, "errors": tuple(one["errors"])}) for one in mail["attestors"]),
        dkim_remarks=tuple(mail["dkim_remarks"]),
        is_trimmed=bool(mail["is_trimmed"]),
    )


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
