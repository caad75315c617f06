"""The tools over MCP (modelcontextprotocol.io), by its own package: tools, prompts, and the player as an MCP App.

A client that can show apps puts the page of `APP` into a frame beside a tool's answer; the page asks for the steps
of the run by `read_run`, a tool that is for such pages only, so that no trace goes through a language model.
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
from logitspec.serving.programs.door import SESSION, Door, shows_apps
from logitspec.serving.programs.recipes import RECIPES
from logitspec.serving.programs.signature import signatures
from logitspec.serving.programs.tools import Caller, Tools
from logitspec.version import VERSION

APP = "ui://logitspec/player.html"
APP_TYPE = "text/html;profile=mcp-app"
READ_RUN = "read_run"
LEAST = 1e-6  # of progress

ABOUT = (
    "LogitSpec Live runs a language model by speculative decoding and shows every step. generate_text runs a"
    " prompt, compare_methods races decoding methods on one, explain_step says in words what one step of a run"
    " did. Give people the player's link: there they watch the run step by step."
)

FetchSteps = Callable[[Any], Awaitable[str | None]]
"""{"run", "from"} -> the steps from number `from` on as one message, packed; None for a run that is not known."""

log = logging.getLogger(__name__)


class Programs:
    """The application that programs reach, to be run within `lifespan`.

    address: of the page, as a request reaches it. within: a context for the work of a request. fetch_steps: as
    the page calls it.
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
        # Without sessions on this side: nothing to keep, and nothing that a restart loses.
        self._manager = StreamableHTTPSessionManager(self._server, stateless=True)
        self.door = Door(self._manager.handle_request)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Answers requests inside of it; once only."""
        async with self._manager.run():
            yield

    def listed(self, app: bool = False) -> list[types.Tool]:
        """The tools. app: also what is for the page of a client that shows apps."""
        tools = [
            types.Tool(
                name=name,
                title=about.title,
                description=about.about,
                inputSchema=about.taken(),
                outputSchema=about.answered(),
                annotations=types.ToolAnnotations(
                    readOnlyHint=True, destructiveHint=False, openWorldHint=False
                ),
                _meta={"ui": {"resourceUri": APP}},
            )
            for name, (_, about) in self._tools.items()
        ]
        return [*tools, _read_run()] if app else tools

    async def _list_tools(self, _: Any) -> types.ServerResult:
        tools = self.listed(app=shows_apps(self._session))
        return types.ServerResult(types.ListToolsResult(tools=tools))

    async def _list_prompts(self, _: Any) -> types.ServerResult:
        prompts = [each.listed() for each in RECIPES.values()]
        return types.ServerResult(types.ListPromptsResult(prompts=prompts))

    async def _get_prompt(self, asked: types.GetPromptRequest) -> types.ServerResult:
        name = asked.params.name
        if name not in RECIPES:
            raise LogitSpecError(
                f"There is no prompt {name[:80]!r}; choose one of {', '.join(RECIPES)}."
            )
        return types.ServerResult(RECIPES[name].filled(asked.params.arguments or {}))

    async def _list_resources(self, _: Any) -> types.ServerResult:
        return types.ServerResult(types.ListResourcesResult(resources=[_app()]))

    async def _read_resource(self, asked: types.ReadResourceRequest) -> types.ServerResult:
        if str(asked.params.uri) != APP:
            name = str(asked.params.uri)[:80]
            raise LogitSpecError(f"There is no resource {name!r}; {APP} is the one here.")
        page = types.TextResourceContents(
            uri=AnyUrl(APP), mimeType=APP_TYPE, text=hosted_page(), _meta=_app().meta
        )
        return types.ServerResult(types.ReadResourceResult(contents=[page]))

    @property
    def _request(self) -> Request:
        """The one that is being answered."""
        request = self._server.request_context.request
        assert isinstance(request, Request)
        return request

    @property
    def _session(self) -> str:
        return self._request.headers.get(SESSION, "")

    async def _call_tool(self, asked: types.CallToolRequest) -> types.ServerResult:
        """The answer of a tool, or one sentence about what is wrong."""
        answer = _refused(LogitSpecError("This call was ended, as its client asked."))
        with self.door.call(self._session, self._server.request_context.request_id):
            try:
                answer = await self._call(asked.params.name, asked.params.arguments or {})
            except Exception as error:
                answer = _refused(error)
        return types.ServerResult(answer)

    async def _call(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        request = self._request
        with self._within(request):
            if name == READ_RUN:
                return await self._read(arguments)
            return await self._use(name, arguments, request)

    async def _use(
        self, name: str, arguments: dict[str, Any], request: Request
    ) -> types.CallToolResult:
        if name not in self._tools:
            raise LogitSpecError(
                f"There is no tool {name[:80]!r}; choose one of {', '.join(self._tools)}."
            )
        tool, about = self._tools[name]
        values = about.check(arguments)
        # All programs of an address together are one visitor: a name costs them nothing.
        visitor = Visitor("", request.client.host if request.client else "")
        caller = Caller(visitor, self._address(request), self._hear())
        try:
            result = await tool(caller, **values)
        finally:
            caller.stop.set()
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=result.words())],
            structuredContent=asdict(result),
        )

    async def _read(self, arguments: dict[str, Any]) -> types.CallToolResult:
        message = await self._fetch_steps(arguments)
        if message is None:
            raise LogitSpecError(
                "This run is kept no longer, or has no such step; run its prompt again."
            )
        return types.CallToolResult(content=[types.TextContent(type="text", text=message)])

    def _hear(self) -> Callable[[float, str], Awaitable[None]]:
        """Sends progress to a client that asked for it."""
        context = self._server.request_context
        token = context.meta.progressToken if context.meta else None
        before = 0.0

        async def hear(done: float, words: str) -> None:
            nonlocal before
            before = max(done, before + LEAST)  # it has to move on
            if token is not None:
                await context.session.send_progress_notification(
                    token, before, 1.0, words, related_request_id=str(context.request_id)
                )

        return hear


def _refused(error: Exception) -> types.CallToolResult:
    if not isinstance(error, LogitSpecError):
        log.error("a tool failed", exc_info=error)
    content = types.TextContent(type="text", text=sentence(error))
    return types.CallToolResult(content=[content], isError=True)


def _app() -> types.Resource:
    return types.Resource(
        uri=AnyUrl(APP),
        name="player",
        title="LogitSpec step player",
        description="Shows a run step by step: the text, the last logits, the draft tree.",
        mimeType=APP_TYPE,
        _meta={"ui": {"prefersBorder": True}},
    )


def _read_run() -> types.Tool:
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
