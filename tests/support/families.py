"""Tiny random-weight models of every family that the tests run."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import torch
import transformers

from logitspec.models.loader import prepare
from logitspec.runtime.fast import FastForward
from logitspec.runtime.runner import Runner

VOCABULARY = 40
WINDOW = 12

_SHARED: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
    "tie_word_embeddings": False,
}
_GPT2: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 512,
    "bos_token_id": None,
    "eos_token_id": None,
}
_MIXED = {"sliding_window": WINDOW, "layer_types": ["sliding_attention", "full_attention"]}

CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", _SHARED),
    "qwen2": ("Qwen2Config", _SHARED),
    "qwen3": ("Qwen3Config", {**_SHARED, "head_dim": 8}),
    "mistral-window": ("MistralConfig", {**_SHARED, "sliding_window": WINDOW}),
    "phi3": ("Phi3Config", _SHARED),
    "gemma2": ("Gemma2Config", {**_SHARED, **_MIXED, "head_dim": 8, "query_pre_attn_scalar": 8}),
    "gemma3": (
        "Gemma3TextConfig",
        {**_SHARED, **_MIXED, "head_dim": 8, "query_pre_attn_scalar": 8},
    ),
    "gpt2": ("GPT2Config", _GPT2),
    "gpt_neox": ("GPTNeoXConfig", {k: v for k, v in _SHARED.items() if "key_value" not in k}),
    "olmo2": ("Olmo2Config", _SHARED),
    "smollm3": ("SmolLM3Config", {**_SHARED, "no_rope_layers": [1, 0]}),
}

# Models that `runner` runs through the fast forward, and `model` leaves as they are.
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 100.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
FAST: dict[str, tuple[str, dict[str, Any]]] = {
    "fast": ("LlamaConfig", _SHARED),
    "fast-tied": ("LlamaConfig", {**_SHARED, "tie_word_embeddings": True, "head_dim": 10}),
    "fast-llama3": (
        "LlamaConfig",
        {**_SHARED, "num_key_value_heads": 4, "rope_parameters": LLAMA3, "attention_bias": True},
    ),
    "fast-one-key-head": (
        "LlamaConfig",
        {
            **_SHARED,
            "num_key_value_heads": 1,
            "mlp_bias": True,
            "head_dim": 14,
            "hidden_act": "gelu",
        },
    ),
    "fast-mistral": ("MistralConfig", {**_SHARED, "sliding_window": WINDOW}),
    "fast-qwen2": (
        "Qwen2Config",
        {**_SHARED, "use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1},
    ),
    "fast-qwen3": ("Qwen3Config", {**_SHARED, "head_dim": 10, "attention_bias": True}),
    "fast-gemma2": (
        "Gemma2Config",
        {
            **_SHARED,
            **_MIXED,
            "tie_word_embeddings": True,
            "head_dim": 10,
            "query_pre_attn_scalar": 4,
            "attn_logit_softcapping": 2.0,
            "final_logit_softcapping": 3.0,
        },
    ),
    "fast-olmo2": ("Olmo2Config", {**_SHARED, "attention_bias": True}),
    "fast-phi3": (
        "Phi3Config",
        {
            **_SHARED,
            "sliding_window": WINDOW,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 100.0,
                "partial_rotary_factor": 0.75,
            },
        },
    ),
}


@cache
def model(family: str, dtype: torch.dtype = torch.float64) -> Any:
    """A random-weight causal language model in eval mode, the same every time."""
    name, options = {**CONFIGS, **FAST}[family]
    torch.manual_seed(1)
    config = getattr(transformers, name)(**options)
    # Older releases of transformers choose sdpa here and leave the caps out.
    attention = {"attn_implementation": "eager"} if "attn_logit_softcapping" in options else {}
    built = transformers.AutoModelForCausalLM.from_config(config, **attention).to(dtype).eval()
    with torch.no_grad():
        for parameter in built.parameters():
            # Freshly initialised models are so flat that all positions look alike; here masks must matter.
            parameter.add_(torch.randn_like(parameter) * (0.3 if parameter.dim() > 1 else 0.05))
    return built


def runner(family: str, kind: type[Runner] = Runner, dtype: torch.dtype = torch.float64) -> Runner:
    """A runner of class `kind` over `model(family)`; over a copy of it where the forward is the fast one."""
    if family not in FAST:
        return prepare(model(family, dtype), kind=kind)
    target = prepare(copy.deepcopy(model(family, dtype)), kind=kind)
    forward = FastForward(target.model)
    for product in forward.products:
        product.pack()
    target.use_forward(forward)
    return target


def apart(logits: torch.Tensor, reference: torch.Tensor) -> float:
    """The largest difference, in standard deviations of the reference."""
    return float((logits - reference).double().abs().max() / reference.double().std())
