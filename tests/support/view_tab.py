"""A tab that holds nothing but one view; the test provides its server functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

ADDRESS = "http://view.test/"
EMPTY = f"{ADDRESS}empty"


class Server(Protocol):
    """Stands in for the server functions."""

    def fetch_steps(self, request: dict[str, Any]) -> str | None: ...

    def stop_run(self, request: dict[str, Any]) -> None: ...


class ViewTab:
    """A tab that tests reuse, each with its own server: opening one takes half a second.

    script: code that runs in a page before everything else, from the test's next load on.
    """

    def __init__(self, chromium: Browser, document: str) -> None:
        self._document = document
        self._server: Server | None = None
        self._faults: list[str] = []
        self.script = ""
        self._page = chromium.new_page()
        self._page.on("pageerror", lambda error: self._faults.append(str(error)))
        self._page.route("**/*", self._answer)
        self._page.expose_function("pythonFetch", lambda wanted: self._asked().fetch_steps(wanted))
        self._page.expose_function("pythonStop", lambda wanted: self._asked().stop_run(wanted))
        self._page.add_init_script(
            "window.functions = { fetch_steps: (wanted) => pythonFetch(wanted),"
            " stop_run: (wanted) => pythonStop(wanted) };"
        )

    @contextmanager
    def visit(self, server: Server) -> Iterator[Page]:
        """The page of a first-time visitor with reduced motion; no script may fail in it."""
        self._page.emulate_media(reduced_motion="reduce")
        self._server = server
        self._page.goto(ADDRESS)
        yield self._page
        self.script = ""
        self._page.goto(EMPTY)  # the view stores what it shows when its page is left
        self._page.evaluate("sessionStorage.clear()")
        faults, self._faults = self._faults, []
        assert faults == []

    def close(self) -> None:
        self._page.context.close()

    def _asked(self) -> Server:
        assert self._server is not None
        return self._server

    def _answer(self, route: Route) -> None:
        head, meta, rest = self._document.partition("<meta")
        body = f"{head}<script>{self.script}</script>{meta}{rest}"
        empty = route.request.url == EMPTY
        route.fulfill(body="" if empty else body, content_type="text/html")


def comes_to(page: Page, true: Callable[[], bool]) -> None:
    """Wait until the page has made `true()` hold; Python hears from the page only while Playwright waits."""
    end = monotonic() + 30
    while not true():
        assert monotonic() < end, "It never came."
        page.wait_for_timeout(20)
