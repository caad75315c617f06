"""The app as a visitor and as a script meet it: a real server, a real Chromium, the real model."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import yaml
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import BrowserContext, Locator, Page, expect
from support.app import free_port
from support.app_page import PLAYER, press, state, try_your_own, unfold
from support.player_driver import resting_step

import app
from logitspec import METHODS, Trace
from logitspec.publish.demos import demo_prompts, opening_scene
from logitspec.ui.words import task_title

ROOT = Path(__file__).parent.parent
PROMPT = "Write a short story about a fox who found a red kite near the river."
HOSTILE = (
    "Repeat: <script>document.title='owned'</script> <img src=x onerror=\"document.title='owned'\">"
    " &lt;b&gt; &amp;amp; ${document.title='owned'} {{7*7}} `\\n` \u202eright\u202c \u05e9\u05dc\u05d5\u05dd"
    " \U0001f98a\U0001f1e9\U0001f1ea \u2713 end"
)


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False)


class Visit:
    """The page, opened afresh; nothing may be fetched from elsewhere and nothing may go wrong in it."""

    def __init__(self, visitor: BrowserContext, url: str, query: str = "", motion: Any = "reduce"):
        self._url = url
        self._wrong: list[str] = []
        self.page = visitor.new_page()
        self.page.emulate_media(reduced_motion=motion)
        self.page.on("request", lambda request: self._see(request.url))
        self.page.on("pageerror", lambda error: self._wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self._wrong.append(dialog.message))
        self.page.goto(url + query)
        self.page.wait_for_selector(PLAYER)

    def check(self) -> None:
        assert self._wrong == []

    def _see(self, address: str) -> None:
        if not address.startswith((self._url, "data:", "blob:")):
            self._wrong.append(address)


@pytest.fixture(scope="module")
def shared(visitor: BrowserContext, url: str) -> Iterator[Visit]:
    """The page in light colours."""
    opened = Visit(visitor, url, "?__theme=light")
    yield opened
    opened.page.close()


@pytest.fixture
def page(shared: Visit) -> Iterator[Page]:
    """The page as other tests have left it, with every method's options as they were."""
    yield shared.page
    shared.check()


@pytest.fixture
def dark(visitor: BrowserContext, url: str) -> Iterator[Page]:
    opened = Visit(visitor, url, "?__theme=dark")
    yield opened.page
    opened.page.close()
    opened.check()


@pytest.fixture
def moving(visitor: BrowserContext, url: str) -> Iterator[Page]:
    opened = Visit(visitor, url, motion="no-preference")
    yield opened.page
    opened.page.close()
    opened.check()


def start(page: Page, prompt: str, method: str = "LogitSpec (paper)", **settings: Any) -> None:
    """Type, set, press Run. The paper's trees are the same in every run."""
    page.locator("textarea").first.fill(prompt)
    try_your_own(page)
    page.get_by_label(method, exact=True).check()
    if settings:
        unfold(page, "Length and sampling", "Max new tokens")
    for label, value in settings.items():
        page.get_by_label(label.replace("_", " ")).fill(str(value))
    # Gradio's messages of earlier errors would cover the button.
    page.get_by_test_id("toast-close").evaluate_all("all => all.forEach((each) => each.click())")
    press(page)


def capacity_of(page: Page, method: str, value: str) -> Locator:
    """The field for the draft tree's capacity among the options of a method, once it holds that value."""
    page.get_by_label(method).check()
    unfold(page, "Options of the method", "Draft tree capacity")
    capacity = page.get_by_label("Draft tree capacity")
    expect(capacity).to_have_value(value)
    page.wait_for_timeout(500)  # Gradio sets a field once more just after showing it
    return capacity


def cursor(page: Page) -> int:
    return int(page.locator(PLAYER).get_attribute("data-cursor") or -1)


def wait_cursor(page: Page, expected: int) -> None:
    expect(page.locator(PLAYER)).to_have_attribute("data-cursor", str(expected))


def rows(page: Page, selector: str, *names: str) -> list[list[str]]:
    script = "(found, names) => found.map(e => names.map(n => e.getAttribute(n)))"
    result: list[list[str]] = page.locator(f"{PLAYER} {selector}").evaluate_all(script, list(names))
    return result


def api(client: Client, prompt: str, **changes: Any) -> list[str]:
    """All values that /generate streams."""
    request = {"method": "logitspec_paper", "max_new_tokens": 200, **changes}
    job = client.submit(prompt=prompt, **request, api_name="/generate")
    job.result(timeout=120)
    values: list[str] = job.outputs()
    return values


