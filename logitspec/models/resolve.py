"""What can be known of a model before its weights take memory: configuration, tokenizer, size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)
from transformers.utils import is_protobuf_available, is_sentencepiece_available

from logitspec.errors import LogitSpecError, missing_package
from logitspec.models import dense, files, hub
from logitspec.models.building import skeleton
from logitspec.models.checks import refuse_config, refuse_quantisation
from logitspec.models.devices import choose_device, choose_dtype, refuse_too_large
from logitspec.models.sources import Source, display_name, find_source

SENTENCEPIECE = ("sentencepiece", "protobuf")

_TOKENIZER_FILE = re.compile(
    r"(tokenizer(?!_config\.json)|vocab|merges|tekken).*|.*\.(model|tiktoken)"
)


@dataclass(frozen=True)
class LocalModel:
    """A model whose files are on this machine and whose configuration can be a target's."""

    source: Source
    config: PreTrainedConfig
    tokenizer: PreTrainedTokenizerBase
    parameters: int
    device: torch.device
    dtype: torch.dtype


def resolve(
    model: str | Path,
    device: str,
    dtype: str,
    device_map: str | None,
    offload: bool,
    progress: hub.Progress | None,
) -> LocalModel:
    """A model's files and what can be known without its weights, which are on this machine then; arguments as of
    `load`. Raises LogitSpecError for whatever can be refused before they take memory."""
    torch_device = choose_device(device)
    torch_dtype = choose_dtype(dtype, torch_device)
    if offload and device_map is None:
        raise LogitSpecError("Offloading needs a device map; add device_map='auto' (--device-map).")

    def refuse_early(parameters: int) -> None:
        if device_map is None:
            refuse_too_large(display_name(model), parameters, torch_dtype, torch_device)

    source = find_source(model, refuse_early, progress)
    if source.gguf is None:
        files.refuse_broken(source.folder, source.name)
    config = _config(source)
    refuse_config(config, source.name)
    refuse_quantisation(config, source.name)
    tokenizer = _tokenizer(source)
    parameters = _parameters(config)
    if device_map is None:
        refuse_without_room(source, parameters, torch_dtype, torch_device)
    if source.repository is not None and source.gguf is None:
        hub.weights(source.repository, source.folder, progress)
    if source.gguf is None:
        files.refuse_broken_weights(source.folder, source.name)
    return LocalModel(source, config, tokenizer, parameters, torch_device, torch_dtype)


def refuse_without_room(
    source: Source, parameters: int, dtype: torch.dtype, device: torch.device
) -> None:
    """Raise LogitSpecError for a model that the memory can't hold while it loads."""
    more = 0 if source.gguf is None else dense.transient_bytes(source.gguf)
    refuse_too_large(source.name, parameters, dtype, device, more)


def _config(source: Source) -> PreTrainedConfig:
    if source.gguf is not None:
        return dense.configuration(source.gguf, source.name)
    try:
        # False, not the default, which asks in the terminal whether the repository's code may run.
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            source.folder, trust_remote_code=False
        )
    except Exception as error:  # of whatever kind the library's are
        if "trust_remote_code" in str(error):
            raise LogitSpecError(
                f"{source.name} needs code from its own repository, which is never run; choose a model"
                " whose code is part of transformers."
            ) from error
        raise LogitSpecError(
            f"{source.name} has a configuration that transformers {transformers.__version__} can't read;"
            " choose another model."
        ) from error
    continues = type(config) in MODEL_FOR_CAUSAL_LM_MAPPING
    # BERT and its kin have a causal class too, but their weights look ahead.
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
        if source.gguf is not None:
            return dense.tokenizer(source.gguf)
        # Without its files, some releases of transformers invent a tokenizer of special tokens.
        if not any(_TOKENIZER_FILE.fullmatch(file.name) for file in source.folder.iterdir()):
            raise OSError("no file of a tokenizer")
        tokenizer = AutoTokenizer.from_pretrained(source.folder, trust_remote_code=False)
    except Exception as error:  # of whatever kind the library's are
        raise (
            files.broken_file_error(source.folder, source.name)
            or _lacks_sentencepiece(source)
            or missing_package(error, f"The tokenizer of {source.name}")
            or LogitSpecError(
                f"{source.name} has no tokenizer that loads; choose a model that comes with one."
            )
        ) from error
    return tokenizer


def _lacks_sentencepiece(source: Source) -> LogitSpecError | None:
    """The sentence for missing SentencePiece packages, without which a tokenizer.model is taken for tiktoken's."""
    there = is_sentencepiece_available() and is_protobuf_available()
    if there or not any(file.read_bytes()[:1] == b"\n" for file in source.folder.glob("*.model")):
        return None
    return LogitSpecError(
        f"The tokenizer of {source.name} is a SentencePiece model, which needs the packages"
        f" {' and '.join(SENTENCEPIECE)}; install them with `pip install {' '.join(SENTENCEPIECE)}`."
    )


def _parameters(config: PreTrainedConfig) -> int:
    """Number of parameters, without the weights; 0 where that alone fails."""
    try:
        return int(skeleton(config).num_parameters())
    except Exception:  # loading the model will say why
        return 0
