"""The command `gpu-check`: `python -m logitspec gpu-check --json gpu.json`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from logitspec import commandline, files
from logitspec.prompts import read_prompts
from logitspec.trace.records import dumps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which device, which parts, and how quickly."""
    commandline.add_device(parser, "cuda")
    parser.add_argument("--quick", action="store_true", help="tiny shapes and few runs")
    parser.add_argument("--parts", nargs="+", default=[], metavar="NAME", help="(default: all)")
    parser.add_argument(
        "--part", type=int, choices=(1, 2), help="one half, if a call may not take ten minutes"
    )
    parser.add_argument(
        "--prompts", metavar="FILE", help="questions for the real model, in Spec-Bench's format"
    )
    parser.add_argument("--json", metavar="OUT", help="file to write after each part")


def run(options: argparse.Namespace) -> int:
    """Run the parts and print their findings as one line of JSON; returns 1 if a part failed."""
    from logitspec.measure.gpu_check import parts
    from logitspec.measure.gpu_check.bars import bars
    from logitspec.models.devices import choose_device

    device = choose_device(options.device)
    every = parts.jobs(device, options.quick, options.prompts)
    jobs = parts.select_jobs(every, options.parts, options.part)
    if options.prompts:
        read_prompts(options.prompts)  # so that a wrong file is not told minutes later
    if options.json:
        files.check_writable(options.json, filter(None, [options.prompts]))
    findings: dict[str, Any] = {"conditions": parts.conditions(device, options.quick), "parts": {}}
    for job in jobs:
        findings["parts"][job.name] = parts.run_part(job)
        findings["bars"] = bars(findings["parts"])
        if options.json:
            files.write(options.json, dumps(findings) + "\n")
    _show(findings.get("bars", []))
    print(dumps(findings))
    return 1 if any("error" in each for each in findings["parts"].values()) else 0


def _show(bars: list[dict[str, Any]]) -> None:
    """Print a line for each bar, before the line of JSON."""
    for each in bars:
        measured = "not measured" if each["measured"] is None else f"{each['measured']:g}"
        mark = {True: "reached", False: "missed", None: ""}[each["reached"]]
        print(
            f"{each['bar']}: {measured}, wanted {each['wanted']} {mark}".rstrip(), file=sys.stderr
        )
