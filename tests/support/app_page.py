"""What a visitor does in the app's page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

PLAYER = "[data-logitspec-player]"


def try_your_own(page: Page) -> None:
    """Open the part that the button reveals, unless it is open: method, options, examples."""
    button = page.locator("#try")
    if button.get_attribute("aria-expanded") != "true":
        button.click()
        expect(button).to_have_attribute("aria-expanded", "true")


def unfold(page: Page, title: str, field: str) -> None:
    """Open an accordion, if it is shut, and wait until `field` can be filled."""
    if not page.get_by_label(field).is_visible():
        try_your_own(page)
        fold = page.get_by_role("button", name=title)
        # An accordion that is already open is still being filled.
        if "open" not in (fold.get_attribute("class") or "").split():
            fold.click()
        expect(page.get_by_label(field)).to_be_visible()
        page.wait_for_timeout(500)  # Gradio sets a field once more just after showing it


def state(page: Page, expected: str) -> None:
    expect(page.locator(PLAYER)).to_have_attribute("data-state", expected, timeout=60_000)


def take_along(page: Page, name: str) -> None:
    """Press an entry of the player's menu of files."""
    menu = page.locator(PLAYER).get_by_role("button", name="Export")
    if menu.get_attribute("aria-expanded") == "false":
        menu.click()
    page.locator(PLAYER).get_by_role("button", name=name).click()


def press(page: Page, button: str = "Run", announced: str = "logitspec-waiting") -> None:
    """Press Run or Race; return once the view shows that it waits for the new run, no longer the one before.

    announced: the event by which the view hears of the press.
    """
    page.evaluate(
        """name => {
          window.heard = false;
          const painted = () => requestAnimationFrame(() => requestAnimationFrame(() => (window.heard = true)));
          addEventListener(name, painted, { once: true });
        }""",
        announced,
    )
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_function("window.heard")
