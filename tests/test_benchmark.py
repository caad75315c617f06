"""The benchmark: fair order, honest sums, every difference reported."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import torch
from support.fakes import ScriptedTarget, finished
from support.families import model, runner
from support.forks import Fork
from support.models import folder, tokenizer

from logitspec import LogitSpecError, decode
from logitspec.__main__ import main
from logitspec.measure.benchmark import contenders
from logitspec.measure.benchmark.bench import Bench, divergences, measure, measurements, rotate
from logitspec.measure.benchmark.contenders import (
    baseline_contender,
    baselines,
    method_contender,
    variants,
)
from logitspec.measure.benchmark.figures import Spread, document, rates, score, scores, speed_up
from logitspec.measure.benchmark.questions import choose
from logitspec.measure.benchmark.report import notes, table
from logitspec.measure.benchmark.runs import (
    Contender,
    Divergence,
    Measurement,
    Outcome,
    Part,
    merge,
)
from logitspec.measure.variants import Variant
from logitspec.models.loader import prepare
from logitspec.prompts import EXAMPLES, Prompt, read_prompts

QUESTION = Prompt(7, "letters", "", "ABCABDABCAB")
PROMPT = [0, 1, 2, 0, 1, 3, 0, 1, 2, 0, 1]


def of(method: str, repeat: int, tokens: int, seconds: float, **rest: Any) -> Measurement:
    measurement = Measurement(
        method=method,
        question_id=1,
        turn=0,
        category="letters",
        repeat=repeat,
        prompt_tokens=5,
        tokens=tokens,
        timed_tokens=tokens,
        forwards=tokens,
        drafted=None,
        accepted=None,
        prefill_seconds=0.5,
        decode_seconds=seconds,
        forward_seconds=None,
    )
    return replace(measurement, **rest)


# Sums, by hand

# Tokens per second by repeat: 30/2, 30/3, 30/1; transformers': 30/2, 30/3, 30/6.
RUNS = [
    of(
        "logitspec", 0, 10, 1.0, forwards=4, drafted=20, accepted=6, forward_seconds=0.25,
        prefill_seconds=0.1,
    ),
    of("logitspec", 0, 20, 1.0, forwards=6, drafted=30, accepted=14, forward_seconds=0.25),
    of("logitspec", 1, 10, 1.5, forwards=4, drafted=20, accepted=6, forward_seconds=0.5),
    of("logitspec", 1, 20, 1.5, forwards=6, drafted=30, accepted=14, forward_seconds=0.25),
    of("logitspec", 2, 10, 0.4, forwards=4, drafted=20, accepted=6, forward_seconds=0.15),
    of(
        "logitspec", 2, 20, 0.6, forwards=6, drafted=30, accepted=14, forward_seconds=0.1,
        prefill_seconds=0.7,
    ),
]  # fmt: skip
STOCK = [
    of("transformers", 0, 31, 2.0, timed_tokens=30),
    of("transformers", 1, 31, 3.0, timed_tokens=30),
    of("transformers", 2, 31, 6.0, timed_tokens=30),
]


def test_a_rate_is_all_tokens_of_a_repeat_by_all_its_seconds() -> None:
    assert rates(RUNS) == {0: 15.0, 1: 10.0, 2: 30.0}
    assert rates(STOCK) == {0: 15.0, 1: 10.0, 2: 5.0}
    assert rates([of("m", 0, 0, 1.0), of("m", 1, 3, 0.0)]) == {}


def test_quartiles_are_those_of_numpy() -> None:
    assert Spread.of([30.0, 10.0, 15.0]) == Spread(15.0, 12.5, 22.5)
    assert Spread.of([4.0]) == Spread(4.0, 4.0, 4.0)
    assert Spread.of([]) is None


def test_a_speed_up_compares_within_the_repeat() -> None:
    """15/15, 10/10, 30/5; the ratio of the medians would be 1.5."""
    assert speed_up(RUNS, STOCK) == Spread(1.0, 1.0, 3.5)
    assert speed_up(RUNS, STOCK[1:]) == Spread(3.5, 2.25, 4.75)
    assert speed_up(RUNS, []) is None


def test_the_figures_of_a_method_are_those_made_by_hand() -> None:
    figures = score(RUNS, [], STOCK)
    assert (figures["prompts"], figures["tokens"]) == (2, 30)
    assert figures["tokens_per_second"] == {"median": 15.0, "low": 12.5, "high": 22.5}
    assert figures["speed_up_over_transformers"] == {"median": 1.0, "low": 1.0, "high": 3.5}
    assert figures["speed_up_over_autoregressive"] is None
    assert figures["mean_accepted_tokens"] == 3.0  # 30 tokens from 10 forwards
    assert figures["mean_drafted"] == 5.0
    assert figures["acceptance_rate"] == 0.4
    assert figures["outside_forward"] == pytest.approx(0.75)  # 4.5 of 6 seconds
    assert figures["prefill_ms"] == 500.0
    stock = score(STOCK, [], STOCK)
    assert (stock["tokens"], stock["mean_accepted_tokens"]) == (31, 1.0)
    assert {stock[name] for name in ("mean_drafted", "acceptance_rate", "outside_forward")} == {
        None
    }


def test_ours_is_measured_against_each_method_by_the_tokens_that_both_accept() -> None:
    other = of("goose", 0, 30, 1.0, forwards=20)
    figures = scores(Part([*RUNS, *STOCK, other]))
    ours = {title: by["letters"]["logitspec_accepts"] for title, by in figures.items()}
    assert ours == {"logitspec": 1.0, "transformers": 3.0, "goose": 2.0}  # 3 against 3, 1 and 1.5
    assert scores(Part(STOCK))["transformers"]["letters"]["logitspec_accepts"] is None


def test_the_prefill_of_generate_is_the_median_and_pays_for_its_token() -> None:
    runs = [Outcome([1, 2, 3], 3, first, whole) for first, whole in [(1, 10), (5, 14), (2, 11)]]
    own = [Outcome([1, 2, 3], 2, first, whole) for first, whole in [(1, 10), (5, 14)]]
    results = list(
        measurements(
            QUESTION,
            1,
            11,
            [contender("theirs", prefilled=1), contender("ours")],
            {"theirs": runs, "ours": own},
        )
    )
    assert [each.decode_seconds for each in results] == [8, 12, 9, 9, 9]
    assert [each.prefill_seconds for each in results] == [2, 2, 2, 1, 5]
    assert [each.timed_tokens for each in results] == [2, 2, 2, 3, 3]
    assert [each.repeat for each in results] == [0, 1, 2, 0, 1]
    assert {(each.tokens, each.turn, each.category) for each in results} == {(3, 1, "letters")}


# Order


def contender(
    title: str, log: list[Any] | None = None, output: Sequence[int] = (1, 2, 3), prefilled: int = 0
) -> Contender:
    """A contender that writes `output`, whatever the prompt, and logs what it was asked."""

    def decoded(prompt_ids: list[int], most: int) -> Outcome:
        if log is not None:
            log.append((title, prompt_ids, most))
        return Outcome(list(output)[:most], 3, 0.1, 1.0)

    return Contender(title, title, {}, decoded, prefilled)


def bench(contenders: list[Contender], repeats: int = 2, limit: int = 1000, most: int = 9) -> Bench:
    """A bench that spells tokens as letters, and puts a bar between the messages of a conversation."""

    def encode(text: str, before: Sequence[tuple[str, str]]) -> list[int]:
        return [ord(letter) for letter in "|".join([*(w for pair in before for w in pair), text])]

    return Bench(
        contenders, encode, lambda ids: "".join(map(chr, ids)), limit, max_new_tokens=most, repeats=repeats
    )  # fmt: skip


def test_rotation_gives_everyone_every_place() -> None:
    assert [rotate("abc", turns) for turns in range(4)] == [
        ["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"],
    ]  # fmt: skip


def test_every_repeat_runs_every_method_once_and_no_place_is_anyones() -> None:
    log: list[Any] = []
    titles = ["autoregressive", "b", "c", "d"]
    prompts = [replace(QUESTION, question_id=n, text="AB" * n) for n in (1, 3, 2, 4)]
    part = merge(list(measure(bench([contender(title, log) for title in titles], 3), prompts)))
    warm, run = log[:4], log[4:]
    assert warm == [(title, [ord(letter) for letter in "ABABABAB"], 9) for title in titles]
    rounds = [run[first : first + 4] for first in range(0, len(run), 4)]
    assert len(rounds) == 4 * 3
    assert all(sorted(title for title, _, _ in each) == titles for each in rounds)
    assert [len(each[0][1]) for each in rounds] == [2, 2, 2, 6, 6, 6, 4, 4, 4, 8, 8, 8]
    places = Counter((title, place) for each in rounds for place, (title, _, _) in enumerate(each))
    assert set(places.values()) == {3}
    assert len(part.measurements) == len(run)


# Conversations


def test_a_file_in_spec_benchs_form_is_read_with_all_turns(tmp_path: Path) -> None:
    rows = [
        {"question_id": 81, "category": "writing", "turns": ["A", "B", "C"], "reference": ["x"]},
        {"question_id": 161, "category": "rag", "turns": ["D"]},
    ]
    file = tmp_path / "question.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    assert read_prompts(file) == [
        Prompt(81, "writing", "", "A", ("B", "C")),
        Prompt(161, "rag", "", "D"),
    ]


def test_later_turns_follow_the_answers_of_plain_decoding() -> None:
    log: list[Any] = []
    plain = contender("autoregressive", log, [ord("x"), ord("y")])
    plain = replace(plain, decode=with_trace(plain))
    both = bench([contender("other", log, [ord("z")]), plain], repeats=2)
    part = Part()
    both.measure(replace(QUESTION, text="A", later=("B", "C")), part)
    texts = ["A", "A|xy|B", "A|xy|B|xy|C"]
    assert ["".join(map(chr, ids)) for _, ids, _ in log] == [text for text in texts for _ in "1234"]
    assert [each.turn for each in part.measurements] == [turn for turn in range(3) for _ in "1234"]
    assert [each.prompt_tokens for each in part.measurements][::4] == [1, 6, 11]
    assert [each.turn for each in part.divergences] == [0, 1, 2]


def with_trace(inner: Contender) -> Any:
    """The runs of `inner`, with the trace of a plain run over a text of the same length."""
    trace = finished(decode(ScriptedTarget(range(60)), [0], "autoregressive", 9))

    def decoded(prompt_ids: list[int], most: int) -> Outcome:
        return replace(inner.decode(prompt_ids, most), trace=trace)

    return decoded


def test_what_does_not_fit_the_context_is_left_out_and_told() -> None:
    log: list[Any] = []
    small = bench([contender("autoregressive", log)], repeats=1, limit=10)
    prompts = [
        replace(QUESTION, question_id=1, text="A" * 9, later=("B",)),
        replace(QUESTION, question_id=2, text="A" * 8, later=("B",)),
    ]
    part = merge(list(measure(small, prompts)))
    assert part.left_out == [[1, 0], [1, 1], [2, 1]]
    assert log == [("autoregressive", [65] * 8, 2)] * 2  # the warm-up and the one turn that fits
    assert "3 prompts, left out" in notes(part)[-1]


# Differences


def test_a_difference_is_told_with_its_margin() -> None:
    """Plain decoding prefers its token by 0.6 - 0.3, and by 0.51 - 0.49 where that is planted."""
    target = ScriptedTarget(range(100, 160))
    reference = method_contender(target, Variant("autoregressive")).decode([1, 2], 8)
    assert reference.output_ids == list(range(102, 110))
    assert reference.trace is not None
    reference.trace.steps[5].last.probs[:2] = [0.51, 0.49]
    text = reference.output_ids
    outputs = {
        "autoregressive": [reference, reference],
        "same": [Outcome(text, 8, 0, 0)],
        "early": [Outcome(text, 8, 0, 0), Outcome([*text[:2], 7, *text[3:]], 8, 0, 0)],
        "tied": [Outcome([*text[:5], 7, 8, 9], 8, 0, 0)],
        "short": [Outcome(text[:4], 8, 0, 0)],
        "long": [Outcome([*text, 3], 8, 0, 0)],
    }
    actual = {each.method: each for each in divergences(QUESTION, 1, outputs)}
    assert set(actual) == {"early", "tied", "short", "long"}
    early, tied, short, long = actual.values()
    assert (early.position, early.wanted, early.got, early.fault) == (2, 104, 7, True)
    assert early.margin == pytest.approx(0.3)
    assert (tied.position, tied.wanted, tied.got, tied.fault) == (5, 107, 7, False)
    assert tied.margin == pytest.approx(0.02)
    assert (short.position, short.wanted, short.got, short.margin) == (4, 106, None, None)
    assert (long.position, long.wanted, long.got, long.margin) == (8, None, 3, None)
    assert short.fault
    assert long.fault
    assert str(tied) == (
        "tied differs from autoregressive: prompt 7, turn 2, new token 5, margin 0.02:"
        " a numerical tie"
    )


def test_differences_are_counted_by_category_and_as_faults() -> None:
    part = Part(
        [
            of(method, 0, 5, 1.0, category=category)
            for method in ("autoregressive", "m")
            for category in ("a", "b")
        ],
        [
            Divergence("m", 1, 0, "a", 3, 1, 2, 0.01),
            Divergence("m", 2, 0, "b", 3, 1, 2, 0.051),
            Divergence("m", 3, 0, "b", 3, 1, 2, 0.05),
        ],
    )
    counted = {
        (title, category): (figures["differing"], figures["faults"])
        for title, by_category in scores(part).items()
        for category, figures in by_category.items()
    }
    assert counted == {
        ("autoregressive", "a"): (0, 0), ("autoregressive", "b"): (0, 0),
        ("autoregressive", "overall"): (0, 0),
        ("m", "a"): (1, 0), ("m", "b"): (2, 1), ("m", "overall"): (3, 1),
    }  # fmt: skip
    rows = [line.split() for line in table(part).splitlines()]
    assert [row[-2:] for row in rows if row[0] == "m"] == [["1", "0"], ["2", "1"], ["3", "1"]]
    assert document(part, [], {})["divergences"][1]["fault"] is True


# transformers' generate


@pytest.fixture
def slow_generate(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the benchmark's clock, every forward of transformers takes a second more: a tiny model's prefill
    time varies by more than a whole run takes, and such a run would have no rate."""
    forwards = [0]
    plain = contenders._plain

    @contextmanager
    def counted(model: Any) -> Iterator[list[None]]:
        with plain(model) as calls:
            hook = model.register_forward_hook(lambda *_: forwards.append(forwards.pop() + 1))
            try:
                yield calls
            finally:
                hook.remove()

    monkeypatch.setattr(contenders, "_plain", counted)
    monkeypatch.setattr(contenders, "perf_counter", lambda: perf_counter() + forwards[0])


