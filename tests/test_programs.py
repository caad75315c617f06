"""Tools for programs, without MCP: their sentences, their documentation, Gradio's endpoints."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from support import machine
from support.app import ROOT

from logitspec import METHODS, Trace
from logitspec.serving.host import Host
from logitspec.serving.programs.results import Numbers
from logitspec.serving.programs.sentences import milliseconds, step_sentence, story_sentence
from logitspec.serving.programs.signature import signatures
from logitspec.serving.programs.spelling import HIDDEN, in_quotes, quote_token, write_tokens
from logitspec.serving.programs.tools import Tools

PAGE = (ROOT / "logitspec/serving/programs/README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:7860"
RECORDED = sorted((ROOT / "assets/traces").glob("*.json.gz"))

SENTENCES = """
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { countTexts } from "./assets/player/numbers.js";
import { stepSentence, storySentence } from "./assets/player/sentence.js";
import { appendSteps, createTrace } from "./assets/player/trace.js";

const sentences = process.argv.slice(1).map((file) => {
  const bytes = readFileSync(file);
  const data = JSON.parse(file.endsWith(".gz") ? gunzipSync(bytes) : bytes);
  const trace = createTrace(data);
  appendSteps(trace, data.steps);
  const { mean, acceptance, rate } = countTexts(trace, trace.steps.length);
  const said = trace.steps.map((_, at) => [stepSentence(trace, at + 1), storySentence(trace, at + 1)]);
  return [...said, [mean, acceptance || "", rate]];
});
process.stdout.write(JSON.stringify(sentences));
"""


def player_sentences(files: list[Path]) -> list[list[list[str]]]:
    """By file and step, both sentences, as the player's script writes them; last, the numbers of the run."""
    program = machine.node()
    assert program is not None
    command = [program, "--no-warnings", "--input-type=module", "-e", SENTENCES]
    process = subprocess.run(
        [*command, *map(str, files)], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert process.returncode == 0, process.stderr
    sentences: list[list[list[str]]] = json.loads(process.stdout)
    return sentences


def own_sentences(trace: Trace) -> list[list[str]]:
    numbers = range(1, len(trace.steps) + 1)
    said = [[step_sentence(trace, each), story_sentence(trace, each)] for each in numbers]
    words = Numbers.of(trace).words()
    found = [
        re.search(each, words) for each in (r"(\S+) mean", r"accepted \((.+)\);", r"(\S+) tokens/s")
    ]
    return [*said, [each[1] if each else "" for each in found]]


def test_the_sentences_are_those_of_the_player_for_every_recorded_step() -> None:
    assert len(RECORDED) > 20
    expected = player_sentences(RECORDED)
    assert sum(map(len, expected)) > 500
    for file, sentences in zip(RECORDED, expected, strict=True):
        assert own_sentences(Trace.open(file)) == sentences, file.name


# Spellings of tokens: half characters, invisible ones, very long ones, empty ones.
HARD: list[str | bytes] = [
    "a\nb\tc", "\u202eabc\u0007", "é", b"\xc3", b"\xa9", b"\xf0\x9f\xa6", b"\x8a", b"\xff\xfe",
    "x" * 60, "🦊" * 30, "🦊" * 50, b"\xff" * 40, "\ufeff", "", " word", b"ab\xe2\x82",
    " \u05e9\u05dc\u05d5\u05dd", "\u0633\u0644\u0627\u0645, ok", "\U0001e900", "\u200f",
]  # fmt: skip


def test_hard_tokens_are_written_as_the_player_does(tmp_path: Path) -> None:
    trace = Trace.open(RECORDED[0])
    names = sorted(trace.vocabulary)
    for place, name in enumerate(names):
        text = HARD[place % len(HARD)]
        trace.vocabulary[name] = text.encode() if isinstance(text, str) else text
    for name in names[:: len(HARD) + 1]:
        del trace.vocabulary[name]
    trace.finish = None
    file = tmp_path / "hard.json"
    file.write_text(trace.to_json(), encoding="utf-8")
    (expected,) = player_sentences([file])
    assert own_sentences(trace) == expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.00025, "0.3 ms"),
        (0.0123, "12.3 ms"),
        (0.03415, "34.2 ms"),
        (0.1005, "101 ms"),
        (2.0, "2,000 ms"),
    ],
)
def test_milliseconds_are_rounded_as_in_a_browser(seconds: float, words: str) -> None:
    assert milliseconds(seconds) == words


