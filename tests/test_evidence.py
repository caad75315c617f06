"""Evidence: ranks recounted, steps recounted, estimates by hand; and what a file keeps."""

from __future__ import annotations

import gzip
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.fakes import finished
from support.families import model, runner
from support.models import tokenizer

import logitspec.models.loader
from logitspec import LogitSpecError, TopK, Trace, decode
from logitspec.__main__ import main
from logitspec.measure.evidence import BEYOND, Evidence, fingerprint_weights, next_next_ranks, total
from logitspec.measure.evidence.gather import (
    CAPACITIES,
    FIRST_UNSEEN,
    LOOKUP,
    OURS,
    PAPER,
    gather,
    prompts_for,
    sample_prompts,
)
from logitspec.measure.replay.transcript import Transcript
from logitspec.models.chat import encode_prompt
from logitspec.prompts import Prompt, examples, typed
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.metrics import Counts, StepSeconds
from logitspec.ui import words
from logitspec.ui.claims import claims
from logitspec.ui.words import BUCKETS, by_bucket, cut, quartiles

NEW = 40
PROMPTS = [
    Prompt(7, "letters", "", "ABCABDABCAB"),
    Prompt(8, "words", "", "HELLOHELLOHELP"),
    Prompt(FIRST_UNSEEN, "words", "", "ABABACABAD"),
]


def gathered(arguments: list[Prompt] = PROMPTS) -> Evidence:
    result: Evidence = finished(gather(runner("llama"), tokenizer(), arguments, NEW))
    return result


@pytest.fixture(scope="module")
def found() -> Evidence:
    return gathered()


def live(prompt: Prompt, method: str, **options: Any) -> Trace:
    ids = encode_prompt(tokenizer(), prompt.text)
    trace: Trace = finished(decode(runner("llama"), ids, method, NEW, **options))
    return trace


# Ranks


def test_ranks_are_those_of_an_uncached_forward(found: Evidence) -> None:
    expected: dict[str, Counter[int]] = {"letters": Counter(), "words": Counter()}
    for prompt in PROMPTS:
        trace = live(prompt, "autoregressive")
        ids = [*trace.prompt_ids, *trace.output_ids]
        with torch.inference_mode():
            logits = model("llama")(input_ids=torch.tensor([ids])).logits[0]
        for root in range(len(trace.prompt_ids), len(ids) - 1):
            last = logits[root - 1]  # those that chose the root
            expected[prompt.category][int((last > last[ids[root + 1]]).sum())] += 1
    assert found.ranks == expected
    assert sum(sum(each.values()) for each in expected.values()) == 3 * (NEW - 1)


def test_a_token_that_was_not_kept_is_beyond() -> None:
    ranks = TopK([3, 5], [0.9, 0.1])
    transcript = Transcript(
        question_id=1, category="", model={}, eos_ids=[], limit=9, max_new_tokens=4,
        prompt_ids=[1, 2], output_ids=[3, 5, 3, 7], after=0, finish="length",
        topk=[TopK([9], [1.0]), ranks, ranks, ranks, ranks, ranks],
    )  # fmt: skip
    assert next_next_ranks(transcript) == {1: 1, 0: 1, BEYOND: 1}


def test_every_rank_is_in_one_bucket_and_shares_sum_to_one(found: Evidence) -> None:
    for rank in range(BEYOND + 1):
        assert list(by_bucket({rank: 3}).values()).count(1.0) == 1
    for ranks in found.ranks.values():
        assert math.isclose(sum(by_bucket(ranks).values()), 1.0)
    assert by_bucket({1: 1, 3: 1, 4: 1, BEYOND: 1})["3–4"] == 0.5
    assert set(by_bucket({}).values()) == {0.0}
    assert len(BUCKETS) == 9


# Steps


def counted(traces: list[Trace]) -> Counts:
    """The same counts from runs of the engine, by walking up the trees."""
    lengths: list[int] = []
    sizes: list[int] = []
    accepted: Counter[tuple[str, int]] = Counter()
    drafted: Counter[str] = Counter()
    for step in (step for trace in traces for step in trace.steps):
        lengths.append(len(step.tokens))
        sizes.append(len(step.tree.tokens))
        for node, parent in enumerate(step.tree.parents):
            if parent < 0:
                continue
            origin, depth = step.tree.provenance[node].origin.value, 1
            while (parent := step.tree.parents[parent]) >= 0:
                depth += 1
            drafted[origin] += 1
            if node in step.path:
                accepted[origin, depth] += 1
    return Counts(Counter(lengths), Counter(sizes), drafted, accepted)


