"""The page: its tabs, of which "Watch" is here, and the endpoint for scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from threading import Event
from typing import Any

import gradio as gr

from logitspec.drafters import DEFAULT_METHOD, METHODS
from logitspec.prompts import Prompt, examples
from logitspec.publish.demos import FEATURED, TRACES, demo_run, featured, read_demo, to_play
from logitspec.serving.host import MOST_NEW_TOKENS, Host, Request, parse_options
from logitspec.trace.records import packed
from logitspec.ui.compare import compare
from logitspec.ui.desk import PRIVATE, Desk, fetcher, shown, stopper, told, told_to_page
from logitspec.ui.options import option_inputs, own_options
from logitspec.ui.player import step_player
from logitspec.ui.why import why_tab
from logitspec.ui.words import TASKS

WAITING_AT_MOST = 64


INTRO = """# LogitSpec Live
Watch a language model draft several tokens at once, check them in **one forward pass** and keep those \
that it would have written anyway."""

# What would be more than text in Markdown: names of models are anybody's.
MARKUP = re.compile(r"[!-/:-@\[-`{-~]")

# After a reload the tab is the one that was open: a race is followed only where it is shown. A link leads
# to a run, which is under Watch; and storage may be forbidden.
SAME_TAB = """() => {
  const tabs = () => [...document.querySelectorAll("[role=tab]")].filter((tab) => !tab.closest("[aria-hidden=true]"));
  const name = (tab) => tab.textContent.trim();
  try {
    const last = sessionStorage.getItem("logitspec.tab");
    const tab = tabs().find((each) => name(each) === last);
    if (tab && !new URLSearchParams(location.search).has("run")) tab.click();
    addEventListener("pagehide", () => {
      const open = tabs().find((each) => each.ariaSelected === "true");
      if (open) sessionStorage.setItem("logitspec.tab", name(open));
    });
  } catch {
    return;
  }
}"""

# The icons of Gradio's footer repeat the words beside them.
QUIET_ICONS = """() => {
  const quiet = () => document.querySelectorAll("footer img[alt]:not([alt=''])").forEach((e) => (e.alt = ""));
  quiet();
  const footer = document.querySelector("footer");
  if (footer) new MutationObserver(quiet).observe(footer, { childList: true, subtree: true });
}"""


def build(host: Host) -> gr.Blocks:
    """The whole interface over `host`; launch it with `theme=theme(), **launch_options()`."""
    with gr.Blocks(title="LogitSpec Live", analytics_enabled=False) as page:
        gr.Markdown(INTRO, elem_id="intro")
        with gr.Tabs() as tabs:
            with gr.Tab("Watch", id="watch"):
                _watch(page, host)
            with gr.Tab("Compare"):
                compare(page, host, tabs)
            with gr.Tab("Why it works"):
                why_tab(host)
        page.load(None, js=QUIET_ICONS)
        page.load(None, js=SAME_TAB)
        gr.api(
            _generate(host),
            api_name="generate",
            concurrency_limit=1,
            concurrency_id="model",
        )
    page.queue(max_size=WAITING_AT_MOST)
    return page


def _watch(page: gr.Blocks, host: Host) -> None:
    """The tab "Watch": type a prompt, run it, look at every step."""
    opening = featured()
    played = read_demo(demo_run(opening)) if opening else None
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(
            opening.text if opening else "",
            label="Prompt",
            lines=2,
            max_lines=4,
            scale=5,
            placeholder="Write something, or take an example",
            elem_id="prompt",
        )
        with gr.Column(scale=0, min_width=220), gr.Row():
            start = gr.Button("Run", variant="primary", min_width=90, elem_id="run")
            stop = gr.Button("Stop", min_width=90, elem_id="stop")
    tasks, others = _choices()
    shelf = _shelf(
        "Examples, recorded: each plays at once", tasks, [TASKS[e.category] for e in tasks]
    )
    player = step_player(
        packed(to_play(played)) if played else "", fetcher(host, TRACES), stopper(host)
    )
    with gr.Accordion("More examples", open=False):
        more = _shelf(None, others, [f"{TASKS[e.category]}: {e.title}" for e in others])
    method = _method()
    with gr.Row():
        with gr.Column():
            about = gr.Markdown(_plain(host.about(host.models[0])))
            settings = _settings(host, about)
        with gr.Column():
            options = option_inputs(method, "Options of the method")
    inputs = [prompt, method, *settings, options]
    desk = Desk()
    watch = _watcher(host, desk)
    _wire(desk, watch, start, stop, prompt, player, inputs)
    page.unload(desk.left)
    _wire_examples(desk, shelf, tasks, prompt, player)
    _wire_examples(desk, more, others, prompt, player)


def _choices() -> tuple[list[Prompt], list[Prompt]]:
    """One example of every task, and all others."""
    first: dict[str, Prompt] = {}
    for example in sorted(examples(), key=lambda example: example.question_id != FEATURED):
        first.setdefault(example.category, example)
    tasks = [first[category] for category in TASKS if category in first]
    return tasks, [example for example in examples() if example not in tasks]


def _shelf(label: str | None, choice: list[Prompt], titles: list[str]) -> gr.Dataset:
    return gr.Dataset(
        components=["textbox"],
        samples=[[example.text] for example in choice],
        sample_labels=titles,
        samples_per_page=len(choice),
        type="index",
        label=label,
        show_label=label is not None,
    )


def _method() -> gr.Radio:
    choices = [(each.title, name) for name, each in METHODS.items()]
    return gr.Radio(choices, value=DEFAULT_METHOD, label="Method")


def _settings(host: Host, about: gr.Markdown) -> list[Any]:
    """Model, length, temperature and seed; `about` tells of the chosen model."""
    with gr.Accordion("Model and sampling", open=False):
        model = gr.Dropdown(
            host.choices,
            value=host.models[0],
            label="Model",
            info="One of these, a Hugging Face id or a folder" if host.others else None,
            allow_custom_value=host.others,
        )
        with gr.Row():
            length = gr.Number(
                300, label="Max new tokens", info=f"1 to {MOST_NEW_TOKENS}", precision=0
            )
        with gr.Row():
            temperature = gr.Number(
                0.0, label="Temperature", info="0 is greedy; above, tokens are drawn (up to 10)"
            )
            seed = gr.Number(0, label="Seed", info="fixes the draws", precision=0)

    def loading(name: str | None) -> Iterator[str]:
        for line in host.loading(name or host.models[0]):
            yield _plain(line)

    model.change(loading, [model], [about], trigger_mode="always_last", **PRIVATE)
    return [model, length, temperature, seed]


def _plain(text: str) -> str:
    """`text` as Markdown that shows just that."""
    return MARKUP.sub(r"\\\g<0>", text)


def _watcher(host: Host, desk: Desk) -> Any:
    """The run of a click, for the player."""

    def watch(click: str, *values: Any) -> Iterator[str]:
        text, method, model, max_new_tokens, temperature, seed, options = values
        own = own_options(method, options)
        wanted = Request(text, method, max_new_tokens, temperature, seed, own, model)
        ticket = desk.ticket(click)
        yield from shown(host.stream(wanted, ticket.stop, outlives=True), ticket)

    return watch


def _wire(
    desk: Desk,
    watch: Any,
    start: gr.Button,
    stop: gr.Button,
    prompt: gr.Textbox,
    player: gr.HTML,
    inputs: list[Any],
) -> None:
    """Run on click and on Shift+Enter, stop on Stop; a new run ends the visitor's old ones."""
    # Not a state, which would be read when a waiting run begins instead of when it was asked for.
    click = gr.Textbox(visible=False)
    private: dict[str, Any] = {**PRIVATE, "trigger_mode": "multiple"}
    gr.on(
        [start.click, prompt.submit],
        desk.ready,
        outputs=[click],
        js=told_to_page("logitspec-waiting"),
        queue=False,
        **private,
    ).then(
        watch,
        [click, *inputs],
        [player],
        concurrency_limit=1,
        concurrency_id="model",
        **private,
    )
    stop.click(
        desk.stopped,
        outputs=[player],
        js=told_to_page("logitspec-stop"),
        queue=False,
        **private,
    )


