"""Recording the shipped examples, and what the page finds of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.families import runner
from support.models import tokenizer

from logitspec import Trace
from logitspec.__main__ import main
from logitspec.decoding.race import begin_race
from logitspec.prompts import Prompt, examples
from logitspec.publish import demos, record
from logitspec.publish.demos import demo_file, demo_run, featured, read_demo
from logitspec.serving.wire import autoplay_message

LETTERS = [Prompt(number, "story", f"title {number}", "ABCAB" * number) for number in (1, 2, 18)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tiny random model, and examples in its few letters."""
    asked: list[tuple[str, str, str]] = []

    def load(*names: str) -> Any:
        asked.append(names)  # type: ignore[arg-type]
        return runner("llama"), tokenizer()

    monkeypatch.setattr("logitspec.models.loader.load", load)
    for module in (record, demos):
        monkeypatch.setattr(module, "examples", lambda: LETTERS)
    yield
    assert all(names[1:] == ("cpu", "float32") for names in asked)


def recorded_in(folder: Path, *arguments: str) -> list[Path]:
    assert main(["record", "--out", str(folder), "--max-new-tokens", "12", *arguments]) == 0
    return sorted(folder.iterdir())


def test_every_example_is_recorded_under_its_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = recorded_in(tmp_path / "traces")
    assert [file.name for file in files] == ["1.json.gz", "18.json.gz", "2.json.gz"]
    assert "title 18; 12 tokens from" in capsys.readouterr().out
    trace = Trace.open(tmp_path / "traces" / "2.json.gz")
    assert (trace.run, trace.recorded, trace.prompt) == ("recorded-2", "title 2", "ABCABABCAB")
    assert (trace.finish, len(trace.output_ids)) == ("length", 12)
    assert trace.method == "logitspec_paper"
    assert trace.baseline is not None
    assert trace.baseline["method"] == "autoregressive"
    assert 0 < trace.baseline["seconds_per_token"] < 1
    assert trace.mentioned() <= trace.vocabulary.keys()


def test_the_same_run_is_recorded_again(tmp_path: Path) -> None:
    """All but the clock."""
    twice = []
    for name in ("first", "second"):
        (file,) = recorded_in(tmp_path / name, "18")
        trace = Trace.open(file)
        trace.baseline, trace.prefill_seconds = None, 0
        for step in trace.steps:
            step.seconds = type(step.seconds)()
        twice.append(trace)
    assert twice[0] == twice[1]


def test_what_differs_from_plain_decoding_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    decoded = record._decode

    def other(target: Any, tokenizer: Any, example: Prompt, method: str, most: int) -> Trace:
        trace: Trace = decoded(
            target, tokenizer, example, method, most - (method == "autoregressive")
        )
        return trace

    monkeypatch.setattr(record, "_decode", other)
    assert main(["record", "--out", str(tmp_path / "traces"), "1"]) == 2
    assert "differs from plain decoding" in capsys.readouterr().err
    assert list((tmp_path / "traces").iterdir()) == []


def test_an_unknown_example_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--out", str(tmp_path), "77"]) == 2
    assert capsys.readouterr().err == "There is no example 77; choose from 1 to 18.\n"


def test_recorded_runs_are_found_by_name_and_nothing_else_is(tmp_path: Path) -> None:
    recorded_in(tmp_path, "2")
    whole = Trace.from_json(read_demo("recorded-2", tmp_path) or "")
    assert whole == Trace.open(demo_file(LETTERS[1], tmp_path))
    for name in ("recorded-1", "recorded-77", "2", "../2", "", "recorded-2.json.gz"):
        assert read_demo(name, tmp_path) is None


def test_the_page_begins_with_the_featured_run_or_another_or_none(tmp_path: Path) -> None:
    assert featured(tmp_path) is None
    recorded_in(tmp_path, "2")
    assert featured(tmp_path) == LETTERS[1]
    recorded_in(tmp_path, "18")
    assert featured(tmp_path) == LETTERS[2]


def test_a_run_to_be_played_says_so_first_and_is_never_twice_the_same(tmp_path: Path) -> None:
    recorded_in(tmp_path, "2")
    trace = read_demo("recorded-2", tmp_path) or ""
    assert autoplay_message(trace).startswith('{"autoplay":true,')  # by which the page tells it
    assert autoplay_message(trace) != autoplay_message(trace)
    assert Trace.from_json(autoplay_message(trace)) == Trace.from_json(trace)


def test_the_shipped_examples_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    shipped = examples()
    assert len({demo_run(example) for example in shipped}) == len(shipped) >= 18
    assert all(example.text and example.title for example in shipped)


SHIPPED = [example for example in examples() if demo_file(example).is_file()]


def test_six_recorded_runs_and_more_ship_one_of_every_task() -> None:
    assert len(SHIPPED) >= 6
    assert {example.category for example in SHIPPED} == {each.category for each in examples()}
    assert demos.FEATURED in {example.question_id for example in SHIPPED}


@pytest.mark.parametrize("example", SHIPPED, ids=demo_run)
def test_a_shipped_recording_is_whole_and_says_what_it_is(example: Prompt) -> None:
    trace = Trace.open(demo_file(example))
    assert (trace.run, trace.recorded, trace.prompt) == (
        demo_run(example),
        example.title,
        example.text,
    )
    assert trace.finish in ("eos", "length")
    assert trace.model["id"] == "builtin"
    assert trace.baseline is not None
    assert demo_file(example).stat().st_size < 200_000


def test_the_recordings_are_of_the_shipped_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """New weights want new recordings: python -m logitspec record."""
    monkeypatch.undo()
    from logitspec import decode, load

    target, _ = load(device="cpu", dtype="float32")
    trace = Trace.open(demo_file(min(SHIPPED, key=lambda each: demo_file(each).stat().st_size)))
    steps = decode(target, trace.prompt_ids, "autoregressive", trace.max_new_tokens)
    assert [token for step in steps for token in step.tokens] == trace.output_ids


def test_a_race_is_recorded_beside_the_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lanes = ["--race", "prompt_lookup", "autoregressive"]
    (file,) = recorded_in(tmp_path / "races", "2", *lanes)
    assert "title 2; Prompt lookup" in capsys.readouterr().out
    saved = json.loads(read_demo("recorded-2", tmp_path / "races") or "")
    assert file.name == "2.json.gz"
    assert (saved["kind"], saved["recorded"], saved["race"]) == ("race", "title 2", "recorded-2")
    assert saved["verdict"]["tokens"] == 12
    traces = [Trace.from_json(json.dumps(lane)) for lane in saved["lanes"]]
    assert [trace.method for trace in traces] == lanes[1:]
    assert [len(trace.output_ids) for trace in traces] == [12, 12]
    assert all(trace.mentioned() <= trace.vocabulary.keys() for trace in traces)
    assert all(trace.prompt == "ABCABABCAB" for trace in traces)


def test_a_race_whose_outputs_differ_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unlike(*arguments: Any) -> Any:
        contest = begin_race(*arguments)
        contest.traces[0].max_new_tokens -= 1
        return contest

    monkeypatch.setattr(record, "begin_race", unlike)
    assert main(["record", "--out", str(tmp_path / "races"), "1", "--race"]) == 2
    assert "outputs differ" in capsys.readouterr().err
    assert list((tmp_path / "races").iterdir()) == []
