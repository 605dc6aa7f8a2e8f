# SPDX-License-Identifier: GPL-2.0-or-later
"""How grave a finding is, by profile and by the user's word."""

import pytest
from msgspec.structs import replace

from seriestool.check.profiles import (
    PROFILES,
    Severities,
    apply_severities,
    get_profile,
    guess_profile,
    parse_severities,
)
from seriestool.check.protocol import Finding, Status
from seriestool.util.errors import InputError
from tests.support.repos import Repo
from tests.support.series import mail_series, parse_series

WARN = Finding(Status.WARN, "odd", "this is odd")


def weighed(finding: Finding, *tables: Severities) -> list[str]:
    return [str(one.status) for one in apply_severities([finding], "probe", tables)]


@pytest.mark.parametrize(
    ("tables", "status"),
    [
        ([], ["warn"]),
        ([{"probe/odd": Status.FAIL}], ["fail"]),
        ([{"probe": Status.FAIL}], ["fail"]),
        ([{"other/odd": Status.FAIL}], ["warn"]),
        ([{"probe/odd": None}], []),
        ([{"probe": None}], []),
        ([{"probe": None, "probe/odd": Status.FAIL}], ["fail"]),
        ([{"probe/odd": Status.FAIL}, {"probe/odd": Status.PASS}], ["pass"]),
        ([{"probe/odd": Status.FAIL}, {"probe": None}], []),
    ],
)
def test_the_last_word_counts_and_a_rule_goes_before_its_check(tables: list[Severities], status: list[str]) -> None:
    assert weighed(WARN, *tables) == status


@pytest.mark.parametrize("status", [Status.SKIP, Status.ERROR])
def test_what_could_not_be_seen_is_never_made_a_fail(status: Status) -> None:
    finding = replace(WARN, status=status)
    assert weighed(finding, {"probe": Status.FAIL, "probe/odd": Status.FAIL}) == [str(status)]


def test_a_note_stays_a_note_unless_its_rule_is_named() -> None:
    note = replace(WARN, status=Status.PASS)
    assert weighed(note, {"probe": Status.FAIL}) == ["pass"]
    assert weighed(note, {"probe/odd": Status.FAIL}) == ["fail"]


def test_severities_are_read() -> None:
    assert parse_severities(["a/b=fail", " c = note ", "d=off"]) == {
        "a/b": Status.FAIL,
        "c": Status.PASS,
        "d": None,
    }


@pytest.mark.parametrize("value", ["", "a", "a=", "=fail", "a=loud"])
def test_what_is_no_severity_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="is no severity"):
        parse_severities([value])


def test_an_unknown_profile_is_refused_and_the_others_are_named() -> None:
    with pytest.raises(InputError) as error:
        get_profile("nope")
    assert all(profile.name in str(error.value.hint) for profile in PROFILES)


@pytest.mark.parametrize(
    ("prefix", "kernel", "name"),
    [
        ("PATCH", True, "generic"),
        ("PATCH net-next", True, "netdev"),
        ("PATCH net", True, "netdev"),
        ("PATCH RFC tip", True, "tip"),
        ("PATCH 6.6.y", True, "stable"),
        ("PATCH 5.15", True, "stable"),
        ("PATCH bpf-next", True, "generic"),
        ("PATCH net", False, "not-kernel"),
    ],
)
def test_the_subject_names_the_profile(repo: Repo, prefix: str, kernel: bool, name: str) -> None:
    repo.commit({"start": "x\n"})
    series = parse_series(mail_series(repo, ("one", {"a": "1\n"}), prefix=prefix))
    assert guess_profile(series, kernel).name == name
