"""LogitSpec inside transformers' `generate`, held to `generate` itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from support.families import CONFIGS, model

import logitspec
from logitspec import METHODS, LogitSpecError

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
    wanted = generated(net, custom_generate=None)
    assert generated(net).tolist() == wanted.tolist()


def test_every_method_and_its_options_are_arguments_of_generate() -> None:
    net = model("llama")
    wanted = generated(net, custom_generate=None).tolist()
    for method in METHODS:
        assert generated(net, method=method).tolist() == wanted
    assert generated(net, method_options={"draft_tree_capacity": 4}).tolist() == wanted
    with pytest.raises(LogitSpecError, match="draft_tree_capacity"):
        generated(net, method_options={"draft_tree_capacity": 10_000})


def test_end_of_sequence_lengths_and_criteria_are_kept() -> None:
    net = model("llama")
    written = generated(net)[0, PROMPT.shape[1] :].tolist()
    ends = [39 if 39 not in written[:9] else 38, written[9]]
    options: list[dict[str, Any]] = [
        {"eos_token_id": ends, "pad_token_id": 0},
        {"max_length": 15, "max_new_tokens": None},
        {"max_new_tokens": 1},
        {"stopping_criteria": [lambda ids, scores: torch.tensor([ids.shape[1] >= 17])]},
    ]
    for each in options:
        assert (
            generated(net, **each).tolist() == generated(net, custom_generate=None, **each).tolist()
        )


def test_a_dictionary_is_returned_where_one_is_asked_for() -> None:
    found = generated(model("llama"), return_dict_in_generate=True)
    assert found.sequences.tolist() == generated(model("llama")).tolist()


def test_a_streamer_gets_prompt_and_tokens_and_an_end() -> None:
    streamer = Noted()
    text = generated(model("llama"), streamer=streamer)
    assert streamer.got == text[0].tolist()
    assert streamer.ended == 1


def test_draws_follow_temperature_top_k_and_top_p() -> None:
    """The share of each first token against the distribution that transformers' own warpers leave."""
    net = model("llama")
    options: dict[str, Any] = {"do_sample": True, "temperature": 1.7, "top_k": 5, "top_p": 0.8}
    told = generated(
        net, custom_generate=None, return_dict_in_generate=True, output_scores=True, **options
    )
    wanted = told.scores[0][0].softmax(-1)
    drawn = [
        int(generated(net, max_new_tokens=1, method="autoregressive", seed=seed, **options)[0, -1])
        for seed in range(1000)
    ]
    shares = torch.bincount(torch.tensor(drawn), minlength=len(wanted)) / len(drawn)
    assert (shares[wanted == 0] == 0).all()
    assert (shares - wanted).abs().max() < 0.06
    assert (wanted > 0).sum() > 1


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
        ({"repetition_penalty": 1.3}, "RepetitionPenalty"),
        ({"min_p": 0.1, "do_sample": True}, "MinP"),
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
