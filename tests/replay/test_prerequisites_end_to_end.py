# SPDX-License-Identifier: GPL-2.0-or-later
"""A series on top of three others that only the list has, from a real public-inbox server.

The trees have main. On the list are `alpha` (two versions), `beta` on alpha, and `gamma` on beta, whose second patch
was made before main got a fix in the same file: whoever applied it got another blob than the mail says. The second
version of alpha was mailed last. `delta` builds on all of them.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from seriestool.sources.lore import Lore
from tests.support.repos import FIRST_DATE, Repo
from tests.support.series import numbered
from tests.support.servers import ADDRESS, public_inbox
from tests.support.session import FindBaseAnswer, find, run_find_base, run_program

DAY = 24 * 3600
ANN, BEN, CID = (f"{name} <{name.lower()}@example.com>" for name in ("Ann", "Ben", "Cid"))
ALPHA_ID = "20231116-alpha-0123456789ab"


@dataclass
class World:
    """A maintainer's tree, an author's repository, and the mails."""

    tree: Repo
    author: Repo
    mails: list[bytes] = field(default_factory=list)
    series: dict[str, str] = field(default_factory=dict)
    """Name -> tip of the branch on which its author made it."""

    def write(self, name: str, base: str, who: str, day: int, *changes: Mapping[str, str]) -> str:
        """The tip of a series; each change is a patch."""
        tip = base
        for number, files in enumerate(changes, 1):
            date = FIRST_DATE + day * DAY + number * 60
            message = f"{name}: part {number}\n\nWhy part {number} of {name} is good.\n"
            tip = self.author.commit(files, message, author=who, date=date, branch=name, parent=tip)
        self.series[name] = tip
        return tip

    def mail(self, name: str, count: int, version: int = 1, letter: str = "", title: str = "") -> list[bytes]:
        """The mails of the last `count` commits of a series, cover letter first."""
        title = title or name
        options = ("--numbered", *([f"-v{version}"] if version > 1 else []))
        mbox = self.author.format_patch(f"{self.series[name]}~{count}..{self.series[name]}", *options)
        patches = re.split(rb"^From [0-9a-f]{40} Mon Sep 17 00:00:00 2001\n", mbox, flags=re.M)[1:]
        mark = f"PATCH v{version}" if version > 1 else "PATCH"
        who, date = (re.search(rb"^" + key + rb": (.*)$", patches[0], re.M)[1] for key in (b"From", b"Date"))  # type: ignore[index]
        cover = b"From: %s\nDate: %s\nSubject: [%s 0/%d] %s: all\n\n%s\n" % (
            who, date, mark.encode(), count, title.encode(), letter.encode() or b"What it is for.\n")  # fmt: skip
        return [addressed(raw, name, number) for number, raw in enumerate([cover, *patches])]

    def post(self, name: str, count: int, version: int = 1, letter: str = "", title: str = "") -> None:
        self.mails += self.mail(name, count, version, letter, title)

    def needed(self, *names: str) -> str:
        """The commit with all these series on main, as an author would put them there."""
        self.author.git("checkout", "--quiet", "--force", "-B", "picked", "main")
        for name in names:
            tip = self.series[name]
            self.author.git("cherry-pick", f"{tip}~{COUNTS[name]}..{tip}")
        return self.author.git("rev-parse", "HEAD")


COUNTS = {"alpha1": 2, "alpha2": 2, "beta": 1, "gamma": 2}


def addressed(raw: bytes, name: str, number: int) -> bytes:
    """The mail as it came over the list."""
    heads = f"To: {ADDRESS}\nList-Id: <list.example.org>\nMessage-ID: <{msgid(name, number)}>\n"
    if number:
        heads += f"In-Reply-To: <{msgid(name, 0)}>\nReferences: <{msgid(name, 0)}>\n"
    return heads.encode() + raw


def msgid(name: str, number: int) -> str:
    return f"{name}-{number}@example.org"


def mbox(mails: Sequence[bytes]) -> bytes:
    return b"".join(b"From mboxrd@z Thu Jan  1 00:00:00 1970\n" + raw.rstrip(b"\n") + b"\n\n" for raw in mails)


def make_world(folder: Path) -> World:
    tree = Repo(folder / "tree")
    start = tree.commit({path: numbered() for path in ("a.c", "shared.c", "c.c", "odd.c")}, "start")
    tree.commit({"c.c": numbered({70: "fixed"})}, "c: a fix")
    author = Repo(folder / "author")
    author.git("fetch", "--quiet", str(tree.path), "+refs/heads/*:refs/heads/*", "--update-head-ok")
    world = World(tree, author)
    main = tree.git("rev-parse", "main")

    world.write(
        "alpha1", main, ANN, 1, {"a.c": numbered({10: "alpha, first try"})}, {"shared.c": numbered({5: "alpha"})}
    )
    world.post("alpha1", 2, 1, f"First try.\n\n---\nchange-id: {ALPHA_ID}\n", "alpha")
    world.write("alpha2", main, ANN, 6, {"a.c": numbered({10: "alpha"})}, {"shared.c": numbered({5: "alpha two"})})
    world.post("alpha2", 2, 2, f"Second try.\n\n---\nchange-id: {ALPHA_ID}\n", "alpha")
    on_alpha = {"a.c": numbered({10: "alpha", 30: "beta"}), "shared.c": numbered({5: "alpha two", 25: "beta"})}
    world.write("beta", world.series["alpha2"], BEN, 4, on_alpha)
    world.post("beta", 1)
    old = author.commit({**on_alpha, "c.c": numbered()}, "old", branch="old", parent=start)
    world.write(
        "gamma", old, CID, 5,
        {"shared.c": numbered({5: "alpha two", 25: "beta", 45: "gamma"})}, {"c.c": numbered({20: "gamma"})},
    )  # fmt: skip
    world.post("gamma", 2)
    write_delta(world)
    return world


def write_delta(world: World) -> None:
    base = world.needed("alpha2", "beta", "gamma")
    new = {path: world.author.git_bytes("show", f"{base}:{path}").decode() for path in ("a.c", "shared.c", "c.c")}
    first = {"a.c": new["a.c"].replace("line 31\n", "delta\n"), "new.c": "delta\n"}
    lines = {"shared.c": "line 46\n", "c.c": "line 21\n"}
    second = {path: new[path].replace(line, "delta\n") for path, line in lines.items()}
    world.write("delta", base, ANN, 8, first, second)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """The world, and the URL of the inbox that has all mails; delta's base is in nobody's tree."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("world")
        (folder / "config").write_text("[user]\nname = C\nemail = c@example.com\n[init]\ndefaultBranch = main\n")
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "config"))
        world = make_world(folder)
        with public_inbox(folder / "lore", [*world.mails, *world.mail("delta", 2, letter=LETTER)]) as url:
            yield world, url


