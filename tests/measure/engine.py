"""Measure what a forward spends its time on, what a step costs outside it, and the drafters alone.

    python tests/measure engine [--model MODEL] [--dtype fastest] [--products]

The bars: drafting, masks, positions, accepting, committing and recording take at most 10 % of a step of
`logitspec` on the built-in model after 256, 1,024 and 2,048 tokens; a drafter alone takes no longer
after 32,768 tokens than after 1,024. They are for an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import Any

import torch

from logitspec import load
from logitspec.builtin.corpus import samples
from logitspec.decoding.engine import begin, run
from logitspec.drafters import METHODS, make
from logitspec.measure.gpu_check.shapes import copy_bandwidth
from logitspec.models.chat import encode_prompt
from logitspec.runtime.fast import FastForward
from logitspec.runtime.product import Product, plain
from logitspec.runtime.timing import some_tree
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import accept

CONTEXTS = (256, 1024, 2048)
TEXTS = (1024, 8192, 32768)
STEPS = 96
PLACES = 60
ROWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
ROUNDS = 15
CALLS = 40
SQUARE = 1536  # rows and columns of a product that is as fast as they get
COPIED = 2**28  # bytes, more than caches hold


def conversation(tokenizer: Any, least: int) -> list[int]:
    """At least `least` tokens of unseen conversations, one after another."""
    ids: list[int] = []
    for sample in samples(7, "eval"):
        before: list[tuple[str, str]] = []
        for question, answer in sample.turns:
            before.append((question, answer))
        *earlier, (question, _) = before
        ids += encode_prompt(tokenizer, question, earlier)
        if len(ids) >= least:
            return ids
    raise AssertionError


def steps(target: Any, ids: list[int], method: str) -> Iterator[tuple[float, float, Any]]:
    """For each step: its wall seconds with the loop around it, those of the forward, and its parts."""
    running = run(target, begin(target, ids, method, STEPS))
    next(running)  # includes the prefill
    while True:
        started = perf_counter()
        step = next(running, None)
        if step is None:
            return
        yield perf_counter() - started, step.seconds.device, step.seconds


def forwards(target: Any, ids: list[int]) -> None:
    """Print the table of forwards after `ids`: their time with products in their fastest forms and with plain
    ones, the products' share of it, and how fast these read the weights compared with a plain copy in memory."""
    if not isinstance(target.forward, FastForward):
        return
    products = target.forward.products
    weights = sum(each.bytes for each in products)
    copied = copy_bandwidth(torch.device("cpu"), COPIED)["gb_per_second"]
    fastest, usual = [each.forms for each in products], [Product.PLAIN] * len(products)
    print(f"{weights / 1e6:.1f} MB of weights; a copy reads and writes {copied} GB/s")
    print(f"{'rows':>8}{'plain ms':>10}{'forward ms':>12}{'ratio':>7}{'products':>10}{'GB/s':>7}")
    target.prefill(ids)
    for rows in ROWS:
        tree = some_tree(ids, rows)
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for taken, forms in zip(times, (usual, fastest), strict=True):
                for product, form in zip(products, forms, strict=True):
                    product.forms = form
                taken.append(target.verify(tree).seconds)
        before, after = (sorted(taken)[ROUNDS // 4] for taken in times)
        spent = multiplied(products, rows)
        print(
            f"{rows:>8}{1000 * before:>10.2f}{1000 * after:>12.2f}{after / before:>7.2f}"
            f"{spent / after:>10.0%}{weights / spent / 1e9:>7.1f}"
        )
    print()


def multiplied(products: list[Product], rows: int) -> float:
    """The least seconds of a few rounds through all products."""
    inputs = [each.weight.new_ones(rows, each.weight.shape[1]) for each in products]
    times = []
    with torch.inference_mode():
        for _ in range(12):
            started = perf_counter()
            for product, given in zip(products, inputs, strict=True):
                product(given)
            times.append(perf_counter() - started)
    return min(times)


def by_shape(target: Any) -> None:
    """Print the table of the products of each shape: their form, its time compared with the plain one's, and
    its operations per second compared with the product of two square matrices."""
    if not isinstance(target.forward, FastForward):
        return
    most = multiplied_squares() / 1e9
    print(f"two matrices of {SQUARE} x {SQUARE} are multiplied at {most:.0f} GFLOP/s")
    print(
        f"{'weight':>14}{'times':>7}{'rows':>6}  {'form':<12}{'ms':>8}{'plain ms':>10}{'GFLOP/s':>9}"
    )
    shapes: dict[tuple[int, ...], list[Product]] = {}
    for product in target.forward.products:
        shapes.setdefault(tuple(product.weight.shape), []).append(product)
    for shape, alike in shapes.items():
        for rows in ROWS:
            taken, plainly = multiplied_once(alike, rows)
            form = alike[0].forms[min(rows, len(alike[0].forms) - 1)].__name__
            operations = 2 * rows * shape[0] * shape[1] / taken / 1e9
            print(
                f"{f'{shape[0]} x {shape[1]}':>14}{len(alike):>7}{rows:>6}  {form:<12}"
                f"{1000 * taken:>8.3f}{1000 * plainly:>10.3f}{operations:>9.0f}"
            )
    print()


@torch.inference_mode()
def multiplied_once(products: list[Product], rows: int) -> tuple[float, float]:
    """Median seconds of one of `products`, which are alike, in its own form and in the plain one."""
    given = torch.randn(rows, products[0].weight.shape[1]).to(products[0].weight.dtype)
    # One after another, so that weights come from memory and not from a cache.
    following = cycle(products)
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(2 * CALLS + 2):
        product = next(following)
        started = perf_counter()
        plain(product, given) if turn % 2 else product(given)
        times[turn % 2].append(perf_counter() - started)
    own, plainly = (median(each[1:]) for each in times)
    return own, plainly


def multiplied_squares() -> float:
    """Operations per second of a product of two square matrices."""
    square = torch.randn(SQUARE, SQUARE)
    times = []
    for _ in range(12):
        started = perf_counter()
        square @ square
        times.append(perf_counter() - started)
    return 2 * SQUARE**3 / min(times)


def outside(target: Any, tokenizer: Any) -> None:
    """Print the table of steps after longer and longer texts."""
    text = conversation(tokenizer, CONTEXTS[-1])
    print(
        f"{'context':>8}  {'method':<18}{'step ms':>9}{'outside':>9}{'draft ms':>10}{'commit ms':>11}"
    )
    for context in CONTEXTS:
        ids = text[: context - STEPS]  # the text ends where the context is full
        for method in METHODS:
            rows = [row for _ in range(3) for row in steps(target, ids, method)]
            wall, forward = (sum(row[part] for row in rows) for part in (0, 1))
            draft, commit = (
                1000 * sum(getattr(row[2], part) for row in rows) / len(rows)
                for part in ("draft", "commit")
            )
            print(
                f"{context:>8}  {method:<18}{1000 * wall / len(rows):>9.2f}{1 - forward / wall:>9.1%}"
                f"{draft:>10.3f}{commit:>11.3f}"
            )


def alone(tokenizer: Any) -> None:
    """Print the table of the drafters at the same places after longer and longer texts: milliseconds of draft
    and observe."""
    text = conversation(tokenizer, TEXTS[-1] + PLACES + 1)[: TEXTS[-1] + PLACES + 1]
    first = len(text) - PLACES - 1
    print(f"\n{'text':>8}  {'method':<18}{'draft + observe ms':>20}")
    for size in TEXTS:
        for method in METHODS:
            drafter = make(method, {})
            drafter.reset(text[first - size : first])
            times = []
            for place in range(first, first + PLACES):
                last = TopK([text[place], *range(100, 163)], [0.5, *[0.005] * 63])
                gc.collect(0)
                started = perf_counter()
                tree = drafter.draft(text[place], last)
                times.append(perf_counter() - started)
                # As if the target continued the text.
                choices = [text[place + 1]] * len(tree)
                path = accept(tree, choices)[:1]
                result = ForwardResult(choices, [last.head(8)] * len(tree), 0.0)
                started = perf_counter()
                drafter.observe(tree, path, result)
                times[-1] += perf_counter() - started
            print(f"{size:>8}  {method:<18}{1000 * median(times):>20.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the engine outside of forwards.")
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--dtype", default="fastest")
    parser.add_argument("--products", action="store_true", help="forwards and products alone")
    chosen = parser.parse_args()
    target, tokenizer = load(chosen.model, device="cpu", dtype=chosen.dtype)
    target.measure_costs()
    print(", ".join(f"{name} {value}" for name, value in target.info.items()))
    forwards(target, conversation(tokenizer, CONTEXTS[0])[: CONTEXTS[0]])
    by_shape(target)
    if not chosen.products:
        outside(target, tokenizer)
        alone(tokenizer)


if __name__ == "__main__":
    main()
