"""A network cable between a browser and a server, which can be cut and mended."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread


class Cable:
    """Forwards everything that arrives at `port` to the server's port, and back, until it is cut."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._whole = True
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections, and new ones immediately."""
        self._whole = False
        for end in self._ends:
            _shut(end)
        self._ends.clear()

    def mend(self) -> None:
        """Let new connections through again."""
        self._whole = True

    def close(self) -> None:
        """Accept no more connections."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._whole:
                _shut(near)
                continue
            far = socket.create_connection(("127.0.0.1", self._server))
            self._ends += [near, far]
            for source, target in [(near, far), (far, near)]:
                Thread(target=_carry, args=[source, target], daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    _shut(source)
    _shut(target)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
