# SPDX-License-Identifier: GPL-2.0-or-later
"""Git itself as the judge of rebases: `git rebase --onto`, `git am -3`, and the rule that `seriestool rebase` follows.

It works in a clone of its own with a sparse work tree of the touched paths and the attributes: merges look at whole
trees all the same, and paths in conflict are written out wherever they are. The configuration is sealed, so that git's
defaults hold.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CLEAN, PLAIN, THREE_WAY, DROPPED, CONFLICT = "clean", "plain", "3-way", "dropped", "conflict"
"""How a patch went in: by the merge of `rebase`, by `git apply`, by that of `am -3`, as one that is there; or not."""

AM_OPTIONS = ((), ("--keep-cr",), ("--keep-cr", "--quoted-cr=nowarn"), ("--quoted-cr=strip",))
"""How mails are read; carriage returns are part of a few patches, and damage of transport in others."""

_SETTINGS = {
    "advice.detachedHead": "false",
    "core.fsync": "none",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "merge.conflictStyle": "merge",
    "rerere.enabled": "false",
}
_GLOB = re.compile(r"([\\*?\[\]!# ])")
_GONE = re.compile(r"^(?:dropping|warning: skipped previously applied commit) ([0-9a-f]+)\b", re.M)


class JudgeError(Exception):
    """Git did something that is neither a clean end nor a conflict."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A conflict."""

    patch: int
    """Its number, from 1 on."""
    paths: tuple[str, ...]
    """Those left unmerged, in order; none where `git am` did not even begin to merge, nor for a folder's name alone."""
    said: tuple[str, ...]
    """What git says of them."""

    @property
    def is_in_contents(self) -> bool:
        """Whether the conflicts are within files; others are about where a file is, and what kind of thing."""
        return all(line.startswith(("CONFLICT (content)", "CONFLICT (add/add)")) for line in self.said)


@dataclass(frozen=True, slots=True)
class Way:
    """Where one way of rebasing led."""

    outcomes: tuple[str, ...]
    """Of each patch, as far as it came."""
    tree: str | None
    """Of the result; None where it stopped."""
    stops: tuple[Stop, ...] = ()


@dataclass(frozen=True, slots=True)
class OnBase:
    """A series as commits on its true base."""

    base: str
    commits: tuple[str, ...]
    mails: tuple[Path, ...]
    options: tuple[str, ...]
    """What made `git am` take the mails as they were meant."""
    tree: str


