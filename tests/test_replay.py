"""Replays: the same as live runs, step by step, without the model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.fakes import ScriptedTarget, finished
from support.families import runner
from support.models import tokenizer

import logitspec.runtime.runner
from logitspec import METHODS, DraftTree, LogitSpecError, Origin, Provenance, TopK, Trace
from logitspec import decode as live
from logitspec.__main__ import main
from logitspec.drafters.logitspec_paper import LogitSpecPaper
from logitspec.measure.replay.record import record
from logitspec.measure.replay.scores import Score, compare
from logitspec.measure.replay.target import NODE_RANKS, TranscriptTarget, replay
from logitspec.measure.replay.transcript import UNKNOWN, Transcript, read, save
from logitspec.measure.variants import Variant
from logitspec.models.chat import encode_prompt
from logitspec.models.loader import load
from logitspec.prompts import EXAMPLES, Prompt, read_prompts
from logitspec.trace.sampling import Sampling

# Methods that learn nothing from the logits of rejected nodes, which are all that a transcript lacks.
EXACT = ["autoregressive", "prompt_lookup", "logitspec_paper"]
ROOT = Path(__file__).parent.parent
PROMPTS = [
    Prompt(7, "letters", "", "ABCABDABCAB"),
    Prompt(8, "words", "", "HELLOHELLOHELP"),
]
GUESS = Provenance(Origin.LOGIT)


def record_prompts(target: Any, new: int = 40, prompts: list[Prompt] = PROMPTS) -> list[Transcript]:
    return list(record(target, tokenizer(), prompts, new))


def step_facts(trace: Trace) -> list[Any]:
    """What happened in each step, without the choices after nodes that were not accepted. The last step's path is
    given by its tokens, since beyond the end of the text nothing distinguishes equal branches."""
    steps: list[Any] = [
        (step.position, step.last, step.tree, step.path, [step.choices[node] for node in step.path])
        for step in trace.steps
    ]
    last = trace.steps[-1]
    return [*steps[:-1], (last.position, last.last, last.tree, last.tokens)]


# The same as live


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma3", "mistral-window"])
def test_a_replay_is_the_live_run(family: str, method: str) -> None:
    target = runner(family)
    for prompt, transcript in zip(PROMPTS, record_prompts(target), strict=True):
        ids = encode_prompt(tokenizer(), prompt.text)
        expected = finished(live(target, ids, method, 40))
        trace = replay(transcript, method)
        assert step_facts(trace) == step_facts(expected)
        assert (trace.output_ids, trace.finish) == (expected.output_ids, "length")
        assert (trace.method, trace.options) == (method, expected.options)


def rounded_steps(trace: Trace) -> list[Any]:
    """Trees without their probabilities, and the tokens emitted."""
    return [
        (
            step.tree.tokens,
            step.tree.parents,
            [(*each[:2], *each[3:]) for each in step.tree.provenance],
            step.tokens,
        )
        for step in trace.steps
    ]


@pytest.mark.parametrize("method", EXACT)
def test_a_replay_is_the_live_run_in_float32(method: str) -> None:
    target = runner("llama", dtype=torch.float32)
    for transcript in record_prompts(target):
        expected = finished(live(target, transcript.prompt_ids, method, 40))
        trace = replay(transcript, method)
        assert trace.output_ids == expected.output_ids
        assert rounded_steps(trace) == rounded_steps(expected)
        assert [step.path for step in trace.steps[:-1]] == [s.path for s in expected.steps[:-1]]


@pytest.fixture(scope="module")
def built_in() -> Any:
    return load(device="cpu", dtype="float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_replay_is_the_live_run_of_the_built_in_model(built_in: Any, dtype: str) -> None:
    """Trees are compared in float64 only: in float32 a forward over 64 rows may swap two rare tokens whose ranks a
    forward over one row tells apart, which changes no output."""
    target, tokens = built_in if dtype == "float32" else load(device="cpu", dtype=dtype)
    prompt = Prompt(1, "story", "", "Write a short story about a fox.")
    (transcript,) = record(target, tokens, [prompt], 32)
    for method in EXACT:
        expected = finished(live(target, encode_prompt(tokens, prompt.text), method, 32))
        trace = replay(transcript, method)
        assert trace.output_ids == expected.output_ids
        assert [step.tokens for step in trace.steps] == [step.tokens for step in expected.steps]
        assert [len(step.tree) for step in trace.steps] == [
            len(step.tree) for step in expected.steps
        ]
        assert trace.model == {**expected.model, "replayed": True}
        assert trace.environment == expected.environment
        assert dtype == "float32" or rounded_steps(trace) == rounded_steps(expected)


def test_options_change_replay_and_live_run_alike() -> None:
    target = runner("llama")
    transcript = record_prompts(target)[0]
    options = {"max_ngram_size": 2, "num_pred_tokens": 5, "draft_tree_capacity": 12}
    expected = finished(live(target, transcript.prompt_ids, "logitspec_paper", 40, **options))
    assert step_facts(replay(transcript, "logitspec_paper", **options)) == step_facts(expected)
    assert step_facts(replay(transcript, "logitspec_paper")) != step_facts(expected)


def set_end_of_sequence(target: Any) -> None:
    """Make a token that comes late in the first prompt's output end the text."""
    output = record_prompts(runner("llama"))[0].output_ids
    token = next(each for each in output[5:] if each not in output[:5])
    target.eos_ids = frozenset({token})