def same(found: Counts, expected: Counts) -> None:
    assert found.lengths == expected.lengths
    assert found.sizes == expected.sizes
    assert found.accepted_by == expected.accepted_by
    assert found.drafted_by == expected.drafted_by


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_the_papers_method_is_counted_as_it_runs(found: Evidence, capacity: int) -> None:
    for task in ("letters", "words"):
        prompts = [each for each in PROMPTS if each.category == task]
        runs = [live(each, PAPER, draft_tree_capacity=capacity) for each in prompts]
        same(found.capacities[capacity][task], counted(runs))


def test_prompt_lookup_is_counted_as_it_runs(found: Evidence) -> None:
    same(total(found.runs[LOOKUP]), counted([live(each, LOOKUP) for each in PROMPTS]))


def test_the_usual_capacity_is_the_methods_own(found: Evidence) -> None:
    assert found.runs[PAPER] == found.capacities[64]
    assert total(found.runs[PAPER]).accepted  # the prompts repeat: something must have been copied


def test_every_method_writes_the_same_number_of_tokens(found: Evidence) -> None:
    for tallies in [*found.runs.values(), *found.capacities.values()]:
        assert total(tallies).tokens == NEW * len(PROMPTS)
    ours = total(found.runs[OURS])
    assert ours.forwards <= ours.tokens  # on a busy machine it may be that no draft pays
    assert ours.mean_accepted_tokens == NEW * len(PROMPTS) / ours.forwards


def test_what_runs_live_leaves_no_trace_of_the_one_before(found: Evidence) -> None:
    assert gathered(PROMPTS[:1]).ranks["letters"] == found.ranks["letters"]


# Estimates


def test_speed_by_hand() -> None:
    result = Evidence({}, [1, 5], [0.1, 0.5])
    counts = Counts(
        Counter({1: 2, 4: 1}), Counter({1: 2, 3: 1}), seconds=StepSeconds(0.06, 9.0, 9.0, 0.04, 9.0)
    )
    assert counts.tokens == 6
    assert math.isclose(result.speed(counts), 6 / (2 * 0.1 + 0.3 + 0.1))


def test_a_device_that_pads_rows_takes_the_next_size_for_a_tree(tmp_path: Path) -> None:
    target = runner("llama")
    target.costs = ForwardCosts([1, 4, 64], [0.1, 0.2, 0.4], padded=True)
    padded: Evidence = finished(gather(target, tokenizer(), PROMPTS[:1], 4))
    counts = Counts(Counter({1: 1}), Counter({2: 1}))
    padded.save(tmp_path / "a.json.gz")
    for each in (padded, Evidence.open(tmp_path / "a.json.gz")):
        assert math.isclose(each.speed(counts), 1 / 0.2)


def test_the_price_of_a_pass_is_told_of_the_device_that_it_was_measured_on(found: Evidence) -> None:
    about = {**found.about, "model": {**found.about["model"], "device": "cuda (<H200>)"}}
    assert "rows on cuda (&lt;H200&gt;), against one over a single row" in claims(
        replace(found, about=about)
    )


def test_a_median_tree_of_one_node_has_one_node(found: Evidence) -> None:
    def told(sizes: Counter[int]) -> str:
        return words.costs(replace(found, runs={OURS: {"letters": Counts(sizes=sizes)}}), OURS)

    assert "the median tree has 1 node, the middle half have 1 to 1." in told(Counter({1: 3}))
    assert "the median tree has 2 nodes, the middle half have 2 to 2." in told(
        Counter({1: 1, 2: 2})
    )


def test_quartiles_count_each_size_as_often_as_it_came() -> None:
    assert quartiles(Counter({1: 3, 9: 1})) == (1, 1, 3)
    assert quartiles(Counter({7: 1})) == (7, 7, 7)


def test_what_is_behind_the_last_place_is_shown_in_it() -> None:
    assert cut(Counter({1: 4, 10: 3, 11: 2, 30: 1})) == [4, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3]
    assert cut(Counter()) == [0] * 11


# Prompts


def test_a_model_is_asked_what_it_can_answer() -> None:
    assert prompts_for("builtin", 2) == sample_prompts(2)
    assert prompts_for("somebody/model", 2) == list(typed())


