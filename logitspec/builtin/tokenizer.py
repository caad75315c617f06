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
# The part of the vocabulary that goes to pieces of rare words, and in how many words each must be.
PART_SHARE = 0.25
PART_WORDS = 30

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
# A space in byte-level characters.
_SPACE = "Ġ"


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


def _pieces(texts: Iterable[str]) -> collections.Counter[str]:
    """In how many of the texts each piece occurs, in byte-level characters."""
    splitting = _splitting(_PIECES)
    found: collections.Counter[str] = collections.Counter()
    for text in texts:
        found.update({piece: None for piece, _ in splitting.pre_tokenize_str(text)}.keys())
    return found


def _whole(found: collections.Counter[str], count: int) -> dict[str, None]:
    """About `count` of the most frequent pieces, those that get a token of their own.

    No names, which have to be copied like names never seen. And no word without the one with a
    space before it, which would else be made of other tokens.
    """
    chosen: dict[str, None] = {}
    for piece, uses in found.most_common():
        if uses < 2 or len(chosen) >= count:
            break
        word = piece.removeprefix(_SPACE)
        if len(piece) > 1 and word not in NAMES:
            if piece == word and any(letter.isalpha() for letter in piece):
                chosen[_SPACE + piece] = None
            chosen[piece] = None
    return chosen


def _parts(rare: Iterable[str], count: int) -> list[tuple[str, str]]:
    """At most `count` merges for words that have no token of their own, without their space.

    Every merge makes a part that is found in at least `PART_WORDS` different words, so that its
    token is learnt in many places: of a part that stands only in "Hamburg", a model learns that
    "Ham" comes before it and can't copy "Salzburg".
    """
    words = list({piece.removeprefix(_SPACE): None for piece in rare})
    bpe = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=256 + count,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=PART_WORDS,
        show_progress=False,
    )
    bpe.train_from_iterator(words, trainer)
    merges = [tuple(pair) for pair in json.loads(bpe.to_str())["model"]["merges"]]
    while True:
        found: collections.Counter[str] = collections.Counter()
        for encoded in _bpe(merges).encode_batch(words):
            found.update(set(encoded.tokens))
        gone = {a + b for a, b in merges if found[a + b] < PART_WORDS}
        if not gone:
            return merges
        kept = []
        for a, b in merges:
            if gone.isdisjoint((a, b, a + b)):
                kept.append((a, b))
            else:
                gone.add(a + b)
        merges = kept


def _bpe(merges: list[tuple[str, str]], words: Iterable[str] = (), **special: int) -> Tokenizer:
    """A tokenizer of bytes, merges and whole words, each once, behind the special tokens."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = dict(special)
    for token in itertools.chain(letters, (a + b for a, b in merges), words):
        vocab.setdefault(token, len(vocab))
    # A piece that is in the vocabulary as a whole is one token, whatever the merges say.
    return Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=True))


def train_tokenizer(
    prose: Iterable[str] = (), *, seed: int = 0, count: int = 20_000, vocabulary: int = VOCABULARY
) -> PreTrainedTokenizerFast:
    """A tokenizer trained on `count` samples of the corpus and the given prose texts.

    Every text can be encoded and decoded back, since all 256 bytes are in the vocabulary.
    `vocabulary` counts the special tokens in and must be at least 260; with few texts the
    tokenizer stays smaller.
    """
    places = vocabulary - len(SPECIAL) - 256
    found = _pieces([*prose, *_texts(seed, count)])
    merges = _parts(found.keys() - _whole(found, places).keys(), int(PART_SHARE * places))
    parts = {a + b for a, b in merges}
    words = [piece for piece in _whole(found, places) if piece not in parts]
    words = words[: places - len(merges)]
    bpe = _bpe(merges, words, **{token: place for place, token in enumerate(SPECIAL)})
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
