"""Reads the header of a GGUF file: what it says about its model, and where its tensors are.

The format: github.com/ggml-org/ggml/blob/master/docs/gguf.md. The package gguf reads it too, but takes
seconds over a vocabulary, whose strings it turns into arrays one by one.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from logitspec.errors import LogitSpecError
from logitspec.models import names
from logitspec.models.files import LFS_POINTER

VERSIONS = (2, 3)
ALIGNMENT = 32  # bytes, where the file does not say
# By the number of a metadata value's type; 8 is a string and 9 an array.
FORMATS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
STRING, ARRAY = 8, 9


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file. shape: in torch's order. kind: the number of its type in ggml. start: in
    bytes from the beginning of the file."""

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int

    @property
    def elements(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class GgufFile:
    """metadata: the file's keys and values, arrays as lists. tensors: by their names in ggml."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))

    @property
    def quantisation(self) -> str:
        return names.quantisation(self.path.name) or "GGUF"

    @property
    def parameters(self) -> int:
        return sum(tensor.elements for tensor in self.tensors.values())

    @property
    def largest(self) -> int:
        """Elements of the largest tensor."""
        return max((tensor.elements for tensor in self.tensors.values()), default=0)

    def get(self, key: str, default: Any = None) -> Any:
        """A value that the file has under its architecture's name, such as "context_length"."""
        return self.metadata.get(f"{self.architecture}.{key}", default)


def read(path: Path) -> GgufFile:
    """The header of the GGUF file at `path`; raises LogitSpecError for any other file, or a broken one."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise LogitSpecError(
            f"{path.name} can't be read ({error.strerror}); make it readable."
        ) from error
    with file:
        start = file.read(len(LFS_POINTER))
        if start == LFS_POINTER:
            raise LogitSpecError(
                f"{path.name} is only a pointer to a file in Git LFS; fetch it with `git lfs pull`, or"
                " download it from its page."
            )
        if start[:4] != b"GGUF":
            raise LogitSpecError(
                f"{path.name} is not a GGUF file; choose another one, or download it again."
            )
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                return _Reader(content, path).file()
            except (struct.error, UnicodeDecodeError, OverflowError, MemoryError) as error:
                raise LogitSpecError(
                    f"{path.name} is broken or cut off, so it can't be read; download it again."
                ) from error


def find_in(folder: Path, quantisation: str | None = None) -> Path | None:
    """The GGUF file of a model in `folder`, by its quantisation where there are several; None where there
    is no GGUF file at all."""
    files = [file.name for file in folder.glob("*.gguf")]
    return folder / names.choose(files, quantisation, folder.resolve().name) if files else None


class _Reader:
    """Reads a file's header once, from start to end."""

    def __init__(self, content: mmap.mmap, path: Path) -> None:
        self._content, self._path, self._place = content, path, 4

    def file(self) -> GgufFile:
        (version,) = self._numbers("I")
        if version not in VERSIONS:
            raise LogitSpecError(
                f"{self._path.name} is in version {version} of GGUF, which can't be read; choose a file in"
                " version 3."
            )
        tensors, values = self._numbers("QQ")
        metadata = {self._string(): self._value(*self._numbers("I")) for _ in range(values)}
        rows = [self._tensor() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", ALIGNMENT)
        data = -(-self._place // alignment) * alignment
        by_name = {name: Tensor(name, shape, kind, data + at) for name, shape, kind, at in rows}
        return GgufFile(self._path, metadata, by_name)

    def _numbers(self, kinds: str) -> tuple[Any, ...]:
        numbers = struct.unpack_from(f"<{kinds}", self._content, self._place)
        self._place += struct.calcsize(f"<{kinds}")
        return numbers

    def _string(self) -> str:
        (length,) = self._numbers("Q")
        begin, self._place = self._place, self._place + length
        if self._place > len(self._content):
            raise struct.error("a string beyond the end")
        return self._content[begin : self._place].decode()

    def _value(self, kind: int) -> Any:
        if kind == STRING:
            return self._string()
        if kind != ARRAY:
            return self._numbers(_format(kind))[0]
        kind, length = self._numbers("IQ")
        if length > len(self._content):
            raise struct.error("an array beyond the end")
        if kind in (STRING, ARRAY):
            return [self._value(kind) for _ in range(length)]
        return list(self._numbers(f"{length}{_format(kind)}"))

    def _tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._string()
        (dimensions,) = self._numbers("I")
        shape = tuple(reversed(self._numbers(f"{dimensions}Q")))  # ggml's order is the reverse
        return name, shape, *self._numbers("IQ")


def _format(kind: int) -> str:
    if kind not in FORMATS:
        raise struct.error(f"no type {kind}")
    return FORMATS[kind]
