"""The recipe: settings, architecture, loss, optimizers and schedules of a training run."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM

from logitspec.builtin.tokenizer import CONTEXT


@dataclass(frozen=True)
class Settings:
    """What a training run depends on besides its data.

    `hours` is the wall time of training without evaluation; `steps`, if not 0, fixes the number
    of steps instead. `lengths` are the row lengths in tokens, `shares` how many of all batches
    use each of them at the start and at the end of the run.
    """

    hours: float = 1.0
    steps: int = 0
    seed: int = 0
    device: str = "auto"
    tokens_per_step: int = 4096
    muon_rate: float = 0.02
    adam_rate: float = 2e-3
    warmup: float = 0.02
    decay: float = 0.5
    weight_decay: float = 0.05
    prose_share: float = 0.15
    prose_note: str = ""
    lengths: tuple[int, ...] = (256, 512, 1024)
    shares_start: tuple[float, ...] = (0.9, 0.1, 0.0)
    shares_end: tuple[float, ...] = (0.2, 0.5, 0.3)
    save_minutes: float = 5.0
    log_every: int = 20


def model_config(vocabulary: int, **changes: Any) -> LlamaConfig:
    """The architecture: 5.5 million parameters with a vocabulary of 4,096."""
    sizes: dict[str, Any] = {
        "hidden_size": 256,
        "intermediate_size": 704,
        "num_hidden_layers": 6,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
    }
    return LlamaConfig(
        vocab_size=vocabulary,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        **(sizes | changes),
    )


def pick_device(name: str) -> torch.device:
    """The named device; "auto" is CUDA if there is one, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def weighted_loss(model: LlamaForCausalLM, ids: Tensor, weights: Tensor) -> Tensor:
    """Mean next-token loss in nats, a scalar; `ids` and `weights` have shape (rows, length + 1)."""
    with torch.autocast(ids.device.type, torch.bfloat16):
        logits: Tensor = model(input_ids=ids[:, :-1], use_cache=False).logits
    each = F.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten(), reduction="none")
    weight = weights[:, 1:].flatten()
    return (each * weight).sum() / weight.sum()


def make_optimizers(
    model: LlamaForCausalLM, settings: Settings
) -> list[tuple[torch.optim.Optimizer, float]]:
    """The optimizers with their peak learning rates.

    Muon moves the matrices inside the layers, AdamW the embedding and the norms.
    """
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        inside = parameter.ndim == 2 and "embed" not in name
        (matrices if inside else others).append(parameter)
    muon = torch.optim.Muon(
        matrices,
        lr=settings.muon_rate,
        weight_decay=settings.weight_decay,
        adjust_lr_fn="original",
    )
    adam = torch.optim.AdamW(others, lr=settings.adam_rate, betas=(0.9, 0.97), weight_decay=0.0)
    return [(muon, settings.muon_rate), (adam, settings.adam_rate)]


def rate_factor(progress: float, settings: Settings) -> float:
    """Learning rate as a share of its peak: linear warm-up, constant, linear decay to 2 %."""
    if progress < settings.warmup:
        return max(0.01, progress / settings.warmup)
    left = (1 - progress) / settings.decay
    return max(0.02, min(1.0, left))


def row_length(progress: float, step: int, settings: Settings) -> int:
    """The row length of a step: short rows first, longer ones later."""
    shares = [
        start + (end - start) * min(1.0, progress)
        for start, end in zip(settings.shares_start, settings.shares_end, strict=True)
    ]
    # Drawn from seed and step alone, so that a resumed run draws the same.
    draw = random.Random(f"{settings.seed}-{step}")
    return draw.choices(settings.lengths, shares)[0]
