"""The weights of all classes of evidence: natural logarithms of the factors of odds.

They were fitted to greedy texts of SmolLM2-135M-Instruct, at most 128 tokens each: to the 32 prompts of
`assets/prompts/fit.jsonl`, and to the last three questions of translation, summarization, qa, math_reasoning and
rag in Spec-Bench, 5,223 tokens in all. Which evidence is weighed, and the weights
that drafted these texts while it was written down, come from 29 texts before: 16 of the same prompts, and 13 among the
first three questions of each category of Spec-Bench. The model ran live while
the evidence was written down, because replays lack the logits of rejected nodes, from which most successors come:

    python -m logitspec replay record --model MODEL --prompts PROMPTS --max-new-tokens 128 --out texts.jsonl.gz
    python -m logitspec replay fit texts.jsonl.gz --model MODEL

The texts were written in float32 and drafts verified in bfloat16, to save time; a class that never occurred has 0.
"""

from __future__ import annotations

from itertools import groupby

from logitspec.drafters.sources.evidence import KINDS, Kind

_TABLE: dict[Kind, tuple[float, ...]] = {
    ("copy", 1, 1, 0): (0.48, -0.54),
    ("copy", 1, 1, 1): (0.94, -0.09),
    ("copy", 1, 1, 2): (0.43, 0.00),
    ("copy", 1, 2, 0): (0.13, -0.13),
    ("copy", 1, 2, 1): (0.29, -1.09),
    ("copy", 1, 2, 2): (0.75, 0.00),
    ("copy", 1, 4, 0): (0.88, -0.77),
    ("copy", 1, 4, 1): (-0.17, -0.69),
    ("copy", 1, 4, 2): (0.69, 0.00),
    ("copy", 2, 1, 0): (0.28, -0.82),
    ("copy", 2, 1, 1): (1.00, -0.31),
    ("copy", 2, 1, 2): (0.09, 0.00),
    ("copy", 2, 2, 0): (0.77, -1.83),
    ("copy", 2, 2, 1): (0.81, -0.68),
    ("copy", 2, 2, 2): (1.36, 0.00),
    ("copy", 2, 4, 0): (-0.01, -0.69),
    ("copy", 2, 4, 1): (-0.84, 1.05),
    ("copy", 2, 4, 2): (0.82, 0.00),
    ("copy", 4, 1, 0): (-0.11, 0.73),
    ("copy", 4, 1, 1): (1.39, 1.23),
    ("copy", 4, 1, 2): (1.23, 0.00),
    ("copy", 4, 2, 0): (0.00, -0.02),
    ("copy", 4, 2, 1): (0.31, 0.49),
    ("copy", 4, 2, 2): (1.14, 0.00),
    ("copy", 4, 4, 0): (0.00, 0.00),
    ("copy", 4, 4, 1): (0.59, -0.32),
    ("copy", 4, 4, 2): (1.01, 0.00),
    ("copy", 8, 1, 0): (-0.04, 0.00),
    ("copy", 8, 1, 1): (1.27, 0.00),
    ("copy", 8, 1, 2): (2.82, 0.00),
    ("copy", 8, 2, 0): (0.00, 0.00),
    ("copy", 8, 2, 1): (0.58, 0.00),
    ("copy", 8, 2, 2): (2.98, 0.00),
    ("copy", 8, 4, 0): (0.00, 0.00),
    ("copy", 8, 4, 1): (0.00, 0.00),
    ("copy", 8, 4, 2): (0.00, 0.00),
    ("no copy", 1, 1): (-0.12, 0.32, -0.40),
    ("no copy", 1, 2): (-0.86, -0.08, -0.81),
    ("no copy", 1, 4): (-0.37, -1.12, -0.74),
    ("no copy", 2, 1): (0.25, 0.05, -1.16),
    ("no copy", 2, 2): (-0.57, -0.40, -0.47),
    ("no copy", 2, 4): (-0.59, -1.44, -1.05),
    ("no copy", 4, 1): (0.00, -0.67, -1.56),
    ("no copy", 4, 2): (0.00, -1.14, -0.62),
    ("no copy", 4, 4): (0.00, -0.45, -0.77),
    ("no copy", 8, 1): (0.00, -0.80, -1.29),
    ("no copy", 8, 2): (0.00, -0.01, -1.82),
    ("no copy", 8, 4): (0.00, 0.00, 0.00),
    ("no copy", 0, 0): (-0.27,),
    ("successor", 3): (
        -1.70,
        -1.41,
        -1.38,
        -0.75,
        -0.14,
        0.64,
        0.76,
        0.90,
        1.08,
        1.34,
        1.36,
        1.06,
        1.30,
    ),
    ("successor", 2): (
        -2.12,
        -1.61,
        -1.39,
        -0.93,
        -0.31,
        0.50,
        0.60,
        0.90,
        1.19,
        1.01,
        1.32,
        1.48,
        1.84,
    ),
    ("successor", 1): (
        -2.29,
        -2.22,
        -1.57,
        -0.74,
        -0.39,
        0.31,
        0.91,
        1.29,
        1.50,
        1.52,
        1.25,
        1.20,
        1.95,
    ),
    ("shorter", 2, 3): (0.46, 0.57, 0.75, 1.09, 1.10, 1.54, 1.21),
    ("shorter", 1, 3): (0.44, 0.22, 0.43, 1.07, 1.08, 0.73, 1.45),
    ("shorter", 1, 2): (0.85, 1.04, 1.29, 2.25, 2.37, 1.78, 1.28),
    ("no successor",): (-1.79, -2.72, -3.34, -1.95),
    ("logit", 0): (0.75, 1.41),
    ("logit", 1): (0.51, 0.54),
    ("logit", 2): (0.06, 0.44),
    ("logit", 3): (-0.31, 0.24),
    ("logit", 4): (-0.87, 0.13),
    ("logit", 5): (-1.65, 0.24),
    ("no logit",): (-0.55,),
    ("none", 3): (-0.41, -0.87),
    ("none", 2): (0.38, -0.15),
    ("none", 1): (0.89, -0.28),
    ("none", 0): (0.00, 1.95),
    ("none", 1, 1): (0.19, 0.86, -0.03),
    ("none", 1, 2): (0.02, 0.23, 0.06),
    ("none", 1, 4): (-0.48, -1.16, 0.05),
    ("none", 2, 1): (0.34, 0.25, -0.31),
    ("none", 2, 2): (0.44, 0.02, 0.95),
    ("none", 2, 4): (0.72, 0.06, 0.39),
    ("none", 4, 1): (0.00, 0.71, -0.32),
    ("none", 4, 2): (0.00, 0.35, -0.59),
    ("none", 4, 4): (0.00, -0.05, -0.04),
    ("none", 8, 1): (0.00, -0.25, -0.85),
    ("none", 8, 2): (0.00, -0.04, -0.28),
    ("none", 8, 4): (0.00, 0.00, 0.00),
    ("none", 0, 0): (0.27,),
}

WEIGHTS: list[float] = [
    weight for key, _ in groupby(KINDS, lambda kind: kind[:-1]) for weight in _TABLE[key]
]
"""In the order of `KINDS`."""
