"""Models: finding, checking and loading them, and turning text into their token ids."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from inspect import signature
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import HfApi, try_to_load_from_cache
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from logitspec.builtin import MODEL_DIR
from logitspec.errors import LogitSpecError
from logitspec.llama import LlamaForward, unsupported
from logitspec.runner import Runner

BUILTIN = "builtin"
DTYPES = ("auto", "fastest", "float32", "bfloat16", "float16", "float64")
HUB_SECONDS = 10
ATTENTION = {"full_attention", "sliding_attention", "global"}
DEVIATION_AT_MOST = {torch.float64: 1e-2, torch.float32: 1e-2}
ROUGHLY = 0.5
# How far the fast forward's logits may deviate, beside a few times as far as the stock one's: rounding.
APART_AT_MOST = {torch.float64: 1e-3, torch.float32: 1e-3}
ROUNDING = 0.1
PARAMETERS_TIMED = 10**9  # a larger model takes long to load twice, and much room in float32
ROWS_TIMED = (1, 8, 32)
WORTH_ROUNDING = 0.9

# Weights that are on disk load in a moment; a bar for that hides what matters.
transformers.utils.logging.disable_progress_bar()

_LIBRARY_ERRORS = (OSError, ValueError, KeyError, ImportError, RuntimeError)


def load(
    model: str | Path = BUILTIN, device: str = "auto", dtype: str = "auto"
) -> tuple[Runner, PreTrainedTokenizerBase]:
    """A target and its tokenizer.

    model: "builtin", a folder, or a hub id. device: "auto" (a CUDA GPU if there is one, else the
    CPU) or a torch device. dtype: "auto" (bfloat16 on a GPU, float32 on a CPU), its name, or "fastest":
    on a CPU the one of these two in which a few forwards take less time, where rounding may part two
    runs that are nearly tied. Weights are read from safetensors only and no code from the model's
    repository is run. Raises LogitSpecError when the model can't be had or can't be a target.
    """
    place = choose_device(device)
    precision = choose_dtype(dtype, place)
    source, name = _source(model), known_as(model)
    config = _config(source, name)
    _refuse(config, name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
    except _LIBRARY_ERRORS as error:
        raise LogitSpecError(f"{name} has no tokenizer that loads: {_first(error)}") from error

    def made(wanted: torch.dtype) -> Runner:
        weights, reason = _weights(source, name, config, wanted)
        target = prepare(weights.to(place).eval(), tokenizer.eos_token_id, name)
        target.info.update(reason)
        target.info["environment"]["forward"] = _quickened(target, _proven(target, name))
        return target

    if dtype == "fastest" and place.type == "cpu" and _parameters(config) < PARAMETERS_TIMED:
        return _fastest(made), tokenizer
    return made(precision), tokenizer


def prepare(
    model: Any, eos_token_id: int | None = None, name: str = "", kind: type[Runner] = Runner
) -> Runner:
    """A target over a transformers model that is already in memory and in eval mode.

    eos_token_id: one that the tokenizer declares, beside those of the model's generation config.
    """
    text = model.config.get_text_config()
    return kind(
        model,
        windows=_windows(text),
        eos_ids=_eos_ids(model.generation_config, eos_token_id),
        limit=_limit(text),
        info=_info(model, name or model.config.model_type),
    )


def choose_device(device: str) -> torch.device:
    """The torch device by name; LogitSpecError when it is unknown or not there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise LogitSpecError(
            f"The device {device!r} is not available here; choose auto, cpu or cuda."
        ) from error
    return place


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """The torch dtype by name; LogitSpecError when it is unknown."""
    if dtype not in DTYPES:
        raise LogitSpecError(f"There is no dtype {dtype!r}; choose one of {', '.join(DTYPES)}.")
    if dtype == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    if dtype == "fastest":  # of the models that are not timed
        return torch.bfloat16
    chosen: torch.dtype = getattr(torch, dtype)
    return chosen


