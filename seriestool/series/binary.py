# SPDX-License-Identifier: GPL-2.0-or-later
"""`GIT binary patch`: the new content of a binary file from the old one, checked by both ids as git does."""

from seriestool.series.model import BinaryHunk, FileDiff

_LARGEST = 1 << 25
"""Bytes that one hunk may inflate to: 32 MiB of zeros fit into a mail of 32 KiB, and a mail has many hunks."""


def find_patched(diff: FileDiff, old: bytes) -> bytes | None:
    """The content that `diff` makes of `old`, or None where it does not apply.

    git wants full ids on the index line, `old` to be the very blob that it names, and the result to be the new one.
    """
    size = len(diff.new_blob or diff.old_blob or "")
    if size not in (40, 64) or (diff.old_blob is not None and len(diff.old_blob) != size):
        return None
    if diff.old_path is None and old:
        return None
    if diff.old_path is not None and blob_oid(old, size) != diff.old_blob:
        return None
    if diff.new_blob is None:
        return b""
    if not diff.binary_hunks:
        return None
    new = _apply(diff.binary_hunks[0], old)
    return new if new is not None and blob_oid(new, size) == diff.new_blob else None


def blob_oid(content: bytes, size: int = 40) -> str:
    """The id that git gives to a blob: `size` 40 for SHA-1, 64 for SHA-256 repositories."""
    from hashlib import sha1, sha256

    header = b"blob %d\0" % len(content)
    digest = sha256(header) if size == 64 else sha1(header, usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def _apply(hunk: BinaryHunk, old: bytes) -> bytes | None:
    data = _inflated(hunk)
    if data is None or hunk.method == "literal":
        return data
    try:
        return _patched_by_delta(data, old)
    except IndexError:
        return None


def _inflated(hunk: BinaryHunk) -> bytes | None:
    if hunk.size > _LARGEST:
        return None
    import zlib

    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(hunk.deflated, hunk.size + 1)
    except zlib.error:
        return None
    return data if len(data) == hunk.size and inflater.eof else None


def _patched_by_delta(delta: bytes, old: bytes) -> bytes | None:
    """What git's pack delta makes of `old`; IndexError where it ends too early (gitformat-pack(5))."""
    old_size, at = _number(delta, 0)
    new_size, at = _number(delta, at)
    if old_size != len(old) or new_size > _LARGEST:
        return None
    parts: list[bytes] = []
    left = new_size
    while at < len(delta):
        code = delta[at]
        at += 1
        if code & 0x80:
            start, at = _bytes_of(delta, at, code & 0x0F)
            size, at = _bytes_of(delta, at, code >> 4 & 0x07)
            part = old[start : start + (size := size or 0x10000)]
        else:
            size = code
            part = delta[at : at + size]
            at += size
        if not size or len(part) != size or size > left:
            return None
        parts.append(part)
        left -= size
    return b"".join(parts) if not left else None


def _number(delta: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = delta[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
        if shift > 63:
            raise IndexError


def _bytes_of(delta: bytes, at: int, present: int) -> tuple[int, int]:
    value = 0
    for place in range(4):
        if present >> place & 1:
            value |= delta[at] << 8 * place
            at += 1
    return value, at
