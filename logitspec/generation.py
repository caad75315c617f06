"""LogitSpec inside transformers: `model.generate(**inputs, custom_generate=logitspec.custom_generate)`."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import torch
from transformers import GenerationConfig
from transformers.generation import (
    EosTokenCriteria,
    GenerateDecoderOnlyOutput,
    InfNanRemoveLogitsProcessor,
    LogitNormalization,
    MaxLengthCriteria,
    MinLengthLogitsProcessor,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from logitspec.decoding.engine import MAX_NEW_TOKENS, begin, run
from logitspec.drafters import DEFAULT_METHOD, make
from logitspec.errors import LogitSpecError
from logitspec.models.loader import prepare, refuse_unfit
from logitspec.runtime.runner import Runner
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.sampling import Sampling

# In transformers' order, which is also that of `pick`.
WARPERS = (TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)
LEAST_TOP_P = 1e-9  # transformers takes 0 too, and keeps the best token, as this does
MODES = ("greedy_search", "sample")
OUTPUTS = ("output_scores", "output_logits", "output_attentions", "output_hidden_states")
# What `generate` prepares for every model; any other input would be ignored.
PREPARED_INPUTS = {
    "attention_mask",
    "position_ids",
    "past_key_values",
    "cache_position",
    "logits_to_keep",
    "token_type_ids",
    "use_cache",
    "output_attentions",  # no effect: `_refuse` rejects the calls in which these two would be returned
    "output_hidden_states",
}


class CustomGenerate:
    """The decoding loop for the `generate` of a stock transformers model, which calls this."""

    @property
    def __signature__(self) -> inspect.Signature:
        """The arguments of a call. `generate` asks for them just as it drops the tokenizer, which stop strings
        need and transformers 5.23 passes to its own loops only; so it is put back here."""
        _keep_tokenizer()
        return inspect.signature(self.__call__)

    def __call__(
        self,
        model: Any,
        input_ids: torch.Tensor,
        logits_processor: Sequence[Any] = (),
        stopping_criteria: Any = None,
        generation_config: GenerationConfig | None = None,
        streamer: Any = None,
        tokenizer: Any = None,
        method: str = DEFAULT_METHOD,
        method_options: dict[str, Any] | None = None,
        seed: int | None = None,
        **model_kwargs: Any,
    ) -> Any:
        """Decode one sequence.

        input_ids: [1, length]. method, method_options, seed: extra arguments of `generate`; without a
        seed, one is drawn from torch's generator, so that torch.manual_seed fixes the text. tokenizer: for
        stop strings, which are already among the stopping criteria. Returns what `generate` does:
        [1, length + new tokens], or an output with `sequences`. Raises LogitSpecError for an argument that
        can't be honoured. A text that fills the model's context ends there, with a warning.
        """
        config = generation_config or model.generation_config
        _refuse(model, input_ids, config)
        sampling = _sampling(logits_processor, bool(config.do_sample), seed, input_ids.shape[1])
        prompt, new_ids = input_ids[0].tolist(), list[int]()
        streamer = streamer or _argument_of_generate("streamer")
        criteria = _other_criteria(stopping_criteria or (), config)
        sizes_trees = make(method, method_options or {}).sizes_trees
        with _target(model, sizes_trees) as target:
            _refuse_inputs(model, input_ids, model_kwargs)
            target.eos_ids = frozenset(_eos_ids(config))
            # As transformers takes them: numbers of any library, and more than a text ever has, for no bound at all.
            new_tokens = min(int(config.max_length) - len(prompt), MAX_NEW_TOKENS)
            trace = begin(target, prompt, method, new_tokens, sampling, method_options)
            steps = run(target, trace)
            for token in (token for step in steps for token in step.tokens):
                new_ids.append(token)
                if streamer is not None:
                    streamer.put(torch.tensor([token]))
                if criteria and _should_stop(criteria, _append(input_ids, new_ids)):
                    break
            steps.close()
        if streamer is not None:
            streamer.end()
        if trace.finish == "context":
            warnings.warn(
                f"The text ends early, as the model's context of {target.limit} tokens is full; shorten the"
                " prompt for a longer answer.",
                stacklevel=2,
            )
        text = _append(input_ids, new_ids)
        return GenerateDecoderOnlyOutput(sequences=text) if config.return_dict_in_generate else text


custom_generate = CustomGenerate()


def _append(prompt: torch.Tensor, new_ids: list[int]) -> torch.Tensor:
    return torch.cat((prompt, prompt.new_tensor([new_ids])), dim=-1)


def _other_criteria(criteria: Sequence[Any], config: GenerationConfig) -> list[Any]:
    """The criteria that the engine doesn't check itself: asking any costs a tensor per token."""

    def is_built_in(each: Any) -> bool:
        if type(each) is MaxLengthCriteria:
            return bool(each.max_length == config.max_length)
        if type(each) is EosTokenCriteria:
            return set(each.eos_token_id.tolist()) == set(_eos_ids(config))
        return False

    return [each for each in criteria if not is_built_in(each)]


