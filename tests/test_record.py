"""Recording the prompts of the galleries, and the demos that the page finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.families import runner
from support.models import tokenizer

from logitspec import DraftTree, Origin, Provenance, StepRecord, TopK, Trace
from logitspec.__main__ import main
from logitspec.decoding.race import Race, begin_race
from logitspec.models.catalogue import CATALOGUE
from logitspec.prompts import TYPED, Prompt, read_prompts
from logitspec.publish import demos, record
from logitspec.publish.demos import (
    RACES,
    TRACES,
    Gallery,
    demo_file,
    demo_prompts,
    demo_run,
    galleries,
    opening_race,
    opening_run,
    read_demo,
)
from logitspec.publish.typical import FIRST_STEPS, most_typical_race, typical_step
from logitspec.serving.wire import autoplay_message
from logitspec.trace.metrics import StepSeconds

FIRST = [Prompt(number, "story", f"title {number}", "ABCAB" * number) for number in (101, 102)]
LETTERS = [Prompt(number, "story", f"title {number}", "ABCAB" * number) for number in (1, 2, 18)]
GALLERIES = (
    Gallery("real", "a real model", tuple(FIRST), "logitspec", 10),
    Gallery("builtin", "the built-in model", tuple(LETTERS), "logitspec_paper", 300),
)


@pytest.fixture(autouse=True)
def tiny_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tiny random model in place of every loaded one, and prompts in its few letters."""
    calls: list[tuple[str, ...]] = []

    def load(*names: str) -> Any:
        calls.append(names)
        target = runner("llama")
        target.info["id"] = names[0]
        return target, tokenizer()

    monkeypatch.setattr("logitspec.models.loader.load", load)
    for module in (record, demos):
        monkeypatch.setattr(module, "galleries", lambda: GALLERIES)
    yield
    assert all(names[1:] == ("cpu", "float32") for names in calls)


def open_demo(folder: Path = TRACES) -> tuple[Prompt, Trace]:
    result = opening_run(folder)
    assert result is not None
    return result


def run_record(folder: Path, *arguments: str) -> list[Path]:
    assert main(["record", "--out", str(folder), "--max-new-tokens", "12", *arguments]) == 0
    return sorted(folder.iterdir())


def test_every_prompt_is_recorded_under_its_number_on_the_model_of_its_gallery(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = run_record(tmp_path / "traces")
    names = sorted(f"{prompt.question_id}.json.gz" for prompt in FIRST + LETTERS)
    assert [file.name for file in files] == names
    traces = {name: Trace.open(tmp_path / "traces" / name) for name in names}
    assert [(trace.model["id"], trace.method) for trace in map(traces.get, names) if trace] == [
        ("builtin", "logitspec_paper"),
        ("real", "logitspec"),
        ("real", "logitspec"),
        ("builtin", "logitspec_paper"),
        ("builtin", "logitspec_paper"),
    ]
    assert "title 18; 12 tokens from" in capsys.readouterr().out
    trace = Trace.open(tmp_path / "traces" / "2.json.gz")
    assert (trace.run, trace.recorded, trace.prompt) == ("recorded-2", "title 2", "ABCABABCAB")
    assert (trace.finish, len(trace.output_ids)) == ("length", 12)
    assert trace.method == "logitspec_paper"
    assert trace.baseline is not None
    assert trace.baseline["method"] == "autoregressive"
    assert 0 < trace.baseline["seconds_per_token"] < 1
    assert trace.mentioned() <= trace.vocabulary.keys()


def test_a_second_recording_differs_in_times_only(tmp_path: Path) -> None:
    traces = []
    for name in ("first", "second"):
        (file,) = run_record(tmp_path / name, "18")
        trace = Trace.open(file)
        trace.baseline, trace.prefill_seconds = None, 0
        for step in trace.steps:
            step.seconds = type(step.seconds)()
        traces.append(trace)
    assert traces[0] == traces[1]


def test_a_run_that_differs_from_plain_decoding_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    decode = record._decode

    def decode_one_less(
        target: Any, tokenizer: Any, prompt: Prompt, method: str, most: int
    ) -> Trace:
        trace: Trace = decode(
            target, tokenizer, prompt, method, most - (method == "autoregressive")
        )
        return trace

    monkeypatch.setattr(record, "_decode", decode_one_less)
    assert main(["record", "--out", str(tmp_path / "traces"), "1"]) == 2
    assert "differs from plain decoding" in capsys.readouterr().err
    assert list((tmp_path / "traces").iterdir()) == []


def test_an_unknown_prompt_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--out", str(tmp_path), "77"]) == 2
    assert capsys.readouterr().err == "There is no prompt 77; choose from 1, 2, 18, 101, 102.\n"


def test_runs_of_another_model_never_replace_those_that_the_page_shows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["record", "18", "--model", "builtin"]) == 2
    assert capsys.readouterr().err.endswith("models of their galleries; give --out.\n")


