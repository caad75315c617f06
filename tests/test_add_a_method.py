"""The method that logitspec/drafters/README.md adds is one file, and everything finds it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.app import ROOT
from support.forks import Fork

PAGE = ROOT / "logitspec" / "drafters" / "README.md"
PROMPT = "Write a short story about a fox."


def report_from(folder: Path) -> int:
    """Print what each part of the project in `folder` makes of the method, as JSON."""
    for name in list(sys.modules):
        first = name.split(".")[0]
        if first in ("logitspec", "app", "support", "conftest") or first.startswith("test_"):
            del sys.modules[name]
    os.chdir(folder)
    sys.path[:0] = [str(folder)]

    from logitspec.__main__ import main
    from logitspec.decoding.race import begin_race, run_race
    from logitspec.measure.benchmark.runs import CONTENDERS
    from logitspec.models import encode_prompt, loader
    from logitspec.serving.host import Host
    from logitspec.ui.page import build

    assert Path(loader.__file__).is_relative_to(folder)
    loader.load = cache(loader.load)
    command = [PROMPT, "--max-new-tokens", "60", "--json", "--method"]
    terminal = {
        name: json.loads(output(main, [*command, name]).splitlines()[-1])
        for name in ("echo", "autoregressive")
    }
    target, tokenizer = loader.load()
    race = begin_race(target, encode_prompt(tokenizer, PROMPT), ["echo", "autoregressive"], 40)
    list(run_race(target, race))
    widgets = [each["props"] for each in build(Host()).get_config_file()["components"]]
    choices = [dict(map(tuple, each["choices"])) for each in widgets if each.get("choices")]
    # Files that the parent process left open are no fault here.
    without = ["-p", "no:cacheprovider", "-p", "no:unraisableexception"]
    collect = ["--collect-only", "-q", *without, "tests/test_conformance.py"]
    report = {
        "terminal": terminal,
        "differs_at": race.verdict.differs_at,
        "steps": len(race.traces[0].steps),
        "contenders": CONTENDERS,
        "offers": sum(each.get("Echo") == "echo" for each in choices),
        "conformance": output(pytest.main, collect),
    }
    print(json.dumps(report))
    return 0


def output(function: Callable[..., Any], *arguments: Any) -> str:
    """What `function` prints."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out):
        function(*arguments)
    out.seek(0)
    return out.read()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of the project makes of the page's method, which is its only new file."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("logitspec", "tests"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "golden")
        )
    (folder / "assets").symlink_to(ROOT / "assets")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (source,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    (folder / "logitspec" / "drafters" / "echo.py").write_text(source, encoding="utf-8")
    log = folder / "log"
    assert Fork(lambda: report_from(folder), log, {}).wait(300) == 0, log.read_text()
    document: dict[str, Any] = json.loads(log.read_text().splitlines()[-1])
    return document


def test_the_terminal_runs_it_and_it_writes_what_plain_decoding_writes(
    report: dict[str, Any],
) -> None:
    echo, plain = (report["terminal"][name] for name in ("echo", "autoregressive"))
    assert echo["output_ids"] == plain["output_ids"]
    assert echo["options"] == {"num_pred_tokens": 4}
    assert echo["summary"]["accepted"] > 0


def test_a_race_and_the_benchmark_take_it(report: dict[str, Any]) -> None:
    assert report["differs_at"] is None
    assert report["steps"] < 40
    assert "echo" in report["contenders"]


def test_the_page_offers_it_for_a_run_and_for_each_lane_of_a_race(report: dict[str, Any]) -> None:
    assert report["offers"] == 5


def test_conformance_holds_it_to_plain_decoding(report: dict[str, Any]) -> None:
    assert "echo" in report["conformance"]
