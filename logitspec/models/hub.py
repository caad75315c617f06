"""Find a model on the hub and download its files into the hub's own cache, resuming interrupted downloads."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import (
    HfApi,
    ModelInfo,
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get, repo_folder_name
from huggingface_hub.utils import WeakFileLock, build_hf_headers  # type: ignore[attr-defined]
from tqdm.auto import tqdm

from logitspec.errors import DISK_FULL, LogitSpecError
from logitspec.models.files import (
    ADAPTER,
    adapter_error,
    find_weights,
    is_small,
    no_weights_error,
    weight_files,
    weights_in,
)

TIMEOUT = 10  # seconds
MAX_SMALL_BYTES = 100 * 2**20
CONVERTER = "SFconvertbot"
CONVERSION = "Adding `safetensors` variant of this model"
CONVERSIONS = "refs/refs/pr/*"  # of pull requests, in a model's folder in the cache
WEIGHTS = (".safetensors", ".gguf")
SPARE_BYTES = 2**26  # that are kept free on the disk

Progress = Callable[[int, int], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Repository:
    """A model's repository at one commit. sizes: bytes of each file; empty where the hub can't be reached.
    reference: the branch or tag that the commit was found by; the cache keeps it for a time without the hub."""

    name: str
    commit: str
    sizes: dict[str, int]
    reference: str = "main"

    @property
    def online(self) -> bool:
        return bool(self.sizes)


def find(name: str, revision: str | None = None) -> Repository:
    """The newest commit of the hub model `name`, or the one in the cache where the hub can't be reached.

    revision: a branch, tag or commit instead. Raises LogitSpecError where there is neither.
    """
    reference = revision or "main"
    try:
        # One attempt, with a time limit: the libraries would try for half a minute.
        info = HfApi().model_info(name, revision=revision, timeout=TIMEOUT, files_metadata=True)
        if not any(file.rfilename.endswith(WEIGHTS) for file in info.siblings or []):
            info, reference = _find_conversion(name) or (info, reference)
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise refusal(error, name) from error
    except Exception as error:  # whatever the client's HTTP library raises
        commit = _cached_commit(name, revision)
        if commit is None:
            raise refusal(error, name) from error
        return Repository(name, commit, {})
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    return Repository(name, str(info.sha), sizes, reference)


def _cached_commit(name: str, revision: str | None) -> str | None:
    """The commit of a model whose files are in the cache; None where there are none. Without a revision, that of the
    main branch, or of a pull request whose conversion was fetched because that branch has no weights."""
    folder = _folder(name)
    places = [folder / "refs" / (revision or "main")]
    if revision is None:
        places += folder.glob(CONVERSIONS)
    commits = [each.read_text().strip() if each.is_file() else each.name for each in places]
    snapshots = [folder / "snapshots" / each for each in commits]
    here = [each for each in snapshots if each.is_dir()]
    found = min(here, key=lambda each: not _has_weights(each), default=None)
    return None if found is None else found.name


def _has_weights(snapshot: Path) -> bool:
    return any(file.suffix in WEIGHTS for file in snapshot.rglob("*"))


def _folder(name: str) -> Path:
    """Where the hub's cache keeps the files of a model."""
    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=name, repo_type="model")


def _find_conversion(name: str) -> tuple[ModelInfo, str] | None:
    """The hub's own conversion of pickled weights, which many older models have as an open pull request, and
    its reference."""
    try:
        for each in HfApi().get_repo_discussions(
            name, author=CONVERTER, discussion_type="pull_request", discussion_status="open"
        ):
            if each.author == CONVERTER and each.title == CONVERSION and each.git_reference:
                info = HfApi().model_info(
                    name, revision=each.git_reference, timeout=TIMEOUT, files_metadata=True
                )
                return info, each.git_reference
    except (
        Exception
    ) as error:  # discussions may be switched off, which says nothing about the model
        log.info("no pull requests of %s: %s", name, type(error).__name__)
    return None