def test_recorded_runs_are_found_by_their_names_only(tmp_path: Path) -> None:
    run_record(tmp_path, "2")
    whole = Trace.from_json(read_demo("recorded-2", tmp_path) or "")
    assert whole == Trace.open(demo_file(LETTERS[1], tmp_path))
    for name in ("recorded-1", "recorded-77", "2", "../2", "", "recorded-2.json.gz"):
        assert read_demo(name, tmp_path) is None


def test_the_page_opens_on_the_most_typical_run_of_the_first_gallery_or_another_or_none(
    tmp_path: Path,
) -> None:
    assert opening_run(tmp_path) is None
    run_record(tmp_path, "2", "18")
    assert open_demo(tmp_path)[0] in LETTERS
    run_record(tmp_path, "101")
    assert open_demo(tmp_path)[0] == FIRST[0]
    (tmp_path / "other").mkdir()
    for number, mean in ((1, 3), (2, 1), (18, 2)):  # tokens a step
        trace = run_of([mean] * 4)
        trace.save(tmp_path / "other" / f"{number}.json.gz")
    assert open_demo(tmp_path / "other")[0].question_id == 18


def run_of(lengths: list[int], origin: Origin = Origin.LOGIT) -> Trace:
    """A run whose steps accept chains of `lengths` tokens; all drafts have one origin."""
    steps: list[StepRecord] = []
    for length in lengths:
        position = 1 + sum(len(step.path) for step in steps)
        tree = DraftTree(7)
        for node in range(length - 1):
            tree.add(node, 7, Provenance(origin))
        seconds = StepSeconds(verify=1.0)
        steps.append(
            StepRecord(position, TopK([7], [1.0]), tree, [7] * length, list(range(length)), seconds)
        )
    return Trace("logitspec", [1], 99, steps=steps, run="x")


@pytest.mark.parametrize(
    ("lengths", "origin", "number"),
    [
        (
            [3, 3, 3, 3, 5, 2, 3, 3],
            Origin.LOGIT,
            7,
        ),  # the first of median length after FIRST_STEPS
        ([1, 1, 1, 2, 1, 4, 2, 1], Origin.RETRIEVED, 7),  # one that accepts a draft
        ([3, 3, 3, 3, 3, 3], Origin.RECYCLED, 1),  # no draft of the two origins
        ([3, 3], Origin.LOGIT, 1),
    ],
)
def test_a_typical_step_is_one_of_median_length(
    lengths: list[int], origin: Origin, number: int
) -> None:
    assert FIRST_STEPS == 4
    assert typical_step(run_of(lengths, origin)) == number


def race_of(*tokens: int) -> Race:
    """A race whose lanes take two steps of one second each. tokens: those of a step, by lane."""
    return Race(list("abc"), [run_of([each, each]) for each in tokens])


def test_the_typical_race_has_the_order_and_the_ratios_of_the_sum() -> None:
    whole = [race_of(9, 3, 2), race_of(2, 9, 3), race_of(5, 4, 3), race_of(9, 8, 1)]
    # The sums are 25, 24 and 9 tokens. The second race has another order; in the fourth the first lane is 1.1 times
    # as fast as the second, but 9 times as fast as the third.
    assert most_typical_race(whole) is whole[2]


def test_every_autoplay_message_differs_and_begins_with_the_flag(tmp_path: Path) -> None:
    run_record(tmp_path, "2")
    trace = read_demo("recorded-2", tmp_path) or ""
    assert autoplay_message(trace).startswith('{"autoplay":true,')  # the page reads no further
    assert autoplay_message(trace) != autoplay_message(trace)
    assert Trace.from_json(autoplay_message(trace, 5)) == Trace.from_json(trace)
    assert json.loads(autoplay_message(trace, 5))["at"] == 5


