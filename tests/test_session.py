"""A visitor's run without the page: deltas, stopping, failures, what is kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from time import sleep
from typing import Any

import pytest
import torch

from logitspec import LogitSpecError, Trace
from logitspec.models.catalogue import CATALOGUE
from logitspec.serving import live, models
from logitspec.serving.host import Host
from logitspec.serving.request import Request, parse_options


@pytest.fixture
def host(loaded: list[str]) -> Host:
    return Host("tiny")


def wanted(
    method: Any = "logitspec", options: dict[str, Any] | None = None, **changes: Any
) -> Request:
    lanes = [(method, options or {})]
    usual = {"prompt": "ABCABCAB", "max_new_tokens": 30, "model": "tiny"}
    return Request(**{"methods": lanes, **usual, **changes})


def messages(stream: Iterator[str]) -> list[Any]:
    return [json.loads(value) for value in stream]


def test_a_run_is_a_reset_then_steps_then_the_trace(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS_PER_MESSAGE", 0)
    reset, *deltas, whole = messages(host.stream(wanted(), Event()))
    assert reset["kind"] == "reset"
    assert [delta["kind"] for delta in deltas] == ["steps"] * len(whole["steps"])
    assert [step for delta in deltas for step in delta["steps"]] == whole["steps"]
    vocabulary = dict(reset["trace"]["vocabulary"])
    for delta in deltas:
        assert not vocabulary.keys() & delta["vocabulary"].keys()
        vocabulary |= delta["vocabulary"]
    assert vocabulary == whole["vocabulary"]
    assert whole["prompt"] == "ABCABCAB"
    assert Trace.from_json(json.dumps(whole)).finish == "length"


def test_messages_are_bundled_but_nothing_is_lost(host: Host) -> None:
    values = messages(host.stream(wanted(max_new_tokens=200), Event()))
    assert len(values) < 100
    assert sum(len(step["path"]) for step in values[-1]["steps"]) == 200


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_stop_ends_the_run_within_one_step(
    host: Host, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(live, "SECONDS_PER_MESSAGE", 0)
    stop = Event()
    stream = host.stream(wanted(max_new_tokens=400), stop)
    for _ in range(steps + 1):
        next(stream)
    stop.set()
    (value,) = list(stream)
    trace = Trace.from_json(value)
    assert trace.finish == "cancelled"
    assert len(trace.steps) == steps + 1


def test_a_failure_in_mid_run_keeps_the_steps_and_hides_the_stack(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    target, _, _ = host.models.load("tiny")
    verify, calls = target.verify, iter(range(100))

    def failing(tree: Any) -> Any:
        if next(calls) == 3:
            raise RuntimeError("secret detail")
        return verify(tree)

    monkeypatch.setattr(target, "verify", failing)
    with caplog.at_level(logging.ERROR):
        trace = Trace.from_json(list(host.stream(wanted(), Event()))[-1])
    assert trace.finish == "error"
    assert len(trace.steps) == 3
    assert trace.error is not None
    assert "secret" not in trace.error
    assert trace.error.endswith(".")
    assert "secret detail" in caplog.text
    monkeypatch.undo()
    assert Trace.from_json(list(host.stream(wanted(), Event()))[-1]).finish == "length"


@pytest.mark.parametrize(
    "full",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    ],
)
def test_a_memory_that_is_full_ends_its_run_with_a_sentence_and_leaves_the_next_whole(
    host: Host, monkeypatch: pytest.MonkeyPatch, full: Exception
) -> None:
    whole = Trace.from_json(list(host.stream(wanted(), Event()))[-1])
    target, _, _ = host.models.load("tiny")
    verify, calls = target.verify, iter(range(100))

    def failing(tree: Any) -> Any:
        if next(calls) == 3:
            raise full
        return verify(tree)

    monkeypatch.setattr(target, "verify", failing)
    trace = Trace.from_json(list(host.stream(wanted(), Event()))[-1])
    monkeypatch.undo()
    assert trace.finish == "error"
    assert trace.error == "The memory is full; shorten the prompt, or choose a smaller model."
    assert len(trace.steps) == 3
    assert trace.output_ids == whole.output_ids[: len(trace.output_ids)]
    after = Trace.from_json(list(host.stream(wanted(), Event()))[-1])
    assert (after.finish, after.output_ids) == ("length", whole.output_ids)


def test_closing_the_stream_frees_the_model_for_the_next_run(host: Host) -> None:
    stream = host.stream(wanted(), Event())
    next(stream)
    stream.close()
    assert Trace.from_json(list(host.stream(wanted(), Event()))[-1]).finish == "length"


def test_a_page_gets_every_step_once_and_the_end_without_the_whole(host: Host) -> None:
    reset, *deltas = messages(host.stream(wanted(max_new_tokens=60), Event(), outlives=True))
    whole = json.loads(host.steps_from(reset["run"], 0) or "")
    assert [step for delta in deltas for step in delta["steps"]] == whole["steps"]
    assert [delta["seq"] for delta in deltas] == list(range(1, len(deltas) + 1))
    assert ["finish" in delta for delta in deltas] == [False] * (len(deltas) - 1) + [True]
    assert (deltas[-1]["finish"], deltas[-1]["error"]) == ("length", None)


def left_behind(host: Host, **changes: Any) -> str:
    """The name of a run whose reader has gone after the first steps."""
    stream = host.stream(wanted(**changes), Event(), outlives=True)
    run: str = json.loads(next(stream))["run"]
    next(stream)
    stream.close()
    return run


def finish_of(host: Host, run: str) -> str | None:
    return Trace.from_json(host.steps_from(run, 0) or "").finish


def test_a_run_outlives_its_reader_and_tells_the_next_one_everything(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS_PER_MESSAGE", 0)
    run = left_behind(host, max_new_tokens=200)
    have: list[Any] = []  # from the second step on: from the first, a whole trace would come
    while "finish" not in (delta := json.loads(host.steps_from(run, 1 + len(have)) or "")):
        have += delta["steps"]
        sleep(0.01)  # asking without a pause would leave the run no time to go on
    have += delta["steps"]
    whole = Trace.from_json(host.steps_from(run, 0) or "")
    assert (whole.finish, len(whole.output_ids)) == ("length", 200)
    same = Trace.from_json(list(host.stream(wanted(max_new_tokens=200), Event()))[-1])
    assert whole.output_ids == same.output_ids
    assert [step.to_json() for step in whole.steps[1:]] == have


def test_a_run_that_nobody_asks_for_ends_and_makes_room(host: Host) -> None:
    host.limits = replace(host.limits, unheard_seconds=0, held_seconds=0)
    run = left_behind(host, max_new_tokens=400)
    assert Trace.from_json(list(host.stream(wanted(), Event()))[-1]).finish == "length"
    assert finish_of(host, run) == "cancelled"


def test_a_run_left_behind_can_be_stopped_and_one_that_is_read_can_not(host: Host) -> None:
    run = left_behind(host, max_new_tokens=400)
    host.stop(run)
    host.stop("unknown")
    reading = host.stream(wanted(), Event(), outlives=True)
    read = json.loads(next(reading))["run"]
    assert finish_of(host, run) == "cancelled"
    host.stop(read)
    assert json.loads(list(reading)[-1])["finish"] == "length"


def test_a_failure_after_the_reader_left_is_told_to_the_next(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    target, _, _ = host.models.load("tiny")
    verify, calls = target.verify, iter(range(100))

    def failing(tree: Any) -> Any:
        if next(calls) == 5:
            raise RuntimeError("secret detail")
        return verify(tree)

    monkeypatch.setattr(target, "verify", failing)
    with caplog.at_level(logging.ERROR):
        run = left_behind(host)
        list(host.stream(wanted(max_new_tokens=1), Event()))  # waits for its turn, which comes
    trace = Trace.from_json(host.steps_from(run, 0) or "")
    assert (trace.finish, len(trace.steps)) == ("error", 5)
    assert "secret" not in (trace.error or "secret")
    assert "secret detail" in caplog.text


def test_a_model_is_loaded_once_and_only_if_it_is_offered(host: Host, loaded: list[str]) -> None:
    for _ in range(3):
        list(host.stream(wanted(max_new_tokens=1), Event()))
    assert loaded == ["tiny"]
    assert host.models.names == ["tiny", "builtin"]
    assert "larger model" in host.models.about("builtin")
    assert "float64, sdpa attention, on cpu" in host.models.about("tiny")
    with pytest.raises(LogitSpecError, match="'/etc' is not offered"):
        host.models.load("/etc")


def test_any_model_is_loaded_where_the_host_allows_it(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(name: str, device: str, dtype: str, progress: Any) -> None:
        progress(250_000_000, 1_000_000_000)
        sleep(0.1)
        if name == "a/gone":
            raise LogitSpecError("There is no model 'a/gone'.")

    monkeypatch.setattr(models, "fetch", fetch)
    monkeypatch.setattr(models, "SECONDS_PER_LINE", 0.01)
    host = Host("tiny", others=True)
    lines = list(host.models.loading("a/model"))
    assert "a/model is being downloaded: 250 of 1,000 MB (25%)." in lines
    assert lines[-1] == host.models.about("a/model") != ""
    assert list(host.models.loading("a/gone"))[-1] == "There is no model 'a/gone'."
    assert loaded == ["a/model"]
    list(host.stream(wanted(model="a/model", max_new_tokens=1), Event()))
    assert loaded == ["a/model"]
    assert [value for _, value in host.models.choices][:3] == ["tiny", "builtin", CATALOGUE[0].name]


def test_a_host_that_does_not_allow_it_loads_nothing_else(host: Host, loaded: list[str]) -> None:
    assert list(host.models.loading("a/model")) == [""]
    assert [value for _, value in host.models.choices] == ["tiny", "builtin"]
    with pytest.raises(LogitSpecError, match="not offered"):
        list(host.stream(wanted(model="a/model"), Event()))
    assert loaded == []


def test_a_model_that_fails_leaves_the_old_ones_and_few_are_kept(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host("tiny", others=True)
    host.models.load("tiny")
    names = [f"a/{number}" for number in range(models.MAX_OTHER_MODELS + 1)]
    for name in names:
        host.models.load(name)
    with monkeypatch.context() as patch:
        patch.setattr(models, "load", full)
        with pytest.raises(LogitSpecError, match="not enough memory"):
            list(host.stream(wanted(model="a/large"), Event()))
        for name in ["tiny", *names[1:]]:  # still there
            assert Trace.from_json(list(host.stream(wanted(model=name), Event()))[-1]).finish
        with pytest.raises(LogitSpecError, match="not enough memory"):
            host.models.load(names[0])


def full(*arguments: Any, **options: Any) -> Any:
    raise LogitSpecError("There is not enough memory.")


def test_missed_steps_can_be_asked_for_and_few_runs_are_kept(host: Host) -> None:
    traces = [
        Trace.from_json(list(host.stream(wanted(max_new_tokens=6), Event()))[-1])
        for _ in range(live.MAX_RUNS + 2)
    ]
    last = traces[-1]
    missed = json.loads(host.steps_from(last.run, 2) or "")
    assert missed["from"] == 2
    assert missed["steps"] == [step.to_json() for step in last.steps[2:]]
    spelt = {int(token) for token in missed["vocabulary"]}
    assert spelt >= {token for step in last.steps[2:] for token in step.tree.tokens}
    whole = Trace.from_json(host.steps_from(last.run, 0) or "")
    assert whole.output_ids == last.output_ids
    for run_id, first in ((traces[0].run, 0), ("unknown", 0), (last.run, -1), (last.run, 99)):
        assert host.steps_from(run_id, first) is None


def test_runs_can_not_be_guessed(host: Host) -> None:
    runs = {json.loads(next(host.stream(wanted(), Event())))["run"] for _ in range(3)}
    assert len(runs) == 3
    assert all(len(run) >= 16 for run in runs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": None}, "must be strings"),
        ({"method": ["x"]}, "must be strings"),
        ({"model": None}, "must be strings"),
        ({"max_new_tokens": True}, "Max new tokens"),
        ({"temperature": True}, "Temperature"),
        ({"temperature": -0.5}, "Temperature"),
        ({"seed": -1}, "Seed"),
        ({"prompt": ""}, "prompt is empty"),
        ({"max_new_tokens": -5}, "Max new tokens"),
        ({"max_new_tokens": 10**30}, "Max new tokens"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"options": {"nonsense": 1}}, "no option 'nonsense'"),
        ({"options": {"draft_tree_capacity": -1}}, "draft_tree_capacity"),
        ({"prompt": " "}, "prompt is empty"),
        ({"prompt": "A" * 600}, "shorten the prompt"),
        ({"prompt": "A" * 300_000}, "300000 characters"),
        ({"max_new_tokens": 0}, "Max new tokens"),
        ({"max_new_tokens": None}, "Max new tokens"),
        ({"max_new_tokens": 2.5}, "Max new tokens"),
        ({"temperature": None}, "Temperature"),
        ({"seed": None}, "Seed"),
        ({"options": {"max_ngram_size": None}}, "max_ngram_size"),
    ],
)
def test_bad_requests_are_refused_before_the_first_message(
    host: Host, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(LogitSpecError, match=message):
        next(host.stream(wanted(**changes), Event()))
    if message == "shorten the prompt":  # which takes the model
        return
    stop = Event()
    stop.set()
    with host.turn.hold(Event()), pytest.raises(LogitSpecError, match=message):
        next(host.stream(wanted(**changes), stop))  # without waiting for its turn


def test_options_are_a_json_object() -> None:
    assert parse_options("") == {}
    assert parse_options('{"a": 1}') == parse_options({"a": 1}) == {"a": 1}
    for text in ("{", "[]", "1", "null", "[" * 100_000, 1, True, ["a"]):
        with pytest.raises(LogitSpecError):
            parse_options(text)


def test_a_waiting_run_that_is_stopped_does_not_wait(host: Host) -> None:
    running = host.stream(wanted(), Event())
    next(running)
    stop = Event()
    stop.set()
    with pytest.raises(LogitSpecError, match="stopped before it began"):
        next(host.stream(wanted(), stop))
    running.close()


def test_a_run_that_goes_on_can_be_fetched_with_its_spelling(host: Host) -> None:
    running = host.stream(wanted(max_new_tokens=400), Event())
    run_id = json.loads(next(running))["run"]
    next(running)
    so_far = Trace.from_json(host.steps_from(run_id, 0) or "")
    assert so_far.finish is None
    assert so_far.mentioned() <= so_far.vocabulary.keys()
    running.close()
