"""Token streams: the corpus and optional prose, packed into rows without padding."""

from __future__ import annotations

import json
import lzma
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from logitspec.builtin.corpus import samples
from logitspec.builtin.tasks import Sample
from logitspec.builtin.tokenizer import ASSISTANT, END, END_OF_TEXT, USER
from logitspec.builtin.words import Split
from logitspec.errors import LogitSpecError

PROMPT_WEIGHT = 0.1
POOL = 96
# Rows shorter than this, which only tests use, are filled with beginnings alone.
MIN_ROW = 100
_BLOCK = 100_000


def read_prose(path: pathlib.Path) -> str:
    """The text of a UTF-8 file, plain or xz-compressed; LogitSpecError if it is neither."""
    try:
        if path.suffix == ".xz":
            with lzma.open(path, "rt", encoding="utf-8") as file:
                return file.read()
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LogitSpecError(f"{path} is not UTF-8 text; save it as UTF-8.") from error
    except (lzma.LZMAError, EOFError) as error:
        raise LogitSpecError(f"{path} is cut short or damaged; save it again.") from error


def special_ids(tokenizer: PreTrainedTokenizerBase) -> tuple[int, int, int, int]:
    """The ids of the user, assistant, end-of-turn and end-of-text tokens."""
    first, second, third, last = (
        int(tokenizer.encode(token, add_special_tokens=False)[0])
        for token in (USER, ASSISTANT, END, END_OF_TEXT)
    )
    return first, second, third, last


def encode(tokenizer: PreTrainedTokenizerBase, sample: Sample) -> tuple[list[int], list[float]]:
    """The sample as the chat template writes it, and each token's weight in the loss.

    Answers and the end tokens of answers weigh 1, everything else `PROMPT_WEIGHT`. The conversation
    ends with the end-of-text token.
    """
    user, assistant, end, stop = special_ids(tokenizer)
    ids: list[int] = []
    weights: list[float] = []
    texts = [text for turn in sample.turns for text in turn]
    tokens = tokenizer(texts, add_special_tokens=False)["input_ids"]
    for question, answer in zip(tokens[::2], tokens[1::2], strict=True):
        prompt = [user, *question, end, assistant]
        ids += [*prompt, *answer, end]
        weights += [PROMPT_WEIGHT] * len(prompt) + [1.0] * (len(answer) + 1)
    return [*ids, stop], [*weights, PROMPT_WEIGHT]


def encode_prose(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> npt.NDArray[np.uint16]:
    """All prose as one array of tokens; documents are separated by the end-of-text token."""
    ids: list[int] = []
    for text in texts:
        # A file separates documents by the special token's own text, which encodes to that token.
        blocks = [text[start : start + _BLOCK] for start in range(0, len(text), _BLOCK)]
        for tokens in tokenizer(blocks, add_special_tokens=False)["input_ids"]:
            ids += tokens
        ids.append(special_ids(tokenizer)[-1])
    return np.asarray(ids, dtype=np.uint16)


@dataclass
class Packer:
    """Rows of `length + 1` tokens with their weights; they depend only on the seed and the rows before.

    A share of the rows (0 to 1) comes from prose; such a row starts at a random place. The others
    hold whole conversations from a pool, and at their end the beginning of one that stays in the
    pool: an answer is never in a row without the text that it is about.
    """

    tokenizer: PreTrainedTokenizerBase
    prose: npt.NDArray[np.uint16]
    seed: int
    split: Split = "train"
    conversations: int = 0
    pool: list[tuple[list[int], list[float]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stream: Iterator[Sample] = samples(self.seed, self.split)
        self._random = np.random.default_rng(self.seed)

    def row(self, length: int, prose_share: float = 0.0) -> tuple[list[int], list[float]]:
        """One row: `length + 1` token ids and as many weights."""
        size = length + 1
        if len(self.prose) > size and self._random.random() < prose_share:
            start = int(self._random.integers(len(self.prose) - size))
            return self.prose[start : start + size].tolist(), [1.0] * size
        ids: list[int] = []
        weights: list[float] = []
        while (whole := self._take(size - len(ids), may_wait=not ids)) is not None:
            ids += whole[0]
            weights += whole[1]
        rest = size - len(ids)
        beginning = self.pool[int(self._random.integers(len(self.pool)))]
        return ids + beginning[0][:rest], weights + beginning[1][:rest]

    def _take(self, room: int, *, may_wait: bool) -> tuple[list[int], list[float]] | None:
        """The oldest conversation that fits; None if there is none in the pool."""
        while True:
            while len(self.pool) < POOL:
                self.pool.append(encode(self.tokenizer, next(self._stream)))
                self.conversations += 1
            for place, (ids, _) in enumerate(self.pool):
                if len(ids) <= room:
                    return self.pool.pop(place)
            if not may_wait or room < MIN_ROW:
                return None
            # Rows are short: conversations that wait for longer ones make room.
            self.pool.clear()

    def batch(
        self, tokens: int, length: int, prose_share: float = 0.0
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Ids and weights, each of shape (tokens // length, length + 1)."""
        rows = [self.row(length, prose_share) for _ in range(max(1, tokens // length))]
        return (
            np.asarray([ids for ids, _ in rows], dtype=np.int64),
            np.asarray([weights for _, weights in rows], dtype=np.float32),
        )

    def state(self) -> str:
        """What `restore` needs to continue at the same token, as JSON."""
        return json.dumps(
            {
                "conversations": self.conversations,
                "pool": self.pool,
                "random": self._random.bit_generator.state,
            }
        )

    def restore(self, state: str) -> None:
        """Returns to a saved place; the samples up to there are generated again and dropped."""
        values: dict[str, Any] = json.loads(state)
        self._stream = samples(self.seed, self.split)
        for _ in range(values["conversations"]):
            next(self._stream)
        self.conversations = values["conversations"]
        self.pool = [(ids, weights) for ids, weights in values["pool"]]
        self._random.bit_generator.state = values["random"]
