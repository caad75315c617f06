"""A run in a notebook: the player in a frame of its own, without a server, a network or an extension."""

from __future__ import annotations

import html
from dataclasses import replace

from logitspec.publish.export import page, title
from logitspec.trace.records import Trace, dumps

MAX_LETTERS = 2_000_000  # of a run's JSON, since a notebook's file holds all that it shows
HEIGHT = 900  # px

# The frame has no origin, so nothing in it reaches the notebook.
SANDBOX = "allow-scripts allow-downloads allow-popups"


def embed_player(trace: Trace) -> str:
    """An `<iframe>` that holds the page of `trace`; for a long run, its first steps and a line that says so."""
    steps = _steps_that_fit(trace)
    shown = trace if steps == len(trace.steps) else _beginning(trace, steps)
    note = "" if shown is trace else _note(steps, len(trace.steps))
    inside = html.escape(page(shown))
    return (
        f'<iframe srcdoc="{inside}" title="{html.escape(title(trace))}" sandbox="{SANDBOX}"'
        f' style="width: 100%; height: {HEIGHT}px; border: 0" loading="lazy"></iframe>{note}'
    )


def _steps_that_fit(trace: Trace) -> int:
    """How many steps fit into `MAX_LETTERS` along with the header, at least one."""
    room = MAX_LETTERS - len(dumps(trace.header()))
    for number, step in enumerate(trace.steps):
        room -= len(dumps(step.to_json()))
        if room < 0:
            return max(1, number)
    return len(trace.steps)


def _beginning(trace: Trace, steps: int) -> Trace:
    """The run's first steps, and the spellings that they need."""
    # No end: the player would say that the run was stopped there, and why its last drafts were not accepted.
    short = replace(trace, steps=trace.steps[:steps], finish=None, error=None, vocabulary={})
    mentioned = short.mentioned()
    short.vocabulary = {
        token: spelling for token, spelling in trace.vocabulary.items() if token in mentioned
    }
    return short


def _note(steps: int, all_steps: int) -> str:
    return (
        f"<p>The first {steps} of {all_steps} steps; trace.save(“run.json”) saves all of them, and"
        " <code>python -m logitspec export run.json --html run.html</code> makes a page from the file.</p>"
    )
