"""Where a model runs and how: device, dtype, the faster of two forwards, graphs, room in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from logitspec.errors import LogitSpecError
from logitspec.models.machine import free_bytes
from logitspec.runtime.graphs import CudaGraphs
from logitspec.runtime.llama import LlamaForward, unsupported
from logitspec.runtime.runner import Runner

DTYPES = ("auto", "fastest", "float32", "bfloat16", "float16", "float64")
# How far the fast forward's logits may deviate, beside a few times as far as the stock one's: rounding.
APART_AT_MOST = {torch.float64: 1e-3, torch.float32: 1e-3}
# In half precision, where 0.09 to 0.22 were seen on models of 0.5 to 7 billion parameters.
ROUNDING = 0.5
ROWS_TIMED = (1, 8, 32)
WORTH_ROUNDING = 0.9


def choose_device(device: str) -> torch.device:
    """The torch device by name; LogitSpecError when it is unknown or not there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise LogitSpecError(
            f"The device {device!r} is not available here; choose auto, cpu or cuda."
        ) from error
    return place


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """The torch dtype by name; LogitSpecError when it is unknown."""
    if dtype not in DTYPES:
        raise LogitSpecError(f"There is no dtype {dtype!r}; choose one of {', '.join(DTYPES)}.")
    if dtype == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    if dtype == "fastest":  # of the models that are not timed
        return torch.bfloat16
    chosen: torch.dtype = getattr(torch, dtype)
    return chosen


def refuse_too_large(name: str, parameters: int, dtype: torch.dtype, device: torch.device) -> None:
    """Raise LogitSpecError when the weights alone don't fit: a kernel that runs out of memory ends
    the whole process instead."""
    wanted, free = parameters * dtype.itemsize, free_bytes(device)
    if free is not None and wanted > free:
        raise too_large(
            name, f"its weights take {wanted / 1e9:.1f} GB and {free / 1e9:.1f} GB are free"
        )


def too_large(name: str, why: str) -> LogitSpecError:
    """The sentence for a model that memory does not hold."""
    return LogitSpecError(
        f"There is not enough memory for {name}: {why}; choose a smaller model, or a dtype of fewer"
        " bytes."
    )


def ran_out(error: BaseException) -> bool:
    """Whether it was memory that was missing."""
    told = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    return told or "allocate memory" in str(error) or "out of memory" in str(error)


def spread(
    name: str, device_map: str, offload: bool, parameters: int, dtype: torch.dtype
) -> dict[str, Any]:
    """What from_pretrained wants for a model over several devices, as accelerate places it.

    Without `offload` the CPU gets no layer where there is a GPU: each step would wait for its weights.
    """
    if device_map != "auto":
        raise LogitSpecError(f"There is no device map {device_map!r}; choose auto, or none.")
    if offload or not torch.cuda.is_available():
        return {"device_map": "auto"}
    free = {
        each: free_bytes(torch.device("cuda", each)) or 0
        for each in range(torch.cuda.device_count())
    }
    wanted = parameters * dtype.itemsize
    if wanted > sum(free.values()):
        raise too_large(
            name,
            f"its weights take {wanted / 1e9:.1f} GB and the GPUs have {sum(free.values()) / 1e9:.1f} GB"
            " free, and offloading to the CPU, which is slow, was not asked for",
        )
    return {"device_map": "auto", "max_memory": free}


def refuse_offload(name: str, placed: dict[str, Any], offload: bool) -> None:
    """Raise LogitSpecError when accelerate has put layers on CPU or disk beside a GPU, unasked."""
    devices = {str(device) for device in placed.values()}
    if not offload and len(devices) > 1 and devices & {"cpu", "disk"}:
        raise too_large(
            name, "its layers do not all fit on the GPUs, and offloading was not asked for"
        )


