"""Load models, wherever their files are, as targets with their tokenizers."""

from __future__ import annotations

import atexit
import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import is_protobuf_available, is_sentencepiece_available

from logitspec.errors import LogitSpecError, missing_package
from logitspec.models import dense, files, hub, info, names
from logitspec.models.building import BUILDING, Quiet, skeleton
from logitspec.models.catalogue import installed_file
from logitspec.models.checks import (
    check_tree_equivalence,
    refuse_config,
    refuse_model,
    refuse_quantisation,
)
from logitspec.models.devices import (
    choose_device,
    choose_dtype,
    device_map_options,
    is_out_of_memory,
    refuse_offload,
    refuse_too_large,
    too_large,
)
from logitspec.models.gguf import GgufFile, find_in, read
from logitspec.models.kernels import enable_kernels
from logitspec.models.names import Reference
from logitspec.models.speed import enable_fast_forward, enable_graphs, fastest_dtype
from logitspec.models.weights import read_weights
from logitspec.paths import MODEL
from logitspec.runtime.runner import Runner

BUILTIN = "builtin"
SENTENCEPIECE = ("sentencepiece", "protobuf")
MAX_TIMED_PARAMETERS = 10**9  # a larger model takes long to load twice, and much memory in float32

# Weights on disk load in a moment; a progress bar for that hides what matters.
transformers.utils.logging.disable_progress_bar()

_QUIET = Quiet()

ABSOLUTE = re.compile(r"(?<![\w.:/])(?:/[^\s/'\"]+)*/([^\s/'\"]+)/?")
_TOKENIZER_FILE = re.compile(
    r"(tokenizer(?!_config\.json)|vocab|merges|tekken).*|.*\.(model|tiktoken)"
)


@dataclass(frozen=True)
class Source:
    """Where a model's files are. name: for people. repository: has the weights, unless they are in the folder.
    gguf: the one file that is the whole model."""

    folder: Path
    name: str
    repository: hub.Repository | None = None
    gguf: GgufFile | None = None


@dataclass(frozen=True)
class LocalModel:
    """A model whose files are on this machine and whose configuration can be a target's."""

    source: Source
    config: PreTrainedConfig
    tokenizer: PreTrainedTokenizerBase
    parameters: int
    device: torch.device
    dtype: torch.dtype


def load(
    model: str | Path = BUILTIN,
    device: str = "auto",
    dtype: str = "auto",
    *,
    device_map: str | None = None,
    offload: bool = False,
    graphs: bool = True,
    exact: bool | None = None,
    progress: hub.Progress | None = None,
) -> tuple[Runner, PreTrainedTokenizerBase]:
    """A target and its tokenizer.

    model: "builtin", a folder, a GGUF file, or a hub id. device: "auto" (a CUDA GPU if there is one, else the
    CPU) or a torch device. dtype: "auto" (on a GPU bfloat16, unless float32 costs less than a tenth of a
    step more; on a CPU float32), a dtype's name, or "fastest": on a CPU, whichever of these two takes less time
    for a few forwards; in bfloat16, rounding may decide between tokens that are nearly tied. device_map: "auto"
    spreads the layers over all GPUs (instead of device). offload: layers that don't fit there may go to the
    CPU. graphs: on a CUDA GPU, replay forwards as CUDA graphs where the model allows it; the trace's
    environment says whether it does. exact: on a CUDA GPU, keep the bits of a row's logits independent of what
    else is in the forward, so that drafting changes no output in half precision either; None does so where it
    costs less than a tenth of a step. progress: called during a download of weights with the bytes so far and
    in total. Weights are read only from safetensors or GGUF, and no code from the model's repository is run.
    Raises LogitSpecError when the model can't be found or read, or can't be a target.
    """
    with _QUIET, _explain_errors(model):
        return _load(model, device, dtype, device_map, offload, graphs, exact, progress)


