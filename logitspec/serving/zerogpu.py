"""The boundary to ZeroGPU, where a forked copy of this process gets a GPU for some seconds.

    here (this process) -- arguments --> there (where the GPU is) --> work
                        <-- values, last Done or Failed --

Without ZeroGPU, both sides are the same process. On ZeroGPU, everything that crosses is pickled, so it must
be plain data; an error crosses as its sentence, because `spaces` keeps only its type.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from logitspec.errors import LogitSpecError, sentence

try:
    import spaces  # before torch: it stands in for CUDA until there is a GPU
except ImportError:
    spaces = None  # type: ignore[assignment,unused-ignore]

# Where this is true, CUDA in this process is emulated: no forwards, no graphs, no timing.
HERE = spaces is not None and os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")

MAX_SECONDS = 120.0  # the daily quota of a visitor without an account
LEFT = re.compile(r"\((\d+)s requested vs\. (-?\d+)s left\)\. Try again in (\w[\w:, ]*\w)")

Work = Callable[..., Generator[Any, None, Any]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """The result of the work."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The error of the work, as a sentence for visitors."""

    sentence: str


def boundary(work: Work) -> Work:
    """`work`, a generator function of plain data, as one that runs where the GPU is.

    It takes one extra argument first: the seconds of GPU time to request. Every error, whether of the work
    or of ZeroGPU, is raised as LogitSpecError.
    """

    def there(seconds: float, *arguments: Any) -> Generator[Any, None, None]:
        try:
            yield Done((yield from work(*arguments)))
        except LogitSpecError as error:
            yield Failed(str(error))
        except Exception as error:
            log.exception("the work on the GPU failed")
            yield Failed(sentence(error))

    remote = spaces.GPU(there, duration=_duration) if HERE else there

    def here(seconds: float, *arguments: Any) -> Generator[Any, None, Any]:
        results = remote(seconds, *arguments)
        try:
            return (yield from _received(results))
        except LogitSpecError:
            raise
        except Exception as error:  # of `spaces`; errors of the work arrive as Failed
            log.warning("no GPU any more: %s", error)
            raise LogitSpecError(_space_sentence(error, _duration(seconds))) from error
        finally:
            results.close()

    return here


def _received(results: Generator[Any, None, None]) -> Generator[Any, None, Any]:
    end: Done | None = None
    for each in results:  # to its end, so that the GPU is given back
        if isinstance(each, Failed):
            raise LogitSpecError(each.sentence)
        if isinstance(each, Done):
            end = each
        else:
            yield each
    if end is None:
        raise RuntimeError("it ended without a word")
    return end.value


def _duration(seconds: float, *_: Any) -> int:
    """Whole seconds to request from ZeroGPU."""
    return round(min(max(seconds, 1.0), MAX_SECONDS))


def _space_sentence(error: Exception, seconds: int) -> str:
    """The sentence for an error of `spaces`, whose errors are Gradio's and have a title."""
    title, message = getattr(error, "title", ""), str(getattr(error, "message", error))
    if left := LEFT.search(message):
        return (
            f"This run asks for {left[1]} seconds of GPU time and you have {left[2]} left for now; ask for"
            f" fewer new tokens, or try again in {left[3]}."
        )
    if "quota" in title or "credits" in title or "duration" in title:
        return (
            "The GPU time for this is used up; come back later, sign in to Hugging Face for more,"
            " or play a recorded example."
        )
    if "aborted" in message:
        return (
            f"The GPU was taken back after the {seconds} seconds that were requested; ask for"
            " fewer new tokens."
        )
    return "No GPU was available; try again in a minute, or play a recorded example."
