"""The model card that training writes beside the weights."""

from __future__ import annotations

import pathlib
from typing import Any

from transformers import LlamaConfig

from logitspec.builtin.corpus import TASKS

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

## Architecture

Llama: {parameters:,} parameters, {layers} layers, width {width}, {heads} heads ({kv_heads} for keys
and values), tied embeddings, vocabulary {vocabulary:,} (byte-level BPE, digits stand alone),
{context:,} positions. Weights are bfloat16 safetensors.

Turns are written as `<|user|>...<|end|><|assistant|>...<|end|>`; the tokenizer's chat template does
this. Generation stops at `<|end|>`.

## Data

- Generated conversations from `logitspec/builtin/corpus.py`, about {corpus_share:.0%} of tokens:
  {tasks}.
  About half of all names in them are made up, so that the model learns to copy them.
{prose}
No data from any other model and no benchmark text.

## Training

| | |
|---|---|
| tokens seen | {tokens:,} |
| steps | {steps:,} |
| hours | {hours:.2f} on {device} |
| seed | {seed} |
| held-out loss (nats a token, answers only) | {held_out:.3f} |
| state | {state} |

Answer tokens weigh 1 in the loss, tokens of user messages 0.1. Rows are packed without padding, 256
tokens long at first and up to 1,024 later. Muon for the matrices, AdamW for the rest. The held-out
samples share no made-up word, no ordinary person or town name and no list of user messages with the
generated training samples.

To train it again: `python -m logitspec.builtin.train --hours {hours:.2f}{prose_option}`.

## Limits

It knows the tasks above in their own wording and little else. Away from them it makes text that
looks right and means little. Arithmetic goes wrong at times, above all with larger numbers; its
German has a few dozen words; its facts are limited to a few sentences about speculative decoding.
Contexts longer than about 1,000 tokens were not trained. Don't rely on anything that it says.
"""


def write_card(
    path: pathlib.Path, config: LlamaConfig, facts: dict[str, Any], prose: list[str]
) -> None:
    """Writes the card.

    `facts` are parameters, steps, tokens, hours, device, threads, seed, held_out, prose_share
    prose_note and finished; `prose` are the names of the prose files.
    """
    share = facts["prose_share"]
    sources = (
        f"- Prose, about {share:.0%} of the tokens: {', '.join(prose)}{_credit(facts['prose_note'])}.\n"
        if prose
        else ""
    )
    device = f"a CPU, {facts['threads']} threads" if facts["device"] == "cpu" else "a GPU"
    text = _CARD.format(
        parameters=facts["parameters"],
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        vocabulary=config.vocab_size,
        context=config.max_position_embeddings,
        corpus_share=1 - share,
        tasks=", ".join(TASKS),
        prose=sources,
        tokens=facts["tokens"],
        steps=facts["steps"],
        hours=facts["hours"],
        device=device,
        seed=facts["seed"],
        held_out=facts["held_out"],
        state="finished" if facts["finished"] else "snapshot of an unfinished run",
        prose_option="".join(f" --prose {name}" for name in prose),
    )
    path.write_text(text, encoding="utf-8")


def _credit(note: str) -> str:
    return f" ({note})" if note else ""
