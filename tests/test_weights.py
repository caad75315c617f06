"""Weights that are not the model's: one sentence, and nothing runs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from support.errors import refused
from support.fakes import finished
from support.families import model
from support.models import folder, tokenizer

from logitspec import decode, load

Tensors = dict[str, torch.Tensor]


def net(tmp_path: Path, change: Callable[[Tensors], Tensors], family: str = "llama") -> Path:
    """A folder whose tensors are changed."""
    at = folder(tmp_path / "net", family)
    file = at / "model.safetensors"
    save_file(change(load_file(file)), file, {"format": "pt"})
    return at


def configured(at: Path, **values: Any) -> Path:
    config = json.loads((at / "config.json").read_text())
    (at / "config.json").write_text(json.dumps({**config, **values}))
    return at


def unchanged(tensors: Tensors) -> Tensors:
    return tensors


def without(*parts: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {
        key: value for key, value in tensors.items() if not any(part in key for part in parts)
    }


def named(prefix: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {f"{prefix}{key}": value for key, value in tensors.items()}


def added(**more: torch.Tensor) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {
        **tensors,
        **{key.replace("__", "."): value for key, value in more.items()},
    }


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (named("module."), r"lacks 21 of its 21 weights.* names that begin with 'module\.'"),
        (
            named("_orig_mod."),
            r"names that begin with '_orig_mod\.': save them without that prefix",
        ),
        (named("base_model.model."), r"names that begin with 'base_model\.model\.'"),
        (without("lm_head"), r"lacks 1 of its 21 weights, such as lm_head\.weight; download it"),
        (without("layers.1."), r"such as model\.layers\.1\.input_layernorm\.weight"),
        (without("embed_tokens"), r"such as model\.embed_tokens\.weight"),
        (without("q_proj"), r"lacks 2 of its 21 weights"),
        (without("model.norm"), r"such as model\.norm\.weight"),
        (without("."), "lacks 21 of its 21 weights|holds no weights"),
    ],
)
def test_missing_weights(tmp_path: Path, change: Any, match: str) -> None:
    refused(net(tmp_path, change), match)


def test_weights_of_another_shape(tmp_path: Path) -> None:
    at = folder(tmp_path / "net")
    for values in ({"hidden_size": 64}, {"vocab_size": 48}, {"intermediate_size": 96}):
        again = json.loads((at / "config.json").read_text())
        refused(configured(at, **values), r"don't fit its configuration: \S+ is .* and should be")
        configured(at, **again)
    refused(
        configured(at, num_key_value_heads=4),
        r"layers\.0\.self_attn\.k_proj\.weight is 16 x 32 and should be 32 x 32",
    )


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(shape)


@pytest.mark.parametrize(
    ("change", "values", "match"),
    [
        (unchanged, {"num_hidden_layers": 1}, r"has 9 weights .* such as model\.layers\.1\."),
        (added(model__layers__0__self_attn__q_proj__bias=zeros(32)), {}, r"0\.self_attn\.q_proj\.bias"),
        (added(model__layers__0__self_attn__q_norm__weight=zeros(8)), {}, r"q_norm\.weight"),
        (added(model__layers__1__mlp__experts__0__up__weight=zeros(2)), {}, r"experts\.0"),
        (added(model__layers__0__mlp__up_proj__qweight=zeros(2)), {}, r"up_proj\.qweight"),
        (added(model__layers__0__mlp__up_proj__lora_A__weight=zeros(2)), {}, r"lora_A"),
        (added(model__norm__bias=zeros(32)), {}, r"model\.norm\.bias"),
        (added(lm_head__bias=zeros(40)), {}, r"lm_head\.bias"),
    ],
)  # fmt: skip
def test_weights_that_the_model_would_leave_out(
    tmp_path: Path, change: Any, values: dict[str, Any], match: str
) -> None:
    refused(configured(net(tmp_path, change), **values), match)


@pytest.mark.parametrize(
    "change",
    [
        added(vision_tower__patch__weight=zeros(4)),
        added(model__vision__patch__weight=zeros(4)),
        added(v_head__summary__weight=zeros(4)),
        added(model__mtp__layers__0__weight=zeros(4)),
        added(model__layers__0__self_attn__rotary_emb__inv_freq=zeros(4)),
        added(model__layers__0__self_attn__masked_bias=zeros(1)),
    ],
)
def test_weights_of_other_parts_are_left_alone(tmp_path: Path, change: Any) -> None:
    target, _ = load(net(tmp_path, change), dtype="float64")
    stock = copy.deepcopy(model("llama", torch.float32)).double()
    expected = stock.generate(
        torch.tensor([[1, 2, 3]]),
        max_new_tokens=5,
        do_sample=False,
        eos_token_id=32,
        pad_token_id=0,
    )
    trace = finished(decode(target, [1, 2, 3], max_new_tokens=5))
    assert trace.output_ids == expected[0, 3:].tolist()


def test_tied_weights_need_only_one_of_the_two(tmp_path: Path) -> None:
    config = transformers.LlamaConfig(
        **{**model("llama").config.to_dict(), "tie_word_embeddings": True}
    )
    tied = transformers.AutoModelForCausalLM.from_config(config)
    tied.save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    assert "lm_head.weight" not in load_file(tmp_path / "model.safetensors")
    load(tmp_path)
    file = tmp_path / "model.safetensors"
    save_file(without("embed_tokens")(load_file(file)), file, {"format": "pt"})
    refused(tmp_path, "lacks")


def test_a_model_of_another_type_than_it_says(tmp_path: Path) -> None:
    at = folder(tmp_path / "net")
    refused(configured(at, model_type="gpt2", n_embd=32, n_head=4, n_layer=2), "lacks|don't fit")
    refused(configured(at, model_type="qwen3", head_dim=8), r"lacks 4 .* q_norm|k_norm")


@pytest.mark.parametrize(
    "quantisation",
    [
        {"quant_method": "awq", "bits": 4, "group_size": 128},
        {"quant_method": "gptq", "bits": 4},
        {"quant_method": "bitsandbytes", "load_in_4bit": True},
        {"quant_method": "compressed-tensors", "format": "pack-quantized"},
        {"quant_method": "magic9"},
        {"quant_method": "exl2", "bits": 4.0},
        {"bits": 4},
        {},
    ],
)
def test_quantisations_that_can_not_be_run(tmp_path: Path, quantisation: dict[str, Any]) -> None:
    at = configured(folder(tmp_path / "net"), quantization_config=quantisation)
    method = quantisation.get("quant_method")
    match = rf" \({method}\)" if method else ""
    refused(at, rf"quantised in a way that can't be run here{match}; .*unquantised, or in GGUF")


def test_a_quantisation_of_mlx_is_called_one(tmp_path: Path) -> None:
    at = configured(folder(tmp_path / "net"), quantization={"group_size": 64, "bits": 4})
    refused(at, "quantised in a way that can't be run here; choose the same model unquantised")


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("somebody/tiny", "its base model somebody/tiny; merge"),
        ("/srv/somebody/tiny", "its base model; merge"),
        (None, "its base model; merge"),
    ],
)
def test_adapters_without_their_base(tmp_path: Path, base: str | None, message: str) -> None:
    about = {"peft_type": "LORA", "base_model_name_or_path": base}
    (tmp_path / "adapter_config.json").write_text(json.dumps(about))
    save_file({"lora_A": zeros(2)}, tmp_path / "adapter_model.safetensors")
    tokenizer().save_pretrained(tmp_path)
    refused(tmp_path, f"is an adapter, not a model: it needs {message}")
    model("llama").config.save_pretrained(tmp_path)
    refused(tmp_path, f"is an adapter, not a model: it needs {message}")


def overflowing(tensors: Tensors) -> Tensors:
    return {
        key: value * 3e4 if "embed" in key or "proj" in key else value
        for key, value in tensors.items()
    }


def broken_for_one_token(tensors: Tensors) -> Tensors:
    tensors["model.embed_tokens.weight"][1] = torch.nan
    return tensors


@pytest.mark.parametrize(
    ("change", "dtype"), [(overflowing, "float16"), (broken_for_one_token, "float32")]
)
def test_logits_that_are_not_finite_are_called_so_when_the_model_is_loaded(
    tmp_path: Path, change: Any, dtype: str
) -> None:
    refused(net(tmp_path, change), "logits are not finite; choose dtype float32", dtype=dtype)
