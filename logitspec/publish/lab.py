"""The checks of the lab in assets/notebooks, in which students write a drafter that copies what followed the last
occurrence of the root, run it, and race it against plain decoding. A check returns a sentence, or raises `NotYet` with
one that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from logitspec.decoding.engine import begin, complete
from logitspec.decoding.race import begin_race, run_race
from logitspec.decoding.target import Target
from logitspec.drafters import Drafter
from logitspec.errors import LogitSpecError
from logitspec.trace.records import Trace
from logitspec.trace.results import TopK
from logitspec.trace.tree import DraftTree, Origin

# Texts, each with the root that follows it: repeats, a root that never occurred, one that came last, a single token.
TEXTS: tuple[tuple[tuple[int, ...], int], ...] = (
    ((5, 6, 7, 8, 5, 6), 7),
    ((1, 2, 3, 1, 4, 9, 9), 1),
    ((1, 2, 3, 4), 7),
    ((1, 2, 3), 3),
    ((2,), 2),
    ((4, 4, 4, 4), 4),
    ((3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9), 3),
)


class NotYet(LogitSpecError):  # noqa: N818 - it is an answer
    """What a solution still lacks, in one sentence."""


def check_draft(drafter: type[Drafter]) -> str:
    """Task 1: one chain of at most `num_pred_tokens` tokens that followed the root's last occurrence."""
    for text, root in TEXTS:
        for most in (1, 3, 8):
            mine = _create(drafter, most)
            mine.reset(text)
            _compare(_draft(mine, root), text, root, most)
    return "Task 1 is done: the draft is what followed the root when it last occurred in the text."


def check_observe(drafter: type[Drafter]) -> str:
    """Task 2: the text grows by the accepted tokens and by nothing else, and a new prompt begins a new text."""
    mine = _create(drafter, 3)
    text = [5, 6, 7, 8, 5, 6]
    mine.reset(tuple(text))
    # Accepted after the root: a part of the chain, nothing, or all of it.
    for root, accepted in [(7, 1), (9, 0), (7, 0), (9, 1), (8, 2), (5, 9)]:
        tree = _draft(mine, root)
        _compare(tree, text, root, 3)
        path = list(range(min(accepted + 1, len(tree))))
        mine.observe(tree, path, None)
        text += [tree.tokens[node] for node in path]
    _compare(_draft(mine, 7), text, 7, 3)
    mine.reset((1, 2, 3))
    _compare(_draft(mine, 1), (1, 2, 3), 1, 3)
    if len(_draft(mine, 7)) > 1:
        raise NotYet(
            "After `reset` the drafter still knows the previous text; start with an empty one."
        )
    return "Task 2 is done: the drafter reads along, and forgets the previous text."


def check_run(trace: Trace, plain: Trace) -> str:
    """Task 3: the run wrote what plain decoding wrote, in fewer passes, because drafts were accepted."""
    if trace.output_ids != plain.output_ids:
        raise NotYet(
            "The two texts differ; run both with the same prompt, length, temperature and seed."
        )
    if trace.method == plain.method:
        raise NotYet(f"Both runs are of {plain.method}; run your own method as well.")
    accepted = trace.counts().accepted
    if not accepted or len(trace.steps) >= len(plain.steps):
        raise NotYet("No draft was accepted; take a prompt whose answer repeats parts of it.")
    return (
        f"Task 3 is done: {len(trace.steps)} passes instead of {len(plain.steps)} for the same"
        f" {len(plain.output_ids)} tokens, since {accepted} drafts were accepted."
    )


def check_race(target: Target, prompt_ids: Sequence[int], method: str, tokens: int = 60) -> str:
    """Task 4: raced on one prompt, in turns, both lanes write the same and yours takes fewer passes."""
    race = begin_race(target, prompt_ids, [method, "autoregressive"], tokens)
    for _ in run_race(target, race):
        pass
    if race.verdict.differs_at is not None:
        raise NotYet(
            f"The lanes differ from new token {race.verdict.differs_at} on; they must be identical."
        )
    mine, plain = race.traces
    if len(mine.steps) >= len(plain.steps):
        raise NotYet(
            f"{method} took {len(mine.steps)} passes, plain decoding {len(plain.steps)}; try another prompt."
        )
    return f"Task 4 is done: {len(mine.steps)} passes against {len(plain.steps)}, identical token for token."


def run_whole(target: Target, prompt_ids: Sequence[int], method: str, tokens: int = 60) -> Trace:
    """The trace of a finished greedy run. prompt_ids: token ids; tokens: new ones, at most."""
    return complete(target, begin(target, prompt_ids, method, tokens))


def _create(drafter: type[Drafter], most: int) -> Drafter:
    try:
        return drafter(num_pred_tokens=most)  # type: ignore[call-arg]
    except TypeError as error:
        raise NotYet("Keep the option num_pred_tokens, a field of the class.") from error


def _draft(mine: Drafter, root: int) -> DraftTree:
    """The drafter's tree; raises NotYet when it is not a DraftTree or has another root."""
    last = TopK([root, root + 1], [0.75, 0.25])
    tree = mine.draft(root, last)
    if not isinstance(tree, DraftTree):
        raise NotYet("`draft` returns a DraftTree; begin with `plant(root, last)`.")
    if tree.tokens[0] != root:
        raise NotYet(f"The tree's first node is the root {root}, not {tree.tokens[0]}.")
    return tree


def _compare(tree: DraftTree, text: Sequence[int], root: int, most: int) -> None:
    """Raise NotYet unless the tree is the one chain of at most `most` tokens that task 1 asks for."""
    occurrences = [place for place, token in enumerate(text) if token == root]
    start = occurrences[-1] + 1 if occurrences else len(text)
    chain = list(text[start : start + most])
    about = f"After the text {list(text)} and the root {root}, with at most {most} tokens,"
    if tree.tokens[1:] != chain:
        raise NotYet(f"{about} the draft should be {chain}; yours is {tree.tokens[1:]}.")
    if tree.parents != list(range(-1, len(chain))):
        raise NotYet(
            f"{about} the draft should be one chain: each token is a child of the one before."
        )
    for node, origin in enumerate(tree.provenance[1:]):
        if origin.origin is not Origin.RETRIEVED or origin.copied_from != start + node:
            raise NotYet(
                f"{about} token {node + 1} of the draft was copied from position {start + node}; say so in its Provenance."
            )
