"""A quick check of a model in training, from its logits on held-out conversations."""

from __future__ import annotations

import itertools

import torch
from torch.nn import functional as F
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from logitspec.builtin.corpus import samples
from logitspec.builtin.data import encode


def probe(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    category: str,
    count: int,
    device: torch.device,
) -> dict[str, float]:
    """`{"loss": nats a token, "exact": share}` of the answers in `count` conversations.

    An answer is exact if each of its tokens is the most likely one after those before it, which is
    when greedy decoding would write it.
    """
    losses: list[float] = []
    exact: list[bool] = []
    for sample in itertools.islice(samples(1, "eval", category), count):
        ids, weights = encode(tokenizer, sample)
        tokens = torch.tensor([ids], device=device)
        with torch.no_grad():
            logits = model(input_ids=tokens[:, :-1], use_cache=False).logits[0].float()
        each = F.cross_entropy(logits, tokens[0, 1:], reduction="none").tolist()
        right = (logits.argmax(-1) == tokens[0, 1:]).tolist()
        for answer, group in itertools.groupby(
            zip(weights[1:], each, right, strict=True), key=lambda entry: entry[0] == 1
        ):
            if answer:
                entries = list(group)
                losses += [loss for _, loss, _ in entries]
                exact.append(all(hit for _, _, hit in entries))
    return {
        "loss": round(sum(losses) / len(losses), 4),
        "exact": round(sum(exact) / len(exact), 4),
    }
