"""Model families of the fast forward: one entry for each, which says how it differs from Llama.

The rest is read from a model's own modules and needs no entry: sizes, biases, activation, epsilons,
whether a norm of query or key spans a head or all heads, the frequencies of the rotary embedding and its share
of a head, the scales of embedding and scores, tied weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import transformers


def no_windows(config: Any) -> list[int | None]:
    """Every layer attends to the whole text."""
    return [None] * int(config.num_hidden_layers)


def same_window(config: Any) -> list[int | None]:
    """Every layer has the window of the configuration, if that has one."""
    return [config.sliding_window] * int(config.num_hidden_layers)


def windows_by_layer_type(config: Any) -> list[int | None]:
    """Layers of type "sliding_attention" have the window of the configuration, the others none."""
    return [
        config.sliding_window if kind == "sliding_attention" else None
        for kind in config.layer_types
    ]


@dataclass(frozen=True, slots=True)
class Family:
    """How the decoder layers of a transformers class differ from Llama's.

    norm_before_attention, norm_before_mlp: the layer's norms of what enters attention and MLP, or None.
    norm_after_attention, norm_after_mlp: its norms of what they add to the hidden state, or None.
    query_norm, key_norm: modules in `self_attn` that normalize query and key before they are rotated,
    or None.
    norm_offset: added to the weights of all norms.
    query_key_value, gate_up: products in `self_attn` and `mlp`, in this order; one name where the model
    fuses them into one product.
    activation: the module in `mlp`.
    score_cap, logit_cap: options of the configuration that softly bound attention scores and logits,
    or None.
    windows: computes from the configuration how many positions a row attends to in each layer, itself
    included (None: all).
    """

    norm_before_attention: str | None = "input_layernorm"
    norm_after_attention: str | None = None
    norm_before_mlp: str | None = "post_attention_layernorm"
    norm_after_mlp: str | None = None
    query_norm: str | None = None
    key_norm: str | None = None
    norm_offset: float = 0.0
    query_key_value: tuple[str, ...] = ("q_proj", "k_proj", "v_proj")
    gate_up: tuple[str, ...] = ("gate_proj", "up_proj")
    activation: str = "act_fn"
    score_cap: str | None = None
    logit_cap: str | None = None
    windows: Callable[[Any], list[int | None]] = no_windows


FAMILIES: dict[str, Family] = {
    "Gemma2ForCausalLM": Family(
        norm_after_attention="post_attention_layernorm",
        norm_before_mlp="pre_feedforward_layernorm",
        norm_after_mlp="post_feedforward_layernorm",
        norm_offset=1.0,
        score_cap="attn_logit_softcapping",
        logit_cap="final_logit_softcapping",
        windows=windows_by_layer_type,
    ),
    "LlamaForCausalLM": Family(),
    "MistralForCausalLM": Family(windows=same_window),
    "Olmo2ForCausalLM": Family(
        norm_before_attention=None,
        norm_after_attention="post_attention_layernorm",
        norm_before_mlp=None,
        norm_after_mlp="post_feedforward_layernorm",
        query_norm="q_norm",
        key_norm="k_norm",
    ),
    "Phi3ForCausalLM": Family(
        query_key_value=("qkv_proj",),
        gate_up=("gate_up_proj",),
        activation="activation_fn",
        windows=same_window,
    ),
    "Qwen2ForCausalLM": Family(windows=windows_by_layer_type),
    "Qwen3ForCausalLM": Family(
        query_norm="q_norm", key_norm="k_norm", windows=windows_by_layer_type
    ),
}
"""Entries by the name of the transformers class; tests hold each to that class's own forward."""


def family_of(model: Any) -> Family | None:
    """The entry for `model`; None unless there is one for exactly this transformers class."""
    name = type(model).__name__
    known = name in FAMILIES and type(model) is getattr(transformers, name, None)
    return FAMILIES[name] if known else None