def shorten_context(target: Any) -> None:
    target.limit = 11 + 9


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize(
    ("change", "finish"),
    [(set_end_of_sequence, "eos"), (shorten_context, "context"), (lambda target: None, "length")],
)
def test_a_replay_stops_where_the_live_run_does(
    change: Callable[[Any], None], finish: str, method: str
) -> None:
    target = runner("llama")
    change(target)
    transcript = record_prompts(target, 23, PROMPTS[:1])[0]
    expected = finished(live(target, transcript.prompt_ids, method, 23))
    trace = replay(transcript, method)
    assert trace.finish == expected.finish == transcript.finish == finish
    assert step_facts(trace) == step_facts(expected)
    assert 5 < len(trace.output_ids) < 24


class ListeningDrafter(LogitSpecPaper):
    """Records in `heard` everything that a method learns about the target along the text."""

    name = "listening"
    reads_prompt = True

    def reset(self, prompt_ids: Any) -> None:
        super().reset(prompt_ids)
        heard.clear()

    def learn(self, ids: Any, topk: Any) -> None:
        heard.append((ids, topk))

    def observe(self, tree: Any, path: Any, result: Any) -> None:
        super().observe(tree, path, result)
        heard.append([(result.choices[node], result.topk[node].head(64)) for node in path])


heard: list[Any] = []


def test_a_method_learns_the_same_along_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "listening", ListeningDrafter)
    target = runner("qwen3")
    transcript = record_prompts(target)[1]
    finished(live(target, transcript.prompt_ids, "listening", 40))
    expected = list(heard)
    replay(transcript, "listening")
    assert heard[:-1] == expected[:-1]  # the last step ends where the transcript does
    assert len(heard) > 3
    assert any(len(step) > 1 for step in heard[1:])
    assert NODE_RANKS == logitspec.runtime.runner.NODE_RANKS


# The recorded target, by hand

BY_HAND = Transcript(
    question_id=1,
    category="letters",
    model={"id": "none"},
    eos_ids=[],
    limit=100,
    max_new_tokens=3,
    prompt_ids=[1, 2],
    output_ids=[3, 4, 5],
    after=6,
    finish="length",
    topk=[TopK([place, 50, *range(60, 80)], [0.05] * 22) for place in (2, 3, 4, 5, 6)],
)


def test_off_the_recorded_text_nothing_is_known() -> None:
    target = TranscriptTarget(BY_HAND)
    assert target.prefill([1, 2]).choices == [3]
    assert [len(top) for top in target.prefill([1, 2], everywhere=True).topk] == [22, 22]
    tree = DraftTree(3)  # 3 -> 4 -> 9 -> 5 and 3 -> 9 -> 4, and finally a twin of 4
    right = tree.add(0, 4, GUESS)
    tree.add(tree.add(right, 9, GUESS), 5, GUESS)
    tree.add(tree.add(0, 9, GUESS), 4, GUESS)
    tree.add(0, 4, GUESS, merge=False)
    result = target.verify(tree)
    assert result.choices == [4, 5, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 5]
    assert [top.ids[:1] for top in result.topk] == [[4], [5], [], [], [], [], [5]]
    assert [len(top) for top in result.topk] == [16, 22, 0, 0, 0, 0, 16]
    target.commit([0, 1])
    assert target.length == 4


