# SPDX-License-Identifier: GPL-2.0-or-later
"""Who owns a file, where a patch goes, and where that is a choice."""

import time

import pytest
from msgspec.structs import replace

from seriestool.series.model import Patch
from seriestool.split.destination import Flavour
from seriestool.split.owners import PatchOwner
from tests.support.split_series import FIX, KORG, TEXT, owners_of, patch_on, series_of, tree


def owner(*patches: Patch, prefixes: tuple[str, ...] = (), text: bytes = TEXT) -> PatchOwner:
    """The owner of the first of the patches."""
    return owners_of(series_of(*patches, prefixes=prefixes), text).patch(1)


def goes(subject: str, *files: str, author: str = "Some One <s@example.com>") -> str | None:
    return owner(patch_on(1, subject, files, author=author)).destination


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("net/core/dev.c", ["net"]),
        ("net/sunrpc/svc.c", ["sven/linux", "nfs"]),
        ("net/handshake/genl.c", ["net"]),  # its own section has no tree
        ("Documentation/netlink/specs/x.yaml", ["net"]),
        ("fs/fat/dir.c", ["via fat@example.org"]),
        ("include/trace/events/fat.h", ["via fat@example.org"]),  # TRACING has nothing to do with it
        ("include/trace/events/x.h", ["trace"]),
        ("lib/sub/x.c", []),
        ("Makefile", []),
    ],
)
def test_owners_of_a_file(path: str, owners: list[str]) -> None:
    (file,) = owners_of(series_of(patch_on(1, "x", [path]))).files
    assert [one.name for one in file.owners] == owners
    assert set(owners) <= {one.name for one in file.acceptable}


def test_a_general_tree_is_acceptable_and_does_not_own() -> None:
    (file,) = owners_of(series_of(patch_on(1, "x", ["net/sunrpc/svc.c"]))).files
    assert file.to_dict() == {
        "path": "net/sunrpc/svc.c",
        "sections": ["SUNRPC SERVER", "SUNRPC CLIENT", "CORE NET"],
        "owners": ["sven/linux", "nfs"],
        "acceptable": ["sven/linux", "nfs", "net"],
    }


def test_files_vote() -> None:
    one = owner(patch_on(1, "x", ["fs/nfsd/a.c", "fs/nfsd/b.c", "fs/nfsd/c.c", "net/core/d.c"]))
    assert one.destination == "sven/linux"
    assert one.evidence == ("MAINTAINERS: 3 of 4 files are in 'SUNRPC SERVER'",)
    assert [choice.destination for choice in one.choices] == ["sven/linux", "net"]
    assert [(ack.trees, ack.people) for ack in one.acks("sven/linux")] == [
        (("net",), ("Ned <ned@example.org>", "Nora <nora@example.org>"))
    ]


def test_a_specification_and_a_header_go_with_the_code_that_they_are_named_after() -> None:
    one = owner(patch_on(1, "NFSD: x", ["Documentation/netlink/specs/nfsd.yaml", "fs/nfsd/a.c",
                                        "include/uapi/linux/nfsd_netlink.h"]))  # fmt: skip
    assert (one.destination, one.straddles, one.acks("sven/linux")) == ("sven/linux", False, ())


def test_a_file_that_nobody_has_goes_with_the_others() -> None:
    one = owner(patch_on(1, "handshake: x", ["include/uapi/linux/handshake.h", "net/handshake/genl.c"]))
    assert (one.destination, one.straddles) == ("net", False)


def test_a_patch_of_several_owners_is_a_choice() -> None:
    files = {"Documentation/core-api/x.rst": 225, "include/linux/x.h": 187, "lib/x.c": 174}
    one = owner(patch_on(1, 'lib: Add "x"', files))
    assert one.destination is None
    assert [choice.destination for choice in one.choices] == ["git.lwn.net/linux docs-next", "mm"]
    assert [ack.trees for ack in one.acks(None)] == [("git.lwn.net/linux docs-next",), ("mm",)]
    assert [ack.trees for ack in one.acks("mm")] == [("git.lwn.net/linux docs-next",)]
    assert one.evidence == ()


