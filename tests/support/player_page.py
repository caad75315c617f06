"""A page that holds nothing but the player, and made-up runs to show in it."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

from logitspec.publish.export import player_markup, player_style
from logitspec.publish.modules import inline_modules
from logitspec.trace.metrics import StepSeconds
from logitspec.trace.records import StepRecord, Trace, dumps, spellings
from logitspec.trace.results import TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance, accept

PAGES = Path(__file__).parents[1] / "scripts" / "pages"

STORY = (
    "The old cat sat on the mat and slept. The dog saw the cat on the mat, and the dog sat on"
    " the mat too.\nThe cat woke and saw the dog. The old cat sat on the mat and looked at the"
    " dog, and the dog looked at the cat.\n\tThen the old cat sat on the mat and slept, and"
    " the dog slept too.\n\nThe end.\n"
)

HOSTILE = [
    b"<script>alert(1)</script>",
    b"<img src=x onerror=alert(2)>",
    b"&lt;b&gt;",
    b" ${alert(3)}",
    b" {{alert(4)}}",
    b"`\\n`",
    " \u202etxt.exe".encode(),
    "\u200f\u2067\u2069".encode(),
    b"\x00\x07\r\n",
    " \u05e9\u05dc\u05d5\u05dd".encode(),
    b" \xf0\x9f",
    b"\x98",
    b"\x80",
    b" caf\xc3",
    b"\xa9 is",
    b"\xe2\x9c",
    b" torn",
    b"\xff",
    b"\t|\n\n",
    b" \xf0\x9f\x98",
    b"\x80!",
]

# Not in the prompt, so that no draft copies it whole and steps end within a character.
TORN = [b" \xe6", b"\x97", b"\xa5\xe6", b"\x9c\xac", b" \xf0", b"\x9f\xa6", b"\x8a"]


def words(text: str) -> list[bytes]:
    """Text split as by a tokenizer: a word with the space before it, punctuation alone."""
    return [piece.encode() for piece in re.findall(r" ?\w+|[^\w]", text)]


class MadeUp:
    """A run of `prompt` + `output` (token bytes) whose target wants exactly `output`.

    Drafts are copies after a repeated pair of tokens, and runners-up of made-up last logits; they
    are kept apart (unmerged), so duplicates occur as in the paper's trees.
    """

    def __init__(
        self, prompt: list[bytes], output: list[bytes], ranks: int = 8, seed: int = 1
    ) -> None:
        self.spelt = list(dict.fromkeys([*prompt, *output, *words(STORY), *HOSTILE, *TORN]))
        self.ids = [self.spelt.index(token) for token in [*prompt, *output]]
        self.ranks = ranks
        self.random = random.Random(seed)
        self.trace = Trace(
            method="logitspec_paper",
            prompt_ids=self.ids[: len(prompt)],
            max_new_tokens=len(output),
            run=f"run-{seed}",
            vocabulary=dict(enumerate(self.spelt)),
            prefill_seconds=0.02,
        )
        position = len(prompt)
        while position < len(self.ids):
            self.trace.steps.append(self._step(position))
            position += len(self.trace.steps[-1].path)
        self.trace.finish = "length"

    def _step(self, position: int) -> StepRecord:
        last = self._last(position)
        tree = DraftTree(self.ids[position], Provenance(Origin.ROOT, 0, last.probs[0]))
        self._copy(tree, 0, position, (), 12, "root")
        for rank in range(1, self.ranks + 1):
            origin = Provenance(Origin.LOGIT, rank, last.probs[rank])
            node = tree.add(0, last.ids[rank], origin, merge=False)
            self._copy(tree, node, position, (last.ids[rank],), 3, "next_next")
        choices = self._choices(tree, position)
        path = accept(tree, choices)
        seconds = StepSeconds(0.0004, 0.011 + len(tree) * 1e-5, 0.0001, 0.0008, 0.01)
        return StepRecord(position, last, tree, choices, path, seconds)

    def _last(self, position: int) -> TopK:
        others = self.random.sample(range(len(self.spelt)), min(64, len(self.spelt)))
        others = [token for token in others if token != self.ids[position]][:63]
        if position + 1 < len(self.ids) and self.random.random() < 0.6:
            choice = self.ids[position + 1]
            others = [token for token in others if token != choice]
            others.insert(self.random.randrange(self.ranks + 3), choice)
        ids = [self.ids[position], *[t for t in others if t != self.ids[position]]][:64]
        return TopK(ids, [round(0.28 * 0.72**rank, 8) for rank in range(len(ids))])

    def _copy(
        self, tree: DraftTree, node: int, position: int, guess: tuple[int, ...], most: int, key: str
    ) -> None:
        known = self.ids[: position + 1]
        pair = [*known, *guess][-2:]
        for start in range(position - 1, 1, -1):
            if known[start - 2 : start] == pair:
                for source in range(start, min(start + most, position)):
                    origin = Provenance(Origin.RETRIEVED, None, None, 2, source, key)
                    node = tree.add(node, known[source], origin, merge=False)
                return

    def _choices(self, tree: DraftTree, position: int) -> list[int]:
        choices = []
        for node in range(len(tree)):
            path = [tree.tokens[each] for each in tree.path_to(node)]
            after = position + len(path)
            right = self.ids[position:after] == path and after < len(self.ids)
            choices.append(self.ids[after] if right else self.random.randrange(len(self.spelt)))
        return choices


def story(ranks: int = 8, prompt_words: int = 14) -> Trace:
    tokens = words(STORY)
    return MadeUp(tokens[:prompt_words], tokens[prompt_words:], ranks).trace


def hostile() -> Trace:
    """A run whose prompt and output are full of text that must have no effect on the page."""
    output = [*words(STORY)[:12], *TORN, *HOSTILE, *words(STORY)[:9], *HOSTILE]
    return MadeUp(HOSTILE, output, ranks=6, seed=2).trace


@cache
def page_html(theme: str = "light", script: str = "player.js", body: str = "") -> str:
    """A whole page: the player (or `body`), and a script of tests/scripts/pages that starts it."""
    ground = "#fff" if theme == "light" else "#0d0f12"
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Player</title><style>{player_style()} body {{ margin: 16px; background: {ground} }}</style>"
        f'<body>{body or player_markup()}<script type="module">{inline_modules(PAGES / script)}</script>'
    )


def gradio_page_html() -> str:
    """The same page with the player as a component in place of `window.player`."""
    return page_html(script="component.js")


def steps_between(trace: Trace, first: int, last: int, sequence: int) -> str:
    """The delta with the steps from number `first` up to, but not including, `last` (0-based)."""
    rows = [step.to_json() for step in trace.steps[first:last]]
    return dumps(
        {
            "run": trace.run,
            "seq": sequence,
            "kind": "steps",
            "from": first,
            "prefill_seconds": trace.prefill_seconds,
            "vocabulary": spellings(trace.vocabulary),
            "steps": rows,
        }
    )
