"""One model, several threads: each has its own text, or an error says otherwise; and a copy of a model has none."""

from __future__ import annotations

import copy
import gc
import io
import os
import pickle
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest
import torch
from support.fakes import ScriptedTarget, finished
from support.families import VOCABULARY, model, runner
from support.models import tokenizer
from transformers import PreTrainedModel
from transformers.modeling_utils import local_torch_dtype
from transformers.utils.logging import get_verbosity

import logitspec
from logitspec import METHODS, LogitSpecError, Trace, decode
from logitspec.decoding.race import begin_race, run_race
from logitspec.models import loader
from logitspec.models.building import BUILDING
from logitspec.trace.exactness import promise

CALLS = 8
THREADS = 4
PROMPTS = [torch.tensor([[(3 * n + k) % 37 for k in range(6 + n)] * 2]) for n in range(CALLS)]


def generated(net: Any, prompt: torch.Tensor, **options: Any) -> list[int]:
    options = {"max_new_tokens": 24, "custom_generate": logitspec.custom_generate, **options}
    result: list[int] = net.generate(prompt, **options)[0].tolist()
    return result


def fresh(family: str) -> Any:
    """A model that no other test has used: a copy would have the hooks that transformers leaves in a model."""
    return model.__wrapped__(family)


def at_once(work: Any, items: list[Any]) -> list[Any]:
    """The results of `work` in THREADS threads that begin together."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, items))


@pytest.mark.parametrize("family", ["llama", "gemma3", "mistral-window"])
def test_calls_of_several_threads_write_what_generate_writes(family: str) -> None:
    net = fresh(family)
    expected = [generated(net, prompt, custom_generate=None) for prompt in PROMPTS]
    assert at_once(lambda prompt: generated(net, prompt), PROMPTS) == expected
    assert at_once(lambda prompt: generated(net, prompt), PROMPTS[::-1]) == expected[::-1]


def test_threads_may_differ_in_method_and_sampling() -> None:
    net = fresh("llama")
    kinds = [
        {"method": method, "do_sample": hot, "temperature": 2.0 if hot else 1.0, "seed": 3}
        for method in METHODS
        for hot in (False, True)
    ]
    calls = list(zip(PROMPTS * 2, kinds, strict=False))
    expected = [generated(net, prompt, **options) for prompt, options in calls]
    assert at_once(lambda call: generated(net, call[0], **call[1]), calls) == expected


def test_a_call_inside_a_call_has_a_text_of_its_own() -> None:
    net, inner = fresh("llama"), list[list[int]]()

    class Asking:
        def put(self, value: torch.Tensor) -> None:
            inner.append(generated(net, PROMPTS[1]))

        def end(self) -> None: ...

    outer = generated(net, PROMPTS[0], streamer=Asking(), max_new_tokens=4)
    assert outer == generated(net, PROMPTS[0], custom_generate=None, max_new_tokens=4)
    expected = generated(net, PROMPTS[1], custom_generate=None)
    assert inner == [expected] * len(inner)
    assert len(inner) == 5  # the prompt and four tokens


def right_or_refused(target: Any, expected: list[list[int]]) -> list[Any]:
    """What became of runs of several threads on `target`: None where it was right, or the error."""
    starting = Barrier(THREADS)

    def one(number: int) -> Any:
        starting.wait()
        written: list[int] = []
        try:
            for step in decode(target, PROMPTS[number][0].tolist(), max_new_tokens=24):
                written += step.tokens
        except LogitSpecError as error:
            assert written == expected[number][: len(written)]
            return str(error)
        assert written == expected[number]
        return None

    return at_once(one, list(range(THREADS)))


@pytest.mark.parametrize("family", ["llama", "fast", "mistral-window"])
def test_one_target_in_several_threads_writes_the_right_text_or_says_so(family: str) -> None:
    target = runner(family)
    expected = [
        finished(decode(target, each[0].tolist(), max_new_tokens=24)).output_ids
        for each in PROMPTS[:THREADS]
    ]
    target.costs = None  # to be measured again, in the middle of the runs
    for _ in range(5):
        ends = right_or_refused(target, expected)
        assert None in ends
        for end in ends:
            assert end is None or end.startswith("Another run has since used this target; ")


def test_a_step_is_whole_before_another_run_begins() -> None:
    """A claim in the middle of a forward has to wait for it."""
    order: list[str] = []

    class Slow(ScriptedTarget):
        def verify(self, tree: Any) -> Any:
            other.start()
            other.join(0.05)
            order.append("verified")
            return super().verify(tree)

        def commit(self, path: Any) -> None:
            super().commit(path)
            order.append("committed")

    target = Slow(list(range(99)))

    def claims() -> None:
        target.claim("other")
        order.append("claimed")

    other = Thread(target=claims)
    steps = decode(target, [0, 1, 2], max_new_tokens=9)
    next(steps)
    other.join()
    with pytest.raises(LogitSpecError, match="Another run"):
        next(steps)
    assert order == ["verified", "committed", "claimed"]


def test_a_target_and_its_copies_can_be_copied_again() -> None:
    target = runner("llama")
    first = decode(target, [1, 2, 3], max_new_tokens=6)
    next(first)
    for other in (copy.copy(target), target.with_new_cache(), copy.deepcopy(target)):
        other.claim("another run")
        assert target.owner != "another run"
    assert len(finished(first).output_ids) == 6


def test_a_race_on_a_target_refuses_the_run_that_it_disturbs() -> None:
    target = runner("llama")
    going = decode(target, [1, 2, 3], method="autoregressive", max_new_tokens=9)
    next(going)
    race = begin_race(target, [3, 2, 1], ["autoregressive", "prompt_lookup"], 5)
    list(run_race(target, race))  # measures what forwards cost, on the target itself
    assert race.verdict.differs_at is None
    with pytest.raises(LogitSpecError, match="Another run"):
        list(going)


def bytes_of(net: Any) -> bytes:
    file = io.BytesIO()
    torch.save(net, file)
    return file.getvalue()


@pytest.mark.parametrize("family", ["llama", "mistral-window", "gemma3", "gpt2", "phi3"])
def test_a_model_that_was_used_is_copied_pickled_and_saved_as_before(
    family: str, tmp_path: Path
) -> None:
    net = fresh(family)
    before = set(vars(net)), len(pickle.dumps(net)), len(bytes_of(net))
    generated(net, PROMPTS[0])
    assert (set(vars(net)), len(pickle.dumps(net)), len(bytes_of(net))) == before
    again = pickle.loads(pickle.dumps(net))
    expected = generated(net, PROMPTS[1], custom_generate=None)
    assert [generated(each, PROMPTS[1]) for each in (again, copy.deepcopy(net))] == [expected] * 2
    net.save_pretrained(tmp_path)
    assert {file.suffix for file in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_a_model_is_let_go_when_its_owner_lets_it_go() -> None:
    net = fresh("llama")
    generated(net, PROMPTS[0])
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None


def resized(net: Any) -> None:
    net.resize_token_embeddings(VOCABULARY + 9)
    with torch.no_grad():
        net.lm_head.weight[VOCABULARY:] = 3 * net.lm_head.weight[:9]


def other_window(net: Any) -> None:
    net.config.sliding_window = 5


def eager(net: Any) -> None:
    net.set_attn_implementation("eager")


def single(net: Any) -> None:
    net.float()


def fewer_layers(net: Any) -> None:
    del net.model.layers[1:]
    net.config.num_hidden_layers = 1
    if getattr(net.config, "layer_types", None):
        net.config.layer_types = net.config.layer_types[:1]


def other_weights(net: Any) -> None:
    with torch.no_grad():
        for each in net.parameters():
            each.add_(torch.randn_like(each) * 0.2)


CHANGES = pytest.mark.parametrize(
    ("family", "change"),
    [
        ("llama", resized),
        ("llama", eager),
        ("llama", single),
        ("llama", fewer_layers),
        ("llama", other_weights),
        ("mistral-window", other_window),
        ("gpt2", resized),
        ("gemma3", fewer_layers),
    ],
)


@CHANGES
def test_a_model_that_has_changed_writes_what_generate_writes(family: str, change: Any) -> None:
    net = fresh(family)
    before = generated(net, PROMPTS[2])
    change(net)
    expected = generated(net, PROMPTS[2], custom_generate=None)
    assert expected != before or change in (eager, single)
    assert generated(net, PROMPTS[2]) == expected


@CHANGES
def test_a_target_notices_that_its_model_has_changed(
    family: str, change: Any, tmp_path: Path
) -> None:
    net = fresh(family)
    net.save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    target, _ = loader.load(tmp_path, "cpu", "float64")
    net, prompt = target.model, PROMPTS[2][0].tolist()

    def written() -> list[int]:
        trace: Trace = finished(decode(target, prompt, max_new_tokens=24))
        # Trees were sized by the costs of the forward that verified them.
        assert trace.environment.keys() >= {"forward_costs", "forward_costs_after"}
        return trace.output_ids

    def wanted() -> list[int]:
        ends = sorted(target.eos_ids)
        return generated(net, PROMPTS[2], custom_generate=None, eos_token_id=ends)[len(prompt) :]

    before = written()
    assert before == wanted()
    change(net)
    assert written() == wanted()
    assert wanted() != before or change in (eager, single)
    assert "changed" in target.info["environment"]["forward"]
    assert written() == wanted()


def test_a_trace_tells_what_the_changed_model_is(tmp_path: Path) -> None:
    fresh("fast").save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    target, _ = loader.load(tmp_path, "cpu", "float32")
    as_on_a_gpu = {"exact": "yes, for 3% of a step", "graphs": "replayed", "kernels": "gate"}
    target.info["environment"].update(as_on_a_gpu, dtype="the fastest: 1 ms in float32")
    before: Trace = finished(decode(target, [3, 1, 4], max_new_tokens=2))
    assert (before.model["dtype"], before.model["attention"]) == ("float32", "sdpa")
    eager(target.model.to(torch.bfloat16))
    target.model.resize_token_embeddings(VOCABULARY + 9)
    trace: Trace = finished(decode(target, [3, 1, 4], max_new_tokens=2))
    assert (trace.model["dtype"], trace.model["attention"]) == ("bfloat16", "eager")
    assert trace.model["parameters"] == sum(each.numel() for each in target.model.parameters())
    assert trace.model["id"] == before.model["id"]
    assert [name for name in as_on_a_gpu if "changed" not in trace.environment[name]] == []
    assert "dtype" not in trace.environment
    assert "may differ" in promise({**trace.model, "environment": trace.environment})


def test_a_limit_that_was_lowered_holds() -> None:
    net = fresh("llama")
    generated(net, PROMPTS[2])
    net.config.max_position_embeddings = 10
    with pytest.raises(LogitSpecError, match="context holds 10"):
        generated(net, PROMPTS[2])


def test_threads_that_load_at_once_leave_each_other_and_the_libraries_alone(tmp_path: Path) -> None:
    """transformers changes torch and its own classes while it builds a model, and puts back what it found."""
    model("fast-tied", torch.bfloat16).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)

    def shared() -> list[Any]:
        kinds = PreTrainedModel.tie_weights, torch.linspace, torch.nn.init.normal_
        return [torch.get_default_dtype(), get_verbosity(), *kinds]

    def loads(number: int) -> None:
        loader.fetch(tmp_path, "cpu")
        net = loader.load(tmp_path, "cpu", "float64")[0].model
        assert {each.dtype for each in net.parameters()} == {torch.float64}
        assert net.lm_head.weight is net.model.embed_tokens.weight

    before = shared()
    at_once(loads, list(range(8)))
    assert shared() == before


def test_a_fork_while_a_model_is_built_can_build_models() -> None:
    """It begins between two models, not with the libraries changed and a lock that nobody gives back."""
    inside, forked = Event(), Event()

    def builds() -> None:
        with BUILDING, local_torch_dtype(torch.bfloat16):
            inside.set()
            forked.wait(0.2)

    builder = Thread(target=builds)
    builder.start()
    inside.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        child = os.fork()
    if child == 0:
        free = BUILDING.acquire(timeout=5) and torch.get_default_dtype() == torch.float32
        os._exit(0 if free else 1)
    forked.set()
    builder.join()
    assert os.waitpid(child, 0)[1] == 0


def test_a_model_that_can_no_longer_be_a_target_is_refused() -> None:
    net = fresh("llama")
    generated(net, PROMPTS[0])
    net.config.layer_types = ["linear_attention", "full_attention"]
    with pytest.raises(LogitSpecError, match="linear_attention"):
        generated(net, PROMPTS[0])


def test_what_a_model_is_checked_for_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[Any] = []
    real = loader.refuse_unfit

    def counting(net: Any) -> None:
        checks.append(net)
        real(net)

    monkeypatch.setattr("logitspec.generation.refuse_unfit", counting)
    net = fresh("llama")
    at_once(lambda prompt: generated(net, prompt), PROMPTS)
    assert len(checks) == 1
    resized(net)
    generated(net, PROMPTS[0])
    assert len(checks) == 2
