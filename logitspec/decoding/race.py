"""A race: several methods on one prompt, a lane each, on one device.

Every lane is a run of the one loop, over the same weights with a KV cache of its own. The lanes take their
steps in turns, so whatever slows the device down for a while slows all of them alike; a lane's time is
the sum of its own steps.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from logitspec.decoding.engine import begin, run
from logitspec.decoding.target import Target
from logitspec.drafters import METHODS
from logitspec.errors import LogitSpecError
from logitspec.trace.records import SCHEMA, StepRecord, Trace, dumps, steps_message
from logitspec.trace.sampling import Sampling

DEFAULT_LANES = ("logitspec", "logitspec_paper", "prompt_lookup", "autoregressive")
LANES = range(2, 5)
WARM_UP_PROMPT = 64  # tokens
WARM_UP_TOKENS = 4

Entry = str | tuple[str, dict[str, Any]]


class Shareable(Target, Protocol):
    """A target whose weights can serve several sequences."""

    def beside(self) -> Target:
        """Another target over the same weights, with a sequence of its own."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all lanes wrote the same, token for token.

    tokens: compared from the first new one on, as many as the shortest lane wrote. differs_at: the
    place of the first that is not the same in all lanes (0 is the first new token), None where there is
    none. margin: by how much the target preferred its best token to the second there, in probability;
    None where nobody drew up its draft there. complete: whether every lane came to its end.
    """

    tokens: int
    differs_at: int | None
    margin: float | None
    complete: bool


@dataclass(slots=True)
class Race:
    """The lanes of a race; `steps` runs it, and the traces grow meanwhile.

    titles: of the lanes, options that were asked for included. traces: one per lane. order: the lane of
    every step, in the order in which they were made. recorded: title of a race to be replayed.
    """

    titles: list[str]
    traces: list[Trace]
    lanes: list[Generator[StepRecord, None, None]]
    warm_ups: list[Generator[StepRecord, None, None]]
    order: list[int] = field(default_factory=list)
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    recorded: str = ""

    def steps(self) -> Generator[int, None, None]:
        """Run all lanes to their ends; yields the lane of each step.

        A round is one step of every lane that is not done; the next round begins with the next lane. The
        first step of a lane reads the prompt, which counts in none. Closing the iterator ends all runs
        as "cancelled".
        """
        try:
            for warm_up in self.warm_ups:
                for _ in warm_up:
                    pass
            going = list(range(len(self.lanes)))
            while going:
                for lane in tuple(going):
                    if next(self.lanes[lane], None) is None:
                        going.remove(lane)
                        continue
                    self.order.append(lane)
                    yield lane
                going = going[1:] + going[:1]
        finally:
            self.close()

    def so_far(self) -> Race:
        """The race as it stands, which stays so while this one goes on in another thread."""
        # The ends before the order: a lane that has ended has all its steps in it.
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

    def close(self) -> None:
        """End what still runs."""
        for lane, trace in zip(self.lanes, self.traces, strict=True):
            lane.close()
            trace.finish = trace.finish or "cancelled"

    @property
    def over(self) -> bool:
        return all(trace.finish for trace in self.traces)

    @property
    def verdict(self) -> Verdict:
        return verdict(self.traces)

    def to_json(self) -> str:
        """The whole race as one JSON document: what the page shows. The verdict comes with the end."""
        found = asdict(self.verdict) if self.over else None
        return _document(self, [trace.to_json() for trace in self.traces], found)

    def save(self, path: Path) -> None:
        """Write the document to `path`, gzipped."""
        path.write_bytes(gzip.compress(self.to_json().encode(), mtime=0))


def race(
    target: Shareable,
    prompt_ids: Sequence[int],
    methods: Sequence[Entry] = DEFAULT_LANES,
    max_new_tokens: int = 256,
    sampling: Sampling = Sampling(),
) -> Race:
    """A race over `prompt_ids` (token ids) that is ready to start.

    methods: 2 to 4 of them, each by its name or as (name, options). Raises LogitSpecError for a bad
    request.
    """
    entries = _entries(methods)
    getattr(target, "costs", None)  # measured once, for all lanes
    traces, lanes, warm_ups = [], [], []
    for method, options in entries:
        own = target.beside()
        trace, drafter = begin(own, prompt_ids, method, max_new_tokens, sampling, options)
        traces.append(trace)
        lanes.append(run(own, drafter, trace))
        short = begin(own, prompt_ids[:WARM_UP_PROMPT], method, WARM_UP_TOKENS, sampling, options)
        warm_ups.append(run(own, short[1], short[0]))
    return Race(_titles(entries), traces, lanes, warm_ups)


def _titles(entries: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    """One for each lane, by which it can be told from the others."""
    titles = [_title(*entry) for entry in entries]
    return [
        f"{title}, lane {number}" if titles.count(title) > 1 else title
        for number, title in enumerate(titles, 1)
    ]


def awaited(
    target: Target,
    prompt_ids: Sequence[int],
    methods: Sequence[Entry],
    max_new_tokens: int,
    sampling: Sampling,
) -> Race:
    """What `race` gives, but without lanes: the steps are made elsewhere. It asks nothing of the device."""
    entries = _entries(methods)
    traces = [
        begin(target, prompt_ids, method, max_new_tokens, sampling, options)[0]
        for method, options in entries
    ]
    return Race(_titles(entries), traces, [], [])


def _entries(methods: Sequence[Entry]) -> list[tuple[str, dict[str, Any]]]:
    entries = [(each, {}) if isinstance(each, str) else each for each in methods]
    if len(entries) not in LANES:
        raise LogitSpecError(f"A race takes 2 to 4 methods; got {len(entries)}.")
    return entries


def _title(method: str, options: dict[str, Any]) -> str:
    switches = {True: "on", False: "off"}
    words = [
        f"{name.replace('_', ' ')} {switches[value] if isinstance(value, bool) else value}"
        for name, value in options.items()
    ]
    return ", ".join([METHODS[method].title, *words])


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
    """How much more probable the best token was than the second, as a lane saw it whose step began
    there."""
    for trace in traces:
        for step in trace.steps:
            if step.position == len(trace.prompt_ids) + place and len(step.last) > 1:
                return round(step.last.probs[0] - step.last.probs[1], 6)
    return None


def start_message(race: Race) -> str:
    """The first message of a race: its lanes, no steps yet."""
    return _document(race, [dumps({**each.header(), "steps": []}) for each in race.traces], None)


def progress_message(race: Race, sent: Sequence[int], spelt: Sequence[dict[int, bytes]]) -> str:
    """A delta: of every lane the steps from number `sent` (0-based) on with the token bytes they need
    anew; once all lanes have ended also the verdict."""
    lanes = [
        steps_message(trace, -1, first, new)
        for trace, first, new in zip(race.traces, sent, spelt, strict=True)
    ]
    end = dumps(asdict(race.verdict)) if race.over else "null"
    return (
        f'{{"kind":"race_steps","race":{dumps(race.name)},"lanes":[{",".join(lanes)}],'
        f'"verdict":{end}}}'
    )


def _document(race: Race, lanes: list[str], verdict: dict[str, Any] | None) -> str:
    head = {
        "kind": "race",
        "schema": SCHEMA,
        "race": race.name,
        "recorded": race.recorded,
        "titles": race.titles,
        "warm_up": WARM_UP_TOKENS,
        "verdict": verdict,
    }
    return dumps(head)[:-1] + f',"lanes":[{",".join(lanes)}]}}'
