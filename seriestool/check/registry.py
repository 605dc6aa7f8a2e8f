# SPDX-License-Identifier: GPL-2.0-or-later
"""Which checks there are: those of `check/`, those of other packages, and the user's own commands."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import cast

from msgspec.structs import replace

from seriestool.check.protocol import Check, CheckError, CheckSubject, Scope
from seriestool.util.errors import InputError

ENTRY_POINTS = "seriestool.checks"
"""The group in which other packages name checks of theirs: `name = "package.module:CHECK"`."""

BUILTIN = (
    "apply",
    "integrity",
    "fixes-tag",
    "sign-off",
    "trailers",
    "commit-refs",
    "subject-prefix",
    "recipients",
    "cover-letter",
    "spdx",
    "new-file",
    "doc-refs",
    "dt-binding",
    "dt-schema",
    "kernel-doc",
    "checkpatch",
    "uapi",
    "syscalls",
    "abi-docs",
    "netlink-spec",
    "bisect",
    "kunit-build",
    "attestation",
)
"""In the order in which a reader wants to know."""


def find_checks(only: Sequence[str], without: Sequence[str], others: Iterable[Check] = ()) -> tuple[Check, ...]:
    """The checks called `only`, or all of them, but for those called `without`; `others` are the user's commands.

    Raises InputError where there is no check of such a name.
    """
    makers = _loaders(others)
    _require_known((*only, *without), makers)
    wanted = [name for name in makers if (not only or name in only) and name not in without]
    if not wanted:
        raise InputError("no check is left to run", hint="--skip leaves out all that --only names")
    return tuple(makers[name]() for name in wanted)


def require_known_checks(names: Iterable[str], others: Iterable[Check] = ()) -> None:
    """Nothing where each is the name of a check; InputError that names the nearest one where it is not."""
    _require_known(names, _loaders(others))


def _require_known(names: Iterable[str], known: Mapping[str, object]) -> None:
    for name in names:
        if name not in known:
            raise _unknown(name, known)


def _loaders(others: Iterable[Check]) -> dict[str, Callable[[], Check]]:
    """Name -> what brings the check; a name of ours cannot be taken, and commands of one program are numbered."""
    found: dict[str, Callable[[], Check]] = {name: _load_builtin(name) for name in BUILTIN}
    for name, make in _entry_points().items():
        found.setdefault(name, make)
    for check in others:
        names = (check.name, *(f"{check.name}-{number}" for number in range(2, len(found) + 2)))
        name = next(name for name in names if name not in found)
        found[name] = _give(replace(check, name=name))
    return found


def _load_builtin(name: str) -> Callable[[], Check]:
    return lambda: cast("Check", import_module(f"seriestool.check.rules.{name.replace('-', '_')}").CHECK)


def _give(check: Check) -> Callable[[], Check]:
    return lambda: check


def _entry_points() -> Mapping[str, Callable[[], Check]]:
    from importlib.metadata import EntryPoint, entry_points

    def bring(point: EntryPoint) -> Callable[[], Check]:
        def load() -> Check:
            try:
                check = point.load()
            except Exception as error:  # somebody else's package: whatever it does is no reason to stop
                return _broken(point.name, f"{point.value} cannot be loaded: {error}")
            return check if isinstance(check, Check) else _broken(point.name, f"{point.value} is no check")

        return load

    return {point.name: bring(point) for point in entry_points(group=ENTRY_POINTS)}


def _broken(name: str, why: str) -> Check:
    """A check that says why it is none."""

    def run(_subject: CheckSubject) -> tuple[()]:
        raise CheckError(why)

    return Check(name, why, Scope.SERIES, run)


def _unknown(name: str, known: Iterable[str]) -> InputError:
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean '{near[0]}'?" if near else "'seriestool check --list' names them"
    return InputError(f"there is no check '{name}'", hint=hint)
