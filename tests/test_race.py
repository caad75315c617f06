"""Races: every lane is the run that its method makes alone, and no lane gets ahead of its turn."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest
from support.fakes import ScriptedTarget, finished
from support.families import runner
from support.models import tokenizer

from logitspec import DraftTree, ForwardResult, LogitSpecError, TopK, Trace, decode
from logitspec.decoding.race import (
    MAX_LANES,
    MIN_RIVALS,
    WARM_UP_TOKENS,
    Verdict,
    begin_race,
    run_race,
    verdict,
)
from logitspec.serving import live, models
from logitspec.serving.host import Host
from logitspec.serving.request import Request, rivals
from logitspec.trace.records import StepRecord

TEXT = [1, 2, 3, 4, 5, 6, 7, 8] * 40
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 1, 4, 1, 5]
# Trees sized by measured cost differ in every run.
FULL: tuple[str, dict[str, Any]] = ("logitspec", {"tree_size": "capacity"})
FIELDS = [
    [FULL, "logitspec_paper", "prompt_lookup", "autoregressive"],
    ["token_recycling", "suffix_automaton", ("logitspec_paper", {"draft_tree_capacity": 9})],
]


def timeless(steps: Sequence[StepRecord]) -> list[dict[str, Any]]:
    return [{**step.to_json(), "seconds": None} for step in steps]


@pytest.mark.parametrize("family", ["llama", "fast", "mistral-window", "gpt2"])
@pytest.mark.parametrize("entries", FIELDS, ids=["four", "three"])
def test_a_lane_is_the_run_that_its_method_makes_alone(family: str, entries: list[Any]) -> None:
    target = runner(family)
    contest = begin_race(target, PROMPT, entries, 40)
    lanes = list(run_race(target, contest))
    assert len(contest.traces) == len(entries)
    for number, (trace, entry) in enumerate(zip(contest.traces, entries, strict=True)):
        method, options = (entry, {}) if isinstance(entry, str) else entry
        alone = finished(decode(runner(family), PROMPT, method, 40, **options))
        assert timeless(trace.steps) == timeless(alone.steps)
        assert (trace.output_ids, trace.finish) == (alone.output_ids, alone.finish)
        assert lanes.count(number) == len(alone.steps)
    assert contest.verdict == Verdict(tokens=40, differs_at=None, margin=None, complete=True)


def test_a_view_beside_a_runner_shares_its_weights_and_not_its_sequence() -> None:
    first = runner("fast")
    steps = decode(first, PROMPT, "logitspec_paper", 30)
    next(steps)
    length = first.length
    second = first.with_new_cache()
    assert second.model is first.model
    alone = finished(decode(runner("fast"), PROMPT[::-1], "prompt_lookup", 20))
    beside = finished(decode(second, PROMPT[::-1], "prompt_lookup", 20))
    assert beside.output_ids == alone.output_ids
    assert first.length == length
    rest = finished(steps)
    assert (
        rest.output_ids == finished(decode(runner("fast"), PROMPT, "autoregressive", 30)).output_ids
    )


class Logged(ScriptedTarget):
    """Logs which target verifies, in one list for all that were made from each other."""

    log: list[Logged]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.log = []

    def with_new_cache(self) -> Logged:
        twin = Logged(self.text, self.eos_ids, self.limit)
        twin.log = self.log
        return twin

    def verify(self, tree: DraftTree) -> ForwardResult:
        self.log.append(self)
        return super().verify(tree)


def test_lanes_take_turns_and_another_one_begins_each_round() -> None:
    target = Logged(TEXT)
    entries = ["autoregressive", "prompt_lookup", "autoregressive"]
    contest = begin_race(target, TEXT[:20], entries, 24)
    order = list(run_race(target, contest))
    warm = [trace_of(TEXT[:20], each, WARM_UP_TOKENS) for each in entries]
    seen = target.log[sum(len(trace.steps) for trace in warm) :]
    names = {id(each): lane for lane, each in enumerate(dict.fromkeys(target.log))}
    assert [names[id(each)] for each in seen] == order == contest.order
    steps = [len(trace_of(TEXT[:20], each, 24).steps) for each in entries]
    assert min(steps) < max(steps) == 24
    assert Counter(order) == Counter(dict(enumerate(steps)))
    rounds = [[lane for lane in range(3) if steps[lane] > turn] for turn in range(24)]
    firsts = []
    for expected in rounds:
        taken, order = order[: len(expected)], order[len(expected) :]
        assert sorted(taken) == expected
        firsts.append(taken[0])
    full = firsts[: min(steps)]
    assert all(left != right for left, right in pairwise(full))
    assert max(Counter(full).values()) - min(Counter(full).values()) <= 1
    assert abs(firsts[min(steps) :].count(0) - firsts[min(steps) :].count(2)) <= 1


def trace_of(prompt: Sequence[int], method: str, new: int, text: Sequence[int] = TEXT) -> Trace:
    trace = finished(decode(ScriptedTarget(text), prompt, method, new))
    assert isinstance(trace, Trace)
    return trace


def test_the_warm_up_leaves_no_trace_in_a_lane() -> None:
    contest = begin_race(ScriptedTarget(TEXT), TEXT[:20], ["logitspec_paper", "autoregressive"], 12)
    list(run_race(ScriptedTarget(TEXT), contest))
    for trace in contest.traces:
        alone = trace_of(TEXT[:20], trace.method, 12)
        assert [step.position for step in trace.steps] == [step.position for step in alone.steps]
        assert trace.prompt_ids == TEXT[:20]


@pytest.mark.parametrize("count", [1, 5])  # a step of one lane, some of both
def test_closing_a_race_ends_all_its_runs_and_keeps_their_steps(count: int) -> None:
    contest = begin_race(ScriptedTarget(TEXT), TEXT[:20], ["autoregressive", "prompt_lookup"], 100)
    steps = run_race(ScriptedTarget(TEXT), contest)
    taken = [next(steps) for _ in range(count)]
    steps.close()
    assert [trace.finish for trace in contest.traces] == ["cancelled"] * 2
    assert sum(len(trace.steps) for trace in contest.traces) == len(taken) == count
    shorter = min(len(trace.output_ids) for trace in contest.traces)
    assert contest.verdict == Verdict(shorter, None, None, complete=False)


def test_closing_a_race_that_never_began() -> None:
    contest = begin_race(ScriptedTarget(TEXT), TEXT[:20], ["autoregressive", "prompt_lookup"], 9)
    contest.cancel()
    assert [trace.finish for trace in contest.traces] == ["cancelled"] * 2
    assert contest.verdict.tokens == 0


def test_the_verdict_tells_the_first_difference_and_how_close_it_was() -> None:
    other = [*TEXT[:27], 70, *TEXT[28:]]
    plain = trace_of(TEXT[:20], "autoregressive", 12)
    parted = trace_of(TEXT[:20], "autoregressive", 12, other)
    assert verdict([plain, plain, parted]) == Verdict(12, 7, 0.3, True)  # 0.6 against 0.3
    assert verdict([plain, plain]).differs_at is None
    first = trace_of(TEXT[:20], "autoregressive", 12, [*TEXT[:20], 70, *TEXT[21:]])
    assert verdict([plain, first]) == Verdict(12, 0, 0.3, True)


def test_the_margin_is_that_of_a_step_that_began_there_or_unknown() -> None:
    one = trace_of(TEXT[:20], "autoregressive", 12, [*TEXT[:27], 70, *TEXT[28:]])
    copies = trace_of(TEXT[:20], "prompt_lookup", 12)
    assert [step.position for step in copies.steps] == [20, 31]
    for step in one.steps:
        step.last = TopK([1, 2], [0.6, 0.6 - 0.01 * step.position])
    for lanes in ([one, copies], [copies, one]):
        assert verdict(lanes).margin == 0.27
    within_a_copy = trace_of(TEXT[:20], "prompt_lookup", 3)
    assert verdict([copies, within_a_copy]) == Verdict(3, 3, None, True)


def test_a_full_context_is_an_end() -> None:
    lanes = [trace_of(TEXT[:20], "autoregressive", 12) for _ in range(2)]
    lanes[0].finish = "context"
    assert verdict(lanes) == Verdict(12, None, None, True)


def test_an_output_that_ends_early_is_a_difference() -> None:
    long, short = trace_of(TEXT[:20], "autoregressive", 12), trace_of(TEXT[:20], "prompt_lookup", 9)
    assert verdict([long, short]) == Verdict(9, 9, 0.3, True)
    long.finish = "cancelled"
    assert verdict([long, short]) == Verdict(9, None, None, False)


@pytest.mark.parametrize(
    ("entries", "prompt", "message"),
    [
        (["autoregressive"] * 5, [1], "1 to 4 methods; got 5"),
        ([], [1], "1 to 4 methods; got 0"),
        (["autoregressive", "magic"], [1], "no method 'magic'"),
        (["autoregressive", ("prompt_lookup", {"magic": 1})], [1], "no option 'magic'"),
        (["autoregressive", "prompt_lookup"], [], "prompt is empty"),
    ],
)
def test_a_bad_request_is_refused_at_once(entries: Any, prompt: list[int], message: str) -> None:
    with pytest.raises(LogitSpecError, match=message):
        begin_race(ScriptedTarget(TEXT), prompt, entries, 5)
    assert (MIN_RIVALS, MAX_LANES) == (2, 4)


def test_lanes_are_titled_so_that_they_can_be_told_apart() -> None:
    entries: list[Any] = [
        "logitspec_paper",
        ("logitspec", {"successors": False, "tree_size": "capacity"}),
        ("logitspec_paper", {}),
        ("goose", {"use_bigram": True, "ngram_lengths": [4, 2]}),
    ]
    assert begin_race(ScriptedTarget(TEXT), TEXT[:20], entries, 9).titles == [
        "LogitSpec (paper), lane 1",
        "LogitSpec (ours), successors off, tree size capacity",
        "LogitSpec (paper), lane 3",
        "GOOSE, use bigram on, ngram lengths 4 2",
    ]


# A visitor's race


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(models, "load", lambda *names: (runner("llama"), tokenizer()))
    return Host("tiny")


def wanted(methods: Sequence[Any] = ("logitspec",), **changes: Any) -> Request:
    usual = {"prompt": "ABCABCAB", "max_new_tokens": 30, "model": "tiny"}
    return Request(**{"methods": methods, **usual, **changes})


PAIR = ["logitspec_paper", "autoregressive"]


def test_a_visitors_race_streams_and_ends_with_the_verdict(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS_PER_MESSAGE", 0)
    start, *deltas = map(json.loads, host.stream(wanted(PAIR), Event(), outlives=True))
    assert start["kind"] == "race"
    alone = json.loads(list(host.stream(wanted(["autoregressive"]), Event()))[-1])
    plain = [step for delta in deltas for step in delta["lanes"][1]["steps"]]
    assert [step["path"] for step in plain] == [step["path"] for step in alone["steps"]]
    assert [step["tokens"] for step in plain] == [step["tokens"] for step in alone["steps"]]
    vocabulary = dict(start["lanes"][1]["vocabulary"])
    for delta in deltas:
        vocabulary |= delta["lanes"][1]["vocabulary"]
    assert vocabulary == alone["vocabulary"]
    assert start["lanes"][0]["prompt"] == "ABCABCAB"
    assert [delta["verdict"] for delta in deltas[:-1]] == [None] * (len(deltas) - 1)
    assert deltas[-1]["verdict"]["tokens"] == 30
    assert deltas[-1]["verdict"]["differs_at"] is None


def test_a_stopped_race_keeps_what_there_is_and_the_next_one_runs(host: Host) -> None:
    stop = Event()
    stream = host.stream(wanted(PAIR, max_new_tokens=400), stop, outlives=True)
    next(stream)
    next(stream)
    stop.set()
    *_, last = map(json.loads, stream)
    assert [lane["finish"] for lane in last["lanes"]] == ["cancelled"] * 2
    assert last["verdict"]["complete"] is False
    closed = host.stream(wanted(PAIR), Event(), outlives=True)
    next(closed)
    closed.close()
    assert len(list(host.stream(wanted(PAIR), Event(), outlives=True))) >= 2


def test_what_can_not_be_raced_is_said(host: Host) -> None:
    for methods in (["autoregressive"], PAIR * 3, []):
        with pytest.raises(LogitSpecError, match="2 to 4 methods"):
            rivals(methods)
    with pytest.raises(LogitSpecError, match="There is no method 'magic'"):
        list(host.stream(wanted(["logitspec", "magic"]), Event()))
    assert list(host.stream(wanted(PAIR), Event()))


def counted(lanes: Sequence[Any]) -> list[int]:
    return [len(lane["steps"]) for lane in lanes]


def left_behind(host: Host, **changes: Any) -> tuple[str, list[int]]:
    """The name of a race whose reader has gone after the first steps, and how many those were."""
    stream = host.stream(wanted(PAIR, **changes), Event(), outlives=True)
    name: str = json.loads(next(stream))["race"]
    steps = counted(json.loads(next(stream))["lanes"])
    stream.close()
    return name, steps


def test_a_race_outlives_its_reader_and_tells_the_next_one_everything(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS_PER_MESSAGE", 0)
    name, first = left_behind(host, max_new_tokens=200)
    assert sum(first) == 1
    have: list[list[Any]] = [[], []]
    while True:
        sleep(0.01)  # asking without a pause would leave the race no time to go on
        delta = json.loads(host.steps_from(name, sum(first) + sum(map(len, have))) or "")
        for lane, (part, begun) in enumerate(zip(delta["lanes"], first, strict=True)):
            assert part["from"] == begun + len(have[lane])
            have[lane] += part["steps"]
        if delta["verdict"]:
            break
    whole = json.loads(host.steps_from(name, 0) or "")
    assert [lane["steps"][n:] for lane, n in zip(whole["lanes"], first, strict=True)] == have
    assert [lane["finish"] for lane in whole["lanes"]] == ["length"] * 2
    assert whole["verdict"] == delta["verdict"]
    assert whole["verdict"]["tokens"] == 200
    traces = [Trace.from_json(json.dumps(lane)) for lane in whole["lanes"]]
    for trace in traces:
        assert trace.mentioned() == trace.vocabulary.keys()
    alone = host.stream(wanted(["autoregressive"], max_new_tokens=200), Event())
    assert traces[1].output_ids == Trace.from_json(list(alone)[-1]).output_ids


def test_at_every_number_of_steps_a_reader_gets_what_it_lacks(host: Host) -> None:
    start, *_ = host.stream(wanted(PAIR), Event(), outlives=True)
    name = json.loads(start)["race"]
    whole = json.loads(host.steps_from(name, 0) or "")
    steps = counted(whole["lanes"])
    for first in range(1, sum(steps) + 1):
        delta = json.loads(host.steps_from(name, first) or "")
        starts = [lane["from"] for lane in delta["lanes"]]
        assert sum(starts) == first
        for part, lane, start in zip(delta["lanes"], whole["lanes"], starts, strict=True):
            assert part["steps"] == lane["steps"][start:]
            spelt = set(part["vocabulary"])
            assert {str(token) for step in part["steps"] for token in step["tokens"]} <= spelt
    assert host.steps_from(name, sum(steps) + 1) is None
    assert host.steps_from(name, -1) is None


def test_a_race_so_far_stays_as_it_was(host: Host) -> None:
    contest = begin_race(ScriptedTarget(TEXT), TEXT[:20], PAIR, 40)
    steps = run_race(ScriptedTarget(TEXT), contest)
    for _ in range(7):
        next(steps)
    snapshot = contest.so_far()
    list(steps)
    assert [len(trace.steps) for trace in snapshot.traces] == [
        snapshot.order.count(lane) for lane in range(2)
    ]
    assert len(snapshot.order) == 7
    contest.order.pop()  # as another thread sees it between a step and its place in the order
    behind = contest.so_far()
    assert [len(trace.steps) for trace in behind.traces] == [
        behind.order.count(lane) for lane in range(2)
    ]
    assert json.loads(snapshot.to_json())["verdict"] is None
    assert json.loads(contest.to_json())["verdict"]["complete"] is True
    assert [trace.finish for trace in snapshot.traces] == [None, None]
    assert [trace.finish for trace in contest.traces] == ["length", "length"]


def test_a_race_that_nobody_asks_for_ends_and_one_left_behind_can_be_stopped(host: Host) -> None:
    name, _ = left_behind(host, max_new_tokens=400)
    host.stop(name)
    assert list(host.stream(wanted(PAIR), Event(), outlives=True))  # its turn comes
    answer = json.loads(host.steps_from(name, 0) or "")
    assert [lane["finish"] for lane in answer["lanes"]] == ["cancelled"] * 2
    assert answer["verdict"]["complete"] is False
    host.limits = replace(host.limits, unheard_seconds=0, held_seconds=0)
    name, _ = left_behind(host, max_new_tokens=400)
    assert list(host.stream(wanted(PAIR), Event(), outlives=True))
    answer = json.loads(host.steps_from(name, 0) or "")
    assert [lane["finish"] for lane in answer["lanes"]] == ["cancelled"] * 2


@pytest.mark.parametrize("at", [0, 9])
def test_a_failure_within_is_a_sentence_and_what_was_done_stays(
    host: Host, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    target, _, _ = host.models.load("tiny")
    verify, calls = type(target).verify, iter(range(100))

    def failing(self: Any, tree: Any) -> Any:
        if next(calls) == WARM_UP_TOKENS * bool(at) * 2 + at:
            raise RuntimeError("secret path")
        return verify(self, tree)

    monkeypatch.setattr(type(target), "verify", failing)
    *_, last = host.stream(wanted(PAIR), Event(), outlives=True)
    monkeypatch.undo()
    ends = sorted(lane["finish"] for lane in json.loads(last)["lanes"])
    assert ends == ["cancelled", "error"]
    assert "error of type RuntimeError" in last
    assert "secret" not in last
    monkeypatch.setattr(models, "load", lambda *names: (runner("llama"), tokenizer()))
    assert list(host.stream(wanted(PAIR), Event(), outlives=True))


def test_a_waiting_race_can_be_stopped(host: Host) -> None:
    running = host.stream(wanted(PAIR), Event(), outlives=True)
    next(running)
    stop = Event()
    stop.set()
    with pytest.raises(LogitSpecError, match="stopped before it began"):
        next(host.stream(wanted(PAIR), stop, outlives=True))
    running.close()


def test_a_race_is_saved_whole(tmp_path: Path) -> None:
    contest = begin_race(ScriptedTarget(TEXT), TEXT[:20], PAIR, 9)
    list(run_race(ScriptedTarget(TEXT), contest))
    contest.save(tmp_path / "race.json.gz")
    saved = json.loads(gzip.decompress((tmp_path / "race.json.gz").read_bytes()))
    assert [Trace.from_json(json.dumps(lane)).output_ids for lane in saved["lanes"]] == [
        TEXT[20:29],
        TEXT[20:29],
    ]
