"""The built-in model: its corpus, its tokenizer, its training and the weights that are shipped."""

from __future__ import annotations

import ast
import itertools
import json
import operator
import pathlib
import random
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from logitspec.builtin import MODEL_DIR
from logitspec.builtin.corpus import TASKS, samples
from logitspec.builtin.data import Packer, encode
from logitspec.builtin.recipe import Settings
from logitspec.builtin.tasks import Sample
from logitspec.builtin.tokenizer import messages, train_tokenizer
from logitspec.builtin.train import Run, prepare, save
from logitspec.builtin.words import EVAL_MEN, EVAL_TOWNS, EVAL_WOMEN, Words

EXAMPLES = MODEL_DIR.parent / "prompts" / "examples.jsonl"
TINY: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}


def take(count: int, category: str | None = None, seed: int = 3, **options: Any) -> list[Sample]:
    return list(itertools.islice(samples(seed, category=category, **options), count))


def answers(sample: Sample) -> list[str]:
    return [answer for _, answer in sample.turns]


@pytest.fixture(scope="module")
def small_tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(count=200, vocabulary=600)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MODEL_DIR)


# The corpus


def test_the_corpus_depends_on_the_seed_alone() -> None:
    assert take(60, seed=5) == take(60, seed=5)
    assert take(60, seed=5) != take(60, seed=6)


def test_the_corpus_is_diverse() -> None:
    found = take(1000)
    assert {sample.category for sample in found} == set(TASKS)
    assert len({sample.prompt for sample in found}) > 980
    assert len({word for sample in found for word in re.findall(r"\w+", sample.prompt)}) > 3000


def test_evaluation_shares_no_name_and_no_prompt_with_training() -> None:
    train, held_out = take(3000), take(1000, split="eval")
    seen = {
        word for s in train for text in (s.prompt, *answers(s)) for word in re.findall(r"\w+", text)
    }
    assert not seen & {*EVAL_MEN, *EVAL_WOMEN, *EVAL_TOWNS}
    assert not {s.prompt for s in train} & {s.prompt for s in held_out}
    coined = {
        split: {Words(random.Random(seed), split).coined() for seed in range(3000)}
        for split in ("train", "eval")
    }  # fmt: skip
    assert not coined["train"] & coined["eval"]


def solve(problem: str) -> int:
    """The answer to a word problem, read off its numbers by the kind of its story."""
    n = [int(number) for number in re.findall(r"\d+", problem)]
    if "What is" in problem:
        signs = {"+": operator.add, "-": operator.sub, "*": operator.mul}
        sign = re.search(r"\d ([-+*]) \d", problem)
        assert sign
        return int(signs[sign[1]](n[0], n[1])) + n[2]
    kinds: dict[str, Callable[[], int]] = {
        "have left?": lambda: n[0] + n[1] - n[2],
        "there in all?": lambda: n[0] * n[1] + n[2],
        "get back?": lambda: n[3] - n[0] * n[1] - n[2],
        "each friend get?": lambda: (n[0] - n[1]) // n[2],
        "travel?": lambda: n[0] * n[1] + n[2],
        "together?": lambda: n[0] + n[0] * n[1],
    }
    (kind,) = [kind for kind in kinds if problem.endswith(kind)]
    return kinds[kind]()


def test_worked_problems_are_right() -> None:
    signs = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
    for problem, worked in [turn for sample in take(400, "math") for turn in sample.turns]:
        if not problem.startswith(("Work", "Calculate")):
            assert re.findall(r"answer is (\d+)\.$", worked) == [str(solve(problem))], problem
        steps = re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)", worked)
        assert len(steps) >= 2
        for left, sign, right, result in steps:
            assert signs[sign](int(left), int(right)) == int(result)


def blocks(text: str) -> list[ast.FunctionDef]:
    found = [ast.parse(code).body for code in re.findall(r"```python\n(.*?)\n```", text, re.S)]
    return [body[0] for body in found if isinstance(body[0], ast.FunctionDef)]


def names(function: ast.FunctionDef) -> set[str]:
    return {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} | {
        n.arg for n in ast.walk(function) if isinstance(n, ast.arg)
    }


def check_edit(ask: str, old: ast.FunctionDef, new: ast.FunctionDef) -> None:
    if rename := re.search(r"Rename the (\w+) `?(\w+)`? to `?(\w+)`?\.", ask):
        what, before, after = rename.groups()
        text = re.sub(rf"\b{before}\b", after, ast.unparse(old))
        doc = ast.get_docstring(old)
        assert before in (names(old) | {old.name})
        assert before not in (names(new) | {new.name} if what == "variable" else {new.name})
        if doc is None:
            assert text == ast.unparse(new)
    elif add := re.search(r"parameter `?(\w+)`? with (?:the )?default (?:value )?`?(\w+)`?\.", ask):
        assert [a.arg for a in new.args.args] == [a.arg for a in old.args.args] + [add[1]]
        assert ast.unparse(new.args.defaults[-1]) == add[2]
        assert [ast.dump(n) for n in old.body] == [ast.dump(n) for n in new.body]
    else:
        assert "docstring" in ask
        doc = ast.get_docstring(new)
        assert doc is not None
        assert doc.lower() in ask.lower()
        assert [ast.dump(n) for n in old.body] == [ast.dump(n) for n in new.body[1:]]


