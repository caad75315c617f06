"""The page: its tabs, and the endpoint for scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator
from contextlib import aclosing
from threading import Event

import gradio as gr

from logitspec.drafters import DEFAULT_METHOD
from logitspec.publish.catalogue import say
from logitspec.serving.host import Host
from logitspec.serving.programs.signature import signatures
from logitspec.serving.programs.tools import Tools
from logitspec.serving.request import Request, parse_options
from logitspec.serving.turn import Outlook, Place
from logitspec.serving.waiting import in_turn
from logitspec.ui.desk import AT_ONCE, notice
from logitspec.ui.programs import endpoint
from logitspec.ui.tab import Shell
from logitspec.ui.tabs import all_tabs
from logitspec.ui.visit import visitor_of

SECONDS_KEPT = 3600  # for files that Gradio writes
MAX_UNSEEN = 64  # requests in Gradio's queue that serving/turn.py has not seen yet

INTRO = f"# {say('page.headline')}\n{say('page.intro')}"


def build(host: Host) -> gr.Blocks:
    """The whole interface over `host`; launch it with `theme=theme()` and `serving_options`."""
    kept = (SECONDS_KEPT, SECONDS_KEPT)
    with gr.Blocks(title="LogitSpec Live", analytics_enabled=False, delete_cache=kept) as page:
        gr.Markdown(INTRO, elem_id="intro")
        # In Gradio's menu of tabs that find no room, the page's scripts could not find them to open them.
        with gr.Tabs(selected="watch", overflow_behavior="wrap") as tabs:
            for tab in all_tabs():
                with gr.Tab(tab.title, id=tab.id):
                    tab.build(Shell(page, host, tabs))
        gr.api(_generate(host), api_name="generate", **AT_ONCE)
        for tool, about in signatures(Tools(host)).values():
            gr.api(endpoint(page, tool, about), api_name=about.name, **AT_ONCE)
    page.queue(max_size=MAX_UNSEEN)
    return page


def _generate(host: Host) -> Callable[..., AsyncIterator[str]]:
    """The function behind the endpoint /generate."""

    async def generate(
        visit: gr.Request,
        prompt: str,
        method: str = DEFAULT_METHOD,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        options: str = "{}",
        model: str = "",
    ) -> AsyncIterator[str]:
        """Stream one run: JSON messages with new steps, and last the finished trace as JSON.

        Args:
            prompt: text for the model.
            method: name of the decoding method.
            max_new_tokens: maximum number of tokens to generate.
            temperature: 0 for greedy decoding.
            seed: fixes the draws at a temperature above 0.
            options: the method's own options, a JSON object.
            model: a model other than the page's default, if the host allows it.
        """
        try:
            lanes = [(method, parse_options(options))]
            name = model or host.models.default
            request = Request(prompt, lanes, max_new_tokens, temperature, seed, name)
            request.check()
            stop = Event()

            def begin(place: Place) -> Generator[str, None, None]:
                return host.stream(request, stop, place=place)

            async with aclosing(in_turn(host, visitor_of(visit), stop, begin)) as messages:
                async for message in messages:
                    if not isinstance(message, Outlook):
                        yield message
        except Exception as error:
            raise notice(error) from error

    return generate
