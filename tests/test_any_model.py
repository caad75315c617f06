"""Folders of random weights of each family go through host and terminal, and others are refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import weakref
from pathlib import Path
from threading import Event
from typing import Any

import accelerate
import pytest
import torch
import transformers
from support.errors import one_sentence
from support.fakes import finished
from support.families import CONFIGS, model
from support.models import folder, tokenizer

from logitspec import LogitSpecError, Trace, decode, load
from logitspec.__main__ import main
from logitspec.models.devices import device_map_options
from logitspec.models.machine import container_bytes, free_bytes
from logitspec.serving.host import Host
from logitspec.serving.request import Request

PROMPT = "ABCABCAB"


def plain(net: Path, chat: bool) -> list[int]:
    """What transformers writes after the prompt, by its own classes alone."""
    stock = transformers.AutoModelForCausalLM.from_pretrained(net, dtype=torch.float64)
    ids = tokenizer()(f"[user]{PROMPT}[assistant]" if chat else PROMPT)["input_ids"]
    written = stock.generate(
        torch.tensor([ids]), max_new_tokens=10, do_sample=False, eos_token_id=32, pad_token_id=32
    )
    result: list[int] = written[0, len(ids) :].tolist()
    return result


@pytest.mark.parametrize(
    ("family", "chat"),
    [("llama", False), *((family, place % 2 == 0) for place, family in enumerate(CONFIGS))],
)
def test_a_folder_goes_through_the_host(tmp_path: Path, family: str, chat: bool) -> None:
    net = folder(tmp_path / "net", family, chat)
    expected = plain(net, chat)
    host = Host(str(net), dtype="float64")
    request = Request(PROMPT, max_new_tokens=10, model="net")
    trace = Trace.from_json(list(host.stream(request, Event()))[-1])
    assert trace.output_ids == expected
    assert trace.model["attention"] in host.models.about("net")


@pytest.mark.parametrize(("family", "chat"), [("llama", False), ("llama", True), ("gemma2", True)])
def test_a_folder_goes_through_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], family: str, chat: bool
) -> None:
    net = folder(tmp_path / "net", family, chat)
    expected = plain(net, chat)
    options = ["--model", str(net), "--dtype", "float64", "--max-new-tokens", "10", "--json"]
    assert main([PROMPT, *options]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed.splitlines()[-1])["output_ids"] == expected
    assert re.search(r"\(float64, \w+ attention, cpu", printed)
    assert str(tmp_path) not in printed


def refused(net: Path, match: str, **options: Any) -> None:
    with pytest.raises(LogitSpecError, match=match) as error:
        load(net, **options)
    one_sentence(error)
    assert str(net.parent) not in str(error.value)


def test_what_is_no_causal_language_model_is_refused(tmp_path: Path) -> None:
    tokenizer().save_pretrained(tmp_path)
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4}
    for config in (
        transformers.ViTConfig(**small),
        transformers.BertConfig(vocab_size=40, intermediate_size=32, **small),
        transformers.CLIPConfig(),
    ):
        config.save_pretrained(tmp_path)
        refused(tmp_path, "does not continue text; choose a causal language model")


def test_code_of_a_repository_is_never_run(tmp_path: Path) -> None:
    net = folder(tmp_path / "net")
    config = json.loads((net / "config.json").read_text())
    config |= {"model_type": "theirs", "auto_map": {"AutoConfig": "theirs.Config"}}
    (net / "config.json").write_text(json.dumps(config))
    mark = tmp_path / "ran"
    (net / "theirs.py").write_text(f"open({str(mark)!r}, 'w')\nclass Config: pass\n")
    refused(net, "needs code from its own repository, which is never run")
    assert not mark.exists()
    del config["auto_map"]
    (net / "config.json").write_text(json.dumps(config))
    refused(net, "can't read; choose another model")


def test_a_model_that_memory_does_not_hold_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = folder(tmp_path / "net")
    parameters = sum(each.numel() for each in model("llama").parameters())
    monkeypatch.setattr("logitspec.models.devices.free_bytes", lambda device: 4 * parameters - 1)
    monkeypatch.setattr("logitspec.models.loader._weights", None)
    refused(net, "not enough memory for net: its weights take .* choose a smaller", dtype="float32")
    monkeypatch.undo()
    monkeypatch.setattr("logitspec.models.devices.free_bytes", lambda device: 4 * parameters)
    load(net, dtype="float32")


def test_the_fastest_dtype_is_looked_for_as_far_as_memory_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operating system that runs out of memory kills the process, which nobody can catch."""
    net = folder(tmp_path / "net")
    parameters = sum(each.numel() for each in model("llama").parameters())
    monkeypatch.setattr("logitspec.models.devices.free_bytes", lambda device: 4 * parameters - 1)
    assert load(net, dtype="fastest")[0].info["dtype"] == "bfloat16"
    free = iter([4 * parameters, 4 * parameters, 2 * parameters - 1])
    monkeypatch.setattr("logitspec.models.devices.free_bytes", lambda device: next(free))
    info = load(net, dtype="fastest")[0].info
    assert info["dtype"] == "float32"
    assert "not enough memory" in info["environment"]["dtype"]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    ],
)
def test_memory_that_runs_out_later_is_one_sentence_and_the_old_model_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    net = folder(tmp_path / "net")
    host = Host(str(net), dtype="float32", others=True)
    host.models.load("net")

    def full(*arguments: Any, **options: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", full)
        larger = shutil.copytree(net, tmp_path / "larger")
        refused(larger, "not enough memory for larger: it ran out")
        assert list(host.models.loading(str(larger)))[-1].startswith("There is not enough memory")
    with monkeypatch.context() as patch:
        patch.setattr("logitspec.models.checks.probe_of", full)
        refused(larger, "not enough memory for larger: it ran out")
    request = Request(PROMPT, max_new_tokens=5, model="net")
    assert Trace.from_json(list(host.stream(request, Event()))[-1]).finish == "length"


def test_models_that_nobody_is_using_make_room_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [str(shutil.copytree(folder(tmp_path / "net"), tmp_path / name)) for name in "abc"]
    size = 4 * sum(each.numel() for each in model("llama").parameters())
    alive: list[weakref.ref[Any]] = []
    room = 2 * size
    monkeypatch.setattr(
        "logitspec.models.devices.free_bytes",
        lambda device: room - size * sum(each() is not None for each in alive),
    )
    host = Host(str(tmp_path / "net"), dtype="float32", others=True)

    def loads(name: str) -> str:
        said = list(host.models.loading(name))[-1]
        if host.models.about(name):
            alive.append(weakref.ref(host.models.load(name).target.model))
        return said

    for name in ("net", *names[:2]):
        assert "million parameters" in loads(name)
    assert [each() is None for each in alive] == [False, True, False]
    with host.models.lend(names[1]):
        assert "There is not enough memory for c" in loads(names[2])
        assert host.models.about(names[1])
    room = -size  # too little, even without the others
    assert "There is not enough memory for c" in loads(names[2])
    assert host.models.about(names[1])
    room = 2 * size
    with host.models.lend("net"):
        assert host.models.load(names[2])  # as for a run, without progress
    assert host.models.about("net")


def test_a_container_counts_what_it_may_still_take(tmp_path: Path) -> None:
    assert container_bytes(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 400\ninactive_file 200\nactive_file 100\n")
    assert container_bytes(tmp_path) == 500
    (tmp_path / "memory.max").write_text("max\n")
    assert container_bytes(tmp_path) is None
    free = free_bytes(torch.device("cpu"))
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert free is None or 0 < free < total
    assert free_bytes(torch.device("meta")) is None


def test_a_prompt_longer_than_the_context_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = folder(tmp_path / "net")
    assert main(["A" * 600, "--model", str(net)]) == 2
    assert "context holds 512, new ones included; shorten the prompt." in capsys.readouterr().err


@pytest.mark.parametrize("family", ["llama", "qwen3", "gemma3", "mistral-window"])
def test_a_model_over_several_devices_writes_the_same(tmp_path: Path, family: str) -> None:
    """accelerate's hooks around every layer, as between two GPUs; the devices are all the CPU here."""
    net = folder(tmp_path / "net", family)
    expected = finished(decode(load(net, dtype="float64")[0], [1, 2, 3, 1, 2], max_new_tokens=12))
    target, _ = load(net, dtype="float64", device_map="auto")
    parts = dict.fromkeys([name for name, _ in target.model.named_children()], "cpu")
    accelerate.dispatch_model(target.model, parts, main_device="cpu", force_hooks=True)
    assert hasattr(target.model.lm_head, "_hf_hook")
    actual = finished(decode(target, [1, 2, 3, 1, 2], max_new_tokens=12))
    assert actual.output_ids == expected.output_ids


def test_offloading_is_refused_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = folder(tmp_path / "net")
    refused(net, "no device map 'sideways'", device_map="sideways")
    refused(net, "needs a device map", offload=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(net)
    model.hf_device_map = {"model.layers.0": 0, "model.layers.1": "cpu"}
    monkeypatch.setattr("logitspec.models.loader._weights", lambda *arguments: (model, {}))
    refused(net, "do not all fit on the GPUs", device_map="auto")
    load(net, device_map="auto", offload=True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr("logitspec.models.devices.free_bytes", lambda device: 10**9)
    placed = device_map_options("net", "auto", False, 10**9, torch.bfloat16)
    assert placed == {"device_map": "auto", "max_memory": {0: 10**9, 1: 10**9}}
    with pytest.raises(LogitSpecError, match=r"take 2\.2 GB and the GPUs have 2\.0 GB free"):
        device_map_options("net", "auto", False, 11 * 10**8, torch.bfloat16)
    assert device_map_options("net", "auto", True, 11 * 10**8, torch.bfloat16) == {
        "device_map": "auto"
    }
