"""The fast forward computes the stock one's logits; where a model has none, that is said."""

from __future__ import annotations

import copy
import re
from dataclasses import fields, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import transformers
from support.fakes import finished
from support.families import CONFIGS, FAST, VOCABULARY, apart, model, runner
from support.models import folder
from support.trees import path, tree
from transformers.models.gemma2.modeling_gemma2 import Gemma2RMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.mistral.modeling_mistral import MistralRMSNorm
from transformers.models.olmo2.modeling_olmo2 import Olmo2RMSNorm
from transformers.models.phi3.modeling_phi3 import Phi3RMSNorm
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm
from transformers.models.qwen3.modeling_qwen3 import Qwen3RMSNorm

from logitspec import DraftTree, LogitSpecError, decode, load
from logitspec.models.loader import prepare
from logitspec.models.speed import faster, fastest_dtype
from logitspec.runtime import fast as fast_forward
from logitspec.runtime.families import FAMILIES, Family, no_windows, windows_by_layer_type
from logitspec.runtime.fast import FastForward, unsupported
from logitspec.runtime.masks import TreeMask, within_window
from logitspec.runtime.operations import Norm
from logitspec.runtime.product import (
    Form,
    Product,
    choose_forms,
    fastest_forms,
    packed,
    padded,
    plain,
    transposed,
)
from logitspec.runtime.runner import Runner

TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=lambda dtype: str(dtype)[6:])

NORMS = (LlamaRMSNorm, MistralRMSNorm, Olmo2RMSNorm, Phi3RMSNorm, Qwen2RMSNorm, Qwen3RMSNorm)


