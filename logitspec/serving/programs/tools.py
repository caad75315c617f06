"""The tools: run a prompt, compare methods on it, explain a step. Every run takes the path of a page's run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import Field

from logitspec.decoding.race import MAX_LANES, MIN_RIVALS, Entry, Race
from logitspec.drafters import DEFAULT_METHOD, METHODS
from logitspec.errors import LogitSpecError
from logitspec.publish.demos import read_demo
from logitspec.serving.host import Host
from logitspec.serving.limits import NOBODY_ELSE, Visitor
from logitspec.serving.programs.results import (
    Comparison,
    Explanation,
    Generation,
    Guess,
    Lane,
    Numbers,
    text_of,
    verdict_words,
)
from logitspec.serving.programs.sentences import step_sentence, story_sentence
from logitspec.serving.programs.spelling import quote_token
from logitspec.serving.request import MAX_NEW_TOKENS, Request
from logitspec.serving.turn import Outlook, Place
from logitspec.serving.waiting import in_moderation, in_turn
from logitspec.trace.origins import LOOKS
from logitspec.trace.records import Trace
from logitspec.trace.rounding import several

MAX_GUESSES = 8
REPORT_SECONDS = 1.0  # between reports of progress
BASELINE = "autoregressive"

UNKNOWN_RUN = "There is no run {run!r} here; the last ones are kept only for a while, so run its prompt again."

ReportProgress = Callable[[float, str], Awaitable[None]]
"""(share done, words) -> nothing."""


async def _ignore_progress(share: float, words: str) -> None:
    """For callers that don't ask for progress."""


@dataclass(frozen=True)
class Caller:
    """The caller of a tool. address: of the page, as the caller reaches it. report: called with the progress of a
    run. stop: ends the run."""

    visitor: Visitor = NOBODY_ELSE
    address: str = ""
    report: ReportProgress = _ignore_progress
    stop: Event = field(default_factory=Event)

    def player(self, run: str, step: int | None = None) -> str:
        """The address at which the page shows a run, or one of its steps."""
        query = {"run": run} if step is None else {"run": run, "step": step}
        return f"{self.address.rstrip('/')}/?{urlencode(query)}"


Prompt = Annotated[str, Field(description="The text for the model.")]
Method = Annotated[
    str,
    Field(description="The decoding method.", json_schema_extra={"enum": list(METHODS)}),
]
Methods = Annotated[
    list[str],
    Field(
        description="The decoding methods, one lane each.",
        json_schema_extra={"items": {"type": "string", "enum": list(METHODS)}},
        min_length=MIN_RIVALS,
        max_length=MAX_LANES,
    ),
]
Length = Annotated[
    int, Field(description="Maximum number of tokens to generate.", ge=1, le=MAX_NEW_TOKENS)
]
Temperature = Annotated[
    float, Field(description="0 for greedy decoding; above 0, tokens are sampled.", ge=0, le=10)
]
Seed = Annotated[
    int, Field(description="Fixes the draws at a temperature above 0.", ge=0, lt=2**53)
]
Options = Annotated[
    dict[str, Any], Field(description="The method's own options, by name; empty for the defaults.")
]
Model = Annotated[
    str, Field(description="A model other than the loaded one, if the host offers any.")
]
Run = Annotated[
    str, Field(description="The name of a run, as given by generate_text and compare_methods.")
]
Step = Annotated[int, Field(description="The number of the step, starting at 1.", ge=1)]


