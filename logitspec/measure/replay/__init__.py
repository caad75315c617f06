"""Trying methods without the model: its output is recorded once, and drafts are verified against that.

    python -m logitspec replay record --out transcript.jsonl.gz
    python -m logitspec replay run transcript.jsonl.gz --method logitspec_paper
    python -m logitspec replay ingredients transcript.jsonl.gz    # what each part of ours is worth
    python -m logitspec replay fit transcript.jsonl.gz            # the weights that ours begins with

prompts -> plain decoding -> Transcript: output, top-k everywhere -> TranscriptTarget -> decode loop -> Score

Greedy output is the same whatever was drafted, so the choices and the top-k along it are all that a
method sees of the model, with one exception: **the logits of rejected nodes are not in a transcript**. A method that
learns from those does worse in a replay than live; any other drafts the same trees, step by step. (Up
to rounding, as everywhere: live, ranks that are nearly tied may swap in a forward of another size.)
"""
