# SPDX-License-Identifier: GPL-2.0-or-later
import pytest

from seriestool.check.protocol import Finding, Status
from seriestool.check.rules.dt_binding import CHECK
from tests.support.repos import File, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

DT = "Documentation/devicetree/bindings"
DUAL = "# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)\n"
TREE: dict[str, File] = {
    f"{DT}/vendor-prefixes.yaml": 'patternProperties:\n  "^acme,.*":\n    description: Acme\n  "^zed,.*":\n    x: y\n',
    f"{DT}/leds/acme,lamp.yaml": DUAL + "properties:\n  compatible:\n    const: acme,lamp\n",
    f"{DT}/misc/many.yaml": DUAL + '      pattern: "^(zed|old),[0-9]+$"\n',
    "drivers/lamp.c": "int a;\n",
    "arch/arm64/boot/dts/x.dts": "/ { };\n",
}
CODE = '\t{ .compatible = "%s" },\n'
BINDING = DUAL + "properties:\n  compatible:\n    enum:\n      - %s\n"


def _series(repo: Repo, *patches: tuple[str, dict[str, File]]) -> tuple[Finding, ...]:
    repo.commit(TREE)
    return ask_check(
        CHECK, repo, mail_series(repo, *((f"{title}\n\nWhy.\n\n{SIGNED}\n", files) for title, files in patches))
    )


def test_a_binding_of_its_own_and_then_its_driver_pass(repo: Repo) -> None:
    binding = ("dt-bindings: leds: Add Acme beam", {f"{DT}/leds/acme,beam.yaml": BINDING % "acme,beam"})
    assert _series(repo, binding, ("leds: Add beam", {"drivers/beam.c": CODE % "acme,beam"})) == ()


def test_a_series_without_bindings_or_compatibles_passes(repo: Repo) -> None:
    assert _series(repo, ("lamp: x", {"drivers/lamp.c": "int b;\n"})) == ()


@pytest.mark.parametrize("path", [f"{DT}/leds/acme,lamp.yaml", "include/dt-bindings/leds/lamp.h"])
def test_a_binding_with_code_in_one_patch_warns(repo: Repo, path: str) -> None:
    files: dict[str, File] = {path: DUAL + "changed: true\n", "drivers/lamp.c": "int b;\n"}
    one = only_finding(_series(repo, ("dt-bindings: leds: x", files)), "split")
    assert (one.status, one.counter) == (Status.WARN, 1)


def test_a_binding_with_maintainers_is_one_thing(repo: Repo) -> None:
    files: dict[str, File] = {f"{DT}/leds/acme,lamp.yaml": DUAL + "changed: true\n", "MAINTAINERS": "x\n"}
    assert _series(repo, ("dt-bindings: leds: x", files)) == ()


def test_a_subject_without_the_prefix_warns_and_says_which(repo: Repo) -> None:
    one = only_finding(_series(repo, ("leds: Document lamp", {f"{DT}/leds/acme,lamp.yaml": DUAL + "x: y\n"})), "prefix")
    assert (one.status, one.mend, one.line) == (Status.WARN, "dt-bindings: leds: Document lamp", 1)


@pytest.mark.parametrize("title", ["regulator: dt-bindings: Add it", 'Revert "dt-bindings: leds: Add it"'])
def test_the_orders_of_prefixes_that_are_in_use_pass(repo: Repo, title: str) -> None:
    assert _series(repo, (title, {f"{DT}/leds/acme,lamp.yaml": DUAL + "x: y\n"})) == ()


def test_a_new_binding_in_text_warns(repo: Repo) -> None:
    assert rules_of(_series(repo, ("dt-bindings: x: y", {f"{DT}/x/acme,y.txt": "text\n"}))) == [("text", "warn")]


@pytest.mark.parametrize("licence", ["GPL-2.0", "GPL-2.0-only", "BSD-2-Clause"])
def test_a_new_binding_under_one_licence_warns(repo: Repo, licence: str) -> None:
    files: dict[str, File] = {f"{DT}/x/acme,y.yaml": f"# SPDX-License-Identifier: {licence}\n"}
    assert rules_of(_series(repo, ("dt-bindings: x: y", files))) == [("licence", "warn")]