class Tools:
    """The tools, on the models of `host`: one public method each, whose parameters are the tool's and whose docstring
    is its description for language models."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def generate_text(
        self,
        caller: Caller,
        prompt: Prompt,
        method: Method = DEFAULT_METHOD,
        max_new_tokens: Length = 128,
        temperature: Temperature = 0.0,
        seed: Seed = 0,
        options: Options = {},  # noqa: B006 - nothing changes it
        model: Model = "",
    ) -> Generation:
        """Let the language model continue a prompt with speculative decoding. Returns the text, the run's numbers
        (tokens, forward passes, mean accepted tokens, tokens per second), a line for each of the first steps,
        and a link to the player."""
        lanes: Sequence[Entry] = [(method, options)]
        (trace,) = await self._run(caller, prompt, lanes, max_new_tokens, temperature, seed, model)
        return Generation.of(trace, caller.player(trace.run))

    async def compare_methods(
        self,
        caller: Caller,
        prompt: Prompt,
        methods: Methods = [BASELINE, DEFAULT_METHOD],  # noqa: B006 - nothing changes it
        max_new_tokens: Length = 64,
        temperature: Temperature = 0.0,
        seed: Seed = 0,
        model: Model = "",
    ) -> Comparison:
        """Race two to four decoding methods on one prompt, step by step in turns on the same device. Returns
        whether all wrote the same, and for each its numbers, its speed-up over plain decoding and a link to the
        player."""
        if not MIN_RIVALS <= len(methods) <= MAX_LANES:
            raise LogitSpecError(
                f"A comparison takes {MIN_RIVALS} to {MAX_LANES} methods; got {len(methods)}."
            )
        traces = await self._run(caller, prompt, methods, max_new_tokens, temperature, seed, model)
        return _comparison(traces, caller)

    async def explain_step(self, caller: Caller, run: Run, step: Step) -> Explanation:
        """Say in words what happened in one step of a run: what was drafted from where, what the model accepted,
        and why. Recorded runs are called recorded-101 to recorded-112, and recorded-1 to
        recorded-21."""
        trace = await in_moderation(self._host.answering, self._find, run)
        if not 1 <= step <= len(trace.steps):
            raise LogitSpecError(
                f"Run {run} has {len(trace.steps)} steps so far; choose one of them, not {step}."
            )
        return _explanation(trace, step, caller.player(run, step))

    async def _run(
        self,
        caller: Caller,
        prompt: str,
        methods: Sequence[Entry],
        tokens: int,
        temperature: float,
        seed: int,
        model: str,
    ) -> list[Trace]:
        name = model or self._host.models.default
        request = Request(prompt, methods, tokens, temperature, seed, name)
        request.check()

        def begin(place: Place) -> Any:
            return self._host.race(request, caller.stop, place=place)

        race = await _run_to_end(in_turn(self._host, caller.visitor, caller.stop, begin), caller)
        if not any(trace.steps for trace in race.traces):
            failed = next((trace.error for trace in race.traces if trace.error), None)
            raise LogitSpecError(failed or "This run was stopped before its first step.")
        return race.traces

    def _find(self, name: str) -> Trace:
        if traces := self._host.traces(name):
            if len(traces) > 1:
                raise LogitSpecError(
                    f"{name} is a comparison; name one of its runs, which compare_methods gave you."
                )
            return traces[0]
        demo = read_demo(name)
        if demo is None:
            raise LogitSpecError(UNKNOWN_RUN.format(run=name[:80]))
        return Trace.from_json(demo)


async def _run_to_end(values: AsyncIterator[Outlook | Race], caller: Caller) -> Race:
    """Read a race to its end, reporting progress to the caller. Returns the finished race."""
    race, last_report = None, monotonic()
    async with aclosing(values) as each:  # type: ignore[type-var]
        async for value in each:
            if isinstance(value, Outlook):
                await caller.report(0.0, f"Turns before this one: {value.ahead}.")
                continue
            race = value
            if monotonic() - last_report >= REPORT_SECONDS:
                last_report = monotonic()
                await caller.report(*_progress(race))
    assert race is not None
    return race


def _progress(race: Race) -> tuple[float, str]:
    steps = [step for trace in race.traces for step in list(trace.steps)]
    tokens = sum(len(step.path) for step in steps)
    wanted = sum(trace.max_new_tokens for trace in race.traces)
    return (
        tokens / wanted,
        f"{several(tokens, 'token')} in {several(len(steps), 'forward pass', 'es')}.",
    )


def _comparison(traces: Sequence[Trace], caller: Caller) -> Comparison:
    numbers = [Numbers.of(trace) for trace in traces]
    methods = [trace.method for trace in traces]
    race = Race([METHODS[each].title for each in methods], list(traces))
    base = numbers[methods.index(BASELINE) if BASELINE in methods else 0]
    lanes = [
        Lane(
            trace.method,
            title,
            trace.finish or "",
            trace.error,
            own,
            _seconds_a_token(base) / (_seconds_a_token(own) or 1.0),
            trace.run,
            caller.player(trace.run),
        )
        for trace, title, own in zip(traces, race.titles, numbers, strict=True)
    ]
    verdict = race.verdict
    return Comparison(
        None if not verdict.complete else verdict.differs_at is None,
        verdict_words(verdict, methods),
        BASELINE if BASELINE in methods else methods[0],
        lanes,
        text_of(traces[0]),
        str(traces[0].model.get("id", "")),
        max(lanes, key=lambda lane: lane.numbers.mean_accepted_tokens).run,
    )


def _seconds_a_token(numbers: Numbers) -> float:
    return numbers.seconds / numbers.tokens if numbers.tokens else 0.0


def _explanation(trace: Trace, number: int, player: str) -> Explanation:
    step = trace.steps[number - 1]
    best = list(zip(step.last.ids, step.last.probs, strict=True))[:MAX_GUESSES]
    drafted = step.counts().drafted_by
    return Explanation(
        trace.run,
        trace.method,
        number,
        len(trace.steps),
        step_sentence(trace, number),
        story_sentence(trace, number),
        [Guess(quote_token(trace, token), probability) for token, probability in best],
        {LOOKS[origin].label: drafted[origin] for origin in LOOKS if drafted[origin]},
        [quote_token(trace, token) for token in step.tokens],
        quote_token(trace, step.choices[step.path[-1]]),
        player,
    )