class Judge:
    """A work tree in which git does what it does."""

    def __init__(self, repo: Path, folder: Path) -> None:
        self.work = folder / "judge"
        self.env = _sealed(folder)
        if not self.work.exists():
            self.run("clone", "--quiet", "--shared", "--no-checkout", str(repo.resolve()), str(self.work), cwd=folder)

    def put_on_base(self, base: str, mails: Sequence[bytes], paths: Sequence[str], tree: str | None) -> OnBase:
        """The series as `git am` makes it; of several ways to read the mails the one that gives the tree expected."""
        files = self._write_mails(mails)
        self.start_on(base)
        patterns = [".gitattributes\n", *(_GLOB.sub(r"\\\1", f"/{path}\n") for path in paths)]
        self.run("sparse-checkout", "set", "--no-cone", "--stdin", stdin="".join(patterns))
        found = None
        for options in AM_OPTIONS:
            made = self._am_on_base(base, files, options)
            if made and made.tree == tree:
                return made
            found = found or made
        if found is None:
            raise JudgeError("git am does not take the series on its base")
        return found

    def merge(self, series: OnBase, onto: str) -> tuple[Way, Way]:
        """`git rebase --onto ONTO BASE` up to the first conflict; and the same by the rule of `seriestool rebase`.

        The merge decides; a patch whose merge conflicts in contents only may still go in as it stands, as in `git am`.
        One that does not is skipped, for the tool may know that it was merged in another form; the files are noted.
        """
        self.start_on(onto)
        merged = way = self._rebase(series, 0, onto)
        outcomes, stops = way.outcomes, way.stops
        while way.stops:
            self.start_on("HEAD")
            if way.stops[0].is_in_contents and self._takes(series.mails[len(outcomes) - 1], series.options):
                outcomes, stops = (*outcomes[:-1], PLAIN), stops[:-1]
            way = self._rebase(series, len(outcomes), "HEAD")
            outcomes, stops = (*outcomes, *way.outcomes), (*stops, *way.stops)
        return merged, Way(outcomes, way.tree, stops)

    def cherry(self, series: OnBase, onto: str, paths: Sequence[str]) -> Way | None:
        """`git rebase ONTO`, which does not try patches that ONTO has as other commits; None where it has none."""
        ours = series.commits[-1]
        if self.attempt("merge-base", "--is-ancestor", series.base, onto).returncode:
            return None
        marks = ("rev-list", "--cherry-mark", "--right-only", f"{onto}...{ours}", "--")
        if "=" not in self.run(*marks, *(f":(literal){path}" for path in paths)):
            return None  # whatever is marked by all its paths is marked by these too, and sooner
        self.start_on(onto)
        return self._rebase(series, 0, onto, upstream=onto)

    def am(self, series: OnBase, onto: str) -> Way:
        """`git am -3` of the mails on ONTO, up to the first conflict."""
        self.start_on(onto)
        answer = self.attempt("am", "-3", *_am(series.options), *map(str, series.mails))
        outcomes = [_outcome(said) for said in re.split(r"^Applying: ", answer.stdout, flags=re.M)[1:]]
        if answer.returncode == 0:
            return Way(tuple(outcomes), self.tree())
        outcomes[-1] = CONFLICT
        if int((self.git_dir / "rebase-apply/next").read_text()) != len(outcomes):
            raise JudgeError(answer.stderr)
        return Way(tuple(outcomes), None, (self._stop(len(outcomes), answer),))

    def start_on(self, commit: str) -> None:
        """A clean work tree at the commit; whatever was under way is forgotten."""
        for operation, folder in (("rebase", "rebase-merge"), ("am", "rebase-apply")):
            if (self.git_dir / folder).exists():
                self.run(operation, "--quit")
        self.run("checkout", "--quiet", "--force", "--detach", commit)
        self.run("reset", "--quiet", "--hard")
        self.run("clean", "-ffdxq")

    def tree(self) -> str:
        return self.run("rev-parse", "HEAD^{tree}").strip()

    @property
    def git_dir(self) -> Path:
        return self.work / ".git"

    def run(self, *arguments: str, stdin: str = "", cwd: Path | None = None) -> str:
        answer = self.attempt(*arguments, stdin=stdin, cwd=cwd)
        if answer.returncode:
            raise JudgeError(f"git {' '.join(arguments)}: {answer.stderr}")
        return answer.stdout

    def attempt(self, *arguments: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.work,
            env=self.env,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def _write_mails(self, mails: Sequence[bytes]) -> tuple[Path, ...]:
        folder = self.work.with_name("mails")
        folder.mkdir(exist_ok=True)
        files = []
        for number, mail in enumerate(mails, 1):
            files.append(folder / f"{number:04}")
            files[-1].write_bytes(
                b"From mboxrd@z Thu Jan  1 00:00:00 1970\n" + re.sub(rb"(?m)^(>*From )", rb">\1", mail)
            )
        return tuple(files)

    def _am_on_base(self, base: str, mails: tuple[Path, ...], options: tuple[str, ...]) -> OnBase | None:
        self.start_on(base)
        if self.attempt("am", *_am(options), *map(str, mails)).returncode:
            return None
        commits = tuple(self.run("rev-list", "--reverse", f"{base}..HEAD").split())
        if len(commits) != len(mails):
            raise JudgeError(f"{len(mails)} mails became {len(commits)} commits")
        return OnBase(base=base, commits=commits, mails=mails, options=options, tree=self.tree())

    def _takes(self, mail: Path, options: Sequence[str]) -> bool:
        """Whether `git am` takes the mail where we are; it is a commit then."""
        taken = self.attempt("am", *_am(options), str(mail)).returncode == 0
        self.start_on("HEAD")
        return taken

    def _rebase(self, series: OnBase, done: int, onto: str, *, upstream: str | None = None) -> Way:
        """The patches after the first `done` on `onto`; those that an upstream has already are not tried."""
        commits = series.commits[done:]
        if not commits:
            return Way((), self.tree())
        keep = "--no-reapply-cherry-picks" if upstream else "--reapply-cherry-picks"
        below = upstream or (series.base, *series.commits)[done]
        answer = self.attempt("rebase", "--empty=drop", keep, "--onto", onto, below, commits[-1])
        gone = tuple(_GONE.findall(answer.stderr))
        outcomes = [DROPPED if commit.startswith(gone) else CLEAN for commit in commits]
        if answer.returncode == 0:
            return Way(tuple(outcomes), self.tree())
        stopped = commits.index(self.run("rev-parse", "REBASE_HEAD").strip())
        stop = self._stop(done + stopped + 1, answer)
        if not stop.paths and "\nerror: could not apply " not in answer.stderr:
            raise JudgeError(answer.stderr)
        return Way((*outcomes[:stopped], CONFLICT), None, (stop,))

    def _stop(self, patch: int, answer: subprocess.CompletedProcess[str]) -> Stop:
        entries = self.run("ls-files", "--unmerged", "-z").split("\0")[:-1]
        paths = sorted({entry.split("\t", 1)[1] for entry in entries})
        said = [line for line in answer.stdout.splitlines() if line.startswith("CONFLICT ")]
        return Stop(patch, tuple(paths), tuple(said))


def _am(options: Sequence[str]) -> tuple[str, ...]:
    return ("--patch-format=mboxrd", "--no-gpg-sign", *options)


def _outcome(said: str) -> str:
    if "\nNo changes -- Patch already applied." in said:
        return DROPPED
    return THREE_WAY if "\nFalling back to patching base and 3-way merge" in said else PLAIN


def _sealed(folder: Path) -> dict[str, str]:
    """The environment: no configuration but ours, one identity, one date."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_EDITOR": ":",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    }
    for number, (key, value) in enumerate(_SETTINGS.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    for who in ("GIT_AUTHOR", "GIT_COMMITTER"):
        env |= {f"{who}_NAME": "Judge", f"{who}_EMAIL": "judge@oracle.invalid", f"{who}_DATE": "1700000000 +0000"}
    return env
