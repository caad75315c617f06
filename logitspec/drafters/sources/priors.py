"""Hit rates that a text begins with, by class of continuation.

They were fitted on greedy texts of two small models with equal weight: the built-in model of version 0.3.0 (28
unseen prompts, four of each task, 3,032 tokens) and TinyStories-656K (20 paragraphs of children's books, cut
after 40 words, 2,899 tokens), in float32, at most 200 tokens each. The models ran live while the classes were
counted, because replays lack the logits of rejected nodes, from which most successors come:

    python -m logitspec replay fit built-in.jsonl.gz tinystories.jsonl.gz \\
        --model BUILT-IN --model TINYSTORIES

The table is from the second of three rounds, when rates were also learnt from the prompt; the command as it is
now gives rates near these. Classes that never occurred have a guess of 0.150; those of logits continue their
column.
"""

from __future__ import annotations

from logitspec.drafters.sources.rates import Kind

# By length of the n-gram (1, 2, 4, from 8 on) and times seen (1, from 2, from 4): when the
# token was a smaller part of what followed, at least a third, or all of it.
_COPY = {
    (1, 1): (0.065, 0.102, 0.224),
    (1, 2): (0.126, 0.252, 0.580),
    (1, 4): (0.163, 0.403, 0.916),
    (2, 1): (0.133, 0.213, 0.532),
    (2, 2): (0.119, 0.247, 0.853),
    (2, 4): (0.150, 0.419, 0.934),
    (4, 1): (0.133, 0.198, 0.713),
    (4, 2): (0.150, 0.233, 0.837),
    (4, 4): (0.150, 0.396, 0.981),
    (8, 1): (0.135, 0.376, 0.898),
    (8, 2): (0.150, 0.609, 0.920),
    (8, 4): (0.150, 0.717, 0.942),
}
# By tokens of context known (2, 1): ranks 0, 1, 2 and all beyond.
_SUCCESSOR = {
    2: (0.621, 0.151, 0.056, 0.026),
    1: (0.462, 0.126, 0.054, 0.026),
}
# By rank (1-2, 3-4, 5-8, 9-16, 17-32, 33-63): when the token is new to the text, or is not.
_LOGIT = (
    (0.0133, 0.0384),
    (0.0134, 0.0282),
    (0.0094, 0.0282),
    (0.0047, 0.0198),
    (0.0038, 0.0103),
    (0.0018, 0.0108),
)

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
}
