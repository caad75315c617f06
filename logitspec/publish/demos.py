"""Demos: runs and races of shipped prompts, recorded so that the page can replay them immediately."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logitspec.paths import ASSETS
from logitspec.prompts import Prompt, examples, typed
from logitspec.publish.typical import clearest_step, most_typical_run, typical_step
from logitspec.trace.records import Trace

TRACES = ASSETS / "traces"
RACES = ASSETS / "races"


@dataclass(frozen=True, slots=True)
class Gallery:
    """Prompts whose demos are recorded on one model.

    model: its id, as for `load`. name: the model's name on the page. method, max_new_tokens: of the recorded runs.
    """

    model: str
    name: str
    prompts: tuple[Prompt, ...]
    method: str
    max_new_tokens: int


def galleries() -> tuple[Gallery, ...]:
    """The galleries in the order of the page, which opens with the first."""
    return (
        Gallery(
            "HuggingFaceTB/SmolLM2-135M-Instruct",
            "SmolLM2-135M-Instruct",
            typed(),
            "logitspec",
            160,
        ),
        Gallery("builtin", "the built-in model", examples(), "logitspec_paper", 300),
    )


def demo_prompts() -> list[Prompt]:
    """The prompts of all galleries, recorded or not."""
    return [prompt for gallery in galleries() for prompt in gallery.prompts]


def demo_run(prompt: Prompt) -> str:
    """The name of the demo's run, the same wherever the app runs, so that links last."""
    return f"recorded-{prompt.question_id}"


def demo_file(prompt: Prompt, folder: Path = TRACES) -> Path:
    """Where the demo of `prompt` is stored."""
    return folder / f"{prompt.question_id}.json.gz"


def read_demo(run: str, folder: Path = TRACES) -> str | None:
    """The trace of the demo `run` as JSON, or with `folder` RACES the race; None where there is none."""
    for prompt in demo_prompts():
        path = demo_file(prompt, folder)
        if demo_run(prompt) == run and path.is_file():
            return gzip.decompress(path.read_bytes()).decode()
    return None


def opening_run(folder: Path = TRACES) -> tuple[Prompt, Trace] | None:
    """The demo that the page opens on: the most typical run of the first gallery that has any."""
    for prompts in _recorded_prompts(folder):
        traces = [Trace.open(demo_file(prompt, folder)) for prompt in prompts]
        trace = most_typical_run(traces)
        return prompts[traces.index(trace)], trace
    return None


def opening_scene(folder: Path = TRACES) -> tuple[Prompt, Trace, int] | None:
    """The step that the page opens on, with its run and prompt: the clearest one of the first gallery that has
    any, else a typical one of `opening_run`."""
    for prompts in _recorded_prompts(folder):
        traces = [Trace.open(demo_file(prompt, folder)) for prompt in prompts]
        scenes = [
            (*clearest, place)
            for place, trace in enumerate(traces)
            if (clearest := clearest_step(trace))
        ]
        if scenes:
            _, number, place = min(scenes)
            return prompts[place], traces[place], number
    opening = opening_run(folder)
    return opening and (*opening, typical_step(opening[1]))


def opening_race(folder: Path = RACES) -> Prompt | None:
    """The prompt of the race that the page opens on; None where none is recorded."""
    return next((prompts[0] for prompts in _recorded_prompts(folder)), None)


def _recorded_prompts(folder: Path) -> Iterator[list[Prompt]]:
    """The prompts that have a demo, by gallery; galleries without any are left out."""
    for gallery in galleries():
        prompts = [prompt for prompt in gallery.prompts if demo_file(prompt, folder).is_file()]
        if prompts:
            yield prompts
