"""A step in two sentences, the same ones that the player shows.

The texts are the page's, in `assets/words`; the rules for choosing among them are those of
`assets/player/sentence.js`, and a test compares the two.
"""

from __future__ import annotations

from typing import Any

from logitspec.publish.catalogue import say
from logitspec.serving.programs.spelling import MAX_QUOTE, in_quotes, write_tokens
from logitspec.trace.origins import LOOKS
from logitspec.trace.records import StepRecord, Trace
from logitspec.trace.rounding import rate
from logitspec.trace.tree import Origin, Provenance


def step_sentence(trace: Trace, number: int) -> str:
    """The counts of step `number` (from 1 on), its time and its gain."""
    step = trace.steps[number - 1]
    seconds = step.seconds.wall
    key = "summary-time" if seconds > 0 else "summary"
    drafted, accepted, time = len(step.tree) - 1, len(step.path) - 1, milliseconds(seconds)
    return _say(
        key, number=number, drafted=drafted, accepted=accepted, gained=_gain(step), time=time
    )


def story_sentence(trace: Trace, number: int) -> str:
    """How step `number` (from 1 on) got its tokens, and its gain."""
    step = trace.steps[number - 1]
    drafted, accepted = len(step.tree) - 1, len(step.path) - 1
    if drafted == 0:
        return _nothing_drafted(trace)
    if accepted == 0:
        return _say(
            "story-gained", why=_nothing_accepted(trace, number, drafted), gained=_gain(step)
        )
    clauses = [_clause(trace, step, nodes) for nodes in _segments(step)]
    some = _say("story-some", n=accepted, drafted=drafted)
    story = "; ".join([*clauses, _say("story-one") if drafted == 1 else some])
    return _say("story-gained", why=f"{story[0].upper()}{story[1:]}", gained=_gain(step))


def milliseconds(seconds: float) -> str:
    """A time in milliseconds."""
    return f"{rate(seconds * 1000)} ms"


def _gain(step: StepRecord) -> str:
    return _say("from-pass", n=len(step.path))


def _say(name: str, /, **values: Any) -> str:
    """The page's English text `step.name`, with its values."""
    return say(f"step.{name}", **values)


def _ordinal(n: int) -> str:
    kinds = {1: "one", 2: "two", 3: "few"}
    kind = "other" if n % 100 in (11, 12, 13) else kinds.get(n % 10, "other")
    return _say(f"ordinal-{kind}", n=n)


def _quote_stripped(text: str) -> str:
    """The text in quotes, without spaces around it unless it has nothing else."""
    return in_quotes(text.strip() or text)


def _nothing_drafted(trace: Trace) -> str:
    plain = _say("guesses-none-why")
    costs = trace.environment.get("forward_costs")
    if not costs or trace.options.get("tree_size") != "measured":
        return plain
    one, two = costs["milliseconds"][:2]
    needed = two / one - 1
    times = {"one": milliseconds(one / 1000), "more": milliseconds((two - one) / 1000)}
    key = "guess-must-pay" if needed < 1 else "guess-never-pays"
    return f"{plain} {_say(key, **times, needed=needed)}"


def _nothing_accepted(trace: Trace, number: int, drafted: int) -> str:
    none = _say("none", n=drafted)
    if trace.finish and number == len(trace.steps):
        return _say("none-end", none=none)
    step = trace.steps[number - 1]
    root, choice = (
        _quote_stripped(write_tokens(trace, [each]))
        for each in (step.tree.tokens[0], step.choices[0])
    )
    return _say("none-because", none=none, token=root, choice=choice)


def _segments(step: StepRecord) -> list[list[int]]:
    """The accepted drafts, split where the source changes: single runners-up, copies of contiguous text."""
    segments: list[list[int]] = []
    origins = step.tree.provenance
    for node in step.path[1:]:
        if segments and _continues(origins[segments[-1][-1]], origins[node]):
            segments[-1].append(node)
        else:
            segments.append([node])
    return segments


def _continues(before: Provenance, after: Provenance) -> bool:
    """Whether `after` continues the source of `before`: the same copy, or the same table."""
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
        place = _ordinal((origin.rank or 0) + 1)
        return _say(
            "clause-choice", token=_quote_stripped(write_tokens(trace, tokens[:1])), ordinal=place
        )
    if origin.copied_from is None:
        title = LOOKS[origin.origin.value].title
        return _say("clause-came", tokens=_quote(trace, tokens), origin=title)
    return _copy(trace, step, nodes, origin.copied_from)


def _copy(trace: Trace, step: StepRecord, nodes: list[int], start: int) -> str:
    copy = _whole_copy(step, nodes)
    copied = _say("copied", n=len(copy), **{"from": start})
    match = step.tree.provenance[copy[0]].match_length
    if not match:
        return copied
    tokens = _quote(trace, [step.tree.tokens[node] for node in copy])
    where, key = _place(trace, start, len(copy)), _quote_stripped(_match(trace, start, match))
    return _say("copied-so", after=_say(f"clause-{where}", key=key, tokens=tokens), copied=copied)


def _quote(trace: Trace, tokens: list[int]) -> str:
    text = write_tokens(trace, tokens[:MAX_QUOTE])
    return in_quotes((text.strip() or text) + ("…" if len(tokens) > MAX_QUOTE else ""))


def _whole_copy(step: StepRecord, nodes: list[int]) -> list[int]:
    """The nodes of a copy: the accepted ones, and those drafted below them."""
    copy, origins = list(nodes), step.tree.provenance

    def continuation(node: int) -> int | None:
        children = (at for at, parent in enumerate(step.tree.parents) if parent == node)
        return next((at for at in children if _continues(origins[node], origins[at])), None)

    while (node := continuation(copy[-1])) is not None:
        copy.append(node)
    return copy


def _place(trace: Trace, start: int, length: int) -> str:
    prompt = len(trace.prompt_ids)
    if start + length <= prompt:
        return "prompt"
    return "output" if start >= prompt else "text"


def _match(trace: Trace, end: int, length: int) -> str:
    """The n-gram of `length` tokens before the position `end`; of a long one its last MAX_QUOTE."""
    first = max(0, end - length)
    start = max(first, end - MAX_QUOTE)
    text = (trace.prompt_ids + trace.output_ids)[start:end]
    return ("…" if start > first else "") + (write_tokens(trace, text) if text else "")
