"""The shipped lesson, compared with the runs and measurements that it cites; and files of lessons, read in Python and
in the page."""

from __future__ import annotations

import json
import re
from statistics import median
from typing import Any

import pytest
from support import mutants
from support.lessons import example, run, shipped, values
from support.reading import read_by_page

from logitspec import LogitSpecError, decode, load
from logitspec.paths import ASSETS
from logitspec.publish import lesson as lessons

LANGUAGES = {"en", "de", "zh-Hans"}
TEXTS = ("title", "story", "question", "reveal", "remember", "notes")
# Names with digits, which are no figures.
NAMES = re.compile(r"H100|Llama-7B|7B|bfloat16")
COUNTS = re.compile(
    r"\b(two|three|five|six|seven|nine|ten|zwei|drei|vier|fünf|sechs|sieben|neun|zehn)\b|[两三四五六七八九十]个词",
    re.IGNORECASE,
)


def texts(station: dict[str, Any]) -> list[dict[str, str]]:
    options = [option["text"] for option in station.get("predict", {}).get("options", [])]
    bars = [bar[name] for bar in station.get("bars", []) for name in ("text", "group")]
    return [*(station[name] for name in TEXTS if name in station), *options, *bars]


# The shipped lesson


def test_ten_stations_take_fifteen_to_twenty_minutes() -> None:
    stations = shipped()["stations"]
    assert len(stations) == 10
    assert 15 * 60 <= sum(each["seconds"] for each in stations) <= 20 * 60


def test_every_text_is_there_in_every_language_and_names_the_same_figures() -> None:
    for station in shipped()["stations"]:
        for text in texts(station):
            assert text.keys() == LANGUAGES
            assert all(text.values())
            if text is not station["notes"]:
                named = [set(re.findall(r"\{(\w+)\}", each)) for each in text.values()]
                assert named[0] == named[1] == named[2], text


def test_texts_have_no_numbers_but_figures() -> None:
    for station in shipped()["stations"]:
        for text in texts(station):
            for each in text.values():
                plain = NAMES.sub("", re.sub(r"\{\w+\}", "", each))
                assert not re.search(r"\d", plain), plain
                assert not COUNTS.search(
                    plain.replace("two stations", "").replace("zwei Stationen", "")
                ), plain


def test_every_figure_is_used() -> None:
    text = json.dumps([shipped()["stations"], shipped()["title"]])
    figures = shipped()["figures"]
    named = set(re.findall(r"\{(\w+)\}", text)) | set(
        re.findall(r'"(?:answer|figure)": "(\w+)"', text)
    )
    named |= {part for figure in figures.values() for part in figure.get("figures", [])}
    assert named == set(figures)


def plain_text(document: dict[str, Any], ids: list[int]) -> str:
    return "".join(document["vocabulary"][str(token)] for token in ids)


def path_to(step: dict[str, Any], last: int) -> list[int]:
    """The nodes from the root to `last`."""
    nodes = [last]
    while step["parents"][nodes[0]] >= 0:
        nodes.insert(0, step["parents"][nodes[0]])
    return nodes


def of_run(document: dict[str, Any], of: str) -> float | None:
    tokens = sum(len(step["path"]) for step in document["steps"])
    seconds = sum(
        step["seconds"][part]
        for step in document["steps"]
        for part in ("draft", "verify", "accept", "commit")
    )
    plain = document["baseline"]["seconds_per_token"]
    return {
        "tokens": tokens,
        "passes": len(document["steps"]),
        "tokens_per_pass": tokens / len(document["steps"]),
        "speed_up": plain * tokens / seconds,
        "plain_ms": 1000 * plain,
        "verify_ms": 1000 * median(step["seconds"]["verify"] for step in document["steps"]),
    }.get(of)


def of_step(step: dict[str, Any], of: str) -> float | None:
    origins = [each[0] for each in step["provenance"]]
    return {
        "rows": len(step["tokens"]),
        "drafted": len(step["tokens"]) - 1,
        "accepted": len(step["path"]) - 1,
        "emitted": len(step["path"]),
        "runners_up": origins.count("logit"),
        "copied": origins.count("retrieved"),
        "last": step["path"][-1],
    }.get(of)


def of_node(document: dict[str, Any], step: dict[str, Any], of: str, at: int, other: int) -> Any:
    def spell(nodes: list[int]) -> str:
        return plain_text(document, [step["tokens"][each] for each in nodes])

    if of == "token":
        return spell([at])
    if of == "choice":
        return plain_text(document, [step["choices"][at]])
    if of in ("rank", "nth"):
        return step["last"]["ids"].index(step["tokens"][at]) + (of == "nth")
    if of == "source":
        return step["provenance"][at][4]
    nodes = path_to(step, other if of == "phrase" else at)
    return spell(nodes[nodes.index(at) :]) if of == "phrase" else int(other in nodes)


