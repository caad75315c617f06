"""The fit of the weights that our method begins with: by hand, and in the form of its file."""

from __future__ import annotations

import ast
import inspect
from math import exp, log
from pathlib import Path

import pytest
from support.families import runner
from support.models import tokenizer

from logitspec import TopK
from logitspec.__main__ import main
from logitspec.drafters.sources import weights as file
from logitspec.drafters.sources.evidence import KINDS, NUMBERS
from logitspec.drafters.sources.weights import WEIGHTS
from logitspec.measure.replay.fit import (
    Observation,
    collect_observations,
    fit,
    format_table,
    maximize_likelihood,
)
from logitspec.measure.replay.record import record
from logitspec.measure.replay.transcript import Transcript, save
from logitspec.prompts import Prompt

COPY, LOGIT, NONE = (
    NUMBERS[kind] for kind in (("copy", 1, 1, 2, False), ("logit", 0, False), ("none", 0, 0, 0))
)


def periodic_transcript(period: int, prompt: int, new: int) -> Transcript:
    """A text that repeats itself endlessly; the model ranks tokens that never come."""
    text = [10 + place % period for place in range(prompt + new + 1)]
    strangers = TopK([90, 91, 92], [0.5, 0.3, 0.2])
    return Transcript(
        question_id=1,
        category="letters",
        model={"id": "none"},
        eos_ids=[],
        limit=10_000,
        max_new_tokens=new,
        prompt_ids=text[:prompt],
        output_ids=text[prompt:-1],
        after=text[-1],
        finish="length",
        topk=[strangers] * (prompt + new),
    )


def count_offers(observations: list[Observation], name: str) -> int:
    """How many tokens were offered with evidence of this name."""
    return sum(
        any(KINDS[kind][0] == name for kind in kinds)
        for observation in observations
        for kinds in observation.alternatives[1:]
    )


def probability(weights: list[float], observation: Observation, index: int) -> float:
    odds = [exp(sum(weights[kind] for kind in kinds)) for kinds in observation.alternatives]
    return odds[index] / sum(odds)


def test_a_copy_comes_in_a_text_that_repeats() -> None:
    observations = collect_observations([periodic_transcript(5, 20, 40)], WEIGHTS)
    assert count_offers(observations, "copy") >= len(observations) > 0
    for each in observations:
        assert any(KINDS[kind][0] == "copy" for kind in each.alternatives[each.outcome])


def test_no_runner_up_comes_in_new_text() -> None:
    observations = collect_observations([periodic_transcript(1000, 20, 40)], WEIGHTS)
    assert [each.outcome for each in observations] == [0] * 40
    assert count_offers(observations, "copy") == 0
    assert count_offers(observations, "logit") == 3 * 40


def test_observations_of_texts_are_joined_in_order() -> None:
    one, two = periodic_transcript(5, 20, 40), periodic_transcript(7, 15, 30)
    assert collect_observations([one, two], WEIGHTS) == collect_observations(
        [one], WEIGHTS
    ) + collect_observations([two], WEIGHTS)


def test_weights_reproduce_observed_frequencies() -> None:
    """The copy came three times in four; at the maximum its probability is that share."""
    alternatives = [[NONE], [COPY]]
    observations = [Observation(alternatives, outcome) for outcome in (1, 1, 1, 0)] * 50
    weights = maximize_likelihood([observations], ridge=1e-6)
    assert probability(weights, observations[0], 1) == pytest.approx(0.75, abs=1e-3)
    assert weights[COPY] - weights[NONE] == pytest.approx(log(3), abs=1e-2)
    assert weights[LOGIT] == 0.0


def test_evidence_for_one_token_multiplies_its_odds() -> None:
    """By hand: the copy alone comes once in two, the runner-up alone once in five; together their odds of 1
    and 1/4 make a probability of one in five."""
    copies = [Observation([[NONE], [COPY]], outcome) for outcome in (0, 1)] * 50
    runners_up = [Observation([[NONE], [LOGIT]], outcome) for outcome in (0, 0, 0, 0, 1)] * 50
    weights = maximize_likelihood([copies + runners_up], ridge=1e-6)
    both = Observation([[], [COPY, LOGIT]], 1)
    none = exp(weights[NONE])
    joint = probability(weights, both, 1)
    assert joint / (1 - joint) / none**2 == pytest.approx(1 / 4, rel=0.02)


def test_the_ridge_tames_a_class_that_occurred_once() -> None:
    observations = [Observation([[NONE], [COPY]], 1)]
    weak = maximize_likelihood([observations], ridge=1e-4)
    strong = maximize_likelihood([observations], ridge=0.5)
    assert probability(weak, observations[0], 1) > 0.99
    assert 0.5 < probability(strong, observations[0], 1) < 0.8


def test_models_count_equally() -> None:
    alternatives = [[NONE], [COPY]]
    many = [Observation(alternatives, 1)] * 900
    few = [Observation(alternatives, 0)] * 100
    weights = maximize_likelihood([many, few], ridge=1e-6)
    assert probability(weights, many[0], 1) == pytest.approx(0.5, abs=1e-3)


def test_the_printed_table_is_the_one_in_the_file() -> None:
    printed, shipped = ast.parse(format_table(WEIGHTS)), ast.parse(inspect.getsource(file))
    (table,) = printed.body
    assert ast.dump(table) in [ast.dump(node) for node in shipped.body]
    assert len(WEIGHTS) == len(KINDS)


def test_the_command_fits_a_table_to_transcripts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = [Prompt(1, "letters", "", "ABCABDABCAB")]
    transcripts = list(record(runner("llama"), tokenizer(), prompts, 30))
    save(transcripts, tmp_path / "one.gz")
    save([periodic_transcript(5, 20, 40)], tmp_path / "two.gz")
    main(["replay", "fit", str(tmp_path / "one.gz"), str(tmp_path / "two.gz")])
    printed = capsys.readouterr().out
    expected = fit([lambda: transcripts, lambda: [periodic_transcript(5, 20, 40)]], WEIGHTS)
    assert printed.strip() == format_table(expected)
    assert printed.strip() != format_table(WEIGHTS)


def test_live_runs_also_offer_the_logits_of_rejected_nodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = runner("llama")
    monkeypatch.setattr("logitspec.measure.replay.live._load_once", lambda *names: target)
    transcripts = list(record(target, tokenizer(), [Prompt(1, "letters", "", "ABCABDABCAB")], 40))
    replayed = collect_observations(transcripts, WEIGHTS)
    live = collect_observations(transcripts, WEIGHTS, "llama")
    assert count_offers(live, "successor") > count_offers(replayed, "successor")
    assert fit([lambda: transcripts], WEIGHTS, ["llama"], rounds=1) == maximize_likelihood([live])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.gz"], "Can't read transcripts from nowhere.gz"),
        (["FILE", "--model", "a", "--model", "b"], "1 files need as many --model, or none; got 2."),
    ],
)
def test_errors_are_one_sentence(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save([periodic_transcript(5, 20, 40)], tmp_path / "one.gz")
    files = [str(tmp_path / "one.gz") if each == "FILE" else each for each in arguments]
    assert main(["replay", "fit", *files]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
