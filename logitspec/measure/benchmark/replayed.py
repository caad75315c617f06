"""Methods whose replay is exact, on transcripts instead of the model: counts without times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from logitspec.drafters import make
from logitspec.errors import LogitSpecError
from logitspec.measure.benchmark.runs import REFERENCE, Contender, Outcome
from logitspec.measure.replay.target import EXACT, replay
from logitspec.measure.replay.transcript import Transcript, read


class Transcripts:
    """The transcripts in a file that `target` would write itself, found by their prompts.

    Raises LogitSpecError if the file is of another model or dtype.
    """

    def __init__(self, path: str | Path, target: Any) -> None:
        self.limit, self.vocabulary_size = target.limit, target.vocabulary_size
        # As text, since hundreds of transcripts would fill the memory.
        self.lines: dict[tuple[int, ...], str] = {}
        for each in read(path):
            for name in ("id", "dtype"):
                if each.model.get(name) != target.info[name]:
                    raise LogitSpecError(
                        f"{path} has transcripts of {each.model.get(name)} and the model is"
                        f" {target.info[name]}; record them again on this model."
                    )
            self.lines[tuple(each.prompt_ids)] = each.to_json()

    def find(
        self, prompt_ids: Sequence[int], max_new_tokens: int, ranks: int = 0
    ) -> Transcript | None:
        """The transcript of a prompt, as if recorded with that maximum; None if there is none that long, or with
        that many ranks of the last logits."""
        line = self.lines.get(tuple(prompt_ids))
        if line is None:
            return None
        transcript = Transcript.from_json(line)
        recorded = len(transcript.topk[len(prompt_ids) - 1])
        if (
            transcript.limit != self.limit
            or transcript.max_new_tokens < max_new_tokens
            or recorded < min(ranks, self.vocabulary_size)
        ):
            return None
        return replace(transcript, max_new_tokens=max_new_tokens)


def with_replays(live: Contender, transcripts: Transcripts) -> Contender:
    """`live` with replays where there are transcripts; `live` itself if its replay is not exact, or if the
    others are compared with it."""
    if live.method not in EXACT or live.method == REFERENCE:
        return live
    # A node in a tree may be as far down the last logits as the tree has nodes.
    ranks = getattr(make(live.method, live.options), "draft_tree_capacity", 0)

    def decode(prompt_ids: list[int], max_new_tokens: int) -> Outcome:
        transcript = transcripts.find(prompt_ids, max_new_tokens, ranks)
        if transcript is None:
            return live.decode(prompt_ids, max_new_tokens)
        trace = replay(transcript, live.method, **live.options)
        return Outcome(trace.output_ids, len(trace.steps), 0.0, 0.0, trace, replayed=True)

    return replace(live, decode=decode)
