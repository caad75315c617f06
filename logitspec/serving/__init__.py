"""Visitors' runs: loaded models, whose turn it is, live runs, and the way to ZeroGPU."""