def _wire_examples(
    desk: Desk, shelf: gr.Dataset, choice: list[Prompt], prompt: gr.Textbox, player: gr.HTML
) -> None:
    """An example fills in its prompt, and its recorded run plays; Run makes it live."""

    def chosen(place: int, request: gr.Request) -> tuple[str, Any]:
        example = choice[place]
        if (trace := read_demo(demo_run(example))) is None:
            return example.text, gr.skip()
        desk.replace(request)
        return example.text, packed(to_play(trace))

    shelf.click(chosen, [shelf], [prompt, player], queue=False, trigger_mode="multiple", **PRIVATE)


def _generate(host: Host) -> Any:
    """The function behind the endpoint /generate."""

    def generate(
        prompt: str,
        method: str = DEFAULT_METHOD,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        options: str = "{}",
        model: str = "",
    ) -> Iterator[str]:
        """Stream one run: JSON messages with new steps, and last the finished trace as JSON.

        Args:
            prompt: text for the model.
            method: name of the decoding method.
            max_new_tokens: tokens to generate at most.
            temperature: 0 for greedy decoding.
            seed: fixes the draws at a temperature above 0.
            options: the method's own options, a JSON object.
            model: another one than the page begins with, where the host allows it.
        """
        try:
            wanted = Request(
                prompt,
                method,
                max_new_tokens,
                temperature,
                seed,
                parse_options(options),
                model or host.models[0],
            )
            yield from host.stream(wanted, Event())
        except Exception as error:
            raise gr.Error(told(error), print_exception=False) from error

    return generate
