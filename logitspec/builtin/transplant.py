"""Starts a training run from the weights of another model, even one with another tokenizer."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from logitspec.builtin.card import TRAINING
from logitspec.errors import LogitSpecError


def transplant(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, folder: pathlib.Path
) -> dict[str, Any]:
    """Copies the weights of the model in `folder` into `model`; returns its training history.

    A token that both vocabularies hold keeps its embedding; any other begins with the mean of
    the embeddings of the old tokens that spell it. Returns `tokens`, `hours` and `curve` of all
    training so far. Raises LogitSpecError if there is no such model or its layers have other
    shapes.
    """
    check_start(folder)
    source = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    # Vocabularies hold byte-level characters, which the BPE model takes; the tokenizer takes text.
    spelling = PreTrainedTokenizerFast.from_pretrained(folder).backend_tokenizer.model
    state = source.state_dict()
    if _layers(model) != _layers(source):
        raise LogitSpecError(
            f"The layers of the model in {folder} have other shapes; train without --start."
        )
    rows = source.get_input_embeddings().weight.detach()
    embedding = model.get_input_embeddings().weight
    with torch.no_grad():
        for token, place in tokenizer.get_vocab().items():
            own_id = spelling.token_to_id(token)
            pieces = [part.id for part in spelling.tokenize(token)] if own_id is None else [own_id]
            if pieces:
                embedding[place] = rows[pieces].mean(0)
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        state[name] = embedding.detach()
    model.load_state_dict(state)
    facts = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
    earlier = facts.get("before", {"tokens": 0, "hours": 0.0})
    return {
        "tokens": facts["tokens"] + earlier["tokens"],
        "hours": facts["hours"] + earlier["hours"],
        "curve": facts["curve"],
    }


def check_start(folder: pathlib.Path) -> None:
    """Raise LogitSpecError if there is no model in `folder` that `transplant` takes."""
    if not (folder / TRAINING).exists():
        raise LogitSpecError(
            f"{folder} holds no model trained by this command; name a folder that does."
        )


def _layers(model: LlamaForCausalLM) -> dict[str, torch.Size]:
    """The shapes of the weights; of the embedding, only its width."""
    embedding = {"model.embed_tokens.weight", "lm_head.weight"}
    return {
        name: value.shape[1:] if name in embedding else value.shape
        for name, value in model.state_dict().items()
    }
