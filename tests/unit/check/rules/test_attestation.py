# SPDX-License-Identifier: GPL-2.0-or-later
"""attestation: signatures made with keys of the test, mails changed on the way as lists change them."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dkim
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey
from patatt import PatattMessage, make_byhash_path, make_pkey_path

from seriestool.check.protocol import CheckSubject, Finding, Status
from seriestool.check.rules.attestation import CHECK, LookUp, attest
from seriestool.util.errors import OutsideError
from tests.support.repos import Repo
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


def signed(raw: bytes, key: SigningKey = KEY, who: str = "author@example.com") -> bytes:
    message = PatattMessage(raw)
    message.sign("ed25519", secret(key), who, "default")
    return message.as_bytes()


def with_key(repo: Repo, make: Callable[[str, str, str], Path] = make_pkey_path) -> Repo:
    name = make("ed25519", "author@example.com", "default")
    repo.commit({f".keys/{name}": public(KEY)}, "the key")
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


def test_diff_was_changed_and_there_is_no_key(base: Repo) -> None:
    raw = signed(mail(base)).replace(b"\n+2\n", b"\n+3\n")
    assert patatt(ask_check(CHECK, base, raw)) == [("patatt-bad", "warn")]


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


def test_openpgp_is_a_skip(base: Repo) -> None:
    raw = signed(mail(base)).replace(b"a=ed25519-sha256", b"a=openpgp-sha256")
    found = only_finding(ask_check(CHECK, base, raw), "patatt")
    assert (found.status, "openpgp" in found.message) == (Status.SKIP, True)


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
    assert patatt(ask_check(CHECK, base, signed(mail(base), who="nobody"))) == [("patatt-no-key", "pass")]


# DKIM


def sealed(raw: bytes, domain: str = "example.com") -> bytes:
    seal = dkim.sign(
        raw, b"s1", domain.encode(), secret(KEY).encode(), canonicalize=(b"relaxed", b"relaxed"),
        signature_algorithm=b"ed25519-sha256", include_headers=[b"from", b"subject", b"date", b"message-id"],
    )  # fmt: skip
    return bytes(seal).replace(b"\r\n", b"\n") + raw


def has_key(name: bytes, timeout: int) -> bytes | None:
    return b"v=DKIM1; k=ed25519; p=" + public(KEY) if name.startswith(b"s1._domainkey.") else None


def no_key(name: bytes, timeout: int) -> bytes | None:
    return None


def with_dns(repo: Repo, raw: bytes, look_up: LookUp) -> tuple[Finding, ...]:
    with open_subject(repo, raw) as subject:
        return tuple(attest(subject, look_up))


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
    assert rules_of(found) == [("dkim-valid", "pass")]
    assert found[0].message.endswith("but for the footer that a list added")


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

    def count(name: bytes, timeout: int) -> bytes | None:
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
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_no_header_is_a_traceback(opened: CheckSubject, signature: bytes, seal: bytes) -> None:
    raw = opened.series.patches[0].raw
    names = (b"X-Developer-Signature: v=1; a=ed25519-sha256; h=from:subject;", b"DKIM-Signature: v=1; a=rsa-sha256;")
    lines = [name + value.replace(b"\n", b"") for name, value in zip(names, (signature, seal), strict=True)]
    patch = replace(opened.series.patches[0], raw=b"\n".join([*lines, raw]))
    odd = replace(opened, series=replace(opened.series, patches=(patch,)))
    assert all(one.status is not Status.FAIL for one in attest(odd, has_key))


@pytest.fixture
def opened(base: Repo) -> Iterator[CheckSubject]:
    with open_subject(base, mail(base)) as subject:
        yield subject


def test_no_name_server_answers(base: Repo) -> None:
    """It is asked once, as each time takes seconds; and what was not answered is not missing."""
    asked: list[bytes] = []

    def silence(name: bytes, timeout: int) -> bytes | None:
        asked.append(name)
        raise OutsideError("no name server has an answer")

    raw = sealed(sealed(mail(base)), "other.example")
    assert rules_of(with_dns(base, raw, silence)) == [("dkim", "skip")]
    assert len(asked) == 1
