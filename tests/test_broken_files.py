"""Broken files: one sentence that says which file and what to do, from Python, terminal and page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support import gguf_files
from support.errors import refused
from support.families import model
from support.models import folder, tokenizer

from logitspec import LogitSpecError, load
from logitspec.__main__ import main
from logitspec.errors import explain, sentence
from logitspec.serving.host import Host

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0a1b\nsize 4711\n"
Change = Callable[[Path], None]


def containing(content: bytes) -> Change:
    def change(file: Path) -> None:
        file.write_bytes(content)

    return change


def cut(share: float) -> Change:
    def change(file: Path) -> None:
        content = file.read_bytes()
        file.write_bytes(content[: int(len(content) * share)])

    return change


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


WEIGHTS: list[tuple[Change, str]] = [
    (containing(POINTER), "only a pointer to a file in Git LFS; fetch it with `git lfs pull`"),
    (containing(b""), "is empty; download it again"),
    (containing(b"\x00"), "is not a safetensors file, or only the beginning of one"),
    (containing(b"<!DOCTYPE html><html><body>404</body></html>"), "is not a safetensors file"),
    (containing(b'{"error": "not found"}'), "is not a safetensors file"),
    (containing(b"\xff" * 400), "is not a safetensors file"),
    (containing((20).to_bytes(8, "little") + b"{" * 20), "is broken; download it again"),
    (containing((2).to_bytes(8, "little") + b"{}"), "holds no weights"),
    (containing((4).to_bytes(8, "little") + b"[42]"), "is broken; download it again"),
    (cut(0.02), "is not a safetensors file, or only the beginning of one"),
    (cut(0.5), r"is cut off at 0\.\d of 0\.\d MB; download it again"),
    (cut(0.999), "is cut off at"),
    (a_folder, "is a folder; put the file in its place"),
]
# Small files have faults of their own, besides those of every file.
SMALL = ["config.json", "generation_config.json", "tokenizer_config.json"]
FAULTS: list[tuple[Change, str]] = [
    (containing(POINTER), "only a pointer to a file in Git LFS"),
    (containing(b""), "is empty; download it again"),
    (a_folder, "is a folder; put the file in its place"),
    (containing(b"<html>"), r"is not valid JSON \(line 1\); download it again, or fix it"),
    (containing(b'{\n"a": 1,\n}'), r"is not valid JSON \(line 3\)"),
    (cut(0.6), "is not valid JSON"),
    (containing(b"\xff\x00"), "is not valid JSON"),
    (containing(b"\xef\xbb\xbf{}"), "begins with a byte order mark; save it as UTF-8 without one"),
    (containing("{}".encode("utf-16")), "is not valid JSON, as it begins with a byte order mark"),
    (containing("{}".encode("utf-16-le")), "is not valid JSON"),
    (containing(b"[" * 100_000), "is not valid JSON"),
    (containing(b"[]"), "holds no JSON object"),
    (containing(b"null"), "holds no JSON object"),
]


@pytest.mark.parametrize(("change", "match"), WEIGHTS)
def test_weights(tmp_path: Path, change: Change, match: str) -> None:
    net = folder(tmp_path / "net")
    change(net / "model.safetensors")
    refused(net, f"The file model.safetensors of net .*{match}")


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("change", "match"), FAULTS)
def test_small_files(tmp_path: Path, name: str, change: Change, match: str) -> None:
    net = folder(tmp_path / "net")
    change(net / name)
    refused(net, f"The file {name} of net .*{match}")


@pytest.mark.parametrize(("change", "match"), FAULTS)
def test_a_tokenizer(tmp_path: Path, change: Change, match: str) -> None:
    net = folder(tmp_path / "net")
    change(net / "tokenizer.json")
    refused(net, f"The file tokenizer.json of net .*{match}")


def in_parts(at: Path) -> Path:
    model("llama", torch.float32).save_pretrained(at, max_shard_size="20KB")
    tokenizer().save_pretrained(at)
    return at


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("model-00002-of-00004.safetensors", Path.unlink, "lacks model-00002-of-00004.*download it again"),
        *[("model-00003-of-00004.safetensors", *each) for each in WEIGHTS[:2]],
        ("model-00003-of-00004.safetensors", cut(0.9), "is cut off"),
        *[("model.safetensors.index.json", *each) for each in FAULTS[:5]],
        ("model.safetensors.index.json", containing(b'{"weight_map": []}'), "names no weights"),
        ("model.safetensors.index.json", containing(b"{}"), "names no weights"),
        (
            "model.safetensors.index.json",
            containing(b'{"weight_map": {"a": "other.safetensors"}}'),
            "lacks other.safetensors",
        ),
        ("model.safetensors.index.json", containing(b'{"weight_map": {"a": 1}}'), "names no weights"),
    ],
)  # fmt: skip
def test_weights_in_parts(tmp_path: Path, name: str, change: Change, match: str) -> None:
    net = in_parts(tmp_path / "net")
    parts = sorted(file.name for file in net.glob("model-*"))
    assert len(parts) == 4
    load(net)
    change(net / name)
    refused(net, match)


def test_weights_under_other_names(tmp_path: Path) -> None:
    net = in_parts(tmp_path / "net")
    (net / "model.safetensors.index.json").unlink()
    refused(net, "net has model-00001-of-00004.safetensors, but neither .* get the index too, or")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"model_type": "nonsense"}, "configuration that transformers .* can't read"),
        ({"model_type": None}, "configuration that transformers .* can't read"),
        ({"model_type": 7}, "configuration that transformers .* can't read"),
        ({"hidden_size": "many"}, "configuration that transformers .* can't read|could not be loaded"),
        ({"num_hidden_layers": -1}, "configuration|could not be loaded|lacks|no place"),
        ({"num_attention_heads": 0}, "configuration|could not be loaded"),
        ({"rope_parameters": {"rope_type": "magic", "rope_theta": 1.0}}, "configuration|could not be"),
        ({"hidden_act": "magic"}, "could not be loaded|configuration"),
        ({"vocab_size": None}, "could not be loaded|configuration"),
    ],
)  # fmt: skip
def test_configurations_without_sense(tmp_path: Path, values: dict[str, Any], match: str) -> None:
    net = folder(tmp_path / "net")
    config = json.loads((net / "config.json").read_text())
    (net / "config.json").write_text(json.dumps({**config, **values}))
    refused(net, match)


def test_what_is_no_model_at_all(tmp_path: Path) -> None:
    net = folder(tmp_path / "net")
    refused(net / "model.safetensors", "is not a model by itself; choose the folder")
    refused(net / "config.json", "is not a model by itself")
    (tmp_path / "folder.gguf").mkdir()
    refused(tmp_path / "folder.gguf", "There is no model in the folder")
    (net / "pytorch_model.bin").write_bytes(b"no pickle")
    (net / "model.safetensors").unlink()
    refused(net, "has no weights in safetensors, and pickled ones are never read")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (containing(POINTER), "only a pointer to a file in Git LFS"),
        (containing(b""), "is not a GGUF file; choose another one, or download it again"),
        (containing(b"GG"), "is not a GGUF file"),
        (containing(b"GGUF"), "is broken or cut off"),
        (cut(0.01), "is broken or cut off"),
        (cut(0.9), "is cut off at"),
    ],
)
def test_gguf(tmp_path: Path, change: Change, match: str) -> None:
    file = gguf_files.write(tmp_path / "tiny.gguf")
    change(file)
    refused(file, f"tiny.gguf {match}|tiny.gguf is {match}")


@pytest.mark.parametrize(
    "name", ["config.json", "generation_config.json", "tokenizer.json", "model.safetensors"]
)
def test_files_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    net = folder(tmp_path / "net")
    forbidden(monkeypatch, name)
    refused(net, f"The file {name} of net can't be read \\(Permission denied\\)")


def test_a_gguf_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = gguf_files.write(tmp_path / "tiny.gguf")
    forbidden(monkeypatch, "tiny.gguf")
    refused(file, r"tiny\.gguf can't be read \(Permission denied\)")


def forbidden(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Forbid reading `name`; the user who runs the tests may be allowed to read everything."""
    real = Path.open

    def guarded(file: Path, *arguments: Any, **options: Any) -> Any:
        if file.name == name:
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, *arguments, **options)

    monkeypatch.setattr(Path, "open", guarded)


