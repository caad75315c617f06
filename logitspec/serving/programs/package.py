"""The package that speaks MCP, which only who wants the tools over it installs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from logitspec.errors import LogitSpecError

NEEDED = "mcp>=1.30,<2"


def check_package() -> None:
    """Raise LogitSpecError where it is missing, or too old or too new."""
    try:
        found = version("mcp")
    except PackageNotFoundError:
        found = ""
    if not _fits(found):
        lacks = f"is {found}" if found else "is missing"
        raise LogitSpecError(
            f"Tools over MCP need the package mcp, which {lacks}; install it with `pip install '{NEEDED}'`."
        )


def _fits(version: str) -> bool:
    first, _, rest = version.partition(".")
    second = rest.partition(".")[0]
    return first == "1" and second.isdecimal() and int(second) >= 30
