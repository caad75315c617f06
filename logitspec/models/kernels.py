"""Kernels of a target on a GPU: compiled during its first runs, measured, and enabled between two of them.

With attention by position and products of one shape, a row's logits have the same bits whatever else is in
the forward. Then a target is exact: drafting writes what plain decoding writes, in half precision too.
"""

from __future__ import annotations

import logging
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

import torch

from logitspec.models.speed import TIMED_ROWS
from logitspec.runtime.clock import seconds_in_turns
from logitspec.runtime.fast import FastForward
from logitspec.runtime.operations import PLAIN, Operations
from logitspec.runtime.probe import Errors, Probe
from logitspec.runtime.product import in_pieces
from logitspec.runtime.runner import Runner
from logitspec.runtime.shapes import BUCKETS, EXACT_SIZES
from logitspec.runtime.timing import forward_seconds

if TYPE_CHECKING:
    from logitspec.runtime.kernels.choice import Choice, Trial

PATIENCE = 1.0  # seconds; kernels that were compiled before on this machine are ready sooner
MAX_COST = 0.1  # of a step, for exactness that was not asked for

_log = logging.getLogger(__name__)


def enable_kernels(
    target: Runner, probe: Probe, stock_errors: Errors, exact: bool | None = None
) -> None:
    """Have `target` use the kernels that are correct and faster, immediately or before a later text, and be
    exact; the trace's environment reports the outcome under "kernels" and "exact".

    exact: None makes it exact where that costs less than MAX_COST of a step; True waits for compilation. The
    other arguments are those of `enable_fast_forward`.
    """
    environment = target.info["environment"]
    if reason := no_kernels(target):
        _use_plain_operations(target, reason)
        return
    try:
        from logitspec.runtime.kernels import choice

        trials = choice.trials(target.forward)  # type: ignore[arg-type]
    except Exception as error:  # Triton is missing, or can't compile here
        _fail(target, error)
        return
    errors: list[Exception] = []

    def compile_all() -> None:
        try:
            choice.compile_all(trials)
        except Exception as error:
            errors.append(error)

    compiler = Thread(target=compile_all, name="kernels", daemon=True)

    def take(target: Runner) -> None:
        if compiler.is_alive():
            return
        target.improve = None
        if errors:
            _fail(target, errors[0])
        else:
            take_kernels(target, probe, stock_errors, trials, exact)

    environment["kernels"] = environment["exact"] = "not yet: kernels are being compiled"
    target.improve = take
    compiler.start()
    compiler.join(None if exact else PATIENCE)
    take(target)


def no_kernels(target: Runner) -> str | None:
    """Why no kernels run in `target`; None where they may be tried."""
    if not target.replays:
        return "forwards are not replayed"
    if not isinstance(target.forward, FastForward):
        return "they are for the fast forward"
    if target.model.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        return f"they are not for {str(target.model.dtype).removeprefix('torch.')}"
    return None


def take_kernels(
    target: Runner, probe: Probe, stock_errors: Errors, trials: list[Trial], exact: bool | None
) -> None:
    """Measure the kernels of `trials`, and have `target` use them; plain operations where one fails."""
    from logitspec.runtime.kernels.choice import choose

    environment = target.info["environment"]
    try:
        clock = partial(
            seconds_in_turns,
            device=target.model.device,
            capture=target.replay.capture,  # type: ignore[union-attr]
        )
        choice = choose(trials, clock)
        _use(target, choice.operations)
        if excess := probe.excess(probe.errors(target), stock_errors):
            _use_plain_operations(
                target, f"their logits are {excess:.1g} standard deviations apart"
            )
            return
        environment["kernels"] = choice.about
        environment["exact"] = _make_exact(target, probe, stock_errors, choice, exact)
    except Exception as error:
        _fail(target, error)


def _make_exact(
    target: Runner, probe: Probe, stock_errors: Errors, choice: Choice, exact: bool | None
) -> str:
    """Make `target` exact if possible, and if `exact` is True or it costs little; returns what the trace says."""
    if exact is False:
        return "no: it was turned off"
    if choice.by_position is None:
        return "no: there is no attention by position here"
    at_best = sum(forward_seconds(target, target.vocabulary_size, TIMED_ROWS))
    _use(target, choice.by_position, EXACT_SIZES)
    dependent = probe.dependent_rows(target)
    excess = probe.excess(probe.errors(target), stock_errors)
    cost = sum(forward_seconds(target, target.vocabulary_size, TIMED_ROWS)) / at_best - 1
    if not target.replays or dependent or excess or (cost > MAX_COST and not exact):
        if target.replays:
            _use(target, choice.operations)
        if dependent or excess or not target.replays:
            return "no: rows depend on what else is in the forward"
        return f"no: it would cost {cost:.0%} of a step"
    target.at_best_shape = partial(_at_best_shape, target, choice.operations)
    return f"yes, for {max(cost, 0.0):.0%} of a step"


def _at_best_shape(target: Runner, operations: Operations) -> Runner:
    other = target.with_new_cache()
    other.info = {**target.info, "environment": {**target.info["environment"], "exact": "no"}}
    other.at_best_shape = None
    _use(other, operations)
    return other


def _use(target: Runner, operations: Operations, sizes: Any = BUCKETS) -> None:
    """Have forwards of fixed shape compute with `operations`, and capture them again."""
    for product in target.forward.products:  # type: ignore[attr-defined]
        product.forms = (in_pieces,)
    target.forward.operations = operations
    if target.replay is not None:
        target.enable_replay(target.replay.capture, sizes)


def _use_plain_operations(target: Runner, reason: str) -> None:
    if target.forward.operations is not PLAIN:
        _use(target, PLAIN)
    environment = target.info["environment"]
    environment["kernels"] = f"none: {reason}"
    environment["exact"] = "no: it takes kernels"


def _fail(target: Runner, error: Exception) -> None:
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
    _log.warning("Plain operations run instead of kernels (%s).", reason)
    _use_plain_operations(target, reason)
