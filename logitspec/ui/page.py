"""The page "Watch": type a prompt, run it, look at every step."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator
from dataclasses import Field, dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import gradio as gr

from logitspec.drafters import DEFAULT_METHOD, METHODS, described, option_fields
from logitspec.errors import LogitSpecError
from logitspec.session import MOST_NEW_TOKENS, Host, Request, parse_options, sentence
from logitspec.trace import dumps
from logitspec.ui.player import step_player

EXAMPLES = Path(__file__).parents[2] / "assets" / "prompts" / "examples.jsonl"

WAITING_AT_MOST = 64

log = logging.getLogger(__name__)

TASKS = {
    "conversation": "Conversation",
    "translation": "Translation",
    "summarization": "Summary",
    "qa": "Question about a text",
    "math": "Arithmetic",
    "code": "Code",
    "story": "Story",
}

INTRO = """# LogitSpec Live
Watch a language model draft several tokens at once, check them in **one forward pass** and keep those \
that it would have written anyway."""


def build(host: Host) -> gr.Blocks:
    """The whole interface over `host`; launch it with `theme=theme(), css=STYLE`."""
    with gr.Blocks(title="LogitSpec Live", analytics_enabled=False) as page:
        gr.Markdown(INTRO)
        with gr.Row():
            with gr.Column(scale=3):
                prompt = gr.Textbox(
                    label="Prompt",
                    lines=4,
                    max_lines=10,
                    placeholder="Write something, or take an example",
                )
            with gr.Column(scale=2):
                method = _method()
                with gr.Row():
                    start = gr.Button("Run", variant="primary", min_width=100)
                    stop = gr.Button("Stop", min_width=100)
        examples = _examples()
        gr.Examples(
            [[text] for text in examples.values()],
            inputs=[prompt],
            example_labels=list(examples),
            label="Examples",
            examples_per_page=len(examples),
        )
        about = gr.Markdown(host.about(host.models[0]))
        with gr.Row():
            with gr.Column():
                settings = _settings(host, about)
            with gr.Column():
                options = _options(method)
        player = step_player(_fetcher(host))
        inputs = [prompt, method, *settings, *(each for _, _, each in options)]
        _wire(page, host, start, stop, prompt, player, inputs, [(m, n) for m, n, _ in options])
        gr.api(
            _generate(host),
            api_name="generate",
            concurrency_limit=1,
            concurrency_id="model",
        )
    page.queue(max_size=WAITING_AT_MOST)
    return page


def _method() -> gr.Radio:
    choices = [(each.title, name) for name, each in METHODS.items()]
    return gr.Radio(choices, value=DEFAULT_METHOD, label="Method")


def _settings(host: Host, about: gr.Markdown) -> list[Any]:
    """Model, length, temperature and seed; `about` tells of the chosen model."""
    with gr.Accordion("Model and sampling", open=False):
        with gr.Row():
            model = gr.Dropdown(host.models, value=host.models[0], label="Model")
            length = gr.Number(
                300, label="Max new tokens", info=f"1 to {MOST_NEW_TOKENS}", precision=0
            )
        with gr.Row():
            temperature = gr.Number(
                0.0, label="Temperature", info="0 is greedy; above, tokens are drawn (up to 10)"
            )
            seed = gr.Number(0, label="Seed", info="fixes the draws", precision=0)
    model.change(
        host.about,
        inputs=[model],
        outputs=[about],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    return [model, length, temperature, seed]


def _options(method: gr.Radio) -> list[tuple[str, str, Any]]:
    """(method, option name, component) of all methods; those of the chosen one show."""
    groups, options = [], []
    with gr.Accordion("Options of the method", open=False):
        for name, each in METHODS.items():
            with gr.Row(visible=name == DEFAULT_METHOD) as group:
                fields = option_fields(each)
                if not fields:
                    gr.Markdown("This method has no options.")
                options += [(name, field.name, _component(field)) for field in fields]
            groups.append(group)
    method.change(
        lambda chosen: [gr.update(visible=name == chosen) for name in METHODS],
        inputs=[method],
        outputs=groups,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    return options


def _component(option: Field[Any]) -> Any:
    """The input that fits one option of a method."""
    label, info = option.name.replace("_", " ").capitalize(), described(option)
    if isinstance(option.default, bool):
        return gr.Checkbox(option.default, label=label, info=info)
    if isinstance(option.default, (int, float)):
        precision = 0 if isinstance(option.default, int) else None
        return gr.Number(option.default, label=label, info=info, precision=precision)
    return gr.Textbox(option.default, label=label, info=info)


def _wire(
    page: gr.Blocks,
    host: Host,
    start: gr.Button,
    stop: gr.Button,
    prompt: gr.Textbox,
    player: gr.HTML,
    inputs: list[Any],
    options: list[tuple[str, str]],
) -> None:
    """Run on click and on Shift+Enter, stop on Stop; a new run ends the visitor's old ones."""
    tickets: dict[str, Ticket] = {}  # by click
    newest: dict[str, Ticket] = {}  # by visitor

    def ready(request: gr.Request) -> str:
        # Before the queue, so that a Stop pressed while the run still waits finds what to set.
        if old := halt(request):
            old.replaced = True
        click = secrets.token_hex(8)
        newest[str(request.session_hash)] = tickets[click] = Ticket()
        return click

    def watch(click: str, *values: Any) -> Iterator[str]:
        text, method, model, max_new_tokens, temperature, seed, *chosen = values
        own = {
            name: value
            for (owner, name), value in zip(options, chosen, strict=True)
            if owner == method
        }
        wanted = Request(text, method, max_new_tokens, temperature, seed, own, model)
        yield from _shown(host, wanted, tickets.pop(click, Ticket()))

    def halt(request: gr.Request) -> Ticket | None:
        ticket = newest.pop(str(request.session_hash), None)
        if ticket:
            ticket.stop.set()
        return ticket

    def stopped(request: gr.Request) -> Any:
        ticket = halt(request)
        waiting = ticket is not None and not ticket.begun
        return _problem("This run was stopped before it began.") if waiting else gr.skip()

    def left(request: gr.Request) -> None:
        halt(request)

    # Not a state, which would be read when a waiting run begins instead of when it was asked for.
    click = gr.Textbox(visible=False)
    private: dict[str, Any] = {
        "api_visibility": "private",
        "show_progress": "hidden",
        "trigger_mode": "multiple",
    }
    gr.on(
        [start.click, prompt.submit],
        ready,
        outputs=[click],
        js="(...values) => { dispatchEvent(new Event('logitspec-waiting')); return values; }",
        queue=False,
        **private,
    ).then(
        watch, [click, *inputs], [player], concurrency_limit=1, concurrency_id="model", **private
    )
    stop.click(stopped, outputs=[player], queue=False, **private)
    page.unload(left)


