"""Draws the pictures of the README: `python tests/measure pictures`.

They show a recorded run in Chromium: stills of one step, and a short film of two steps beat by beat and of
those that follow. The page's clock and its motions are stopped and advanced by hand, so that the film doesn't
depend on how fast the machine is.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright
from support import machine

from logitspec.publish.demos import demo_run, opening_run, read_demo
from logitspec.publish.export import page as html_page
from logitspec.publish.typical import typical_step
from logitspec.trace.records import Trace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = Path(__file__).parents[2] / "assets" / "pictures"
PLAYER = "[data-logitspec-player]"
MOTION = range(40, 400, 60)  # ms within a motion at which the film has a picture
SHOWN = 60  # ms of such a picture
STILL = (900, 1100, 700, 1100, 1300)  # ms that the still of each beat stays
STEP = 420  # ms of each step after those
SCALE = 0.75

# All motions of the page, halted at a moment or brought to their ends.
HALT = """at => document.getAnimations().forEach((each) => {
  each.pause();
  each.currentTime = Math.min(at, Math.max(0, each.effect.getComputedTiming().endTime - 1));
})"""
FINISH = "() => document.getAnimations().forEach((each) => each.finish())"
SEEK = """cursor => {
  const range = document.querySelector(".ls-range");
  range.value = String(cursor);
  for (const type of ["input", "change"]) range.dispatchEvent(new Event(type, { bubbles: true }));
}"""


class Film:
    """Pictures of a page with the time that each stays."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.times: list[int] = []

    def shoot(self, milliseconds: int) -> None:
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self.frames.append(picture)
        self.times.append(milliseconds)

    def save(self, path: Path, quality: int) -> None:
        first, *others = self.frames
        first.save(
            path, save_all=True, append_images=others, duration=self.times, loop=0,
            quality=quality, method=6, minimize_size=True,
        )  # fmt: skip


def opened(browser: Browser, url: str, width: int, height: int, **about: object) -> Page:
    """A page with the run, paused; its clock moves only by `run_for`."""
    page = browser.new_page(viewport={"width": width, "height": height}, **about)  # type: ignore[arg-type]
    page.clock.install()
    page.goto(url)
    page.clock.run_for(500)
    page.focus(PLAYER)
    page.keyboard.press("Escape")
    page.evaluate("scrollTo(0, 0)")
    page.clock.run_for(500)
    return page


def at_step(page: Page, cursor: int) -> None:
    page.evaluate(SEEK, cursor)
    page.evaluate("document.activeElement.blur()")
    page.clock.run_for(1000)
    page.evaluate(FINISH)


def film(page: Page, first: int, slow: int, fast: int) -> Film:
    """`slow` steps from `first` on beat by beat, then `fast` more at a glance."""
    made = Film(page)
    at_step(page, first - 1)
    made.shoot(600)
    for cursor in range(first, first + slow):
        page.evaluate(SEEK, cursor)
        for number, still in enumerate(STILL):
            page.locator(".ls-beat").nth(number).dispatch_event("click")
            page.clock.run_for(50)
            for moment in MOTION:
                page.evaluate(HALT, moment)
                made.shoot(SHOWN)
            page.evaluate(FINISH)
            page.clock.run_for(1000)
            made.shoot(still)
    for cursor in range(first + slow, first + slow + fast):
        at_step(page, cursor)
        made.shoot(STEP)
    made.times[-1] = 1500
    return made


def stills(browser: Browser, url: str, cursor: int) -> Iterator[tuple[str, bytes]]:
    """A name and a PNG for each."""
    for name, width, height, scheme in (
        ("step-light", 1280, 940, "light"),
        ("step-dark", 1280, 940, "dark"),
        ("step-phone", 400, 1130, "light"),
    ):
        page = opened(browser, url, width, height, color_scheme=scheme)
        at_step(page, cursor)
        page.mouse.move(1, 1)
        yield name, page.screenshot()
        page.close()


def smaller(png: bytes) -> Image.Image:
    """With at most 256 colours, which nobody notices and which halves the file."""
    return Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--run", type=int, help="number of the prompt (default: the run that the page opens on)"
    )
    parser.add_argument(
        "--step", type=int, help="of the stills, and the first of the film (default: a typical one)"
    )
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder of the pictures")
    chosen = parser.parse_args()
    opening = opening_run()
    name = f"recorded-{chosen.run}" if chosen.run else demo_run(opening[0]) if opening else ""
    text = read_demo(name)
    if text is None:
        parser.error("this prompt has no recorded run; python -m logitspec record makes it")
    trace = Trace.from_json(text)
    step = chosen.step or typical_step(trace)
    chosen.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "run.html")
        file.write_text(html_page(trace), encoding="utf-8")
        path = machine.browser()
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        for name, png in stills(browser, file.as_uri(), step):
            smaller(png).save(chosen.out / f"{name}.png", optimize=True)
        page = opened(browser, file.as_uri(), 1280, 940, device_scale_factor=SCALE)
        film(page, step, slow=2, fast=8).save(chosen.out / "run.webp", quality=68)
        browser.close()
    for picture in sorted(chosen.out.glob("*.*")):
        print(f"{picture.name}: {picture.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
