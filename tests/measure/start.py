"""Measures the app from its start to its first token, and the terminal to its first accepted draft with a real model:
`python tests/measure start`, on a machine that does nothing else.

A free CPU Space has two cores, so the app gets two (Linux only). The last line of output is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

from support.app import free_port

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "Write a short story about a fox and a bridge."
REAL_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
STYLE = b"\x1b["  # the terminal styles accepted drafts and nothing else
SECONDS_AT_MOST = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[: options.cores]
    result = [_started(set(cores)) for _ in range(options.repeats)]
    for each in result:
        print(
            "page after {page:.2f} s, first token {token:.2f} s after it was asked for".format(
                **each
            )
        )
    medians = {
        name: round(statistics.median(each[name] for each in result), 3) for name in result[0]
    }
    medians["draft"] = round(
        statistics.median(_first_draft(set(cores)) for _ in range(options.repeats)), 3
    )
    medians["weights"] = round(statistics.median(_loaded() for _ in range(options.repeats)), 3)
    print(json.dumps({**medians, "repeats": len(result), "cores": len(cores), **_conditions()}))
    return 0


def _loaded() -> float:
    """Seconds to load the shipped weights and their tokenizer, by transformers alone; the bar is 2 s."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from logitspec.paths import MODEL

    began = perf_counter()
    AutoModelForCausalLM.from_pretrained(MODEL)
    AutoTokenizer.from_pretrained(MODEL)
    return perf_counter() - began


def _started(cores: set[int]) -> dict[str, float]:
    """Seconds from the process to its page, from a request to the first token, and both together."""
    port = free_port()
    began = perf_counter()
    app = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, app, began)
        page = perf_counter() - began
        start = perf_counter()
        _first_token(address)
        token = perf_counter() - start
    finally:
        app.terminate()
        app.wait(30)
    return {"page": page, "token": token, "both": page + token}


def _first_draft(cores: set[int]) -> float:
    """Seconds from the command to its first accepted draft, with the real model from its package, in an empty
    folder: no cache, no earlier measurement."""
    with TemporaryDirectory() as empty:
        began = perf_counter()
        run = subprocess.Popen(
            [sys.executable, "-m", "logitspec", PROMPT, "--model", REAL_MODEL],
            cwd=empty,
            env={**os.environ, "HOME": empty, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1"},
            stdout=subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        assert run.stdout is not None
        written = b""
        while part := os.read(run.stdout.fileno(), 65536):
            written += part
            if STYLE in written:
                break
        seconds = perf_counter() - began
        run.kill()
        run.wait()
    if STYLE not in written:
        sys.exit("The run accepted no draft.")
    return seconds


def _wait(address: str, app: subprocess.Popen[bytes], began: float) -> None:
    while app.poll() is None and perf_counter() - began < SECONDS_AT_MOST:
        try:
            urllib.request.urlopen(address).close()
        except OSError:
            sleep(0.02)
        else:
            return
    sys.exit("The app did not start.")


def _first_token(address: str) -> None:
    """Request a run by the endpoint that scripts use, and read until a step is there."""
    data = [PROMPT, "logitspec", 64, 0.0, 0, "{}", ""]
    place = f"{address}/gradio_api/call/generate"
    call = urllib.request.Request(
        place, json.dumps({"data": data}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(call) as answer:
        name = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{place}/{name}", timeout=SECONDS_AT_MOST) as lines:
        for line in lines:
            if line.startswith(b"data: [") and _has_step(json.loads(line[6:])):
                return
    sys.exit("The run gave no token.")


def _has_step(values: list[Any]) -> bool:
    message = json.loads(values[0])
    return bool(message.get("steps"))


def _conditions() -> dict[str, str]:
    from importlib.metadata import version

    packages = {name: version(name) for name in ("torch", "transformers", "gradio")}
    return {"python": platform.python_version(), "processor": _processor(), **packages}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((each.partition(": ")[2] for each in lines if each.startswith("model name")), "")


if __name__ == "__main__":
    sys.exit(main())
