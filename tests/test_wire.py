"""The wire: messages add up to the document, of a run and of a race."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from support.fakes import ScriptedTarget, finished

from logitspec import Trace, decode
from logitspec.decoding.race import Race, begin_race, run_race
from logitspec.serving.wire import (
    autoplay_message,
    error_message,
    opening_message,
    pack,
    progress_message,
    reset_message,
    steps_message,
    whole_message,
)
from logitspec.trace.costs import ForwardCosts

TEXT = [1, 2, 3, 4, 5, 6, 7, 8] * 40
FIELDS: list[list[Any]] = [
    ["logitspec_paper"],
    [("logitspec_paper", {"draft_tree_capacity": 9}), "autoregressive"],
]


@pytest.fixture
def trace() -> Trace:
    run: Trace = finished(decode(ScriptedTarget(TEXT), TEXT[:20], "logitspec_paper", 60))
    run.vocabulary = {token: bytes([*[226, 156][: token % 3], 65]) for token in range(1, 9)}
    run.prompt = 'a "prompt" \u202e </script>'
    return run


def test_deltas_add_up_to_the_trace(trace: Trace) -> None:
    whole = json.loads(trace.to_json())
    reset = json.loads(reset_message(trace, 0))
    assert reset["kind"] == "reset"
    assert {**reset["trace"], "totals": whole["totals"], "steps": whole["steps"]} == whole
    first = len(trace.steps) // 2
    delta = json.loads(steps_message(trace, 1, first, {3: b"\xe2\x9c", 4: b"x"}))
    assert (delta["kind"], delta["seq"], delta["from"]) == ("steps", 1, first)
    assert delta["steps"] == whole["steps"][first:]
    assert delta["vocabulary"] == {"3": {"hex": "e29c"}, "4": "x"}
    assert delta["run"] == reset["run"] == whole["run"] != ""


def test_the_last_steps_say_how_the_run_ended(trace: Trace) -> None:
    assert json.loads(steps_message(trace, 1, 0, {}))["finish"] == "length"
    trace.finish, trace.error = "error", "It broke."
    failed = json.loads(steps_message(trace, 1, 0, {}))
    assert (failed["finish"], failed["error"]) == ("error", "It broke.")
    trace.finish = None
    assert "finish" not in json.loads(steps_message(trace, 1, 0, {}))


def lanes_of(message: Any) -> list[Any]:
    lanes: list[Any] = message.get("lanes", [message])
    return lanes


@pytest.mark.parametrize("methods", FIELDS, ids=["run", "race"])
def test_messages_bring_a_race_piece_by_piece(methods: list[Any]) -> None:
    race = begin_race(ScriptedTarget(TEXT), TEXT[:20], methods, 20)
    messages = [json.loads(opening_message(race))]
    sent = [0] * len(methods)
    for _ in run_race(ScriptedTarget(TEXT), race):
        messages.append(json.loads(progress_message(race, sent, [{}] * len(methods), 7)))
        sent = [len(trace.steps) for trace in race.traces]
    messages.append(json.loads(progress_message(race, sent, [{}] * len(methods), 8)))
    opening, *deltas = messages
    whole = json.loads(whole_message(race))
    steps: list[list[Any]] = [[] for _ in methods]
    for delta in deltas:
        for lane, part in zip(steps, lanes_of(delta), strict=True):
            assert (part["kind"], part["from"]) == ("steps", len(lane))
            lane += part["steps"]
    assert steps == [lane["steps"] for lane in lanes_of(whole)]
    assert [lane["finish"] for lane in lanes_of(deltas[-1])] == ["length"] * len(methods)
    check_forms(race, opening, deltas, whole)


class Learning(ScriptedTarget):
    """A target that measures what forwards cost once a run has begun, and later changes how it runs."""

    info: dict[str, Any] = {**ScriptedTarget.info, "environment": {"graphs": "replayed"}}

    def measure_costs(self) -> ForwardCosts:
        self.costs = self.costs or ForwardCosts([1, 64], [0.001, 0.01])
        return self.costs


@pytest.mark.parametrize(
    "methods", [["logitspec"], ["logitspec", "autoregressive"]], ids=["run", "race"]
)
def test_messages_bring_what_a_run_found_out_about_its_machine(
    methods: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"graphs": "replayed"}
    monkeypatch.setattr(Learning, "info", {**Learning.info, "environment": environment})
    target = Learning(TEXT)
    race = begin_race(target, TEXT[:20], methods, 20)
    assert "forward_costs" not in lanes_of(json.loads(opening_message(race)))[0]
    growth = run_race(target, race)
    none: list[dict[int, bytes]] = [{}] * len(methods)
    next(growth)
    first = json.loads(progress_message(race, [0] * len(methods), none))
    assert lanes_of(first)[0]["environment"] == race.traces[0].environment
    assert "forward_costs" in lanes_of(first)[0]["environment"]
    environment["graphs"] = "none: the driver is too old"
    for _ in growth:
        pass
    last = progress_message(race, [len(trace.steps) for trace in race.traces], none)
    whole = lanes_of(json.loads(whole_message(race)))
    assert [each["environment"] for each in lanes_of(json.loads(last))] == [
        lane["environment"] for lane in whole
    ]
    assert whole[0]["environment"]["graphs"] == "none: the driver is too old"


def check_forms(race: Race, opening: Any, deltas: list[Any], whole: Any) -> None:
    """A race of one lane speaks as a run, one of several as a race."""
    kinds = [opening["kind"], *{delta["kind"] for delta in deltas}, whole["kind"]]
    if race.is_run:
        assert kinds == ["reset", "steps", "trace"]
        assert opening["run"] == deltas[-1]["run"] == whole["run"] == race.name
        assert [delta["seq"] for delta in deltas[-2:]] == [7, 8]
        return
    assert kinds == ["race", "race_steps", "race"]
    assert opening["titles"] == ["LogitSpec (paper), draft tree capacity 9", "Plain decoding"]
    assert [lane["steps"] for lane in opening["lanes"]] == [[], []]
    assert {delta["verdict"] for delta in deltas[:-1]} == {None}
    assert deltas[-1]["verdict"] == whole["verdict"]
    assert whole["verdict"]["tokens"] == 20
    assert opening["race"] == deltas[-1]["race"] == whole["race"] == race.name


def test_errors_and_demos_are_never_twice_the_same(trace: Trace) -> None:
    first, second = (json.loads(error_message("It broke.")) for _ in range(2))
    assert (first["kind"], first["message"]) == ("error", "It broke.")
    assert first != second
    demo = autoplay_message(trace.to_json())
    assert demo.startswith('{"autoplay":true,"at":1,')
    assert json.loads(autoplay_message(trace.to_json(), 4))["at"] == 4
    assert demo != autoplay_message(trace.to_json())
    assert Trace.from_json(demo) == trace


def test_long_messages_travel_packed(trace: Trace) -> None:
    whole = trace.to_json()
    assert len(pack(whole)) < len(whole) / 2
    assert zlib.decompress(base64.b64decode(pack(whole))).decode() == whole
    assert pack("{}") == "{}"
