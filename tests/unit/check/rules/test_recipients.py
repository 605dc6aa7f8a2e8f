# SPDX-License-Identifier: GPL-2.0-or-later
"""recipients: who of MAINTAINERS does not have the mail."""

import pytest

from seriestool.check.protocol import Status
from seriestool.check.rules.recipients import CHECK
from tests.support.repos import Repo
from tests.support.series import AUTHOR, SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

MAINTAINERS = """\
List of maintainers

NETWORKING [GENERAL]
M:	Net One <net@example.com>
L:	netdev@vger.kernel.org
F:	net/

SUNRPC
M:	Rpc One <rpc@example.com>
M:	"Rpc (Two)" <two@example.com>
R:	Looks On <looks@example.com>
L:	linux-nfs@vger.kernel.org
L:	members@example.com (subscribers-only)
F:	net/sunrpc/

DRIVER
M:	Drive R <driver@example.com>
F:	net/driver/

THE REST
M:	Linus <linus@example.com>
L:	linux-kernel@vger.kernel.org
F:	*
F:	*/
"""
ALL = ["--cc=Rpc One <rpc@example.com>", "--cc=two@example.com", "--cc=linux-nfs@vger.kernel.org"]
OTHERS = ["--cc=net@example.com", "--cc=netdev@vger.kernel.org", "--cc=looks@example.com"]


@pytest.fixture
def kernel(repo: Repo) -> Repo:
    paths = ("net/sunrpc/svc.c", "net/driver/a.c", "README")
    repo.commit({"MAINTAINERS": MAINTAINERS, **dict.fromkeys(paths, "0\n")}, "start")
    return repo


def mail(repo: Repo, *options: str, path: str = "net/sunrpc/svc.c", more: str = "", author: str = AUTHOR) -> bytes:
    message = f"sunrpc: do\n\n{more}{SIGNED}\n"
    return mail_series(repo, (message, {path: "new\n"}), options=options, author=author)


def test_all_have_it(kernel: Repo) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, *ALL, *OTHERS)) == ()


def test_maintainer_is_missing(kernel: Repo) -> None:
    found = only_finding(ask_check(CHECK, kernel, mail(kernel, *ALL[1:], *OTHERS)), "missing-maintainer")
    assert (found.status, found.mend) == (Status.WARN, "Cc: Rpc One <rpc@example.com>")


def test_list_is_missing(kernel: Repo) -> None:
    found = only_finding(ask_check(CHECK, kernel, mail(kernel, *ALL[:2], *OTHERS)), "missing-list")
    assert (found.status, found.mend) == (Status.WARN, "Cc: linux-nfs@vger.kernel.org")


@pytest.mark.parametrize("header", ["X-Mailing-List: linux-nfs@x", "List-Post: <mailto:linux-nfs@x>"])
def test_list_that_the_mail_came_through(kernel: Repo, header: str) -> None:
    raw = mail(kernel, *ALL[:2], *OTHERS)
    raw = raw.replace(b"\nTo: ", f"\n{header.replace('@x', '@vger.kernel.org')}\nTo: ".encode(), 1)
    assert ask_check(CHECK, kernel, raw) == ()


def test_reviewer_is_a_note(kernel: Repo) -> None:
    assert rules_of(ask_check(CHECK, kernel, mail(kernel, *ALL, *OTHERS[:2]))) == [("missing-reviewer", "pass")]


def test_more_general_sections_are_a_note(kernel: Repo) -> None:
    found = only_finding(ask_check(CHECK, kernel, mail(kernel, *ALL, OTHERS[2])), "missing-general")
    assert (found.status, found.mend) == (Status.PASS, "Cc: Net One <net@example.com>\nCc: netdev@vger.kernel.org")


def test_driver_without_a_list_has_that_of_its_subsystem(kernel: Repo) -> None:
    found = ask_check(CHECK, kernel, mail(kernel, "--cc=driver@example.com", path="net/driver/a.c"))
    assert rules_of(found) == [("missing-list", "warn"), ("missing-general", "pass")]