@pytest.fixture
def exact_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stock norm computes in float32 even in float64 models, which would hide errors up to that precision;
    so does the softmax of eager attention."""

    def softmax(scores: torch.Tensor, dim: int, dtype: torch.dtype) -> torch.Tensor:
        return torch.softmax(scores, dim, dtype=torch.promote_types(scores.dtype, dtype))

    def exact_gemma(norm: Any, hidden: torch.Tensor) -> torch.Tensor:
        scale = (hidden.square().mean(-1, keepdim=True) + norm.eps).rsqrt()
        normed: torch.Tensor = hidden * scale * (1 + norm.weight)
        return normed

    def exact(norm: Any, hidden: torch.Tensor) -> torch.Tensor:
        wide = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
        scale = (wide.square().mean(-1, keepdim=True) + norm.variance_epsilon).rsqrt()
        normed: torch.Tensor = norm.weight * (wide * scale).to(hidden.dtype)
        return normed

    for norm in NORMS:
        monkeypatch.setattr(norm, "forward", exact)
    monkeypatch.setattr(Gemma2RMSNorm, "forward", exact_gemma)
    monkeypatch.setattr(F, "softmax", softmax)


@torch.inference_mode()
def logits(target: Runner, draft: DraftTree) -> torch.Tensor:
    return target.tree_logits(draft).clone()


@DTYPES
@pytest.mark.usefixtures("exact_norm")
@pytest.mark.parametrize("family", FAST)
@pytest.mark.parametrize("length", [3, 19, 310])
def test_logits_are_the_stock_ones_over_trees_and_chains(
    family: str, dtype: torch.dtype, length: int
) -> None:
    """Where there is a window, trees cross its edge or are beyond it."""
    rng = np.random.default_rng(3)
    fast, stock = runner(family, dtype=dtype), prepare(model(family, dtype))
    prompt = rng.integers(VOCABULARY, size=length).tolist()
    fast.prefill(prompt), stock.prefill(prompt)
    for nodes, chain in [(24, False), (1, False), (9, True), (64, False), (2, False), (40, False)]:
        draft = tree(rng, nodes, chain)
        assert apart(logits(fast, draft), logits(stock, draft)) < TOLERANCE[dtype]
        accepted = path(rng, draft)
        fast.commit(accepted), stock.commit(accepted)
        assert fast.length == stock.length


@DTYPES
@pytest.mark.usefixtures("exact_norm")
@pytest.mark.parametrize("family", FAST)
def test_a_prompt_in_parts_has_the_logits_of_one_plain_forward(
    family: str, dtype: torch.dtype
) -> None:
    fast = runner(family, dtype=dtype)
    ids = np.random.default_rng(4).integers(VOCABULARY, size=300).tolist()
    with torch.inference_mode():
        expected = model(family, dtype)(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
        for first, last in [(0, 100), (100, 101), (101, 300)]:
            part = ids[first:last]
            actual = fast.forward(part, np.arange(len(part)), None, rows=len(part))
            fast.forward.cache.length = last
            assert apart(actual, expected[first:last]) < TOLERANCE[dtype]
        fast.forward.cache.length = 0
        short = fast.forward(ids[:50], np.arange(50), None, rows=3)
    assert apart(short, expected[47:50]) < TOLERANCE[dtype]


@pytest.mark.parametrize("family", FAST)
def test_in_bfloat16_it_is_as_near_to_the_exact_logits_as_the_stock_forward(family: str) -> None:
    rng = np.random.default_rng(6)
    fast, stock = runner(family, dtype=torch.bfloat16), prepare(model(family, torch.bfloat16))
    exact = prepare(copy.deepcopy(stock.model).double())
    errors: dict[Runner, list[float]] = {fast: [], stock: []}
    prompt = rng.integers(VOCABULARY, size=30).tolist()
    for nodes in (1, 1, 1, 2, 8, 64):
        draft = tree(rng, nodes)
        for target in (fast, stock, exact):
            target.prefill(prompt)
        expected = logits(exact, draft)
        for target, actual in errors.items():
            actual.append((logits(target, draft) - expected).square().mean().sqrt().item())
    assert 0 < np.mean(errors[fast]) < 1.3 * np.mean(errors[stock]) < 0.3


@pytest.mark.parametrize("family", FAST)
def test_weights_are_held_once_and_the_model_is_left_as_it_was(family: str) -> None:
    net = copy.deepcopy(model(family))
    forward = FastForward(net)
    for name, weight in model(family).state_dict().items():
        assert torch.equal(weight, net.state_dict()[name])
    attention = net.model.layers[0].self_attn
    storage = forward.layers[0]._qkv.weight.untyped_storage().data_ptr()
    for name in FAMILIES[type(net).__name__].query_key_value:
        part = getattr(attention, name)
        assert part.weight.untyped_storage().data_ptr() == storage


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("biased", [True, False])
def test_every_form_of_a_product_computes_it(dtype: torch.dtype, biased: bool) -> None:
    torch.manual_seed(1)
    weight = torch.randn(96, 40, dtype=dtype)
    product = Product(weight, torch.randn(96, dtype=dtype) if biased else None)
    able = dtype != torch.float64
    if dtype == torch.bfloat16:
        able = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    assert product.pack() is able
    assert (product.copy is not None) is able
    for rows in (1, 2, 4, 7, 64, 300):
        given = torch.randn(rows, 40, dtype=dtype)
        expected = F.linear(given.double(), weight.double())
        expected = expected + product.bias.double() if product.bias is not None else expected
        rounding = 0.2 if dtype == torch.bfloat16 else 1e-4
        for form in (plain, transposed, packed, padded) if able else (plain, transposed):
            computed = form(product, given)
            assert computed.is_contiguous()
            assert (computed.double() - expected).abs().max() < rounding


def test_the_fastest_form_is_chosen_for_each_number_of_rows() -> None:
    def steady(*seconds: float) -> list[list[float]]:
        return [[each] * 5 for each in seconds]

    # Seconds at 1, 2, 4, 8, 16 and 32 rows; in between they are linear.
    forms = fastest_forms({packed: steady(2, 2, 3, 4, 6, 9), plain: steady(1, 4, 9, 3, 7, 11)})
    assert forms[1] is plain
    assert [forms[rows] for rows in (2, 3, 4, 5, 7, 8, 10)] == [packed] * 5 + [plain] * 2
    assert [forms[rows] for rows in (13, 16, 32)] == [packed] * 3
    few: dict[Form, list[list[float]]] = {
        packed: steady(2, 3, 2, 4, 6, 9),
        padded: steady(2, 2, 2, inf, inf, inf),
    }
    assert [fastest_forms(few)[rows] for rows in (1, 2, 3, 4, 5)] == [
        packed,
        padded,
        padded,
        packed,
        packed,
    ]
    busy = [[2.0, 9, 2, 9, 9]] * 6  # another program made most calls longer
    assert set(fastest_forms({packed: busy, plain: steady(*[2.5] * 6)})) == {packed}
    assert set(fastest_forms({packed: steady(*[2.5] * 6), plain: busy})) == {packed}
    assert set(fastest_forms({packed: busy, plain: steady(*[1.9] * 6)})) == {plain}


def test_weights_are_packed_as_far_as_memory_allows_and_where_it_pays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timed: list[tuple[int, Any]] = []

    def seconds(products: list[Product]) -> dict[Any, list[list[float]]]:
        timed.append((len(products), products[0].copy is not None))
        if products[0].copy is None:
            return {plain: [[2.0]] * 6, transposed: [[3.0], [1.0], *[[3.0]] * 4]}
        pays = products[0].weight.shape[1] == 40
        return {packed: [[1.0 if pays else 2.0]] * 6, plain: [[1.5]] * 6}

    monkeypatch.setattr("logitspec.runtime.product._timed", seconds)
    products = [Product(torch.ones(8, size), None) for size in (40, 40, 60, 60, 40)]
    choose_forms(products, 4 * 8 * (40 + 40 + 60 + 60))
    # Equal ones are timed once; the last one found no room, and those that don't pay give theirs back.
    assert timed == [(2, True), (2, True), (1, False)]
    assert [each.copy is not None for each in products] == [True, True, False, False, False]
    assert set(products[0].forms) == {packed}
    assert set(products[2].forms) == {plain}
    assert [products[4].forms[rows] for rows in (1, 2, 4)] == [plain, transposed, plain]


def test_where_nothing_can_be_packed_products_stay_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(weight: torch.Tensor) -> None:
        raise NotImplementedError

    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", failing)
    product = Product(torch.ones(8, 4), None)
    assert not product.pack()
    assert torch.equal(product(torch.ones(2, 4)), torch.full((2, 8), 4.0))


@pytest.mark.parametrize("family", FAST)
def test_a_model_with_the_fast_forward_can_be_saved(tmp_path: Path, family: str) -> None:
    net = runner(family).model
    net.save_pretrained(tmp_path)
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float64)
    for name, weight in model(family).state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])


def test_bfloat16_decodes() -> None:
    for family in FAST:
        target = runner(family, dtype=torch.bfloat16)
        trace = finished(decode(target, [1, 2, 3], max_new_tokens=20))
        assert len(trace.output_ids) == 20


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32])
def test_masks_are_the_prefix_and_the_ancestors(dtype: torch.dtype) -> None:
    """One buffer for all sizes: what an earlier, larger tree left there must not show."""
    rng = np.random.default_rng(5)
    for copies in (1, 3):
        mask = TreeMask(dtype, torch.device("cpu"), copies)
        for prefix, rows in [(5, 9), (0, 4), (700, 64), (3, 2), (2500, 7), (1499, 70), (6, 1)]:
            ancestors = np.tri(rows, dtype=bool) & (rng.random((rows, rows)) < 0.5)
            result = mask(prefix, rows, ancestors)
            assert result.shape == (1, 1, copies * rows, prefix + rows)
            seen = result[0, 0] if dtype == torch.bool else result[0, 0] == 0
            assert seen[:, :prefix].all()
            assert np.array_equal(seen[:, prefix:].numpy(), np.tile(ancestors, (copies, 1)))
            chain = mask(prefix, rows, None)
            assert torch.equal(chain, mask(prefix, rows, np.tri(rows, dtype=bool)))
        assert dtype == torch.bool or mask(4, 2, np.eye(2, dtype=bool)).min() < -1e38


# A wrong entry


def from_stock(fast: Runner, length: int) -> float:
    """How far its logits over a tree after `length` tokens are from those of the untouched model."""
    rng = np.random.default_rng(7)
    stock = prepare(copy.deepcopy(fast.model))
    prompt = rng.integers(VOCABULARY, size=length).tolist()
    fast.prefill(prompt), stock.prefill(prompt)
    draft = tree(rng, 7)
    return apart(logits(fast, draft), logits(stock, draft))


@pytest.mark.parametrize("part", [0, 1, 2], ids=["query", "key", "value"])
def test_a_missing_bias_shows(part: int) -> None:
    fast = runner("fast-qwen2")
    assert from_stock(fast, 20) < 1e-5
    attention = fast.model.model.layers[0].self_attn
    sizes = [each.out_features for each in (attention.q_proj, attention.k_proj, attention.v_proj)]
    for layer in fast.forward.layers:  # type: ignore[attr-defined]
        layer._qkv.bias.split(sizes)[part].zero_()
    assert from_stock(fast, 20) > 1e-3


def test_missing_norms_of_query_and_key_show(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_stock(runner("fast-qwen3"), 20) < 1e-5
    monkeypatch.setitem(FAMILIES, "Qwen3ForCausalLM", Family(windows=windows_by_layer_type))
    assert from_stock(runner("fast-qwen3"), 20) > 0.1
    assert unsupported(model("fast-qwen3")) == "the fast one would not use its self_attn.q_norm"


OLMO2 = FAMILIES["Olmo2ForCausalLM"]


@pytest.mark.parametrize(
    "wrong",
    [
        Family(query_norm="q_norm", key_norm="k_norm", norm_before_attention=None),
        replace(OLMO2, norm_before_mlp="post_attention_layernorm", norm_after_attention=None),
        replace(OLMO2, norm_before_mlp="post_feedforward_layernorm", norm_after_mlp=None),
        replace(
            OLMO2,
            norm_after_attention="post_feedforward_layernorm",
            norm_after_mlp="post_attention_layernorm",
        ),
    ],
    ids=["as in Llama", "after attention", "after the MLP", "exchanged"],
)
def test_norms_in_another_order_show(monkeypatch: pytest.MonkeyPatch, wrong: Family) -> None:
    assert from_stock(runner("fast-olmo2"), 20) < 1e-5
    monkeypatch.setitem(FAMILIES, "Olmo2ForCausalLM", wrong)
    assert from_stock(runner("fast-olmo2"), 20) > 0.01


def test_a_norm_without_an_entry_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "Olmo2ForCausalLM", replace(OLMO2, norm_after_mlp=None))
    reason = unsupported(model("fast-olmo2"))
    assert reason == "the fast one would not use its post_feedforward_layernorm"


def test_norms_of_query_and_key_over_all_heads_are_not_those_of_each_head() -> None:
    fast = runner("fast-olmo2")
    assert from_stock(fast, 20) < 1e-5
    for layer in fast.forward.layers:  # type: ignore[attr-defined]
        norms = layer.shape.query_norm, layer.shape.key_norm
        weights = torch.cat([norm.weight.view(-1, 8) for norm in norms])
        layer.shape = replace(layer.shape, each_head=Norm(weights, norms[0].epsilon))
    assert from_stock(fast, 20) > 0.01


def test_a_head_that_is_rotated_as_a_whole_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(positions: torch.Tensor) -> torch.Tensor:
        table = computed(positions)
        return torch.cat((table, table[..., :2]), -1)

    fast = runner("fast-phi3")
    assert from_stock(fast, 5) < 1e-5
    computed = fast.forward._cosines_and_sines  # type: ignore[attr-defined]
    monkeypatch.setattr(fast.forward, "_cosines_and_sines", whole)
    fast.forward._rotation = torch.empty(0)  # type: ignore[attr-defined]
    assert from_stock(fast, 5) > 0.01


def test_parts_in_another_order_show() -> None:
    fast = runner("fast-phi3")
    assert from_stock(fast, 20) < 1e-5
    for layer in fast.forward.layers:  # type: ignore[attr-defined]
        layer._gate_up.weight = layer._gate_up.weight.roll(48, 0)
    assert from_stock(fast, 20) > 0.01


@pytest.mark.parametrize(
    "wrong",
    [
        {"norm_offset": 0.0},
        {"score_cap": None},
        {"logit_cap": None},
        {"norm_after_attention": None},
        {"norm_after_mlp": None},
        {"norm_before_mlp": "post_attention_layernorm"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_whatever_an_entry_for_gemma2_leaves_out_shows(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    assert from_stock(runner("fast-gemma2"), 20) < 1e-5
    entry = replace(FAMILIES["Gemma2ForCausalLM"], **wrong)
    monkeypatch.setitem(FAMILIES, "Gemma2ForCausalLM", entry)
    assert from_stock(runner("fast-gemma2"), 20) > 0.01


@pytest.mark.parametrize(
    ("field", "option"),
    [("score_cap", "attn_logit_softcapping"), ("logit_cap", "final_logit_softcapping")],
)
def test_a_soft_cap_without_an_entry_is_named(
    monkeypatch: pytest.MonkeyPatch, field: str, option: str
) -> None:
    entry = replace(FAMILIES["Gemma2ForCausalLM"], **{field: None})  # type: ignore[arg-type]
    monkeypatch.setitem(FAMILIES, "Gemma2ForCausalLM", entry)
    assert unsupported(model("fast-gemma2")) == f"the fast one has no {option} for gemma2"


def test_scales_of_embedding_and_scores_that_are_ignored_show() -> None:
    fast = runner("fast-gemma2")
    assert from_stock(fast, 20) < 1e-5
    fast.forward._embedding_scale = None  # type: ignore[attr-defined]
    assert from_stock(fast, 20) > 0.01
    fast = runner("fast-gemma2")
    for layer in fast.forward.layers:  # type: ignore[attr-defined]
        layer.shape = replace(layer.shape, scale=10**-0.5)
    assert from_stock(fast, 20) > 0.01


def test_without_soft_caps_a_gemma2_keeps_its_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    name, options = FAST["fast-gemma2"]
    caps = {"attn_logit_softcapping": None, "final_logit_softcapping": None}
    monkeypatch.setitem(FAST, "fast-gemma2-uncapped", (name, {**options, **caps}))
    for length in (3, 20, 310):
        assert from_stock(runner("fast-gemma2-uncapped"), length) < 1e-5


@pytest.mark.parametrize("family", ["fast-gemma2", "fast-mistral", "fast-phi3", "fast-qwen2"])
def test_a_window_that_is_ignored_shows(monkeypatch: pytest.MonkeyPatch, family: str) -> None:
    name = type(model(family)).__name__
    assert from_stock(runner(family), 20) < 1e-5
    monkeypatch.setitem(FAMILIES, name, replace(FAMILIES[name], windows=no_windows))
    assert from_stock(runner(family), 3) < 1e-5  # all of the text is within the window
    assert from_stock(runner(family), 20) > 0.1
    assert "no sliding window for" in str(unsupported(model(family)))


def test_a_window_counts_positions_and_not_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Siblings share a position, so the last of many columns is no further away than its depth."""

    def by_columns(positions: Any, prefix: int, ancestors: Any, window: int) -> Any:
        return within_window(prefix + np.arange(len(positions)), prefix, ancestors, window)

    assert from_stock(runner("fast-mistral"), 20) < 1e-5
    monkeypatch.setattr(fast_forward, "within_window", by_columns)
    assert from_stock(runner("fast-mistral"), 20) > 0.01