@pytest.mark.usefixtures("slow_generate")
@pytest.mark.parametrize("name", ["transformers", "transformers_prompt_lookup"])
@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral-window"])
def test_generate_writes_the_same_and_its_forwards_are_counted(family: str, name: str) -> None:
    target = runner(family)
    outcome = baseline_contender(target, name).decode(PROMPT, 30)
    assert outcome.output_ids == plain_output(target, 30)
    if name == "transformers":
        assert outcome.forwards == 30
    else:
        assert outcome.forwards < 30
    assert 1 < outcome.prefill_seconds < outcome.seconds


def plain_output(target: Any, new: int) -> list[int]:
    output: list[int] = finished(decode(target, PROMPT, "autoregressive", new)).output_ids
    return output


def test_generate_is_greedy_whatever_the_models_generation_config_says() -> None:
    stubborn = copy.deepcopy(model("llama"))
    stubborn.generation_config.update(repetition_penalty=9.0, do_sample=True, temperature=3.0)
    target = prepare(stubborn)
    config = stubborn.generation_config
    assert baseline_contender(target, "transformers").decode(PROMPT, 20).output_ids == plain_output(
        target, 20
    )
    assert stubborn.generation_config is config
    assert not stubborn._forward_hooks


def test_generate_stops_at_every_end_of_sequence_token() -> None:
    target = runner("llama")
    output = plain_output(target, 20)
    end = next(token for token in output[3:] if token not in output[:3])
    target.eos_ids = frozenset(range(40)) - set(output[:3])
    stopped = baseline_contender(target, "transformers").decode(PROMPT, 20).output_ids
    assert stopped == output[: output.index(end) + 1] == plain_output(target, 20)


