"""Visitors without a browser: what a page and a script send to the app, and what they get back."""

from __future__ import annotations

import base64
import json
import secrets
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
from gradio_client.utils import apply_diff

API = "/gradio_api"
DATA = "data: "


@dataclass(frozen=True)
class Wanted:
    """A visitor's request for a run: the arguments of `decode`."""

    prompt: str
    method: str
    tokens: int
    temperature: float
    seed: int


@dataclass
class Ran:
    """What became of a run. Times are in seconds, by the clock of this process: when it was asked for, placed
    in the queue, begun (its first message), stepped (its first step) and ended. outlook: the first message to
    a waiting visitor."""

    session: str
    wanted: Wanted
    asked: float = field(default_factory=monotonic)
    placed: float | None = None
    begun: float | None = None
    stepped: float | None = None
    ended: float | None = None
    outlook: dict[str, Any] | None = None
    output: list[int] = field(default_factory=list)
    finish: str | None = None
    error: str = ""

    def take(self, message: dict[str, Any]) -> None:
        """One message of serving/wire.py, unpacked."""
        kind, now = message["kind"], monotonic()
        if kind == "waiting":
            self.placed, self.outlook = self.placed or now, self.outlook or message
        elif kind == "reset":
            self.begun = now
        elif kind == "steps":
            self._grow(message["steps"], message.get("finish"), now)
        elif kind == "trace":
            self.output.clear()
            self._grow(message["steps"], message["finish"], now)
        else:
            self.error, self.ended = message["message"], now

    def _grow(self, steps: list[Any], finish: str | None, now: float) -> None:
        for step in steps:
            self.stepped = self.stepped or now
            self.output += [step["tokens"][node] for node in step["path"]]
        if finish:
            self.finish, self.ended = finish, now


def unpacked(value: str) -> dict[str, Any]:
    """The message that a page unpacks from a value."""
    text = value if value.startswith("{") else zlib.decompress(base64.b64decode(value)).decode()
    message: dict[str, Any] = json.loads(text)
    return message


class Buttons:
    """What the page's buttons Run and Stop call, by the page's own configuration."""

    def __init__(self, config: dict[str, Any]) -> None:
        calls = config["dependencies"]
        self.ticket = next(each["id"] for each in calls if "'logitspec-waiting'" in str(each["js"]))
        self.stop = next(each["id"] for each in calls if "'logitspec-stop'" in str(each["js"]))
        self.run = next(
            each["id"]
            for each in calls
            if each["trigger_after"] == self.ticket and each["backend_fn"]
        )


class PageVisitor:
    """An open page: a session and the tab Watch."""

    def __init__(self, client: httpx.AsyncClient, buttons: Buttons, model: str = "builtin") -> None:
        self.session = secrets.token_hex(6)
        self._client, self._buttons, self._model = client, buttons, model

    async def press_run(self, request: Wanted) -> Ran:
        """Press Run: the run is requested, and nobody listens yet."""
        ran = Ran(self.session, request)
        (click,) = await self._call(self._buttons.ticket, [])
        data = [click, request.prompt, request.method, self._model, request.tokens]
        data += [request.temperature, request.seed, "{}"]
        body = {"fn_index": self._buttons.run, "data": data, "session_hash": self.session}
        answer = await self._client.post(f"{API}/queue/join", json=body)
        if answer.status_code != 200:
            ran.error, ran.ended = str(answer.json()["detail"]), monotonic()
        return ran

    async def press_stop(self) -> None:
        """Press Stop."""
        await self._call(self._buttons.stop, [])

    async def listen(self, ran: Ran) -> AsyncIterator[Ran]:
        """The run after each of its messages."""
        value = ""
        query = {"session_hash": self.session}
        async with self._client.stream("GET", f"{API}/queue/data", params=query) as answer:
            async for line in answer.aiter_lines():
                message = json.loads(line.removeprefix(DATA)) if line.startswith(DATA) else {}
                if message.get("msg") == "close_stream":
                    return
                if message.get("msg") != "process_generating":
                    continue
                (new,) = message["output"]["data"]
                value = apply_diff(value, new) if isinstance(new, list) else new
                ran.take(unpacked(value))
                yield ran

    async def _call(self, function: int, data: list[Any]) -> list[Any]:
        body = {"fn_index": function, "data": data, "session_hash": self.session}
        answer = await self._client.post(f"{API}/run/predict", json=body)
        values: list[Any] = answer.raise_for_status().json()["data"]
        return values


class ScriptVisitor:
    """A script that calls the endpoint."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.session = secrets.token_hex(6)

    async def ask(self, request: Wanted) -> tuple[Ran, str]:
        """A requested run, and the name of its event; nobody listens yet."""
        ran = Ran(self.session, request)
        data = [request.prompt, request.method, request.tokens, request.temperature, request.seed]
        body = {"data": [*data, "{}", "builtin"]}
        answer = await self._client.post(f"{API}/call/generate", json=body)
        return ran, answer.raise_for_status().json()["event_id"]

    async def listen(self, ran: Ran, event: str) -> AsyncIterator[Ran]:
        """The run after each of its messages."""
        async with self._client.stream("GET", f"{API}/call/generate/{event}") as answer:
            kind = ""
            async for line in answer.aiter_lines():
                kind = line.removeprefix("event: ") if line.startswith("event: ") else kind
                values = json.loads(line.removeprefix(DATA)) if line.startswith(DATA) else None
                if values and kind == "error":
                    ran.error, ran.ended = str(values), monotonic()
                elif values and kind in ("generating", "complete"):
                    ran.take(json.loads(values[0]))
                    yield ran
