"""Followers of a lecture as plain connections, and a server for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from support.app import free_port


@asynccontextmanager
async def served(application: ASGIApp) -> AsyncIterator[int]:
    """The port at which `application` is served, in this event loop."""
    port = free_port()
    config = uvicorn.Config(application, port=port, log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = server.force_exit = True
    await task


def application(routes: Any) -> Starlette:
    return Starlette(routes=routes)


async def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status, and the JSON or the text of the answer."""
    reader, writer = await _send(port, method, path, body)
    status, headers = await _head(reader)
    length = int(headers.get("content-length", 0))
    text = (await reader.readexactly(length)).decode() if length else ""
    await _close(writer)
    is_json = headers.get("content-type", "").startswith("application/json")
    return status, json.loads(text) if is_json else text


class Listener:
    """One follower, and everything it has heard."""

    def __init__(self) -> None:
        self.ticket = ""
        self.heard: list[dict[str, Any]] = []
        self.closed = False
        self.news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def begin(self, port: int, path: str) -> int:
        """Follow; returns the status of the answer."""
        query = f"?ticket={self.ticket}" if self.ticket else ""
        reader, self._writer = await _send(port, "GET", path + query)
        status, _ = await _head(reader)
        if status != 200:
            await _close(self._writer)
        else:
            self.closed = False
            self._task = asyncio.create_task(self._listen(reader))
        return status

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if not line.startswith(b"data: "):
                continue
            about = json.loads(line.removeprefix(b"data: "))
            self.ticket = about.get("ticket", self.ticket)
            if "ticket" not in about:
                self.heard.append(about)
            self.news.set()
        self.closed = True
        await _close(self._writer)

    async def until(self, there: Any) -> dict[str, Any]:
        """The last event, once `there` holds for it."""
        while not (self.heard and there(self.heard[-1])):
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 60)
        return self.heard[-1]

    async def cut(self) -> None:
        """Lose the connection."""
        self._writer.transport.abort()
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _send(
    port: int, method: str, path: str, body: Any = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(data)}\r\n"
    keep = "" if method == "GET" else "Connection: close\r\n"
    writer.write(f"{head}{keep}\r\n".encode() + data)
    return reader, writer


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status = int((await reader.readline()).split()[1])
    headers = {}
    while (line := (await reader.readline()).decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return status, headers
