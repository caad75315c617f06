"""Facts about speculative decoding: each a subject with its questions, answer and follow-ups."""

from __future__ import annotations

from dataclasses import dataclass

QUESTIONS = 5  # wordings of each question
FOLLOW_UPS = {
    "why": ["Why?", "Why is that so?", "Can you tell me why?", "What is the reason?"],
    "example": ["Can you give an example?", "Give me an example.", "Show me an example, please.",
                "What would be an example?"],
    "short": ["Explain it in one sentence.", "Say it in one sentence.", "Please make it shorter.",
              "Can you sum that up?"],
    "use": ["What is it good for?", "Why is it useful?", "How does it help?", "What do we gain?"],
}  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A subject: `QUESTIONS` wordings, one answer, and the answer to each follow-up."""

    title: str
    questions: tuple[str, ...]
    answer: str
    why: str
    example: str
    short: str
    use: str

    def reply(self, kind: str) -> str:
        """The answer, or the answer to a follow-up of `FOLLOW_UPS`, as one paragraph."""
        return " ".join(str(getattr(self, kind)).split())


SUBJECTS = [
    Subject(
        "speculative decoding",
        ("What is speculative decoding?", "Explain speculative decoding.",
         "How does speculative decoding work?", "Tell me about speculative decoding.",
         "What does speculative decoding do?"),
        """Speculative decoding makes a language model write faster. First, a cheap method drafts
        several tokens. Then the model verifies all of them in one forward pass. The drafted
        tokens that the model would have written itself are accepted, and the rest is rejected.
        So each step can write several tokens, and the text stays the same.""",
        why="""It is faster because checking many tokens in one forward pass takes hardly more
        time than writing one token.""",
        example="""After "Once upon a", the draft may be "time there was a king". If the model
        agrees with the first four words, it accepts them at once and rejects the last one.""",
        short="Speculative decoding drafts several tokens cheaply and verifies them in one pass.",
        use="It gives the same text in fewer steps, so the reader waits less.",
    ),
    Subject(
        "drafts",
        ("What is a draft?", "What does drafting mean?", "How are drafts made?",
         "What is the draft in speculative decoding?", "Explain drafts."),
        """A draft is a guess of the next few tokens. It can come from a small model, or it can be
        copied from text that is already there. Making a draft must be cheap, because some of its
        tokens will be rejected. The better the draft, the more tokens are accepted in one
        step.""",
        why="""The model needs a guess, because it can check many tokens at once, but it can only
        write one token at a time.""",
        example="""If the text already says "the old red house", and the model has just written
        "the old", a good draft is "red house".""",
        short="A draft is a cheap guess of the next few tokens.",
        use="A good draft lets the model write several tokens in one step.",
    ),
    Subject(
        "verification",
        ("What is verification?", "How is a draft verified?", "What happens in the verify step?",
         "How does the model check the draft?", "Explain verification."),
        """To verify a draft, the model reads all drafted tokens in one forward pass. For each
        position it computes the token that it would choose itself. A drafted token is accepted
        if it equals this choice and all tokens before it were accepted. So one forward pass
        can check a whole draft.""",
        why="""The model can do this in one pass because all drafted tokens are known, and no
        position has to wait for another one.""",
        example="""The draft is "sat on a mat". The model would write "sat on the". So "sat on" is
        accepted, "a mat" is rejected, and "the" comes next.""",
        short="Verification checks all drafted tokens in one forward pass of the model.",
        use="It makes sure that every token is one that the model itself would choose.",
    ),
    Subject(
        "acceptance",
        ("When is a token accepted?", "What does acceptance mean?",
         "Which drafted tokens are accepted?", "How are tokens accepted?", "Explain acceptance."),
        """In greedy decoding, a drafted token is accepted when it is the token that the model
        itself would choose at that place. All tokens before it must be accepted too. The model
        goes through the draft from left to right and stops at the first token that differs. All
        tokens up to this place are kept.""",
        why="""Every token depends on the tokens before it, so a token can only be right if all
        of them are right.""",
        example="""If the draft has five tokens and the third one is wrong, the first two tokens
        are accepted.""",
        short="A drafted token is accepted if the model itself would choose it.",
        use="Each accepted token saves one forward pass.",
    ),
    Subject(
        "rejection",
        ("What happens to a wrong token?", "Why are some tokens rejected?",
         "What does rejection mean?", "When is a token rejected?", "Explain rejection."),
        """A drafted token is rejected when the model would choose another token at its place.
        All drafted tokens after it are rejected as well, because they were a guess for a
        different text. The model's own choice then takes the place of the wrong token. So every
        step writes at least one correct token.""",
        why="""The text must be the one that the model would write alone, so a wrong guess may
        not stay in it.""",
        example="""The draft says "in the blue sea", but the model prefers "in the deep". Then
        "blue sea" is rejected, and the text goes on with "deep".""",
        short="A token that differs from the model's choice is thrown away with all that follow.",
        use="It keeps the text correct, even if the draft is bad.",
    ),
    Subject(
        "the KV cache",
        ("What is the KV cache?", "Why do we need a KV cache?", "Explain the KV cache.",
         "What is stored in the KV cache?", "How does the KV cache work?"),
        """The KV cache stores the keys and values of all tokens that the model has read. With the
        cache, the model does not compute them again for each new token. After the verify step,
        the entries of accepted tokens stay in the cache, and the entries of rejected tokens are
        removed. So the cache always fits the text.""",
        why="""Attention looks back at all earlier tokens, and their keys and values do not
        change when new tokens come.""",
        example="""If the text has 100 tokens and one new token comes, the model computes one new
        key and value in each layer and reads the others from the cache.""",
        short="The KV cache keeps the keys and values of earlier tokens for attention.",
        use="It saves work, because no token has to be computed twice.",
    ),
    Subject(
        "logits",
        ("What are logits?", "What do the logits tell us?", "Explain logits.",
         "What is a logit?", "How are logits used?"),
        """Logits are the scores that a model gives to all tokens of its vocabulary. A token with
        a high logit is likely to come next. The softmax function turns the logits into
        probabilities. In greedy decoding, the token with the highest logit is chosen.""",
        why="""The model cannot be sure what comes next, so it gives a score to every token that
        is possible.""",
        example="""After "I drink a cup of", the logits of "tea" and "coffee" are high, and the
        logit of "bicycle" is low.""",
        short="Logits are the scores of all possible next tokens.",
        use="They tell which token is best, and also which tokens are nearly as good.",
    ),
    Subject(
        "the last logits",
        ("What are the last logits?", "What does LogitSpec do with the last logits?",
         "Why are the last logits useful?", "Explain the last logits.",
         "What can the last logits tell us?"),
        """The last logits are the scores at the last position of the text. The token with the
        highest score is the next token. The other tokens with high scores did not win, but they
        often come soon after. LogitSpec takes them as guesses for the next-next token. These
        guesses cost nothing, because the logits are there anyway.""",
        why="""Words that fit well at one place often fit one place later too, so the
        runners-up are good guesses.""",
        example="""If the next word is "the" and the runner-up is "dog", then "the dog" is a
        likely guess.""",
        short="The last logits give the next token and guesses for the token after it.",
        use="They give good guesses without any extra model.",
    ),
    Subject(
        "the next-next token",
        ("What is the next-next token?", "What does next-next token mean?",
         "How does LogitSpec guess the next-next token?", "Explain the next-next token.",
         "Why do we guess the next-next token?"),
        """The next token is already known, because it has the highest score in the last logits.
        The token after it is called the next-next token. LogitSpec guesses it from the same
        logits: the other tokens with high scores are its candidates. For each candidate it looks
        for matching text and copies what follows.""",
        why="""With one more token to search for, retrieval finds better matches and makes more
        than one guess.""",
        example="""After "good", the next token may be "morning". Then the next-next token may be
        a comma or a name.""",
        short="The next-next token is the one that comes after the next token.",
        use="It lets LogitSpec search for several possible texts at once.",
    ),
    Subject(
        "n-gram retrieval",
        ("What is n-gram retrieval?", "How does retrieval help?", "How does n-gram retrieval work?",
         "Where do the retrieved tokens come from?", "Explain n-gram retrieval."),
        """An n-gram is a run of n tokens. Retrieval looks for a place in the earlier text where
        the last tokens stand already. The tokens that follow at this place are copied into the
        draft. Long n-grams are tried first, because a longer match is a better sign. This works
        well when a text repeats itself.""",
        why="""Texts often use the same phrases again, so what followed a phrase before is likely
        to follow it again.""",
        example="""If the question speaks of "the river bank in spring" and the answer has just
        reached "the river", retrieval drafts "bank in spring".""",
        short="N-gram retrieval finds the last tokens in earlier text and copies what follows.",
        use="It makes long drafts without a second model.",
    ),
    Subject(
        "prompt lookup",
        ("What is prompt lookup?", "How does prompt lookup decoding work?",
         "Explain prompt lookup.", "What does prompt lookup do?", "Tell me about prompt lookup."),
        """Prompt lookup is a simple kind of speculative decoding. It takes the last tokens of the
        text and looks for the same tokens earlier in the text. If it finds them, it copies the
        tokens that follow as a draft. If it finds nothing, the model writes one token as usual.
        No training and no second model are needed.""",
        why="""Answers often repeat names and phrases of the prompt, so the prompt is a good place
        to look for a draft.""",
        example="""In a summary, a long name stands in the prompt. As soon as the model has
        written its beginning, prompt lookup drafts the rest.""",
        short="Prompt lookup copies drafts from places where the last tokens stood before.",
        use="It is easy to add, and it is fast for summaries and for editing code.",
    ),
    Subject(
        "draft trees",
        ("What is a draft tree?", "Why is the draft a tree?", "Explain draft trees.",
         "How does a draft tree work?", "What does a draft tree look like?"),
        """A draft tree holds several guesses at the same time. Its root is the next token, and
        each path from the root is one possible text. The model verifies the whole tree in one
        forward pass. Then the path with the most accepted tokens is kept, and all other branches
        are thrown away.""",
        why="""One guess is often wrong, but with several guesses there is a better chance that
        one of them is right.""",
        example="""The root may be "the". One branch says "cat is asleep", and another branch says
        "dog is hungry". The model keeps the branch that fits.""",
        short="A draft tree holds several guesses that are verified together.",
        use="It raises the number of accepted tokens in each step.",
    ),
    Subject(
        "tree attention",
        ("What is tree attention?", "Explain tree attention.", "How does tree attention work?",
         "Why do we need tree attention?", "What does tree attention do?"),
        """Tree attention lets the model verify all branches of a draft tree in one forward pass.
        A mask says which tokens may see each other. Each drafted token sees the whole text
        before the tree, its ancestors in the tree, and itself. It does not see other branches.
        So each branch is read as if it stood alone.""",
        why="""Without the mask, the branches would mix, and the model would read a text that
        makes no sense.""",
        example="""If "the" has the branches "cat" and "dog", then "cat" sees "the", but "cat" and
        "dog" do not see each other.""",
        short="With tree attention, each drafted token sees only the text and its own branch.",
        use="It checks many branches for nearly the price of one.",
    ),
    Subject(
        "LogitSpec",
        ("What is LogitSpec?", "How does LogitSpec work?", "Explain LogitSpec.",
         "What is special about LogitSpec?", "Tell me about LogitSpec."),
        """LogitSpec is a method for speculative decoding that needs no training and no second
        model. It takes the next token from the last logits and guesses the next-next token from
        the same logits. For the next token and for each guess, it retrieves matching n-grams
        from the text. All of them form a draft tree, which the model verifies in one forward
        pass.""",
        why="""It works because the last logits know more than the next token: they also hold
        good guesses for the token after it.""",
        example="""The next token may be "red". The logits also like "car" and "house". LogitSpec
        then drafts "red car" and "red house" and adds text that followed them before.""",
        short="LogitSpec guesses the next-next token from the last logits and retrieves n-grams.",
        use="It makes a model faster at once, and the text stays the same.",
    ),
    Subject(
        "losslessness",
        ("Is speculative decoding lossless?", "Does speculative decoding change the text?",
         "Why is the output the same?", "Is the text worse with speculative decoding?",
         "What does lossless mean?"),
        """Speculative decoding is lossless: the text is the one that the model would write
        without drafts. In greedy decoding, a drafted token is only accepted if it is the model's
        own choice. When a draft is wrong, the model's choice takes its place. A bad draft costs
        time, but it does not change the result.""",
        why="""The draft only makes proposals, and the model has the last word about every
        token.""",
        example="""Even if a draft is nothing but nonsense, the model rejects all of it and writes
        its own next token.""",
        short="Lossless means that drafts change the speed but not the text.",
        use="We can use it without any fear that the answers get worse.",
    ),
    Subject(
        "autoregressive decoding",
        ("What is autoregressive decoding?", "How does a language model write text?",
         "What is normal decoding?", "Explain autoregressive decoding.",
         "How does a model write without drafts?"),
        """In autoregressive decoding, a language model writes one token after the other. It reads
        the text so far, computes the logits and chooses the next token. This token is added to
        the text, and the same step starts again. So a text of 100 new tokens needs about 100
        forward passes.""",
        why="""Each token depends on all tokens before it, so the model cannot write a token
        before it knows the others.""",
        example="""After "The sun", the model writes "is". Then it reads "The sun is" and writes
        "shining".""",
        short="Autoregressive decoding writes one token in each forward pass.",
        use="It is simple, and it is the measure for all faster methods.",
    ),
    Subject(
        "memory-bound decoding",
        ("Why is a language model slow?", "What does memory-bound mean?",
         "Why is decoding memory-bound?", "What limits the speed of decoding?",
         "Explain why decoding is memory-bound."),
        """Decoding is memory-bound: the time goes into moving data and not into computing. For
        every forward pass, all weights of the model are read from memory. With one new token,
        there is little to compute for each weight. So the computing units wait most of the time.
        Speculative decoding uses this time to check several tokens at once.""",
        why="""Memory is much slower than the computing units, and one token alone does not give
        them enough to do.""",
        example="""It is like a bus that drives with one passenger: with ten passengers, the
        trip takes nearly the same time.""",
        short="Decoding is slow because all weights are read from memory for each token.",
        use="It shows why checking many tokens at once is nearly free.",
    ),
    Subject(
        "mean accepted tokens",
        ("What are mean accepted tokens?", "How do we measure the speed-up?",
         "What does MAT mean?", "How many tokens are accepted in one step?",
         "Explain mean accepted tokens."),
        """Mean accepted tokens, or MAT, tell how many tokens one forward pass writes on average.
        To get the number, we divide the new tokens by the forward passes. Without drafts it is
        one. With good drafts it can be two, three or more. The speed-up is a bit smaller,
        because drafting and checking take time too.""",
        why="""We count tokens for each pass because this number does not depend on the
        computer.""",
        example="""If 120 new tokens need 40 forward passes, then MAT is 120 / 40 = 3.""",
        short="MAT is the number of new tokens divided by the number of forward passes.",
        use="It lets us compare drafting methods in a fair way.",
    ),
    Subject(
        "tokens",
        ("What is a token?", "What are tokens?", "What does a tokenizer do?", "Explain tokens.",
         "How is text split into tokens?"),
        """A token is a piece of text, often a word or a part of a word. A tokenizer splits a text
        into tokens and gives each of them a number. The model reads and writes only these
        numbers. Common words are one token, and rare words are made of several tokens.""",
        why="""A list of all words would never be complete, but pieces can be joined to write any
        word.""",
        example="""The word "house" may be one token, and a made-up name may need three or four
        tokens.""",
        short="A token is a piece of text with a number.",
        use="With tokens, a model can read and write any text with a small vocabulary.",
    ),
    Subject(
        "sampling",
        ("What is sampling?", "Does it work with sampling?", "What is the difference between "
         "greedy decoding and sampling?", "Explain sampling.", "How does sampling work?"),
        """Greedy decoding always takes the most likely token. Sampling draws the next token at
        random, and likely tokens are drawn more often. Speculative decoding works with sampling
        too: a drafted token is then accepted with a certain probability. The rule is made such
        that the tokens have the same probabilities as without drafts.""",
        why="""We sample because a text that always takes the most likely token can be dull.""",
        example="""If "tea" has a probability of 0.7 and "coffee" has 0.3, sampling writes "tea"
        in about seven of ten cases.""",
        short="Sampling draws the next token at random by its probability.",
        use="It makes texts more varied.",
    ),
    Subject(
        "repetition",
        ("When does retrieval work best?", "Why does repetition help?",
         "Which texts are fast with retrieval?", "For which tasks is retrieval good?",
         "What makes retrieval fast?"),
        """Retrieval works best when a text repeats itself. In a summary, names and phrases of the
        article come again. In code, the same lines are used many times. When an answer changes a
        list or a letter, most of it is copied. In all these cases the copied draft is right, and
        many tokens are accepted at once.""",
        why="""A draft by retrieval is a copy of earlier text, so it can only be right if the text
        comes again.""",
        example="""If you ask me to change the day in a letter, nearly all other words stay the
        same and can be copied.""",
        short="The more a text repeats itself, the more tokens retrieval gets right.",
        use="It makes summaries, lists and code very fast to write.",
    ),
]  # fmt: skip
