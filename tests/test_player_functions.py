"""The player's pure functions, under Node's own test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "scripts"


def test_functions_of_the_player() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.fail(
            "No node on PATH: install Node 20 or newer, the player's tests need it.", pytrace=False
        )
    files = sorted(map(str, FOLDER.glob("*.test.mjs")))
    assert files
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
