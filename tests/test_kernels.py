"""Forwards with kernels compute the same logits, whose bits don't depend on what else is in the forward; kernels
are taken where they are right and faster, and nothing that goes wrong with them ends a run."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from support.fakes import finished
from support.families import FAST, apart, model, runner
from support.interpreter import DEVICE

from logitspec import decode
from logitspec.models import kernels
from logitspec.models.checks import check_tree_equivalence
from logitspec.models.kernels import enable_kernels, take_kernels
from logitspec.models.loader import prepare
from logitspec.runtime.fast import FastForward
from logitspec.runtime.graphs import CudaGraphs, uncaptured
from logitspec.runtime.kernels import attention, choice, gate, norm, rotary
from logitspec.runtime.kernels.attention import Plan
from logitspec.runtime.kernels.choice import Trial, choose
from logitspec.runtime.operations import PLAIN, Operations
from logitspec.runtime.product import Product, in_pieces, plain
from logitspec.runtime.runner import Runner
from logitspec.runtime.shapes import EXACT_SIZES
from logitspec.trace.tree import DraftTree, Origin, Provenance

EXACT = (8, 80)
DTYPES = {torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 0.01}
# The strictest dtype in each family; the others in the plainest family, and in the one with most of its own.
FAMILIES = [
    *((family, torch.float32) for family in FAST),
    *product(("fast", "fast-gemma2"), (torch.bfloat16, torch.float16)),
]
PLAN = Plan(16, 16, 32)
# All but the ranks: an interpreter takes seconds to sort.
KERNELS = Operations(
    norm.add_norm,
    rotary.place,
    partial(attention.attend, plan=PLAN),
    gate.gate,
    columns_by_position=attention.columns_by_position,
)
PROMPT = [int(token) for token in np.random.default_rng(5).integers(0, 40, 13)]
NODES = [(-1, 3), (0, 5), (0, 9), (1, 7)]  # parent and token; another branch is in between


@pytest.fixture(autouse=True)
def few_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logitspec.runtime.shapes.MIN_COLUMNS", 32)


def target_with(family: str, dtype: torch.dtype, by: Operations, sizes: Sequence[int]) -> Runner:
    """With plain products, as on a GPU; with one layer where the family's are all alike: an interpreter is slow."""
    net = copy.deepcopy(model(family, dtype)).to(DEVICE)
    kinds = getattr(net.config, "layer_types", None) or []
    if len(set(kinds)) < 2:
        net.model.layers = net.model.layers[:1]
        net.config.num_hidden_layers = 1
        if kinds:
            net.config.layer_types = kinds[:1]
    target = prepare(net)
    target.use_forward(FastForward(target.model))
    target.forward.operations = by
    target.enable_replay(uncaptured if DEVICE.type == "cpu" else CudaGraphs(DEVICE), sizes)
    return target


def some_tree() -> DraftTree:
    tree = DraftTree(NODES[0][1])
    for parent, token in NODES[1:]:
        tree.add(parent, token, Provenance(Origin.LOGIT), merge=False)
    return tree


@pytest.mark.parametrize(("family", "dtype"), FAMILIES)
def test_rows_are_those_of_plain_operations_and_of_the_row_alone(
    family: str, dtype: torch.dtype
) -> None:
    """Near the former, and with the same bits as the latter."""
    target = target_with(family, dtype, KERNELS, (4,))
    usual = target_with(family, dtype, PLAIN, (4,))
    with torch.inference_mode():
        target.prefill(PROMPT), usual.prefill(PROMPT)
        together = target.tree_logits(some_tree()).clone()
        assert apart(together, usual.tree_logits(some_tree())) < DTYPES[dtype]
        for node in (0, 1, 3):
            alone = target.tree_logits(DraftTree(NODES[node][1]))[0]
            assert torch.equal(alone, together[node]), node
            target.length += 1


def test_a_text_with_kernels_is_that_of_plain_operations() -> None:
    """Through commits, ranks and buffers that move; drafts or none, the same tokens in half precision."""
    target = target_with("fast", torch.bfloat16, KERNELS, (4,))
    options = {"draft_tree_capacity": 4, "num_pred_tokens": 3}
    drafted = finished(decode(target, PROMPT, "logitspec_paper", 8, **options))
    written = finished(decode(target, PROMPT, "autoregressive", 5))
    assert drafted.output_ids[:5] == written.output_ids


def test_products_take_as_many_rows_at_a_time() -> None:
    product = Product(torch.randn(5, 7), torch.randn(5))
    for rows in (1, 64, 65, 128, 512):
        given = torch.randn(rows, 7)
        assert torch.allclose(in_pieces(product, given), plain(product, given), atol=1e-6)
    first = torch.randn(64, 7)
    assert torch.equal(in_pieces(product, torch.cat((first, first)))[64:], plain(product, first))


