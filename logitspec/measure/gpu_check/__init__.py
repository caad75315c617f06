"""The GPU check, in one call of less than ten minutes: `python -m logitspec gpu-check --json OUT`.

Each part has its own time limit, and the file is written after each, so that a call that is cut off keeps
the parts that finished:

- conditions: device, driver, versions; the bandwidth of a copy within the device's memory
- models with random weights and usual shapes: forwards over 1 to 128 rows after 256 and 2,048 tokens, plain
  and as CUDA graphs; the time of a step beyond its forward; bytes read a second over one row
- SmolLM2-135M-Instruct, where its package is installed, and the built-in model: every method, its divergences from
  plain decoding with their margins, and plain decoding at its best shape; seconds to the first step
- bars: the ratios within the run that should be reached, next to what was measured

`--part 1` and `--part 2` are its halves. With kernels, forwards are timed over 1, 8 and 64 rows.

It also runs on a CPU (`--device cpu --quick`), which only shows that the check works.
"""
