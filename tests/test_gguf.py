"""Models in GGUF files: what is read from one, which one is chosen, what is refused in one sentence."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter
from support import gguf_files
from support.errors import one_sentence
from support.families import model
from support.models import folder

from logitspec import LogitSpecError, load
from logitspec.__main__ import main
from logitspec.models import dense, encode_prompt, names
from logitspec.models.gguf import read
from logitspec.serving.host import Host

Q8_0, Q4_1 = GGMLQuantizationType.Q8_0, GGMLQuantizationType.Q4_1


def refused(model: Any, match: str) -> None:
    with pytest.raises(LogitSpecError, match=match) as error:
        load(model, "cpu")
    one_sentence(error)


def logits(net: Any) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = net(torch.arange(20)[None]).logits
    return result


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "phi3", "fast-gemma2", "gemma3"])
def test_a_file_computes_what_its_model_computes(family: str, tmp_path: Path) -> None:
    file = read(gguf_files.write(tmp_path / "tiny.gguf", family))
    config = dense.configuration(file, "tiny")
    source = copy.deepcopy(model(family, torch.float32))
    source.set_attn_implementation("eager")  # the only one that caps scores
    for key in ("query_pre_attn_scalar", "layer_types"):  # of tiny models alone; in no file
        if hasattr(source.config, key):
            setattr(config, key, getattr(source.config, key))
    net = dense.model(file, config, torch.float32, attn_implementation="eager").eval()
    assert torch.allclose(logits(net), logits(source), atol=1e-4)


@pytest.mark.parametrize("kind", [Q8_0, Q4_1], ids=lambda kind: kind.name)
def test_quantised_weights_are_made_dense_in_the_dtype_asked_for(
    kind: GGMLQuantizationType, tmp_path: Path
) -> None:
    path = gguf_files.write(tmp_path / f"tiny-{kind.name}.gguf", "qwen2", kind)
    target, _ = load(path, "cpu", "bfloat16")
    original = model("qwen2", torch.float32).model.layers[0].mlp.gate_proj.weight.detach()
    result = dense.model(
        read(path), dense.configuration(read(path), ""), torch.bfloat16
    ).model.layers[0].mlp.gate_proj.weight  # fmt: skip
    assert torch.equal(result, gguf_files.rounded(original, kind).bfloat16())
    assert target.info["dtype"] == "bfloat16"
    assert kind.name in target.info["weights"]
    assert "dense bfloat16" in target.info["weights"]


def test_tokens_template_and_ends_are_the_files(tmp_path: Path) -> None:
    path = gguf_files.write(tmp_path / "tiny.gguf", more={"tokenizer.ggml.eot_token_id": 33})
    target, tokenizer = load(path, "cpu")
    assert target.eos_ids == {32, 33}
    text = tokenizer.decode(encode_prompt(tokenizer, "ABC"))
    assert "ABC<e>" in text
    assert encode_prompt(tokenizer, "AB")[-1] != 0


def test_the_original_tokenizer_beside_the_file_is_taken_if_it_has_the_same_tokens(
    tmp_path: Path,
) -> None:
    path = gguf_files.write(tmp_path / "tiny.gguf")
    original = load(path, "cpu")[1]
    original.add_special_tokens({"pad_token": "<t>"})  # what the file does not say
    original.save_pretrained(tmp_path)
    assert load(path, "cpu")[1].pad_token == "<t>"
    tokens = read(path).metadata["tokenizer.ggml.tokens"]
    swapped = {"tokenizer.ggml.tokens": [tokens[1], tokens[0], *tokens[2:]]}
    other = gguf_files.write(tmp_path / "other.gguf", more=swapped)
    assert load(other, "cpu")[1].pad_token is None


def test_ends_of_the_original_repository_are_taken_where_the_file_has_them_as_such(
    tmp_path: Path,
) -> None:
    path = gguf_files.write(tmp_path / "tiny.gguf")
    about = tmp_path / "generation_config.json"
    for content, ends in [
        ('{"eos_token_id": 33}', {32, 33}),
        ('{"eos_token_id": [33, 36, 32]}', {32, 33, 36}),
        ('{"eos_token_id": [1, 34, 99, -1, "x", null]}', {32}),  # letters, and no tokens at all
        ('{"eos_token_id": null}', {32}),
        ("{}", {32}),
        ("[]", {32}),
        ("broken", {32}),
    ]:
        about.write_text(content)
        assert dense.end_ids(read(path)) == ends
    about.write_text('{"eos_token_id": 33}')
    assert load(path, "cpu")[0].eos_ids == {32, 33}


def test_terminal_and_page_say_what_dense_weights_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = gguf_files.write(tmp_path / "tiny-Q8_0.gguf", "qwen2", Q8_0)
    assert main(["ABC", "--model", str(path), "--device", "cpu", "--max-new-tokens", "2"]) == 0
    line = "The weights were quantised to Q8_0 (0 MB), which decides the quality, and are dense float32"
    assert line in capsys.readouterr().err
    host = Host(str(path), device="cpu")
    host.models.prepare()
    assert line in host.models.about(path.name)


def test_the_end_of_a_turn_is_found_in_the_template(tmp_path: Path) -> None:
    tokens = [chr(ord("A") + n) for n in range(32)] + ["<e>", "<|im_end|>", "AB", *"abcde"]
    more = {"tokenizer.ggml.tokens": tokens, "tokenizer.chat_template": "{{ '<|im_end|>' }}"}
    file = read(gguf_files.write(tmp_path / "tiny.gguf", more=more))
    assert dense.end_ids(file) == {32, 33}


def llama3_factors(base: float, width: int, factor: float) -> np.ndarray:
    """The factors as llama.cpp's converter writes them, one by one."""
    result = []
    for place in range(0, width, 2):
        length = 2 * np.pi * base ** (place / width)
        if length < 8192 / 4:
            result.append(1.0)
        elif length > 8192:
            result.append(factor)
        else:
            smooth = (8192 / length - 1) / 3
            result.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(result, np.float32)


