"""The evaluation of the built-in model: its graders, its prompts, its table and its card."""

import itertools
import json
import multiprocessing
import pathlib
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
import torch
from support.families import runner
from support.models import tokenizer

from logitspec.__main__ import main
from logitspec.builtin import evaluate
from logitspec.builtin.behaviour import behave_alike
from logitspec.builtin.card import EVALUATION, TRAINING, table, write_card
from logitspec.builtin.corpus import samples
from logitspec.builtin.grade import (
    RULES,
    block,
    conclusions,
    distinct,
    is_right,
    kind,
    repetition,
)
from logitspec.builtin.tasks import Sample
from logitspec.errors import LogitSpecError
from logitspec.models.loader import load
from logitspec.paths import MODEL

SUM = "def add(numbers):\n    total = 0\n    for n in numbers:\n        total += n\n    return total\n"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (SUM.replace("total", "result").replace("add", "f"), True),
        (SUM.replace("+= n", "-= n"), False),
        (SUM.replace("return total", "return total + 0.5"), False),
        (SUM.replace("numbers)", "numbers, more)"), False),
        ("def add(numbers):\n    while True:\n        pass\n", False),
        ("def add(numbers):\n    import os\n    return os.getpid()\n", False),
        ("def add(numbers:\n", False),
        ("x = 1\n", False),
        ("", False),
    ],
)
def test_functions_are_compared_by_what_they_do(other: str, same: bool) -> None:
    assert behave_alike(SUM, other) is same


def test_thresholds_are_tried_from_both_sides() -> None:
    source = "def keep(xs):\n    return [x for x in xs if x > 37]\n"
    assert behave_alike(source, source.replace("xs", "ys"))
    assert not behave_alike(source, source.replace("37", "38"))
    assert not behave_alike(source, source.replace(">", ">="))


def test_changes_to_arguments_count() -> None:
    source = "def f(xs):\n    return list(xs)\n"
    assert not behave_alike(
        source, "def f(xs):\n    found = list(xs)\n    xs.clear()\n    return found\n"
    )


def test_references_are_right_and_blanks_are_wrong() -> None:
    for row in RULES:
        category = row.split(":")[0]
        turns = (
            turn
            for sample in itertools.islice(samples(7, "eval", category), 24)
            for turn in sample.turns
            if kind(category, turn[0]) == row
        )
        checked = list(itertools.islice(turns, 6))
        assert len(checked) >= 3, row
        for _, answer in checked:
            assert is_right(row, answer, answer), answer
            assert not is_right(row, answer, "") or not answer


@pytest.mark.parametrize(
    ("row", "reference", "answer", "verdict"),
    [
        ("math", "Step 1: 2 + 3 = 5.\nThe answer is 5.", "So 1 + 4 = 5.\nThe answer is 5.", True),
        ("math", "Step 1: 2 + 3 = 5.\nThe answer is 5.", "Step 1: 2 + 3 = 5.\nThe answer is 6.", False),
        ("math", "2 + 3 = 5.\n4 * 2 = 8.", "2 + 3 = 5.\n4 * 2 = 8.", True),
        ("math", "2 + 3 = 5.\n4 * 2 = 8.", "2 + 3 = 5.", False),
        ("qa", 'The text says: "A met B." So A met B.', 'It says: "A saw B." So A met B.', True),
        ("qa", 'The text says: "A met B." So A met B.', 'The text says: "A met B." So B met B.', False),
        ("qa", 'It says: "A." So A.\nIt says: "B." So B.', 'It says: "C." So A.\nIt says: "B." So B.', True),
        ("qa", 'It says: "A." So A.\nIt says: "B." So B.', 'It says: "A." So C.\nIt says: "B." So B.', False),
        ("qa", 'It says: "A." So A.\nIt says: "B." So B.', 'It says: "B." So B.', False),
        ("translation", "Das Haus ist rot.", "Das Haus ist blau.", False),
        ("story", "Once Ann met Bo. So Ann sang. And Ann and Bo ran.", "Then Ann and Bo slept.", True),
        ("story", "Once Ann met Bo. So Ann sang. And Ann and Bo ran.", "Then Ann slept.", False),
        ("story", "Bo is the cook, a friend of Ann.", "Bo is a friend.", False),
        ("story", "Bo is the cook, a friend of Ann.", "Bo is the cook, a friend of Ann.", True),
    ],
)  # fmt: skip
def test_answers_are_judged_by_their_rule(
    row: str, reference: str, answer: str, verdict: bool
) -> None:
    assert is_right(row, reference, answer) is verdict


def test_each_line_has_a_conclusion() -> None:
    assert conclusions('It says: "A met B." So A met B.\n\nIt does not say C.') == [
        "So A met B.",
        "It does not say C.",
    ]
    assert conclusions("") == []


def test_code_is_told_from_no_code() -> None:
    assert block("Here:\n```python\nx = 1\n```") == "x = 1\n"
    assert block("Here:\n```python\nx = \n```") is None
    assert block("x = 1") is None


