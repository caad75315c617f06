"""The recipe: settings, architecture, loss, optimizers and schedules of a training run."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM

from logitspec.builtin.tokenizer import CONTEXT
from logitspec.models.machine import cpu_name


@dataclass(frozen=True)
class Settings:
    """What a training run depends on besides its data.

    `hours` is the wall time of training without evaluation; `steps`, if not 0, fixes the number
    of steps instead. `start` is the folder of the model to begin with, if any. `rate` multiplies
    the peak learning rates of both optimizers; `decay` is the part of the run in which they fall.
    `lengths` are the row lengths in tokens, `shares` the share of batches that use each of them at
    the start and at the end of the run. `scored_share` is the share of positions that enter the
    loss: those of answers and prose first, then prompts at random.
    `prose_share` of the rows are prose; from `prose_until` (a part of the run) on this falls to
    `prose_share_end`, as prose teaches words early and is mostly noise once copying must be exact.
    """

    hours: float = 1.0
    steps: int = 0
    seed: int = 0
    device: str = "auto"
    compile: bool = False
    start: str = ""
    tokens_per_step: int = 6144
    scored_share: float = 0.6
    rate: float = 1.0
    muon_rate: float = 0.02
    adam_rate: float = 2e-3
    warmup: float = 0.02
    decay: float = 0.6
    weight_decay: float = 0.05
    prose_share: float = 0.08
    prose_share_end: float = 0.02
    prose_until: float = 0.4
    prose_note: str = ""
    lengths: tuple[int, ...] = (256, 512, 1024, 2048)
    shares_start: tuple[float, ...] = (0.3, 0.5, 0.2, 0.0)
    shares_end: tuple[float, ...] = (0.1, 0.5, 0.35, 0.05)
    save_minutes: float = 10.0
    log_every: int = 20


def model_config(vocabulary: int, **changes: Any) -> LlamaConfig:
    """The architecture: 10.2 million parameters with a vocabulary of 4,096."""
    sizes: dict[str, Any] = {
        "hidden_size": 320,
        "intermediate_size": 896,
        "num_hidden_layers": 7,
        "num_attention_heads": 5,
        "num_key_value_heads": 5,
    }
    return LlamaConfig(
        vocab_size=vocabulary,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        **(sizes | changes),
    )


def describe_hardware(device: str) -> str:
    """The processor behind a torch device, with the threads that torch uses on a CPU."""
    if torch.device(device).type == "cuda":
        return f"one {torch.cuda.get_device_name(device)}"
    threads = torch.get_num_threads()
    return f"{threads} thread{'s' if threads > 1 else ''} of a CPU ({cpu_name()})"


def choose_loss_places(
    weights: npt.NDArray[np.float32], share: float, seed: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The flat places in `weights[:, 1:]` that enter the loss, and their weights.

    Places of weight 1 come first, then others at random, which then weigh more to represent the
    rest. `weights` has shape (rows, length + 1); `share` is 0 to 1.
    """
    flat = weights[:, 1:].reshape(-1)
    draw = np.random.default_rng(zlib.crc32(seed.encode()))
    order = np.argsort(-flat + draw.random(flat.size) * 0.01)
    places = np.sort(order[: max(1, round(share * flat.size))])
    place_weights = flat[places].copy()
    light = place_weights < 1
    if light.any():
        place_weights[light] *= (flat < 1).sum() / light.sum()
    return places, place_weights


def weighted_loss(model: LlamaForCausalLM, ids: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """Mean next-token loss in nats, a scalar.

    `ids` has shape (rows, length + 1); `places` are flat indices of predicted tokens in
    `ids[:, 1:]` and `weights`, of the same shape, their weights.
    """
    with torch.autocast(ids.device.type, torch.bfloat16):
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        logits: Tensor = model.lm_head(hidden.flatten(0, 1)[places])
    each = F.cross_entropy(logits.float(), ids[:, 1:].flatten()[places], reduction="none")
    return (each * weights).sum() / weights.sum()


def choose_attention(model: LlamaForCausalLM, device: torch.device, length: int) -> None:
    """Picks the attention that is fastest for rows of this length."""
    short = device.type == "cpu" and length <= 512
    model.config._attn_implementation = "eager" if short else "sdpa"


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
    peaks = (settings.rate * settings.muon_rate, settings.rate * settings.adam_rate)
    muon = torch.optim.Muon(
        matrices,
        lr=peaks[0],
        weight_decay=settings.weight_decay,
        adjust_lr_fn="original",
    )
    adam = torch.optim.AdamW(others, lr=peaks[1], betas=(0.9, 0.97), weight_decay=0.0)
    return [(muon, peaks[0]), (adam, peaks[1])]


def rate_factor(progress: float, settings: Settings) -> float:
    """Learning rate as a share of its peak: linear warm-up, constant, linear decay to 2 %."""
    if progress < settings.warmup:
        return max(0.01, progress / settings.warmup)
    fall = (1 - progress) / settings.decay
    return max(0.02, min(1.0, fall))


def prose_share(progress: float, settings: Settings) -> float:
    """The share of rows that are prose: constant at first, then falling linearly."""
    decline = (progress - settings.prose_until) / (1 - settings.prose_until)
    fall = settings.prose_share - settings.prose_share_end
    return settings.prose_share - fall * min(1.0, max(0.0, decline))


def row_length(progress: float, step: int, settings: Settings) -> int:
    """The row length of a step: short rows first, longer ones later."""
    shares = [
        start + (end - start) * min(1.0, progress)
        for start, end in zip(settings.shares_start, settings.shares_end, strict=True)
    ]
    # Drawn from seed and step alone, so that a resumed run draws the same.
    draw = random.Random(f"{settings.seed}-{step}")
    return draw.choices(settings.lengths, shares)[0]
