"""Reads the weights of a model, and refuses those that don't fit it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from logitspec.errors import LogitSpecError
from logitspec.models import files

# Buffers that older checkpoints hold and models compute by themselves.
COMPUTED = re.compile(r"(attn|attention)\.(masked_)?bias$|\.inv_freq$|position_ids$|_extra_state$")


def read_weights(
    folder: Path, name: str, config: PreTrainedConfig, dtype: torch.dtype, **options: Any
) -> PreTrainedModel:
    """The model in `folder`, all of whose weights come from its files. name: for people. options: of
    from_pretrained. Raises LogitSpecError where they don't fit the configuration."""
    weights = files.weights_in(folder)
    if weights is None:
        there = [file.name for file in folder.iterdir()]
        raise files.adapter_folder_error(folder, name) or files.no_weights_error(there, name)
    model, report = AutoModelForCausalLM.from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        use_safetensors=True,
        variant=weights.variant,
        trust_remote_code=False,
        # For the sentences below: the library itself only writes a table to its log.
        output_loading_info=True,
        ignore_mismatched_sizes=True,
        **options,
    )
    refuse_misfit(model, report, name)
    loaded: PreTrainedModel = model
    return loaded


def refuse_misfit(model: Any, report: Mapping[str, Any], name: str) -> None:
    """Raise LogitSpecError where `report`, the loading info of from_pretrained, says that a weight is missing,
    of another shape, or left out: such a model runs, but writes the wrong text."""
    missing, unexpected = sorted(report["missing_keys"]), sorted(report["unexpected_keys"])
    if mismatched := sorted(report["mismatched_keys"]):
        key, theirs, ours = mismatched[0]
        raise LogitSpecError(
            f"The weights of {name} don't fit its configuration: {key} is {_shape(theirs)} and should be"
            f" {_shape(ours)}; take config.json and weights from the same place."
        )
    if missing:
        total = len(model.state_dict())
        raise LogitSpecError(
            f"{name} lacks {len(missing)} of its {total} weights, such as {missing[0]};"
            f" {_remedy(missing, unexpected)}."
        )
    inside = [key for key in unexpected if _belongs(model, key) and not COMPUTED.search(key)]
    if inside:
        raise LogitSpecError(
            f"{name} has {len(inside)} weights for which its configuration has no place, such as {inside[0]};"
            " take config.json and weights from the same place, or choose another model."
        )


def _remedy(missing: list[str], unexpected: list[str]) -> str:
    prefixes = {key.removesuffix(missing[0]) for key in unexpected if key.endswith(missing[0])}
    if prefixes:
        return f"they are there under names that begin with {min(prefixes)!r}: save them without that prefix"
    return "download it again, or choose another model"


def _belongs(model: Any, key: str) -> bool:
    """Whether a weight is in a part that `model` has, and not in a tower or a head that it lacks."""
    modules = dict(model.named_modules())
    parts = key.split(".")
    inner = next(
        (at for n in range(len(parts) - 1, 0, -1) if (at := ".".join(parts[:n])) in modules), ""
    )
    return inner not in ("", model.base_model_prefix)


def _shape(shape: Any) -> str:
    return " x ".join(map(str, shape))
