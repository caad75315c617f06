"""The numbers under the pictures of the tab "Why it works": a sentence or two, and a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from statistics import quantiles

from logitspec.drafters import METHODS
from logitspec.measure.benchmark.block import compact, compact_speeds, filled
from logitspec.measure.benchmark.paper import beside, is_spec_bench
from logitspec.measure.benchmark.published import (
    by_task,
    is_counted,
    is_real,
    overall,
    published,
)
from logitspec.measure.benchmark.published import conditions as published_conditions
from logitspec.measure.evidence import BEYOND, Evidence, total
from logitspec.measure.evidence.gather import LOOKUP, OURS, PAPER
from logitspec.publish.catalogue import say, texts
from logitspec.publish.modules import DEFAULT_LANGUAGE
from logitspec.trace.metrics import Counts, ratio
from logitspec.trace.origins import LOOKS
from logitspec.trace.rounding import decimal

# Table heads that are glossary terms.
GLOSSES = {
    "MAT": "mat",
    say("why.mean"): "mat",
    say("why.rows"): "rows",
    say("why.drafted"): "draft",
    say("why.accepted-share"): "acceptance-rate",
}

BUCKETS = {
    say("why.bucket-root", rank=0): (0, 0),
    "1": (1, 1),
    "2": (2, 2),
    "3–4": (3, 4),
    "5–8": (5, 8),
    "9–16": (9, 16),
    "17–32": (17, 32),
    "33–63": (33, 63),
    say("why.bucket-more", rank=BEYOND): (BEYOND, BEYOND),
}
LAST = 11  # the last of the lengths shown, which also counts all above it


def task_title(task: str) -> str:
    """The page's name for a task or a kind of prompt."""
    key = f"why.task-{task}"
    return say(key) if key in texts(DEFAULT_LANGUAGE) else task.capitalize()


def by_bucket(ranks: Mapping[int, int]) -> dict[str, float]:
    """The share of tokens in each of BUCKETS."""
    whole = sum(ranks.values())
    return {name: ratio(_between(ranks, *ends), whole) for name, ends in BUCKETS.items()}


def quartiles(sizes: Counter[int]) -> tuple[float, float, float]:
    """First quartile, median and third quartile of the sizes, each counted as often as it occurred."""
    every = sorted(sizes.elements())
    if len(every) < 2:
        return (every[0],) * 3 if every else (0, 0, 0)
    low, middle, high = quantiles(every, n=4, method="inclusive")
    return low, middle, high


def reached(counts: Counts) -> range:
    """The depths at which a draft was accepted."""
    return range(1, max(counts.lengths, default=1))


def places() -> list[str]:
    """Names of 1 to LAST, the last one for LAST and above."""
    return [*map(str, range(1, LAST)), f"{LAST}+"]


def cut(counts: Mapping[int, int]) -> list[int]:
    """Counts at the places that `places` names."""
    return [
        *(counts.get(place, 0) for place in range(1, LAST)),
        _between(counts, LAST, max(counts, default=0)),
    ]


# A picture's numbers


def ranks(evidence: Evidence, method: str) -> str:
    whole: Counter[int] = sum(evidence.ranks.values(), start=Counter())
    count = sum(whole.values())
    low, all_ranks = _between(whole, 1, 8), _between(whole, 1, BEYOND - 1)
    text = say(
        "why.ranks",
        count=count,
        low=_percent(low, count),
        all=_percent(all_ranks, count),
        beyond=_percent(whole[BEYOND], count),
        root=_percent(whole[0], count),
    )
    rows = [
        (say("why.all-tasks"), whole),
        *((task_title(task), evidence.ranks[task]) for task in evidence.tasks),
    ]
    return _paragraph(text) + _table(
        say("why.ranks-table"),
        [say("why.task"), say("why.tokens"), *BUCKETS],
        [[name, f"{sum(each.values()):,}", *_percents(by_bucket(each))] for name, each in rows],
    )


