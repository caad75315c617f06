"""The tools over MCP: an application with a tiny model, called over HTTP by the client of the package `mcp`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from threading import Event
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import jsonschema
import pytest
from mcp import ClientSession, McpError, types
from mcp.client.streamable_http import streamable_http_client
from playwright.sync_api import Browser, Page
from pydantic import AnyUrl
from support.app_page import PLAYER
from support.awaited import awaited
from support.families import runner
from support.models import tokenizer
from support.serving_page import serving_page
from support.visiting import unpacked

from logitspec import METHODS, Trace, decode
from logitspec.models.chat import encode_prompt
from logitspec.runtime.runner import Runner
from logitspec.serving import live, models
from logitspec.serving.gate import MAX_PROGRAMS, access_rules
from logitspec.serving.host import Host
from logitspec.serving.limits import PRIVATE, Visitor
from logitspec.serving.programs import package
from logitspec.serving.programs.endpoint import APPS, Endpoint
from logitspec.serving.programs.results import MAX_LINES, MAX_TEXT
from logitspec.serving.programs.tools import _comparison
from logitspec.serving.request import Request
from logitspec.ui.launch import serving_options
from logitspec.ui.page import build

TIMEOUT = 60  # seconds
APP = "ui://logitspec/player.html"
PROMPT = "ABCABCAB"

Talk = Callable[[ClientSession], Awaitable[Any]]


@dataclass
class RunningApp:
    """An application. brake: while set, every step takes some milliseconds longer."""

    host: Host
    url: str
    brake: Event

    @property
    def mcp(self) -> str:
        return f"{self.url}gradio_api/mcp/"


@contextmanager
def serving(mcp: bool = True, **options: Any) -> Iterator[RunningApp]:
    brake = Event()
    verify = Runner.verify

    def verify_with_brake(target: Runner, tree: Any) -> Any:
        sleep(0.03 if brake.is_set() else 0)
        return verify(target, tree)

    def load(*names: Any, **options: Any) -> Any:
        return runner("llama"), tokenizer()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load", load)
        patch.setattr(Runner, "verify", verify_with_brake)
        host = Host("tiny", limits=replace(PRIVATE, waiting=2))
        host.models.prepare()

        def about(page: Any) -> dict[str, Any]:
            access = access_rules("127.0.0.1", [], False, True, {})
            serving = serving_options(page, host, access, mcp=mcp)
            return {"server_name": "127.0.0.1", **options, **serving}

        with serving_page(lambda: build(host), about) as (_, url):
            yield RunningApp(host, url, brake)


@pytest.fixture(scope="module")
def served() -> Iterator[RunningApp]:
    with serving() as app:
        yield app


def talk(url: str, *talks: Talk, **about: Any) -> list[Any]:
    """What the talk of each client returns; all clients talk at the same time."""

    async def client(each: Talk) -> Any:
        async with AsyncExitStack() as stack:
            read, write, _ = await stack.enter_async_context(streamable_http_client(url))
            session = await stack.enter_async_context(ClientSession(read, write, **about))
            await session.initialize()
            return await each(session)

    async def gather_talks() -> list[Any]:
        return list(await asyncio.gather(*map(client, talks)))

    answers: list[Any] = awaited(gather_talks(), TIMEOUT)
    return answers


def ask(served: RunningApp, tool: str, **arguments: Any) -> types.CallToolResult:
    (answer,) = talk(served.mcp, lambda session: session.call_tool(tool, arguments))
    assert isinstance(answer, types.CallToolResult)
    return answer


def text_of(answer: types.CallToolResult) -> str:
    (content,) = answer.content
    assert isinstance(content, types.TextContent)
    return content.text


def refusal(answer: types.CallToolResult) -> str:
    """The one sentence of a refusal."""
    assert answer.isError
    assert text_of(answer).endswith(".")
    assert "\n" not in text_of(answer)
    assert "Traceback" not in text_of(answer)
    return text_of(answer)


def decode_offline(method: str = "logitspec", tokens: int = 30) -> Trace:
    target = runner("llama")
    steps = decode(target, encode_prompt(tokenizer(), PROMPT), method, tokens)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            trace: Trace = end.value
            return trace


def stored_trace(served: RunningApp, answer: types.CallToolResult) -> Trace:
    assert answer.structuredContent is not None
    return Trace.from_json(served.host.steps_from(answer.structuredContent["run"], 0) or "")


# Tools


def test_the_tools_are_few_and_typed(served: RunningApp) -> None:
    (listed,) = talk(served.mcp, lambda session: session.list_tools())
    tools = {each.name: each for each in listed.tools}
    assert list(tools) == ["generate_text", "compare_methods", "explain_step"]
    for each in tools.values():
        for schema in (each.inputSchema, each.outputSchema):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        assert all("description" in about for about in each.inputSchema["properties"].values())
        assert each.meta == {"ui": {"resourceUri": APP}}
        assert len(each.description or "") > 60
    taken = tools["generate_text"].inputSchema
    assert taken["required"] == ["prompt"]
    assert taken["properties"]["method"]["enum"] == list(METHODS)
    assert taken["properties"]["max_new_tokens"]["maximum"] == 4096
    assert taken["additionalProperties"] is False
    assert len(json.dumps([each.model_dump() for each in listed.tools])) < 12_000


def test_generate_text_answers_with_text_numbers_and_lines_for_steps(served: RunningApp) -> None:
    answer = ask(served, "generate_text", prompt=PROMPT, max_new_tokens=30)
    result = answer.structuredContent
    assert result is not None
    assert not answer.isError
    trace = stored_trace(served, answer)
    steps = trace.steps
    assert trace.output_ids == decode_offline().output_ids
    assert result["text"] == trace.output_bytes.decode(errors="replace")
    assert result["text"] in text_of(answer)
    assert result["numbers"]["tokens"] == 30
    assert result["numbers"]["forward_passes"] == len(steps)
    assert result["numbers"]["mean_accepted_tokens"] == pytest.approx(30 / len(steps), abs=1e-3)
    assert len(result["steps"]) == min(len(steps), MAX_LINES)
    for number, (line, step) in enumerate(zip(result["steps"], steps, strict=False), 1):
        drafted, accepted = len(step.tree) - 1, len(step.path) - 1
        assert line.startswith(f"Step {number}: {drafted} drafted, {accepted} accepted, ")
        assert line in text_of(answer)


def test_an_answer_stays_small_however_long_the_run(served: RunningApp) -> None:
    answer = ask(
        served, "generate_text", prompt=PROMPT, method="autoregressive", max_new_tokens=300
    )
    result = answer.structuredContent
    assert result is not None
    assert result["numbers"]["tokens"] == 300
    assert len(result["steps"]) == MAX_LINES
    assert f"and {300 - MAX_LINES} more steps" in text_of(answer)
    assert len(json.dumps(result)) < MAX_TEXT


def test_options_and_seed_reach_the_run(served: RunningApp) -> None:
    given = {"prompt": PROMPT, "max_new_tokens": 8, "temperature": 0.7, "seed": 2**53 - 1}
    answer = ask(
        served, "generate_text", **given, method="logitspec_paper",
        options={"draft_tree_capacity": 5},
    )  # fmt: skip
    trace = stored_trace(served, answer)
    assert trace.method == "logitspec_paper"
    assert trace.options["draft_tree_capacity"] == 5
    assert (trace.sampling.temperature, trace.sampling.seed) == (0.7, 2**53 - 1)


def test_compare_methods_answers_with_a_verdict_and_lanes(served: RunningApp) -> None:
    methods = ["autoregressive", "prompt_lookup", "logitspec"]
    answer = ask(served, "compare_methods", prompt=PROMPT, methods=methods, max_new_tokens=20)
    result = answer.structuredContent
    assert result is not None
    assert result["same"] is True
    assert "wrote the same, token for token (20 tokens)" in result["verdict"]
    assert [each["method"] for each in result["methods"]] == methods
    assert result["methods"][0]["speed_up"] == 1.0
    outputs = []
    for each in result["methods"]:
        trace = Trace.from_json(served.host.steps_from(each["run"], 0) or "")
        outputs.append(trace.output_ids)
        assert each["numbers"]["forward_passes"] == len(trace.steps)
        assert each["player"] in text_of(answer)
    assert outputs == [decode_offline(tokens=20).output_ids] * 3
    fewest = min(result["methods"], key=lambda each: each["numbers"]["forward_passes"])
    best = next(each for each in result["methods"] if each["run"] == result["run"])
    assert best["numbers"]["forward_passes"] == fewest["numbers"]["forward_passes"]


def test_a_comparison_says_why_a_lane_failed() -> None:
    traces = [decode_offline(method=method, tokens=8) for method in ("autoregressive", "logitspec")]
    traces[1].finish, traces[1].error = "error", "The memory is full; choose a smaller model."
    comparison = _comparison(traces, SimpleNamespace(player=str))  # type: ignore[arg-type]
    assert [each.error for each in comparison.methods] == [None, traces[1].error]
    assert f"x autoregressive. {traces[1].error} {traces[1].run}\n" in comparison.words()


def test_explain_step_says_what_the_step_did(served: RunningApp) -> None:
    answer = ask(served, "generate_text", prompt=PROMPT, max_new_tokens=30)
    trace = stored_trace(served, answer)
    number = max(range(len(trace.steps)), key=lambda at: len(trace.steps[at].path)) + 1
    step = trace.steps[number - 1]
    explained = ask(served, "explain_step", run=trace.run, step=number)
    result = explained.structuredContent
    assert result is not None
    assert (result["step"], result["steps"]) == (number, len(trace.steps))
    assert result["sentence"].startswith(f"Step {number}: {len(step.tree) - 1} drafted")
    assert f"{len(step.path)} token" in result["story"]
    assert sum(result["drafted"].values()) == len(step.tree) - 1
    assert len(result["accepted"]) == len(step.path)
    assert parse_qs(urlsplit(result["player"]).query) == {"run": [trace.run], "step": [str(number)]}
    assert result["story"] in text_of(explained)


def test_recorded_runs_are_explained_without_a_model(served: RunningApp) -> None:
    answer = ask(served, "explain_step", run="recorded-101", step=2)
    assert answer.structuredContent is not None
    assert answer.structuredContent["sentence"].startswith("Step 2: ")


def test_the_link_leads_to_the_player(served: RunningApp, chromium: Browser) -> None:
    answer = ask(served, "generate_text", prompt=PROMPT, max_new_tokens=12)
    assert answer.structuredContent is not None
    page = chromium.new_page()
    page.goto(answer.structuredContent["player"])
    steps = answer.structuredContent["numbers"]["forward_passes"]
    wait_for(page.locator(PLAYER).first, steps=str(steps), state="done")
    page.close()


# Refusals


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("generate_text", {}, "generate_text needs prompt"),
        ("generate_text", {"prompt": ""}, "empty"),
        ("generate_text", {"prompt": "A", "method": "magic"}, "There is no method 'magic'"),
        ("generate_text", {"prompt": "A", "max_new_tokens": 0}, "max_new_tokens can't be used"),
        ("generate_text", {"prompt": "A", "seed": -1}, "seed can't be used"),
        ("generate_text", {"prompt": "A", "colour": "red"}, "takes no colour"),
        ("generate_text", {"prompt": "A", "options": {"n": 1}}, "has no option 'n'"),
        ("generate_text", {"prompt": "A" * 200_001}, "at most 200000 are accepted"),
        ("generate_text", {"prompt": "A", "model": "gpt2"}, "not offered here"),
        ("compare_methods", {"prompt": "A", "methods": ["logitspec"]}, "methods can't be used"),
        ("compare_methods", {"prompt": "A", "methods": ["logitspec"] * 5}, "methods can't be used"),
        ("explain_step", {"run": "nothing", "step": 1}, "There is no run 'nothing'"),
        ("explain_step", {"run": "recorded-101", "step": 9999}, "choose one of them"),
        ("explain_step", {"run": "../../etc/passwd", "step": 1}, "There is no run"),
        ("read_run", {"run": "nothing", "from": 0}, "no longer kept"),
        ("read_run", {"from": "x"}, "no longer kept"),
        ("destroy", {}, "There is no tool 'destroy'"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_sentence(
    served: RunningApp, tool: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in refusal(ask(served, tool, **arguments))


def test_a_run_that_fails_says_why(served: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    target, _, _ = served.host.models.load("tiny")

    def fail(tree: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(target, "verify", fail)
    words = refusal(ask(served, "generate_text", prompt=PROMPT, method="autoregressive"))
    assert "secret" not in words
    monkeypatch.undo()
    assert not ask(served, "generate_text", prompt=PROMPT, max_new_tokens=5).isError


# Prompts, and the player in a client


def test_prompts_are_found_by_the_names_they_are_listed_under(served: RunningApp) -> None:
    async def all_prompts(session: ClientSession) -> dict[str, str]:
        texts = {}
        for each in (await session.list_prompts()).prompts:
            found = await session.get_prompt(each.name, {"prompt": "Tell me of foxes."})
            (message,) = found.messages
            assert isinstance(message.content, types.TextContent)
            texts[each.name] = message.content.text
        return texts

    (texts,) = talk(served.mcp, all_prompts)
    assert list(texts) == ["watch_a_run", "race_the_methods"]
    assert all("Tell me of foxes." in text for text in texts.values())
    assert len(set(texts.values())) == len(texts)


def test_an_unknown_prompt_is_refused_in_a_sentence(served: RunningApp) -> None:
    async def get_unknown(session: ClientSession) -> str:
        with pytest.raises(McpError, match="There is no prompt 'nothing'; choose one of") as error:
            await session.get_prompt("nothing")
        return str(error.value)

    assert talk(served.mcp, get_unknown)[0].endswith(".")


def test_names_and_links_are_right_behind_the_proxy_of_a_space(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/logitspec-live")
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setattr("gradio.http_server.watchfn_spaces", lambda reloader: None)

    async def look(session: ClientSession) -> Any:
        tools = [each.name for each in (await session.list_tools()).tools]
        prompts = [each.name for each in (await session.list_prompts()).prompts]
        found = [await session.get_prompt(name) for name in prompts]
        texts = [str(each.messages[0].content) for each in found]
        run = await session.call_tool("generate_text", {"prompt": PROMPT, "max_new_tokens": 4})
        return tools, prompts, texts, run.structuredContent

    with serving(root_path="/lecture") as app:
        ((tools, prompts, texts, run),) = talk(app.mcp.replace("/lecture", ""), look)
    assert tools == ["generate_text", "compare_methods", "explain_step"]
    assert prompts == ["watch_a_run", "race_the_methods"]
    assert "generate_text" in texts[0]
    assert "compare_methods" in texts[1]
    assert "/lecture/?run=" in run["player"]


def test_the_player_is_an_app_of_one_file(served: RunningApp) -> None:
    async def look(session: ClientSession) -> Any:
        listed = (await session.list_resources()).resources
        return listed, (await session.read_resource(AnyUrl(APP))).contents

    ((listed, contents),) = talk(served.mcp, look)
    (resource,), (content,) = listed, contents
    assert str(resource.uri) == str(content.uri) == APP
    assert resource.mimeType == content.mimeType == "text/html;profile=mcp-app"
    assert content.meta == {"ui": {"prefersBorder": True}}
    assert "default-src 'none'" in content.text
    assert "http://" not in content.text.replace("http://www.w3.org/", "")
    assert "<script src" not in content.text
    assert "<link" not in content.text


def test_only_clients_that_show_apps_see_the_tool_for_the_player(served: RunningApp) -> None:
    class AppSession(ClientSession):
        async def send_request(self, request: Any, *rest: Any, **more: Any) -> Any:
            if isinstance(request.root, types.InitializeRequest):
                about = {"extensions": {APPS: {"mimeTypes": ["text/html;profile=mcp-app"]}}}
                request.root.params.capabilities = types.ClientCapabilities(**about)  # type: ignore[arg-type]
            return await super().send_request(request, *rest, **more)

    async def look() -> types.ListToolsResult:
        async with (
            streamable_http_client(served.mcp) as (read, write, _),
            AppSession(read, write) as session,
        ):
            await session.initialize()
            return await session.list_tools()

    listed = awaited(look(), TIMEOUT)
    tool = listed.tools[-1]
    assert tool.name == "read_run"
    assert tool.meta == {"ui": {"resourceUri": APP, "visibility": ["app"]}}


HOST = """
<iframe sandbox="allow-scripts" style="width: 900px; height: 700px"></iframe>
<script>
  const frame = document.querySelector("iframe");
  window.heard = [];
  const send = (note) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...note }, "*");
  addEventListener("message", async ({ data }) => {
    heard.push(data.method);
    if (data.method === "ui/initialize")
      send({ id: data.id, result: { protocolVersion: "2026-01-26", hostInfo: {}, hostCapabilities: {},
        hostContext: { theme: "dark" } } });
    if (data.method === "ui/notifications/initialized") {
      send({ method: "ui/notifications/tool-input", params: { arguments: {} } });
      send({ method: "ui/notifications/tool-result", params: window.answer });
    }
    if (data.method === "tools/call") send({ id: data.id, result: await window.callTool(data.params) });
  });
