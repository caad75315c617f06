"""The pictures of the tab "Why it works": plotly figures from evidence.

Text and lines get their colours from the page's style, which has a light and a dark mode; bars and
curves have colours with a contrast of 3:1 or more in both, and also a pattern, a dash or a marker.
The page says what the axes show (`AXES`): plotly's own titles do not wrap, so a phone would cut them off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import plotly.graph_objects as go

from logitspec.drafters import METHODS
from logitspec.measure.evidence import Evidence, total
from logitspec.measure.evidence.gather import OURS
from logitspec.publish.catalogue import say
from logitspec.trace.metrics import Counts, ratio
from logitspec.trace.origins import LOOKS
from logitspec.ui.words import by_bucket, cut, places, quartiles, reached, task_title

OVER = {"fillmode": "overlay", "fgcolor": "#ffffff", "fgopacity": 0.8, "size": 8, "solidity": 0.2}
LINES = (
    ("#1f83c6", "solid", "circle"),
    ("#c27500", "dash", "square"),
    ("#0a8f6c", "dot", "diamond"),
    ("#c2609a", "dashdot", "triangle-up"),
    ("#d0532a", "longdash", "triangle-down"),
    ("#8a6fd1", "longdashdot", "cross"),
    ("#8a8a00", "solid", "x"),
    ("#1f83c6", "dot", "star-triangle-up"),
    ("#c27500", "longdash", "hexagon"),
    ("#0a8f6c", "solid", "pentagon"),
    ("#c2609a", "dash", "bowtie"),
    ("#d0532a", "dashdot", "hourglass"),
)
NAME = "<extra>%{fullData.name}</extra>"  # in the box shown at the pointer
WHOLE = "#7b8593"
HEIGHT = 380
TALLER = 460  # with a legend
AXES = {  # what each picture shows upwards and across
    "ranks": (say("why.chart-token-share"), say("why.chart-ranks-axis")),
    "costs": (say("why.chart-ms-axis"), say("why.chart-rows-axis")),
    "mean-accepted": (say("why.chart-mean-axis"), say("why.chart-capacity-axis")),
    "speed": (say("why.chart-speed-axis"), say("why.chart-capacity-axis")),
    "depths": (say("why.chart-step-share"), say("why.chart-depth-axis")),
    "lengths": (say("why.chart-step-share"), say("why.chart-length-axis")),
}
MEDIAN_NAME = say("why.chart-median")


def ranks(evidence: Evidence, method: str) -> go.Figure:
    """Share of next-next tokens by rank in the last logits."""
    shares = by_bucket(sum(evidence.ranks.values(), start=Counter()))
    figure = _figure()
    colours = [WHOLE, *[LOOKS["logit"].colour] * (len(shares) - 2), WHOLE]
    patterns = ["x", *[""] * (len(shares) - 2), "/"]
    figure.add_bar(
        x=list(shares),
        y=list(shares.values()),
        marker={"color": colours, "pattern": {"shape": patterns, **OVER}},
        hovertemplate="%{x}: %{y:.1%}<extra></extra>",
    )
    return _percent(figure)


def depths(evidence: Evidence, method: str) -> go.Figure:
    """Share of steps with an accepted draft at each depth, by where it came from."""
    counts = total(evidence.runs[method])
    figure = _figure()
    depths_reached = reached(counts)
    for origin in counts.origins:
        accepted = counts.accepted_at(origin)
        figure.add_bar(
            x=[str(depth) for depth in depths_reached],
            y=[ratio(accepted[depth], counts.forwards) for depth in depths_reached],
            name=LOOKS[origin].label,
            marker={
                "color": LOOKS[origin].colour,
                "pattern": {"shape": LOOKS[origin].pattern, **OVER},
            },
            hovertemplate=say("why.chart-hover-depth", x="%{x}", y="%{y:.1%}")
            + "<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(barmode="stack", showlegend=True)
    return _percent(figure)


def lengths(evidence: Evidence, method: str) -> go.Figure:
    """Share of steps by tokens emitted."""
    counts = total(evidence.runs[method])
    figure = _figure()
    figure.add_bar(
        x=places(),
        y=[ratio(each, counts.forwards) for each in cut(counts.lengths)],
        marker={"color": LOOKS["retrieved"].colour},
        hovertemplate=say("why.chart-hover-tokens", x="%{x}", y="%{y:.1%}") + "<extra></extra>",
    )
    return _percent(figure)


def costs(evidence: Evidence, method: str) -> go.Figure:
    """Milliseconds of a forward by rows, and the tree sizes that were chosen by this cost."""
    low, middle, high = quartiles(total(evidence.runs[OURS]).sizes)
    figure = _figure()
    milliseconds = [1000 * each for each in evidence.seconds]
    figure.add_vrect(x0=low, x1=high, fillcolor=LOOKS["logit"].colour, opacity=0.25, line_width=0)
    top = max(milliseconds) * 1.05
    figure.add_scatter(
        x=[middle, middle],
        y=[0, top],
        mode="lines",
        name=MEDIAN_NAME,
        line={"color": LOOKS["logit"].colour, "dash": "dash", "width": 3},
        hovertemplate=say("why.chart-hover-nodes", x="%{x}") + "<extra></extra>",
    )
    figure.add_scatter(
        x=evidence.rows,
        y=milliseconds,
        mode="lines+markers",
        name=say("why.chart-forward"),
        line={"color": LOOKS["retrieved"].colour, "width": 3},
        marker={"size": 9},
        hovertemplate=say("why.chart-hover-rows", x="%{x}", y="%{y:.2f}") + "<extra></extra>",
    )
    figure.update_layout(showlegend=True, yaxis_range=[0, top])
    return _doubling(figure, evidence.rows)


def mean_accepted(evidence: Evidence, method: str) -> go.Figure:
    """Mean accepted tokens against draft_tree_capacity, by task."""
    return _by_capacity(evidence, lambda tally: tally.mean_accepted_tokens, "capacity", "%{y:.2f}")


def speed(evidence: Evidence, method: str) -> go.Figure:
    """Estimated tokens a second against draft_tree_capacity, by task."""
    return _by_capacity(evidence, evidence.speed, "rate", "%{y:.0f}")


def _by_capacity(
    evidence: Evidence, value: Callable[[Counts], float], hover: str, form: str
) -> go.Figure:
    figure = _figure()
    capacities = list(evidence.capacities)
    for task, (colour, dash, symbol) in zip(evidence.tasks, LINES, strict=False):
        figure.add_scatter(
            x=capacities,
            y=[value(evidence.capacities[capacity][task]) for capacity in capacities],
            mode="lines+markers",
            name=task_title(task),
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 8},
            hovertemplate=say(f"why.chart-hover-{hover}", x="%{x}", y=form) + NAME,
        )
    figure.add_scatter(
        x=capacities,
        y=[value(total(evidence.capacities[capacity])) for capacity in capacities],
        mode="lines",
        name=say("why.all-tasks"),
        line={"color": WHOLE, "width": 5},
        hovertemplate=say(f"why.chart-hover-{hover}", x="%{x}", y=form) + NAME,
    )
    ours = total(evidence.runs[OURS])
    figure.add_scatter(
        x=[1 + ours.mean_drafted],
        y=[value(ours)],
        mode="markers",
        name=METHODS[OURS].title,
        marker={"symbol": "star", "size": 16, "color": WHOLE},
        hovertemplate=say(f"why.chart-hover-{hover}", x="%{x:.1f}", y=form) + NAME,
    )
    figure.update_layout(showlegend=True, yaxis_rangemode="tozero", height=TALLER)
    return _doubling(figure, [1, *capacities])


def _figure() -> go.Figure:
    axis = {"fixedrange": True, "automargin": True, "zeroline": False, "showline": False}
    return go.Figure(
        layout={
            "template": "none",
            "height": HEIGHT,
            "margin": {"l": 8, "r": 8, "t": 12, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": "IBM Plex Sans, system-ui, sans-serif", "size": 14},
            "dragmode": False,
            "showlegend": False,
            "legend": {
                "orientation": "h",
                "yref": "container",
                "y": 0,
                "yanchor": "bottom",
                "entrywidth": 118,
                "font": {"size": 12},
            },
            "hoverlabel": {"bgcolor": "#1b2430", "font": {"color": "#ffffff"}},
            "xaxis": {**axis, "showgrid": False},
            "yaxis": {**axis, "gridcolor": "#808b9b"},
        }
    )


def _percent(figure: go.Figure) -> go.Figure:
    figure.update_xaxes(type="category")
    return figure.update_yaxes(tickformat=".0%", rangemode="tozero")


def _doubling(figure: go.Figure, ticks: list[int]) -> go.Figure:
    """Equal steps for equal factors, with a tick for each size."""
    return figure.update_xaxes(type="log", tickvals=ticks, ticktext=[str(tick) for tick in ticks])
