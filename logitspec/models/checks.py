"""Checks whether a model can be a target; one that can't branch over a draft tree is refused in one sentence."""

from __future__ import annotations

from inspect import signature
from math import isnan
from typing import Any

import torch
from transformers import PreTrainedConfig
from transformers.quantizers import AutoHfQuantizer

from logitspec.errors import LogitSpecError, is_out_of_memory
from logitspec.models.probing import probe_of
from logitspec.runtime.probe import Errors, Probe
from logitspec.runtime.ranks import not_finite
from logitspec.runtime.runner import Runner

ATTENTION = {"full_attention", "sliding_attention", "global"}
IMPLEMENTATIONS = ("sdpa", "eager")
MAX_DEVIATION = {torch.float64: 1e-2, torch.float32: 1e-2}
MAX_HALF_DEVIATION = 0.25


def refuse_config(config: PreTrainedConfig, name: str) -> None:
    """Raise LogitSpecError for what the configuration alone rules out."""
    text = config.get_text_config()
    if config.is_encoder_decoder:
        raise LogitSpecError(
            f"{name} is an encoder-decoder model; choose one that only continues text."
        )
    kinds = {*(getattr(text, "layer_types", None) or ()), *getattr(text, "attention_layers", ())}
    other = kinds - ATTENTION
    if other:
        raise LogitSpecError(
            f"{name} has layers of type {sorted(other)[0]!r}, which can't branch over a"
            " draft tree; choose a model with attention only."
        )


def refuse_quantisation(config: PreTrainedConfig, name: str) -> None:
    """Raise LogitSpecError for weights that are quantised in a way that transformers can't run here: it
    would ignore an unknown method and read the packed numbers as weights."""
    for each in (config, config.get_text_config()):
        # MLX calls it "quantization", and names no method.
        wanted = getattr(each, "quantization_config", getattr(each, "quantization", None))
        if wanted is None:
            continue
        method = wanted.get("quant_method") if isinstance(wanted, dict) else wanted.quant_method
        try:
            AutoHfQuantizer.from_config(wanted, pre_quantized=True).validate_environment()
        except Exception as error:  # an unknown method, a missing package, no GPU
            if not method:
                raise LogitSpecError(
                    f"{name} is quantised in a way that can't be run here; choose the same model"
                    " unquantised, or in GGUF."
                ) from error
            raise LogitSpecError(
                f"{name} is quantised in a way that can't be run here ({method}); choose the same model"
                " unquantised, or in GGUF."
            ) from error


def refuse_model(model: Any, name: str) -> None:
    """Raise LogitSpecError for what the model's class rules out."""
    if "position_ids" not in signature(model.forward).parameters:
        raise LogitSpecError(
            f"{name} takes no position ids, which the branches of a draft tree need; choose another"
            " model."
        )
    if getattr(model, "_is_stateful", False):
        raise LogitSpecError(
            f"{name} keeps a recurrent state, which can't branch over a draft tree;"
            " choose a model with attention only."
        )
    attention = model.config._attn_implementation
    if attention not in IMPLEMENTATIONS:
        raise LogitSpecError(
            f"{name} runs the attention {attention!r}, which takes no draft tree; load it with"
            " attn_implementation='sdpa'."
        )


def check_tree_equivalence(
    target: Runner, name: str, tokenizer: Any = None
) -> tuple[Probe, Errors]:
    """Raise LogitSpecError for a model that computes other logits over a draft tree than over plain text.

    tokenizer: the model's; without one it is probed on text that it finds likely. Returns the probe and the errors
    of the stock forward, against which other forwards are measured.
    """
    try:
        probe = probe_of(target, tokenizer)
        errors = probe.errors(target)
    except LogitSpecError:
        raise
    except Exception as error:  # whatever a model raises that can't use positions or 4-D masks
        if is_out_of_memory(error):
            raise
        raise LogitSpecError(
            f"{name} can't run a draft tree ({type(error).__name__}); choose another model."
        ) from error
    # In half precision, rounding alone may move the logits of a mixture of experts far.
    excess = probe.excess(errors)
    if isnan(excess):
        raise not_finite()
    if not excess <= MAX_DEVIATION.get(target.model.dtype, MAX_HALF_DEVIATION):
        raise LogitSpecError(
            f"{name} computes different logits over a draft tree than over plain text"
            f" ({excess:.1g} standard deviations apart); choose another model."
        )
    return probe, errors