def quickened(target: Runner, deviation: float) -> str:
    """Give `target` the fast forward if there is one for it, and say for the trace what it has now.

    deviation: that of the stock forward. The fast one's, over a small tree, is measured against the same
    plain and uncached forwards of the stock model; where it is more than rounding, the stock one stays.
    """
    reason = unsupported(target.model)
    if reason is not None:
        return f"stock: {reason}"
    stock = target.forward
    try:
        target.use(LlamaForward(target.model))
        apart = target.deviation()
    except Exception as error:  # a model without the fast forward is a slower one, not a broken one
        target.use(stock)
        return f"stock: the fast one failed ({type(error).__name__})"
    if apart <= _rounding(target, deviation):
        return "fast"
    target.use(stock)
    return f"stock: the fast one's logits are {apart:.1g} standard deviations apart"


def _rounding(target: Runner, deviation: float) -> float:
    """How far another forward of the same model may deviate."""
    return 3 * deviation + APART_AT_MOST.get(target.model.dtype, ROUNDING)


def ungraphable(model: Any, wanted: bool = True) -> str | None:
    """Why the forwards of `model` are not replayed as CUDA graphs, or None where that may be tried."""
    devices = {each.device for each in model.parameters()}
    (device, *others) = sorted(devices, key=str)
    if others or getattr(model, "_hf_hook", None) is not None:
        return "its layers lie on several devices"
    if device.type != "cuda":
        return f"there are no CUDA graphs on {device.type}"
    if not wanted:
        return "they were turned off"
    rope = getattr(model.config.get_text_config(), "rope_parameters", None) or {}
    if "dynamic" in {rope.get("rope_type"), *(str(each) for each in _rope_types(rope))}:
        return "its rotary positions change with the length of the text"
    return None


def _rope_types(rope: dict[str, Any]) -> list[Any]:
    """Of a model whose layer types have their own."""
    return [each.get("rope_type") for each in rope.values() if isinstance(each, dict)]


def graphed(target: Runner, deviation: float, wanted: bool = True) -> str:
    """Have the forwards of `target` replayed as CUDA graphs where that can be, and say for the trace
    whether they are.

    deviation: that of the stock forward, as in `quickened`. What is replayed is measured behind another
    prefix than what was captured, so that a number frozen into the graph shows.
    """
    reason = ungraphable(target.model, wanted)
    if reason is not None:
        return f"none: {reason}"
    target.replay(CudaGraphs(target.model.device))
    target.deviation(behind=5)
    apart = target.deviation()
    if target.replays and not apart <= _rounding(target, deviation):
        target.stop_replaying(f"their logits are {apart:.1g} standard deviations apart")
    return str(target.info["environment"].get("graphs", "replayed"))


def fastest(made: Callable[[torch.dtype], Runner]) -> Runner:
    """A target in float32 or bfloat16, by what forwards take; `made` loads it in a dtype."""
    exact = made(torch.float32)
    try:
        rounded = made(torch.bfloat16)
    except LogitSpecError as error:
        exact.info["environment"]["dtype"] = f"float32: {error}"
        return exact
    return faster(exact, rounded)


def faster(exact: Runner, rounded: Runner) -> Runner:
    """The one whose forwards take less time; `rounded` only if it is clearly the faster one.

    By the sum over ROWS_TIMED, each the shortest of a few forwards: a fraction of a second.
    """
    took = [float("inf"), float("inf")]
    for _ in range(2):  # in turn, so that another program's load meets both
        for place, target in enumerate((exact, rounded)):
            took[place] = min(took[place], sum(target.seconds(ROWS_TIMED)))
    chosen = rounded if took[1] < WORTH_ROUNDING * took[0] else exact
    chosen.info["environment"]["dtype"] = (
        f"the fastest: {1000 * took[0]:.1f} ms in float32 and {1000 * took[1]:.1f} ms in bfloat16"
        f" for forwards over {', '.join(map(str, ROWS_TIMED))} rows"
    )
    return chosen
