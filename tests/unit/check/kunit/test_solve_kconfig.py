# SPDX-License-Identifier: GPL-2.0-or-later
"""A configuration solved for a few options."""

from pathlib import Path

import pytest

from seriestool.check.kunit.solve_kconfig import main

KCONFIG = """\
config MODULES
	bool "modules"
	modules

config OLD
	bool
	transitional

config KUNIT
	tristate "KUnit"

config KUNIT_ALL_TESTS
	bool "all"
	depends on KUNIT

menuconfig NET
	bool "net"

if NET

config HANDSHAKE
	bool
	depends on SUNRPC || NVME_TCP
	default y

config SUNRPC
	tristate

config NFS
	tristate "nfs"
	depends on INET && !MINI
	select SUNRPC

config INET
	bool "inet"

config MINI
	bool "mini"
	default y

config NET_TEST
	tristate "test" if !KUNIT_ALL_TESTS
	depends on KUNIT
	default KUNIT_ALL_TESTS

endif

config NVME_TCP
	tristate "nvme"
	depends on HAS_IOMEM

config IMPOSSIBLE_TEST
	tristate "no"
	depends on KUNIT && HAS_IOMEM

config HAS_IOMEM
	bool

config LOOP_A
	bool "a"
	depends on LOOP_B
config LOOP_B
	bool "b"
	depends on KUNIT && !KUNIT

choice
	prompt "one"
	default ONE
config ONE
	bool "one"
config TWO
	bool "two"
endchoice

config EQUAL_TEST
	bool "equal"
	depends on KUNIT = y && NET=y

config BOTH_TEST
	bool "both"
	depends on KUNIT && TWO
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "Kconfig").write_text(KCONFIG)
    return tmp_path


def solve(source: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[str]]:
    code = main([str(source), *options])
    return code, capsys.readouterr().out.splitlines()


def test_what_it_depends_on(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solve(source, capsys, "NET_TEST") == (0, ["CONFIG_KUNIT=y", "CONFIG_NET=y", "CONFIG_NET_TEST=y"])


def test_an_option_without_a_prompt_that_another_one_selects(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = solve(source, capsys, "HANDSHAKE")
    assert code == 0
    assert {"CONFIG_NFS=y", "CONFIG_INET=y", "# CONFIG_MINI is not set"} <= set(lines)


def test_options_that_must_be_built_in(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solve(source, capsys, "EQUAL_TEST") == (0, ["CONFIG_KUNIT=y", "CONFIG_NET=y", "CONFIG_EQUAL_TEST=y"])


def test_a_choice(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = solve(source, capsys, "BOTH_TEST")
    assert code == 0
    assert "CONFIG_TWO=y" in lines


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("IMPOSSIBLE_TEST", "CONFIG_IMPOSSIBLE_TEST cannot be had on UML: it depends on KUNIT && HAS_IOMEM"),
        ("NOWHERE", "there is no CONFIG_NOWHERE on UML"),
        ("LOOP_A", "CONFIG_LOOP_A cannot be had on UML: it depends on LOOP_B"),
    ],
)
def test_what_cannot_be_had(source: Path, capsys: pytest.CaptureFixture[str], option: str, reason: str) -> None:
    assert solve(source, capsys, option) == (3, [reason])


def test_a_kconfig_that_cannot_be_read(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source / "Kconfig").write_text("frobnicate\n")
    code, [reason] = solve(source, capsys, "NET_TEST")
    assert code == 3
    assert reason.startswith("kconfiglib cannot read the tree's Kconfig: ")