def test_never_a_fail(kernel: Repo) -> None:
    assert all(found.status in (Status.PASS, Status.WARN) for found in ask_check(CHECK, kernel, mail(kernel)))


def test_same_person_at_another_address(kernel: Repo) -> None:
    other = "--cc=rpc one <rpc@elsewhere.example>"
    assert ask_check(CHECK, kernel, mail(kernel, other, *ALL[1:], *OTHERS)) == ()


def test_address_that_mailmap_knows(kernel: Repo) -> None:
    kernel.commit({".mailmap": "Rpc One <rpc@example.com> <rpc@elsewhere.example>\n"}, "map")
    assert ask_check(CHECK, kernel, mail(kernel, "--cc=rpc@elsewhere.example", *ALL[1:], *OTHERS)) == ()


def test_one_name_alone_is_nobody(kernel: Repo) -> None:
    kernel.commit({"MAINTAINERS": MAINTAINERS.replace("Rpc One", "Rpc")}, "short")
    found = ask_check(CHECK, kernel, mail(kernel, "--cc=Rpc <somebody@elsewhere.example>", *ALL[1:], *OTHERS))
    assert rules_of(found) == [("missing-maintainer", "warn")]


def test_author_and_those_in_trailers_know_of_it(kernel: Repo) -> None:
    more = "Reviewed-by: Rpc Two <two@example.com>\n"
    raw = mail(kernel, ALL[2], *OTHERS, more=more, author="Rpc One <rpc@example.com>")
    assert ask_check(CHECK, kernel, raw) == ()


def test_other_mails_of_the_series(kernel: Repo) -> None:
    raw = mail_series(
        kernel, (f"sunrpc: a\n\n{SIGNED}\n", {"net/sunrpc/svc.c": "1\n"}), (f"b: b\n\n{SIGNED}\n", {"README": "1\n"}),
        options=(*ALL, *OTHERS),
    )  # fmt: skip
    first, second = raw.split(b"\n\n\nFrom ", 1)
    raw = first.replace(b"Rpc One <rpc@example.com>", b"Sombody Else <else@example.com>") + b"\n\n\nFrom " + second
    assert rules_of(ask_check(CHECK, kernel, raw)) == [("other-mails", "pass")]


def test_file_of_nobody_needs_a_list(kernel: Repo) -> None:
    assert rules_of(ask_check(CHECK, kernel, mail(kernel, path="README"))) == [("no-list", "pass")]
    assert ask_check(CHECK, kernel, mail(kernel, "--cc=linux-kernel@vger.kernel.org", path="README")) == ()


def test_not_sent_yet(kernel: Repo) -> None:
    found = only_finding(ask_check(CHECK, kernel, mail(kernel), is_mailed=False), "send-to")
    assert found.status is Status.PASS
    assert found.mend is not None
    assert found.mend.split("\n") == [
        "To: linux-nfs@vger.kernel.org", "Cc: Rpc One <rpc@example.com>", 'Cc: "Rpc (Two)" <two@example.com>',
        "Cc: Looks On <looks@example.com>",
    ]  # fmt: skip


def test_no_base_is_a_skip(kernel: Repo) -> None:
    assert rules_of(ask_check(CHECK, kernel, mail(kernel), base=None)) == [("skipped", "skip")]


def test_no_maintainers_is_a_skip(repo: Repo) -> None:
    repo.commit({"a": "1\n"}, "start")
    raw = mail_series(repo, ("a: b", {"a": "2\n"}))
    assert rules_of(ask_check(CHECK, repo, raw)) == [("skipped", "skip")]


def test_hostile_headers_are_quick(kernel: Repo) -> None:
    raw = mail(kernel, *ALL, *OTHERS).replace(b"To: list@example.com", b"To: " + b'"<,' * 100_000 + b"<" * 100_000)
    assert all(found.status is not Status.FAIL for found in ask_check(CHECK, kernel, raw))