# Which kernels are taken


def clock_of(seconds: Sequence[float]) -> Any:
    return lambda functions: list(seconds[: len(functions)])


def trial(kernel: float) -> Trial:
    """An operation that gives 1, and a kernel that gives `kernel`."""

    def giving(number: float) -> Callable[[], tuple[torch.Tensor]]:
        return lambda: (torch.tensor([number, 1.0]),)

    return Trial("gate", [giving(1.0)], [({"gate": gate.gate}, [giving(kernel)])])


@pytest.mark.parametrize(
    ("kernel", "seconds", "taken", "message"),
    [
        (1.0 + 1e-7, [2e-6, 1e-6], True, "gate by a kernel (1 us against 2)"),
        (1.0, [1e-6, 2e-6], False, "gate plain (2 us against 1)"),
        (1.01, [2e-6, 1e-6], False, "gate plain (its kernel computes something else)"),
        (torch.nan, [2e-6, 1e-6], False, "gate plain (its kernel computes something else)"),
    ],
)
def test_a_kernel_is_taken_where_it_is_right_and_faster(
    kernel: float, seconds: list[float], taken: bool, message: str
) -> None:
    result = choose([trial(kernel)], clock_of(seconds))
    assert (result.operations.gate is gate.gate) is taken
    assert result.about == message
    assert result.by_position is None


@pytest.fixture
def small_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "ROWS", (1, 3))
    monkeypatch.setattr(choice, "PREFIXES", (5, 20))
    monkeypatch.setattr(choice, "RANKS", 4)
    monkeypatch.setattr(attention, "PLANS", (PLAN, Plan(16, 16, 16)))


@pytest.mark.usefixtures("small_trials")
@pytest.mark.parametrize("family", ["fast-gemma2", "fast-qwen3", "fast-olmo2", "fast-phi3"])
def test_the_trials_of_a_model_find_all_kernels_right(family: str) -> None:
    target = target_with(family, torch.bfloat16, PLAIN, (8,))
    result = choose(choice.trials(target.forward), clock_of([3e-6, 2e-6, 1e-6]))  # type: ignore[arg-type]
    assert result.about.count("by a kernel") == 5
    assert result.operations.attend.keywords == {"plan": Plan(16, 16, 16)}  # type: ignore[attr-defined]
    assert result.by_position == result.operations


@pytest.mark.usefixtures("small_trials")
def test_attention_by_position_serves_exactness_where_it_is_not_faster() -> None:
    target = target_with("fast", torch.float32, PLAIN, (8,))
    of_attention = [choice.trials(target.forward)[0]]  # type: ignore[arg-type]
    result = choose(of_attention, clock_of([1e-6, 3e-6, 2e-6]))
    assert result.operations is PLAIN
    assert result.by_position is not None
    assert result.by_position.attend.keywords == {"plan": Plan(16, 16, 16)}  # type: ignore[attr-defined]


# What a target does with them


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setattr(kernels, "EXACT_SIZES", EXACT)
    target = target_with("fast", torch.float32, PLAIN, (1, 8, 80))
    target.info = {"environment": {}}
    return target


