"""A byte-level BPE tokenizer with a chat template.

A model this small has to copy names letter for letter, and that is much easier if a word is made
of the same tokens wherever it occurs. So no merge ever joins a space to a letter: a rare word is
split in the same way at the start of a line, after a bracket and after a space. Frequent words have
a token of their own that includes the space.
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
# The share of the vocabulary for parts of rare words, and the number of words that each must occur in.
PART_SHARE = 0.25
MIN_PART_WORDS = 30

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


def _pre_tokenizer(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _pieces(texts: Iterable[str]) -> collections.Counter[str]:
    """Counts the texts that each piece occurs in; pieces are in byte-level characters."""
    split = _pre_tokenizer(_PIECES)
    counts: collections.Counter[str] = collections.Counter()
    for text in texts:
        counts.update({piece: None for piece, _ in split.pre_tokenize_str(text)}.keys())
    return counts


def _frequent_pieces(counts: collections.Counter[str], count: int) -> dict[str, None]:
    """About `count` of the most frequent pieces, which get a token of their own.

    Names are left out, so that the model learns to copy them part by part. Every word comes with
    its form after a space, which would otherwise consist of other tokens.
    """
    pieces: dict[str, None] = {}
    for piece, uses in counts.most_common():
        if uses < 2 or len(pieces) >= count:
            break
        word = piece.removeprefix(_SPACE)
        if len(piece) > 1 and word not in NAMES:
            if piece == word and any(letter.isalpha() for letter in piece):
                pieces[_SPACE + piece] = None
            pieces[piece] = None
    return pieces


def _part_merges(rare: Iterable[str], count: int) -> list[tuple[str, str]]:
    """At most `count` merges for words that have no token of their own, without their space.

    Every merge makes a part that occurs in at least `MIN_PART_WORDS` different words, so that its
    token is learnt in many places. If "burg" occurred only in "Hamburg", a model would learn that
    "Ham" comes before it, and could not copy "Salzburg".
    """
    words = list({piece.removeprefix(_SPACE): None for piece in rare})
    bpe = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=256 + count,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=MIN_PART_WORDS,
        show_progress=False,
    )
    bpe.train_from_iterator(words, trainer)
    merges = [tuple(pair) for pair in json.loads(bpe.to_str())["model"]["merges"]]
    while True:
        uses: collections.Counter[str] = collections.Counter()
        for encoded in _bpe(merges).encode_batch(words):
            uses.update(set(encoded.tokens))
        too_rare = {a + b for a, b in merges if uses[a + b] < MIN_PART_WORDS}
        if not too_rare:
            return merges
        rest = []
        for a, b in merges:
            if too_rare.isdisjoint((a, b, a + b)):
                rest.append((a, b))
            else:
                too_rare.add(a + b)
        merges = rest


def _bpe(merges: list[tuple[str, str]], words: Iterable[str] = (), **special: int) -> Tokenizer:
    """A tokenizer of bytes, merges and whole words, each once, after the special tokens."""
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
    `vocabulary` includes the special tokens and must be at least 260; with few texts the
    tokenizer stays smaller.
    """
    room = vocabulary - len(SPECIAL) - 256
    counts = _pieces([*prose, *_texts(seed, count)])
    merges = _part_merges(
        counts.keys() - _frequent_pieces(counts, room).keys(), int(PART_SHARE * room)
    )
    parts = {a + b for a, b in merges}
    words = [piece for piece in _frequent_pieces(counts, room) if piece not in parts]
    words = words[: room - len(merges)]
    bpe = _bpe(merges, words, **{token: place for place, token in enumerate(SPECIAL)})
    bpe.add_special_tokens(list(SPECIAL))
    bpe.pre_tokenizer = _pre_tokenizer(_PIECES)
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


def chat_messages(sample: Sample) -> list[dict[str, str]]:
    """The sample in the form that chat templates take."""
    chat = []
    for user, answer in sample.turns:
        chat.append({"role": "user", "content": user})
        chat.append({"role": "assistant", "content": answer})
    return chat
