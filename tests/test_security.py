"""Every promise of the page on security names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "logitspec" / "serving" / "SECURITY.md").read_text(encoding="utf-8")


def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_every_promise_names_tests_that_exist() -> None:
    promises = [row.split("|") for row in PAGE.splitlines() if row.startswith("| ")][1:]
    assert len(promises) > 8
    assert all("`tests/" in row[2] for row in promises)
    named = re.findall(r"`(tests/\w+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) > 20
    missing = [each for each in named if each[1] and each[1] not in names_in(each[0])]
    assert missing == []
    assert all((ROOT / file).is_file() for file, _ in named)
