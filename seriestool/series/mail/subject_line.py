# SPDX-License-Identifier: GPL-2.0-or-later
"""What a patch mail's subject says: `[RFC PATCH net-next v3 2/9] net: do this`."""

import re
from typing import NamedTuple

from seriestool.util.lazy_pattern import lazy_pattern

_REPLY = re.compile(r"(?:re|aw|antw|fw|fwd|回复|答复)\s*(?:\[\d+\])?\s*[:\uff1a]\s*", re.I)
_BRACKET = re.compile(r"\s*\[([^\[\]]{0,300})\]\s*")
# `[PATCH 5.10/5.15]` and `[PATCH v6.1]` name stable trees.
_COUNTER = re.compile(r"(?<![\d.])(\d{1,4})\s*(?:/|of)\s*(\d{1,4})(?![\d.])", re.I)
_VERSION = re.compile(r"(?:(?<=PATCH)|(?<=RFC)|\b)[-_]?v(\d{1,4})\b(?!\.\d)", re.I)
_BARE = lazy_pattern(r"(?:rfc\s+)?patch\b[\s:,-]*(?:v(\d{1,4})\b[\s:,-]*)?(?:(\d{1,4})/(\d{1,4})[\s:,-]*)?", re.I)
_SPACE = re.compile(r"\s+")


class SubjectLine(NamedTuple):
    """A subject taken apart."""

    title: str
    """What `git am` makes of it: without replies' marks and leading brackets, runs of white space as one blank."""
    is_reply: bool = False
    is_patch: bool = False
    """It says PATCH, or counts."""
    version: int = 1
    counter: int | None = None
    """None where the subject does not count: a lone patch."""
    expected: int = 1
    prefixes: tuple[str, ...] = ()
    has_version: bool = False


def parse_subject(text: str) -> SubjectLine:
    """The parts of an unfolded, decoded subject."""
    text = _SPACE.sub(" ", text.replace("\0", "")).strip()
    is_reply = False
    brackets: list[str] = []
    rest = text
    while rest:
        if match := _REPLY.match(rest):
            # Below a patch's own bracket stands its title: '[PATCH] fw: load it once' is no forwarded mail.
            if any("PATCH" in words.upper() for words in brackets):
                break
            is_reply = True
        elif match := _BRACKET.match(rest):
            brackets.append(match[1])
        else:
            break
        rest = rest[match.end() :]
    title = clean_title(text)
    if not brackets:
        return _without_brackets(title, is_reply)
    return _with_brackets(" ".join(brackets), title, is_reply)


def _with_brackets(words: str, title: str, is_reply: bool) -> SubjectLine:
    counter = expected = None
    if match := _COUNTER.search(words):
        counter, expected = int(match[1]), int(match[2])
        words = words[: match.start()] + " " + words[match.end() :]
    version = 1
    match = _VERSION.search(words)
    if match:
        version = int(match[1])
        words = words[: match.start()] + " " + words[match.end() :]
    has_patch = "PATCH" in words.upper()
    prefixes = dict.fromkeys(
        word for word in re.split(r"[\s,]+", re.sub("PATCH", " ", words, flags=re.I)) if word.strip("-_./:;|")
    )
    return SubjectLine(
        title=title,
        is_reply=is_reply,
        is_patch=has_patch or counter is not None,
        version=max(version, 1),
        counter=counter,
        expected=expected or 1,
        prefixes=tuple(word.strip("-_./:;|") for word in prefixes),
        has_version=match is not None,
    )


def _without_brackets(title: str, is_reply: bool) -> SubjectLine:
    match = _BARE().match(title)
    if match is None or not match.end():
        return SubjectLine(title, is_reply)
    version, counter, expected = match.groups()
    return SubjectLine(
        title,
        is_reply,
        is_patch=True,
        version=max(int(version or 1), 1),
        counter=int(counter) if counter else None,
        expected=int(expected or 1) or 1,
        has_version=version is not None,
    )


def clean_title(subject: str) -> str:
    """The subject as `git mailinfo` cleans it: leading `Re:`, colons and [...] groups removed."""
    at = 0
    while at < len(subject):
        if subject[at] in " \t:":
            at += 1
        elif subject[at] == "[" and (end := subject.find("]", at)) >= 0:
            at = end + 1
        elif subject[at : at + 3].lower() == "re:" and len(subject) > at + 3:
            at += 3
        else:
            break
    return _SPACE.sub(" ", subject[at:]).strip()
