"""The Spacefile, which describes the project's Space, and the files that a Space on some hardware gets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from logitspec.errors import LogitSpecError

NAME = "Spacefile"
# The lines that depend on the hardware, in README.md and requirements.txt.
PYTHON = re.compile(r"^python_version: .*$", re.M)
SUGGESTED = re.compile(r"^suggested_hardware: .*$", re.M)
TORCH = re.compile(r"^torch[ =<>!~].*$", re.M)


@dataclass(frozen=True, slots=True)
class Hardware:
    """A kind of machine by Hugging Face's name, with the versions of Python and torch for it.

    sleep_seconds: after how many idle seconds it sleeps; None where that can't be chosen.
    """

    name: str
    python: str
    torch: str
    sleep_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of the Space; its value is that of the environment variable `source` on this machine."""

    name: str
    source: str
    required: bool


@dataclass(frozen=True, slots=True)
class Space:
    """The contents of the Spacefile.

    hardware: the default first. send, leave_out: entries of the project's top level. ignore: patterns of file names
    within them. packages: requirements in addition to requirements.txt.
    """

    name: str
    front_matter: dict[str, Any]
    hardware: list[Hardware]
    variables: dict[str, str]
    secrets: list[Secret]
    send: list[str]
    leave_out: list[str]
    ignore: list[str]
    smoke: dict[str, Any]
    packages: list[str] = field(default_factory=list)

    def on(self, hardware: str | None) -> Hardware:
        """The hardware of that name, or the default; LogitSpecError when the Spacefile has none of that name."""
        if hardware is None:
            return self.hardware[0]
        for each in self.hardware:
            if each.name == hardware:
                return each
        names = ", ".join(each.name for each in self.hardware)
        raise LogitSpecError(
            f"The Spacefile has no hardware {hardware!r}; choose one of {names}, or add it there."
        )


def read(folder: Path) -> Space:
    """The Spacefile in `folder`; LogitSpecError when there is none, or it can't be used."""
    try:
        data = yaml.safe_load((folder / NAME).read_text(encoding="utf-8"))
        if data.pop("storage") != "none":
            raise ValueError("storage can only be none")
        files = data.pop("files")
        hardware = [Hardware(**each) for each in data.pop("hardware")]
        secrets = [
            Secret(each["name"], each["from"], each["required"]) for each in data.pop("secrets")
        ]
        space = Space(hardware=hardware, secrets=secrets, **files, **data)
        if not hardware or not all(isinstance(value, str) for value in space.variables.values()):
            raise ValueError("hardware is empty or a variable is not text")
    except FileNotFoundError as error:
        raise LogitSpecError(
            f"There is no {NAME} here; run the command in the project's folder."
        ) from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise LogitSpecError(f"The {NAME} can't be used ({reason}); fix it.") from error
    return space


def contents(space: Space, folder: Path, hardware: Hardware) -> dict[str, Path | bytes]:
    """What to send, by its path in the Space: the files in `folder`, two of them adapted to `hardware`.

    Raises LogitSpecError where the Spacefile names a file that `folder` lacks.
    """
    files: dict[str, Path | bytes] = {}
    for name in space.send:
        if not (folder / name).exists():
            raise LogitSpecError(
                f"The {NAME} names {name}, which is not here; fix one or the other."
            )
        for file in _files(folder / name, space.ignore):
            files[file.relative_to(folder).as_posix()] = file
    files["README.md"] = _fit(
        folder / "README.md",
        {
            PYTHON: f'python_version: "{hardware.python}"',
            SUGGESTED: f"suggested_hardware: {hardware.name}",
        },
    )
    files["requirements.txt"] = (
        _fit(folder / "requirements.txt", {TORCH: f"torch=={hardware.torch}"})
        + "".join(f"{package}\n" for package in space.packages).encode()
    )
    return files


def _files(place: Path, ignore: list[str]) -> Iterator[Path]:
    """The files at or below `place`; links are skipped, since the Spacefile doesn't name what they lead to."""
    if place.is_symlink() or any(fnmatch(place.name, pattern) for pattern in ignore):
        return
    if place.is_file():
        yield place
    elif place.is_dir():
        for inner in sorted(place.iterdir()):
            yield from _files(inner, ignore)


def _fit(file: Path, lines: dict[re.Pattern[str], str]) -> bytes:
    text = file.read_text(encoding="utf-8")
    for pattern, line in lines.items():
        text, count = pattern.subn(line.replace("\\", r"\\"), text, count=1)
        if not count:
            raise LogitSpecError(f"{file.name} has no line {line.split()[0]}…; add it.")
    return text.encode()
