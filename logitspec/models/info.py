"""What a runner needs to know about a transformers model: windows, limit, end tokens, and what traces say."""

from __future__ import annotations

import platform
import sys
from typing import Any

import torch
import transformers
from transformers import PreTrainedConfig


def windows(config: PreTrainedConfig) -> dict[str, int | None]:
    """By layer type, the positions that a row attends to, itself included (None: all)."""
    sliding = getattr(config, "sliding_window", None)
    default = ["full_attention" if sliding is None else "sliding_attention"]
    kinds = getattr(config, "layer_types", None) or default
    return {kind: sliding if kind == "sliding_attention" else None for kind in kinds}


def eos_ids(generation_config: Any, also: int | None) -> set[int]:
    """Tokens that end a text: those of the model's generation config, and `also`."""
    ids = generation_config.eos_token_id if generation_config else None
    own = ids if isinstance(ids, list) else [ids]
    # Some write -1 there for a text that nothing ends; a trace with such an id could not be opened again.
    return {int(token) for token in (*own, also) if isinstance(token, int) and token >= 0}


def limit(model: Any) -> int:
    """Positions that a transformers model can hold without changing the meaning of earlier ones."""
    config = model.config.get_text_config()
    positions = getattr(config, "max_position_embeddings", None) or 0
    limit: int = positions if positions > 0 else 2**20
    limits = [
        limit,
        *(each for each in windows(config).values() if each and not _has_windows(model)),
    ]
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") in ("longrope", "dynamic"):
        # Beyond this length such a model gives all earlier positions different frequencies.
        limits.append(rope.get("original_max_position_embeddings") or limit)
    return min(limits)


def _has_windows(model: Any) -> bool:
    """Whether the model's code has masks for sliding windows. Where it has none, a window in its configuration is
    not applied, or applied in some other way; up to the window's length that makes no difference."""
    return hasattr(sys.modules[type(model).__module__], "create_sliding_window_causal_mask")


def context(model: Any, limit: int) -> str:
    """A sentence for people about a context that is shorter than the model's own; empty for others."""
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 0
    if limit >= positions:
        return ""
    return (
        f"It takes texts of up to {limit:,} tokens here, of {positions:,}: beyond those, it would see the"
        " earlier ones differently."
    )


def describe(model: Any, name: str) -> dict[str, Any]:
    """What a trace says about the model."""
    device = model.device
    chip = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "id": name,
        "revision": getattr(model.config, "_commit_hash", None),
        "dtype": str(model.dtype).removeprefix("torch."),
        "device": f"{device} ({chip})",
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "attention": model.config._attn_implementation,
        "environment": {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "transformers": transformers.__version__,
        },
    }
