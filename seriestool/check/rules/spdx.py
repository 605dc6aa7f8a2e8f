# SPDX-License-Identifier: GPL-2.0-or-later
"""SPDX-License-Identifier: there, where it belongs, in the comment style of the file, and of a licence the tree has.

The licences are those of the tree's LICENSES folder, the rules those of Documentation/process/license-rules.rst. What
include/uapi needs besides is the business of the check of the user space interface.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from seriestool.check.protocol import Check, CheckSubject, Finding, Requirement, Scope, SkipCheck, Status
from seriestool.git import ScratchRepository
from seriestool.rebase.patch_stack import folders_above

_SOURCE = "Documentation/process/license-rules.rst"
_TAG = re.compile(rb"SPDX-License-Identifier:[ \t]*([^\r\n]{0,400})")
_CLOSED = ("*/", "-->", "*)", '")', '"')
_TOKEN = re.compile(r"[A-Za-z0-9.+-]+|[()]|\S")
_ID = re.compile(r"[A-Za-z0-9.+-]+")
_WORDS = ("AND", "OR", "WITH")
_HEAD = 4096
_DEPTH = 20  # parentheses
_NEIGHBOURS, _LISTED, _UP = 8, 400, 3
_FILES = 500

_HASH, _SLASHES, _STAR, _DOTS = b"#", b"//", b"/*", b".."
_STYLES = {
    **dict.fromkeys((b".c", b".rs", b".dts", b".dtsi", b".dtso"), _SLASHES),
    **dict.fromkeys((b".h", b".S", b".s"), _STAR),
    **dict.fromkeys((b".sh", b".pl", b".py", b".awk", b".tc", b".yaml"), _HASH),
    b".rst": _DOTS,
}
_NAMES = dict.fromkeys((b"Makefile", b"Kconfig", b"Kbuild"), _HASH)
_ENCODING = re.compile(rb"#.*coding[:=]")


class _Licences(Struct, frozen=True):
    """What a LICENSES folder knows, names in upper case."""

    folders: dict[str, str]
    """Identifier -> preferred, dual or deprecated."""
    exceptions: dict[str, frozenset[str]]
    """Exception -> the identifiers that it goes with."""


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What is wrong with the tags of new files, and with those that the patch changes."""
    if subject.after is None:
        raise SkipCheck("the patch does not apply")
    known: _Licences | None = None
    for file in subject.patch.files[:_FILES]:
        if file.new_path is None:
            continue
        old = _head(subject, subject.before, file.old_path)
        new = _head(subject, subject.after, file.new_path)
        if new is None or (old is not None and _tag(old) == _tag(new)):
            continue
        if _tag(new) is None:
            yield from _missing(subject, file.new_path, old)
            continue
        known = known or _read_licences(subject.environment.scratch_repo, subject.after)
        yield from _tagged(subject=subject, path=file.new_path, old=old, new=new, known=known)


def _head(subject: CheckSubject, tree: str, path: bytes | None) -> bytes | None:
    """The beginning of the file, or None where there is none, or none that a person wrote."""
    content = subject.read(tree, path) if path is not None else None
    return content[:_HEAD] if content and b"\0" not in content[:_HEAD] else None


def _tag(head: bytes) -> bytes | None:
    # Examples in a document stand further down.
    match = _TAG.search(b"\n".join(head.split(b"\n", 10)[:10]))
    return match[1].strip() if match else None


def _expression(tag: bytes) -> str:
    """The tag without what ends the comment that it stands in."""
    text = tag.decode("utf-8", "replace").rstrip()
    end = next((end for end in _CLOSED if text.endswith(end)), "")
    return text.removesuffix(end).rstrip()


def _style(path: bytes) -> bytes | None:
    """How a comment begins in such a file, or None where it need not have a tag."""
    name = path.rpartition(b"/")[2]
    dot = name.rfind(b".")
    return _NAMES.get(name) or (_STYLES.get(name[dot:]) if dot > 0 else None)


