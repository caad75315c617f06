"""The parts of the GPU check, each with its own time limit."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic, perf_counter, sleep
from typing import Any, NamedTuple

import torch
import transformers

from logitspec.decoding.engine import decode
from logitspec.drafters import METHODS
from logitspec.errors import LogitSpecError
from logitspec.measure.benchmark.bench import Bench
from logitspec.measure.benchmark.contenders import method_contender, variants
from logitspec.measure.benchmark.figures import document
from logitspec.measure.benchmark.runs import MAX_TIE, Part
from logitspec.measure.environment import environment
from logitspec.measure.gpu_check.bars import AT_BEST
from logitspec.measure.gpu_check.shapes import (
    Sweep,
    bytes_per_forward,
    copy_bandwidth,
    measure_shape,
    random_target,
)
from logitspec.measure.variants import Variant
from logitspec.models.catalogue import installed_file
from logitspec.models.chat import encode_prompt
from logitspec.models.devices import choose_dtype
from logitspec.models.loader import load
from logitspec.models.sources import BUILTIN
from logitspec.prompts import EXAMPLES, TYPED, read_prompts
from logitspec.runtime.runner import Runner
from logitspec.version import VERSION

Late = Callable[[], bool]  # whether a part has used up its seconds
COPY_BYTES = 2**31


SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"


class Job(NamedTuple):
    """A part of the check: its name, its seconds, and the function that yields its findings piece by piece.
    half: the half of the check that it belongs to."""

    name: str
    seconds: float
    work: Callable[[Late], Iterator[dict[str, Any]]]
    half: int = 1


def jobs(device: torch.device, quick: bool, prompts: str | None = None) -> list[Job]:
    """The parts, the most informative first; together less than ten minutes.

    prompts: a file for the real model. If that is not installed, or with `quick`, the built-in model
    takes its place.
    """
    low = choose_dtype("bfloat16", device)
    real = SMOLLM2 if installed_file(SMOLLM2) and not quick else BUILTIN
    first: list[tuple[str, float]] = [("smollm2-135m", 40), ("llama-0.5b", 60)]
    second: list[tuple[str, float]] = [("qwen2-0.5b", 60), ("llama-7b", 80)]
    if quick:
        first, second = [("tiny", 20)], []
    sweep = Sweep((1, 3, 8), (8, 24), (1, 8)) if quick else Sweep()

    def shape(name: str, seconds: float, half: int) -> Job:
        return Job(name, seconds, _shape_work(name, device, low, sweep), half)

    def model(
        name: str, dtype: str, seconds: float, half: int, model: str, file: str | None
    ) -> Job:
        def work(late: Late) -> Iterator[dict[str, Any]]:
            yield from _model(model, file, device, dtype, quick, late)

        return Job(f"{name} {dtype}", seconds, work, half)

    return [
        Job("copy", 15, lambda late: _copy(device, quick)),
        model("smollm2", "bfloat16", 110, 1, real, prompts),
        *(shape(name, seconds, 1) for name, seconds in first),
        *(shape(name, seconds, 2) for name, seconds in second),
        model("builtin", "bfloat16", 60, 2, BUILTIN, None),
        model("builtin", "float32", 60, 2, BUILTIN, None),
    ]


def select_jobs(every: list[Job], names: list[str], half: int | None = None) -> list[Job]:
    """The jobs in `names` (or all) and in `half` (or both); the copy belongs to each half."""
    available = [job.name for job in every]
    if unknown := [name for name in names if name not in available]:
        raise LogitSpecError(
            f"There is no part {unknown[0]!r}; choose one of {', '.join(map(repr, available))}."
        )
    chosen = [
        job
        for job in every
        if (not names or job.name in names) and (half in (None, job.half) or job.name == "copy")
    ]
    if not chosen:
        raise LogitSpecError(f"Half {half} has none of these parts; leave out --part.")
    return chosen


def run_part(job: Job) -> dict[str, Any]:
    """The findings of a part within its seconds, and whether it was cut short or which error ended it."""
    start = monotonic()
    findings: dict[str, Any] = {}

    def late() -> bool:
        findings["cut"] = monotonic() - start > job.seconds
        return bool(findings["cut"])

    try:
        for piece in job.work(late):
            if "mode" in piece:
                findings.setdefault("rows", []).append(piece)
            else:
                findings.update(piece)
    except Exception as error:  # the next part can still run
        findings["error"] = (
            f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}"
        )
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    findings["seconds"] = round(monotonic() - start, 1)
    print(
        f"{job.name}: {findings['seconds']} s {findings.get('error', '')}",
        file=sys.stderr,
        flush=True,
    )
    return findings


def conditions(device: torch.device, quick: bool) -> dict[str, Any]:
    """The hardware and versions that all figures are measured with."""
    conditions: dict[str, Any] = {
        "device": str(device),
        "quick": quick,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "logitspec": VERSION,
        "threads": torch.get_num_threads(),
    }
    if device.type == "cuda":
        chip = torch.cuda.get_device_properties(device)
        conditions |= {
            "chip": chip.name,
            "memory_gb": round(chip.total_memory / 1e9, 1),
            "processors": chip.multi_processor_count,
            "cuda": torch.version.cuda,
            "driver": _driver(),
        }
    return conditions


def _driver() -> str | None:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.split("\n")[0].strip()


def _copy(device: torch.device, quick: bool) -> Iterator[dict[str, Any]]:
    yield copy_bandwidth(device, 2**20 if quick else COPY_BYTES)


def _shape_work(
    shape: str, device: torch.device, dtype: torch.dtype, sweep: Sweep
) -> Callable[[Late], Iterator[dict[str, Any]]]:
    return lambda late: _shape(shape, device, dtype, sweep, late)


def _shape(
    shape: str, device: torch.device, dtype: torch.dtype, sweep: Sweep, late: Late
) -> Iterator[dict[str, Any]]:
    target = random_target(shape, device, dtype)
    for row in measure_shape(target, sweep, late):
        if row["rows"] == 1:
            bytes_read = bytes_per_forward(target, row["context"])
            row["read_gb_per_second"] = round(bytes_read / row["forward_ms"] / 1e6, 1)
        yield row
    yield {"model": target.info}


def _model(
    name: str, file: str | None, device: torch.device, dtype: str, quick: bool, late: Late
) -> Iterator[dict[str, Any]]:
    """All methods in rotation, on as many of the examples as time allows; and plain decoding at the shape
    that is fastest for one row, where the target itself takes another."""
    target, tokenizer = load(name, device=str(device), dtype=dtype)
    yield {"first_step_seconds": _first_step(target, tokenizer)}
    yield {"improved_seconds": _wait_for_kernels(target, late)}
    methods = ["autoregressive", "prompt_lookup", "logitspec"] if quick else [*METHODS]
    contenders = [method_contender(target, each) for each in variants(methods)]
    best = target if target.at_best_shape is None else target.at_best_shape()
    contenders.append(replace(method_contender(best, Variant("autoregressive")), title=AT_BEST))
    bench = Bench(
        contenders,
        encode=lambda text, before: encode_prompt(tokenizer, text, before),
        spell=lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True)),
        limit=target.limit,
        max_new_tokens=8 if quick else 128,
        repeats=1,
    )
    costs = target.measure_costs()
    prompts = read_prompts(file or (EXAMPLES if name == BUILTIN else TYPED))
    bench.warm_up(prompts)
    part, count = Part(), 0
    for prompt in prompts[:1] if quick else prompts:
        if late():
            break
        bench.measure(prompt, part)
        count += 1
    about = {"environment": environment(target), "tie_at_most": MAX_TIE, "prompts": count}
    about["forward_costs"] = costs.to_json()
    yield document(part, contenders, about)


def _wait_for_kernels(target: Runner, late: Late) -> float:
    """Seconds until `target` has everything that makes it faster."""
    started = perf_counter()
    while target.improve is not None and not late():
        sleep(0.05)
        target.claim("check")
    return round(perf_counter() - started, 3)


def _first_step(target: Any, tokenizer: Any) -> float:
    """Seconds from a request to its first step, right after the model is loaded."""
    started = perf_counter()
    next(decode(target, encode_prompt(tokenizer, "Name three rivers."), max_new_tokens=2))
    return round(perf_counter() - started, 3)
