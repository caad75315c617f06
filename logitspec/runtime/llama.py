"""A fast forward for Llama models: the stock one's logits, in fewer and larger operations.

Most of a small model's step is dispatch. Here a layer takes one product for query, key and value and one
for gate and up; cosines and sines come from a table, the mask from a buffer. On a CPU a small model's
weights stand there once more, packed for the products.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import torch
import torch.nn.functional as F
from transformers import LlamaForCausalLM

from logitspec.runtime.cache import PrefixCache, PrefixLayer
from logitspec.runtime.forward import TreeMask, seen
from logitspec.runtime.graphs import Rows
from logitspec.runtime.product import Product, pack

# Their frequencies are the same for every length of text; others re-read it beyond some length.
FIXED_ROPE = {"default", "linear", "llama3", "yarn"}
FIRST_POSITIONS = 1024


def unsupported(model: Any) -> str | None:
    """Why the fast forward is not for `model`, or None where it is."""
    if type(model) is not LlamaForCausalLM:
        return f"there is a fast one for Llama only, not for {model.config.model_type}"
    if model.device.type not in ("cpu", "cuda"):
        return f"the fast one is not made for {model.device.type}"
    rope = model.config.rope_parameters["rope_type"]
    if rope not in FIXED_ROPE:
        return f"the fast one has no rotary positions of type {rope!r}"
    if getattr(model.config, "sliding_window", None) is not None:
        return "the fast one has no sliding window"
    products = [part for name, part in model.model.layers.named_modules() if name.endswith("_proj")]
    if any(type(part) is not torch.nn.Linear for part in [*products, model.lm_head]):
        return "its weights are not plain matrices"
    if len({(each.dtype, each.device) for each in model.parameters()}) > 1:
        return "its weights are not of one dtype on one device"
    return None


class LlamaForward:
    """`Forward` of a model for which `unsupported` has no reason.

    The weights stay where they are, except that those of one fused product move to one tensor, of which
    the model's own become views: they are not held twice, and the model goes on working. On a CPU a
    small model's are also held packed (`Product`). Moved to another device or dtype, or trained,
    afterwards, the model needs a new one.
    """

    def __init__(self, model: Any) -> None:
        config, self._core = model.config, model.model
        self.cache = PrefixCache(config.num_hidden_layers)
        self._embedding = self._core.embed_tokens.weight
        self._norm = self._core.norm
        self._head = Product(model.lm_head.weight, model.lm_head.bias)
        self._groups = config.num_attention_heads // config.num_key_value_heads
        self._tree_mask = TreeMask(model.dtype, model.device, copies=self._groups)
        self._chain_mask = TreeMask(model.dtype, model.device)
        self._layers = [LlamaLayer(layer) for layer in self._core.layers]
        self._rotation = self._embedding.new_empty(0, 2, 1, 0)
        pack(self.products)

    @property
    def products(self) -> list[Product]:
        """All with weights, in the order in which a forward takes them."""
        return [*(each for layer in self._layers for each in layer.products), self._head]

    def __call__(
        self,
        tokens: Sequence[int],
        depths: npt.NDArray[Any],
        ancestors: npt.NDArray[Any] | None,
        rows: int,
    ) -> torch.Tensor:
        """Logits [rows, vocabulary]; see `Forward`."""
        device = self._embedding.device
        hidden = F.embedding(torch.tensor(tokens, device=device), self._embedding)
        rotation = self._rotations(depths)
        chain = ancestors is None and len(tokens) > 1
        mask = self._mask(len(tokens), ancestors)
        for layer, cache in zip(self._layers, self.cache.layers, strict=True):
            hidden = layer(hidden, rotation, mask, chain, cache)
        return self._head(_normed(hidden[-rows:], self._norm))

    def fixed(self, rows: Rows, columns: int) -> torch.Tensor:
        hidden = F.embedding(rows.tokens, self._embedding)
        cosines, sines = self._turns(rows.positions).unbind(1)
        mask = self._tree_mask.of(seen(rows, columns).repeat(self._groups, 1))
        with self.cache.fixed(rows.places, columns):
            for layer, cache in zip(self._layers, self.cache.layers, strict=True):
                hidden = layer(hidden, (cosines, sines), mask, False, cache)
        return self._head(_normed(hidden, self._norm))

    def _mask(self, rows: int, ancestors: npt.NDArray[Any] | None) -> torch.Tensor | None:
        """None where a row may see all, or where the attention itself can keep to a chain."""
        prefix = self.cache.length
        if rows == 1 or (ancestors is None and prefix == 0):
            return None
        if ancestors is None:
            return self._chain_mask(prefix, rows, None)
        return self._tree_mask(prefix, rows, ancestors)

    def _rotations(self, depths: npt.NDArray[Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and signed sines, each [rows, 1, head_dim], at the positions of the new rows."""
        positions = self.cache.length + depths
        needed = int(positions.max()) + 1
        if needed > len(self._rotation):
            rows = max(needed, 2 * len(self._rotation), FIRST_POSITIONS)
            self._rotation = self._turns(torch.arange(rows, device=self._embedding.device))
        found = self._rotation[torch.from_numpy(positions).to(self._rotation.device)]
        return found[:, 0], found[:, 1]

    def _turns(self, positions: torch.Tensor) -> torch.Tensor:
        """[positions, 2, 1, head_dim] from the model's own module, whatever its frequencies."""
        cosines, sines = self._core.rotary_emb(self._embedding, positions[None])
        half = sines.shape[-1] // 2
        signed = torch.cat((-sines[..., :half], sines[..., half:]), -1)
        return torch.stack((cosines[0], signed[0]), 1)[:, :, None]


