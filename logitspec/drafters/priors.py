"""Hit rates that a text begins with, by class of continuation.

Fitted by replaying recorded greedy texts of two small models, where each had the same say; a text soon
brings its own. They were the built-in model of version 0.3.0 (28 unseen prompts, four of each task, 3,032
tokens) and TinyStories-656K (20 paragraphs of children's books, broken off after 40 words, 2,899 tokens),
float32, at most 200 tokens each. On those recordings

    python -m logitspec.replay fit built-in.jsonl.gz tinystories.jsonl.gz

gives these rates again but for roundings; rows with fewer than 25 observations come out up to 0.05
beside them. Classes that were never met have 0.150, by guess, or for logits continue the column. Replays
offer no logits of rejected nodes, so the rates of successors are low for live runs: `fit --model` runs
the models themselves.
"""

from __future__ import annotations

from logitspec.drafters.rates import Kind

# By length of the n-gram (from 4 and from 8 on as one) and times seen (1, from 2, from 4): when the
# token was a smaller part of what followed, at least a third, or all of it.
_COPY = {
    (1, 1): (0.067, 0.104, 0.225),
    (1, 2): (0.126, 0.248, 0.582),
    (1, 4): (0.163, 0.403, 0.898),
    (2, 1): (0.132, 0.220, 0.538),
    (2, 2): (0.119, 0.244, 0.852),
    (2, 4): (0.150, 0.419, 0.934),
    (3, 1): (0.141, 0.201, 0.597),
    (3, 2): (0.526, 0.360, 0.860),
    (3, 4): (0.150, 0.397, 0.870),
    (4, 1): (0.140, 0.196, 0.714),
    (4, 2): (0.150, 0.233, 0.836),
    (4, 4): (0.150, 0.396, 0.982),
    (8, 1): (0.151, 0.376, 0.901),
    (8, 2): (0.150, 0.568, 0.920),
    (8, 4): (0.150, 0.717, 0.945),
}
# By tokens of context known (2, 1): ranks 0, 1, 2 and all beyond.
_SUCCESSOR = {
    2: (0.234, 0.226, 0.082, 0.039),
    1: (0.098, 0.109, 0.058, 0.041),
}
# By rank (1-2, 3-4, 5-8, 9-16, 17-32, 33-63, beyond): when the token is new to the text, or is not.
_LOGIT = (
    (0.0113, 0.0257),
    (0.0115, 0.0210),
    (0.0103, 0.0249),
    (0.0055, 0.0199),
    (0.0039, 0.0140),
    (0.0017, 0.0118),
    (0.0010, 0.0080),
)
# By how often it occurred: 1, from 2, from 4, from 8 times.
_FREQUENT = (0.004, 0.008, 0.022, 0.061)

PRIORS: dict[Kind, float] = {
    **{
        ("copy", length, times, share): rate
        for (length, times), rates in _COPY.items()
        for share, rate in enumerate(rates)
    },
    **{
        ("successor", order, rank): rate
        for order, rates in _SUCCESSOR.items()
        for rank, rate in enumerate(rates)
    },
    **{
        ("logit", rank, bool(known)): rate
        for rank, rates in enumerate(_LOGIT)
        for known, rate in enumerate(rates)
    },
    **{("frequent", times): rate for times, rate in enumerate(_FREQUENT)},
}
