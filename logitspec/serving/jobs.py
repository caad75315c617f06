"""Runs told step by step in plain data, so that they can be made in another process than they are shown.

decoded, raced -- Made, Made, ..., the ends --> entered: the same steps in the traces here
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from logitspec.decoding.engine import begin, run
from logitspec.decoding.race import Entry, Shareable, race
from logitspec.decoding.target import Target
from logitspec.errors import sentence
from logitspec.trace.records import StepRecord, Trace
from logitspec.trace.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Made:
    """A step of a lane. environment: what is known since the lane began, with its first step."""

    lane: int
    step: StepRecord
    prefill_seconds: float
    environment: dict[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """How a lane ended, and what is known since it began: it may have made no step."""

    finish: str | None
    prefill_seconds: float
    environment: dict[str, Any]


Steps = Generator[Made | list[End], None, None]
"""Steps as they are made, and the ends of all lanes when one has ended, last, and when it breaks."""


def decoded(
    target: Target,
    tokenizer: Any,
    prompt_ids: Sequence[int],
    method: str,
    max_new_tokens: int,
    sampling: Sampling,
    options: dict[str, Any],
) -> Steps:
    """One run, in lane 0."""
    trace, drafter = begin(target, prompt_ids, method, max_new_tokens, sampling, options)
    yield from _told([trace], (0 for _ in run(target, drafter, trace)))


def raced(
    target: Shareable,
    tokenizer: Any,
    prompt_ids: Sequence[int],
    methods: Sequence[Entry],
    max_new_tokens: int,
    sampling: Sampling,
) -> Steps:
    """A race, whose lanes take their steps in turns."""
    contest = race(target, prompt_ids, methods, max_new_tokens, sampling)
    yield from _told(contest.traces, contest.steps())


def _told(traces: Sequence[Trace], lanes: Iterator[int]) -> Steps:
    over = 0
    try:
        for lane in lanes:
            # Who waits for all lanes wants to know at once of each that won't go on.
            ended = sum(trace.finish is not None for trace in traces)
            if ended > over:
                yield [_end(trace) for trace in traces]
                over = ended
            yield _made(traces, lane)
    except Exception:
        yield [_end(trace) for trace in traces]
        raise
    yield [_end(trace) for trace in traces]


def _made(traces: Sequence[Trace], lane: int) -> Made:
    trace = traces[lane]
    first = len(trace.steps) == 1
    environment = trace.environment if first else {}
    return Made(lane, trace.steps[-1], trace.prefill_seconds, environment)


def _end(trace: Trace) -> End:
    return End(trace.finish, trace.prefill_seconds, trace.environment)


def entered(
    traces: Sequence[Trace], steps: Steps, order: list[int] | None = None
) -> Generator[int, None, None]:
    """Let `traces` grow, and `order` by the lane of each, as the `steps` come in; yields the lane.

    Traces that are not finished when it is closed end as "cancelled", and as "error" when it raises.
    """
    try:
        for each in steps:
            if isinstance(each, Made):
                _enter(traces[each.lane], each)
                if order is not None:
                    order.append(each.lane)
                yield each.lane
                continue
            for trace, end in zip(traces, each, strict=True):
                trace.finish, trace.prefill_seconds = end.finish, end.prefill_seconds
                trace.environment.update(end.environment)
    except GeneratorExit:
        _finish(traces, "cancelled")
        raise
    except Exception as error:
        _finish(traces, "error", sentence(error))
        raise
    finally:
        steps.close()


def _enter(trace: Trace, made: Made) -> None:
    trace.prefill_seconds = made.prefill_seconds
    trace.environment.update(made.environment)
    trace.steps.append(made.step)


def _finish(traces: Sequence[Trace], how: str, why: str | None = None) -> None:
    for trace in traces:
        trace.finish = trace.finish or how
        if trace.finish == "error":
            trace.error = trace.error or why