@pytest.mark.parametrize(
    ("subject", "author", "destination"),
    [
        ("x", "Some One <s@example.com>", None),
        ("SUNRPC: x", "Some One <s@example.com>", None),  # both have it in their heading
        ("server: x", "Some One <s@example.com>", "sven/linux"),
        ("x", "Sven <sven@example.org>", "sven/linux"),
        ("x", "Cleo <CLEO@example.org>", "nfs"),
        ("x", "Cleo Other <other@example.org>", None),
    ],
)
def test_subject_and_author_decide_between_equals(subject: str, author: str, destination: str | None) -> None:
    assert goes(subject, "net/sunrpc/svc.c", author=author) == destination


def test_the_rest_of_the_series_decides_between_equals() -> None:
    others = [patch_on(n, "NFSD: y", ["fs/nfsd/a.c"]) for n in (2, 3)]
    one = owner(patch_on(1, "SUNRPC: x", ["net/sunrpc/svc.c"]), *others)
    assert one.destination == "sven/linux"
    assert "2 of the other patches go there" in one.evidence


def test_nobodys_patch_goes_where_all_others_go() -> None:
    assert owner(patch_on(1, "x", ["Makefile"]), patch_on(2, "y", ["net/a.c"])).destination == "net"
    torn = owner(patch_on(1, "x", ["Makefile"]), patch_on(2, "y", ["net/a.c"]), patch_on(3, "z", ["fs/nfsd/a.c"]))
    assert torn.destination is None
    assert {choice.destination for choice in torn.choices} == {"net", "sven/linux"}


def test_nobodys_series_goes_to_the_main_tree() -> None:
    found = owners_of(series_of(patch_on(1, "x", ["Makefile"])), trees=(tree("origin/master"),))
    assert found.patch(1).destination == "origin/master"
    assert found.patch(1).evidence == ("no section of MAINTAINERS has its files",)


def test_a_word_in_the_subject_weighs_as_much_as_most_files() -> None:
    patch = patch_on(1, "x", ["net/a.c", "fs/nfsd/b.c"])
    assert owner(patch).destination is None
    one = owner(patch, prefixes=("net-next",))
    assert (one.destination, one.stated) == ("net", Flavour.NEXT)
    assert owner(patch, prefixes=("net",)).stated is Flavour.FIXES
    assert owner(patch, prefixes=("RFC",)).stated is None


def test_a_trace_event_goes_with_its_subsystem() -> None:
    assert goes("nfsd: add a tracepoint", "fs/nfsd/a.c", "include/trace/events/nfsd.h") == "sven/linux"


def test_general_documents_want_no_ack() -> None:
    one = owner(patch_on(1, "net: x", ["net/a.c", "net/b.c", "Documentation/admin-guide/x.rst"]))
    assert (one.destination, one.straddles, one.acks("net")) == ("net", False, ())


def test_acks_that_were_given() -> None:
    trailers = ("Acked-by: Ned <NED@example.org>", "Reviewed-by: nora@example.org")
    one = owner(patch_on(1, "nfsd: x", ["fs/nfsd/a.c", "fs/nfsd/b.c", "net/a.c"], trailers))
    assert [ack.given for ack in one.acks("sven/linux")] == [("Ned <ned@example.org>",)]


def test_the_author_does_not_ack_his_own_patch() -> None:
    one = owner(patch_on(1, "nfsd: x", ["fs/nfsd/a.c", "fs/nfsd/b.c", "net/a.c"], author="Ned <ned@example.org>"))
    assert [ack.people for ack in one.acks("sven/linux")] == [("Nora <nora@example.org>",)]
    assert "Ned <ned@example.org>" not in one.cc


