"""How long a forward and a step take on a device, for a model of a given shape.

Time does not depend on the weights, so nothing is downloaded: random weights are made on the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from logitspec.models.checks import check_tree_equivalence
from logitspec.models.kernels import enable_kernels
from logitspec.models.loader import prepare
from logitspec.models.speed import enable_fast_forward, enable_graphs
from logitspec.runtime.clock import INNER, repeated, seconds_of
from logitspec.runtime.graphs import uncaptured
from logitspec.runtime.runner import Runner
from logitspec.trace.tree import DraftTree, Origin, Provenance

REPEATS = 7

_TINY = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
_TINY |= {"num_attention_heads": 4, "num_key_value_heads": 2}


def _sizes(*numbers: int) -> dict[str, Any]:
    names = [*_TINY]
    return dict(zip(names, numbers, strict=True))


SHAPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "tiny": (LlamaConfig, _TINY),
    "qwen2-0.5b": (
        Qwen2Config,
        {**_sizes(151936, 896, 4864, 24, 14, 2), "tie_word_embeddings": True},
    ),
    "llama-0.5b": (
        LlamaConfig,
        {**_sizes(151936, 896, 4864, 24, 14, 2), "tie_word_embeddings": True},
    ),
    "llama-1.5b": (
        LlamaConfig,
        {**_sizes(151936, 1536, 8960, 28, 12, 2), "tie_word_embeddings": True},
    ),
    "llama-7b": (LlamaConfig, _sizes(32000, 4096, 11008, 32, 32, 32)),
    "smollm2-135m": (
        LlamaConfig,
        {**_sizes(49152, 576, 1536, 30, 9, 3), "tie_word_embeddings": True},
    ),
}


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is measured: trees of `rows` rows after texts of `contexts` tokens; with kernels, and without graphs, only
    of `few` rows."""

    rows: Sequence[int] = (1, 8, 16, 32, 64, 128)
    contexts: Sequence[int] = (256, 2048)
    few: Sequence[int] = (1, 8, 64)


def random_target(shape: str, device: torch.device, dtype: torch.dtype) -> Runner:
    """A target with random weights in a shape of SHAPES, using its faster forward if it has one."""
    kind, options = SHAPES[shape]
    config = kind(max_position_embeddings=4096, **options)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(
            config, dtype=dtype, attn_implementation="sdpa"
        ).eval()
    target = prepare(model, name=f"random {shape}")
    probe = check_tree_equivalence(target, f"random {shape}")
    target.info["environment"]["forward"] = enable_fast_forward(target, *probe)
    return target


def measure_shape(
    target: Runner, sweep: Sweep, late: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """The sweep with graphs, then with kernels in them, then without graphs; a row of figures for each tree,
    until it is `late`.

    "kernels" takes the shape that is fastest for each number of rows, "exact" one shape for all. On a CPU the
    padded forward of fixed shape, uncaptured, takes the place of graphs.
    """
    note = _start_replay(target)
    if target.replays:
        yield from _sweep(target, sweep, "graphs", late)
        with_kernels = replace(sweep, rows=sweep.few)
        _take_kernels(target)
        if target.at_best_shape is not None:
            yield from _sweep(target, with_kernels, "exact", late)
        best = target if target.at_best_shape is None else target.at_best_shape()
        yield from _sweep(best, with_kernels, "kernels", late)
        note = note if target.replays else target.info["environment"]["graphs"]
        target.disable_replay("everything was measured")
    target.info["environment"]["graphs"] = note
    launched = replace(sweep, rows=sweep.few, contexts=sweep.contexts[:1])
    yield from _sweep(target, launched, "plain", late)


def _sweep(
    target: Runner, sweep: Sweep, mode: str, late: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    for context in sweep.contexts:
        target.prefill([place % 61 for place in range(context)])
        for rows in sweep.rows:
            if late():
                return
            figures = _figures(target, _tree(rows))
            if mode != "plain" and not target.replays:  # the replay has just failed
                return
            yield {"mode": mode, "context": context, **figures}


def _start_replay(target: Runner) -> str:
    """Make `target` replay; returns a note on whether it does."""
    if target.model.device.type == "cuda":
        return enable_graphs(target, *check_tree_equivalence(target, "the model"))
    target.enable_replay(uncaptured)
    return "none: fixed shapes, not captured"


def _take_kernels(target: Runner) -> None:
    if target.model.device.type == "cuda":
        probe = check_tree_equivalence(target, "the model")
        enable_kernels(target, *probe, exact=True)


@torch.inference_mode()
def _figures(target: Runner, tree: DraftTree) -> dict[str, Any]:
    """Median milliseconds of a forward on the device's clock, and of the parts of a step on the host's.

    A step here is verify and commit; drafting is measured with the built-in model.
    overhead_ms: the time of a step beyond the forward's own.
    """
    length = target.length
    forward = device_seconds(_forward_over(target, tree), target.model.device)
    verify, commit = [], []
    for _ in range(REPEATS):
        start = perf_counter()
        target.verify(tree)
        middle = perf_counter()
        target.commit([0, 2] if len(tree) > 2 else [0])  # node 2 skips node 1, so rows must move
        settle(target.model.device)
        verify.append(middle - start)
        commit.append(perf_counter() - middle)
        target.length = length
    step = median(verify) + median(commit)
    parts = {"forward": forward, "verify": median(verify), "commit": median(commit)}
    milliseconds = {f"{name}_ms": round(1000 * each, 4) for name, each in parts.items()}
    return {"rows": len(tree), **milliseconds, "overhead_ms": round(1000 * (step - forward), 4)}


def _forward_over(target: Runner, tree: DraftTree) -> Callable[[], Any]:
    """The forward over `tree` after the prefix, to be timed; its result is not read. A captured one is
    replayed with its inputs, any other is launched again."""
    target.tree_logits(tree)
    return partial(target.tree_logits, tree) if target.replay is None else target.replay.repeat


def _tree(rows: int) -> DraftTree:
    tree = DraftTree(1)
    for node in range(1, rows):
        tree.add((node - 1) // 2, 2 + node % 50, Provenance(Origin.LOGIT), merge=False)
    return tree


def device_seconds(run: Callable[[], Any], device: torch.device) -> float:
    """Median seconds of `run` on the device's own clock; on a CPU, on the host's."""
    run()
    if device.type != "cuda":
        return median(seconds_of(run, device) for _ in range(REPEATS))
    return median(seconds_of(repeated(run), device) / INNER for _ in range(REPEATS))


def settle(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def copy_bandwidth(device: torch.device, size: int) -> dict[str, Any]:
    """The bandwidth of a copy of `size` bytes within the device; bytes read and written both count."""
    source = torch.randint(0, 255, (size,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    seconds = device_seconds(lambda: target.copy_(source), device)
    return {"bytes": size, "gb_per_second": round(2 * size / seconds / 1e9, 1)}


def bytes_per_forward(target: Runner, context: int) -> int:
    """Bytes that a forward over one row must read: weights, and keys and values of `context` rows."""
    model = target.model
    tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    weights = sum(each.numel() * each.element_size() for each in model.parameters())
    if not tied:  # only one row of the table is read
        table = model.get_input_embeddings().weight
        weights -= table.numel() * table.element_size()
    text = model.config
    head_dim = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    row = 2 * text.num_hidden_layers * text.num_key_value_heads * head_dim * model.dtype.itemsize
    return int(weights + context * row)
