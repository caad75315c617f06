"""Lectures: who leads, who follows, what is counted, and when it ends; 200 followers over real connections."""

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


def place(cue: int = 0, **more: Any) -> dict[str, Any]:
    at = {"run": "recorded-20", "step": 4, "beat": 2}
    return {"view": "player", "cue": cue, "at": at, "question": None, **more}


def asking(cue: int, choices: int = 4, revealed: bool = False) -> dict[str, Any]:
    question = {"key": f"player:{cue}", "choices": choices, "revealed": revealed}
    return place(cue, question=question)


def predicting(cue: int, least: Any, most: Any, whole: bool = False, **more: Any) -> dict[str, Any]:
    asked = {
        "key": f"lesson:{cue}",
        "least": least,
        "most": most,
        "whole": whole,
        "revealed": False,
    }
    return place(cue, question={**asked, **more})


def status_of(error: pytest.ExceptionInfo[FollowError]) -> int:
    assert re.fullmatch(r"[^.]+\.", str(error.value))  # one sentence
    return error.value.status


async def events_of(lectures: Lectures, code: str, count: int, ticket: str = "") -> list[Any]:
    """The first `count` events that a follower gets, with the ticket."""
    events = []
    stream = lectures.follow(code, ticket)
    async for event in stream:
        events.append(json.loads(event.removeprefix(b"data: ")))
        if len(events) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return events


def test_two_hundred_follow_vote_and_hear_the_end() -> None:
    async def lecture() -> None:
        lectures, clock = Lectures(), Clock()
        routes = follow_routes.follow_routes("/x", lectures, clock)
        async with served(application(routes)) as port:
            status, opened = await ask(port, "POST", "/x/follow")
            assert status == 201
            one, secret = f"/x/follow/{opened['code']}", opened["secret"]

            async def lead(where: Any) -> Any:
                answer = await ask(port, "POST", f"{one}/lead", {"secret": secret, "place": where})
                assert answer[0] == 200
                return answer[1]

            everybody = [Listener() for _ in range(FOLLOWERS)]
            begun = await asyncio.gather(*[each.begin(port, one) for each in everybody])
            assert set(begun) == {200}
            for cue in range(5):
                await lead(place(cue))
            for each in everybody:
                await each.until(lambda about: about["place"] and about["place"]["cue"] == 4)
                cues = [about["place"]["cue"] for about in each.heard if about["place"]]
                assert cues == sorted(set(cues))  # never back, never twice
            assert (await lead(asking(9)))["followers"] == FOLLOWERS

            async def vote(number: int, choice: int) -> int:
                about = {
                    "ticket": everybody[number].ticket,
                    "question": "player:9",
                    "choice": choice,
                }
                return (await ask(port, "POST", f"{one}/vote", about))[0]

            clock.now += 1
            choices = [number * number % 4 for number in range(FOLLOWERS)]
            first = await asyncio.gather(*[vote(n, 3) for n in range(0, FOLLOWERS, 2)])
            every = await asyncio.gather(*[vote(n, choice) for n, choice in enumerate(choices)])
            assert set(first + every) == {204}
            right = [Counter(choices)[choice] for choice in range(4)]
            assert (await lead(None))["counts"] == right
            assert all(about["counts"] is None for each in everybody for about in each.heard)
            # A tenth of them lose their connections, and come back to the revealed counts with the same tickets.
            cut = everybody[::10]
            for each in cut:
                await each.cut()
                each.heard.clear()
            await lead(asking(9, revealed=True))
            tickets = [each.ticket for each in cut]
            assert set(await asyncio.gather(*[each.begin(port, one) for each in cut])) == {200}
            for each in everybody:
                assert (await each.until(lambda about: about["counts"]))["counts"] == right
            assert [each.ticket for each in cut] == tickets
            assert await vote(0, 1) == 409
            assert await ask(port, "POST", f"{one}/votes", {"secret": secret}) == (
                200,
                [{"question": "player:9", "counts": right}],
            )
            assert (await ask(port, "POST", f"{one}/end", {"secret": secret}))[0] == 204
            for each in everybody:
                assert await each.until(lambda about: "over" in about) == {"over": True}
                await each.cut()
            assert await Listener().begin(port, one) == 404

    awaited(lecture())


