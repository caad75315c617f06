"""The version, which is the newest of CHANGELOG.md."""

from __future__ import annotations

VERSION = "0.10.0"
