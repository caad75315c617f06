"""Prompts, counts and reports: benchmark, replay, evidence and the GPU check."""
