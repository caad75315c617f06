"""Measurements: benchmark, replay, evidence, GPU check."""
