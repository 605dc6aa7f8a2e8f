# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects of compilers: a header can put into them what it likes, and reading them still ends."""

import resource
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from seriestool.check.abi.dwarf import UnreadableObject, read_constants, read_types

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")

# A unit of its own before that of the compiler: what a header says in `asm` stands first.
_UNIT = r"""
asm(".section .debug_abbrev\n"
    ".uleb128 1\n .uleb128 0x11\n .byte 1\n .uleb128 0x10\n .uleb128 0x17\n .byte 0,0\n"
    ".uleb128 2\n .uleb128 0x16\n .byte 0\n .uleb128 3\n .uleb128 8\n .uleb128 0x49\n .uleb128 0x13\n .byte 0,0\n"
    ".uleb128 3\n .uleb128 0x13\n .byte 1\n .byte 0,0\n"
    ".uleb128 4\n .uleb128 0x0d\n .byte 0\n .uleb128 0x49\n .uleb128 0x13\n .byte 0,0\n"
    ".uleb128 5\n .uleb128 0x01\n .byte 1\n .uleb128 0x49\n .uleb128 0x13\n .byte 0,0\n"
    ".uleb128 6\n .uleb128 0x13\n .byte 1\n .uleb128 3\n .uleb128 8\n .byte 0,0\n"
    ".byte 0\n .section .debug_info\n"
    "9: .long 2f-1f\n1: .value 4\n .long 0\n .byte 8\n .uleb128 1\n .long 0\n"
    "%s"
    ".byte 0\n2:\n .text\n");
int used; void function(void) { used++; }
"""
_TYPEDEF_OF_ITSELF = r"3: .uleb128 2\n .asciz \"x\"\n .long 3b-9b\n"
_STRUCTS_OF_THEMSELVES = (
    r"3: .uleb128 3\n .rept 1000\n .uleb128 4\n .long 3b-9b\n .endr\n .byte 0\n"
    r".uleb128 6\n .asciz \"s\"\n .uleb128 4\n .long 3b-9b\n .byte 0\n"
)
_ARRAY_OF_ITSELF = r"3: .uleb128 5\n .long 3b-9b\n .byte 0\n .uleb128 2\n .asciz \"x\"\n .long 3b-9b\n"


def compiled(header: str, folder: Path) -> bytes:
    source, made = folder / "a.h", folder / "a.o"
    source.write_text(header)
    flags = ("-g", "-gdwarf-5", "-fno-eliminate-unused-debug-types", "-w", "-c")
    subprocess.run(["gcc", "-x", "c", *flags, "-o", made, "-include", source, "/dev/null"], check=True)
    return made.read_bytes()


def test_types_by_file(tmp_path: Path) -> None:
    shapes = read_types(compiled("struct s { int a; long b[2][3]; };\n", tmp_path))
    (found,) = shapes.values()
    assert [(one.name, one.size) for one in found.aggregates["struct s"].members] == [("a", 32), ("b", 384)]


@pytest.mark.parametrize("dies", [_TYPEDEF_OF_ITSELF, _STRUCTS_OF_THEMSELVES, _ARRAY_OF_ITSELF])
def test_types_that_lead_to_themselves_end(dies: str, tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(UnreadableObject):
        read_types(compiled(_UNIT % dies, tmp_path))
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("section", [".debug_loc", ".debug_types", "seriestool"])
def test_sections_that_are_only_said_to_be_large_are_not_unfolded(section: str, tmp_path: Path) -> None:
    large = f'asm(".section {section},\\"\\",@nobits\\n.skip 3000000000\\n.text");'
    made = compiled(f"struct s {{ int a; }};\n{large}", tmp_path)
    for read in (read_types, lambda content: read_constants(content, "seriestool")):
        with pytest.raises(UnreadableObject, match="too large"):
            read(made)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 << 20  # kilobytes


def test_what_is_no_object_is_unreadable(tmp_path: Path) -> None:
    made = compiled("struct s { int a; };\n", tmp_path)
    for content in (b"", b"\x7fELF", made[:100], made[: len(made) // 2]):
        with pytest.raises(UnreadableObject):
            read_types(content)
