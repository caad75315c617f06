"""A fast forward: the logits of the stock one, in fewer and larger operations.

Dispatch is most of a small model's step. Here a layer takes one product for query, key and value and one for
gate and up; cosines and sines come from a table, the mask from a buffer. `products` may take forms that are
faster on a CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from logitspec.runtime.cache import PrefixCache, PrefixLayer
from logitspec.runtime.families import FAMILIES, Family, family_of, no_windows
from logitspec.runtime.masks import TreeMask, visible_columns, within_window
from logitspec.runtime.operations import (
    PLAIN,
    Attention,
    Norm,
    Operations,
    Rotation,
    View,
    capped,
)
from logitspec.runtime.product import Product
from logitspec.runtime.shapes import Rows

# The frequencies of these are the same for every length of text; others change beyond some length.
FIXED_ROPE = {"default", "linear", "llama3", "yarn"}
SOFT_CAPS = ("attn_logit_softcapping", "final_logit_softcapping")
FIRST_POSITIONS = 1024


def unsupported(model: Any) -> str | None:
    """Why there is no fast forward for `model`; None where there is one."""
    family = family_of(model)
    if family is None:
        known = sorted(name.removesuffix("ForCausalLM") for name in FAMILIES)
        return f"the fast one is for {', '.join(known)}, not for {model.config.model_type}"
    if model.device.type not in ("cpu", "cuda"):
        return f"the fast one does not run on {model.device.type}"
    rope = model.config.rope_parameters["rope_type"]
    if rope not in FIXED_ROPE:
        return f"the fast one has no rotary positions of type {rope!r}"
    if family.windows is no_windows and getattr(model.config, "sliding_window", None) is not None:
        return f"the fast one has no sliding window for {model.config.model_type}"
    for cap in SOFT_CAPS:
        read = cap in (family.score_cap, family.logit_cap)
        if not read and getattr(model.config, cap, None) is not None:
            return f"the fast one has no {cap} for {model.config.model_type}"
    products = [part for name, part in model.model.layers.named_modules() if name.endswith("_proj")]
    if any(type(part) is not torch.nn.Linear for part in [*products, model.lm_head]):
        return "its weights are not plain matrices"
    unread = next(_unread(model, family), None)
    if unread is not None:
        return f"the fast one would not use its {unread}"
    if len({(each.dtype, each.device) for each in model.parameters()}) > 1:
        return "its weights are not of one dtype on one device"
    return None


def _unread(model: Any, family: Family) -> Iterator[str]:
    """Modules of the layers whose weights would not enter the logits: the family's entry is incomplete."""
    attention = (*family.query_key_value, "o_proj", family.query_norm, family.key_norm)
    read = {
        *(f"self_attn.{name}" for name in attention),
        *(f"mlp.{name}" for name in (*family.gate_up, "down_proj")),
        family.norm_before_attention,
        family.norm_after_attention,
        family.norm_before_mlp,
        family.norm_after_mlp,
    }
    for layer in model.model.layers:
        for name, _ in layer.named_parameters():
            part = name.rpartition(".")[0]
            if part not in read:
                yield part


Pending = tuple[torch.Tensor | None, Norm | None]
"""What a layer adds to the hidden state, [rows, hidden], and its norm; the next `add_norm` adds it."""


