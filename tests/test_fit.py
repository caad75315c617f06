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
from logitspec.measure.replay.fit import Context, fit, maximize_likelihood, observe, source
from logitspec.measure.replay.record import record
from logitspec.measure.replay.transcript import Transcript, save
from logitspec.prompts import Prompt

COPY, LOGIT, NONE = (
    NUMBERS[kind] for kind in (("copy", 1, 1, 2, False), ("logit", 0, False), ("none", 0, 0, 0))
)


def periodic(period: int, prompt: int, new: int) -> Transcript:
    """A text that repeats itself for ever; the model ranks tokens that never come."""
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


def seen(contexts: list[Context], name: str) -> int:
    """How many tokens were offered with evidence of this name."""
    return sum(
        any(KINDS[kind][0] == name for kind in kinds)
        for context in contexts
        for kinds in context.events[1:]
    )


def probability(weights: list[float], context: Context, event: int) -> float:
    odds = [exp(sum(weights[kind] for kind in kinds)) for kinds in context.events]
    return odds[event] / sum(odds)


def test_in_a_text_that_repeats_a_copy_comes() -> None:
    contexts = observe([periodic(5, 20, 40)], WEIGHTS)
    assert seen(contexts, "copy") >= len(contexts) > 0
    for context in contexts:
        assert any(KINDS[kind][0] == "copy" for kind in context.events[context.right])


def test_in_new_text_none_of_the_runners_up_comes() -> None:
    contexts = observe([periodic(1000, 20, 40)], WEIGHTS)
    assert [context.right for context in contexts] == [0] * 40
    assert seen(contexts, "copy") == 0
    assert seen(contexts, "logit") == 3 * 40


def test_contexts_of_texts_follow_each_other() -> None:
    one, two = periodic(5, 20, 40), periodic(7, 15, 30)
    assert observe([one, two], WEIGHTS) == observe([one], WEIGHTS) + observe([two], WEIGHTS)


def test_weights_give_the_shares_that_were_seen() -> None:
    """Three of four times the copy came: in the maximum the probability is its share."""
    events = [[NONE], [COPY]]
    contexts = [Context(events, right) for right in (1, 1, 1, 0)] * 50
    weights = maximize_likelihood([contexts], ridge=1e-6)
    assert probability(weights, contexts[0], 1) == pytest.approx(0.75, abs=1e-3)
    assert weights[COPY] - weights[NONE] == pytest.approx(log(3), abs=1e-2)
    assert weights[LOGIT] == 0.0


def test_evidence_for_one_token_multiplies_its_odds() -> None:
    """By hand: the copy alone comes one of two times, the runner-up alone one of five; with both at
    once odds of 1 and 1/4 make a probability of one in five."""
    alone = [Context([[NONE], [COPY]], right) for right in (0, 1)] * 50
    other = [Context([[NONE], [LOGIT]], right) for right in (0, 0, 0, 0, 1)] * 50
    weights = maximize_likelihood([alone + other], ridge=1e-6)
    both = Context([[], [COPY, LOGIT]], 1)
    none = exp(weights[NONE])
    joint = probability(weights, both, 1)
    assert joint / (1 - joint) / none**2 == pytest.approx(1 / 4, rel=0.02)


def test_the_ridge_keeps_a_class_that_was_met_once_modest() -> None:
    contexts = [Context([[NONE], [COPY]], 1)]
    free = maximize_likelihood([contexts], ridge=1e-4)
    held = maximize_likelihood([contexts], ridge=0.5)
    assert probability(free, contexts[0], 1) > 0.99
    assert 0.5 < probability(held, contexts[0], 1) < 0.8


def test_models_have_the_same_say() -> None:
    events = [[NONE], [COPY]]
    many = [Context(events, 1)] * 900
    few = [Context(events, 0)] * 100
    weights = maximize_likelihood([many, few], ridge=1e-6)
    assert probability(weights, many[0], 1) == pytest.approx(0.5, abs=1e-3)


def test_the_table_is_printed_as_the_file_has_it() -> None:
    printed, shipped = ast.parse(source(WEIGHTS)), ast.parse(inspect.getsource(file))
    (table,) = printed.body
    assert ast.dump(table) in [ast.dump(node) for node in shipped.body]
    assert len(WEIGHTS) == len(KINDS)


def test_from_transcripts_to_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts = [Prompt(1, "letters", "", "ABCABDABCAB")]
    transcripts = list(record(runner("llama"), tokenizer(), prompts, 30))
    save(transcripts, tmp_path / "one.gz")
    save([periodic(5, 20, 40)], tmp_path / "two.gz")
    main(["replay", "fit", str(tmp_path / "one.gz"), str(tmp_path / "two.gz")])
    printed = capsys.readouterr().out
    expected = fit([lambda: transcripts, lambda: [periodic(5, 20, 40)]], WEIGHTS)
    assert printed.strip() == source(expected)
    assert printed.strip() != source(WEIGHTS)


def test_live_the_logits_of_rejected_nodes_are_offered_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = runner("llama")
    monkeypatch.setattr("logitspec.measure.replay.live._load_once", lambda *names: target)
    transcripts = list(record(target, tokenizer(), [Prompt(1, "letters", "", "ABCABDABCAB")], 40))
    replays, lives = observe(transcripts, WEIGHTS), observe(transcripts, WEIGHTS, "llama")
    assert seen(lives, "successor") > seen(replays, "successor")
    assert fit([lambda: transcripts], WEIGHTS, ["llama"], rounds=1) == maximize_likelihood([lives])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.gz"], "Can't read transcripts from nowhere.gz"),
        (["FILE", "--model", "a", "--model", "b"], "1 files want as many --model, or none; got 2."),
    ],
)
def test_errors_are_one_sentence(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save([periodic(5, 20, 40)], tmp_path / "one.gz")
    files = [str(tmp_path / "one.gz") if each == "FILE" else each for each in arguments]
    assert main(["replay", "fit", *files]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
