"""A step in two sentences, the same that the player shows.

The page's script `assets/player/sentence.js` has them in the browser, where there is no Python; a test holds
both to each other.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from logitspec.serving.programs.spelling import MAX_QUOTE, quoted, quoted_some, written
from logitspec.trace.origins import LOOKS
from logitspec.trace.records import StepRecord, Trace
from logitspec.trace.tree import Origin, Provenance


def step_sentence(trace: Trace, number: int) -> str:
    """Step `number` (from 1 on) and its gain."""
    step = trace.steps[number - 1]
    seconds = step.seconds.wall
    time = f" ({milliseconds(seconds)})" if seconds > 0 else ""
    drafted, accepted = len(step.tree) - 1, len(step.path) - 1
    return f"Step {number}: {drafted} drafted, {accepted} accepted, {_gained(step)}{time}."


def story_sentence(trace: Trace, number: int) -> str:
    """How step `number` (from 1 on) got its tokens."""
    step = trace.steps[number - 1]
    drafted, accepted = len(step.tree) - 1, len(step.path) - 1
    if drafted == 0:
        return f"Nothing was drafted: {_gained(step)}, as in plain decoding."
    if accepted == 0:
        return f"{_none(trace, number, drafted)}: {_gained(step)}."
    clauses = [_clause(trace, step, nodes) for nodes in _segments(step)]
    some = f"{accepted} of {drafted} drafted tokens {_were(accepted)}"
    subject = "the one drafted token was" if drafted == 1 else some
    story = "; ".join([*clauses, f"{subject} accepted"])
    return f"{story[0].upper()}{story[1:]}: {_gained(step)}."


def milliseconds(seconds: float) -> str:
    """Rounded as a browser does."""
    value = Decimal(seconds * 1000)
    digits = Decimal("0.1") if value < 100 else Decimal(1)
    return f"{value.quantize(digits, ROUND_HALF_UP)} ms"


def _gained(step: StepRecord) -> str:
    return f"{_tokens(len(step.path))} from one forward pass"


def _tokens(count: int) -> str:
    return f"{count} token" if count == 1 else f"{count} tokens"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _none(trace: Trace, number: int, drafted: int) -> str:
    none = "The one drafted token was not accepted"
    if drafted > 1:
        none = f"None of {drafted} drafted tokens was accepted"
    if trace.finish and number == len(trace.steps):
        return f"{none} before the run ended"
    step = trace.steps[number - 1]
    root, choice = quoted(trace, step.tree.tokens[0]), quoted(trace, step.choices[0])
    return f"{none}, because after {root} the target chose {choice}"


def _segments(step: StepRecord) -> list[list[int]]:
    """The accepted drafts as runs of nodes with one source: a runner-up alone, or a copy from place to place."""
    segments: list[list[int]] = []
    origins = step.tree.provenance
    for node in step.path[1:]:
        if segments and _goes_on(origins[segments[-1][-1]], origins[node]):
            segments[-1].append(node)
        else:
            segments.append([node])
    return segments


def _goes_on(before: Provenance, after: Provenance) -> bool:
    """Whether `after` goes on with what `before` began: the same copy, or the same table."""
    if before.origin != after.origin or before.origin is Origin.LOGIT:
        return False
    if after.copied_from is None:
        return before.copied_from is None
    same = before.match_length == after.match_length
    return before.copied_from == after.copied_from - 1 and same


def _clause(trace: Trace, step: StepRecord, nodes: list[int]) -> str:
    origin = step.tree.provenance[nodes[0]]
    tokens = [step.tree.tokens[node] for node in nodes]
    if origin.origin is Origin.LOGIT:
        return f"the last logits put {quoted(trace, tokens[0])} at rank {origin.rank}"
    if origin.copied_from is None:
        return f"{quoted_some(trace, tokens)} came {LOOKS[origin.origin.value].title}"
    return _copy(trace, step, nodes, origin.copied_from)


def _copy(trace: Trace, step: StepRecord, nodes: list[int], start: int) -> str:
    copy = _whole_copy(step, nodes)
    tokens = quoted_some(trace, [step.tree.tokens[node] for node in copy])
    after = ""
    if match := step.tree.provenance[copy[0]].match_length:
        where = _place(trace, start, len(copy))
        after = f'after "{_match(trace, start, match)}" {where} went on {tokens}, so '
    return f"{after}{_tokens(len(copy))} {_were(len(copy))} copied from position {start}"


def _whole_copy(step: StepRecord, nodes: list[int]) -> list[int]:
    """The nodes of a copy with those below the accepted ones, which were drafted as well."""
    copy, origins = list(nodes), step.tree.provenance

    def below(node: int) -> int | None:
        children = (at for at, parent in enumerate(step.tree.parents) if parent == node)
        return next((at for at in children if _goes_on(origins[node], origins[at])), None)

    while (node := below(copy[-1])) is not None:
        copy.append(node)
    return copy


def _place(trace: Trace, start: int, length: int) -> str:
    prompt = len(trace.prompt_ids)
    if start + length <= prompt:
        return "the prompt"
    return "the output" if start >= prompt else "the text"


def _match(trace: Trace, end: int, length: int) -> str:
    """The n-gram of a length before a position; of a long one the end."""
    first = max(0, end - length)
    start = max(first, end - MAX_QUOTE)
    text = (trace.prompt_ids + trace.output_ids)[start:end]
    return ("…" if start > first else "") + (written(trace, text) if text else "")