def trace_of(client: Client, prompt: str, **changes: Any) -> Trace:
    return Trace.from_json(api(client, prompt, **changes)[-1])


def compare(page: Page, trace: Trace, count: int) -> None:
    """Compare what the page shows at step `count` with the trace, by means of Python alone."""
    steps = trace.steps[:count]
    expected = [["prompt", "0"] for _ in trace.prompt_ids]
    for number, step in enumerate(steps, 1):
        expected += [[each.origin.value, str(number)] for each in step.provenance]
    tokens = rows(page, "[data-token]", "data-token", "data-origin", "data-step")
    assert [row[1:] for row in tokens] == expected
    assert [int(row[0]) for row in tokens] == list(range(len(expected)))
    step = steps[-1]
    nodes = sorted(
        rows(page, "[data-node]", "data-node", "data-origin", "data-state"),
        key=lambda row: int(row[0]),
    )
    expected_nodes = []
    for node, provenance in enumerate(step.tree.provenance):
        parent = step.tree.parents[node]
        refused = parent in step.path and step.choices[parent] != step.tree.tokens[node]
        fate = "accepted" if node in step.path else "rejected" if refused else "uncompared"
        expected_nodes.append([str(node), provenance.origin.value, fate])
    assert nodes == expected_nodes


def test_type_run_watch_scrub_and_step(page: Page, client: Client) -> None:
    trace = trace_of(client, PROMPT, max_new_tokens=80)
    start(page, PROMPT, Max_new_tokens=80)
    state(page, "done")
    last = len(trace.steps)
    player = page.locator(PLAYER)
    expect(player).to_have_attribute("data-steps", str(last))
    wait_cursor(page, resting_step(trace))
    compare(page, trace, resting_step(trace))
    page.locator(PLAYER).focus()
    page.keyboard.press("End")
    wait_cursor(page, last)
    compare(page, trace, last)
    tokens = page.locator(f"{PLAYER} [data-token]:not([data-origin=prompt])")
    assert "".join(tokens.all_text_contents()) == trace.output_bytes.decode()
    text = player.inner_text()
    assert f"{len(trace.output_ids) / last:.2f}" in text
    assert str(len(trace.output_ids)) in text
    assert f"{last} of {last}" in text
    assert f"{len(trace.steps[-1].tree) - 1} drafted" in text
    player.focus()
    page.keyboard.press("Home")
    wait_cursor(page, 1)
    compare(page, trace, 1)
    page.keyboard.press("ArrowRight")
    wait_cursor(page, 2)
    compare(page, trace, 2)
    page.keyboard.press("ArrowLeft")
    wait_cursor(page, 1)
    scrubber = page.locator(f"{PLAYER} input[type=range]")
    middle = max(3, last // 2)
    scrubber.fill(str(middle))
    wait_cursor(page, middle)
    compare(page, trace, middle)
    player.focus()
    page.keyboard.press("End")
    wait_cursor(page, last)
    player.locator(".ls-select").select_option("2")
    page.emulate_media(reduced_motion="no-preference")
    player.focus()
    page.keyboard.press("Space")  # at the end, play starts over
    expect(player).to_have_attribute("data-playing", "true")
    page.wait_for_function(
        "([s, last]) => { const c = +document.querySelector(s).dataset.cursor; return c > 1 && c < last }",
        arg=[PLAYER, last],
    )
    page.keyboard.press("Space")
    expect(player).to_have_attribute("data-playing", "false")
    held = cursor(page)
    sleep(0.5)
    assert cursor(page) == held
    page.emulate_media(reduced_motion="reduce")


def test_hostile_text_stays_text(page: Page) -> None:
    start(page, HOSTILE, Max_new_tokens=30)
    state(page, "done")
    text = "".join(page.locator(f"{PLAYER} [data-origin=prompt]").all_text_contents())
    spelled = HOSTILE.replace("\u202e", "⟨202e⟩").replace("\u202c", "⟨202c⟩")
    assert spelled in text
    assert page.title() == "LogitSpec Live"
    assert page.locator(f"{PLAYER} script, {PLAYER} img").count() == 0
    page.locator("textarea").first.evaluate(
        "e => { e.value = 'half an emoji \\ud83d'; e.dispatchEvent(new Event('input')) }"
    )
    press(page)
    expect(page.locator(PLAYER)).to_contain_text("half an emoji")
    state(page, "done")


def test_a_bad_request_is_explained_in_the_page_and_the_next_one_runs(page: Page) -> None:
    """One is refused before the model is asked, one because of the model's context, and one more than
    once."""
    for _ in range(3):
        start(page, "  ")
        state(page, "error")
        expect(page.locator(PLAYER)).to_contain_text("prompt is empty")
    for prompt, length, message in (
        (PROMPT, 10**9, "Max new tokens"),
        ("fox " * 3000, 5, "shorten the prompt"),
    ):
        start(page, prompt, Max_new_tokens=length)
        state(page, "error")
        expect(page.locator(PLAYER)).to_contain_text(message)
        expect(page.locator("body")).not_to_contain_text("Traceback")
        start(page, PROMPT, Max_new_tokens=5)
        state(page, "done")


def test_examples_methods_and_their_options(page: Page) -> None:
    examples = [
        json.loads(line)
        for name in ("typed", "examples")
        for line in (ROOT / "assets" / "prompts" / f"{name}.jsonl").read_text().splitlines()
    ]
    assert len(examples) >= 30
    try_your_own(page)
    buttons = page.locator("button.gallery-item")
    expect(buttons).to_have_count(len(examples))
    filled: list[str] = []
    prompt = page.locator("textarea").first
    for button in buttons.all()[::3]:  # a click fetches and draws a run
        before = prompt.input_value()
        button.click()
        expect(prompt).not_to_have_value(before)
        filled.append(prompt.input_value())
    assert len(set(filled)) == len(filled) >= 10
    assert set(filled) <= {example["turns"][0] for example in examples}
    expect(page.get_by_text("free-form prompts need a larger model")).to_be_visible()
    capacity = capacity_of(page, "LogitSpec (paper)", "64")
    capacity.fill("9")
    start(page, PROMPT, Max_new_tokens=12)
    # Not by its state: the last example, which is done as well, may only arrive now.
    nodes = page.locator(f"{PLAYER} [data-node]")
    expect(nodes).to_have_count(9, timeout=60_000)
    state(page, "done")
    capacity.fill("64")
    page.get_by_label("Plain decoding").check()
    expect(capacity).to_be_hidden()
    press(page)
    state(page, "done")
    expect(page.locator(PLAYER)).to_have_attribute("data-steps", "12")
    assert len(rows(page, "[data-node]", "data-node")) == 1


def test_the_default_method_and_its_options(page: Page, client: Client) -> None:
    try_your_own(page)
    page.get_by_label("Plain decoding").check()
    drawn: list[object] = []
    page.on(
        "request",
        lambda each: drawn.append(each) if "draft_tree_capacity" in str(each.post_data) else None,
    )
    capacity = capacity_of(page, "LogitSpec (ours)", "16")
    # Inputs that were drawn a second time would undo what was set in the first ones.
    assert len(drawn) == 1
    expect(page.get_by_label("capacity", exact=True)).to_be_checked()
    capacity.fill("30")
    longest = page.locator("fieldset").filter(has_text="Max ngram size")
    longest.get_by_label("4", exact=True).check()
    page.get_by_label("Successors").uncheck()
    words = page.locator(".switch").filter(has_text="Successors").bounding_box()
    assert words is not None
    assert words["width"] >= 150
    start(page, PROMPT, "LogitSpec (ours)", Max_new_tokens=40)
    state(page, "done")
    expected = {
        "tree_size": "capacity",
        "draft_tree_capacity": 30,
        "max_ngram_size": 4,
        "successors": False,
    }
    trace = trace_of(
        client, PROMPT, method="logitspec", max_new_tokens=40, options=json.dumps(expected)
    )
    assert trace.options | expected == trace.options
    compare(page, trace, resting_step(trace))


def test_options_stay_while_others_are_looked_at_and_a_wrong_one_is_told(page: Page) -> None:
    try_your_own(page)
    capacity = capacity_of(page, "LogitSpec (paper)", "64")
    capacity.fill("9")
    page.get_by_label("Token recycling").check()
    expect(capacity).to_be_hidden()
    page.get_by_label("LogitSpec (paper)").check()
    expect(capacity).to_have_value("9")
    page.wait_for_timeout(500)  # Gradio sets a field once more just after showing it
    for wrong in ("", "2.5", "1000"):
        capacity.fill(wrong)
        start(page, PROMPT, Max_new_tokens=5)
        state(page, "error")
        player = page.locator(PLAYER)
        expect(player).to_contain_text("draft_tree_capacity must be a whole number from 2 to 128")
    capacity.fill("9")
    start(page, PROMPT, Max_new_tokens=5)
    state(page, "done")
    capacity.fill("64")


def test_recorded_runs_play_on_opening_and_of_examples_and_run_makes_them_live(
    moving: Page, client: Client
) -> None:
    page = moving
    player = page.locator(PLAYER)
    expect(player).to_have_attribute("data-playing", "true")
    opening = opening_scene()
    assert opening is not None
    first, opening_trace, step = opening
    title = METHODS[opening_trace.method].title
    expect(player).to_contain_text(f"{title}, built-in model, recorded")
    expect(page.locator("textarea").first).to_have_value(first.text)
    assert player.get_attribute("data-steps") == str(len(opening_trace.steps))
    assert cursor(page) == step
    page.emulate_media(reduced_motion="reduce")
    try_your_own(page)
    expect(page.get_by_label(title, exact=True)).to_be_checked()  # the one that is playing
    shelves = page.locator("button.gallery-item:visible")
    titles = [f"{task_title(each.category)}: {each.title}" for each in demo_prompts()]
    expect(shelves).to_have_text(titles)
    page.get_by_role("button", name="Code: palindromes", exact=True).click()
    expect(player).to_contain_text("LogitSpec (ours), SmolLM2-135M-Instruct:Q4_1, recorded")
    expect(player).to_contain_text("palindromes")
    expect(page.get_by_label("LogitSpec (ours)")).to_be_checked()
    page.emulate_media(reduced_motion="no-preference")
    page.get_by_role("button", name="Code: add a docstring", exact=True).click()
    expect(player).to_contain_text("add a docstring")
    expect(page.get_by_label("LogitSpec (paper)")).to_be_checked()
    expect(player).to_have_attribute("data-playing", "true")
    page.emulate_media(reduced_motion="reduce")
    player.focus()
    page.keyboard.press("End")
    prompt = page.locator("textarea").first.input_value()
    trace = trace_of(client, prompt, max_new_tokens=300)
    wait_cursor(page, len(trace.steps))
    compare(page, trace, len(trace.steps))
    page.get_by_label("LogitSpec (paper)").check()
    press(page)
    state(page, "done")
    expect(player).to_contain_text("LogitSpec (paper), built-in model, live")
    compare(page, trace, resting_step(trace))


def test_a_link_leads_another_visitor_to_the_step(
    page: Page, visitor: BrowserContext, url: str
) -> None:
    start(page, PROMPT, Max_new_tokens=40)
    state(page, "done")
    page.locator(PLAYER).focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    wait_cursor(page, 2)
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("window.copied")
    other = visitor.new_page()
    other.goto(page.evaluate("copied"))
    other.wait_for_selector(f"{PLAYER}[data-cursor='2']")
    assert rows(other, "[data-node]", "data-node") == rows(page, "[data-node]", "data-node")
    prompt = other.locator("textarea").first
    expect(prompt).to_have_value(PROMPT)
    other.goto(f"{url}/?run=recorded-105&step=3&beat=2")
    other.wait_for_selector(f"{PLAYER}[data-cursor='3'][data-beat='2']")
    example = next(each for each in demo_prompts() if each.question_id == 105)
    expect(prompt).to_have_value(example.text)
    try_your_own(other)
    expect(other.get_by_label("LogitSpec (ours)")).to_be_checked()
    learn = other.get_by_role("tab", name="Learn")
    learn.click()
    other.reload()  # the link has done its work
    expect(learn).to_have_attribute("aria-selected", "true")
    other.goto(f"{url}/?run=<b>nobody&step=3")
    expect(other.locator(PLAYER)).to_contain_text("no longer kept")
    other.close()


def test_a_trace_too_long_for_the_browser_comes_back_from_the_server(page: Page) -> None:
    page.evaluate(
        "() => { const set = Storage.prototype.setItem; Storage.prototype.setItem = function (name, text) {"
        " if (text.length > 5000) { window.refused = text.length; throw new Error('full'); }"
        " set.call(this, name, text); } }"
    )
    try_your_own(page)
    capacity_of(page, "LogitSpec (paper)", "64").fill("9")
    start(page, PROMPT, Max_new_tokens=30)
    state(page, "done")
    player = page.locator(PLAYER)
    steps = player.get_attribute("data-steps")
    player.focus()
    page.keyboard.press("Home")
    wait_cursor(page, 1)
    page.wait_for_function("window.refused")  # trace and place are saved now and then
    wait_cursor(page, 1)
    page.reload()
    expect(player).to_have_attribute("data-steps", str(steps), timeout=15_000)
    wait_cursor(page, 1)
    # And so does what was set for it.
    expect(page.locator("textarea").first).to_have_value(PROMPT)
    try_your_own(page)
    expect(page.get_by_label("LogitSpec (paper)", exact=True)).to_be_checked()
    capacity_of(page, "LogitSpec (paper)", "9").fill("64")
    unfold(page, "Length and sampling", "Max new tokens")
    expect(page.get_by_label("Max new tokens")).to_have_value("30")
    fields = [page.get_by_label(name).bounding_box() for name in ("Temperature", "Seed")]
    assert len({field["y"] for field in fields if field}) == 1  # their help takes two lines and one


@pytest.mark.parametrize(("width", "theme"), [(400, "light"), (1280, "dark")])
def test_nothing_sticks_out_and_theme_follows(
    request: pytest.FixtureRequest, width: int, theme: str
) -> None:
    page: Page = request.getfixturevalue({"light": "page", "dark": "dark"}[theme])
    page.set_viewport_size({"width": width, "height": 800})
    start(page, PROMPT, Max_new_tokens=12)
    # The run is seen to write, though it is far below the settings; the focus stays on the button.
    expect(page.locator(f"{PLAYER} .ls-panel-text .ls-title")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_focused()
    state(page, "done")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    back = page.evaluate(
        "getComputedStyle(document.querySelector('gradio-app') || document.body).backgroundColor"
    )
    channels = [int(each) for each in re.findall(r"\d+", back)[:3]]
    assert (sum(channels) < 384) == (theme == "dark")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_the_endpoint_streams_deltas_and_ends_with_the_trace(client: Client) -> None:
    values = api(client, PROMPT, max_new_tokens=60)
    messages = [json.loads(value) for value in values]
    trace = Trace.from_json(values[-1])
    assert trace.finish in ("eos", "length")
    assert messages[0]["kind"] == "reset"
    steps: list[Any] = []
    for number, message in enumerate(messages[1:-1], 1):
        assert (message["kind"], message["seq"], message["from"]) == ("steps", number, len(steps))
        assert message["run"] == trace.run
        steps += message["steps"]
    assert steps == messages[-1]["steps"][: len(steps)]
    assert len(steps) > 1
    assert trace.prompt == PROMPT


def test_the_endpoint_decodes_losslessly_with_every_method(client: Client) -> None:
    some = ["autoregressive", "logitspec", "logitspec_paper"]
    for methods, sampling in ((METHODS, {}), (some, {"temperature": 0.8, "seed": 3})):
        outputs = [
            trace_of(client, PROMPT, method=m, max_new_tokens=20, **sampling).output_ids
            for m in methods
        ]
        assert outputs == [outputs[0]] * len(methods)


def test_the_endpoint_takes_the_options_of_the_method(client: Client) -> None:
    options = json.dumps({"draft_tree_capacity": 7, "max_ngram_size": 2})
    trace = trace_of(client, PROMPT, max_new_tokens=20, options=options)
    assert trace.options["draft_tree_capacity"] == 7
    assert max(len(step.tree) for step in trace.steps) <= 7


def test_the_endpoint_says_what_is_wrong_and_goes_on(client: Client) -> None:
    """One of each kind; test_session.py has them all."""
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"max_new_tokens": 10**30}, "Max new tokens"),
        ({"prompt": "fox " * 3000}, "shorten the prompt"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"options": "{"}, "not JSON"),
        ({"options": '{"draft_tree_capacity": -1}'}, "draft_tree_capacity"),
    ]
    for changes, message in wrong:
        with pytest.raises(AppError, match=message):
            api(client, **{"prompt": PROMPT, **changes})
        assert len(trace_of(client, PROMPT, max_new_tokens=3).output_ids) == 3