def _load(
    model: str | Path,
    device: str,
    dtype: str,
    device_map: str | None,
    offload: bool,
    graphs: bool,
    exact: bool | None,
    progress: hub.Progress | None,
) -> tuple[Runner, PreTrainedTokenizerBase]:
    local = _resolve(model, device, dtype, device_map, offload, progress)
    source, parameters = local.source, local.parameters
    open_dtype = dtype == ("fastest" if local.device.type == "cpu" else "auto")
    compare_dtypes = (
        open_dtype
        and local.device.type in ("cpu", "cuda")
        and device_map is None
        and parameters < MAX_TIMED_PARAMETERS
    )

    def build(weights_dtype: torch.dtype) -> Runner:
        options: dict[str, Any] = {}
        if compare_dtypes:  # the larger dtype, and then the second model beside the first
            _refuse_too_large(source, parameters, weights_dtype, local.device)
        if device_map is not None:
            options = device_map_options(
                source.name, device_map, offload, parameters, weights_dtype
            )
        weights, reason = _weights(source, local.config, weights_dtype, options)
        refuse_offload(source.name, getattr(weights, "hf_device_map", {}), offload)
        net = weights if options else weights.to(local.device)
        target = prepare(net.eval(), local.tokenizer.eos_token_id, source.name)
        target.info.update(reason)
        if source.gguf is not None:
            target.info["revision"] = source.repository.commit if source.repository else None
            target.info["weights"] = dense.line(source.gguf, weights_dtype)
        probe = check_tree_equivalence(target, source.name, local.tokenizer)
        environment = target.info["environment"]
        environment["forward"] = enable_fast_forward(target, *probe)
        if local.device.type != "cpu":
            environment["graphs"] = enable_graphs(target, *probe, graphs)
            enable_kernels(target, *probe, exact)
        return target

    gc.unfreeze()  # so that a model that is no longer used can be collected
    gc.collect()
    target: Runner | None = None
    try:
        target = fastest_dtype(build) if compare_dtypes else build(local.dtype)
    finally:
        if compare_dtypes or target is None:
            gc.collect()  # the slower target, and a failed attempt, leave objects that hold memory
        gc.freeze()  # a collection that walks all the libraries takes as long as many steps on a GPU
    return target, local.tokenizer


# At exit, libraries count the objects that have not been freed.
atexit.register(gc.unfreeze)


def fetch(
    model: str | Path,
    device: str = "auto",
    dtype: str = "auto",
    *,
    device_map: str | None = None,
    offload: bool = False,
    graphs: bool = True,
    exact: bool | None = None,
    progress: hub.Progress | None = None,
) -> None:
    """Download a model's files, as `load` does before it takes memory; raises LogitSpecError."""
    with _QUIET, _explain_errors(model):
        _resolve(model, device, dtype, device_map, offload, progress)


@contextmanager
def _explain_errors(model: str | Path) -> Iterator[None]:
    """Within this, every library error becomes a sentence about `model`."""
    try:
        yield
    except LogitSpecError:
        raise
    except Exception as error:
        name = display_name(model)
        if is_out_of_memory(error):
            raise too_large(name, "it ran out while the model was being loaded") from None
        raise missing_package(error, name) or LogitSpecError(
            f"{name} could not be loaded: {_first_sentence(error)}"
        ) from error


def prepare(
    model: Any, eos_token_id: int | None = None, name: str = "", kind: type[Runner] = Runner
) -> Runner:
    """A target over a transformers model that is already in memory and in eval mode.

    eos_token_id: the tokenizer's, in addition to those of the model's generation config.
    """
    limit = info.limit(model)
    about = info.describe(model, name or model.config.model_type)
    if context := info.context(model, limit):
        about["context"] = context
    target = kind(
        model,
        windows=info.windows(model.config.get_text_config()),
        eos_ids=info.eos_ids(model.generation_config, eos_token_id),
        limit=limit,
        info=about,
    )
    target.renew = partial(prepare, model, eos_token_id, name, kind)
    return target


def refuse_unfit(model: Any) -> None:
    """Raise LogitSpecError for a transformers model that can't be a target."""
    name = display_name(model.config.name_or_path or model.config.model_type)
    refuse_config(model.config, name)
    refuse_model(model, name)
    check_tree_equivalence(prepare(model, name=name), name)


def display_name(model: str | Path) -> str:
    """The name of a model for people: for a folder or a file, the last part of its path."""
    path = _path(model)
    return str(model) if path is None else path.resolve().name


def _path(model: str | Path) -> Path | None:
    """Where a model is on this machine, by its path as given or otherwise as meant; None where there is nothing."""
    for text in (str(model), names.clean(str(model))):
        try:
            path = Path(text).expanduser()
            if path.exists():
                return path
        except (OSError, RuntimeError):  # too long for a file's name, or in a home that isn't there
            continue
    return None


