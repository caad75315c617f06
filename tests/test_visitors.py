"""What visitors may take of the machine: seconds, an audience, a turn; and what becomes of what they leave behind."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.awaited import awaited

from logitspec import LogitSpecError, Trace
from logitspec.prompts import typed
from logitspec.publish.demos import RACES, TRACES, demo_run, opening_race
from logitspec.serving import audience, budget, live, models
from logitspec.serving.audience import Audience
from logitspec.serving.host import Host
from logitspec.serving.limits import Limits, Visitor
from logitspec.serving.request import Request
from logitspec.serving.wire import pack
from logitspec.ui.callbacks import callbacks

ANN, BEN = Visitor("ann", "10.0.0.1"), Visitor("ben", "10.0.0.2")


class Clock:
    """Seconds that pass when a test says so, and by `tick` whenever anybody looks."""

    now = 0.0
    tick = 0.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def host(loaded: list[str], clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(live, "SECONDS_PER_MESSAGE", 0)
    host = Host("tiny", limits=Limits(held_seconds=30), now=clock)
    host.audience.begin()
    return host


def wanted(**changes: Any) -> Request:
    usual = {"prompt": "ABCABCAB", "methods": ["logitspec"], "max_new_tokens": 60, "model": "tiny"}
    return Request(**{**usual, **changes})


def whole(host: Host, **changes: Any) -> Trace:
    return Trace.from_json(list(host.stream(wanted(**changes), Event()))[-1])


def known(host: Host, run: str) -> Trace:
    """The run as the host knows it, looked at without asking for it."""
    result = host._runs.get(run)
    assert result is not None
    return result.race.traces[0]


def free(host: Host) -> None:
    """Return once nobody has the models."""
    with host.turn.hold(Event()):
        pass


def until_ended(host: Host, run: str) -> Trace:
    """The run, once it has ended; asked for again and again, as a page does."""
    while known(host, run).finish is None:
        host.steps_from(run, 1)
        free(host)
    return Trace.from_json(host.steps_from(run, 0) or "")


def test_a_run_past_its_seconds_ends_with_a_sentence_and_keeps_its_steps(
    host: Host, clock: Clock
) -> None:
    host.limits = replace(host.limits, run_seconds=7.0)
    clock.tick = 1.0
    stream = host.stream(wanted(max_new_tokens=400), Event())
    run = Trace.from_json(list(stream)[-1])
    assert run.finish == "error"
    assert run.error == (
        "This was stopped after 7 seconds, the longest that the model works here for one visitor at a time;"
        " ask for fewer new tokens."
    )
    assert 0 < len(run.steps) < 20
    clock.tick = 0.0
    assert whole(host).finish == "length"


def test_a_race_past_its_seconds_fails_in_the_lanes_that_had_not_ended(
    host: Host, clock: Clock
) -> None:
    """A prompt on which the method with drafts needs half of the steps of plain decoding."""
    pair = wanted(methods=["logitspec", "autoregressive"], max_new_tokens=100)
    host.limits = replace(host.limits, run_seconds=1e6)
    clock.tick = 1.0
    *_, last = host.stream(pair, Event())
    quick, slow = (len(lane["steps"]) for lane in json.loads(last)["lanes"])
    assert quick + 20 < slow
    host.limits = replace(host.limits, run_seconds=2.0 * quick + 10)
    *_, last = host.stream(pair, Event())
    ended, cut_off = json.loads(last)["lanes"]
    assert (ended["finish"], ended["error"]) == ("length", None)
    assert cut_off["finish"] == "error"
    assert "stopped after" in cut_off["error"]
    for lanes in (pair, replace(pair, methods=["autoregressive", "autoregressive"])):
        host.limits = replace(host.limits, run_seconds=7.0)
        *_, last = host.stream(lanes, Event())
        assert [lane["finish"] for lane in json.loads(last)["lanes"]] == ["error", "error"]


def test_a_run_past_its_seconds_is_never_taken_for_a_cancelled_one(
    host: Host, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that asks for its steps while it is being ended asks no more."""
    seen: list[tuple[str | None, str | None]] = []
    work = host._worker.run

    def watched(*arguments: Any) -> Generator[Any, None, Any]:
        try:
            return (yield from work(*arguments))
        finally:
            (run,) = host._runs._runs.values()
            seen.extend((each.finish, each.error) for each in run.traces())

    monkeypatch.setattr(host._worker, "run", watched)
    host.audience.comes("ann")
    host.limits = replace(host.limits, run_seconds=7.0)
    clock.tick = 1.0
    last = list(host.stream(wanted(max_new_tokens=400), Event(), visitor=ANN))[-1]
    assert seen == [("error", Trace.from_json(last).error)]


