"""Writes the shipped results into the README, in the place marked for them."""

from __future__ import annotations

from support.published import filled

from logitspec.paths import ROOT

if __name__ == "__main__":
    page = ROOT / "README.md"
    page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
