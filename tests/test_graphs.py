"""Forwards of fixed shape, padded and replayed, compute what the plain ones do."""

from __future__ import annotations

import copy
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from support.fakes import finished
from support.families import CONFIGS, FAST, WINDOW, apart, model, runner
from support.tape import Taped
from support.trees import path, tree

from logitspec import decode
from logitspec.models.checks import check_tree_equivalence
from logitspec.models.loader import prepare
from logitspec.models.speed import enable_graphs, no_graphs
from logitspec.runtime.fast import FastForward
from logitspec.runtime.graphs import (
    CapturedFunction,
    CaptureError,
    CudaGraphs,
    uncaptured,
)
from logitspec.runtime.masks import visible_columns
from logitspec.runtime.ranks import HostCopy, pack_ranks, topk, unpack_ranks, upcast
from logitspec.runtime.runner import Runner
from logitspec.runtime.shapes import BUCKETS, MOVES, Rows, bucket_for, columns_for
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.sampling import Sampling
from logitspec.trace.tree import DraftTree, Origin, Provenance

FAMILIES = pytest.mark.parametrize("family", [*CONFIGS, *FAST])
CPU = torch.device("cpu")


def replaying(family: str, capture: Any = uncaptured, dtype: torch.dtype = torch.float64) -> Runner:
    target = runner(family, dtype=dtype)
    target.info = {"environment": {}}
    target.enable_replay(capture)
    return target


@torch.inference_mode()
def logits(target: Runner, draft: Any) -> torch.Tensor:
    return target.tree_logits(draft).clone()


@FAMILIES
def test_a_tape_of_one_step_computes_all_others(family: str) -> None:
    """Trees and chains, padded and not, several steps with commits; whatever Python froze into a capture
    would be wrong at the next prefix."""
    rng = np.random.default_rng(3)
    taped = Taped()
    fixed, plain = replaying(family, taped), runner(family)
    prompt = rng.integers(40, size=19).tolist()
    fixed.prefill(prompt), plain.prefill(prompt)
    steps = [(5, False), (7, False), (1, False), (8, True), (1, False), (20, False), (18, True)]
    for nodes, chain in steps:
        draft = tree(rng, nodes, chain)
        assert apart(logits(fixed, draft), logits(plain, draft)) < 1e-5
        accepted = path(rng, draft)
        fixed.commit(accepted), plain.commit(accepted)
    assert fixed.replays
    assert taped.captures == len({bucket_for(nodes) for nodes, _ in steps}) == 3
    assert taped.replays == len(steps)


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("family", ["gemma3", "fast"])
def test_what_a_step_tells_is_what_it_told(family: str, temperature: float) -> None:
    rng = np.random.default_rng(8)
    fixed, plain = replaying(family, dtype=torch.float32), runner(family, dtype=torch.float32)
    for target in (fixed, plain):
        target.prefill(list(range(12)), Sampling(temperature, seed=4))
    for nodes in (6, 1, 40):
        draft = tree(rng, nodes)
        actual, expected = fixed.verify(draft), plain.verify(draft)
        assert actual.choices == expected.choices
        for mine, other in zip(actual.topk, expected.topk, strict=True):
            assert mine.ids == other.ids
            assert mine.probs == pytest.approx(other.probs, rel=2e-3)


def test_a_long_text_moves_the_buffers_and_is_captured_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("logitspec.runtime.cache.FIRST_ROWS", 8)
    monkeypatch.setattr("logitspec.runtime.shapes.MIN_COLUMNS", 16)
    taped = Taped()
    fixed = replaying("fast", taped)
    trace = finished(decode(fixed, list(range(9)), "logitspec_paper", 60))
    expected = finished(decode(runner("fast"), list(range(9)), "logitspec_paper", 60))
    assert trace.output_ids == expected.output_ids
    assert fixed.replays
    before = taped.captures
    again = finished(decode(fixed, list(range(9)), "logitspec_paper", 60))
    assert again.output_ids == expected.output_ids
    assert taped.captures - before < before  # the buffers have grown: what was captured since stays


