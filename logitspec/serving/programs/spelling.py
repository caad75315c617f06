"""Tokens on one line of text, as `assets/player/spelling.js` and `words.js` write them in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from logitspec.trace.records import Trace

MAX_QUOTE = 8  # tokens
MAX_LETTERS = 48  # of a token, or bytes of it

HIDDEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


class Piece(NamedTuple):
    """A character of a text, or a byte that is of none."""

    text: str
    is_byte: bool


def quoted(trace: Trace, token: int) -> str:
    """A token in quotes."""
    return f'"{written(trace, [token])}"'


def quoted_some(trace: Trace, tokens: Sequence[int]) -> str:
    """The first of tokens that follow each other, in quotes."""
    more = "…" if len(tokens) > MAX_QUOTE else ""
    return f'"{written(trace, tokens[:MAX_QUOTE])}{more}"'


def written(trace: Trace, tokens: Sequence[int]) -> str:
    """Tokens that follow each other, without quotes; each alone where the spelling of one is not known."""
    spelt = [trace.vocabulary[token] for token in tokens if token in trace.vocabulary]
    if len(spelt) < len(tokens) and len(tokens) > 1:
        return "".join(written(trace, [token]) for token in tokens)
    if len(spelt) < len(tokens):
        return f"⟨#{tokens[0]}⟩"
    return "".join(_plain(_shortened(pieces)) for pieces in _spell(spelt))


def _spell(group: Sequence[bytes]) -> list[list[Piece]]:
    """The characters that begin in each token, and its bytes that are of no character."""
    text = b"".join(group)
    owner = [place for place, token in enumerate(group) for _ in token]
    spelt: list[list[Piece]] = [[] for _ in group]
    at = 0
    while at < len(text):
        # UTF-8 never decodes the beginning of a longer character.
        sizes = (size for size in range(1, 5) if _is_character(text[at : at + size]))
        size = next(sizes, 0)
        piece = Piece(text[at : at + size].decode() if size else f"{text[at]:02x}", not size)
        spelt[owner[at]].append(piece)
        at += size or 1
    return spelt


def _is_character(text: bytes) -> bool:
    try:
        return len(text.decode()) == 1
    except UnicodeDecodeError:
        return False


def _shortened(pieces: list[Piece]) -> list[Piece]:
    """As much as a sentence shows: no real token is longer."""
    units = sum(len(each.text.encode("utf-16-le")) // 2 for each in pieces)
    spaces = sum(
        len(list(run)) - 1
        for is_byte, run in groupby(pieces, key=lambda each: each.is_byte)
        if is_byte
    )
    if units + spaces <= MAX_LETTERS or len(pieces) < MAX_LETTERS:
        return pieces
    return [*pieces[:MAX_LETTERS], Piece("…", False)]


def _plain(pieces: list[Piece]) -> str:
    """With everything visible: what has no shape by its number, bytes in figures."""
    text = ""
    for is_byte, run in groupby(pieces, key=lambda each: each.is_byte):
        texts = [each.text for each in run]
        text += f"⟨{' '.join(texts)}⟩" if is_byte else "".join(map(_visible, texts))
    return text


def _visible(letter: str) -> str:
    if letter in "\n\t":
        return {"\n": "\\n", "\t": "\\t"}[letter]
    return HIDDEN.sub(lambda found: f"⟨{ord(found[0]):04x}⟩", letter)
