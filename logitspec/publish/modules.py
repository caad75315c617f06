"""ES modules and style sheets as one text, for pages that can fetch nothing.

Every module becomes a function that is called once, so that the names of a file stay local, and returns the file's
exports. Only the forms that the linter allows are understood: at the top of a file `import { a, b as c } from "./x.js"`
and `import name from "./x.json" with { type: "json" }`; further down `export` before a function, a class or a const.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from logitspec.paths import ASSETS

IMPORT = re.compile(
    r'^import (?:\{([^}]*)\}|(\w+)) from "(\.[^"]+)"(?: with \{ type: "json" \})?;\n', re.M
)
EXPORT = re.compile(r"^export (?=(?:async function|function\*?|class|const) ?(\w+))", re.M)
# A key of the word catalogue in a script; its first part is a room.
ROOM = re.compile(r"""["`'](\w+)\.""")
WORDS = ASSETS / "words"  # a folder for each language, a file for each room
DEFAULT_LANGUAGE = "en"
STYLE_IMPORT = re.compile(r'^@import "(\.[^"]+)";\n', re.M)


def graph(entry: Path) -> list[Path]:
    """The files of a module and all its imports, each after those that it imports itself.

    Raises ValueError if imports are circular.
    """
    files: list[Path] = []
    _visit(Path(os.path.normpath(entry)), files, [])
    return files


def _visit(file: Path, files: list[Path], importers: list[Path]) -> None:
    if file in importers:
        raise ValueError(
            "A cycle of imports: " + " -> ".join(each.name for each in [*importers, file])
        )
    if file in files:
        return
    if file.suffix == ".js":
        for _, _, name in IMPORT.findall(file.read_text(encoding="utf-8")):
            _visit(Path(os.path.normpath(file.parent / name)), files, [*importers, file])
    files.append(file)


def inline_modules(entry: Path, languages: Collection[str] = (DEFAULT_LANGUAGE,)) -> str:
    """The module `entry` and all its imports as one module that imports nothing.

    languages: those of the word catalogue to include, with the rooms that the scripts name.
    """
    files = graph(entry)
    root = _root(files)
    scripts = [file for file in files if file.suffix == ".js"]
    rooms = {room for file in scripts for room in ROOM.findall(file.read_text(encoding="utf-8"))}

    def is_wanted(file: Path) -> bool:
        language = file.parent
        return language.parent != WORDS or (language.name in languages and file.stem in rooms)

    return "\n".join(
        _scope(file, root) if is_wanted(file) else f"const {_name(file, root)} = {{}};\n"
        for file in files
    )


def bundle(entry: Path, parts: Sequence[Path]) -> str:
    """The module `entry`, then each of `parts`, and all their imports as one module that imports nothing. It exports
    what `entry` does, and as `modules` every module's exports by its path below their common folder.

    An error in a part is reported and stops only that part.
    """
    files = list(dict.fromkeys(file for each in (entry, *parts) for file in graph(each)))
    root = _root(files)
    scopes = [_scope(file, root, guarded=file in parts) for file in files]
    modules = {
        file.relative_to(root).as_posix(): _name(file, root)
        for file in files
        if file.suffix == ".js" and file not in parts
    }
    own = EXPORT.findall(entry.read_text(encoding="utf-8"))
    listed = ", ".join(f"{json.dumps(path)}: {name}" for path, name in modules.items())
    exports = f"export const {{ {', '.join(own)} }} = {_name(entry, root)};\n"
    return "\n".join([*scopes, exports, f"export const modules = {{ {listed} }};\n"])


def _root(files: list[Path]) -> Path:
    return Path(os.path.commonpath([file.parent for file in files]))


def _scope(file: Path, root: Path, guarded: bool = False) -> str:
    """A file as a function that is called immediately; the constant named after the file holds its exports.

    guarded: its errors are reported instead of raised, and it exports nothing.
    """
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        data = json.dumps(json.loads(text), ensure_ascii=False).replace("<", "\\u003c")
        return f"const {_name(file, root)} = {data};\n"

    def replace_import(match: re.Match[str]) -> str:
        names, whole, path = match.groups()
        source = _name(Path(os.path.normpath(file.parent / path)), root)
        names = names and " ".join(names.split()).rstrip(",").replace(" as ", ": ")
        return f"const {{ {names} }} = {source};\n" if names else f"const {whole} = {source};\n"

    exports = EXPORT.findall(text)
    body = EXPORT.sub("", IMPORT.sub(replace_import, text)).rstrip()
    if guarded:
        return f"(async () => {{\n{body}\n}})().catch(reportError);\n"
    return f"const {_name(file, root)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();\n"


def _name(file: Path, root: Path) -> str:
    return "$" + re.sub(r"\W", "_", file.relative_to(root).as_posix())


def inline_styles(entry: Path) -> str:
    """The style sheet `entry` with those that it imports in place of their imports."""
    text = entry.read_text(encoding="utf-8")
    return STYLE_IMPORT.sub(lambda match: inline_styles(entry.parent / match[1]), text)
