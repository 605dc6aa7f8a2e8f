# SPDX-License-Identifier: GPL-2.0-or-later
"""What the author of a series is told, as the text of a mail; its words are templates that a site may replace.

Words of a mail are only ever values: no template is made of them. Nor do they become something that a reader's tools
act on: a trailer, a patch, the end of the mail.
"""

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from seriestool.precheck.complaints import Complaint, find_complaints
from seriestool.precheck.precheck_result import Precheck
from seriestool.precheck.summary_sentence import base_confidence, name_of_base, verdict_sentence
from seriestool.report.terminal import printable_line
from seriestool.util.errors import InputError
from seriestool.util.text import count

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

WIDTH = 72
_MOST_COMPLAINTS = 20
_MOST_MEND = 6  # lines
_LONGEST_LINE = 400  # characters of a value: a hostile name must not become a page
_LONGEST_TEXT = 60_000  # characters
# What git, b4, Patchwork, sendmail, mboxes and bots that take orders act on; b4 takes indented trailers too.
_ACTED_ON = re.compile(
    r"^(\s*)(?=\w\S*:\s|From\s|>+\s*From\s|---|--\s*$|\+\+\+|diff\s|index\s|Index:|@@|\*\*\* |#\S|/\w|GIT\s|\.$)"
)


class AuthorMail(Struct, frozen=True):
    """All that the words are made of."""

    subject: str
    version: int
    patches: int
    sentence: str
    base: str | None
    """The full commit id."""
    base_name: str | None
    how: str
    complaints: tuple[Complaint, ...]
    """The gravest first."""
    takers: tuple[str, ...] = ()
    url: str | None = None
    """Where the page of this series is."""


class _ComplaintGroup(Struct, frozen=True):
    """A complaint, and the patches of which it is made; none where it is about the series."""

    complaint: Complaint
    counters: tuple[int, ...]


def author_mail_of(precheck: Precheck) -> AuthorMail:
    """What a report has to tell the author."""
    return AuthorMail(
        subject=precheck.series.subject,
        version=precheck.series.version,
        patches=precheck.series.expected,
        sentence=verdict_sentence(precheck),
        base=precheck.base.commit if precheck.base else None,
        base_name=name_of_base(precheck) if precheck.base else None,
        how=base_confidence(precheck)[1],
        complaints=find_complaints(precheck),
        takers=takers_of(precheck),
    )


def author_mail_text(letter: AuthorMail, folder: Path | None = None) -> str:
    """The text, lines of prose wrapped; `letter.txt` of the folder is used where there is one, else our own.

    Raises InputError where a template of the folder is wrong.
    """
    folded = _fold(letter.complaints)
    shown = folded[:_MOST_COMPLAINTS]
    text = render(
        "seriestool.report",
        "letter.txt",
        folder,
        {"letter": letter, "groups": _groups(shown), "more": len(folded) - len(shown)},
    )
    return guarded(text)


def render(package: str, name: str, folder: Path | None, values: dict[str, object]) -> str:
    """What a template makes of the values; it can call nothing but our filters. Raises InputError where it is wrong."""
    from jinja2 import TemplateError

    try:
        text: str = _environment(package, folder).get_template(name).render(values)
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, OSError) as error:
        where = f"{folder}/{name}" if folder is not None else name
        problem = printable_line(str(error)) or type(error).__name__
        raise InputError(f"the template {where} cannot be used: {problem}", hint="see docs/speaking.md") from error
    return text


def guarded(text: str) -> str:
    """The text, bounded, in which no line is anything but words to those who read mails by program."""
    lines = [_guarded_line(line.rstrip()) for line in text[:_LONGEST_TEXT].split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _guarded_line(line: str) -> str:
    return _ACTED_ON.sub(r"\1| ", printable_line(line.replace("\t", "    ")))


def takers_of(precheck: Precheck) -> tuple[str, ...]:
    """Who should take it, a line for each tree: `net-next: patches 1-3, 5`."""
    if precheck.plan is None:
        return ()
    decided = [one for one in precheck.plan.subseries if one.destination is not None]
    if len(decided) == 1 == len(precheck.plan.subseries):
        return (f"{decided[0].name}: all of it",)
    return tuple(f"{one.name}: {_patches(one.counters)}" for one in decided)


def _patches(counters: Sequence[int]) -> str:
    if len(counters) == 1:
        return f"patch {counters[0]}"
    runs: list[list[int]] = []
    for counter in sorted(counters):
        if runs and counter == runs[-1][-1] + 1:
            runs[-1].append(counter)
        else:
            runs.append([counter])
    return "patches " + ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _groups(folded: Sequence[_ComplaintGroup]) -> list[tuple[str, list[Complaint]]]:
    """(of what, complaints): the series first, then what is said of several patches, then patch by patch."""
    groups: dict[tuple[int, ...], list[Complaint]] = {}
    for one in folded:
        groups.setdefault(one.counters, []).append(one.complaint)
    in_order = sorted(groups.items(), key=lambda pair: (len(pair[0]) == 1, pair[0]))
    return [(_title(counters, found[0]), found) for counters, found in in_order]


def _title(counters: tuple[int, ...], complaint: Complaint) -> str:
    if not counters:
        return "The series"
    if len(counters) == 1:
        return f'Patch {counters[0]} ("{_line(complaint.title or "")}")'
    return _patches(counters).capitalize()


def _fold(complaints: Sequence[Complaint]) -> list[_ComplaintGroup]:
    """What is said alike of several patches, once; the gravest first."""
    found: dict[Complaint, set[int]] = {}
    titles: dict[Complaint, Complaint] = {}
    for one in complaints:
        alike = replace(one, counter=None, patch_id=None, title=None)
        titles.setdefault(alike, one)
        found.setdefault(alike, set()).update(set() if one.counter is None else {one.counter})
    return [_ComplaintGroup(titles[alike], tuple(sorted(counters))) for alike, counters in found.items()]


def _environment(package: str, folder: Path | None) -> "SandboxedEnvironment":
    from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    loaders = [*([FileSystemLoader(folder)] if folder is not None else []), PackageLoader(package)]
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader(loaders),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # it is no HTML
    )
    environment.filters.update(line=_line, prose=_prose, item=_item, pasted=_pasted, count=count)
    return environment


def _line(text: object) -> str:
    """A value on one line, of bounded length."""
    line = " ".join(printable_line(str(text)).split())
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE].rstrip() + " ..."


def _prose(text: object) -> str:
    """Wrapped, from the left edge on; each paragraph on its own."""
    paragraphs = re.split(r"\n\s*\n", str(text).strip())
    return "\n\n".join("\n".join(_wrap(paragraph, "", "")) for paragraph in paragraphs)


def _item(text: object) -> str:
    """Wrapped as an item of a list."""
    return "\n".join(_wrap(str(text), "  * ", "    "))


def _wrap(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        _line(text), WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _pasted(text: object) -> str:
    """Lines to paste, as they are, marked so that nobody's tool takes them for its own."""
    lines = [line for line in str(text).splitlines() if line.strip()][:_MOST_MEND]
    return "\n".join(f"    | {printable_line(line.rstrip())[:_LONGEST_LINE]}" for line in lines)
