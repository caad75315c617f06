"""The worked example of logitspec/ui/README.md, as a tab of the page in a real browser."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.serving_page import built, serving_page

from logitspec.paths import ASSETS, ROOT
from logitspec.serving.host import Host
from logitspec.ui import scripts, tabs
from logitspec.ui.page import build

README = ROOT / "logitspec" / "ui" / "README.md"
FILE = re.compile(r"`([\w/.]+)`:\n\n```\w+\n(.*?)```", re.S)


def example(folder: Path) -> list[str]:
    """Write the example's files below `folder`; return their names."""
    files = FILE.findall(README.read_text(encoding="utf-8"))
    for name, text in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [name for name, _ in files]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The page with the example in it; no model is loaded."""
    assets = tmp_path / "assets"
    for name in {script.parent.name for script in ASSETS.glob("*/*.js")}:
        shutil.copytree(ASSETS / name, assets / name)
    for file in ASSETS.glob("*.json"):
        shutil.copy(file, assets)
    assert example(tmp_path) == [
        "logitspec/ui/tabs/count.py",
        "assets/count/tab.js",
        "assets/count/tab.css",
    ]
    monkeypatch.setattr(scripts, "ASSETS", assets)
    result = [*tabs.__path__, str(tmp_path / "logitspec" / "ui" / "tabs")]
    monkeypatch.setattr(tabs, "__path__", result)
    with serving_page(lambda: build(Host()), lambda page: scripts.launch_options()) as (_, address):
        yield address
    del sys.modules["logitspec.ui.tabs.count"]


def test_a_tab_of_one_file_and_one_folder_is_in_the_page(chromium: Browser, url: str) -> None:
    page = chromium.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(url)
    page.get_by_role("tab", name="Count").click()
    titles = page.locator("[role=tablist]:visible [role=tab]").all_inner_texts()
    assert titles == ["Learn", "Watch", "Compare", "Why it works", "Count"]
    count = page.locator("[data-characters]")
    expect(count).to_have_text("0 characters")
    page.get_by_label("Text to count").fill("four <b>")
    expect(count).to_have_text("8 characters")
    expect(count).to_have_css("font-weight", "700")
    page.close()
    assert faults == []


def test_no_field_acts_on_an_event_that_says_something_else() -> None:
    """Gradio sends a drop-down's `input` whenever it loses the focus, and a text box's only for typed letters."""
    page = built(lambda: build(Host()))
    events = {event for function in page.fns.values() for _, event in function.targets}
    assert "change" in events
    assert "input" not in events
