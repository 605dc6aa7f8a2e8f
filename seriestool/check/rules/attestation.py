# SPDX-License-Identifier: GPL-2.0-or-later
"""What the signatures of the mails prove, as b4 sees them: patatt's, made by authors, and DKIM's, by mail servers.

A signature that is not there says nothing, and one that does not hold is most often the work of a mailing list: this
check never says FAIL.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, Status
from seriestool.series.mail import Mail

if TYPE_CHECKING:
    from seriestool.sources.b4 import Attestation, Attestor, DnsLimits, MailAttestation

_SOURCE = "RFC 6376"
_PATATT = "https://git.kernel.org/pub/scm/utils/patatt/patatt.git"
_MOST_BYTES = 4 << 20


class SignatureResult(NamedTuple):
    """What one signature of a mail comes to."""

    status: Status
    rule: str
    message: str


_TOO_LARGE = SignatureResult(Status.SKIP, "too-large", f"the mail has more than {_MOST_BYTES >> 20} MiB")
_UNSIGNED = SignatureResult(Status.PASS, "unsigned", "it has no signature, neither of its author nor of a mail server")
_NOT_ASKED = SignatureResult(Status.SKIP, "dkim", "the keys of DKIM are in the DNS, which was not to be asked")
_NO_ANSWER = SignatureResult(Status.SKIP, "dkim", "the keys of DKIM are in the DNS, which has not answered")
_OFF = SignatureResult(Status.SKIP, "off", "not looked at: git-config says b4.attestation-policy = off")


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What the signatures of all mails come to, alike ones put together."""
    from seriestool.sources.b4 import SYSTEM_DNS

    return attest_series(subject, SYSTEM_DNS)


def attest_series(subject: CheckSubject, dns: "DnsLimits") -> Iterator[Finding]:
    """As `run`, with other limits of the DNS."""
    series = subject.series
    mails = [(0, series.cover.raw)] if series.cover and series.cover.raw else []
    mails += [(patch.counter, patch.raw) for patch in series.patches if patch.raw]
    by_result: dict[SignatureResult, list[int]] = {}
    for counter, result in _examine(mails, subject, dns):
        by_result.setdefault(result, []).append(counter)
    for result, counters in by_result.items():
        yield _finding(result, list(dict.fromkeys(counters)), len(mails))


def _finding(result: SignatureResult, counters: Sequence[int], mails: int) -> Finding:
    source = _SOURCE if result.rule.startswith("dkim") else _PATATT
    if len(counters) == mails:
        return Finding(result.status, result.rule, result.message, source=source)
    if len(counters) == 1 and counters[0]:
        return Finding(result.status, result.rule, result.message, source=source, counter=counters[0])
    patches = ", ".join(str(counter) for counter in counters if counter)
    parts = ("the cover letter" if 0 in counters else "", f"patches {patches}" if patches else "")
    named = " and ".join(filter(None, parts))
    return Finding(result.status, result.rule, f"{result.message} ({named[:200]})", source=source)


def _examine(
    mails: Sequence[tuple[int, bytes]], subject: CheckSubject, dns: "DnsLimits"
) -> Iterator[tuple[int, SignatureResult]]:
    """(counter, what its signatures come to) of each mail; b4 is asked about those that have one."""
    signed: list[tuple[int, Mail]] = []
    for counter, raw in mails:
        if len(raw) > _MOST_BYTES:
            yield counter, _TOO_LARGE
            continue
        mail = Mail(raw)
        if mail.headers("x-developer-signature") or mail.headers("dkim-signature"):
            signed.append((counter, mail))
        else:
            yield counter, _UNSIGNED
    if not signed:
        return
    from seriestool.sources.b4 import attest

    environment = subject.environment
    found = attest(
        [mail.raw for _, mail in signed],
        environment.repository,
        environment.config,
        offline=environment.offline,
        dns=dns,
    )
    for (counter, mail), attested in zip(signed, found.mails, strict=True):
        for result in _say(mail, attested, found):
            yield counter, result


def _say(mail: Mail, attested: "MailAttestation", found: "Attestation") -> Iterator[SignatureResult]:
    if found.is_off:
        yield _OFF
        return
    if attested.error is not None:
        yield SignatureResult(
            Status.WARN, "patatt-malformed", f"a signature of the mail of {mail.sender} cannot be read"
        )
        return
    for attestor in attested.attestors:
        if attestor.kind != "DKIM":
            yield _say_developer(attestor, mail, attested.is_trimmed)
    if mail.headers("dkim-signature"):
        yield _say_domain(mail, attested) if found.asks_dns else _NOT_ASKED


def _say_developer(attestor: "Attestor", mail: Mail, is_trimmed: bool) -> SignatureResult:
    who = attestor.identity or mail.sender
    shown = who if who.lower() == mail.sender else f"{who} (the mail is from {mail.sender})"
    if attestor.is_stale:
        text = f"signed by {shown}, longer after the mail's date than b4.attestation-staleness-days allows"
        return SignatureResult(Status.WARN, "patatt-stale", text)
    if attestor.is_valid:
        more = ", but for what was added below" if is_trimmed else ""
        return SignatureResult(Status.PASS, "patatt-valid", f"signed by {shown}{more}")
    if attestor.has_key:
        text = f"author, subject, text or diff is not what {shown} signed, or the key is another one"
        return SignatureResult(Status.WARN, "patatt-bad", text)
    if attestor.algorithm is None:
        return SignatureResult(
            Status.WARN, "patatt-malformed", f"a signature of the mail of {mail.sender} cannot be read"
        )
    return SignatureResult(
        Status.PASS, "patatt-no-key", f"a signature that names {shown}, whose key is in none of the keyrings"
    )


def _malformed(mail: Mail) -> SignatureResult:
    return SignatureResult(Status.WARN, "patatt-malformed", f"a signature of the mail of {mail.sender} cannot be read")


def _say_domain(mail: Mail, attested: "MailAttestation") -> SignatureResult:
    seals = [attestor for attestor in attested.attestors if attestor.kind == "DKIM"]
    valid = sorted((seal for seal in seals if seal.is_valid), key=lambda seal: not seal.is_sender)
    if valid:
        home = mail.sender.rpartition("@")[2]
        foreign = "" if valid[0].is_sender else f", which is not where its author is ({home})"
        return SignatureResult(Status.PASS, "dkim-valid", f"DKIM: sent by {valid[0].identity}{foreign}")
    remarks = " ".join([*attested.dkim_remarks, *(error for seal in seals for error in seal.errors)])
    domains = ", ".join(dict.fromkeys(seal.identity for seal in seals if seal.identity)) or "its domain"
    if "DnsTimeoutError" in remarks:
        return _NO_ANSWER
    if "body hash mismatch" in remarks:
        why = "the body was changed on the way, as lists do that add a footer"
    elif "missing public key" in remarks:
        return SignatureResult(Status.SKIP, "dkim-no-key", f"DKIM: no key of {domains} was found in the DNS")
    elif remarks:
        why = "it is not formed as it should be"
    else:
        why = "a header that it signs was changed on the way, as lists do to the subject"
    return SignatureResult(Status.WARN, "dkim-bad", f"DKIM of {domains} does not hold: {why}")


CHECK = Check(
    name="attestation",
    summary="what the signatures of the mails prove (patatt, DKIM)",
    scope=Scope.SERIES,
    run=run,
    needs=frozenset({Requirement.MAILED}),
    is_lasting=False,
)
