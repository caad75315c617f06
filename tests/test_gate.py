"""What the gate lets in: hosts, other sites, paths, lengths, numbers; and the headers of answers."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from support.awaited import awaited

from logitspec.serving.gate import (
    FILMS,
    MAX_AT_A_TIME,
    MAX_BODY,
    MAX_FILM,
    Access,
    Gate,
    access_rules,
)
from logitspec.serving.request import MAX_CHARACTERS

OWN = "localhost:7860"


class FakeHost:
    """What the gate tells a host, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.audience = self

    def begin(self) -> None:
        pass

    def comes(self, session: str) -> None:
        self.told.append(("comes", session))

    def goes(self, session: str) -> None:
        self.told.append(("goes", session))

    def forget(self, session: str) -> None:
        self.told.append(("forget", session))


class Application:
    """Answers 200 with the body that it gets, and remembers which paths it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at_work = asyncio.Event()
        self.at_work.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        await self.at_work.wait()
        body = b""
        if scope["method"] == "POST":
            body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


class Visit:
    """A gate before an application, and requests through both. root: GRADIO_ROOT_PATH."""

    def __init__(self, access: Access = Access(), root: str = "") -> None:  # noqa: B008 - it is frozen
        self.host, self.application = FakeHost(), Application()
        self._root = root
        self._gate = Gate(self.application, self.host, access)  # type: ignore[arg-type]

    def get(self, path: str = "/", **headers: str) -> tuple[int, dict[str, str], bytes]:
        return awaited(self.ask("GET", path, b"", **headers))

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return awaited(self.ask("POST", path, data, **headers))

    async def ask(
        self, method: str, path: str, body: bytes, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer. headers: their names have _ for -."""
        parts = [body[at : at + 1000] for at in range(0, max(len(body), 1), 1000)]
        messages = [
            {"type": "http.request", "body": part, "more_body": at < len(parts) - 1}
            for at, part in enumerate(parts)
        ]
        sent: list[Message] = []

        async def receive() -> Message:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        path, _, query = path.partition("?")
        named = {"host": OWN, **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "root_path": self._root,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("10.0.0.1", 5),
        }
        await self._gate(scope, receive, send)
        start, end = sent
        answer = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], answer, end["body"]


@pytest.fixture
def visit() -> Visit:
    return Visit()


def sentence(answer: tuple[int, dict[str, str], bytes]) -> str:
    return str(json.loads(answer[2])["detail"])


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "10.1.2.3", "localhost.evil.example", "", "[::2]:80"],
)
def test_a_foreign_name_is_refused_as_rebinding_would_bring_it(visit: Visit, host: str) -> None:
    answer = visit.post("/gradio_api/queue/join", {}, host=host, origin=f"http://{host}")
    assert answer[0] == 421
    assert "--allow-host" in sentence(answer)
    assert visit.application.asked == []


@pytest.mark.parametrize(
    "host", [OWN, "localhost", "127.0.0.1:7860", "[::1]:7860", "LOCALHOST:1", "localhost.:80"]
)
def test_the_own_names_are_served(visit: Visit, host: str) -> None:
    assert visit.get(host=host)[0] == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost:3000",
        "http://127.0.0.1:7860",
        "file://",
        "https://localhost.evil.example:7860",
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_a_page_of_another_site_gets_nothing_and_runs_nothing(
    visit: Visit, origin: str, kind: str
) -> None:
    body = {"fn_name": "fetch_steps", "data": {"run": "recorded-1", "from": 0}}
    answer = visit.post("/gradio_api/component_server", body, origin=origin, content_type=kind)
    assert answer[0] == 403
    assert "Other sites" in sentence(answer)
    assert visit.get("/config", origin=origin)[0] == 403
    assert visit.application.asked == []


def test_what_a_browser_says_of_the_site_counts_where_there_is_no_origin(visit: Visit) -> None:
    for site in ("cross-site", "same-site"):
        assert visit.get("/config", sec_fetch_site=site, sec_fetch_mode="no-cors")[0] == 403
        assert (
            visit.get("/", sec_fetch_site=site, sec_fetch_mode="navigate")[0] == 200
        )  # a link, a frame
        assert visit.post("/x", {}, sec_fetch_site=site, sec_fetch_mode="navigate")[0] == 403
    assert visit.get("/config", sec_fetch_site="same-origin", sec_fetch_mode="cors")[0] == 200
    assert visit.get("/config", origin=f"http://{OWN}")[0] == 200
    assert visit.post("/gradio_api/queue/join", {})[0] == 200  # a script has neither


