# SPDX-License-Identifier: GPL-2.0-or-later
"""attestation: signatures made with keys of the test, mails changed on the way as lists change them."""

import base64
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import dkim
import dns.message
import dns.rrset
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nacl.signing import SigningKey
from patatt import PatattMessage, make_byhash_path, make_pkey_path

from seriestool.check.protocol import CheckSubject, Finding, Status
from seriestool.check.rules.attestation import CHECK, attest_series
from seriestool.sources.b4 import DnsLimits
from tests.support.repos import FIRST_DATE, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, open_subject, rules_of

KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(range(1, 33)))
FOOTER = b"\n_______________________________________________\nA list mailing list\nA@lists.example.com\n"


@pytest.fixture
def base(repo: Repo) -> Repo:
    repo.commit({"a": "1\n", ".keys/x": "1\n"}, "start")
    return repo


def mail(repo: Repo) -> bytes:
    return mail_series(repo, (f"a: count on\n\nIt does.\n\n{SIGNED}\n", {"a": "1\n2\n"})).partition(b"\n")[2]


def secret(key: SigningKey) -> str:
    return base64.b64encode(key.encode()).decode()


def public(key: SigningKey) -> bytes:
    return base64.b64encode(key.verify_key.encode())


def signed(raw: bytes, key: SigningKey = KEY, who: str = "author@example.com", signed_at: int = FIRST_DATE) -> bytes:
    message = PatattMessage(raw)
    with patch("patatt.time.time", return_value=signed_at):
        message.sign("ed25519", secret(key), who, "default")
    return message.as_bytes()


def with_key(repo: Repo, make: Callable[[str, str, str], Path] = make_pkey_path) -> Repo:
    name = make("ed25519", "author@example.com", "default")
    repo.commit({f".keys/{name}": public(KEY) + b"\n"}, "the key")
    return repo


def patatt(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(rule, status) for rule, status in rules_of(findings) if rule.startswith("patatt")]


def test_unsigned_is_a_note(base: Repo) -> None:
    assert rules_of(ask_check(CHECK, base, mail(base))) == [("unsigned", "pass")]


def test_valid(base: Repo) -> None:
    found = only_finding(ask_check(CHECK, with_key(base), signed(mail(base))), "patatt-valid")
    assert (found.status, found.message) == (Status.PASS, "signed by author@example.com")


def test_key_filed_by_its_hash(base: Repo) -> None:
    assert patatt(ask_check(CHECK, with_key(base, make_byhash_path), signed(mail(base)))) == [("patatt-valid", "pass")]


def test_key_in_a_folder_that_is_configured(base: Repo, tmp_path: Path) -> None:
    file = tmp_path / "keys" / make_pkey_path("ed25519", "author@example.com", "default")
    file.parent.mkdir(parents=True)
    file.write_bytes(public(KEY))
    config = {"patatt.keyringsrc": (str(tmp_path / "keys"),)}
    assert patatt(ask_check(CHECK, base, signed(mail(base)), config=config)) == [("patatt-valid", "pass")]


def test_key_is_in_no_keyring(base: Repo) -> None:
    assert patatt(ask_check(CHECK, base, signed(mail(base)))) == [("patatt-no-key", "pass")]


def test_diff_was_changed(base: Repo) -> None:
    raw = signed(mail(base)).replace(b"\n+2\n", b"\n+3\n")
    assert patatt(ask_check(CHECK, with_key(base), raw)) == [("patatt-bad", "warn")]


def test_subject_was_changed(base: Repo) -> None:
    raw = signed(mail(base)).replace(b"a: count on", b"a: count off")
    assert patatt(ask_check(CHECK, with_key(base), raw)) == [("patatt-bad", "warn")]


def test_somebody_elses_key(base: Repo) -> None:
    assert patatt(ask_check(CHECK, with_key(base), signed(mail(base), OTHER))) == [("patatt-bad", "warn")]


def test_footer_below_what_was_signed(base: Repo) -> None:
    found = only_finding(ask_check(CHECK, with_key(base), signed(mail(base)) + FOOTER), "patatt-valid")
    assert found.message == "signed by author@example.com, but for what was added below"


