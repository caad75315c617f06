"""The bytes of a token, including parts of a character, which decoding to text would lose."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Protocol

from logitspec.errors import LogitSpecError

Piece = str | bytes
Stage = Callable[[Piece], Piece]


class FastTokenizer(Protocol):
    """What `Speller` needs of a transformers tokenizer: the `tokenizers.Tokenizer` inside it."""

    @property
    def backend_tokenizer(self) -> Any: ...


class Speller:
    """Spells token ids: `speller(token_id)` is the bytes that the id contributes to the text.

    Joined over the ids of a text, the bytes are its UTF-8, except that a space which the tokenizer puts
    before the text (SentencePiece) is kept, and so are the changes of its normalizer. Special and added
    tokens are spelled as their content; ids without a token (rows that pad an embedding matrix) are
    empty.

    Raises LogitSpecError for a tokenizer that has no fast version or decodes in an unknown way.
    """

    def __init__(self, tokenizer: FastTokenizer) -> None:
        backend: Any = getattr(tokenizer, "backend_tokenizer", None)
        if not hasattr(backend, "id_to_token"):
            raise LogitSpecError(
                f"{type(tokenizer).__name__} has no fast version, which the exact bytes of a token need; "
                "choose a model that ships a tokenizer.json."
            )
        self._token: Callable[[int], str | None] = backend.id_to_token
        self._stages = _stages(backend.decoder)
        self._spelled: dict[int, bytes] = {
            token_id: token.content.encode()
            for token_id, token in backend.get_added_tokens_decoder().items()
        }

    def __call__(self, token_id: int) -> bytes:
        spelled = self._spelled.get(token_id)
        if spelled is None:
            token = self._token(token_id)
            spelled = b"" if token is None else self._spell(token)
            self._spelled[token_id] = spelled
        return spelled

    def _spell(self, token: str) -> bytes:
        piece: Piece = token
        for stage in self._stages:
            piece = stage(piece)
        return piece.encode() if isinstance(piece, str) else piece


def _stages(decoder: Any) -> list[Stage]:
    """The steps by which `decoder` (of `tokenizers`) turns one token into text."""
    if decoder is None:  # such tokenizers join their tokens with spaces
        return [_on_text(lambda text: " " + text)]
    steps = _flat(json.loads(decoder.__getstate__()))
    stages = []
    after_fuse = False
    for step in steps:
        kind = step["type"]
        if kind == "Fuse":
            after_fuse = True
        elif kind == "Strip" and after_fuse:
            continue  # cuts the ends of the whole text, which no single token knows
        elif kind in _STAGES:
            stages.append(_STAGES[kind](step))
        else:
            raise LogitSpecError(
                f"The bytes of this tokenizer's tokens are unknown, because it decodes with {kind}; "
                "choose a model with a byte-level, SentencePiece or WordPiece tokenizer."
            )
    return stages


def _flat(state: dict[str, Any]) -> list[dict[str, Any]]:
    if state["type"] != "Sequence":
        return [state]
    return [step for inner in state["decoders"] for step in _flat(inner)]


def _on_text(change: Callable[[str], str]) -> Stage:
    """A stage for text; bytes from an earlier stage stay as they are."""
    return lambda piece: change(piece) if isinstance(piece, str) else piece


def _byte_level(_: dict[str, Any]) -> Stage:
    def stage(piece: Piece) -> Piece:
        if isinstance(piece, str) and all(char in _BYTE_OF for char in piece):
            return bytes(_BYTE_OF[char] for char in piece)
        return piece

    return stage


def _byte_fallback(_: dict[str, Any]) -> Stage:
    def stage(piece: Piece) -> Piece:
        if isinstance(piece, str) and (match := re.fullmatch(r"<0x([0-9A-Fa-f]{2})>", piece)):
            return bytes([int(match[1], 16)])
        return piece

    return stage


def _replace(step: dict[str, Any]) -> Stage:
    ((kind, pattern),) = step["pattern"].items()
    matcher = re.compile(pattern if kind == "Regex" else re.escape(pattern))
    return _on_text(lambda text: matcher.sub(lambda _: step["content"], text))


def _metaspace(step: dict[str, Any]) -> Stage:
    return _on_text(lambda text: text.replace(step["replacement"], " "))


def _word_end(step: dict[str, Any]) -> Stage:
    return _on_text(lambda text: text.replace(step["suffix"], " "))


def _wordpiece(step: dict[str, Any]) -> Stage:
    """Words are separated, and a continued word's piece begins with a mark; `cleanup` joins punctuation to its word."""
    prefix, cleanup = step["prefix"], step["cleanup"]

    def change(text: str) -> str:
        text = text.removeprefix(prefix) if text.startswith(prefix) else " " + text
        for apart, together in _CLEANUP if cleanup else ():
            text = text.replace(apart, together)
        return text

    return _on_text(change)


def _strip(step: dict[str, Any]) -> Stage:
    char, start, stop = step["content"], step["start"], step["stop"]

    def change(text: str) -> str:
        for _ in range(start):
            text = text.removeprefix(char)
        for _ in range(stop):
            text = text.removesuffix(char)
        return text

    return _on_text(change)


_STAGES: dict[str, Callable[[dict[str, Any]], Stage]] = {
    "ByteLevel": _byte_level,
    "ByteFallback": _byte_fallback,
    "Replace": _replace,
    "Metaspace": _metaspace,
    "BPEDecoder": _word_end,
    "Strip": _strip,
    "WordPiece": _wordpiece,
}

# From `tokenizers`, in its order.
_CLEANUP = (
    *((f" {mark}", mark) for mark in ".?!,"),
    (" ' ", "'"),
    *((f" {end}", end) for end in ("n't", "'m")),
    (" do not", " don't"),
    *((f" {end}", end) for end in ("'s", "'ve", "'re")),
)


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's table: printable Latin-1 bytes stand for themselves, the other 68 for U+0100 onwards."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    table.update({chr(0x100 + place): byte for place, byte in enumerate(others)})
    return table


_BYTE_OF = _byte_alphabet()