def _missing(subject: CheckSubject, path: bytes, old: bytes | None) -> Iterator[Finding]:
    if old is not None:
        yield _finding(
            status=Status.WARN,
            rule="removed",
            message="the SPDX-License-Identifier of this file goes away",
            path=path,
            line=1,
        )
        return
    style = _style(path)
    if style is None:
        return
    with_tag, all_of_them = _neighbours(subject, path)
    if all_of_them and with_tag < 0.75 * all_of_them:
        return  # nobody does so here: generated files, test data, a project with other rules
    is_kernel = subject.is_kernel
    if not all_of_them and not is_kernel:
        return
    # Many documents have none, whatever the rule says.
    is_sure = is_kernel and all_of_them and style != _DOTS
    told = f"which {with_tag} of {all_of_them} like it nearby have" if all_of_them else "which all source files need"
    message = f"the new file has no SPDX-License-Identifier, {told}"
    end = b" */" if style == _STAR else b""
    mend = (style + b" SPDX-License-Identifier: GPL-2.0-only" + end).decode()
    yield _finding(
        status=Status.FAIL if is_sure else Status.WARN, rule="missing", message=message, path=path, line=1, mend=mend
    )


def _neighbours(subject: CheckSubject, path: bytes) -> tuple[int, int]:
    """(those with a tag, all that were looked at) of the files of this kind in the base, in the nearest such folder."""
    for folder in islice(folders_above(path), _UP):
        heads = list(islice(_alike(subject, folder, path), _NEIGHBOURS))
        if len(heads) > 1:
            return sum(_tag(head) is not None for head in heads), len(heads)
    return 0, 0


def _alike(subject: CheckSubject, folder: bytes, path: bytes) -> Iterator[bytes]:
    name = path.rpartition(b"/")[2]
    suffix = name[name.rfind(b".") :] if name not in _NAMES else b"/" + name
    root = subject.steps[0].before
    for other, entry in islice(subject.environment.scratch_repo.paths_below(root, folder), _LISTED):
        if other.endswith(suffix) and entry.kind == "blob" and (head := _head(subject, root, other)) is not None:
            yield head


def _tagged(subject: CheckSubject, path: bytes, old: bytes | None, new: bytes, known: _Licences) -> Iterator[Finding]:
    lines = new.split(b"\n", 10)[:10]
    at = next(n for n, line in enumerate(lines) if _TAG.search(line))
    if subject.is_kernel:
        yield from _placed(path, lines, at)
    expression = _expression(_tag(new) or b"")
    for status, rule, message in _judge(expression, known):
        yield _finding(status=status, rule=rule, message=message, path=path, line=at + 1)
    was = _tag(old) if old is not None else None
    if was is not None:
        before = _expression(was)
        if before.split() != expression.split():
            message = f"the licence changes from {before!r} to {expression!r}: its authors must agree"
            yield _finding(status=Status.WARN, rule="changed", message=message, path=path, line=at + 1)


def _placed(path: bytes, lines: Sequence[bytes], at: int) -> Iterator[Finding]:
    first = 1 if lines[0].startswith(b"#!") else 0
    if first < len(lines) and lines[first].startswith(b"#") and _ENCODING.match(lines[first]):
        first += 1
    if at > first:
        message = f"the SPDX-License-Identifier stands in line {at + 1} and not in line {first + 1}"
        yield _finding(status=Status.WARN, rule="wrong-line", message=message, path=path, line=at + 1)
    style = _style(path)
    if style is not None and not lines[at].lstrip().startswith(style):
        message = f"files of this kind have it in a comment that begins with {style.decode()!r}"
        yield _finding(status=Status.WARN, rule="comment-style", message=message, path=path, line=at + 1)