def probed(target: Runner, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A probe that is quick in the interpreter."""
    probe, errors = check_tree_equivalence(runner("fast", dtype=torch.float32), "net")
    monkeypatch.setattr(probe, "errors", lambda target: errors)
    monkeypatch.setattr(probe, "dependent_rows", lambda target: 0)
    return probe, errors


def found_by(monkeypatch: pytest.MonkeyPatch, operations: Operations, by_position: Any) -> None:
    chosen = choice.Choice(operations, by_position, "as found")
    monkeypatch.setattr(choice, "choose", lambda trials, clock: chosen)


@pytest.mark.parametrize(
    ("arguments", "cost", "message", "exact"),
    [
        (None, 1.05, "yes, for 5% of a step", True),
        (None, 1.2, "no: it would cost 20% of a step", False),
        (True, 1.2, "yes, for 20% of a step", True),
        (False, 1.0, "no: it was turned off", False),
    ],
)
def test_a_target_is_exact_where_that_is_cheap_or_wanted(
    target: Runner,
    monkeypatch: pytest.MonkeyPatch,
    arguments: bool | None,
    cost: float,
    message: str,
    exact: bool,
) -> None:
    seconds = iter([[1.0], [cost]])
    monkeypatch.setattr(kernels, "forward_seconds", lambda *given: next(seconds))
    fastest = replace(PLAIN, gate=gate.gate)
    found_by(monkeypatch, fastest, KERNELS)
    probe, errors = probed(target, monkeypatch)
    take_kernels(target, probe, errors, [], arguments)
    assert target.info["environment"] == {"kernels": "as found", "exact": message}
    assert target.replay is not None
    assert (target.replay.sizes == EXACT) is exact
    assert target.forward.operations is (KERNELS if exact else fastest)
    assert (target.at_best_shape is not None) is exact
    if target.at_best_shape is not None:
        other = target.at_best_shape()
        assert other.forward.operations is fastest
        assert other.info["environment"]["exact"] == "no"
        assert other.replay is not None
        assert other.replay.sizes[0] == 1


@pytest.mark.parametrize(("uneven", "rows"), [(0.0, 0), (1e-6, 8)])
def test_dependent_rows_are_found(
    uneven: float, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a row changes a little in forwards over many rows, by products of another shape."""
    probe, _ = check_tree_equivalence(runner("fast", dtype=torch.float32), "net")
    monkeypatch.setattr(probe, "places", [9])

    class Rounds(Runner):
        def tree_logits(self, tree: DraftTree) -> torch.Tensor:
            factor = 1 + uneven * (len(tree) > 64)
            return factor * torch.tensor([[1.0, float(token)] for token in tree.tokens])

    assert probe.dependent_rows(runner("fast", Rounds, torch.float32)) == rows


def test_rows_that_depend_on_others_are_not_called_exact(
    target: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe, errors = probed(target, monkeypatch)
    monkeypatch.setattr(probe, "dependent_rows", lambda target: 3)
    monkeypatch.setattr(kernels, "forward_seconds", lambda *given: [1.0])
    found_by(monkeypatch, PLAIN, KERNELS)
    take_kernels(target, probe, errors, [], True)
    note = target.info["environment"]["exact"]
    assert note == "no: rows depend on what else is in the forward"
    assert target.forward.operations is PLAIN


def test_kernels_whose_logits_are_wrong_are_not_used(
    target: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe, errors = probed(target, monkeypatch)
    monkeypatch.setattr(probe, "errors", lambda target: errors + 1.0)
    found_by(monkeypatch, KERNELS, KERNELS)
    take_kernels(target, probe, errors, [], None)
    assert target.info["environment"]["kernels"].startswith("none: their logits are 1 standard")
    assert target.forward.operations is PLAIN


def test_what_fails_is_one_line_and_plain_operations(
    target: Runner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(forward: Any) -> Any:
        raise RuntimeError("no C compiler\nand so on")

    monkeypatch.setattr(choice, "trials", fail)
    enable_kernels(target, *probed(target, monkeypatch))
    environment = target.info["environment"]
    assert environment == {
        "kernels": "none: RuntimeError: no C compiler",
        "exact": "no: it takes kernels",
    }
    assert target.forward.operations is PLAIN
    assert len(caplog.messages) == 1


def test_a_run_does_not_wait_for_a_compiler(
    target: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins with plain operations, and the next text has the kernels."""
    ready = threading.Event()
    monkeypatch.setattr(kernels, "PATIENCE", 0.0)
    monkeypatch.setattr(kernels, "forward_seconds", lambda *given: [1.0])
    monkeypatch.setattr(choice, "trials", lambda forward: [])
    monkeypatch.setattr(choice, "compile_all", lambda trials: ready.wait(60))
    found_by(monkeypatch, KERNELS, KERNELS)
    enable_kernels(target, *probed(target, monkeypatch))
    assert target.info["environment"]["kernels"] == "not yet: kernels are being compiled"
    first = finished(decode(target, PROMPT, "autoregressive", 3))
    assert first.environment["exact"] == "not yet: kernels are being compiled"
    beside = target.with_new_cache()
    assert beside.improve is None
    ready.set()
    [thread] = [each for each in threading.enumerate() if each.name == "kernels"]
    thread.join(60)
    second = finished(decode(target, PROMPT, "autoregressive", 3))
    assert second.environment["kernels"] == "as found"
    assert target.forward.operations is KERNELS
    assert beside.forward.operations is PLAIN
    assert second.output_ids == first.output_ids


def test_what_kernels_are_not_for(target: Runner) -> None:
    assert kernels.no_kernels(target) is None
    target.disable_replay("enough")
    assert kernels.no_kernels(target) == "forwards are not replayed"
    exact = runner("fast")
    exact.enable_replay(uncaptured)
    assert kernels.no_kernels(exact) == "they are not for float64"
    stock = runner("llama")
    stock.enable_replay(uncaptured)
    assert kernels.no_kernels(stock) == "they are for the fast forward"


def test_exact_sizes_hold_what_a_method_may_draft() -> None:
    assert EXACT_SIZES[-1] == 128
