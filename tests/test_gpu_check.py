"""The GPU check runs, on a CPU, and tells what it ran on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from logitspec.__main__ import main
from logitspec.measure.gpu_check import parts
from logitspec.measure.gpu_check.parts import Job, jobs, run_part
from logitspec.measure.gpu_check.shapes import bytes_per_forward, random_target

CPU = torch.device("cpu")


def test_it_runs_on_a_cpu_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gpu.json"
    names = ["copy", "tiny", "builtin float32"]
    call = ["--device", "cpu", "--quick", "--json", str(out), "--parts", *names]
    assert main(["gpu-check", *call]) == 0, capsys.readouterr()
    found = json.loads(out.read_text())
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == found
    assert found["conditions"]["device"] == "cpu"
    assert found["conditions"]["quick"] is True
    assert list(found["parts"]) == names
    copied, tiny, builtin = found["parts"].values()
    assert copied["gb_per_second"] > 0
    rows = [(each["mode"], each["context"], each["rows"]) for each in tiny["rows"]]
    assert rows == [
        (mode, context, size)
        for mode in ("graphs", "plain")
        for context in (8, 24)
        for size in (1, 3, 8)
    ]
    for each in tiny["rows"]:
        step = each["verify_ms"] + each["commit_ms"]
        assert each["overhead_ms"] == pytest.approx(step - each["forward_ms"], abs=1e-3)
        assert ("read_gb_per_second" in each) is (each["rows"] == 1)
    assert tiny["model"]["environment"]["forward"] == "fast"
    assert builtin["environment"]["dtype"] == "float32"
    assert builtin["divergences"] == []


def test_the_whole_takes_less_than_ten_minutes() -> None:
    assert sum(job.seconds for job in jobs(CPU, quick=False)) <= 540


def test_the_bytes_of_a_forward_are_its_weights_and_its_text() -> None:
    target = random_target("tiny", CPU, torch.bfloat16)
    layer = 32 * (32 + 16 + 16) + 32 * 32 + 3 * 32 * 48 + 2 * 32
    weights = 2 * layer + 32 + 64 * 32  # of the embeddings one row alone is read
    assert bytes_per_forward(target, 10) == 2 * weights + 10 * 2 * 2 * 2 * 8 * 2


def test_a_part_keeps_what_it_found_before_it_was_cut_or_failed() -> None:
    def slow(late: Any) -> Iterator[dict[str, Any]]:
        for number in range(9):
            if late():
                return
            yield {"mode": "plain", "number": number}

    def broken(late: Any) -> Iterator[dict[str, Any]]:
        yield {"half": 1}
        raise RuntimeError("no more\nand so on")

    cut = run_part(Job("slow", -1.0, slow))
    assert cut["cut"] is True
    assert "rows" not in cut
    whole = run_part(Job("slow", 60.0, slow))
    assert whole["cut"] is False
    assert len(whole["rows"]) == 9
    failed = run_part(Job("broken", 60.0, broken))
    assert failed["half"] == 1
    assert failed["error"] == "RuntimeError: no more"


def test_the_file_is_written_after_each_part_and_a_failure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "gpu.json"
    seen = []

    def look(late: Any) -> Iterator[dict[str, Any]]:
        seen.append(json.loads(out.read_text())["parts"])
        yield {"ran": True}

    def fail(late: Any) -> Iterator[dict[str, Any]]:
        yield from ()
        raise ValueError("out")

    made = [Job("first", 9.0, fail), Job("second", 9.0, look)]
    monkeypatch.setattr(parts, "jobs", lambda device, quick: made)
    assert main(["gpu-check", "--device", "cpu", "--quick", "--json", str(out)]) == 1
    assert seen[0]["first"]["error"] == "ValueError: out"
    assert json.loads(out.read_text())["parts"]["second"]["ran"] is True


def test_bad_requests_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gpu-check", "--device", "cpu", "--parts", "tea"]) == 2
    assert capsys.readouterr().err.startswith("There is no part 'tea'; choose one of 'copy', ")
