"""Visitors in a real Chromium and by plain HTTP, in an application whose turn the test controls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from support.app_page import PLAYER, press, state, take_along, unfold
from support.cable import Cable
from support.families import runner
from support.models import tokenizer
from support.race_page import ROOT, going, saved_race
from support.serving_page import serving_page

from logitspec import DraftTree, ForwardResult, Trace
from logitspec.paths import ASSETS
from logitspec.runtime.runner import Runner
from logitspec.serving import models
from logitspec.serving.gate import access_rules
from logitspec.serving.host import Host
from logitspec.serving.limits import PRIVATE
from logitspec.serving.live import LiveRun
from logitspec.ui.launch import serving_options
from logitspec.ui.page import build
from logitspec.ui.sessions import LightSessions, forget_messages

SECONDS = 60  # that a test waits for something that has to come


@dataclass
class Served:
    """The whole page over a tiny model. app: Gradio's. brake: makes every step take 50 milliseconds."""

    host: Host
    url: str
    app: Any
    brake: Event


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    brake = Event()
    verify = Runner.verify

    def slow(target: Runner, tree: DraftTree) -> ForwardResult:
        sleep(0.05 if brake.is_set() else 0)
        return verify(target, tree)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load", lambda *names, **placing: (runner("llama"), tokenizer()))
        patch.setattr(Runner, "verify", slow)  # also that of every lane's
        host = Host("tiny", limits=replace(PRIVATE, held_seconds=5))
        host.models.prepare()

        def options(page: Any) -> dict[str, Any]:
            access = access_rules("127.0.0.1", [], False, True, {})
            return {"server_name": "127.0.0.1", **serving_options(page, host, access)}

        with serving_page(lambda: build(host), options) as (app, url):
            yield Served(host, url, app, brake)


class Visit:
    """The page, opened afresh; no script may fail, and none may be kept from running."""

    def __init__(self, visitor: BrowserContext, url: str) -> None:
        self._faults: list[str] = []
        self.page = visitor.new_page()
        self.page.on("pageerror", lambda error: self._faults.append(str(error)))
        self.page.on("console", self._hear)
        self.page.goto(url)
        self.page.wait_for_selector(f"{PLAYER} .ls-legend")

    def check(self) -> None:
        assert self._faults == []

    def _hear(self, message: ConsoleMessage) -> None:
        if "Security" in message.text:
            self._faults.append(message.text)


@contextmanager
def visit(visitor: BrowserContext, served: Served) -> Iterator[Page]:
    opened = Visit(visitor, served.url)
    yield opened.page
    opened.page.close()
    opened.check()


@pytest.fixture(scope="module")
def cable(served: Served) -> Iterator[Cable]:
    cable = Cable(int(served.url.rstrip("/").rsplit(":", 1)[1]))
    yield cable
    cable.close()


@pytest.fixture(scope="module")
def shared(visitor: BrowserContext, cable: Cable) -> Iterator[Visit]:
    opened = Visit(visitor, f"http://127.0.0.1:{cable.port}")
    yield opened
    opened.page.close()


@pytest.fixture
def page(shared: Visit) -> Iterator[Page]:
    """A page at the end of the cable, which tests reuse, with the tab Watch in sight."""
    page = shared.page
    page.get_by_role("tab", name="Watch").click()
    page.locator(PLAYER).wait_for()
    # Gradio's messages of earlier errors would cover the buttons.
    page.get_by_test_id("toast-close").evaluate_all("all => all.forEach((each) => each.click())")
    yield page
    shared.check()


def run(page: Page, tokens: int = 30) -> None:
    page.locator("textarea").first.fill("ABCABCAB")
    unfold(page, "Length and sampling", "Max new tokens")
    page.get_by_label("Max new tokens").fill(str(tokens))
    page.get_by_role("radio", name="Plain decoding", exact=True).check()
    press(page)


@pytest.fixture
def slow(served: Served) -> Iterator[None]:
    """Runs take seconds, and the app keeps those whose page is gone for as long as it does elsewhere."""
    limits = served.host.limits
    served.host.limits = PRIVATE
    served.brake.set()
    yield
    served.brake.clear()
    served.host.limits = limits


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop", exact=True).click()


def running(page: Page, more_than: int) -> int:
    """The number of steps, once there are more than `more_than` and still growing."""
    # The number is read along with the state: a page whose connection was cut mounts the player again.
    steps = page.wait_for_function(
        "([s, least]) => { const d = document.querySelector(s)?.dataset;"
        " return d && d.state === 'running' && +d.steps > least && +d.steps }",
        arg=[PLAYER, more_than],
        timeout=60_000,
    )
    return int(steps.json_value())


