"""A race: several methods on one prompt, one lane each, on one device.

Every lane is a run of the one loop, over the same weights with its own KV cache. The lanes take their steps
in turns, so whatever slows the device down for a while slows all of them alike; a lane's time is the sum of
its own steps.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from logitspec import files
from logitspec.decoding.engine import begin, run
from logitspec.decoding.target import Target
from logitspec.drafters import METHODS
from logitspec.errors import LogitSpecError
from logitspec.trace.records import Trace, dumps
from logitspec.trace.sampling import GREEDY, Sampling
from logitspec.trace.schema import SCHEMA

DEFAULT_LANES = ("logitspec", "logitspec_paper", "prompt_lookup", "autoregressive")
MAX_LANES = 4
MIN_RIVALS = 2  # lanes of a race proper; one lane is a run
MAX_WARM_UP_PROMPT = 64  # tokens
WARM_UP_TOKENS = 4

Entry = str | tuple[str, dict[str, Any]]
"""A method by its name, or with options by name."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all lanes wrote the same, token for token.

    tokens: how many were compared, from the first new one on: as many as the shortest lane wrote.
    differs_at: the place of the first that is not the same in all lanes (0 is the first new token), None if
    there is none. margin: by how much the target preferred its best token to the second there, in
    probability; None if no lane began a step there. complete: whether every lane reached its end.
    """

    tokens: int
    differs_at: int | None
    margin: float | None
    complete: bool


@dataclass(slots=True)
class Race:
    """One prompt, a lane for each method; its traces grow while `run_race` goes on.

    titles: those of the lanes, including requested options. traces: one per lane. order: the lane of every
    step, in the order of the steps. recorded: title of a race to be replayed.
    """

    titles: list[str]
    traces: list[Trace]
    order: list[int] = field(default_factory=list)
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    recorded: str = ""

    def so_far(self) -> Race:
        """A snapshot of the race, which stays unchanged while this one goes on in another thread."""
        # The ends before the order: the order then has all steps of every lane that has ended.
        ends = [trace.finish for trace in self.traces]
        order = list(self.order)
        traces = [
            replace(
                trace,
                finish=end,
                steps=trace.steps[: order.count(lane)],
                vocabulary=dict(trace.vocabulary),
            )
            for lane, (trace, end) in enumerate(zip(self.traces, ends, strict=True))
        ]
        return replace(self, traces=traces, order=order)

    def cancel(self) -> None:
        """Mark the lanes that have not ended as cancelled."""
        for trace in self.traces:
            trace.finish = trace.finish or "cancelled"

    @property
    def is_run(self) -> bool:
        """Whether it has one lane; its name is then that of the run."""
        return len(self.traces) == 1

    @property
    def over(self) -> bool:
        return all(trace.finish for trace in self.traces)

    @property
    def verdict(self) -> Verdict:
        return verdict(self.traces)

    def header(self) -> dict[str, Any]:
        """All but verdict and lanes, as JSON values."""
        return {
            "kind": "race",
            "schema": SCHEMA,
            "race": self.name,
            "recorded": self.recorded,
            "titles": self.titles,
            "warm_up": WARM_UP_TOKENS,
        }

    def to_json(self) -> str:
        """The whole race as one JSON document. The verdict is null until all lanes have ended."""
        verdict = asdict(self.verdict) if self.over else None
        lanes = [trace.document() for trace in self.traces]
        return dumps({**self.header(), "verdict": verdict, "lanes": lanes})

    def save(self, path: Path) -> None:
        """Write the document to `path`, gzipped."""
        files.write(path, gzip.compress(self.to_json().encode(), mtime=0))


def begin_race(
    target: Target,
    prompt_ids: Sequence[int],
    methods: Sequence[Entry] = DEFAULT_LANES,
    max_new_tokens: int = 256,
    sampling: Sampling = GREEDY,
) -> Race:
    """A race over `prompt_ids` (token ids) without steps; asks nothing of the device.

    methods: one to four lanes; a race of one lane is a run. Raises LogitSpecError for a bad request.
    """
    entries = _entries(methods)
    traces = [
        begin(target, prompt_ids, method, max_new_tokens, sampling, options)
        for method, options in entries
    ]
    race = Race(_titles(entries), traces)
    if race.is_run:
        race.name = traces[0].run
    return race


def run_race(target: Target, race: Race) -> Generator[int, None, None]:
    """Run all lanes to their ends; yields the lane of each step, which is in its trace by then.

    A round is one step of every lane that has not ended; the next round begins with the next lane. A
    lane reads the prompt before its first step; this counts in no step. Closing the iterator ends all runs
    as "cancelled".
    """
    # A single lane has no rival to be fair to: it needs neither its own cache nor a warm-up.
    alone = len(race.traces) == 1
    if not alone:
        target.measure_costs()  # once, for all lanes
    targets = [target if alone else target.with_new_cache() for _ in race.traces]
    lanes = [run(*each) for each in zip(targets, race.traces, strict=True)]
    try:
        if not alone:
            for own, trace in zip(targets, race.traces, strict=True):
                _warm_up(own, trace)
        going = list(range(len(lanes)))
        while going:
            for lane in tuple(going):
                if next(lanes[lane], None) is None:
                    going.remove(lane)
                    continue
                race.order.append(lane)
                yield lane
            going = going[1:] + going[:1]
    finally:
        for each in lanes:
            each.close()
        race.cancel()


def _warm_up(target: Target, trace: Trace) -> None:
    """Run a few steps of the same method, to prepare buffers and kernels for its shapes."""
    prompt = trace.prompt_ids[:MAX_WARM_UP_PROMPT]
    short = begin(target, prompt, trace.method, WARM_UP_TOKENS, trace.sampling, trace.options)
    for _ in run(target, short):
        pass


def _titles(entries: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    """One for each lane, no two alike."""
    titles = [_title(*entry) for entry in entries]
    return [
        f"{title}, lane {number}" if titles.count(title) > 1 else title
        for number, title in enumerate(titles, 1)
    ]


def _entries(methods: Sequence[Entry]) -> list[tuple[str, dict[str, Any]]]:
    entries = [(each, {}) if isinstance(each, str) else each for each in methods]
    if not 1 <= len(entries) <= MAX_LANES:
        raise LogitSpecError(f"A race takes 1 to {MAX_LANES} methods; got {len(entries)}.")
    return entries


def _title(method: str, options: dict[str, Any]) -> str:
    words = [f"{name.replace('_', ' ')} {_words(value)}" for name, value in options.items()]
    return ", ".join([METHODS[method].title, *words])


def _words(value: Any) -> str:
    """The value of an option in a title."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def verdict(traces: Sequence[Trace]) -> Verdict:
    """What the lanes' outputs have in common."""
    outputs = [trace.output_ids for trace in traces]
    complete = all(trace.finish in ("eos", "length", "context") for trace in traces)
    tokens = min(map(len, outputs))
    places = (place for place in range(tokens) if len({each[place] for each in outputs}) > 1)
    differs_at = next(places, None)
    if differs_at is None and complete and max(map(len, outputs)) > tokens:
        differs_at = tokens
    margin = None if differs_at is None else _margin(traces, differs_at)
    return Verdict(tokens, differs_at, margin, complete)


def _margin(traces: Sequence[Trace], place: int) -> float | None:
    """How much more probable the best token was than the second, according to a lane with a step that
    began there; None without one."""
    for trace in traces:
        for step in trace.steps:
            if step.position == len(trace.prompt_ids) + place and len(step.last) > 1:
                return round(step.last.probs[0] - step.last.probs[1], 6)
    return None
