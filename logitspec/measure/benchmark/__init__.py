"""Methods measured against each other and against transformers' `generate`, on one loaded model.

    python -m logitspec benchmark --model FOLDER --prompts question.jsonl --json figures.json
    accelerate launch -m logitspec benchmark ...    # each process takes its share of the prompts

Greedy decoding, one prompt at a time. For each turn of each prompt, each repeat runs every method once,
in a rotating order, so that drift (clocks, heat, neighbours) hits all alike. In a
conversation every method reads the answers of our plain decoding, and so the same prompt.

Only decoding is timed. Ours: the wall time of the whole run without the prefill, so the loop and a
drafter's work on the prompt count. transformers': the wall time of `generate` less the median time of
`generate` with one new token, which is taken as its prefill. That token is paid for with the prefill,
so its decoding rate counts one token less; ours takes a forward for every step, the first one included.

**Mean accepted tokens** are tokens emitted per target forward, root included, prefill excluded
(Spec-Bench's definition). transformers' first token comes from its prefill, which therefore counts as
a forward there: plain decoding has 1 in both.
"""
