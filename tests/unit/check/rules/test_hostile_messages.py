# SPDX-License-Identifier: GPL-2.0-or-later
"""Commit messages that want to break or to stop the checks that read them."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from seriestool.check.protocol import Check, CheckSubject
from seriestool.check.rules import commit_refs, fixes_tag, sign_off, trailers
from tests.support.kernels import FOO_CONTENT, FOO_FILE, FooKernel, make_foo_kernel
from tests.support.repos import Repo
from tests.support.series import AUTHOR, SIGNED, mail_series
from tests.support.session import ask_check, open_subject

CHECKS = (fixes_tag.CHECK, sign_off.CHECK, trailers.CHECK, commit_refs.CHECK)
SENT = {FOO_FILE: FOO_CONTENT + "six\n"}
MANY = 20_000
MESSAGES = {
    "empty": "",
    "many tags": '\n'.join(f'Fixes: {n:012x} ("foo: {n}")' for n in range(MANY)),
    "many tags without an id": "\n".join(['Fixes: ("foo")'] * MANY),
    "many wrapped tags": "\n".join(f'Fixes: {n:012x} ("foo' for n in range(MANY)),
    "many signers": "\n".join(f"Signed-off-by: N {n} <n{n}@example.com>" for n in range(MANY)),
    "many co-developers": "\n".join(f"Co-developed-by: N {n} <n{n}@example.com>" for n in range(MANY)),
    "many reviews": "\n".join(f"Reviewed-by: N {n} <n{n}@example.com>" for n in range(MANY)),
    "many reporters": "\n".join(f"Reported-by: N {n} <n{n}@example.com>" for n in range(MANY)),
    "many misspelt names": "\n".join(f"Reviwed-by: N {n} <n{n}@example.com>" for n in range(MANY)),
    "many paragraphs": "\n\n".join(f"Acked-by: N {n} <n{n}@example.com>" for n in range(MANY)),
    "many references": " ".join(f"commit {n:012x}" for n in range(MANY)),
    "one long line": "Fixes: 0123456789ab (" + '"' * 2_000_000,
    "one long trailer": "Link: " + "a" * 2_000_000,
    "a folded trailer": "Link: a\n" + " b\n" * 100_000,
    "blanks": " " * 1_000_000 + "\n" + "\t" * 1_000_000,
    "control characters": "\x00\x01\x1b[31m\r\nFixes: \x00\nSigned-off-by: \x1b <\x00@\x01>",
    "lone surrogates and others": "Fixes: 0123456789ab (\"\ufffd\u202e\")\nSigned-off-by: \u200b <\u00e9@\u00df>",
}  # fmt: skip


@pytest.fixture
def kernel(repo: Repo) -> FooKernel:
    return make_foo_kernel(repo)


@pytest.fixture
def subject(kernel: FooKernel) -> Iterator[CheckSubject]:
    mbox = mail_series(kernel.repo, (f"foo: x\n\nText.\n\n{SIGNED}\n", SENT), to="x86@kernel.org")
    with open_subject(kernel.repo, mbox, previous=mbox) as opened:
        yield opened


def asked(subject: CheckSubject, message: str, title: str = "foo: x") -> CheckSubject:
    """The same with another message in both versions."""
    patch = replace(subject.steps[0].patch, message=message, subject=title)
    step = replace(subject.steps[0], patch=patch)
    series = replace(subject.series, patches=(patch,))
    return replace(subject, series=series, steps=(step,), step=step, previous=series)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("name", MESSAGES)
def test_it_takes_no_time_and_says_a_bearable_lot(subject: CheckSubject, check: Check, name: str) -> None:
    start = time.process_time()
    findings = list(check.run(asked(subject, MESSAGES[name])))
    assert time.process_time() - start < 3
    assert len(findings) < 700


@given(st.text(max_size=300), st.text(max_size=50))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_text_breaks_a_check(subject: CheckSubject, message: str, title: str) -> None:
    for check in CHECKS:
        for finding in check.run(asked(subject, message, title)):
            assert finding.message.strip()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_mail_in_latin_1(kernel: FooKernel, check: Check) -> None:
    tag = kernel.tag(title="foo: z\u00e4hle")
    mbox = mail_series(kernel.repo, (f"foo: z\u00e4hle\n\n\u00dcbel.\n\n{tag}\n{SIGNED}\n", SENT))
    mbox = mbox.decode().replace("charset=UTF-8", "charset=ISO-8859-1").encode("latin-1")
    for finding in ask_check(check, kernel.repo, mbox):
        assert finding.message


def test_a_long_series_takes_bearable_time(kernel: FooKernel) -> None:
    patches = [(f"foo: step {n}\n\nIt is.\n\n{kernel.tag()}\n{SIGNED}\n", {FOO_FILE: f"{n}\n"}) for n in range(30)]
    mbox = mail_series(kernel.repo, *patches, author=AUTHOR)
    with open_subject(kernel.repo, mbox) as subject:
        start = time.process_time()
        for step in subject.steps:
            for check in CHECKS:
                list(check.run(replace(subject, step=step)))
        each = (time.process_time() - start) / len(patches)
    assert each < 0.05
