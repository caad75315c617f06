"""Chooses which operations of a forward run as kernels: those that compute the same in less time here.

trials(forward)      each operation on the model's own shapes, plainly and by kernels
compile_all(trials)  compilation, which takes seconds the first time on a machine, and may run alongside other work
choose(trials)       the fastest of those that are right
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
import triton

from logitspec.runtime import operations as plain
from logitspec.runtime.cache import PrefixLayer
from logitspec.runtime.fast import FastForward, FastLayer
from logitspec.runtime.graphs import Inputs
from logitspec.runtime.kernels import attention, gate, norm, ranks, rotary
from logitspec.runtime.kernels.launch import compiling
from logitspec.runtime.masks import TreeMask, visible_columns
from logitspec.runtime.operations import PLAIN, Attention, Operations, View
from logitspec.runtime.ranks import pack_ranks

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
ROUNDINGS = 4  # of the largest number, by which a kernel may differ from plain operations
SUMS = 4e-6  # plus, relative to it, the error of sums and exponentials in single precision
ROWS = (1, 64)
PREFIXES = (200, 1900)
RANKS = 128
COMPILERS = 8
MAX_TILE = 32  # in single precision: larger ones take a minute to compile and are slower

Call = Callable[[], tuple[torch.Tensor, ...]]
Clock = Callable[[Sequence[Callable[[], object]]], list[float]]
"""Takes functions, runs them interleaved, and returns the seconds of each."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An operation on some inputs. calls: the plain ones. kernels: for each way to compute it, what it changes
    in `Operations`, and its calls, one for each of `calls`."""

    name: str
    calls: Sequence[Call]
    kernels: Sequence[tuple[dict[str, Any], Sequence[Call]]]


@dataclass(frozen=True, slots=True)
class Choice:
    """operations: the fastest. by_position: the same with attention by position, which keeps rows independent
    of each other; None where that computes something else. about: the text for the trace."""

    operations: Operations
    by_position: Operations | None
    about: str


def compile_all(trials: Sequence[Trial]) -> None:
    """Compile the kernels of all `trials`, several at a time; those compiled on this machine before come from its
    disk."""
    with (
        ThreadPoolExecutor(COMPILERS) as compilers,
        triton.AsyncCompileMode(compilers),
        torch.inference_mode(),
        compiling(),
    ):
        for trial in trials:
            for _, calls in trial.kernels:
                for call in calls:
                    call()


@torch.inference_mode()
def choose(trials: Sequence[Trial], clock: Clock) -> Choice:
    """Compare and time the kernels of `trials`, each against the plain operation."""
    fastest, by_position, about = PLAIN, None, []
    for trial in trials:
        wanted = [call() for call in trial.calls]
        right = [
            (change, calls)
            for change, calls in trial.kernels
            if all(_near(call(), each) for call, each in zip(calls, wanted, strict=True))
        ]
        if not right:
            about.append(f"{trial.name} plain (its kernel computes something else)")
            continue
        usual, *seconds = clock(
            [partial(_all, each) for each in (trial.calls, *(c for _, c in right))]
        )
        least = min(seconds)
        change = right[seconds.index(least)][0]
        if "attend" in change:
            by_position = change
        if least < usual:
            fastest = replace(fastest, **change)
        kind = "by a kernel" if least < usual else "plain"
        about.append(f"{trial.name} {kind} ({1e6 * least:.0f} us against {1e6 * usual:.0f})")
    exact = None if by_position is None else replace(fastest, **by_position)
    return Choice(fastest, exact, ", ".join(about))


def trials(forward: FastForward) -> list[Trial]:
    """Trials of all operations, with random inputs of the model's own shapes."""
    layer = forward.layers[-1]
    return [
        _of_attention(forward),
        _of_sums(layer),
        _of_places(layer),
        _of_gates(layer),
        _of_ranks(forward),
    ]


def _of_attention(forward: FastForward) -> Trial:
    """Attention in every kind of layer, after a short text and a long one."""
    shapes = {layer.window: layer.shape for layer in forward.layers}.values()
    calls: list[Call] = []
    ways: list[tuple[dict[str, Any], list[Call]]] = []
    dtype = forward.layers[0].products[0].weight.dtype
    for plan in attention.PLANS:
        if plan.tile > MAX_TILE and dtype == torch.float32:
            continue
        attend: Callable[..., Any] = partial(attention.attend, plan=plan)
        change = {"attend": attend, "columns_by_position": attention.columns_by_position}
        ways.append((change, []))
    for shape in shapes:
        for rows, prefix in zip(ROWS, PREFIXES, strict=True):
            inputs = _attention_inputs(forward, shape, rows, prefix)
            masked, by_position, count = inputs[3], inputs[4], rows
            calls.append(partial(_head, plain.attend, *inputs[:3], masked, shape, count=count))
            for change, of_way in ways:
                attend = change["attend"]
                of_way.append(partial(_head, attend, *inputs[:3], by_position, shape, count=count))
    return Trial("attention", calls, ways)


