"""LogitSpec inside transformers' `generate`, compared with `generate` itself."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import tokenizers
import torch
import transformers
from support.families import CONFIGS, model, runner
from transformers.generation import (
    RepetitionPenaltyLogitsProcessor,
    StopStringCriteria,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

import logitspec
from logitspec import METHODS, LogitSpecError, Sampling, Trace
from logitspec.decoding.engine import begin, complete
from logitspec.runtime.draws import gumbel
from logitspec.runtime.graphs import uncaptured
from logitspec.runtime.repetition import penalise

PROMPT = torch.tensor([[3, 1, 4, 1, 5, 3, 1, 4]])


def generated(net: Any, prompt: Any = PROMPT, **options: Any) -> Any:
    return net.generate(
        prompt, **{"max_new_tokens": 24, "custom_generate": logitspec.custom_generate, **options}
    )


class Noted:
    """A streamer that keeps what it is given."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.ended = 0

    def put(self, value: torch.Tensor) -> None:
        self.got += value.flatten().tolist()

    def end(self) -> None:
        self.ended += 1


@pytest.mark.parametrize("family", CONFIGS)
def test_greedy_is_what_generate_writes(family: str) -> None:
    net = model(family)
    expected = generated(net, custom_generate=None)
    assert generated(net).tolist() == expected.tolist()


def test_every_method_and_its_options_are_arguments_of_generate() -> None:
    net = model("llama")
    expected = generated(net, custom_generate=None).tolist()
    for method in METHODS:
        assert generated(net, method=method).tolist() == expected
    assert generated(net, method_options={"draft_tree_capacity": 4}).tolist() == expected
    with pytest.raises(LogitSpecError, match="draft_tree_capacity"):
        generated(net, method_options={"draft_tree_capacity": 10_000})


def test_end_of_sequence_lengths_and_criteria_are_kept() -> None:
    net = model("llama")
    written = generated(net)[0, PROMPT.shape[1] :].tolist()
    ends = [39 if 39 not in written[:9] else 38, written[9]]
    options: list[dict[str, Any]] = [
        {"eos_token_id": ends, "pad_token_id": 0},
        {"eos_token_id": torch.tensor(ends), "pad_token_id": 0},
        {"max_length": 15, "max_new_tokens": None},
        {"max_new_tokens": 1},
        {"stopping_criteria": [lambda ids, scores: torch.tensor([ids.shape[1] >= 17])]},
    ]
    for each in options:
        assert (
            generated(net, **each).tolist() == generated(net, custom_generate=None, **each).tolist()
        )


def test_a_text_that_fills_the_context_ends_with_a_warning() -> None:
    net = copy.deepcopy(model("llama"))
    net.config.max_position_embeddings = 20
    expected = generated(net, custom_generate=None, max_new_tokens=12).tolist()
    assert generated(net, max_new_tokens=12).tolist() == expected
    with pytest.warns(UserWarning, match="context of 20 tokens is full"):
        assert generated(net, max_new_tokens=13).tolist() == expected


def test_a_dictionary_is_returned_where_one_is_asked_for() -> None:
    result = generated(model("llama"), return_dict_in_generate=True)
    assert result.sequences.tolist() == generated(model("llama")).tolist()


def test_a_streamer_gets_prompt_and_tokens_and_an_end() -> None:
    streamer = Noted()
    text = generated(model("llama"), streamer=streamer)
    assert streamer.got == text[0].tolist()
    assert streamer.ended == 1


def test_draws_follow_temperature_top_k_and_top_p() -> None:
    """The share of each first token against the distribution that transformers' own warpers leave."""
    net = model("llama")
    options: dict[str, Any] = {"do_sample": True, "temperature": 1.7, "top_k": 5, "top_p": 0.8}
    output = generated(
        net, custom_generate=None, return_dict_in_generate=True, output_scores=True, **options
    )
    expected = output.scores[0][0].softmax(-1)
    drawn = [
        int(generated(net, max_new_tokens=1, method="autoregressive", seed=seed, **options)[0, -1])
        for seed in range(250)
    ]
    shares = torch.bincount(torch.tensor(drawn), minlength=len(expected)) / len(drawn)
    assert (shares[expected == 0] == 0).all()
    assert (shares - expected).abs().max() < 0.06
    assert (expected > 0).sum() > 1