def until(true: Callable[[], Any]) -> None:
    """Wait until `true()` holds."""
    end = monotonic() + SECONDS
    while not true():
        assert monotonic() < end, "It never came."
        sleep(0.02)


def free(host: Host) -> None:
    """Return once nobody has the models."""
    with host.turn.hold(Event()):
        pass


def newest(host: Host) -> LiveRun | None:
    """The run that began last."""
    return next(reversed(host._runs._runs.values()), None)


def trace_of(run: LiveRun | None) -> Trace:
    assert run is not None
    return run.race.traces[0]


def test_who_waits_sees_the_place_and_the_run_before_and_can_give_up(
    page: Page, served: Served
) -> None:
    run(page)
    state(page, "done")
    tokens = page.locator(f"{PLAYER} [data-token]").count()
    waiting = page.locator(f"{PLAYER} .ls-waiting")
    with served.host.turn.hold(Event()):
        page.get_by_role("button", name="Run", exact=True).click()
        expect(waiting).to_contain_text(
            re.compile(r"Waiting: 1 run is ahead of yours, for about \d+ seconds?\.")
        )
        state(page, "running")
        expect(page.locator(PLAYER)).to_have_attribute("data-steps", "0")
        assert page.locator(f"{PLAYER} [data-token]").count() == tokens  # the run before
        expect(page.locator(f"{PLAYER} .ls-panels")).to_be_visible()
        waiting.get_by_role("button", name="Give up").click()
        state(page, "error")
        expect(page.locator(PLAYER)).to_contain_text("stopped before it began")
        expect(page.locator(PLAYER)).to_have_attribute("data-steps", "30")
        expect(waiting).to_be_hidden()
        until(lambda: not served.host.turn.wanted)
        press(page)
        expect(waiting).to_contain_text("1 run is ahead of yours")
    state(page, "done")
    expect(waiting).to_be_hidden()
    expect(page.locator(PLAYER)).to_have_attribute("data-steps", "30")


def test_who_stops_while_waiting_can_run_again_and_is_served_once(
    page: Page, served: Served
) -> None:
    with served.host.turn.hold(Event()):
        run(page, 25)
        state(page, "running")
        until(lambda: served.host.turn.wanted)
        stop(page)
        state(page, "error")
        expect(page.locator(PLAYER)).to_contain_text("stopped before it began")
        for _ in range(3):
            page.get_by_role("button", name="Run", exact=True).click()
            page.wait_for_timeout(300)
        assert page.locator(PLAYER).get_attribute("data-state") == "running"
        assert page.locator(PLAYER).get_attribute("data-steps") == "0"
        page.locator(PLAYER).evaluate(
            "e => { window.states = []; new MutationObserver(() => states.push(e.dataset.state"
            " + e.dataset.steps)).observe(e, { attributes: true }) }"
        )
    state(page, "done")
    expect(page.locator(PLAYER)).to_have_attribute("data-steps", "25")
    page.wait_for_timeout(800)
    states = page.evaluate("states")
    assert [each for each in states if each.startswith("running")].count("running0") <= 2
    assert "done" in states[-1]
    first_done = next(place for place, each in enumerate(states) if each.startswith("done"))
    assert all(each.startswith("done") for each in states[first_done:])


@pytest.mark.usefixtures("slow")
def test_stop_keeps_what_there_is_and_a_new_run_replaces_one_that_runs(page: Page) -> None:
    run(page, 400)
    running(page, 5)
    stop(page)
    state(page, "done")
    steps = int(page.locator(PLAYER).get_attribute("data-steps") or 0)
    assert 5 < steps < 400
    assert page.locator(f"{PLAYER} [data-token]:not([data-origin=prompt])").count() >= steps
    expect(page.locator(PLAYER)).to_contain_text(re.compile("stopped|cancelled", re.IGNORECASE))
    run(page, 400)
    running(page, 5)
    run(page, 25)
    state(page, "done")
    expect(page.locator(PLAYER)).to_have_attribute("data-steps", "25")
    page.reload()  # which brings it back
    expect(page.locator(PLAYER)).to_have_attribute("data-steps", "25", timeout=15_000)