@pytest.mark.parametrize("licence", ["(GPL-2.0 OR BSD-2-Clause)", "GPL-2.0-or-later OR BSD-2-Clause"])
def test_a_new_binding_under_both_licences_passes(repo: Repo, licence: str) -> None:
    files: dict[str, File] = {f"{DT}/x/acme,y.yaml": f"# SPDX-License-Identifier: {licence}\n"}
    assert _series(repo, ("dt-bindings: x: y", files)) == ()


def test_a_binding_behind_its_driver_warns(repo: Repo) -> None:
    binding = ("dt-bindings: leds: Add Acme beam", {f"{DT}/leds/acme,beam.yaml": BINDING % "acme,beam"})
    one = only_finding(_series(repo, ("leds: Add beam", {"drivers/beam.c": CODE % "acme,beam"}), binding), "order")
    assert (one.counter, one.path, one.line) == (1, b"drivers/beam.c", 1)
    assert "patch 2" in one.message


def test_a_compatible_of_a_driver_that_no_binding_has_warns(repo: Repo) -> None:
    one = only_finding(_series(repo, ("leds: x", {"drivers/beam.c": "int b;\n" + CODE % "acme,beam"})), "undocumented")
    assert (one.status, one.path, one.line, one.counter) == (Status.WARN, b"drivers/beam.c", 2, 1)


def test_a_compatible_of_a_devicetree_over_two_lines(repo: Repo) -> None:
    dts = '/ {\n\tcompatible = "acme,lamp",\n\t\t     "acme,none";\n\tlabel = "acme,label";\n};\n'
    found = _series(repo, ("arm64: dts: x", {"arch/arm64/boot/dts/x.dts": dts}))
    assert [(one.rule, one.line) for one in found] == [("undocumented", 3)]
    assert "acme,none" in found[0].message


def test_an_unknown_vendor_warns_too(repo: Repo) -> None:
    found = _series(repo, ("leds: x", {"drivers/beam.c": CODE % "umbrella,beam"}))
    assert rules_of(found) == [("undocumented", "warn"), ("vendor", "warn")]


@pytest.mark.parametrize(
    "name",
    [
        "acme,lamp",  # in the tree
        "zed,12",  # a pattern may mean it
        "simple-bus",  # of no vendor
        "usb1234,5",  # of a bus with numbers
    ],
)
def test_a_compatible_that_is_or_may_be_documented_passes(repo: Repo, name: str) -> None:
    assert _series(repo, ("leds: x", {"drivers/beam.c": CODE % name})) == ()


def test_a_longer_name_does_not_document_a_shorter_one(repo: Repo) -> None:
    binding = ("dt-bindings: leds: Add", {f"{DT}/leds/acme,beam.yaml": BINDING % "acme,beam-v2"})
    assert ("undocumented", "warn") in rules_of(
        _series(repo, binding, ("leds: x", {"drivers/b.c": CODE % "acme,beam"}))
    )


def test_a_compatible_that_moves_is_not_new(repo: Repo) -> None:
    repo.commit({**TREE, "drivers/old.c": CODE % "acme,none"})
    mbox = mail_series(
        repo, (f"leds: x\n\nWhy.\n\n{SIGNED}\n", {"drivers/old.c": "", "drivers/n.c": CODE % "acme,none"})
    )
    assert ask_check(CHECK, repo, mbox) == ()


def test_compatibles_of_tests_need_no_binding(repo: Repo) -> None:
    assert _series(repo, ("leds: test", {"drivers/clk/lamp_test.c": CODE % "acme,test"})) == ()


def test_without_a_base_the_patches_are_looked_at_alone(repo: Repo) -> None:
    repo.commit(TREE)
    files: dict[str, File] = {f"{DT}/leds/acme,lamp.yaml": DUAL, "drivers/b.c": CODE % "acme,none"}
    mbox = mail_series(repo, (f"leds: x\n\nWhy.\n\n{SIGNED}\n", files))
    assert rules_of(ask_check(CHECK, repo, mbox, base=None)) == [("split", "warn")]
