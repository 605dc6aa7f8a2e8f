# SPDX-License-Identifier: GPL-2.0-or-later
"""What the signatures of the mails prove: patatt's, which authors make, and DKIM's, which their mail servers make.

A signature that is not there says nothing, and one that does not hold is most often the work of a mailing list: this
check never says FAIL.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.errors import MessageError
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from seriestool.check.protocol import Check, CheckEnvironment, CheckSubject, Finding, Requirement, Scope, Status
from seriestool.git import GitError
from seriestool.series.mail import Mail
from seriestool.util.errors import OutsideError

if TYPE_CHECKING:
    from patatt import DevsigHeader

LookUp = Callable[[bytes, int], bytes | None]
"""(name, seconds to wait) -> the TXT record of that name in the DNS, or None; OutsideError where nobody answers."""

_SOURCE = "RFC 6376"
_PATATT = "https://git.kernel.org/pub/scm/utils/patatt/patatt.git"
_KEYRINGS = ("ref:::.keys", "ref:::.local-keys", "ref::refs/meta/keyring:")  # as in patatt
_MOST_SIGNATURES = 4  # of a mail
_MOST_LOOKED_UP = 20  # names in the DNS, for a series
_MOST_BYTES = 4 << 20
_FOOTER = re.compile(rb"\r?\n(?:_{20,}|-{20,})\r?\n")
_FOOTER_BYTES = 2000
_MOST_HEADERS = 50
_NATIVE = "ed25519"  # the one algorithm of patatt for which no program is started
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RuntimeError, AssertionError, OverflowError)
"""What the libraries raise on odd input, besides errors of their own."""


@dataclass(frozen=True, slots=True)
class SignatureResult:
    """What one signature of a mail comes to."""

    status: Status
    rule: str
    message: str


class _DkimProblem(StrEnum):
    """Why a DKIM signature does not hold."""

    BODY = "the body was changed on the way, as lists do that add a footer"
    HEADERS = "a header that it signs was changed on the way, as lists do to the subject"
    KEY = "its key is not there"
    FORM = "it is not formed as it should be"


@dataclass(frozen=True, slots=True)
class _DkimSignature:
    """A DKIM signature, looked at."""

    domain: str
    problem: _DkimProblem | None
    has_footer: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether it holds."""
        return self.problem is None


