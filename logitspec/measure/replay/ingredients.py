"""What each ingredient of our method is worth: runs with it switched off, next to the other methods.

Ours drafts full trees of each requested size (`tree_size=capacity`), since a replay has no forward times to
size them by; the other methods draft theirs with their default options.
"""

from __future__ import annotations

import multiprocessing
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from logitspec.drafters import METHODS, option_fields
from logitspec.errors import LogitSpecError
from logitspec.measure.replay.live import run_live
from logitspec.measure.replay.scores import Score
from logitspec.measure.replay.target import replay
from logitspec.measure.replay.transcript import Transcript
from logitspec.prompts import OVERALL
from logitspec.trace.metrics import Counts
from logitspec.trace.rounding import several
from logitspec.version import VERSION

OURS = "logitspec"
PEERS = tuple(name for name in METHODS if name not in (OURS, "autoregressive"))
DRAFTS = (63, 24, 8)
MAX_PROCESSES = 64
MEAN_ACCEPTED = "tokens per target forward, root included, prefill excluded"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A method and how it drafts: a row of the table, at one size.

    without: the option that is switched off, "" for none. drafts: the maximum a step; None if the method
    decides.
    """

    method: str
    without: str = ""
    drafts: int | None = None

    @property
    def title(self) -> str:
        return f"without {self.without}" if self.without else self.method

    @property
    def options(self) -> dict[str, Any]:
        """The method's options that differ from their defaults."""
        if self.drafts is None:
            return {}
        full = {"tree_size": "capacity", "draft_tree_capacity": self.drafts + 1}  # and the root
        return full | ({self.without: False} if self.without else {})


def switches() -> list[str]:
    """The options of our method that can be switched off."""
    return [each.name for each in option_fields(METHODS[OURS]) if each.default is True]


def recipes(drafts: Sequence[int] = DRAFTS) -> list[Recipe]:
    """Ours, whole and without each ingredient, at each size; then the other methods."""
    without = ["", *switches()]
    return [Recipe(OURS, each, size) for each in without for size in drafts] + [
        Recipe(peer) for peer in PEERS
    ]


@dataclass(slots=True)
class Ingredients:
    """Scores by file, then by recipe; `OVERALL` counts the tokens and steps of all files together.

    live: the model, as for `load`, to run the recorded prompts on; None for replays. models: the models of the
    transcripts, each once. differing: the number of live runs whose output is not the recorded one, as a near tie
    between two tokens can cause.
    """

    drafts: tuple[int, ...] = DRAFTS
    live: str | None = None
    scores: dict[str, dict[Recipe, Score]] = field(default_factory=dict)
    models: list[dict[str, Any]] = field(default_factory=list)
    differing: int = 0

    def add(self, name: str, transcripts: Iterable[Transcript], processes: int = 1) -> None:
        """Count the runs on a file of transcripts; `name`: the file's name in the table."""
        own = self.scores.setdefault(name, defaultdict(Score))
        rows = recipes(self.drafts)
        for runs, differing in count_runs(
            self._collect_models(transcripts), rows, processes, self.live
        ):
            self.differing += differing
            for recipe, counts in zip(rows, runs, strict=True):
                own[recipe].add(counts)

    def _collect_models(self, transcripts: Iterable[Transcript]) -> Iterator[Transcript]:
        for transcript in transcripts:
            if transcript.model not in self.models:
                self.models.append(transcript.model)
            yield transcript

    def by_file(self) -> dict[str, dict[Recipe, Score]]:
        """The scores by file, and those of all files together if there are several."""
        if len(self.scores) < 2:
            return self.scores
        overall: dict[Recipe, Score] = defaultdict(Score)
        for scores in self.scores.values():
            for recipe, score in scores.items():
                overall[recipe].add(score.counts, score.prompts)
        return {**self.scores, OVERALL: overall}


def count_runs(
    transcripts: Iterable[Transcript],
    rows: Sequence[Recipe],
    processes: int = 1,
    live: str | None = None,
) -> Iterator[tuple[list[Counts], int]]:
    """For each transcript, the counts of each recipe's run, in order, and how many of the runs did not write the
    output of the transcript. The transcripts are spread over `processes`."""
    if not 1 <= processes <= MAX_PROCESSES:
        raise LogitSpecError(f"--processes must be from 1 to {MAX_PROCESSES}; got {processes}.")
    count = partial(_count_one, rows, live)
    with ExitStack() as stack:
        if processes == 1:
            yield from map(count, transcripts)
            return
        pool = stack.enter_context(multiprocessing.get_context("spawn").Pool(processes))
        remaining = iter(transcripts)
        # In batches, since a pool reads its whole input up front, and a long file would fill the memory.
        while batch := list(islice(remaining, 8 * processes)):
            yield from pool.imap(count, batch)