def opened(
    listen: str = "127.0.0.1",
    *more: str,
    share: bool = False,
    private: bool = True,
    **environment: str,
) -> Visit:
    return Visit(access_rules(listen, more, share, private, environment))


def test_names_that_a_person_allows_are_served_to_their_own_pages(visit: Visit) -> None:
    proxied = opened("127.0.0.1", "Demo.example")
    assert proxied.get(host="demo.example")[0] == 200
    assert proxied.post("/x", {}, host="demo.example", origin="https://demo.example")[0] == 200
    assert (
        proxied.post("/x", {}, host=OWN, origin="https://demo.example")[0] == 200
    )  # Host rewritten
    assert proxied.post("/x", {}, host=OWN, origin="https://other.example")[0] == 403
    assert proxied.get(host="other.example")[0] == 421


@pytest.mark.parametrize(
    "given", ["https://Demo.example:8443/app/", "demo.example:80", "[::5]:80", "::5"]
)
def test_an_allowed_host_may_be_given_as_the_address_of_a_page(given: str) -> None:
    name = "[::5]" if "::5" in given else "demo.example"
    proxied = opened("127.0.0.1", given)
    assert proxied.post("/x", {}, host=OWN, origin=f"https://{name}:8443")[0] == 200
    assert proxied.get(host=name)[0] == proxied.get(host=f"{name}:99")[0] == 200


def test_an_allowed_host_without_a_name_lets_nobody_in() -> None:
    for given in ("", "https://", "["):
        proxied = opened("127.0.0.1", given)
        assert proxied.post("/x", {}, origin="null")[0] == 403
        assert proxied.get(host="")[0] == 421


def test_a_network_is_served_by_its_addresses_but_by_no_foreign_name() -> None:
    network = opened("0.0.0.0", private=False)
    for host in ("192.168.1.5:7860", "[fe80::1]:7860", OWN):
        assert network.post("/x", {}, host=host, origin=f"http://{host}")[0] == 200
    assert network.get(host="evil.example:7860")[0] == 421
    assert opened("192.168.1.5").get(host="192.168.1.5:7860")[0] == 200
    assert opened("192.168.1.5").get(host="192.168.1.6:7860")[0] == 421


def test_a_space_is_served_under_its_own_domain_and_a_share_under_gradios() -> None:
    space = opened("0.0.0.0", private=False, SPACE_HOST="user-demo.hf.space")
    assert space.get(host="user-demo.hf.space")[0] == 200
    assert (
        space.post("/x", {}, host="user-demo.hf.space", origin="https://huggingface.co")[0] == 200
    )
    assert space.get(host="evil-demo.hf.space")[0] == 421
    share = opened(share=True, private=False)
    assert share.get(host="1234.gradio.live")[0] == 200
    assert share.get(host="gradio.live.evil.example")[0] == 421


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload",
        "/upload",
        "/gradio_api/upload_progress",
        "/monitoring",
        "/monitoring/summary",
        "/gradio_api/deep_link",
        "/gradio_api/proxy=https://a.hf.space/",
        "/gradio_api/stream/a/b/1/playlist.m3u8",
        "/gradio_api/process_recording",
        "/gradio_api/runs",
        "/gradio_api/run-history/buckets",
        "/gradio_api/dev/reload",
    ],
)
def test_what_nothing_here_needs_is_not_there(visit: Visit, path: str) -> None:
    assert visit.get(path)[0] == visit.post(path, {})[0] == 404
    assert visit.application.asked == []
    assert visit.get("/gradio_api/run/predict")[0] == 200


def test_what_is_too_long_is_refused_before_it_waits_for_anything(visit: Visit) -> None:
    join = "/gradio_api/queue/join"
    right = {"session_hash": "a-B_9", "data": ["x" * MAX_CHARACTERS]}
    assert json.loads(visit.post(join, right)[2]) == right
    visit.application.asked.clear()
    answer = visit.post(join, {"session_hash": "a", "data": ["x" * (MAX_CHARACTERS + 1)]})
    assert (answer[0], f"at most {MAX_CHARACTERS}" in sentence(answer)) == (413, True)
    for session in ("x" * 65, "x" * 5_000, "", "a b", "../x", 5, ["x"]):
        answer = visit.post(join, {"session_hash": session, "data": []})
        assert (answer[0], "session" in sentence(answer)) == (400, True)
    assert visit.post(join, b"x" * (MAX_BODY + 1))[0] == 413
    assert visit.post(join, b"{}", content_length=str(MAX_BODY + 1))[0] == 413
    assert visit.post(join, b"{}", content_length="many")[0] == 413
    assert visit.get("/gradio_api/heartbeat/" + "x" * 65)[0] == 400
    assert visit.get("/gradio_api/queue/data?session_hash=" + "x" * 65)[0] == 400
    assert visit.get("/gradio_api/queue/data")[0] == 400
    assert visit.application.asked == []
    assert visit.host.told == []


