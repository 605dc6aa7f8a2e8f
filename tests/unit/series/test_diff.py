# SPDX-License-Identifier: GPL-2.0-or-later
import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seriestool.series.diff import is_unsafe_path, parse_diff, split_diff, strip_level
from seriestool.series.model import BinaryKind, DiffKind
from seriestool.util.errors import InputError
from tests.support.repos import Repo

HUNK = b"@@ -1 +1 @@\n-old\n+new\n"
SIMPLE = b"diff --git a/f b/f\nindex 1234567..89abcde 100644\n--- a/f\n+++ b/f\n" + HUNK


def paths(text: bytes) -> list[tuple[DiffKind, bytes | None, bytes | None]]:
    return [(diff.kind, diff.old_path, diff.new_path) for diff in parse_diff(text)]


def only_path(text: bytes) -> bytes:
    (diff,) = parse_diff(text)
    return diff.path


def test_a_plain_diff() -> None:
    (diff,) = parse_diff(SIMPLE)
    assert (diff.kind, diff.old_path, diff.new_path) == (DiffKind.MODIFY, b"f", b"f")
    assert (diff.old_blob, diff.new_blob, diff.old_mode, diff.new_mode) == ("1234567", "89abcde", 0o100644, None)
    assert diff.hunks[0].lines == (b"-old\n", b"+new\n")
    assert diff.hunks[0].header == "@@ -1,1 +1,1 @@"


def test_the_section_of_a_hunk_is_kept() -> None:
    (diff,) = parse_diff(SIMPLE.replace(b"@@\n", b"@@ int main(void)\n"))
    assert diff.hunks[0].section == b"int main(void)"


def test_a_mail_around_the_diff_is_passed_over() -> None:
    text = b"Subject: x\n\nbody\n---\n f | 2 +-\n\n" + SIMPLE + b"-- \n2.39.5\n\n____\nlist@example.com\n"
    (diff,) = parse_diff(text)
    assert diff.hunks[0].lines == (b"-old\n", b"+new\n")


def test_a_text_without_a_diff_holds_none() -> None:
    assert parse_diff(b"") == ()
    assert parse_diff(b"just prose\n--- or so\n+++ much\n") == ()


def test_the_last_newline_may_be_lost() -> None:
    assert parse_diff(SIMPLE[:-1]) == parse_diff(SIMPLE)


def with_index(header: bytes) -> bytes:
    """`diff --git` alone is no patch header to git."""
    return header.replace(b"\n", b"\nindex 12345..67890\n", 1) if header.startswith(b"diff") else header


HEADERS = {
    "space in the name": (b"diff --git a/my file b/my file\n--- a/my file\t\n+++ b/my file\t\n", b"my file"),
    "octal quotes": (b'diff --git "a/s\\303\\251.c" "b/s\\303\\251.c"\n', b"s\xc3\xa9.c"),
    "raw UTF-8": ("diff --git a/sé.c b/sé.c\n".encode(), "sé.c".encode()),
    "quote and tab": (b'diff --git "a/a\\"b\\tc" "b/a\\"b\\tc"\n--- "a/a\\"b\\tc"\n+++ "b/a\\"b\\tc"\n', b'a"b\tc'),
    "mnemonic prefixes": (b"diff --git i/d/f w/d/f\n--- i/d/f\n+++ w/d/f\n", b"d/f"),
    "long prefixes": (b"diff --git old/d/f new-one/d/f\n--- old/d/f\n+++ new-one/d/f\n", b"d/f"),
    "no prefix": (b"diff --git src/f src/f\n--- src/f\n+++ src/f\n", b"src/f"),
    "no prefix, in the root": (b"diff --git f f\n--- f\n+++ f\n", b"f"),
    "no prefix, quoted": (b'diff --git "s\\303\\251" "s\\303\\251"\n', b"s\xc3\xa9"),
    "no prefix, spaces": (b"diff --git d/a b d/a b\n", b"d/a b"),
    "CRLF headers": (b"diff --git a/f b/f\r\n--- a/f\r\n+++ b/f\r\n", b"f"),
    "one side quoted": (b'diff --git a/x "b/x"\n', b"x"),
    "double slash": (b"diff --git a/d//f b/d//f\n--- a/d//f\n+++ b/d//f\n", b"d/f"),
    "traditional": (b"--- a/d/f\n+++ b/d/f\n", b"d/f"),
    "traditional, GNU time": (
        b"--- a/d/f\t2024-01-02 03:04:05.000000006 +0100\n+++ b/d/f\t2024-01-02 03:04:05.1 +0100\n", b"d/f"),
    "traditional, time behind blanks": (
        b"--- a/d/my f   2024-01-02 03:04:05 +0100\n+++ b/d/my f   2024-01-02 03:04:05 +0100\n", b"d/my f"),
    "traditional, .orig": (b"--- a/d/f.orig\n+++ b/d/f\n", b"d/f"),
    "traditional, new behind": (b"--- a/d/f\n+++ b/d/f.new\n", b"d/f"),
    "traditional, in the root, no prefix": (b"--- f\n+++ f\n", b"f"),
}  # fmt: skip


