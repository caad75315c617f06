"""The trace as a document: round trip, refusals, deltas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.fakes import ScriptedTarget, finished

from logitspec import LogitSpecError, Trace, decode
from logitspec.trace.schema import SCHEMA

TEXT = [1, 2, 3, 4, 5, 6, 7, 8] * 40


@pytest.fixture
def trace() -> Trace:
    result: Trace = finished(decode(ScriptedTarget(TEXT), TEXT[:20], "logitspec_paper", 60))
    result.vocabulary = {token: bytes([*[226, 156][: token % 3], 65]) for token in range(1, 9)}
    result.vocabulary[3] = b"\xe2\x9c"
    result.prompt = 'a "prompt" \u202e </script>'
    return result


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


def test_a_run_whose_prompt_has_half_a_character_can_be_opened_again(trace: Trace) -> None:
    """A browser may send half an emoji, and a terminal a byte that is not UTF-8."""
    trace.prompt, trace.error = "half \ud83d", "no file called \udce9"
    again = Trace.from_json(trace.to_json())
    assert (again.prompt, again.error) == ("half ?", "no file called ?")


def test_a_step_with_a_full_tree_stays_small() -> None:
    text = [n * n % 997 for n in range(400)]
    steps = list(decode(ScriptedTarget(text), text[:300], "logitspec_paper", 20))
    assert max(len(json.dumps(step.to_json())) for step in steps) < 6000


def test_mentioned_names_every_id_that_a_reader_has_to_spell(trace: Trace) -> None:
    trace.steps[-1].choices[-1] = 555  # after a node off the path
    trace.steps[-1].last.ids[-1] = 444
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
