"""Models of the visitor's choice in the page, from a hub on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import BrowserContext, Page, expect
from support.app import forked_app, free_port
from support.app_page import PLAYER, state, unfold
from support.hub import Hub, serving, use_hub
from support.models import folder

import app
from logitspec import LogitSpecError, Trace
from logitspec.models.catalogue import CATALOGUE

NAME = "somebody/tiny"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with serving() as server:
        server.models[NAME] = folder(tmp_path_factory.mktemp("hub") / "net")
        server.models["somebody/again"] = server.models[NAME]
        yield server


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[str]:
    """The app on a machine whose hub is ours, with an empty cache."""
    place = tmp_path_factory.mktemp("app")

    def before() -> None:
        use_hub(pytest.MonkeyPatch(), hub.url, place / "cache")

    with forked_app(place / "log", before=before) as url:
        yield url


@pytest.fixture(scope="module")
def page(visitor: BrowserContext, address: str) -> Iterator[Page]:
    """One page for all tests, since each page loads models of its own choice."""
    opened = visitor.new_page()
    opened.goto(address)
    opened.wait_for_selector(PLAYER)
    unfold(opened, "Length and sampling", "Max new tokens")
    yield opened
    opened.close()


def choose(page: Page, name: str) -> None:
    """Choose a model by keyboard alone."""
    field = page.get_by_label("Model", exact=True)
    field.fill(name)
    field.press("Enter")
    field.press("Tab")


def test_a_model_is_downloaded_with_its_progress_and_runs(page: Page, hub: Hub) -> None:
    hub.open.clear()
    choose(page, NAME)
    expect(page.get_by_text(re.compile(r"is being (looked up|downloaded)"))).to_be_visible(
        timeout=20_000
    )
    hub.open.set()
    summary = page.get_by_text("million parameters in float32, sdpa attention, on cpu")
    expect(summary).to_be_visible(timeout=60_000)
    page.locator("textarea").first.fill("ABCABCAB")
    page.get_by_label("Max new tokens").fill("20")
    page.get_by_role("button", name="Run", exact=True).click()
    state(page, "done")
    expect(page.locator(f"{PLAYER} [data-origin=prompt]")).to_have_count(8)


def test_what_can_not_be_loaded_is_said_as_text_and_the_old_model_runs(page: Page) -> None:
    hostile = "<img src=x onerror=\"document.title='owned'\"> **[x](javascript:1)**"
    choose(page, hostile)
    message = page.get_by_text(f"There is no model {hostile!r}", exact=False)
    expect(message).to_be_visible(timeout=30_000)
    assert page.locator("img[src=x]").count() == 0
    assert page.title() == "LogitSpec Live"
    choose(page, "builtin")
    expect(page.get_by_text("The built-in model knows")).to_be_visible(timeout=20_000)
    page.get_by_label("Max new tokens").fill("10")
    page.get_by_role("button", name="Run", exact=True).click()
    state(page, "done")


def test_the_list_offers_the_catalogue(page: Page) -> None:
    page.get_by_label("Model", exact=True).click()
    lines = page.locator("ul[role=listbox] [role=option]").all_text_contents()
    assert [line.strip().removeprefix("✓").strip() for line in lines][1:] == [
        each.line for each in CATALOGUE
    ]


def test_the_endpoint_takes_a_model_or_says_why_not(address: str) -> None:
    client = Client(address, verbose=False)

    def last(name: str) -> Any:
        job = client.submit(prompt="ABCABC", max_new_tokens=5, model=name, api_name="/generate")
        job.result(timeout=120)
        return job.outputs()[-1]

    assert Trace.from_json(last("somebody/again")).model["id"] == "somebody/again"
    with pytest.raises(AppError, match="There is no model 'nobody/nothing'"):
        last("nobody/nothing")
    assert Trace.from_json(last("")).model["id"] == "builtin"


def test_visitors_from_elsewhere_are_kept_to_the_host_s_own_models(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unless the host says otherwise; test_session.py has what a visitor is told then."""
    allowed: list[bool] = []

    def host(model: str, device: str, dtype: str, any_model: bool, **placement: Any) -> None:
        allowed.append(any_model)
        raise LogitSpecError("That is enough.")

    monkeypatch.setattr("logitspec.serving.host.Host", host)
    port = ["--port", str(free_port())]
    for options in ([], ["--no-other-models"], ["--host", "0.0.0.0", "--other-models"]):
        assert app.main([*port, *options]) == 2
    assert app.main([*port, "--host", "0.0.0.0"]) == 2
    assert allowed == [True, False, True, False]
