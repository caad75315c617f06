"""The version, which is the newest of the changelog in README.md."""

from __future__ import annotations

VERSION = "0.4.0"
