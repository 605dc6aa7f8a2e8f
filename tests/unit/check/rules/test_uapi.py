# SPDX-License-Identifier: GPL-2.0-or-later
"""`uapi`: headers for user space, compiled before and after a patch."""

import pytest

from seriestool.check.protocol import Status
from seriestool.check.rules.uapi import CHECK
from tests.support.kernels import FAIL, INJECTED, NOTE, PASS, SKIP, TOY, TOY_HEADER, WARN, edited, make_toy_kernel
from tests.support.repos import Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of, uapi, uapi_of


@pytest.fixture
def kernel(repo: Repo) -> Repo:
    return make_toy_kernel(repo)


# --- the sixteen changes that the survey injected ------------------------------------------------------------------


@pytest.mark.parametrize("name", INJECTED)
def test_injected(kernel: Repo, name: str) -> None:
    pairs, expected = INJECTED[name]
    assert rules_of(uapi(kernel, edited(*pairs))) == expected


# --- what else may change ------------------------------------------------------------------------------------------


def test_a_patch_that_touches_no_header_says_nothing(kernel: Repo) -> None:
    assert uapi_of(kernel, {"drivers/toy.c": "long toy;\n"}, to="list@example.com") == ()


def test_a_project_that_is_no_kernel_says_nothing(repo: Repo) -> None:
    repo.commit({"include/toy.h": "#define A 1\n"}, "a project")
    assert uapi_of(repo, {"include/toy.h": "#define A 2\n"}) == ()


def test_without_a_sandbox_it_is_skipped(kernel: Repo) -> None:
    mbox = mail_series(kernel, (f"toy\n\n{SIGNED}", {TOY_HEADER: edited(("TOY_MAX_NAME 16", "TOY_MAX_NAME 32"))}))
    found = ask_check(CHECK, kernel, mbox, sandbox=None)
    assert only_finding(found, "not-compiled").status is Status.SKIP
    assert all(finding.status is not Status.FAIL for finding in found)


def test_a_patch_that_does_not_apply_is_skipped(kernel: Repo) -> None:
    mbox = mail_series(kernel, ("toy", {TOY_HEADER: edited(("TOY_MAX_NAME 16", "TOY_MAX_NAME 32"))}))
    kernel.commit({TOY_HEADER: edited(("TOY_MAX_NAME 16", "TOY_MAX_NAME 64"))}, "meanwhile")
    assert rules_of(ask_check(CHECK, kernel, mbox)) == [("skipped", SKIP)]


def test_a_header_that_did_not_compile_before_is_skipped_with_the_first_error(kernel: Repo) -> None:
    kernel.commit({TOY_HEADER: "struct a { struct nowhere b; };\n"}, "broken")
    found = uapi(kernel, "struct a { struct nowhere b; int c; };\n")
    assert rules_of(found) == [("not-compared", SKIP)]
    assert "linux/toy.h:1: " in found[0].message
    assert "incomplete type" in found[0].message


def test_a_header_that_no_longer_compiles(kernel: Repo) -> None:
    found = uapi(kernel, edited(("\t__u64 user;\n", "\tu64 user;\n")))
    assert rules_of(found)[0] == ("does-not-compile", FAIL)
    assert "unknown type name" in found[0].message
    assert rules_of(found)[1:] == [("does-not-compile", FAIL)]
    assert found[1].path == b"include/uapi/linux/box.h"


def test_a_header_that_needs_what_programs_include_before_it(kernel: Repo) -> None:
    kernel.commit({TOY_HEADER: NOTE + "struct a { struct timeval when; int count; };\n"}, "needs sys/time.h")
    found = uapi(kernel, NOTE + "struct a { int count; struct timeval when; };\n")
    assert rules_of(found) == [("member-moved", FAIL), ("member-moved", FAIL)]


def test_names_in_findings_have_their_lines(kernel: Repo) -> None:
    text = edited(("\tTOY_A_NAME,\n", "\tTOY_A_COLOR,\n\tTOY_A_NAME,\n"))
    found = only_finding(uapi(kernel, text), "enumerator-shifted")
    assert (found.path, text.split("\n")[(found.line or 0) - 1]) == (TOY_HEADER.encode(), "\tTOY_A_NAME,")
    assert "TOY_A_NAME 1 -> 2, TOY_A_SIZE 2 -> 3" in found.message