class LlamaLayer:
    """One decoder layer over rows [rows, hidden]."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self._qkv = _fused(attention.q_proj, attention.k_proj, attention.v_proj)
        self._gate_up = _fused(mlp.gate_proj, mlp.up_proj)
        self._out = Product(attention.o_proj.weight, attention.o_proj.bias)
        self._down = Product(mlp.down_proj.weight, mlp.down_proj.bias)
        self._before, self._between = layer.input_layernorm, layer.post_attention_layernorm
        self._activation = mlp.act_fn
        self._head_dim: int = attention.head_dim
        self._heads: int = attention.q_proj.out_features // attention.head_dim
        self._key_heads: int = attention.k_proj.out_features // attention.head_dim
        # In half precision a CPU takes three times as long over one query row as over two.
        weight = self._qkv.weight
        lone = self._heads == self._key_heads and weight.device.type == "cpu"
        self._doubles = lone and weight.dtype in (torch.bfloat16, torch.float16)

    @property
    def products(self) -> list[Product]:
        """Those with weights of the layer."""
        return [self._qkv, self._out, self._gate_up, self._down]

    def __call__(
        self,
        hidden: torch.Tensor,
        rotation: tuple[torch.Tensor, torch.Tensor],
        mask: torch.Tensor | None,
        chain: bool,
        cache: PrefixLayer,
    ) -> torch.Tensor:
        """`hidden` after the layer. chain: each row sees those before it (no `mask`: and no prefix)."""
        rows = len(hidden)
        qkv = self._qkv(_normed(hidden, self._before)).view(rows, -1, self._head_dim)
        turned, value = torch.split(qkv, [self._heads + self._key_heads, self._key_heads], 1)
        query, key = torch.split(_rotated(turned, *rotation), [self._heads, self._key_heads], 1)
        keys, values = cache.update(key.transpose(0, 1)[None], value.transpose(0, 1)[None])
        attend = self._attended_in_order if chain else self._attended
        hidden = hidden + self._out(attend(query, keys, values, mask))
        gate, up = self._gate_up(_normed(hidden, self._between)).chunk(2, -1)
        return hidden + self._down(self._activation(gate) * up)

    def _attended(
        self,
        query: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor | None,
    ) -> torch.Tensor:
        """[rows, heads * head_dim] for query [rows, heads, head_dim]; keys and values as cached.

        The heads that share a key head stand under one another as rows of one head, so that keys and
        values are read once for all of them; so do the rows of `mask`.
        """
        rows = len(query)
        folded = query.view(rows, self._key_heads, -1, self._head_dim).permute(1, 2, 0, 3)
        folded = folded.reshape(1, self._key_heads, -1, self._head_dim)
        if rows == 1 and self._doubles:
            folded = torch.cat((folded, folded), 2)
        mixed = F.scaled_dot_product_attention(folded, keys, values, attn_mask=mask)
        if rows == 1 and self._doubles:
            mixed = mixed[:, :, :1]
        mixed = mixed.reshape(self._key_heads, -1, rows, self._head_dim)
        return mixed.permute(2, 0, 1, 3).reshape(rows, -1)

    def _attended_in_order(
        self,
        query: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor | None,
    ) -> torch.Tensor:
        """The same for the many rows of a prompt, each of which sees those before it."""
        mixed = F.scaled_dot_product_attention(
            query.transpose(0, 1)[None],
            keys,
            values,
            attn_mask=mask,
            is_causal=mask is None,
            enable_gqa=self._heads != self._key_heads,
        )
        return mixed[0].transpose(0, 1).reshape(len(query), -1)


def _rotated(rows: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of `rows` [rows, heads, head_dim]: pairs lie half a head apart."""
    return torch.addcmul(rows * cosines, rows.roll(rows.shape[-1] // 2, -1), sines)


def _normed(hidden: torch.Tensor, norm: Any) -> torch.Tensor:
    return F.rms_norm(hidden, hidden.shape[-1:], norm.weight, norm.variance_epsilon)


def _fused(*parts: torch.nn.Linear) -> Product:
    """The products of `parts` as one; their weights become views of it."""
    weight = torch.cat([part.weight.data for part in parts])
    owns = torch.split(weight, [part.out_features for part in parts])
    for part, own in zip(parts, owns, strict=True):
        part.weight.data = own
    biases = [part.bias for part in parts if part.bias is not None]
    return Product(weight, torch.cat([each.data for each in biases]) if biases else None)