def test_a_seed_or_torchs_own_fixes_the_draws_whatever_the_method() -> None:
    net = model("llama")
    hot: dict[str, Any] = {"do_sample": True, "temperature": 3.0}
    one = generated(net, seed=7, **hot).tolist()
    assert one == generated(net, seed=7, method="autoregressive", **hot).tolist()
    assert one != generated(net, seed=8, **hot).tolist()
    texts = []
    for _ in range(2):
        torch.manual_seed(5)
        texts.append([generated(net, **hot).tolist() for _ in range(2)])
    assert texts[0] == texts[1]
    assert texts[0][0] != texts[0][1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_beams": 3}, "beam search"),
        ({"num_return_sequences": 2, "do_sample": True}, "one sequence at a time and got 2"),
        (
            {"logits_processor": [RepetitionPenaltyLogitsProcessor(1.3, prompt_ignore_length=2)]},
            "RepetitionPenalty",
        ),
        ({"repetition_penalty": 1.3, "no_repeat_ngram_size": 2}, "NoRepeatNGram"),
        ({"min_new_tokens": 3, "eos_token_id": 5, "pad_token_id": 5}, "MinLength"),
        ({"suppress_tokens": [3]}, "SuppressTokens"),
        ({"min_p": 0.1, "do_sample": True}, "MinP"),
        (
            {
                "logits_processor": [TopPLogitsWarper(0.1, min_tokens_to_keep=5)],
                "do_sample": True,
                "top_k": 0,
            },
            "TopP",
        ),
        ({"no_repeat_ngram_size": 2}, "NoRepeatNGram"),
        ({"logits_processor": [lambda ids, scores: scores]}, "function"),
        ({"prompt_lookup_num_tokens": 5}, "assisted generation"),
        ({"return_dict_in_generate": True, "output_scores": True}, "output_scores"),
        ({"attention_mask": torch.tensor([[0] + 7 * [1]])}, "no padding"),
        ({"method": "magic"}, "magic"),
        ({"do_sample": True, "temperature": 99.0}, "Temperature"),
    ],
)
def test_what_can_not_be_honoured_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(LogitSpecError, match=message) as error:
        generated(model("llama"), **options)
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


def test_token_types_are_refused_where_a_model_reads_them() -> None:
    """Some tokenizers give them with every prompt."""
    types = torch.zeros_like(PROMPT)
    read, unread = model("gpt2"), model("llama")
    typed = generated(read, custom_generate=None, token_type_ids=types).tolist()
    assert typed != generated(read, custom_generate=None).tolist()
    with pytest.raises(LogitSpecError, match="leave out token_type_ids"):
        generated(read, token_type_ids=types)

    class Multimodal(type(unread)):  # type: ignore[misc]
        def forward(
            self, input_ids: Any, position_ids: Any = None, token_type_ids: Any = None, **more: Any
        ) -> Any:
            return super().forward(input_ids=input_ids, position_ids=position_ids, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unread, "__class__", Multimodal)
        expected = generated(unread, custom_generate=None, token_type_ids=types).tolist()
        assert generated(unread, token_type_ids=types).tolist() == expected
        with pytest.raises(LogitSpecError, match="leave out token_type_ids"):
            generated(unread, token_type_ids=types + 1)


# A penalty, which depends on the text so far


PENALTIES = [1.3, 3.0, 0.7]


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_penalty_is_that_of_transformers_at_every_node(penalty: float) -> None:
    torch.manual_seed(2)
    text, paths = [1, 4, 4, 30], [[], [7], [7, 1], [7, 9, 9], [30]]
    logits = torch.randn(len(paths), 40, dtype=torch.float64)
    processor = RepetitionPenaltyLogitsProcessor(penalty)
    actual = penalise(logits, penalty, text, paths)
    for row, path in enumerate(paths):
        expected = processor(torch.tensor([text + path]), logits[row : row + 1].clone())
        assert actual[row].tolist() == expected[0].tolist()


