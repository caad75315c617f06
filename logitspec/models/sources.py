"""Where a model's files are: the built-in model, a folder, a GGUF file, an installed package, or the hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from logitspec.errors import LogitSpecError
from logitspec.models import files, hub, names
from logitspec.models.catalogue import installed_file
from logitspec.models.gguf import GgufFile, find_in, read
from logitspec.models.names import Reference
from logitspec.paths import MODEL

BUILTIN = "builtin"


@dataclass(frozen=True)
class Source:
    """Where a model's files are. name: for people. repository: has the weights, unless they are in the folder.
    gguf: the one file that is the whole model."""

    folder: Path
    name: str
    repository: hub.Repository | None = None
    gguf: GgufFile | None = None


def display_name(model: str | Path) -> str:
    """The name of a model for people: for a folder or a file, the last part of its path."""
    path = _path(model)
    return str(model) if path is None else path.resolve().name


def _path(model: str | Path) -> Path | None:
    """Where a model is on this machine, by its path as given or otherwise as meant; None where there is nothing."""
    for text in (str(model), names.clean(str(model))):
        try:
            path = Path(text).expanduser()
            if path.exists():
                return path
        except (OSError, RuntimeError):  # too long for a file's name, or in a home that isn't there
            continue
    return None


def find_source(
    model: str | Path,
    refuse: Callable[[int], None] = lambda parameters: None,
    progress: hub.Progress | None = None,
) -> Source:
    """The model's folder; for a hub model the one with its small files, still without the weights.

    refuse: raises LogitSpecError for a number of parameters that memory can't hold, before a file with at
    least that many is downloaded. Raises LogitSpecError where there is no model that can be read.
    """
    if str(model) == BUILTIN:
        return Source(MODEL, BUILTIN)
    folder, in_folder = _path(model), None
    if folder is None:
        before, _, in_folder = names.clean(str(model)).rpartition(":")
        folder = _path(before) if before else None
        folder = folder if folder is not None and folder.is_dir() else None
    if folder is not None and folder.is_file():
        if folder.suffix.lower() == ".gguf":
            return Source(folder.parent, folder.name, gguf=read(folder))
        raise LogitSpecError(
            f"{folder.name} is not a model by itself; choose the folder that it is in, or a"
            " GGUF file."
        )
    if folder is not None:
        # Repositories of GGUF files often have a configuration too.
        is_whole = (folder / "config.json").exists() and in_folder is None
        if is_whole and files.weights_in(folder) is not None:
            return Source(folder, display_name(folder))
        if file := find_in(folder, in_folder):
            return Source(folder, file.name, gguf=read(file))
        if is_whole:
            return Source(folder, display_name(folder))
        raise files.adapter_folder_error(folder, display_name(folder)) or LogitSpecError(
            f"There is no model in the folder {display_name(folder)}: it has no config.json and no GGUF"
            " file; choose the folder that save_pretrained has written."
        )
    if names.is_path(path := names.clean(str(model))):
        raise LogitSpecError(f"There is no model {path!r} on this machine; check its path.")
    reference = names.parse(str(model))
    if (file := installed_file(reference.repository)) and reference == Reference(
        reference.repository
    ):
        name = f"{reference.repository}:{names.quantisation(file.name) or file.name}"
        return Source(file.parent, name, gguf=read(file))
    return _hub_source(reference, refuse, progress)


def _hub_source(
    reference: Reference, refuse: Callable[[int], None], progress: hub.Progress | None
) -> Source:
    name = reference.repository
    repository = hub.find(name, reference.revision)
    files = hub.gguf_files(repository)
    names_gguf = reference.file or reference.quantisation
    if not names_gguf and (
        not files or ("config.json" in repository.sizes and hub.has_weights(repository))
    ):
        return Source(hub.small_files(repository), name, repository)
    file = reference.file or names.choose(files, reference.quantisation, name)
    if file not in files:
        raise LogitSpecError(
            f"{name} has no file {file}; choose one of {', '.join(names.models(files)) or 'another model'}."
        )
    refuse(int(8 * repository.sizes.get(file, 0) / names.max_bits(names.quantisation(file))))
    path = hub.gguf(repository, file, progress)
    return Source(
        path.parent, f"{name}:{names.quantisation(file) or path.name}", repository, read(path)
    )
