"""A transformers model from a GGUF file: its configuration, its tokenizer, and its weights, which become dense.

Names and layouts of tensors come from transformers' and gguf's tables, values from gguf's arithmetic.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub import try_to_load_from_cache
from tokenizers import pre_tokenizers
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)
from transformers.integrations import GGUF_CONFIG_DEFAULTS_MAPPING, GGUF_CONFIG_MAPPING
from transformers.modeling_gguf_pytorch_utils import (
    TENSOR_PROCESSORS,
    TensorProcessor,
    get_gguf_hf_weights_map,
)

from logitspec.errors import LogitSpecError
from logitspec.models import names
from logitspec.models.building import skeleton
from logitspec.models.gguf import GgufFile, Tensor

# Architectures that have another name in transformers.
TRANSFORMERS_NAMES = {"qwen2moe": "qwen2_moe", "qwen3moe": "qwen3_moe", "gpt-oss": "gpt_oss"}
TEXT_ONLY = {"gemma3": "gemma3_text", "gemma4": "gemma4_text"}
# Keys of a file that transformers' tables leave out, with their names in a configuration.
MORE_KEYS = {
    "attn_logit_softcapping": "attn_logit_softcapping",
    "final_logit_softcapping": "final_logit_softcapping",
}
# What the file was made from; other keys name base models, which had other templates.
ORIGINAL_KEYS = (
    "general.source.huggingface.repository",
    "general.source.repo_url",
    "general.repo_url",
)
CONTROL = 3  # the type of tokens that are not text
END_KEYS = ("eos_token_id", "eot_token_id", "eom_token_id")
# Tokens that end a turn, for files whose template writes one that their metadata does not name.
TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>")
# Vocabularies, by their names in llama.cpp, whose text is split at every digit; transformers treats them like GPT-2's.
DIGITS_APART = {"smollm", "starcoder", "refact", "command-r", "codeshell"}
# Read into the configuration, not into a parameter.
ROTARY = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
ROTARY_TYPES = {"linear": "linear", "yarn": "yarn"}


def refuse(file: GgufFile, name: str) -> None:
    """Raise LogitSpecError for a file that is not a whole causal language model, or can't be read here."""
    if find_spec("gguf") is None:
        raise LogitSpecError(
            f"{name} is a GGUF file, and the package that reads those is missing; install it with"
            " `pip install gguf`."
        )
    kind = file.metadata.get("general.type", "model")
    if file.architecture == "clip" or kind == "mmproj":
        raise LogitSpecError(
            f"{name} is a vision projector (mmproj), not a language model; choose the model that it belongs to."
        )
    if kind not in ("model", "unknown"):
        raise LogitSpecError(f"{name} is of the type {kind!r}, not a whole model; choose a model.")
    if int(file.metadata.get("split.count", 0)) > 1:
        raise LogitSpecError(
            f"{name} is one of {file.metadata['split.count']} parts of a model, which can't be read; choose"
            " a quantisation in one file, or merge them with `llama-gguf-split --merge`."
        )
    if _name(file) not in GGUF_CONFIG_MAPPING or file.architecture in ("general", "tokenizer"):
        raise LogitSpecError(
            f"{name} is a {file.architecture!r} model, which transformers can't read from a GGUF file; choose"
            " the same model in safetensors, or another one."
        )
    size = file.path.stat().st_size
    needed = max((each.start + _bytes(each, name) for each in file.tensors.values()), default=0)
    if size < needed or not file.tensors:
        raise LogitSpecError(
            f"{name} is cut off at {size / 1e6:,.1f} of {needed / 1e6:,.1f} MB; download it again."
        )


def configuration(file: GgufFile, name: str) -> PreTrainedConfig:
    """The configuration of the model in `file`; raises LogitSpecError as `refuse` does."""
    refuse(file, name)
    architecture = _name(file)
    table = {**MORE_KEYS, **GGUF_CONFIG_MAPPING[architecture]}
    if "head_dim" not in table.values() and "global_head_dim" not in table.values():
        table["attention.key_length"] = "head_dim"
    values_in_file = {key: file.get(theirs) for theirs, key in table.items() if key is not None}
    values = dict(GGUF_CONFIG_DEFAULTS_MAPPING.get(architecture, {}))
    values |= {key: value for key, value in values_in_file.items() if value is not None}
    values.setdefault("vocab_size", len(file.metadata.get("tokenizer.ggml.tokens", ())))
    values["tie_word_embeddings"] = "output.weight" not in file.tensors
    ids = {"bos_token_id": "bos_token_id", "padding_token_id": "pad_token_id"}
    for theirs, key in ids.items():
        values[key] = file.metadata.get(f"tokenizer.ggml.{theirs}")
    values["eos_token_id"] = sorted(end_ids(file)) or None
    values |= _rotary(file, name)
    if architecture == "phi3":
        values["sliding_window"] = file.get("attention.sliding_window") or None
    if (architecture, file.get("block_count")) in (("gemma2", 46), ("gemma3", 62)):
        # These two sizes alone scale their scores by something other than the head's width.
        values["query_pre_attn_scalar"] = file.get("embedding_length") // file.get(
            "attention.head_count"
        )
    return AutoConfig.for_model(TEXT_ONLY.get(architecture, architecture), **values)


