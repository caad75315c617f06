"""The body of a request, for an ASGI middleware that reads it before the application does."""

from __future__ import annotations

from math import inf

from starlette.types import Message, Receive


async def read_body(receive: Receive, most: float = inf) -> bytes:
    """The body; of one with more than `most` bytes, a first part that has more."""
    body, more = bytearray(), True
    while more and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def replay_body(body: bytes, receive: Receive) -> Receive:
    """`receive`, which first gives the body that has been read already."""
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return unread.pop() if unread else await receive()

    return receive_again
