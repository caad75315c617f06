"""The page's document as it goes out: with a script that runs before Gradio's, and compressed.

Gradio compresses only files with an extension, so the document and the configuration, which hold the same recorded runs,
would be sent as they are: half a megabyte for each visit and each reload.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logitspec.paths import ASSETS
from logitspec.serving.gate import path_of

DOCUMENT = "/"
COMPRESSED = (DOCUMENT, "/config")
LEVEL = 5  # what is sent is packed already for the most part; more takes longer for nothing
HEAD = b"<head>"


class Front:
    """The middleware. What comes from other paths stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._smaller = GZipMiddleware(self._whole, compresslevel=LEVEL)
        script = (ASSETS / "page" / "before.js").read_bytes()
        self._head = HEAD + b'<script type="text/javascript">{' + script + b"}</script>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        special = scope["type"] == "http" and path_of(scope) in COMPRESSED
        await (self._smaller if special else self._app)(scope, receive, send)

    async def _whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        if path_of(scope) == DOCUMENT:
            send = self._with_script(send)
        await self._app(scope, receive, send)

    def _with_script(self, send: Send) -> Send:
        start: Message = {}

        async def tell(message: Message) -> None:
            """Hold the headers back, which tell the length, until the document is there."""
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start:
                body = message.get("body", b"")
                message = {**message, "body": body.replace(HEAD, self._head, 1)}
                headers = MutableHeaders(scope=start)
                if "content-length" in headers:
                    longer = len(message["body"]) - len(body)
                    headers["Content-Length"] = str(int(headers["content-length"]) + longer)
                await send(start)
                start = {}
            await send(message)

        return tell
