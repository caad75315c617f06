"""A command in a process that begins with all that this one has imported, which is most of a command's start-up."""

from __future__ import annotations

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn


class Fork:
    """Runs `command` and exits with the code that it returns. log: the file that it prints to. environment:
    additions to os.environ, which libraries that are already imported don't read again."""

    def __init__(self, command: Callable[[], int], log: Path, environment: dict[str, str]) -> None:
        with warnings.catch_warnings():
            # Python warns of other threads' locks; the child waits for none of them.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            _begin(command, log, environment)
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        if self._code is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, timeout: float) -> int:
        """Its exit code; kills a process that has none after `timeout` seconds, which is an error."""
        end = monotonic() + timeout
        while (code := self.poll()) is None:
            if monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise TimeoutError(f"Process {self.pid} did not end.")
            sleep(0.02)
        return code


def _let_go() -> None:
    """Close the parent's sockets and pipes, which would stay open as long as this process. Their numbers stay
    taken: the objects that own them close them again when they are collected, whatever has the numbers then."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in [int(each.name) for each in Path("/dev/fd").iterdir()]:
        if number > 2 and number != nothing:
            with suppress(OSError):  # the listing's own number is closed by now
                os.fstat(number)
                os.dup2(nothing, number)


def _begin(command: Callable[[], int], log: Path, environment: dict[str, str]) -> NoReturn:
    code = 1
    try:
        _let_go()
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.stdin = Path(os.devnull).open()  # noqa: SIM115
        sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1, closefd=False)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        warnings.simplefilter("ignore")
        os.environ.update(environment)
        code = command()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)
