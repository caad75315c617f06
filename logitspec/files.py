"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from logitspec.errors import DISK_FULL, LogitSpecError

MAX_SHOWN = 200  # letters of a path in a sentence


def write(path: str | Path, content: str | bytes) -> None:
    """Write a file as a whole; LogitSpecError where that can't be, and then the old one stays as it was."""
    with writing(path) as out:
        out.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def writing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file for bytes that takes the place of `path` once it is whole.

    It grows beside `path`, so whoever reads there, or is cut off, finds the old file or the new one. What is no
    plain file, a pipe for one, is written as it is. Raises LogitSpecError for whatever the system refuses
    meanwhile; after that and any other error the old file is still there.
    """
    with _refusals(path):
        file = _replaceable(path)
        if file is None:
            with Path(path).open("wb") as out:
                yield out
            return
        beside = _beside(file)
        try:
            with beside.open("xb") as out:
                yield out
            if file.exists():
                shutil.copymode(file, beside)
            beside.replace(file)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`; what is in it by the end takes its places there, file by file, once all of it is
    whole. After an error nothing has changed."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder.with_name(f".{secrets.token_hex(4)}.part")
    beside.mkdir()
    try:
        yield beside
        for file in sorted(beside.iterdir()):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check_writable(path: str | Path) -> None:
    """Raise LogitSpecError where no file can be written: better now than after hours of work. Leaves nothing."""
    with _refusals(path):
        file = _replaceable(path)
        if file is not None:
            beside = _beside(file)
            beside.open("xb").close()
            beside.unlink()


def _replaceable(path: str | Path) -> Path | None:
    """The file that a new one at `path` replaces, links followed; None for what is not to be replaced.

    Raises OSError for a folder, and for a file that only may be read.
    """
    try:
        file = Path(path).resolve()
    except (RuntimeError, ValueError) as error:  # a circle of links, a zero byte
        raise OSError(errno.EINVAL, "it is no path") from error
    if not file.exists():
        return file
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not os.access(file, os.W_OK):
        raise PermissionError(errno.EACCES, "it is read-only")
    return file if file.is_file() else None


def _beside(file: Path) -> Path:
    """A place for what is to become `file`; its name is short, for that of `file` may be as long as can be."""
    return file.with_name(f".{secrets.token_hex(4)}.part")


@contextmanager
def _refusals(path: str | Path) -> Iterator[None]:
    """What the system says of a path, as a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            why = "the disk is full; free some room, or choose another place"
        elif error.errno == errno.ENAMETOOLONG:
            why = "its name is too long; choose a shorter one"
        else:
            why = f"{error.strerror or error}; choose another place"
        shown = "".join(letter if letter.isprintable() else "?" for letter in str(path))
        shown = shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 1] + "…"
        raise LogitSpecError(f"Can't write {shown}: {why}.") from error