def test_only_classes_of_transformers_have_an_entry() -> None:
    own = type("LlamaForCausalLM", (transformers.LlamaForCausalLM,), {})
    config = transformers.LlamaConfig(**FAST["fast"][1])
    assert "not for llama" in str(unsupported(own(config)))


# The choice when a model is loaded


def forward(target: Runner) -> str:
    return str(target.info["environment"]["forward"])


@pytest.mark.parametrize(
    "family", ["llama", "gemma2", "mistral-window", "olmo2", "phi3", "qwen2", "qwen3"]
)
def test_loading_takes_the_fast_forward_and_says_so(tmp_path: Path, family: str) -> None:
    target, _ = load(folder(tmp_path / "net", family))
    assert isinstance(target.forward, FastForward)
    trace = finished(decode(target, [1, 2, 3], max_new_tokens=4))
    assert trace.environment["forward"] == "fast"


def test_other_families_keep_the_stock_forward_and_the_trace_says_why(tmp_path: Path) -> None:
    target, _ = load(folder(tmp_path / "net", "smollm3"))
    assert not isinstance(target.forward, FastForward)
    assert forward(target) == (
        "stock: the fast one is for Gemma2, Llama, Mistral, Olmo2, Phi3, Qwen2, Qwen3, not for smollm3"
    )


