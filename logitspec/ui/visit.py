"""Who made a request, according to Gradio."""

from __future__ import annotations

import gradio as gr

from logitspec.serving.limits import Visitor


def visitor_of(request: gr.Request) -> Visitor:
    """The visitor behind a request of a page or of a script."""
    client = request.client
    return Visitor(str(request.session_hash or ""), client.host if client else "")
