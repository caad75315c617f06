"""The one decoding loop: draft, verify, accept, commit, whatever the method."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Sequence
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary

from logitspec.decoding.target import Target
from logitspec.drafters import DEFAULT_METHOD, Drafter, make
from logitspec.errors import LogitSpecError
from logitspec.trace.records import RANKS_KEPT, StepRecord, StepSeconds, Trace
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.sampling import Sampling
from logitspec.trace.tree import accept

MOST_NEW_TOKENS = 1_000_000

# A target holds one text; which run it belongs to.
_reading: WeakKeyDictionary[Target, str] = WeakKeyDictionary()


def decode(
    target: Target,
    prompt_ids: Sequence[int],
    method: str = DEFAULT_METHOD,
    max_new_tokens: int = 256,
    temperature: float = 0.0,
    seed: int = 0,
    top_p: float = 1.0,
    **options: Any,
) -> Generator[StepRecord, None, Trace]:
    """Generate after `prompt_ids` (token ids); yields each step and returns the finished trace.

    options: those of the method, by name. Raises LogitSpecError at once for a bad request.
    """
    sampling = Sampling(temperature, top_p, seed)
    trace, drafter = begin(target, prompt_ids, method, max_new_tokens, sampling, options)
    return _decoded(target, drafter, trace)


def begin(
    target: Target,
    prompt_ids: Sequence[int],
    method: str,
    max_new_tokens: int,
    sampling: Sampling,
    options: dict[str, Any],
) -> tuple[Trace, Drafter]:
    """The checked request: a trace without steps, and the drafter that `run` will ask."""
    drafter = make(method, options)
    if isinstance(max_new_tokens, bool) or not isinstance(max_new_tokens, int):
        raise LogitSpecError(f"max_new_tokens must be a whole number; got {max_new_tokens!r}.")
    if not 1 <= max_new_tokens <= MOST_NEW_TOKENS:
        raise LogitSpecError(
            f"max_new_tokens must be from 1 to {MOST_NEW_TOKENS}; got {max_new_tokens}."
        )
    prompt = [int(token) for token in prompt_ids]
    if not prompt:
        raise LogitSpecError("The prompt is empty; write something for the model to continue.")
    if len(prompt) >= target.limit:
        raise LogitSpecError(
            f"The prompt has {len(prompt)} tokens and the model's context holds {target.limit},"
            " new ones included; shorten the prompt."
        )
    info = dict(target.info)
    trace = Trace(
        method=drafter.name,
        prompt_ids=prompt,
        max_new_tokens=max_new_tokens,
        sampling=sampling,
        options=drafter.options(),
        environment=dict(info.pop("environment", {})),
        model=info,
        eos_ids=sorted(target.eos_ids),
        run=secrets.token_hex(8),
    )
    return trace, drafter


def run(target: Target, drafter: Drafter, trace: Trace) -> Generator[StepRecord, None, None]:
    """Fill `trace` step by step. Closing the iterator ends the run as "cancelled"."""
    try:
        _reading[target] = trace.run
        if drafter.sizes_trees and (costs := getattr(target, "costs", None)) is not None:
            drafter.costs = costs
            trace.environment["forward_costs"] = costs.to_json()
        if expect := getattr(target, "expect", None):
            expect(len(trace.prompt_ids), trace.max_new_tokens)
        result = _prefilled(target, drafter, trace)
        trace.prefill_seconds = round(result.seconds, 6)
        root, last = result.choices[-1], result.topk[-1]
        while (finish := _finished(target, trace)) is None:
            step, result = _step(target, drafter, trace, root, last)
            trace.steps.append(step)
            root, last = result.choices[step.path[-1]], result.topk[step.path[-1]]
            yield step
        trace.finish = finish
    except GeneratorExit:
        trace.finish = "cancelled"
        raise
    except Exception as error:
        trace.finish, trace.error = "error", str(error) or type(error).__name__
        raise
    finally:
        # A target that runs in another way since some step says so there.
        trace.environment.update(target.info.get("environment", {}))


def _prefilled(target: Target, drafter: Drafter, trace: Trace) -> ForwardResult:
    everywhere = drafter.reads_prompt and getattr(target, "ranks_prompt", False)
    wanted = {"everywhere": True} if everywhere else {}
    result = target.prefill(trace.prompt_ids, trace.sampling, **wanted)
    drafter.reset(trace.prompt_ids)
    if everywhere:
        drafter.learn(trace.prompt_ids, result.topk)
    return result


def _decoded(target: Target, drafter: Drafter, trace: Trace) -> Generator[StepRecord, None, Trace]:
    yield from run(target, drafter, trace)
    return trace


def _finished(target: Target, trace: Trace) -> str | None:
    """Why the run is over, or None; raises when the target has been given another text."""
    if _reading.get(target) != trace.run:
        raise LogitSpecError(
            "Another run has used this target meanwhile; finish one run before the next, or load"
            " the model twice."
        )
    if trace.steps and trace.steps[-1].tokens[-1] in trace.eos_ids:
        return "eos"
    if _generated(target, trace) >= trace.max_new_tokens:
        return "length"
    return "context" if target.length >= target.limit else None


def _generated(target: Target, trace: Trace) -> int:
    return target.length - len(trace.prompt_ids)


def _step(
    target: Target, drafter: Drafter, trace: Trace, root: int, last: TopK
) -> tuple[StepRecord, ForwardResult]:
    position = target.length
    started = perf_counter()
    # A node at depth d would stand at position + d, which must exist in the model.
    tree = drafter.draft(root, last).cut(target.limit - position - 1)
    drafted = perf_counter()
    result = target.verify(tree)
    verified = perf_counter()
    room = trace.max_new_tokens - _generated(target, trace)
    path = _ended(accept(tree, result.choices)[:room], tree.tokens, trace.eos_ids)
    accepted = perf_counter()
    target.commit(path)
    drafter.observe(tree, path, result)
    parts = (drafted - started, verified - drafted, accepted - verified, perf_counter() - accepted)
    seconds = StepSeconds(*(round(part, 6) for part in (*parts, result.seconds)))
    ranks = [provenance.rank or 0 for provenance in tree.provenance]
    head = last.head(max(RANKS_KEPT, 1 + max(ranks)))
    return StepRecord(position, head, tree, result.choices, path, seconds), result


def _ended(path: list[int], tokens: Sequence[int], eos_ids: Sequence[int]) -> list[int]:
    """`path` up to and with its first end-of-sequence token."""
    for place, node in enumerate(path):
        if tokens[node] in eos_ids:
            return path[: place + 1]
    return path
