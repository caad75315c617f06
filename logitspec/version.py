"""The version: the newest one in CHANGELOG.md."""

from __future__ import annotations

VERSION = "0.10.0"
