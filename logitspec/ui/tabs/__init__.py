"""The tabs of the page, one module each; `all_tabs` finds them by their `TAB`."""

from __future__ import annotations

import importlib
import pkgutil

from logitspec.ui.tab import Tab


def all_tabs() -> list[Tab]:
    """The tabs from left to right."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    ]
    return sorted((module.TAB for module in modules), key=lambda tab: tab.position)
