"""Options that several commands share."""

from __future__ import annotations

from argparse import ArgumentParser


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