def depths(evidence: Evidence, method: str) -> str:
    counts = total(evidence.runs[method])
    by_origin = {origin: counts.accepted_at(origin).total() for origin in counts.origins}
    drafted, accepted = counts.drafted, counts.accepted
    parts = ", ".join(
        say("why.of-origin", count=count, origin=LOOKS[origin].label)
        for origin, count in by_origin.items()
    )
    text = say(
        "why.depths-by-origin" if parts else "why.depths",
        method=METHODS[method].title,
        drafted=drafted,
        forwards=counts.forwards,
        accepted=accepted,
        share=_percent(accepted, drafted),
        parts=parts,
        some=_percent(_with_drafts(counts, 1), counts.forwards),
        four=_percent(_with_drafts(counts, 4), counts.forwards),
    )
    rows = [_origin_row(counts, origin) for origin in sorted(counts.drafted_by)]
    at_depths = [say("why.depth", depth=depth) for depth in reached(counts)]
    named = [
        say(key) for key in ("why.origin", "why.drafted", "why.accepted", "why.accepted-share")
    ]
    return _paragraph(text) + _table(say("why.depths-table"), [*named, *at_depths], rows)


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
    text = say(
        "why.lengths",
        method=METHODS[method].title,
        tokens=counts.tokens,
        forwards=counts.forwards,
        mean=counts.mean_accepted_tokens,
        root=_percent(counts.lengths[1], counts.forwards),
        four=_percent(_with_drafts(counts, 3), counts.forwards),
    )
    rows = []
    for name, tasks in evidence.runs.items():
        each = total(tasks)
        shares = [_percent(count, each.forwards) for count in cut(each.lengths)]
        rows.append([METHODS[name].title, f"{each.mean_accepted_tokens:.2f}", *shares])
    heads = [say("why.method"), say("why.mean"), *places()]
    return _paragraph(text) + _table(say("why.lengths-table"), heads, rows)


def costs(evidence: Evidence, method: str) -> str:
    sizes = total(evidence.runs[OURS]).sizes
    low, middle, high = quartiles(sizes)
    one, widest = evidence.seconds[0], evidence.rows[-1]
    text = say(
        "why.costs",
        rows=widest,
        times=evidence.seconds[-1] / one,
        method=METHODS[OURS].title,
        n=int(decimal(middle, 0)),
        middle=middle,
        low=low,
        high=high,
    )
    rows = [
        [str(rows), f"{1000 * seconds:.2f}", f"{seconds / one:.2f}"]
        for rows, seconds in zip(evidence.rows, evidence.seconds, strict=True)
    ]
    heads = [say(key) for key in ("why.rows", "why.milliseconds", "why.times-one-row")]
    return _paragraph(text) + _table(say("why.costs-table"), heads, rows)


