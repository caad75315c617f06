"""A page of Gradio that this process serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from logitspec.ui.theme import theme
from support.app import free_port
from support.awaited import awaited


def built(build: Callable[[], Any]) -> Any:
    """The page that `build` returns, made in a coroutine: elsewhere Gradio makes an event loop for each of its locks, and
    closes none."""

    async def work() -> Any:
        return build()

    return awaited(work())


@contextmanager
def serving_page(
    build: Callable[[], Any], options: Callable[[Any], dict[str, Any]]
) -> Iterator[tuple[Any, str]]:
    """Serve the page that `build` returns; yield its application and its address. options: of its launch."""

    def launch() -> tuple[Any, Any, str]:
        page = build()
        app, url, _ = page.launch(
            prevent_thread_lock=True,
            quiet=True,
            server_port=free_port(),
            theme=theme(),
            **options(page),
        )
        return page, app, url

    page, app, url = built(launch)
    try:
        yield app, url
    finally:
        page.close()