def test_what_is_removed_has_the_line_it_had(kernel: Repo) -> None:
    found = only_finding(uapi(kernel, edited(("#define TOY_MAX_NAME 16\n", ""))), "removed")
    assert TOY.split("\n")[(found.line or 0) - 1] == "#define TOY_MAX_NAME 16"


def test_a_name_moved_to_a_header_that_is_included(kernel: Repo) -> None:
    names = "#define TOY_MAX_NAME 16\n"
    found = uapi_of(
        kernel,
        {TOY_HEADER: edited((names, "#include <linux/toy_names.h>\n")), "include/uapi/linux/toy_names.h": NOTE + names},
    )
    assert found == ()


def test_a_macro_that_becomes_an_enumerator_and_the_other_way_round(kernel: Repo) -> None:
    text = edited(
        ("#define TOY_MAX_NAME 16\n", "enum { TOY_MAX_NAME = 16 };\n"),
        ("\tTOY_BLUE,\n", ""),
        ("#define TOY_F_FAST", "#define TOY_BLUE 2\n#define TOY_F_FAST"),
    )
    assert uapi(kernel, text) == ()


def test_an_old_name_kept_for_a_new_one(kernel: Repo) -> None:
    text = edited(("\tTOY_GREEN,\n", "\tTOY_LIME,\n#define TOY_GREEN TOY_LIME\n"))
    assert uapi(kernel, text) == ()


def test_a_macro_in_the_way_of_an_enumerator(kernel: Repo) -> None:
    text = NOTE + "enum { A, B, MAX_OF };\n#define MAX_OF (MAX_OF - 1)\n#define A(x) x\n"
    kernel.commit({TOY_HEADER: text}, "as in pkt_sched.h")
    assert uapi(kernel, text + "#define C 1\n") == ()


def test_a_shift_made_unsigned_is_the_same_flag(kernel: Repo) -> None:
    assert uapi(kernel, edited(("(1 << 31)", "(1U << 31)"))) == ()


def test_members_wrapped_into_a_union_without_a_name(kernel: Repo) -> None:
    text = edited(("\t__u64 user;\n", "\tunion {\n\t\t__u64 user;\n\t\t__u64 cookie;\n\t};\n"))
    assert uapi(kernel, text) == ()


def test_reserved_room_put_to_use(kernel: Repo) -> None:
    text = edited(("\t__u32 reserved[2];\n", "\t__u32 kind;\n\t__u32 reserved[1];\n"))
    assert [one for one in uapi(kernel, text) if one.status in (Status.FAIL, Status.WARN)] == []


def test_an_array_of_one_made_flexible(kernel: Repo) -> None:
    found = uapi(kernel, edited(("items[1]", "items[]")))
    assert rules_of(found) == [("flexible-array", WARN)]


def test_a_member_removed(kernel: Repo) -> None:
    found = uapi(kernel, edited(("\t__u32 reserved[2];\n", ""), ("\t__u64 user;\n", "")))
    assert ("member-removed", FAIL) in rules_of(found)
    assert ("struct-shrunk", FAIL) in rules_of(found)


def test_a_struct_that_loses_nothing_but_padding(kernel: Repo) -> None:
    kernel.commit(
        {TOY_HEADER: NOTE + "struct a { int b; long long c; int d; int pad; int e; int pad2; };\n"}, "padding"
    )
    found = uapi(kernel, NOTE + "struct a { int b; int pad; long long c; int d; int pad1; int e; };\n")
    assert FAIL not in [status for _, status in rules_of(found)]


def test_a_member_narrowed(kernel: Repo) -> None:
    kernel.commit({TOY_HEADER: NOTE + "struct a { unsigned int b; unsigned int c; };\n"}, "two")
    found = uapi(kernel, NOTE + "struct a { unsigned short b; unsigned int c; };\n")
    assert rules_of(found) == [("member-resized", FAIL)]


def test_a_member_widened_into_a_hole(kernel: Repo) -> None:
    kernel.commit({TOY_HEADER: NOTE + "struct a { unsigned short b; unsigned int c; };\n"}, "a hole")
    found = uapi(kernel, NOTE + "struct a { unsigned int b; unsigned int c; };\n")
    assert rules_of(found) == [("member-resized", WARN)]


