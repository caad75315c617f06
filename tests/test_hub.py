"""Models of a hub: what is fetched, what resumes, what is refused in one sentence."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
import transformers
import yaml
from huggingface_hub import constants
from support.errors import one_sentence
from support.fakes import finished
from support.forks import Fork
from support.hub import COMMIT, CONVERTED, TOKEN, Hub, serving, use_hub
from support.models import folder, tokenizer

from logitspec import LogitSpecError, decode, load
from logitspec.__main__ import main
from logitspec.models.chat import encode_prompt

NAME = "somebody/tiny"
ROOT = Path(__file__).parents[1]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model, and an empty cache."""
    with serving() as server:
        server.models[NAME] = folder(tmp_path / "net")
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100)
        monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        yield server


def weights(hub: Hub) -> bytes:
    return (hub.models[NAME] / "model.safetensors").read_bytes()


def refused(name: Any, match: str) -> None:
    with pytest.raises(LogitSpecError, match=match) as error:
        load(name)
    one_sentence(error)


def test_a_model_of_the_hub_is_that_of_its_folder(hub: Hub) -> None:
    progress_calls: list[tuple[int, int]] = []
    target, tokens = load(NAME, progress=lambda *bytes_: progress_calls.append(bytes_))
    here, _ = load(hub.models[NAME])
    ids = encode_prompt(tokens, "ABCABC")
    traces = [finished(decode(each, ids, max_new_tokens=8)) for each in (target, here)]
    assert traces[0].output_ids == traces[1].output_ids
    assert (traces[0].model["id"], traces[0].model["revision"]) == (NAME, COMMIT)
    size = len(weights(hub))
    assert progress_calls[-1] == (size, size)
    assert hub.fetched("model.safetensors") == [None]


