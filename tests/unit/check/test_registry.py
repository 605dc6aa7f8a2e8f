# SPDX-License-Identifier: GPL-2.0-or-later
"""Which checks there are: ours, those of other packages, the user's commands."""

import re
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from seriestool.check.profiles import PROFILES
from seriestool.check.protocol import Check, CheckError, Scope
from seriestool.check.registry import BUILTIN, ENTRY_POINTS, find_checks
from seriestool.util.errors import InputError
from tests.support.repos import ROOT

OWN = Check("own", "a command", Scope.PATCH, lambda _: ())


def names(checks: tuple[Check, ...]) -> list[str]:
    return [check.name for check in checks]


def test_all_of_ours_in_their_order() -> None:
    assert names(find_checks((), ())) == list(BUILTIN)


def test_every_module_of_check_is_registered() -> None:
    modules = {path.stem.replace("_", "-") for path in (ROOT / "seriestool/check/rules").glob("*.py")} - {"--init--"}
    assert modules == set(BUILTIN)


def test_some_of_them() -> None:
    assert names(find_checks(BUILTIN[1::-1], ())) == list(BUILTIN[:2])
    assert names(find_checks(BUILTIN[:3], BUILTIN[:1])) == list(BUILTIN[1:3])


@pytest.mark.parametrize("where", [0, 1])
def test_an_unknown_name_is_refused_with_the_nearest(where: int) -> None:
    asked: list[tuple[str, ...]] = [(), ()]
    asked[where] = (BUILTIN[0] + "x",)
    with pytest.raises(InputError, match="there is no check") as error:
        find_checks(asked[0], asked[1])
    assert error.value.hint == f"did you mean '{BUILTIN[0]}'?"


def test_a_command_comes_last_and_cannot_take_a_name_of_ours() -> None:
    taken = Check(BUILTIN[0], "a command", Scope.PATCH, lambda _: ())
    found = find_checks((), (), [OWN, taken])
    assert names(found) == [*BUILTIN, "own", f"{BUILTIN[0]}-2"]
    assert found[0].summary != "a command"


def test_several_commands_of_one_program_are_all_run() -> None:
    assert names(find_checks((), BUILTIN, [OWN, OWN, OWN])) == ["own", "own-2", "own-3"]


def test_that_no_check_is_left_is_no_clean_answer() -> None:
    with pytest.raises(InputError, match="no check is left"):
        find_checks(BUILTIN[:1], BUILTIN[:1])


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def give(**values: str) -> None:
        points = EntryPoints(EntryPoint(name, value, ENTRY_POINTS) for name, value in values.items())
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points.select(group=group))

    return give


def test_another_package_adds_a_check(
    entry_points: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other_package.py").write_text(
        "from seriestool.check.protocol import Check, Scope\nCHECK = Check('theirs', 'x', Scope.PATCH, lambda _: ())\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    entry_points(theirs="other_package:CHECK")
    assert names(find_checks((), ())) == [*BUILTIN, "theirs"]
    monkeypatch.delitem(sys.modules, "other_package")


@pytest.mark.parametrize(
    ("value", "why"), [("no_such_package:CHECK", "cannot be loaded"), ("sys:path", "is no check"), ("sys", "no check")]
)
def test_a_package_that_cannot_be_loaded_is_an_error_of_that_check_alone(
    entry_points: Callable[..., None], value: str, why: str
) -> None:
    entry_points(theirs=value)
    (check,) = find_checks(("theirs",), ())
    with pytest.raises(CheckError, match=why):
        check.run(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BUILTIN)
def test_each_check_is_named_as_its_module_and_has_its_page(name: str) -> None:
    (check,) = find_checks((name,), ())
    assert check.name == name
    assert check.summary
    assert not check.summary.endswith(".")
    page = (ROOT / f"docs/checks/{name}.md").read_text()
    assert page.startswith(f"# {name}\n")
    module = (ROOT / f"seriestool/check/rules/{name.replace('-', '_')}.py").read_text()
    said = set(re.findall(r'Finding\(\s*Status\.[A-Z]+,\s*"([a-z0-9-]+)"', module))
    assert {rule for rule in said if f"`{rule}`" not in page} == set()


def test_profiles_name_rules_that_exist() -> None:
    for profile in PROFILES:
        for key in profile.severities:
            check, _, rule = key.partition("/")
            assert check in BUILTIN
            assert not rule or f"`{rule}`" in (ROOT / f"docs/checks/{check}.md").read_text(), key