def test_beyond_the_end_nothing_is_known() -> None:
    target = TranscriptTarget(BY_HAND)
    target.prefill([1, 2])
    tree, node = DraftTree(3), 0
    for token in (4, 5, 6, 7):
        node = tree.add(node, token, GUESS)
    assert target.verify(tree).choices == [4, 5, 6, UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(("ids", "temperature"), [([1], 0.0), ([1, 3], 0.0), ([1, 2], 0.5)])
def test_a_transcript_serves_its_own_prompt_and_greedy_decoding_only(
    ids: list[int], temperature: float
) -> None:
    with pytest.raises(LogitSpecError, match="only its own prompt, decoded greedily"):
        TranscriptTarget(BY_HAND).prefill(ids, Sampling(temperature))


def test_scores_are_those_of_the_live_runs() -> None:
    target, score = runner("llama"), Score()
    live_steps = []
    for transcript in record_prompts(target):
        score.add(replay(transcript, "logitspec_paper").counts())
        steps = live(target, transcript.prompt_ids, "logitspec_paper", 40)
        live_steps += finished(steps).steps
    result = score.to_json()
    drafted = sum(len(step.tree) - 1 for step in live_steps)
    assert (result["prompts"], result["tokens"], result["steps"]) == (2, 80, len(live_steps))
    assert (result["drafted"], result["accepted"]) == (drafted, 80 - len(live_steps))
    assert result["mean_accepted_tokens"] == 80 / len(live_steps)
    assert result["acceptance_rate"] == result["accepted"] / drafted
    assert result["ms_per_step"] > 0


def test_a_transcript_holds_the_choice_after_each_token() -> None:
    (longer,), (shorter,) = (record_prompts(runner("llama"), new, PROMPTS[:1]) for new in (21, 20))
    assert [*shorter.output_ids, shorter.after] == longer.output_ids
    best = [top.ids[0] for top in shorter.topk]
    assert best[len(shorter.prompt_ids) - 1 :] == longer.output_ids
    assert shorter.topk == longer.topk[:-1]


# Files


def test_a_transcript_survives_its_file(tmp_path: Path) -> None:
    transcripts = record_prompts(runner("llama"), 6)
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        save(transcripts, tmp_path / name)
    assert list(read(tmp_path / "one.jsonl.gz")) == transcripts
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "two.jsonl.gz").read_bytes()


def test_an_interrupt_leaves_what_was_recorded_before(tmp_path: Path) -> None:
    def transcripts_until_interrupt() -> Any:
        yield BY_HAND
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(transcripts_until_interrupt(), tmp_path / "half.jsonl.gz")
    assert list(read(tmp_path / "half.jsonl.gz")) == [BY_HAND]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"schema":1', '"schema":99'), "schema 1"),
        (lambda text: text.replace('"after":6,', ""), "after"),
        (lambda text: text.replace("[1,2]", "[1]"), "top-k after each token"),
        (lambda text: text[:-9], "not a transcript"),
        (lambda text: "[]", "not a transcript"),
    ],
)
def test_a_line_that_is_not_a_transcript_is_refused(
    change: Callable[[str], str], message: str
) -> None:
    text = BY_HAND.to_json()
    assert Transcript.from_json(text) == BY_HAND
    with pytest.raises(LogitSpecError, match=message):
        Transcript.from_json(change(text))


def test_prompts_are_read_by_category(tmp_path: Path) -> None:
    file = tmp_path / "question.jsonl"
    rows = [
        {"question_id": 81, "category": "writing", "turns": ["A", "B"]},
        {"question_id": 82, "category": "qa", "turns": ["C"], "reference": ["D"]},
    ]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    assert [(each.question_id, each.text) for each in read_prompts(file)] == [(81, "A"), (82, "C")]
    assert [each.later for each in read_prompts(file)] == [("B",), ()]
    assert [each.question_id for each in read_prompts(file, ["qa"])] == [82]
    with pytest.raises(LogitSpecError, match="no category 'math'; choose from qa, writing"):
        read_prompts(file, ["math"])
    file.write_text('{"question_id": 1}\n', encoding="utf-8")
    with pytest.raises(LogitSpecError, match="not a prompt"):
        read_prompts(file)


def test_a_prompt_that_can_not_be_decoded_is_named_before_the_first_forward() -> None:
    prompts = [PROMPTS[0], Prompt(99, "letters", "", "A" * 600)]
    with pytest.raises(LogitSpecError, match="Prompt 99: The prompt has 600 tokens"):
        record(runner("llama"), tokenizer(), prompts)


def test_a_target_that_ranks_no_prompt_is_refused() -> None:
    with pytest.raises(LogitSpecError, match="within a prompt"):
        list(record(ScriptedTarget([1] * 99), tokenizer(), PROMPTS))


# The command


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["replay", *arguments]) == 0
    return capsys.readouterr().out


