# SPDX-License-Identifier: GPL-2.0-or-later
import pytest

from seriestool.trees.history import blob_prefix, is_absent, match_value, mode_of, value_of

OID = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("mode", [0o100644, 0o100755, 0o120000, 0o160000, 0o100664])
def test_a_value_keeps_mode_and_fifteen_digits(mode: int) -> None:
    value = value_of(mode, OID)
    assert (mode_of(value), blob_prefix(value), is_absent(value)) == (mode, OID[:15], False)


def test_an_odd_mode_counts_as_group_writable() -> None:
    assert mode_of(value_of(0o100600, OID)) == 0o100664


@pytest.mark.parametrize("prefix", ["0", OID[:7], OID[:15], OID[:16], OID, OID[:15] + "fff", ""])
def test_prefixes_match_by_their_first_fifteen_digits(prefix: str) -> None:
    assert match_value(value_of(0o100644, OID), prefix)


@pytest.mark.parametrize("prefix", ["1", "0124", OID[:14] + "f"])
def test_other_prefixes_do_not_match(prefix: str) -> None:
    assert not match_value(value_of(0o100644, OID), prefix)


def test_absent_matches_no_blob_not_even_zeros() -> None:
    assert is_absent(0) and mode_of(0) == 0
    assert not match_value(0, "0000000")


def test_a_blob_that_begins_with_zeros_is_there() -> None:
    value = value_of(0o100644, "0" * 40)
    assert not is_absent(value)
    assert match_value(value, "0000000")
