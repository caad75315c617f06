"""Visitors' runs: loaded models, turns, live runs, and the boundary to ZeroGPU."""
