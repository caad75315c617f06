"""Models: find, download, read, check and place them; tokens and chat templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logitspec.models.chat import encode_prompt
    from logitspec.models.loader import load

__all__ = ["encode_prompt", "load"]


def __getattr__(name: str) -> Any:
    # Imported only now, so that modules that need no torch, like `tokens`, work without it.
    if name == "load":
        from logitspec.models.loader import load

        return load
    if name == "encode_prompt":
        from logitspec.models.chat import encode_prompt

        return encode_prompt
    raise AttributeError(f"module 'logitspec.models' has no attribute {name!r}")
