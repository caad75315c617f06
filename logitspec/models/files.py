"""The files of a model's folder: which hold its weights, and which are broken."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logitspec.errors import LogitSpecError

ADAPTER = "adapter_config.json"
# Where some of these can't be read, the libraries silently do without what they say.
SMALL = re.compile(
    r"(config|generation_config|tokenizer_config|special_tokens_map|added_tokens|adapter_config)\.json"
    r"|model\.safetensors\.index(\.\w+)?\.json"
)
LARGE = re.compile(
    r"(tokenizer|vocab|tekken)\.json|merges\.txt|chat_template\.jinja|.*\.(model|tiktoken)"
)
SINGLE = re.compile(r"model(?:\.(\w+))?\.safetensors")
INDEX = re.compile(r"model\.safetensors\.index(?:\.(\w+))?\.json")
LFS_POINTER = b"version https://git-lfs"
ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
MAX_HEADER = 100_000_000  # bytes, as in safetensors


@dataclass(frozen=True)
class Weights:
    """The file with the weights of a model, or the index of several. variant: the word in its name that
    distinguishes it, such as fp16."""

    file: str
    variant: str | None

    @property
    def is_index(self) -> bool:
        return self.file.endswith(".json")


def is_small(name: str) -> bool:
    """Whether a file of that name at the top of a repository is one that the configuration or tokenizer needs."""
    return bool(SMALL.fullmatch(name) or LARGE.fullmatch(name))


def find_weights(names: Iterable[str]) -> Weights | None:
    """The weights that transformers reads among the files of a folder: a single file before an index, which may
    have been left over, and those without a variant before others."""
    found = [
        Weights(name, match[1])
        for name in sorted(names)
        if (match := SINGLE.fullmatch(name) or INDEX.fullmatch(name))
    ]
    return min(found, key=lambda each: (each.variant is not None, each.is_index), default=None)


def weights_in(folder: Path) -> Weights | None:
    """`find_weights` for the files in a folder."""
    return find_weights(file.name for file in folder.iterdir())


def weight_files(folder: Path, weights: Weights | None) -> list[str]:
    """Names of the files that make up `weights`, whether they are in `folder` or not; none for None."""
    if weights is None:
        return []
    if not weights.is_index:
        return [weights.file]
    return sorted(set(_json(folder / weights.file)["weight_map"].values()))


def refuse_broken(folder: Path, name: str) -> None:
    """Raise LogitSpecError for a broken file other than the weights."""
    for file in sorted(folder.iterdir()):
        small = SMALL.fullmatch(file.name)
        if (small or LARGE.fullmatch(file.name)) and (fault := _fault(file, parse=bool(small))):
            raise LogitSpecError(f"The file {file.name} of {name} {fault}.")


def refuse_broken_weights(folder: Path, name: str) -> None:
    """Raise LogitSpecError for weights that are missing or broken; only the beginning of each file
    is read."""
    for file in weight_files(folder, weights_in(folder)):
        if not (folder / file).exists():
            raise LogitSpecError(
                f"{name} lacks {file}, one of its weight files; download it again."
            )
        if fault := _fault(folder / file) or _fault_of_safetensors(folder / file):
            raise LogitSpecError(f"The file {file} of {name} {fault}.")


def broken_file_error(folder: Path, name: str) -> LogitSpecError | None:
    """The sentence for a JSON file in `folder`, however large, that can't be read; None where there is
    none."""
    for file in sorted(folder.glob("*.json")):
        if (SMALL.fullmatch(file.name) or LARGE.fullmatch(file.name)) and (
            fault := _fault(file, True)
        ):
            return LogitSpecError(f"The file {file.name} of {name} {fault}.")
    return None


def no_weights_error(names: Iterable[str], name: str) -> LogitSpecError:
    """The sentence for a model in whose files, by their `names`, `find_weights` finds none."""
    if others := sorted(each for each in names if each.endswith(".safetensors")):
        return LogitSpecError(
            f"{name} has {others[0]}, but neither a model.safetensors nor the index of its parts,"
            " model.safetensors.index.json; get the index too, or rename the file if it is the whole model."
        )
    return LogitSpecError(
        f"{name} could not be loaded: it has no weights in safetensors, and pickled ones are never read;"
        " choose a model that has them."
    )


def adapter_folder_error(folder: Path, name: str) -> LogitSpecError | None:
    """The sentence for a folder that holds an adapter instead of a model; None for others."""
    if not (folder / ADAPTER).is_file():
        return None
    base = str(_json(folder / ADAPTER).get("base_model_name_or_path") or "")
    return adapter_error(name, base if re.fullmatch(r"[\w.-]+/[\w.-]+", base) else "")


def adapter_error(name: str, base: str = "") -> LogitSpecError:
    """The sentence for an adapter. base: the hub id of its base model, if known."""
    return LogitSpecError(
        f"{name} is an adapter, not a model: it needs its base model{base and ' '}{base}; merge them with peft's"
        " merge_and_unload, save the result, and choose that."
    )


def _fault(file: Path, parse: bool = False) -> str | None:
    """What is wrong with a file, and what to do, as the end of a sentence. parse: whether to read it as JSON."""
    if file.is_dir():
        return "is a folder; put the file in its place"
    try:
        with file.open("rb") as content:
            start = content.read() if parse else content.read(len(LFS_POINTER))
    except OSError as error:
        return f"can't be read ({error.strerror}); make it readable"
    if not start:
        return "is empty; download it again"
    if start.startswith(LFS_POINTER):
        return "is only a pointer to a file in Git LFS; fetch it with `git lfs pull`, or download it from its page"
    return _fault_of_json(start, bool(INDEX.fullmatch(file.name))) if parse else None


def _fault_of_json(content: bytes, is_index: bool) -> str | None:
    # Windows' editors and shells write these marks; the libraries read plain UTF-8 alone.
    if content.startswith(ORDER_MARKS):
        return (
            "is not valid JSON, as it begins with a byte order mark; save it as UTF-8 without one"
        )
    try:
        found = json.loads(content.decode())
    except json.JSONDecodeError as error:
        return f"is not valid JSON (line {error.lineno}); download it again, or fix it"
    except (UnicodeDecodeError, RecursionError):
        return "is not valid JSON; download it again, or fix it"
    if not isinstance(found, dict):
        return "holds no JSON object; download it again, or fix it"
    if is_index and not _names_files(found.get("weight_map")):
        return "names no weights; download it again"
    return None


def _names_files(places: object) -> bool:
    return isinstance(places, dict) and all(isinstance(each, str) for each in places.values())


def _fault_of_safetensors(file: Path) -> str | None:
    """As `_fault`, for weights and by their header alone: github.com/huggingface/safetensors#format."""
    size = file.stat().st_size
    with file.open("rb") as content:
        start = content.read(8)
        length = int.from_bytes(start, "little")
        if len(start) == 8 and length <= min(size - 8, MAX_HEADER):
            try:
                return _fault_of_header(json.loads(content.read(length)), size - 8 - length)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                return "is broken; download it again"
    return "is not a safetensors file, or only the beginning of one; download it again"


def _fault_of_header(header: dict[str, Any], size: int) -> str | None:
    tensors = [entry for name, entry in header.items() if name != "__metadata__"]
    end = max((entry["data_offsets"][1] for entry in tensors), default=0)
    if not tensors:
        return "holds no weights; download it again"
    if size < end:
        return f"is cut off at {size / 1e6:,.1f} of {end / 1e6:,.1f} MB; download it again"
    return None


def _json(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
