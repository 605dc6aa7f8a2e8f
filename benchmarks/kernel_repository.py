# SPDX-License-Identifier: GPL-2.0-or-later
"""A real git repository of any size up to the kernel's, made by `git fast-import`; the same one each time.

Topics are merged into a main line and stable lines grow beside it (`benchmarks.shape`), over 20 years. A topic mostly
stays in one folder; some folders are busy, most are not. Nearly all blobs are a number, but the first files of some
folders are C code of 600 lines that changes function by function, so that patches can be made for them and tried.
"""

import random
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.shape import Shape, Size

FIRST, LAST = 1_110_000_000, 1_740_000_000
"""The times of the oldest commit and of the newest one."""
STABLE_STEP = 6300
"""Seconds between two commits of a stable line: 10,000 of them are two years."""
IN_FOLDER = 60
FUNCTIONS = 61
C_FOLDERS = (0, *range(8, 200, 4))
SEEN_TWICE = 1.2
"""A topic changes some files more than once, and its merge only once: so many more changes make up for it."""
TAGS = 800
MAINTAINERS = 30


def make_repository(folder: Path, size: Size) -> None:
    """A bare repository with `master`, stable lines and maintainers' trees as remotes' branches, and tags."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=master", folder], check=True)
    import_commits(folder, History(size).stream())


def import_commits(folder: Path, stream: Iterable[bytes]) -> None:
    """Feed git fast-import; level 1 and short delta chains make it three times as fast as what git would choose."""
    command = ["git", "-C", folder, "-c", "core.compression=1", "fast-import", "--quiet", "--force", "--depth=10"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    for some in stream:
        process.stdin.write(some)
    process.stdin.close()
    if process.wait():
        raise SystemExit("git fast-import failed")


def path_of(folder: int, file: int) -> bytes:
    return b"sub%d/area%d/part%d/file_%d.c" % (folder % 20, folder // 20 % 10, folder // 200, file)


def c_paths() -> list[bytes]:
    """The files with C code, the most often changed ones first."""
    return [path_of(folder, file) for folder in C_FOLDERS for file in range(2)]


def c_file(version: int) -> bytes:
    """C code whose version N differs from version N-1 in one function."""
    ages = [(version - number * 18) % FUNCTIONS for number in range(FUNCTIONS)]
    return "".join(c_function(number, max(0, version - age)) for number, age in enumerate(ages)).encode()


def c_function(number: int, version: int) -> str:
    return (
        f"static int step_{number}(struct device *dev, int arg)\n{{\n\tint ret = check_{version}(dev, arg);\n\n"
        f"\tif (ret < {version % 97})\n\t\treturn ret;\n"
        f"\tdev->state[{number}] = ret + {version};\n\n\treturn 0;\n}}\n\n"
    )


def commit(ref: str, time: int, subject: str, mark: int = 0, parents: Sequence[str] = (), body: str = "") -> bytes:
    """One commit's beginning; its changes follow. The first parent may be left out where it is the ref's tip."""
    message = f"{subject}\n\n{body}" if body else subject
    links = "".join(f"{word} {parent}\n" for word, parent in zip(("from", "merge"), parents, strict=False) if parent)
    marked = f"mark :{mark}\n" if mark else ""
    person = f"A Developer {time % 499} <dev{time % 499}@kernel.invalid> {time} +0000"
    return (
        f"commit {ref}\n{marked}author {person}\ncommitter {person}\ndata {len(message)}\n{message}\n{links}".encode()
    )


def inline(path: bytes, content: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(content), content)


def body_of(number: int) -> str:
    """Some 800 bytes of text and trailers, as the kernel's commits have them: most link to a mail, some fix another."""
    text = "The device answers late when the queue is full, and the driver takes that for an error.\n" * (
        3 + number % 8
    )
    mail = f"{number}.{number % 977}-1-dev{number % 499}@kernel.invalid"
    fixed = f'Fixes: {number * 2654435761 % 2**48:012x} ("part{number % 97}: change {number // 2}")\n'
    link = f"Link: https://patch.msgid.link/{mail}\n"
    people = (
        f"Reviewed-by: R Viewer <r{number % 101}@kernel.invalid>\nSigned-off-by: A Developer <dev@kernel.invalid>\n"
    )
    return f"{text}\n{fixed if number % 6 == 0 else ''}{people}{link if number % 5 < 3 else ''}"


