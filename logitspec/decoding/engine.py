"""The one decoding loop: draft, verify, accept, commit, whatever the method.

begin(target, request) -> Trace          the request, checked; no steps yet
run(target, trace) -> StepRecord, ...    the trace grows while the steps come
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Mapping, Sequence
from operator import index
from time import perf_counter
from typing import Any

from logitspec.decoding.target import Target
from logitspec.drafters import DEFAULT_METHOD, Drafter, make
from logitspec.errors import LogitSpecError
from logitspec.trace.costs import ForwardCosts, RunningMean, StepCosts
from logitspec.trace.metrics import StepSeconds
from logitspec.trace.records import MAX_RANKS, StepRecord, Trace
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.sampling import GREEDY, Sampling
from logitspec.trace.tree import accept

MAX_NEW_TOKENS = 1_000_000


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

    options: those of the method, by name. Raises LogitSpecError immediately for a bad request; only token ids
    that the model doesn't have are refused by the first step.
    """
    sampling = Sampling(temperature, top_p, seed)
    return _decode(target, begin(target, prompt_ids, method, max_new_tokens, sampling, options))


def _decode(target: Target, trace: Trace) -> Generator[StepRecord, None, Trace]:
    yield from run(target, trace)
    return trace


def begin(
    target: Target,
    prompt_ids: Sequence[int],
    method: str = DEFAULT_METHOD,
    max_new_tokens: int = 256,
    sampling: Sampling = GREEDY,
    options: Mapping[str, Any] | None = None,
) -> Trace:
    """A trace without steps for a request that can be run; asks nothing of the device.

    prompt_ids: token ids. options: the method's, by name; the trace holds all of them, with their
    defaults. Raises LogitSpecError for a bad request.
    """
    drafter = drafter_for(method, max_new_tokens, options)
    prompt = _token_ids(prompt_ids)
    if not prompt:
        raise LogitSpecError("The prompt is empty; write something for the model to continue.")
    if len(prompt) >= target.limit:
        raise LogitSpecError(
            f"The prompt has {len(prompt)} tokens and the model's context holds {target.limit},"
            " new ones included; shorten the prompt."
        )
    model, environment = _about(target)
    return Trace(
        method=drafter.name,
        prompt_ids=prompt,
        max_new_tokens=max_new_tokens,
        sampling=sampling,
        options=drafter.options(),
        environment=environment,
        model=model,
        eos_ids=sorted(target.eos_ids),
        run=secrets.token_hex(8),
    )


def drafter_for(
    method: str, max_new_tokens: int, options: Mapping[str, Any] | None = None
) -> Drafter:
    """The drafter of a request; LogitSpecError for one that no target could run, so that no model need be loaded to
    refuse it."""
    drafter = make(method, options or {})
    if isinstance(max_new_tokens, bool) or not isinstance(max_new_tokens, int):
        raise LogitSpecError(f"max_new_tokens must be a whole number; got {max_new_tokens!r}.")
    if not 1 <= max_new_tokens <= MAX_NEW_TOKENS:
        raise LogitSpecError(
            f"max_new_tokens must be from 1 to {MAX_NEW_TOKENS}; got {max_new_tokens}."
        )
    return drafter


