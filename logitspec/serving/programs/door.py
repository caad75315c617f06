"""The address of MCP: posts only, a name for each client, and the way of its word that a call is of no use any more.

Nothing is kept of a client but its calls that go on: what it said of itself at the beginning comes back in the name
that it was given.
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

SESSION = "mcp-session-id"
APPS = "io.modelcontextprotocol/ui"  # the extension of clients that show apps
SHOWS_APPS = ".apps"  # at the end of their names

HERE = (
    "Here is the MCP server of LogitSpec Live, for programs that post to it: give this address to an MCP client, as"
    " one of a server with streamable HTTP."
)

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def shows_apps(session: str) -> bool:
    """Whether the client of this name said so."""
    return session.endswith(SHOWS_APPS)


class Door:
    """An ASGI application before that of MCP's package, whose sessions it leaves out."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._calls: dict[tuple[str, Any], CancelScope] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            answer = PlainTextResponse(HERE, 405, {"Allow": "POST"})
            return await answer(scope, receive, send)
        body = await _body(receive)
        message = _parsed(body)
        if message.get("method") == "notifications/cancelled":
            self._cancel(Headers(scope=scope).get(SESSION, ""), message)
        if message.get("method") == "initialize":
            send = _naming(message, send)
        return await self._app(scope, _again(body, receive), send)

    @contextmanager
    def call(self, session: str, request: str | int) -> Iterator[None]:
        """A block that ends early when the client of that name says that its request is of no use any more."""
        with CancelScope() as scope:
            self._calls[session, request] = scope
            try:
                yield
            finally:
                del self._calls[session, request]

    def _cancel(self, session: str, message: dict[str, Any]) -> None:
        request = (message.get("params") or {}).get("requestId")
        if session and isinstance(request, (str, int)) and (session, request) in self._calls:
            self._calls[session, request].cancel()


def _naming(message: dict[str, Any], send: Send) -> Send:
    """`send` that gives the client a name."""
    name = secrets.token_urlsafe(16)
    if APPS in _extensions(message):
        name += SHOWS_APPS

    async def tell(part: Message) -> None:
        if part["type"] == "http.response.start":
            MutableHeaders(scope=part)[SESSION] = name
        await send(part)

    return tell


def _extensions(message: dict[str, Any]) -> Any:
    """What a client says that it can beside MCP itself."""
    found: Any = message
    for key in ("params", "capabilities", "extensions"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _parsed(body: bytes) -> dict[str, Any]:
    """The message, or an empty one for what is none."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


async def _body(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` with the body that has come already."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again