class History:
    """The whole stream; marks of commits are their numbers plus one, marks of blobs come after these."""

    def __init__(self, size: Size) -> None:
        self._chosen = random.Random(4)
        self._shape = shape = Shape(size)
        self._folders = size.files // IN_FOLDER
        self._blobs = size.commits
        again = sum(map(len, shape.merged.values()))
        self._mean = SEEN_TWICE * size.changes / (size.commits - len(shape.merged) + again)
        self._versions = dict.fromkeys(c_paths(), 0)
        self._pace = (LAST - FIRST) / (shape.main[-1] + 1)
        self._tags = max(1, len(shape.main) // TAGS)

    def stream(self) -> Iterator[bytes]:
        shape = self._shape
        yield commit("refs/heads/master", FIRST, "the beginning", 1)
        for merge, topic in shape.merged.items():
            changed: dict[bytes, int] = {}
            yield from self._line(
                ref="refs/heads/topic", line=topic, start=self._time(topic.start), pace=self._pace, changed=changed
            )
            parents = ("", f":{topic.stop}")
            yield commit(
                ref="refs/heads/master",
                time=self._time(merge),
                subject=f"Merge topic {merge}",
                mark=merge + 1,
                parents=parents,
            )
            yield b"".join(b"M 100644 :%d %s\n" % (blob, path) for path, blob in changed.items())
        for number, line in enumerate(shape.stable):
            start = self._time(shape.parents[line.start][0])
            pace = min(STABLE_STEP, (LAST - start) / len(line))
            yield from self._line(
                ref=f"refs/remotes/stable/linux-{number}.y", line=line, start=start, pace=pace, changed={}
            )
        yield b"reset refs/heads/topic\nfrom %s\n\n" % (b"0" * 40)
        for number, tagged in enumerate(shape.main[:: self._tags]):
            yield b"reset refs/tags/v%d\nfrom :%d\n\n" % (number, tagged + 1)
        for number, merge in enumerate(shape.main[1:][-MAINTAINERS:]):
            yield b"reset refs/remotes/maintainer-%d/for-next\nfrom :%d\n\n" % (number, shape.merged[merge].stop)

    def _time(self, number: int) -> int:
        return int(FIRST + number * self._pace)

    def _line(self, ref: str, line: range, start: int, pace: float, changed: dict[bytes, int]) -> Iterator[bytes]:
        """The commits of a topic or of a stable line; the last blob of each path goes to `changed`."""
        home = self._some(self._folders)
        for step, number in enumerate(line):
            parents = (f":{self._shape.parents[number][0] + 1}",) if not step else ()
            blobs, changes = [], []
            for _ in range(1 + int(self._chosen.expovariate(1 / (self._mean - 0.5)))):
                folder = home if self._chosen.random() < 0.85 else self._some(self._folders)
                path = path_of(folder, self._some(IN_FOLDER))
                self._blobs += 1
                changed[path] = self._blobs
                content = self._content(path)
                blobs.append(b"blob\nmark :%d\ndata %d\n%s\n" % (self._blobs, len(content), content))
                changes.append(b"M 100644 :%d %s\n" % (self._blobs, path))
            subject = f"part{home}: change {number}"
            yield b"".join(
                [
                    *blobs,
                    commit(
                        ref=ref,
                        time=int(start + step * pace),
                        subject=subject,
                        mark=number + 1,
                        parents=parents,
                        body=body_of(number),
                    ),
                    *changes,
                ]
            )

    def _some(self, count: int) -> int:
        """A number below `count`, the lower ones more often."""
        return int(count * self._chosen.random() ** 2)

    def _content(self, path: bytes) -> bytes:
        if path not in self._versions:
            return b"%d\n" % self._blobs
        self._versions[path] += 1
        return c_file(self._versions[path])
