# SPDX-License-Identifier: GPL-2.0-or-later
"""In the tests' trees this is tools/testing/kunit/kunit.py: it builds nothing, and its kernel is the text of files.

Each `.c` beside the `.kunitconfig` (or all of net/b) is a suite: `+name` passes, `-name` fails, PANIC, HANG, ERROR.
Where there is a file `hidden` with something in it, all tests fail.
"""

import argparse
import pathlib
import re
import sys

parser = argparse.ArgumentParser()
parser.add_argument("verb")
for option in ("--build_dir", "--kunitconfig", "--make_options", "--jobs", "--raw_output", "--timeout"):
    parser.add_argument(option, action="append")
given = parser.parse_args()
build = pathlib.Path(given.build_dir[0])
config = pathlib.Path(given.kunitconfig[0])
root = pathlib.Path(__file__).resolve().parents[3]
folder = root / "net/b" if config.is_absolute() else (root / config).parent
suites = [file for file in sorted(folder.glob("*.c")) if file.read_text()[:1] in tuple("+-PHE")]


def check_config() -> None:
    known = set(re.findall(r"config (\w+)", (root / "Kconfig").read_text()))
    missing = [name for name in re.findall(r"CONFIG_(\w+)=y", (root / config).read_text()) if name not in known]
    if missing:
        print(
            "ERROR:root:Not all Kconfig options selected in kunitconfig were in the generated .config.", file=sys.stderr
        )
        print("Missing: " + ", ".join(f"CONFIG_{name}=y" for name in missing), file=sys.stderr)
        sys.exit(1)


def compile_all() -> None:
    for file in suites:
        for number, line in enumerate(file.read_text().split("\n"), 1):
            if line == "KILLED":
                print("ERROR:root:gcc: fatal error: Killed signal terminated program cc1", file=sys.stderr)
                sys.exit(1)
            if line == "ERROR":
                print(f"ERROR:root:{file}:{number}:1: error: 'ERROR' is no test", file=sys.stderr)
                sys.exit(1)
        (build / f".{file.name}.o.cmd").write_text(f"deps := {file}\n")


def run_all() -> None:
    print(f"Linux version 6.12\nKTAP version 1\n1..{len(suites)}")
    hidden = folder / "hidden"
    spoilt = hidden.exists() and hidden.read_text() != ""
    for number, file in enumerate(suites, 1):
        name = file.relative_to(root)
        lines = [line for line in file.read_text().split("\n") if line]
        print(f"    KTAP version 1\n    # Subtest: {name}\n    1..{len(lines)}")
        for at, given_line in enumerate(lines, 1):
            line = given_line
            if line == "PANIC":
                print("RIP: 0033:f+0x1/0x2\nKernel panic - not syncing: Segfault with no mm")
                return
            if line == "HANG":
                print("Command '['linux']' timed out after 300 seconds")
                return
            if line.startswith("+flaky") and not (build / "ran").exists():
                (build / "ran").touch()
                line = "-" + line[1:]
            if line[0] == "-":
                print(f"    # {line[1:]}: EXPECTATION FAILED at {name}:7\n    Expected a == 1, but\n        a == 2")
            print(f"    {'ok' if line[0] == '+' and not spoilt else 'not ok'} {at} {line[1:]}")
        print(f"{'not ok' if any(line[0] == '-' for line in lines) else 'ok'} {number} {name}")
    print("reboot: System halted")


{"config": check_config, "build": compile_all, "exec": run_all}[given.verb]()