@dataclass(frozen=True, slots=True)
class _PatattSigner:
    """Who made a developer's signature, and how."""

    algorithm: str
    identity: str
    selector: str
    shown: str


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What the signatures of all mails come to, alike ones put together."""
    from seriestool.sources.lore import find_text_record

    return attest(subject, None if subject.environment.offline else find_text_record)


def attest(subject: CheckSubject, look_up: LookUp | None) -> Iterator[Finding]:
    """As `run`, with another way to the DNS; None where there is none."""
    series = subject.series
    mails = [(0, series.cover.raw)] if series.cover and series.cover.raw else []
    mails += [(patch.counter, patch.raw) for patch in series.patches if patch.raw]
    keys = _DkimKeys(look_up) if look_up else None
    by_saying: dict[SignatureResult, list[int]] = {}
    for counter, raw in mails:
        for said in dict.fromkeys(_examine(raw, keys, subject.environment)):
            by_saying.setdefault(said, []).append(counter)
    for said, counters in by_saying.items():
        yield _finding(said, counters, len(mails))


def _finding(said: SignatureResult, counters: Sequence[int], mails: int) -> Finding:
    source = _SOURCE if said.rule.startswith("dkim") else _PATATT
    if len(counters) == mails:
        return Finding(said.status, said.rule, said.message, source=source)
    if len(counters) == 1 and counters[0]:
        return Finding(said.status, said.rule, said.message, source=source, counter=counters[0])
    patches = ", ".join(str(counter) for counter in counters if counter)
    parts = ("the cover letter" if 0 in counters else "", f"patches {patches}" if patches else "")
    named = " and ".join(filter(None, parts))
    return Finding(said.status, said.rule, f"{said.message} ({named[:200]})", source=source)


def _examine(raw: bytes, keys: "_DkimKeys | None", environment: CheckEnvironment) -> Iterator[SignatureResult]:
    if len(raw) > _MOST_BYTES:
        yield SignatureResult(Status.SKIP, "too-large", f"the mail has more than {_MOST_BYTES >> 20} MiB")
        return
    mail = Mail(raw)
    signed = mail.headers("x-developer-signature")
    sealed = mail.headers("dkim-signature")
    if not signed and not sealed:
        yield SignatureResult(
            Status.PASS, "unsigned", "it has no signature, neither of its author nor of a mail server"
        )
    if signed:
        yield from _check_developer(raw, mail, environment)
    if sealed:
        yield from _check_domains(raw, mail, len(sealed), keys)


# patatt: the text of the mail as `git am` takes it, author and subject.


def _check_developer(raw: bytes, mail: Mail, environment: CheckEnvironment) -> Iterator[SignatureResult]:
    from patatt import DevsigHeader

    body = about = None
    for value in mail.headers("x-developer-signature")[:_MOST_SIGNATURES]:
        try:
            if body is None or about is None:
                about, body = _canonical(raw, environment)
            signature = DevsigHeader(value)
            yield _check_signature(
                signature=signature,
                signer=_signer(signature, mail),
                mail=mail,
                about=about,
                body=body,
                environment=environment,
            )
        except (*_UNREADABLE, GitError, MessageError):
            yield SignatureResult(
                Status.WARN, "patatt-malformed", f"the developer's signature of {mail.sender} cannot be read"
            )


def _signer(signature: "DevsigHeader", mail: Mail) -> _PatattSigner:
    identity = signature.get_field_as_str("i") or mail.sender
    return _PatattSigner(
        (signature.get_field_as_str("a") or "").partition("-")[0],
        identity,
        signature.get_field_as_str("s") or "default",
        identity if identity.lower() == mail.sender else f"{identity} (the mail is from {mail.sender})",
    )


def _check_signature(
    signature: "DevsigHeader",
    signer: _PatattSigner,
    mail: Mail,
    about: Mapping[bytes, bytes],
    body: bytes,
    environment: CheckEnvironment,
) -> SignatureResult:
    from patatt import ValidationError

    signed = _find_signed(signature, body)
    if signed is None:
        return SignatureResult(
            Status.WARN, "patatt-bad", f"its text or diff is not what {signer.shown} signed: it was changed since"
        )
    if signer.algorithm != _NATIVE:
        # gpg and ssh-keygen are programs: nothing but the digest of the text can be looked at here.
        text = f"text and diff are as signed by {signer.shown}; the {signer.algorithm} signature itself was not checked"
        return SignatureResult(Status.SKIP, "patatt", text)
    key = _find_key(signer, environment)
    if key is None:
        return SignatureResult(
            Status.PASS, "patatt-no-key", f"signed by {signer.shown}, whose key is in none of the keyrings"
        )
    try:
        signature.set_headers(_signed_headers(signature, mail, about), mode="validate")
        signature.set_body(signed)
        signature.validate(key)
    except ValidationError:
        text = f"its author or subject is not what {signer.shown} signed, or the key is another one"
        return SignatureResult(Status.WARN, "patatt-bad", text)
    more = "" if len(signed) == len(body) else ", but for what was added below"
    return SignatureResult(Status.PASS, "patatt-valid", f"signed by {signer.shown}{more}")


def _canonical(raw: bytes, environment: CheckEnvironment) -> tuple[dict[bytes, bytes], bytes]:
    """What patatt signs: what git makes of author and subject, and of all below them, with CRLF."""
    about, message, patch = environment.scratch_repo.mailinfo(raw)
    lines = (message + patch).rstrip(b"\r\n").split(b"\n")
    fields = (line.partition(b":") for line in about.split(b"\n"))
    body = b"".join(line.rstrip(b"\r\n") + b"\r\n" for line in lines)
    return {name.lower(): value.strip() for name, _, value in fields}, body


def _find_signed(signature: "DevsigHeader", body: bytes) -> bytes | None:
    """The text that was signed: all, or all but what was added below; None where it is neither."""
    length = signature.get_field_as_str("l") or ""
    cut = body[: int(length)] if length.isdecimal() and len(length) < 10 else body
    wanted = signature.get_field_as_bytes("bh")
    return next((some for some in (body, cut) if b64encode(sha256(some).digest()) == wanted), None)


def _signed_headers(signature: "DevsigHeader", mail: Mail, about: Mapping[bytes, bytes]) -> list[bytes]:
    names = (signature.get_field_as_str("h") or "").lower().split(":")[:_MOST_HEADERS]
    author = b"%s <%s>" % (about.get(b"author", b""), about.get(b"email", b""))
    own = {"from": [author], "subject": [about.get(b"subject", b"")]}
    found = ((name, value) for name in dict.fromkeys(names) for value in own.get(name, mail.headers(name)))
    return [name.encode() + b": " + value for name, value in found]


def _find_key(signer: _PatattSigner, environment: CheckEnvironment) -> bytes | None:
    """The signer's public key, from the keyrings that patatt's configuration names, or from those in the repository."""
    from patatt import make_byhash_path, make_pkey_path

    if "@" not in signer.identity:
        return None  # keyrings have addresses
    names = [make(signer.algorithm, signer.identity, signer.selector) for make in (make_pkey_path, make_byhash_path)]
    sources = environment.config.get("patatt.keyringsrc") or _KEYRINGS
    found = (_read_key(source, name, environment) for source in sources for name in names)
    return next((key.strip() for key in found if key), None)


def _read_key(source: str, name: Path, environment: CheckEnvironment) -> bytes | None:
    if source.startswith("ref:"):
        _, repository, ref, folder, *_ = [*source.split(":", 3), "", "", ""]
        if repository:
            return None  # the keyring of another repository
        found = environment.repository.objects.read(f"{ref or 'HEAD'}:{Path(folder) / name}")
        return found[2] if found and found[1] == "blob" else None
    try:
        file = Path(source).expanduser() / name
        return file.read_bytes() if file.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None


# DKIM: the whole mail, as the server of a domain sent it.


class _DkimKeys:
    """The keys of domains, each asked for once."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._found: dict[bytes, bytes | None] = {}
        self.is_missing = False
        """Whether the last one asked for was not there."""
        self.is_closed = False
        """Whether not all could be asked for: nobody answers, or they are too many."""

    def __call__(self, name: bytes, timeout: int = 5) -> bytes | None:
        if name not in self._found and not self.is_closed:
            try:
                self._found[name] = self._look_up(name, timeout)
            except OutsideError:
                self.is_closed = True  # it would take as long for each of the others
            self.is_closed |= len(self._found) >= _MOST_LOOKED_UP
        key = self._found.get(name)
        self.is_missing = not key
        return key


