"""Lectures: leading, following, counting votes, and ending; with 200 followers over real connections."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import Any

import pytest
from support.awaited import awaited
from support.listener import Listener, application, ask, served

from logitspec.serving import follow, follow_routes
from logitspec.serving.follow import FollowError, Lectures, checked_place

FOLLOWERS = 200


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def place_at(cue: int = 0, **more: Any) -> dict[str, Any]:
    at = {"run": "recorded-20", "step": 4, "beat": 2}
    return {"view": "player", "cue": cue, "at": at, "question": None, **more}


def question_at(cue: int, choices: int = 4, revealed: bool = False) -> dict[str, Any]:
    question = {"key": f"player:{cue}", "choices": choices, "revealed": revealed}
    return place_at(cue, question=question)


def prediction_at(
    cue: int, least: Any, most: Any, whole: bool = False, **more: Any
) -> dict[str, Any]:
    asked = {
        "key": f"lesson:{cue}",
        "least": least,
        "most": most,
        "whole": whole,
        "revealed": False,
    }
    return place_at(cue, question={**asked, **more})


def status_of(error: pytest.ExceptionInfo[FollowError]) -> int:
    assert re.fullmatch(r"[^.]+\.", str(error.value))  # one sentence
    return error.value.status


async def events_of(lectures: Lectures, code: str, count: int, ticket: str = "") -> list[Any]:
    """The first `count` events that a follower with this ticket gets."""
    events = []
    stream = lectures.follow(code, ticket)
    async for event in stream:
        events.append(json.loads(event.removeprefix(b"data: ")))
        if len(events) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return events


def test_two_hundred_followers_vote_and_learn_of_the_end() -> None:
    async def give_lecture() -> None:
        lectures, clock = Lectures(), Clock()
        routes = follow_routes.follow_routes("/x", lectures, clock)
        async with served(application(routes)) as port:
            status, lecture = await ask(port, "POST", "/x/follow")
            assert status == 201
            address, secret = f"/x/follow/{lecture['code']}", lecture["secret"]

            async def lead(where: Any) -> Any:
                answer = await ask(
                    port, "POST", f"{address}/lead", {"secret": secret, "place": where}
                )
                assert answer[0] == 200
                return answer[1]

            everybody = [Listener() for _ in range(FOLLOWERS)]
            statuses = await asyncio.gather(*[each.begin(port, address) for each in everybody])
            assert set(statuses) == {200}
            for cue in range(5):
                await lead(place_at(cue))
            for each in everybody:
                await each.until(lambda about: about["place"] and about["place"]["cue"] == 4)
                cues = [about["place"]["cue"] for about in each.heard if about["place"]]
                assert cues == sorted(set(cues))  # never back, never twice
            assert (await lead(question_at(9)))["followers"] == FOLLOWERS

            async def vote(number: int, choice: int) -> int:
                about = {
                    "ticket": everybody[number].ticket,
                    "question": "player:9",
                    "choice": choice,
                }
                return (await ask(port, "POST", f"{address}/vote", about))[0]

            clock.now += 1
            choices = [number * number % 4 for number in range(FOLLOWERS)]
            early = await asyncio.gather(*[vote(n, 3) for n in range(0, FOLLOWERS, 2)])
            late = await asyncio.gather(*[vote(n, choice) for n, choice in enumerate(choices)])
            assert set(early + late) == {204}
            right = [Counter(choices)[choice] for choice in range(4)]
            assert (await lead(None))["counts"] == right
            assert all(about["counts"] is None for each in everybody for about in each.heard)
            # A tenth of them lose their connections, and come back to the revealed counts with the same tickets.
            cut = everybody[::10]
            for each in cut:
                await each.cut()
                each.heard.clear()
            await lead(question_at(9, revealed=True))
            tickets = [each.ticket for each in cut]
            assert set(await asyncio.gather(*[each.begin(port, address) for each in cut])) == {200}
            for each in everybody:
                assert (await each.until(lambda about: about["counts"]))["counts"] == right
            assert [each.ticket for each in cut] == tickets
            assert await vote(0, 1) == 409
            assert await ask(port, "POST", f"{address}/votes", {"secret": secret}) == (
                200,
                [{"question": "player:9", "counts": right}],
            )
            assert (await ask(port, "POST", f"{address}/end", {"secret": secret}))[0] == 204
            for each in everybody:
                assert await each.until(lambda about: "over" in about) == {"over": True}
                await each.cut()
            assert await Listener().begin(port, address) == 404

    awaited(give_lecture())


def test_nobody_leads_without_the_secret() -> None:
    lectures = Lectures()
    code, secret = lectures.open()
    other, _ = lectures.open()
    lectures.lead(code, secret, place_at(1))
    for wrong in ("", "x", secret[:-1], secret + "x", secret.upper(), None, 5, [secret], "\ud800"):
        for act in (
            lambda wrong=wrong: lectures.lead(code, wrong, place_at(2)),
            lambda wrong=wrong: lectures.end(code, wrong),
            lambda wrong=wrong: lectures.votes(code, wrong),
        ):
            with pytest.raises(FollowError) as error:
                act()
            assert status_of(error) == 403
    with pytest.raises(FollowError) as error:
        lectures.lead(other, secret, place_at(2))
    assert status_of(error) == 403
    events = awaited(events_of(lectures, code, 2))
    assert events[1]["place"] == place_at(1)
    assert secret not in json.dumps(events)


def test_secrets_differ_and_are_stored_as_digests() -> None:
    lectures = Lectures()
    pairs = [lectures.open() for _ in range(20)]
    assert len({code for code, _ in pairs}) == len({secret for _, secret in pairs}) == 20
    assert all(len(secret) >= 32 for _, secret in pairs)
    stored = repr([vars(each) for each in lectures._lectures.values()])
    assert not any(secret in stored for _, secret in pairs)


def test_lectures_end_after_a_time_and_sooner_where_nobody_leads() -> None:
    clock = Clock()
    lectures = Lectures(clock)
    code, secret = lectures.open()
    for _ in range(4):
        clock.now += follow.UNLED_SECONDS - 1
        lectures.lead(code, secret, None)
    clock.now += follow.UNLED_SECONDS + 1
    with pytest.raises(FollowError) as error:
        lectures.lead(code, secret, None)
    assert status_of(error) == 404
    code, secret = lectures.open()
    seconds = 0.0
    while seconds <= follow.MAX_SECONDS - 600:
        seconds += 600
        clock.now += 600
        lectures.lead(code, secret, None)
    clock.now += 601
    with pytest.raises(FollowError) as error:
        lectures.lead(code, secret, None)
    assert status_of(error) == 404
    assert lectures._lectures == {}


def test_followers_learn_that_an_unled_lecture_is_over() -> None:
    async def follow_to_end() -> list[Any]:
        clock = Clock()
        lectures = Lectures(clock, still=0.01)
        code, _ = lectures.open()
        events = []
        async for event in lectures.follow(code):
            events.append(event)
            if event == b":\n\n":
                clock.now += follow.UNLED_SECONDS + 1
        return events

    events = awaited(follow_to_end())
    assert events[-1] == b'data: {"over":true}\n\n'
    assert events.count(b":\n\n") == 1


def test_codes_ignore_case_and_have_no_ambiguous_letters() -> None:
    lectures = Lectures()
    code, _ = lectures.open()
    assert re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{6}", code)
    assert "ticket" in awaited(events_of(lectures, code.lower(), 1))[0]
    with pytest.raises(FollowError) as error:
        awaited(events_of(lectures, "AAAAAAA", 1))
    assert status_of(error) == 404


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {**place_at(), "text": "x"},
        {**place_at(), "view": "a view of words"},
        {**place_at(), "view": "x" * 81},
        {**place_at(), "cue": -1},
        {**place_at(), "cue": 1.5},
        {**place_at(), "cue": True},
        {**place_at(), "at": {"prompt": "Write a story"}},
        {**place_at(), "at": {"tokens": [1, 2, 3]}},
        {**place_at(), "at": {"<b>": 1}},
        {**place_at(), "at": {"step": 10**400}},
        {**place_at(), "at": {"step": float("inf")}},
        {**place_at(), "at": {"step": float("nan")}},
        {**place_at(), "at": {f"x{number}": number for number in range(200)}},
        {**place_at(), "question": {}},
        {**place_at(), "question": {"key": "a", "choices": 0, "revealed": False}},
        {**place_at(), "question": {"key": "a", "choices": 65, "revealed": False}},
        {**place_at(), "question": {"key": "a b", "choices": 4, "revealed": False}},
        {**place_at(), "question": {"key": "a", "choices": 4, "revealed": 1}},
        prediction_at(3, 2, 1),
        prediction_at(3, "0", 9),
        prediction_at(3, 0, True),
        prediction_at(3, 0, 10**400),
        prediction_at(3, 0, float("inf")),
        prediction_at(3, float("nan"), 1),
        prediction_at(3, 0, 9, whole=1),  # type: ignore[arg-type]
        prediction_at(3, 0, 9, choices=4),
        prediction_at(3, 0, 9, unit="<b>"),
    ],
)
def test_a_place_holds_no_text(wrong: Any) -> None:
    assert checked_place(question_at(3)) == question_at(3)
    with pytest.raises(FollowError) as error:
        checked_place(wrong)
    assert status_of(error) == 400


def test_a_follower_has_one_vote_a_question_while_it_is_open() -> None:
    lectures = Lectures()
    code, secret = lectures.open()
    ann = awaited(events_of(lectures, code, 1))[0]["ticket"]
    ben = awaited(events_of(lectures, code, 1))[0]["ticket"]

    def refused_with(*vote: Any) -> int:
        with pytest.raises(FollowError) as error:
            lectures.vote(code, *vote)
        return status_of(error)

    assert refused_with(ann, "player:3", 0) == 409  # no question is open
    lectures.lead(code, secret, question_at(3))
    for ticket in ("", "x", None, 3, [ann], secret):
        assert refused_with(ticket, "player:3", 0) == 409
    for choice in (-1, 4, 1.0, True, "1", None):
        assert refused_with(ann, "player:3", choice) == 400
    for question in ("player:4", None, ["player:3"]):
        assert refused_with(ann, question, 0) == 409
    for choice in (0, 1, 1, 2):
        lectures.vote(code, ann, "player:3", choice)
    lectures.vote(code, ben, "player:3", 2)
    assert lectures.lead(code, secret, None)["counts"] == [0, 0, 2, 0]
    lectures.lead(code, secret, question_at(3, revealed=True))
    assert refused_with(ben, "player:3", 0) == 409
    lectures.lead(code, secret, question_at(7, choices=2))
    assert refused_with(ann, "player:7", 2) == 400
    lectures.vote(code, ann, "player:7", 1)
    lectures.lead(code, secret, question_at(3))  # back to the first: its votes are still there
    assert lectures.lead(code, secret, None)["counts"] == [0, 0, 2, 0]
    with pytest.raises(FollowError) as error:
        lectures.lead(code, secret, question_at(7, choices=3))
    assert status_of(error) == 400
    assert [each["counts"] for each in lectures.votes(code, secret)] == [[0, 0, 2, 0], [0, 1]]


def test_numbers_are_predicted_within_bounds_and_counted_by_value() -> None:
    lectures = Lectures()
    code, secret = lectures.open()
    tickets = [awaited(events_of(lectures, code, 1))[0]["ticket"] for _ in range(4)]

    def statuses_of(question: str, *values: Any) -> set[int]:
        statuses = set()
        for value in values:
            with pytest.raises(FollowError) as error:
                lectures.vote(code, tickets[0], question, value)
            statuses.add(status_of(error))
        return statuses

    hostile = (
        -0.1,
        100.5,
        10**400,
        float("nan"),
        float("inf"),
        True,
        None,
        "7",
        "<b>",
        [7],
        {"7": 7},
    )
    lectures.lead(code, secret, prediction_at(3, 0, 100))
    assert statuses_of("lesson:3", *hostile) == {400}
    for ticket, value in zip(tickets, (7, 2.5, 7.0, 100), strict=True):
        lectures.vote(code, ticket, "lesson:3", value)
    assert lectures.lead(code, secret, None)["counts"] == [(2.5, 1), (7, 2), (100, 1)]
    lectures.vote(code, tickets[1], "lesson:3", 7)
    assert awaited(events_of(lectures, code, 2))[1]["counts"] is None
    lectures.lead(code, secret, prediction_at(3, 0, 100, revealed=True))
    assert awaited(events_of(lectures, code, 2))[1]["counts"] == [[7, 3], [100, 1]]
    assert statuses_of("lesson:3", 7) == {409}
    lectures.lead(code, secret, prediction_at(6, 0, 63, whole=True))  # a node
    assert statuses_of("lesson:6", *hostile, 2.0, 64, -1) == {400}
    lectures.vote(code, tickets[0], "lesson:6", 63)
    for other in (prediction_at(6, 0, 64, whole=True), prediction_at(6, 0, 63)):
        with pytest.raises(FollowError) as error:
            lectures.lead(code, secret, other)
        assert status_of(error) == 400
    assert [each["counts"] for each in lectures.votes(code, secret)] == [
        [(7, 3), (100, 1)],
        [(63, 1)],
    ]


def test_what_a_whole_hall_predicts_differently_stays_a_short_message() -> None:
    asked = prediction_at(3, 0, 10**6)["question"]
    ballot = follow.Ballot(asked)
    said = [*range(300), *range(0, 300, 20)]  # fifteen values twice
    ballot.chosen = {follower: (value, 0) for follower, value in enumerate(said)}
    shown = ballot.shown()
    assert len(json.dumps(shown)) < 400
    assert [count for _, count in shown] == [2, 1] + [2] * 14 + [284]
    assert [value for value, _ in shown] == [0, 1, *range(20, 300, 20), None]
    assert sum(count for _, count in ballot.counts()) == len(said)


def test_followers_see_counts_only_once_they_are_revealed() -> None:
    lectures = Lectures()
    code, secret = lectures.open()
    ticket = awaited(events_of(lectures, code, 1))[0]["ticket"]
    lectures.lead(code, secret, question_at(3))
    lectures.vote(code, ticket, "player:3", 1)
    assert awaited(events_of(lectures, code, 2))[1]["counts"] is None
    lectures.lead(code, secret, question_at(3, revealed=True))
    assert awaited(events_of(lectures, code, 2))[1]["counts"] == [0, 1, 0, 0]
    lectures.lead(code, secret, place_at(5))
    assert awaited(events_of(lectures, code, 2))[1]["counts"] is None


def test_lectures_followers_votes_and_questions_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follow, "MAX_FOLLOWERS", 2)
    monkeypatch.setattr(follow, "MAX_TICKETS", 3)
    monkeypatch.setattr(follow, "MAX_QUESTIONS", 3)
    monkeypatch.setattr(follow, "MAX_VOTES", 2)
    lectures = Lectures()
    code, secret = lectures.open()

    def status(act: Any) -> int:
        try:
            act()
        except FollowError as error:
            return error.status
        return 200

    async def follow_many_times() -> list[int]:
        streams, answers, tickets = [], [], []
        for ticket in ("", "", ""):
            stream = lectures.follow(code, ticket)
            try:
                tickets.append(json.loads((await anext(stream)).removeprefix(b"data: "))["ticket"])
                answers.append(200)
            except FollowError as error:
                answers.append(error.status)
            streams.append(stream)
        for _ in range(follow.MAX_STREAMS):
            stream = lectures.follow(code, tickets[0])
            try:
                await anext(stream)
                answers.append(200)
            except FollowError as error:
                answers.append(error.status)
            streams.append(stream)
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        assert lectures._lectures[code].streams == {}
        return answers

    assert awaited(follow_many_times()) == [200, 200, 503, 200, 200, 429]
    third = awaited(events_of(lectures, code, 1))[0]["ticket"]
    assert status(lambda: awaited(events_of(lectures, code, 1))) == 503
    assert [status(lambda cue=cue: lectures.lead(code, secret, question_at(cue))) for cue in range(4)] == [
        200, 200, 200, 429,
    ]  # fmt: skip
    votes = []
    for cue in range(3):
        lectures.lead(code, secret, question_at(cue))
        votes.append(status(lambda cue=cue: lectures.vote(code, third, f"player:{cue}", 0)))
    assert votes == [200, 200, 429]
    lectures.lead(code, secret, question_at(0))
    changes = [status(lambda: lectures.vote(code, third, "player:0", 1)) for _ in range(21)]
    assert changes == [200] * follow.MAX_CHANGES + [429]


def test_a_new_lecture_replaces_an_idle_one_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follow, "MAX_LECTURES", 2)

    async def open_lectures() -> None:
        clock = Clock()
        lectures = Lectures(clock)
        followed, _ = lectures.open()
        stream = lectures.follow(followed)
        await anext(stream)
        clock.now += 1
        lectures.open()
        with pytest.raises(FollowError) as error:
            lectures.open()  # the other was led just now
        assert status_of(error) == 503
        clock.now += 60
        newest, _ = lectures.open()
        assert lectures.knows(followed)
        assert lectures.knows(newest)
        assert len(lectures._lectures) == 2
        await stream.aclose()  # type: ignore[attr-defined]
        clock.now += 60
        lectures.open()  # of two that are idle, the one led longest ago ends
        assert (lectures.knows(followed), lectures.knows(newest)) == (False, True)

    awaited(open_lectures())


def test_rubbish_and_floods_are_refused_with_a_sentence() -> None:
    async def flood() -> None:
        clock = Clock()
        lectures = Lectures()
        routes = follow_routes.follow_routes("/x", lectures, clock)
        async with served(application(routes)) as port:
            _, lecture = await ask(port, "POST", "/x/follow")
            address = f"/x/follow/{lecture['code']}"
            for body in (b"", b"{", b"[]", b"null", b"[" * 4000, b"x" * 5000, b"\xff"):
                for act in ("lead", "vote", "votes", "end"):
                    status, about = await ask(port, "POST", f"{address}/{act}", body)
                    assert (status, about["detail"]) == (400, follow_routes.NO_REQUEST)
            assert (await ask(port, "POST", "/x/follow/ZZZZZZ/lead", {}))[0] == 404
            clock.now += 1
            requests = [
                ask(port, "POST", f"{address}/vote", {})
                for _ in range(follow_routes.MAX_ASKED + 20)
            ]
            statuses: Counter[int] = Counter()
            for at in range(0, len(requests), 60):
                statuses.update(
                    [status for status, _ in await asyncio.gather(*requests[at : at + 60])]
                )
            assert statuses == {409: follow_routes.MAX_ASKED, 429: 20}
            clock.now += 1
            assert (await ask(port, "POST", f"{address}/vote", {}))[0] == 409

    awaited(flood())


def test_qr_codes_link_to_this_page_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask_for_codes() -> None:
        lectures = Lectures()
        async with served(application(follow_routes.follow_routes("/x", lectures))) as port:
            code, _ = lectures.open()
            qr, own = f"/x/follow/{code}/qr?page=", f"http://127.0.0.1:{port}"
            status, picture = await ask(port, "GET", qr + own + "/app/?run=1%23x")
            assert status == 200
            assert picture.startswith("<svg")
            assert picture != (await ask(port, "GET", qr + own + "/"))[1]
            assert picture == (await ask(port, "GET", qr + own + "/app/"))[1]
            for page in (
                "https://evil.example/",
                "javascript:1",
                own + "0/",
                own + "/" + "x" * 300,
            ):
                assert (await ask(port, "GET", qr + page))[0] == 400
            assert (await ask(port, "GET", f"/x/follow/ZZZZZZ/qr?page={own}"))[0] == 404
            monkeypatch.setitem(__import__("sys").modules, "segno", None)
            assert (await ask(port, "GET", qr + own))[1] == {"detail": follow_routes.NO_QR}

    awaited(ask_for_codes())
