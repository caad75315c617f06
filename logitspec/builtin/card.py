"""The model card, written from the figures of training and evaluation next to the weights.

`training.json` and `evaluation.json` are its only sources of figures.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

from logitspec import files
from logitspec.builtin.corpus import TASKS
from logitspec.builtin.grade import RULES

TRAINING = "training.json"
EVALUATION = "evaluation.json"

_CARD = """---
license: apache-2.0
language: [en, de]
library_name: transformers
pipeline_tag: text-generation
---

# The built-in model of LogitSpec Live

A very small chat model, so that speculative decoding can be shown offline and on a CPU. It is a
real language model trained on next-token prediction alone: nothing in its training or its weights
favours any decoding method. It is not meant for anything else.

## What it can do

Seven tasks of a small world, in their own wording: explanations of speculative decoding and talk
over several turns, German and English, summaries that copy the key sentences, questions about
given texts, word problems worked in steps, small Python functions written and edited, and short
stories. Free-form prompts need a larger model.

## Architecture

Llama: {parameters:,} parameters, {layers} layers, width {width}, {heads} heads ({kv_heads} for keys
and values), feed-forward width {inner}, tied embeddings, {context:,} positions. Weights are bfloat16
safetensors.

The tokenizer is a byte-level BPE of {vocabulary:,} tokens. Each digit is a token. Frequent words have a
token of their own that includes the space before them. All others, names above all, are made of parts
that occur in many different words, and of the same parts wherever they occur.

Turns are written as `<|user|>...<|end|><|assistant|>...<|end|>`; the tokenizer's chat template does
this. Generation stops at `<|end|>`.

## Data

- Conversations from `logitspec/builtin/corpus.py`, generated from sentences written for this
  project: {tasks}. About half of all names are made up, so that the model has to learn to copy.
  Licence: that of this project.
{prose}
There is no data from any other model and no benchmark text. Evaluation draws names, towns, made-up words and
combinations of main templates that training never draws; follow-up questions are worded the same in
both, and the explanations are identical.

## Training

| | |
|---|---|
| tokens seen | {tokens:,}{before_tokens} |
| steps | {steps:,} of {tokens_per_step:,} tokens |
| hours | {hours:.2f}{before_hours} on {device} |
| optimizers | {peaks} |
| schedule | linear warm-up {warmup:.0%}, constant, linear decay over the last {decay:.0%} |
| row lengths | {lengths} tokens; shares at the start {first_shares}, at the end {last_shares} |
| prose | {prose_share:.0%} of rows until {prose_until:.0%} of the run, then falling to {prose_share_end:.0%} |
| precision | bfloat16 autocast, float32 weights |
| seed | {seed} |
| torch | {torch} |
| state | {state} |

Rows hold whole conversations without padding. Answer tokens have weight 1 in the loss, tokens of
user messages 0.1.

To train another like it: `{command}`. The length of a run is wall time, so another machine sees
different tokens; for a run that was stopped and resumed with other hours or settings, the last ones
are listed here.

How it learnt: the share of held-out answers that are exact token by token, by tokens seen.{before_curve}

{curve}

{evaluation}
## Limits

It knows the tasks above in their own wording and little else. Outside them it writes text that
looks right and means little. Asked about one of two events in a text without titles, it sometimes
quotes the other; it may make up what a text leaves open; a made-up name of three syllables may lose
a letter. Sums sometimes go wrong, above all with products of large numbers;
its German has about a hundred words; its facts are a few sentences about speculative decoding. Rows
longer than 2,048 tokens were not trained, and few were longer than 1,024. Don't rely on anything
that it says.
"""

_EVALUATION = """## Evaluation

`{command}` with {dtype} on {device}, torch {torch}, greedy decoding, prompts from the evaluation
split. "Right" is judged by a program:

{rules}

"Ended" is the share of answers that ended by themselves. "Rank" is how often the token after the
next (the next-next token) is among the runners-up of the last logits, from rank 1 to the given one.
{methods}
{table}

