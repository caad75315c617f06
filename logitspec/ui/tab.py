"""A tab of the page, and the context that builds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from logitspec.serving.host import Host


@dataclass(frozen=True, slots=True)
class Shell:
    """What all tabs share. blocks: the page. tabs: the component by which one tab opens another."""

    blocks: gr.Blocks
    host: Host
    tabs: gr.Tabs


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab. build: makes its content. position: among the tabs, from the left.

    `tab.js` and `tab.css` in the folder of assets/ named `id` are loaded with the page.
    """

    id: str
    title: str
    build: Callable[[Shell], None]
    position: int
