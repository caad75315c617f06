"""Runs one of the scripts in this folder: `python tests/measure NAME [options]`; without a name, lists them."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = sorted(file for file in HERE.glob("*.py") if not file.name.startswith("_"))


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in [script.stem for script in SCRIPTS]:
        for script in SCRIPTS:
            doc = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
            print(f"{script.stem:<10}{doc.splitlines()[0]}")
        sys.exit(2 if name else 0)
    sys.argv[:2] = [f"{Path(sys.argv[0]).name} {name}"]
    sys.path[:1] = [str(HERE.parents[1]), str(HERE.parent)]  # for logitspec and for support
    runpy.run_module(f"measure.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