def recompute(name: str) -> Any:
    """The value of a figure, from the trace or the file of measurements."""
    figure = shipped()["figures"][name]
    if "value" in figure:
        return read_measurement(figure["source"])
    of = figure["of"]
    if "figures" in figure:
        parts = [recompute(each) for each in figure["figures"]]
        return parts[0] / parts[1] if of == "ratio" else parts.index(max(parts))
    document = run(figure["run"])
    if (value := of_run(document, of)) is not None:
        return value
    step = document["steps"][figure["step"] - 1]
    if (value := of_step(step, of)) is not None:
        return value
    return of_node(document, step, of, figure["node"], figure.get("other", 0))


def read_measurement(source: str) -> Any:
    """The value at a JSON pointer into a file of assets, such as "benchmarks/gpu/h100.json#/conditions/chip"."""
    file, _, pointer = source.partition("#/")
    value = json.loads((ASSETS / file).read_bytes())
    for part in pointer.split("/"):
        value = value[int(part) if isinstance(value, list) else part]
    return value


def test_every_figure_equals_what_was_recorded_or_measured() -> None:
    assert values().keys() == shipped()["figures"].keys()
    for name, value in values().items():
        expected = recompute(name)
        assert value == (pytest.approx(expected) if isinstance(expected, float) else expected), name


def test_the_gpu_figures_are_for_one_row_and_for_the_rows_of_the_step() -> None:
    places = [
        shipped()["figures"][name]["source"].rpartition("/")[0] for name in ("gpu_one", "gpu_many")
    ]
    one, many = (read_measurement(place) for place in places)
    assert [one["rows"], many["rows"]] == [1, values()["rows"]]
    assert one["context"] == many["context"]
    assert one["mode"] == many["mode"]
    assert "H100" in read_measurement("benchmarks/gpu/h100.json#/conditions/chip")


def test_the_texts_fit_the_recorded_steps() -> None:
    """A new recording may have other steps, and then the texts have to change."""
    figures = values()
    assert [figures[name] for name in ("lived", "a", "clever", "bear", "full_stop", "whose", "story")] == [
        " lived", " a", " clever", " bear", ".", " whose", " story",
    ]  # fmt: skip
    assert figures["survivors"] == " a clever bear"
    assert (figures["nth_of_a"], figures["accepted"], figures["wrong_emitted"]) == (2, 3, 1)
    assert figures["drafted"] == figures["runners_up"] + figures["copied"]
    assert figures["wrong_wanted"] not in [
        run("renata")["vocabulary"][str(token)] for token in run("renata")["steps"][2]["tokens"][1:]
    ]
    assert figures["story_speed"] < 1 < figures["facts_speed"]
    assert figures["story_rate"] / figures["gpu_price"] > 1


def test_the_copy_is_from_the_latest_place_with_enough_text_after_it() -> None:
    document = run("renata")
    step = document["steps"][3]
    before = [each["tokens"][node] for each in document["steps"][:3] for node in each["path"]]
    text = [*document["prompt_ids"], *before, step["tokens"][0]]
    starts = [place + 1 for place, token in enumerate(text) if token == step["tokens"][1]]
    length = document["options"]["num_pred_tokens"]
    assert values()["source_of_clever"] == max(at for at in starts if len(text) - at >= length)
    assert len(starts) > 2


def test_plain_decoding_writes_the_run_with_the_docstring() -> None:
    document = run("docstring")
    target, _ = load(device="cpu", dtype="float32")
    steps = decode(
        target, document["prompt_ids"], "autoregressive", max_new_tokens=document["max_new_tokens"]
    )
    plain = [token for step in steps for token in step.tokens]
    assert plain == [step["tokens"][node] for step in document["steps"] for node in step["path"]]


def test_scenes_and_practice_show_recorded_steps() -> None:
    for station in shipped()["stations"]:
        scene = station.get("scene", {})
        for each in (scene, scene | station.get("reveal_scene", {})):
            if "run" in each:
                assert each["step"] <= len(run(each["run"])["steps"])
                assert each.get("highlight", {}).get("node", 0) < len(
                    run(each["run"])["steps"][each["step"] - 1]["tokens"]
                )
    assert all(run(name)["steps"] for name in shipped()["practice"])
    assert len(shipped()["practice"]) > 10


# Files of lessons


def full() -> dict[str, Any]:
    """A lesson with every field in use, and a trace of its own."""
    document: dict[str, Any] = json.loads(example())
    own = mutants.made_up()
    figure = {"of": "sees", "run": "own", "step": 1, "node": 1, "other": 0}
    document["traces"] = {"own": {**own, "steps": own["steps"][:1]}}
    document["figures"] |= {
        "sees": figure,
        "price": {"value": 1.5, "source": "by hand", "digits": 1},
        "gain": {"of": "ratio", "figures": ["tokens", "price"]},
    }
    document["stations"] = [
        {
            **document["stations"][0],
            "done": "predicted",
            "open": "watch",
            "bars": [{"text": "{name}", "figure": "gain", "unit": "×", "group": {"en": "gain"}, "sealed": True}],
            "scene": {"run": "own", "step": 1, "beat": 3, "view": "mask", "panels": ["tree"], "highlight": {"node": 1, "rank": 0, "token": 2}},
            "predict": {"kind": "choice", "answer": "sees", "options": [{"text": "yes", "is": 1}, {"text": "no", "is": 0}], "sealed": "after"},
        },
        {
            "station": "after",
            "title": "After",
            "question": "Which?",
            "reveal": "The first.",
            "remember": "Choose.",
            "predict": {"kind": "choice", "right": 0, "options": [{"text": "one"}, {"text": "other"}]},
        },
    ]  # fmt: skip
    document["practice"] = ["code", "own"]
    return document