LETTER = f"It is for everyone.\n\n---\nbase-commit: {'12' * 20}\n"


@pytest.fixture
def world(served: tuple[World, str], tmp_path: Path) -> World:
    """The same with a tree of the test's own."""
    shutil.copytree(served[0].tree.path, tmp_path / "tree")
    return replace(served[0], tree=Repo(tmp_path / "tree"))


@pytest.fixture
def indexed(served: tuple[World, str], world: World) -> World:
    """The world with the inbox cloned and indexed by the program."""
    assert run_program("lists", "add", "--global", "french", served[1], cwd=world.tree.path).code == 0
    updated = run_program("lists", "update", cwd=world.tree.path)
    assert updated.code == 0, updated.err
    assert "9 patches in all" in updated.err  # alpha twice, beta, gamma, and delta itself
    return world


def delta(world: World, letter: str = LETTER) -> bytes:
    return mbox(world.mail("delta", 2, letter=letter))


def needs(answer: FindBaseAnswer) -> list[tuple[str, str, str]]:
    return [(need["msgid"], need["state"], need["source"]) for need in answer["prerequisites"]]


NEEDED = [
    (msgid(name, number), "unmerged", "discovered")
    for name, number in (("alpha2", 1), ("alpha2", 2), ("beta", 1), ("gamma", 1), ("gamma", 2))
]