def _judge(expression: str, known: _Licences) -> Iterator[tuple[Status, str, str]]:
    """(status, rule, message) of all that is wrong with an expression; of its licences only where some are known."""
    wrong = _find_syntax_error(expression)
    if wrong is not None:
        yield (
            Status.FAIL if known.folders else Status.WARN,
            "syntax",
            f"{expression!r} is no SPDX expression: {wrong}",
        )
        return
    if not known.folders:
        return
    tokens = [token.upper() for token in _TOKEN.findall(expression)]
    names = [token for token, before in zip(tokens, ["", *tokens], strict=False) if _is_licence(token, before)]
    for name in dict.fromkeys(names):
        folder = known.folders.get(name)
        if folder is None:
            yield Status.FAIL, "unknown-licence", f"LICENSES has no {_spelt(expression, name)}"
        elif folder == "deprecated":
            yield Status.WARN, "deprecated-licence", f"{_spelt(expression, name)} is deprecated: not for new code"
    if names and all(known.folders.get(name) == "dual" for name in names):
        yield Status.WARN, "only-dual", f"{expression!r} is only for dual licensing, beside a preferred licence"
    for number, token in enumerate(tokens):
        if token == "WITH":  # noqa: S105
            yield from _exception(tokens[number - 1], tokens[number + 1], known)


def _exception(licence: str, name: str, known: _Licences) -> Iterator[tuple[Status, str, str]]:
    licences = known.exceptions.get(name)
    if licences is None:
        yield Status.FAIL, "unknown-exception", f"LICENSES/exceptions has no {name}"
    elif licence in known.folders and licence not in licences:
        yield Status.FAIL, "wrong-exception", f"the exception {name} does not go with {licence}"


def _is_licence(token: str, before: str) -> bool:
    return bool(_ID.fullmatch(token)) and token not in _WORDS and before != "WITH"


def _spelt(expression: str, name: str) -> str:
    return next((match[0] for match in _TOKEN.finditer(expression) if match[0].upper() == name), name)


def _find_syntax_error(expression: str) -> str | None:
    """What is wrong with it: licence [WITH exception], joined by AND and OR, in parentheses; or None."""
    wants_operand, depth, previous = True, 0, ""
    for token in _TOKEN.findall(expression):
        word = token.upper()
        if word == "(":
            depth += 1
            if not wants_operand or previous == "WITH" or depth > _DEPTH:
                return "'(' is out of place"
        elif word == ")":
            depth -= 1
            if wants_operand or depth < 0:
                return "')' is out of place"
        elif word in _WORDS:
            if wants_operand or (word == "WITH" and not _ID.fullmatch(previous)):
                return f"{token!r} is out of place"
            wants_operand = True
        elif not _ID.fullmatch(token) or not wants_operand:
            return f"{token!r} is out of place"
        else:
            wants_operand = False
        previous = word
    if wants_operand:
        return "a licence is missing at its end" if expression else "it is empty"
    return "a ')' is missing" if depth else None


def _read_licences(scratch_repo: ScratchRepository, tree: str) -> _Licences:
    """The licences of the tree; none where it has no LICENSES."""
    folders: dict[str, str] = {}
    exceptions: dict[str, frozenset[str]] = {}
    for path, entry in islice(scratch_repo.paths_below(tree, b"LICENSES"), 200):
        if entry.kind != "blob":
            continue
        folder = path.split(b"/")[1].decode("utf-8", "replace")
        head = scratch_repo.blob(entry.oid).partition(b"License-Text:")[0][: 16 * _HEAD].decode("utf-8", "replace")
        name: str | None = None
        for line in head.split("\n"):
            key, _, value = line.partition(":")
            if key == "Valid-License-Identifier":
                folders[value.strip().upper()] = folder
            elif key == "SPDX-Exception-Identifier":
                name = value.strip().upper()
                exceptions[name] = frozenset()
            elif key == "SPDX-Licenses" and name is not None:
                exceptions[name] |= {word.strip().upper() for word in value.split(",")}
    return _Licences(folders, exceptions)


def _finding(status: Status, rule: str, message: str, path: bytes, line: int, mend: str | None = None) -> Finding:
    return Finding(status=status, rule=rule, message=message, path=path, line=line, mend=mend, source=_SOURCE)


CHECK = Check(
    "spdx",
    "SPDX-License-Identifier of new files, and where it changes",
    Scope.PATCH,
    run,
    needs=frozenset((Requirement.BASE,)),
)
