"""Models: find, download, read, check and place them; tokens and chat templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logitspec.models.loader import encode_prompt, load

__all__ = ["encode_prompt", "load"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # what needs no torch, like the bytes of tokens, works without it
        from logitspec.models import loader

        return getattr(loader, name)
    raise AttributeError(f"module 'logitspec.models' has no attribute {name!r}")