@pytest.mark.parametrize(("header", "path"), HEADERS.values(), ids=HEADERS)
def test_names(header: bytes, path: bytes) -> None:
    assert only_path(with_index(header) + HUNK) == path


@pytest.mark.parametrize(("header", "path"), HEADERS.values(), ids=HEADERS)
def test_git_reads_the_same_names(repo: Repo, header: bytes, path: bytes) -> None:
    text = (with_index(header) + HUNK).replace(b"\r\n", b"\n")
    options = ["-z", "--numstat", f"-p{strip_level(text)}"]
    assert repo.git_bytes("apply", *options, input=text) == b"1\t1\t%s\0" % path


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (SIMPLE, 1),
        (b"diff --git src/f src/f\n--- src/f\n+++ src/f\n" + HUNK, 0),
        (b"diff --git src/f src/f\n--- src/f\n+++ src/f\n" + HUNK + SIMPLE, 1),
        (b"diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n", 1),
        (b"diff --git d/x d/y\nsimilarity index 100%\nrename from d/x\nrename to d/y\n", 0),
        (b"--- a/f\n+++ b/f\n" + HUNK, 1),
        (b"--- f\n+++ f\n" + HUNK, 0),
        (b"", 1),
    ],
)
def test_strip_level(text: bytes, level: int) -> None:
    assert strip_level(text) == level


def test_git_applies_a_no_prefix_diff_at_its_strip_level(repo: Repo) -> None:
    base = repo.commit({"src/a.c": "one\n", "b": "x\n"})
    tip = repo.commit({"src/a.c": "two\n", "b": None, "src/c": "x\n", "d": "new\n"})
    text = repo.git_bytes("diff", "--no-prefix", "-M", base, tip)
    assert {diff.path for diff in parse_diff(text)} == {b"src/a.c", b"src/c", b"d"}
    repo.git("read-tree", base)
    repo.git("apply", "--cached", f"-p{strip_level(text)}", input=text)
    assert repo.git("write-tree") == repo.git("rev-parse", f"{tip}^{{tree}}")


def test_kinds_as_git_writes_them(repo: Repo) -> None:
    body = "".join(f"line {i}\n" for i in range(20))
    base = repo.commit({"mod": "a\n", "del": "d\n", "mv": body, "cp": body + "1\n", "mode": ("m\n", 0o100644)})
    tip = repo.commit(
        {"mod": "b\n", "del": None, "mv": None, "moved": body, "copied": body + "1\n",
         "cp": body + "2\n", "mode": ("m\n", 0o100755), "new": "n\n", "empty": "", "link": ("mod", 0o120000),
         "sub": ("1" * 40, 0o160000), "blob": b"\0\1\2"})  # fmt: skip
    diffs = parse_diff(repo.git_bytes("diff", "-M", "-C", "-C", "--binary", base, tip))
    assert {(diff.kind.value, diff.old_path, diff.new_path) for diff in diffs} == {
        ("modify", b"mod", b"mod"),
        ("modify", b"cp", b"cp"),
        ("modify", b"mode", b"mode"),
        ("delete", b"del", None),
        ("rename", b"mv", b"moved"),
        ("copy", b"cp", b"copied"),
        ("create", None, b"empty"),
        ("create", None, b"new"),
        ("create", None, b"link"),
        ("create", None, b"sub"),
        ("create", None, b"blob"),
    }
    by_path = {diff.path: diff for diff in diffs}
    assert by_path[b"mode"].old_mode != by_path[b"mode"].new_mode
    assert by_path[b"link"].new_mode == 0o120000
    assert by_path[b"sub"].new_mode == 0o160000
    assert by_path[b"blob"].binary is BinaryKind.PATCH
    assert by_path[b"blob"].binary_hunks[0].method == "literal"
    assert by_path[b"new"].old_blob is None


