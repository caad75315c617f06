"""Tiny models as users bring them: a tokenizer of 33 tokens, and folders with weights."""

from __future__ import annotations

from pathlib import Path

import tokenizers
import torch
from transformers import PreTrainedTokenizerFast

from support.families import model

TEMPLATE = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]"


def tokenizer(chat: bool = False) -> PreTrainedTokenizerFast:
    """Bytes as tokens: 0 to 31 for 32 letters, 32 is the end."""
    vocabulary = {chr(ord("A") + n): n for n in range(32)}
    core = tokenizers.Tokenizer(tokenizers.models.BPE({**vocabulary, "<e>": 32}, []))
    core.decoder = tokenizers.decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<e>")
    if chat:
        tokenizer.chat_template = TEMPLATE
    return tokenizer


def folder(at: Path, family: str = "llama", chat: bool = False) -> Path:
    model(family, torch.float32).save_pretrained(at)
    tokenizer(chat).save_pretrained(at)
    return at