def test_what_the_fast_forward_is_not_for() -> None:
    def llama(**options: Any) -> Any:
        config = transformers.LlamaConfig(**{**FAST["fast"][1], **options})
        return transformers.AutoModelForCausalLM.from_config(config)

    assert unsupported(llama()) is None
    for family in CONFIGS:
        known = {"llama", "qwen2", "qwen3", "mistral-window", "olmo2", "phi3", "gemma2"}
        assert (unsupported(model(family)) is None) == (family in known)
    dynamic = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}
    assert "rotary positions of type 'dynamic'" in str(unsupported(llama(rope_parameters=dynamic)))
    factors = {"short_factor": [1.0] * 4, "long_factor": [2.0] * 4}
    longer = {"rope_type": "longrope", "rope_theta": 1e4, **factors}
    config = transformers.Phi3Config(**{**CONFIGS["phi3"][1], "rope_parameters": longer})
    reason = unsupported(transformers.AutoModelForCausalLM.from_config(config))
    assert "rotary positions of type 'longrope'" in str(reason)
    assert "sliding window" in str(unsupported(llama(sliding_window=8)))
    mixed = llama()
    mixed.model.norm.to(torch.float64)
    assert "one dtype" in str(unsupported(mixed))
    odd = llama()
    odd.model.layers[1].mlp.up_proj = torch.nn.Sequential(odd.model.layers[1].mlp.up_proj)
    assert "plain matrices" in str(unsupported(odd))