def test_an_attribute_that_is_called_like_a_count(kernel: Repo) -> None:
    found = uapi(kernel, edited(("\tTOY_A_SIZE,\n", "\tTOY_A_COLOR,\n\tTOY_A_SIZE,\n")))
    assert "TOY_A_SIZE 2 -> 3" in only_finding(found, "enumerator-shifted").message


def test_a_count_at_the_end_of_an_enum(kernel: Repo) -> None:
    kernel.commit({TOY_HEADER: NOTE + "enum { A, B, TOY_COUNT };\n"}, "a count")
    assert rules_of(uapi(kernel, NOTE + "enum { A, B, C, TOY_COUNT };\n")) == [("sentinel-moved", PASS)]


def test_a_struct_that_holds_a_changed_one_is_in_another_header(kernel: Repo) -> None:
    found = uapi(kernel, edited(("\t__u32 reserved[2];\n", "\t__u32 reserved[2];\n\t__u64 more;\n")))
    moved = only_finding(found, "member-moved")
    assert (moved.path, moved.line) == (b"include/uapi/linux/box.h", 5)
    assert "struct box: 'last'" in moved.message


def test_an_ioctl_whose_argument_grows(kernel: Repo) -> None:
    found = uapi(kernel, edited(("\t__u32 reserved[2];\n", "\t__u32 reserved[2];\n\t__u64 more;\n")))
    assert only_finding(found, "ioctl-changed").status is Status.FAIL
    assert "another size" in only_finding(found, "ioctl-changed").message


def test_an_ioctl_of_drm_whose_argument_grows(kernel: Repo) -> None:
    text = NOTE + "#include <linux/ioctl.h>\nstruct a { int b; %s};\n#define DRM_IOCTL_TOY _IOWR('d', 1, struct a)\n"
    kernel.commit({TOY_HEADER: text % ""}, "drm")
    assert rules_of(uapi(kernel, text % "int c; ")) == [("struct-grown", WARN), ("ioctl-size-changed", WARN)]


def test_a_typedef_of_another_size(kernel: Repo) -> None:
    kernel.commit({TOY_HEADER: NOTE + "typedef int toy_t;\ntypedef struct { int a; } box_t;\n"}, "types")
    found = uapi(kernel, NOTE + "typedef long toy_t;\ntypedef struct { int c; int a; } box_t;\n")
    assert rules_of(found) == [("type-changed", FAIL), ("member-moved", FAIL), ("struct-grown", WARN)]


def test_macros_that_lose_what_they_are_made_of(kernel: Repo) -> None:
    macros = "#define BIT_OF(x) (%s1 << (x))\n#define TOY_A BIT_OF(1)\n#define TOY_B BIT_OF(2)\n"
    kernel.commit({TOY_HEADER: NOTE + macros % ""}, "bits")
    found = only_finding(uapi(kernel, NOTE + macros % "(u64)"), "macro-unusable")
    assert "TOY_A, TOY_B" in found.message
    assert found.status is Status.WARN


def test_macros_with_parameters_are_compared_by_their_text(kernel: Repo) -> None:
    kernel.commit({TOY_HEADER: NOTE + "#define F(x) ((x) + 1)\n#define G(x) ((x) + 1)\n#define H(x) (x)\n"}, "macros")
    found = uapi(kernel, NOTE + "#define F(value) ((value)+1)\n#define G(x) ((x) + 2)\n")
    assert rules_of(found) == [("macro-text-changed", WARN), ("removed", WARN)]


def test_a_header_removed(kernel: Repo) -> None:
    kernel.commit({"include/uapi/linux/old.h": NOTE}, "old")
    assert rules_of(uapi(kernel, None, "include/uapi/linux/old.h")) == [("header-removed", FAIL)]


def test_a_header_removed_with_its_driver(kernel: Repo) -> None:
    found = uapi_of(kernel, {"include/uapi/linux/box.h": None, "drivers/toy.c": None})
    assert rules_of(found) == [("header-removed", WARN)]


def test_a_header_removed_that_another_one_includes(kernel: Repo) -> None:
    found = uapi(kernel, None, TOY_HEADER)
    assert [(one.rule, one.path) for one in found] == [
        ("header-removed", TOY_HEADER.encode()),
        ("does-not-compile", b"include/uapi/linux/box.h"),
    ]