@pytest.mark.parametrize("after", [0, 3])
def test_a_hung_forward_is_left_behind_and_the_next_visitor_is_served(
    host: Host,
    loaded: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    after: int,
) -> None:
    right = whole(host).output_ids
    target = host.models.load("tiny").target
    verify, calls, release = target.verify, iter(range(100)), Event()

    def hanging(tree: Any) -> Any:
        if next(calls) == after:
            release.wait(60)
        return verify(tree)

    monkeypatch.setattr(target, "verify", hanging)
    monkeypatch.setattr(budget, "GRACE_SECONDS", 1.0)
    host.limits = replace(host.limits, run_seconds=0.0001)
    try:
        with caplog.at_level(logging.ERROR):
            run = Trace.from_json(list(host.stream(wanted(), Event(), visitor=ANN))[-1])
        assert run.finish == "error"
        assert "stopped responding" in str(run.error)
        assert len(run.steps) == after
        host.limits = replace(host.limits, run_seconds=60)
        assert whole(host).output_ids == right  # while the forward still hangs
    finally:
        release.set()
    assert loaded == ["tiny", "tiny"]
    assert host.models.load("tiny").target is not target


def test_a_run_that_nobody_listens_to_ends_and_one_that_is_heard_does_not(
    host: Host, clock: Clock
) -> None:
    host.audience.comes("ben")
    heard = host.stream(wanted(), Event(), visitor=BEN)
    next(heard)
    clock.now += 1000
    assert Trace.from_json(list(heard)[-1]).finish == "length"
    unheard = host.stream(wanted(max_new_tokens=400), Event(), visitor=ANN)
    run = json.loads(next(unheard))["run"]
    clock.now += host.limits.unheard_seconds
    assert json.loads(next(unheard))["kind"] == "steps"
    clock.now += 0.1
    assert list(unheard) == []
    trace = known(host, run)
    assert (trace.finish, len(trace.steps)) == ("cancelled", 2)
    free(host)