class FastForward:
    """`Forward` of a model for which `unsupported` gives no reason.

    The weights of a fused product move to one tensor, and the model's own become views of it; all others
    stay where they are. So nothing is held twice and the model goes on working. A model that is moved to
    another device or dtype, or trained, needs a new `FastForward`.
    """

    def __init__(self, model: Any) -> None:
        config, self._core = model.config, model.model
        family = FAMILIES[type(model).__name__]
        windows = family.windows(config)
        self.cache = PrefixCache(config.num_hidden_layers)
        self._embedding = self._core.embed_tokens.weight
        self._embedding_scale = _embedding_scale(self._core.embed_tokens)
        self._norm = _norm(self._core, "norm", family)
        self._head = Product(model.lm_head.weight, model.lm_head.bias)
        groups = config.num_attention_heads // config.num_key_value_heads
        self._tree_mask = TreeMask(model.dtype, model.device, copies=groups)
        self._chain_mask = TreeMask(model.dtype, model.device)
        self._windows = set(windows)
        self._score_cap = _option(config, family.score_cap)
        self._logit_cap = _option(config, family.logit_cap)
        self.layers = [
            FastLayer(layer, family, window, self._score_cap)
            for layer, window in zip(self._core.layers, windows, strict=True)
        ]
        self._rotation = self._embedding.new_empty(0, 2, 1, 0)
        self.operations = PLAIN
        """What `fixed` computes with besides the products."""

    @property
    def products(self) -> list[Product]:
        """All products with weights, in the order in which a forward takes them."""
        return [*(each for layer in self.layers for each in layer.products), self._head]

    def __call__(
        self,
        tokens: Sequence[int],
        depths: npt.NDArray[np.integer],
        ancestors: npt.NDArray[np.bool_] | None,
        rows: int,
    ) -> torch.Tensor:
        """Logits [rows, vocabulary]; see `Forward`."""
        positions = self.cache.length + depths
        last = int(positions.max())
        device = self._embedding.device
        hidden = self._embedded(torch.tensor(tokens, device=device))
        rotation = self._rotations(positions, last)
        chain = ancestors is None and len(tokens) > 1 and self._score_cap is None
        masks = {
            window: self._mask(positions, last, ancestors, window, chain)
            for window in self._windows
        }
        views = {window: View(mask, chain) for window, mask in masks.items()}
        hidden, pending = self._through_layers(hidden, rotation, views, PLAIN)
        return self._logits(hidden[-rows:], *_last(pending, rows), PLAIN)

    def fixed(self, rows: Rows, columns: int) -> torch.Tensor:
        """Logits [rows, vocabulary]; see `Forward`."""
        hidden = self._embedded(rows.tokens)
        cosines, sines = self._cosines_and_sines(rows.positions).unbind(1)
        views = self._views(rows, columns)
        with self.cache.fixed(rows.slots, columns):
            hidden, pending = self._through_layers(hidden, (cosines, sines), views, self.operations)
        return self._logits(hidden, *pending, self.operations)

    def _views(self, rows: Rows, columns: int) -> dict[int | None, View]:
        if self.operations.columns_by_position is not None:
            by_position = self.operations.columns_by_position(rows)
            view = View(rows=rows, columns=by_position, reach=columns)
            return dict.fromkeys(self._windows, view)
        return {
            window: View(self._tree_mask.encode_copies(visible_columns(rows, columns, window)))
            for window in self._windows
        }

    def _through_layers(
        self,
        hidden: torch.Tensor,
        rotation: Rotation,
        views: dict[int | None, View],
        by: Operations,
    ) -> tuple[torch.Tensor, Pending]:
        pending: Pending = None, None
        for layer, cache in zip(self.layers, self.cache.layers, strict=True):
            hidden, pending = layer(hidden, pending, rotation, views[layer.window], cache, by)
        return hidden, pending

    def _embedded(self, tokens: torch.Tensor) -> torch.Tensor:
        hidden = F.embedding(tokens, self._embedding)
        return hidden if self._embedding_scale is None else hidden * self._embedding_scale

    def _logits(
        self, hidden: torch.Tensor, added: torch.Tensor | None, after: Norm | None, by: Operations
    ) -> torch.Tensor:
        logits = self._head(by.add_norm(hidden, added, after, self._norm)[1])
        return logits if self._logit_cap is None else capped(logits, self._logit_cap)

    def _mask(
        self,
        positions: npt.NDArray[np.integer],
        last: int,
        ancestors: npt.NDArray[np.bool_] | None,
        window: int | None,
        chain: bool,
    ) -> torch.Tensor | None:
        """The mask; None where a row attends to all, or where attention keeps to a chain without one.

        last: the greatest of `positions`. chain: as in `View`.
        """
        rows, prefix = len(positions), self.cache.length
        mask = self._chain_mask if chain else self._tree_mask
        if window is not None and last >= window:
            visible = torch.from_numpy(within_window(positions, prefix, ancestors, window))
            return mask.encode_copies(visible.to(self._embedding.device))
        if rows == 1 or (chain and prefix == 0):
            return None
        return mask(prefix, rows, ancestors)

    def _rotations(
        self, positions: npt.NDArray[np.integer], last: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and signed sines, each [rows, 1, rotary share of head_dim]. last: the greatest of `positions`."""
        if last >= len(self._rotation):
            rows = max(last + 1, 2 * len(self._rotation), FIRST_POSITIONS)
            self._rotation = self._cosines_and_sines(
                torch.arange(rows, device=self._embedding.device)
            )
        table = self._rotation[torch.from_numpy(positions).to(self._rotation.device)]
        return table[:, 0], table[:, 1]

    def _cosines_and_sines(self, positions: torch.Tensor) -> torch.Tensor:
        """[positions, 2, 1, rotary share of head_dim] from the model's own module, whatever its
        frequencies. The sines of the first half are negated, as `rotated` expects."""
        cosines, sines = self._core.rotary_emb(self._embedding, positions[None])
        half = sines.shape[-1] // 2
        signed = torch.cat((-sines[..., :half], sines[..., half:]), -1)
        return torch.stack((cosines[0], signed[0]), 1)[:, :, None]


class FastLayer:
    """One decoder layer over rows [rows, hidden].

    window: how many positions a row attends to (None: all). score_cap: the bound on scores (None: none).
    """

    def __init__(
        self, layer: Any, family: Family, window: int | None, score_cap: float | None
    ) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self._qkv = _fused(*(getattr(attention, name) for name in family.query_key_value))
        self._gate_up = _fused(*(getattr(mlp, name) for name in family.gate_up))
        self._out = Product(attention.o_proj.weight, attention.o_proj.bias)
        self._down = Product(mlp.down_proj.weight, mlp.down_proj.bias)
        self._before_attention = _norm(layer, family.norm_before_attention, family)
        self._after_attention = _norm(layer, family.norm_after_attention, family)
        self._before_mlp = _norm(layer, family.norm_before_mlp, family)
        self._after_mlp = _norm(layer, family.norm_after_mlp, family)
        self.activation = getattr(mlp, family.activation)
        self.shape = self._attention(attention, family, window, score_cap)

    def _attention(
        self, attention: Any, family: Family, window: int | None, score_cap: float | None
    ) -> Attention:
        head_dim: int = attention.head_dim
        heads: int = attention.o_proj.in_features // head_dim
        key_heads = heads // attention.num_key_value_groups
        query_norm = _norm(attention, family.query_norm, family)
        key_norm = _norm(attention, family.key_norm, family)
        weight = self._qkv.weight
        each_head = None
        if query_norm and key_norm and len(query_norm.weight) == head_dim:
            weights = query_norm.weight.expand(heads, -1), key_norm.weight.expand(key_heads, -1)
            each_head = Norm(torch.cat(weights).detach().to(weight.dtype), query_norm.epsilon)
        # In half precision a CPU takes three times as long over one query row as over two.
        lone = heads == key_heads and weight.device.type == "cpu"
        return Attention(
            heads,
            key_heads,
            head_dim,
            attention.scaling,
            window,
            score_cap,
            each_head,
            query_norm,
            key_norm,
            lone and weight.dtype in (torch.bfloat16, torch.float16),
        )

    @property
    def window(self) -> int | None:
        """How many positions a row attends to (None: all)."""
        return self.shape.window

    @property
    def norms(self) -> list[tuple[Norm | None, Norm | None]]:
        """The norms of what attention adds and of what enters the MLP, and those on the way to the next layer."""
        return [
            (self._after_attention, self._before_mlp),
            (self._after_mlp, self._before_attention),
        ]

    @property
    def products(self) -> list[Product]:
        """The layer's products with weights: query, key and value; output; gate and up; down."""
        return [self._qkv, self._out, self._gate_up, self._down]

    def __call__(
        self,
        hidden: torch.Tensor,
        pending: Pending,
        rotation: Rotation,
        view: View,
        cache: PrefixLayer,
        by: Operations,
    ) -> tuple[torch.Tensor, Pending]:
        """`hidden` [rows, hidden] after the layer, and what is still to be added to it."""
        hidden, entering = by.add_norm(hidden, *pending, self._before_attention)
        qkv = self._qkv(entering).view(len(hidden), -1, self.shape.head_dim)
        query, keys, values = by.place(qkv, rotation, self.shape, cache)
        mixed = self._out(by.attend(query, keys, values, view, self.shape))
        hidden, entering = by.add_norm(hidden, mixed, self._after_attention, self._before_mlp)
        activated = by.gate(self._gate_up(entering), self.activation)
        return hidden, (self._down(activated), self._after_mlp)


def _norm(owner: Any, name: str | None, family: Family) -> Norm | None:
    if name is None:
        return None
    norm = getattr(owner, name)
    weight = norm.weight
    if family.norm_offset:
        weight = weight.detach().to(torch.promote_types(weight.dtype, torch.float32))
        weight = weight + family.norm_offset
    # Classes of transformers use one of two names for epsilon.
    return Norm(weight, norm.eps if hasattr(norm, "eps") else norm.variance_epsilon)


def _last(pending: Pending, rows: int) -> Pending:
    added, after = pending
    return (None if added is None else added[-rows:]), after


def _option(config: Any, name: str | None) -> float | None:
    return None if name is None else getattr(config, name)


def _embedding_scale(embedding: Any) -> float | None:
    """The factor by which an embedding class scales its rows, rounded as the class does; None for a plain one."""
    scale = getattr(embedding, "embed_scale", None)
    return None if scale is None else float(scale.to(embedding.weight.dtype))


def _fused(*parts: torch.nn.Linear) -> Product:
    """The products of `parts` as one; the weights of several become views of its weight."""
    if len(parts) == 1:
        return Product(parts[0].weight, parts[0].bias)
    weight = torch.cat([part.weight.data for part in parts])
    views = torch.split(weight, [part.out_features for part in parts])
    for part, view in zip(parts, views, strict=True):
        part.weight.data = view
    if all(part.bias is None for part in parts):
        return Product(weight, None)
    none = [weight.new_zeros(part.out_features) for part in parts]
    biases = [
        zeros if part.bias is None else part.bias.data
        for part, zeros in zip(parts, none, strict=True)
    ]
    return Product(weight, torch.cat(biases))
