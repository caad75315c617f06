"""Measuring: every contender on every turn of every prompt, in a rotating order."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

from logitspec.measure.benchmark.progress import progress
from logitspec.measure.benchmark.runs import (
    REFERENCE,
    Contender,
    Divergence,
    Measurement,
    Outcome,
    Part,
)
from logitspec.prompts import Prompt
from logitspec.trace.records import Trace

T = TypeVar("T")


def rotate(items: Sequence[T], turns: int) -> list[T]:
    """`items` from number `turns` on, then those before it: in as many rounds as there are items, each
    item takes every place once."""
    first = turns % len(items)
    return [*items[first:], *items[:first]]


WARM_UP_TOKENS = 16


@dataclass(slots=True)
class Bench:
    """The contenders and how often they run.

    encode: token ids of a text after a conversation. spell: the text of an answer's ids.
    limit: positions of the model, new tokens included. timed: whether anyone reads the times. rounds: the number
    run so far.
    """

    contenders: list[Contender]
    encode: Callable[[str, Sequence[tuple[str, str]]], list[int]]
    spell: Callable[[list[int]], str]
    limit: int
    max_new_tokens: int
    repeats: int
    timed: bool = True
    rounds: int = 0

    def fitting_prompts(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """Token ids of the first turns that fit the model's context with two new tokens."""
        return [ids for each in prompts if self._room(ids := self.encode(each.text, ())) > 1]

    def warm_up(self, prompts: Sequence[Prompt]) -> None:
        """Run every contender once on the longest prompt: buffers and kernels for all its shapes."""
        fitting = self.fitting_prompts(prompts)
        if not fitting:
            return
        longest = max(fitting, key=len)
        for contender in self.contenders:
            contender.decode(longest, min(WARM_UP_TOKENS, self._room(longest)))

    def measure(self, prompt: Prompt, part: Part, after_repeat: Callable[[], Any] = bool) -> None:
        """All turns of `prompt`; `after_repeat` is called after each repeat, and for each one left out."""
        conversation: list[tuple[str, str]] = []
        for turn, text in enumerate((prompt.text, *prompt.later)):
            ids = self.encode(text, conversation)
            # A turn needs the answers before it.
            if len(conversation) < turn or self._room(ids) < 2:
                part.left_out.append([prompt.question_id, turn])
                for _ in range(self.repeats):
                    after_repeat()
                continue
            outcomes = self._outcomes(ids, after_repeat)
            part.measurements += measurements(prompt, turn, len(ids), self.contenders, outcomes)
            part.divergences += divergences(prompt, turn, outcomes)
            conversation.append((text, self.spell(outcomes[REFERENCE][0].output_ids)))

    def _outcomes(
        self, ids: list[int], after_repeat: Callable[[], Any]
    ) -> dict[str, list[Outcome]]:
        """The outcome of each repeat, by contender."""
        outcomes: dict[str, list[Outcome]] = {each.title: [] for each in self.contenders}
        for _ in range(self.repeats):
            gc.collect()  # so that no method pays for another's garbage
            for contender in rotate(self.contenders, self.rounds):
                outcomes[contender.title].append(contender.decode(ids, self._room(ids)))
            self.rounds += 1
            after_repeat()
        return outcomes

    def _room(self, ids: Sequence[int]) -> int:
        """New tokens that fit after a prompt: transformers, unlike us, would write beyond the context."""
        return min(self.max_new_tokens, self.limit - len(ids))


def measure(
    bench: Bench, prompts: Sequence[Prompt], before: Sequence[Prompt] = (), quiet: bool = False
) -> Iterator[Part]:
    """Warm up if times are wanted, then measure `prompts`: a part for each of them, once all its turns are complete.

    before: prompts that are already complete, which count as progress. quiet: show no progress.
    """

    def rounds(of: Sequence[Prompt]) -> int:
        return bench.repeats * sum(1 + len(each.later) for each in of)

    if bench.timed:
        bench.warm_up(prompts)
    bench.rounds = rounds(before)
    with progress(rounds(before), rounds([*before, *prompts]), quiet) as bar:
        for prompt in prompts:
            part = Part()
            bench.measure(prompt, part, bar.update)
            yield part


def measurements(
    prompt: Prompt,
    turn: int,
    prompt_tokens: int,
    contenders: Sequence[Contender],
    outcomes: dict[str, list[Outcome]],
) -> Iterator[Measurement]:
    """The runs of one turn; a prefill that was timed apart from its run counts as its median."""
    for contender in contenders:
        runs = outcomes[contender.title]
        typical = median(each.prefill_seconds for each in runs)
        for repeat, each in enumerate(runs):
            prefill = typical if contender.prefilled else each.prefill_seconds
            counts = each.trace.counts() if each.trace else None
            yield Measurement(
                method=contender.title,
                question_id=prompt.question_id,
                turn=turn,
                category=prompt.category,
                repeat=repeat,
                prompt_tokens=prompt_tokens,
                tokens=len(each.output_ids),
                timed_tokens=len(each.output_ids) - contender.prefilled if each.seconds else 0,
                forwards=each.forwards,
                drafted=counts.drafted if counts else None,
                accepted=counts.accepted if counts else None,
                prefill_seconds=round(prefill, 6),
                decode_seconds=round(each.seconds - prefill, 6),
                forward_seconds=round(counts.seconds.device, 6)
                if counts and each.seconds
                else None,
                replayed=each.replayed,
            )


def divergences(
    prompt: Prompt, turn: int, outcomes: dict[str, list[Outcome]]
) -> Iterator[Divergence]:
    """For each contender with an output other than that of plain decoding's first run, where it first
    differs."""
    reference = outcomes[REFERENCE][0]
    expected = reference.output_ids
    for title, runs in outcomes.items():
        other = next((each.output_ids for each in runs if each.output_ids != expected), None)
        if other is None:
            continue
        pairs = enumerate(zip(expected, other, strict=False))
        shorter = min(len(expected), len(other))
        place = next((place for place, (left, right) in pairs if left != right), shorter)
        yield Divergence(
            method=title,
            question_id=prompt.question_id,
            turn=turn,
            category=prompt.category,
            position=place,
            wanted=expected[place] if place < len(expected) else None,
            got=other[place] if place < len(other) else None,
            margin=_margin(reference.trace, place) if place < shorter else None,
        )


def _margin(trace: Trace | None, place: int) -> float:
    """How much more probable the best token was than the second, at new token `place` of a run of
    plain decoding, which has a step for each token."""
    assert trace is not None
    best, second = trace.steps[place].last.probs[:2]
    return round(best - second, 6)
