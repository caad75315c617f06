"""A transformers model out of a GGUF file: its configuration, its tokenizer, and its weights made dense.

Names and layouts of tensors come from transformers' and gguf's tables, values from gguf's arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
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
from logitspec.models.gguf import GgufFile, Tensor

# Architectures that have another name in transformers.
TRANSFORMERS_NAMES = {"qwen2moe": "qwen2_moe", "qwen3moe": "qwen3_moe", "gpt-oss": "gpt_oss"}
TEXT_ONLY = {"gemma3": "gemma3_text"}
END_KEYS = ("eos_token_id", "eot_token_id", "eom_token_id")


def configuration(file: GgufFile, name: str) -> PreTrainedConfig:
    """The configuration of the model in `file`; LogitSpecError where transformers can't read its architecture."""
    architecture = TRANSFORMERS_NAMES.get(file.architecture, file.architecture)
    table = GGUF_CONFIG_MAPPING.get(architecture)
    if table is None or architecture in ("general", "tokenizer"):
        raise LogitSpecError(
            f"{name} is a {file.architecture!r} model, which transformers can't read from a GGUF file; choose"
            " the same model in safetensors, or another one."
        )
    values = dict(GGUF_CONFIG_DEFAULTS_MAPPING.get(architecture, {}))
    values |= {
        key: file.get(theirs)
        for theirs, key in table.items()
        if key is not None and file.get(theirs) is not None
    }
    values.setdefault("vocab_size", len(file.metadata.get("tokenizer.ggml.tokens", ())))
    values["tie_word_embeddings"] = "output.weight" not in file.tensors
    for key in ("bos", "eos", "padding"):
        values[f"{key.replace('padding', 'pad')}_token_id"] = file.metadata.get(
            f"tokenizer.ggml.{key}_token_id"
        )
    values["eos_token_id"] = sorted(end_ids(file)) or None
    return AutoConfig.for_model(TEXT_ONLY.get(architecture, architecture), **values)


def end_ids(file: GgufFile) -> set[int]:
    """Tokens that end a text or a turn of a chat."""
    found = (file.metadata.get(f"tokenizer.ggml.{key}") for key in END_KEYS)
    return {token for token in found if token is not None}


def tokenizer(file: GgufFile) -> PreTrainedTokenizerBase:
    """The tokenizer in `file`, with its chat template."""
    path = file.path
    found: PreTrainedTokenizerBase = PreTrainedTokenizerFast.from_pretrained(
        path.parent, gguf_file=path.name
    )
    return found


def model(
    file: GgufFile, config: PreTrainedConfig, dtype: torch.dtype, **options: Any
) -> PreTrainedModel:
    """The model in `file` with dense weights in `dtype`. options: of from_pretrained."""
    tensors = _weights(file, config, dtype)
    kind = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    found, report = kind.from_pretrained(
        None, config=config, state_dict=tensors, dtype=dtype, output_loading_info=True, **options
    )
    if report["missing_keys"]:
        raise ValueError(f"The file has no {min(report['missing_keys'])}.")
    return found


def transient_bytes(file: GgufFile) -> int:
    """Memory beside the dense weights while they are made: the largest tensor in float32, twice."""
    return 2 * file.largest * torch.float32.itemsize


def _weights(
    file: GgufFile, config: PreTrainedConfig, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """The tensors of `file`, dense, by their names in transformers."""
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(config)
    processor = TENSOR_PROCESSORS.get(file.architecture, TensorProcessor)(config=config.to_dict())
    names = get_gguf_hf_weights_map(_Flat(skeleton), processor)
    found: dict[str, torch.Tensor] = {}
    content = np.asarray(np.memmap(file.path, mode="r"))
    for tensor in file.tensors.values():
        weights, name, _ = processor.process(
            _dequantize(tensor, content),
            tensor.name,
            tensor_key_mapping=names,
            parsed_parameters={"tensors": found},
        )
        if name in names:
            # Contiguous, and not the file itself, which can't be written to.
            found[names[name]] = torch.from_numpy(np.require(weights, None, ["C", "W"])).to(dtype)
    return found


def _dequantize(tensor: Tensor, content: np.ndarray) -> np.ndarray:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    kind = GGMLQuantizationType(tensor.kind)
    elements, size = GGML_QUANT_SIZES[kind]
    rows = content[tensor.start : tensor.start + tensor.elements // elements * size]
    shape = (*tensor.shape[:-1], tensor.shape[-1] // elements * size)
    return dequantize(rows.reshape(shape), kind)


class _Flat:
    """A model to transformers' table of names, which it would make again for each of its modules."""

    def __init__(self, model: Any) -> None:
        self.config, self.state_dict, self._model = model.config, model.state_dict, model

    def named_children(self) -> list[tuple[str, _Flat]]:
        inner = self._model.base_model
        return [] if inner is self._model else [(self._model.base_model_prefix, _Flat(inner))]
