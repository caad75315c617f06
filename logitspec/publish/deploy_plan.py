"""The plan of a deployment: what differs between a Space and its description."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from logitspec.publish.spacefile import Hardware, Space

HUB_FILE = ".gitattributes"  # says which files are large; without it those would be lost


@dataclass(frozen=True, slots=True)
class SpaceState:
    """A Space as it is. files: per path, the Git id of a small file or the SHA-256 of a large one."""

    exists: bool = False
    commit: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    hardware: str | None = None
    sleep_seconds: int | None = None


@dataclass(slots=True)
class Plan:
    """Changes to make to a Space.

    add: contents by path, where they differ from the Space's. hardware, sleep_seconds: None where nothing changes.
    unchanged: number of files.
    """

    space: str
    create: bool
    commit: str | None
    add: dict[str, Path | bytes]
    delete: list[str]
    unchanged: int
    variables: dict[str, str]
    drop_variables: list[str]
    secrets: dict[str, str]
    hardware: Hardware | None
    sleep_seconds: int | None

    @property
    def empty(self) -> bool:
        return not any(
            (self.create, self.add, self.delete, self.variables, self.drop_variables, self.secrets,
             self.hardware, self.sleep_seconds)
        )  # fmt: skip

    def lines(self) -> Iterator[str]:
        """The changes, one per line, without the values of secrets."""
        if self.create:
            yield f"create the Space {self.space}"
        if self.hardware is not None:
            hardware = self.hardware
            yield f"hardware {hardware.name}: Python {hardware.python}, torch {hardware.torch}"
        if self.sleep_seconds is not None:
            yield f"sleep after {self.sleep_seconds} idle seconds"
        yield from (f"variable {name}={value}" for name, value in self.variables.items())
        yield from (f"delete variable {name}" for name in self.drop_variables)
        yield from (f"secret {name}, its value from the environment" for name in self.secrets)
        for path, content in self.add.items():
            yield f"send {path}, {size_of(content):,} bytes"
        yield from (f"delete {path}" for path in self.delete)
        size = sum(map(size_of, self.add.values()))
        yield (
            f"{len(self.add)} files to send ({size / 1e6:.1f} MB), {len(self.delete)} to delete,"
            f" {self.unchanged} unchanged."
        )


def plan(
    name: str,
    space: Space,
    hardware: Hardware,
    files: dict[str, Path | bytes],
    secrets: dict[str, str],
    state: SpaceState,
    renew: bool,
) -> Plan:
    """The changes that make the Space `name` what `space` describes. renew: also send secrets that exist."""
    additions = {
        path: each for path, each in files.items() if state.files.get(path) not in _ids(each)
    }
    variables, current = space.variables, state.variables
    return Plan(
        space=name,
        create=not state.exists,
        commit=state.commit,
        add=additions,
        delete=sorted(set(state.files) - set(files) - {HUB_FILE}),
        unchanged=len(files) - len(additions),
        variables={key: each for key, each in variables.items() if current.get(key) != each},
        drop_variables=sorted(set(current) - set(variables)),
        secrets={key: each for key, each in secrets.items() if renew or key not in state.secrets},
        hardware=hardware if state.hardware != hardware.name else None,
        sleep_seconds=(
            hardware.sleep_seconds if hardware.sleep_seconds != state.sleep_seconds else None
        ),
    )


def _ids(content: Path | bytes) -> tuple[str, str]:
    """Git's id and the SHA-256 of a file's content; the hub has one or the other, depending on the size."""
    data = content if isinstance(content, bytes) else content.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(), hashlib.sha256(
        data
    ).hexdigest()


def size_of(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
