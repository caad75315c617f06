"""The GPU check, in one call of less than ten minutes: `python -m logitspec gpu-check --json OUT`.

Each part has its own seconds, and the file is written after each, so that a call that is cut off leaves
what was done:

- conditions: device, driver, versions; what a copy within its memory reaches
- models of random weights and usual shapes: forwards over 1 to 128 rows behind 256 and 2,048 tokens, plain
  and as CUDA graphs; what a step takes beyond its forward; bytes read a second over one row
- the built-in model in bfloat16 and float32: every method, its divergences from plain decoding with
  their margins

It runs on a CPU, too (`--device cpu --quick`), which says nothing about a GPU but that the check works.
"""
