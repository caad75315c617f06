"""A transcript in place of the model, and replays on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.target import Target
from logitspec.drafters import DEFAULT_METHOD
from logitspec.errors import LogitSpecError
from logitspec.measure.replay.transcript import UNKNOWN, Transcript
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.records import Trace
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.sampling import GREEDY, Sampling
from logitspec.trace.tree import DraftTree, accept

NODE_RANKS = 16  # after every node but the last accepted one, as many as the runner gives
OFF_TEXT = -1  # the position of a node whose path is not the recorded text
NO_RANKS = TopK([], [])
# Methods whose replays equal live runs: they learn nothing from the logits of rejected nodes, which are all
# that a transcript lacks.
EXACT = ("autoregressive", "prompt_lookup", "logitspec_paper")


class TranscriptTarget(Target):
    """A transcript as `Target`: exact along the recorded text, without knowledge off it.

    The choice after a node whose path is not the recorded output is `UNKNOWN`, so that nothing below
    it is ever accepted, and its top-k is empty: what the model would have said there was never
    computed. The same holds beyond the end of the transcript, where a run stops anyway.

    costs: the seconds that its forwards report; by default none.
    """

    def __init__(self, transcript: Transcript, costs: ForwardCosts | None = None) -> None:
        self.costs = costs
        self._transcript = transcript
        self._text = [*transcript.prompt_ids, *transcript.output_ids, transcript.after]
        self.length = 0
        self.limit = transcript.limit
        self.eos_ids: Collection[int] = transcript.eos_ids
        self.info = {**transcript.model, "replayed": True}

    def prefill(
        self, ids: Sequence[int], sampling: Sampling = GREEDY, everywhere: bool = False
    ) -> ForwardResult:
        """Start over; `ids` must be the recorded prompt and `sampling` greedy."""
        if list(ids) != self._transcript.prompt_ids or sampling.temperature > 0:
            raise LogitSpecError("A transcript answers only its own prompt, decoded greedily.")
        self.length = len(ids)
        topk = self._transcript.topk[0 if everywhere else self.length - 1 : self.length]
        return ForwardResult([self._text[self.length]], topk, 0.0)

    def verify(self, tree: DraftTree) -> ForwardResult:
        """The recorded choices and top-k of the nodes that lie on the recorded text."""
        places = self._places(tree)
        choices = [self._next_token(place) for place in places]
        topk = [self._ranks(place).head(NODE_RANKS) for place in places]
        # As in the runner, the row where acceptance ends has all its ranks.
        end = accept(tree, choices)[-1]
        topk[end] = self._ranks(places[end])
        return ForwardResult(choices, topk, self.costs.at(len(tree)) if self.costs else 0.0)

    def commit(self, path: Sequence[int]) -> None:
        """`path` (nodes of the last tree, root first) is now part of the text."""
        self.length += len(path)

    def _places(self, tree: DraftTree) -> list[int]:
        """Position of each node, `OFF_TEXT` for those whose path is not the recorded text."""
        places: list[int] = []
        for token, parent in zip(tree.tokens, tree.parents, strict=True):
            previous = places[parent] if parent >= 0 else self.length - 1
            places.append(previous + 1 if self._next_token(previous) == token else OFF_TEXT)
        return places

    def _next_token(self, place: int) -> int:
        is_recorded = 0 <= place < len(self._text) - 1
        return self._text[place + 1] if is_recorded else UNKNOWN

    def _ranks(self, place: int) -> TopK:
        is_recorded = 0 <= place < len(self._transcript.topk)
        return self._transcript.topk[place] if is_recorded else NO_RANKS


def replay(transcript: Transcript, method: str = DEFAULT_METHOD, **options: Any) -> Trace:
    """The trace of `method` with `options` on a recorded prompt, through the engine's own loop.

    Every replay begins with an empty drafter. Its verify and device seconds mean nothing; those of drafting and
    committing (observing) are real. Of two nodes with the same tokens, the last step of a live run may name the
    other one, because it sees what would have followed the end.
    """
    target = TranscriptTarget(transcript)
    return complete(
        target,
        begin(target, transcript.prompt_ids, method, transcript.max_new_tokens, options=options),
    )