def _should_stop(criteria: Sequence[Any], text: torch.Tensor) -> bool:
    return any(bool(torch.as_tensor(each(text, None)).all()) for each in criteria)


def _argument_of_generate(name: str) -> Any:
    """An argument of the calling `generate`, which transformers 5.23 does not pass on to a custom function."""
    return _variables("generate").get(name)


def _keep_tokenizer() -> None:
    found = _variables("_extract_generation_mode_kwargs")
    tokenizer = found.get("generation_mode_kwargs", {}).get("tokenizer")
    if tokenizer is not None:
        found["kwargs"]["tokenizer"] = tokenizer


def _variables(function: str) -> dict[str, Any]:
    """The local variables of the innermost caller of that name in transformers; empty without such a caller."""
    frame = inspect.currentframe()
    caller = "transformers.generation.utils", function
    while frame is not None and (frame.f_globals.get("__name__"), frame.f_code.co_name) != caller:
        frame = frame.f_back
    return {} if frame is None else frame.f_locals


def _refuse(model: Any, input_ids: torch.Tensor, config: GenerationConfig) -> None:
    mode = str(config.get_generation_mode(_argument_of_generate("assistant_model")).value)
    if mode not in MODES:
        raise LogitSpecError(
            f"custom_generate decodes greedily or by sampling, not by {mode.replace('_', ' ')}; leave"
            " out num_beams and the options of other ways to decode."
        )
    if input_ids.shape[0] != 1:
        raise LogitSpecError(
            f"custom_generate takes one sequence at a time and got {input_ids.shape[0]}; call it once"
            " for each."
        )
    if model.training:
        raise LogitSpecError("The model is in training mode; call model.eval() first.")
    outputs = [name for name in OUTPUTS if getattr(config, name, None)]
    if outputs and config.return_dict_in_generate:
        raise LogitSpecError(f"custom_generate returns tokens only; leave out {outputs[0]}.")


def _refuse_inputs(model: Any, input_ids: torch.Tensor, inputs: dict[str, Any]) -> None:
    unread = [
        name for name, value in inputs.items() if name not in PREPARED_INPUTS and value is not None
    ]
    if _are_read(model, input_ids, inputs.get("token_type_ids")):
        unread.append("token_type_ids")
    if unread:
        raise LogitSpecError(
            f"custom_generate reads input_ids only; leave out {unread[0]} or use plain generate."
        )
    mask, positions = inputs.get("attention_mask"), inputs.get("position_ids")
    expected = torch.arange(input_ids.shape[1])
    if (mask is not None and not bool((mask == 1).all())) or (
        positions is not None and not bool((positions.cpu() == expected).all())
    ):
        raise LogitSpecError(
            "custom_generate takes no padding and no custom positions; pass the prompt alone."
        )
    cache = inputs.get("past_key_values")
    if cache is not None and cache.get_seq_length() > 0:
        raise LogitSpecError(
            "custom_generate keeps its own KV cache; pass the whole text and no past_key_values."
        )


@torch.inference_mode()
def _are_read(model: Any, input_ids: torch.Tensor, types: torch.Tensor | None) -> bool:
    """Whether token types change what the model writes: GPT-2 and its kin add an embedding even for a type of 0, and
    others take no notice."""
    if types is None or "token_type_ids" not in inspect.signature(model.forward).parameters:
        return False
    first = {"input_ids": input_ids[:, :1], "use_cache": False}
    typed, plain = model(**first, token_type_ids=types[:, :1]).logits, model(**first).logits
    return bool(types.any()) or not torch.equal(typed, plain)


