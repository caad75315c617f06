"""The file of a lesson: its stations, with what each shows, asks and reveals.

    read(text) -> types and bounds from assets/schema.json -> relations between the parts -> the document

assets/learn/read.js has the same functions in the same order, and a test gives both the same files. assets/learn/README.md
explains the parts.
"""

from __future__ import annotations

import re
from typing import Any

from logitspec.paths import ASSETS
from logitspec.trace import schema
from logitspec.trace.schema import MEASURES, SchemaError

LESSON = ASSETS / "learn" / "lesson.json"

_COMPARISONS = ("ratio", "largest")
_WORDS = ("token", "choice", "phrase")
_MOST = 1e9  # for a number that sets no bound
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def read(text: str | bytes) -> dict[str, Any]:
    """The lesson in the text of a file.

    Raises LogitSpecError with one sentence when it is not a lesson, or has a fault.
    """
    return schema.read(text, "lesson", _check_lesson)


def runs(lesson: dict[str, Any]) -> list[str]:
    """The names of the recorded runs that a lesson shows, each once, as `publish.demos.read_demo` takes them; not the
    traces in its own file."""
    return list(dict.fromkeys(lesson["runs"].values()))


def _check_lesson(lesson: dict[str, Any]) -> None:
    for name, trace in lesson.get("traces", {}).items():
        if name in lesson["runs"]:
            raise SchemaError("is also in runs").at(f"traces.{name}")
        _check_within(f"traces.{name}", schema.cohere, trace)
    for name, figure in lesson.get("figures", {}).items():
        _check_within(f"figures.{name}", _check_figure, lesson, figure)
    _check_text(lesson, lesson["title"], "title")
    names = [station["station"] for station in lesson["stations"]]
    for number, name in enumerate(names):
        if names.index(name) < number:
            raise SchemaError("repeats another's name").at(f"stations[{number}]")
    for number, station in enumerate(lesson["stations"]):
        _check_within(f"stations[{number}]", _check_station, lesson, station, number)
    for number, run in enumerate(lesson.get("practice", [])):
        _check_run(lesson, run, f"practice[{number}]")


def _check_within(part: str, check: Any, *arguments: Any) -> None:
    """Call a check, and say in which part its fault is."""
    try:
        check(*arguments)
    except SchemaError as fault:
        raise fault.at(part) from None


def _check_run(lesson: dict[str, Any], run: str, part: str) -> None:
    if run not in lesson["runs"] and run not in lesson.get("traces", {}):
        raise SchemaError("names no run of the lesson").at(part)


def _check_figure(lesson: dict[str, Any], figure: dict[str, Any]) -> None:
    if ("of" in figure) == ("value" in figure):
        raise SchemaError("needs exactly one of: of, value")
    if "value" in figure and "source" not in figure:
        raise SchemaError("is missing").at(".source")
    for name in MEASURES[figure["of"]] if "of" in figure else ():
        if name not in figure:
            raise SchemaError("is missing").at(f".{name}")
    if "run" in figure:
        _check_run(lesson, figure["run"], ".run")
    for number, name in enumerate(figure.get("figures", [])):
        part = _find_figure(lesson, name, f".figures[{number}]")
        if part.get("of") in _COMPARISONS + _WORDS:
            raise SchemaError("is not a plain number").at(f".figures[{number}]")


def _find_figure(lesson: dict[str, Any], name: str, part: str) -> dict[str, Any]:
    figures: dict[str, dict[str, Any]] = lesson.get("figures", {})
    if name not in figures:
        raise SchemaError("names no figure of the lesson").at(part)
    return figures[name]


def _check_text(lesson: dict[str, Any], text: str | dict[str, str] | None, part: str) -> None:
    if text is None:
        return
    every = [text] if isinstance(text, str) else list(text.values())
    if not every:
        raise SchemaError("is empty").at(part)
    for each in every:
        for name in _PLACEHOLDER.findall(each):
            _find_figure(lesson, name, part)


def _check_station(lesson: dict[str, Any], station: dict[str, Any], number: int) -> None:
    for name in ("title", "story", "question", "reveal", "remember", "notes"):
        _check_text(lesson, station.get(name), f".{name}")
    scene = station.get("scene")
    _check_scene(lesson, scene, None, ".scene")
    _check_scene(lesson, station.get("reveal_scene"), scene, ".reveal_scene")
    for place, bar in enumerate(station.get("bars", [])):
        _check_text(lesson, bar["text"], f".bars[{place}].text")
        _check_text(lesson, bar.get("group"), f".bars[{place}].group")
        _check_number(lesson, bar["figure"], f".bars[{place}].figure")
    _check_prediction(lesson, station, number)


def _check_scene(
    lesson: dict[str, Any], scene: dict[str, Any] | None, before: dict[str, Any] | None, part: str
) -> None:
    if scene is None:
        return
    run = scene.get("run") or (before or {}).get("run")
    if run is None:
        raise SchemaError("is missing").at(f"{part}.run")
    _check_run(lesson, run, f"{part}.run")


def _check_number(lesson: dict[str, Any], name: str, part: str) -> None:
    if _find_figure(lesson, name, part).get("of") in _WORDS:
        raise SchemaError("is not a number").at(part)


def _check_prediction(lesson: dict[str, Any], station: dict[str, Any], number: int) -> None:
    if (predict := station.get("predict")) is None:
        return
    kind, options, part = predict["kind"], predict.get("options", []), ".predict"
    answer, right, sealed = (predict.get(name) for name in ("answer", "right", "sealed"))
    if answer is not None:
        _check_number(lesson, answer, f"{part}.answer")
    later = [each["station"] for each in lesson["stations"][number + 1 :]]
    if sealed is not None and sealed not in later:
        raise SchemaError("names no later station").at(f"{part}.sealed")
    for place, option in enumerate(options):
        _check_text(lesson, option["text"], f"{part}.options[{place}].text")
    if kind != "choice":
        if kind == "number":
            _check_bounds(lesson, predict, part)
            return
        if answer is None:
            raise SchemaError("is missing").at(f"{part}.answer")
        if "scene" not in station:
            raise SchemaError("has no scene to click in").at(part)
        return
    if not options:
        raise SchemaError("is missing").at(f"{part}.options")
    if (answer is None) == (right is None):
        raise SchemaError("needs exactly one of: answer, right").at(part)
    if right is not None and right >= len(options):
        raise SchemaError("is out of bounds").at(f"{part}.right")
    if answer is not None and any("is" not in option for option in options):
        raise SchemaError('has an option without "is"').at(part)


def _check_bounds(lesson: dict[str, Any], predict: dict[str, Any], part: str) -> None:
    """A number that may be written, and, where there is a right one, that one."""
    least, most = predict.get("least", 0), predict.get("most", _MOST)
    if least > most:
        raise SchemaError("is out of bounds").at(f"{part}.most")
    if (answer := predict.get("answer")) is None:
        return
    value = _find_figure(lesson, answer, f"{part}.answer").get("value", least)
    if not least <= value <= most:
        raise SchemaError("is out of bounds").at(f"{part}.answer")