@pytest.mark.parametrize("family", ["llama", "gemma3", "gpt2"])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_greedy_with_a_penalty_is_what_generate_writes(family: str, penalty: float) -> None:
    net = model(family)
    options = {"repetition_penalty": penalty}
    expected = generated(net, custom_generate=None, **options).tolist()
    assert expected != generated(net, custom_generate=None).tolist()
    for method in METHODS if family == "llama" else ("logitspec", "logitspec_paper"):
        assert generated(net, method=method, **options).tolist() == expected


def drawn_by_hand(net: Any, processors: Any, temperature: float, seed: int) -> list[int]:
    """Token by token, by transformers' own processors and one noise for each position."""
    text = PROMPT.clone()
    for _ in range(24):
        scores = net(text).logits[:, -1]
        for each in processors:
            scores = each(text, scores)
        noise = torch.from_numpy(gumbel(seed, text.shape[1], scores.shape[-1]))
        text = torch.cat((text, (scores / temperature + noise).argmax(-1)[None]), -1)
    return text[0].tolist()


@torch.no_grad()
@pytest.mark.parametrize("penalty", PENALTIES)
def test_draws_with_a_penalty_are_those_of_plain_sampling(penalty: float) -> None:
    net, hot = model("llama"), 1.7
    options: dict[str, Any] = {"do_sample": True, "temperature": hot, "repetition_penalty": penalty}
    processors = [RepetitionPenaltyLogitsProcessor(penalty)]
    for seed, count, methods in ((3, 40, METHODS), (4, 6, ["logitspec", "token_recycling"])):
        expected = drawn_by_hand(net, [*processors, TopKLogitsWarper(count)], hot, seed)
        for method in methods:
            actual = generated(net, method=method, seed=seed, top_k=count, **options)
            assert actual[0].tolist() == expected


def test_a_penalty_of_the_models_own_config_is_kept() -> None:
    net = copy.deepcopy(model("qwen2"))
    net.generation_config.repetition_penalty = 1.4
    expected = generated(net, custom_generate=None).tolist()
    assert expected != generated(model("qwen2"), custom_generate=None).tolist()
    assert generated(net).tolist() == expected
    assert generated(net, repetition_penalty=1.0).tolist() == generated(model("qwen2")).tolist()
    again = {"logits_processor": [RepetitionPenaltyLogitsProcessor(1.4)]}
    assert generated(model("qwen2"), **again).tolist() == expected


@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_forwards_of_fixed_shape_honour_a_penalty(temperature: float) -> None:
    sampling = Sampling(temperature, seed=5, repetition_penalty=1.5)
    target, replayed = runner("llama"), runner("llama")
    replayed.enable_replay(uncaptured)
    prompt = PROMPT[0].tolist()
    for method in ("logitspec", "token_recycling"):
        expected = complete(target, begin(target, prompt, "autoregressive", 24, sampling))
        for each in (target, replayed):
            trace = complete(each, begin(each, prompt, method, 24, sampling))
            assert trace.output_ids == expected.output_ids
        assert trace.header()["sampling"]["repetition_penalty"] == 1.5
        assert Trace.from_json(trace.to_json()).sampling == sampling


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("inf"), float("nan"), None, "1.1", True])
def test_penalties_without_sense_are_refused(penalty: Any) -> None:
    with pytest.raises(LogitSpecError, match="repetition penalty"):
        Sampling(repetition_penalty=penalty)


# Options that change nothing, and stop strings