def test_code_compiles_and_edits_do_what_they_say() -> None:
    edits = 0
    for sample in take(400, "code"):
        current: ast.FunctionDef | None = None
        for ask, answer in sample.turns:
            (made,) = blocks(answer)
            given = blocks(ask)
            if given:
                current = given[0]
            if current is None:
                assert made.name in ask
            else:
                check_edit(ask, current, made)
                edits += 1
            current = made
    assert edits > 300


ORACLES: dict[str, Any] = {
    "returns the sum": sum,
    "returns the product": lambda x: x[0] * x[1] * x[2],
    "that are not empty": len,
    "doubled": lambda x: [x[0] * 2, x[1] * 2, x[2] * 2],
    "squares": lambda x: [x[0] ** 2, x[1] ** 2, x[2] ** 2],
    "above zero": list,
    "keeps the even": lambda x: [v for v in x if not v % 2],
    "without repeats": lambda x: list(dict.fromkeys(x)),
    "how often": lambda x: {v: x.count(v) for v in x},
    "in reverse": lambda x: x[::-1],
    "largest": max,
    "smallest": min,
    "average": lambda x: sum(x) / 3,
}


def test_written_functions_do_what_they_say() -> None:
    tried = set()
    for sample in take(400, "code"):
        ask, answer = sample.turns[0]
        for phrase in ORACLES:
            if ask.startswith(("Write", "I need")) and phrase in ask:
                (made,) = blocks(answer)
                space: dict[str, Any] = {}
                exec(ast.unparse(made), space)
                assert space[made.name]([3, 8, 3]) == ORACLES[phrase]([3, 8, 3]), answer
                tried.add(phrase)
    assert tried == set(ORACLES)


def test_translations_agree_in_gender_and_length() -> None:
    articles = {
        "Apfel": {"der", "den", "einen"},
        "Buch": {"das", "ein"},
        "Lampe": {"die", "eine"},
    }
    seen = set()
    for ask, answer in [turn for sample in take(300, "translation") for turn in sample.turns]:
        source = re.split(r": |\n", ask, maxsplit=1)[1]
        assert source.count(".") == answer.count(".")
        german = answer if "into German" in ask or "to German" in ask else source
        for noun, right in articles.items():
            for article in re.findall(rf"\b([dD]\w\w|ein\w*) (?:\w+ )?{noun}\b", german):
                assert article.lower() in right, german
                seen.add(noun)
    assert seen == set(articles)


def test_summaries_and_quotes_are_copied_from_the_passage() -> None:
    for sample in take(200, "summarization"):
        passage, summary = sample.turns[0]
        for sentence in re.split(r"(?<=\.) ", summary.removeprefix("In short: ")):
            assert sentence in passage
        assert len(summary) < len(passage)
    for sample in take(200, "qa"):
        for _, answer in sample.turns:
            (quote,) = re.findall(r'"(.*)"', answer)
            assert quote in sample.turns[0][0]


# The tokenizer


@pytest.mark.parametrize("which", ["small_tokenizer", "tokenizer"])
def test_every_text_survives_the_tokenizer(which: str, request: pytest.FixtureRequest) -> None:
    chosen = request.getfixturevalue(which)
    draw = random.Random(0)
    texts = [
        "",
        " ",
        "\n\n  x\t\r\n",
        "Straße 12,5 – naïve 日本語 👩‍👩‍👧 \x00\x7f",
        "    return x\n",
    ]
    texts += ["".join(chr(draw.choice([draw.randrange(0xD800), draw.randrange(0xE000, 0x110000)]))
                      for _ in range(40)) for _ in range(50)]  # fmt: skip
    for text in texts:
        ids = chosen(text, add_special_tokens=False)["input_ids"]
        assert chosen.decode(ids, clean_up_tokenization_spaces=False) == text


def test_digits_stand_alone(tokenizer: Any) -> None:
    pieces = [tokenizer.decode([token]) for token in tokenizer("1984 = 12")["input_ids"]]
    assert [piece for piece in pieces if piece.isdigit()] == list("198412")


def test_the_chat_template_writes_what_training_saw(tokenizer: Any) -> None:
    for sample in take(20):
        chat = messages(sample)
        ids = tokenizer.apply_chat_template(chat, tokenize=True, return_dict=False)
        trained, weights = encode(tokenizer, sample)
        assert trained[:-1] == ids
        said = [token for token, weight in zip(trained, weights, strict=True) if weight == 1]
        assert tokenizer.decode(said) == "".join(f"{answer}<|end|>" for answer in answers(sample))
        prompt = tokenizer.apply_chat_template(
            chat[:-1], tokenize=True, add_generation_prompt=True, return_dict=False
        )
        assert ids[: len(prompt)] == prompt
        assert tokenizer.decode(prompt[-1:]) == "<|assistant|>"


