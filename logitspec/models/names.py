"""What people paste to name a model on the hub, and which of its GGUF files they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from logitspec.errors import LogitSpecError

DEFAULT = "Q4_K_M"
COMMAND = re.compile(
    r"^(?:\$\s*)?(?:ollama\s+(?:run|pull)|docker\s+model\s+(?:run|pull)|lms\s+get|vllm\s+serve|llama-\w+\s+-hf"
    r"|(?:hf|huggingface-cli)\s+download|git\s+(?:lfs\s+)?clone)\s+"
)
CALL = re.compile(
    r"^.*(?:from_pretrained\(\s*|\b(?:model|model_name|model_id|repo_id)\s*=\s*)[\"']([^\"']+)[\"'](.*)$",
    re.S,
)
FILE = re.compile(r"(?:^|[\s\"'])([^\s\"']+\.gguf)(?=$|[\s\"'])", re.I)
HUB = re.compile(r"^(?:(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/|hf://)", re.I)
QUOTES = "\"'`“”‘’«»„"
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
PART = re.compile(r"-\d{5}-of-(?!00001)\d{5}\.gguf$", re.I)  # one part of one is whole
QUANTISATION = re.compile(
    r"(?:^|[-._])((?:UD-)?(?:I?Q\d+(?:_\w+)*|TQ\d_\d|BF16|FP?16|FP?32|MXFP4\w*))(?=[-.]|$)", re.I
)
FLOAT_BITS = {"BF16": 16, "F16": 16, "FP16": 16, "F32": 32, "FP32": 32}  # bits per weight


@dataclass(frozen=True)
class Reference:
    """A repository on the hub and, where the text names them, its revision and the file that is wanted: the
    GGUF file of a quantisation, or one by its name."""

    repository: str
    quantisation: str | None = None
    file: str | None = None
    revision: str | None = None


def parse(text: str) -> Reference:
    """What `text` refers to: a hub id, an address, `user/repo:Q4_K_M`, `user/repo/file.gguf`, the name that
    Ollama or LM Studio shows, a line of code or a shell command that names one."""
    text, file = _without_code(clean(text))
    text = re.split(r"[?#]", HUB.sub("", text))[0].strip("/").removesuffix(".git")
    text = unquote(re.sub(r"\s*([/:@])\s*", r"\1", text))
    owner, _, rest = text.partition("/")
    repository, _, inside = rest.partition("/")
    if not inside:
        repository, _, quantisation = repository.replace("@", ":").partition(":")
        preference = None if quantisation.lower() in ("", "latest") else quantisation
        return Reference(f"{owner}/{repository}" if rest else text, preference, file)
    revision = None
    if match := re.fullmatch(r"(?:blob|resolve|raw|tree)/(refs/pr/\d+|[^/]+)(?:/(.*))?", inside):
        revision, inside = (None if match[1] == "main" else match[1]), match[2] or ""
        if not inside.lower().endswith(".gguf"):  # another file of the model, or a folder
            inside = ""
    if inside and not inside.lower().endswith(".gguf"):
        return Reference(text)
    return Reference(f"{owner}/{repository}", None, inside or None, revision)


def clean(text: str) -> str:
    """`text` without what copying adds to it: surrounding spaces, quotes and angle brackets, and invisible characters."""
    text = INVISIBLE.sub("", text).strip().strip(QUOTES).strip()
    return re.sub(r"^<([^<>]*)>$", r"\1", text)  # as addresses stand in mails


def is_path(text: str) -> bool:
    """Whether `text` has the form of a path, which no name on the hub has."""
    return bool(re.match(r"[/~]|\.{1,2}[/\\]|[A-Za-z]:[/\\]", text))


def _without_code(text: str) -> tuple[str, str | None]:
    """The model in `text`, which may be a shell command or lines of code around it, and the GGUF file that these
    name beside it."""
    if match := CALL.match(text):
        model, rest = match.groups()
    elif match := COMMAND.match(text):
        model, _, rest = text[match.end() :].partition(" ")
    else:
        return text, None
    file = FILE.search(rest)
    return model.strip(QUOTES), file and file[1]


def quantisation(file: str) -> str:
    """The quantisation that a file's name ends in, in capitals; empty where it names none."""
    names = QUANTISATION.findall(PurePosixPath(file).name)
    return names[-1].upper() if names else ""


def max_bits(quantisation: str) -> float:
    """The most bits per weight: some tensors of a file are quantised less than its name says."""
    number = re.search(r"\d+", quantisation)
    return FLOAT_BITS.get(quantisation, int(number[0]) + 2 if number else 32)


def models(files: Iterable[str]) -> list[str]:
    """The GGUF files that may be a whole model, judged by their names."""
    return sorted(
        file
        for file in files
        if file.lower().endswith(".gguf")
        and not PART.search(file)
        and not re.search(r"mmproj|imatrix", PurePosixPath(file).name, re.I)
    )


def choose(files: Iterable[str], preference: str | None, name: str) -> str:
    """The file of the quantisation `preference`; for None, of the one nearest to DEFAULT.

    Raises LogitSpecError where there is none, and lists those that are there.
    """
    files = list(files)
    whole = models(files)
    if not whole:
        raise LogitSpecError(_why_none(files, name))
    if preference is None:
        return min(whole, key=lambda file: (_distance(quantisation(file)), file))
    same = [file for file in whole if _normal_form(quantisation(file)) == _normal_form(preference)]
    if same:
        return same[0]
    there = sorted({quantisation(file) or PurePosixPath(file).name for file in whole})
    raise LogitSpecError(f"{name} has no {preference}; choose one of {', '.join(there)}.")


def _why_none(files: list[str], name: str) -> str:
    if any(PART.search(file) for file in files):
        return (
            f"{name} is split into several GGUF files, which can't be read; choose a quantisation"
            " in one file, or merge them with `llama-gguf-split --merge`."
        )
    if any("mmproj" in file.lower() for file in files):
        return f"{name} has only a vision projector (mmproj); choose the model that it belongs to."
    return f"{name} has no GGUF file; choose a model that has one."


def _normal_form(quantisation: str) -> str:
    return quantisation.upper().replace("-", "_").removeprefix("UD_").replace("FP", "F")


def _distance(quantisation: str) -> tuple[float, int]:
    """How far from DEFAULT: first by bits, then by kind."""
    if quantisation == DEFAULT:
        return 0.0, 0
    number = re.search(r"\d+", quantisation)
    bits = FLOAT_BITS.get(quantisation, int(number[0]) if number else 8)
    kinds = [DEFAULT[2:], "_K", "_0", "_1"]
    return abs(bits - 4.1), next((n for n, kind in enumerate(kinds) if kind in quantisation), 9)
