"""The method that logitspec/drafters/README.md adds is one file, and everything finds it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
from support.app import ROOT

pytestmark = pytest.mark.long
PAGE = ROOT / "logitspec" / "drafters" / "README.md"
PROMPT = "Write a short story about a fox."

# In one process of the copy, since most of its time is the start: what each part of the project makes of it.
EVERYWHERE = """
import contextlib, io, json, sys
import pytest

def printed(function, *arguments):
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out):
        function(*arguments)
    out.seek(0)
    return out.read()

# pytest complains about what was imported before it.
collect = ["--collect-only", "-q", "-p", "no:cacheprovider", "tests/test_conformance.py"]
conformance = printed(pytest.main, collect)

from logitspec import load
from logitspec.__main__ import main
from logitspec.decoding.race import begin_race, run_race
from logitspec.measure.benchmark.runs import CONTENDERS
from logitspec.models import encode_prompt
from logitspec.serving.host import Host
from logitspec.ui.page import build

prompt = sys.argv[1]
command = [prompt, "--max-new-tokens", "60", "--json", "--method"]
terminal = {
    name: json.loads(printed(main, [*command, name]).splitlines()[-1])
    for name in ("echo", "autoregressive")
}
target, tokenizer = load()
race = begin_race(target, encode_prompt(tokenizer, prompt), ["echo", "autoregressive"], 40)
list(run_race(target, race))
widgets = [each["props"] for each in build(Host()).get_config_file()["components"]]
chosen_from = [dict(map(tuple, each["choices"])) for each in widgets if each.get("choices")]
print(json.dumps({
    "terminal": terminal,
    "differs_at": race.verdict.differs_at,
    "steps": len(race.traces[0].steps),
    "contenders": CONTENDERS,
    "offers": sum(choices.get("Echo") == "echo" for choices in chosen_from),
    "conformance": conformance,
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of the project makes of the method of the page, which is its only new file."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("logitspec", "tests"):
        ignore = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    (folder / "assets").symlink_to(ROOT / "assets")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (source,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    (folder / "logitspec" / "drafters" / "echo.py").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", EVERYWHERE, PROMPT],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return document


def test_the_terminal_runs_it_and_it_writes_what_plain_decoding_writes(
    found: dict[str, Any],
) -> None:
    echo, plain = (found["terminal"][name] for name in ("echo", "autoregressive"))
    assert echo["output_ids"] == plain["output_ids"]
    assert echo["options"] == {"num_pred_tokens": 4}
    assert echo["summary"]["accepted"] > 0


def test_a_race_and_the_benchmark_take_it(found: dict[str, Any]) -> None:
    assert found["differs_at"] is None
    assert found["steps"] < 40
    assert "echo" in found["contenders"]


def test_the_page_offers_it_for_a_run_and_for_each_lane_of_a_race(found: dict[str, Any]) -> None:
    assert found["offers"] == 5


def test_conformance_holds_it_to_plain_decoding(found: dict[str, Any]) -> None:
    assert "echo" in found["conformance"]
