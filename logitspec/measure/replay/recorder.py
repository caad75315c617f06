"""Makes recordings: plain decoding with a listener between the engine and the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.target import Target
from logitspec.errors import LogitSpecError
from logitspec.measure.replay.recording import UNKNOWN, Recording
from logitspec.prompts import Prompt
from logitspec.trace.records import Trace
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.sampling import GREEDY, Sampling
from logitspec.trace.tree import DraftTree

RANKS = 64  # kept after the prompt and after each token of the output


class Listener(Target):
    """A target that hands everything on to `inner` and keeps what came back, for plain decoding.

    topk: after each verified token, at most `ranks`. after: the choice after the last of them.
    """

    def __init__(self, inner: Target, ranks: int) -> None:
        self.inner, self.ranks = inner, ranks
        self.limit, self.eos_ids, self.info = inner.limit, inner.eos_ids, inner.info
        self.topk: list[TopK] = []
        self.after = UNKNOWN

    def prefill(
        self, ids: Sequence[int], sampling: Sampling = GREEDY, everywhere: bool = True
    ) -> ForwardResult:
        result = self.inner.prefill(ids, sampling, everywhere=True)
        if len(result.topk) != len(ids):
            raise LogitSpecError(
                "This target ranks no tokens within a prompt, which a recording needs; use a model."
            )
        self.length, self.topk = self.inner.length, []
        self._keep(result)
        return result

    def verify(self, tree: DraftTree) -> ForwardResult:
        result = self.inner.verify(tree)
        self._keep(result)
        return result

    def commit(self, path: Sequence[int]) -> None:
        self.inner.commit(path)
        self.length = self.inner.length

    def _keep(self, result: ForwardResult) -> None:
        self.topk += [top.head(self.ranks) for top in result.topk]
        self.after = result.choices[-1]


def record(
    target: Target,
    tokenizer: Any,
    prompts: Sequence[Prompt],
    max_new_tokens: int = 256,
    ranks: int = RANKS,
) -> Iterator[Recording]:
    """Recordings of the greedy outputs of `prompts`, their first turns, in the model's chat template.

    ranks: kept after each token of the output; a method whose trees take more of the last logits
    (`draft_tree_capacity` above it) wants more. Raises LogitSpecError before the first forward for
    a prompt that can't be decoded.
    """
    from logitspec.models.loader import encode_prompt  # only here are the heavy packages wanted

    listener = Listener(target, ranks)
    runs = []
    for prompt in prompts:
        try:
            ids = encode_prompt(tokenizer, prompt.text)
            runs.append(begin(listener, ids, "autoregressive", max_new_tokens))
        except LogitSpecError as error:
            raise LogitSpecError(f"Prompt {prompt.question_id}: {error}") from error
    return (_recorded(listener, prompt, trace) for prompt, trace in zip(prompts, runs, strict=True))


def _recorded(listener: Listener, prompt: Prompt, trace: Trace) -> Recording:
    complete(listener, trace)
    return recording_of(listener, prompt, trace)


def recording_of(listener: Listener, prompt: Prompt, trace: Trace) -> Recording:
    """What `listener` has kept of plain decoding of `prompt`, whose finished trace is `trace`."""
    return Recording(
        question_id=prompt.question_id,
        category=prompt.category,
        model=dict(listener.info),
        eos_ids=trace.eos_ids,
        limit=listener.limit,
        max_new_tokens=trace.max_new_tokens,
        prompt_ids=trace.prompt_ids,
        output_ids=trace.output_ids,
        after=listener.after,
        finish=trace.finish or "",
        topk=listener.topk,
    )