def test_a_film_is_taken_on_localhost_only(visit: Visit) -> None:
    film = b"x" * (MAX_BODY + 1)
    assert visit.post(FILMS, film)[::2] == (200, film)
    assert visit.post(FILMS, b"", content_length=str(MAX_FILM + 1))[0] == 413
    assert visit.post(FILMS + "/x", film)[0] == 413
    assert opened("0.0.0.0", private=False).post(FILMS, film, host="10.0.0.1")[0] == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff\xfe"])
def test_bodies_that_are_no_requests_are_refused(visit: Visit, body: bytes) -> None:
    assert "not a request" in sentence(visit.post("/gradio_api/call/generate", body))
    assert visit.application.asked == []
    assert visit.post("/gradio_api/logitspec/goodbye", body)[::2] == (200, body)


def test_what_the_application_fails_at_is_a_sentence_and_one_line(
    visit: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("secret")

    visit._gate._app = fail
    answer = visit.post("/gradio_api/call/generate", {})
    assert (answer[0], "not a request" in sentence(answer)) == (400, True)
    assert b"secret" not in answer[2]
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is None
    caplog.clear()
    visit.get("/\nrefused GET /")
    assert len(caplog.messages[0].splitlines()) == 1


def test_an_address_has_no_more_than_so_many_requests_at_a_time(visit: Visit) -> None:
    async def flood() -> tuple[list[int], int]:
        visit.application.at_work = asyncio.Event()
        asks = [asyncio.create_task(visit.ask("POST", "/x", b"")) for _ in range(MAX_AT_A_TIME)]
        await asyncio.sleep(0)
        while len(visit.application.asked) < MAX_AT_A_TIME:
            await asyncio.sleep(0)
        refused = await visit.ask("POST", "/x", b"")
        visit.application.at_work.set()
        served = [answer[0] for answer in await asyncio.gather(*asks)]
        again = await visit.ask("POST", "/x", b"")
        return [refused[0], *sorted(set(served))], again[0]

    assert awaited(flood()) == ([429, 200], 200)


def test_it_tells_who_listens_and_who_hangs_up(visit: Visit) -> None:
    visit.get("/gradio_api/queue/data?session_hash=ann")
    visit.get("/gradio_api/call/generate/0a1b")
    visit.get("/gradio_api/call/v2/generate/0a1b")
    visit.get("/gradio_api/heartbeat/ben")
    ann, call = [("comes", "ann"), ("goes", "ann")], [("comes", "0a1b"), ("goes", "0a1b")]
    assert visit.host.told == [*ann, *call, *call]
    visit.host.told.clear()

    async def leave(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    visit._gate._app = leave
    for path in ("heartbeat/ben", "queue/data?session_hash=ann"):
        with pytest.raises(ValueError, match="unpack"):  # there is no answer
            visit.get(f"/gradio_api/{path}")
    assert visit.host.told == [("forget", "ben"), *ann, ("forget", "ann")]


@pytest.mark.parametrize("root", ["/demo", "/demo/"])
def test_paths_below_a_proxys_prefix_are_the_same_with_and_without_it(root: str) -> None:
    visit = Visit(root=root)
    for before in ("", root):
        assert visit.post(f"{before}/gradio_api/upload", {})[0] == 404
        assert visit.post(f"{before}/gradio_api/queue/join", {"session_hash": "a b"})[0] == 400
        assert visit.post(f"{before}{FILMS}", b"x" * (MAX_BODY + 1))[0] == 200
        visit.host.told.clear()
        visit.get(f"{before}/gradio_api/queue/data?session_hash=ann")
        assert visit.host.told == [("comes", "ann"), ("goes", "ann")]


def test_every_answer_has_the_headers_and_a_refusal_is_one_line_in_the_log(
    visit: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answers = [visit.get(), visit.get("/upload"), visit.get(host="evil.example")]
    for _, headers, _ in answers:
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "object-src 'none'" in policy
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'self' file: http://localhost:* http://127.0.0.1:*" in policy
    assert len(caplog.records) == 2
    visit.get("/upload/\nrefused GET /\x1b[2J")
    line = caplog.messages[2]
    assert (len(line.splitlines()), "\x1b" in line) == (1, False)
    shared = opened("0.0.0.0", private=False).get()[1]["content-security-policy"]
    assert "frame-ancestors" not in shared  # Spaces and lectures show it in frames
    assert "http" not in shared
