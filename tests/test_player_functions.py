"""The player's pure functions, under Node's own test runner."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support import machine

FOLDER = Path(__file__).parent / "scripts"


def test_functions_of_the_player() -> None:
    node = machine.node()
    if node is None:
        pytest.fail("There is no Node 20 or later, not even Playwright's.", pytrace=False)
    files = sorted(map(str, FOLDER.glob("*.test.js")))
    assert files
    done = subprocess.run(
        [node, "--no-warnings", "--test", *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
