"""The method that logitspec/drafters/README.md adds is one file, and everything finds it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.app import ROOT

PAGE = ROOT / "logitspec" / "drafters" / "README.md"
PROMPT = "Write a short story about a fox."

RACE = """
from logitspec import load
from logitspec.decoding.race import begin_race, run_race
from logitspec.models import encode_prompt
target, tokenizer = load()
race = begin_race(target, encode_prompt(tokenizer, "Write a short story."), ["echo", "autoregressive"], 40)
list(run_race(target, race))
assert race.verdict.differs_at is None, race.verdict
echo = race.traces[0]
assert len(echo.steps) < 40, "nothing was accepted"
print(race.titles[0])
"""

BENCHMARK = """
from logitspec.measure.benchmark.runs import CONTENDERS
print("echo" in CONTENDERS)
"""

WIDGETS = """
from logitspec.serving.host import Host
from logitspec.ui.page import build
config = build(Host()).get_config_file()
radios = [c["props"] for c in config["components"] if c["type"] == "radio"]
lanes = [c["props"] for c in config["components"] if c["type"] == "dropdown"]
print(any(["Echo", "echo"] in list(map(list, p["choices"])) for p in radios),
      sum(["Echo", "echo"] in list(map(list, p["choices"])) for p in lanes))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the method of the page, and no other file touched."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("logitspec", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "assets").symlink_to(ROOT / "assets")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (source,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    (folder / "logitspec" / "drafters" / "echo.py").write_text(source, encoding="utf-8")
    return folder


def run(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_terminal_runs_it_and_it_writes_what_plain_decoding_writes(project: Path) -> None:
    command = ["-m", "logitspec", PROMPT, "--max-new-tokens", "60", "--json", "--method"]
    echo, plain = (
        json.loads(run(project, *command, name).splitlines()[-1])
        for name in ("echo", "autoregressive")
    )
    assert echo["output_ids"] == plain["output_ids"]
    assert echo["options"] == {"num_pred_tokens": 4}
    assert echo["summary"]["accepted"] > 0


def test_a_race_and_the_benchmark_take_it(project: Path) -> None:
    assert run(project, "-c", RACE).strip() == "Echo"
    assert run(project, "-c", BENCHMARK).strip() == "True"


def test_the_page_offers_it(project: Path) -> None:
    assert run(project, "-c", WIDGETS).strip() == "True 4"


def test_conformance_holds_it_to_plain_decoding(project: Path) -> None:
    command = ["-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    collected = run(project, *command, "tests/test_conformance.py")
    assert "echo" in collected
