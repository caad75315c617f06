"""The answers of tools, as plain data and in words, both of bounded size however long the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logitspec.decoding.race import Verdict
from logitspec.serving.programs.sentences import step_sentence
from logitspec.serving.programs.spelling import quote_tokens
from logitspec.trace.records import Trace
from logitspec.trace.rounding import decimal, percent, rate, several

MAX_TEXT = 20_000  # characters of an output
MAX_LINES = 40  # of steps, one line each

FINISHES = {
    "eos": "the text ended",
    "length": "the limit of new tokens was reached",
    "context": "the model's context was full",
    "cancelled": "it was stopped",
    "error": "it failed",
}


@dataclass(frozen=True, slots=True)
class Numbers:
    """The counts of a run.

    mean_accepted_tokens: tokens per forward pass of the target, root included, prefill excluded. drafted, accepted:
    nodes without roots. seconds: of decoding, without the prefill.
    """

    tokens: int
    forward_passes: int
    mean_accepted_tokens: float
    drafted: int
    accepted: int
    acceptance_rate: float
    seconds: float
    tokens_per_second: float

    @classmethod
    def of(cls, trace: Trace) -> Numbers:
        """The numbers of a run."""
        counts = trace.counts()
        return cls(
            counts.tokens,
            counts.forwards,
            counts.mean_accepted_tokens,
            counts.drafted,
            counts.accepted,
            counts.acceptance_rate,
            counts.seconds.wall,
            counts.tokens_per_second,
        )

    def words(self) -> str:
        """The numbers on one line."""
        share = f" ({percent(self.acceptance_rate)})" if self.drafted else ""
        return (
            f"{several(self.tokens, 'token')} in {several(self.forward_passes, 'forward pass', 'es')}:"
            f" {decimal(self.mean_accepted_tokens, 2)} mean accepted tokens;"
            f" {self.accepted} of {self.drafted} drafts accepted{share}; {rate(self.tokens_per_second)} tokens/s"
        )


@dataclass(frozen=True, slots=True)
class Generation:
    """The answer about a run.

    finish: eos, length, context, cancelled or error; error: why, in the last case. steps: one line for each of the first
    40. run: its name for `explain_step`. player: the address at which to watch it.
    """

    text: str
    finish: str
    error: str | None
    method: str
    model: str
    numbers: Numbers
    steps: list[str]
    run: str
    player: str

    @classmethod
    def of(cls, trace: Trace, player: str) -> Generation:
        """The answer about a finished run."""
        lines = [step_line(trace, number) for number in range(1, len(trace.steps) + 1)]
        return cls(
            text_of(trace),
            trace.finish or "",
            trace.error,
            trace.method,
            str(trace.model.get("id", "")),
            Numbers.of(trace),
            lines[:MAX_LINES],
            trace.run,
            player,
        )

    def words(self) -> str:
        """The answer in words."""
        finish = self.error or f"It ended because {FINISHES.get(self.finish, self.finish)}."
        more = self.numbers.forward_passes - len(self.steps)
        steps = several(more, "more step")
        rest = [f"… and {steps}, which explain_step describes."] if more > 0 else []
        return "\n".join(
            [
                self.text,
                "",
                f"{self.method} on {self.model}: {self.numbers.words()}. {finish}",
                *self.steps,
                *rest,
                f"Run {self.run}; watch it step by step: {self.player}",
            ]
        )


@dataclass(frozen=True, slots=True)
class Lane:
    """A method in a comparison. error: why its run failed, if it did. speed_up: the baseline's seconds per token / its
    own."""

    method: str
    title: str
    finish: str
    error: str | None
    numbers: Numbers
    speed_up: float
    run: str
    player: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer about several methods on one prompt.

    same: whether all wrote the same, token for token; None where not all finished. verdict: the same in words.
    baseline: the method that speed-ups refer to. text: the first method's output. run: that of the method with the fewest
    forward passes per token.
    """

    same: bool | None
    verdict: str
    baseline: str
    methods: list[Lane]
    text: str
    model: str
    run: str

    def words(self) -> str:
        """The answer in words."""
        lanes = [
            " ".join(
                [
                    f"{each.method}: {each.numbers.words()}; {decimal(each.speed_up, 2)}x {self.baseline}.",
                    *([each.error] if each.error else []),
                    each.player,
                ]
            )
            for each in self.methods
        ]
        return "\n".join([self.verdict, "", *lanes, "", f"On {self.model}, the text:", self.text])


@dataclass(frozen=True, slots=True)
class Guess:
    """A token of the last logits, with its probability."""

    token: str
    probability: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer about one step.

    sentence: its number, counts and gain. story: how it got its tokens. last_logits: their most probable tokens, best
    first. drafted: number of drafts by origin. accepted: the tokens that the step emitted, the root first. next: the
    target's own token after them, which is the next root.
    """

    run: str
    method: str
    step: int
    steps: int
    sentence: str
    story: str
    last_logits: list[Guess]
    drafted: dict[str, int]
    accepted: list[str]
    next: str
    player: str

    def words(self) -> str:
        """The answer in words."""
        guesses = ", ".join(
            f"{each.token} {percent(each.probability)}" for each in self.last_logits
        )
        drafts = ", ".join(f"{count} {origin}" for origin, count in self.drafted.items())
        return "\n".join(
            [
                self.sentence,
                self.story,
                f"The last logits: {guesses}.",
                f"Drafted: {drafts or 'nothing'}.",
                f"Tokens of the step: {', '.join(self.accepted)}; the next root is {self.next}.",
                f"Step {self.step} of {self.steps} of run {self.run} ({self.method}): {self.player}",
            ]
        )


def step_line(trace: Trace, number: int) -> str:
    """Step `number` (from 1 on) on one line, with its tokens."""
    return f"{step_sentence(trace, number)} {quote_tokens(trace, trace.steps[number - 1].tokens)}"


def text_of(trace: Trace) -> str:
    """The output of a run without its end-of-sequence token, cut at MAX_TEXT characters."""
    tokens = trace.output_ids[:-1] if trace.finish == "eos" else trace.output_ids
    text = b"".join(trace.vocabulary.get(token, b"") for token in tokens).decode(errors="replace")
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def verdict_words(verdict: Verdict, methods: Sequence[str]) -> str:
    """A sentence on whether all methods wrote the same."""
    names = f"{', '.join(methods[:-1])} and {methods[-1]}"
    if verdict.differs_at is not None:
        near = (
            ""
            if verdict.margin is None
            else f"; the two best tokens were {percent(verdict.margin)} apart there"
        )
        return f"The outputs of {names} differ from new token {verdict.differs_at + 1} on{near}."
    if verdict.complete:
        return f"{names} wrote the same, token for token ({several(verdict.tokens, 'token')})."
    return f"Not all of {names} finished; up to there ({several(verdict.tokens, 'token')}) they wrote the same."
