"""A byte-level BPE tokenizer with a chat template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from logitspec.builtin.corpus import samples
from logitspec.builtin.tasks import Sample

END_OF_TEXT = "<|endoftext|>"
USER = "<|user|>"
ASSISTANT = "<|assistant|>"
END = "<|end|>"
SPECIAL = (END_OF_TEXT, USER, ASSISTANT, END)
VOCABULARY = 4096
CONTEXT = 2048

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


def _texts(seed: int, count: int) -> Iterator[str]:
    stream = samples(seed)
    for _ in range(count):
        for user, answer in next(stream).turns:
            yield user
            yield answer


def train_tokenizer(
    prose: Iterable[str] = (), *, seed: int = 0, count: int = 20_000, vocabulary: int = VOCABULARY
) -> PreTrainedTokenizerFast:
    """A tokenizer trained on `count` samples of the corpus and the given prose texts.

    Every text can be encoded and decoded back, since all 256 bytes are in the vocabulary.
    `vocabulary` counts the special tokens in and must be at least 260.
    """
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )

    def texts() -> Iterator[str]:
        yield from prose
        yield from _texts(seed, count)

    bpe.train_from_iterator(texts(), trainer)
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
