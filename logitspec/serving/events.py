"""A race as plain data, step by step, so that it can run in a different process from the one that shows it.

run_race where the GPU is -- StepEvent, StepEvent, ..., the ends --> apply_events: the same steps here
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from logitspec.decoding.race import Race, run_race
from logitspec.decoding.target import Target
from logitspec.errors import sentence
from logitspec.trace.records import StepRecord, Trace


@dataclass(frozen=True, slots=True)
class StepEvent:
    """A step of a lane. environment: facts known once the lane has begun, sent with its first step only."""

    lane: int
    step: StepRecord
    prefill_seconds: float
    environment: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LaneEnd:
    """How a lane ended (None: it has not), with its environment too, since it may have no step."""

    finish: str | None
    prefill_seconds: float
    environment: dict[str, Any]


Events = Generator[StepEvent | list[LaneEnd], None, None]
"""Steps in order; and the ends of all lanes whenever one ends, at the end, and on an error."""


def race_events(target: Target, tokenizer: Any, race: Race) -> Events:
    """Run a copy of `race`, a result of `begin_race`; the traces of `race` itself grow in `apply_events`."""
    race = replace(race, traces=[_without_steps(trace) for trace in race.traces], order=[])
    ended = 0
    try:
        for lane in run_race(target, race):
            # A reader that waits for all lanes must know immediately which ones have ended.
            finished = sum(trace.finish is not None for trace in race.traces)
            if finished > ended:
                yield [_end(trace) for trace in race.traces]
                ended = finished
            yield _step(race.traces[lane], lane)
    except Exception:
        yield [_end(trace) for trace in race.traces]
        raise
    yield [_end(trace) for trace in race.traces]


def _without_steps(trace: Trace) -> Trace:
    return replace(trace, steps=[], vocabulary={}, environment=dict(trace.environment))


def _step(trace: Trace, lane: int) -> StepEvent:
    environment = trace.environment if len(trace.steps) == 1 else {}
    return StepEvent(lane, trace.steps[-1], trace.prefill_seconds, environment)


def _end(trace: Trace) -> LaneEnd:
    return LaneEnd(trace.finish, trace.prefill_seconds, trace.environment)


def apply_events(race: Race, events: Events) -> Generator[int, None, None]:
    """Add `events` to `race` as they arrive; yields the lane of each step.

    Lanes that have not ended when it is closed end as "cancelled", and as "error" when it raises.
    """
    try:
        for event in events:
            if isinstance(event, StepEvent):
                trace = race.traces[event.lane]
                trace.prefill_seconds = event.prefill_seconds
                trace.environment.update(event.environment)
                trace.steps.append(event.step)
                race.order.append(event.lane)
                yield event.lane
                continue
            for trace, end in zip(race.traces, event, strict=True):
                trace.prefill_seconds = end.prefill_seconds
                trace.environment.update(end.environment)
                trace.finish = end.finish  # last, as whoever sees it asks no more
    except GeneratorExit:
        race.cancel()
        raise
    except Exception as error:
        for trace in race.traces:
            if trace.finish in (None, "error"):
                trace.error = trace.error or sentence(error)
                trace.finish = "error"
        raise
    finally:
        events.close()
