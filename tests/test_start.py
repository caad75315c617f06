"""The model that the app starts with, and what happens where it can't be loaded."""

from __future__ import annotations

from typing import Any

import pytest

import app
from logitspec import LogitSpecError


class Started(Exception):  # noqa: N818
    """The page would be built now."""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that the app tries to load; those that begin with "bad" can't be."""
    tried: list[str] = []

    class Models:
        def __init__(self, model: str) -> None:
            self.model = model

        def prepare(self) -> None:
            tried.append(self.model)
            if self.model.startswith("bad"):
                raise LogitSpecError(f"There is no model {self.model}; choose another one.")

    class Host:
        def __init__(self, model: str, *arguments: Any, **options: Any) -> None:
            self.models = Models(model)

    def build(host: Any) -> Any:
        raise Started

    monkeypatch.setattr("logitspec.serving.host.Host", Host)
    monkeypatch.setattr("logitspec.ui.page.build", build)
    monkeypatch.setattr(app, "_free_port", lambda host, port: port)
    monkeypatch.setattr("logitspec.errors.sentence", lambda error: type(error).__name__)
    monkeypatch.delenv("LOGITSPEC_MODEL", raising=False)
    return tried


@pytest.mark.parametrize(
    ("first", "words", "tried", "message"),
    [
        (None, [], ["builtin"], "Started"),
        ("", [], ["builtin"], "Started"),
        ("good", [], ["good"], "Started"),
        ("good", ["--model", "other"], ["other"], "Started"),
        ("bad", [], ["bad", "builtin"], "There is no model bad; choose another one.\nStarted"),
        ("bad", ["--model", "other"], ["other"], "Started"),
        ("good", ["--model", "bad"], ["bad"], "LogitSpecError"),
        (None, ["--model", "bad"], ["bad"], "LogitSpecError"),
    ],
)
def test_a_space_without_its_model_still_has_the_built_in_one(
    started: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    first: str | None,
    words: list[str],
    tried: list[str],
    message: str,
) -> None:
    if first is not None:
        monkeypatch.setenv("LOGITSPEC_MODEL", first)
    assert app.main(words) == 2
    assert started == tried
    assert capsys.readouterr().err.split("; the trace")[0].strip() == message


def test_an_interrupt_while_the_model_loads_ends_quietly(
    started: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(host: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("logitspec.ui.page.build", interrupted)
    assert app.main([]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("seconds", ["abc", "0", "-1", "nan", "inf", "1e6"])
def test_seconds_that_are_none_are_refused_in_words(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        app._parser().parse_args([f"--run-seconds={seconds}"])
    message = "argument --run-seconds: must be a number above 0 and below a million"
    assert capsys.readouterr().err.endswith(f"{message}\n")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        monkeypatch.setenv(name, "")
    options = app._parser().parse_args([])
    assert (options.host, options.port) == ("127.0.0.1", 7860)


@pytest.mark.parametrize(
    ("given", "name"), [("::1", "[::1]"), ("[::1]", "[::1]"), ("127.0.0.1", "127.0.0.1")]
)
def test_gradio_gets_an_address_of_ipv6_in_brackets(
    started: list[str], monkeypatch: pytest.MonkeyPatch, given: str, name: str
) -> None:
    launched: list[dict[str, Any]] = []

    class Page:
        def launch(self, **options: Any) -> None:
            launched.append(options)

    monkeypatch.setattr("logitspec.ui.page.build", lambda host: Page())
    monkeypatch.setattr("logitspec.ui.launch.serving_options", lambda *values, **options: {})
    options = app._parser().parse_args(["--host", given])
    assert app._private(options)
    assert app.main(["--host", given]) == 0
    assert launched[0]["server_name"] == name


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("0", "0.0.0.0"),
        ("127.1", "127.0.0.1"),
        ("[::0]", "::"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("localhost", "localhost"),
        ("example.org", "example.org"),
    ],
)
def test_an_address_has_one_form(given: str, address: str) -> None:
    """Otherwise the page would listen everywhere and let nobody in."""
    assert app._parser().parse_args(["--host", given]).host == address


def test_port_0_is_any_free_one() -> None:
    port = app._free_port("127.0.0.1", 0)
    assert port > 0
    assert app._free_port("127.0.0.1", port) == port
