# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch cut by file is the patch, in parts."""

from msgspec.structs import replace

from seriestool.series.diff import parse_diff
from seriestool.series.model import Patch
from seriestool.split.plan_series import split_by_file
from tests.support.split_series import one_line_diff, owners_of, patch_on, series_of

FILES = ["net/a.c", "fs/nfsd/b.c", "net/c.c", "net/d.c"]


def cut(patch: Patch) -> tuple[Patch, ...]:
    return split_by_file(patch, owners_of(series_of(patch)))


def test_one_part_for_each_tree() -> None:
    patch = patch_on(1, "net: x", FILES)
    net, nfsd = cut(patch)
    assert net.diff == "".join(one_line_diff(path) for path in ("net/a.c", "net/c.c", "net/d.c")).encode()
    assert nfsd.diff == one_line_diff("fs/nfsd/b.c").encode()
    assert (net.files, nfsd.files) == (parse_diff(net.diff), parse_diff(nfsd.diff))
    assert net.message == f'{patch.message}\n[part 1 of 2 of "net: x", the files of net]'
    assert nfsd.message.endswith('\n[part 2 of 2 of "net: x", the files of sven/linux]')
    assert {(one.counter, one.subject, one.msgid, one.author_email) for one in (net, nfsd)} == {
        (1, "net: x", "", patch.author_email)
    }


def test_a_patch_of_one_tree_is_left_alone() -> None:
    patch = patch_on(1, "net: x", ["net/a.c", "net/c.c"])
    assert cut(patch) == (patch,)


def test_the_signature_and_crlf_survive() -> None:
    patch = patch_on(1, "net: x", FILES[:2])
    diff = (
        one_line_diff("net/a.c").replace("new 0\n", "new 0\r\n").encode()
        + one_line_diff("fs/nfsd/b.c").encode()
        + b"-- \n2.39\n"
    )
    parts = cut(replace(patch, diff=diff, files=parse_diff(diff)))
    assert b"".join(part.diff for part in parts) == diff


def test_the_diffstat_of_the_whole_is_left_out() -> None:
    notes = "v2: better\n\n fs/nfsd/b.c | 2 +-\n net/a.c     | 2 +-\n 2 files changed, 2 insertions(+), 2 deletions(-)"
    assert {part.notes for part in cut(replace(patch_on(1, "net: x", FILES), notes=notes))} == {"v2: better"}