def test_prompts_go_round_the_tasks_and_take_examples_and_unseen_ones() -> None:
    prompts = sample_prompts(5)
    tasks = [each.category for each in prompts]
    assert len(set(tasks[:7])) == 7
    assert tasks == tasks[:7] * 5
    assert len({each.question_id for each in prompts}) == 35
    example_texts = {each.text for each in examples()}
    for each in prompts:
        assert (each.text in example_texts) == (each.question_id < FIRST_UNSEEN)
    assert [each.question_id >= FIRST_UNSEEN for each in prompts[::7]] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert sample_prompts(5) == prompts
    assert sample_prompts(2) == prompts[:14]


# Stopping, keeping


def test_it_can_be_stopped_and_begun_again(found: Evidence) -> None:
    steps = gather(runner("llama"), tokenizer(), PROMPTS, NEW)
    first = [next(steps) for _ in range(60)]
    assert first[0].what == "timing forwards"
    assert [each.done for each in first] == sorted(each.done for each in first)
    assert {each.prompts for each in first} == {3}
    steps.close()
    assert list(steps) == []
    assert gathered().ranks == found.ranks


def test_a_prompt_that_does_not_fit_is_named_before_anything_is_timed() -> None:
    target = runner("llama")
    target.measure_costs = lambda: pytest.fail("measured")  # type: ignore[method-assign]
    long = Prompt(9, "words", "", "A" * 600)
    with pytest.raises(LogitSpecError, match=r"^Prompt 9: The prompt has 600 tokens"):
        next(gather(target, tokenizer(), [*PROMPTS, long], NEW))


def test_a_file_keeps_everything(found: Evidence, tmp_path: Path) -> None:
    found.save(tmp_path / "new" / "a.json.gz")
    copy = Evidence.open(tmp_path / "new" / "a.json.gz")
    assert copy.to_json() == found.to_json()
    assert (copy.about, copy.ranks) == (found.about, found.ranks)
    for method, by_task in found.runs.items():
        for task, counts in by_task.items():
            same(copy.runs[method][task], counts)
            assert copy.speed(copy.runs[method][task]) == found.speed(counts)
    copy.save(tmp_path / "b.json.gz")
    assert (tmp_path / "b.json.gz").read_bytes() == (tmp_path / "new/a.json.gz").read_bytes()
    assert found.about["prompts"] == {"letters": 1, "words": 2}
    assert (found.about["unseen"], found.about["max_new_tokens"]) == (1, NEW)
    assert found.about["environment"]["torch"] == torch.__version__


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 100_000, '{"kind":"evidence","schema":0}', '{"kind":1}']
)
def test_what_is_no_evidence_is_told_in_one_sentence(text: str) -> None:
    with pytest.raises(LogitSpecError, match=r"^This is not evidence \(.*python -m logitspec"):
        Evidence.from_json(text)


def test_a_damaged_file_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.json.gz").write_bytes(b"\x1f\x8bno")
    packed = gzip.compress(b"{}" * 99)
    (tmp_path / "y.json.gz").write_bytes(packed[:12] + b"!" + packed[13:])
    (tmp_path / "z.json.gz").write_bytes(gzip.compress(b"\xff"))
    for name in ("x.json.gz", "y.json.gz", "z.json.gz", "missing.json.gz"):
        with pytest.raises(LogitSpecError, match=rf"^Can't read {name} "):
            Evidence.open(tmp_path / name)


def test_other_weights_have_another_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"1")
    first = fingerprint_weights(tmp_path)
    (tmp_path / "b.safetensors").write_bytes(b"2")
    assert fingerprint_weights(tmp_path) != first
    assert fingerprint_weights(tmp_path) == fingerprint_weights(tmp_path)


def test_the_command_writes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        logitspec.models.loader, "load", lambda *names: (runner("llama"), tokenizer())
    )
    out = tmp_path / "evidence" / "x.json.gz"
    options = ["--out", str(out), "--per-task", "1", "--max-new-tokens", "6"]
    assert main(["evidence", *options]) == 0
    assert len(Evidence.open(out).tasks) == 7
    assert capsys.readouterr().out.endswith(": 7 prompts\n")
    assert main(["evidence", *options[2:], "--model", "tiny"]) == 2
    sentence = "Only the built-in model has a file for its evidence; give --out.\n"
    assert capsys.readouterr().err == sentence
    assert main(["evidence", *options[:2], "--per-task", "0"]) == 2
    assert capsys.readouterr().err == "Prompts of each task must be 1 or more; got 0.\n"
    (tmp_path / "file").write_text("")
    assert main(["evidence", "--out", str(tmp_path / "file" / "x.gz"), *options[2:]]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("Can't use ")
