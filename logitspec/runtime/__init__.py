"""Device work: forwards, KV cache, graphs, ranks and draws. Nothing but ints and floats leaves it."""
