"""The rules for every error that people read."""

from __future__ import annotations

from pathlib import Path

import pytest

from logitspec import LogitSpecError, load


def one_sentence(error: pytest.ExceptionInfo[LogitSpecError]) -> None:
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")


def refused(model: Path | str, match: str, dtype: str = "auto") -> None:
    """Loading `model` fails with one sentence, which doesn't reveal where the model is."""
    with pytest.raises(LogitSpecError, match=match) as error:
        load(model, dtype=dtype)
    one_sentence(error)
    assert str(Path(model).parent) not in str(error.value)