def check_rebuilt(world: World, answer: FindBaseAnswer) -> None:
    assert answer["verdict"] in ("partial", "none")
    assert answer["stated"]["state"] == "unknown"
    assert needs(answer) == NEEDED
    rebuilt = answer["rebuilt"]
    assert (rebuilt["commit"], rebuilt["tree"]) == (world.tree.git("rev-parse", "main"), "main")
    assert (rebuilt["matched"], rebuilt["expected"], rebuilt["verdict"]) == (3, 3, "applies")
    ways = {one["path"]: [(step["msgid"], step["taken_off"]) for step in one["patches"]] for one in rebuilt["blobs"]}
    assert ways == {
        "a.c": [(msgid("alpha2", 1), False), (msgid("beta", 1), False)],
        "shared.c": [(msgid("alpha2", 2), False), (msgid("beta", 1), False), (msgid("gamma", 1), False)],
        "c.c": [(msgid("gamma", 2), False)],
    }
    for one in rebuilt["blobs"]:
        assert world.author.git("rev-parse", f"{world.series['delta']}~2:{one['path']}").startswith(one["blob"])


def check_branch(world: World, branch: str) -> None:
    """One commit for each patch that was needed, then the series; each tree is the author's."""
    tree, author = world.tree, world.author
    main = tree.git("rev-parse", "main")
    subjects = tree.git("log", "--reverse", "--format=%s|%an <%ae>|%at", f"{main}..{branch}").splitlines()
    names = [("alpha2", 2), ("beta", 1), ("gamma", 2), ("delta", 2)]
    mailed = [
        line
        for name, count in names
        for line in author.git(
            "log", "--reverse", f"-{count}", "--format=%s|%an <%ae>|%at", world.series[name]
        ).splitlines()
    ]
    assert subjects == mailed
    for name in (branch, f"{branch}~2"):
        for path in ("a.c", "shared.c", "c.c"):
            at = world.series["delta"] + name.removeprefix(branch)
            assert tree.git("rev-parse", f"{name}:{path}") == author.git("rev-parse", f"{at}:{path}")
    for at, (source, number) in enumerate([("gamma", 2), ("gamma", 1), ("beta", 1), ("alpha2", 2), ("alpha2", 1)], 2):
        message = tree.git("log", "-1", "--format=%B", f"{branch}~{at}")
        title = "alpha" if source == "alpha2" else source
        assert message.startswith(f"{source}: part {number}\n\nWhy part {number} of {source} is good.")
        assert f"\nRebuilt-from: <{msgid(source, number)}>" in message, title


def test_from_an_index_of_the_list(indexed: World) -> None:
    tree = indexed.tree
    before = tree.git("rev-parse", "HEAD", "main"), tree.git("status", "--porcelain")
    check_rebuilt(indexed, find(tree, delta(indexed), "--branch", "review/delta"))
    check_branch(indexed, "review/delta")
    assert (tree.git("rev-parse", "HEAD", "main"), tree.git("status", "--porcelain")) == before


def test_one_blob_is_none_that_the_mails_name(indexed: World) -> None:
    """The patch was applied to another version than it was made on: only its context leads to the blob."""
    made = indexed.author.git("rev-parse", f"{indexed.series['gamma']}:c.c")
    recipes = {one["path"]: one for one in find(indexed.tree, delta(indexed))["rebuilt"]["blobs"]}
    assert recipes["c.c"]["proven"]
    assert not made.startswith(recipes["c.c"]["blob"])


def test_a_superseded_version_is_called_so(indexed: World) -> None:
    base = indexed.needed("alpha1")
    content = numbered({10: "alpha, first try", 11: "zeta"})
    indexed.write("zeta", base, CID, 9, {"a.c": content})
    answer = find(indexed.tree, mbox(indexed.mail("zeta", 1)))
    assert needs(answer) == [(msgid("alpha1", 1), "superseded", "discovered")]
    assert answer["rebuilt"]["matched"] == answer["rebuilt"]["expected"] == 1
    assert "superseded" in run_find_base(indexed.tree, mbox(indexed.mail("zeta", 1)))[1]