# Parts of several processes


def test_parts_make_the_whole() -> None:
    tie = Divergence("m", 1, 0, "a", 3, 1, 2, 0.01)
    parts = [Part(RUNS[:2], [tie], [[1, 0]]), Part(), Part(RUNS[2:], [], [[2, 1]])]
    whole = merge(parts)
    assert whole == Part(RUNS, [tie], [[1, 0], [2, 1]])
    assert merge([]) == Part()


# The command


def questions(at: Path) -> str:
    rows = [
        {"question_id": 1, "category": "letters", "turns": ["ABCABDABCAB", "ABC"]},
        {"question_id": 2, "category": "words", "turns": ["HELLOHELLOHELP"]},
    ]
    (at / "p.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return str(at / "p.jsonl")


def arguments(at: Path) -> list[str]:
    saved = str(folder(at / "net", chat=True))
    return [
        "--model", saved, "--prompts", questions(at), "--max-new-tokens", "8", "--repeats", "2",
        "--device", "cpu", "--dtype", "float64", "--json", str(at / "out.json"),
    ]  # fmt: skip


@pytest.mark.usefixtures("slow_generate")
def test_from_prompts_to_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--methods", "logitspec", "prompt_lookup:max_ngram_size=2,num_pred_tokens=4"]
    assert main(["benchmark", *arguments(tmp_path), *options]) == 0
    out = capsys.readouterr().out
    line = json.loads(out.splitlines()[-1])
    titles = [
        "autoregressive", "logitspec", "prompt_lookup max_ngram_size=2 num_pred_tokens=4",
        "transformers", "transformers_prompt_lookup",
    ]  # fmt: skip
    assert [each["title"] for each in line["methods"]] == titles
    assert line["methods"][2]["options"] == {"max_ngram_size": 2, "num_pred_tokens": 4}
    assert [title for title in titles for _ in range(3)] == sorted(
        (row.split("  ")[1] for row in out.splitlines() if row.startswith("  ") and "(" in row),
        key=titles.index,
    )
    whole = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    runs = whole.pop("measurements")
    assert whole == line
    assert len(runs) == 3 * 2 * 5
    assert line["divergences"] == line["left_out"] == []
    assert line["environment"]["dtype"] == "float64"
    assert line["environment"]["torch"] == torch.__version__
    assert line["environment"]["processes"] == 1
    assert str(tmp_path) not in out
    check_lookup(line["methods"][2]["scores"])
    check_first_repeat(runs, line)


def check_lookup(by_category: dict[str, Any]) -> None:
    """Check the category of one prompt with one turn against a separate run."""
    target = prepare(net())
    ids = wrapped("HELLOHELLOHELP")
    options = {"max_ngram_size": 2, "num_pred_tokens": 4}
    trace = finished(decode(target, ids, "prompt_lookup", 8, **options))
    figures = by_category["words"]
    drafted = sum(len(step.tree) - 1 for step in trace.steps)
    assert (figures["prompts"], figures["tokens"]) == (1, 8)
    assert figures["mean_accepted_tokens"] == 8 / len(trace.steps)
    assert figures["mean_drafted"] == drafted / len(trace.steps)
    assert 0 < figures["outside_forward"] < 1


def net() -> Any:
    """The model in the folder, in the precision that the command is asked for."""
    return copy.deepcopy(model("llama", torch.float32)).double()


def wrapped(text: str) -> list[int]:
    """A message in the chat template, as the folder's tokenizer reads it."""
    ids: list[int] = tokenizer()(f"[user]{text}[assistant]")["input_ids"]
    return ids


def check_first_repeat(runs: list[dict[str, Any]], line: dict[str, Any]) -> None:
    """Overall tokens per second are halfway between the two repeats, and a method's ratio to itself is 1."""
    for each in line["methods"]:
        own = [run for run in runs if run["method"] == each["title"]]
        by_repeat = []
        for repeat in (0, 1):
            part = [run for run in own if run["repeat"] == repeat]
            seconds = sum(run["decode_seconds"] for run in part)
            by_repeat.append(sum(run["timed_tokens"] for run in part) / seconds)
        overall = each["scores"]["overall"]
        assert overall["tokens_per_second"]["median"] == pytest.approx(sum(by_repeat) / 2)
        if each["title"] in ("autoregressive", "transformers"):
            assert set(overall[f"speed_up_over_{each['title']}"].values()) == {1.0}
            assert overall["mean_accepted_tokens"] == 1.0


def test_a_planted_difference_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(target: Any, name: str) -> Contender:
        honest = baseline_contender(target, name)

        def decoded(ids: list[int], most: int) -> Outcome:
            outcome = honest.decode(ids, most)
            if ids == wrapped("HELLOHELLOHELP") and most == 8:
                outcome.output_ids[4] = 39 - outcome.output_ids[4]
            return outcome

        return replace(honest, decode=decoded)

    monkeypatch.setattr("logitspec.measure.benchmark.contenders.baseline_contender", planted)
    options = ["--methods", "autoregressive", "--baselines", "transformers"]
    assert main(["benchmark", *arguments(tmp_path), *options]) == 0
    out = capsys.readouterr().out
    (result,) = json.loads(out.splitlines()[-1])["divergences"]
    assert (result["method"], result["question_id"], result["position"]) == ("transformers", 2, 4)
    margin = plain_margin("HELLOHELLOHELP", 4)
    assert result["margin"] == pytest.approx(margin, abs=1e-3)
    assert result["fault"] == (margin > 0.05)
    sentence = "transformers differs from autoregressive: prompt 2, turn 1, new token 4, margin "
    assert sentence in out


def plain_margin(text: str, place: int) -> float:
    """How much likelier the best token is than the second, from uncached forwards."""
    ids = wrapped(text)
    for _ in range(place):
        ids.append(int(net()(torch.tensor([ids])).logits[0, -1].argmax()))
    probs = net()(torch.tensor([ids])).logits[0, -1].softmax(-1)
    best, second = probs.topk(2).values.tolist()
    return float(best - second)


def two_processes(arguments: list[str]) -> int:
    """Run by the launcher that `accelerate launch` itself uses for several GPUs; on CPUs the command starts
    only one process. It forks: starting two more processes would take nearly all of the time."""
    from accelerate import PartialState
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    PartialState._reset_state()
    config = LaunchConfig(
        1,
        1,
        2,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        start_method="fork",
        max_restarts=0,
        monitor_interval=0.1,
    )
    codes: dict[int, int] = elastic_launch(config, main)(["benchmark", *arguments])
    return max(codes.values())


def test_two_processes_share_the_prompts(tmp_path: Path) -> None:
    options = [*arguments(tmp_path), "--baselines", "transformers", "--methods", "prompt_lookup"]
    log = tmp_path / "log"
    assert Fork(lambda: two_processes(options), log, {}).wait(300) == 0, log.read_text()
    (line,) = (json.loads(each) for each in log.read_text().splitlines() if each.startswith("{"))
    assert line["environment"]["processes"] == 2
    assert log.read_text().count("tokens/s: decoding only") == 1
    whole = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    runs = [(each["question_id"], each["turn"], each["method"]) for each in whole["measurements"]]
    prompts = [(1, 0), (1, 1), (2, 0)]
    methods = ("autoregressive", "prompt_lookup", "transformers")
    assert Counter(runs) == {(*prompt, method): 2 for prompt in prompts for method in methods}
    assert line["methods"][0]["scores"]["overall"]["prompts"] == 3


# Requests


def test_methods_are_read_with_their_options() -> None:
    capacity = "logitspec:draft_tree_capacity=24,tree_size=capacity"
    result = variants(["prompt_lookup", capacity, "prompt_lookup"])
    assert [(each.method, each.options) for each in result] == [
        ("autoregressive", {}),
        ("prompt_lookup", {}),
        ("logitspec", {"draft_tree_capacity": 24, "tree_size": "capacity"}),
    ]
    assert [each.method for each in variants(["logitspec", "autoregressive"])] == [
        "logitspec", "autoregressive",
    ]  # fmt: skip
    assert baselines(["transformers", "transformers"]) == ["transformers"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "magic"], "There is no method 'magic'"),
        (["--methods", "logitspec:colour=3"], "logitspec has no option 'colour'"),
        (["--methods", "logitspec:colour"], "An option must be name=value; got 'colour'."),
        (["--methods", "prompt_lookup:max_ngram_size=99"], "must be a whole number from 1 to"),
        (["--baselines", "vllm"], "There is no baseline 'vllm'; choose one of transformers,"),
        (["--prompts", "nowhere"], "Can't read nowhere"),
        (
            ["--prompts", str(EXAMPLES), str(EXAMPLES)],
            "Several prompts have the same question_id, such as 1; give each its own.",
        ),
        (["--category", "chess"], "has no category 'chess'"),
        (["--max-new-tokens", "1"], "--max-new-tokens must be 2 or more; got 1."),
        (["--repeats", "0"], "--repeats must be from 1 to 1000; got 0."),
        (["--json", "no/such/file.json"], "Can't write no/such/file.json"),
        (["--json", str(EXAMPLES)], "it is read from there; choose another place"),
        (
            ["--replay", "README.md", "--json", "README.md"],
            "Can't write README.md: it is read from there",
        ),
        (["--dtype", "int8"], "There is no dtype 'int8'"),
        (
            ["--untimed", "--methods", "prompt_lookup", "logitspec", "--baselines"],
            "logitspec sizes its trees by times, which --untimed does not take; add tree_size=capacity.",
        ),
        (["--device", "toaster"], "The device 'toaster' is not available"),
    ],
)
def test_errors_are_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", *arguments]) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_a_category_may_be_in_one_of_several_files(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b")):
        row = {"question_id": number, "category": name, "turns": [name]}
        (tmp_path / name).write_text(json.dumps(row), encoding="utf-8")
    assert [each.text for each in choose([tmp_path / "a", tmp_path / "b"], ["b"])] == ["b"]


def test_prompts_that_all_exceed_the_context_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = arguments(tmp_path)
    row = {"question_id": 1, "category": "letters", "turns": ["A" * 600]}
    (tmp_path / "p.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert main(["benchmark", *options]) == 2
    assert capsys.readouterr().err == "No prompt fits the model's context; choose shorter ones.\n"


def test_an_empty_prompt_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(LogitSpecError, match="The prompt is empty"):
        method_contender(runner("llama"), Variant("autoregressive")).decode([], 4)