def test_cc_is_people_then_lists_and_not_the_rest() -> None:
    assert owner(patch_on(1, "x", ["net/handshake/a.c", "Makefile"])).cc == (
        "Hanna <hanna@example.org>", "Ned <ned@example.org>", "Nora <nora@example.org>", "Ron <ron@example.org>",
        "netdev@example.org",
    )  # fmt: skip


def test_cc_is_the_rest_where_there_is_nobody_else() -> None:
    assert owner(patch_on(1, "x", ["Makefile"])).cc == ("Linus <linus@example.org>", "all@example.org")


@pytest.mark.parametrize(
    ("value", "fix"),
    [('0123456789ab ("x")', True), ("commit 0123456789 (x)", True), ("https://bug/1", False), ("#12", False)],
)
def test_fixes(value: str, fix: bool) -> None:
    assert owner(patch_on(1, "x", ["net/a.c"], (f"fixes: {value}",))).is_fix is fix


@pytest.mark.parametrize(
    ("case", "lines"),
    [
        ("a remark stands below the trailers", (*FIX, "Signed-off-by: A <a@x>", "", "v2: one lock less")),
        ("the tag is wrapped, in a paragraph of its own", ('Fixes: 0123456789ab ("x: broken', 'since then")', "")),
    ],
)
def test_a_fix_is_one_though_git_sees_no_trailer(case: str, lines: tuple[str, ...]) -> None:
    patch = patch_on(1, "x", ["net/a.c"])
    patch = replace(patch, message="\n".join(["Why.", "", *lines]))
    assert "fixes" not in {one.key for one in patch.trailers}, case
    assert owner(patch).is_fix, case


def test_without_maintainers_all_goes_to_the_main_tree() -> None:
    series = series_of(patch_on(1, "x", ["net/a.c"], FIX), patch_on(2, "y", ["lib/b.c"]))
    found = owners_of(series, None, (tree("origin/master"), tree("origin/next")))
    assert [one.destination for one in found.patches] == ["origin/master"] * 2
    assert all(not one.straddles and one.cc == () for one in found.patches)
    assert [one.destination for one in owners_of(series, None).patches] == ["the main tree"] * 2


def test_without_maintainers_a_word_in_the_subject_names_the_tree() -> None:
    series = series_of(patch_on(1, "x", ["a.c"]), prefixes=("net-next",))
    found = owners_of(series, None, (tree("origin/master"), tree("net-next/main", KORG + "n/net-next")))
    assert found.patch(1).destination == "net-next/main"
    assert found.patch(1).evidence == ("the subject says [net-next]",)


@pytest.mark.parametrize(
    "entry",
    ["Evil\t<a@b>, x <c@d>", '"Quote" me" <a@b>', "<>", "@", "a b c", "Name <a@b\x1b[31m>", "Bcc: x <a@b>", "é <a@b>"],
)
def test_hostile_addresses(entry: str) -> None:
    text = b"EVIL \x1b[31m\xff\nM:\t" + entry.encode() + b"\nR:\t" + entry.encode() + b"\nL:\tx y\nF:\tnet/\n"
    for person in owner(patch_on(1, "x", ["net/a.c"]), text=text).cc:
        assert person.isprintable()
        assert "," not in person
        assert person.count("@") == 1


def test_a_patch_without_files() -> None:
    one = owner(patch_on(1, "x", []), patch_on(2, "y", ["net/a.c"]))
    assert one.destination == "net"
    assert owner(patch_on(1, "x", [])).destination is not None


def test_a_large_series_is_quick() -> None:
    patches = [patch_on(n, f"x{n}: y", [f"net/a{n}.c", f"fs/nfsd/b{n // 2}.c"]) for n in range(1, 343)]
    series = series_of(*patches)
    started = time.perf_counter()
    assert len(owners_of(series).files) > 500
    assert time.perf_counter() - started < 1
