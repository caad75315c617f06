"""Checks every request before anything else sees it, and adds headers to every answer: one ASGI middleware.

    Host, Origin -> unneeded paths -> requests at a time -> lengths -> the application

A refusal is one sentence, and one line in the log, with the path as a literal, since it may hold line ends.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logitspec.serving.body import read_body, replay_body
from logitspec.serving.host import Host
from logitspec.serving.request import MAX_CHARACTERS, too_long

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # addresses for listening on every interface
SHARE = (".gradio.live",)  # the domains of Gradio's public links
HUB = "huggingface.co"  # its pages embed Spaces

MAX_BODY = 6 * MAX_CHARACTERS + 100_000  # bytes; a script may write a character in six, as \u4e00
MAX_FILM = 32_000_000  # bytes; only from this machine, which makes it into a video
MAX_AT_A_TIME = 128  # requests of an address, other than GET, HEAD and OPTIONS
MAX_PROGRAMS = 32  # the same over MCP, counted separately, since a call lasts as long as its run
SESSION = re.compile(r"[\w-]{1,64}")

# Gradio's paths for components that this page doesn't have, and for developers.
CLOSED = (
    "upload upload_progress process_recording deep_link stream proxy custom_component dev"
    " run-history runs monitoring login vibe-code mcp"
).split()
LISTENING = re.compile(r"/gradio_api/(?:queue/data|call(?:/v2)?/[^/]+/([^/]+))/?")
FILMS = "/gradio_api/logitspec/video"
PROGRAMS = re.compile(r"/gradio_api/mcp(?:/schema|/)?")
STAYING = re.compile(r"/gradio_api/heartbeat/([^/]+)/?")

NO_SESSION = "The name of this session is missing or too long; reload the page."
NO_REQUEST = "This is not a request that the page or a script of its interface makes."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Where the application is reached.

    names: hosts, in lower case; one that begins with a dot matches all that end with it. addresses:
    whether any numeric address is allowed, which can't be the name of another site. private: whether only
    this machine reaches it. loads: other sites that its page may load from. origins: other sites whose
    pages may send requests.
    """

    names: frozenset[str] = LOOPBACK
    addresses: bool = False
    private: bool = True
    loads: tuple[str, ...] = ()
    origins: frozenset[str] = field(default_factory=frozenset)

    def allows(self, host: str) -> bool:
        """Whether a request may name `host`, without its port."""
        host = host.lower().rstrip(".")
        return _is_one_of(host, self.names) or (self.addresses and _is_address(host))

    def policy(self) -> str:
        """The Content-Security-Policy: as strict as Gradio can run under, which makes functions from strings."""
        more = "".join(f" {each}" for each in self.loads)
        rules = [
            f"default-src 'self'{more}",
            f"script-src 'self' 'unsafe-inline' 'unsafe-eval'{more}",
            f"style-src 'self' 'unsafe-inline'{more}",
            f"img-src 'self' data: blob:{more}",
            f"font-src 'self' data:{more}",
            f"connect-src 'self' data: blob:{more}",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        ]
        if self.private:  # elsewhere any page may frame it, as Spaces and lectures do
            local = " ".join(f"http://{each}:*" for each in ("localhost", "127.0.0.1"))
            rules.append(f"frame-ancestors 'self' file: {local}")
        return "; ".join(rules)


def access_rules(
    listen: str, more: Sequence[str], share: bool, private: bool, environment: Mapping[str, str]
) -> Access:
    """Who may reach an application. listen: the address that it listens on. more: hosts given by
    --allow-host, or addresses of pages. share: whether Gradio makes a public link. environment: has a Space's
    own domain."""
    # Without the empty name: a page of any site can have an origin without a name.
    origins = {_host_of(each) for each in more} - {""}
    names = {*LOOPBACK, *origins}
    loads: tuple[str, ...] = ()
    everywhere = listen in EVERYWHERE
    if everywhere:
        own = socket.gethostname().lower()
        names |= {own, f"{own}.local", own.partition(".")[0]}
    else:
        names.add(listen.lower())
    if share:
        names |= set(SHARE)
        loads += ("https://gradio.s3-us-west-2.amazonaws.com",)
    if space := environment.get("SPACE_HOST", ""):
        names |= {each.strip().lower() for each in space.split(",")}
        origins.add(HUB)
        loads += (f"https://{HUB}", f"https://*.{HUB}")
    return Access(frozenset(names), everywhere, private, loads, frozenset(origins))


def _host_of(address: str) -> str:
    """The host of a page's address, of which it may be the only part."""
    return _name(address.rpartition("//")[2].partition("/")[0]).lower().rstrip(".")


