"""The built-in language model: its corpus, its tokenizer and its training.

`MODEL_DIR` is the folder with the shipped weights, tokenizer and model card.
"""

from __future__ import annotations

import pathlib

MODEL_DIR: pathlib.Path = pathlib.Path(__file__).resolve().parents[2] / "assets" / "model"

__all__ = ["MODEL_DIR"]
