"""Gathering evidence: what the model decodes, and what is replayed without it.

prompts -> plain decoding with its top-k -> ranks of next-next tokens
        -> replays of that text          -> steps of prompt lookup and, by capacity, of the paper's method
        -> runs                          -> steps of ours, which learns from logits that no replay has
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any

from logitspec.builtin.corpus import TASKS, samples
from logitspec.decoding.engine import begin, run
from logitspec.decoding.target import Target
from logitspec.errors import LogitSpecError
from logitspec.measure.evidence import ByTask, Evidence, fingerprint_weights, next_next_ranks
from logitspec.measure.replay.record import RANKS, RecordingTarget
from logitspec.measure.replay.target import TranscriptTarget
from logitspec.prompts import Prompt, examples, typed
from logitspec.trace.metrics import Counts
from logitspec.trace.records import Trace
from logitspec.version import VERSION

BUILTIN = "builtin"
PAPER, OURS, LOOKUP = "logitspec_paper", "logitspec", "prompt_lookup"
CAPACITIES = (2, 4, 8, 16, 32, 64)  # not above the ranks that a transcript keeps
DEFAULT_CAPACITY = 64  # of the paper's method
FIRST_UNSEEN = 1000  # question ids from here on belong to prompts drawn from the corpus
SEED = 7


def prompts_for(model: str, per_task: int) -> list[Prompt]:
    """The prompts to gather evidence on: for the built-in model `per_task` of each of its own tasks, for any other
    model free-form ones, one of each kind."""
    return sample_prompts(per_task) if model == BUILTIN else list(typed())


def sample_prompts(per_task: int) -> list[Prompt]:
    """`per_task` prompts of each task, the tasks in turn: shipped examples alternating with unseen prompts, which
    the training of the built-in model can't draw.

    Raises LogitSpecError if `per_task` is less than 1.
    """
    if per_task < 1:
        raise LogitSpecError(f"Prompts of each task must be 1 or more; got {per_task}.")
    rows = [islice(_of_task(task, place), per_task) for place, task in enumerate(TASKS)]
    return list(chain.from_iterable(zip(*rows, strict=True)))


def _of_task(task: str, place: int) -> Iterator[Prompt]:
    shipped = [each for each in examples() if each.category == task]
    unseen = samples(SEED, "eval", task)
    for number in count():
        if number < len(shipped):
            yield shipped[number]
        text, _ = next(unseen).turns[0]
        yield Prompt(FIRST_UNSEEN * (place + 1) + number, task, "", text)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of the prompts are done, and what is being done with the next, which is of `task`; without a task, with
    none of them."""

    done: int
    prompts: int
    doing: str
    task: str = ""

    @property
    def what(self) -> str:
        """Task and doing as a phrase."""
        return f"{self.task}, {self.doing}" if self.task else self.doing


def gather(
    target: Any, tokenizer: Any, prompts: Sequence[Prompt], new_tokens: int
) -> Generator[Progress, None, Evidence]:
    """Decode and replay the prompts: a generator that yields after every step and returns the evidence.

    target: a runner. new_tokens: the maximum for each of `prompts`. Raises LogitSpecError before the first
    forward for a prompt that can't be decoded.
    """
    from logitspec.models.chat import encode_prompt  # nothing else here imports torch

    encoded = [encode_prompt(tokenizer, each.text) for each in prompts]
    for prompt, ids in zip(prompts, encoded, strict=True):
        try:
            trace = begin(target, ids, "autoregressive", new_tokens)
        except LogitSpecError as error:
            raise LogitSpecError(f"Prompt {prompt.question_id}: {error}") from error
    yield Progress(0, len(prompts), "timing forwards")
    costs = target.measure_costs()
    evidence = Evidence(
        _about(trace, prompts), list(costs.rows), list(costs.seconds), padded=costs.padded
    )
    for done, (prompt, ids) in enumerate(zip(prompts, encoded, strict=True)):
        for doing in _count_prompt(evidence, target, prompt, ids, new_tokens):
            yield Progress(done, len(prompts), doing, prompt.category)
    yield Progress(len(prompts), len(prompts), "done")
    return evidence


def _count_prompt(
    evidence: Evidence, target: Target, prompt: Prompt, ids: list[int], new_tokens: int
) -> Iterator[str]:
    """Count the runs on one prompt; after every step, yields what it is doing."""
    task = prompt.category
    recording = RecordingTarget(target, RANKS)
    plain = yield from _run_to_end(recording, ids, "autoregressive", new_tokens, "plain decoding")
    transcript = recording.transcript(prompt, plain)
    evidence.ranks.setdefault(task, Counter()).update(next_next_ranks(transcript))
    live = yield from _run_to_end(target, ids, OURS, new_tokens, "drafting live")
    _add(evidence.runs.setdefault(OURS, {}), task, live)

    def replay_with(method: str, **options: Any) -> Generator[str, None, Trace]:
        recorded = TranscriptTarget(transcript)
        return (yield from _run_to_end(recorded, ids, method, new_tokens, "replaying", **options))

    _add(evidence.runs.setdefault(LOOKUP, {}), task, (yield from replay_with(LOOKUP)))
    for capacity in CAPACITIES:
        trace = yield from replay_with(PAPER, draft_tree_capacity=capacity)
        _add(evidence.capacities.setdefault(capacity, {}), task, trace)
        if capacity == DEFAULT_CAPACITY:
            _add(evidence.runs.setdefault(PAPER, {}), task, trace)


def _add(by_task: ByTask, task: str, trace: Trace) -> None:
    by_task[task] = by_task.get(task, Counts()) + trace.counts()


def _run_to_end(
    target: Target, ids: list[int], method: str, new_tokens: int, what: str, **options: Any
) -> Generator[str, None, Trace]:
    trace = begin(target, ids, method, new_tokens, options=options)
    for _ in run(target, trace):
        yield what
    return trace


def _about(trace: Trace, prompts: Sequence[Prompt]) -> dict[str, Any]:
    """The conditions of the counts."""
    is_builtin = trace.model.get("id") == BUILTIN
    return {
        "model": trace.model,
        "environment": {**trace.environment, "logitspec": VERSION},
        "prompts": dict(Counter(each.category for each in prompts)),
        "unseen": sum(each.question_id >= FIRST_UNSEEN for each in prompts),
        "max_new_tokens": trace.max_new_tokens,
        **({"weights": fingerprint_weights()} if is_builtin else {}),
    }