def _check_domains(raw: bytes, mail: Mail, count: int, keys: _DkimKeys | None) -> Iterator[SignatureResult]:
    if keys is None:
        yield SignatureResult(Status.SKIP, "dkim", "the keys of DKIM are in the DNS, which was not to be asked")
        return
    home = mail.sender.rpartition("@")[2]
    seals = [_verify(raw, number, keys) for number in range(min(count, _MOST_SIGNATURES))]
    valid = sorted((seal for seal in seals if seal.is_valid), key=lambda seal: not _is_within(home, seal.domain))
    if valid:
        yield _say_valid(valid[0], home)
    elif keys.is_closed and any(seal.problem is _DkimProblem.KEY for seal in seals):
        yield SignatureResult(Status.SKIP, "dkim", "the keys of DKIM are in the DNS, which has not answered")
    elif all(seal.problem is _DkimProblem.KEY for seal in seals):
        domains = ", ".join(dict.fromkeys(seal.domain for seal in seals))
        yield SignatureResult(Status.SKIP, "dkim-no-key", f"DKIM: no key of {domains} was found in the DNS")
    else:
        seal = next(seal for seal in seals if seal.problem is not _DkimProblem.KEY)
        yield SignatureResult(
            Status.WARN, "dkim-bad", f"DKIM of {seal.domain or 'its domain'} does not hold: {seal.problem}"
        )


def _say_valid(seal: _DkimSignature, home: str) -> SignatureResult:
    footer = ", but for the footer that a list added" if seal.has_footer else ""
    foreign = "" if _is_within(home, seal.domain) else f", which is not where its author is ({home})"
    return SignatureResult(Status.PASS, "dkim-valid", f"DKIM: sent by {seal.domain}{foreign}{footer}")


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}") or (domain.endswith(f".{host}") and "." in host)


def _verify(raw: bytes, number: int, keys: _DkimKeys) -> _DkimSignature:
    seal = _verify_as_is(raw, number, keys)
    footer = _FOOTER.search(raw, max(len(raw) - _FOOTER_BYTES, 0)) if seal.problem is _DkimProblem.BODY else None
    if footer is None:
        return seal
    without = _verify_as_is(raw[: footer.start()] + b"\n", number, keys)
    return replace(without, has_footer=True) if without.is_valid else seal


def _verify_as_is(raw: bytes, number: int, keys: _DkimKeys) -> _DkimSignature:
    import dkim

    keys.is_missing = False
    try:
        message = dkim.DKIM(raw)
        is_valid = message.verify(number, dnsfunc=keys)
        domain = (message.domain or b"").decode("ascii", "replace").lower()
    except dkim.ValidationError as error:
        is_body = str(error).startswith("body hash mismatch")
        domain = (message.domain or b"").decode("ascii", "replace").lower()
        return _DkimSignature(domain, _DkimProblem.BODY if is_body else _DkimProblem.FORM)
    except (dkim.DKIMException, *_UNREADABLE):
        return _DkimSignature("", _DkimProblem.FORM)
    return _DkimSignature(domain, None if is_valid else _DkimProblem.KEY if keys.is_missing else _DkimProblem.HEADERS)


CHECK = Check(
    name="attestation",
    summary="what the signatures of the mails prove (patatt, DKIM)",
    scope=Scope.SERIES,
    run=run,
    needs=frozenset({Requirement.MAILED}),
    is_lasting=False,
)