@pytest.mark.parametrize(
    ("tokens", "passes", "drafted", "seconds", "words"),
    [
        (17, 8, 16, 1.0, "17 tokens in 8 forward passes: 2.13 mean accepted tokens; 9 of 16 drafts accepted"
         " (56.3%); 17.0 tokens/s"),
        (1, 1, 0, 0.5, "1 token in 1 forward pass: 1.00 mean accepted tokens; 0 of 0 drafts accepted; 2.0 tokens/s"),
    ],
)  # fmt: skip
def test_numbers_are_rounded_once_and_as_in_a_browser(
    tokens: int, passes: int, drafted: int, seconds: float, words: str
) -> None:
    accepted = tokens - passes
    mean, share = tokens / passes, accepted / drafted if drafted else 0.0
    numbers = Numbers(tokens, passes, mean, drafted, accepted, share, seconds, tokens / seconds)
    assert numbers.words() == words


def test_what_is_written_from_right_to_left_is_isolated_in_quotes() -> None:
    """As Unicode's own table says; marks without a shape are spelt out and stand in no quotes."""
    for letter in map(chr, range(0x110000)):
        way = unicodedata.bidirectional(letter)
        if way in ("R", "AL") and not HIDDEN.search(letter):
            assert in_quotes(f"a{letter}b") == f'"\u2068a{letter}b\u2069"', ascii(letter)
        elif way == "L":
            assert in_quotes(letter) == f'"{letter}"', ascii(letter)


def test_a_token_without_a_spelling_is_its_number() -> None:
    trace = Trace("logitspec", [1, 2], 1, vocabulary={1: b"one"})
    assert quote_token(trace, 2) == '"⟨#2⟩"'
    assert write_tokens(trace, [1, 2]) == "one⟨#2⟩"
    assert write_tokens(trace, []) == ""


# Signatures


def test_every_tool_describes_its_parameters_and_its_answer(loaded: list[str]) -> None:
    for name, (_, about) in signatures(Tools(Host("tiny"))).items():
        assert about.name == name
        assert about.about.endswith(".")
        assert set(about.output_schema()["required"]) == set(about.output_schema()["properties"])
    assert loaded == []


# Gradio's API


@cache
def client(url: str) -> Client:
    return Client(url, verbose=False)


def predict(url: str, *values: Any, **named: Any) -> Any:
    return client(url).predict(*values, **named)


def test_endpoints_have_the_names_of_the_tools(url: str) -> None:
    about = client(url).view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(about) == {"/generate", "/generate_text", "/compare_methods", "/explain_step"}
    parameters = {each["parameter_name"]: each for each in about["/generate_text"]["parameters"]}
    assert parameters["prompt"]["parameter_has_default"] is False
    assert parameters["max_new_tokens"]["type"] == {"type": "integer"}
    assert parameters["method"]["parameter_default"] == "logitspec"


def test_an_endpoint_refuses_in_one_sentence(url: str) -> None:
    with pytest.raises(AppError, match="There is no method 'magic'; choose one of"):
        predict(url, "A", method="magic", api_name="/generate_text")
    with pytest.raises(AppError, match="max_new_tokens can't be used"):
        predict(url, "A", max_new_tokens=5000, api_name="/generate_text")


def test_every_method_runs_by_its_name(url: str) -> None:
    texts = {
        predict(url, "Count to ten.", method=method, max_new_tokens=6, api_name="/generate_text")[
            "text"
        ]
        for method in METHODS
    }
    assert len(texts) == 1


# The documentation


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def test_the_documentations_code_runs(url: str) -> None:
    names: dict[str, Any] = {}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        over_mcp, *others = blocks("python")
        for code in others:
            exec(code.replace(ADDRESS, url), names)
    process = subprocess.run(
        [sys.executable, "-c", over_mcp.replace(ADDRESS, url)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "['generate_text', 'compare_methods', 'explain_step']" in process.stdout
    assert f"{url}/?run=" in process.stdout
    assert names["answer"]["text"] in process.stdout
    assert names["trace"]["finish"] == "length"
    assert "wrote the same, token for token (24 tokens)." in out.getvalue()


def test_the_documentation_names_every_tool_and_every_file() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)
    assert listed == [name for name in vars(Tools) if not name.startswith("_")]
    files = set(re.findall(r"`(\w+\.py)`", PAGE))
    folder = ROOT / "logitspec/serving/programs"
    assert files == {each.name for each in folder.glob("*.py")} - {"__init__.py", "package.py"}


# The option


def test_the_option_says_what_to_install_where_the_package_is_missing(tmp_path: Path) -> None:
    code = (
        "import sys, importlib.metadata as m\n"
        "real = m.version\n"
        "def version(name):\n"
        "    if name == 'mcp': raise m.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "m.version = version\n"
        "import app\n"
        "sys.exit(app.main(['--mcp', '--port', '0']))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert process.stderr == (
        "Tools over MCP need the package mcp, which is missing; install it with `pip install"
        " 'mcp>=1.30,<2'`.\n"
    )