def rotary(tmp_path: Path, factors: np.ndarray) -> Path:
    path = tmp_path / "tiny.gguf"
    real = gguf_files.tensors

    def with_factors(family: str) -> dict[str, np.ndarray]:
        return {**real(family), "rope_freqs.weight": factors}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gguf_files, "tensors", with_factors)
        return gguf_files.write(path, "llama", more={"llama.rope.freq_base": 500000.0})


def test_scaled_rotary_positions_of_llama_3_are_read(tmp_path: Path) -> None:
    target, _ = load(rotary(tmp_path, llama3_factors(500000.0, 8, 32.0)), "cpu")
    plain = 500000.0 ** -(np.arange(0, 8, 2) / 8)
    expected = plain / llama3_factors(500000.0, 8, 32.0)
    assert np.allclose(target.model.model.rotary_emb.inv_freq.numpy(), expected, rtol=1e-4)


def test_other_rotary_factors_are_refused(tmp_path: Path) -> None:
    refused(rotary(tmp_path, np.array([1, 2, 3, 4], np.float32)), "scales its rotary positions")


# Files that are no model


def broken(at: Path, **more: Any) -> Path:
    return gguf_files.write(at / "tiny.gguf", more=more)


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    whole = broken(tmp_path).read_bytes()
    path = tmp_path / "bad.gguf"
    for content, match in [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "pointer to a file in Git LFS"),
        (b"<html>", "is not a GGUF file"),
        (b"", "is not a GGUF file"),
        (whole[:4] + b"\x01" + whole[5:], "version 1 of GGUF"),
        (whole[:700], "broken or cut off"),
        (whole[:24] + b"\xff" * 8 + whole[32:], "broken or cut off"),
        (whole[:-1000], "is cut off at .* MB; download it again"),
    ]:  # fmt: skip
        path.write_bytes(content)
        refused(path, match)


