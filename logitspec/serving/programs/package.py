"""The package `mcp`, an optional requirement: only the tools over MCP need it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from logitspec.errors import LogitSpecError

REQUIREMENT = "mcp>=1.30,<2"


def check_package() -> None:
    """Raise LogitSpecError where the package is missing, too old or too new."""
    try:
        installed = version("mcp")
    except PackageNotFoundError:
        installed = ""
    if not _fits(installed):
        fault = f"is {installed}" if installed else "is missing"
        raise LogitSpecError(
            f"Tools over MCP need the package mcp, which {fault}; install it with `pip install '{REQUIREMENT}'`."
        )


def _fits(version: str) -> bool:
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    return major == "1" and minor.isdecimal() and int(minor) >= 30