def small_files(repository: Repository) -> Path:
    """The folder with a model's configuration and tokenizer, to which `weights` adds the rest."""
    name, commit = repository.name, repository.commit
    if not repository.online:
        config = try_to_load_from_cache(name, "config.json", revision=commit)
        if not isinstance(config, str):
            raise _unreachable(name)
        return Path(config).parent
    if "config.json" not in repository.sizes:
        if ADAPTER in repository.sizes:
            raise adapter_error(name)
        raise LogitSpecError(
            f"{name} has no config.json, so it is not a transformers model; choose another one."
        )
    files = [
        file
        for file, size in repository.sizes.items()
        if is_small(file) and size <= MAX_SMALL_BYTES
    ]
    try:
        _record(repository, "config.json")
        paths = [hf_hub_download(name, file, revision=commit, tqdm_class=_Silent) for file in files]
    except Exception as error:
        raise refusal(error, name) from error
    return Path(paths[0]).parent


def weights(repository: Repository, folder: Path, progress: Progress | None = None) -> None:
    """Download the safetensors of a model into its `folder`, except those that are already there.

    progress: called with the bytes so far and in total.
    """
    name, sizes = repository.name, repository.sizes
    chosen = find_weights(sizes) if repository.online else weights_in(folder)
    files = weight_files(folder, chosen)
    missing = [file for file in files if not (folder / file).exists()]
    if repository.online and not files:
        raise adapter_error(name) if ADAPTER in sizes else no_weights_error(sizes, name)
    if repository.online and (lost := [file for file in missing if file not in sizes]):
        raise LogitSpecError(
            f"{name} lacks {lost[0]}, one of its weight files; choose another model."
        )
    if not repository.online and (missing or not files):
        raise _unreachable(name)
    if not missing:
        return
    total = sum(sizes[file] for file in files)
    before = total - sum(sizes[file] for file in missing)
    _check_disk(folder, name, total - before)
    for file in missing:
        bar = _bar(progress, before, total)
        try:
            _fetch(repository, file, folder.parents[1] / "blobs", bar)
        except LogitSpecError:
            raise
        except Exception as error:
            raise refusal(error, name, downloading=True) from error
        before += sizes[file]


def has_weights(repository: Repository) -> bool:
    """Whether a model that the hub describes has weights in safetensors."""
    return find_weights(repository.sizes) is not None


def gguf_files(repository: Repository) -> list[str]:
    """Names of the GGUF files of a model; offline, of those in the cache."""
    if repository.online:
        return [file for file in repository.sizes if file.lower().endswith(".gguf")]
    snapshot = _folder(repository.name) / "snapshots" / repository.commit
    return [file.relative_to(snapshot).as_posix() for file in snapshot.rglob("*.gguf")]


def gguf(repository: Repository, file: str, progress: Progress | None = None) -> Path:
    """One GGUF file of a model, downloaded unless it is already there. progress: as in `weights`."""
    name, commit = repository.name, repository.commit
    folder = _folder(name)
    path = folder / "snapshots" / commit / file
    if path.exists() or not repository.online:
        return path
    size = repository.sizes[file]
    blobs = folder / "blobs"
    try:
        blobs.mkdir(parents=True, exist_ok=True)
        _check_disk(blobs, name, size)
        _fetch(repository, file, blobs, _bar(progress, 0, size))
        _record(repository, file)
    except Exception as error:
        raise refusal(error, name, downloading=True) from error
    return path


def _fetch(repository: Repository, file: str, blobs: Path, bar: Any) -> None:
    """Download one large file, or the rest of it where an earlier download stopped.

    The hub's client discards a partial file; so the blob is completed here, and gets its final name in the
    client's cache once it is whole.
    """
    name, commit = repository.name, repository.commit
    url = hf_hub_url(name, file, revision=commit)
    metadata = get_hf_file_metadata(url, timeout=TIMEOUT)
    etag, size = str(metadata.etag), metadata.size or repository.sizes[file]
    if not re.fullmatch(r"[\w.-]+", etag):
        raise LogitSpecError(f"The hub's answer about {name} can't be read; try again later.")
    blob, part = blobs / etag, blobs / f"{etag}.part"
    lock = blobs.parents[1] / ".locks" / blobs.parent.name / f"{etag}.lock"  # the client's own
    lock.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(lock):
        if not blob.exists():
            _complete(url, part, size, bar, file)
            _verify(part, etag, name)
            part.replace(blob)
    hf_hub_download(name, file, revision=commit, tqdm_class=_Silent)