def encode_prompt(
    tokenizer: PreTrainedTokenizerBase, text: str, before: Sequence[tuple[str, str]] = ()
) -> list[int]:
    """Token ids of a user message, in the model's chat template if it has one.

    before: the conversation so far, as pairs of message and answer; without a template they stand
    before the text, with empty lines between.
    """
    if not text.strip():
        raise LogitSpecError("The prompt is empty; write something for the model to continue.")
    # Half of an emoji, as a browser may send it, is no Unicode text; tokenizers refuse it.
    said = [*(each for pair in before for each in pair), text.encode("utf-8", "replace").decode()]
    if tokenizer.chat_template is None:
        return [int(token) for token in tokenizer("\n\n".join(said))["input_ids"]]
    chat = [
        {"role": role, "content": words}
        for role, words in zip(cycle(("user", "assistant")), said, strict=False)
    ]
    ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
    return [int(token) for token in ids]


def known_as(model: str | Path) -> str:
    """The name that a model goes by: a folder's own name, without the way to it."""
    folder = Path(model).expanduser()
    return folder.resolve().name if folder.is_dir() else str(model)


def _source(model: str | Path) -> str:
    """Where transformers finds the model."""
    folder = MODEL_DIR if str(model) == BUILTIN else Path(model).expanduser()
    return str(folder) if folder.is_dir() else str(model)


def _config(source: str, name: str) -> PreTrainedConfig:
    try:
        if not Path(source).is_dir() and not try_to_load_from_cache(source, "config.json"):
            # Asked once, with a limit: the loaders below would retry for half a minute.
            HfApi().model_info(source, timeout=HUB_SECONDS)
        config: PreTrainedConfig = AutoConfig.from_pretrained(source)
    except Exception as error:  # the hub client lets through whatever its HTTP library raises
        raise LogitSpecError(
            f"There is no model {name!r} in this folder or on the hub that can be read;"
            f" check its name and the connection, or use {BUILTIN!r}."
        ) from error
    return config


def _refuse(config: PreTrainedConfig, name: str) -> None:
    text = config.get_text_config()
    if config.is_encoder_decoder:
        raise LogitSpecError(
            f"{name} is an encoder-decoder model; choose one that only continues text."
        )
    kinds = {*(getattr(text, "layer_types", None) or ()), *getattr(text, "attention_layers", ())}
    other = kinds - ATTENTION
    if other:
        raise LogitSpecError(
            f"{name} has layers of type {sorted(other)[0]!r}, which can't branch over a"
            " draft tree; choose a model with attention only."
        )


def _weights(
    source: str, name: str, config: PreTrainedConfig, dtype: torch.dtype
) -> tuple[PreTrainedModel, dict[str, str]]:
    """The model, and the reason if its attention is not the fast one."""
    wanted, reason = "sdpa", {}
    if getattr(config.get_text_config(), "attn_logit_softcapping", None):
        wanted, reason = "eager", {"attention_reason": "the attention scores are soft-capped"}
    options = {"config": config, "dtype": dtype, "use_safetensors": True}
    try:
        try:
            model = AutoModelForCausalLM.from_pretrained(
                source, attn_implementation=wanted, **options
            )
        except ValueError as error:
            reason = {"attention_reason": _first(error)}
            model = AutoModelForCausalLM.from_pretrained(
                source, attn_implementation="eager", **options
            )
    except _LIBRARY_ERRORS as error:
        raise LogitSpecError(f"{name} could not be loaded: {_first(error)}") from error
    if "position_ids" not in signature(model.forward).parameters:
        raise LogitSpecError(
            f"{name} takes no position ids, which the branches of a draft tree need; choose another"
            " model."
        )
    if getattr(model, "_is_stateful", False):
        raise LogitSpecError(
            f"{name} keeps a recurrent state, which can't branch over a draft tree;"
            " choose a model with attention only."
        )
    return model, reason


def _proven(target: Runner, name: str) -> float:
    """Refuse a model that computes something else over a draft tree than over plain text.

    Returns how far apart they are, in standard deviations of the logits.
    """
    try:
        deviation = target.deviation()
    except Exception as error:  # whatever a model does that has no use for positions or 4-D masks
        raise LogitSpecError(
            f"{name} can't run a draft tree ({type(error).__name__}); choose another model."
        ) from error
    # In half precision rounding alone may move a mixture of experts far.
    if not deviation <= DEVIATION_AT_MOST.get(target.model.dtype, ROUGHLY):
        raise LogitSpecError(
            f"{name} computes other logits over a draft tree than over plain text"
            f" ({deviation:.1g} standard deviations apart); choose another model."
        )
    return deviation


