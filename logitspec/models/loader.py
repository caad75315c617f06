"""Models: loading them, wherever their files are, and turning text into their token ids."""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from logitspec.errors import LogitSpecError
from logitspec.models import facts, hub
from logitspec.models.checks import proven, refuse_config, refuse_model
from logitspec.models.devices import (
    choose_device,
    choose_dtype,
    fastest,
    graphed,
    quickened,
    ran_out,
    refuse_offload,
    refuse_too_large,
    spread,
    too_large,
)
from logitspec.paths import MODEL
from logitspec.runtime.runner import Runner

BUILTIN = "builtin"
PARAMETERS_TIMED = 10**9  # a larger model takes long to load twice, and much room in float32

# Weights that are on disk load in a moment; a bar for that hides what matters.
transformers.utils.logging.disable_progress_bar()

_OF_TOKENIZER = re.compile(r"(tokenizer|vocab|merges|tekken).*|.*\.(model|tiktoken)")
_LIBRARY_ERRORS = (OSError, ValueError, KeyError, ImportError, RuntimeError)


@dataclass(frozen=True)
class Source:
    """Where a model's files are. name: what it goes by. repository: whence its weights come, if not here."""

    folder: Path
    name: str
    repository: hub.Repository | None = None


@dataclass(frozen=True)
class Found:
    """A model whose files are here and whose configuration can be a target's."""

    source: Source
    config: PreTrainedConfig
    tokenizer: PreTrainedTokenizerBase
    parameters: int
    place: torch.device
    precision: torch.dtype


def load(
    model: str | Path = BUILTIN,
    device: str = "auto",
    dtype: str = "auto",
    *,
    device_map: str | None = None,
    offload: bool = False,
    graphs: bool = True,
    progress: hub.Progress | None = None,
) -> tuple[Runner, PreTrainedTokenizerBase]:
    """A target and its tokenizer.

    model: "builtin", a folder, or a hub id. device: "auto" (a CUDA GPU if there is one, else the
    CPU) or a torch device. dtype: "auto" (bfloat16 on a GPU, float32 on a CPU), its name, or "fastest":
    on a CPU the one of these two in which a few forwards take less time, where rounding may part two
    runs that are nearly tied. device_map: "auto" spreads the layers over all GPUs (instead of device);
    offload: what does not fit there may go to the CPU. graphs: on a CUDA GPU, replay forwards as CUDA
    graphs where the model allows it; the trace's environment says whether. progress: called while weights are downloaded,
    with the bytes that are there and all bytes. Weights are read from safetensors only and no code from
    the model's repository is run. Raises LogitSpecError when the model can't be had or can't be a target.
    """
    found = _found(model, device, dtype, device_map, offload, progress)
    source, parameters = found.source, found.parameters
    timed = dtype == "fastest" and found.place.type == "cpu" and parameters < PARAMETERS_TIMED

    def made(wanted: torch.dtype) -> Runner:
        options: dict[str, Any] = {}
        if device_map is not None:
            options = spread(source.name, device_map, offload, parameters, wanted)
        weights, reason = _weights(source, found.config, wanted, options)
        refuse_offload(source.name, getattr(weights, "hf_device_map", {}), offload)
        net = weights if options else weights.to(found.place)
        target = prepare(net.eval(), found.tokenizer.eos_token_id, source.name)
        target.info.update(reason)
        deviation = proven(target, source.name)
        environment = target.info["environment"]
        environment["forward"] = quickened(target, deviation)
        if found.place.type != "cpu":
            environment["graphs"] = graphed(target, deviation, graphs)
        return target

    try:
        return (fastest(made) if timed else made(found.precision)), found.tokenizer
    except (MemoryError, RuntimeError) as error:
        if not ran_out(error):
            raise
        raise too_large(source.name, "it ran out while the model was loaded") from None
    finally:
        gc.collect()  # what a failed attempt leaves holds memory


def fetch(
    model: str | Path,
    device: str = "auto",
    dtype: str = "auto",
    *,
    device_map: str | None = None,
    offload: bool = False,
    graphs: bool = True,
    progress: hub.Progress | None = None,
) -> None:
    """What `load` does before it takes memory: have the files here, or raise LogitSpecError."""
    _found(model, device, dtype, device_map, offload, progress)


def prepare(
    model: Any, eos_token_id: int | None = None, name: str = "", kind: type[Runner] = Runner
) -> Runner:
    """A target over a transformers model that is already in memory and in eval mode.

    eos_token_id: one that the tokenizer declares, beside those of the model's generation config.
    """
    text = model.config.get_text_config()
    return kind(
        model,
        windows=facts.windows(text),
        eos_ids=facts.eos_ids(model.generation_config, eos_token_id),
        limit=facts.limit(text),
        info=facts.info(model, name or model.config.model_type),
    )


def target_over(model: Any) -> Runner:
    """`prepare`, for a model that nothing is known of; LogitSpecError when it can't be a target."""
    name = model.config.name_or_path or model.config.model_type
    refuse_config(model.config, known_as(name))
    refuse_model(model, known_as(name))
    target = prepare(model, name=known_as(name))
    proven(target, known_as(name))
    return target


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


