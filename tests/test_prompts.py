"""Files of prompts as users bring them: lines end at line feeds, types are checked, the line is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.errors import one_sentence

from logitspec import LogitSpecError
from logitspec.prompts import Prompt, read_prompts

GOOD: dict[str, Any] = {"question_id": 1, "category": "qa", "turns": ["A"]}


def read(tmp_path: Path, content: bytes | str) -> list[Prompt]:
    file = tmp_path / "question.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_prompts(file)


def line(ascii_only: bool = False, **values: Any) -> str:
    return json.dumps({**GOOD, **values}, ensure_ascii=ascii_only)


@pytest.mark.parametrize(
    "end", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"]
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_unicode_takes_for_the_end_of_a_line_does_not_end_one(
    tmp_path: Path, end: str, ascii_only: bool
) -> None:
    if end < " ":
        ascii_only = True  # JSON wants control characters escaped
    rows = [line(ascii_only, turns=[f"A{end}B", end + "C"]), line(ascii_only, question_id=2)]
    result = read(tmp_path, "\n".join(rows))
    assert result == [Prompt(1, "qa", "", f"A{end}B", (end + "C",)), Prompt(2, "qa", "", "A")]


@pytest.mark.parametrize(
    ("before", "between", "after"),
    [
        ("\ufeff", "\n", "\n"),
        ("", "\r\n", "\r\n"),
        ("\ufeff", "\r\n", ""),
        ("\n \n", "\n\n", "\n\t\n"),
    ],
)
def test_byte_order_marks_carriage_returns_and_empty_lines(
    tmp_path: Path, before: str, between: str, after: str
) -> None:
    result = read(tmp_path, before + between.join([line(), line(question_id=2)]) + after)
    assert [each.question_id for each in result] == [1, 2]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (line(turns="abc"), "turns must be a list of one or more strings"),
        (line(turns=[]), "turns must be a list of one or more strings"),
        (line(turns=None), "turns must be a list of one or more strings"),
        (line(turns={"0": "A"}), "turns must be a list of one or more strings"),
        (line(turns=["A", 1]), "turns must be a list of one or more strings"),
        (line(turns=["A", None]), "turns must be a list of one or more strings"),
        (line(turns=[["A"]]), "turns must be a list of one or more strings"),
        (line(turns=["A", " \n"]), "one of its turns is empty"),
        (line(turns=[""]), "one of its turns is empty"),
        (line(category=None), "category must be a string"),
        (line(category=7), "category must be a string"),
        (line(category=["qa"]), "category must be a string"),
        (line(category="overall"), "the category 'overall' stands for all of them; rename it"),
        (line(category="a\nb"), r"the category 'a\nb' can't be printed on one line; rename it"),
        (line(category="\x1b[31mqa"), "can't be printed on one line"),
        (line(category="\x9b31mqa"), "can't be printed on one line"),
        (line(True, category="\ud800"), "can't be printed on one line"),
        (line(title=None), "title must be a string"),
        (line(question_id="1"), "question_id must be a whole number"),
        (line(question_id=1.5), "question_id must be a whole number"),
        (line(question_id=True), "question_id must be a whole number"),
        (line(question_id=None), "question_id must be a whole number"),
        ('{"category": "qa", "turns": ["A"]}', "question_id must be a whole number"),
        ('{"question_id": 1, "turns": ["A"]}', "category must be a string"),
        ('{"question_id": 1, "category": "qa"}', "turns must be a list"),
        ("[1, 2]", "a prompt is a JSON object with question_id, category and turns"),
        ('"A"', "a prompt is a JSON object"),
        ("null", "a prompt is a JSON object"),
        ('{"question_id": 1,', "is not JSON (Expecting"),
        ("Write a story.", "; a prompt is a JSON object with question_id, category and turns on one line."),
        ("question_id: 1", "is not JSON (Expecting value"),
        ("[" * 100_000, "is not JSON"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_prompt_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(LogitSpecError) as error:
        read(tmp_path, "\n".join([line(), "", row, line(question_id=4)]))
    assert "question.jsonl, line 3, is not " in str(error.value)
    assert message in str(error.value)
    one_sentence(error)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    for content in (line().encode("utf-16"), b"\xff\xfe\xfa", b"\x80abc"):
        with pytest.raises(LogitSpecError, match="is not UTF-8 text; save it as UTF-8") as error:
            read(tmp_path, content)
        one_sentence(error)
    for content in (b"", b"\n\n", b"\xef\xbb\xbf"):
        with pytest.raises(LogitSpecError, match="There is no prompt in"):
            read(tmp_path, content)
    with pytest.raises(LogitSpecError, match=r"Can't read .*Is a directory"):
        read_prompts(tmp_path)
