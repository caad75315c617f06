"""The fastest way to run a target that still computes its model: the fast forward, graphs, dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from logitspec.errors import LogitSpecError
from logitspec.models.machine import free_bytes
from logitspec.runtime.fast import FastForward, unsupported
from logitspec.runtime.graphs import CudaGraphs
from logitspec.runtime.probe import Errors, Probe
from logitspec.runtime.product import choose_forms
from logitspec.runtime.runner import Runner
from logitspec.runtime.timing import MAX_CONTEXT, forward_seconds

PACKED_SHARE = 0.5  # of free memory, which packed copies of weights may take
TIMED_ROWS = (1, 8, 32)
LONG_CONTEXT = 1024  # tokens; after a short text float32 looks better than it is
MAX_SHARE = 0.9  # of float32's time, for bfloat16 to be worth its rounding


def enable_fast_forward(target: Runner, probe: Probe, stock_errors: Errors) -> str:
    """Give `target` the fast forward if there is one for it; returns what the trace says about its forward.

    stock_errors: `probe.errors` with the stock forward. Where those of the fast one are clearly larger,
    the stock one stays.
    """
    reason = unsupported(target.model)
    if reason is not None:
        return f"stock: {reason}"
    stock = target.forward
    try:
        forward = FastForward(target.model)
        choose_forms(forward.products, int(PACKED_SHARE * (free_bytes(target.model.device) or 0)))
        target.use_forward(forward)
        excess = probe.excess(probe.errors(target), stock_errors)
    except Exception as error:  # a model without the fast forward is a slower one, not a broken one
        target.use_forward(stock)
        return f"stock: the fast one failed ({type(error).__name__})"
    if excess == 0.0:
        return "fast"
    target.use_forward(stock)
    return (
        f"stock: the fast one's logits are {excess:.1g} standard deviations apart, beyond rounding"
    )


def enable_graphs(target: Runner, probe: Probe, stock_errors: Errors, enabled: bool = True) -> str:
    """Have `target` replay its forwards as CUDA graphs where possible; returns what the trace says about that.

    The arguments are those of `enable_fast_forward`. Some replays are probed after a different prefix from
    that of their capture, so that a number frozen into the graph shows up.
    """
    reason = no_graphs(target.model, enabled)
    if reason is not None:
        return f"none: {reason}"
    target.enable_replay(CudaGraphs(target.model.device))
    excess = probe.excess(probe.errors(target), stock_errors)
    if target.replays and excess != 0.0:
        target.disable_replay(
            f"their logits are {excess:.1g} standard deviations apart, beyond rounding"
        )
    return str(target.info["environment"].get("graphs", "replayed"))


def no_graphs(model: Any, enabled: bool = True) -> str | None:
    """Why the forwards of `model` are not replayed as CUDA graphs; None where that may be tried."""
    devices = {each.device for each in model.parameters()}
    (device, *others) = sorted(devices, key=str)
    if others or getattr(model, "_hf_hook", None) is not None:
        return "its layers lie on several devices"
    if device.type != "cuda":
        return f"there are no CUDA graphs on {device.type}"
    if not enabled:
        return "they were turned off"
    rope = getattr(model.config.get_text_config(), "rope_parameters", None) or {}
    if "dynamic" in {rope.get("rope_type"), *(str(each) for each in _rope_types(rope))}:
        return "its rotary positions change with the length of the text"
    return None


def fastest_dtype(load: Callable[[torch.dtype], Runner]) -> Runner:
    """A target in float32 or bfloat16, chosen by the time of its forwards; `load` loads it in a dtype."""
    try:
        exact = load(torch.float32)
    except (LogitSpecError, MemoryError, RuntimeError):
        return load(torch.bfloat16)  # which takes half the memory, or raises the same error
    try:
        half = load(torch.bfloat16)
    except LogitSpecError as error:
        exact.info["environment"]["dtype"] = f"float32: {error}"
        return exact
    return faster(exact, half)


def faster(exact: Runner, half: Runner) -> Runner:
    """The target whose forwards take less time; `half` only if it is clearly faster.

    Compares sums over TIMED_ROWS of the shortest of a few forwards, which takes a fraction of a second.
    """
    seconds = [float("inf"), float("inf")]
    for _ in range(2):  # in turns, so that another program's load affects both
        for place, target in enumerate((exact, half)):
            context = LONG_CONTEXT if target.model.device.type == "cuda" else MAX_CONTEXT
            total = sum(forward_seconds(target, target.vocabulary_size, TIMED_ROWS, context))
            seconds[place] = min(seconds[place], total)
    fastest = half if seconds[1] < MAX_SHARE * seconds[0] else exact
    fastest.info["environment"]["dtype"] = (
        f"the fastest: {1000 * seconds[0]:.1f} ms in float32 and {1000 * seconds[1]:.1f} ms in bfloat16"
        f" for forwards over {', '.join(map(str, TIMED_ROWS))} rows"
    )
    return fastest


def _rope_types(rope: dict[str, Any]) -> list[Any]:
    """The rope types of a model with rotary parameters for each layer type."""
    return [each.get("rope_type") for each in rope.values() if isinstance(each, dict)]