def refusal(data: str | bytes) -> str | None:
    """The sentence of a refusal; None where the file is read."""
    try:
        lessons.read(data)
    except LogitSpecError as error:
        return str(error)
    return None


def test_the_example_of_the_documentation_is_a_lesson() -> None:
    assert lessons.runs(lessons.read(example())) == ["recorded-18"]


def test_python_and_the_page_agree_on_every_mutant() -> None:
    assert refusal(json.dumps(full())) is None
    files = [each for each in mutants.mutants(full()) if "traces.own." not in each.name]
    page = read_by_page("lesson", [each.data for each in files])
    assert [answer["fault"] for answer in page if "fault" in answer] == []
    sentences = [refusal(each.data) for each in files]
    differing = [
        (mutant.name, python, answer)
        for mutant, python, answer in zip(files, sentences, page, strict=True)
        if (python is None) == ("refused" in answer)
    ]
    assert differing == []
    assert 50 < sentences.count(None) < len(files) / 3
    for sentence in {
        *filter(None, sentences),
        *(each["refused"] for each in page if "refused" in each),
    }:
        assert "\n" not in sentence
        assert len(sentence) < 200
        assert not any(word in sentence for word in ("<", "alert", "yyy", "Error"))


@pytest.mark.parametrize(
    ("place", "value", "wrong"),
    [
        (("runs", "code"), None, "figures.drafted.run names no run of the lesson"),
        (("runs", "own"), "recorded-1", "traces.own is also in runs"),
        (("figures", "tokens"), None, "figures.gain.figures[0] names no figure of the lesson"),
        (("figures", "drafted", "step"), None, "figures.drafted.step is missing"),
        (("figures", "drafted", "value"), 3, "figures.drafted needs exactly one of: of, value"),
        (("figures", "price", "source"), None, "figures.price.source is missing"),
        (("figures", "price", "value"), "three", "figures.price.value is not a number"),
        (("figures", "gain", "figures"), ["name", "price"], "figures.gain.figures[0] is not a plain number"),
        (("stations", 0, "reveal"), "{nothing}", "stations[0].reveal names no figure of the lesson"),
        (("stations", 0, "reveal"), {}, "stations[0].reveal is empty"),
        (("stations", 0, "scene", "beat"), 6, "stations[0].scene.beat is out of bounds"),
        (("stations", 0, "scene", "run"), "other", "stations[0].scene.run names no run of the lesson"),
        (("stations", 0, "predict", "sealed"), "copied", "stations[0].predict.sealed names no later station"),
        (("stations", 0, "predict", "answer"), "name", "stations[0].predict.answer is not a number"),
        (("stations", 0, "bars", 0, "figure"), "name", "stations[0].bars[0].figure is not a number"),
        (("stations", 0, "predict"), {"kind": "number", "least": 2, "most": 1}, "stations[0].predict.most is out of bounds"),
        (("stations", 0, "predict"), {"kind": "number", "answer": "price", "least": 2}, "stations[0].predict.answer is out of bounds"),
        (("stations", 1, "predict", "right"), 2, "stations[1].predict.right is out of bounds"),
        (("stations", 1, "predict", "right"), None, "stations[1].predict needs exactly one of: answer, right"),
        (("stations", 1, "predict", "kind"), "node", "stations[1].predict.answer is missing"),
        (("stations", 0, "station"), "after", "stations[1] repeats another's name"),
        (("stations", 1, "more"), 1, "stations[1] has one entry too many"),
        (("practice", 0), "gone", "practice[0] names no run of the lesson"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_place_of_the_fault(
    place: tuple[Any, ...], value: Any, wrong: str
) -> None:
    document = json.loads(json.dumps(full()))
    inner = document
    for part in place[:-1]:
        inner = inner[part]
    if value is None:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    assert (
        refusal(json.dumps(document))
        == f"This lesson is damaged ({wrong}); correct it and open it again."
    )


def test_files_that_are_too_large_or_no_lessons_are_refused() -> None:
    assert "more than 32 MB" in str(refusal(" " * (1 + (32 << 20))))
    assert "not a LogitSpec lesson" in str(refusal("{}"))
    assert "schema 2" in str(refusal(json.dumps({**full(), "schema": 2})))
    assert "kind is unknown" in str(
        refusal(json.dumps(mutants.made_up())) or ""
    ) or "damaged" in str(refusal(json.dumps(mutants.made_up())))