def test_signed_by_another_than_the_sender(base: Repo) -> None:
    raw = signed(mail(base), who="bot@example.com")
    found = only_finding(ask_check(CHECK, base, raw), "patatt-no-key")
    assert "bot@example.com (the mail is from author@example.com)" in found.message


@pytest.fixture
def openpgp_key(sealed: Path) -> bytes:
    """A key in the signer's own keyring, which is the sealed home's."""
    home = sealed / "signer"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--batch", "--quiet", "--homedir", str(home))
    subprocess.run([*gpg, "--passphrase", "", "--quick-gen-key", "author@example.com"], check=True)
    return subprocess.run([*gpg, "--export", "author@example.com"], check=True, capture_output=True).stdout


@pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
def test_openpgp(base: Repo, openpgp_key: bytes, sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as signer:
        signer.setenv("GNUPGHOME", str(sealed / "signer"))
        message = PatattMessage(mail(base))
        with patch("patatt.time.time", return_value=FIRST_DATE):
            message.sign("openpgp", "author@example.com", "author@example.com", "default")
        raw = message.as_bytes()
    config = {"b4.attestation-staleness-days": ("0",)}  # gpg has the time of the machine
    assert patatt(ask_check(CHECK, base, raw, config=config)) == [("patatt-no-key", "pass")]
    name = make_pkey_path("openpgp", "author@example.com", "default")
    base.commit({f".keys/{name}": openpgp_key}, "the key")
    assert patatt(ask_check(CHECK, base, raw, config=config)) == [("patatt-valid", "pass")]
    changed = raw.replace(b"\n+2\n", b"\n+3\n")
    assert patatt(ask_check(CHECK, base, changed, config=config)) == [("patatt-bad", "warn")]
    assert not (sealed / ".gnupg").exists()


@pytest.mark.parametrize(
    "value",
    [
        "", "v=1; a=ed25519-sha256; h=from:subject; bh=; b=", "\xff=\xff; a=\xfe", "=?utf-8?q?=FF?=",
        ";;;=;b=b=b=", "l=9999999999",
    ],
)  # fmt: skip
def test_odd_signatures_do_not_stop_it(base: Repo, value: str) -> None:
    raw = b"X-Developer-Signature: " + value.encode("latin-1") + b"\nDKIM-Signature: " + value.encode("latin-1") + b"\n"
    found = with_dns(base, raw + mail(base), no_key)
    assert all(one.status is not Status.FAIL for one in found)


def test_signed_in_a_name_that_is_no_address(base: Repo) -> None:
    assert patatt(ask_check(CHECK, base, signed(mail(base), who="nobody"))) == [("patatt-malformed", "warn")]


@pytest.mark.parametrize("key", ["b4.keyringsrc", "patatt.keyringsrc"])
def test_key_in_another_repository_and_ref(base: Repo, make_repo: Callable[..., Repo], key: str) -> None:
    other = make_repo("other", bare=True)
    name = make_pkey_path("ed25519", "author@example.com", "default")
    other.commit({f"ring/{name}": public(KEY) + b"\n"}, branch="keys")
    config = {key: (f"ref:{other.path}:refs/heads/keys:ring",)}
    assert patatt(ask_check(CHECK, base, signed(mail(base)), config=config)) == [("patatt-valid", "pass")]


def test_b4s_keyrings_come_before_those_of_patatt(base: Repo, tmp_path: Path) -> None:
    file = tmp_path / "keys" / make_pkey_path("ed25519", "author@example.com", "default")
    file.parent.mkdir(parents=True)
    file.write_bytes(public(KEY))
    config = {"b4.keyringsrc": (str(tmp_path / "keys"),), "patatt.keyringsrc": ("/nowhere",)}
    assert patatt(ask_check(CHECK, base, signed(mail(base)), config=config)) == [("patatt-valid", "pass")]


def test_key_in_a_bare_repository(make_repo: Callable[..., Repo]) -> None:
    repo = with_key(make_repo("bare", bare=True))
    repo.commit({"a": "1\n"}, "start")
    assert patatt(ask_check(CHECK, repo, signed(mail(repo)))) == [("patatt-valid", "pass")]


def test_attestation_is_off(base: Repo) -> None:
    found = ask_check(CHECK, base, signed(mail(base)), config={"b4.attestation-policy": ("off",)})
    assert rules_of(found) == [("off", "skip")]


def test_signed_long_after_its_date(base: Repo) -> None:
    raw = signed(mail(base), signed_at=FIRST_DATE + 5 * 86400)
    with_key(base)
    assert patatt(ask_check(CHECK, base, raw)) == [("patatt-valid", "pass")]
    config = {"b4.attestation-staleness-days": ("3",)}
    assert patatt(ask_check(CHECK, base, raw, config=config)) == [("patatt-stale", "warn")]


# DKIM


def sealed(raw: bytes, domain: str = "example.com") -> bytes:
    seal = dkim.sign(
        raw, b"s1", domain.encode(), secret(KEY).encode(), canonicalize=(b"relaxed", b"relaxed"),
        signature_algorithm=b"ed25519-sha256", include_headers=[b"from", b"subject", b"date", b"message-id"],
    )  # fmt: skip
    return bytes(seal).replace(b"\r\n", b"\n") + raw


LookUp = Callable[[bytes], bytes | None]


def has_key(name: bytes) -> bytes | None:
    return b"v=DKIM1; k=ed25519; p=" + public(KEY) if name.startswith(b"s1._domainkey.") else None


def no_key(name: bytes) -> bytes | None:
    return None


@contextmanager
def name_server(look_up: LookUp) -> Iterator[int]:
    """The port on loopback of a name server that has these TXT records; OSError in place of a record: no answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        server = threading.Thread(target=_answer, args=(listening, look_up))
        server.start()
        yield listening.getsockname()[1]
        listening.sendto(b"", listening.getsockname())
        server.join()


def _answer(listening: socket.socket, look_up: LookUp) -> None:
    while (asked := listening.recvfrom(4096))[0]:
        question = dns.message.from_wire(asked[0])
        answer = dns.message.make_response(question)
        name = question.question[0].name
        try:
            record = look_up(name.to_text().encode())
        except OSError:
            continue
        if record is None:
            answer.set_rcode(3)
        else:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", f'"{record.decode()}"'))
        listening.sendto(answer.to_wire(), asked[1])


def online(subject: CheckSubject) -> CheckSubject:
    config = {**subject.environment.config, "b4.attestation-dns-resolvers": ("127.0.0.1",)}
    return replace(subject, environment=replace(subject.environment, offline=False, config=config))


def with_dns(repo: Repo, raw: bytes, look_up: LookUp, seconds: float = 5.0) -> tuple[Finding, ...]:
    with name_server(look_up) as port, open_subject(repo, raw) as subject:
        return tuple(attest_series(online(subject), DnsLimits(port, seconds)))


def test_dkim_offline_is_a_skip(base: Repo) -> None:
    assert rules_of(ask_check(CHECK, base, sealed(mail(base)))) == [("dkim", "skip")]


def test_dkim_of_the_author(base: Repo) -> None:
    found = with_dns(base, sealed(mail(base)), has_key)
    assert [(one.rule, one.message) for one in found] == [("dkim-valid", "DKIM: sent by example.com")]


def test_dkim_of_another_domain(base: Repo) -> None:
    found = only_finding(with_dns(base, sealed(mail(base), "mailer.example"), has_key), "dkim-valid")
    assert found.message == "DKIM: sent by mailer.example, which is not where its author is (example.com)"


def test_dkim_key_is_gone(base: Repo) -> None:
    assert rules_of(with_dns(base, sealed(mail(base)), no_key)) == [("dkim-no-key", "skip")]


def test_dkim_of_a_body_with_a_footer(base: Repo) -> None:
    found = with_dns(base, sealed(mail(base)).rstrip(b"\n") + b"\n" + FOOTER, has_key)
    assert rules_of(found) == [("dkim-bad", "warn")]
    assert "as lists do that add a footer" in found[0].message


def test_dkim_of_a_body_that_was_changed(base: Repo) -> None:
    found = with_dns(base, sealed(mail(base)).replace(b"It does.", b"It did."), has_key)
    assert rules_of(found) == [("dkim-bad", "warn")]
    assert "the body was changed on the way" in found[0].message


def test_dkim_of_a_subject_that_was_changed(base: Repo) -> None:
    found = with_dns(base, sealed(mail(base)).replace(b"[PATCH] a:", b"[list] [PATCH] a:"), has_key)
    assert rules_of(found) == [("dkim-bad", "warn")]
    assert "a header that it signs" in found[0].message


def test_two_dkim_signatures_of_which_one_holds(base: Repo) -> None:
    raw = sealed(sealed(mail(base)).replace(b"bh=", b"bh=x", 1), "mailer.example")
    assert rules_of(with_dns(base, raw, has_key)) == [("dkim-valid", "pass")]


def test_names_are_asked_for_once_and_not_without_end(base: Repo) -> None:
    asked: list[bytes] = []

    def count(name: bytes) -> bytes | None:
        asked.append(name)
        return None

    patches = [(f"a: {n}\n\n{SIGNED}\n", {f"n{n}": "1\n"}) for n in range(30)]
    mails = [b"From " + one for one in mail_series(base, *patches)[5:].split(b"\n\n\nFrom ")]
    raw = b"".join(
        one.replace(
            b"\n", b"\n" + sealed(one.partition(b"\n")[2], f"d{n}.example").partition(b"\nMessage-Id")[0] + b"\n", 1
        )
        + b"\n\n"
        for n, one in enumerate(mails)
    )
    with_dns(base, raw, count)
    assert len(asked) == len(set(asked)) == 20


def test_alike_answers_are_one_finding(base: Repo) -> None:
    raw = mail_series(base, ("a: b", {"a": "2\n"}), ("a: c", {"a": "3\n"}), options=("--cover-letter",))
    assert len(ask_check(CHECK, base, raw)) == 1


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=5, deadline=None)
def test_no_header_is_a_traceback(opened: CheckSubject, signature: bytes, seal: bytes) -> None:
    raw = opened.series.patches[0].raw
    names = (b"X-Developer-Signature: v=1; a=ed25519-sha256; h=from:subject;", b"DKIM-Signature: v=1; a=rsa-sha256;")
    lines = [name + value.replace(b"\n", b"") for name, value in zip(names, (signature, seal), strict=True)]
    patch = replace(opened.series.patches[0], raw=b"\n".join([*lines, raw]))
    odd = replace(opened, series=replace(opened.series, patches=(patch,)))
    found = attest_series(online(odd), DnsLimits(9, 0.1))
    assert all(one.status is not Status.FAIL for one in found)


@pytest.fixture
def opened(base: Repo) -> Iterator[CheckSubject]:
    with open_subject(base, mail(base)) as subject:
        yield subject


def test_no_name_server_answers(base: Repo) -> None:
    """It is not asked again, as each time takes seconds; and what was not answered is not missing."""
    asked: set[bytes] = set()

    def silence(name: bytes) -> bytes | None:
        asked.add(name)
        raise OSError

    raw = sealed(sealed(mail(base)), "other.example")
    assert rules_of(with_dns(base, raw, silence, 0.3)) == [("dkim", "skip")]
    assert len(asked) == 1


def test_dkim_is_not_to_be_looked_at(base: Repo) -> None:
    with open_subject(base, sealed(mail(base)), config={"b4.attestation-check-dkim": ("no",)}) as subject:
        assert rules_of(attest_series(online(subject), DnsLimits(1, 0.1))) == [("dkim", "skip")]


def test_offline_nobody_is_asked(base: Repo) -> None:
    asked: list[bytes] = []
    with name_server(asked.append) as port, open_subject(base, sealed(mail(base))) as subject:
        environment = replace(online(subject).environment, offline=True)
        found = tuple(attest_series(replace(subject, environment=environment), DnsLimits(port, 0.3)))
    assert (rules_of(found), asked) == ([("dkim", "skip")], [])
