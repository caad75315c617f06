"""Scripts that measure, and one that draws: `python tests/measure` lists them."""