def test_nobody_leads_without_the_secret() -> None:
    lectures = Lectures()
    code, secret = lectures.open()
    other, _ = lectures.open()
    lectures.lead(code, secret, place(1))
    for wrong in ("", "x", secret[:-1], secret + "x", secret.upper(), None, 5, [secret], "\ud800"):
        for act in (
            lambda wrong=wrong: lectures.lead(code, wrong, place(2)),
            lambda wrong=wrong: lectures.end(code, wrong),
            lambda wrong=wrong: lectures.votes(code, wrong),
        ):
            with pytest.raises(FollowError) as error:
                act()
            assert status_of(error) == 403
    with pytest.raises(FollowError) as error:
        lectures.lead(other, secret, place(2))
    assert status_of(error) == 403
    events = awaited(events_of(lectures, code, 2))
    assert events[1]["place"] == place(1)
    assert secret not in json.dumps(events)


def test_secrets_are_kept_as_digests_and_are_never_the_same() -> None:
    lectures = Lectures()
    opened = [lectures.open() for _ in range(20)]
    assert len({code for code, _ in opened}) == len({secret for _, secret in opened}) == 20
    assert all(len(secret) >= 32 for _, secret in opened)
    kept = repr([vars(each) for each in lectures._lectures.values()])
    assert not any(secret in kept for _, secret in opened)


def test_a_lecture_that_nobody_leads_ends_and_so_does_every_other() -> None:
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
    led = 0.0
    while led <= follow.MOST_SECONDS - 600:
        led += 600
        clock.now += 600
        lectures.lead(code, secret, None)
    clock.now += 601
    with pytest.raises(FollowError) as error:
        lectures.lead(code, secret, None)
    assert status_of(error) == 404
    assert lectures._lectures == {}


def test_whoever_follows_hears_that_an_unled_lecture_is_over() -> None:
    async def heard() -> list[Any]:
        clock = Clock()
        lectures = Lectures(clock, still=0.01)
        code, _ = lectures.open()
        events = []
        async for event in lectures.follow(code):
            events.append(event)
            if event == b":\n\n":
                clock.now += follow.UNLED_SECONDS + 1
        return events

    events = awaited(heard())
    assert events[-1] == b'data: {"over":true}\n\n'
    assert events.count(b":\n\n") == 1


def test_codes_are_typed_in_any_letters_and_look_like_no_others() -> None:
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
        {**place(), "text": "x"},
        {**place(), "view": "a view of words"},
        {**place(), "view": "x" * 81},
        {**place(), "cue": -1},
        {**place(), "cue": 1.5},
        {**place(), "cue": True},
        {**place(), "at": {"prompt": "Write a story"}},
        {**place(), "at": {"tokens": [1, 2, 3]}},
        {**place(), "at": {"<b>": 1}},
        {**place(), "at": {"step": 10**400}},
        {**place(), "at": {"step": float("inf")}},
        {**place(), "at": {"step": float("nan")}},
        {**place(), "at": {f"x{number}": number for number in range(200)}},
        {**place(), "question": {}},
        {**place(), "question": {"key": "a", "choices": 0, "revealed": False}},
        {**place(), "question": {"key": "a", "choices": 65, "revealed": False}},
        {**place(), "question": {"key": "a b", "choices": 4, "revealed": False}},
        {**place(), "question": {"key": "a", "choices": 4, "revealed": 1}},
        predicting(3, 2, 1),
        predicting(3, "0", 9),
        predicting(3, 0, True),
        predicting(3, 0, 10**400),
        predicting(3, 0, float("inf")),
        predicting(3, float("nan"), 1),
        predicting(3, 0, 9, whole=1),  # type: ignore[arg-type]
        predicting(3, 0, 9, choices=4),
        predicting(3, 0, 9, unit="<b>"),
    ],
)
def test_a_place_holds_no_text(wrong: Any) -> None:
    assert checked_place(asking(3)) == asking(3)
    with pytest.raises(FollowError) as error:
        checked_place(wrong)
    assert status_of(error) == 400