def test_the_commands_lead_from_a_prompt_to_numbers(
    tmp_path: Path, built_in: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts, file, numbers = (tmp_path / name for name in ("p.jsonl", "r.jsonl.gz", "n.json"))
    text = "Write a short story about a fox."
    row = {"question_id": 5, "category": "story", "turns": [text]}
    prompts.write_text(json.dumps(row) + "\n", encoding="utf-8")
    run_command(
        capsys, "record", "--prompts", str(prompts), "--out", str(file), "--max-new-tokens", "30",
        "--device", "cpu", "--dtype", "float32",
    )  # fmt: skip
    output = run_command(
        capsys, "run", str(file), "--method", "autoregressive", "--method", "logitspec_paper",
        "--method", "logitspec_paper", "--option", "draft_tree_capacity=8", "--json", str(numbers),
    )  # fmt: skip
    last = output.splitlines()[-1]
    assert last + "\n" == numbers.read_text(encoding="utf-8")
    plain, paper, small = json.loads(last)["methods"]
    assert (plain["method"], paper["method"]) == ("autoregressive", "logitspec_paper")
    assert paper["options"]["draft_tree_capacity"] == 64
    assert small["options"]["draft_tree_capacity"] == 8
    assert plain["scores"]["overall"] == plain["scores"]["story"]
    assert plain["scores"]["story"]["steps"] == plain["scores"]["story"]["tokens"] == 30
    assert small["scores"]["story"]["mean_drafted"] == 7
    target, tokens = built_in
    expected = finished(live(target, encode_prompt(tokens, text), "logitspec_paper", 30))
    assert paper["scores"]["story"]["steps"] == len(expected.steps)
    assert "logitspec_paper draft_tree_capacity=8 " in output
    assert "tokens per target forward, root included, prefill excluded" in output


def test_a_category_called_overall_counts_once() -> None:
    """As older versions recorded it."""
    transcripts = [replace(each, category="overall") for each in record_prompts(runner("llama"))]
    (scores,) = compare(transcripts, [Variant("prompt_lookup")])
    assert scores["overall"].prompts == 2
    assert scores["overall"].counts.tokens == 80


def transcripts_file(folder: Path) -> str:
    save([BY_HAND, replace(BY_HAND, category="others")], folder / "r.jsonl.gz")
    return str(folder / "r.jsonl.gz")


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        ([], ["logitspec"]),
        (["--option", "draft_tree_capacity=9"], ["logitspec draft_tree_capacity=9"]),
        (
            ["--option", "max_ngram_size=2", "--method", "prompt_lookup", "--method",
             "logitspec_paper", "--option", "num_pred_tokens=4"],
            ["prompt_lookup max_ngram_size=2", "logitspec_paper max_ngram_size=2 num_pred_tokens=4"],
        ),
    ],
)  # fmt: skip
def test_an_option_applies_to_the_method_before_it_or_else_to_all(
    arguments: list[str], titles: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["replay", "run", transcripts_file(tmp_path), *arguments])
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("  ") and line.split()[0] in METHODS]
    assert len(rows) == 3 * len(titles)  # two categories, and overall
    assert all(line.startswith(f"  {titles[n % len(titles)]} ") for n, line in enumerate(rows))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere.jsonl.gz"], "Can't read transcripts from nowhere.jsonl.gz (No such file"),
        (["run", "README.md"], "Can't read transcripts from README.md"),
        (["run", "FILE", "--method", "magic"], "There is no method 'magic'"),
        (["run", "FILE", "--option", "colour=3"], "logitspec has no option 'colour'"),
        (["run", "FILE", "--option", "colour"], "An option must be name=value; got 'colour'."),
        (["run", "FILE", "--option", "max_ngram_size=x"], "must be one of 1, 2, 4, 8, 16"),
        (
            ["run", "FILE", "--option", "draft_tree_capacity=999"],
            "must be a whole number from 2 to 128",
        ),
        (["run", "FILE", "--json", "no/such/folder.json"], "Can't write no/such/folder.json"),
        (["run", "FILE", "--json", "FILE"], "r.jsonl.gz: it is read from there"),
        (["record", "--out", str(EXAMPLES)], "it is read from there"),
        (["record", "--out", "x", "--prompts", "nowhere"], "Can't read nowhere"),
        (["record", "--out", "x", "--category", "chess"], "has no category 'chess'"),
        (["record", "--out", "x", "--ranks", "0"], "--ranks must be from 1 to 128"),
        (["record", "--out", "x", "--max-new-tokens", "0"], "max_new_tokens must be from 1"),
        (["record", "--out", "no/such/file"], "Can't write no/such/file"),
    ],
)
def test_errors_are_one_sentence(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "logitspec.models.loader.load", lambda *names: (runner("llama"), tokenizer())
    )
    file = transcripts_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("no transcript\n")
    assert main(["replay", *(file if each == "FILE" else each for each in arguments)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_replaying_imports_no_model_library() -> None:
    code = "import sys, logitspec.measure.replay.command; print({'torch', 'transformers'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"
