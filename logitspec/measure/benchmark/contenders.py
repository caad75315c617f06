"""The contenders: our methods, and transformers' `generate` on the same weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any

import torch
from transformers import GenerationConfig

from logitspec.decoding.engine import begin, complete
from logitspec.drafters import METHODS, make
from logitspec.errors import LogitSpecError
from logitspec.measure.benchmark.runs import BASELINES, REFERENCE, Contender, Outcome
from logitspec.measure.variants import Variant, parse_variant


def method_contender(target: Any, variant: Variant) -> Contender:
    """One of our methods, through the one decoding loop. Capturing graphs is not timed."""

    def decode(prompt_ids: list[int], max_new_tokens: int) -> Outcome:
        target.reserve(len(prompt_ids), max_new_tokens)
        start = perf_counter()
        request = begin(target, prompt_ids, variant.method, max_new_tokens, options=variant.options)
        trace = complete(target, request)
        seconds = perf_counter() - start
        return Outcome(trace.output_ids, len(trace.steps), trace.prefill_seconds, seconds, trace)

    return Contender(variant.title, variant.method, variant.options, decode)


def baseline_contender(target: Any, name: str) -> Contender:
    """transformers' greedy `generate` on the model of `target`, with the options of baseline `name`.

    The model's own generation config (a repetition penalty, a temperature) is ignored.
    """
    model, eos = target.model, sorted(target.eos_ids)

    def generate(prompt_ids: list[int], max_new_tokens: int) -> tuple[list[int], int, float]:
        """Token ids, forwards and seconds."""
        config = GenerationConfig(
            do_sample=False,
            max_new_tokens=max_new_tokens,
            eos_token_id=eos or None,
            pad_token_id=eos[0] if eos else 0,
            **BASELINES[name],
        )
        with _plain(model) as calls:
            start = perf_counter()
            ids = torch.tensor([prompt_ids], device=model.device)
            ids_after = model.generate(
                ids, attention_mask=torch.ones_like(ids), generation_config=config
            )
            output = ids_after[0, len(prompt_ids) :].tolist()
            return output, len(calls), perf_counter() - start

    def decode(prompt_ids: list[int], max_new_tokens: int) -> Outcome:
        _, _, first = generate(prompt_ids, 1)
        output, forwards, seconds = generate(prompt_ids, max_new_tokens)
        return Outcome(output, forwards, prefill_seconds=first, seconds=seconds)

    return Contender(name, name, BASELINES[name], decode, prefilled=1)


def untimed(contender: Contender) -> Contender:
    """The contender with counts only; LogitSpecError if its counts follow from times."""
    if contender.method in METHODS and make(contender.method, contender.options).sizes_trees:
        raise LogitSpecError(
            f"{contender.title} sizes its trees by times, which --untimed does not take; add"
            " tree_size=capacity."
        )

    def decode(prompt_ids: list[int], max_new_tokens: int) -> Outcome:
        outcome = contender.decode(prompt_ids, max_new_tokens)
        return replace(outcome, prefill_seconds=0.0, seconds=0.0)

    return replace(contender, decode=decode)


@contextmanager
def _plain(model: Any) -> Iterator[list[None]]:
    """`model` without its generation config; the list grows by one with each forward."""
    calls: list[None] = []
    config, model.generation_config = model.generation_config, GenerationConfig()
    hook = model.register_forward_hook(lambda *_: calls.append(None))
    try:
        yield calls
    finally:
        hook.remove()
        model.generation_config = config


def variants(texts: Sequence[str]) -> list[Variant]:
    """Variants from `method` or `method:name=value,name=value`, always including plain decoding."""
    by_title: dict[str, Variant] = {}
    for text in texts:
        name, _, pairs = text.partition(":")
        variant = parse_variant(name, pairs.split(",") if pairs else [])
        by_title[variant.title] = variant
    if REFERENCE not in by_title:
        return [Variant(REFERENCE), *by_title.values()]
    return list(by_title.values())


def baselines(names: Sequence[str]) -> list[str]:
    """The names, each once; LogitSpecError for one that doesn't exist."""
    if unknown := [name for name in names if name not in BASELINES]:
        raise LogitSpecError(
            f"There is no baseline {unknown[0]!r}; choose one of {', '.join(BASELINES)}."
        )
    return list(dict.fromkeys(names))
