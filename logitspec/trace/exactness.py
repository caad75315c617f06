"""What a target promises about its outputs, in words: that drafting changes none, or where it may."""

from __future__ import annotations

from typing import Any

HALF = ("bfloat16", "float16")


def promise(info: dict[str, Any]) -> str:
    """A sentence on a target's outputs in half precision; empty in any other. info: the target's."""
    dtype = info.get("dtype")
    if dtype not in HALF:
        return ""
    if str(info.get("environment", {}).get("exact", "no")).startswith("yes"):
        return f"Outputs equal plain decoding's, token for token, in {dtype} too."
    return (
        f"In {dtype} rounding may decide between two tokens that are nearly tied, so outputs may differ"
        " from plain decoding's there; float32 keeps them equal."
    )