def _attention_inputs(
    forward: FastForward, shape: Attention, rows: int, prefix: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, View, View]:
    """Query, keys, values, and a tree with two children per node in both forms of view."""
    like = forward.layers[0].products[0].weight
    columns = prefix + rows
    query = _some(like, rows, shape.heads, shape.head_dim)
    keys, values = (_some(like, 1, shape.key_heads, columns, shape.head_dim) for _ in range(2))
    ancestors = np.eye(rows, dtype=bool)
    for row in range(1, rows):
        ancestors[row] |= ancestors[(row - 1) // 2]
    written = Inputs(rows, like.device)
    written.write([0] * rows, prefix + ancestors.sum(1) - 1, prefix, ancestors)
    mask = TreeMask(like.dtype, like.device, shape.heads // shape.key_heads)
    visible = visible_columns(written.rows, columns, shape.window)
    by_position = View(
        rows=written.rows, columns=attention.columns_by_position(written.rows), reach=columns
    )
    return query, keys, values, View(mask.encode_copies(visible)), by_position


def _of_sums(layer: FastLayer) -> Trial:
    norms = layer.norms
    like = layer.products[0].weight
    given = [
        (_some(like, rows, like.shape[1]), _some(like, rows, like.shape[1]), *pair)
        for rows in ROWS
        for pair in norms
    ]
    return _trial("sums and norms", "add_norm", plain.add_norm, norm.add_norm, given)


def _of_places(layer: FastLayer) -> Trial:
    shape, like = layer.shape, layer.products[0].weight
    every = shape.heads + 2 * shape.key_heads
    given = []
    for rows in ROWS:
        cache = PrefixLayer()
        empty = like.new_zeros(1, shape.key_heads, 1, shape.head_dim)
        cache.lazy_initialization(empty, empty)
        cache.keys.zero_(), cache.values.zero_()
        cache.slots, cache.columns = torch.arange(rows, device=like.device), rows
        table = _some(like, rows, 2, 1, shape.head_dim)
        given.append(
            (_some(like, rows, every, shape.head_dim), (table[:, 0], table[:, 1]), shape, cache)
        )
    return _trial("rotation", "place", plain.place, rotary.place, given)


def _of_gates(layer: FastLayer) -> Trial:
    like = layer.products[2].weight
    given = [(_some(like, rows, like.shape[0]), layer.activation) for rows in ROWS]
    return _trial("gate", "gate", plain.gate, gate.gate, given)


def _of_ranks(forward: FastForward) -> Trial:
    like = forward.products[-1].weight
    given = [_some(like, rows, like.shape[0]) for rows in ROWS]
    calls = [partial(_ranked, pack_ranks, each) for each in given]
    return Trial(
        "ranks", calls, [({"pack_ranks": ranks.pack_ranks}, [partial(_ranked, ranks.pack_ranks, each) for each in given])]
    )  # fmt: skip


def _trial(
    name: str, field: str, usual: Callable[..., Any], kernel: Callable[..., Any], given: Sequence[tuple[Any, ...]]
) -> Trial:  # fmt: skip
    calls = [partial(_whole, usual, *each) for each in given]
    return Trial(
        name, calls, [({field: kernel}, [partial(_whole, kernel, *each) for each in given])]
    )


def _whole(operation: Callable[..., Any], *given: Any) -> tuple[torch.Tensor, ...]:
    found = operation(*given)
    return found if isinstance(found, tuple) else (found,)


def _head(operation: Callable[..., Any], *given: Any, count: int) -> tuple[torch.Tensor, ...]:
    return (operation(*given)[:count],)


def _ranked(pack: Callable[..., torch.Tensor], logits: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The ranked logits and their probabilities, whatever the order of equal logits."""
    packed = pack(logits, RANKS)
    wanted = (packed.shape[1] - 1) // 2
    ids = packed[:, : 1 + wanted].long().clamp(0, logits.shape[1] - 1)
    shares = packed[:, 1 + wanted :].contiguous().view(torch.float32)
    return logits.gather(1, ids), shares


def _some(like: torch.Tensor, *shape: int) -> torch.Tensor:
    """Random numbers, the same for the same shape."""
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator).to(like.device, like.dtype)


def _near(found: Sequence[torch.Tensor], wanted: Sequence[torch.Tensor]) -> bool:
    return all(
        bool(
            (one.double() - other.double()).abs().max()
            <= (ROUNDINGS * torch.finfo(other.dtype).eps + SUMS) * other.double().abs().max()
        )
        for one, other in zip(found, wanted, strict=True)
    )


def _all(calls: Sequence[Call]) -> None:
    for call in calls:
        call()
