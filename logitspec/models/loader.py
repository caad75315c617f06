"""Load models, wherever their files are, as targets with their tokenizers."""

from __future__ import annotations

import atexit
import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from logitspec.errors import LogitSpecError, is_out_of_memory, missing_package
from logitspec.models import dense, hub, info
from logitspec.models.building import BUILDING, Quiet
from logitspec.models.checks import check_tree_equivalence, refuse_config, refuse_model
from logitspec.models.devices import (
    device_map_options,
    refuse_offload,
    too_large,
)
from logitspec.models.kernels import enable_kernels
from logitspec.models.resolve import refuse_without_room, resolve
from logitspec.models.sources import BUILTIN, Source, display_name
from logitspec.models.speed import enable_fast_forward, enable_graphs, fastest_dtype
from logitspec.models.weights import read_weights
from logitspec.runtime.runner import Runner

MAX_TIMED_PARAMETERS = 10**9  # a larger model takes long to load twice, and much memory in float32

# Weights on disk load in a moment; a progress bar for that hides what matters.
transformers.utils.logging.disable_progress_bar()

_QUIET = Quiet()

ABSOLUTE = re.compile(r"(?<![\w.:/])(?:/[^\s/'\"]+)*/([^\s/'\"]+)/?")


def load(
    model: str | Path = BUILTIN,
    device: str = "auto",
    dtype: str = "auto",
    *,
    device_map: str | None = None,
    offload: bool = False,
    graphs: bool = True,
    exact: bool | None = None,
    progress: hub.Progress | None = None,
) -> tuple[Runner, PreTrainedTokenizerBase]:
    """A target and its tokenizer.

    model: "builtin", a folder, a GGUF file, or a hub id. device: "auto" (a CUDA GPU if there is one, else the
    CPU) or a torch device. dtype: "auto" (on a GPU bfloat16, unless float32 costs less than a tenth of a
    step more; on a CPU float32), a dtype's name, or "fastest": on a CPU, whichever of these two takes less time
    for a few forwards; in bfloat16, rounding may decide between tokens that are nearly tied. device_map: "auto"
    spreads the layers over all GPUs (instead of device). offload: layers that don't fit there may go to the
    CPU. graphs: on a CUDA GPU, replay forwards as CUDA graphs where the model allows it; the trace's
    environment says whether it does. exact: on a CUDA GPU, keep the bits of a row's logits independent of what
    else is in the forward, so that drafting changes no output in half precision either; None does so where it
    costs less than a tenth of a step. progress: called during a download of weights with the bytes so far and
    in total. Weights are read only from safetensors or GGUF, and no code from the model's repository is run.
    Raises LogitSpecError when the model can't be found or read, or can't be a target.
    """
    with _QUIET, _explain_errors(model):
        return _load(model, device, dtype, device_map, offload, graphs, exact, progress)


def _load(
    model: str | Path,
    device: str,
    dtype: str,
    device_map: str | None,
    offload: bool,
    graphs: bool,
    exact: bool | None,
    progress: hub.Progress | None,
) -> tuple[Runner, PreTrainedTokenizerBase]:
    local = resolve(model, device, dtype, device_map, offload, progress)
    source, parameters = local.source, local.parameters
    open_dtype = dtype == ("fastest" if local.device.type == "cpu" else "auto")
    compare_dtypes = (
        open_dtype
        and local.device.type in ("cpu", "cuda")
        and device_map is None
        and parameters < MAX_TIMED_PARAMETERS
    )

    def build(weights_dtype: torch.dtype) -> Runner:
        options: dict[str, Any] = {}
        if compare_dtypes:  # the larger dtype, and then the second model beside the first
            refuse_without_room(source, parameters, weights_dtype, local.device)
        if device_map is not None:
            options = device_map_options(
                source.name, device_map, offload, parameters, weights_dtype
            )
        weights, reason = _weights(source, local.config, weights_dtype, options)
        refuse_offload(source.name, getattr(weights, "hf_device_map", {}), offload)
        net = weights if options else weights.to(local.device)
        target = prepare(net.eval(), local.tokenizer.eos_token_id, source.name)
        target.info.update(reason)
        if source.gguf is not None:
            target.info["revision"] = source.repository.commit if source.repository else None
            target.info["weights"] = dense.line(source.gguf, weights_dtype)
        probe = check_tree_equivalence(target, source.name, local.tokenizer)
        environment = target.info["environment"]
        environment["forward"] = enable_fast_forward(target, *probe)
        if local.device.type != "cpu":
            environment["graphs"] = enable_graphs(target, *probe, graphs)
            enable_kernels(target, *probe, exact)
        return target

    gc.unfreeze()  # so that a model that is no longer used can be collected
    gc.collect()
    target: Runner | None = None
    try:
        target = fastest_dtype(build) if compare_dtypes else build(local.dtype)
    finally:
        if compare_dtypes or target is None:
            gc.collect()  # the slower target, and a failed attempt, leave objects that hold memory
        gc.freeze()  # a collection that walks all the libraries takes as long as many steps on a GPU
    return target, local.tokenizer


