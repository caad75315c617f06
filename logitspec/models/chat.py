"""A message as the token ids that a model reads, in its chat template where it has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, cycle
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError
from transformers import PreTrainedTokenizerBase

from logitspec.errors import LogitSpecError
from logitspec.prompts import refuse_empty
from logitspec.trace.schema import whole

Form = Callable[[str], Any]
# How templates take the content of a message: as text, or as a list of parts.
FORMS: tuple[Form, ...] = (str, lambda text: [{"type": "text", "text": text}])
MAX_MESSAGE = 200  # characters of a template's own error


def encode_prompt(
    tokenizer: PreTrainedTokenizerBase, text: str, before: Sequence[tuple[str, str]] = ()
) -> list[int]:
    """Token ids of a user message, in the model's chat template if it has one.

    before: the conversation so far, as pairs of message and answer; without a template they come
    before the text, separated by empty lines. Raises LogitSpecError for a prompt of which nothing would
    reach the model.
    """
    refuse_empty(text)
    messages = [whole(each) for each in (*chain.from_iterable(before), text)]
    if not tokenizer(messages[-1], add_special_tokens=False)["input_ids"]:
        raise LogitSpecError(
            "The model's tokenizer has no token for any character of the prompt; write it in other"
            " characters, or choose another model."
        )
    if tokenizer.chat_template is None:
        return _plain(tokenizer, "\n\n".join(messages))
    chat = _chat(messages, _form(tokenizer, len(messages)))
    ids = _apply(tokenizer, chat, return_dict=False)
    return [int(token) for token in ids]


def _plain(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Ids of `text` with the tokens that the tokenizer puts before it, but none after it: the model is to continue."""
    encoding = tokenizer(text, return_special_tokens_mask=True)
    ids = [int(token) for token in encoding["input_ids"]]
    added = list(encoding["special_tokens_mask"])
    while added and added[-1]:
        added.pop()
    return ids[: len(added)]


def _chat(messages: Sequence[str], form: Form) -> list[dict[str, Any]]:
    roles = cycle(("user", "assistant"))
    return [
        {"role": role, "content": form(content)}
        for role, content in zip(roles, messages, strict=False)
    ]


def _form(tokenizer: PreTrainedTokenizerBase, count: int) -> Form:
    """The form in which the template passes on the contents of `count` messages, found by an example with words
    that no template contains."""
    if isinstance(tokenizer.chat_template, dict) and "default" not in tokenizer.chat_template:
        names = ", ".join(sorted(tokenizer.chat_template))
        raise LogitSpecError(
            f"The model has several chat templates ({names}) and none for plain conversations; choose"
            " another model."
        )
    words = [f"xq{number}jz" for number in range(count)]
    failure: LogitSpecError | None = None
    for form in FORMS:
        try:
            text = str(_apply(tokenizer, _chat(words, form), tokenize=False)).lower()
        except LogitSpecError as error:
            failure = failure or error
            continue
        # A template that takes only text writes a list as Python prints it.
        if all(word in text for word in words) and "'type': 'text'" not in text:
            return form
    raise failure or LogitSpecError(
        "The model's chat template leaves out what the message says, whether text or a list of parts;"
        " fix its chat_template, or choose another model."
    )


def _apply(tokenizer: PreTrainedTokenizerBase, chat: list[dict[str, Any]], **options: Any) -> Any:
    try:
        return tokenizer.apply_chat_template(chat, add_generation_prompt=True, **options)
    except TemplateSyntaxError as error:
        raise LogitSpecError(
            f"The model's chat template has an error on line {error.lineno} ({_message(error)}); fix its"
            " chat_template, or choose another model."
        ) from error
    except TemplateError as error:
        raise LogitSpecError(
            f"The model's chat template refuses this conversation ({_message(error)}); choose another"
            " model."
        ) from error
    except Exception as error:  # whatever an expression in the template raises
        raise LogitSpecError(
            f"The model's chat template can't write a plain conversation ({_message(error)}); choose"
            " another model."
        ) from error


def _message(error: Exception) -> str:
    """An error's message, as part of a sentence."""
    message = " ".join(str(error).split())[:MAX_MESSAGE].rstrip(".!; ")
    return message or type(error).__name__