def _source(
    model: str | Path,
    refuse: Callable[[int], None] = lambda parameters: None,
    progress: hub.Progress | None = None,
) -> Source:
    """The model's folder; for a hub model the one with its small files, still without the weights.

    refuse: raises LogitSpecError for a number of parameters that memory can't hold, before a file with at
    least that many is downloaded.
    """
    if str(model) == BUILTIN:
        return Source(MODEL, BUILTIN)
    folder, in_folder = _path(model), None
    if folder is None:
        before, _, in_folder = names.clean(str(model)).rpartition(":")
        folder = _path(before) if before else None
        folder = folder if folder is not None and folder.is_dir() else None
    if folder is not None and folder.is_file():
        if folder.suffix.lower() == ".gguf":
            return Source(folder.parent, folder.name, gguf=read(folder))
        raise LogitSpecError(
            f"{folder.name} is not a model by itself; choose the folder that it is in, or a"
            " GGUF file."
        )
    if folder is not None:
        # Repositories of GGUF files often have a configuration too.
        is_whole = (folder / "config.json").exists() and in_folder is None
        if is_whole and files.weights_in(folder) is not None:
            return Source(folder, display_name(folder))
        if file := find_in(folder, in_folder):
            return Source(folder, file.name, gguf=read(file))
        if is_whole:
            return Source(folder, display_name(folder))
        raise files.adapter_folder_error(folder, display_name(folder)) or LogitSpecError(
            f"There is no model in the folder {display_name(folder)}: it has no config.json and no GGUF"
            " file; choose the folder that save_pretrained has written."
        )
    if names.is_path(path := names.clean(str(model))):
        raise LogitSpecError(f"There is no model {path!r} on this machine; check its path.")
    reference = names.parse(str(model))
    if (file := installed_file(reference.repository)) and reference == Reference(
        reference.repository
    ):
        name = f"{reference.repository}:{names.quantisation(file.name) or file.name}"
        return Source(file.parent, name, gguf=read(file))
    return _hub_source(reference, refuse, progress)


def _hub_source(
    reference: Reference, refuse: Callable[[int], None], progress: hub.Progress | None
) -> Source:
    name = reference.repository
    repository = hub.find(name, reference.revision)
    files = hub.gguf_files(repository)
    names_gguf = reference.file or reference.quantisation
    if not names_gguf and (
        not files or ("config.json" in repository.sizes and hub.has_weights(repository))
    ):
        return Source(hub.small_files(repository), name, repository)
    file = reference.file or names.choose(files, reference.quantisation, name)
    if file not in files:
        raise LogitSpecError(
            f"{name} has no file {file}; choose one of {', '.join(names.models(files)) or 'another model'}."
        )
    refuse(int(8 * repository.sizes.get(file, 0) / names.max_bits(names.quantisation(file))))
    path = hub.gguf(repository, file, progress)
    return Source(
        path.parent, f"{name}:{names.quantisation(file) or path.name}", repository, read(path)
    )


def _resolve(
    model: str | Path,
    device: str,
    dtype: str,
    device_map: str | None,
    offload: bool,
    progress: hub.Progress | None,
) -> LocalModel:
    """Refuse whatever can be refused cheaply, then download the weights."""
    torch_device = choose_device(device)
    torch_dtype = choose_dtype(dtype, torch_device)
    if offload and device_map is None:
        raise LogitSpecError("Offloading needs a device map; add device_map='auto' (--device-map).")

    def refuse_early(parameters: int) -> None:
        if device_map is None:
            refuse_too_large(display_name(model), parameters, torch_dtype, torch_device)

    source = _source(model, refuse_early, progress)
    if source.gguf is None:
        files.refuse_broken(source.folder, source.name)
    config = _config(source)
    refuse_config(config, source.name)
    refuse_quantisation(config, source.name)
    tokenizer = _tokenizer(source)
    parameters = _parameters(config)
    if device_map is None:
        _refuse_too_large(source, parameters, torch_dtype, torch_device)
    if source.repository is not None and source.gguf is None:
        hub.weights(source.repository, source.folder, progress)
    if source.gguf is None:
        files.refuse_broken_weights(source.folder, source.name)
    return LocalModel(source, config, tokenizer, parameters, torch_device, torch_dtype)


def _refuse_too_large(
    source: Source, parameters: int, dtype: torch.dtype, device: torch.device
) -> None:
    more = 0 if source.gguf is None else dense.transient_bytes(source.gguf)
    refuse_too_large(source.name, parameters, dtype, device, more)