def mean_accepted(evidence: Evidence, method: str) -> str:
    values = {
        task: [tallies[task].mean_accepted_tokens for tallies in evidence.capacities.values()]
        for task in evidence.tasks
    }
    whole = [total(tallies).mean_accepted_tokens for tallies in evidence.capacities.values()]
    best, least = max(values, key=lambda t: values[t][-1]), min(values, key=lambda t: values[t][-1])
    first, *_, last = evidence.capacities
    text = say(
        "why.capacity",
        method=METHODS[PAPER].title,
        first=first,
        last=last,
        least=whole[0],
        most=whole[-1],
        best=task_title(best),
        top=values[best][-1],
        worst=task_title(least),
        bottom=values[least][-1],
    )
    return _paragraph(text) + _capacities(
        "why.capacity-table", evidence, whole, values, "{:.2f}".format
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
    text = say(
        "why.speed",
        capacity=capacity,
        fastest=_rate(fastest),
        plain=_rate(plain),
        times=fastest / plain,
        method=METHODS[OURS].title,
        nodes=1 + ours.mean_drafted,
        own=_rate(evidence.speed(ours)),
        own_times=evidence.speed(ours) / plain,
    )
    return _paragraph(text) + _capacities("why.speed-table", evidence, whole, values, _rate)


def conditions(evidence: Evidence) -> str:
    """The conditions under which the numbers were gathered."""
    model, about = evidence.about["model"], evidence.about
    prompts = ", ".join(f"{task_title(task)} {count}" for task, count in about["prompts"].items())
    versions = ", ".join(
        f"{name} {about['environment'][name]}"
        for name in ("logitspec", "torch", "transformers", "python")
        if name in about["environment"]
    )
    found = say(
        "why.found-unseen" if about["unseen"] else "why.found",
        model=model.get("id"),
        dtype=model.get("dtype"),
        device=model.get("device"),
        most=about["max_new_tokens"],
        count=sum(about["prompts"].values()),
        prompts=prompts,
        unseen=about["unseen"],
        versions=versions,
    )
    how = say(
        "why.how",
        paper=METHODS[PAPER].title,
        lookup=METHODS[LOOKUP].title,
        ours=METHODS[OURS].title,
    )
    return _paragraph(found) + _paragraph(how)


def measured(real: bool) -> str:
    """The benchmark results that ship with the project, with their conditions; empty if there are none.

    real: results of models that were not made for this project, instead of those of the built-in one. Where more
    prompts were counted than timed, counts by task are those.
    """
    parts = []
    documents = [each for each in published() if is_real(each) == real]
    counted = {each["request"]["model"] for each in documents if is_counted(each)}
    for document in sorted(documents, key=is_counted):
        tables = filled(overall(document), by_task(document))
        if not is_counted(document) and document["request"]["model"] in counted:
            tables += compact_speeds(document)
        elif real:
            tables += compact(document)
            if is_spec_bench(document):
                tables.append(beside(document))
        # Model and dtype tell the captions of the documents apart.
        of = (
            f"{document['request']['model'].rpartition('/')[2]}, {document['environment']['dtype']}"
        )
        rows = (_table(f"{each.caption} ({of})", each.heads, each.rows) for each in tables)
        parts.append(_paragraph(published_conditions(document)) + "".join(rows))
    return "".join(parts)


# HTML of numbers and known names; a model's name is the only text from outside, and it is escaped


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    named = escape(caption)
    head = "".join(f'<th scope="col">{_head(each)}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in rows
    )
    return (
        f'<details class="why-fold"><summary>{named}</summary><div class="why-table" role="region" tabindex="0" aria-label="{named}">'
        f'<table aria-label="{named}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>'
    )


def _head(text: str) -> str:
    """The head of a column, marked as a term if it is one."""
    gloss = GLOSSES.get(text)
    return f'<span data-gloss="{gloss}">{escape(text)}</span>' if gloss else escape(text)


def _rate(value: float) -> str:
    """One decimal below 100, none from 100 on."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _capacities(
    key: str,
    evidence: Evidence,
    whole: Sequence[float],
    values: Mapping[str, Sequence[float]],
    form: Callable[[float], str],
) -> str:
    named = [
        (say("why.all-tasks"), whole),
        *((task_title(task), each) for task, each in values.items()),
    ]
    rows = [[name, *(form(value) for value in each)] for name, each in named]
    heads = [say("why.task"), *(say("why.nodes", capacity=each) for each in evidence.capacities)]
    return _table(say(key, method=METHODS[PAPER].title), heads, rows)


def _between(counts: Mapping[int, int], low: int, high: int) -> int:
    return sum(count for key, count in counts.items() if low <= key <= high)


def _with_drafts(counts: Counts, drafts: int) -> int:
    """Steps that accepted at least `drafts` drafts."""
    return sum(steps for length, steps in counts.lengths.items() if length > drafts)


def _percent(part: float, whole: float) -> str:
    return f"{ratio(part, whole):.1%}"


def _percents(shares: Mapping[str, float]) -> list[str]:
    return [f"{each:.1%}" for each in shares.values()]
