"""Faults of the fast forward that a probe must find; each function returns whether the forward has what it spoils."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from logitspec.runtime.fast import FastForward
from logitspec.runtime.operations import Norm

NORMS = ("_before_attention", "_before_mlp", "_after_attention", "_after_mlp")


def swap_norms(forward: FastForward) -> bool:
    for layer in forward.layers:
        first, second, *_ = [name for name in NORMS if getattr(layer, name) is not None]
        one, other = getattr(layer, first), getattr(layer, second)
        setattr(layer, first, other)
        setattr(layer, second, one)
    return True


def forget_query_norm(forward: FastForward) -> bool:
    planted = False
    for layer in forward.layers:
        shape = layer.shape
        if (norm := shape.query_norm) is not None:
            planted = True
            each_head = shape.each_head and _of_ones(shape.each_head)
            layer.shape = replace(shape, query_norm=_of_ones(norm), each_head=each_head)
    return planted


def _of_ones(norm: Norm) -> Norm:
    return norm._replace(weight=torch.ones_like(norm.weight))


def forget_biases(forward: FastForward) -> bool:
    biased = [product for product in forward.products if product.bias is not None]
    for product in biased:
        product.bias = None
    return bool(biased)


def ignore_windows(forward: FastForward) -> bool:
    windows = [layer for layer in forward.layers if layer.window is not None]
    for layer in windows:
        layer.shape = replace(layer.shape, window=None)
    forward._windows = {None}
    return bool(windows)


def shift_drafts(forward: FastForward) -> bool:
    rotations = forward._rotations

    def shifted(positions: Any, last: int) -> Any:
        return rotations(positions + (positions > forward.cache.length), last + 1)

    forward._rotations = shifted  # type: ignore[method-assign]
    return True


FAULTS = (swap_norms, forget_query_norm, forget_biases, ignore_windows, shift_drafts)
