"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from logitspec.errors import DISK_FULL, LogitSpecError

MAX_SHOWN = 200  # characters of a path in a sentence


def write(path: str | Path, content: str | bytes) -> None:
    """Write a whole file; raises LogitSpecError where that fails, and then the old file is unchanged."""
    with writing(path) as out:
        out.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def writing(path: str | Path) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` once it is whole.

    It is written next to `path`, so that a reader, or an interrupted run, finds the old file or the new one.
    Anything but a plain file, such as a pipe, is written directly. Raises LogitSpecError for whatever the
    system refuses; after that or any other error the old file is still there.
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
    """An empty folder next to `folder`, whose files are moved there at the end, one by one, once all of them are
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


def check_writable(path: str | Path, inputs: Iterable[str | Path] = ()) -> None:
    """Raise LogitSpecError if no file can be written there: better now than after hours of work. Leaves no file.

    inputs: files that are read, none of which may be replaced.
    """
    with _refusals(path):
        file = _replaceable(path)
        if file is not None:
            if file in [Path(each).resolve() for each in inputs]:
                raise OSError(errno.EINVAL, "it is read from there")
            beside = _beside(file)
            beside.open("xb").close()
            beside.unlink()


def _replaceable(path: str | Path) -> Path | None:
    """The file that a new one at `path` replaces, with links followed; None for anything but a plain file.

    Raises OSError for a folder, and for a read-only file.
    """
    try:
        file = Path(path).resolve()
    except (RuntimeError, ValueError) as error:  # a loop of links, a null byte
        raise OSError(errno.EINVAL, "it is not a path") from error
    if not file.exists():
        # /dev/stdout, or >(...) of a shell: a pipe that has a number and no place.
        return None if Path(path).exists() else file
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not os.access(file, os.W_OK):
        raise PermissionError(errno.EACCES, "it is read-only")
    return file if file.is_file() else None


def _beside(file: Path) -> Path:
    """A place next to `file` to write it to; its name is short, as that of `file` may have the maximum length."""
    return file.with_name(f".{secrets.token_hex(4)}.part")


@contextmanager
def _refusals(path: str | Path) -> Iterator[None]:
    """Within this, what the system says about a path becomes a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            why = "the disk is full; free some space, or choose another place"
        elif error.errno == errno.ENAMETOOLONG:
            why = "its name is too long; choose a shorter one"
        else:
            why = f"{error.strerror or error}; choose another place"
        shown = "".join(letter if letter.isprintable() else "?" for letter in str(path))
        shown = shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 1] + "…"
        raise LogitSpecError(f"Can't write {shown}: {why}.") from error
