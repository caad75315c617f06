"""The text that a model is probed on when it is loaded, and a copy of it in float32 where that fits."""

from __future__ import annotations

import copy
from typing import Any

import torch

from logitspec.models.machine import free_bytes
from logitspec.runtime.probe import PATH, Probe, likely_text
from logitspec.runtime.runner import Runner

TOKENS = 256
LONG = 1024
# Parameters times tokens that may be read in a moment: on a few cores, or on a GPU.
MAX_WORK = {"cpu": 4e9, "cuda": 3e13}
MAX_UPCAST_SHARE = 0.5  # of free memory, which a copy in float32 may take

TEXTS = (
    "The harbour was quiet that morning. An old man sat on the wall, mending a net, and did not look up when"
    " the ferry came in late. Nobody had told him that his brother was on board, and so he only counted the"
    " knots, as he always did, until a shadow fell across his hands.",
    "def mean(values):\n    total = 0.0\n    for value in values:\n        total += value\n"
    "    if not values:\n        raise ValueError('no values')\n    return total / len(values)\n\n\n"
    "print(mean([3, 4, 8]))\n",
    "| city | people | river |\n| --- | --- | --- |\n| Lyon | 522,250 | Rhône |\n| Porto | 231,800 | Douro |\n"
    "\n1. Boil the water.\n2. Add the rice and a little salt.\n3. Wait for twelve minutes.\n",
    '"Where did you put the keys?" she asked.\n"On the table," he said, "beside the lamp."\n"They are not'
    ' there."\n"Then ask Tom. He took the car this morning, and he never puts anything back."\n',
    "Der Zug nach Hamburg fährt heute zwanzig Minuten später ab, weil ein Baum auf die Gleise gefallen ist."
    " Wer nach Kiel will, nimmt besser den Bus. Les autres voyageurs attendent sur le quai.\n",
)


def probe_of(target: Runner, tokenizer: Any = None) -> Probe:
    """A probe of the model of `target`, on text that `tokenizer` encodes, or failing that on likely text."""
    model = target.model
    length = _length(target)
    text = [] if tokenizer is None else _encode_texts(tokenizer, target.vocabulary_size, length)
    if len(text) < min(length, 2 * PATH):
        text = likely_text(model, min(length, TOKENS // 4))
    upcast = _upcast(model)
    return Probe(model, (text * (length // len(text) + 1))[:length], upcast)


def _length(target: Runner) -> int:
    """Number of tokens to read: some hundreds; more on a GPU, or to pass a window, if that takes only a moment."""
    parameters = sum(each.numel() for each in target.model.parameters())
    affordable = int(MAX_WORK.get(target.model.device.type, 0.0) / parameters)
    windows = [each for each in target.windows.values() if each is not None]
    useful = max(
        LONG if target.model.device.type == "cuda" else TOKENS,
        *(each + 4 * PATH for each in windows),
        0,
    )
    return min(target.limit, max(TOKENS, min(useful, affordable)))


def _encode_texts(tokenizer: Any, vocabulary: int, length: int) -> list[int]:
    """The ids of all texts, about as many from each."""
    ids: list[int] = []
    for text in TEXTS:
        # Only the first gets the special tokens with which the tokenizer begins a text.
        encoded = tokenizer(text, add_special_tokens=not ids)["input_ids"]
        ids += [
            int(token)
            for token in encoded[: max(1, length // len(TEXTS) + 1)]
            if token < vocabulary
        ]
    return ids


def _upcast(model: Any) -> Any:
    """The model in float32, where it is in half precision on one device with room for both; otherwise None."""
    parameters = list(model.parameters())
    kinds = {(each.dtype, each.device) for each in parameters}
    if len(kinds) > 1 or model.dtype not in (torch.bfloat16, torch.float16):
        return None
    free = free_bytes(model.device)
    needed = sum(each.numel() for each in parameters) * (
        torch.float32.itemsize + model.dtype.itemsize
    )
    if (
        free is None
        or needed > MAX_UPCAST_SHARE * free
        or getattr(model, "_hf_hook", None) is not None
    ):
        return None
    return copy.deepcopy(model).float()
