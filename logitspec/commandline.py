"""What several commands share: options, and the files that they name."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from logitspec.errors import LogitSpecError


def add_model(parser: ArgumentParser, device: str = "auto", dtype: str = "auto") -> None:
    """--model, --device and --dtype, as `load` takes them."""
    parser.add_argument(
        "--model",
        default="builtin",
        help="builtin, a folder, a GGUF file or a hub id, also with a quantisation,"
        " user/repo:Q4_K_M (default: builtin)",
    )
    add_device(parser, device)
    parser.add_argument(
        "--dtype",
        default=dtype,
        help="auto, fastest, float32, bfloat16, float16, float64 (default: %(default)s)",
    )


def add_device(parser: ArgumentParser, default: str = "auto") -> None:
    """--device, a torch device by name."""
    parser.add_argument(
        "--device", default=default, help="auto, cpu, cuda, cuda:1 ... (default: %(default)s)"
    )


def add_placement(parser: ArgumentParser) -> None:
    """--device-map and --offload, for models that no single device holds."""
    parser.add_argument(
        "--device-map", choices=["auto"], help="auto: spread a model over all GPUs, by accelerate"
    )
    parser.add_argument(
        "--offload",
        action="store_true",
        help="with --device-map: put what the GPUs can't hold on the CPU, slowly",
    )


def check_writable(path: str | Path) -> None:
    """Raise LogitSpecError where no file can be written: better now than after hours of work."""
    try:
        with Path(path).open("ab"):
            pass
    except OSError as error:
        raise LogitSpecError(f"Can't write {path} ({error.strerror}).") from error


def replace(path: str | Path, line: str) -> None:
    """Write one line into a file as a whole: whoever reads it, or is cut off, finds the old one or the new
    one. LogitSpecError where that can't be."""
    file = Path(path).resolve()
    if file.exists() and not file.is_file():  # a pipe, say, is nothing to replace
        write(file, line)
        return
    beside = file.with_name(f"{file.name}.part")
    try:
        write(beside, line)
        beside.replace(file)
    except OSError as error:
        raise LogitSpecError(f"Can't write {path} ({error.strerror}).") from error
    finally:
        beside.unlink(missing_ok=True)


def write(path: str | Path, line: str) -> None:
    """Write one line into a file; LogitSpecError where that can't be."""
    try:
        Path(path).write_text(line + "\n", encoding="utf-8")
    except OSError as error:
        raise LogitSpecError(f"Can't write {path} ({error.strerror}).") from error