def _is_one_of(host: str, names: frozenset[str]) -> bool:
    return host in names or any(each.startswith(".") and host.endswith(each) for each in names)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Refusal(Exception):  # noqa: N818 - it is an answer
    """The answer to a request that does not reach the application."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Gate:
    """The middleware. It tells the host's `audience` which sessions listen, and the host which are gone.

    misfit: why the application can't take a request, by its path and its body, a JSON object; None where it can.
    programs: whether the application has tools for programs, over MCP.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: Host,
        access: Access,
        misfit: Callable[[str, dict[str, Any]], str | None] = lambda path, body: None,
        programs: bool = False,
    ) -> None:
        self._app, self._host, self._access, self._misfit = app, host, access, misfit
        self._programs = programs
        self._policy = access.policy()
        host.audience.begin()
        # The requests that are limited, by address and whether from a program.
        self._busy: Counter[tuple[str, bool]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return None  # no web sockets here
        started = False

        async def begin(message: Message) -> None:
            nonlocal started
            started = True
            await told(message)

        told, send = self._with_headers(send), begin
        headers = Headers(scope=scope)
        try:
            self._check_site(scope, headers)
            self._check_path(path_of(scope))
            stream = _session_of_stream(scope)
            if stream is not None:
                return await self._listen(stream, scope, receive, send)
            return await self._ask(scope, receive, send)
        except Refusal as refusal:
            log.warning("refused %s %.80r: %s", scope["method"], scope["path"], refusal)
            response = JSONResponse({"detail": str(refusal)}, refusal.status)
            return await response(scope, receive, send)
        except Exception as error:  # of Gradio, at requests that its pages never send
            log.warning("failed %s %.80r: %.200r", scope["method"], scope["path"], error)
            if started:
                return await send({"type": "http.response.body", "body": b""})
            return await JSONResponse({"detail": NO_REQUEST}, 400)(scope, receive, send)

    def _check_site(self, scope: Scope, headers: Headers) -> None:
        """Refuse requests under a foreign name, as in DNS rebinding, or from a page of another site."""
        host = headers.get("host", "")
        if not self._access.allows(_name(host)):
            raise Refusal(
                421,
                f"This is not served under the name {_name(host)[:80]!r}; start it with --allow-host to"
                " serve it there.",
            )
        origin = headers.get("origin")
        if origin is not None:
            site = urlsplit(origin)
            own = site.netloc.lower() == host.lower()
            if not own and not _is_one_of(site.hostname or "", self._access.origins):
                raise Refusal(403, "Other sites have no access to this page; open the page itself.")
        elif headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            shown = headers.get("sec-fetch-mode") == "navigate" and scope["method"] == "GET"
            if not shown:
                raise Refusal(403, "Other sites have no access to this page; open the page itself.")

    def _check_path(self, path: str) -> None:
        first = path.removeprefix("/gradio_api").strip("/").partition("/")[0].partition("=")[0]
        if first in CLOSED and not self._is_of_program(path):
            raise Refusal(404, "There is nothing here.")

    def _is_of_program(self, path: str) -> bool:
        return self._programs and PROGRAMS.fullmatch(path) is not None

    async def _listen(self, stream: Stream, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a stream; a client that hangs up before its end is gone."""
        if not SESSION.fullmatch(stream.session):
            raise Refusal(400, NO_SESSION)
        ended = hung_up = False

        async def hear() -> Message:
            nonlocal hung_up
            message = await receive()
            hung_up = hung_up or (message["type"] == "http.disconnect" and not ended)
            return message

        async def tell(message: Message) -> None:
            nonlocal ended
            ended = ended or (
                message["type"] == "http.response.body" and not message.get("more_body")
            )
            await send(message)

        if stream.has_messages:
            self._host.audience.comes(stream.session)
        try:
            await self._app(scope, hear, tell)
        finally:
            if stream.has_messages:
                self._host.audience.goes(stream.session)
            if hung_up:
                self._host.forget(stream.session)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope)
        of_program = self._is_of_program(path)
        silent = ("GET", "HEAD", "OPTIONS", *(["DELETE"] if of_program else []))
        if scope["method"] in silent:
            return await self._app(scope, receive, send)
        asker = scope["client"][0] if scope.get("client") else "", of_program
        if self._busy[asker] >= (MAX_PROGRAMS if of_program else MAX_AT_A_TIME):
            raise Refusal(429, "Too many requests come from your address; try again in a moment.")
        self._busy[asker] += 1
        try:
            most = MAX_FILM if self._access.private and path == FILMS else MAX_BODY
            body = await _body(Headers(scope=scope), receive, most)
            if path.startswith("/gradio_api/") and "/logitspec/" not in path:
                self._check_body(path, body)
            return await self._app(scope, replay_body(body, receive), send)
        finally:
            self._busy[asker] -= 1
            self._busy += Counter()  # without those at 0

    def _check_body(self, path: str, body: bytes) -> None:
        """Refuse a request that no run could take, before it waits for anything."""
        try:
            about = json.loads(body)
        except (ValueError, RecursionError):
            about = None
        if not isinstance(about, dict):
            raise Refusal(400, NO_REQUEST)
        session = about.get("session_hash")
        if session is not None and not (isinstance(session, str) and SESSION.fullmatch(session)):
            raise Refusal(400, NO_SESSION)
        data = about.get("data")
        for text in data if isinstance(data, list) else []:
            if isinstance(text, str) and len(text) > MAX_CHARACTERS:
                raise Refusal(413, too_long(len(text)))
        if (why := self._misfit(path, about)) is not None:
            raise Refusal(400, why)

    def _with_headers(self, send: Send) -> Send:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
            await send(message)

        return tell


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of a session. has_messages: whether it carries its runs' messages, or only a heartbeat."""

    session: str
    has_messages: bool


def path_of(scope: Scope) -> str:
    """The path that the application sees: below GRADIO_ROOT_PATH, which some proxies leave in front of it."""
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def _session_of_stream(scope: Scope) -> Stream | None:
    if scope["method"] != "GET":
        return None
    path = path_of(scope)
    if found := STAYING.fullmatch(path):
        return Stream(found[1], False)
    if found := LISTENING.fullmatch(path):
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])
        return Stream(found[1] or asked[0], True)
    return None


def _name(host: str) -> str:
    """`host` without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


async def _body(headers: Headers, receive: Receive, most: int) -> bytes:
    """The whole body; Refusal for one of more than `most` bytes."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > most:
        raise Refusal(413, _too_much(most))
    body = await read_body(receive, most)
    if len(body) > most:
        raise Refusal(413, _too_much(most))
    return body


def _too_much(most: int) -> str:
    return f"This is more than {most / 1e6:.1f} MB, the most that is accepted; send less."