</script>
"""
FRAME = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


@pytest.fixture
def client_page(chromium: Browser) -> Iterator[Page]:
    """A client that shows apps as the specification says: in a frame of another origin, with a policy of its own."""
    page = chromium.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_content(HOST)
    yield page
    page.close()
    assert faults == []


def app_frame(page: Page, served: RunningApp, answer: types.CallToolResult) -> Any:
    """The player, as a client shows it with an answer."""

    async def read(session: ClientSession) -> str:
        (content,) = (await session.read_resource(AnyUrl(APP))).contents
        assert isinstance(content, types.TextResourceContents)
        return content.text

    def call(request: dict[str, Any]) -> dict[str, Any]:
        return ask(served, request["name"], **request["arguments"]).model_dump(mode="json")

    page.expose_function("callTool", call)
    page.evaluate("answer => { window.answer = answer }", answer.model_dump(mode="json"))
    (text,) = talk(served.mcp, read)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{FRAME}">'
    document = text.replace("<head>", f"<head>{policy}")
    page.evaluate("text => { document.querySelector('iframe').srcdoc = text }", document)
    return page.frame_locator("iframe").locator("[data-logitspec-player]")


def wait_for(player: Any, **attributes: str) -> None:
    end = monotonic() + TIMEOUT
    while any(player.get_attribute(f"data-{name}") != value for name, value in attributes.items()):
        assert monotonic() < end, player.evaluate("element => element.outerHTML.slice(0, 500)")
        sleep(0.05)


def test_the_app_plays_the_run_of_an_answer(served: RunningApp, client_page: Page) -> None:
    answer = ask(served, "generate_text", prompt=PROMPT, max_new_tokens=12)
    assert answer.structuredContent is not None
    player = app_frame(client_page, served, answer)
    wait_for(player, steps=str(answer.structuredContent["numbers"]["forward_passes"]))
    heard = client_page.evaluate("heard")
    assert {"ui/initialize", "ui/notifications/size-changed", "tools/call"} <= set(heard)
    scheme = (
        client_page.frame_locator("iframe")
        .locator(".ls-player")
        .evaluate("player => getComputedStyle(player).colorScheme")
    )
    assert scheme == "dark"


def test_the_app_stands_at_the_step_that_was_explained(
    served: RunningApp, client_page: Page
) -> None:
    answer = ask(served, "explain_step", run="recorded-101", step=7)
    answer.structuredContent = None  # as in clients that pass on only the words
    wait_for(app_frame(client_page, served, answer), cursor="7")


def test_the_app_shows_the_sentence_of_a_refusal(served: RunningApp, client_page: Page) -> None:
    answer = ask(served, "generate_text", prompt="A", method="magic")
    player = app_frame(client_page, served, answer)
    player.get_by_text("There is no method 'magic'").wait_for()


# Several clients


def test_two_clients_at_once_get_their_own_answers(served: RunningApp) -> None:
    def ask_for(method: str) -> Talk:
        given = {"prompt": PROMPT, "method": method, "max_new_tokens": 30}
        return lambda session: session.call_tool("generate_text", given)

    answers = talk(served.mcp, ask_for("logitspec"), ask_for("autoregressive"))
    assert [each.structuredContent["method"] for each in answers] == ["logitspec", "autoregressive"]
    assert [stored_trace(served, each).output_ids for each in answers] == [
        decode_offline().output_ids
    ] * 2


@pytest.fixture
def slow_steps(served: RunningApp) -> Iterator[None]:
    served.brake.set()
    yield
    served.brake.clear()


def wait_until(condition: Callable[[], Any]) -> None:
    end = monotonic() + TIMEOUT
    while not condition():
        assert monotonic() < end, "The condition never came true."
        sleep(0.02)


@pytest.mark.usefixtures("slow_steps")
def test_programs_of_an_address_share_one_visitors_places(served: RunningApp) -> None:
    def ask_for(session: ClientSession) -> Any:
        given = {"prompt": PROMPT, "method": "autoregressive", "max_new_tokens": 20}
        return session.call_tool("generate_text", given)

    answers = talk(served.mcp, *[ask_for] * 5)
    words = [refusal(each) for each in answers if each.isError]
    assert len(words) == 2  # one runs, and two may wait
    assert all("of your runs are waiting already" in each for each in words)


@pytest.mark.usefixtures("slow_steps")
def test_a_call_that_its_client_cancels_frees_the_model(served: RunningApp) -> None:
    async def cancel(session: ClientSession) -> None:
        given = {"prompt": PROMPT, "method": "autoregressive", "max_new_tokens": 2000}

        async def call() -> None:
            words = refusal(await session.call_tool("generate_text", given))
            assert words == "This call was stopped at its client's request."

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            while not served.host.turn._holder:
                await anyio.sleep(0.02)
            request = session._request_id - 1
            params = types.CancelledNotificationParams(requestId=request, reason="enough")
            note = types.CancelledNotification(params=params)
            await session.send_notification(types.ClientNotification(note))
            while served.host.turn._holder:
                await anyio.sleep(0.02)

    talk(served.mcp, cancel)
    assert not ask(served, "generate_text", prompt=PROMPT, max_new_tokens=3).isError


@pytest.mark.usefixtures("slow_steps")
def test_a_client_that_hangs_up_frees_the_model(served: RunningApp) -> None:
    arguments = {"prompt": PROMPT, "method": "autoregressive", "max_new_tokens": 2000}
    params = {"name": "generate_text", "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    accept = {"Accept": "application/json, text/event-stream"}
    with httpx.stream("POST", served.mcp, json=body, headers=accept, timeout=TIMEOUT):
        wait_until(lambda: served.host.turn._holder)
    wait_until(lambda: not served.host.turn._holder)


@pytest.mark.usefixtures("slow_steps")
def test_a_client_that_asks_for_progress_gets_reports(served: RunningApp) -> None:
    reports: list[tuple[float, str | None]] = []

    async def append(progress: float, total: float | None, message: str | None) -> None:
        assert total == 1.0
        reports.append((progress, message))

    async def ask_for(session: ClientSession) -> Any:
        given = {"prompt": PROMPT, "method": "autoregressive", "max_new_tokens": 60}
        return await session.call_tool("generate_text", given, progress_callback=append)

    (answer,) = talk(served.mcp, ask_for)
    assert not answer.isError
    assert reports
    shares = [each[0] for each in reports]
    assert shares == sorted(set(shares))
    assert all(str(each[1]).endswith(".") for each in reports)


# The endpoint


def test_without_the_option_there_is_no_server() -> None:
    with serving(mcp=False) as app:
        for path in ("", "schema"):
            assert httpx.get(app.mcp + path, timeout=TIMEOUT).status_code == 404
        assert httpx.post(app.mcp, json={}, timeout=TIMEOUT).status_code == 404


def test_pages_of_other_sites_and_foreign_host_names_are_refused(served: RunningApp) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream"}
    for more, status in (
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 421),
    ):
        answer = httpx.post(served.mcp, json=body, headers=accept | more, timeout=TIMEOUT)
        assert answer.status_code == status
        assert "generate_text" not in answer.text


def test_a_browser_is_told_what_this_address_is_for(served: RunningApp) -> None:
    answer = httpx.get(served.mcp, timeout=TIMEOUT)
    assert answer.status_code == 405
    assert "MCP client" in answer.text
    assert httpx.delete(served.mcp).status_code == 405


def test_the_schema_that_hugging_face_reads_has_the_same_tools(served: RunningApp) -> None:
    schema = httpx.get(f"{served.mcp}schema", timeout=TIMEOUT).json()
    (listed,) = talk(served.mcp, lambda session: session.list_tools())
    assert [(each["name"], each["inputSchema"]) for each in schema] == [
        (each.name, each.inputSchema) for each in listed.tools
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"[" * 100_000, b'{"jsonrpc": "2.0"}'])
def test_rubbish_is_refused(served: RunningApp, body: bytes) -> None:
    accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    answer = httpx.post(served.mcp, content=body, headers=accept, timeout=TIMEOUT)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_no_client_cancels_the_calls_of_another() -> None:
    endpoint = Endpoint(lambda *_: asyncio.sleep(0))

    async def is_cancelled() -> bool:
        note = {"method": "notifications/cancelled", "params": {"requestId": 1}}
        with endpoint.call("mine", 1):
            endpoint._cancel("another's", note)
            endpoint._cancel("", note)
            endpoint._cancel("mine", {"params": {"requestId": [1]}})
            endpoint._cancel("mine", {"params": None})
            await anyio.sleep(0)
            endpoint._cancel("mine", note)
            await anyio.sleep(1)
            return False
        return True

    assert awaited(is_cancelled(), TIMEOUT)
    assert endpoint._calls == {}


@pytest.mark.parametrize("session", ["", "mine"])
def test_calls_with_the_same_number_end_by_themselves(session: str) -> None:
    endpoint = Endpoint(lambda *_: asyncio.sleep(0))

    async def call_twice() -> str:
        with endpoint.call(session, 1):  # as of a script that names no session
            with endpoint.call(session, 1):
                await anyio.sleep(0)
            return "answered"

    assert awaited(call_twice(), TIMEOUT) == "answered"
    assert endpoint._calls == {}


def test_the_steps_for_the_player_are_those_of_the_run(served: RunningApp) -> None:
    answer = ask(served, "generate_text", prompt=PROMPT, max_new_tokens=12)
    assert answer.structuredContent is not None
    message = text_of(ask(served, "read_run", run=answer.structuredContent["run"], **{"from": 0}))
    assert unpacked(message) == json.loads(stored_trace(served, answer).to_json())


def test_runs_of_programs_do_not_push_out_those_of_pages(
    served: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_RUNS", 2)
    request = Request(PROMPT, max_new_tokens=3, model="tiny")
    stream = served.host.stream(request, Event(), visitor=Visitor("page", "127.0.0.1"))
    run = json.loads(next(stream))["run"]
    stream.close()
    for _ in range(3):
        ask(served, "generate_text", prompt=PROMPT, max_new_tokens=2)
    assert served.host.knows(run)
    assert len(served.host._runs_of_programs._runs) == 2


def test_programs_have_their_own_number_of_requests_at_a_time() -> None:
    assert MAX_PROGRAMS < 128


# The package


@pytest.mark.parametrize(
    ("version", "fits"),
    [("1.30.0", True), ("1.31.2", True), ("1.29.0", False), ("2.3.0", False), ("1", False)],
)
def test_only_some_versions_of_the_package_fit(version: str, fits: bool) -> None:
    assert package._fits(version) is fits