# At exit, libraries count the objects that have not been freed.
atexit.register(gc.unfreeze)


def fetch(
    model: str | Path,
    device: str = "auto",
    dtype: str = "auto",
    *,
    device_map: str | None = None,
    offload: bool = False,
    graphs: bool = True,
    exact: bool | None = None,
    progress: hub.Progress | None = None,
) -> None:
    """Download a model's files, as `load` does before it takes memory; raises LogitSpecError."""
    with _QUIET, _explain_errors(model):
        resolve(model, device, dtype, device_map, offload, progress)


@contextmanager
def _explain_errors(model: str | Path) -> Iterator[None]:
    """Within this, every library error becomes a sentence about `model`."""
    try:
        yield
    except LogitSpecError:
        raise
    except Exception as error:
        name = display_name(model)
        if is_out_of_memory(error):
            raise too_large(name, "it ran out while the model was being loaded") from None
        raise missing_package(error, name) or LogitSpecError(
            f"{name} could not be loaded: {_first_sentence(error)}"
        ) from error


def prepare(
    model: Any, eos_token_id: int | None = None, name: str = "", kind: type[Runner] = Runner
) -> Runner:
    """A target over a transformers model that is already in memory and in eval mode.

    eos_token_id: the tokenizer's, in addition to those of the model's generation config.
    """
    limit = info.limit(model)
    about = info.describe(model, name or model.config.model_type)
    if context := info.context(model, limit):
        about["context"] = context
    target = kind(
        model,
        windows=info.windows(model.config.get_text_config()),
        eos_ids=info.eos_ids(model.generation_config, eos_token_id),
        limit=limit,
        info=about,
    )
    target.renew = partial(prepare, model, eos_token_id, name, kind)
    return target


def refuse_unfit(model: Any) -> None:
    """Raise LogitSpecError for a transformers model that can't be a target."""
    name = display_name(model.config.name_or_path or model.config.model_type)
    refuse_config(model.config, name)
    refuse_model(model, name)
    check_tree_equivalence(prepare(model, name=name), name)


def _weights(
    source: Source, config: PreTrainedConfig, dtype: torch.dtype, device_map: dict[str, Any]
) -> tuple[PreTrainedModel, dict[str, str]]:
    """The model, and the reason if it runs eager attention instead of SDPA."""
    attention, reason = "sdpa", {}
    if getattr(config.get_text_config(), "attn_logit_softcapping", None):
        attention, reason = "eager", {"attention_reason": "the attention scores are soft-capped"}
    try:
        model = _read_weights(source, config, dtype, attention, device_map)
    except LogitSpecError:
        raise
    except ValueError as error:
        reason = {"attention_reason": _first_sentence(error)}
        model = _read_weights(source, config, dtype, "eager", device_map)
    refuse_model(model, source.name)
    return model, reason


def _read_weights(
    source: Source,
    config: PreTrainedConfig,
    dtype: torch.dtype,
    attention: str,
    device_map: dict[str, Any],
) -> PreTrainedModel:
    options = {"attn_implementation": attention, **device_map}
    with BUILDING:
        if source.gguf is not None:
            return dense.model(source.gguf, config, dtype, **options)
        return read_weights(source.folder, source.name, config, dtype, **options)


def _first_sentence(error: BaseException) -> str:
    """The first line of a library's message, with paths cut to their last part, since the rest is private."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    line = ABSOLUTE.sub(r"\1", line)
    return line if line.endswith(".") else f"{line}."
