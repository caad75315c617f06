"""Where a model runs: device, dtype, room in memory."""

from __future__ import annotations

import gc
from typing import Any

import torch

from logitspec.errors import LogitSpecError
from logitspec.models.machine import free_bytes

DTYPES = ("auto", "fastest", "float32", "bfloat16", "float16", "float64")


def choose_device(device: str) -> torch.device:
    """The torch device by name; LogitSpecError when it is unknown or not there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch_device = torch.device(device)
        torch.zeros(1, device=torch_device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise LogitSpecError(
            f"The device {device!r} is not available here; choose auto, cpu or cuda."
        ) from error
    return torch_device


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """The torch dtype by name; LogitSpecError when it is unknown."""
    if dtype not in DTYPES:
        raise LogitSpecError(f"There is no dtype {dtype!r}; choose one of {', '.join(DTYPES)}.")
    if dtype == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    if dtype == "fastest":  # for models that are not timed
        return torch.bfloat16
    torch_dtype: torch.dtype = getattr(torch, dtype)
    return torch_dtype


def refuse_too_large(
    name: str, parameters: int, dtype: torch.dtype, device: torch.device, more: int = 0
) -> None:
    """Raise LogitSpecError when the weights, and `more` bytes while they are made, don't fit: an operating system
    that runs out of memory would kill the whole process."""
    needed, free = parameters * dtype.itemsize + more, free_bytes(device)
    if free is not None and needed > free:
        why = f"its weights take {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free"
        raise too_large(name, why, needed - free)


class TooLargeError(LogitSpecError):
    """A model does not fit in memory. missing: bytes that would make it fit; None where that is unknown."""

    missing: int | None = None


def too_large(name: str, why: str, missing: int | None = None) -> TooLargeError:
    """The error for a model that does not fit in memory."""
    error = TooLargeError(
        f"There is not enough memory for {name}: {why}; choose a smaller model, or a smaller dtype."
    )
    error.missing = missing
    return error


def release() -> None:
    """Give back the memory of models to which nothing refers any more."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def device_map_options(
    name: str, device_map: str, offload: bool, parameters: int, dtype: torch.dtype
) -> dict[str, Any]:
    """Arguments of from_pretrained that have accelerate spread a model over several devices.

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
    needed = parameters * dtype.itemsize
    if needed > sum(free.values()):
        raise too_large(
            name,
            f"its weights take {needed / 1e9:.1f} GB and the GPUs have {sum(free.values()) / 1e9:.1f} GB"
            " free, and offloading to the CPU, which is slow, was not asked for",
        )
    return {"device_map": "auto", "max_memory": free}


def refuse_offload(name: str, device_map: dict[str, Any], offload: bool) -> None:
    """Raise LogitSpecError when accelerate has put layers on CPU or disk next to a GPU without `offload`."""
    devices = {str(device) for device in device_map.values()}
    if not offload and len(devices) > 1 and devices & {"cpu", "disk"}:
        raise too_large(
            name, "its layers do not all fit on the GPUs, and offloading was not asked for"
        )