def _about(target: Target) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the target says of its model, and of its environment."""
    model = dict(target.info)
    return model, dict(model.pop("environment", {}))


def _token_ids(prompt_ids: Sequence[int]) -> list[int]:
    """The ids as plain numbers; LogitSpecError for a text, a batch or anything else."""
    try:
        return [index(token) for token in prompt_ids]
    except TypeError as error:
        raise LogitSpecError(
            "The prompt must be a list of token ids, as `encode_prompt(tokenizer, text)` returns it; this"
            f" {type(prompt_ids).__name__} is none."
        ) from error


def complete(target: Target, trace: Trace, drafter: Drafter | None = None) -> Trace:
    """`trace`, run to its end."""
    for _ in run(target, trace, drafter):
        pass
    return trace


def run(
    target: Target, trace: Trace, drafter: Drafter | None = None
) -> Generator[StepRecord, None, None]:
    """Fill `trace` step by step. Closing the iterator ends the run as "cancelled", and so does an interrupt.

    drafter: an existing one; by default it is made from the trace's method and options.
    """
    try:
        drafter = drafter or make(trace.method, trace.options)
        target.claim(trace.run)  # may change how it runs, and so its costs
        trace.model, trace.environment = _about(target)
        costs = _costs(target, drafter, trace)
        target.claim(trace.run)  # measuring took it
        with target.used_by(trace.run):
            target.reserve(len(trace.prompt_ids), trace.max_new_tokens)
            result = _prefill(target, drafter, trace)
        root, last = result.choices[-1], result.topk[-1]
        loop = RunningMean()
        while True:
            with target.used_by(trace.run):
                if (finish := _finish(target, trace)) is not None:
                    break
                step, result = _step(
                    target, drafter, trace, root, last, StepCosts(costs, loop.value)
                )
            # A replay's forwards claim seconds that they don't take, maybe more than the step took.
            loop.add(max(0.0, step.seconds.loop))
            trace.steps.append(step)
            root, last = result.choices[step.path[-1]], result.topk[step.path[-1]]
            yield step
        trace.finish = finish
    except (GeneratorExit, KeyboardInterrupt):
        trace.finish = "cancelled"
        raise
    except Exception as error:
        trace.finish, trace.error = "error", str(error) or type(error).__name__
        raise
    finally:
        # A target that has changed how it runs during the run says so there.
        trace.environment.update(target.info.get("environment", {}))
        if "forward_costs" in trace.environment and target.costs is not None:
            trace.environment["forward_costs_after"] = target.costs.to_json()


def _costs(target: Target, drafter: Drafter, trace: Trace) -> ForwardCosts | None:
    """What forwards cost, for a method that sizes its trees; None for others or if unknown."""
    if not drafter.sizes_trees or (costs := target.measure_costs()) is None:
        return None
    trace.environment["forward_costs"] = costs.to_json()
    return costs


def _prefill(target: Target, drafter: Drafter, trace: Trace) -> ForwardResult:
    prompt = trace.prompt_ids
    result = target.prefill(prompt, trace.sampling, everywhere=drafter.reads_prompt)
    trace.prefill_seconds = round(result.seconds, 6)
    drafter.reset(prompt)
    if drafter.reads_prompt and len(result.topk) == len(prompt):
        drafter.learn(prompt, result.topk)
    return result


def _finish(target: Target, trace: Trace) -> str | None:
    """Why the run is over, or None."""
    if trace.steps and trace.steps[-1].tokens[-1] in trace.eos_ids:
        return "eos"
    if _new_tokens(target, trace) >= trace.max_new_tokens:
        return "length"
    return "context" if target.length >= target.limit else None


def _new_tokens(target: Target, trace: Trace) -> int:
    return target.length - len(trace.prompt_ids)


def _step(
    target: Target, drafter: Drafter, trace: Trace, root: int, last: TopK, costs: StepCosts
) -> tuple[StepRecord, ForwardResult]:
    position = target.length
    started = perf_counter()
    # A node at depth d would be at position + d, which must exist in the model.
    tree = drafter.draft(root, last, costs).cut(target.limit - position - 1)
    if tree.tokens[0] != root:  # the one token that no forward verifies
        raise LogitSpecError(
            f"{drafter.name} drafted under token {tree.tokens[0]} and not under the root, {root}; have its"
            " `draft` begin with `plant(root, last)`."
        )
    drafted = perf_counter()
    if target.launch(tree):
        tree.explain()
    result = target.verify(tree)
    verified = perf_counter()
    room = trace.max_new_tokens - _new_tokens(target, trace)
    path = _through_eos(accept(tree, result.choices)[:room], tree.tokens, trace.eos_ids)
    accepted = perf_counter()
    target.commit(path)
    drafter.observe(tree, path, result)
    parts = (drafted - started, verified - drafted, accepted - verified, perf_counter() - accepted)
    seconds = StepSeconds(*(round(part, 6) for part in (*parts, result.seconds)))
    ranks = [provenance.rank or 0 for provenance in tree.provenance]
    head = last.head(max(MAX_RANKS, 1 + max(ranks)))
    return StepRecord(position, head, tree, result.choices, path, seconds), result


def _through_eos(path: list[int], tokens: Sequence[int], eos_ids: Sequence[int]) -> list[int]:
    """`path` up to and including its first end-of-sequence token."""
    for place, node in enumerate(path):
        if tokens[node] in eos_ids:
            return path[: place + 1]
    return path
