"""The model, machine and versions that figures were measured with."""

from __future__ import annotations

from typing import Any

import torch

from logitspec.models.machine import cpu_name
from logitspec.version import VERSION


def environment(target: Any) -> dict[str, Any]:
    """Model, device, threads and versions."""
    info = dict(target.info)
    versions = dict(info.pop("environment", {}))
    if why := versions.pop("dtype", None):
        info["dtype_chosen"] = why
    return {
        **info,
        "cpu": cpu_name(),
        "threads": torch.get_num_threads(),
        **versions,
        "logitspec": VERSION,
    }
