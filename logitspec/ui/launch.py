"""How the page is served: who is let in, what may be sent, and what a page says when it closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from logitspec.serving.follow import Lectures
from logitspec.serving.follow_routes import follow_routes
from logitspec.serving.gate import Access, Gate
from logitspec.serving.host import Host
from logitspec.serving.limits import MAX_WAITING
from logitspec.ui.front import Front
from logitspec.ui.lesson import lesson_route
from logitspec.ui.programs import mcp_server, routes
from logitspec.ui.scripts import ADDRESS, launch_options
from logitspec.ui.sessions import light_sessions
from logitspec.ui.video import video_route

NO_FUNCTION = "There is no such function here."
MAX_SESSIONS = 1000  # that Gradio remembers
THREADS = 40  # beyond those for runs


def serving_options(
    page: gr.Blocks, host: Host, access: Access, mcp: bool = False
) -> dict[str, Any]:
    """Options for `page.launch`: `launch_options`, and everything that concerns visitors. mcp: whether programs
    get the tools over MCP."""
    served = mcp_server(page, host) if mcp else None

    async def goodbye(request: Request) -> Response:
        """Tell the host that the page that follows the run named in the body is closed."""
        name = (await request.body()).decode("utf-8", "replace")
        host.goodbye(name, request.client.host if request.client else "")
        return Response(status_code=204)

    options = launch_options()
    kwargs = options["app_kwargs"]
    kwargs["routes"].insert(0, Route(f"/{ADDRESS}/goodbye", goodbye, methods=["POST"]))
    kwargs["routes"].insert(0, lesson_route(f"/{ADDRESS}/lesson", host))
    kwargs["routes"].insert(0, video_route(f"/{ADDRESS}/video", access))
    kwargs["routes"][:0] = follow_routes(f"/{ADDRESS}", Lectures())
    gate = Middleware(Gate, host=host, access=access, misfit=misfits(page), programs=mcp)
    kwargs["middleware"] = [gate, Middleware(Front)]
    kwargs["lifespan"] = light_sessions(host.audience.silence)
    if served is not None:
        kwargs["routes"][:0] = routes(served)
        kwargs["lifespan"] = _both(kwargs["lifespan"], served.lifespan)
    return {
        **options,
        "max_file_size": "1kb",  # nothing here is uploaded
        "max_threads": MAX_WAITING + THREADS,  # Gradio counts waiting runs, too
        "state_session_capacity": MAX_SESSIONS,
        "enable_monitoring": False,
        "run_history": False,
        "show_error": True,
        "footer_links": ["api", "settings"],
        "mcp_server": False,  # Gradio's own, which knows neither turns nor visitors
    }


def _both(
    outer: Callable[[Any], AbstractAsyncContextManager[None]],
    inner: Callable[[], AbstractAsyncContextManager[None]],
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        async with outer(app), inner():
            yield

    return lifespan


def misfits(page: gr.Blocks) -> Callable[[str, dict[str, Any]], str | None]:
    """A function that says in a sentence why `page` has no function for a request, or none that takes its values;
    None where it has one. Gradio would fail on such a request with a traceback of its own calls."""

    def misfit(path: str, body: dict[str, Any]) -> str | None:
        kind, _, rest = path.removeprefix("/gradio_api/").partition("/")
        if kind == "component_server":
            block = page.blocks.get(_number(body.get("component_id")))
            name = str(body.get("fn_name"))
            known = block is not None and hasattr(getattr(block, name, None), "_is_server_fn")
            return None if known and "data" in body and "session_hash" in body else NO_FUNCTION
        if kind not in ("queue", "run", "api", "call"):
            return None
        number = _number(body.get("fn_index"))
        name = rest.strip("/").rpartition("/")[2]
        named = [each for each in page.fns.values() if each.api_name == name]
        if "fn_index" in body:
            named = [page.fns[number]] if number in page.fns else []
        if not named:
            return NO_FUNCTION
        return None if rest.startswith("v2/") else _values(named[0], body.get("data"))

    return misfit


def _values(function: Any, data: Any) -> str | None:
    """Why `function` does not take the values `data`; None if it does."""
    taken = {len(function.inputs), sum(not each.skip_api for each in function.inputs)}
    given = len(data) if isinstance(data, list) else 0
    if isinstance(data, list) and given in taken:
        return None
    return f"This takes {max(taken)} values in `data`; got {given}."


def _number(value: Any) -> int:
    return value if type(value) is int else -1
