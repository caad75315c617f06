"""Facts about speculative decoding: each a subject with questions and sentences of an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """A subject: its questions, and per sentence of the answer the wordings to choose from."""

    questions: tuple[str, ...]
    answer: tuple[tuple[str, ...], ...]


SUBJECTS = [
    Subject(
        ("What is speculative decoding?", "Explain speculative decoding.",
         "How does speculative decoding work?", "Can you tell me about speculative decoding?"),
        (("Speculative decoding makes a language model write faster.",
          "Speculative decoding is a way to make a language model write faster.",
          "Speculative decoding lets a language model write several tokens in one step."),
         ("First, a cheap method drafts several tokens.",
          "First, several next tokens are guessed. The guess is called a draft."),
         ("Then the model verifies all of them in one forward pass.",
          "Then the model checks the whole draft in a single forward pass."),
         ("The tokens that the model would have written itself are accepted, and the rest is "
          "rejected.",
          "Tokens that agree with the model's own choice are accepted, and the others are "
          "thrown away."),
         ("So the text stays the same, but fewer steps are needed.",
          "The result is the same text in fewer steps.")),
    ),
    Subject(
        ("What is a draft?", "What does drafting mean?", "What is the draft in speculative "
         "decoding?", "How are drafts made?"),
        (("A draft is a guess of the next few tokens.",
          "The draft is a short guess of what comes next."),
         ("It can come from a small model, or from text that is already there.",
          "A small model can make it, or it can be copied from earlier text."),
         ("Making a draft must be cheap, because some of it will be rejected.",
          "It has to be cheap, because a part of it is thrown away."),
         ("The better the guess, the more tokens are accepted in one step.",)),
    ),
    Subject(
        ("What is verification?", "How is a draft verified?", "What happens in the verify step?",
         "How does the model check the draft?"),
        (("In the verify step, the model reads all drafted tokens at once.",
          "To verify a draft, the model reads all of its tokens in one forward pass."),
         ("For each position it computes the token that it would have chosen itself.",
          "At each position it says which token it would choose."),
         ("A drafted token is accepted if it equals this choice and all tokens before it were "
          "accepted.",),
         ("One forward pass over many tokens takes hardly longer than a pass over one token on a "
          "GPU.",
          "This is fast, because checking many tokens at once costs little more than writing "
          "one.")),
    ),
    Subject(
        ("When is a token accepted?", "What does acceptance mean?",
         "Which drafted tokens are accepted?", "Why are some tokens rejected?"),
        (("A drafted token is accepted when it is the token that the model itself chooses there.",
          "A drafted token is accepted if it equals the model's own choice at that position."),
         ("The first token that differs is rejected, and so are all tokens after it.",
          "When one token is wrong, it is rejected together with everything that follows it."),
         ("The model's own choice takes the place of the rejected token.",
          "In its place comes the token that the model chose."),
         ("So each step gives at least one correct token.",
          "That is why every step writes at least one token.")),
    ),
    Subject(
        ("What is the KV cache?", "Why do we need a KV cache?", "Explain the KV cache.",
         "What is stored in the KV cache?"),
        (("The KV cache stores the keys and values of all tokens that the model has read.",
          "The KV cache keeps the keys and values of the earlier tokens in memory."),
         ("With it, the model does not need to compute them again for each new token.",
          "Thanks to the cache, the model only has to compute the new tokens."),
         ("After the verify step, the entries of accepted tokens stay in the cache.",
          "The entries of accepted tokens are kept."),
         ("The entries of rejected tokens are removed.",)),
    ),
    Subject(
        ("What is the next-next token?", "What does next-next token mean?",
         "How does LogitSpec guess the next-next token?", "Explain the next-next token."),
        (("The next token is already known from the last logits.",
          "After each step the last logits tell us the next token."),
         ("The next-next token is the token that comes after it.",
          "The token after the next token is called the next-next token."),
         ("LogitSpec guesses it from the last logits, because tokens with a high logit often come "
          "soon.",
          "LogitSpec takes the other likely tokens of the last logits as guesses for it."),
         ("Each guess is then used to search for matching text.",
          "With these guesses it looks for matching text and copies what follows.")),
    ),
    Subject(
        ("What is n-gram retrieval?", "How does retrieval help?", "What is a retrieved n-gram?",
         "Where do the retrieved tokens come from?"),
        (("An n-gram is a run of n tokens.", "A run of n tokens is called an n-gram."),
         ("Retrieval looks for a place in the earlier text where the last n-gram stands already.",
          "To retrieve means to look for the last tokens in the text so far."),
         ("The tokens that follow it there are copied into the draft.",
          "What follows at that place is taken as a draft."),
         ("This works well when a text repeats itself, as in summaries and in code.",
          "It helps most when text is repeated, for example when code is edited.")),
    ),
    Subject(
        ("Is speculative decoding lossless?", "Does speculative decoding change the text?",
         "Why is the output the same?", "Is the quality worse with speculative decoding?"),
        (("No, the text does not change: speculative decoding is lossless.",
          "Speculative decoding is lossless, so the text does not change."),
         ("With greedy decoding, a token is only accepted if it is the most likely token.",
          "In greedy decoding the model always takes the most likely token, and only this token "
          "is accepted."),
         ("A bad draft costs time, but it can never change the result.",
          "A wrong draft makes a step less useful, but it does not make the text wrong.")),
    ),
    Subject(
        ("What is a draft tree?", "Why is the draft a tree?", "Explain draft trees.",
         "What is tree attention?"),
        (("A draft tree holds several guesses at the same time.",
          "In a draft tree, several guesses share their first tokens."),
         ("Its root is the next token, and each branch is one possible text.",
          "The root is the next token, and every path from the root is one guess."),
         ("With tree attention each token sees only the tokens on its own path.",
          "Tree attention lets each token see only its ancestors."),
         ("So the model can verify all branches in one forward pass.",)),
    ),
    Subject(
        ("What is autoregressive decoding?", "How does a language model write text?",
         "What is normal decoding?", "Why is a language model slow?"),
        (("A language model writes one token after the other.",
          "In autoregressive decoding, the model writes one token at a time."),
         ("For each token it has to read all of its weights from memory.",
          "Every token needs one forward pass through the whole model."),
         ("Most of the time is spent on moving the weights and not on computing.",
          "The computer spends more time on loading weights than on computing."),
         ("Speculative decoding uses this time to check several tokens at once.",)),
    ),
    Subject(
        ("What is LogitSpec?", "How does LogitSpec work?", "Explain LogitSpec.",
         "What is special about LogitSpec?"),
        (("LogitSpec is a method for speculative decoding that needs no training.",
          "LogitSpec is a training-free method for speculative decoding."),
         ("It guesses the next-next token from the last logits.",),
         ("For the next token and for each guess it retrieves matching n-grams from the text.",
          "Then it retrieves n-grams that follow the next token and the guesses."),
         ("All of them form a draft tree, which the model verifies in one forward pass.",
          "They are put into a draft tree, and the model verifies the tree in one step.")),
    ),
    Subject(
        ("What are logits?", "What do the logits tell us?", "Explain logits."),
        (("Logits are the scores that a model gives to all tokens of its vocabulary.",
          "For each token of the vocabulary the model computes a score. The scores are called "
          "logits."),
         ("The token with the highest logit is the most likely next token.",),
         ("The softmax function turns logits into probabilities.",
          "With the softmax function they become probabilities.")),
    ),
    Subject(
        ("What is the mean number of accepted tokens?", "How do we measure the speed-up?",
         "What does MAT mean?", "How much faster is speculative decoding?"),
        (("We count how many tokens are written in one forward pass.",
          "The mean accepted tokens, or MAT, tells how many tokens one forward pass writes."),
         ("Without drafts it is always one token.", "Plain decoding writes one token a pass."),
         ("With good drafts it can be two, three or more.",),
         ("The speed-up is a bit smaller, because drafting and checking take time too.",)),
    ),
    Subject(
        ("What is a token?", "What are tokens?", "What does a tokenizer do?"),
        (("A token is a piece of text, often a word or a part of a word.",
          "Tokens are the pieces of text that a model reads and writes."),
         ("A tokenizer splits the text into tokens and gives each of them a number.",
          "The tokenizer cuts a text into such pieces and numbers them."),
         ("Common words are one token, and rare words are several tokens.",)),
    ),
]  # fmt: skip