def _config(source: Source) -> PreTrainedConfig:
    if source.gguf is not None:
        return dense.configuration(source.gguf, source.name)
    try:
        # False, not the default, which asks in the terminal whether the repository's code may run.
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            source.folder, trust_remote_code=False
        )
    except Exception as error:  # of whatever kind the library's are
        if "trust_remote_code" in str(error):
            raise LogitSpecError(
                f"{source.name} needs code from its own repository, which is never run; choose a model"
                " whose code is part of transformers."
            ) from error
        raise LogitSpecError(
            f"{source.name} has a configuration that transformers {transformers.__version__} can't read;"
            " choose another model."
        ) from error
    continues = type(config) in MODEL_FOR_CAUSAL_LM_MAPPING
    # BERT and its kin have a causal class too, but their weights look ahead.
    fills_gaps = type(config) in MODEL_FOR_MASKED_LM_MAPPING and not config.is_decoder
    if not config.is_encoder_decoder and (fills_gaps or not continues):
        raise LogitSpecError(
            f"{source.name} ({config.model_type}) does not continue text; choose a causal language model."
        )
    if source.repository is not None:
        config._commit_hash = source.repository.commit
    return config


def _tokenizer(source: Source) -> PreTrainedTokenizerBase:
    try:
        if source.gguf is not None:
            return dense.tokenizer(source.gguf)
        # Without its files, some releases of transformers invent a tokenizer of special tokens.
        if not any(_TOKENIZER_FILE.fullmatch(file.name) for file in source.folder.iterdir()):
            raise OSError("no file of a tokenizer")
        tokenizer = AutoTokenizer.from_pretrained(source.folder, trust_remote_code=False)
    except Exception as error:  # of whatever kind the library's are
        raise (
            files.broken_file_error(source.folder, source.name)
            or _lacks_sentencepiece(source)
            or missing_package(error, f"The tokenizer of {source.name}")
            or LogitSpecError(
                f"{source.name} has no tokenizer that loads; choose a model that comes with one."
            )
        ) from error
    return tokenizer


def _lacks_sentencepiece(source: Source) -> LogitSpecError | None:
    """The sentence for missing SentencePiece packages, without which a tokenizer.model is taken for tiktoken's."""
    there = is_sentencepiece_available() and is_protobuf_available()
    if there or not any(file.read_bytes()[:1] == b"\n" for file in source.folder.glob("*.model")):
        return None
    return LogitSpecError(
        f"The tokenizer of {source.name} is a SentencePiece model, which needs the packages"
        f" {' and '.join(SENTENCEPIECE)}; install them with `pip install {' '.join(SENTENCEPIECE)}`."
    )


def _weights(
    source: Source, config: PreTrainedConfig, dtype: torch.dtype, device_map: dict[str, Any]
) -> tuple[PreTrainedModel, dict[str, str]]:
    """The model, and the reason if it runs eager attention instead of SDPA."""
    attention, reason = "sdpa", {}
    if getattr(config.get_text_config(), "attn_logit_softcapping", None):
        attention, reason = "eager", {"attention_reason": "the attention scores are soft-capped"}
    try:
        model = _read_weights(source, config, dtype, attention, device_map)
    except LogitSpecError:
        raise
    except ValueError as error:
        reason = {"attention_reason": _first_sentence(error)}
        model = _read_weights(source, config, dtype, "eager", device_map)
    refuse_model(model, source.name)
    return model, reason


def _read_weights(
    source: Source,
    config: PreTrainedConfig,
    dtype: torch.dtype,
    attention: str,
    device_map: dict[str, Any],
) -> PreTrainedModel:
    options = {"attn_implementation": attention, **device_map}
    with BUILDING:
        if source.gguf is not None:
            return dense.model(source.gguf, config, dtype, **options)
        return read_weights(source.folder, source.name, config, dtype, **options)


def _parameters(config: PreTrainedConfig) -> int:
    """Number of parameters, without the weights; 0 where that alone fails."""
    try:
        return int(skeleton(config).num_parameters())
    except Exception:  # loading the model will say why
        return 0


def _first_sentence(error: BaseException) -> str:
    """The first line of a library's message, with paths cut to their last part, since the rest is private."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    line = ABSOLUTE.sub(r"\1", line)
    return line if line.endswith(".") else f"{line}."
