"""A byte-level BPE tokenizer with a chat template.

A model this small has to copy names letter for letter, and that is much easier if a word is made
of the same tokens wherever it stands. So no merge ever joins a space to a letter: a rare word is
split in the same way at the start of a line, behind a bracket and behind a space. Frequent words
have a token of their own that takes the space along.
"""

from __future__ import annotations

import collections
import itertools
import json
import re
from collections.abc import Iterable, Iterator

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from logitspec.builtin.corpus import samples
from logitspec.builtin.tasks import Sample
from logitspec.builtin.words import NAMES

END_OF_TEXT = "<|endoftext|>"
USER = "<|user|>"
ASSISTANT = "<|assistant|>"
END = "<|end|>"
SPECIAL = (END_OF_TEXT, USER, ASSISTANT, END)
VOCABULARY = 4096
CONTEXT = 2048
# The part of the vocabulary that goes to frequent words with the space before them.
WORD_SHARE = 0.5

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "{{- '<|assistant|>' + message['content'] + '<|end|>' -}}"
    "{%- else -%}"
    "{{- '<|user|>' + message['content'] + '<|end|>' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)

# Words take one leading space, digits stand alone, a run of spaces leaves its last space to the
# word after it (so Python's indentation is one token).
_PIECES = r"""'(?:s|t|re|ve|m|ll|d)| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
_WITHOUT_SPACE = _PIECES.replace(" ?", "")
_SPACED = re.compile(r" (?:[^\W\d_]+|[^\s\w]+)")


def _texts(seed: int, count: int) -> Iterator[str]:
    stream = samples(seed)
    for _ in range(count):
        for user, answer in next(stream).turns:
            yield user
            yield answer


def _splitting(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _frequent(texts: Iterable[str], count: int) -> list[str]:
    """The most frequent words and signs behind a space, as byte-level pieces, without names."""
    found = collections.Counter(
        match for text in texts for match in _SPACED.findall(text) if match[1:] not in NAMES
    )
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return [level.pre_tokenize_str(word)[0][0] for word, _ in found.most_common(count)]


def train_tokenizer(
    prose: Iterable[str] = (), *, seed: int = 0, count: int = 20_000, vocabulary: int = VOCABULARY
) -> PreTrainedTokenizerFast:
    """A tokenizer trained on `count` samples of the corpus and the given prose texts.

    Every text can be encoded and decoded back, since all 256 bytes are in the vocabulary.
    `vocabulary` counts the special tokens in and must be at least 260.
    """
    texts = [*prose, *_texts(seed, count)]
    words = _frequent(texts, int(WORD_SHARE * (vocabulary - 260)))
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = _splitting(_WITHOUT_SPACE)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(words),
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    trained.train_from_iterator(texts, trainer)
    learned = json.loads(trained.to_str())["model"]
    missing = [word for word in words if word not in learned["vocab"]]
    vocab = learned["vocab"] | dict(zip(missing, itertools.count(len(learned["vocab"]))))
    # A piece that is in the vocabulary as a whole is one token, whatever the merges say.
    merges = [tuple(pair) for pair in learned["merges"]]
    bpe = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=True))
    bpe.add_special_tokens(list(SPECIAL))
    bpe.pre_tokenizer = _splitting(_PIECES)
    bpe.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END,
        pad_token=END_OF_TEXT,
        additional_special_tokens=[USER, ASSISTANT],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def messages(sample: Sample) -> list[dict[str, str]]:
    """The sample in the form that chat templates take."""
    found = []
    for user, answer in sample.turns:
        found.append({"role": "user", "content": user})
        found.append({"role": "assistant", "content": answer})
    return found