def test_rows_are_full_and_weigh_prompts_less(small_tokenizer: PreTrainedTokenizerFast) -> None:
    packer = Packer(small_tokenizer, np.zeros(0, np.uint16), seed=1)
    first, weights = packer.batch(256, 64)
    second, _ = packer.batch(256, 64)
    assert first.shape == weights.shape == (4, 65)
    assert sorted({float(weight) for weight in weights.flat}) == pytest.approx([0.1, 1.0])
    # Each row begins with the token that the row before predicted last.
    assert first[1:, 0].tolist() == first[:-1, -1].tolist()
    assert second[0, 0] == first[-1, -1]


# Training


def tiny_run(tokenizer: PreTrainedTokenizerFast, steps: int = 6) -> Run:
    settings = Settings(
        steps=steps, tokens_per_step=128, lengths=(32, 64), shares_start=(1, 0), shares_end=(0, 1),
        device="cpu", prose_share=0.3,
    )  # fmt: skip
    return prepare(settings, tokenizer, ["Once upon a time there was a fox. " * 40], **TINY)


def test_a_resumed_run_goes_on_exactly(
    small_tokenizer: PreTrainedTokenizerFast, tmp_path: pathlib.Path
) -> None:
    whole = tiny_run(small_tokenizer)
    losses = [whole.advance() for _ in range(6)]
    first = tiny_run(small_tokenizer)
    again = [first.advance() for _ in range(3)]
    first.checkpoint(tmp_path / "checkpoint.pt")
    second = tiny_run(small_tokenizer)
    second.restore(tmp_path / "checkpoint.pt")
    again += [second.advance() for _ in range(3)]
    assert again == losses
    assert (second.step, second.tokens) == (whole.step, whole.tokens) == (6, 768)


def test_training_learns(small_tokenizer: PreTrainedTokenizerFast) -> None:
    run = tiny_run(small_tokenizer, steps=100)
    before = run.evaluate(rows=2, length=64)["answers"]
    for _ in range(100):
        run.advance()
    assert run.evaluate(rows=2, length=64)["answers"] < before - 0.5


def test_a_saved_model_loads(
    small_tokenizer: PreTrainedTokenizerFast, tmp_path: pathlib.Path
) -> None:
    run = tiny_run(small_tokenizer)
    run.advance()
    save(run, tmp_path, [])
    model: Any = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert model.dtype == torch.bfloat16
    for name, parameter in model.named_parameters():
        trained = run.model.get_parameter(name)
        assert torch.equal(parameter, trained.to(torch.bfloat16)), name
    assert "128" in (tmp_path / "README.md").read_text(encoding="utf-8")


# The weights that are shipped


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_pretrained(MODEL_DIR).float()


def examples() -> list[dict[str, Any]]:
    return [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]


def test_the_shipped_model_is_small_and_loads_fast() -> None:
    shards = list(MODEL_DIR.glob("*.safetensors"))
    assert shards
    assert max(shard.stat().st_size for shard in shards) <= 9.5e6
    started = time.perf_counter()
    AutoModelForCausalLM.from_pretrained(MODEL_DIR)
    AutoTokenizer.from_pretrained(MODEL_DIR)
    assert time.perf_counter() - started < 2


def test_examples_have_the_form_of_spec_bench() -> None:
    found = examples()
    assert {example["category"] for example in found} == set(TASKS)
    assert len({example["question_id"] for example in found}) == len(found)
    for example in found:
        assert all(isinstance(turn, str) and turn for turn in example["turns"])
        assert len(example.get("reference", example["turns"])) == len(example["turns"])


def test_the_shipped_model_answers_the_examples(model: Any, tokenizer: Any) -> None:
    tokenizer.padding_side = "left"
    prompts = [[{"role": "user", "content": example["turns"][0]}] for example in examples()]
    batch = tokenizer.apply_chat_template(
        prompts, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
    )
    length = batch["input_ids"].shape[1]
    with torch.inference_mode():
        output = model.generate(**batch, max_new_tokens=160)[:, length:].tolist()
    for example, ids in zip(examples(), output, strict=True):
        text = tokenizer.decode(ids, skip_special_tokens=True)
        ended = any(token in ids for token in model.generation_config.eos_token_id)
        assert ended or len(ids) == 160
        words = re.findall(r"\w+", text)
        assert len(words) >= 8, text
        assert len({*zip(words, words[1:], words[2:], strict=False)}) > len(words) / 4, text
        if "reference" in example:
            wanted = set(re.findall(r"\b[A-Z]\w+", example["reference"][0]))
            copied = wanted & set(re.findall(r"\b[A-Z]\w+", example["turns"][0]))
            assert not copied or copied & set(words), text
        if example["category"] == "math":
            (answer,) = re.findall(r"answer is (\d+)", text)
            assert int(answer) == solve(example["turns"][0])
