# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks on a Patchwork server: each once, and what the real one's answers mean."""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from seriestool.bot.bot_config import Policy
from seriestool.bot.bot_tables import MessageState
from seriestool.bot.notify.delivery import DeliveryStatus
from seriestool.bot.notify.notify_decision import Channel
from seriestool.bot.notify.patchwork_api import CheckPayload, find_missing, find_patch, make_server, parse_bodies
from seriestool.bot.notify.send import CLAIM_SECONDS, OpenChannels, find_decided, recover_sending, send_message
from seriestool.bot.notify.send.patchwork import Patchwork as Way
from seriestool.util.errors import InputError
from tests.support.notify import FACTS, NOW, RULES, facts, open_store, record, rows_of
from tests.support.servers import TOKEN, Patchwork, patchwork_server, recorded

RULES = replace(RULES, policy=Policy.PATCHWORK, has_patchwork=True)
ONE, TWO = "one@example.org", "two@example.org"
TOLD = [
    (1, "seriestool-apply", "success", "it applies to 012345678901 (v6.9, in widgets-next)"),
    (1, "seriestool-fixes-tag", "fail", "the subject is another"),
    (2, "seriestool-apply", "success", "it applies to 012345678901 (v6.9, in widgets-next)"),
]


def way(server: Patchwork, token: str = TOKEN) -> Way:
    return Way(make_server(server.url, token))


def channels_to(server: Patchwork) -> OpenChannels:
    return OpenChannels({Channel.PATCHWORK: way(server)})


def message(**changes: str) -> bytes:
    return json.dumps([{"msgid": ONE, "context": "seriestool-x", "state": "success", "description": "fine",
                        "target_url": "", **changes}]).encode()  # fmt: skip


def test_checks_are_posted_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, patchwork_server(ONE, TWO) as server:
        record(store, rules=RULES)
        (saying,) = find_decided(store)
        assert send_message(store, saying, channels_to(server), NOW) is MessageState.SENT
        assert server.told() == TOLD
        assert server.checks[0]["target_url"] == f"https://series.example.org/series/{FACTS.key}/"
        assert way(server).deliver(saying, bytes(rows_of(store)[0]["message"])).status is DeliveryStatus.DELIVERED
        assert server.told() == TOLD


