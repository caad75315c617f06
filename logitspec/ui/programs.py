"""Tools for programs: as endpoints of Gradio's API, and over MCP at `/gradio_api/mcp`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.context import LocalContext
from gradio.route_utils import get_root_url
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from logitspec.publish.demos import TRACES
from logitspec.serving.host import Host
from logitspec.serving.programs.signature import Signature, Tool
from logitspec.serving.programs.tools import Caller, Tools
from logitspec.ui.callbacks import callbacks
from logitspec.ui.desk import notice
from logitspec.ui.visit import visitor_of

if TYPE_CHECKING:
    from logitspec.serving.programs.server import McpServer

ADDRESS = "/gradio_api/mcp"


def endpoint(page: gr.Blocks, tool: Tool, about: Signature) -> Callable[..., Any]:
    """`tool` as a function for `gr.api`, which takes the endpoint's parameters from its signature."""
    _, *own = signature(tool).parameters.values()

    async def call(visit: gr.Request, *values: Any) -> dict[str, Any]:
        arguments = dict(zip([each.name for each in own], values, strict=False))
        try:
            caller = Caller(visitor_of(visit), _address(page, visit.request))
            return asdict(await tool(caller, **about.check(arguments)))
        except Exception as error:
            raise notice(error) from error

    types = about.types()
    visit = Parameter("visit", Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request)
    call.__name__, call.__doc__ = about.name, about.about
    call.__signature__ = signature(call).replace(  # type: ignore[attr-defined]
        parameters=[visit, *(each.replace(annotation=types[each.name]) for each in own)],
        return_annotation=dict,
    )
    call.__annotations__ = {"visit": gr.Request, **types, "return": dict}
    return call


def mcp_server(page: gr.Blocks, host: Host) -> McpServer:
    """The MCP server of the app, for `routes`; it serves within its lifespan."""
    from logitspec.serving.programs.server import McpServer

    fetch_steps, _ = callbacks(host, TRACES)
    return McpServer(Tools(host), fetch_steps, lambda request: _address(page, request), _as_visitor)


def routes(server: McpServer) -> list[BaseRoute]:
    """The routes of the MCP server, and of a schema that Hugging Face reads to show a Space's tools."""

    def schema(request: Request) -> Response:
        about = {"file_data_present": False, "mcp_type": "tool"}
        return JSONResponse(
            [
                {
                    "name": each.name,
                    "description": each.description,
                    "inputSchema": each.inputSchema,
                    "meta": {**about, "endpoint_name": each.name},
                }
                for each in server.describe_tools()
            ]
        )

    return [
        Route(f"{ADDRESS}/schema", schema),
        *(Route(ADDRESS + end, server.endpoint) for end in ("", "/")),
    ]


def _address(page: gr.Blocks, request: Request) -> str:
    """The page's address, as the client of a request reaches it."""
    return get_root_url(request, request.url.path, page.root_path)


@contextmanager
def _as_visitor(request: Request) -> Iterator[None]:
    """Set the request as Gradio does for functions of a page, since a Space knows visitors by their requests."""
    token = LocalContext.request.set(gr.Request(request))
    try:
        yield
    finally:
        LocalContext.request.reset(token)
