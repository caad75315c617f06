"""One thread at a time builds a model.

While it builds one, transformers changes what the whole process shares: torch's default dtype, `tie_weights` of all
models, `torch.linspace`, the functions of `torch.nn.init`. A second thread would build with the changes of the first,
and at its end put those back as if they had been there before.
"""

from __future__ import annotations

import logging
import os
from threading import Lock, RLock
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedConfig
from transformers.utils.logging import get_verbosity, set_verbosity

BUILDING = RLock()
"""Held by whoever builds a model."""

if hasattr(os, "register_at_fork"):
    # A fork in the middle would keep the changes, and a lock that no thread of it gives back.
    os.register_at_fork(
        before=BUILDING.acquire, after_in_parent=BUILDING.release, after_in_child=BUILDING.release
    )


def skeleton(config: PreTrainedConfig) -> Any:
    """The model of `config` without memory for its weights."""
    # In torch's own dtype, or forwards in other threads would meet the configuration's as their default.
    with BUILDING, torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, dtype=torch.get_default_dtype())


class Quiet:
    """A context in which transformers shows no warnings: those that matter become sentences of ours. Threads may be
    in it at the same time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._before = logging.WARNING

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = get_verbosity()
                set_verbosity(max(self._before, logging.ERROR))
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                set_verbosity(self._before)
