"""The machine: its processor's name and its free memory."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil
import torch


def cpu_name() -> str:
    """The processor's name; on systems other than Linux, Python itself knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def free_bytes(device: torch.device) -> int | None:
    """Bytes of memory that are free on `device` now; None where that is unknown."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type != "cpu":
        return None
    free, container = int(psutil.virtual_memory().available), container_bytes()
    return free if container is None else min(free, container)


def container_bytes(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that a container may still take, which psutil does not know; None where there is no limit.

    Inactive pages of files don't count as used: they can be reclaimed.
    """
    try:
        limit, usage = (int((folder / f"memory.{each}").read_text()) for each in ("max", "current"))
        lines = (folder / "memory.stat").read_text().splitlines()
        files = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
        return limit - usage + files
    except (OSError, ValueError):  # "max" is not a number: there is no limit
        return None