def test_sha256_ids_are_kept_whole() -> None:
    (diff,) = parse_diff(SIMPLE.replace(b"1234567..89abcde", b"1" * 64 + b".." + b"A" * 64))
    assert (diff.old_blob, diff.new_blob) == ("1" * 64, "a" * 64)


def test_an_index_line_of_four_digits() -> None:
    (diff,) = parse_diff(SIMPLE.replace(b"1234567..89abcde", b"1234..89ab"))
    assert diff.old_blob == "1234"


def test_binary_files_differ() -> None:
    (diff,) = parse_diff(b"diff --git a/x b/x\nindex 1234567..89abcde 100644\nBinary files a/x and b/x differ\n")
    assert diff.binary is BinaryKind.DIFFER


def test_two_diffs_of_one_file() -> None:
    assert [diff.path for diff in parse_diff(SIMPLE + SIMPLE)] == [b"f", b"f"]


@pytest.mark.parametrize("marker", [b"\\ No newline at end of file\n", b"\\ Kein Zeilenumbruch am Dateiende.\n"])
def test_no_newline_at_the_end_in_any_language(marker: bytes) -> None:
    (diff,) = parse_diff(b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-old\n" + marker + b"+new\n" + marker)
    assert diff.hunks[0].lines == (b"-old", b"+new")


def test_an_empty_context_line_whose_blank_was_eaten() -> None:
    (diff,) = parse_diff(b"--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n-a\n+b\n\n c\n")
    assert diff.hunks[0].lines == (b"-a\n", b"+b\n", b" \n", b" c\n")


def test_crlf_content_is_kept() -> None:
    (diff,) = parse_diff(SIMPLE.replace(b"\n", b"\r\n"))
    assert diff.path == b"f"
    assert diff.hunks[0].lines == (b"-old\r\n", b"+new\r\n")


def test_lines_that_look_like_headers_inside_a_hunk() -> None:
    text = b"--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n--- a/g\n-@@ -1 +1 @@\n+++ b/g\n+diff --git a/x b/x\n"
    (diff,) = parse_diff(text)
    assert len(diff.hunks[0].lines) == 4


def test_dev_null_in_a_traditional_diff() -> None:
    assert paths(b"--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n") == [(DiffKind.CREATE, None, b"f")]
    assert paths(b"--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n") == [(DiffKind.DELETE, b"f", None)]


def test_the_start_of_1970_stands_for_an_absent_file() -> None:
    text = b"--- a/f\t1970-01-01 01:00:00.000000000 +0100\n+++ b/f\t2024-01-01 01:00:00 +0100\n@@ -0,0 +1 @@\n+x\n"
    assert paths(text) == [(DiffKind.CREATE, None, b"f")]


def test_a_traditional_diff_that_only_adds_may_create_its_file() -> None:
    assert [diff.may_create for diff in parse_diff(b"--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+x\n")] == [True]
    assert [diff.may_create for diff in parse_diff(SIMPLE)] == [False]


CORRUPT = {
    "cut short": (SIMPLE[:-5], "corrupt patch at line 7"),
    "wrapped line": (SIMPLE.replace(b"-old", b"-o\nld"), "corrupt patch at line 7"),
    "wrong counts": (SIMPLE.replace(b"-1 +1", b"-1,2 +1"), "corrupt patch at line 8"),
    "nothing changes": (b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n same\n", "corrupt patch at line 4"),
    "no header": (HUNK, "patch fragment without header at line 1"),
    "only garbage": (b"diff --git a/f b/f\nindex 1234567..89abcde 100644\nhello\n", "only garbage at line 3"),
    "new file with old lines": (
        b"diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n" + HUNK, "new file depends on old"),
    "deleted file with new lines": (
        b"diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n" + HUNK, "still has contents"),
    "names differ": (b"diff --git a/f b/g\n" + HUNK, "garbage|lacks filename|without header"),
    "new and rename": (
        b"diff --git a/f b/g\nnew file mode 100644\nrename from f\nrename to g\n", "inconsistent header"),
    "bad mode": (b"diff --git a/f b/f\nold mode 10x\n", "invalid mode at line 2"),
    "combined": (b"diff --cc f\nindex 1,2..3\n--- a/f\n+++ b/f\n@@@ -1 -1 +1 @@@\n", "combined diff"),
    "binary": (
        b"diff --git a/f b/f\nindex 1..2\nnew file mode 100644\nGIT binary patch\nliteral 4\nLc$\n\n", "corrupt bin"),
    "huge numbers": (b"--- a/f\n+++ b/f\n@@ -" + b"9" * 5000 + b" +1 @@\n-a\n+b\n", "corrupt patch"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), CORRUPT.values(), ids=CORRUPT)
def test_corrupt_patches_are_refused(text: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_diff(text)
    assert "\n" not in caught.value.message


UNSAFE = [b"/etc/passwd", b"../x", b"a/../b", b"a/./b", b".", b"", b".git/config", b"a/.GIT/x", b"git~1/x", b".git./x",
          b"x\0y", b"a//b", b"a/", b"a\\.git\\b", b".git::$INDEX_ALLOCATION/x"]  # fmt: skip


@pytest.mark.parametrize("path", UNSAFE)
def test_unsafe_paths(path: bytes) -> None:
    assert is_unsafe_path(path)


@pytest.mark.parametrize("path", [b"a", b".gitignore", b"a/.github/x", b"a..b", b"...", b"git~2", b"\xff", b"a b"])
def test_safe_paths(path: bytes) -> None:
    assert not is_unsafe_path(path)


@pytest.mark.parametrize("path", [b"../x", b"d/../../x", b".git/config", b"d/.Git/hooks/x"])
def test_a_diff_of_an_unsafe_path_is_refused(path: bytes) -> None:
    with pytest.raises(InputError, match="refusing unsafe path"):
        parse_diff(SIMPLE.replace(b"/f", b"/" + path))


def test_unsafe_rename_targets_and_absolute_paths_are_refused() -> None:
    rename = b"diff --git a/x b/../y\nsimilarity index 100%\nrename from x\nrename to ../y\n"
    with pytest.raises(InputError, match="refusing unsafe path"):
        parse_diff(rename)
    with pytest.raises(InputError, match="refusing unsafe path '/etc/passwd'"):
        parse_diff(b"--- /etc/passwd\n+++ /etc/passwd\n" + HUNK)
    with pytest.raises(InputError, match="refusing unsafe path"):
        parse_diff(b'diff --git "a/x\\000y" "b/x\\000y"\nold mode 100644\nnew mode 100755\n')


def test_time_grows_with_size_only() -> None:
    """Inputs at which a careless scan is quadratic."""
    blanks = b"diff --git a/" + b"a " * 200_000 + b"b/" + b"x\n"
    slashes = b"diff --git a/" + b"/ " * 200_000 + b"\nold mode 100644\nnew mode 100755\n"
    quotes = b'diff --git "' + b"\\" * 400_000 + b"\nold mode 100644\n"
    dates = b"--- a/f" + b" " * 400_000 + b"2\n+++ b/f\n" + HUNK
    start = time.process_time()
    for text in (blanks, slashes, quotes, dates, b"@@ -" * 200_000, SIMPLE * 5000, b"--- \n+++ \n" * 50_000):
        try:
            parse_diff(text)
        except InputError:
            continue
    assert time.process_time() - start < 3


BINARY = b"""\
diff --git a/f b/f
index 0000000000000000000000000000000000000000..b66efb8c21f4f4ed3b1c1a2c9d7c6a5f6f7ae8d1 100644
GIT binary patch
literal 4
LcmZQzWMT#Y01f~L

literal 0
HcmV?d00001

"""
_SEEDS = [
    SIMPLE, BINARY, SIMPLE.replace(b"\n", b"\r\n"), *(header + HUNK for header, _ in HEADERS.values()),
    *(text for text, _ in CORRUPT.values())]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    lines = draw(st.sampled_from(_SEEDS)).splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines)))
        other = draw(st.sampled_from(_SEEDS)).splitlines(keepends=True)
        how = draw(st.integers(0, 3))
        if how == 0:
            lines[at : at + 1] = []
        elif how == 1:
            lines.insert(at, draw(st.sampled_from(other)))
        elif how == 2 and at < len(lines):
            spot = draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:spot] + draw(st.binary(max_size=3)) + lines[at][spot + 1 :]
        else:
            lines.insert(at, draw(st.binary(max_size=12)) + b"\n")
    return b"".join(lines)


