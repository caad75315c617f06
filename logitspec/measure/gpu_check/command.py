"""The command `gpu-check`: `python -m logitspec gpu-check --json gpu.json`."""

from __future__ import annotations

import argparse
from typing import Any

from logitspec import commandline, files
from logitspec.trace.records import dumps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """On which device, which parts, and how quickly."""
    commandline.add_device(parser, "cuda")
    parser.add_argument("--quick", action="store_true", help="tiny shapes and few runs")
    parser.add_argument("--parts", nargs="+", default=[], metavar="NAME", help="(default: all)")
    parser.add_argument("--json", metavar="OUT", help="file that is written after each part")


def run(options: argparse.Namespace) -> int:
    """Run the parts, print their findings as one line of JSON; 1 where a part failed."""
    from logitspec.measure.gpu_check import parts
    from logitspec.models.devices import choose_device

    device = choose_device(options.device)
    jobs = parts.select_jobs(parts.jobs(device, options.quick), options.parts)
    findings: dict[str, Any] = {"conditions": parts.conditions(device, options.quick), "parts": {}}
    for job in jobs:
        findings["parts"][job.name] = parts.run_part(job)
        if options.json:
            files.write(options.json, dumps(findings) + "\n")
    print(dumps(findings))
    return 1 if any("error" in each for each in findings["parts"].values()) else 0