def test_the_smoke_call_of_the_spacefile_works(client: Client) -> None:
    smoke = yaml.safe_load((ROOT / "Spacefile").read_text(encoding="utf-8"))["smoke"]
    result = client.predict(**smoke["arguments"], api_name=smoke["api_name"])
    assert Trace.from_json(result).finish in smoke["finish"]


def test_help_lists_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        app.main(["--help"])
    assert stop.value.code == 0
    output = capsys.readouterr().out
    for flag in ("--host", "--port", "--model", "--device", "--dtype", "--share"):
        assert flag in output


def test_what_keeps_the_app_from_starting_is_one_sentence_and_exit_code_2(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = url.rsplit(":", 1)[1]
    for arguments, word in (
        (["--port", taken], taken),
        (["--port", "99999999"], "99999999"),
        (["--port", "0", "--host", "192.0.2.1"], "choose another address with --host"),
        (["--port", str(free_port()), "--model", "nobody/nothing"], "nobody/nothing"),
        (["--port", str(free_port()), "--device", "abacus"], "abacus"),
    ):
        assert app.main(arguments) == 2
        error = capsys.readouterr().err
        assert word in error
        assert error.count("\n") == 1, error
        assert error.endswith(".\n")


def test_its_exit_code_is_that_of_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "--port", "99999999"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