def name_of(trace: Trace) -> str:
    """The model's name, without the quantisation of its file."""
    return str(trace.model["id"]).partition(":")[0]


def test_prompts_that_weights_were_fitted_on_are_no_demos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    fit_texts = {prompt.text for prompt in read_prompts(TYPED.with_name("fit.jsonl"))}
    assert len(fit_texts) == 32
    assert not fit_texts & {prompt.text for prompt in demo_prompts()}


SHIPPED = [
    (gallery, prompt)
    for gallery in galleries()
    for prompt in gallery.prompts
    if demo_file(prompt).is_file()
]


def test_runs_of_a_real_model_come_first_one_of_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    first, *others = galleries()
    assert first.model == CATALOGUE[0].name
    assert [gallery.model for gallery in others] == ["builtin"]
    kinds = [prompt.category for prompt in first.prompts]
    assert len(set(kinds)) == len(kinds) >= 10
    assert len({demo_run(prompt) for prompt in demo_prompts()}) == len(demo_prompts())
    assert all(prompt.text and prompt.title for prompt in demo_prompts())
    assert [prompt for _, prompt in SHIPPED] == demo_prompts()
    opening, trace = open_demo()
    assert opening in first.prompts
    assert typical_step(trace) > FIRST_STEPS
    assert opening_race() in first.prompts


@pytest.mark.parametrize(
    ("gallery", "prompt"), SHIPPED, ids=[demo_run(prompt) for _, prompt in SHIPPED]
)
def test_a_shipped_recording_is_whole_and_says_what_it_is(gallery: Gallery, prompt: Prompt) -> None:
    trace = Trace.open(demo_file(prompt))
    assert (trace.run, trace.recorded, trace.prompt) == (
        demo_run(prompt),
        prompt.title,
        prompt.text,
    )
    assert trace.finish in ("eos", "length")
    assert (name_of(trace), trace.method) == (gallery.model, gallery.method)
    assert trace.baseline is not None
    assert demo_file(prompt).stat().st_size < 200_000


def test_our_method_wins_the_shipped_race(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    prompt = opening_race()
    assert prompt is not None
    race = json.loads(read_demo(demo_run(prompt), RACES) or "")
    lanes = [Trace.from_json(json.dumps(lane)) for lane in race["lanes"]]
    assert {name_of(lane) for lane in lanes} == {CATALOGUE[0].name}
    assert len({tuple(lane.output_ids) for lane in lanes}) == 1
    rates = {lane.method: lane.counts().tokens_per_second for lane in lanes}
    assert max(rates, key=lambda method: rates[method]) == "logitspec"


def test_the_recordings_are_of_the_shipped_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """After new weights, record again: python -m logitspec record."""
    monkeypatch.undo()
    from logitspec import decode, load

    target, _ = load(device="cpu", dtype="float32")
    (own,) = [gallery.prompts for gallery in galleries() if gallery.model == "builtin"]
    trace = Trace.open(demo_file(min(own, key=lambda each: demo_file(each).stat().st_size)))
    steps = decode(target, trace.prompt_ids, "autoregressive", trace.max_new_tokens)
    assert [token for step in steps for token in step.tokens] == trace.output_ids


def test_a_race_is_recorded_beside_the_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lanes = ["--race", "prompt_lookup", "autoregressive"]
    (file,) = run_record(tmp_path / "races", "2", *lanes)
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


def test_one_race_of_the_first_gallery_is_saved(tmp_path: Path) -> None:
    (file,) = run_record(tmp_path / "races", "--race", "logitspec", "prompt_lookup")
    assert file.name in ("101.json.gz", "102.json.gz")
    assert opening_race(tmp_path / "races") in FIRST


def test_a_race_whose_outputs_differ_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def begin_with_a_shorter_lane(*arguments: Any) -> Any:
        contest = begin_race(*arguments)
        contest.traces[0].max_new_tokens -= 1
        return contest

    monkeypatch.setattr(record, "begin_race", begin_with_a_shorter_lane)
    assert main(["record", "--out", str(tmp_path / "races"), "1", "--race"]) == 2
    assert "outputs differ" in capsys.readouterr().err
    assert list((tmp_path / "races").iterdir()) == []
