"""The MCP server (modelcontextprotocol.io), by the package `mcp`: tools, prompts, and the player as an MCP App.

A client that can show apps puts the page of `APP` into a frame next to a tool's answer; the page fetches the steps
of the run by `read_run`, a tool for such pages only, so that no trace goes through a language model.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import asdict
from typing import Any

from mcp import types
from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import AnyUrl
from starlette.requests import Request

from logitspec.errors import LogitSpecError, sentence
from logitspec.publish.export import hosted_page
from logitspec.serving.limits import Visitor
from logitspec.serving.programs.endpoint import SESSION_HEADER, Endpoint, shows_apps
from logitspec.serving.programs.recipes import RECIPES
from logitspec.serving.programs.signature import signatures
from logitspec.serving.programs.tools import Caller, ReportProgress, Tools
from logitspec.version import VERSION

APP = "ui://logitspec/player.html"
APP_TYPE = "text/html;profile=mcp-app"
READ_RUN = "read_run"
MIN_PROGRESS = 1e-6  # by which a report exceeds the one before, at least

ABOUT = (
    "LogitSpec Live runs a language model with speculative decoding and shows every step. generate_text runs a"
    " prompt, compare_methods races decoding methods on one, explain_step says in words what one step of a run"
    " did. Give people the player's link: there they watch the run step by step."
)

FetchSteps = Callable[[Any], Awaitable[str | None]]
"""{"run", "from"} -> the steps from number `from` on as one packed message; None for an unknown run."""

log = logging.getLogger(__name__)


class McpServer:
    """The MCP server; `endpoint` is its ASGI application, which serves within `lifespan`.

    fetch_steps: the one that the page calls. address: the page's, as the client of a request reaches it. within: a
    context manager around the work of a request.
    """

    def __init__(
        self,
        tools: Tools,
        fetch_steps: FetchSteps,
        address: Callable[[Request], str],
        within: Callable[[Request], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self._tools = signatures(tools)
        self._fetch_steps = fetch_steps
        self._address, self._within = address, within
        self._server = Server("LogitSpec Live", VERSION, ABOUT)
        self._server.request_handlers |= {
            types.ListToolsRequest: self._list_tools,
            types.CallToolRequest: self._call_tool,
            types.ListPromptsRequest: self._list_prompts,
            types.GetPromptRequest: self._get_prompt,
            types.ListResourcesRequest: self._list_resources,
            types.ReadResourceRequest: self._read_resource,
        }
        # Stateless, so that there are no sessions to store, and none that a restart loses.
        self._manager = StreamableHTTPSessionManager(self._server, stateless=True)
        self.endpoint = Endpoint(self._manager.handle_request)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Serve requests inside; can be entered only once."""
        async with self._manager.run():
            yield

    def describe_tools(self, app: bool = False) -> list[types.Tool]:
        """The tools for a client's list. app: include `read_run`, for clients that show apps."""
        tools = [
            types.Tool(
                name=name,
                title=about.title,
                description=about.about,
                inputSchema=about.input_schema(),
                outputSchema=about.output_schema(),
                annotations=types.ToolAnnotations(
                    readOnlyHint=True, destructiveHint=False, openWorldHint=False
                ),
                _meta={"ui": {"resourceUri": APP}},
            )
            for name, (_, about) in self._tools.items()
        ]
        return [*tools, _read_run_tool()] if app else tools

    async def _list_tools(self, _: Any) -> types.ServerResult:
        tools = self.describe_tools(app=shows_apps(self._session))
        return types.ServerResult(types.ListToolsResult(tools=tools))

    async def _list_prompts(self, _: Any) -> types.ServerResult:
        prompts = [each.describe() for each in RECIPES.values()]
        return types.ServerResult(types.ListPromptsResult(prompts=prompts))

    async def _get_prompt(self, request: types.GetPromptRequest) -> types.ServerResult:
        name = request.params.name
        if name not in RECIPES:
            raise LogitSpecError(
                f"There is no prompt {name[:80]!r}; choose one of {', '.join(RECIPES)}."
            )
        return types.ServerResult(RECIPES[name].fill(request.params.arguments or {}))

    async def _list_resources(self, _: Any) -> types.ServerResult:
        return types.ServerResult(types.ListResourcesResult(resources=[_player_resource()]))

    async def _read_resource(self, request: types.ReadResourceRequest) -> types.ServerResult:
        if str(request.params.uri) != APP:
            name = str(request.params.uri)[:80]
            raise LogitSpecError(f"There is no resource {name!r}; {APP} is the one here.")
        page = types.TextResourceContents(
            uri=AnyUrl(APP), mimeType=APP_TYPE, text=hosted_page(), _meta=_player_resource().meta
        )
        return types.ServerResult(types.ReadResourceResult(contents=[page]))

    @property
    def _request(self) -> Request:
        """The HTTP request being answered."""
        request = self._server.request_context.request
        assert isinstance(request, Request)
        return request

    @property
    def _session(self) -> str:
        return self._request.headers.get(SESSION_HEADER, "")

    async def _call_tool(self, request: types.CallToolRequest) -> types.ServerResult:
        """The answer of a tool, or a refusal of one sentence."""
        answer = _refusal(LogitSpecError("This call was stopped at its client's request."))
        with self.endpoint.call(self._session, self._server.request_context.request_id):
            try:
                answer = await self._call(request.params.name, request.params.arguments or {})
            except Exception as error:
                answer = _refusal(error)
        return types.ServerResult(answer)

    async def _call(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        request = self._request
        with self._within(request):
            if name == READ_RUN:
                return await self._read_run(arguments)
            return await self._call_public(name, arguments, request)

    async def _call_public(
        self, name: str, arguments: dict[str, Any], request: Request
    ) -> types.CallToolResult:
        if name not in self._tools:
            raise LogitSpecError(
                f"There is no tool {name[:80]!r}; choose one of {', '.join(self._tools)}."
            )
        tool, about = self._tools[name]
        values = about.check(arguments)
        # Programs of one address count as one visitor, since they can have as many names as they like.
        visitor = Visitor("", request.client.host if request.client else "")
        caller = Caller(visitor, self._address(request), self._report_progress())
        try:
            result = await tool(caller, **values)
        finally:
            caller.stop.set()
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=result.words())],
            structuredContent=asdict(result),
        )

    async def _read_run(self, arguments: dict[str, Any]) -> types.CallToolResult:
        message = await self._fetch_steps(arguments)
        if message is None:
            raise LogitSpecError(
                "This run is no longer kept, or has no such step; run its prompt again."
            )
        return types.CallToolResult(content=[types.TextContent(type="text", text=message)])

    def _report_progress(self) -> ReportProgress:
        """A function that sends progress to the client if it asked for that."""
        context = self._server.request_context
        token = context.meta.progressToken if context.meta else None
        last = 0.0

        async def report(share: float, words: str) -> None:
            nonlocal last
            last = max(
                share, last + MIN_PROGRESS
            )  # MCP wants every report to exceed the one before
            if token is not None:
                await context.session.send_progress_notification(
                    token, last, 1.0, words, related_request_id=str(context.request_id)
                )

        return report


def _refusal(error: Exception) -> types.CallToolResult:
    if not isinstance(error, LogitSpecError):
        log.error("a tool failed", exc_info=error)
    content = types.TextContent(type="text", text=sentence(error))
    return types.CallToolResult(content=[content], isError=True)


def _player_resource() -> types.Resource:
    return types.Resource(
        uri=AnyUrl(APP),
        name="player",
        title="LogitSpec step player",
        description="Shows a run step by step: the text, the last logits, the draft tree.",
        mimeType=APP_TYPE,
        _meta={"ui": {"prefersBorder": True}},
    )


def _read_run_tool() -> types.Tool:
    return types.Tool(
        name=READ_RUN,
        description="The steps of a run for the player; of no use to a language model.",
        inputSchema={
            "type": "object",
            "properties": {"run": {"type": "string"}, "from": {"type": "integer", "minimum": 0}},
            "required": ["run", "from"],
        },
        annotations=types.ToolAnnotations(readOnlyHint=True, openWorldHint=False),
        _meta={"ui": {"resourceUri": APP, "visibility": ["app"]}},
    )
