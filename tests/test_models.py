"""Loading: what is accepted, what is refused in one sentence."""

from __future__ import annotations

import copy
import gc
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from support.errors import one_sentence
from support.fakes import finished
from support.families import CONFIGS, model, runner
from support.models import folder, tokenizer
from transformers import AutoTokenizer

from logitspec import DraftTree, LogitSpecError, Trace, decode, load
from logitspec.__main__ import main
from logitspec.models import info
from logitspec.models.chat import encode_prompt
from logitspec.models.devices import choose_device
from logitspec.models.loader import prepare
from logitspec.serving.host import Host


@pytest.mark.parametrize("family", CONFIGS)
def test_a_folder_of_each_family_loads_and_decodes(tmp_path: Path, family: str) -> None:
    target, tokens = load(folder(tmp_path / "net", family), dtype="float64")
    trace = finished(decode(target, encode_prompt(tokens, "ABCABC"), max_new_tokens=8))
    assert trace.model["id"] == "net"
    assert trace.model["dtype"] == "float64"
    assert trace.model["attention"] == ("eager" if family == "gemma2" else "sdpa")
    assert trace.environment["torch"] == torch.__version__
    assert str(tmp_path) not in trace.to_json()
    assert 1 <= len(trace.output_ids) <= 8


def test_loading_leaves_its_objects_out_of_later_collections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once those of the previous model are free, and those of anything that was tried and not taken."""
    calls: list[str] = []
    for name in ("freeze", "unfreeze", "collect"):
        monkeypatch.setattr(gc, name, lambda name=name: calls.append(name))
    net = folder(tmp_path / "net")
    load(net)
    assert calls == ["unfreeze", "collect", "freeze"]
    calls.clear()
    load(net, "cpu", "fastest")
    assert calls == ["unfreeze", "collect", "collect", "freeze"]
    calls.clear()

    def refuse(*arguments: Any) -> None:
        raise LogitSpecError("no")

    monkeypatch.setattr("logitspec.models.loader.check_tree_equivalence", refuse)
    with pytest.raises(LogitSpecError):
        load(net)
    assert calls == ["unfreeze", "collect", "collect", "freeze"]


def test_end_of_sequence_ids_come_as_a_list_and_from_the_tokenizer(tmp_path: Path) -> None:
    net = folder(tmp_path / "net")
    transformers.GenerationConfig(eos_token_id=[5, 7]).save_pretrained(net)
    target, _ = load(net)
    assert target.eos_ids == {5, 7, 32}


@pytest.mark.parametrize("ids", [-1, [-1], [], "5", None])
def test_what_is_no_token_id_ends_no_text(tmp_path: Path, ids: Any) -> None:
    net = folder(tmp_path / "net")
    (net / "generation_config.json").write_text(json.dumps({"eos_token_id": ids}))
    target, tokenizer = load(net)
    assert target.eos_ids == {32}
    trace = finished(decode(target, encode_prompt(tokenizer, "ABC"), max_new_tokens=3))
    assert Trace.from_json(trace.to_json()).eos_ids == [32]


def test_windows_limits_and_types() -> None:
    assert info.windows(model("llama").config) == {"full_attention": None}
    assert info.windows(model("mistral-window").config) == {"sliding_attention": 12}
    assert info.windows(model("gemma3").config) == {"sliding_attention": 12, "full_attention": None}
    assert prepare(model("gpt2")).limit == 512


def test_a_limit_that_changes_the_positions_before_it_is_not_crossed() -> None:
    scaling = {
        "rope_type": "longrope",
        "rope_theta": 1e4,
        "short_factor": [1.0] * 4,
        "long_factor": [2.0] * 4,
        "original_max_position_embeddings": 64,
    }
    name, options = CONFIGS["phi3"]
    config = getattr(transformers, name)(
        **{**options, "rope_parameters": scaling, "original_max_position_embeddings": 64}
    )
    assert prepare(transformers.AutoModelForCausalLM.from_config(config).eval()).limit == 64


def test_a_context_that_is_cut_short_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = folder(tmp_path / "net", "phi3")
    config = json.loads((net / "config.json").read_text())
    config["rope_parameters"] = {
        "rope_type": "longrope",
        "rope_theta": 1e4,
        "short_factor": [1.0] * 4,
        "long_factor": [2.0] * 4,
        "original_max_position_embeddings": 64,
    }
    (net / "config.json").write_text(json.dumps({**config, "original_max_position_embeddings": 64}))
    line = "It takes texts of up to 64 tokens here, of 512: beyond those, it would see the earlier ones"
    assert main(["ABC", "--model", str(net), "--max-new-tokens", "2"]) == 0
    assert line in capsys.readouterr().err
    host = Host(str(net))
    host.models.prepare()
    assert line in host.models.about("net")
    assert "context" not in prepare(model("llama")).info


@pytest.mark.parametrize("family", ["mistral-window", "gemma3"])
def test_a_window_that_a_model_applies_limits_nothing(family: str) -> None:
    assert prepare(model(family)).limit == 512


def test_a_window_that_a_model_does_not_apply_is_not_crossed() -> None:
    """Moshi's configuration has one, and its code attends to everything; the probe may be shorter than the window."""
    config = transformers.MoshiConfig(
        vocab_size=40,
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=512,
        sliding_window=300,
    )
    torch.manual_seed(0)
    net = transformers.MoshiForCausalLM(config).double().eval()
    with torch.no_grad():
        for each in net.parameters():
            each.add_(torch.randn_like(each) * 0.3)
    target = prepare(net)
    assert (target.limit, target.windows) == (300, {"sliding_attention": 300})
    prompt = [(7 * n) % 40 for n in range(290)]
    trace = finished(decode(target, prompt, max_new_tokens=20))
    assert (trace.finish, len(trace.output_ids)) == ("context", 10)
    expected = net.generate(
        torch.tensor([prompt]), max_new_tokens=10, do_sample=False, eos_token_id=None
    )
    assert trace.output_ids == expected[0, 290:].tolist()