def test_a_patch_that_the_server_has_not_got_yet_is_told_of_later(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, patchwork_server(ONE) as server:
        record(store, rules=RULES)
        (saying,) = find_decided(store)
        assert send_message(store, saying, channels_to(server), NOW) is MessageState.DECIDED
        assert "has no patch two@example.org yet" in str(rows_of(store)[0]["error"])
        server.patches[2] = TWO
        assert send_message(store, saying, channels_to(server), NOW + 60) is MessageState.SENT
        assert server.told() == TOLD


def test_an_answer_that_was_lost_is_asked_for(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, patchwork_server(ONE, TWO) as server:
        server.posts_until_failure = 1
        record(store, rules=RULES)
        (saying,) = find_decided(store)
        assert send_message(store, saying, channels_to(server), NOW) is MessageState.DECIDED
        assert send_message(store, saying, channels_to(server), NOW + 60) is MessageState.SENT
        assert server.told() == TOLD


def test_a_claim_that_nobody_works_on_is_taken_up_again(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, patchwork_server(ONE, TWO) as server:
        record(store, rules=RULES)
        (saying,) = find_decided(store)

        class Dead(Way):
            def deliver(self, saying: str, message: bytes) -> None:  # type: ignore[override]
                super().deliver(saying, message)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            send_message(store, saying, OpenChannels({Channel.PATCHWORK: Dead(make_server(server.url, TOKEN))}), NOW)
        assert recover_sending(store, OpenChannels(), NOW + CLAIM_SECONDS) == {
            saying: MessageState.SENDING
        }  # nobody who could ask
        assert recover_sending(store, channels_to(server), NOW + CLAIM_SECONDS) == {saying: MessageState.SENT}
        assert server.told() == TOLD


def test_a_new_state_is_posted_and_the_old_one_is_history(tmp_path: Path) -> None:
    mended = facts(contexts=(replace(FACTS.contexts[1], state="success", description="nothing to fix"),))
    with open_store(tmp_path) as store, patchwork_server(ONE, TWO) as server:
        for report in (FACTS, mended, mended):
            record(store, report, RULES)
            for saying in find_decided(store):
                assert send_message(store, saying, channels_to(server), NOW) is MessageState.SENT
        assert server.told() == [*TOLD, (1, "seriestool-fixes-tag", "success", "nothing to fix")]


def test_more_checks_than_fit_on_a_page_are_all_seen() -> None:
    with patchwork_server(ONE) as server:
        server.page = 2
        for number in range(7):
            assert way(server).deliver("x", message(context=f"c-{number}")).status is DeliveryStatus.DELIVERED
        for number in range(7):
            assert way(server).deliver("x", message(context=f"c-{number}")).status is DeliveryStatus.DELIVERED
        assert len(server.checks) == 7


@pytest.mark.parametrize(
    ("failures", "status", "words"),
    [
        ({"POST": (500, "oops")}, DeliveryStatus.LATER, "says 500"),
        ({"POST": (429, "slowly")}, DeliveryStatus.LATER, "says 429"),
        ({"GET": (502, "<html>")}, DeliveryStatus.LATER, "says 502"),
        ({"GET": (302, "")}, DeliveryStatus.LATER, "says 302"),
        ({"GET": (200, "<html>a page</html>")}, DeliveryStatus.LATER, "does not answer as a Patchwork server"),
        ({"GET": (200, '{"detail": "x"}')}, DeliveryStatus.LATER, "no list of patches"),
        ({"GET": (200, "[" * 100_000)}, DeliveryStatus.LATER, "does not answer as a Patchwork server"),
        ({"GET": (200, "[" + "1," * 3_000_000 + "1]")}, DeliveryStatus.LATER, "too large"),
        ({"GET": (200, '[{"msgid": "<one@example.org>", "id": "../../x"}]')}, DeliveryStatus.LATER, "no patch"),
        ({"POST": (401, "")}, DeliveryStatus.REFUSED, "says 401"),
    ],
)
def test_a_server_that_answers_oddly_is_told_in_a_line(
    failures: dict[str, tuple[int, str]], status: DeliveryStatus, words: str
) -> None:
    with patchwork_server(ONE) as server:
        server.failures = failures
        outcome = way(server).deliver("x", message())
        assert outcome.status is status
        assert words in str(outcome.error)
        assert server.checks == []
        server.failures = {}
        assert way(server).deliver("x", message()).status is DeliveryStatus.DELIVERED


def test_a_server_that_is_gone_is_tried_later() -> None:
    with patchwork_server(ONE) as server:
        gone = way(server)
    assert gone.deliver("x", message()).status is DeliveryStatus.LATER


def test_an_attempt_that_takes_too_long_goes_on_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count()  # each look at the clock takes one
    monkeypatch.setattr("seriestool.bot.notify.send.patchwork.time", SimpleNamespace(monotonic=lambda: next(seconds)))
    many = json.dumps([json.loads(message(context=f"c-{number}"))[0] for number in range(20)]).encode()
    fates, seen = [], []
    with patchwork_server(ONE) as server:
        while DeliveryStatus.DELIVERED not in fates and len(fates) < 9:
            fates.append(replace(way(server), budget=10).deliver("x", many).status)
            seen.append(len(server.checks))
    assert fates == [DeliveryStatus.LATER, DeliveryStatus.LATER, DeliveryStatus.DELIVERED]
    assert seen[-1] == 20
    assert seen == sorted(set(seen))  # each attempt gets on


def test_a_token_that_is_none_is_refused() -> None:
    with patchwork_server(ONE) as server:
        outcome = way(server, "wrong").deliver("x", message())
    assert outcome.status is DeliveryStatus.REFUSED
    assert "token" in str(outcome.error)


def test_a_netrc_does_not_stand_in_for_the_token(sealed: Path) -> None:
    (sealed / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    with patchwork_server(ONE) as server:
        assert way(server).deliver("x", message()).status is DeliveryStatus.DELIVERED


def test_one_check_that_is_refused_keeps_none_of_the_others_away() -> None:
    both = json.dumps([*json.loads(message(description="nul\0")), *json.loads(message(context="good"))]).encode()
    with patchwork_server(ONE) as server:
        outcome = way(server).deliver("x", both)
        assert outcome.status is DeliveryStatus.DELIVERED
        assert "refused 1 checks" in str(outcome.error)
        assert [one["context"] for one in server.checks] == ["good"]
        assert way(server).deliver("x", message(description="nul\0")).status is DeliveryStatus.REFUSED


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[1]", b'[{"msgid": "x"}]', message(state="skip"), message(context="a/b")]
)
def test_what_is_no_list_of_checks_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_bodies(text)
    with patchwork_server(ONE) as server:
        assert way(server).deliver("x", text).status is DeliveryStatus.REFUSED
        assert server.requests == []


# --- the answers of a real server ---------------------------------------------------------------------------------


def test_an_old_api_that_answers_with_another_patch_is_not_believed() -> None:
    answer = recorded()["patch-by-msgid-old-api"]["body"]
    assert len(answer) > 0
    assert find_patch(answer, "nothing@example.org") is None


def test_a_patch_is_found_by_its_message_id() -> None:
    answer = recorded()["patch-by-msgid"]["body"]
    assert find_patch(answer, answer[0]["msgid"].strip("<>")) == answer[0]["id"]
    assert find_patch(recorded()["patch-by-msgid-none"]["body"], "nothing@example.org") is None


def test_the_latest_check_of_a_context_counts() -> None:
    answers = recorded()["checks"]["body"]
    posted = [recorded()[name]["request"]["body"] for name in ("check-created", "check-created-again")]
    first, second = (CheckPayload("x", one["context"], one["state"], one["description"]) for one in posted)
    assert find_missing([first, second], answers) == (first,)


def test_the_statuses_are_those_that_we_go_by() -> None:
    statuses = {name: answer["status"] for name, answer in recorded().items()}
    assert {statuses[name] for name in statuses if name.startswith("check-created")} == {201}
    assert {statuses[name] for name in ("check-anonymous", "check-wrong-token", "check-of-a-stranger")} == {403}
    assert {statuses[name] for name in statuses if name.startswith(("check-bad", "check-nul"))} == {400}
    assert statuses["check-no-such-patch"] == statuses["checks-no-such-page"] == 404
    assert 'rel="next"' in recorded()["checks-first-page"]["headers"]["Link"]
    assert 'rel="next"' not in recorded()["checks"]["headers"]["Link"]
    assert recorded()["check-blanks"]["body"]["description"] == "two  words"


@pytest.mark.parametrize(
    ("url", "api"),
    [("https://pw.example.org", "https://pw.example.org/api/1.2"), ("https://pw.example.org/", "https://pw.example.org/api/1.2"),
     ("https://pw.example.org/api", "https://pw.example.org/api/1.2"), ("https://x/y/api/1.3/", "https://x/y/api/1.3"),
     ("http://127.0.0.1:8000", "http://127.0.0.1:8000/api/1.2")],
)  # fmt: skip
def test_the_server_is_found_by_its_url(url: str, api: str) -> None:
    assert make_server(url, "token").api == api
    assert make_server(url, "token").patches("a/b?c@d") == f"{api}/patches/?msgid=a%2Fb%3Fc%40d"


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [("http://pw.example.org", "t", "for everybody to read"), ("pw.example.org", "t", "no URL"),
     ("https://x/api/1.1", "t", "too old"), ("https://x/?a=b", "t", "no URL"), ("https://x", "a b\n", "no token")],
)  # fmt: skip
def test_a_server_that_cannot_be_used_is_told(url: str, token: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make_server(url, token)