def test_a_stated_patch_that_was_merged(indexed: World) -> None:
    tree = indexed.tree
    tip = tree.commit({"a.c": numbered({10: "alpha"})}, "a: as on the list", branch="next", parent="main")
    letter = f"All.\n\n---\nprerequisite-message-id: <{msgid('alpha2', 0)}>\n"
    answer = find(tree, delta(indexed, letter))
    first, second = answer["prerequisites"][:2]
    assert (first["state"], first["merged_as"]) == ("merged", tip)
    assert (second["state"], second["merged_as"]) == ("unmerged", None)


def test_in_words(indexed: World) -> None:
    code, out, _ = run_find_base(indexed.tree, delta(indexed))
    assert code == 1
    main = indexed.tree.git("rev-parse", "--short=12", "main")
    assert f"rebuilt base: {main} (tip) plus 2 patches of " in out
    assert " gives 3 of 3 blobs\n  on it all 2 patches apply\n" in out


def test_lists_are_not_asked_where_that_is_not_wanted(indexed: World) -> None:
    answer = find(indexed.tree, delta(indexed), "--no-prerequisites")
    assert (answer["prerequisites"], answer["rebuilt"]) == ([], None)
    assert "rebuilt base" not in run_find_base(indexed.tree, delta(indexed), "--no-prerequisites")[1]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server is asked from now on; what the cache answers is not in it."""
    found: list[str] = []
    ask = Lore._ask

    def record(self: Lore, what: str, fetch: Callable[[Any], bytes]) -> bytes:
        found.append(what)
        return ask(self, what, fetch)

    monkeypatch.setattr(Lore, "_ask", record)
    return found


def test_from_the_server(served: tuple[World, str], world: World, asked: list[str]) -> None:
    options = ("--prerequisites", "--lore", served[1])
    check_rebuilt(world, find(world.tree, delta(world), *options, "--branch", "review/delta"))
    check_branch(world, "review/delta")
    assert 0 < len(asked) <= 4, asked
    world.tree.git("update-ref", "-d", "refs/heads/review/delta")
    count = len(asked)
    check_rebuilt(world, find(world.tree, delta(world), *options))
    assert len(asked) == count


def test_the_server_is_only_asked_on_request(served: tuple[World, str], world: World, asked: list[str]) -> None:
    world.tree.git("config", "seriestool.lore", served[1])
    assert find(world.tree, delta(world))["rebuilt"] is None
    code, _, err = run_find_base(world.tree, delta(world), "--prerequisites", "--offline")
    assert code == 2
    assert "no lists were added" in err
    assert asked == []
    check_rebuilt(world, find(world.tree, delta(world), "--prerequisites"))


def test_a_server_that_is_away(world: World) -> None:
    code, out, err = run_find_base(world.tree, delta(world), "--prerequisites", "--lore", "http://127.0.0.1:9/x")
    assert code == 4
    assert "cannot reach http://127.0.0.1:9/x" in err
    assert "Traceback" not in out + err


# --- what the author states ---------------------------------------------------------------------------------------


def patch_id(world: World, name: str, number: int) -> str:
    """As git has it."""
    raw = world.mail(name, COUNTS[name])[number]
    return world.author.git("patch-id", "--stable", input=raw).split()[0]


def stating(world: World) -> dict[str, tuple[str, list[tuple[str | None, str]]]]:
    """A line of the cover letter -> what is found of it."""
    beta = [(msgid("beta", 1), "unmerged")]
    gamma = [(msgid("gamma", 1), "unmerged"), (msgid("gamma", 2), "unmerged")]
    missing: list[tuple[str | None, str]] = [(None, "missing")]
    alpha = {n: (msgid("alpha1", n), "superseded") for n in (1, 2)}
    return {
        "patch-id": (f"prerequisite-patch-id: {patch_id(world, 'beta', 1)}", [*beta]),
        "patch-id of an old version": (f"prerequisite-patch-id: {patch_id(world, 'alpha1', 1)}", [alpha[1]]),
        "patch-id of nothing": (f"prerequisite-patch-id: {'0' * 40}", missing),
        "message-id": (f"prerequisite-message-id: <{msgid('gamma', 0)}>", [*gamma]),
        "message-id of an old version": (f"prerequisite-message-id: <{msgid('alpha1', 0)}>", [alpha[1], alpha[2]]),
        "message-id of nothing": ("prerequisite-message-id: <none@example.org>", missing),
        "change-id": (f"prerequisite-change-id: {ALPHA_ID}", [(msgid("alpha2", n), "unmerged") for n in (1, 2)]),
        "change-id of an old version": (f"prerequisite-change-id: {ALPHA_ID}:v1", [alpha[1], alpha[2]]),
        "change-id of nothing": ("prerequisite-change-id: 20231116-none-0123456789ab", missing),
        "Based-on": (f"Based-on: <{msgid('beta', 1)}>", [*beta]),
        "Based-on a URL": (f"Based-on: https://lore.kernel.org/r/{msgid('gamma', 0)}/", [*gamma]),
        "Based-on nothing": ("Based-on: <none@example.org>", missing),
        "Depends-on": (f"Depends-on: https://lore.kernel.org/all/{msgid('beta', 0)}", [*beta]),
        "Depends-on nothing": ("Depends-on: https://lore.kernel.org/all/none@example.org", missing),
    }


FORMS = (
    "patch-id", "patch-id of an old version", "patch-id of nothing", "message-id", "message-id of an old version",
    "message-id of nothing", "change-id", "change-id of an old version", "change-id of nothing", "Based-on",
    "Based-on a URL", "Based-on nothing", "Depends-on", "Depends-on nothing",
)  # fmt: skip


@pytest.fixture(params=["index", "server"])
def ask(request: pytest.FixtureRequest, served: tuple[World, str], world: World) -> Callable[..., Any]:
    """find-base as people run it; the lists are indexed here, or a server is asked."""
    options: tuple[str, ...] = ("--prerequisites", "--lore", served[1])
    if request.param == "index":
        request.getfixturevalue("indexed")
        options = ()

    def run(function: Callable[..., Any], mails: bytes, *more: str) -> Any:
        return function(world.tree, mails, *options, *more)

    return run


def test_every_form_of_stated_prerequisites(world: World, ask: Callable[..., Any]) -> None:
    forms = stating(world)
    assert tuple(forms) == FORMS
    letter = "For all.\n\n---\n" + "".join(f"{line}\n" for line, _ in forms.values())
    mails = delta(world, letter)
    answer = ask(find, mails)
    stated = [need for need in answer["prerequisites"] if need["source"] == "stated"]
    for line, expected in forms.values():
        key, _, value = line.partition(": ")
        words = f"{key}: {value.strip('<>')}"
        assert [(need["msgid"], need["state"]) for need in stated if need["stated_as"] == words] == expected, words
    code, out, _ = ask(run_find_base, mails)
    assert code == 1
    for line, expected in forms.values():
        words = line.partition(": ")[2].strip("<>")
        for _, state in expected:
            assert re.search(rf"^  {state} .*{re.escape(words)}", out, re.M), line


def test_stated_patches_say_what_they_prove(indexed: World) -> None:
    """One that is both stated and discovered is there once."""
    answer = find(indexed.tree, delta(indexed, f"All.\n\n---\nBased-on: <{msgid('beta', 0)}>\n"))
    (beta,) = [need for need in answer["prerequisites"] if need["msgid"] == msgid("beta", 1)]
    assert (beta["source"], sorted(beta["proven"])) == ("stated", ["a.c", "shared.c"])


def test_links_of_the_cover_letter_are_hints_and_no_more(indexed: World) -> None:
    link = "https://lore.kernel.org/all/some@example.org"
    answer = find(indexed.tree, delta(indexed, f"This depends on {link} by Ben.\n\nSee https://example.org/ too.\n"))
    assert answer["dependence_hints"] == [link]
    assert needs(answer) == NEEDED


def test_prerequisites_of_a_series_that_has_a_base(indexed: World) -> None:
    """Stated ones are looked up, nothing is rebuilt."""
    letter = f"All.\n\n---\nbase-commit: {indexed.tree.git('rev-parse', 'main')}\nBased-on: <none@example.org>\n"
    answer = find(indexed.tree, mbox(indexed.mail("alpha2", 2, 2, letter)))
    assert answer["verdict"] == "exact"
    assert [(need["state"], need["stated_as"]) for need in answer["prerequisites"]] == [
        ("missing", "Based-on: none@example.org")
    ]
    assert answer["rebuilt"] is None


# --- mails that lie -----------------------------------------------------------------------------------------------


def list_of(world: World, folder: Path, mails: Sequence[bytes]) -> None:
    """These mails are all that is on lists."""
    folder.mkdir(exist_ok=True)
    (folder / "list.mbox").write_bytes(mbox(mails))
    assert run_program("lists", "add", "--global", "list", folder / "list.mbox", cwd=world.tree.path).code == 0
    assert run_program("lists", "update", cwd=world.tree.path).code == 0


def edited(world: World) -> tuple[bytes, str]:
    """A series on beta as a maintainer edited it, in words that no list has; and the blob that it was made from."""
    base = world.author.commit({"odd.c": numbered({40: "as edited by hand"})}, "edited", branch="edited", parent="main")
    content = numbered({40: "as edited by hand", 41: "epsilon"})
    world.write("epsilon", base, ANN, 9, {"odd.c": content})
    return mbox(world.mail("epsilon", 1)), world.author.git("rev-parse", f"{base}:odd.c")


def claiming(name: str, old: str, new: str, line: str = "lie") -> bytes:
    """A patch of odd.c whose index line says what it likes."""
    text = (
        f"From: {BEN}\nDate: Sun, 19 Nov 2023 10:00:00 +0000\nSubject: [PATCH] {name}: trust me\n\nwhy\n---\n"
        f"diff --git a/odd.c b/odd.c\nindex {old[:12]}..{new[:12]} 100644\n--- a/odd.c\n+++ b/odd.c\n"
        f"@@ -39,3 +39,3 @@\n line 39\n-line 40\n+{line}\n line 41\n-- \n2.39.5\n"
    )
    return addressed(text.encode(), name, 0)


def check_nothing_is_claimed(answer: FindBaseAnswer) -> None:
    assert answer["prerequisites"] == []
    (odd,) = answer["rebuilt"]["blobs"]
    assert (odd["proven"], odd["kind"], answer["rebuilt"]["matched"]) == (False, "nearest", 0)


def test_content_that_no_list_has_is_named(world: World, tmp_path: Path) -> None:
    mails, _ = edited(world)
    list_of(world, tmp_path, world.mails)
    check_nothing_is_claimed(find(world.tree, mails))
    out = run_find_base(world.tree, mails)[1]
    assert "gives 0 of 1 blobs" in out
    assert "nothing explains odd.c" in out
    assert "on it not even the first patch applies" in out


def test_a_mail_that_claims_a_blob_and_does_not_make_it(world: World, tmp_path: Path) -> None:
    mails, blob = edited(world)
    start = world.tree.git("rev-parse", "main:odd.c")
    list_of(world, tmp_path, [claiming("lie", start, blob), claiming("lie2", "1" * 40, blob, "another lie")])
    check_nothing_is_claimed(find(world.tree, mails))


def test_a_mail_that_makes_what_it_claims_is_believed(world: World, tmp_path: Path) -> None:
    """Also where liars claim the same."""
    mails, blob = edited(world)
    start = world.tree.git("rev-parse", "main:odd.c")
    honest = claiming("honest", start, blob, "as edited by hand")
    list_of(world, tmp_path, [claiming("lie", start, blob), honest, claiming("lie2", blob, start)])
    answer = find(world.tree, mails)
    assert needs(answer) == [(msgid("honest", 0), "unmerged", "discovered")]
    assert answer["rebuilt"]["matched"] == 1


def test_mails_that_go_round_in_circles(world: World, tmp_path: Path) -> None:
    mails, blob = edited(world)
    start = world.tree.git("rev-parse", "main:odd.c")
    ring = [blob, "a" * 40, "b" * 40, "c" * 40]
    steps = zip(ring, [*ring[1:], ring[0]], strict=True)
    circle = [claiming(f"ring{n}", old, new, f"ring {n}") for n, (old, new) in enumerate(steps)]
    same = [claiming("self", blob, blob), claiming("there", start, "a" * 40), claiming("back", "a" * 40, start)]
    list_of(world, tmp_path, [*circle, *same])
    check_nothing_is_claimed(find(world.tree, mails))
