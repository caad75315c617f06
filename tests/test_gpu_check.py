"""The GPU check runs on a CPU, too, and says what it ran on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from logitspec import LogitSpecError
from logitspec.__main__ import main
from logitspec.measure.gpu_check import parts
from logitspec.measure.gpu_check.bars import AT_BEST, bars
from logitspec.measure.gpu_check.parts import Job, jobs, run_part, select_jobs
from logitspec.measure.gpu_check.shapes import bytes_per_forward, random_target

CPU = torch.device("cpu")


def test_it_runs_on_a_cpu_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gpu.json"
    names = ["copy", "smollm2 bfloat16", "tiny", "builtin float32"]
    call = ["--device", "cpu", "--quick", "--json", str(out), "--parts", *names]
    assert main(["gpu-check", *call]) == 0, capsys.readouterr()
    result = json.loads(out.read_text())
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == result
    assert result["conditions"]["device"] == "cpu"
    assert result["conditions"]["quick"] is True
    assert list(result["parts"]) == names
    copied, real, tiny, builtin = result["parts"].values()
    assert copied["gb_per_second"] > 0
    rows = [(each["mode"], each["context"], each["rows"]) for each in tiny["rows"]]
    assert rows == [
        (mode, context, size)
        for mode, sizes, contexts in (
            ("graphs", (1, 3, 8), (8, 24)),
            ("kernels", (1, 8), (8, 24)),
            ("plain", (1, 8), (8,)),
        )
        for context in contexts
        for size in sizes
    ]
    for each in tiny["rows"]:
        step = each["verify_ms"] + each["commit_ms"]
        assert each["overhead_ms"] == pytest.approx(step - each["forward_ms"], abs=1e-3)
        assert ("read_gb_per_second" in each) is (each["rows"] == 1)
    assert tiny["model"]["environment"]["forward"] == "fast"
    assert builtin["environment"]["dtype"] == "float32"
    assert builtin["divergences"] == []
    assert real["first_step_seconds"] > 0
    titles = ["autoregressive", "prompt_lookup", "logitspec", AT_BEST]
    assert [each["title"] for each in real["methods"]] == titles
    measured = {each["bar"]: each["measured"] for each in result["bars"]}
    assert measured["SmolLM2: logitspec / the fastest other method"] > 0
    assert measured["7B: bytes read a second over one row / a copy's"] is None


def rows(**milliseconds: float) -> dict[str, Any]:
    """A part with the figures of one row after 256 tokens and 64 after 2,048, and of one row without kernels."""
    places = {
        "one": (1, 256, "kernels"),
        "tree": (64, 2048, "kernels"),
        "plain": (1, 256, "graphs"),
    }
    figures = []
    for name, each in milliseconds.items():
        count, context, mode = places[name]
        figures.append({"rows": count, "context": context, "mode": mode, "forward_ms": each})
    figures[0]["read_gb_per_second"] = 2500.0
    return {"rows": figures}


def score(title: str, rate: float, differing: int) -> dict[str, Any]:
    figures = {"tokens_per_second": {"median": rate}, "differing": differing}
    return {"title": title, "scores": {"overall": figures}}


def test_the_bars_are_ratios_of_one_run() -> None:
    methods = [
        score("autoregressive", 700.0, 0),
        score(AT_BEST, 800.0, 9),
        score("logitspec", 2000.0, 1),
        score("token_recycling", 1600.0, 2),
    ]
    result = bars(
        {
            "copy": {"gb_per_second": 3000.0},
            "llama-7b": rows(one=5.0, tree=6.5),
            "llama-0.5b": rows(one=1.0, tree=1.2),
            "qwen2-0.5b": rows(one=1.05),
            "smollm2-135m": rows(one=0.6, plain=1.2),
            "smollm2 bfloat16": {"methods": methods, "first_step_seconds": 0.4},
        }
    )
    measured = [0.833, 1.3, 1.2, 0.5, 1.05, 2.5, 1.25, 3.0, 0.4]
    assert [each["measured"] for each in result] == measured
    assert [each["reached"] for each in result].count(False) == 2
    assert result[1]["reached"] is result[7]["reached"] is False


def test_a_bar_without_its_figures_is_not_measured() -> None:
    for each in bars({"llama-7b": {"error": "out of memory"}, "copy": {}}):
        assert each["measured"] is each["reached"] is None


def test_the_check_runs_in_two_halves() -> None:
    every = jobs(CPU, quick=False)
    first, second = (select_jobs(every, [], half) for half in (1, 2))
    assert [job.name for job in first][:2] == ["copy", "smollm2 bfloat16"]
    assert second[0].name == "copy"
    assert {job.name for job in [*first, *second]} == {job.name for job in every}
    assert len(first) + len(second) == len(every) + 1
    with pytest.raises(LogitSpecError, match="Half 2 has none of these parts; leave out --part"):
        select_jobs(every, ["smollm2 bfloat16"], 2)


def test_a_wrong_file_of_prompts_is_told_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parts, "run_part", lambda job: pytest.fail("It measures."))
    words = ["--device", "cpu", "--quick", "--prompts", str(tmp_path / "nowhere.jsonl")]
    assert main(["gpu-check", *words]) == 2
    assert "nowhere.jsonl (No such file or directory)" in capsys.readouterr().err


def test_the_whole_takes_less_than_ten_minutes() -> None:
    assert sum(job.seconds for job in jobs(CPU, quick=False)) <= 540


def test_the_bytes_of_a_forward_are_its_weights_and_its_text() -> None:
    target = random_target("tiny", CPU, torch.bfloat16)
    layer = 32 * (32 + 16 + 16) + 32 * 32 + 3 * 32 * 48 + 2 * 32
    weights = 2 * layer + 32 + 64 * 32  # only one row of the embeddings is read
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

    jobs = [Job("first", 9.0, fail), Job("second", 9.0, look)]
    monkeypatch.setattr(parts, "jobs", lambda device, quick, prompts: jobs)
    assert main(["gpu-check", "--device", "cpu", "--quick", "--json", str(out)]) == 1
    assert seen[0]["first"]["error"] == "ValueError: out"
    assert json.loads(out.read_text())["parts"]["second"]["ran"] is True


def test_bad_requests_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gpu-check", "--device", "cpu", "--parts", "tea"]) == 2
    assert capsys.readouterr().err.startswith("There is no part 'tea'; choose one of 'copy', ")
