"""The fit of the rates that our method begins with: by hand, and in the form of its file."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from support.families import runner
from support.models import tokenizer

from logitspec import TopK
from logitspec.__main__ import main
from logitspec.drafters.sources import priors as file
from logitspec.drafters.sources.priors import PRIORS
from logitspec.drafters.sources.rates import Kind
from logitspec.measure.replay.fit import MAX_RATE, MIN_RATE, Hits, fit, observe, pool_rates, source
from logitspec.measure.replay.record import record
from logitspec.measure.replay.transcript import Transcript, save
from logitspec.prompts import Prompt

COPY: Kind = ("copy", 1, 1, 2)
LOGIT: Kind = ("logit", 0, False)


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


def tried(counts: Hits, source: str) -> float:
    return sum(tries for kind, (_, tries) in counts.items() if kind[0] == source)


def test_copies_in_a_text_that_repeats_are_right() -> None:
    counts = observe([periodic(5, 20, 40)], PRIORS)
    copies = {kind: count for kind, count in counts.items() if kind[0] == "copy"}
    assert all(right == pytest.approx(tries) for right, tries in copies.values())
    assert tried(counts, "copy") > 30


def test_runners_up_that_never_come_are_wrong_and_new_text_has_no_copies() -> None:
    counts = observe([periodic(1000, 20, 40)], PRIORS)
    assert all(right == pytest.approx(0) for right, _ in counts.values())
    assert tried(counts, "copy") == 0
    assert tried(counts, "logit") == 3 * 40  # the three of each step, all of which draft in vain


def test_counts_of_texts_add_up() -> None:
    one, two = periodic(5, 20, 40), periodic(7, 15, 30)
    both = observe([one, two], PRIORS)
    apart = [observe([each], PRIORS) for each in (one, two)]
    for kind, (right, tries) in both.items():
        parts = [counts.get(kind, (0, 0)) for counts in apart]
        assert right == pytest.approx(sum(part[0] for part in parts))
        assert tries == pytest.approx(sum(part[1] for part in parts))


def test_models_have_the_same_say_once_they_have_seen_enough() -> None:
    """600 and 6000 observations weigh the same; 100 weigh a third of that."""
    half, tenth = (299.7, 599.4), (599.7, 5999.4)
    rates = pool_rates([{COPY: half}, {COPY: tenth}])
    assert rates[COPY] == pytest.approx((0.5 + 0.1) / 2)
    few = (9.7, 99.4)  # a tenth
    rates = pool_rates([{COPY: half}, {COPY: few}])
    assert rates[COPY] == pytest.approx((300 * 0.5 + 99.4 * 0.1) / 399.4)


def test_rare_classes_other_than_copies_are_drawn_to_little() -> None:
    seen = (1.0, 1.0)
    rates = pool_rates([{COPY: seen, LOGIT: seen, ("logit", 3, False): (0.0, 0.2)}])
    assert rates == {COPY: pytest.approx(1.3 / 1.6), LOGIT: pytest.approx(1.3 / 11.6)}


def test_no_rate_is_nothing_or_certain() -> None:
    rates = pool_rates([{COPY: (1e6, 1e6), LOGIT: (0.0, 1e6)}])
    assert rates == {COPY: MAX_RATE, LOGIT: MIN_RATE}


def test_a_class_that_was_not_met_keeps_its_rate() -> None:
    rates = fit([lambda: [periodic(5, 20, 80), periodic(1000, 20, 40)]], PRIORS)
    assert set(rates) == set(PRIORS)
    assert rates["logit", 0, False] < PRIORS["logit", 0, False]
    assert rates["copy", 8, 4, 0] == PRIORS["copy", 8, 4, 0]
    # All right: one class 53 times, which is as good as certain, the other 24 times.
    assert rates["copy", 8, 4, 2] == MAX_RATE
    assert rates["copy", 8, 2, 2] == pytest.approx((24 + 0.3) / (24 + 0.6))


def test_the_tables_are_printed_as_the_file_has_them() -> None:
    text = inspect.getsource(file)
    printed = source(PRIORS)
    tables = [ast.get_source_segment(printed, node) for node in ast.parse(printed).body]
    assert len(tables) == 3
    for table in tables:
        assert table is not None
        assert f"\n{table}\n" in text


def test_from_transcripts_to_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts = [Prompt(1, "letters", "", "ABCABDABCAB")]
    made = list(record(runner("llama"), tokenizer(), prompts, 30))
    save(made, tmp_path / "one.gz")
    save([periodic(5, 20, 40)], tmp_path / "two.gz")
    main(["replay", "fit", str(tmp_path / "one.gz"), str(tmp_path / "two.gz")])
    tables: dict[str, object] = {}
    exec(capsys.readouterr().out, tables)
    wanted = fit([lambda: made, lambda: [periodic(5, 20, 40)]], PRIORS)
    copies, successors = tables["_COPY"], tables["_SUCCESSOR"]
    assert isinstance(copies, dict)
    assert isinstance(successors, dict)
    assert "_LOGIT" in tables
    assert copies[8, 1][2] == pytest.approx(wanted["copy", 8, 1, 2], abs=6e-4)
    assert successors[1][0] == pytest.approx(wanted["successor", 1, 0], abs=6e-4)
    assert copies != file._COPY


def test_live_the_logits_of_rejected_nodes_are_offered_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = runner("llama")
    monkeypatch.setattr("logitspec.measure.replay.live._load_once", lambda *names: target)
    made = list(record(target, tokenizer(), [Prompt(1, "letters", "", "ABCABDABCAB")], 40))
    replays, lives = observe(made, PRIORS), observe(made, PRIORS, "llama")
    assert tried(lives, "successor") > tried(replays, "successor")
    rates = fit([lambda: made], PRIORS, ["llama"], rounds=1)
    assert rates == {kind: pool_rates([lives]).get(kind, rate) for kind, rate in PRIORS.items()}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["nowhere.gz"], "Can't read transcripts from nowhere.gz"),
        (["FILE", "--model", "a", "--model", "b"], "1 files want as many --model, or none; got 2."),
    ],
)
def test_errors_are_one_sentence(
    asked: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save([periodic(5, 20, 40)], tmp_path / "one.gz")
    files = [str(tmp_path / "one.gz") if each == "FILE" else each for each in asked]
    assert main(["replay", "fit", *files]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