def test_prompts_go_through_the_chat_template_if_there_is_one() -> None:
    assert encode_prompt(tokenizer(), "ABC") == [0, 1, 2]
    chat = tokenizer(chat=True)
    expected = chat("[user]ABC[assistant]")["input_ids"]
    assert encode_prompt(chat, "ABC") == expected


def test_a_conversation_stands_before_the_prompt() -> None:
    chat, before = tokenizer(chat=True), [("A", "B"), ("C", "D")]
    expected = chat("[user]A[assistant]B[user]C[assistant]D[user]E[assistant]")["input_ids"]
    assert encode_prompt(chat, "E", before) == expected
    assert encode_prompt(tokenizer(), "E", before) == [0, 1, 2, 3, 4]
    with pytest.raises(LogitSpecError, match="prompt is empty"):
        encode_prompt(chat, " ", before)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_refused(text: str) -> None:
    for chat in (False, True):
        with pytest.raises(LogitSpecError, match="prompt is empty"):
            encode_prompt(tokenizer(chat), text)


def test_a_folder_is_found_as_it_was_pasted(tmp_path: Path) -> None:
    net = folder(tmp_path / "net")
    for pasted in (f" {net} ", f"{net}\n", f'"{net}"', f"'{net}' ", f"\ufeff{net}", f"{net}/"):
        assert load(pasted)[0].info["id"] == "net"
    odd = folder(tmp_path / " odd ")
    assert load(odd)[0].info["id"] == " odd "


def test_an_unknown_model_device_or_dtype_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "hollow").mkdir()
    code = "from transformers import AutoModelForCausalLM\n" * 6
    for name in (
        *("nobody/nothing", "no such thing", str(tmp_path / "hollow"), "../x"),
        *("/nowhere/you/none", "/none.gguf", "~nobody/none", "C:\\none", "x" * 300),
        f"{code}AutoModelForCausalLM.from_pretrained('nobody/x')",
    ):
        with pytest.raises(LogitSpecError, match="There is no model") as error:
            load(name)
        one_sentence(error)
    for device in ("tpu", "cuda:99", "nonsense", ""):
        with pytest.raises(LogitSpecError, match="device") as error:
            load(device=device)
        one_sentence(error)
    with pytest.raises(LogitSpecError, match="no dtype 'int8'") as error:
        load(dtype="int8")
    one_sentence(error)


def test_a_folder_that_may_not_be_looked_into_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuses)
    with pytest.raises(
        LogitSpecError, match=r"There is no model '/secret/net' on this machine; check its path\."
    ) as error:
        load("/secret/net")
    one_sentence(error)


