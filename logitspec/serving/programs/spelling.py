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
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff]"
)


# Letters that are written from right to left: Hebrew, Arabic and their neighbours.
FROM_THE_RIGHT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


class Piece(NamedTuple):
    """A character of a text, or a byte in hexadecimal that belongs to no character."""

    text: str
    is_byte: bool


def in_quotes(text: str) -> str:
    """The text in quotes; one from right to left is isolated, so that what is next to it keeps its place."""
    return f'"\u2068{text}\u2069"' if FROM_THE_RIGHT.search(text) else f'"{text}"'


def quote_token(trace: Trace, token: int) -> str:
    """A token in quotes."""
    return in_quotes(write_tokens(trace, [token]))


def quote_tokens(trace: Trace, tokens: Sequence[int]) -> str:
    """Consecutive tokens in quotes, the first MAX_QUOTE of them."""
    more = "…" if len(tokens) > MAX_QUOTE else ""
    return in_quotes(write_tokens(trace, tokens[:MAX_QUOTE]) + more)


def write_tokens(trace: Trace, tokens: Sequence[int]) -> str:
    """Consecutive tokens without quotes; each by itself where the spelling of one is unknown."""
    spellings = [trace.vocabulary[token] for token in tokens if token in trace.vocabulary]
    if len(spellings) < len(tokens) and len(tokens) > 1:
        return "".join(write_tokens(trace, [token]) for token in tokens)
    if len(spellings) < len(tokens):
        return f"⟨#{tokens[0]}⟩"
    return "".join(_plain_text(_shorten(pieces)) for pieces in _spell(spellings))


def _spell(group: Sequence[bytes]) -> list[list[Piece]]:
    """For each token the characters that begin in it, and its bytes that belong to no character."""
    text = b"".join(group)
    owner = [place for place, token in enumerate(group) for _ in token]
    pieces: list[list[Piece]] = [[] for _ in group]
    at = 0
    while at < len(text):
        # UTF-8 never decodes the beginning of a longer character.
        sizes = (size for size in range(1, 5) if _is_character(text[at : at + size]))
        size = next(sizes, 0)
        piece = Piece(text[at : at + size].decode() if size else f"{text[at]:02x}", not size)
        pieces[owner[at]].append(piece)
        at += size or 1
    return pieces


def _is_character(text: bytes) -> bool:
    try:
        return len(text.decode()) == 1
    except UnicodeDecodeError:
        return False


def _shorten(pieces: list[Piece]) -> list[Piece]:
    """The pieces of a token, cut to MAX_LETTERS if there are more, as in no real token."""
    units = sum(len(each.text.encode("utf-16-le")) // 2 for each in pieces)
    spaces = sum(
        len(list(run)) - 1
        for is_byte, run in groupby(pieces, key=lambda each: each.is_byte)
        if is_byte
    )
    if units + spaces <= MAX_LETTERS or len(pieces) < MAX_LETTERS:
        return pieces
    return [*pieces[:MAX_LETTERS], Piece("…", False)]


def _plain_text(pieces: list[Piece]) -> str:
    """The pieces as visible text: invisible characters by their code points, bytes in hexadecimal."""
    text = ""
    for is_byte, run in groupby(pieces, key=lambda each: each.is_byte):
        texts = [each.text for each in run]
        text += f"⟨{' '.join(texts)}⟩" if is_byte else "".join(map(_visible, texts))
    return text


def _visible(letter: str) -> str:
    if letter in "\n\t":
        return {"\n": "\\n", "\t": "\\t"}[letter]
    return HIDDEN.sub(lambda found: f"⟨{ord(found[0]):04x}⟩", letter)
