"""Chat templates as users bring them: the message reaches the model, or one sentence says why not."""

from __future__ import annotations

import pytest
from support.errors import one_sentence
from support.models import tokenizer

from logitspec import LogitSpecError
from logitspec.models import encode_prompt

PLAIN = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]"
PARTS = (
    "{% for m in messages %}[{{ m.role }}]{% for p in m.content %}{% if p.type == 'text' %}"
    "{{ p.text }}{% endif %}{% endfor %}{% endfor %}[assistant]"
)
# Fails on text instead of writing nothing.
STRICT_PARTS = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content[0]['text'] + '' }}{% endfor %}[assistant]"
)
TRIMMED = PLAIN.replace("m.content", "m.content | trim")
LOWER = PLAIN.replace("m.content", "m.content | lower | upper")
EITHER = (
    "{% for m in messages %}[{{ m.role }}]{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}{% endfor %}[assistant]"
)
RAISES = "{{ raise_exception('Conversation roles must alternate.') }}"


def ids(template: object, *arguments: object) -> list[int]:
    chat = tokenizer()
    chat.chat_template = template
    return encode_prompt(chat, *arguments)  # type: ignore[arg-type]


def written(text: str) -> list[int]:
    result: list[int] = tokenizer()(text)["input_ids"]
    return result


@pytest.mark.parametrize("template", [PLAIN, PARTS, STRICT_PARTS, TRIMMED, LOWER, EITHER])
def test_a_message_reaches_the_model_in_either_form(template: str) -> None:
    assert ids(template, "ABC") == written("[user]ABC[assistant]")
    before = [("A", "B"), ("C", "D")]
    whole = "[user]A[assistant]B[user]C[assistant]D[user]E[assistant]"
    assert ids(template, "E", before) == written(whole)


@pytest.mark.parametrize("text", ["USER", "ASSISTANT", "MESSAGES", "[user]"])
def test_words_of_the_template_are_not_taken_for_the_message(text: str) -> None:
    silent = "{% for m in messages %}[USER ASSISTANT MESSAGES [user]]{% endfor %}"
    with pytest.raises(LogitSpecError, match="leaves out what the message says"):
        ids(silent, text)


@pytest.mark.parametrize(
    ("template", "match"),
    [
        ("[INST][/INST]", "leaves out what the message says, whether text or a list of parts; fix"),
        ("", "leaves out what the message says"),
        ("{{ messages[0].role }}", "leaves out what the message says"),
        ("{{ messages[0].content[:1] }}", "leaves out what the message says"),
        ("{% for m in messages %}{{ m.text }}{% endfor %}", "leaves out what the message says"),
        (RAISES, r"refuses this conversation \(Conversation roles must alternate\); choose another"),
        ("{{ raise_exception('') }}", "refuses this conversation"),
        ("{{ raise_exception('No\n  lone message!') }}", r"\(No lone message\)"),
        (
            "{% if messages[0].role != 'system' %}{{ raise_exception('System first') }}{% endif %}",
            r"refuses this conversation \(System first\)",
        ),
        ("{% for m in messages %}{{ m.content }}", r"has an error on line 1 \(.*; fix its chat_tem"),
        ("{{ messages", "has an error on line 1"),
        ("\n{% magic %}", "has an error on line 2"),
        ("{{ messages | nonsense }}", "has an error on line 1|refuses this conversation"),
        ("{% for t in tools %}{{ t }}{% endfor %}{{ messages[0].content }}", "plain conversation"),
        ("{{ tools | length }}{{ messages[0].content }}", "can't write a plain conversation"),
        ("{{ documents[0].title }}{{ messages[0].content }}", "conversation"),
        ("{{ messages[0].content + 1 }}", "can't write a plain conversation"),
        ("{{ 1 / 0 }}{{ messages[0].content }}", r"plain conversation \(division by zero\)"),
        ("{{ messages[7].content.text }}", "refuses this conversation"),
        ("{{ ''.__class__.__mro__ }}", "refuses this conversation"),
    ],
)  # fmt: skip
def test_templates_that_write_no_prompt_are_refused(template: str, match: str) -> None:
    with pytest.raises(LogitSpecError, match=match) as error:
        ids(template, "ABC")
    one_sentence(error)
    assert "empty" not in str(error.value)


def test_a_conversation_that_loses_a_message_is_refused() -> None:
    last = "[user]{{ messages[-1].content }}[assistant]"
    assert ids(last, "A") == written("[user]A[assistant]")
    with pytest.raises(LogitSpecError, match="leaves out what the message says"):
        ids(last, "A", [("B", "C")])


def test_named_templates_need_a_default() -> None:
    assert ids({"default": PLAIN, "tool_use": RAISES}, "ABC") == written("[user]ABC[assistant]")
    for names in (["tool_use"], ["tool_use", "rag"]):
        with pytest.raises(LogitSpecError, match=rf"\({', '.join(sorted(names))}\) and none"):
            ids(dict.fromkeys(names, PLAIN), "ABC")


@pytest.mark.parametrize("template", [None, PLAIN])
@pytest.mark.parametrize("text", ["abc", "   abc  ", "\u200b", "\u00e9\u4e2d"])
def test_a_prompt_without_any_token_is_not_called_empty(template: str | None, text: str) -> None:
    with pytest.raises(
        LogitSpecError, match="has no token for any character of the prompt"
    ) as error:
        ids(template, text)
    one_sentence(error)
