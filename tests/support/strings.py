"""Where the page's texts are used, and strings that look like texts missing from the catalogue."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from logitspec.paths import ASSETS
from logitspec.publish.modules import WORDS

ROOT = ASSETS.parent
ROOMS = sorted(file.stem for file in (WORDS / "en").glob("*.json"))
_ROOM = "|".join(ROOMS)
# After a quotation mark or, in markup, two braces: a key, or the beginning of one that is assembled.
KEY = re.compile(
    rf"""(?:["'`]|\{{\{{)((?:{_ROOM})\.(?!(?:js|css|json|html|launch)\b)(?:[a-z0-9][\w-]*)?)(\$?\{{)?"""
)

# A line comment begins a line or follows a space; in an address the two slashes follow a colon.
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\w\"'`])//[^\n]*", re.S)
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
CODE = re.compile(r"[{}<>=;|#@*\\]|--|\$\{|::|https?:|\.(?:js|json|css)\b|^\W|^(?:ls|lr)-|\bvar\(")
TWO_WORDS = re.compile(r"\b[A-Za-z]{2,}[,.]?(?: 1)* [a-z]{2,}\b")
ONE_WORD = re.compile(r"^[A-Z][a-z]{2,}[.:…]?$")


def scripts() -> list[Path]:
    """The page's scripts."""
    return sorted(ASSETS.glob("*/*.js"))


def python() -> list[Path]:
    """The page's Python."""
    return sorted((ROOT / "logitspec" / "ui").rglob("*.py"))


def markup() -> list[Path]:
    return sorted(ASSETS.glob("*/*.html"))


def keys(text: str) -> tuple[set[str], set[str]]:
    """Keys that a source names, and the beginnings of those that it assembles."""
    found = [(key, bool(goes_on) or key.endswith("-")) for key, goes_on in KEY.findall(text)]
    return {key for key, goes_on in found if not goes_on}, {
        key for key, goes_on in found if goes_on
    }


def looks_visible(text: str) -> bool:
    """Whether a string reads like text for people, or has quotation marks, which every language has its own of."""
    if re.search("[“”„]", text):
        return True
    plain = re.sub(r"\$\{[^}]*\}", "1", text).strip()
    if CODE.search(plain):
        return False
    return bool(TWO_WORDS.search(plain) or ONE_WORD.match(plain))


def left_in_script(text: str) -> Iterator[str]:
    """Strings of a script that look like texts."""
    for line in COMMENT.sub("", text).split("\n"):
        if re.match(r"import |\s*\*", line):
            continue
        for literal in LITERAL.finditer(line):
            value = literal[1] if literal[1] is not None else literal[2]
            if looks_visible(value):
                yield value


def left_in_python(text: str) -> Iterator[str]:
    """Strings of a Python file that look like texts, except docstrings and strings that are raised or logged."""
    tree = ast.parse(text)
    apart: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            if isinstance(first, ast.Expr):
                apart.add(id(first.value))
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
        ):
            apart.update(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and id(node) not in apart and looks_visible(value):
            yield value


def left_in_markup(text: str) -> Iterator[str]:
    """Texts between tags and in attributes."""
    said = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', text)
    for each in [*re.findall(r">([^<>]+)<", f">{text}<"), *said]:
        if re.search(r"[A-Za-z]{2}", re.sub(r"\{\{?[\w.-]+\}\}?", "", each)):
            yield each.strip()