@settings(max_examples=600, deadline=None)
@given(st.one_of(mutated(), st.binary(max_size=200)))
def test_whatever_comes_only_input_errors_go_out(text: bytes) -> None:
    try:
        diffs = parse_diff(text)
    except InputError as error:
        assert "\n" not in error.message
        return
    for diff in diffs:
        for path in (diff.old_path, diff.new_path):
            assert path is None or not is_unsafe_path(path)
        for hunk in diff.hunks:
            marks = [line[:1] for line in hunk.lines]
            assert marks.count(b" ") + marks.count(b"-") == hunk.old_lines
            assert marks.count(b" ") + marks.count(b"+") == hunk.new_lines


def test_git_agrees_on_what_is_corrupt(repo: Repo) -> None:
    """Each seed with one line taken out: git and the parser say yes to the same ones."""
    cases = [
        b"".join(lines[:at] + lines[at + 1 :])
        for seed in (SIMPLE, SIMPLE + SIMPLE, b"--- a/f\n+++ b/f\n" + HUNK)
        for lines in [seed.splitlines(keepends=True)]
        for at in range(len(lines))
    ]
    for text in cases:
        assert bool(parsed(text)) == git_parses(repo, text), text


def parsed(text: bytes) -> bool:
    try:
        return bool(parse_diff(text))
    except InputError:
        return False


