from __future__ import annotations

import random
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from logitspec.errors import LogitSpecError
from logitspec.models.tokens import Speller

PROSE = [
    "the draft tree and the target model agree on the next token\n",
    "naïve café, 東京 and 🌳🌲: where is the 🏳️‍🌈? اَلسَّلَامُ עברית\t{{x}} <script>&lt;</script>",
]


@dataclass
class Wrapped:
    """The part of a transformers fast tokenizer that the speller uses."""

    backend_tokenizer: Tokenizer


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        PROSE * 4,
        trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False),
    )
    return tokenizer


def sentencepiece() -> Tokenizer:
    """Llama 2's shape: a space before the text, `▁` for spaces, bytes for unknown characters."""
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += ["▁", "a", "b", "é", "▁a", "ab", "▁ab"]
    merges = [("▁", "a"), ("a", "b"), ("▁a", "b")]
    tokenizer = Tokenizer(
        models.BPE(
            {piece: place for place, piece in enumerate(pieces)},
            merges,
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


def id_of(tokenizer: Tokenizer, token: str) -> int:
    token_id = tokenizer.token_to_id(token)
    assert token_id is not None
    return token_id


def spelled(tokenizer: Tokenizer, text: str) -> bytes:
    speller = Speller(Wrapped(tokenizer))
    return b"".join(map(speller, tokenizer.encode(text, add_special_tokens=False).ids))


BYTE_LEVEL = byte_level()
SENTENCEPIECE = sentencepiece()


@given(st.text())
def test_byte_level_tokens_spell_any_text(text: str) -> None:
    assert spelled(BYTE_LEVEL, text) == text.encode()


@given(st.text(st.sampled_from("ab é🌳東\u202e▁\n<0xE>")).filter(lambda text: "▁" not in text))
def test_sentencepiece_tokens_spell_any_text_behind_a_space(text: str) -> None:
    expected = f" {text}".encode() if text else b""
    assert spelled(SENTENCEPIECE, text) == expected


@pytest.mark.parametrize("text", PROSE)
@pytest.mark.parametrize("tokenizer", [BYTE_LEVEL, SENTENCEPIECE], ids=["bytes", "sentencepiece"])
def test_spelling_equals_decoding_where_decoding_loses_nothing(
    tokenizer: Tokenizer, text: str
) -> None:
    ids = tokenizer.encode(text).ids
    assert spelled(tokenizer, text).decode().strip() == tokenizer.decode(ids).strip()


def test_each_of_the_256_bytes_has_its_own_token() -> None:
    by_token = {
        bytes([place]): token
        for token in pre_tokenizers.ByteLevel.alphabet()
        for place in Speller(Wrapped(BYTE_LEVEL))(id_of(BYTE_LEVEL, token))
    }
    assert len(by_token) == 256
    for byte in range(256):
        fallback = id_of(SENTENCEPIECE, f"<0x{byte:02X}>")
        assert Speller(Wrapped(SENTENCEPIECE))(fallback) == bytes([byte])


def test_half_a_character_is_kept() -> None:
    half, *_ = SENTENCEPIECE.encode("🌳").ids[1:]
    assert Speller(Wrapped(SENTENCEPIECE))(half) == "🌳".encode()[:1]
    assert SENTENCEPIECE.decode([half]) == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("make", [byte_level, sentencepiece])
def test_special_and_added_tokens_are_spelled_as_written(make: Any) -> None:
    tokenizer = make()
    # "é" alone would be the byte E9 to a byte-level decoder, "▁" a space to the other
    contents = ["<|end|>", "é", "<0xE2>", "▁▁", "Ġ", "東"]
    before = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens([contents[0]])
    tokenizer.add_tokens([AddedToken(content, normalized=False) for content in contents[1:]])
    speller = Speller(Wrapped(tokenizer))
    added = {id_of(tokenizer, content): content for content in contents}
    assert max(added) >= before
    assert {token_id: speller(token_id).decode() for token_id in added} == added


@pytest.mark.parametrize("tokenizer", [BYTE_LEVEL, SENTENCEPIECE], ids=["bytes", "sentencepiece"])
def test_ids_behind_the_vocabulary_are_empty(tokenizer: Tokenizer) -> None:
    size = tokenizer.get_vocab_size()
    speller = Speller(Wrapped(tokenizer))
    assert speller(size - 1)
    assert speller(size) == speller(size + 10_000) == b""


def test_metaspace_and_word_end_decoders() -> None:
    words = {"▁the": 0, "re": 1, "way</w>": 2, "[UNK]": 3}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.decoder = decoders.Metaspace()
    assert [Speller(Wrapped(tokenizer))(token) for token in (0, 1)] == [b" the", b"re"]
    tokenizer.decoder = decoders.BPEDecoder()
    assert Speller(Wrapped(tokenizer))(2) == b"way "
    tokenizer.decoder = decoders.Sequence([decoders.Strip("▁", 1, 0), decoders.Fuse()])
    assert Speller(Wrapped(tokenizer))(0) == b"the"
    tokenizer.decoder = decoders.Replace("re", "un")
    assert Speller(Wrapped(tokenizer))(1) == b"un"


def test_a_byte_level_token_outside_the_byte_alphabet_is_itself() -> None:
    tokenizer = Tokenizer(models.WordLevel({"東é": 0, "é": 1}, unk_token="é"))
    tokenizer.decoder = decoders.ByteLevel()
    assert Speller(Wrapped(tokenizer))(0).decode() == tokenizer.decode([0]) == "東é"
    assert Speller(Wrapped(tokenizer))(1) == b"\xe9"


def test_without_a_decoder_tokens_are_words() -> None:
    tokenizer = Tokenizer(models.WordLevel({"one": 0, "two": 1}, unk_token="one"))
    joined = b"".join(Speller(Wrapped(tokenizer))(token) for token in (0, 1, 0))
    assert joined.decode() == " " + tokenizer.decode([0, 1, 0])


def test_a_token_is_looked_up_once() -> None:
    ids = random.Random(0).choices(range(50), k=500)
    looked_up: list[int] = []

    def id_to_token(token_id: int) -> str | None:
        looked_up.append(token_id)
        return BYTE_LEVEL.id_to_token(token_id)

    backend = SimpleNamespace(
        id_to_token=id_to_token,
        decoder=BYTE_LEVEL.decoder,
        get_added_tokens_decoder=BYTE_LEVEL.get_added_tokens_decoder,
    )
    speller = Speller(SimpleNamespace(backend_tokenizer=backend))
    assert [speller(token) for token in ids] == [
        Speller(Wrapped(BYTE_LEVEL))(token) for token in ids
    ]
    assert sorted(looked_up) == sorted(set(ids))


def test_slow_and_unknown_tokenizers_end_in_one_sentence() -> None:
    with pytest.raises(LogitSpecError, match=r"has no fast version.*choose a model"):
        Speller(SimpleNamespace(backend_tokenizer=None))
    tokenizer = Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))
    tokenizer.decoder = decoders.CTC()
    with pytest.raises(LogitSpecError, match=r"decodes with CTC.*choose a model"):
        Speller(Wrapped(tokenizer))(0)