def test_one_vote_a_follower_and_question_and_none_out_of_turn() -> None:
    lectures = Lectures()
    code, secret = lectures.open()
    ann = awaited(events_of(lectures, code, 1))[0]["ticket"]
    ben = awaited(events_of(lectures, code, 1))[0]["ticket"]

    def refused(*vote: Any) -> int:
        with pytest.raises(FollowError) as error:
            lectures.vote(code, *vote)
        return status_of(error)

    assert refused(ann, "player:3", 0) == 409  # nothing is asked
    lectures.lead(code, secret, asking(3))
    for ticket in ("", "x", None, 3, [ann], secret):
        assert refused(ticket, "player:3", 0) == 409
    for choice in (-1, 4, 1.0, True, "1", None):
        assert refused(ann, "player:3", choice) == 400
    for question in ("player:4", None, ["player:3"]):
        assert refused(ann, question, 0) == 409
    for choice in (0, 1, 1, 2):
        lectures.vote(code, ann, "player:3", choice)
    lectures.vote(code, ben, "player:3", 2)
    assert lectures.lead(code, secret, None)["counts"] == [0, 0, 2, 0]
    lectures.lead(code, secret, asking(3, revealed=True))
    assert refused(ben, "player:3", 0) == 409
    lectures.lead(code, secret, asking(7, choices=2))
    assert refused(ann, "player:7", 2) == 400
    lectures.vote(code, ann, "player:7", 1)
    lectures.lead(code, secret, asking(3))  # back to the first: its votes are still there
    assert lectures.lead(code, secret, None)["counts"] == [0, 0, 2, 0]
    with pytest.raises(FollowError) as error:
        lectures.lead(code, secret, asking(7, choices=3))
    assert status_of(error) == 400
    assert [each["counts"] for each in lectures.votes(code, secret)] == [[0, 0, 2, 0], [0, 1]]


def test_numbers_are_predicted_within_bounds_and_counted_by_value() -> None:
    lectures = Lectures()
    code, secret = lectures.open()
    tickets = [awaited(events_of(lectures, code, 1))[0]["ticket"] for _ in range(4)]

    def refused(question: str, *values: Any) -> set[int]:
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
    lectures.lead(code, secret, predicting(3, 0, 100))
    assert refused("lesson:3", *hostile) == {400}
    for ticket, value in zip(tickets, (7, 2.5, 7.0, 100), strict=True):
        lectures.vote(code, ticket, "lesson:3", value)
    assert lectures.lead(code, secret, None)["counts"] == [(2.5, 1), (7, 2), (100, 1)]
    lectures.vote(code, tickets[1], "lesson:3", 7)
    assert awaited(events_of(lectures, code, 2))[1]["counts"] is None
    lectures.lead(code, secret, predicting(3, 0, 100, revealed=True))
    assert awaited(events_of(lectures, code, 2))[1]["counts"] == [[7, 3], [100, 1]]
    assert refused("lesson:3", 7) == {409}
    lectures.lead(code, secret, predicting(6, 0, 63, whole=True))  # a node
    assert refused("lesson:6", *hostile, 2.0, 64, -1) == {400}
    lectures.vote(code, tickets[0], "lesson:6", 63)
    for other in (predicting(6, 0, 64, whole=True), predicting(6, 0, 63)):
        with pytest.raises(FollowError) as error:
            lectures.lead(code, secret, other)
        assert status_of(error) == 400
    assert [each["counts"] for each in lectures.votes(code, secret)] == [
        [(7, 3), (100, 1)],
        [(63, 1)],
    ]


