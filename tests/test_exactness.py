"""What holds for a target's outputs in half precision is said in words, before a race and after it."""

from __future__ import annotations

from typing import Any

import pytest

from logitspec.trace.exactness import promise


@pytest.mark.parametrize(
    ("dtype", "exact", "message"),
    [
        ("float32", None, ""),
        ("float64", "no: it takes kernels", ""),
        ("bfloat16", "yes, for 4% of a step", "Outputs equal plain decoding's, token for token, in bfloat16 too."),
        ("float16", None, "outputs may differ"),
        ("bfloat16", "no: it would cost 20% of a step", "outputs may differ"),
        ("bfloat16", "not yet: kernels are being compiled", "outputs may differ"),
    ],
)  # fmt: skip
def test_it_is_promised_where_it_holds(dtype: str, exact: str | None, message: str) -> None:
    info: dict[str, Any] = {
        "dtype": dtype,
        "environment": {} if exact is None else {"exact": exact},
    }
    assert message in promise(info) if message else promise(info) == ""