def _record(repository: Repository, file: str) -> None:
    """Have the client's cache keep which commit the reference of `repository` stands for; it has `file`."""
    hf_hub_download(repository.name, file, revision=repository.reference, tqdm_class=_Silent)


def _complete(url: str, part: Path, size: int, bar: Any, file: str) -> None:
    if part.exists() and part.stat().st_size > size:
        part.unlink()
    with part.open("ab") as out:
        http_get(
            url,
            out,
            resume_size=out.tell(),
            # A compressed response has other byte positions, and can't be resumed.
            headers={**build_hf_headers(), "Accept-Encoding": "identity"},
            expected_size=size,
            displayed_filename=file,
            tqdm_class=bar,
        )


def _verify(part: Path, etag: str, name: str) -> None:
    if not re.fullmatch(r"[0-9a-f]{64}", etag):  # not a hash of the content
        return
    with part.open("rb") as content:
        digest = hashlib.new("sha256")
        while block := content.read(2**22):
            digest.update(block)
    if digest.hexdigest() != etag:
        part.unlink()
        raise LogitSpecError(f"The download of {name} arrived damaged; ask for it again.")


def _bar(progress: Progress | None, before: int, total: int) -> Any:
    """A class like tqdm that also calls `progress` with the bytes of all files together."""

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.bytes_so_far = before + int(options.get("initial") or 0)

        def update(self, n: float | None = 1) -> Any:
            self.bytes_so_far += int(n or 0)
            if progress is not None:
                progress(self.bytes_so_far, total)
            return super().update(n)

    return Bar


class _Silent(tqdm):  # type: ignore[misc]
    """No bar, for files whose download takes a moment."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "disable": True})


def _check_disk(folder: Path, name: str, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        raise LogitSpecError(
            f"{name} takes {needed / 1e9:.1f} GB and the disk has {free / 1e9:.1f} GB left; free some"
            " space, point HF_HOME to another disk, or choose a smaller model."
        )


def refusal(error: Exception, name: str, downloading: bool = False) -> LogitSpecError:
    """The sentence for what the hub's client raised about `name`. downloading: whether a download had begun."""
    if isinstance(error, LogitSpecError):
        return error
    if isinstance(error, GatedRepoError):
        return LogitSpecError(
            f"{name} is gated: accept its licence on its hub page and set HF_TOKEN to a token of"
            " that account, or choose one that is not gated."
        )
    if isinstance(error, (RepositoryNotFoundError, HFValidationError)):
        return LogitSpecError(
            f"There is no model {name!r} on this machine or on the hub; check its name, or set HF_TOKEN"
            " if it is private."
        )
    if isinstance(error, RevisionNotFoundError):
        return LogitSpecError(
            f"{name} has no such branch, tag or commit; check the address, or choose the model without one."
        )
    if isinstance(error, HfHubHTTPError):
        return _status_refusal(error, name)
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return LogitSpecError(
            f"The disk filled up before {name} was complete; free some space, or point HF_HOME to another"
            " disk, and the download continues where it stopped."
        )
    if isinstance(error, PermissionError):
        return LogitSpecError(
            "The hub's cache can't be written to; point HF_HOME to a writable folder."
        )
    if downloading:
        return LogitSpecError(
            f"The download of {name} was interrupted; ask for it again and it continues where it stopped."
        )
    if isinstance(error, OSError) or type(error).__module__.startswith("httpx"):
        return _unreachable(name)
    return LogitSpecError(
        f"{name} could not be fetched from the hub ({type(error).__name__}); try again later."
    )


def _status_refusal(error: HfHubHTTPError, name: str) -> LogitSpecError:
    status = error.response.status_code
    if status in (401, 403):
        return LogitSpecError(
            f"The hub does not let this token read {name}; check HF_TOKEN, or choose another model."
        )
    return LogitSpecError(f"The hub answered with error {status} for {name}; try again later.")


def _unreachable(name: str) -> LogitSpecError:
    return LogitSpecError(
        f"There is no model {name!r} on this machine and the hub can't be reached; check the connection,"
        " or choose one that is here, such as 'builtin'."
    )
