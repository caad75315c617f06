"""Tiny models written as GGUF files, by gguf's own writer and quantisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import (
    MODEL_ARCH_NAMES,
    GGMLQuantizationType,
    GGUFWriter,
    LlamaFileType,
    get_tensor_name_map,
)
from gguf.quants import dequantize, quantize

from support.families import model

TEMPLATE = "{% for m in messages %}[{{ m.role }}]{{ m.content }}<e>{% endfor %}[assistant]"
F32, Q8_0 = GGMLQuantizationType.F32, GGMLQuantizationType.Q8_0
ARCHITECTURES = {"gemma3_text": "gemma3"}


def write(
    at: Path,
    family: str = "llama",
    kind: GGMLQuantizationType = F32,
    more: dict[str, Any] | None = None,
) -> Path:
    """A model of `families` as llama.cpp would write it. kind: that of its matrices, where the length of their
    rows allows it. more: metadata; a value of None leaves the key out."""
    built = model(family, torch.float32)
    config = built.config
    name = ARCHITECTURES.get(config.model_type, config.model_type)
    writer = GGUFWriter(at, name)
    for key, value in {**_metadata(config, name), **(more or {})}.items():
        _add(writer, key, value)
    for theirs, values in tensors(family).items():
        own = kind if values.ndim == 2 and values.shape[1] % 32 == 0 else F32
        writer.add_tensor(theirs, quantize(values, own), raw_dtype=own)
    at.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return at


def tensors(family: str) -> dict[str, np.ndarray]:
    """The weights of a model by their names in ggml, in its layout."""
    built = model(family, torch.float32)
    config = built.config
    name = ARCHITECTURES.get(config.model_type, config.model_type)
    (number,) = [each for each, known in MODEL_ARCH_NAMES.items() if known == name]
    names = get_tensor_name_map(number, config.num_hidden_layers)
    result = {}
    for ours, tensor in built.state_dict().items():
        stem, _, end = ours.rpartition(".")
        if stem == "lm_head" and config.tie_word_embeddings:
            continue
        values = tensor.numpy()
        if name == "llama" and (".q_proj." in ours or ".k_proj." in ours):
            heads = config.num_attention_heads if ".q_" in ours else config.num_key_value_heads
            # llama.cpp interleaves the two halves of each head's width.
            halves = values.reshape(heads, 2, -1, *values.shape[1:])
            values = halves.swapaxes(1, 2).reshape(values.shape)
        if name.startswith("gemma") and "norm" in ours:
            values = values + 1
        result[f"{names.get_name(stem)}.{end}"] = np.ascontiguousarray(values)
    return result


def rounded(values: torch.Tensor, kind: GGMLQuantizationType) -> torch.Tensor:
    """`values` after quantisation and dequantisation."""
    return torch.from_numpy(dequantize(quantize(values.numpy(), kind), kind))


def _metadata(config: Any, name: str) -> dict[str, Any]:
    rope = config.rope_parameters
    tokens = [chr(ord("A") + n) for n in range(32)] + ["<e>", "<t>", "AB"]
    tokens += [f"<{n}>" for n in range(len(tokens), config.vocab_size)]
    return {
        f"{name}.context_length": config.max_position_embeddings,
        f"{name}.block_count": config.num_hidden_layers,
        f"{name}.embedding_length": config.hidden_size,
        f"{name}.feed_forward_length": config.intermediate_size,
        f"{name}.attention.head_count": config.num_attention_heads,
        f"{name}.attention.head_count_kv": config.num_key_value_heads,
        f"{name}.attention.layer_norm_rms_epsilon": float(config.rms_norm_eps),
        f"{name}.attention.key_length": getattr(config, "head_dim", None),
        f"{name}.attention.sliding_window": getattr(config, "sliding_window", None),
        f"{name}.attn_logit_softcapping": getattr(config, "attn_logit_softcapping", None),
        f"{name}.final_logit_softcapping": getattr(config, "final_logit_softcapping", None),
        f"{name}.rope.freq_base": rope.get("full_attention", rope)["rope_theta"],
        f"{name}.vocab_size": config.vocab_size,
        "general.file_type": int(LlamaFileType.ALL_F32),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1 if len(token) <= 2 else 3 for token in tokens],
        "tokenizer.ggml.merges": ["A B"],
        "tokenizer.ggml.eos_token_id": 32,
        "tokenizer.chat_template": TEMPLATE,
    }


def _add(writer: GGUFWriter, key: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, str):
        writer.add_string(key, value)
    elif isinstance(value, list):
        writer.add_array(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    else:
        writer.add_uint32(key, value)