def test_repetition_and_distinctness_by_hand() -> None:
    assert distinct(["a b c a b c"]) == 3 / 4
    assert repetition(["a b c d a b c d"]) == 1 / 5
    assert distinct([]) == repetition([]) == 0


def test_prompts_are_unseen_and_differ() -> None:
    for row in RULES:
        result = evaluate.draw_prompts(row, 12, 3)
        assert len({json.dumps(prompt.chat) for prompt in result}) == 12
        assert all(kind(row.split(":")[0], prompt.chat[-1]["content"]) == row for prompt in result)
        assert all(prompt.chat[-1]["role"] == "user" and prompt.reference for prompt in result)


def test_more_prompts_than_there_are_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def few(*_: object) -> Iterator[Sample]:
        return cycle(Sample("math", ((str(number), "4"),)) for number in range(3))

    monkeypatch.setattr(evaluate, "samples", few)
    assert len(evaluate.draw_prompts("math", 3, 2)) == 3
    with pytest.raises(LogitSpecError, match="hardly more than 3 different prompts") as error:
        evaluate.draw_prompts("math", 4, 2)
    assert "--prompts from 4." in str(error.value)


def test_mean_accepted_tokens_are_of_the_tokens_that_the_method_wrote() -> None:
    """Not of plain decoding's, which may end elsewhere after a near tie."""
    row = evaluate.Row(prompts=1, tokens=30, differing=1)
    row.emitted["prompt_lookup"], row.forwards["prompt_lookup"] = 12, 4
    assert row.to_json("qa")["mean_accepted_tokens"] == {"prompt_lookup": 3}


@pytest.fixture(scope="module")
def measured() -> Any:
    under = evaluate.Conditions("builtin", "cpu", "float32", 24, evaluate.METHODS)
    return evaluate.measure_all(evaluate.draw_prompts("qa", 2, 5), under, 1)["qa"]


def test_figures_add_up(measured: Any) -> None:
    figures = measured.to_json("qa")
    ranks = list(measured.at_rank.values())
    assert measured.prompts == 2
    assert 24 <= measured.tokens <= 48
    assert measured.next_next == measured.tokens - 2
    assert ranks == sorted(ranks)
    assert ranks[-1] <= measured.next_next
    assert measured.differing == 0
    for method, forwards in measured.forwards.items():
        assert figures["mean_accepted_tokens"][method] == measured.tokens / forwards >= 1


def test_a_conversation_is_put_as_its_template_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And as plain text to a model without a template."""
    taken: list[list[int]] = []

    def take(_: object, ids: list[int], *__: object) -> None:
        taken.append(ids)
        raise LogitSpecError("Enough.")

    monkeypatch.setattr(evaluate, "decode_greedily", take)
    own = evaluate.Conditions("builtin", "cpu", "float32", 9, ())
    chat = [{"role": "user", "content": "ABBA"}]
    chat += [{"role": "assistant", "content": "BABA"}, {"role": "user", "content": "ABAB"}]
    for model in (load(), (runner("llama"), tokenizer())):
        monkeypatch.setattr(evaluate, "_load_once", lambda *_, model=model: model)
        with pytest.raises(LogitSpecError, match=r"Enough\."):
            evaluate.measure(evaluate.Prompt("math", chat, "A"), own)
    _, template = load()
    assert taken[0] == template.apply_chat_template(
        chat, add_generation_prompt=True, return_dict=False
    )
    assert tokenizer().decode(taken[1]).endswith("ABAB")


def test_ranks_are_those_of_the_logits() -> None:
    target, tokenizer = load()
    prompt = evaluate.draw_prompts("qa", 1, 5)[0]
    ids = tokenizer.apply_chat_template(prompt.chat, add_generation_prompt=True, return_dict=False)
    row = evaluate.measure(prompt, evaluate.Conditions("builtin", "cpu", "float32", 24, ()))
    with torch.inference_mode():
        out = target.model.generate(torch.tensor([ids]), max_new_tokens=24, do_sample=False)[0]
        logits = target.model(out[None]).logits[0]
    expected = dict.fromkeys(evaluate.RANKS, 0)
    for place in range(len(ids), len(out) - 1):
        rank = int((logits[place - 1] > logits[place - 1][out[place + 1]]).sum())
        for most in expected:
            expected[most] += 1 <= rank <= most
    assert row.at_rank == expected


def test_two_processes_count_the_same(measured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In forks, which have already imported everything; their inputs and results are still pickled."""
    fork = multiprocessing.get_context("fork")
    monkeypatch.setattr("multiprocessing.get_context", lambda method: fork)
    under = evaluate.Conditions("builtin", "cpu", "float32", 24, evaluate.METHODS)
    again = evaluate.measure_all(evaluate.draw_prompts("qa", 2, 5), under, 2)["qa"]
    assert again == measured


