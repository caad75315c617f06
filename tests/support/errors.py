"""The rules for every error that people read."""

from __future__ import annotations

import pytest

from logitspec import LogitSpecError


def one_sentence(error: pytest.ExceptionInfo[LogitSpecError]) -> None:
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")
