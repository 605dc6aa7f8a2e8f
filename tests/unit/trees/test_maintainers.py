# SPDX-License-Identifier: GPL-2.0-or-later
"""MAINTAINERS: its patterns mean what scripts/get_maintainer.pl makes of them."""

import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.trees.maintainers import Maintainers, TreeLine, parse_maintainers, parse_tree_line

HEAD = b"""\
List of maintainers
===================

\tM: *Mail* patches to: FullName <address@domain>
\tF: *Files* and directories wildcard patterns.

Maintainers List
----------------

"""


def headings(maintainers: Maintainers, path: bytes) -> list[str]:
    return [match.section.heading for match in maintainers.match(path)]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        (b"fs/*", b"fs/file.c", True),
        (b"fs/*", b"fs/nfsd/file.c", False),
        (b"fs/*/", b"fs/nfsd/file.c", True),
        (b"fs/*/", b"fs/file.c", False),
        (b"fs/nfsd/", b"fs/nfsd/a/b/c.c", True),
        (b"fs/nfsd/", b"fs/nfsd.c", False),
        (b"fs/nfsd", b"fs/nfsd/a.c", True),
        (b"fs/nfs", b"fs/nfsd/a.c", False),
        (b"drivers/scsi/3w-*", b"drivers/scsi/3w-sas.h", True),
        (b"drivers/input/da72??.[ch]", b"drivers/input/da7280.c", True),
        (b"drivers/input/da72??.[ch]", b"drivers/input/da7280.o", False),
        (b"include/linux/sc[mp]i_p.h", b"include/linux/scpi_p.h", True),
        (b"net/x.c", b"net/x.c", True),
        (b"net/x.c", b"net/x.ccc", True),  # patterns are the beginning of a path
        (b"net/x.c", b"net/xyc", False),
        (b"net/x.c", b"old/net/x.c", False),
        (b"arch/*/include/x.h", b"arch/arm/include/x.h", True),
        (b"arch/*/include/x.h", b"arch/arm/a/include/x.h", False),
        (b"arch/**/x.h", b"arch/arm/a/include/x.h", True),
        (b"*", b"Makefile", True),
        (b"*", b"fs/Makefile", False),
        (b"*/", b"fs/nfsd/x.c", True),
        (b"c++/", b"c++/x", True),
        (b"a(b/", b"a(b/x", True),
        (b"[", b"[", True),
    ],
)
def test_file_pattern(pattern: bytes, path: bytes, fits: bool) -> None:
    maintainers = parse_maintainers(b"SECTION\nF:\t" + pattern + b"\n")
    assert (headings(maintainers, path) == ["SECTION"]) is fits


def test_the_most_special_section_comes_first_and_the_rest_last() -> None:
    text = b"THE REST\nF:\t*\nF:\t*/\n\nNET\nF:\tnet/\n\nNAMED\nN:\tsunrpc\n\nSUNRPC\nF:\tnet/sunrpc/\n"
    found = parse_maintainers(text).match(b"net/sunrpc/svc.c")
    assert [(match.section.heading, match.depth) for match in found] == [
        ("SUNRPC", 2), ("NET", 1), ("NAMED", 0), ("THE REST", -1),
    ]  # fmt: skip


def test_excluded_paths_are_excluded_from_names_too() -> None:
    maintainers = parse_maintainers(b"A\nF:\tnet/\nN:\tfoo\nX:\tnet/wireless/\n")
    assert headings(maintainers, b"net/core/foo.c") == ["A"]
    assert headings(maintainers, b"net/wireless/foo.c") == []


def test_names_and_keywords_are_extended_regular_expressions() -> None:
    maintainers = parse_maintainers(b"OWL\nN:\tow l\n\nBPF\nK:\t(?:\\b|_)bpf(?:\\b|_)\n\nBAD\nK:\t((\nN:\t*x\n")
    assert headings(maintainers, b"drivers/owl.c") == ["OWL"]
    assert [s.heading for s in maintainers.match_content([b"+ x", b"+ my_bpf_prog()"])] == ["BPF"]
    assert maintainers.match_content([b"+ ebpfs"]) == ()


@pytest.mark.parametrize(
    ("keyword", "line", "fits"),
    [
        (rb"\bunsafe_memcpy\b", b"unsafe_memcpy(", True),
        (rb"(devm_)?gpio_regmap_(un)?register", b"gpio_regmap_register", True),
        (rb"(devm_)?gpio_regmap_(un)?register", b"gpio_regmap_x", False),
        (rb"colou?r", b"color", True),
        (rb"ab*c", b"ac", True),
        (rb"ab{0,2}c", b"ac", True),
        (rb"foo|bar", b"bar", True),
        (rb"(foo|bar)", b"bar", True),
        (rb"((foo)|x(bar))", b"xbar", True),
        (rb"[gG]oogle.?[tT]ensor", b"Google-tensor", True),
        (rb"\b(?i:clang|llvm)\b", b"Clang", True),
        (rb"(?i)landlock", b"LandLock", True),
        (rb"foo  # comment", b"foo", True),
        (rb"foo\ bar", b"foo bar", True),
        (rb"a\(b", b"a(b", True),
        (rb"x[(|]y", b"x|y", True),
    ],
)
def test_keyword(keyword: bytes, line: bytes, fits: bool) -> None:
    maintainers = parse_maintainers(b"A\nK:\t" + keyword + b"\n")
    assert bool(maintainers.match_content([b"+ other", line])) is fits


def test_pattern_that_would_take_for_ever_is_passed_over() -> None:
    maintainers = parse_maintainers(b"EVIL\nN:\t(a+)+$\nN:\t(a|a)*b\nN:\ta*a*a*a*a*b\nF:\t**a**a**a**a**a**b\n")
    started = time.perf_counter()
    assert headings(maintainers, b"a" * 4000) == []
    assert time.perf_counter() - started < 1


