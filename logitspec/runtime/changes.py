"""Tells whether a model has been changed since a target was made from it."""

from __future__ import annotations

from typing import Any


def state_of(model: Any) -> object:
    """A value that stays equal until the configuration, or a weight, is changed or replaced.

    Writes to a weight's storage behind torch's back (`weight.data`) are not seen.
    """
    weights = [
        (
            each.data_ptr(),
            0 if each.is_inference() else each._version,
            each.shape,
            each.dtype,
            each.device,
        )
        for each in model.parameters()
    ]
    return model.config.to_json_string(), model.config._attn_implementation, weights
