"""What commands share: options, and how a signal ends them."""

from __future__ import annotations

import signal
import threading
from argparse import Action, ArgumentError, ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM


class Parser(ArgumentParser):
    """Takes options by their whole names only, and no empty value for any.

    A variable that a shell lacks makes one (`--json "$OUT"`): taken for an option that was left out, it would cost
    the file that a measurement of hours should have written.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{"allow_abbrev": False, **settings})

    def _get_values(self, action: Action, arg_strings: list[str]) -> Any:
        if action.option_strings and "" in arg_strings:
            raise ArgumentError(action, "its value is empty; give one, or leave the option out")
        return super()._get_values(action, arg_strings)


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived."""


@contextmanager
def terminable() -> Iterator[None]:
    """Within, SIGTERM raises `Terminated`, as SIGINT raises KeyboardInterrupt; not outside the main thread,
    where Python handles no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def raise_it(*_: Any) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, raise_it)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def add_model(parser: ArgumentParser, device: str = "auto", dtype: str = "auto") -> None:
    """--model, --device and --dtype, as `load` takes them."""
    parser.add_argument(
        "--model",
        default="builtin",
        help="builtin, a folder, a GGUF file or a hub id, which may name a quantisation,"
        " as in user/repo:Q4_K_M (default: builtin)",
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


def add_loading(parser: ArgumentParser) -> None:
    """--device-map, --offload and --exact, as `load` takes them."""
    parser.add_argument(
        "--device-map",
        choices=["auto"],
        help="auto: spread the model over all GPUs with accelerate",
    )
    parser.add_argument(
        "--offload",
        action="store_true",
        help="with --device-map: put what the GPUs can't hold on the CPU, which is slow",
    )
    add_exact(parser)


def add_exact(parser: ArgumentParser) -> None:
    """--exact and --no-exact."""
    parser.add_argument(
        "--exact",
        action=BooleanOptionalAction,
        help="on a CUDA GPU: whether drafting leaves outputs unchanged in half precision too"
        " (default: if that costs less than a tenth of a step)",
    )


def loading(options: Namespace) -> dict[str, Any]:
    """The arguments of `load` from the options that `add_loading` adds."""
    return {name: getattr(options, name) for name in ("device_map", "offload", "exact")}
