"""The page's scripts under Node's test runner, a type checker and a linter, and how they become one script."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support import cached, machine, scripts

from logitspec.paths import ASSETS
from logitspec.publish.modules import bundle, graph, inline_modules, inline_styles


def node() -> str:
    result = machine.node()
    assert result is not None, "There is no Node 20 or later, not even Playwright's."
    return result


def test_functions_of_the_scripts() -> None:
    files = sorted(map(str, (cached.ROOT / scripts.FOLDER).glob("*.test.js")))
    assert files
    command = [node(), "--no-warnings", "--test", *files]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_type_checker_and_linter_find_nothing() -> None:
    """One test, so that no two install the tools at the same time."""
    types = ["typescript/bin/tsc", "--project", "tests/scripts/tsconfig.json"]
    lint = ["eslint/bin/eslint.js", "--config", "tests/scripts/eslint.config.js"]
    assert scripts.failure("tsc", *types) == ""
    assert scripts.failure("eslint", *lint, "assets", "tests/scripts") == ""


@pytest.mark.parametrize(
    "entry", ["page/page.js", "player/standalone.js", "take/draw.js", "take/shoot.js"]
)
def test_every_import_leads_to_a_file_and_none_in_a_circle(entry: str) -> None:
    files = graph(ASSETS / entry)
    assert files[-1] == ASSETS / entry
    assert all(file.is_file() for file in files)
    assert len(set(files)) == len(files)


# The one script of an exported page


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_modules_keep_their_names_to_themselves(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "data.json": '{"word": "</script>"}',
            "one/a.js": (
                'import data from "../data.json" with { type: "json" };\n'
                "const own = 1;\nexport const word = data.word;\nexport async function later() { return own; }\n"
            ),
            "two/b.js": (
                'import {\n  later,\n  word as text,\n} from "../one/a.js";\n'
                "const own = 2;\nexport class Pair { both = [own, text]; }\n"
                "export function next() { return later(); }\n"
            ),
            "main.js": (
                'import { later } from "./one/a.js";\nimport { Pair, next } from "./two/b.js";\n'
                "console.log(JSON.stringify([new Pair().both, await_(next), typeof own]));\n"
                "function await_(f) { return f().constructor === later().constructor; }\n"
            ),
        },
    )
    text = inline_modules(tmp_path / "main.js")
    assert "import" not in text
    assert "export" not in text
    assert "</script" not in text
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", text],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == '[[2,"</script>"],true,"undefined"]\n'


def test_parts_share_the_modules_of_a_bundle_and_the_error_of_one_stops_no_other(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        {
            "page/page.js": 'import { names } from "./names.js";\nexport function add(name) { names.push(name); }\n',
            "page/names.js": "export const names = [];\n",
            "a/tab.js": 'import { add } from "../page/page.js";\nadd("a");\nthrow new Error("a fails");\n',
            "b/tab.js": (
                'import { add } from "../page/page.js";\nawait null;\nadd("b");\n'
                "console.log(typeof import.meta.url);\n"
            ),
        },
    )
    parts = [tmp_path / "a/tab.js", tmp_path / "b/tab.js"]
    (tmp_path / "all.mjs").write_text(bundle(tmp_path / "page/page.js", parts))
    (tmp_path / "run.mjs").write_text(
        "globalThis.reportError = (error) => console.log(error.message);\n"
        'const { add, modules } = await import("./all.mjs");\nadd("c");\n'
        'setTimeout(() => console.log(modules["page/names.js"].names.join()));\n'
    )
    done = subprocess.run(
        [node(), tmp_path / "run.mjs"], capture_output=True, text=True, check=True
    )
    *meanwhile, last = done.stdout.splitlines()
    assert sorted(meanwhile) == ["a fails", "string"]
    assert last == "a,b,c"


def test_a_circle_of_imports_is_refused(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.js": 'import { b } from "./b.js";\nexport const a = 1;\n',
            "b.js": 'import { a } from "./a.js";\nexport const b = 1;\n',
        },
    )
    with pytest.raises(ValueError, match=r"a\.js -> b\.js -> a\.js"):
        inline_modules(tmp_path / "a.js")


def test_style_sheets_stand_where_they_are_imported(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "all.css": '@import "./first.css";\n@import "./more/second.css";\nlast {}\n',
            "first.css": "first {}\n",
            "more/second.css": '@import "../first.css";\nsecond {}\n',
        },
    )
    assert (
        inline_styles(tmp_path / "all.css").split() == "first {} first {} second {} last {}".split()
    )