def test_a_header_of_another_architecture(kernel: Repo) -> None:
    path = "arch/sparc64/include/uapi/asm/toy.h"
    kernel.commit({path: NOTE + "#include <linux/types.h>\nstruct a { __u32 b; };\n"}, "another one")
    found = uapi(kernel, NOTE + "#include <linux/types.h>\nstruct a { __u32 c; __u32 b; };\n", path)
    assert [(one.rule, one.path) for one in found] == [("member-moved", path.encode()), ("struct-grown", path.encode())]


# --- what the text alone says --------------------------------------------------------------------------------------


def test_a_new_header_without_the_note(kernel: Repo) -> None:
    found = uapi(kernel, "/* SPDX-License-Identifier: GPL-2.0 */\n", "include/uapi/linux/new.h")
    assert rules_of(found) == [("syscall-note", FAIL)]


def test_a_new_header_under_another_licence(kernel: Repo) -> None:
    assert uapi(kernel, "/* SPDX-License-Identifier: MIT */\n", "include/uapi/linux/new.h") == ()


def test_a_new_header_that_does_not_stand_alone(kernel: Repo) -> None:
    found = uapi(kernel, NOTE + "struct a { __nowhere b; };\n", "include/uapi/linux/new.h")
    assert rules_of(found) == [("new-does-not-compile", WARN)]


def test_configuration_in_a_header(kernel: Repo) -> None:
    asked = "#ifdef CONFIG_TOY\n#define TOY_ON 1\n#endif\n"
    hidden = "#ifdef __KERNEL__\n#ifdef CONFIG_ONLY_HERE\n#endif\n#endif\n/* CONFIG_SAID */\n"
    found = uapi(kernel, TOY + asked + hidden)
    assert rules_of(found) == [("config-leak", FAIL)]
    assert found[0].line == TOY.count("\n") + 1


def test_configuration_that_the_tree_lets_pass(kernel: Repo) -> None:
    kernel.commit({"scripts/headers_install.sh": f"{TOY_HEADER}:CONFIG_TOY\n"}, "let it")
    assert uapi(kernel, TOY + "#ifdef CONFIG_TOY\n#endif\n") == ()


def test_ioctls_with_a_number_that_nobody_registered(kernel: Repo) -> None:
    table = "====  =====\n't'   00-0F  linux/toy.h\n0xAB  00-1F  linux/nbd.h\n"
    kernel.commit({"Documentation/userspace-api/ioctl/ioctl-number.rst": table}, "the table")
    good = "#define N_IOC _IO(0xab, 1)\n#define N2 _IO('t', 9)\n"
    found = uapi(kernel, TOY + good + "#define MINE 'q'\n#define M_IOC _IOR(MINE, 1, int)\n")
    assert rules_of(found) == [("ioctl-magic", WARN)]
    assert "'q'" in found[0].message


def test_the_list_is_not_told(kernel: Repo) -> None:
    assert rules_of(uapi_of(kernel, {TOY_HEADER: TOY + "\n"}, to="list@example.com")) == [("cc-linux-api", PASS)]


def test_commits_that_are_not_sent_yet_tell_nobody(kernel: Repo) -> None:
    assert uapi_of(kernel, {TOY_HEADER: TOY + "\n"}, to="list@example.com", is_mailed=False) == ()


# --- what is let pass ----------------------------------------------------------------------------------------------


def test_counters_of_snmp_may_move(kernel: Repo) -> None:
    path = "include/uapi/linux/snmp.h"
    kernel.commit({path: NOTE + "enum { A, B };\n"}, "counters")
    found = uapi(kernel, NOTE + "enum { C, A, B };\n", path)
    assert rules_of(found) == [("enumerator-shifted", PASS)]
    assert "by their names" in found[0].message


def test_what_git_config_lets_pass(kernel: Repo) -> None:
    config = {"seriestool.check.uapi-allow": ("linux/toy.h:TOY_MAX*",)}
    text = edited(("#define TOY_MAX_NAME 16\n", ""), ("#define TOY_F_FAST (1 << 0)\n", ""))
    assert rules_of(uapi(kernel, text, config=config)) == [("removed", PASS), ("removed", FAIL)]