def test_what_a_whole_hall_predicts_differently_stays_a_short_message() -> None:
    asked = predicting(3, 0, 10**6)["question"]
    ballot = follow.Ballot(asked)
    said = [*range(300), *range(0, 300, 20)]  # fifteen values twice
    ballot.chosen = {follower: (value, 0) for follower, value in enumerate(said)}
    shown = ballot.shown()
    assert len(json.dumps(shown)) < 400
    assert [count for _, count in shown] == [2, 1] + [2] * 14 + [284]
    assert [value for value, _ in shown] == [0, 1, *range(20, 300, 20), None]
    assert sum(count for _, count in ballot.counts()) == len(said)


def test_counts_show_to_followers_only_once_they_are_revealed() -> None:
    lectures = Lectures()
    code, secret = lectures.open()
    ticket = awaited(events_of(lectures, code, 1))[0]["ticket"]
    lectures.lead(code, secret, asking(3))
    lectures.vote(code, ticket, "player:3", 1)
    assert awaited(events_of(lectures, code, 2))[1]["counts"] is None
    lectures.lead(code, secret, asking(3, revealed=True))
    assert awaited(events_of(lectures, code, 2))[1]["counts"] == [0, 1, 0, 0]
    lectures.lead(code, secret, place(5))
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

    async def crowd() -> list[int]:
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

    assert awaited(crowd()) == [200, 200, 503, 200, 200, 429]
    third = awaited(events_of(lectures, code, 1))[0]["ticket"]
    assert status(lambda: awaited(events_of(lectures, code, 1))) == 503
    assert [status(lambda cue=cue: lectures.lead(code, secret, asking(cue))) for cue in range(4)] == [
        200, 200, 200, 429,
    ]  # fmt: skip
    votes = []
    for cue in range(3):
        lectures.lead(code, secret, asking(cue))
        votes.append(status(lambda cue=cue: lectures.vote(code, third, f"player:{cue}", 0)))
    assert votes == [200, 200, 429]
    lectures.lead(code, secret, asking(0))
    changes = [status(lambda: lectures.vote(code, third, "player:0", 1)) for _ in range(21)]
    assert changes == [200] * follow.MAX_CHANGES + [429]


def test_a_new_lecture_takes_the_room_of_an_idle_one_and_of_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follow, "MAX_LECTURES", 2)

    async def rooms() -> None:
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

    awaited(rooms())


def test_rubbish_and_floods_get_a_sentence() -> None:
    async def flood() -> None:
        clock = Clock()
        lectures = Lectures()
        routes = follow_routes.follow_routes("/x", lectures, clock)
        async with served(application(routes)) as port:
            _, opened = await ask(port, "POST", "/x/follow")
            one = f"/x/follow/{opened['code']}"
            for body in (b"", b"{", b"[]", b"null", b"[" * 4000, b"x" * 5000, b"\xff"):
                for act in ("lead", "vote", "votes", "end"):
                    status, about = await ask(port, "POST", f"{one}/{act}", body)
                    assert (status, about["detail"]) == (400, follow_routes.NO_REQUEST)
            assert (await ask(port, "POST", "/x/follow/ZZZZZZ/lead", {}))[0] == 404
            clock.now += 1
            asked = [
                ask(port, "POST", f"{one}/vote", {}) for _ in range(follow_routes.MAX_ASKED + 20)
            ]
            counted: Counter[int] = Counter()
            for at in range(0, len(asked), 60):
                counted.update([status for status, _ in await asyncio.gather(*asked[at : at + 60])])
            assert counted == {409: follow_routes.MAX_ASKED, 429: 20}
            clock.now += 1
            assert (await ask(port, "POST", f"{one}/vote", {}))[0] == 409

    awaited(flood())


def test_a_qr_code_leads_to_this_page_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def codes() -> None:
        lectures = Lectures()
        async with served(application(follow_routes.follow_routes("/x", lectures))) as port:
            code, _ = lectures.open()
            qr, own = f"/x/follow/{code}/qr?page=", f"http://127.0.0.1:{port}"
            status, drawn = await ask(port, "GET", qr + own + "/app/?run=1%23x")
            assert status == 200
            assert drawn.startswith("<svg")
            assert drawn != (await ask(port, "GET", qr + own + "/"))[1]
            assert drawn == (await ask(port, "GET", qr + own + "/app/"))[1]
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

    awaited(codes())
