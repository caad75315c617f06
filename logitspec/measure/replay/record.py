"""Recording transcripts: plain decoding on a target that records the model's ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.target import Target
from logitspec.errors import LogitSpecError
from logitspec.measure.replay.transcript import UNKNOWN, Transcript
from logitspec.prompts import Prompt
from logitspec.trace.records import Trace
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.sampling import GREEDY, Sampling
from logitspec.trace.tree import DraftTree

RANKS = 64  # recorded after the prompt and after each token of the output


class RecordingTarget(Target):
    """A target that passes every call on to `inner` and records the answers, for plain decoding.

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
                "This target ranks no tokens within a prompt, which a transcript needs; use a model."
            )
        self.length, self.topk = self.inner.length, []
        self._record(result)
        return result

    def verify(self, tree: DraftTree) -> ForwardResult:
        result = self.inner.verify(tree)
        self._record(result)
        return result

    def commit(self, path: Sequence[int]) -> None:
        self.inner.commit(path)
        self.length = self.inner.length

    def _record(self, result: ForwardResult) -> None:
        self.topk += [top.head(self.ranks) for top in result.topk]
        self.after = result.choices[-1]

    def transcript(self, prompt: Prompt, trace: Trace) -> Transcript:
        """The transcript of plain decoding of `prompt`, whose finished trace is `trace`."""
        return Transcript(
            question_id=prompt.question_id,
            category=prompt.category,
            model=dict(self.info),
            eos_ids=trace.eos_ids,
            limit=self.limit,
            max_new_tokens=trace.max_new_tokens,
            prompt_ids=trace.prompt_ids,
            output_ids=trace.output_ids,
            after=self.after,
            finish=trace.finish or "",
            topk=self.topk,
        )


def record(
    target: Target,
    tokenizer: Any,
    prompts: Sequence[Prompt],
    max_new_tokens: int = 256,
    ranks: int = RANKS,
) -> Iterator[Transcript]:
    """Transcripts of the greedy outputs of `prompts`, their first turns, in the model's chat template.

    ranks: recorded after each token of the output; a method that drafts more runners-up (with a larger
    `draft_tree_capacity`) needs more. Raises LogitSpecError before the first forward for a prompt that can't be
    decoded.
    """
    from logitspec.models.chat import encode_prompt  # replays import no torch

    recording = RecordingTarget(target, ranks)
    traces = []
    for prompt in prompts:
        try:
            ids = encode_prompt(tokenizer, prompt.text)
            traces.append(begin(recording, ids, "autoregressive", max_new_tokens))
        except LogitSpecError as error:
            raise LogitSpecError(f"Prompt {prompt.question_id}: {error}") from error
    return (
        recording.transcript(prompt, complete(recording, trace))
        for prompt, trace in zip(prompts, traces, strict=True)
    )