def test_some_of_several_enumerators_let_pass(kernel: Repo) -> None:
    text = edited(("\tTOY_RED,\n\tTOY_GREEN,\n", ""))
    some, all_of_them = ({"seriestool.check.uapi-allow": (f"linux/toy.h:{names}",)} for names in ("TOY_RED", "TOY_*"))
    assert rules_of(uapi(kernel, text, config=some)) == [("removed", FAIL), ("enumerator-shifted", FAIL)]
    assert rules_of(uapi(kernel, text, config=all_of_them)) == [("removed", PASS), ("enumerator-shifted", PASS)]


# --- hostile headers -----------------------------------------------------------------------------------------------


def test_a_header_that_includes_what_is_not_its_own(kernel: Repo) -> None:
    found = uapi(kernel, TOY + '#include "/etc/shadow"\n#include "../../../../../../etc/hostname"\n')
    assert rules_of(found)[0] == ("does-not-compile", FAIL)


def test_a_header_whose_expansion_never_ends(kernel: Repo) -> None:
    bomb = "".join(f"#define B{n} B{n - 1}, B{n - 1}\n" for n in range(1, 40))
    found = uapi(kernel, TOY + f"#define B0 0\n{bomb}int bomb[] = {{ B39 }};\n")
    assert rules_of(found) == [("not-compared", SKIP)]
    assert "the compiler was ended" in found[0].message


def test_macros_that_are_only_another_name_for_a_macro(kernel: Repo) -> None:
    text = edited(("#define TOY_IOC_RESET", "#define TOY_IO _IO\n#define TOY_NOWHERE nowhere\n#define TOY_IOC_RESET"))
    kernel.commit({TOY_HEADER: text}, "as in soundcard.h")
    found = uapi(kernel, text.replace("TOY_MAX_NAME 16", "TOY_MAX_NAME 32"))
    assert rules_of(found) == [("macro-value-changed", WARN)]


def test_a_header_with_structs_without_end(kernel: Repo) -> None:
    names = ", ".join(f"m{number}" for number in range(9))
    nested = "int x;"
    for _ in range(11):
        nested = f"struct {{ {nested} }} {names};"
    text = NOTE + f"struct deep {{ {nested} }};\n"
    kernel.commit({TOY_HEADER: text}, "deep")
    found = uapi(kernel, text + "#define A 1\n")
    assert rules_of(found) == [("not-compared", SKIP)]
    assert "more than 10000 members" in found[0].message


def test_more_changes_than_anybody_reads(kernel: Repo) -> None:
    text = "".join(f"#define M{number} {number}\n" for number in range(300))
    kernel.commit({TOY_HEADER: NOTE + text}, "many")
    found = uapi(kernel, NOTE)
    assert len(found) == 61
    assert "240 more" in only_finding(found, "more").message


def test_macros_that_are_no_expressions(kernel: Repo) -> None:
    bodies = ("{", "(", '"x"', "}", "if (1)", "; int x", "1);", ")", "'", "sizeof(", "struct a", "#", "0x", "1.5")
    odd = "".join(f"#define O{number} {body}\n" for number, body in enumerate(bodies))
    kernel.commit({TOY_HEADER: TOY + odd}, "odd")
    text = edited(("TOY_MAX_NAME 16", "TOY_MAX_NAME 32"), text=TOY + odd)
    assert rules_of(uapi(kernel, text)) == [("macro-value-changed", WARN)]


@pytest.mark.parametrize("name", ["a b.h", "a'b.h", "a;touch x.h", "$(x).h", "a\nb.h", "ü.h"])
def test_a_header_with_a_name_for_a_shell(kernel: Repo, name: str) -> None:
    path = f"include/uapi/linux/{name}"
    kernel.commit({path: NOTE + "#define A 1\n"}, "odd")
    found = uapi(kernel, NOTE + "#define A 2\n", path)
    assert rules_of(found) == [("not-compared", SKIP)]


def test_undecodable_bytes(kernel: Repo) -> None:
    kernel.commit({TOY_HEADER: TOY.encode() + b'/* \xff\xfe */\n#define LATIN "\xe9"\n'}, "latin")
    text = TOY.replace("TOY_MAX_NAME 16", "TOY_MAX_NAME 32").encode() + b'/* \xff */\n#define LATIN "\xe9\xe9"\n'
    assert rules_of(uapi(kernel, text)) == [("macro-value-changed", WARN), ("macro-text-changed", WARN)]
