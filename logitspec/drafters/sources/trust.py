"""Trust in copies: how much likelier they are to be right in this text than in others.

Some texts repeat themselves word for word, others never do, and many do so in places. Weights that fit all of
them rate copies too low in the first kind of text and too high in the second.
"""

from __future__ import annotations

from math import exp

from logitspec.drafters.sources.evidence import LENGTHS

# Chosen by replays of 13 questions of Spec-Bench, among the first three of their categories, of the prompts in
# `assets/prompts/typed.jsonl` on SmolLM2-135M-Instruct, and of unseen ones on the built-in model; from 0.2 to 0.6 all
# results are the same within 2 %.
PACE = 0.4
MOST = 3.0  # limit of each part, so that trust recovers soon where a text begins to repeat itself


class Trust:
    """Factors of the odds of copies, learnt from the tokens of one text.

    A factor is e to the sum of two parts: one for all copies, one for those after n-grams of this length. Both
    follow the gradient of the log likelihood of whether the best copy came, at a learning rate of `pace`.
    """

    def __init__(self, pace: float = PACE) -> None:
        self._pace = pace
        self._of_all = 0.0
        self._of_length = dict.fromkeys(LENGTHS, 0.0)
        self.factors = dict.fromkeys(LENGTHS, 1.0)
        """By tokens of the n-gram, as in the classes of evidence."""

    def learn(self, length: int, probability: float, came: bool) -> None:
        """Learn whether the best copy came, which followed an n-gram of `length` tokens and was given `probability`."""
        change = self._pace * (came - probability)
        self._of_all = _bounded(self._of_all + change)
        self._of_length[length] = _bounded(self._of_length[length] + change)
        self.factors = {each: exp(self._of_all + own) for each, own in self._of_length.items()}


def _bounded(part: float) -> float:
    return max(-MOST, min(MOST, part))
