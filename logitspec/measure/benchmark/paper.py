"""What the paper and its authors measured, next to a run on the same questions."""

from __future__ import annotations

from typing import Any

from logitspec.measure.benchmark.published import Table, spread
from logitspec.measure.benchmark.runs import BASELINE
from logitspec.trace.rounding import several

# Mean accepted tokens on Spec-Bench, Vicuna-7B v1.3, from the result file that the authors' repository had
# for a while (of an early version of their code), over all steps of a task.
AUTHORS = {
    "multi-turn": 2.309, "translation": 1.851, "summarization": 3.022, "qa": 2.107, "math": 2.645,
    "rag": 2.444, "overall": 2.371,
}  # fmt: skip
# Spec-Bench's tables join the eight categories of MT-bench; the other tasks are called this in its file.
TASKS = {
    **dict.fromkeys(
        "writing roleplay reasoning math coding extraction stem humanities".split(), "multi-turn"
    ),
    "translation": "translation", "summarization": "summarization", "qa": "qa",
    "math_reasoning": "math", "rag": "rag",
}  # fmt: skip
METHODS = ("logitspec_paper", "logitspec")
PAPER = (
    "The paper (arXiv 2507.01449, abstract): up to 2.61 times the speed of plain decoding, 3.28 mean accepted"
    " tokens. The column Vicuna-7B is from its authors' own result file: v1.3, float16, a GPU, 480 questions with"
    " all turns, at most 1,024 new tokens, an early version of the method."
)


def is_spec_bench(document: dict[str, Any]) -> bool:
    """Whether there are questions of all tasks of Spec-Bench."""
    categories = {category for each in document["methods"] for category in each["scores"]}
    return {TASKS[name] for name in categories & set(TASKS)} == set(TASKS.values())


def beside(document: dict[str, Any]) -> Table:
    """Mean accepted tokens by task of Spec-Bench: the authors' and this run's."""
    titles = [each["title"] for each in document["methods"] if each["method"] in METHODS]
    rows = []
    for task, authors in AUTHORS.items():
        own = [mean_accepted(document, title, task) for title in titles]
        rows.append([task, f"{authors:.2f}", *(f"{value:.2f}" for value in own)])
    heads = ["task", "logitspec_paper, Vicuna-7B", *titles]
    return Table("Mean accepted tokens, next to the authors' own", heads, rows)


def mean_accepted(document: dict[str, Any], title: str, task: str) -> float:
    """Tokens per forward over all runs of `task`, from the tokens and the mean of each category."""
    (scores,) = (each["scores"] for each in document["methods"] if each["title"] == title)
    tokens = forwards = 0.0
    for category, figures in scores.items():
        if category in TASKS and task in (TASKS[category], "overall"):
            tokens += figures["tokens"]
            forwards += figures["tokens"] / figures["mean_accepted_tokens"]
    return tokens / forwards


def differences(document: dict[str, Any]) -> str:
    """The paper's conditions, and what differs here."""
    request, environment = document["request"], document["environment"]
    figures = {each["title"]: each["scores"].get("overall") for each in document["methods"]}
    turns = next(iter(figures.values()))["prompts"]
    ours = figures.get("logitspec")
    speed = spread(ours[f"speed_up_over_{BASELINE}"], 2) if ours else "-"
    then = (
        ""
        if speed == "-"
        else f"; `logitspec` decodes {speed} times as fast as {BASELINE}' greedy generate"
    )
    return (
        f"{PAPER} Here: {request['model']}, {environment['dtype']}, {environment['device']}, {several(turns, 'turn')},"
        f" at most {request['max_new_tokens']} new tokens, a cold start for every prompt{then}."
    )