def test_files_that_are_no_whole_language_model(tmp_path: Path) -> None:
    refused(broken(tmp_path, **{"split.count": 3}), "one of 3 parts of a model")
    refused(broken(tmp_path, **{"general.type": "adapter"}), "'adapter', not a whole model")
    for name, match in [("clip", r"vision projector \(mmproj\)"), ("mamba9", "'mamba9' model")]:
        writer = GGUFWriter(tmp_path / "other.gguf", name)
        writer.add_tensor("x", np.zeros(4, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        refused(tmp_path / "other.gguf", match)


def test_a_tensor_without_a_place_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    real = gguf_files.tensors
    more = {"blk.0.attn_q.bias": np.zeros(32, np.float32)}
    monkeypatch.setattr(gguf_files, "tensors", lambda family: {**real(family), **more})
    refused(broken(tmp_path), "blk.0.attn_q.bias has no place in LlamaForCausalLM")


def test_without_the_package_gguf_the_sentence_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = broken(tmp_path)
    monkeypatch.setattr(dense, "find_spec", lambda name: None)
    refused(path, "install it with `pip install gguf`")


def test_memory_is_compared_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = broken(tmp_path)
    file = read(path)
    largest = max(tensor.elements for tensor in file.tensors.values())
    needed = 2 * file.parameters + 2 * 4 * largest  # bfloat16, and a tensor in float32 and its copy
    monkeypatch.setattr(dense, "model", lambda *args, **options: pytest.fail("loaded"))
    monkeypatch.setattr("logitspec.models.devices.free_bytes", lambda device: needed - 1)
    with pytest.raises(LogitSpecError, match=r"not enough memory for tiny\.gguf"):
        load(path, "cpu", "bfloat16")
    monkeypatch.setattr("logitspec.models.devices.free_bytes", lambda device: needed)
    with pytest.raises(pytest.fail.Exception, match="loaded"):
        load(path, "cpu", "bfloat16")


# Which file


def test_a_folder_with_several(tmp_path: Path) -> None:
    for kind in (Q8_0, Q4_1):
        gguf_files.write(tmp_path / f"tiny-{kind.name}.gguf", "llama", kind)
    (tmp_path / "mmproj-tiny-F16.gguf").write_bytes(b"")
    assert load(tmp_path, "cpu")[0].info["id"] == "tiny-Q4_1.gguf"
    assert load(f"{tmp_path}:q8_0", "cpu")[0].info["id"] == "tiny-Q8_0.gguf"
    refused(f"{tmp_path}:Q6_K", "has no Q6_K; choose one of Q4_1, Q8_0")


def test_a_folder_with_a_configuration_beside_the_file(tmp_path: Path) -> None:
    """As a repository of GGUF files looks after its download."""
    net = folder(tmp_path / "net")
    file = gguf_files.write(net / "tiny-Q4_1-00001-of-00001.gguf", "qwen2")
    assert load(net, "cpu")[0].info["id"] == "net"
    (net / "model.safetensors").unlink()
    assert load(net, "cpu")[0].info["id"] == file.name
    assert load(f"{net}:Q4_1", "cpu")[0].info["id"] == file.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("somebody/tiny", names.Reference("somebody/tiny")),
        ("gpt2", names.Reference("gpt2")),
        ("hf.co/somebody/tiny:Q4_K_M", names.Reference("somebody/tiny", "Q4_K_M")),
        ("ollama run hf.co/somebody/tiny:latest", names.Reference("somebody/tiny")),
        ("somebody/tiny@q4_k_m", names.Reference("somebody/tiny", "q4_k_m")),
        ("somebody/tiny/a/b.gguf", names.Reference("somebody/tiny", None, "a/b.gguf")),
        (
            "https://huggingface.co/somebody/tiny/blob/main/b.gguf",
            names.Reference("somebody/tiny", None, "b.gguf"),
        ),
        ("  somebody/tiny\n", names.Reference("somebody/tiny")),
        ("\ufeffsomebody/tiny\u200b\u00a0", names.Reference("somebody/tiny")),
        ("somebody / tiny", names.Reference("somebody/tiny")),
        ("somebody/ tiny : Q4_K_M", names.Reference("somebody/tiny", "Q4_K_M")),
        ("'somebody/tiny'", names.Reference("somebody/tiny")),
        (' "somebody/tiny" ', names.Reference("somebody/tiny")),
        ("https://huggingface.co/somebody/tiny", names.Reference("somebody/tiny")),
        ("https://huggingface.co/somebody/tiny/", names.Reference("somebody/tiny")),
        (" HTTPS://www.HuggingFace.co/somebody/tiny ", names.Reference("somebody/tiny")),
        ("https://huggingface.co/somebody/tiny/tree/main", names.Reference("somebody/tiny")),
        ("https://huggingface.co/somebody/tiny?library=vllm#x", names.Reference("somebody/tiny")),
        (
            "https://huggingface.co/somebody/tiny/tree/v2",
            names.Reference("somebody/tiny", None, None, "v2"),
        ),
        (
            "https://huggingface.co/somebody/tiny/blob/main/config.json",
            names.Reference("somebody/tiny"),
        ),
        ("git clone https://huggingface.co/somebody/tiny.git", names.Reference("somebody/tiny")),
        ("git lfs clone https://huggingface.co/somebody/tiny", names.Reference("somebody/tiny")),
        ("hf download somebody/tiny", names.Reference("somebody/tiny")),
        ("huggingface-cli download somebody/tiny", names.Reference("somebody/tiny")),
        ("hf://somebody/tiny", names.Reference("somebody/tiny")),
        (
            'AutoModelForCausalLM.from_pretrained("somebody/tiny", dtype="auto")',
            names.Reference("somebody/tiny"),
        ),
        ("no such name", names.Reference("no such name")),
        ("`somebody/tiny`", names.Reference("somebody/tiny")),
        ("<https://huggingface.co/somebody/tiny>", names.Reference("somebody/tiny")),
        ("\u201csomebody/tiny\u201d", names.Reference("somebody/tiny")),
        (
            "huggingface-cli download somebody/tiny tiny-q8_0.gguf --local-dir .",
            names.Reference("somebody/tiny", None, "tiny-q8_0.gguf"),
        ),
        ("hf download somebody/tiny --local-dir tiny", names.Reference("somebody/tiny")),
        ("$ ollama run hf.co/somebody/tiny:Q8_0", names.Reference("somebody/tiny", "Q8_0")),
        ("docker model run hf.co/somebody/tiny", names.Reference("somebody/tiny")),
        ("llama-server -hf somebody/tiny:Q8_0", names.Reference("somebody/tiny", "Q8_0")),
        ('vllm serve "somebody/tiny"', names.Reference("somebody/tiny")),
        (
            'pipe = pipeline("text-generation", model="somebody/tiny")',
            names.Reference("somebody/tiny"),
        ),
        (
            'Llama.from_pretrained(\n\trepo_id="somebody/tiny",\n\tfilename="tiny-q8_0.gguf",\n)',
            names.Reference("somebody/tiny", None, "tiny-q8_0.gguf"),
        ),
        (
            "https://huggingface.co/somebody/tiny/blob/main/tiny%20b.gguf",
            names.Reference("somebody/tiny", None, "tiny b.gguf"),
        ),
        (
            "https://huggingface.co/somebody/tiny/tree/refs%2Fpr%2F3",
            names.Reference("somebody/tiny", None, None, "refs/pr/3"),
        ),
        (
            "https://huggingface.co/somebody/tiny/resolve/v2/b.gguf?download=true",
            names.Reference("somebody/tiny", None, "b.gguf", "v2"),
        ),
    ],
)
def test_names_that_people_paste(text: str, expected: names.Reference) -> None:
    assert names.parse(text) == expected


def test_the_default_is_q4_k_m_and_then_the_nearest() -> None:
    order = ["Q4_K_M", "Q4_K_S", "Q4_0", "Q5_K_M", "Q3_K_M", "Q2_K", "Q8_0", "F16"]
    files = [f"tiny-{each}.gguf" for each in order]
    left = sorted(files)
    while left:
        assert names.choose(left, None, "x") == files[-len(left)]
        left.remove(files[-len(left)])


def test_repositories_without_a_whole_model() -> None:
    for files, match in [
        (["m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"], "split into several GGUF"),
        (["mmproj-F16.gguf"], "only a vision projector"),
        (["config.json"], "has no GGUF file"),
    ]:
        with pytest.raises(LogitSpecError, match=match) as error:
            names.choose(files, None, "somebody/tiny")
        one_sentence(error)
