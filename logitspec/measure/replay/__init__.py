"""Methods tried without the model: what it would say is recorded once, drafts are checked against that.

    python -m logitspec replay record --out recording.jsonl.gz
    python -m logitspec replay run recording.jsonl.gz --method logitspec_paper
    python -m logitspec replay ingredients recording.jsonl.gz    # what each part of ours is worth
    python -m logitspec replay fit recording.jsonl.gz            # the rates that ours begins with

prompts -> plain decoding -> Recording: output, top-k everywhere -> RecordedTarget -> decode loop -> Score

Greedy output is the same whatever was drafted, so the choices and the top-k along it are all that a
method meets, but for one thing: **the logits of rejected nodes are not in a recording**. A method that
learns from those does worse in a replay than live; any other drafts the same trees, step by step. (Up
to rounding, as everywhere: live, ranks that are nearly tied may swap in a forward of another size.)
"""
