"""Tell whether somebody has changed a model since a target was made of it."""

from __future__ import annotations

from typing import Any


def state_of(model: Any) -> object:
    """Equal before and after unless the configuration, or a weight, has been changed or replaced.

    What writes into the storage of a weight behind the back of torch (`weight.data`) is not seen.
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
