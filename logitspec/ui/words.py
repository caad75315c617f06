"""The numbers under the pictures of the tab "Why it works": a sentence or two, and a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from statistics import quantiles

from logitspec.drafters import METHODS
from logitspec.measure.benchmark.block import compact
from logitspec.measure.benchmark.paper import beside, is_spec_bench
from logitspec.measure.benchmark.published import by_task, is_real, overall, published
from logitspec.measure.benchmark.published import conditions as published_conditions
from logitspec.measure.evidence import BEYOND, Evidence, total
from logitspec.measure.evidence.gather import LOOKUP, OURS, PAPER
from logitspec.trace.metrics import Counts
from logitspec.trace.origins import LOOKS

# The tasks by their names in the prompts' file, in the order of the page.
TASKS = {
    "conversation": "Conversation",
    "translation": "Translation",
    "summarization": "Summary",
    "qa": "Question about a text",
    "math": "Arithmetic",
    "code": "Code",
    "story": "Story",
}

BUCKETS = {
    "0: the root": (0, 0),
    "1": (1, 1),
    "2": (2, 2),
    "3–4": (3, 4),
    "5–8": (5, 8),
    "9–16": (9, 16),
    "17–32": (17, 32),
    "33–63": (33, 63),
    "64 or more": (BEYOND, BEYOND),
}
LAST = 11  # the last row of depths and lengths, which also counts all beyond
MAT = "mean accepted tokens (tokens per target forward, root included, prefill excluded)"


def task_title(task: str) -> str:
    """What the page calls a task or a kind of prompts."""
    return TASKS.get(task, task.capitalize())


def share(part: float, whole: float) -> float:
    """0 to 1; 0 of nothing."""
    return part / whole if whole else 0.0


def by_bucket(ranks: Mapping[int, int]) -> dict[str, float]:
    """The share of tokens in each of BUCKETS."""
    whole = sum(ranks.values())
    return {name: share(_between(ranks, *ends), whole) for name, ends in BUCKETS.items()}


def quartiles(sizes: Counter[int]) -> tuple[float, float, float]:
    """First quartile, median and third quartile of the sizes, each counted as often as it came."""
    every = sorted(sizes.elements())
    if len(every) < 2:
        return (every[0],) * 3 if every else (0, 0, 0)
    low, middle, high = quantiles(every, n=4, method="inclusive")
    return low, middle, high


def reached(counts: Counts) -> range:
    """The depths at which a draft was accepted."""
    return range(1, max(counts.lengths, default=1))


def places() -> list[str]:
    """Names of 1 to LAST, the last standing for all from there on."""
    return [*map(str, range(1, LAST)), f"{LAST}+"]


def cut(counts: Mapping[int, int]) -> list[int]:
    """Counts at these places."""
    return [
        *(counts.get(place, 0) for place in range(1, LAST)),
        _between(counts, LAST, max(counts, default=0)),
    ]


# A picture's numbers


def ranks(evidence: Evidence, method: str) -> str:
    whole: Counter[int] = sum(evidence.ranks.values(), start=Counter())
    count = sum(whole.values())
    low, all_ranks = _between(whole, 1, 8), _between(whole, 1, BEYOND - 1)
    text = (
        f"Of {count:,} next-next tokens, {_percent(low, count)} stand at ranks 1 to 8 of the logits that"
        f" chose the root, and {_percent(all_ranks, count)} at ranks 1 to 63, as many as a tree of 64 nodes"
        f" can hold beside its root; {_percent(whole[BEYOND], count)} stand behind them, and"
        f" {_percent(whole[0], count)} repeat the root."
    )
    rows = [
        ("All tasks", whole),
        *((task_title(task), evidence.ranks[task]) for task in evidence.tasks),
    ]
    return _paragraph(text) + _table(
        "Share of next-next tokens by rank (0 is the most probable token)",
        ["Task", "Tokens", *BUCKETS],
        [[name, f"{sum(each.values()):,}", *_percents(by_bucket(each))] for name, each in rows],
    )


def depths(evidence: Evidence, method: str) -> str:
    counts = total(evidence.runs[method])
    by_origin = {origin: counts.accepted_at(origin).total() for origin in counts.origins}
    drafted, accepted = counts.drafted, counts.accepted
    parts = ", ".join(
        f"{count:,} of origin “{LOOKS[origin].label}”" for origin, count in by_origin.items()
    )
    text = (
        f"{METHODS[method].title} drafted {drafted:,} tokens in {counts.forwards:,} steps, and"
        f" {accepted:,} of them ({_percent(accepted, drafted)}) were accepted{': ' + parts if parts else ''}."
        f" {_percent(_with_drafts(counts, 1), counts.forwards)} of the steps accept a draft,"
        f" {_percent(_with_drafts(counts, 4), counts.forwards)} accept four or more."
    )
    rows = [_origin_row(counts, origin) for origin in sorted(counts.drafted_by)]
    at_depths = [f"Depth {depth}" for depth in reached(counts)]
    heads = ["Origin", "Drafted", "Accepted", "Accepted of drafted", *at_depths]
    caption = "Drafts by origin; share of steps with an accepted draft at each depth"
    return _paragraph(text) + _table(caption, heads, rows)


def _origin_row(counts: Counts, origin: str) -> list[str]:
    by_depth = counts.accepted_at(origin)
    accepted, drafted = by_depth.total(), counts.drafted_by[origin]
    shares = [_percent(by_depth[depth], counts.forwards) for depth in reached(counts)]
    return [
        LOOKS[origin].label,
        f"{drafted:,}",
        f"{accepted:,}",
        _percent(accepted, drafted),
        *shares,
    ]


def lengths(evidence: Evidence, method: str) -> str:
    counts = total(evidence.runs[method])
    text = (
        f"{METHODS[method].title}: {counts.tokens:,} tokens in {counts.forwards:,} steps make"
        f" {counts.mean_accepted_tokens:.2f} {MAT}. {_percent(counts.lengths[1], counts.forwards)} of the steps"
        f" emit the root alone, {_percent(_with_drafts(counts, 3), counts.forwards)} four tokens or more."
    )
    rows = []
    for name, tasks in evidence.runs.items():
        each = total(tasks)
        shares = [_percent(count, each.forwards) for count in cut(each.lengths)]
        rows.append([METHODS[name].title, f"{each.mean_accepted_tokens:.2f}", *shares])
    heads = ["Method", "Mean accepted tokens", *places()]
    return _paragraph(text) + _table("Share of steps by tokens emitted, all tasks", heads, rows)


def costs(evidence: Evidence, method: str) -> str:
    sizes = total(evidence.runs[OURS]).sizes
    low, middle, high = quartiles(sizes)
    one, widest = evidence.seconds[0], evidence.rows[-1]
    text = (
        f"A forward over {widest} rows takes {evidence.seconds[-1] / one:.1f} times as long as one over a single"
        f" row. {METHODS[OURS].title} sizes each tree by these costs and by how probable its drafts are:"
        f" nodes of the median tree: {middle:.0f}, of the middle half: {low:.0f} to {high:.0f}."
    )
    rows = [
        [str(rows), f"{1000 * seconds:.2f}", f"{seconds / one:.2f}"]
        for rows, seconds in zip(evidence.rows, evidence.seconds, strict=True)
    ]
    heads = ["Rows", "Milliseconds", "Times one row"]
    return _paragraph(text) + _table("Time of a forward, the shortest of a few", heads, rows)


def mean_accepted(evidence: Evidence, method: str) -> str:
    values = {
        task: [tallies[task].mean_accepted_tokens for tallies in evidence.capacities.values()]
        for task in evidence.tasks
    }
    whole = [total(tallies).mean_accepted_tokens for tallies in evidence.capacities.values()]
    best, least = max(values, key=lambda t: values[t][-1]), min(values, key=lambda t: values[t][-1])
    first, *_, last = evidence.capacities
    text = (
        f"{METHODS[PAPER].title}: from {first} to {last} nodes, {MAT} go from {whole[0]:.2f} to"
        f" {whole[-1]:.2f} over all tasks. At {last} nodes they are the most in"
        f" “{TASKS.get(best, best)}” ({values[best][-1]:.2f}) and the fewest in"
        f" “{TASKS.get(least, least)}” ({values[least][-1]:.2f})."
    )
    return _paragraph(text) + _capacities(
        "Mean accepted tokens by capacity", evidence, whole, values, "{:.2f}".format
    )


def speed(evidence: Evidence, method: str) -> str:
    values = {
        task: [evidence.speed(tallies[task]) for tallies in evidence.capacities.values()]
        for task in evidence.tasks
    }
    whole = [evidence.speed(total(tallies)) for tallies in evidence.capacities.values()]
    plain, ours = 1 / evidence.seconds[0], total(evidence.runs[OURS])
    fastest = max(whole)
    capacity = list(evidence.capacities)[whole.index(fastest)]
    text = (
        "Estimated, not timed: tokens, divided by what forwards over trees of these sizes cost (above) and"
        " by the time spent on drafting. Over all tasks the paper’s trees come out fastest at"
        f" {capacity} nodes, with {_rate(fastest)} tokens a second; one token a forward would be {_rate(plain)},"
        f" so that is {fastest / plain:.2f} times as fast. {METHODS[OURS].title}, with"
        f" {1 + ours.mean_drafted:.1f} nodes on average, comes out at {_rate(evidence.speed(ours))}"
        f" ({evidence.speed(ours) / plain:.2f} times)."
    )
    return _paragraph(text) + _capacities(
        "Estimated tokens a second by capacity", evidence, whole, values, _rate
    )


def conditions(evidence: Evidence) -> str:
    """The conditions of the numbers."""
    model, about = evidence.about["model"], evidence.about
    prompts = ", ".join(f"{task_title(task)} {count}" for task, count in about["prompts"].items())
    versions = ", ".join(
        f"{name} {about['environment'][name]}"
        for name in ("logitspec", "torch", "transformers", "python")
        if name in about["environment"]
    )
    unseen = f", of which {about['unseen']} are not among the examples" if about["unseen"] else ""
    facts = (
        f"{model.get('id')}, {model.get('dtype')}, on {model.get('device')}; greedy, at most"
        f" {about['max_new_tokens']} new tokens for each of {sum(about['prompts'].values())} prompts"
        f" ({prompts}){unseen}; {versions}."
    )
    how = (
        f"{METHODS[PAPER].title} and {METHODS[LOOKUP].title} are replayed on the text that the model wrote,"
        f" which gives the same drafts as a run; {METHODS[OURS].title} ran on the model."
    )
    return _paragraph(f"Found with {facts}") + _paragraph(how)


def measured(real: bool) -> str:
    """The benchmark's results that ship with the project, with their conditions; empty without any.

    real: those of models that were not made for this project, or those of the built-in one.
    """
    parts = []
    for document in (each for each in published() if is_real(each) == real):
        tables = [overall(document), by_task(document)]
        if real:
            tables += compact(document)
        if is_spec_bench(document):
            tables.append(beside(document))
        # Both tell their captions apart.
        of = (
            f"{document['request']['model'].rpartition('/')[2]}, {document['environment']['dtype']}"
        )
        rows = (_table(f"{each.caption} ({of})", each.heads, each.rows) for each in tables)
        parts.append(_paragraph(published_conditions(document)) + "".join(rows))
    return "".join(parts)


# HTML of numbers and known names; a model's own name is the only text from outside, and is escaped


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    named = escape(caption)
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in rows
    )
    return (
        f'<p class="why-caption">{named}</p>'
        f'<div class="why-table" role="region" tabindex="0" aria-label="{named}">'
        f'<table aria-label="{named}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _rate(value: float) -> str:
    """One decimal below 100, none from there on."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _capacities(
    caption: str,
    evidence: Evidence,
    whole: Sequence[float],
    values: Mapping[str, Sequence[float]],
    form: Callable[[float], str],
) -> str:
    named = [
        ("All tasks", whole),
        *((task_title(task), each) for task, each in values.items()),
    ]
    rows = [[name, *(form(value) for value in each)] for name, each in named]
    heads = ["Task", *(f"{capacity} nodes" for capacity in evidence.capacities)]
    return _table(f"{caption}, {METHODS[PAPER].title}", heads, rows)


def _between(counts: Mapping[int, int], low: int, high: int) -> int:
    return sum(count for key, count in counts.items() if low <= key <= high)


def _with_drafts(counts: Counts, drafts: int) -> int:
    """Steps that accepted so many drafts or more."""
    return sum(steps for length, steps in counts.lengths.items() if length > drafts)


def _percent(part: float, whole: float) -> str:
    return f"{share(part, whole):.1%}"


def _percents(shares: Mapping[str, float]) -> list[str]:
    return [f"{each:.1%}" for each in shares.values()]
