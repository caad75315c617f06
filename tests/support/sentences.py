"""Every error sentence that a visitor of the page may meet, provoked as a visitor would provoke it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import torch
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from jinja2 import TemplateError, TemplateSyntaxError
from transformers import LlamaConfig

from logitspec.decoding.engine import begin
from logitspec.drafters import make
from logitspec.errors import sentence
from logitspec.measure.evidence.gather import gather
from logitspec.models import (
    chat,
    checks,
    dense,
    devices,
    files,
    gguf,
    hub,
    loader,
    names,
    resolve,
    sources,
    tokens,
    weights,
)
from logitspec.models.gguf import GgufFile, Tensor
from logitspec.models.hub import Repository, refusal
from logitspec.runtime import ranks
from logitspec.serving import follow, follow_routes, gate, waiting, zerogpu
from logitspec.serving.budget import Budget
from logitspec.serving.limits import Limits
from logitspec.serving.models import LoadedModels
from logitspec.serving.request import Request, rivals
from logitspec.serving.thread import HungError
from logitspec.serving.turn import Turn
from logitspec.serving.worker import Worker
from logitspec.trace.sampling import Sampling
from support.awaited import awaited

Provoke = Callable[[Path], Any]
NAME = "user/<b>model</b>"
TEXT = "The prompt"


def answer(status: int) -> Any:
    return mock.Mock(status_code=status, headers={})


def of_hub(error: Exception, downloading: bool = False) -> Provoke:
    return lambda folder: refusal(error, NAME, downloading)


def of_models(**given: Any) -> LoadedModels:
    return LoadedModels(
        Turn(), "builtin", "cpu", "float32", **{"others": True, "folders": False, **given}
    )


def option(method: str, **options: Any) -> Provoke:
    return lambda folder: make(method, options)


def system(number: int, text: str, name: str | None = "/cache/models.bin") -> Provoke:
    return lambda folder: sentence(OSError(number, text, name))


def config(**given: Any) -> Any:
    about = {"is_encoder_decoder": False, "layer_types": None, "attention_layers": (), **given}
    text = SimpleNamespace(**about)
    text.get_text_config = lambda: text
    return text


def header(folder: Path, *tensors: Tensor, **metadata: Any) -> GgufFile:
    file = folder / "model.gguf"
    file.write_bytes(b"GGUF" * 300_000)
    about = {"general.architecture": "llama"}
    return GgufFile(
        file,
        {**about, **{key.replace("__", "."): value for key, value in metadata.items()}},
        {each.name: each for each in tensors},
    )


def refuse_gguf(*tensors: Tensor, **metadata: Any) -> Provoke:
    return lambda folder: dense.refuse(header(folder, *tensors, **metadata), NAME)


def read_gguf(content: bytes) -> Provoke:
    def provoke(folder: Path) -> Any:
        (folder / "my model.gguf").write_bytes(content)
        return gguf.read(folder / "my model.gguf")

    return provoke


def small_file(content: bytes | None, name: str = "config.json") -> Provoke:
    def provoke(folder: Path) -> Any:
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)
        return files.refuse_broken(folder, NAME)

    return provoke


def large_file(content: bytes, name: str = "model.safetensors") -> Provoke:
    def provoke(folder: Path) -> Any:
        (folder / name).write_bytes(content)
        return files.refuse_broken_weights(folder, NAME)

    return provoke


def safetensors(text: str, rest: int = 0) -> bytes:
    return len(text).to_bytes(8, "little") + text.encode() + bytes(rest)


def source(folder: Path) -> sources.Source:
    return sources.Source(folder, NAME)


def configured(fault: str | None = None, **values: Any) -> Provoke:
    def provoke(folder: Path) -> Any:
        made = (
            mock.Mock(side_effect=ValueError(fault)) if fault else lambda *_, **__: values["config"]
        )
        with mock.patch("logitspec.models.resolve.AutoConfig.from_pretrained", made):
            return resolve._config(source(folder))

    return provoke


def misfit(missing: Any = (), unexpected: Any = (), mismatched: Any = ()) -> Provoke:
    report = {"missing_keys": missing, "unexpected_keys": unexpected, "mismatched_keys": mismatched}
    model = SimpleNamespace(
        state_dict=lambda: dict.fromkeys(range(1200)),
        named_modules=lambda: {"model": 0, "model.layers": 0}.items(),
        base_model_prefix="model",
    )
    return lambda folder: weights.refuse_misfit(model, report, NAME)


def tokenizer(template: Any = "x", apply: Any = "") -> Any:
    def applied(*_: Any, **__: Any) -> Any:
        if isinstance(apply, Exception):
            raise apply
        return apply

    def call(text: str, **_: Any) -> dict[str, list[int]]:
        return {"input_ids": [] if text == "\u2603" else [1]}

    call.chat_template, call.apply_chat_template = template, applied  # type: ignore[attr-defined]
    return call


def encode(text: str = "hi", **given: Any) -> Provoke:
    return lambda folder: chat.encode_prompt(tokenizer(**given), text)


def broken_template(folder: Path) -> Any:
    return encode(apply=TemplateSyntaxError("unexpected '}'", 1200))(folder)


def target(limit: int = 3) -> Any:
    return SimpleNamespace(limit=limit, info={}, costs=None)


def unable(fault: Exception | float) -> Provoke:
    """A model that fails at the probe, or is that far from what it should compute."""

    def provoke(folder: Path) -> Any:
        def probe_of(*_: Any) -> Any:
            if isinstance(fault, Exception):
                raise fault
            return SimpleNamespace(errors=lambda target: None, excess=lambda errors: fault)

        with mock.patch.object(checks, "probe_of", probe_of):
            model: Any = SimpleNamespace(model=SimpleNamespace(dtype=None))
            return checks.check_tree_equivalence(model, NAME)

    return provoke


def unloaded(error: Exception) -> Provoke:
    def provoke(folder: Path) -> None:
        with loader._explain_errors(NAME):
            raise error

    return provoke


def tokenless(error: Exception) -> Provoke:
    def provoke(folder: Path) -> Any:
        (folder / "tokenizer.json").write_bytes(b"{}")
        with mock.patch(
            "logitspec.models.resolve.AutoTokenizer.from_pretrained", side_effect=error
        ):
            return resolve._tokenizer(source(folder))

    return provoke


def sentencepiece(folder: Path) -> Any:
    (folder / "tokenizer.model").write_bytes(b"\n")
    with mock.patch.object(resolve, "is_sentencepiece_available", return_value=False):
        return resolve._lacks_sentencepiece(source(folder))


def weak_etag(folder: Path) -> Any:
    about = SimpleNamespace(etag='W/"a b"', size=1)
    with mock.patch.object(hub, "get_hf_file_metadata", return_value=about):
        return hub._fetch(Repository("user/model", "main", {"x": 1}), "x", folder, None)


def damaged(folder: Path) -> Any:
    (folder / "part").write_bytes(b"other")
    return hub._verify(folder / "part", "0" * 64, NAME)


def full_disk(folder: Path) -> Any:
    with mock.patch("shutil.disk_usage", return_value=SimpleNamespace(free=3.2e9)):
        return hub._check_disk(folder, NAME, 1_520_000_000_000)


def quantised(method: str | None) -> Provoke:
    return lambda folder: checks.refuse_quantisation(
        LlamaConfig(quantization_config={"quant_method": method}), NAME
    )


def waiting_already(folder: Path) -> Any:
    turn = Turn(Limits(waiting=2))
    return [turn.ask() for _ in range(4)]


def too_many_waiting(folder: Path) -> Any:
    with mock.patch("logitspec.serving.turn.MAX_WAITING", 0):
        return Turn().ask()


def stopped(folder: Path) -> Any:
    stop, turn = Event(), Turn()
    stop.set()
    turn.ask()
    return turn.ask().wait(stop)


async def nobody_listens() -> None:
    turn = Turn()
    turn.ask()
    async for _ in waiting.outlooks(turn.ask(), Event(), lambda: True):
        pass


def out_of_time(folder: Path) -> Any:
    values = (number for number in range(2))
    clock: Iterator[float] = iter(range(0, 99_999, 5000))
    with closing(Budget(1200, lambda: next(clock)).spend(values)) as steps:
        return list(steps)


def no_steps(*_: Any) -> Generator[None, None, None]:
    yield


def hung(folder: Path) -> Any:
    worker = Worker(of_models())

    def hang(*_: Any) -> Any:
        raise HungError

    with mock.patch.object(worker, "_thread", SimpleNamespace(steps=hang)):
        return list(worker.run(NAME, 1, lambda: 1, no_steps))


def late(folder: Path) -> Any:
    models, done = of_models(), Event()
    models.load_seconds = 0.0
    try:
        return models._in_time(NAME, done.wait)  # type: ignore[arg-type]
    finally:
        done.set()


def of_evidence(folder: Path) -> Any:
    prompts = [SimpleNamespace(text="hi", question_id=1200)]
    encoded = mock.patch.object(chat, "encode_prompt", return_value=[1, 2, 3])
    with encoded:
        return list(gather(target(), None, prompts, 9))  # type: ignore[arg-type]


def lecture(act: Callable[[follow.Lectures, str, str], Any], **limits: int) -> Provoke:
    """An act in a lecture, under other limits."""

    async def acted() -> Any:
        lectures = follow.Lectures()
        code, secret = lectures.open()
        with mock.patch.dict(vars(follow), limits):
            done = act(lectures, code, secret)
            return await done if hasattr(done, "__await__") else done

    return lambda folder: awaited(acted())


def question(number: int = 0) -> dict[str, Any]:
    asked = {"key": f"q{number}", "choices": 2, "revealed": False}
    return {"view": "watch", "cue": 1, "at": {}, "question": asked}


def ask_twice(lectures: follow.Lectures, code: str, secret: str) -> None:
    for number in range(2):
        lectures.lead(code, secret, question(number))


async def _comes(lectures: follow.Lectures, code: str, ticket: str = "") -> Any:
    events = lectures.follow(code, ticket)
    return events, (await anext(events)).decode().split('"')[3]


async def two_windows(lectures: follow.Lectures, code: str, secret: str) -> None:
    _, ticket = await _comes(lectures, code)
    await _comes(lectures, code, ticket)


async def votes_often(lectures: follow.Lectures, code: str, secret: str) -> None:
    _, ticket = await _comes(lectures, code)
    lectures.lead(code, secret, question())
    for choice in (0, 1, 0):
        lectures.vote(code, ticket, "q0", choice)


def open_two(lectures: follow.Lectures, code: str, secret: str) -> None:
    lectures.open()


class Tensors:
    """Entries for tensors, as GGUF files have them."""

    short = Tensor("a", (2, 2), 0, 5_000_000)
    strange = Tensor("a", (2, 2), 999, 0)


def rotary(kind: str) -> Provoke:
    return lambda folder: dense._rotary(header(folder, **{"llama.rope.scaling.type": kind}), NAME)


def other_rotary(folder: Path) -> Any:
    file = header(folder, Tensor("rope_freqs.weight", (1,), 0, 0))
    with mock.patch.object(dense, "_values", return_value=[1.0, 2.0]):
        return dense._llama3(file, NAME, 4)


def in_hub(act: Callable[[Repository, Path], Any], **sizes: int) -> Provoke:
    return lambda folder: act(
        Repository(NAME, "main", {name.replace("__", "."): size for name, size in sizes.items()}),
        folder,
    )


def many_requests(folder: Path) -> None:
    rate = follow_routes.Rate(lambda: 0)
    for _ in range(follow_routes.MAX_ASKED + 1):
        rate.count("")


def other_file(folder: Path, there: Sequence[str] = ("a.gguf", "b.gguf")) -> Any:
    repository = Repository(NAME, "main", dict.fromkeys(there, 1))
    with mock.patch.object(hub, "find", return_value=repository):
        reference = names.Reference(NAME, None, "c.gguf")
        return sources._hub_source(reference, lambda parameters: None, None)


def no_files(folder: Path) -> Any:
    return other_file(folder, ["mmproj.gguf"])


def unreadable(folder: Path) -> Any:
    (folder / "config.json").write_bytes(b"{}")
    with mock.patch.object(Path, "open", side_effect=PermissionError(13, "Permission denied")):
        return files.refuse_broken(folder, NAME)


def lacking(read: Callable[[Path, str], Any]) -> Provoke:
    def provoke(folder: Path) -> Any:
        index = '{"weight_map": {"a": "model-1.safetensors"}}'
        (folder / "model.safetensors.index.json").write_text(index, encoding="utf-8")
        return read(folder, NAME)

    return provoke


def lost_on_the_hub(folder: Path, name: str) -> Any:
    sizes = {"model.safetensors.index.json": 1}
    return hub.weights(Repository(name, "c0ffee", sizes), folder)


def without_gguf(folder: Path) -> Any:
    with mock.patch.object(dense, "find_spec", return_value=None):
        return dense.refuse(header(folder), NAME)


def space(title: str, message: str) -> Provoke:
    error = SimpleNamespace(title=title, message=message)
    return lambda folder: zerogpu._space_sentence(error, 1200)  # type: ignore[arg-type]


def no_package(subject: str) -> Provoke:
    error = ImportError("pip install tiktoken")
    if subject:
        return tokenless(error)
    return unloaded(error)


def asks(**given: Any) -> Provoke:
    return lambda folder: Request(**{"prompt": TEXT, **given}).check()


HTTP = {status: HfHubHTTPError("x", response=answer(status)) for status in (403, 503)}
GATED = GatedRepoError("x", response=answer(403))
UNKNOWN = RepositoryNotFoundError("x", response=answer(404))

CASES: list[tuple[str, Provoke]] = [
    ("empty-prompt", encode(" ")),
    ("empty-prompt", lambda folder: begin(target(), [])),
    ("no-token", encode("\u2603")),
    ("prompt-characters", asks(prompt="x" * 200_001)),
    ("prompt-tokens", lambda folder: begin(target(1200), [1] * 1300)),
    ("name-length", asks(model="x" * 401)),
    ("new-tokens", asks(max_new_tokens=5000)),
    ("new-tokens nothing", asks(max_new_tokens=None)),
    ("lanes", lambda folder: rivals(["logitspec"])),
    ("temperature", lambda folder: Sampling(temperature=None)),  # type: ignore[arg-type]
    ("temperature-range", lambda folder: Sampling(temperature=10.5)),
    ("seed", lambda folder: Sampling(seed=1.5)),  # type: ignore[arg-type]
    ("seed-range", lambda folder: Sampling(seed=2**63)),
    ("option", option("logitspec", copies="yes")),
    ("option-range", option("goose", min_score=1.5)),
    ("option-units unit-nodes", option("logitspec", draft_tree_capacity=1200)),
    ("option-units unit-tokens", option("goose", max_chain=1200)),
    ("option-one-of", option("logitspec", tree_size="x")),
    ("option-some-of", option("goose", ngram_lengths=[])),
    ("waiting-already", waiting_already),
    ("too-many-waiting", too_many_waiting),
    ("stopped", stopped),
    ("unheard", lambda folder: awaited(nobody_listens())),
    ("out-of-time", out_of_time),
    ("hung", hung),
    ("stopped-by-error", lambda folder: sentence(ZeroDivisionError())),
    ("memory-full", lambda folder: sentence(MemoryError())),
    ("disk-full", system(errno.ENOSPC, "No space left on device")),
    ("cannot-use why-permission", system(errno.EACCES, "Permission denied")),
    ("cannot-use why-long-name", system(errno.ENAMETOOLONG, "File name too long")),
    ("cannot-use why-no-file", system(errno.ENOENT, "No such file or directory")),
    ("cannot-use why-io file-or-connection", system(errno.EIO, "Input/output error", None)),
    ("cannot-use why-many-files file-or-connection", system(errno.EMFILE, "Too many open files", None)),
    ("of-prompt", of_evidence),
    ("package", lambda folder: sentence(ModuleNotFoundError("x", name="tiktoken"))),
    ("package-model", no_package("")),
    ("package-tokenizer", no_package("tokenizer")),
    ("infinite-logits", lambda folder: ranks._round(np.array([np.nan]))),
    ("requests", many_requests),
    ("session", lambda folder: gate.NO_SESSION),
    ("too-much", lambda folder: gate._too_much(gate.MAX_BODY)),
    ("gpu-seconds", space("ZeroGPU quota exceeded", "(1200s requested vs. 30s left). Try again in 0:23:11")),
    ("gpu-used-up", space("ZeroGPU quota exceeded", "")),
    ("gpu-taken-back", space("", "GPU task aborted")),
    ("no-gpu", space("", "No GPU")),
    ("not-offered", lambda folder: of_models(others=False).load(NAME)),
    ("not-of-hub", lambda folder: of_models()._source("/etc/passwd")),
    ("load-time", late),
    ("hub-none", of_hub(UNKNOWN)),
    ("hub-unreachable", of_hub(ConnectionError())),
    ("hub-fetch", of_hub(KeyError())),
    ("hub-status", of_hub(HTTP[503])),
    ("hub-revision", of_hub(RevisionNotFoundError("x", response=answer(404)))),
    ("hub-forbids", of_hub(HTTP[403])),
    ("hub-gated", of_hub(GATED)),
    ("hub-answer", weak_etag),
    ("hub-damaged", damaged),
    ("hub-interrupted", of_hub(ConnectionError(), downloading=True)),
    ("hub-disk-full", of_hub(OSError(errno.ENOSPC, "x"))),
    ("hub-disk", full_disk),
    ("hub-cache", of_hub(PermissionError())),
    ("no-config", in_hub(lambda repository, folder: hub.small_files(repository), x=1)),
    ("other-safetensors", in_hub(hub.weights, tiny__safetensors=1)),
    ("not-loaded-safetensors", lambda folder: weights.read_weights(folder, NAME, None, None)),  # type: ignore[arg-type]
    ("not-loaded", unloaded(ValueError("bad magic in its header"))),
    ("memory-of-model memory-needed", lambda folder: devices.refuse_too_large(NAME, 10**15, torch.float32, devices.choose_device("cpu"))),
    ("memory-of-model memory-ran-out", unloaded(MemoryError())),
    ("encoder-decoder", lambda folder: checks.refuse_config(config(is_encoder_decoder=True), NAME)),
    ("layers", lambda folder: checks.refuse_config(config(layer_types=["mamba"]), NAME)),
    ("quantised", quantised("new")),
    ("quantised-unnamed", quantised(None)),
    ("no-positions", lambda folder: checks.refuse_model(SimpleNamespace(forward=lambda: 0), NAME)),
    ("recurrent", lambda folder: checks.refuse_model(SimpleNamespace(forward=lambda position_ids: 0, _is_stateful=True), NAME)),
    ("no-tree", unable(ZeroDivisionError())),
    ("other-logits", unable(3.7)),
    ("no-causal", configured(config=SimpleNamespace(is_encoder_decoder=False, model_type="bert"))),
    ("needs-code", configured("set trust_remote_code=True")),
    ("config-unreadable", configured("no")),
    ("adapter", lambda folder: files.adapter_error(NAME)),
    ("adapter-of", lambda folder: files.adapter_error(NAME, "user/base")),
    ("path-none", lambda folder: sources.find_source("/no such folder/net")),
    ("no-model-folder", lambda folder: sources.find_source(folder)),
    ("file-no-model", lambda folder: [(folder / "a b.txt").write_text("x"), sources.find_source(folder / "a b.txt")]),
    ("no-file", other_file),
    ("no-file other-model", no_files),
    ("no-quantisation", lambda folder: names.choose(["m-Q4_0.gguf", "m-Q8_0.gguf"], "Q5_0", NAME)),
    ("no-gguf", lambda folder: names.choose([], None, NAME)),
    ("split-gguf", lambda folder: names.choose(["m-00001-of-00002.gguf"], None, NAME)),
    ("only-projector", lambda folder: names.choose(["mmproj.gguf"], None, NAME)),
    ("model-file fault-folder", small_file(None)),
    ("model-file fault-unreadable", unreadable),
    ("model-file fault-empty", small_file(b"")),
    ("model-file fault-pointer", small_file(files.LFS_POINTER + b" v1")),
    ("model-file fault-json-line", small_file(b"{\n" * 1200)),
    ("model-file fault-json", small_file(b"\xff{")),
    ("model-file fault-order-mark", small_file(b"\xef\xbb\xbf{}")),
    ("model-file fault-object", small_file(b"[]")),
    ("model-file fault-index", small_file(b"{}", "model.safetensors.index.json")),
    ("model-file fault-broken", large_file(safetensors("{x}"))),
    ("model-file fault-safetensors", large_file(b"x" * 20)),
    ("model-file fault-no-weights", large_file(safetensors("{}"))),
    ("model-file fault-cut-off", large_file(safetensors('{"a": {"data_offsets": [0, 1234500000]}}'))),
    ("lacks-file", lacking(files.refuse_broken_weights)),
    ("hub-lacks-file", lacking(lost_on_the_hub)),
    ("misshapen", misfit(mismatched=[("model.a", (2, 3), (4, 5))])),
    ("lacks-weights remedy-prefix", misfit(missing=["model.a", "model.b"], unexpected=["x.model.a"])),
    ("lacks-weights remedy", misfit(missing=["model.a", "model.b"])),
    ("more-weights", misfit(unexpected=["model.layers.a", "model.layers.b"])),
    ("gguf-package", without_gguf),
    ("gguf-projector", refuse_gguf(general__type="mmproj")),
    ("gguf-type", refuse_gguf(general__type="adapter")),
    ("gguf-parts", refuse_gguf(split__count=1200)),
    ("gguf-architecture", refuse_gguf(general__architecture="new")),
    ("gguf-cut-off", refuse_gguf(Tensors.short)),
    ("gguf-tensor", refuse_gguf(Tensors.strange)),
    ("gguf-rotary", rotary("new")),
    ("gguf-rotary-unknown", other_rotary),
    ("gguf-unreadable", lambda folder: gguf.read(folder / "my model.gguf")),
    ("gguf-pointer", read_gguf(files.LFS_POINTER)),
    ("gguf-none", read_gguf(b"PK")),
    ("gguf-version", read_gguf(b"GGUF" + (1200).to_bytes(4, "little"))),
    ("gguf-broken", read_gguf(b"GGUF\x03\0\0\0")),
    ("sentencepiece sentencepiece-packages", sentencepiece),
    ("no-tokenizer", tokenless(ValueError())),
    ("slow-tokenizer", lambda folder: tokens.Speller(object())),  # type: ignore[arg-type]
    ("unknown-tokens", lambda folder: tokens._stages(SimpleNamespace(__getstate__=lambda: b'{"type": "New"}'))),
    ("templates", encode(template={"rag": "x", "tool_use": "y"})),
    ("template-leaves-out", encode(apply="nothing")),
    ("template-line", broken_template),
    ("template-refuses", encode(apply=TemplateError("Roles must alternate, always!"))),
    ("template-cannot", encode(apply=KeyError("x"))),
    ("lecture-over", lecture(lambda lectures, code, secret: lectures.votes("AAAAAA", secret))),
    ("lecture-not-leading", lecture(lambda lectures, code, secret: lectures.votes(code, ""))),
    ("lecture-place", lecture(lambda lectures, code, secret: lectures.lead(code, secret, 1))),
    ("lecture-vote", lecture(lambda lectures, code, secret: lectures.vote(code, "", "", 0))),
    ("lecture-full", lecture(lambda lectures, code, secret: _comes(lectures, code), MAX_FOLLOWERS=0)),
    ("lecture-no-room", lecture(open_two, MAX_LECTURES=1)),
    ("lecture-questions", lecture(ask_twice, MAX_QUESTIONS=1)),
    ("lecture-changes", lecture(votes_often, MAX_CHANGES=1)),
    ("lecture-windows", lecture(two_windows, MAX_STREAMS=1)),
    ("lecture-request", lambda folder: follow_routes.NO_REQUEST),
]  # fmt: skip
