"""Build the page and serve it: `python app.py --help`."""

from __future__ import annotations

import argparse
import errno
import gc
import ipaddress
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logitspec.serving.host import Host


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; returns 2 when it can't start, 130 when it was interrupted before that."""
    options = _parser().parse_args(arguments)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    # After each event Gradio builds a table of its last 10,000 events, which nobody sees here.
    os.environ.update(
        GRADIO_ANALYTICS_MAX_EVENTS="1", GRADIO_ANALYTICS_CACHE_FREQUENCY="1000000000"
    )
    from logitspec.errors import explain
    from logitspec.serving import zerogpu  # has to come before torch

    if zerogpu.HERE:
        print("ZeroGPU: every run requests a GPU.")
    try:
        options.port = _free_port(options.host, options.port)
        _check_mcp(options)
        _serve(options)
    except Exception as error:
        print(explain(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # only while it starts: Gradio takes later ones
        return 128 + signal.SIGINT
    finally:
        gc.enable()
    return 0


def _serve(options: argparse.Namespace) -> None:
    # Imports create a million objects that stay; collecting garbage among them takes a fifth of their time.
    gc.disable()
    # Imports that take seconds come after every check that works without them.
    from logitspec.serving.gate import access_rules
    from logitspec.ui.launch import serving_options
    from logitspec.ui.page import build
    from logitspec.ui.theme import theme

    private = _private(options)
    host = _start_host(options, private)
    page = build(host)
    gc.enable()
    page.launch(
        server_name=f"[{options.host}]" if ":" in options.host else options.host,
        server_port=options.port,
        share=options.share,
        theme=theme(),
        **serving_options(
            page,
            host,
            access_rules(options.host, options.allow_host, options.share, private, os.environ),
            mcp=options.mcp,
        ),
    )


def _start_host(options: argparse.Namespace, private: bool) -> Host:
    """The host with its first model loaded: that of --model, else of LOGITSPEC_MODEL, else the built-in one."""
    from logitspec.errors import LogitSpecError

    first = os.environ.get("LOGITSPEC_MODEL") or "builtin"
    try:
        return _host_of(options.model or first, options, private)
    except LogitSpecError as error:
        if options.model or first == "builtin":
            raise
        print(error, file=sys.stderr)  # a Space without its model still has the built-in one
        return _host_of("builtin", options, private)


def _host_of(model: str, options: argparse.Namespace, private: bool) -> Host:
    from dataclasses import replace

    from logitspec import commandline
    from logitspec.serving.host import Host
    from logitspec.serving.limits import PRIVATE, SHARED

    limits = PRIVATE if private else SHARED
    if options.run_seconds is not None:
        limits = replace(limits, run_seconds=options.run_seconds)
    host = Host(
        model,
        options.device,
        options.dtype,
        private if options.other_models is None else options.other_models,
        folders=private,
        limits=limits,
        **commandline.loading(options),
    )
    host.models.prepare()
    return host


def _check_mcp(options: argparse.Namespace) -> None:
    """Raise LogitSpecError if --mcp lacks its package; where only GRADIO_MCP_SERVER asks, as on a Space, do without."""
    from logitspec.errors import LogitSpecError
    from logitspec.serving.programs.package import check_package

    asked = options.mcp is not None
    if not asked:
        options.mcp = os.environ.get("GRADIO_MCP_SERVER", "").lower() in ("1", "true")
    try:
        if options.mcp:
            check_package()
    except LogitSpecError as error:
        if asked:
            raise
        print(error, file=sys.stderr)
        options.mcp = False


def _private(options: argparse.Namespace) -> bool:
    """Whether only people at this machine can reach the page."""
    alone = options.host in ("127.0.0.1", "::1", "localhost")
    return alone and not options.share and "SPACE_ID" not in os.environ


def _parser() -> argparse.ArgumentParser:
    from logitspec import commandline

    parser = commandline.Parser(
        prog="app.py", description="LogitSpec Live: watch speculative decoding, step by step."
    )
    # Containers hand on empty variables for those that nobody has set.
    host = os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    port = os.environ.get("GRADIO_SERVER_PORT") or "7860"
    parser.add_argument(
        "--host", type=_host, default=host, help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=port, help="port, 0 for any free one (default: %(default)s)"
    )
    commandline.add_model(parser)
    parser.set_defaults(model=None)  # LOGITSPEC_MODEL, or the built-in one
    commandline.add_loading(parser)
    parser.add_argument(
        "--other-models",
        action=argparse.BooleanOptionalAction,
        help="whether visitors may load any model (default: only if no other machine can reach the page)",
    )
    parser.add_argument(
        "--allow-host",
        metavar="HOST",
        action="append",
        default=[],
        help="another host name of the page, for example that of a proxy; may be given more than once",
    )
    parser.add_argument(
        "--run-seconds",
        metavar="S",
        type=_seconds,
        help="seconds that a run may keep the model (default: 3600; 120 if others can reach the page)",
    )
    parser.add_argument("--share", action="store_true", help="make a public Gradio link")
    parser.add_argument(
        "--mcp",
        action=argparse.BooleanOptionalAction,
        help="whether to offer tools to programs over MCP, at /gradio_api/mcp (default: GRADIO_MCP_SERVER)",
    )
    return parser


def _host(text: str) -> str:
    """An address in its usual form, which decides who may reach the page (0 is 0.0.0.0, ::0 is ::), and without the
    brackets that Gradio, unlike the system, wants around one of IPv6; a name as it is."""
    host = text.removeprefix("[").removesuffix("]")
    with suppress(ValueError):
        return str(ipaddress.ip_address(host))
    with suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(host))
    return host


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError("must be a number above 0 and below a million")
    return seconds


def _free_port(host: str, port: int) -> int:
    """`port`, or for 0 any free one; LogitSpecError if it can't be listened on."""
    from logitspec.errors import LogitSpecError

    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        foreign = number == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror)
        raise LogitSpecError(
            f"Can't listen on {host} port {port} ({error}); choose another"
            f" {'address with --host' if foreign else 'port with --port'}."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
