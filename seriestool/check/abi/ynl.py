# SPDX-License-Identifier: GPL-2.0-or-later
"""Code that is generated from netlink specifications, and the tree's own generator run on them (in the sandbox).

A generated file says at its top which specification it comes from, and how: that is all that is believed of it.
"""

import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path

from msgspec import Struct

from seriestool.git import ScratchRepository, TreeEntry
from seriestool.sandbox import Sandbox, SandboxJob, SandboxLimits, read_output_file

_SPEC = re.compile(rb"Documentation/netlink/specs/[a-z0-9_.-]{1,60}\.yaml")
_MARKER = re.compile(
    rb"^/\*\s*(Documentation/netlink/specs/[a-z0-9_.-]{1,60}\.yaml)\s*\*/\s*?\n"
    rb"/\*\s*YNL-GEN (kernel|uapi|user) (header|source)\s*\*/",
    re.MULTILINE,
)
_ARGUMENTS = re.compile(rb"^/\* YNL-ARG ([A-Za-z0-9 =_./-]{1,300}) \*/", re.MULTILINE)
_TOP = 2000  # bytes of a file in which its marker stands
# Where generated code is, and what such files are called: reading every file of a tree would take minutes.
_FOLDERS = (b"include/uapi", b"tools/include/uapi", b"net", b"fs", b"kernel", b"drivers")
_NAME = re.compile(rb"(?:tools/)?include/uapi/.*\.h|.*/[\w-]*(?:genl|netlink|nl|gen)[\w-]*\.[ch]")
_BASE = re.compile(rb"[\w.-]{1,80}\.[ch]")
_GENERATORS = (b"tools/net/ynl/pyynl/ynl_gen_c.py", b"tools/net/ynl/ynl-gen-c.py")
_NEEDED = (b"tools/net/ynl/pyynl", b"tools/net/ynl/lib", b"Documentation/netlink")
_MODULES = ("yaml", "jsonschema")
_SYMLINK = 0o120000
_MOST = 8 << 20  # bytes of a file; the largest there is has 0.3 MB
_MISSING = re.compile(r"No module named '(\w+)'")
_SCRIPT = """\
python=$1 tool=$2 folder=$3
cd "$folder" || exit 1
while IFS="$(printf '\\t')" read -r output spec mode kind args; do
    set -f; # the arguments are words, and nothing else
    "$python" -B "$tool" --mode "$mode" "--$kind" --spec "$folder/$spec" $args -o "$output" \\
        2>"$output.err" </dev/null || rm -f "$output"
done
"""


class YnlMarker(Struct, frozen=True):
    """What a file says of how it was generated."""

    spec: bytes
    mode: str
    kind: str
    arguments: str


class NoGenerator(Exception):  # noqa: N818
    """The generator cannot be run; the message says why."""


def is_spec(path: bytes) -> bool:
    """Whether the file is a specification of a netlink family."""
    return _SPEC.fullmatch(path) is not None


def parse_generated(text: bytes) -> YnlMarker | None:
    """How the file was generated, or None where it does not say so."""
    top = text[:_TOP]
    match = _MARKER.search(top)
    if match is None:
        return None
    arguments = _ARGUMENTS.search(top)
    return YnlMarker(match[1], match[2].decode(), match[3].decode(), arguments[1].decode() if arguments else "")


def find_generated(scratch_repo: ScratchRepository, tree: str) -> Iterator[tuple[bytes, TreeEntry]]:
    """The files of a tree that may be generated, by where they are and what they are called."""
    for folder in _FOLDERS:
        for path, entry in scratch_repo.paths_below(tree, folder):
            if entry.kind == "blob" and entry.mode != _SYMLINK and _NAME.fullmatch(path):
                yield path, entry


def regenerate(
    scratch_repo: ScratchRepository, tree: str, wanted: Mapping[bytes, YnlMarker], sandbox: Sandbox, folder: Path
) -> dict[bytes, bytes | str]:
    """What the tree's generator makes of the files, by path: the code, or what it complained of.

    `folder` is empty, and ours. NoGenerator where it cannot be run here at all.
    """
    tool = next((path for path in _GENERATORS if scratch_repo.entries(tree, (path,))), None)
    if tool is None:
        raise NoGenerator("the tree has no generator (tools/net/ynl)")
    scratch_repo.export(tree, (*_NEEDED, tool), folder)
    (folder / "MAINTAINERS").touch()  # by which the generator knows the top of a kernel; it looks for it for ever
    out = folder / "out"
    out.mkdir()
    (folder / "run.sh").write_text(_SCRIPT)
    outputs = {path: out / str(number) / _base(path) for number, path in enumerate(wanted)}
    for file in outputs.values():
        file.parent.mkdir()
    lines = (
        f"{outputs[path]}\t{one.spec.decode()}\t{one.mode}\t{one.kind}\t{one.arguments}\n"
        for path, one in wanted.items()
    )
    python, readable = _python()
    job = SandboxJob(
        argv=("sh", str(folder / "run.sh"), python, str(folder / tool.decode()), str(folder)),
        folder=folder,
        readable=(folder, *readable),
        writable=(out,),
        env={},
        stdin="".join(lines).encode(),
        limits=SandboxLimits(seconds=60.0 + 5.0 * len(wanted)),
    )
    outcome = sandbox.run(job)
    if outcome.ended is not None:
        raise NoGenerator(f"the generator was ended: it took too much {outcome.ended}")
    return {path: _result(out, str(number), file.name) for number, (path, file) in enumerate(outputs.items())}


def _base(path: bytes) -> str:
    """The name of the file: the generator writes it into the code."""
    name = path.rpartition(b"/")[2]
    return name.decode() if _BASE.fullmatch(name) else "generated.c"


def _python() -> tuple[str, tuple[Path, ...]]:
    """A Python that has what the generator imports, if ours does, and what of it the sandbox must see."""
    if all(importlib.util.find_spec(name) for name in _MODULES):
        # What a virtual environment starts may be a link into another folder.
        places = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]}
        # Where it is installed right into a home, that is what the sandbox must never see.
        if not any(Path.home().is_relative_to(place) for place in places):
            return sys.executable, tuple(sorted(places - {Path("/usr")}))
    return "/usr/bin/python3", ()


def _result(out: Path, folder: str, name: str) -> bytes | str:
    with suppress(OSError):
        made = read_output_file(out, folder, name, most=_MOST + 1)
        return made if len(made) <= _MOST else f"it makes more than {_MOST >> 20} MB"
    text = ""
    with suppress(OSError):
        text = read_output_file(out, folder, f"{name}.err", most=_MOST).decode("utf-8", "replace")
    if match := _MISSING.search(text):
        raise NoGenerator(f"the generator needs Python's {match[1]} (apt install python3-yaml python3-jsonschema)")
    lines = [line for line in text.strip().split("\n") if line.strip()]
    return lines[-1][:300] if lines else "it made nothing"


def first_difference(have: bytes, wanted: bytes) -> int | None:
    """The first line, from 1, in which they differ, or None."""
    pairs = zip_longest(have.split(b"\n"), wanted.split(b"\n"))
    return next((number for number, (one, other) in enumerate(pairs, 1) if one != other), None)