def test_a_load_that_hangs_ends_in_a_sentence_and_the_next_visitor_is_served(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, tiny = Event(), host.models.load("tiny")

    def load(name: str, *rest: Any, **placing: Any) -> Any:
        if name == "builtin":
            released.wait()
        return tiny.target, tiny.tokenizer

    monkeypatch.setattr(models, "load", load)
    host.models.load_seconds = 0.2
    with pytest.raises(
        LogitSpecError, match=r"builtin was not loaded within 0 seconds, .*again\.$"
    ):
        list(host.stream(wanted(model="builtin"), Event()))
    assert whole(host).finish == "length"
    released.set()


def test_who_listened_and_hung_up_has_some_seconds_to_come_back(host: Host, clock: Clock) -> None:
    host.audience.comes("ann")
    stream = host.stream(wanted(max_new_tokens=400), Event(), visitor=ANN)
    next(stream)
    host.audience.goes("ann")
    clock.now += host.limits.unheard_seconds
    next(stream)
    host.audience.comes("ann")
    clock.now += 1000
    assert Trace.from_json(list(stream)[-1]).finish == "length"


def test_silence_begins_when_the_last_listener_of_a_session_goes(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "MAX_SESSIONS", 2)
    heard = Audience(clock)
    heard.comes("ann")
    heard.begin()
    heard.comes("ann")
    heard.goes("ann")
    clock.now += 99
    assert heard.silence("ann") == 0  # the other one is still there
    heard.goes("ann")
    clock.now += 5
    assert (heard.silence("ann"), heard.silence("ben"), heard.silence("")) == (5, 0, 0)
    clock.now += 5
    assert heard.silence("cy") == 0  # of two sessions, the one last heard of is known
    assert (heard.silence("ben"), heard.silence("cy")) == (5, 0)


def test_a_closed_page_frees_the_models_at_once_and_a_reload_finds_its_run(host: Host) -> None:
    right = whole(host, max_new_tokens=200).output_ids
    stream = host.stream(wanted(max_new_tokens=200), Event(), outlives=True, visitor=ANN)
    run = json.loads(next(stream))["run"]
    next(stream)
    host.goodbye(run, "10.9.9.9")  # somebody else
    next(stream)
    host.goodbye("unknown", ANN.address)
    host.goodbye(run, ANN.address)
    assert list(stream) == []
    free(host)
    steps = len(known(host, run).steps)
    assert steps == 3  # two that were sent, and one
    assert whole(host, prompt="CABBAGE").finish == "length"  # on a cache of its own
    assert known(host, run).finish is None
    assert len(known(host, run).steps) == steps
    assert until_ended(host, run).output_ids == right


def test_a_page_that_vanishes_keeps_its_run_for_seconds_and_then_others_come(
    host: Host, clock: Clock
) -> None:
    stream = host.stream(wanted(max_new_tokens=400), Event(), outlives=True, visitor=ANN)
    run = json.loads(next(stream))["run"]
    next(stream)
    clock.tick = host.limits.unheard_seconds / 8  # a look or two in every step
    stream.close()
    free(host)
    clock.tick = 0
    held = known(host, run)
    assert held.finish is None
    assert 1 < len(held.steps) < 12
    assert until_ended(host, run).finish == "length"


def test_a_held_run_ends_when_nobody_comes_or_another_one_is_held(host: Host) -> None:
    def leave(**changes: Any) -> str:
        stream = host.stream(wanted(max_new_tokens=400), Event(), outlives=True, visitor=ANN)
        run: str = json.loads(next(stream))["run"]
        host.goodbye(run, ANN.address)
        assert list(stream) == []
        free(host)
        return run

    first, second = leave(), leave()
    while known(host, first).finish is None:
        pass
    assert known(host, first).finish == "cancelled"
    assert known(host, second).finish is None
    host.stop(second)
    while known(host, second).finish is None:
        pass
    host.limits = replace(host.limits, held_seconds=0)
    third = leave()
    while known(host, third).finish is None:
        pass
    assert known(host, third).finish == "cancelled"


def counting(target: Any, tokenizer: Any, to: int) -> Generator[int, None, int]:
    """Work in steps."""
    yield from range(to)
    return to


def test_long_work_lets_a_short_run_pass_between_its_steps(host: Host, clock: Clock) -> None:
    place = host.turn.ask(ANN)
    work = host.work("tiny", Event(), 1.0, counting, 3, place=place)
    assert next(work) == 0
    short = host.turn.ask(BEN)
    assert next(work) == 1
    assert not short.come.done()
    clock.now += host.limits.way_seconds
    stream = host.stream(wanted(), Event(), place=short)
    assert not short.come.done()
    waiting = Ahead(work)
    assert Trace.from_json(list(stream)[-1]).finish == "length"
    assert waiting.rest() == [2]


def hanging(target: Any, tokenizer: Any, release: Event) -> Generator[int, None, None]:
    """Work whose first step never ends by itself."""
    release.wait(60)
    yield 0


def test_work_and_runs_that_gave_way_to_a_forward_that_hung_go_on(host: Host) -> None:
    work = host.work("tiny", Event(), 1.0, counting, 3, place=host.turn.ask(ANN))
    assert next(work) == 0
    run = host._worker.run("tiny", 1.0, lambda: 60.0, counting, 2)
    assert next(run) == 0
    release = Event()
    try:
        with pytest.raises(LogitSpecError, match="stopped responding"):
            list(host._worker.run("tiny", 1.0, lambda: 0.1, hanging, release))
        assert list(run) == [1]
        assert list(work) == [1, 2]
        assert whole(host).finish == "length"
    finally:
        release.set()


class Ahead:
    """Reads the rest of `values` in a thread."""

    def __init__(self, values: Iterator[int]) -> None:
        from threading import Thread

        self._values: list[int] = []
        self._thread = Thread(target=lambda: self._values.extend(values))
        self._thread.start()

    def rest(self) -> list[int]:
        self._thread.join(60)
        return self._values


def test_work_that_nobody_listens_to_or_that_takes_too_long_ends(host: Host, clock: Clock) -> None:
    work = host.work("tiny", Event(), 1.0, counting, 9, place=host.turn.ask(ANN))
    next(work)
    clock.now += host.limits.unheard_seconds + 1
    with pytest.raises(LogitSpecError, match="Nobody was following"):
        next(work)
    free(host)
    host.limits = replace(host.limits, work_seconds=5)
    clock.tick = 1.0
    with pytest.raises(LogitSpecError, match="stopped after 5 seconds"):
        list(host.work("tiny", Event(), 1.0, counting, 900))
    free(host)


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of what was packed."""
    lengths: list[int] = []

    def counted(message: str) -> str:
        lengths.append(len(message))
        return pack(message)

    monkeypatch.setattr("logitspec.ui.callbacks.pack", counted)
    monkeypatch.setattr("logitspec.serving.wire.pack", counted)
    return lengths


def fetched(host: Host, demos: Path, *requests: Any) -> list[Any]:
    """The answers to a page's requests, one after another."""
    fetch, _ = callbacks(host, demos)

    async def ask() -> list[Any]:
        return [await fetch(each) for each in requests]

    return awaited(ask())


@pytest.mark.parametrize("folder", [TRACES, RACES])
def test_a_recorded_run_is_read_and_packed_once(
    host: Host, packed: list[int], folder: Path
) -> None:
    run = demo_run(opening_race() or typed()[0])
    answers = fetched(host, folder, *[{"run": run, "from": first} for first in (0, 0, 3, 0)])
    assert answers == [answers[0]] * 4
    assert len(answers[0]) > 1000
    assert len(packed) == 1


def test_a_run_that_has_ended_is_packed_once_and_its_last_steps_are_few(
    host: Host, packed: list[int]
) -> None:
    done = whole(host, max_new_tokens=200, methods=["autoregressive"])
    last = len(done.steps) - 2
    requests = [{"run": done.run, "from": first} for first in (0, 1, 0, 100, last)]
    *same, short = fetched(host, TRACES, *requests)
    assert same == [same[0]] * 4
    assert json.loads(page_unpacked(short))["from"] == last
    assert len(packed) == 2


def page_unpacked(message: str) -> str:
    import base64
    import zlib

    return (
        message if message.startswith("{") else zlib.decompress(base64.b64decode(message)).decode()
    )


def test_rubbish_costs_nothing(
    host: Host, packed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise AssertionError("This took a thread.")

    monkeypatch.setattr("logitspec.serving.waiting.to_thread.run_sync", fail)
    rubbish: list[Any] = [
        None,
        3,
        [],
        {},
        {"run": 5, "from": 0},
        {"run": "x", "from": "0"},
        {"run": "x" * 10**6},
    ]
    rubbish += [{"run": "unknown", "from": 0}, {"run": "x", "from": True}, {"run": "x", "from": -1}]
    assert fetched(host, TRACES, *rubbish) == [None] * len(rubbish)
    assert packed == []


FOLDERS = [
    "/etc",
    "/nowhere",
    ".",
    "..",
    "./assets",
    "~",
    "assets/",
    "a" * 300,
    "C:\\models",
    "../x/y",
]


def test_every_folder_gets_one_answer_where_others_reach_the_page(
    loaded: list[str], tmp_path: Path
) -> None:
    host = Host("tiny", others=True, folders=False)
    answers = set()
    for name in [*FOLDERS, str(tmp_path), "file:///etc"]:
        with pytest.raises(LogitSpecError) as caught:
            host.models.load(name)
        answers.add(str(caught.value))
        answers.add(list(host.models.loading(name))[-1])
    (sentence,) = answers
    assert "folders on this machine are not offered" in sentence
    assert loaded == []
    for name, source in (
        ("assets/model", "assets/model"),
        ("user/model:Q4_0", "user/model:Q4_0"),
        ("https://huggingface.co/user/model", "user/model"),
        ("hf.co/user/model:Q4_0 ", "user/model:Q4_0"),
        ("huggingface.co/user/model?library=vllm", "user/model?library=vllm"),
    ):
        host.models.load(name)
        assert loaded.pop() == f"https://huggingface.co/{source}"


def test_a_name_of_any_length_is_a_sentence(host: Host) -> None:
    for changes in ({"model": "a/" + "b" * 500}, {"methods": ["x" * 500]}):
        with pytest.raises(LogitSpecError, match="Names have at most 400 characters"):
            next(host.stream(wanted(**changes), Event()))
