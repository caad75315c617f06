"""Lectures over HTTP: what `hall.js` and `guest.js` in assets/present ask for.

POST follow               -> {"code", "secret"}
GET  follow/CODE?ticket=  -> server-sent events: {"ticket"}, then {"place", "counts"}, last {"over"}
POST follow/CODE/lead     {"secret", "place"} -> {"followers", "counts"}
POST follow/CODE/vote     {"ticket", "question", "choice"}; choice: the position of a choice, or a predicted number
POST follow/CODE/votes    {"secret"} -> [{"question", "counts"}]
POST follow/CODE/end      {"secret"}
GET  follow/CODE/qr?page= -> a QR code of the link that followers open, as SVG
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from logitspec.serving.follow import UNKNOWN, FollowError, Lectures

MAX_BODY = 4096  # bytes
MAX_PAGE = 300  # letters of an address
MAX_ASKED = (
    600  # requests of an address in a second: a full hall may share one, and reconnect all together
)

NO_REQUEST = "This is not a request that the page makes."
NO_QR = "QR codes need the package segno, which is missing here; give the link, or install it with `pip install segno`."
# Proxies must pass on each event as it comes.
STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Answer = Callable[[Request], Awaitable[Response]]


def follow_routes(
    prefix: str, lectures: Lectures, now: Callable[[], float] = monotonic
) -> list[Route]:
    """The routes below `prefix`, for Gradio's application. now: a clock, in seconds."""
    rate = Rate(now)

    async def begin(request: Request) -> Response:
        code, secret = lectures.open()
        return JSONResponse({"code": code, "secret": secret}, 201)

    async def follow(request: Request) -> Response:
        events = lectures.follow(_code(request), request.query_params.get("ticket", ""))
        first = await anext(events)  # may be a refusal
        return StreamingResponse(
            _from(first, events), media_type="text/event-stream", headers=STREAM
        )

    async def lead(request: Request) -> Response:
        about = await _body(request)
        return JSONResponse(lectures.lead(_code(request), about.get("secret"), about.get("place")))

    async def vote(request: Request) -> Response:
        about = await _body(request)
        values = (about.get(name) for name in ("ticket", "question", "choice"))
        lectures.vote(_code(request), *values)
        return Response(status_code=204)

    async def votes(request: Request) -> Response:
        about = await _body(request)
        return JSONResponse(lectures.votes(_code(request), about.get("secret")))

    async def end(request: Request) -> Response:
        about = await _body(request)
        lectures.end(_code(request), about.get("secret"))
        return Response(status_code=204)

    async def qr(request: Request) -> Response:
        code, page = _code(request), request.query_params.get("page", "")
        if not lectures.knows(code):
            raise FollowError(404, UNKNOWN)
        return Response(_qr(_link(page, code, request)), media_type="image/svg+xml")

    def guarded(answer: Answer) -> Answer:
        async def guard(request: Request) -> Response:
            try:
                rate.count(request.client.host if request.client else "")
                return await answer(request)
            except FollowError as error:
                return JSONResponse({"detail": str(error)}, error.status)

        return guard

    one = f"{prefix}/follow/{{code}}"
    return [
        Route(f"{prefix}/follow", guarded(begin), methods=["POST"]),
        Route(one, guarded(follow), methods=["GET"]),
        Route(f"{one}/lead", guarded(lead), methods=["POST"]),
        Route(f"{one}/vote", guarded(vote), methods=["POST"]),
        Route(f"{one}/votes", guarded(votes), methods=["POST"]),
        Route(f"{one}/end", guarded(end), methods=["POST"]),
        Route(f"{one}/qr", guarded(qr), methods=["GET"]),
    ]


class Rate:
    """Counts the requests of each address. now: a clock, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._second = 0
        self._asked: Counter[str] = Counter()

    def count(self, address: str) -> None:
        """Count one more request; raises FollowError beyond MAX_ASKED in a second."""
        second = int(self._now())
        if second != self._second:
            self._second, self._asked = second, Counter()
        self._asked[address] += 1
        if self._asked[address] > MAX_ASKED:
            raise FollowError(
                429, "Too many requests come from your address; try again in a moment."
            )


def _code(request: Request) -> str:
    return str(request.path_params["code"])[:16].upper()


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        about = json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        raise FollowError(400, NO_REQUEST)
    return about


async def _from(first: bytes, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for event in events:
        yield event


def _link(page: str, code: str, request: Request) -> str:
    """The address that followers open; FollowError unless `page` is this server's own."""
    parts = urlsplit(page) if len(page) <= MAX_PAGE else urlsplit("")
    if parts.scheme not in ("http", "https") or parts.netloc != request.headers.get("host"):
        raise FollowError(400, NO_REQUEST)
    return f"{parts.scheme}://{parts.netloc}{parts.path}?follow={code}"


def _qr(link: str) -> bytes:
    try:
        import segno  # optional
    except ImportError as error:
        raise FollowError(404, NO_QR) from error
    drawn = BytesIO()
    segno.make_qr(link, error="m").save(
        drawn, kind="svg", xmldecl=False, omitsize=True, border=2, dark="#000", light="#fff"
    )
    return drawn.getvalue()