@pytest.mark.usefixtures("slow")
def test_a_run_goes_on_while_its_page_reloads(page: Page) -> None:
    run(page, 400)
    before = running(page, 8)
    page.reload()
    page.wait_for_selector(PLAYER)
    assert running(page, before + 5) > before
    stop(page)
    state(page, "done")
    expect(page.locator(PLAYER)).to_contain_text(re.compile("stopped|cancelled", re.IGNORECASE))
    with page.expect_download() as saved:
        take_along(page, "Save trace")
    trace = Trace.open(saved.value.path())
    assert trace.finish == "cancelled"
    ends = [step.position + len(step.path) for step in trace.steps]
    assert [step.position for step in trace.steps] == [len(trace.prompt_ids), *ends[:-1]]


@pytest.mark.usefixtures("slow")
def test_a_run_outlives_a_cut_connection(page: Page, cable: Cable) -> None:
    run(page, 400)
    before = running(page, 8)
    cable.cut()
    page.wait_for_timeout(3000)
    held = int(page.locator(PLAYER).get_attribute("data-steps") or 0)
    assert held >= before
    cable.mend()
    page.wait_for_selector(PLAYER)
    assert running(page, held + 5) > held
    stop(page)
    state(page, "done")


def test_a_race_waits_in_the_same_way(page: Page, served: Served) -> None:
    page.get_by_role("tab", name="Compare").click()
    race = page.locator(ROOT)
    expect(race.locator(".lr-course")).to_be_visible()
    with served.host.turn.hold(Event()):
        page.get_by_role("button", name="Race", exact=True).click()
        expect(race.locator(".ls-waiting")).to_contain_text("Waiting: 1 run is ahead of yours")
        expect(race.locator(".lr-course")).to_be_visible()  # the race before
        expect(race).to_have_attribute("data-state", "running")
        race.get_by_role("button", name="Give up").click()
        expect(race).to_have_attribute("data-state", "error")
        expect(race).to_contain_text("stopped before it began")
        until(lambda: not served.host.turn.wanted)