def git_parses(repo: Repo, text: bytes) -> bool:
    try:
        repo.git_bytes("apply", "--numstat", "--check", "--cached", input=text)
    except AssertionError as error:
        return "does not exist in index" in str(error) or "does not apply" in str(error)
    return True


def test_pairs_of_diffs_keep_their_order() -> None:
    texts = [b"diff --git a/%c b/%c\nold mode 100644\nnew mode 100755\n" % (c, c) for c in b"abc"]
    for order in itertools.permutations(texts):
        assert [diff.path for diff in parse_diff(b"".join(order))] == [text[13:14] for text in order]


TWO = (
    b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-diff --git a/y b/y\n+b\n c\n"
    b"--- old/z\n+++ new/z\n@@ -1 +1 @@\n-a\n+b\n-- \n2.39.5\n\n"
)


def test_a_diff_in_pieces() -> None:
    first, second = split_diff(TWO)
    assert first.startswith(b"diff --git a/x b/x\n")
    assert second.startswith(b"--- old/z\n")
    assert [diff.path for piece in (first, second) for diff in parse_diff(piece)] == [b"x", b"z"]


@pytest.mark.parametrize("text", [TWO, TWO.removesuffix(b"\n-- \n2.39.5\n\n"), b"prose\n" + TWO, b"", b"prose\n"])
def test_the_pieces_are_the_whole(text: bytes) -> None:
    pieces = split_diff(text)
    assert b"".join(pieces) == (text if parse_diff(text) else b"")
    assert len(pieces) == len(parse_diff(text))