# Where the sentences go


def test_terminal_and_page_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    net = folder(tmp_path / "net")
    cut(0.5)(net / "model.safetensors")
    assert main(["ABC", "--model", str(net)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("The file model.safetensors of net is cut off at ")
    assert printed.err.count("\n") == 1
    lines = list(Host("builtin", others=True).models.loading(str(net)))
    assert lines[-1] + "\n" == printed.err
    assert "Traceback" not in caplog.text


class Strange(Exception):  # noqa: N818
    """An error of a library that nobody foresaw."""


@pytest.mark.parametrize("place", ["AutoConfig", "AutoTokenizer", "AutoModelForCausalLM"])
def test_any_error_of_a_library_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    net = folder(tmp_path / "net")

    def fails(*arguments: Any, **options: Any) -> Any:
        raise Strange(f"{net}/x: {{'a': 1}}\n  at line 7")

    monkeypatch.setattr(f"transformers.{place}.from_pretrained", fails)
    refused(net, "net")


def test_an_error_while_a_model_is_placed_or_checked_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = folder(tmp_path / "net")
    for place in ("prepare", "check_tree_equivalence", "enable_fast_forward"):
        with monkeypatch.context() as patch:
            patch.setattr(f"logitspec.models.loader.{place}", failing)
            refused(net, "net could not be loaded: something strange")


def failing(*arguments: Any, **options: Any) -> Any:
    raise Strange("something strange")


def test_an_error_that_nobody_foresaw_keeps_its_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("logitspec.publish.export.run", failing)
    assert main(["export", "run.json"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("The run was stopped by an error of type Strange; ")
    assert error.count("\n") == 1
    (trace,) = tmp_path.iterdir()
    assert error.endswith(f"; the trace is in {trace}.\n")
    text = trace.read_text()
    assert "something strange" in text
    assert "in failing" in text
    shutil.rmtree(tmp_path)
    assert main(["export", "run.json"]) == 2
    assert "the trace is in" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (LogitSpecError("Mend it."), "Mend it."),
        (MemoryError(), "The memory is full; shorten the prompt, or choose a smaller model."),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "The memory is full; shorten the prompt, or choose a smaller model."),
        (torch.OutOfMemoryError("CUDA"), "The memory is full; shorten the prompt, or choose a smaller model."),
        (OSError(28, "No space left on device"), "The disk is full; free some space and try again."),
        (OSError(122, "Quota", "/srv/me/x"), "The disk is full; free some space and try again."),
        (PermissionError(13, "Permission denied", "/srv/me/x"), "Can't use x (Permission denied)."),
        (FileNotFoundError(2, "No such file", "a.json"), "Can't use a.json (No such file)."),
        (ConnectionResetError(104, "Connection reset"), "Can't use a file or a connection (Connection reset)."),
        (ModuleNotFoundError("No module named 'x'", name="x"), "This needs the package x, which is missing; install it with `pip install x`."),
        (OSError("odd"), "The run was stopped by an error of type OSError; try it again or shorten it."),
        (RuntimeError("/srv/me\nodd"), "The run was stopped by an error of type RuntimeError; try it again or shorten it."),
    ],
)  # fmt: skip
def test_every_error_is_a_sentence(
    error: Exception, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert sentence(error) == message
    assert explain(error).startswith(message.removesuffix("."))