def start_race(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.get_by_label("Prompt of the race").fill("ABCABCAB")
    if not page.get_by_label("Max new tokens per lane").is_visible():
        page.get_by_role("button", name="Examples, model and length").click()
        expect(page.get_by_label("Max new tokens per lane")).to_be_visible()
        page.wait_for_timeout(500)  # Gradio sets a field once more just after showing it
    page.get_by_label("Max new tokens per lane").fill("400")
    press(page, "Race", "logitspec-race")


def stop_race(page: Page) -> Any:
    """Stop the race and return it as saved: every step begins where the last one ended, and none is there twice."""
    page.locator("#stop-race").click()
    expect(page.locator(ROOT)).to_have_attribute("data-state", "done", timeout=60_000)
    race = saved_race(page)
    for lane in race["lanes"]:
        trace = Trace.from_json(json.dumps(lane))
        ends = [step.position + len(step.path) for step in trace.steps]
        assert [step.position for step in trace.steps] == [len(trace.prompt_ids), *ends[:-1]]
    return race


@pytest.mark.usefixtures("slow")
def test_stop_ends_the_race_and_keeps_what_there_is(page: Page) -> None:
    start_race(page)
    going(page, 12)
    stop_race(page)
    expect(page.locator(ROOT)).to_contain_text("Stopped")
    expect(page.locator(".lr-verdict")).to_contain_text("Up to where all lanes got")


@pytest.mark.usefixtures("slow")
def test_a_race_goes_on_while_its_page_reloads(page: Page) -> None:
    start_race(page)
    before = going(page, 8)
    page.reload()
    page.wait_for_selector(ROOT)  # the tab is still Compare
    expect(page.get_by_label("Prompt of the race")).to_have_value("ABCABCAB")
    assert going(page, before) > before
    race = stop_race(page)
    expect(page.locator(ROOT)).to_contain_text("Stopped")
    assert {lane["finish"] for lane in race["lanes"]} == {"cancelled"}
    page.reload()
    expect(page.locator(ROOT)).to_have_attribute("data-state", "done", timeout=60_000)
    assert saved_race(page) == race


@pytest.mark.usefixtures("slow")
def test_a_race_outlives_a_cut_connection(page: Page, cable: Cable) -> None:
    start_race(page)
    before = going(page, 8)
    cable.cut()
    page.wait_for_timeout(3000)
    cable.mend()
    assert going(page, before + 5) > before
    stop_race(page)


def test_a_run_that_is_refused_is_a_sentence_and_the_run_before_stays(
    page: Page, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = page.locator(f"{PLAYER} [data-token]").count()
    steps = page.locator(PLAYER).get_attribute("data-steps")
    assert steps
    monkeypatch.setattr("logitspec.serving.turn.MAX_WAITING", 0)
    run(page)
    expect(page.locator(PLAYER)).to_contain_text("Too many runs are waiting here")
    monkeypatch.undo()
    queue = served.app.get_blocks()._queue
    monkeypatch.setattr(queue, "max_size", 0)  # Gradio's own answer then is 503
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(PLAYER)).to_contain_text("The server has no room for this run")
    state(page, "error")
    expect(page.locator(PLAYER)).to_have_attribute("data-steps", steps)
    assert page.locator(f"{PLAYER} [data-token]").count() == tokens
    monkeypatch.undo()
    press(page)
    state(page, "done")


def test_a_closed_tab_frees_the_model_and_a_reload_finds_its_run(
    visitor: BrowserContext, served: Served
) -> None:
    served.brake.set()
    with visit(visitor, served) as page:
        run(page, 400)
        page.wait_for_function(f"+document.querySelector('{PLAYER}').dataset.steps > 5")
        page.reload()
        page.wait_for_function(
            f"+(document.querySelector('{PLAYER}')?.dataset.steps || 0) > 20", timeout=30_000
        )
        state(page, "running")
        trace = trace_of(newest(served.host))
    free(served.host)
    assert trace.finish is None  # held, in case the page comes back
    # A request that was on its way when the page closed may keep it running for a while, but not to its end.
    until(lambda: trace.finish is not None)
    served.brake.clear()
    assert trace.finish == "cancelled"
    assert len(trace.steps) < 400


def test_a_page_that_never_did_anything_leaves_nothing(
    visitor: BrowserContext, served: Served
) -> None:
    sessions = served.app.state_holder
    assert isinstance(sessions, LightSessions)
    before = set(sessions.session_data)
    with visit(visitor, served), visit(visitor, served):
        pass
    free(served.host)
    assert set(sessions.session_data) == before


def test_sessions_cost_nothing_and_share_nothing_that_they_change(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = served.app.get_blocks()
    monkeypatch.setattr(
        type(blocks.default_config), "config_for_block", lambda *a: pytest.fail("drawn up anew")
    )
    sessions: Any = LightSessions()  # type: ignore[no-untyped-call]
    sessions._first = served.app.state_holder._first
    sessions.blocks, sessions.capacity = blocks, 100
    ann, ben = sessions["ann"], sessions["ben"]
    (box,) = [key for key, each in blocks.blocks.items() if each.elem_id == "prompt"]
    ann._update_value_in_config(box, "secret")
    assert ann.config_values[box]["props"]["value"] == "secret"
    assert ben.config_values[box]["props"]["value"] != "secret"
    assert sessions["cy"].config_values[box]["props"]["value"] != "secret"
    ann.state_data[1] = "secret"
    assert ben.state_data == {}


def test_messages_that_nobody_fetches_are_dropped() -> None:
    def session(name: str) -> Any:
        return SimpleNamespace(session_hash=name)

    queue = SimpleNamespace(
        event_ids_to_events={"1": session("busy")},
        pending_messages_per_session=dict.fromkeys(["busy", "heard", "gone"], "messages"),
        pending_event_ids_session={"gone": {"2"}, "heard": {"3"}},
    )
    silences = {"busy": 1000.0, "heard": 0.0, "gone": 61.0}
    forget_messages(queue, silences.__getitem__)
    assert list(queue.pending_messages_per_session) == ["busy", "heard"]
    assert list(queue.pending_event_ids_session) == ["heard"]


def component(served: Served) -> int:
    blocks: dict[int, Any] = served.app.get_blocks().blocks
    return next(key for key, each in blocks.items() if each.elem_id == "player")


def test_the_application_refuses_what_the_gate_refuses(served: Served) -> None:
    ask = {"component_id": component(served), "session_hash": "ann", "fn_name": "fetch_steps"}
    body = {**ask, "data": {"run": "recorded-19", "from": 0}}
    with httpx.Client(base_url=served.url, timeout=60) as client:
        right = client.post("/gradio_api/component_server", json=body)
        assert right.status_code == 200
        assert len(right.json()) > 1000
        foreign = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
        refused = client.post(
            "/gradio_api/component_server", content=json.dumps(body), headers=foreign
        )
        assert refused.status_code == 403
        assert client.get("/config", headers={"Host": "evil.example"}).status_code == 421
        assert client.get("/monitoring/summary").status_code == 404
        file = {"files": ("x", b"x" * 10**6)}
        assert client.post("/gradio_api/upload", files=file).status_code == 404
        top = client.get("/")
        assert top.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'self'" in top.headers["content-security-policy"]


def generate(client: httpx.Client, tokens: int) -> str:
    """Start a run by the endpoint, to which nobody listens yet; return its event."""
    data = ["ABCABCAB", "autoregressive", tokens, 0, 0, "{}", "tiny"]
    answer = client.post("/gradio_api/call/generate", json={"data": data})
    event: str = answer.raise_for_status().json()["event_id"]
    return event


def test_a_scripts_run_that_nobody_listens_to_ends(served: Served) -> None:
    with httpx.Client(base_url=served.url, timeout=60) as client:
        before = newest(served.host)
        served.host.limits = replace(PRIVATE, unheard_seconds=0)
        try:
            generate(client, 300)
            until(lambda: newest(served.host) is not before)
            until(lambda: trace_of(newest(served.host)).finish)
        finally:
            served.host.limits = replace(PRIVATE, held_seconds=5)
        free(served.host)
        trace = trace_of(newest(served.host))
        assert (trace.finish, len(trace.steps)) == ("cancelled", 1)
        event = generate(client, 12)
        answer = client.get(f"/gradio_api/call/generate/{event}", timeout=SECONDS).text
    last = [line for line in answer.splitlines() if line.startswith("data: ")][-1]
    (document,) = json.loads(last.removeprefix("data: "))
    assert json.loads(document)["finish"] == "length"


def test_who_hangs_up_while_waiting_waits_no_more_and_others_move_up(served: Served) -> None:
    with httpx.Client(base_url=served.url, timeout=60) as client, served.host.turn.hold(Event()):
        event = generate(client, 12)
        until(lambda: served.host.turn.wanted)
        with client.stream("GET", f"/gradio_api/call/generate/{event}", timeout=0.2) as answer:
            assert answer.status_code == 200
        until(lambda: not served.host.turn.wanted)


def test_what_one_visitor_downloads_delays_no_line_about_another_model(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching, release, fetched = Event(), Event(), Event()

    def fetch(*name: Any, **options: Any) -> None:
        fetching.set()
        release.wait(SECONDS / 2)
        fetched.set()

    monkeypatch.setattr(models, "fetch", fetch)
    monkeypatch.setattr(served.host.models, "others", True)
    fns = served.app.get_blocks().fns
    about = next(number for number, each in fns.items() if each.name == "loading")
    monkeypatch.setattr(fns[about].inputs[0], "allow_custom_value", True)

    def choose(client: httpx.Client, name: str, session: str) -> None:
        body = {"fn_index": about, "data": [name], "session_hash": session}
        client.post("/gradio_api/queue/join", json=body).raise_for_status()

    with httpx.Client(base_url=served.url, timeout=SECONDS) as client:
        try:
            choose(client, "user/large", "ann")
            until(fetching.is_set)
            choose(client, "tiny", "ben")
            lines = client.get("/gradio_api/queue/data", params={"session_hash": "ben"}).text
            assert not fetched.is_set()
        finally:
            release.set()
    assert "process_completed" in lines


def test_the_document_is_small_and_its_first_script_comes_before_gradios(served: Served) -> None:
    for path in ("", "config"):
        answer = httpx.get(served.url + path, timeout=60)
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) < 0.6 * len(answer.content)
        assert "nosniff" in answer.headers["x-content-type-options"]
    plain = httpx.get(served.url, headers={"Accept-Encoding": "identity"}, timeout=60)
    assert int(plain.headers["content-length"]) == len(plain.content)
    script = (ASSETS / "page" / "before.js").read_text(encoding="utf-8")
    assert 0 < plain.text.index(script) < plain.text.index("gradio_config")


def test_a_page_at_rest_asks_for_no_frames(served: Served, chromium: Browser) -> None:
    """Gradio's loader asks for one after the other, even when it is gone."""
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(
        """window.frames_asked = 0;
        const next = requestAnimationFrame;
        window.requestAnimationFrame = (paint) => (window.frames_asked += 1, next(paint));"""
    )
    page.goto(served.url)
    page.wait_for_selector(f"{PLAYER} .ls-legend")
    asked = page.evaluate(
        """async () => {
          let asked;
          for (let looks = 0; asked !== 0 && looks < 60; looks += 1) {
            const before = window.frames_asked;
            await new Promise((done) => setTimeout(done, 300));
            asked = window.frames_asked - before;
          }
          return asked;
        }"""
    )
    assert asked == 0
    context.close()