def _source(model: str | Path) -> Source:
    """The model's folder; for one of the hub that with its small files, the weights still to come."""
    if str(model) == BUILTIN:
        return Source(MODEL, BUILTIN)
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise LogitSpecError(
                f"There is no model in the folder {known_as(model)}: it has no config.json; choose the"
                " folder that save_pretrained has written."
            )
        return Source(folder, known_as(model))
    repository = hub.find(str(model))
    return Source(hub.small_files(repository), str(model), repository)


def _found(
    model: str | Path,
    device: str,
    dtype: str,
    device_map: str | None,
    offload: bool,
    progress: hub.Progress | None,
) -> Found:
    """All that can be refused cheaply is, before weights are downloaded."""
    place = choose_device(device)
    precision = choose_dtype(dtype, place)
    if offload and device_map is None:
        raise LogitSpecError(
            "Offloading goes with a device map; add device_map='auto' (--device-map)."
        )
    source = _source(model)
    config = _config(source)
    refuse_config(config, source.name)
    tokenizer = _tokenizer(source)
    parameters = _parameters(config)
    if device_map is None:
        refuse_too_large(source.name, parameters, precision, place)
    if source.repository is not None:
        hub.weights(source.repository, source.folder, progress)
    return Found(source, config, tokenizer, parameters, place, precision)


def _config(source: Source) -> PreTrainedConfig:
    try:
        # False, not the default, which asks in the terminal whether the repository's code may run.
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            source.folder, trust_remote_code=False
        )
    except _LIBRARY_ERRORS as error:
        if "trust_remote_code" in str(error):
            raise LogitSpecError(
                f"{source.name} needs code from its own repository, which is never run; choose a model"
                " that transformers itself has the code of."
            ) from error
        raise LogitSpecError(
            f"{source.name} has a configuration that transformers {transformers.__version__} can't read;"
            " choose another model."
        ) from error
    continues = type(config) in MODEL_FOR_CAUSAL_LM_MAPPING
    # BERT's kind has a class for it, too, whose weights would look ahead.
    fills_gaps = type(config) in MODEL_FOR_MASKED_LM_MAPPING and not config.is_decoder
    if not config.is_encoder_decoder and (fills_gaps or not continues):
        raise LogitSpecError(
            f"{source.name} ({config.model_type}) does not continue text; choose a causal language model."
        )
    if source.repository is not None:
        config._commit_hash = source.repository.commit
    return config


def _tokenizer(source: Source) -> PreTrainedTokenizerBase:
    try:
        # Some releases of transformers then make one up, of special tokens alone.
        if not any(_OF_TOKENIZER.fullmatch(file.name) for file in source.folder.iterdir()):
            raise OSError("no file of a tokenizer")
        tokenizer = AutoTokenizer.from_pretrained(source.folder, trust_remote_code=False)
    except _LIBRARY_ERRORS as error:
        raise LogitSpecError(
            f"{source.name} has no tokenizer that loads; choose a model that comes with one."
        ) from error
    return tokenizer


def _weights(
    source: Source, config: PreTrainedConfig, dtype: torch.dtype, placed: dict[str, Any]
) -> tuple[PreTrainedModel, dict[str, str]]:
    """The model, and the reason if its attention is not the fast one."""
    wanted, reason = "sdpa", {}
    if getattr(config.get_text_config(), "attn_logit_softcapping", None):
        wanted, reason = "eager", {"attention_reason": "the attention scores are soft-capped"}
    options = {"config": config, "dtype": dtype, "use_safetensors": True, **placed}
    options["trust_remote_code"] = False
    try:
        try:
            model = AutoModelForCausalLM.from_pretrained(
                source.folder, attn_implementation=wanted, **options
            )
        except ValueError as error:
            reason = {"attention_reason": _first(error)}
            model = AutoModelForCausalLM.from_pretrained(
                source.folder, attn_implementation="eager", **options
            )
    except _LIBRARY_ERRORS as error:
        if ran_out(error):
            raise
        raise _unreadable(source, error) from error
    refuse_model(model, source.name)
    return model, reason


def _unreadable(source: Source, error: BaseException) -> LogitSpecError:
    if not hub.weight_files(source.folder):
        return LogitSpecError(
            f"{source.name} could not be loaded: it has no weights in safetensors, and pickled ones are"
            " never read; choose a model that has them."
        )
    # The library's own words name the folder, which is nobody's business.
    words = _first(error).replace(str(source.folder), source.name)
    return LogitSpecError(f"{source.name} could not be loaded: {words}")


def _parameters(config: PreTrainedConfig) -> int:
    """Parameters of a model before its weights are there; 0 where that alone fails."""
    try:
        with torch.device("meta"):
            return int(AutoModelForCausalLM.from_config(config).num_parameters())
    except _LIBRARY_ERRORS:  # loading it has the message for that
        return 0


def _first(error: BaseException) -> str:
    """The first sentence of a library's message."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line if line.endswith(".") else f"{line}."
