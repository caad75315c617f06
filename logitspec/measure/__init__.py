"""Prompts, counts and reports: benchmark, replay, evidence and the GPU check."""

from __future__ import annotations

OVERALL = "overall"  # listed with the categories of prompts
