"""Who listens: the open streams of messages, by session."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic

MAX_SESSIONS = 4096  # the ones heard of most recently


class Audience:
    """The listeners of each session. now: a clock, in seconds."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = Lock()
        self._known = False
        self._open: dict[str, int] = {}  # streams by session
        self._last: OrderedDict[str, float] = OrderedDict()  # when a session was last heard of

    def begin(self) -> None:
        """From now on listeners are reported; before that, everybody counts as listening."""
        self._known = True

    def comes(self, session: str) -> None:
        """Somebody listens to `session` from now on."""
        with self._lock:
            self._open[session] = self._open.get(session, 0) + 1

    def goes(self, session: str) -> None:
        """A listener of `session` has gone."""
        with self._lock:
            self._note(session)
            left = self._open.pop(session, 1) - 1
            if left > 0:
                self._open[session] = left

    def silence(self, session: str) -> float:
        """Seconds since anybody listened to `session`; 0 while somebody does. The first call for a
        session counts as hearing of it. A session without a name, as this process has, always listens."""
        with self._lock:
            if not self._known or not session or session in self._open:
                return 0.0
            if session not in self._last:
                self._note(session)
            return self._now() - self._last[session]

    def asks(self, session: str) -> None:
        """A run of `session` begins: its silence is counted from now on."""
        with self._lock:
            self._note(session)

    def _note(self, session: str) -> None:
        self._last[session] = self._now()
        self._last.move_to_end(session)
        while len(self._last) > MAX_SESSIONS:
            self._last.popitem(last=False)
