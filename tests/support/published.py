"""The shipped results as the documentation shows them."""

from __future__ import annotations

import json
import re
import textwrap
from statistics import median
from typing import Any

from logitspec.measure.benchmark.block import markdown
from logitspec.measure.benchmark.published import RESULTS, Table, conditions, overall
from logitspec.measure.benchmark.runs import REFERENCE
from logitspec.measure.evidence import FOLDER, Evidence, total
from logitspec.prompts import OVERALL

GPU_RESULTS = RESULTS / "gpu"
SHORT, LONG = 256, 2048
BUILTIN = "builtin "
WIDTH = 120
PLACE = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end of results -->)", re.DOTALL)


def filled(text: str) -> str:
    """A page of documentation with the shipped results in the places marked for them."""
    return PLACE.sub(lambda place: f"{place[1]}\n{_results(place[2])}\n\n{place[3]}", text)


def _results(name: str) -> str:
    """What was measured on a model: by the benchmark or, until there is such a file, its evidence."""
    file = RESULTS / f"{name}.json"
    if file.is_file():
        document = json.loads(file.read_text(encoding="utf-8"))
        return f"{textwrap.fill(conditions(document), WIDTH)}\n\n{markdown([overall(document)])}"
    return _counted(Evidence.open(FOLDER / f"{name}.json.gz"))


def _counted(evidence: Evidence) -> str:
    model, about = evidence.about["model"], evidence.about
    facts = (
        f"Model {model['id']}, {model['dtype']}, {sum(about['prompts'].values())} free-form prompts, one of"
        f" each kind, greedy, at most {about['max_new_tokens']} new tokens."
    )
    counts = {method: total(by_task) for method, by_task in evidence.runs.items()}
    rows = [
        [method, f"{each.mean_accepted_tokens:.2f}", f"{each.mean_drafted:.1f}"]
        for method, each in sorted(counts.items(), key=lambda item: -item[1].mean_accepted_tokens)
    ]
    table = Table("Mean accepted tokens", ["method", "MAT", "drafted"], rows)
    return f"{textwrap.fill(facts, WIDTH)}\n\n{markdown([table])}"


def gpu_conditions(results: dict[str, Any]) -> str:
    """One sentence about the GPU and the software that the results come from."""
    conditions = results["conditions"]
    return (
        f"{conditions['chip']}, driver {conditions['driver']}, CUDA {conditions['cuda']},"
        f" torch {conditions['torch']}, transformers {conditions['transformers']},"
        f" python {conditions['python']}, logitspec {conditions['logitspec']};"
        f" a copy within its memory moves {results['parts']['copy']['gb_per_second']:,.0f} GB/s, bytes read and"
        " written counted."
    )


def shapes(results: dict[str, Any]) -> Table:
    """Forwards of random-weight models in bfloat16: median milliseconds, and what a step adds."""
    rows = []
    for name, part in results["parts"].items():
        if "model" not in part:
            continue
        timings = {(each["mode"], each["context"], each["rows"]): each for each in part["rows"]}
        graphs = [timings["graphs", SHORT, size]["forward_ms"] for size in (1, 8, 64)]
        graphs.append(timings["graphs", LONG, 64]["forward_ms"])
        overhead = median(
            each["overhead_ms"] for (mode, *_), each in timings.items() if mode == "graphs"
        )
        kind = part["model"]["environment"]["forward"].partition(":")[0]
        read_speed = timings["graphs", SHORT, 1]["read_gb_per_second"]
        plain_ms = timings["plain", SHORT, 1]["forward_ms"]
        cells = [f"{each:.2f}" for each in (*graphs, plain_ms)]
        rows.append([name, kind, *cells, f"{read_speed:,.0f}", f"{overhead:.2f}"])
    heads = ["shape", "forward", "1 row", "8 rows", "64 rows", f"64 after {LONG:,}", "1, launched"]
    return Table(
        f"Milliseconds of a forward after {SHORT} tokens, replayed as a graph",
        [*heads, "GB/s read by 1 row", "step beyond it"],
        rows,
    )


def kernels(results: dict[str, Any]) -> Table:
    """The same with kernels: in the fastest shape for each number of rows, and in one shape for all."""
    rows = []
    for name, part in results["parts"].items():
        if "model" not in part:
            continue
        timings = {
            (each["mode"], (each["context"], each["rows"])): each["forward_ms"]
            for each in part["rows"]
        }
        places = ((SHORT, 1), (SHORT, 64), (LONG, 64))
        cells = [f"{timings[mode, place]:.2f}" for mode in ("kernels", "exact") for place in places]
        rows.append([name, f"{timings['graphs', (SHORT, 1)]:.2f}", *cells])
    three = ["64 rows", f"64 after {LONG:,}"]
    heads = ["plain operations, 1 row", "kernels, 1 row", *three, "exact, 1 row", *three]
    return Table(f"Milliseconds of a forward after {SHORT} tokens", ["shape", *heads], rows)


def bars(results: dict[str, Any]) -> Table:
    """The bars that were measured."""
    rows = [
        [each["bar"], each["wanted"], f"{each['measured']:.2f}"]
        for each in results["bars"]
        if each["measured"] is not None
    ]
    return Table("Bars", ["bar", "wanted", "measured"], rows)


def methods(results: dict[str, Any]) -> Table:
    """Every method on the built-in model, by dtype."""
    parts = {
        name.removeprefix(BUILTIN): part
        for name, part in results["parts"].items()
        if name.startswith(BUILTIN)
    }
    figures = {
        dtype: {each["title"]: each["scores"][OVERALL] for each in part["methods"]}
        for dtype, part in parts.items()
    }
    rows = []
    for title in next(iter(figures.values())):
        cells = []
        for scores in figures.values():
            score = scores[title]
            speed = score[f"speed_up_over_{REFERENCE}"]["median"]
            cells += [f"{score['tokens_per_second']['median']:,.0f}", f"{speed:.2f}"]
            cells += [f"{score['mean_accepted_tokens']:.2f}", str(score["differing"])]
        rows.append([title, *cells])
    kinds = ["tokens/s", f"x {REFERENCE}", "MAT", "differ"]
    heads = [
        f"{dtype}: {kind}" if kind == kinds[0] else kind for dtype in figures for kind in kinds
    ]
    turns = next(iter(figures.values()))[REFERENCE]["prompts"]
    return Table(
        f"The built-in model on {turns} turns of the examples, greedy, one run each",
        ["method", *heads],
        rows,
    )