@pytest.mark.parametrize("family", ["fast", "gemma3"])
def test_a_text_after_one_that_filled_the_memory_is_written_right(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The larger buffers could not be had, so the cache still has the smaller ones."""
    monkeypatch.setattr("logitspec.runtime.cache.FIRST_ROWS", 8)
    monkeypatch.setattr("logitspec.runtime.shapes.MIN_COLUMNS", 16)
    fixed = replaying(family)
    prompt = (list(range(9)) * 40)[:300]
    finished(decode(fixed, prompt[:9], "logitspec_paper", 3))

    def full(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")

    with monkeypatch.context() as patch:
        patch.setattr("logitspec.runtime.cache._shape", full)
        with pytest.raises(torch.OutOfMemoryError):
            finished(decode(fixed, prompt, "logitspec_paper", 60))
    for text in (prompt[:9], prompt):
        trace = finished(decode(fixed, text, "logitspec_paper", 60))
        expected = finished(decode(runner(family), text, "logitspec_paper", 60))
        assert trace.output_ids == expected.output_ids
    assert fixed.replays


def test_a_text_longer_than_the_first_buffer_comes_before_any_graph() -> None:
    fixed, plain = replaying("fast", Taped()), runner("fast")
    prompt = (list(range(40)) * 8)[:300]
    for target in (fixed, plain):
        target.prefill(prompt)
    draft = tree(np.random.default_rng(1), 9)
    assert apart(logits(fixed, draft), logits(plain, draft)) < 1e-9
    fixed.prefill([1, 2, 3])
    fixed.verify(draft)
    fixed.prefill(prompt)
    assert apart(logits(fixed, draft), logits(plain, draft)) < 1e-9


@pytest.mark.parametrize("family", ["llama", "fast"])
@pytest.mark.parametrize("moves", [MOVES, 2], ids=["in the next replay", "at once"])
def test_accepted_rows_move_before_the_next_forward(
    family: str, moves: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gaps in a path, twice, with a shape captured in between, and in a path too long to leave for a replay; against a
    runner that moves rows immediately."""
    long = [0, *range(2, 3 + MOVES)]
    monkeypatch.setattr("logitspec.runtime.cache.MOVES", moves)
    fixed, plain = replaying(family, Taped()), runner(family)
    prompt = list(range(1, 12))
    fixed.prefill(prompt), plain.prefill(prompt)
    for size, accepted in (
        (9, [0, 2, 4, 6]),
        (9, [0, 3, 6, 8]),
        (20, [0, 1, 5]),
        (48, long),
        (9, [0]),
    ):
        draft = _with_gaps(size, accepted)
        assert apart(logits(fixed, draft), logits(plain, draft)) < 1e-6
        fixed.commit(accepted), plain.commit(accepted)
    assert fixed.replays


def _with_gaps(size: int, accepted: list[int]) -> DraftTree:
    """A tree in which `accepted` is a path, and all other nodes are children of the root."""
    above = {node: parent for parent, node in pairwise(accepted)}
    draft = DraftTree(3)
    for node in range(1, size):
        draft.add(above.get(node, 0), 3 + node % 16, Provenance(Origin.LOGIT), merge=False)
    return draft


def _chain(*tokens: int) -> DraftTree:
    draft = DraftTree(tokens[0])
    for token in tokens[1:]:
        draft.add(len(draft) - 1, token, Provenance(Origin.LOGIT), merge=False)
    return draft


def test_captures_read_positions_that_exist() -> None:
    """Otherwise a kernel that maps positions after the prefix would write before its buffer."""
    seen: list[bool] = []

    def note(rows: Rows, columns: int) -> tuple[torch.Tensor]:
        seen.append(bool((rows.positions >= rows.slots[0]).all()))
        return (rows.tokens,)

    def at_once(run: Any) -> Any:
        run()
        return run

    CapturedFunction(note, CPU, at_once, (1, 8)).prepare(500)
    assert seen == [True, True]


@pytest.mark.parametrize("family", ["gpt2", "fast"])
def test_captures_near_the_end_of_the_context_read_positions_that_the_model_has(
    family: str,
) -> None:
    """GPT-2 looks positions up in a table."""
    prompt, taped = (list(range(40)) * 11)[:440], Taped()
    target = replaying(family, taped)
    steps = decode(target, prompt, "logitspec_paper", 300)
    next(steps)
    before = taped.captures
    trace = finished(steps)
    assert (trace.finish, len(trace.output_ids)) == ("context", 512 - 440)
    assert target.replays, trace.environment["graphs"]
    assert taped.captures == before
    expected = finished(decode(runner(family), prompt, "logitspec_paper", 300))
    assert trace.output_ids == expected.output_ids


def test_a_step_is_launched_and_then_waited_for() -> None:
    """A launched step is what the next verify of the same tree returns, and of no other."""
    target, other = replaying("fast"), replaying("fast")
    assert not runner("fast").launch(_chain(3))
    prompt = list(range(1, 9))
    target.prefill(prompt), other.prefill(prompt)
    drafts = [_chain(3, 4, 5), _chain(3, 4, 9)]
    assert target.launch(drafts[0])
    assert target.verify(drafts[0]).topk == other.verify(drafts[0]).topk
    assert target.launch(drafts[0])
    assert target.verify(drafts[1]).topk == other.verify(drafts[1]).topk
    assert target.verify(drafts[0]).topk == other.verify(drafts[0]).topk


def test_trees_beyond_the_largest_bucket_run_as_before() -> None:
    fixed, plain = replaying("fast"), runner("fast")
    draft = tree(np.random.default_rng(2), BUCKETS[-1] + 1)
    for target in (fixed, plain):
        target.prefill([1, 2, 3])
    assert apart(logits(fixed, draft), logits(plain, draft)) < 1e-9


def test_a_number_that_is_none_does_not_outlive_its_text() -> None:
    """0 times NaN is NaN: a mask does not hide it."""
    fixed = replaying("fast")
    fixed.prefill([1, 2, 3])
    fixed.verify(tree(np.random.default_rng(2), 3))
    with torch.inference_mode():
        for layer in fixed.forward.cache.layers:
            layer.values[:, :, 100:] = torch.nan
    fixed.prefill([1, 2, 3])
    assert fixed.verify(tree(np.random.default_rng(2), 3)).choices


def test_no_step_captures_what_was_to_be_expected() -> None:
    taped = Taped()
    target = replaying("fast", taped)
    prompt = (list(range(40)) * 8)[:250]  # 256, 384 and 512 columns
    steps = decode(target, prompt, "logitspec_paper", 130)
    next(steps)
    assert taped.captures == 3 * len(BUCKETS)
    written = finished(steps)
    assert taped.captures == 3 * len(BUCKETS)
    expected = finished(decode(runner("fast"), prompt, "logitspec_paper", 130))
    assert written.output_ids == expected.output_ids


@pytest.mark.parametrize("family", ["gpt2", "fast"])
def test_a_new_cache_shares_weights_but_not_text_owner_or_captures(family: str) -> None:
    target = replaying(family)
    target.claim("a run")
    target.prefill([1, 2, 3])
    other = target.with_new_cache()
    assert other.model is target.model
    assert other.owner == ""
    assert other.length == 0
    assert other.replay is not target.replay
    other.claim("another run")
    other.prefill([4, 5]), other.verify(tree(np.random.default_rng(2), 5)), other.commit([0])
    assert (target.owner, target.length) == ("a run", 3)
    draft, plain = tree(np.random.default_rng(3), 5), runner(family)
    plain.prefill([1, 2, 3])
    assert apart(logits(target, draft), logits(plain, draft)) < 1e-9
    other.disable_replay("it is enough")
    assert target.replays


def test_targets_beside_each_other_have_captures_of_their_own() -> None:
    taped = Taped()
    fixed = replaying("fast", taped)
    twin = fixed.with_new_cache()
    twin.reserve(4, 50)
    assert taped.captures == len(BUCKETS)
    fixed.prefill([1, 2, 3]), twin.prefill([9, 8, 7, 6])
    assert taped.captures == len(BUCKETS)
    draft, plain = tree(np.random.default_rng(2), 5), runner("fast")
    result = logits(fixed, draft), logits(twin, draft)
    for prompt, mine in zip(([1, 2, 3], [9, 8, 7, 6]), result, strict=True):
        plain.prefill(prompt)
        assert apart(mine, logits(plain, draft)) < 1e-9
    assert taped.captures == len(BUCKETS) + 1


def test_a_capture_that_fails_is_told_in_the_trace_and_the_run_goes_on() -> None:
    taped = Taped(refuses=lambda number: number == 1)
    target = replaying("fast", taped)
    target.prefill([1, 2, 3]), target.verify(tree(np.random.default_rng(2), 1))
    assert target.replays
    trace = finished(decode(target, list(range(9)), "logitspec_paper", 30))
    expected = finished(decode(runner("fast"), list(range(9)), "logitspec_paper", 30))
    assert trace.output_ids == expected.output_ids
    assert taped.captures == 2
    assert not target.replays
    note = trace.environment["graphs"]
    assert note.startswith("none: the capture over ")
    assert note.endswith(" rows failed (operation not permitted when stream is capturing)")


def test_what_the_host_waits_for_can_not_be_captured() -> None:
    def waits(rows: Rows, columns: int) -> tuple[torch.Tensor, ...]:
        return (rows.tokens * int(rows.tokens.sum()),)

    with pytest.raises(CaptureError, match=r"over 1 rows failed .*_local_scalar_dense"):
        CapturedFunction(waits, CPU, Taped())([3], np.array([0]), 0, np.eye(1, dtype=bool))


def test_buckets_and_columns() -> None:
    assert [bucket_for(rows) for rows in (1, 2, 3, 17, 64, 65, 128)] == [1, 2, 4, 24, 64, 96, 128]
    expected = {1: 256, 256: 256, 257: 384, 384: 384, 385: 512, 1024: 1024, 1025: 1536, 2049: 3072}
    assert {rows: columns_for(rows) for rows in expected} == expected


@pytest.mark.parametrize("window", [None, WINDOW, 200])
def test_rows_see_prefix_ancestors_and_as_far_as_the_window(window: int | None) -> None:
    rng = np.random.default_rng(5)
    for prefix, given in [(9, 5), (0, 3), (30, 8), (230, 5)]:
        draft = tree(rng, given)
        depths = np.array(draft.depths())
        noted: list[torch.Tensor] = []

        def note(rows: Rows, columns: int, log: list[torch.Tensor] = noted) -> Any:
            log.append(visible_columns(rows, columns, window))
            return (rows.tokens,)

        ancestors = np.array(
            [[node in draft.path_to(row) for node in range(given)] for row in range(given)]
        )
        CapturedFunction(note, CPU, uncaptured)(draft.tokens, prefix + depths, prefix, ancestors)
        actual = noted[0].numpy()
        for row in range(given):
            behind = [*range(prefix), *(prefix + depths)]
            near = [prefix + depths[row] - at < (window or 10**9) for at in behind]
            expected = near & np.concatenate([np.ones(prefix, dtype=bool), ancestors[row]])
            assert actual[row, : prefix + given].tolist() == expected.tolist()
        assert not actual[:given, prefix + given :].any()
        assert actual.any(1).all()  # a row that sees nothing is NaN


def test_packed_ranks_are_those_of_the_logits() -> None:
    rows = torch.randn(5, 300, generator=torch.Generator().manual_seed(1)) * 3
    packed = HostCopy().begin(pack_ranks(rows, 16))()
    assert packed[:, 0].tolist() == rows.argmax(-1).tolist()
    for mine, other in zip(unpack_ranks(packed, 16), topk(rows, 16), strict=True):
        assert mine.ids == other.ids
        assert mine.probs == pytest.approx(other.probs, rel=2e-3)
    assert len(unpack_ranks(packed, 8)[0]) == 8


def test_the_choice_comes_first_among_tokens_that_are_equally_likely() -> None:
    """Otherwise a greedy run in half precision would be told as a draw of its second choice."""
    rows = torch.randn(200, 4000, generator=torch.Generator().manual_seed(1)).mul(4).bfloat16()
    rows[0] = 1.0  # more of them than are ranked
    chosen = rows.argmax(-1).tolist()
    packed = HostCopy().begin(pack_ranks(rows, 16))()
    for best in (topk(upcast(rows), 16), unpack_ranks(packed, 16)):
        assert [each.ids[0] for each in best] == chosen
        assert all(len(set(each.ids)) == 16 for each in best)
        for row, each in zip(rows, best, strict=True):
            assert row[each.ids].tolist() == row.topk(16).values.tolist()


def test_probabilities_keep_four_digits() -> None:
    """As Python's own formatting rounds them."""
    exponents = np.random.default_rng(2).uniform(-17.9, 0, 3000)
    probs = torch.tensor([*(10.0**exponents), 1.0, 0.1, 1e-4, 0.99999, 0.0], dtype=torch.float32)
    packed = torch.cat(
        (torch.zeros(len(probs), 2, dtype=torch.int32), probs.view(torch.int32)[:, None]), 1
    )
    rows = unpack_ranks(packed.numpy(), 1)
    for row, exact in zip(rows, probs.double().tolist(), strict=True):
        assert row.probs[0] == pytest.approx(float(f"{exact:.4g}"), rel=1e-12)


def test_padded_forwards_cost_what_their_bucket_costs() -> None:
    costs = ForwardCosts([1, 4, 16], [0.01, 0.016, 0.02], padded=True)
    assert [costs.at(rows) for rows in (1, 2, 4, 5, 16)] == [0.01, 0.016, 0.016, 0.02, 0.02]
    assert costs.at(28) == pytest.approx(0.024)
    for most in (1, 3, 4, 15, 16, 17, 40):
        assert costs.table(most) == pytest.approx([costs.at(rows) for rows in range(most + 1)])
    for _ in range(300):
        costs.observe(9, 0.05)
    assert costs.at(16) == pytest.approx(0.05, rel=0.02)
    assert costs.to_json()["padded"] is True


def test_a_replaying_runner_measures_its_buckets() -> None:
    target = replaying("fast", dtype=torch.float32)
    costs = target.measure_costs()
    assert costs.padded
    assert tuple(costs.rows) == BUCKETS


# Which models, and what is said


def test_what_graphs_are_not_for() -> None:
    net = model("fast")
    assert no_graphs(net) == "there are no CUDA graphs on cpu"
    gpu = torch.device("cuda", 0)
    fake: dict[str, Any] = {"parameters": lambda: iter([SimpleNamespace(device=gpu)])}
    rope = {"rope_type": "default"}
    fake["config"] = SimpleNamespace(get_text_config=lambda: SimpleNamespace(rope_parameters=rope))
    assert no_graphs(SimpleNamespace(**fake)) is None
    assert no_graphs(SimpleNamespace(**fake), enabled=False) == "they were turned off"
    rope["rope_type"] = "dynamic"
    assert "rotary positions" in str(no_graphs(SimpleNamespace(**fake)))
    other = SimpleNamespace(device=torch.device("cuda", 1))
    fake["parameters"] = lambda: iter([SimpleNamespace(device=gpu), other])
    assert no_graphs(SimpleNamespace(**fake)) == "its layers lie on several devices"


class Frozen(Taped):
    """A capture that has frozen the first prefix: it always returns its first outputs."""

    def _replay(self, tape: Any) -> None:
        if self.replays == 0:
            super()._replay(tape)


@pytest.mark.parametrize(
    ("capture", "message"),
    [
        (Taped(), "replayed"),
        (Frozen(), "none: their logits are "),
        (Taped(lambda number: True), "none: the capture over 16 rows failed"),
    ],
)
def test_graphs_are_tried_and_measured_before_they_are_used(
    capture: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logitspec.models.speed.CudaGraphs", lambda device: capture)
    monkeypatch.setattr("logitspec.models.speed.no_graphs", lambda model, enabled: None)
    target = runner("fast")
    note = enable_graphs(target, *check_tree_equivalence(runner("fast"), "net"))
    assert note.startswith(message)
    assert target.replays is (message == "replayed")


class FakeCuda:
    """The part of torch.cuda that `CudaGraphs` needs; records what is done, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.current = "main"

    def Stream(self, device: Any) -> Any:  # noqa: N802
        return SimpleNamespace(
            name="side", wait_stream=lambda other: self.done.append(f"side waits {other.name}")
        )

    def current_stream(self, device: Any) -> Any:
        return SimpleNamespace(
            name="main", wait_stream=lambda other: self.done.append(f"main waits {other.name}")
        )

    def graph_pool_handle(self) -> str:
        return "memory"

    def CUDAGraph(self) -> Any:  # noqa: N802
        return SimpleNamespace(replay=lambda: self.done.append("replay"))

    def device(self, device: Any) -> Any:
        return self._within("device")

    def stream(self, stream: Any) -> Any:
        return self._within(stream.name)

    def graph(self, graph: Any, pool: str, stream: Any, capture_error_mode: str) -> Any:
        assert (pool, stream.name, capture_error_mode) == ("memory", "side", "thread_local")
        return self._within("capture")

    def _within(self, name: str) -> Any:
        fake = self

        class Within:
            def __enter__(self) -> None:
                fake.done.append(f"enter {name}")

            def __exit__(self, *error: object) -> None:
                fake.done.append(f"leave {name}")

        return Within()


def test_a_cuda_graph_is_warmed_up_on_its_stream_then_captured_then_replayed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeCuda()
    monkeypatch.setattr("logitspec.runtime.graphs.torch", SimpleNamespace(cuda=fake))
    again = CudaGraphs(CPU)(lambda: fake.done.append("run"))
    again(), again()
    assert fake.done == [
        "side waits main", "enter device", "enter side", "run", "enter capture", "run", "leave capture",
        "leave side", "leave device", "main waits side", "replay", "replay",
    ]  # fmt: skip


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a CUDA GPU")
@pytest.mark.parametrize("family", ["llama", "gemma3", "fast", "fast-one-key-head"])
def test_on_a_gpu_graphs_replay_what_the_forward_computes(family: str) -> None:
    nets = [copy.deepcopy(model(family, torch.float32)).cuda() for _ in range(2)]
    fixed, plain = (prepare(net) for net in nets)
    if family in FAST:
        fixed.use_forward(FastForward(fixed.model))
    assert enable_graphs(fixed, *check_tree_equivalence(plain, family)) == "replayed"
    for method in ("autoregressive", "logitspec_paper"):
        actual, expected = (
            finished(decode(each, list(range(9)), method, 60)) for each in (fixed, plain)
        )
        assert actual.output_ids == expected.output_ids
