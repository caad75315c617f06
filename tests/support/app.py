"""The app in its own process: started by its command, or forked, which takes a fifth of the time."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from support.forks import Fork

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port below those that systems assign to connections, which could take it before a server does."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port


@contextmanager
def serving_app(log: Path, *options: str, **environment: str) -> Iterator[str]:
    """The address of a separate app, started by its command; what it prints goes to `log`."""
    port = free_port()
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port), *options],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
    with _ending(server, port, log) as address:
        yield address


@contextmanager
def forked_app(
    log: Path, *options: str, before: Callable[[], object] = bool, **environment: str
) -> Iterator[str]:
    """The address of a separate app, in a fork of this process; what it prints goes to `log`. The fork calls
    `before` and then the app's command."""
    import app

    port = free_port()

    def command() -> int:
        before()
        return app.main(["--port", str(port), *options])

    server = Fork(command, log, environment)
    with _ending(server, port, log) as address:
        yield address


@contextmanager
def _ending(server: subprocess.Popen[bytes] | Fork, port: int, log: Path) -> Iterator[str]:
    """The address of a starting app, which ends with the context and must not have printed a traceback."""
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server, log)
        yield address
    finally:
        server.terminate()
        server.wait(20)
    printed = log.read_text()
    assert "Traceback" not in printed, printed[max(0, printed.index("Traceback") - 500) :][:6000]


def _wait(address: str, server: subprocess.Popen[bytes] | Fork, log: Path) -> None:
    deadline = monotonic() + 300  # for ten seconds of processor time, on a busy machine
    while True:
        try:
            urllib.request.urlopen(address).close()
        except OSError:
            assert server.poll() is None, log.read_text()
            assert monotonic() < deadline, log.read_text()
            sleep(0.1)
        else:
            return
