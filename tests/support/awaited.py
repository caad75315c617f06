"""Coroutines for tests that have no event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def awaited(coroutine: Coroutine[Any, Any, Result], timeout: float | None = None) -> Result:
    """What `coroutine` returns. It runs in a thread, since Playwright runs a loop in this one. timeout: seconds."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result(timeout)