def _name(file: GgufFile) -> str:
    return TRANSFORMERS_NAMES.get(file.architecture, file.architecture)


def _bytes(tensor: Tensor, name: str) -> int:
    """Bytes that a tensor takes in its file."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        elements, size = GGML_QUANT_SIZES[GGMLQuantizationType(tensor.kind)]
    except ValueError:
        raise LogitSpecError(
            f"{name} has weights of type {tensor.kind}, which the installed gguf can't read; choose another"
            " quantisation, or try `pip install --upgrade gguf`."
        ) from None
    return tensor.elements // elements * size


def _rotary(file: GgufFile, name: str) -> dict[str, Any]:
    """How rotary positions are scaled, which transformers' tables leave out."""
    width = file.get("attention.key_length") or (
        file.get("embedding_length", 0) // max(1, file.get("attention.head_count", 1))
    )
    rotated = file.get("rope.dimension_count") or width
    partial = {"partial_rotary_factor": rotated / width} if rotated != width else {}
    original = file.get("rope.scaling.original_context_length")
    scaling: dict[str, Any] = {}
    if "rope_factors_long.weight" in file.tensors:
        scaling = {
            "rope_type": "longrope",
            "long_factor": _values(file, "rope_factors_long.weight"),
            "short_factor": _values(file, "rope_factors_short.weight"),
        }
        if original:
            partial["original_max_position_embeddings"] = original
    elif "rope_freqs.weight" in file.tensors:
        scaling = _llama3(file, name, rotated)
    elif (kind := file.get("rope.scaling.type", "none")) in ROTARY_TYPES:
        scaling = {"rope_type": ROTARY_TYPES[kind], "factor": file.get("rope.scaling.factor", 1.0)}
        if kind == "yarn" and original:
            scaling["original_max_position_embeddings"] = original
    elif kind not in ("none", ""):
        raise LogitSpecError(
            f"{name} scales its rotary positions by {kind!r}, which can't be read from a GGUF file; choose"
            " the same model in safetensors."
        )
    return {**partial, **({"rope_scaling": scaling} if scaling else {})}


def _llama3(file: GgufFile, name: str, width: int) -> dict[str, Any]:
    """The scaling of Llama 3, whose parameters are recovered from the factors in the file."""
    factors = np.array(_values(file, "rope_freqs.weight"))
    base = file.get("rope.freq_base", 10000.0)
    lengths = 2 * np.pi * base ** (np.arange(0, width, 2) / width)
    factor, low, high, context = float(factors.max()), 1.0, 4.0, 8192
    smooth = (context / lengths - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    expected = np.where(
        lengths < context / high, 1.0, np.where(lengths > context / low, factor, between)
    )
    if factors.shape != expected.shape or not np.allclose(factors, expected, rtol=1e-3):
        raise LogitSpecError(
            f"{name} scales its rotary positions in an unknown way; choose the same model in"
            " safetensors."
        )
    return {
        "rope_type": "llama3",
        "factor": factor,
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": context,
    }


def _values(file: GgufFile, tensor: str) -> list[float]:
    content = np.memmap(file.path, mode="r")
    return [float(each) for each in _dequantize(file.tensors[tensor], content)]


def end_ids(file: GgufFile) -> set[int]:
    """Tokens that end a text or a turn of a chat: those that the file or its original repository names,
    and the one that its chat template writes after each message."""
    ends = (file.metadata.get(f"tokenizer.ggml.{key}") for key in END_KEYS)
    tokens = file.metadata.get("tokenizer.ggml.tokens", [])
    template = file.metadata.get("tokenizer.chat_template", "")
    turns = (tokens.index(end) for end in TURN_ENDS if end in template and end in tokens)
    tokens_of_file = {token for token in (*ends, *turns) if token is not None}
    return tokens_of_file | _original_ends(file)


def line(file: GgufFile, dtype: torch.dtype) -> str:
    """A sentence for people about dense weights from a quantised file."""
    name, size = str(dtype).removeprefix("torch."), file.path.stat().st_size
    dense = file.parameters * dtype.itemsize
    return (
        f"The weights were quantised to {file.quantisation} ({size / 1e6:,.0f} MB), which decides the quality,"
        f" and are dense {name} here ({dense / 1e6:,.0f} MB), which decides size and speed."
    )


def tokenizer(file: GgufFile) -> PreTrainedTokenizerBase:
    """The tokenizer of the original repository, where it is next to `file` or in the hub's cache and has the
    same tokens; otherwise the one in `file`. The chat template is the file's, where it has one."""
    path = file.path
    if (original := _original_tokenizer(file)) is not None:
        return original
    try:
        own: PreTrainedTokenizerBase = PreTrainedTokenizerFast.from_pretrained(
            path.parent, gguf_file=path.name
        )
    except Exception as error:  # tokenizers raises nothing more specific
        raise ValueError(f"The tokenizer of {path.name} can't be read.") from error
    if file.metadata.get("tokenizer.ggml.pre") in DIGITS_APART:
        own.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        )
    return own