def test_introduction_is_no_section() -> None:
    (section,) = parse_maintainers(HEAD + b"NET\nL:\tNetdev@vger.kernel.org (moderated)\nS:\tMaintained\n").sections
    assert (section.heading, section.lists, section.status) == ("NET", ("netdev@vger.kernel.org",), "Maintained")


def test_lists_that_only_take_subscribers() -> None:
    text = b"NET\nL:\ta@x (moderated for non-subscribers)\nL:\tb@x (subscribers-only)\nL:\tc@x\nF:\tnet/\n"
    (section,) = parse_maintainers(text).sections
    assert (section.lists, section.closed) == (("a@x", "b@x", "c@x"), ("b@x",))


def test_maintainers_and_reviewers() -> None:
    (section,) = parse_maintainers(b"NET\nM:\tA <a@x>\nR:\tB <b@x>\nM:\tC <c@x>\n").sections
    assert (section.maintainers, section.reviewers) == (("A <a@x>", "C <c@x>"), ("B <b@x>",))


def test_odd_bytes_do_not_stop_the_parser() -> None:
    noise = random.Random(1).randbytes(20_000)  # noqa: S311
    (*_, section) = parse_maintainers(noise + b"\n\nA\x1b[31m\xff\nL:\t\nL:\nF:\nT:\n:\nX\nM:\tx\n").sections
    assert section.heading.isprintable()


@given(st.lists(st.tuples(st.sampled_from("FXNKTLMS"), st.binary(max_size=40))), st.binary(max_size=60))
def test_no_file_is_a_traceback(lines: list[tuple[str, bytes]], path: bytes) -> None:
    text = b"A\n" + b"".join(letter.encode() + b":\t" + value + b"\n" for letter, value in lines)
    maintainers = parse_maintainers(text)
    maintainers.match(path)
    maintainers.match_content([path])


@pytest.mark.parametrize(
    ("value", "tree"),
    [
        ("git git://host/a.git", TreeLine("git", "git://host/a.git", None)),
        ("git https://host/a.git for-next", TreeLine("git", "https://host/a.git", "for-next")),
        ("git git://host/a.git (next)", TreeLine("git", "git://host/a.git", "next")),
        ("git git://host/a.git (For ARM Updates)", TreeLine("git", "git://host/a.git", None)),
        ("git git git://host/a.git", TreeLine("git", "git://host/a.git", None)),
        ("git: git://host/a.git", TreeLine("git", "git://host/a.git", None)),
        ("git: https: https://host/a.git", TreeLine("git", "https://host/a.git", None)),
        ("https://host/a.git", TreeLine("git", "https://host/a.git", None)),
        ("quilt https://host/quilt/", TreeLine("quilt", "https://host/quilt/", None)),
        ("hg http://host/x", TreeLine("hg", "http://host/x", None)),
        ("", None),
        ("git", None),
        ("git not-a-url", None),
        ("cvs x://y", None),
    ],
)
def test_tree_line(value: str, tree: TreeLine | None) -> None:
    assert parse_tree_line(value) == tree


@pytest.fixture
def kernel(shared: Callable[[str], Path], tmp_path: Path) -> Path:
    """The folders of v7.1.8 in ../shared, checked out."""
    if not shutil.which("perl"):
        pytest.skip("needs perl, which is not there")
    bundle = shared("data/kernel-subset.bundle")
    tree = tmp_path / "kernel"
    subprocess.run(["git", "clone", "-q", "--branch", "stable-7.1", str(bundle), str(tree)], check=True)
    return tree


def test_same_sections_as_get_maintainer(kernel: Path) -> None:
    text = (kernel / "MAINTAINERS").read_bytes()
    chosen = random.Random(7)  # noqa: S311
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=kernel, capture_output=True, check=True).stdout.split(b"\0")
    files = chosen.sample([path for path in listed if path], 40) + _made_up(kernel, text, chosen)
    blocks = _perl_sections(kernel, files, {section.heading for section in parse_maintainers(text).sections})
    maintainers = parse_maintainers(text)
    ours = [sorted(headings(maintainers, path)) for path in files]
    assert len(blocks) == len(files)
    assert [(p, a, b) for p, a, b in zip(files, ours, map(sorted, blocks), strict=True) if a != b] == []


def _made_up(kernel: Path, text: bytes, chosen: random.Random) -> list[bytes]:
    """Files that patterns name and the cut-down tree lacks, created empty: the patterns' own variety."""
    patterns = re.findall(rb"^[FX]:\s*(\S+)$", text, re.MULTILINE)
    made = []
    for pattern in chosen.sample(patterns, 60):
        path = re.sub(rb"\[(.)[^\]]*\]", rb"\1", pattern).replace(b"*", b"qq").replace(b"?", b"q")
        file = kernel / (path + b"some/file.c" if path.endswith(b"/") else path).decode()
        if file.exists() or any(parent.is_file() for parent in file.parents):
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
        made.append(str(file.relative_to(kernel)).encode())
    return [path for path in made if (kernel / path.decode()).is_file()]


def _perl_sections(kernel: Path, files: list[bytes], known: set[str]) -> list[list[str]]:
    command = ["perl", "scripts/get_maintainer.pl", "--no-tree", "--no-git", "--no-git-fallback", "--sections", "-f"]
    printed = subprocess.run([*command, *files], cwd=kernel, capture_output=True, check=True).stdout.decode()
    blocks: list[list[str]] = [[]]
    for line in printed.splitlines():
        if line in known:
            blocks[-1].append(line)
        if line == "THE REST":  # every path belongs to it, and it is the last to be printed
            blocks.append([])
    return blocks[:-1]