@dataclass
class Ticket:
    """One press on Run: whether its turn has come, whether to stop, and whether a later press has
    taken its place."""

    stop: Event = field(default_factory=Event)
    begun: bool = False
    replaced: bool = False


def _shown(host: Host, wanted: Request, ticket: Ticket) -> Iterator[str]:
    """The stream for the page: what can't be run is said in the player and as a notice."""
    if ticket.stop.is_set():
        return
    ticket.begun = True
    try:
        for message in host.stream(wanted, ticket.stop):
            if not ticket.replaced:
                yield message
    except Exception as error:
        yield _problem(_told(error))
        raise gr.Error(_told(error), duration=5, print_exception=False) from error


def _problem(message: str) -> str:
    # The component takes no notice of a value that equals the last one; the id makes it another.
    return dumps({"kind": "error", "run": "", "id": secrets.token_hex(4), "message": message})


def _told(error: Exception) -> str:
    """One sentence about `error`; an unexpected one also goes to the log in full."""
    if not isinstance(error, LogitSpecError):
        log.error("a request failed", exc_info=error)
    return sentence(error)


def _generate(host: Host) -> Any:
    """The function behind the endpoint /generate."""

    def generate(
        prompt: str,
        method: str = DEFAULT_METHOD,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        options: str = "{}",
    ) -> Iterator[str]:
        """Stream one run: JSON messages with new steps, and last the finished trace as JSON.

        Args:
            prompt: text for the model.
            method: name of the decoding method.
            max_new_tokens: tokens to generate at most.
            temperature: 0 for greedy decoding.
            seed: fixes the draws at a temperature above 0.
            options: the method's own options, a JSON object.
        """
        try:
            wanted = Request(
                prompt,
                method,
                max_new_tokens,
                temperature,
                seed,
                parse_options(options),
                host.models[0],
            )
            yield from host.stream(wanted, Event())
        except Exception as error:
            raise gr.Error(_told(error), print_exception=False) from error

    return generate


def _fetcher(host: Host) -> Any:
    """The server function by which the player fills gaps; the page calls it by its name."""

    def fetch_steps(wanted: Any) -> str | None:
        """Anyone can call this with anything."""
        if not isinstance(wanted, dict):
            return None
        run_id, first = wanted.get("run"), wanted.get("from")
        if not isinstance(run_id, str) or type(first) is not int:
            return None
        return host.steps_from(run_id, first)

    return fetch_steps


def _examples() -> dict[str, str]:
    """The first prompts of the shipped examples by their titles."""
    lines = EXAMPLES.read_text(encoding="utf-8").splitlines()
    examples = [json.loads(line) for line in lines]
    return {
        f"{TASKS[example['category']]}: {example['title']}": example["turns"][0]
        for example in examples
    }