def test_models_that_can_not_branch_are_refused(tmp_path: Path) -> None:
    tokenizer().save_pretrained(tmp_path)
    refused: dict[str, dict[str, Any]] = {
        "MambaConfig": {"hidden_size": 16, "num_hidden_layers": 1, "vocab_size": 40},
        "T5Config": {"d_model": 16, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": 40},
        "Qwen3NextConfig": {
            "hidden_size": 16,
            "num_hidden_layers": 4,
            "vocab_size": 40,
            "layer_types": ["linear_attention"] * 3 + ["full_attention"],
        },
    }
    for name, options in refused.items():
        getattr(transformers, name)(**options).save_pretrained(tmp_path)
        with pytest.raises(LogitSpecError, match="choose") as error:
            load(tmp_path)
        one_sentence(error)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_models_whose_positions_are_not_ours_to_give_are_refused(
    tmp_path: Path, dtype: str
) -> None:
    """Each would load and run, or nearly so, and write something other than plain decoding."""
    tokenizer().save_pretrained(tmp_path)
    refused: dict[str, dict[str, Any]] = {
        "BloomConfig": {"hidden_size": 32, "n_layer": 1, "n_head": 4},
        "MptConfig": {"d_model": 32, "n_layers": 1, "n_heads": 4},
        "FalconConfig": {
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "alibi": True,
        },
        "GPTNeoConfig": {
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "attention_types": [[["global", "local"], 1]],
        },
    }
    for name, options in refused.items():
        config = getattr(transformers, name)(vocab_size=40, **options)
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
        with pytest.raises(LogitSpecError, match="choose") as error:
            load(tmp_path, dtype=dtype)
        one_sentence(error)


def test_what_can_not_be_decoded_is_said(tmp_path: Path) -> None:
    target = runner("llama")
    for ids in ([99], [-1], [1, 40]):
        with pytest.raises(LogitSpecError, match="outside the model's vocabulary of 40"):
            list(decode(target, ids))
        target.prefill([1, 2, 3])
        with pytest.raises(LogitSpecError, match="draft has token ids outside"):
            target.verify(DraftTree(ids[-1]))
    first, second = decode(target, [1, 2, 3]), decode(target, [4, 5])
    next(first), next(second)
    with pytest.raises(LogitSpecError, match="Another run"):
        list(first)
    first = decode(target, [1, 2, 3], max_new_tokens=5)
    next(first), next(decode(target, [4] * 100))
    with pytest.raises(LogitSpecError, match="Another run"):
        list(first)  # by its length alone, the other text would look like the end of this one
    broken = copy.deepcopy(model("llama"))
    torch.nn.init.constant_(broken.lm_head.weight, float("nan"))
    with pytest.raises(LogitSpecError, match="not finite"):
        list(decode(prepare(broken), [1, 2, 3]))


def test_half_an_emoji_does_not_stop_a_prompt() -> None:
    assert encode_prompt(tokenizer(), "AB\ud83dC") == [0, 1, 2]
    halves = [("A\ud83d", "B\ud83d")]
    assert encode_prompt(tokenizer(), "C", halves) == encode_prompt(
        tokenizer(), "C", [("A?", "B?")]
    )


def test_missing_parts_are_named(tmp_path: Path) -> None:
    whole = folder(tmp_path / "whole")
    bare = shutil.copytree(whole, tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    with pytest.raises(LogitSpecError, match="bare could not be loaded") as error:
        load(bare)
    one_sentence(error)
    mute = shutil.copytree(whole, tmp_path / "mute")
    for file in mute.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(LogitSpecError, match="mute has no tokenizer") as error:
        load(mute)
    one_sentence(error)


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    net = folder(tmp_path / "net")
    (net / "model.safetensors").unlink()
    torch.save(model("llama", torch.float32).state_dict(), net / "pytorch_model.bin")
    with pytest.raises(LogitSpecError, match="could not be loaded"):
        load(net)


def test_auto_means_the_cpu_where_there_is_no_gpu() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_the_tokenizer_of_a_folder_is_the_one_that_was_saved(tmp_path: Path) -> None:
    again = AutoTokenizer.from_pretrained(folder(tmp_path / "net"))
    assert again("ABBA")["input_ids"] == [0, 1, 1, 0]