class Skewed(FastForward):
    def __call__(self, *args: Any, **options: Any) -> torch.Tensor:
        computed = super().__call__(*args, **options)
        return computed * 1.05


class Broken(FastForward):
    def __call__(self, *args: Any, **options: Any) -> torch.Tensor:
        raise RuntimeError("no kernel")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fast_forward_that_computes_something_else_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    net = folder(tmp_path / "net")
    expected = finished(decode(load(net, dtype=dtype)[0], [1, 2, 3], max_new_tokens=9)).output_ids
    for kind, reason in [(Skewed, "standard deviations apart"), (Broken, "RuntimeError")]:
        monkeypatch.setattr("logitspec.models.speed.FastForward", kind)
        target, _ = load(net, dtype=dtype)
        assert not isinstance(target.forward, FastForward)
        assert forward(target).startswith("stock: the fast one")
        assert reason in forward(target)
        assert finished(decode(target, [1, 2, 3], max_new_tokens=9)).output_ids == expected


def test_the_fastest_dtype_is_measured_and_told(tmp_path: Path) -> None:
    target, _ = load(folder(tmp_path / "net"), device="cpu", dtype="fastest")
    assert target.model.dtype in (torch.float32, torch.bfloat16)
    assert target.info["dtype"] == str(target.model.dtype)[6:]
    assert target.info["environment"]["dtype"].startswith("the fastest: ")
    assert load(folder(tmp_path / "net"), device="cpu")[0].info["dtype"] == "float32"