{counts}{missed}
"""

# About what was measured: an evaluation may leave out methods and tasks.
_METHODS = """The last columns are tokens per forward pass of the target, counting the root but not prefill, with
the methods' default settings and nothing kept between requests.
"""
_DIFFERING = """In {} of {} runs a method's output differed from that of plain decoding.
"""
_STORIES = """Stories: {:.0%} of all 3-grams of words differ (distinct-3); {:.1%} of 4-grams
occurred earlier in the same story."""
_FUNCTIONS = "Written functions that parse: {:.0%} (wanted: 98%)."


_AGAIN = """
The first {:.1f} M tokens are those of earlier runs at higher rates, during which the tasks changed as well.
{}"""


def write_card(folder: pathlib.Path) -> None:
    """Writes `README.md` in `folder` from its config.json, training.json and evaluation.json.

    Raises FileNotFoundError if one of the first two is missing; without the third the card has no
    evaluation.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    facts = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
    evaluation_file = folder / EVALUATION
    evaluation = ""
    if evaluation_file.exists():
        evaluation = _evaluation(json.loads(evaluation_file.read_text(encoding="utf-8")))
    lengths = ", ".join(map(str, facts["lengths"]))
    facts["curve"] = _curve(facts["curve"])
    earlier = facts.get("before")
    text = _CARD.format(
        **facts | {"device": facts["hardware"], "prose": _prose(facts), "lengths": lengths},
        layers=config["num_hidden_layers"],
        width=config["hidden_size"],
        inner=config["intermediate_size"],
        heads=config["num_attention_heads"],
        kv_heads=config["num_key_value_heads"],
        vocabulary=config["vocab_size"],
        context=config["max_position_embeddings"],
        tasks=", ".join(TASKS),
        first_shares=_shares(facts["shares_start"]),
        last_shares=_shares(facts["shares_end"]),
        state="finished" if facts["finished"] else "snapshot of an unfinished run",
        evaluation=evaluation,
        before_tokens=f", after {earlier['tokens']:,} of the weights it began with"
        if earlier
        else "",
        before_hours=f", after {earlier['hours']:.2f}" if earlier else "",
        peaks=f"Muon, rate {facts['rate'] * facts['muon_rate']:g}, for the matrices; AdamW, rate"
        f" {facts['rate'] * facts['adam_rate']:g}, for the rest",
        before_curve=_AGAIN.format(earlier["tokens"] / 1e6, facts.get("changes", ""))
        if earlier
        else "",
    )
    files.write(folder / "README.md", text)


def _prose(facts: dict[str, Any]) -> str:
    if not facts["prose_files"]:
        return ""
    note = f" ({facts['prose_note']})" if facts["prose_note"] else ""
    return f"- Prose: {', '.join(facts['prose_files'])}{note}.\n"


def _shares(shares: list[float]) -> str:
    return ", ".join(f"{share:.0%}" for share in shares)


def _curve(probes: list[dict[str, Any]]) -> str:
    lines = [["tokens", "hours", *TASKS]]
    for probe in probes:
        exact = [f"{probe['held_out'][task]['exact']:.0%}" for task in TASKS]
        hours = f"{probe['seconds'] / 3600:.2f}"
        lines.append([f"{probe['tokens'] / 1e6:.1f} M", hours, *exact])
    return markdown(lines)


def markdown(lines: list[list[str]]) -> str:
    """A Markdown table: the head first, all columns but the first aligned to the right."""
    rule = ["---"] + ["---:"] * (len(lines[0]) - 1)
    rows = [[cell.replace("|", r"\|") for cell in line] for line in [lines[0], rule, *lines[1:]]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows of an evaluation as a Markdown table."""
    head = ["task", "prompts", "right", "wanted", "ended", "tokens", "rank <= 8", "<= 32", "< 64"]
    methods = list(rows[0]["mean_accepted_tokens"])
    lines = [[*head, *(f"`{method}`" for method in methods)]]
    for row in rows:
        bar = row["wanted"]
        lines.append(
            [
                row["task"],
                str(row["prompts"]),
                f"{row['right']:.0%}",
                "" if bar is None else f"{bar:.0%}",
                f"{row['ended']:.0%}",
                f"{row['tokens']:.0f}",
                *(f"{share:.0%}" for share in row["next_next_at_rank"].values()),
                *(f"{row['mean_accepted_tokens'][method]:.2f}" for method in methods),
            ]
        )
    return markdown(lines)


def _evaluation(facts: dict[str, Any]) -> str:
    rows = {row["task"]: row for row in facts["rows"]}
    misses = [name for name, row in rows.items() if row["wanted"] and row["right"] < row["wanted"]]
    shortfall = (
        f"\nBelow what was wanted: {', '.join(misses)}. The curve above shows how far training came.\n"
        if misses
        else ""
    )
    has_methods = any(row["mean_accepted_tokens"] for row in rows.values())
    return _EVALUATION.format(
        **facts,
        rules="\n".join(f"- {name}: {RULES[name]}" for name in rows),
        methods=_METHODS if has_methods else "",
        table=table(facts["rows"]),
        counts=_counts(rows),
        missed=shortfall,
    )


def _counts(rows: dict[str, dict[str, Any]]) -> str:
    """The figures that are not in the table, as lines: of the methods, of stories and of functions, where there are any."""
    differing = sum(row["differing"] for row in rows.values())
    runs = sum(row["prompts"] * len(row["mean_accepted_tokens"]) for row in rows.values())
    story, functions = rows.get("story"), rows.get("code: functions")
    parts = [
        _STORIES.format(story["distinct_3"], story["repetition"]) if story else "",
        _FUNCTIONS.format(functions["parsed"]) if functions else "",
    ]
    told = " ".join(part for part in parts if part)
    return (_DIFFERING.format(differing, runs) if runs else "") + (told and told + "\n")