def _quickened(target: Runner, deviation: float) -> str:
    """Give `target` the fast forward if there is one for it, and say for the trace what it has now.

    deviation: that of the stock forward. The fast one's, over a small tree, is measured against the same
    plain and uncached forwards of the stock model; where it is more than rounding, the stock one stays.
    """
    reason = unsupported(target.model)
    if reason is not None:
        return f"stock: {reason}"
    stock = target.forward
    try:
        target.use(LlamaForward(target.model))
        apart = target.deviation()
    except Exception as error:  # a model without the fast forward is a slower one, not a broken one
        target.use(stock)
        return f"stock: the fast one failed ({type(error).__name__})"
    if apart <= 3 * deviation + APART_AT_MOST.get(target.model.dtype, ROUNDING):
        return "fast"
    target.use(stock)
    return f"stock: the fast one's logits are {apart:.1g} standard deviations apart"


def _parameters(config: PreTrainedConfig) -> int:
    """Parameters of a model before its weights are there; 0 where that alone fails."""
    try:
        with torch.device("meta"):
            return int(AutoModelForCausalLM.from_config(config).num_parameters())
    except _LIBRARY_ERRORS:  # loading it has the message for that
        return 0


def _fastest(made: Callable[[torch.dtype], Runner]) -> Runner:
    """A target in float32 or bfloat16, by what forwards take; `made` loads it in a dtype."""
    exact = made(torch.float32)
    try:
        rounded = made(torch.bfloat16)
    except LogitSpecError as error:
        exact.info["environment"]["dtype"] = f"float32: {error}"
        return exact
    return _faster(exact, rounded)


def _faster(exact: Runner, rounded: Runner) -> Runner:
    """The one whose forwards take less time; `rounded` only if it is clearly the faster one.

    By the sum over ROWS_TIMED, each the shortest of a few forwards: a fraction of a second.
    """
    took = [float("inf"), float("inf")]
    for _ in range(2):  # in turn, so that another program's load meets both
        for place, target in enumerate((exact, rounded)):
            took[place] = min(took[place], sum(target.seconds(ROWS_TIMED)))
    chosen = rounded if took[1] < WORTH_ROUNDING * took[0] else exact
    chosen.info["environment"]["dtype"] = (
        f"the fastest: {1000 * took[0]:.1f} ms in float32 and {1000 * took[1]:.1f} ms in bfloat16"
        f" for forwards over {', '.join(map(str, ROWS_TIMED))} rows"
    )
    return chosen


def _windows(config: PreTrainedConfig) -> dict[str, int | None]:
    """For each layer type the positions that a row sees back, itself included."""
    sliding = getattr(config, "sliding_window", None)
    default = ["full_attention" if sliding is None else "sliding_attention"]
    kinds = getattr(config, "layer_types", None) or default
    return {kind: sliding if kind == "sliding_attention" else None for kind in kinds}


def _eos_ids(generation_config: Any, also: int | None) -> set[int]:
    declared = generation_config.eos_token_id if generation_config else None
    listed = declared if isinstance(declared, list) else [declared]
    return {token for token in (*listed, also) if token is not None}


def _limit(config: PreTrainedConfig) -> int:
    """Positions that the model can hold, as far as their meaning does not change on the way."""
    declared = getattr(config, "max_position_embeddings", None) or 0
    limit: int = declared if declared > 0 else 2**20
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") in ("longrope", "dynamic"):
        # Beyond this length such a model re-reads all earlier positions with other frequencies.
        return min(limit, rope.get("original_max_position_embeddings") or limit)
    return limit


def _info(model: Any, name: str) -> dict[str, Any]:
    device = model.device
    chip = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "id": name,
        "revision": getattr(model.config, "_commit_hash", None),
        "dtype": str(model.dtype).removeprefix("torch."),
        "device": f"{device} ({chip})",
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "attention": model.config._attn_implementation,
        "environment": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }


def _first(error: BaseException) -> str:
    """The first sentence of a library's message."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line if line.endswith(".") else f"{line}."