def test_the_command_prints_a_table_and_one_json_line(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    wrong = tmp_path / "wrong.jsonl"
    code = main(
        ["evaluate", "--prompts", "1", "--tasks", "story", "code: edits", "story", "--max-new-tokens", "5",
         "--quick", "--wrong", str(wrong)]
    )  # fmt: skip
    assert code == 0
    lines = capsys.readouterr().out.splitlines()
    figures = json.loads(lines[-1])
    assert [row["task"] for row in figures["rows"]] == ["story", "code: edits"]
    assert [row["prompts"] for row in figures["rows"]] == [1, 1]
    assert figures["command"] == (
        "python -m logitspec evaluate --prompts 1 --seed 2 --tasks story 'code: edits' --max-new-tokens 5 --quick"
    )
    assert lines[-5:-1] == table(figures["rows"]).splitlines()
    assert all(row["ended"] == 0 and row["tokens"] == 5 for row in figures["rows"])
    assert len(wrong.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "--prompts", "0"], "--prompts must be 1 or more; got 0."),
        (["evaluate", "--processes", "0"], "--processes must be 1 or more; got 0."),
        (
            ["train", "--device", "tea"],
            "The device 'tea' is not available here; choose auto, cpu or cuda.",
        ),
        (["train", "--hours", "0"], "--hours must be more than 0; got 0.0."),
        (["train", "--hours", "nan"], "--hours must be more than 0; got nan."),
        (
            ["train", "--steps", "-1"],
            "--steps must be 1 or more, or 0 for a run of some hours; got -1.",
        ),
        (["train", "--rate", "inf"], "--rate must be more than 0; got inf."),
        (["train", "--decay", "0"], "--decay must be more than 0 and at most 1; got 0.0."),
        (
            ["train", "--seed", "-1"],
            "--seed must be from 0 to 2^63 - 1; got -1.",
        ),
        (
            ["train", "--start", "nowhere"],
            "nowhere holds no model trained by this command; name a folder that does.",
        ),
    ],
)
def test_what_leads_to_no_end_is_refused(
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def too_late(*_: object) -> None:
        pytest.fail("the work has begun")

    monkeypatch.setattr("logitspec.builtin.evaluate.draw_prompts", too_late)
    monkeypatch.setattr("logitspec.builtin.evaluate.measure_all", too_late)
    monkeypatch.setattr("logitspec.builtin.train.prepare", too_late)
    monkeypatch.setattr("pathlib.Path.mkdir", too_late)
    assert main(words) == 2
    assert capsys.readouterr().err == message + "\n"


@pytest.mark.parametrize("option", ["--out", "--work"])
def test_training_begins_only_where_its_results_can_be_written(
    option: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "logitspec.builtin.train.prepare", lambda *_: pytest.fail("the work has begun")
    )
    (tmp_path / "file").touch()
    folders = {"--out": str(tmp_path / "out"), "--work": str(tmp_path / "work")}
    folders[option] = str(tmp_path / "file" / "folder")
    assert main(["train", *(word for pair in folders.items() for word in pair)]) == 2
    assert capsys.readouterr().err == "Can't use folder (Not a directory).\n"


def test_the_shipped_card_is_what_its_figures_say(tmp_path: pathlib.Path) -> None:
    for name in ("config.json", TRAINING, EVALUATION):
        (tmp_path / name).write_bytes((MODEL / name).read_bytes())
    write_card(tmp_path)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card == (MODEL / "README.md").read_text(encoding="utf-8")
    figures = json.loads((MODEL / EVALUATION).read_text(encoding="utf-8"))
    assert table(figures["rows"]) in card
    assert {row["task"] for row in figures["rows"]} == set(RULES)
    assert all(row["prompts"] >= 50 for row in figures["rows"])


def test_a_card_has_no_figures_of_what_was_not_measured(tmp_path: pathlib.Path) -> None:
    for name in ("config.json", TRAINING):
        (tmp_path / name).write_bytes((MODEL / name).read_bytes())
    figures = json.loads((MODEL / EVALUATION).read_text(encoding="utf-8"))

    def card(rows: list[dict[str, Any]]) -> str:
        (tmp_path / EVALUATION).write_text(json.dumps({**figures, "rows": rows}))
        write_card(tmp_path)
        return (tmp_path / "README.md").read_text(encoding="utf-8")

    rows = {row["task"]: row for row in figures["rows"]}
    text = card([rows["math"]])
    assert "In 0 of 100 runs a method's output differed" in text
    differing = "In 3 of 100 runs a method's output differed from that of plain decoding.\n"
    assert differing in card([rows["math"] | {"differing": 3}])  # nobody has looked why
    assert "Stories:" not in text
    assert "functions that parse" not in text
    text = card([rows["code: functions"] | {"mean_accepted_tokens": {}}])  # with --quick
    assert "100%" in text[text.index("Written functions that parse:") :].splitlines()[0]
    for absent in ("Stories:", "runs a method's output", "The last columns"):
        assert absent not in text
