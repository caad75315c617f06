"""The HTTP end of MCP: takes POST requests only, names each client's session, and cancels calls at a client's request.

Nothing is stored about a client but its running calls. Whether it can show apps is part of the session's name, which
the client sends with every request.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from anyio import CancelScope
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from logitspec.serving.body import read_body, replay_body

SESSION_HEADER = "mcp-session-id"
APPS = "io.modelcontextprotocol/ui"  # the extension of clients that show apps
APPS_SUFFIX = ".apps"  # of their sessions' names

NOT_A_PAGE = (
    "This is the MCP server of LogitSpec Live, for programs that post to it: give this address to an MCP client as"
    " a server with streamable HTTP."
)

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def shows_apps(session: str) -> bool:
    """Whether the client of this session can show apps."""
    return session.endswith(APPS_SUFFIX)


class Endpoint:
    """An ASGI middleware in front of the application of the package `mcp`, which runs without sessions of its own."""

    def __init__(self, app: Application) -> None:
        self._app = app
        # With their session and number, which two calls may share: clients without a session all begin at 1.
        self._calls: dict[CancelScope, tuple[str, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            answer = PlainTextResponse(NOT_A_PAGE, 405, {"Allow": "POST"})
            return await answer(scope, receive, send)
        body = await read_body(receive)
        message = _parse(body)
        if message.get("method") == "notifications/cancelled":
            self._cancel(Headers(scope=scope).get(SESSION_HEADER, ""), message)
        if message.get("method") == "initialize":
            send = _name_session(message, send)
        return await self._app(scope, replay_body(body, receive), send)

    @contextmanager
    def call(self, session: str, request: str | int) -> Iterator[None]:
        """A block that ends early when the client of this session cancels this request."""
        with CancelScope() as scope:
            self._calls[scope] = session, request
            try:
                yield
            finally:
                del self._calls[scope]

    def _cancel(self, session: str, message: dict[str, Any]) -> None:
        request = (message.get("params") or {}).get("requestId")
        if not session or not isinstance(request, (str, int)):
            return
        for scope, call in self._calls.items():
            if call == (session, request):
                scope.cancel()


def _name_session(initialize: dict[str, Any], send: Send) -> Send:
    """`send`, which also adds the name of a new session to the headers of the response."""
    session = secrets.token_urlsafe(16)
    if APPS in _extensions(initialize):
        session += APPS_SUFFIX

    async def send_with_name(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[SESSION_HEADER] = session
        await send(message)

    return send_with_name


def _extensions(message: dict[str, Any]) -> Any:
    """The extensions of MCP that a client supports, by name; empty where it sends none, or rubbish."""
    value: Any = message
    for key in ("params", "capabilities", "extensions"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _parse(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; an empty one for anything else, which the package refuses."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