@pytest.mark.parametrize(
    "options",
    [
        {"renormalize_logits": True},
        {"remove_invalid_values": True},
        {"min_length": PROMPT.shape[1], "eos_token_id": 5, "pad_token_id": 5},
        {"min_length": 0, "min_new_tokens": 0},
        {"suppress_tokens": [], "begin_suppress_tokens": []},
        {"repetition_penalty": 1.0, "encoder_repetition_penalty": 1.0, "no_repeat_ngram_size": 0},
        {"output_scores": True, "output_logits": True, "output_attentions": True},
        {"num_beams": 1, "num_return_sequences": 1, "guidance_scale": 1.0},
        {"use_cache": False},
        {"cache_implementation": "dynamic"},
        {"cache_implementation": "static", "disable_compile": True},
        {"max_time": 1000.0},
        {"temperature": 0.3, "top_k": 3, "top_p": 0.5},
        {"attention_mask": torch.ones_like(PROMPT)},
        {"max_new_tokens": torch.tensor(5)},
        {"max_new_tokens": 10**12, "eos_token_id": list(range(0, 40, 2))},
        {"do_sample": True, "top_p": 0.0},
        {"tokenizer": None},
        {"assistant_tokenizer": None, "assistant_model": None},
    ],
)
def test_options_that_change_nothing_are_taken(options: dict[str, Any]) -> None:
    net = model("llama")
    expected = generated(net, custom_generate=None, **options)
    assert generated(net, **options).tolist() == expected.tolist()


def test_options_of_sampling_that_change_nothing_are_taken() -> None:
    net, hot = model("llama"), {"do_sample": True, "temperature": 2.0, "seed": 6, "top_k": 0}
    expected = generated(net, **hot).tolist()
    for more in ({"min_p": 0.0}, {"typical_p": 1.0}, {"top_p": 1.0}, {"renormalize_logits": True}):
        assert generated(net, **hot, **more).tolist() == expected


def words() -> Any:
    """A tokenizer of 40 tokens: 26 letters, and pairs of them, across which strings may stop."""
    vocabulary = {chr(ord("a") + n): n for n in range(26)}
    vocabulary |= {f"{chr(ord('a') + n)}b": 26 + n for n in range(14)}
    core = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, []))
    core.decoder = tokenizers.decoders.Fuse()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=core)


def stops(net: Any) -> list[list[str]]:
    """Strings that end what `net` writes, at several places."""
    pieces = [words().decode([token]) for token in generated(net, custom_generate=None)[0, 8:]]
    return [[pieces[4]], ["".join(pieces[6:8])], ["".join(pieces[9:12])[-2:], "never"], ["never"]]


def test_stop_strings_end_a_text_as_in_generate() -> None:
    net = model("llama")
    lengths = set()
    for strings in stops(net):
        options = {"stop_strings": strings, "tokenizer": words()}
        expected = generated(net, custom_generate=None, **options)
        assert generated(net, **options).tolist() == expected.tolist()
        criteria = [StopStringCriteria(words(), strings)]
        assert generated(net, stopping_criteria=criteria).tolist() == expected.tolist()
        lengths.add(expected.shape[1])
    assert len(lengths) > 2


def test_a_model_whose_own_config_has_stop_strings_runs() -> None:
    net = copy.deepcopy(model("llama"))
    net.generation_config.stop_strings = stops(net)[1]
    expected = generated(net, custom_generate=None, tokenizer=words())
    assert expected.shape[1] < PROMPT.shape[1] + 24
    assert generated(net, tokenizer=words()).tolist() == expected.tolist()
    with pytest.raises(ValueError, match="you must pass the model's tokenizer"):
        generated(net)


def test_an_assistant_a_batch_and_training_mode_are_refused() -> None:
    net = model("llama")
    with pytest.raises(LogitSpecError, match="assisted"):
        generated(net, assistant_model=net)
    with pytest.raises(LogitSpecError, match="one sequence"):
        generated(net, PROMPT.repeat(2, 1))
    fresh = transformers.AutoModelForCausalLM.from_config(net.config).train()
    with pytest.raises(LogitSpecError, match="training mode"):
        generated(fresh)


def test_models_that_can_not_branch_are_refused() -> None:
    config = transformers.MambaConfig(hidden_size=16, num_hidden_layers=1, vocab_size=40)
    net = transformers.AutoModelForCausalLM.from_config(config).eval()
    with pytest.raises(LogitSpecError, match="choose"):
        generated(net)


def test_the_model_is_left_as_it_was() -> None:
    net = model("llama")
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    generated(net)
    after = net.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