def _original_tokenizer(file: GgufFile) -> PreTrainedTokenizerBase | None:
    tokens = file.metadata.get("tokenizer.ggml.tokens", [])
    for place in _original(file, "tokenizer.json"):
        try:
            original: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
                place.parent, trust_remote_code=False
            )
        except Exception:  # the file has one too
            continue
        common = min(
            len(original), len(tokens)
        )  # files pad theirs, tokenizers add some of their own
        if original.convert_ids_to_tokens(list(range(common))) == tokens[:common]:
            original.chat_template = file.metadata.get(
                "tokenizer.chat_template", original.chat_template
            )
            return original
    return None


def _original_ends(file: GgufFile) -> set[int]:
    """The end tokens in the original repository's generation config that are control tokens in the file too."""
    kinds = file.metadata.get("tokenizer.ggml.token_type", [])
    for place in _original(file, "generation_config.json"):
        try:
            eos = json.loads(place.read_text(encoding="utf-8")).get("eos_token_id")
        except (OSError, ValueError, AttributeError):  # the file has some too
            continue
        ids = eos if isinstance(eos, list) else [eos]
        return {
            each
            for each in ids
            if isinstance(each, int) and 0 <= each < len(kinds) and kinds[each] == CONTROL
        }
    return set()


def _original(file: GgufFile, name: str) -> list[Path]:
    """Where a file of the original repository is: next to `file`, or in the hub's cache."""
    places = [file.path.parent / name]
    for key in ORIGINAL_KEYS:
        original = names.parse(str(file.metadata.get(key, ""))).repository
        cached = try_to_load_from_cache(original, name) if original.count("/") == 1 else None
        places += [Path(cached)] if isinstance(cached, str) else []
    return [place for place in places if place.is_file()]


def model(
    file: GgufFile, config: PreTrainedConfig, dtype: torch.dtype, **options: Any
) -> PreTrainedModel:
    """The model in `file` with dense weights in `dtype`. options: of from_pretrained."""
    tensors = _weights(file, config, dtype)
    kind = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    dense_model, report = kind.from_pretrained(
        None, config=config, state_dict=tensors, dtype=dtype, output_loading_info=True, **options
    )
    if report["missing_keys"]:
        raise ValueError(f"The file has no {min(report['missing_keys'])}.")
    return dense_model


def transient_bytes(file: GgufFile) -> int:
    """Bytes needed on top of the dense weights while they are made: the largest tensor in float32, twice."""
    return 2 * file.largest * torch.float32.itemsize


def _weights(
    file: GgufFile, config: PreTrainedConfig, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """The tensors of `file`, dense, by their names in transformers."""
    empty = skeleton(config)
    processor = TENSOR_PROCESSORS.get(file.architecture, TensorProcessor)(config=config.to_dict())
    places = get_gguf_hf_weights_map(_Flat(empty), processor)
    dense: dict[str, torch.Tensor] = {}
    content = np.asarray(np.memmap(file.path, mode="r"))
    for tensor in file.tensors.values():
        weights, name, _ = processor.process(
            _dequantize(tensor, content),
            tensor.name,
            tensor_key_mapping=places,
            parsed_parameters={"tensors": dense},
        )
        if name is not None and name not in places and tensor.name not in ROTARY:
            raise ValueError(f"Its tensor {tensor.name} has no place in {type(empty).__name__}.")
        if name in places:
            # Contiguous and writable, which a view of the mapped file is not.
            dense[places[name]] = torch.from_numpy(np.require(weights, None, ["C", "W"])).to(dtype)
    return dense


def _dequantize(tensor: Tensor, content: np.ndarray) -> np.ndarray:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    kind = GGMLQuantizationType(tensor.kind)
    elements, size = GGML_QUANT_SIZES[kind]
    rows = content[tensor.start : tensor.start + tensor.elements // elements * size]
    shape = (*tensor.shape[:-1], tensor.shape[-1] // elements * size)
    return dequantize(rows.reshape(shape), kind)


class _Flat:
    """A model with its base model as the only child: transformers would rebuild its table of names for each module."""

    def __init__(self, model: Any) -> None:
        self.config, self.state_dict, self._model = model.config, model.state_dict, model

    def named_children(self) -> list[tuple[str, _Flat]]:
        inner = self._model.base_model
        return [] if inner is self._model else [(self._model.base_model_prefix, _Flat(inner))]
