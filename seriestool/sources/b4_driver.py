# SPDX-License-Identifier: GPL-2.0-or-later
"""The child process that `b4.py` starts: b4 itself. One JSON object comes in, one goes out; docs/decisions/0002.

b4 keeps its configuration in module globals, leaves by sys.exit and changes how the email package encodes: none of that
reaches the program, as it ends with this process.
"""

import base64
import json
import logging
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

_SIGNATURES = ("x-developer-signature", "dkim-signature")
_MOST_SIGNATURES = 4  # of a kind, in a mail
_MOST_LOOKED_UP = 20  # names in the DNS


def main() -> int:
    """The exit code: 0 where an answer, or the reason why there is none, was written."""
    job: dict[str, Any] = json.load(sys.stdin.buffer)
    answers = sys.stdout
    sys.stdout = sys.stderr  # nothing that b4 prints gets into the answer
    said = _Remarks()
    logging.getLogger("b4").addHandler(said)
    try:
        answer = _JOBS[job["job"]](job)
    except SystemExit:
        answer = {"error": said.last or "b4 gave up and did not say why"}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    json.dump(answer, answers)
    return 0


class _Remarks(logging.Handler):
    """What b4 says in its log: the last warning, and all that dkimpy says of signatures and keys."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self.last = record.getMessage().strip()


class _DkimRemarks(logging.Handler):
    """Why DKIM signatures did not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelname == "ERROR":
            self.lines.append(record.getMessage())


def _attest(job: dict[str, Any]) -> dict[str, Any]:
    """What b4 says of the signatures of each mail; those in the DNS only where the job allows it."""
    import b4

    b4.can_network = False
    b4.setup_config(Namespace(config={}))
    config = b4.get_main_config()
    may_ask = not job["offline"] and config["attestation-check-dkim"] == "yes"
    if may_ask:
        _bound_questions(job["dns_port"], job["dns_seconds"])
        b4.can_network = True  # what follows asks for keys of DKIM, and for nothing else
    answers = [_attest_mail(base64.b64decode(mail)) for mail in job["mails"]]
    return {
        "policy": config["attestation-policy"],
        "asks_dns": may_ask,
        "staleness_days": config["attestation-staleness-days"],
        "mails": answers,
    }


def _attest_mail(raw: bytes) -> dict[str, Any]:
    import b4

    try:
        mail = b4.LoreMessage(_parse(raw))
        body = mail.body
        with _dkim_remarks() as remarks:
            attestors = [_describe(attestor, mail) for attestor in mail.attestors]
    except Exception as error:  # a mail may have anything in it
        return {"error": f"{type(error).__name__}: {error}"}
    return {"attestors": attestors, "dkim_remarks": remarks, "is_trimmed": mail.body != body}


def _describe(attestor: Any, mail: Any) -> dict[str, Any]:
    import b4

    days = str(b4.get_main_config()["attestation-staleness-days"])
    is_dated = attestor.signtime is not None and days.isdecimal() and int(days) > 0
    return {
        "kind": attestor.mode,
        "algorithm": attestor.keyalgo,
        "identity": attestor.identity or "",
        "is_valid": attestor.passing,
        "has_key": attestor.have_key,
        "is_stale": attestor.passing and is_dated and not attestor.check_time_drift(mail.date, int(days)),
        "is_sender": attestor.check_identity(mail.fromemail),
        "errors": attestor.errors,
    }


def _parse(raw: bytes) -> EmailMessage:
    """The mail, with no more signatures than somebody would look at."""
    import b4

    mail: EmailMessage = BytesParser(policy=b4.emlpolicy, _class=EmailMessage).parsebytes(raw)
    for name in _SIGNATURES:
        values = mail.get_all(name) or []
        if len(values) > _MOST_SIGNATURES:
            del mail[name]
            for value in values[-_MOST_SIGNATURES:]:
                mail[name] = value
    return mail


@contextmanager
def _dkim_remarks() -> Iterator[list[str]]:
    import b4

    handler = _DkimRemarks()
    # b4 makes debug messages of all that dkimpy says.
    b4.dkimlogger.filters.clear()
    b4.dkimlogger.propagate = False
    b4.dkimlogger.addHandler(handler)
    try:
        yield handler.lines
    finally:
        b4.dkimlogger.removeHandler(handler)


def _bound_questions(port: int, seconds: float) -> None:
    """Each name is asked for once, some names only, and none once nobody has answered: each time takes seconds."""
    import dkim
    import dns.resolver
    from dkim import dnsplug

    resolver = dns.resolver.get_default_resolver()
    resolver.port = port
    ask: Callable[[str, float], bytes | None] = dnsplug._get_txt  # noqa: SLF001
    found: dict[str, bytes | None] = {}
    closed = False

    def answer(name: str, timeout: float) -> bytes | None:
        nonlocal closed
        if name not in found:
            if closed or len(found) >= _MOST_LOOKED_UP:
                raise dkim.DnsTimeoutError("not asked for")
            try:
                found[name] = ask(name, min(timeout, seconds))
            except Exception as error:
                closed = isinstance(error, dkim.DnsTimeoutError | OSError)
                if closed:
                    raise dkim.DnsTimeoutError(str(error)) from error
                found[name] = None  # a mail may name what can be no name
        return found[name]

    dnsplug._get_txt = answer  # noqa: SLF001


def _prep(job: dict[str, Any]) -> dict[str, Any]:
    """The mails that `b4 send` would make of the branch that HEAD names; None where b4 does not manage it."""
    import b4
    from b4 import ez

    b4.can_network = False
    b4.setup_config(Namespace(config={}))
    if not ez.is_prep_branch():
        return {"mails": None}
    # b4 draws message-ids and dates the mails now; the same branch has to be the same series each time.
    b4.git_range_to_patches = _as_committed(b4.git_range_to_patches)
    ez.make_msgid_tpt = lambda change_id, revision, *_: f"<{change_id}-v{revision}-%s@{job['domain']}>"
    patches = ez.get_prep_branch_as_patches(movefrom=False, addtracking=False, expandprereqs=False)[3]
    return {"mails": [base64.b64encode(mail.as_bytes(policy=b4.emlpolicy)).decode() for _, mail in patches]}


def _as_committed(make: Callable[..., Any]) -> Callable[..., Any]:
    """b4's function, with the authors' dates left in the mails."""
    return lambda *arguments, **options: make(*arguments, **{**options, "seriests": None})


_JOBS = {"attest": _attest, "prep": _prep}

if __name__ == "__main__":
    raise SystemExit(main())
