"""The trace as a document: round trip, refusals, deltas."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import pytest
from support.fakes import ScriptedTarget, finished

from logitspec import LogitSpecError, Trace, decode
from logitspec.trace.records import SCHEMA, packed, reset_message, steps_message

TEXT = [1, 2, 3, 4, 5, 6, 7, 8] * 40


@pytest.fixture
def trace() -> Trace:
    made: Trace = finished(decode(ScriptedTarget(TEXT), TEXT[:20], "logitspec_paper", 60))
    made.vocabulary = {token: bytes([*[226, 156][: token % 3], 65]) for token in range(1, 9)}
    made.vocabulary[3] = b"\xe2\x9c"
    made.prompt = 'a "prompt" \u202e </script>'
    return made


def test_json_round_trip(trace: Trace) -> None:
    again = Trace.from_json(trace.to_json())
    assert again == trace
    assert again.output_ids == trace.output_ids == TEXT[20:80]
    assert again.to_json() == trace.to_json()


def test_totals_are_those_of_the_summary(trace: Trace) -> None:
    summary = trace.counts().summary()
    totals = json.loads(trace.to_json())["totals"]
    for name, value in totals.items():
        assert value == pytest.approx(summary[name])


@pytest.mark.parametrize("name", ["run.json", "run.json.gz"])
def test_files(trace: Trace, tmp_path: Path, name: str) -> None:
    trace.save(tmp_path / name)
    assert Trace.open(tmp_path / name) == trace
    assert ((tmp_path / name).read_bytes()[0] == 0x1F) == name.endswith("gz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "not a trace"),
        ("[1]", "not a LogitSpec trace"),
        ('{"a": 1}', "not a LogitSpec trace"),
        ('{"schema": 99}', f"schema 99.*schema {SCHEMA}"),
        ('{"schema": 1, "steps": [{}]}', "damaged"),
    ],
)
def test_what_is_no_trace_is_refused_in_a_sentence(text: str, message: str) -> None:
    with pytest.raises(LogitSpecError, match=message):
        Trace.from_json(text)


def test_half_characters_survive_and_text_is_ascii_on_the_wire(trace: Trace) -> None:
    document = trace.to_json()
    assert document.isascii()
    assert json.loads(document)["vocabulary"]["3"] == {"hex": "e29c"}
    assert Trace.from_json(document).vocabulary == trace.vocabulary


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


def test_a_step_with_a_full_tree_stays_small() -> None:
    text = [n * n % 997 for n in range(400)]
    steps = list(decode(ScriptedTarget(text), text[:300], "logitspec_paper", 20))
    assert max(len(json.dumps(step.to_json())) for step in steps) < 6000


def test_mentioned_names_every_id_that_a_reader_has_to_spell(trace: Trace) -> None:
    document = json.loads(trace.to_json())
    ids = set(document["prompt_ids"])
    for step in document["steps"]:
        ids |= {*step["tokens"], *step["choices"], *step["last"]["ids"]}
    assert trace.mentioned() == ids
    known = dict(trace.vocabulary)
    spelt = trace.spell(lambda token: b"%d" % token)
    assert spelt == {token: b"%d" % token for token in ids - known.keys()}
    assert trace.vocabulary == {**known, **spelt}
    assert trace.spell(lambda token: b"") == {}


def test_the_end_of_a_run_is_told_with_its_last_steps(trace: Trace) -> None:
    assert json.loads(steps_message(trace, 1, 0, {}))["finish"] == "length"
    trace.finish, trace.error = "error", "It broke."
    told = json.loads(steps_message(trace, 1, 0, {}))
    assert (told["finish"], told["error"]) == ("error", "It broke.")
    trace.finish = None
    assert "finish" not in json.loads(steps_message(trace, 1, 0, {}))


def test_long_messages_travel_packed(trace: Trace) -> None:
    whole = trace.to_json()
    assert len(packed(whole)) < len(whole) / 2
    assert zlib.decompress(base64.b64decode(packed(whole))).decode() == whole
    assert packed("{}") == "{}"