class Timed(Runner):
    took: list[float]


@pytest.mark.parametrize(("share", "wins"), [(0.5, True), (0.99, False), (2.0, False)])
def test_bfloat16_is_taken_only_where_it_is_clearly_faster(
    share: float, wins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "logitspec.models.speed.forward_seconds", lambda target, *given: target.took
    )
    exact, rounded = runner("fast", Timed), runner("fast", Timed, torch.bfloat16)
    exact.took, rounded.took = [0.002, 0.006], [0.002 * share, 0.006 * share]  # type: ignore[attr-defined]
    assert faster(exact, rounded) is (rounded if wins else exact)


def test_float32_stays_where_bfloat16_is_refused() -> None:
    def made(dtype: torch.dtype) -> Runner:
        if dtype == torch.bfloat16:
            raise LogitSpecError("net computes other logits.")
        return runner("fast", dtype=dtype)

    target = fastest_dtype(made)
    assert target.model.dtype == torch.float32
    assert target.info["environment"]["dtype"] == "float32: net computes other logits."


def test_where_float32_does_not_fit_bfloat16_is_taken() -> None:
    def made(dtype: torch.dtype) -> Runner:
        if dtype == torch.float32:
            raise LogitSpecError("There is not enough memory for net.")
        return runner("fast", dtype=dtype)

    assert fastest_dtype(made).model.dtype == torch.bfloat16


def test_large_models_are_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logitspec.models.loader.MAX_TIMED_PARAMETERS", 100)
    target, _ = load(folder(tmp_path / "net"), device="cpu", dtype="fastest")
    assert target.model.dtype == torch.bfloat16
    assert "dtype" not in target.info["environment"]


# Adding a family


def test_the_entry_of_the_page_computes_the_stock_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(fast_forward.__file__).with_name("README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert all(f"`{field.name}`" in page for field in fields(Family))
    monkeypatch.delitem(FAMILIES, "Qwen3ForCausalLM")
    assert "not for qwen3" in str(unsupported(model("fast-qwen3")))
    exec(code, {})
    assert unsupported(model("fast-qwen3")) is None
    for length in (3, 20, 310):
        assert from_stock(runner("fast-qwen3"), length) < 1e-5
