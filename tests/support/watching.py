"""Watched pages: anything that goes wrong in one fails the test that uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page


@contextmanager
def watched(page: Page, console: bool = True) -> Iterator[Page]:
    """Fail at the end after a script error, a dialog or, if wanted, a message on the console."""
    faults: list[str] = []

    def refuse(dialog: Dialog) -> None:
        faults.append(dialog.message)
        dialog.dismiss()

    listeners: dict[Any, Any] = {
        "pageerror": lambda error: faults.append(str(error)),
        "console": lambda message: faults.append(message.text) if console else None,
        "dialog": refuse,
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    yield page
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    assert faults == []


def visit(tab: Page, page_html: Callable[[], str]) -> None:
    """Start afresh in a tab with a page of tests/scripts/pages, by its `visit`; a load takes three times as long."""
    look_as_at_first(tab)
    tab.mouse.move(0, 0)  # an element that appears under the pointer is hovered
    if tab.evaluate("'visit' in window"):
        tab.evaluate("visit()")
    else:
        tab.set_content(page_html())


def look_as_at_first(tab: Page) -> None:
    """Give the window a usual size and the light theme, and set no preferences."""
    tab.set_default_timeout(30_000)
    tab.set_viewport_size({"width": 1280, "height": 900})
    tab.emulate_media(
        media="null",
        color_scheme="light",
        reduced_motion="null",
        forced_colors="null",
        contrast="null",
    )


def forget(tab: Page) -> None:
    """Delete what the app has stored in the browser. The app stores more when it is left, so it is left first."""
    if tab.url.startswith("http"):
        tab.goto(urljoin(tab.url, "/robots.txt"))
        tab.evaluate("sessionStorage.clear(); localStorage.clear()")


@contextmanager
def without_clipboard(page: Page) -> Iterator[None]:
    """A page without a clipboard, as over plain HTTP; `copied` is what it copies in another way."""
    page.evaluate(
        """() => {
          Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
          document.execCommand = () => Boolean((window.copied = document.activeElement.value));
        }"""
    )
    yield
    page.evaluate("() => { delete navigator.clipboard; delete document.execCommand; }")