def _count_one(
    rows: Sequence[Recipe], live: str | None, transcript: Transcript
) -> tuple[list[Counts], int]:
    counts = []
    differing = 0
    for recipe in rows:
        if live is None:
            trace = replay(transcript, recipe.method, **recipe.options)
        else:
            trace = run_live(transcript, live, recipe.method, **recipe.options)
        counts.append(trace.counts())
        differing += trace.output_ids != transcript.output_ids
    return counts, differing


# The table

LEGEND = f"""\
Mean accepted tokens ({MEAN_ACCEPTED}), greedy, a cold start for every prompt,
trees always full (tree_size=capacity). Rows of {OURS}: by drafts per step, at most. Rows of other
methods: at their own size, with their mean drafts per step; "x" is the mean accepted tokens of
{OURS} with that many drafts, as a multiple of theirs."""
REPLAYED = f"""\
These are replays. A transcript lacks the logits of rejected nodes, which {OURS}, token_recycling,
suffix_automaton, racer and goose learn from: live (--model), they accept far more."""


def table(ingredients: Ingredients) -> str:
    """The table as text: per file, then overall; ours by size, whole and without each ingredient, then the others."""
    width = 2 + max(len(recipe.title) for recipe in recipes(ingredients.drafts)) + 2
    headings = [*(f"{size} drafts" for size in ingredients.drafts), "own size", "drafted"]
    lines = []
    for name, scores in ingredients.by_file().items():
        whole = scores[Recipe(OURS, "", ingredients.drafts[0])]
        prompts, tokens = several(whole.prompts, "prompt"), several(whole.counts.tokens, "token")
        lines += [f"{name}: {prompts}, {tokens}"]
        lines += [" " * width + "".join(f"{heading:>11}" for heading in headings)]
        lines += [f"  {title:<{width - 2}}{cells}" for title, cells in _rows(ingredients, scores)]
    differing = ingredients.differing
    how = (
        REPLAYED
        if ingredients.live is None
        else f"Live; {several(differing, 'output')} differ{'s' if differing == 1 else ''} from the recorded ones."
    )
    return "\n".join([*lines, LEGEND, how])


def _rows(ingredients: Ingredients, scores: dict[Recipe, Score]) -> Iterator[tuple[str, str]]:
    for without in ("", *switches()):
        row = [Recipe(OURS, without, size) for size in ingredients.drafts]
        yield (
            row[0].title,
            "".join(f"{scores[each].counts.mean_accepted_tokens:>11.3f}" for each in row),
        )
    for peer in map(Recipe, PEERS):
        counts = scores[peer].counts
        times = "".join(
            f"{scores[Recipe(OURS, '', size)].counts.mean_accepted_tokens / counts.mean_accepted_tokens:>10.3f}x"
            for size in ingredients.drafts
        )
        own = f"{counts.mean_accepted_tokens:>11.3f}{counts.mean_drafted:>11.1f}"
        yield peer.title, times + own


def document(ingredients: Ingredients) -> dict[str, Any]:
    """The scores and their conditions, as JSON values."""
    return {
        "mean_accepted_tokens": MEAN_ACCEPTED,
        "decoding": "greedy, every prompt cold",
        "tree_size": "capacity",
        "live": ingredients.live is not None,
        "differing": ingredients.differing,
        "logitspec": VERSION,
        "models": ingredients.models,
        "files": {
            name: [
                {
                    "method": recipe.method,
                    "without": recipe.without,
                    "drafts": recipe.drafts,
                    "options": recipe.options,
                    **_counts(score),
                }
                for recipe, score in scores.items()
            ]
            for name, scores in ingredients.by_file().items()
        },
    }


def _counts(score: Score) -> dict[str, Any]:
    """The counts without times, which mean nothing when several processes run."""
    return {
        name: value
        for name, value in score.to_json().items()
        if name not in ("seconds", "ms_per_step")
    }