def _sampling(
    processors: Sequence[Any], do_sample: bool, seed: int | None, prompt_length: int
) -> Sampling:
    """Penalty, temperature, top-k and top-p as `generate` has prepared them."""
    left = [each for each in processors if not _changes_nothing(each, prompt_length)]
    penalty = 1.0
    if left and type(left[0]) is RepetitionPenaltyLogitsProcessor and not _ignores(left[0]):
        penalty = left.pop(0).penalty
    warpers = {type(each): each for each in left if not _is_special(each)}
    order = [kind for kind in WARPERS if kind in warpers]
    if not do_sample:
        order = []
    if [type(each) for each in left] != order:
        names = [type(each).__name__ for each in left if type(each) not in order]
        raise LogitSpecError(
            f"custom_generate can't honour {names[0] if names else 'a custom warper'}, only a"
            " repetition penalty, and temperature, top_k and top_p when sampling; leave the option out of the"
            " call and of model.generation_config, or use plain generate."
        )
    if not do_sample:
        return Sampling(repetition_penalty=penalty)
    temperature, top_k, top_p = (warpers.get(kind) for kind in WARPERS)
    return Sampling(
        temperature.temperature if temperature else 1.0,
        max(top_p.top_p, LEAST_TOP_P) if top_p else 1.0,
        int(torch.randint(2**31, (1,))) if seed is None else seed,
        top_k.top_k if top_k else 0,
        penalty,
    )


def _changes_nothing(processor: Any, prompt_length: int) -> bool:
    """Whether a processor leaves all choices unchanged, so that no text shows whether it ran."""
    kind = type(processor)
    if kind in (SuppressTokensLogitsProcessor, SuppressTokensAtBeginLogitsProcessor):
        tokens = getattr(
            processor, "suppress_tokens", getattr(processor, "begin_suppress_tokens", None)
        )
        return tokens is not None and len(tokens) == 0
    return (
        kind is LogitNormalization
        or kind is InfNanRemoveLogitsProcessor  # such logits are refused
        or (kind is MinLengthLogitsProcessor and processor.min_length <= prompt_length)
        or (kind is MinPLogitsWarper and processor.min_p == 0)
        or (kind is RepetitionPenaltyLogitsProcessor and processor.penalty == 1)
    )


def _is_special(warper: Any) -> bool:
    """Whether a warper leaves a chance to tokens that one of `generate`'s own, with the same top-k or top-p,
    rules out."""
    keeps_more = type(warper) is TopPLogitsWarper and warper.min_tokens_to_keep > 1
    return keeps_more or getattr(warper, "filter_value", -torch.inf) != -torch.inf


def _ignores(processor: Any) -> bool:
    """Whether a repetition penalty skips a part of the prompt."""
    ignored = processor.prompt_ignore_length
    return ignored is not None and bool((torch.as_tensor(ignored) != 0).any())


def _eos_ids(config: GenerationConfig) -> list[int]:
    ids = config.eos_token_id
    return [] if ids is None else torch.as_tensor(ids).flatten().tolist()


@dataclass
class _Checked:
    """What is kept about a model that passed its check: its state then, and what its forwards cost."""

    state: object
    costs: ForwardCosts | None = None


# Not an attribute of the model, whose copies would inherit it; and no value here refers back to the model.
_CHECKED: WeakKeyDictionary[Any, _Checked] = WeakKeyDictionary()
_CHECKING = Lock()


@contextmanager
def _target(model: Any, sizes_trees: bool) -> Iterator[Runner]:
    """A target over `model` with its own text, for one call: other threads may have theirs at the same time.

    sizes_trees: whether the method needs the costs of forwards, which are measured once and not in every thread.
    """
    state = _state(model)
    with _CHECKING:
        checked = _CHECKED.get(model)
        if checked is None or checked.state != state:
            refuse_unfit(model)
            checked = _CHECKED[model] = _Checked(state)
        if sizes_trees and checked.costs is None:
            checked.costs = prepare(model).measure_costs()
    target = prepare(model)
    target.costs = deepcopy(checked.costs)
    yield target
    checked.costs = target.costs


def _state(model: Any) -> object:
    """What a check depends on: two states are equal unless the model has been changed."""
    weights = [(each.shape, each.dtype, each.device) for each in model.parameters()]
    return model.config.to_json_string(), model.config._attn_implementation, weights