def test_what_is_there_is_not_fetched_again_and_works_without_the_hub(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(NAME)
    load(NAME)
    assert hub.fetched("model.safetensors") == [None]
    hub.status = 503
    assert load(NAME)[0].info["revision"] == COMMIT
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load(NAME)[0].info["revision"] == COMMIT
    refused("somebody/else", "can't be reached; check the connection")


def test_a_cut_connection_is_mended_within_one_download(hub: Hub) -> None:
    hub.bytes_until_cut = [1000, 500]  # whole chunks
    load(NAME)
    assert hub.fetched("model.safetensors") == [None, "bytes=1000-", "bytes=1500-"]


def test_an_interrupted_download_goes_on_where_it_stopped(hub: Hub) -> None:
    hub.bytes_until_cut = [1000] + 5 * [0]
    refused(NAME, "was interrupted; ask for it again and it continues")
    hub.requests.clear()
    progress_calls: list[tuple[int, int]] = []
    target, _ = load(NAME, progress=lambda *bytes_: progress_calls.append(bytes_))
    assert hub.fetched("model.safetensors") == ["bytes=1000-"]
    assert progress_calls[-1] == (len(weights(hub)), len(weights(hub)))
    assert progress_calls[0][0] > 1000
    file = next(Path(constants.HF_HUB_CACHE).rglob("model.safetensors"))
    assert file.read_bytes() == weights(hub)
    assert target.info["parameters"] > 0
    assert not list(Path(constants.HF_HUB_CACHE).rglob("*.part"))


def test_damaged_weights_are_not_kept(hub: Hub) -> None:
    hub.damaged = True
    refused(NAME, "arrived damaged; ask for it again")
    hub.damaged = False
    load(NAME)
    assert hub.fetched("model.safetensors") == [None, None]


def test_weights_in_several_files(hub: Hub, tmp_path: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(hub.models[NAME])
    parts = tmp_path / "parts"
    model.save_pretrained(parts, max_shard_size="20KB")
    tokenizer().save_pretrained(parts)
    shards = sorted(file.name for file in parts.glob("*.safetensors"))
    assert len(shards) > 1
    hub.models["somebody/parts"] = parts
    progress_calls: list[tuple[int, int]] = []
    hub.bytes_until_cut = [10**9, 100] + 5 * [0]
    refused("somebody/parts", "was interrupted")
    load("somebody/parts", progress=lambda *bytes_: progress_calls.append(bytes_))
    assert hub.fetched(shards[0]) == [None]  # whole at the first try
    assert (
        progress_calls[-1][0]
        == progress_calls[-1][1]
        == sum((parts / shard).stat().st_size for shard in shards)
    )


def test_what_the_hub_does_not_have_or_give_is_said(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused("nobody/nothing", "There is no model 'nobody/nothing' on this machine or on the hub")
    refused("no such name", "There is no model 'no such name'")
    hub.gated.add(NAME)
    refused(NAME, "is gated: accept its licence .* HF_TOKEN")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    refused(NAME, "is gated")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    load(NAME)
    hub.status = 503
    refused("somebody/else", "answered with error 503")


def test_a_hub_that_is_not_there_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    refused(NAME, "can't be reached; check the connection")


def test_a_full_disk_is_said_before_and_during_a_download(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = SimpleNamespace(disk_usage=lambda folder: SimpleNamespace(free=1000))
    with monkeypatch.context() as patch:
        patch.setattr("logitspec.models.hub.shutil", little)
        refused(NAME, "takes 0.0 GB and the disk has 0.0 GB left; free some space")
    assert hub.fetched("model.safetensors") == []

    def full(*args: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("logitspec.models.hub.http_get", full)
        refused(NAME, "The disk filled up before")
    load(NAME)


def test_pickled_weights_and_missing_shards_are_not_fetched(hub: Hub) -> None:
    net = hub.models[NAME]
    (net / "model.safetensors").rename(net / "pytorch_model.bin")
    refused(NAME, "no weights in safetensors")
    assert hub.fetched("pytorch_model.bin") == []
    (net / "tiny.safetensors").write_bytes(b"")
    refused(NAME, "has tiny.safetensors, but neither a model.safetensors nor the index")
    (net / "model.safetensors.index.json").write_text('{"weight_map": {"a": "b.safetensors"}}')
    refused(NAME, "lacks b.safetensors, one of its weight files; choose another model")


def test_the_hubs_own_conversion_of_pickled_weights_is_taken_also_offline(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = hub.models[NAME]
    older = hub.models["somebody/older"] = shutil.copytree(whole, tmp_path / "older")
    (older / "model.safetensors").rename(older / "pytorch_model.bin")
    hub.converted["somebody/older"] = "somebody", whole
    refused("somebody/older", "no weights in safetensors")
    hub.converted["somebody/older"] = "SFconvertbot", whole
    assert load("somebody/older")[0].info["revision"] == CONVERTED
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load("somebody/older")[0].info["revision"] == CONVERTED


def test_a_revision_needs_nothing_of_the_main_branch(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.converted["somebody/new"] = "somebody", hub.models[NAME]
    empty = hub.models["somebody/new"] = tmp_path / "empty"
    empty.mkdir()
    address = "https://huggingface.co/somebody/new/tree/refs%2Fpr%2F1"
    assert load(address)[0].info["revision"] == CONVERTED
    refused("https://huggingface.co/somebody/new/tree/v9", "new has no such branch, tag or commit")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load(address)[0].info["revision"] == CONVERTED


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
def test_discussions_that_are_switched_off_say_nothing_about_the_model(
    hub: Hub, status: int
) -> None:
    hub.status_of_discussions = status
    net = hub.models[NAME]
    load(NAME)  # nobody asks for them
    (net / "model.safetensors").rename(net / "pytorch_model.bin")
    refused(NAME, "no weights in safetensors, and pickled ones are never read")


LEFTOVER = {"weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors"}}


def test_an_index_that_was_left_over_hides_no_weights(hub: Hub) -> None:
    net = hub.models[NAME]
    (net / "model.safetensors.index.json").write_text(json.dumps(LEFTOVER))
    for model in (NAME, net):
        assert load(model)[0].info["parameters"] > 0
    assert hub.fetched("model.safetensors") == [None]
    (net / "model.safetensors").unlink()
    refused(net, r"net lacks model-00001-of-00002\.safetensors")


@pytest.mark.parametrize(("variant", "size"), [("fp16", "20KB"), ("bf16", "5GB"), ("fp32", "20KB")])
def test_weights_of_a_variant_are_read_where_there_are_no_others(
    hub: Hub, tmp_path: Path, variant: str, size: str
) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(hub.models[NAME])
    other = hub.models["somebody/other"] = tmp_path / "other"
    model.save_pretrained(other, variant=variant, max_shard_size=size)
    tokenizer().save_pretrained(other)
    assert not (other / "model.safetensors").exists()
    ids = [0, 1, 2, 0, 1]
    expected = finished(decode(load(hub.models[NAME])[0], ids, max_new_tokens=6)).output_ids
    for each in ("somebody/other", other):
        target = load(each)[0]
        assert target.info["parameters"] == model.num_parameters()
        assert finished(decode(target, ids, max_new_tokens=6)).output_ids == expected


def test_weights_without_a_variant_come_first(hub: Hub) -> None:
    net = hub.models[NAME]
    (net / "model.fp16.safetensors").write_bytes(b"other")
    (net / "model.safetensors.index.fp16.json").write_text(json.dumps(LEFTOVER))
    for model in (NAME, net):
        load(model)
    assert hub.fetched("model.fp16.safetensors") == []


def test_an_adapter_of_the_hub_is_refused_before_anything_is_fetched(
    hub: Hub, tmp_path: Path
) -> None:
    adapter = hub.models["somebody/adapter"] = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    (adapter / "adapter_model.safetensors").write_bytes(b"0")
    refused("somebody/adapter", "is an adapter, not a model: it needs its base model; merge them")
    assert not any(verb == "GET" and "/resolve/" in path for verb, path, _ in hub.requests)


# What HuggingFaceTB/SmolLM2-135M-Instruct has at the top of its repository.
SMOLLM2 = """.gitattributes README.md all_results.json config.json eval_results.json generation_config.json
    merges.txt model.safetensors special_tokens_map.json tokenizer.json tokenizer_config.json
    train_results.json trainer_state.json vocab.json"""


def test_a_space_fetches_while_it_is_built_what_loading_asks_for(hub: Hub) -> None:
    net = hub.models[NAME]
    for name in SMOLLM2.split():
        if not (net / name).exists():
            (net / name).write_text("#version: 0.2\n" if name == "merges.txt" else "{}")
    load(NAME)
    requested = {path.rpartition("/")[2] for _, path, _ in hub.requests if "/resolve/" in path}
    front = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1])
    (preloaded,) = front["preload_from_hub"]
    assert set(preloaded.split()[1].split(",")) == requested


def test_a_configuration_that_is_refused_costs_no_weights(hub: Hub) -> None:
    transformers.MambaConfig(vocab_size=40).save_pretrained(hub.models[NAME])
    refused(NAME, "choose")
    assert hub.fetched("model.safetensors") == []


def has_arrived_in_part() -> bool:
    """Whether some of a file is there. Other files and folders come and go in the meantime."""
    # A walk passes over a folder that has gone.
    for place, _, names in os.walk(constants.HF_HUB_CACHE):
        for name in names:
            with suppress(FileNotFoundError):
                if name.endswith(".part") and Path(place, name).stat().st_size:
                    return True
    return False


def test_an_interrupt_of_the_terminal_keeps_what_was_downloaded(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ABC", "--model", NAME, "--max-new-tokens", "2"]
    hub.open.clear()
    terminal = Fork(lambda: main(words), tmp_path / "log", {})
    while not has_arrived_in_part():
        sleep(0.02)
        assert terminal.poll() is None, (tmp_path / "log").read_text()
    os.kill(terminal.pid, signal.SIGINT)
    assert terminal.wait(30) == 130
    hub.open.set()
    assert main(words) == 0
    assert "model.safetensors: 100%" in capsys.readouterr().err
    whole, rest = hub.fetched("model.safetensors")
    assert whole is None
    assert re.fullmatch(r"bytes=[1-9]\d*-", rest or "")
