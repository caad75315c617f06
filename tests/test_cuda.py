"""On a CUDA GPU: every method on every family writes what plain decoding on the CPU writes, through graphs
and without them, and faults planted in the runner are caught there, too."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest
import torch
from support.conformance import FAMILIES, FAULTS, PROMPT, conform, random_trees
from support.families import FAST, model

from logitspec import METHODS, decode, load
from logitspec.decoding.engine import begin, complete
from logitspec.measure.gpu_check.parts import SMOLLM2
from logitspec.models.catalogue import installed_file
from logitspec.models.chat import encode_prompt
from logitspec.models.loader import prepare
from logitspec.models.sources import BUILTIN
from logitspec.prompts import TYPED, read_prompts
from logitspec.runtime.fast import FastForward
from logitspec.runtime.graphs import CudaGraphs
from logitspec.runtime.runner import Runner
from logitspec.trace.sampling import GREEDY, Sampling
from logitspec.trace.tree import DraftTree, Origin, Provenance

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")


@cache
def net(family: str) -> Any:
    return copy.deepcopy(model(family)).to("cuda")


def runner(family: str, graphs: bool, kind: type[Runner] = Runner) -> Runner:
    """As `families.runner`, in float64 on the GPU."""
    target = prepare(copy.deepcopy(net(family)) if family in FAST else net(family), kind=kind)
    if family in FAST:
        target.use_forward(FastForward(target.model))
    if graphs:
        target.enable_replay(CudaGraphs(target.model.device))
    return target


@pytest.mark.parametrize("graphs", [True, False], ids=["graphs", "launched"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_writes_what_plain_decoding_on_the_cpu_writes(
    family: str, graphs: bool
) -> None:
    target = runner(family, graphs)
    for temperature in (0.0, 0.8):
        conform(target, family, random_trees(family, temperature), temperature)
    assert target.replays is graphs


@pytest.mark.parametrize("graphs", [True, False], ids=["graphs", "launched"])
@pytest.mark.parametrize("family", ["llama", "fast"])
def test_every_method_writes_what_plain_decoding_on_the_cpu_writes(
    family: str, graphs: bool
) -> None:
    target = runner(family, graphs)
    for method in METHODS:
        for temperature in (0.0, 0.8):
            conform(target, family, method, temperature)


@pytest.mark.parametrize("graphs", [True, False], ids=["graphs", "launched"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_fault_of_the_runner_is_found(family: str, fault: type[Runner], graphs: bool) -> None:
    with pytest.raises(AssertionError, match="plain decoding"):
        conform(runner(family, graphs, fault), family, random_trees(family, 0.8), 0.8)


def test_the_built_in_model_is_replayed_and_measured_there() -> None:
    target, tokenizer = load(dtype="float32")
    assert target.info["device"].startswith("cuda")
    assert target.info["environment"]["graphs"] == "replayed"
    prompt = tokenizer("Once upon a time")["input_ids"]
    run = decode(target, prompt, max_new_tokens=40)
    while True:
        try:
            next(run)
        except StopIteration as end:
            trace = end.value
            break
    costs = trace.environment["forward_costs"]
    assert costs["padded"] is True
    assert costs["rows"][-1] == 128
    assert costs["milliseconds"] == sorted(costs["milliseconds"])


@pytest.mark.parametrize("family", ["llama", "qwen3", "fast", "fast-one-key-head"])
def test_behind_a_long_text_half_precision_is_as_near_as_plain_forwards(family: str) -> None:
    """float64 shows how far either of them is from the truth."""
    ids = (PROMPT * 50)[:1400]
    half = copy.deepcopy(model(family, torch.bfloat16)).to("cuda")
    half.config.max_position_embeddings = 2048
    target = prepare(half)
    target.limit = 2048
    exact = copy.deepcopy(half).double()
    if family in FAST:
        target.use_forward(FastForward(half))
    target.enable_replay(CudaGraphs(half.device))
    tree = DraftTree(PROMPT[0])
    for token in PROMPT[1:6]:
        tree.add(len(tree) - 1, token, Provenance(Origin.LOGIT), merge=False)
    with torch.inference_mode():
        target.prefill(ids)
        result = target.tree_logits(tree).double()
        text = torch.tensor([[*ids, *PROMPT[:6]]], device="cuda")
        plain, truth = (
            net(input_ids=text, use_cache=False).logits[0, -6:].double() for net in (half, exact)
        )
    assert target.replays
    assert (result - truth).abs().max() < 2 * (plain - truth).abs().max() + 0.05 * truth.std()


@pytest.mark.parametrize("name", [BUILTIN, SMOLLM2])
def test_an_exact_target_writes_one_text_with_every_method(name: str) -> None:
    """In bfloat16, where rounding decides between tokens that are nearly tied; drawn tokens, too."""
    if name == SMOLLM2 and installed_file(name) is None:
        pytest.skip("its package is not installed")
    target, tokenizer = load(name, dtype="bfloat16", exact=True)
    assert target.info["environment"]["exact"].startswith("yes")
    prompts = [encode_prompt(tokenizer, each.text) for each in read_prompts(TYPED)[:4]]
    for sampling in (GREEDY, Sampling(0.8, 0.95, 3)):
        for prompt in prompts:
            texts = {
                tuple(complete(target, begin(target, prompt, method, 96, sampling)).output_ids)
                for method in METHODS
            }
            assert len(texts) == 1


def test_inputs_of_one_forward_wait_for_those_of_the_last() -> None:
    """Launched one after another, without a wait between them."""
    target = runner("fast", graphs=True)
    trees = []
    for size in (1, 5, 3, 7, 2):
        tree = DraftTree(PROMPT[size])
        for token in PROMPT[1:size]:
            tree.add(len(tree) - 1, token, Provenance(Origin.LOGIT), merge=False)
        trees.append(tree)
    with torch.inference_mode():
        target.prefill(PROMPT)
        apart = []
        for tree in trees:
            apart.append(target.tree_logits(tree).clone())
            torch.cuda.synchronize()
        at_once = [target.tree_logits(tree).clone() for tree in trees]
    assert all(torch.equal(one, other) for one, other in zip(apart, at_once, strict=True))
