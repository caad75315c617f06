"""The GPU check, in one call of less than ten minutes: `python -m logitspec gpu-check --json OUT`.

Each part has its own seconds, and the file is written after each, so that a call that is cut off leaves
what was done:

- conditions: device, driver, versions; what a copy within its memory reaches
- models of random weights and usual shapes: forwards over 1 to 128 rows behind 256 and 2,048 tokens, plain
  and as CUDA graphs; what a step takes beyond its forward; bytes read a second over one row
- SmolLM2-135M-Instruct, where its package is installed, and the built-in model: every method, its divergences from
  plain decoding with their margins, and plain decoding at its best shape; seconds to the first step
- bars: what should be reached, as ratios within the run, beside what was measured

`--part 1` and `--part 2` are its halves. With kernels, forwards are timed over 1, 8 and 64 rows.

It runs on a CPU, too (`--device cpu --quick`), which says nothing about a GPU but that the check works.
"""
