"""The built-in model: its corpus, its tokenizer, its training and the weights that are shipped."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
import json
import lzma
import pathlib
import random
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from logitspec.builtin.corpus import TASKS, samples
from logitspec.builtin.data import (
    PROMPT_WEIGHT,
    Packer,
    encode,
    encode_prose,
    read_prose,
    special_ids,
)
from logitspec.builtin.grade import is_right, kind
from logitspec.builtin.probe import probe
from logitspec.builtin.recipe import (
    Settings,
    choose_loss_places,
    model_config,
    prose_share,
    rate_factor,
    row_length,
    weighted_loss,
)
from logitspec.builtin.tasks import Sample
from logitspec.builtin.tokenizer import CONTEXT, chat_messages, train_tokenizer
from logitspec.builtin.train import Run, prepare, save, train
from logitspec.builtin.words import (
    EVAL_MEN,
    EVAL_TOWNS,
    EVAL_WOMEN,
    MEN,
    NAMES,
    TOWNS,
    WOMEN,
    Split,
    Words,
)
from logitspec.errors import LogitSpecError
from logitspec.paths import MODEL
from logitspec.publish.demos import TRACES
from logitspec.trace.records import Trace

EXAMPLES = MODEL.parent / "prompts" / "examples.jsonl"
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


def words_in(words: list[Sample]) -> set[str]:
    texts = (text for sample in words for turn in sample.turns for text in turn)
    return {word for text in texts for word in re.findall(r"\w+", text)}


@pytest.fixture(scope="module")
def small_tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(count=600, vocabulary=900)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MODEL)


@pytest.fixture(params=["small_tokenizer", "tokenizer"])
def either(request: pytest.FixtureRequest) -> Any:
    """A tokenizer made just now, and the shipped one."""
    return request.getfixturevalue(request.param)


# The corpus


def test_the_corpus_depends_on_the_seed_alone() -> None:
    assert take(60, seed=5) == take(60, seed=5)
    assert take(60, seed=5) != take(60, seed=6)
    assert take(30, "code", split="eval") == take(30, "code", split="eval")


def test_the_corpus_is_diverse() -> None:
    result = take(1000)
    assert {sample.category for sample in result} == set(TASKS)
    assert len({sample.prompt for sample in result}) == 1000
    assert len({word for sample in result for word in re.findall(r"\w+", sample.prompt)}) > 4000


def test_one_category_can_be_asked_for() -> None:
    for category in TASKS:
        assert {sample.category for sample in take(20, category)} == {category}
    with pytest.raises(KeyError):
        take(1, "poetry")


def test_evaluation_shares_nothing_with_training(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[Split, set[Any]] = {"train": set(), "eval": set()}

    def note(name: str) -> None:
        original = getattr(Words, name)

        def noting(self: Words, *given: Any) -> Any:
            result = original(self, *given)
            label = [getattr(part, "__name__", str(part)) for part in result]
            drawn[self.split].add(result if name == "coin_word" else tuple(label))
            return result

        monkeypatch.setattr(Words, name, noting)

    note("coin_word")
    note("combination")
    train, held_out = take(3000), take(150, split="eval")
    assert min(map(len, drawn.values())) > 3000
    assert not drawn["train"] & drawn["eval"]
    assert not {s.prompt for s in train} & {s.prompt for s in held_out}
    assert not words_in(train) & {*EVAL_MEN, *EVAL_WOMEN, *EVAL_TOWNS}
    # "Will" and "Mark" are words that may begin a sentence.
    assert not words_in(held_out) & {*MEN, *WOMEN, *TOWNS} - {"Will", "Mark"}


# The tokenizer


def test_every_text_survives_the_tokenizer(either: Any) -> None:
    draw = random.Random(0)
    texts = [
        "",
        " ",
        "\n\n  x\t\r\n",
        "Straße 12,5 – naïve 日本語 👩‍👩‍👧 \x00\x7f",
        "    return x\n",
        "  \u00a0\u2003 a \u200b e\u0301 don't  ",
    ]
    texts += ["".join(chr(draw.choice([draw.randrange(0xD800), draw.randrange(0xE000, 0x110000)]))
                      for _ in range(40)) for _ in range(50)]  # fmt: skip
    for text in texts:
        ids = either(text, add_special_tokens=False)["input_ids"]
        assert either.decode(ids, clean_up_tokenization_spaces=False) == text


def test_digits_stand_alone(either: Any) -> None:
    pieces = [either.decode([token]) for token in either("1984 = 12")["input_ids"]]
    assert [piece for piece in pieces if piece.isdigit()] == list("198412")


def test_the_chat_template_writes_what_training_saw(either: Any) -> None:
    for sample in take(20):
        chat = chat_messages(sample)
        ids = either.apply_chat_template(chat, tokenize=True, return_dict=False)
        trained, weights = encode(either, sample)
        assert trained[:-1] == ids
        own_words = [token for token, weight in zip(trained, weights, strict=True) if weight == 1]
        assert either.decode(own_words) == "".join(f"{answer}<|end|>" for answer in answers(sample))
        prompt = either.apply_chat_template(
            chat[:-1], tokenize=True, add_generation_prompt=True, return_dict=False
        )
        assert ids[: len(prompt)] == prompt
        assert either.decode(prompt[-1:]) == "<|assistant|>"


def test_a_word_has_the_same_tokens_everywhere(small_tokenizer: PreTrainedTokenizerFast) -> None:
    def ids(text: str) -> list[int]:
        result: list[int] = small_tokenizer(text, add_special_tokens=False)["input_ids"]
        return result

    held_out = Words(random.Random(0), "eval")
    coined = [held_out.coin_word() for _ in range(300)]
    rare = {*coined, *(word.capitalize() for word in coined), *NAMES}
    known = {word for word in words_in(take(200)) if word.isalpha()} - rare
    (space,) = ids(" ")
    alone = 0
    for word in sorted(rare | known):
        inside = ids(word)
        for before in ["\n", "(", '"', "`", "_", "7"]:
            assert ids(before + word) == ids(before) + inside, word
        behind = ids(f" {word}")
        if word in rare or len(behind) > 1:
            assert behind == [space, *inside], word
        else:
            alone += 1
    assert alone > 200


def test_no_part_of_a_word_is_rare(small_tokenizer: PreTrainedTokenizerFast) -> None:
    held_out = Words(random.Random(1), "eval")
    unseen = [held_out.coin_word().capitalize() for _ in range(900)] + sorted(NAMES)
    trained_on = sorted(words_in(take(600, seed=0)))
    in_words: collections.Counter[str] = collections.Counter()
    for word in trained_on:
        in_words.update(set(small_tokenizer.tokenize(word)))
    parts = {part for word in unseen for part in small_tokenizer.tokenize(word) if len(part) > 1}
    assert len(parts) > 60
    assert min(in_words[part] for part in parts) >= 15


def test_frequent_words_take_the_space_along(small_tokenizer: PreTrainedTokenizerFast) -> None:
    counts = collections.Counter(
        word
        for sample in take(400, seed=0)
        for text in itertools.chain(*sample.turns)
        for word in set(re.findall(r" ([^\W\d_]+)", text))
        if word not in NAMES
    )
    for word, _ in counts.most_common(200):
        assert len(small_tokenizer(f" {word}", add_special_tokens=False)["input_ids"]) == 1, word


def test_no_merge_joins_a_space_to_a_letter(small_tokenizer: PreTrainedTokenizerFast) -> None:
    model = json.loads(small_tokenizer.backend_tokenizer.to_str())["model"]
    for pair in model["merges"]:
        left, right = pair
        assert "Ġ" not in left + right or not (left + right).strip("ĠĊĉč"), pair
    assert len(model["vocab"]) == len(set(model["vocab"].values())) == len(small_tokenizer) == 900


# Rows


def test_rows_hold_whole_conversations_and_one_beginning(
    small_tokenizer: PreTrainedTokenizerFast,
) -> None:
    packer = Packer(small_tokenizer, np.zeros(0, np.uint16), seed=1)
    stop = special_ids(small_tokenizer)[-1]
    rows = [packer.row(1024) for _ in range(60)]
    drawn = [encode(small_tokenizer, sample) for sample in take(packer.conversations, seed=1)]
    given = {tuple(ids): weights for ids, weights in drawn}
    assert len(given) == packer.conversations
    whole: list[tuple[int, ...]] = []
    for ids, weights in rows:
        assert len(ids) == len(weights) == 1025
        start = 0
        for end in [place + 1 for place, token in enumerate(ids) if token == stop]:
            whole.append(tuple(ids[start:end]))
            assert weights[start:end] == given[whole[-1]]
            start = end
        rest = tuple(ids[start:]), weights[start:]
        assert any((key[: len(rest[0])], given[key][: len(rest[0])]) == rest for key in given)
    assert len(set(whole)) == len(whole) > 100
    # Every drawn conversation is in a row or waits.
    assert set(whole).isdisjoint(tuple(ids) for ids, _ in packer.pool)
    assert len(whole) + len(packer.pool) == packer.conversations


@pytest.mark.parametrize("length", [32, 64, 128, 256, 512])
def test_an_answer_has_its_prompt_before_it(
    small_tokenizer: PreTrainedTokenizerFast, length: int
) -> None:
    user, assistant, end, stop = special_ids(small_tokenizer)
    packer = Packer(small_tokenizer, np.zeros(0, np.uint16), seed=2)
    rows = 8 if length == 128 else 40  # few conversations fit into 128 tokens, and many are drawn
    ids, weights = packer.batch(rows * length, length)
    assert ids.shape == weights.shape == (rows, length + 1)
    assert ids.dtype == np.int64
    assert weights.dtype == np.float32
    follows = {user: (end,), end: (assistant,), assistant: (end,), stop: (user,), -1: (user, stop)}
    light = np.float32(PROMPT_WEIGHT)
    for row, weighed in zip(ids.tolist(), weights, strict=True):
        state = stop
        answers = []
        for token in row:
            # A token counts as an answer between the assistant's token and the end of its turn.
            answers.append(state == assistant)
            if state == stop:
                assert token == user
            if token in (user, assistant, end, stop):
                assert token in follows[state] or state == end
                state = -1 if (state, token) == (assistant, end) else token
        assert (weighed == np.where(answers, np.float32(1), light)).all()
    assert length < 256 or (weights == 1).any(axis=1).mean() > 0.9


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "Grün".encode("latin-1"), "a.txt is not UTF-8 text; save it as UTF-8."),
        ("a.xz", lzma.compress("Grün".encode("latin-1")), "a.xz is not UTF-8 text"),
        ("a.xz", lzma.compress(b"Green")[:-9], "a.xz is cut short or damaged; save it again."),
        ("a.xz", b"Green", "a.xz is cut short or damaged; save it again."),
    ],
)
def test_prose_that_is_no_text_is_named(
    name: str, content: bytes, message: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LogitSpecError, match=message):
        read_prose(tmp_path / name)


def test_prose_has_its_share_of_rows(small_tokenizer: PreTrainedTokenizerFast) -> None:
    stories = [" ".join(map(str, range(start, start + 300))) for start in (1000, 5000)]
    prose = encode_prose(small_tokenizer, stories)
    stop = special_ids(small_tokenizer)[-1]
    texts = [small_tokenizer(text, add_special_tokens=False)["input_ids"] for text in stories]
    assert prose.tolist() == [*texts[0], stop, *texts[1], stop]
    packer = Packer(small_tokenizer, prose, seed=1)
    windows = {tuple(prose[start : start + 257].tolist()) for start in range(len(prose) - 256)}
    rows = [packer.row(256, 0.3) for _ in range(300)]
    story_rows = [(ids, weights) for ids, weights in rows if tuple(ids) in windows]
    assert 0.2 < len(story_rows) / len(rows) < 0.4
    assert len({tuple(ids) for ids, _ in story_rows}) > len(story_rows) / 2
    assert all(weights == [1.0] * 257 for _, weights in story_rows)
    user = special_ids(small_tokenizer)[0]
    assert all(ids[0] == user for ids, _ in rows if tuple(ids) not in windows)


def test_a_restored_packer_goes_on_with_the_same_rows(
    small_tokenizer: PreTrainedTokenizerFast,
) -> None:
    prose = encode_prose(small_tokenizer, ["Once upon a time there was a fox. " * 40])

    def fresh() -> Packer:
        return Packer(small_tokenizer, prose, seed=4)

    def rows(packer: Packer) -> list[Any]:
        return [packer.row(length, 0.3) for length in (512, 64, 256, 1024) * 5]

    first = fresh()
    rows(first)
    state = first.state()
    expected = rows(first)
    again = fresh()
    again.restore(json.dumps(json.loads(state)))
    assert rows(again) == expected
    assert again.state() == first.state()
    # Going back works as well as going on.
    first.restore(state)
    assert rows(first) == expected
    assert rows(fresh()) != expected


# The recipe


def test_prose_gets_rarer_towards_the_end() -> None:
    settings = Settings(prose_share=0.2, prose_share_end=0.1, prose_until=0.5)
    shares = [prose_share(progress, settings) for progress in (0, 0.5, 0.75, 1, 1.01)]
    assert shares == pytest.approx([0.2, 0.2, 0.15, 0.1, 0.1])


def test_the_recipe_is_in_itself_consistent() -> None:
    settings = Settings()
    for shares in (settings.shares_start, settings.shares_end):
        assert len(shares) == len(settings.lengths)
        assert sum(shares) == pytest.approx(1)
    assert max(settings.lengths) <= CONTEXT
    with torch.device("meta"):
        model = LlamaForCausalLM(model_config(4096))
    assert model.num_parameters() == pytest.approx(10.2e6, rel=0.01)


def drawn_weights(rows: int = 8, length: int = 200, share: float = 0.4) -> npt.NDArray[np.float32]:
    heavy = np.random.default_rng(0).random((rows, length + 1)) < share
    return np.where(heavy, 1.0, PROMPT_WEIGHT).astype(np.float32)


def test_answers_enter_the_loss_first_and_prompts_keep_their_weight() -> None:
    weights = drawn_weights()
    flat = weights[:, 1:].flatten()
    places, chosen = choose_loss_places(weights, 0.6, "0-1")
    assert len(set(places.tolist())) == len(places) == len(chosen) == 960
    assert set(np.flatnonzero(flat == 1)) < set(places.tolist())
    answer = flat[places] == 1
    assert (chosen[answer] == 1).all()
    assert np.unique(chosen[~answer]).size == 1
    assert chosen[~answer].sum() == pytest.approx(flat[flat < 1].sum(), rel=1e-5)
    everything, same = choose_loss_places(weights, 1.0, "0-1")
    assert everything.tolist() == list(range(1600))
    assert same == pytest.approx(flat)
    # Too few places for all answers: then nothing else is taken.
    few, weighed = choose_loss_places(weights, 0.2, "0-1")
    assert len(few) == 320
    assert (flat[few] == 1).all()
    assert (weighed == 1).all()


def test_the_choice_of_prompts_depends_on_the_seed_alone() -> None:
    weights = drawn_weights()
    assert weights.tolist() == drawn_weights().tolist()
    first, second, other = (
        choose_loss_places(weights, 0.6, seed)[0] for seed in ("0-1", "0-1", "0-2")
    )
    assert first.tolist() == second.tolist() != other.tolist()
    # Over many steps every prompt token has its turn.
    often = collections.Counter(
        place
        for step in range(200)
        for place in choose_loss_places(weights, 0.6, f"0-{step}")[0].tolist()
    )
    light = [often[int(place)] for place in np.flatnonzero(weights[:, 1:].flatten() < 1)]
    assert min(light) > 0.5 * np.mean(light)


def test_rows_grow_longer() -> None:
    settings = Settings(lengths=(64, 128), shares_start=(1, 0), shares_end=(0.25, 0.75), seed=2)

    def longer(progress: float, seed: int = 2) -> list[bool]:
        changed = dataclasses.replace(settings, seed=seed)
        result = [row_length(progress, step, changed) for step in range(2000)]
        assert set(result) <= {64, 128}
        return [length == 128 for length in result]

    assert not any(longer(0))
    assert 0.33 < np.mean(longer(0.5)) < 0.42
    assert 0.7 < np.mean(longer(1)) < 0.8
    assert longer(1) == longer(1) == longer(1.5) != longer(1, seed=3)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    settings = Settings(warmup=0.1, decay=0.4)
    result = {place: rate_factor(place / 100, settings) for place in range(131)}
    assert result[0] == 0.01
    assert result[5] == pytest.approx(0.5)
    assert {result[place] for place in range(10, 60)} == {1.0}
    assert result[80] == pytest.approx(0.5)
    assert {result[place] for place in range(100, 131)} == {0.02}
    falling = [result[place] for place in range(60, 131)]
    assert falling == sorted(falling, reverse=True)


@pytest.mark.parametrize(("bfloat16", "near"), [(True, 1e-2), (False, 1e-5)])
def test_the_loss_is_the_weighted_mean_of_token_losses(
    bfloat16: bool, near: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    config = model_config(50, **TINY, initializer_range=0.5)
    model = LlamaForCausalLM(config).eval()
    ids = torch.randint(50, (3, 21))
    draw = np.random.default_rng(1)
    places = np.sort(draw.permutation(60)[:25])
    weights = draw.random(25)
    total = 0.0
    with torch.no_grad():
        for place, weight in zip(places.tolist(), weights.tolist(), strict=True):
            row, position = divmod(place, 20)
            logits = model(ids[row : row + 1, : position + 1]).logits[0, -1].double()
            chance = torch.softmax(logits, -1)[ids[row, position + 1]]
            total -= weight * float(torch.log(chance))
        if not bfloat16:
            monkeypatch.setattr(torch, "autocast", lambda *_: contextlib.nullcontext())
        loss = weighted_loss(
            model, ids, torch.from_numpy(places), torch.from_numpy(weights.astype(np.float32))
        )
    assert loss.shape == ()
    assert float(loss) == pytest.approx(total / weights.sum(), rel=near)


# Training


def tiny_run(tokenizer: PreTrainedTokenizerFast, steps: int = 6, **architecture: Any) -> Run:
    """A run whose rows are long enough for whole conversations, or so short that the beginning of any fills
    them: with lengths in between, most drawn conversations are thrown away."""
    settings = Settings(
        steps=steps, tokens_per_step=256, lengths=(64, 256), shares_start=(1, 0),
        shares_end=(0, 1), device="cpu", prose_share=0.3,
    )  # fmt: skip
    texts = ["Once upon a time there was a fox. " * 40]
    return prepare(settings, tokenizer, texts, **(architecture or TINY))


def test_a_resumed_run_goes_on_exactly(
    small_tokenizer: PreTrainedTokenizerFast, tmp_path: pathlib.Path
) -> None:
    whole = tiny_run(small_tokenizer)
    losses = [whole.advance() for _ in range(6)]
    first = tiny_run(small_tokenizer)
    again = [first.advance() for _ in range(3)]
    first.evaluate(count=1)
    first.checkpoint(tmp_path / "checkpoint.pt")
    second = tiny_run(small_tokenizer)
    second.restore(tmp_path / "checkpoint.pt")
    assert second.held_out == first.held_out
    again += [second.advance() for _ in range(3)]
    assert again == losses
    assert (second.step, second.tokens) == (whole.step, whole.tokens) == (6, 1536)
    assert whole.progress == 1


def test_a_run_can_begin_with_given_weights(
    small_tokenizer: PreTrainedTokenizerFast, tmp_path: pathlib.Path
) -> None:
    run = tiny_run(small_tokenizer, steps=2)
    train(run, tmp_path / "old", tmp_path / "checkpoint.pt", [])
    other = train_tokenizer(count=300, vocabulary=800, seed=9)
    settings = dataclasses.replace(run.settings, start=str(tmp_path / "old"))
    begun = prepare(settings, other, [], **TINY)
    given = {name: value.to(torch.bfloat16).float() for name, value in run.model.named_parameters()}
    rows = given.pop("model.embed_tokens.weight")
    mine: Any = dict(begun.model.named_parameters())
    embedding = mine.pop("model.embed_tokens.weight")
    for name, value in given.items():
        assert torch.equal(mine[name], value), name
    assert begun.model.lm_head.weight is embedding
    old, saved, new = small_tokenizer.get_vocab(), 0, 0
    for token, place in other.get_vocab().items():
        if token in old:
            saved += 1
            assert torch.equal(embedding[place], rows[old[token]]), token
        elif token.isascii() and token.isalpha():
            new += 1
            spelt = small_tokenizer(token, add_special_tokens=False)["input_ids"]
            assert torch.allclose(embedding[place], rows[spelt].mean(0)), token
    assert saved > 300
    assert new > 10
    train(begun, tmp_path / "new", tmp_path / "second.pt", [])
    facts = json.loads((tmp_path / "new" / "training.json").read_text(encoding="utf-8"))
    assert facts["before"]["tokens"] == run.tokens
    assert [probe["tokens"] for probe in facts["curve"]][-1] == run.tokens + begun.tokens
    assert f"{run.tokens:,} of the weights" in (tmp_path / "new" / "README.md").read_text("utf-8")
    for change in [{"hidden_size": 48}, {"num_hidden_layers": 2}]:
        with pytest.raises(LogitSpecError, match="have other shapes"):
            prepare(settings, other, [], **TINY | change)
    with pytest.raises(LogitSpecError, match="holds no model"):
        prepare(dataclasses.replace(settings, start=str(tmp_path)), other, [], **TINY)


def test_training_learns(small_tokenizer: PreTrainedTokenizerFast) -> None:
    run = tiny_run(small_tokenizer, steps=40)
    before = run.evaluate(count=2)
    for _ in range(40):
        run.advance()
    after = run.evaluate(count=2)
    assert set(before) == set(after) == set(TASKS)
    for category, result in after.items():
        assert set(result) == {"loss", "exact"}
        assert result["loss"] < before[category]["loss"] - 0.5, category
        assert 0 <= result["exact"] <= 1


def test_a_saved_model_loads(
    small_tokenizer: PreTrainedTokenizerFast, tmp_path: pathlib.Path
) -> None:
    run = tiny_run(small_tokenizer, num_hidden_layers=7)  # of the recipe's size
    run.advance()
    run.evaluate(count=1)
    save(run, tmp_path, [])
    shards = list(tmp_path.glob("*.safetensors"))
    assert len(shards) >= 2
    assert max(shard.stat().st_size for shard in shards) <= 9.5e6
    model: Any = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert model.dtype == torch.bfloat16
    for name, parameter in model.named_parameters():
        trained = run.model.get_parameter(name)
        assert torch.equal(parameter, trained.to(torch.bfloat16)), name
    again = AutoTokenizer.from_pretrained(tmp_path)
    for sample in take(5):
        assert encode(again, sample) == encode(small_tokenizer, sample)
    assert set(model.generation_config.eos_token_id) == {*special_ids(again)[2:]}
    assert "| tokens seen | 256 |" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_the_probe_agrees_with_greedy_generation(
    small_tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    taught = [
        Sample("qa", (("Who?", "The fox of Oslo."), ("And?", "A crow."))),
        Sample("qa", (("Where?", "In 42 boats."),)),
        Sample("qa", (("Which colour?", "Blue or red, as you like."),)),
    ]
    prompts = [
        *taught,
        Sample("qa", (("Where?", "In 43 boats."), ("And?", "A crow."))),
        Sample("qa", (("Who?", "The fox of Oslo. It ran."),)),
        Sample("qa", (("Which colour?", "Blue"),)),
    ]
    model = LlamaForCausalLM(model_config(len(small_tokenizer), **TINY | {"hidden_size": 64}))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(200):
        for sample in taught:
            ids = torch.tensor([encode(small_tokenizer, sample)[0]])
            model(ids, labels=ids).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    model.eval()
    assistant, end = special_ids(small_tokenizer)[1:3]
    hits: list[bool] = []
    losses: list[float] = []
    for sample in prompts:
        chat = chat_messages(sample)
        for turn in range(1, len(chat), 2):
            prompt, whole = (
                small_tokenizer.apply_chat_template(
                    part, add_generation_prompt=start, tokenize=True, return_dict=False
                )
                for part, start in ((chat[:turn], True), (chat[: turn + 1], False))
            )
            answer = whole[len(prompt) :]
            assert (prompt[-1], answer[-1]) == (assistant, end)
            with torch.no_grad():
                output = model.generate(
                    torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)),
                    do_sample=False, max_new_tokens=len(answer), eos_token_id=end, pad_token_id=end,
                )  # fmt: skip
                labels = torch.tensor([[-100] * len(prompt) + answer])
                mean = float(model(torch.tensor([whole]), labels=labels).loss)
            hits.append(output[0, len(prompt) :].tolist() == answer)
            losses += [mean] * len(answer)
    assert 4 <= sum(hits) < len(hits)

    def asking(seed: int, split: Split, category: str) -> Iterator[Sample]:
        assert (split, category) == ("eval", "qa")
        return itertools.cycle(prompts)

    monkeypatch.setattr("logitspec.builtin.probe.samples", asking)
    result = probe(model, small_tokenizer, "qa", len(prompts), torch.device("cpu"))
    assert result["exact"] == pytest.approx(sum(hits) / len(hits), abs=1e-4)
    assert result["loss"] == pytest.approx(sum(losses) / len(losses), abs=1e-3)


# The weights that are shipped


def examples() -> list[dict[str, Any]]:
    return [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]


def test_the_shipped_model_is_small() -> None:
    shards = list(MODEL.glob("*.safetensors"))
    assert shards
    assert max(shard.stat().st_size for shard in shards) <= 9.5e6
    assert sum(file.stat().st_size for file in MODEL.iterdir()) <= 45e6
    config = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["max_position_embeddings"] >= 2048
    assert 4096 <= config["vocab_size"] <= 16384
    loaded = AutoModelForCausalLM.from_pretrained(MODEL)
    assert 10e6 <= sum(parameter.numel() for parameter in loaded.parameters()) <= 30e6


def test_examples_have_the_form_of_spec_bench() -> None:
    result = examples()
    counts = collections.Counter(example["category"] for example in result)
    assert set(counts) == set(TASKS)
    assert min(counts.values()) >= 3
    assert len({example["question_id"] for example in result}) == len(result)
    assert len({(example["category"], example["title"]) for example in result}) == len(result)
    for example in result:
        assert all(isinstance(turn, str) and turn for turn in example["turns"])
        assert len(example["reference"]) == len(example["turns"])


def test_the_shipped_model_answers_the_examples(tokenizer: Any) -> None:
    """By its recorded runs; test_record.py and test_golden_run.py check those against the weights."""
    for example in examples():
        trace = Trace.open(TRACES / f"{example['question_id']}.json.gz")
        message = {"role": "user", "content": example["turns"][0]}
        example_ids = tokenizer.apply_chat_template([message], add_generation_prompt=True)
        assert trace.prompt_ids == list(example_ids["input_ids"])
        assert trace.finish == "eos"
        text = tokenizer.decode(trace.output_ids, skip_special_tokens=True)
        row = kind(example["category"], example["turns"][0])
        assert is_right(row, example["reference"][0], text), f"{example['title']}: {text}"
