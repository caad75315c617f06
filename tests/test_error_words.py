"""Error sentences in the visitor's language: as they are really raised, and every one of the catalogue."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import machine
from support.sentences import CASES, NAME

from logitspec.decoding.race import _titles
from logitspec.drafters import METHODS, option_fields
from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS
from logitspec.publish.catalogue import texts

ROOT = ASSETS.parent
ENGLISH = {key: text for key, text in texts("en").items() if key.startswith("errors.")}
OTHERS = ["de", "zh-Hans"]

RAISED = ("LogitSpecError", "FollowError", "Refusal")
# Readers of the sentences of other files or functions, which never reach a visitor of the page.
ELSEWHERE = {
    "app.py": "the person who starts the app",
    "logitspec/builtin/": "a terminal",
    "logitspec/decoding/engine.py:_step": "Python: a drafter of one's own",
    "logitspec/decoding/engine.py:_token_ids": "Python",
    "logitspec/decoding/target.py": "Python",
    "logitspec/drafters/registry.py": "programs: the page offers what there is",
    "logitspec/files.py": "a terminal",
    "logitspec/generation.py": "Python",
    "logitspec/measure/": "a terminal",
    "logitspec/models/checks.py:refuse_model": "Python: the page loads models with an attention that takes trees",
    "logitspec/models/devices.py:choose_device": "the person who starts the app",
    "logitspec/models/devices.py:choose_dtype": "the person who starts the app",
    "logitspec/models/devices.py": "the person who starts the app",
    "logitspec/models/resolve.py:resolve": "the person who starts the app",
    "logitspec/prompts.py": "a terminal",
    "logitspec/publish/": "a terminal",
    "logitspec/runtime/runner.py": "Python",
    "logitspec/serving/gate.py": "programs, and other sites",
    "logitspec/serving/programs/": "programs",
    "logitspec/serving/request.py": "programs",
    "logitspec/trace/records.py": "a terminal: the page reads files by itself",
    "logitspec/trace/schema.py": "a terminal: the page reads files by itself",
    "logitspec/trace/sampling.py": "Python: the page has a temperature and a seed",
    "logitspec/trace/tree.py": "Python",
}


def forms(key: str, language: str = "en") -> list[str]:
    text = texts(language)[key]
    return list(text.values()) if isinstance(text, dict) else [text]


def fits(key: str, text: str, language: str = "en") -> bool:
    return any(
        re.fullmatch(" ?(.+?) ?".join(map(re.escape, re.split(r" ?\{[^}]*\} ?", form))), text)
        for form in forms(key, language)
    )


def raised(provoke: object, folder: Path) -> str:
    try:
        return str(provoke(folder))  # type: ignore[operator]
    except LogitSpecError as error:
        return str(error)


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [raised(provoke, tmp_path_factory.mktemp("case")) for _, provoke in CASES]


# Other texts from Python, and the German for each.
TEXTS = {
    "a birthday (Conversation, SmolLM2-135M-Instruct)": "ein Geburtstag (Gespräch, SmolLM2-135M-Instruct)",
    "Conversation: a birthday": "Gespräch: ein Geburtstag",
    "1 to 4,096": "1 bis 4.096",
    "LogitSpec (paper) drafted 39,186 tokens in 622 steps, and 1,310 of them (3.3%) were accepted: 155 of origin"
    " “Runner-up”, 1,155 of origin “Copied n-gram”. 51.0% of the steps accept a draft, 15.3% accept four or more.": (
        "LogitSpec (Paper) erzeugte in 622 Schritten 39.186 Drafts, 1.310 davon (3,3\u00a0%) wurden akzeptiert: 155 der"
        " Herkunft „Alternative“, 1.155 der Herkunft „Kopiertes N-Gramm“. 51,0\u00a0% der Schritte akzeptieren einen"
        " Draft, 15,3\u00a0% vier oder mehr."
    ),
    "3 of 42 prompts; Conversation, plain decoding": "3 von 42 Prompts; Gespräch, einfaches Decodieren",
    "0 of 1 prompts; timing forwards": "0 von 1 Prompts; Messung der Durchläufe",
    # Not an error of a prompt, "Prompt 7: ...".
    "Prompt lookup drafted 15,420 tokens in 2,642 steps, and 2,145 of them (13.9%) were accepted: 2,145 of origin"
    " “Copied n-gram”. 19.9% of the steps accept a draft, 8.7% accept four or more.": (
        "Prompt Lookup erzeugte in 2.642 Schritten 15.420 Drafts, 2.145 davon (13,9\u00a0%) wurden akzeptiert: 2.145 der"
        " Herkunft „Kopiertes N-Gramm“. 19,9\u00a0% der Schritte akzeptieren einen Draft, 8,7\u00a0% vier oder mehr."
    ),
    "a/b (8.0 B, Llama licence, about 19.3 GB in bfloat16, gated)": (
        "a/b (8,0 Mrd., Llama-Lizenz, etwa 19,3 GB in bfloat16, nur nach Zustimmung)"
    ),
    "a/b: 1,235 million parameters in bfloat16, sdpa attention, on cpu. Outputs equal plain decoding's, token for token,"
    " in bfloat16 too.": (
        "a/b: 1.235 Millionen Parameter in bfloat16, Attention sdpa, auf cpu. Die Ausgaben sind auch in bfloat16 Token"
        " für Token die des einfachen Decodierens."
    ),
    # Texts that are their writers' own.
    "someone: something else": "someone: something else",
    "the mean of 3 (of 4), as it was": "the mean of 3 (of 4), as it was",
}


def said_by_page(function: str, written: list[str], language: str) -> list[str]:
    """What a function of the page makes of texts."""
    program = (
        f"import {{ {function} }} from {json.dumps((ASSETS / 'page' / 'translated.js').as_uri())};\n"
        'import { readFileSync } from "node:fs";\n'
        f'console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map({function})));\n'
    )
    node = machine.node()
    assert node is not None
    done = subprocess.run(
        [node, "--no-warnings", "--input-type=module", "--eval", program],
        input=json.dumps(written),
        env={**os.environ, "LOGITSPEC_LANGUAGE": language},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    said: list[str] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def translations(sentences: list[str]) -> dict[str, list[str]]:
    """The same texts as the page says them, by language."""
    return {each: said_by_page("translated", [*sentences, *TEXTS], each) for each in OTHERS}


@pytest.mark.parametrize("language", OTHERS)
def test_titles_of_lanes_with_own_options_are_in_the_language(language: str) -> None:
    own, english = texts(language), texts("en")
    keys = {text: key for key, text in english.items() if key.startswith("watch.option-")}
    entries = [
        (method, {field.name: list(value) if isinstance(value, tuple) else value})
        for method, each in METHODS.items()
        for field in option_fields(each)
        for value in [field.default, *field.metadata["choices"]]
    ]
    assert len(entries) > 40
    titles = [_titles([entry])[0] for entry in entries]
    values = {True: "on", False: "off"}
    for (method, options), title in zip(
        entries, said_by_page("translatedPart", titles, language), strict=True
    ):
        ((name, value),) = options.items()
        begin = f"{own[f'step.method-{method}']}{own['player.comma']}{own[keys[name.replace('_', ' ').capitalize()]]} "
        assert title.startswith(begin)
        word = f"watch.choice-{values.get(value, value) if isinstance(value, bool) else value}"
        if word in own:
            assert title == f"{begin}{own[word]}"
    twice = _titles([("logitspec", {"tree_size": "measured", "copies": False})] * 2)
    expected = {
        "de": "LogitSpec (unseres), Baumgröße gemessen, Kopien aus, Bahn 2",
        "zh-Hans": "LogitSpec（我们的），树的大小 实测，复制 关，赛道 2",
    }[language]
    assert said_by_page("translatedPart", twice, language)[1] == expected


@pytest.mark.parametrize("number", range(len(CASES)), ids=[keys for keys, _ in CASES])
def test_what_is_raised_is_said_in_every_language(
    number: int, sentences: list[str], translations: dict[str, list[str]]
) -> None:
    said = sentences[number]
    first, *inner = (f"errors.{key}" for key in CASES[number][0].split())
    assert fits(first, said), said
    for language in OTHERS:
        own = translations[language][number]
        assert fits(first, own, language), own
        for key in inner:
            assert any(re.split(r" ?\{[^}]*\}", form)[0] in own for form in forms(key, language)), (
                own
            )
        assert (NAME in own) == (NAME in said)


def test_numbers_have_the_marks_of_the_language(
    sentences: list[str], translations: dict[str, list[str]]
) -> None:
    def of(key: str) -> str:
        return translations["de"][[keys for keys, _ in CASES].index(key)]

    assert "4.096" in of("new-tokens")
    assert "5.000" in of("new-tokens")
    assert "1,5" in of("option-range")
    assert "0,0 bis 1,0" in of("option-range")
    assert "1.234,5 MB" in of("model-file fault-cut-off")
    assert "1.520,0 GB" in of("hub-disk")
    assert str(2**63) in of("seed-range")  # a digit less would be another seed


def test_every_text_of_the_room_is_a_part_of_what_is_raised() -> None:
    shown = {f"errors.{key}" for keys, _ in CASES for key in keys.split()}
    assert ENGLISH.keys() - shown == {"errors.busy", "errors.no-connection"}  # Gradio's own


def samples(value: ast.expr) -> list[str]:
    """What an f-string makes of some values; nothing for any other expression."""
    if isinstance(value, ast.Constant):
        return [str(value.value)]
    if not isinstance(value, ast.JoinedStr):
        return []
    return [
        "".join(
            str(each.value) if isinstance(each, ast.Constant) else sample for each in value.values
        )
        for sample in ("x", " ")  # a place may be empty
    ]


def raising() -> Iterator[tuple[str, str, list[str]]]:
    """File, function and sentence of every error for people in the code."""
    for file in [ROOT / "app.py", *sorted((ROOT / "logitspec").rglob("*.py"))]:
        name = file.relative_to(ROOT).as_posix()
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and ast.unparse(node.func) in RAISED:
                        yield name, function.name, samples(node.args[-1])


def test_whatever_a_visitor_may_meet_is_in_the_catalogue() -> None:
    """A new sentence is one of the room's, or its file is named above with who sees it instead."""
    left, elsewhere = set(), set()
    for name, function, said in raising():
        if not said or any(fits(key, each) for key in ENGLISH for each in said):
            continue
        at = {each for each in ELSEWHERE if f"{name}:{function}:".startswith(each.rstrip(":"))}
        elsewhere |= at
        if not at:
            left.add((name, function, said[0]))
    assert left == set()
    assert elsewhere == ELSEWHERE.keys()


def test_other_texts_of_python_are_found_by_their_parts(translations: dict[str, list[str]]) -> None:
    assert translations["de"][len(CASES) :] == list(TEXTS.values())


def test_chinese_has_no_space_beside_a_value_in_chinese(translations: dict[str, list[str]]) -> None:
    said = dict(zip(TEXTS, translations["zh-Hans"][len(CASES) :], strict=True))
    drafted = next(text for text in TEXTS if text.startswith("LogitSpec"))
    assert said[drafted].startswith("LogitSpec（论文）在 622 步中草拟了 39,186 个词元，")
    assert said["1 to 4,096"] == "1 到 4,096"
