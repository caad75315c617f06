"""The command `train`: `python -m logitspec train --hours 1.5 --out DIR`.

corpus, prose -> Packer -> train() -> Checkpoint -> save(): safetensors, tokenizer, card
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from tqdm import tqdm
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from logitspec import commandline, files
from logitspec.builtin.card import EVALUATION, TRAINING, write_card
from logitspec.builtin.corpus import TASKS
from logitspec.builtin.data import Packer, encode_prose, read_prose, special_ids
from logitspec.builtin.probe import probe
from logitspec.builtin.recipe import (
    Settings,
    choose_attention,
    choose_loss_places,
    describe_hardware,
    make_optimizers,
    model_config,
    prose_share,
    rate_factor,
    row_length,
    weighted_loss,
)
from logitspec.builtin.tokenizer import END_OF_TEXT, train_tokenizer
from logitspec.builtin.transplant import check_start, transplant
from logitspec.errors import LogitSpecError
from logitspec.models.devices import choose_device
from logitspec.paths import MODEL
from logitspec.trace.sampling import SEEDS

SHARD = "9MB"


@dataclass
class Run:
    """A training run: the model, its optimizers, its data and its progress.

    `earlier` holds the tokens, hours and curve of the training that produced its first weights.
    """

    settings: Settings
    tokenizer: PreTrainedTokenizerBase
    model: LlamaForCausalLM
    packer: Packer
    device: torch.device
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    held_out: dict[str, dict[str, float]] = field(default_factory=dict)
    earlier: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        torch.nn.Module.to(self.model, self.device)
        self.optimizers = make_optimizers(self.model, self.settings)
        compiled = self.settings.compile
        self.loss = torch.compile(weighted_loss, dynamic=False) if compiled else weighted_loss

    @property
    def progress(self) -> float:
        """The part of the run that is done, 0 to 1 (or a little more)."""
        if self.settings.steps:
            return self.step / self.settings.steps
        return self.seconds / (self.settings.hours * 3600)

    def advance(self) -> float:
        """One optimizer step; returns its loss in nats."""
        start = time.perf_counter()
        settings = self.settings
        factor = rate_factor(self.progress, settings)
        length = row_length(self.progress, self.step, settings)
        share = prose_share(self.progress, settings)
        ids, weights = self.packer.batch(settings.tokens_per_step, length, share)
        places, place_weights = choose_loss_places(
            weights, settings.scored_share, f"{settings.seed}-{self.step}"
        )
        choose_attention(self.model, self.device, length)
        self.model.train()
        loss = self.loss(
            self.model, *(torch.from_numpy(a).to(self.device) for a in (ids, places, place_weights))
        )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer, peak in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = peak * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        value = loss.item()
        self.step += 1
        self.tokens += ids.shape[0] * (ids.shape[1] - 1)
        self.seconds += time.perf_counter() - start
        return value

    def evaluate(self, count: int = 24) -> dict[str, dict[str, float]]:
        """Probes `count` held-out conversations of every category.

        Returns for each category the mean loss of answer tokens in nats, and the share of answers
        that greedy decoding would give exactly.
        """
        self.model.train(False)
        self.held_out = {
            name: probe(self.model, self.tokenizer, name, count, self.device) for name in TASKS
        }
        return self.held_out

    def checkpoint(self, path: pathlib.Path) -> None:
        """Writes all that an exact resume needs; a crash while writing spares the last one."""
        state = {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer, _ in self.optimizers],
            "packer": self.packer.state(),
            "step": self.step,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "held_out": self.held_out,
            "before": self.earlier,
        }
        with files.writing(path) as out:
            torch.save(state, out)

    def restore(self, path: pathlib.Path) -> None:
        """Continues from a checkpoint. Raises FileNotFoundError if there is none."""
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        for (optimizer, _), values in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        self.packer.restore(state["packer"])
        self.step, self.tokens = state["step"], state["tokens"]
        self.seconds, self.held_out = state["seconds"], state["held_out"]
        self.earlier = state["before"]


def save(
    run: Run, folder: pathlib.Path, prose: list[str], curve: Sequence[dict[str, Any]] = ()
) -> None:
    """Writes weights (bf16, shards of at most 9 MB), configs, tokenizer, figures and card.

    `curve` are the probes of the log.
    """
    config = LlamaConfig(**run.model.config.to_dict())
    copy = LlamaForCausalLM(config)
    copy.load_state_dict(run.model.state_dict())
    ends = list(special_ids(run.tokenizer)[2:])
    copy.config.eos_token_id = ends
    copy.config.bos_token_id = None
    copy.config.pad_token_id = ends[1]
    copy.generation_config = GenerationConfig(
        eos_token_id=ends, pad_token_id=ends[1], do_sample=False
    )
    torch.nn.Module.to(copy, torch.bfloat16)
    with files.filling(folder) as beside:
        copy.save_pretrained(beside, max_shard_size=SHARD)
        run.tokenizer.save_pretrained(beside)
        new = {each.name for each in beside.iterdir()}
    for shard in folder.glob("model*.safetensors*"):
        if shard.name not in new:
            shard.unlink()
    facts = asdict(run.settings) | {
        "parameters": sum(p.numel() for p in copy.parameters()),
        "steps": run.step,
        "tokens": run.tokens,
        "hours": run.seconds / 3600,
        "hardware": describe_hardware(str(run.device)),
        "torch": torch.__version__,
        "finished": run.progress >= 1,
        "prose_files": prose,
        "curve": [
            *run.earlier.get("curve", []),
            *(_add_earlier(run.earlier, probe) for probe in curve),
        ],
        "command": command(run.settings, prose),
    }
    if run.earlier:
        facts["before"] = {name: run.earlier[name] for name in ("tokens", "hours")}
    if not prose:
        facts["prose_share"] = 0.0
    files.write(folder / TRAINING, json.dumps(facts, indent=1) + "\n")
    # An existing evaluation is of other weights.
    (folder / EVALUATION).unlink(missing_ok=True)
    write_card(folder)


def _add_earlier(earlier: dict[str, Any], probe: dict[str, Any]) -> dict[str, Any]:
    """Counts the tokens and seconds of a probe from the start of all training."""
    return probe | {
        "tokens": probe["tokens"] + earlier.get("tokens", 0),
        "seconds": probe["seconds"] + 3600 * earlier.get("hours", 0.0),
    }


def command(settings: Settings, prose: list[str]) -> str:
    """The command that trains this model again."""
    parts = ["python -m logitspec train", f"--hours {settings.hours:g}"]
    parts += [f"--steps {settings.steps}"] if settings.steps else []
    parts += ["--compile"] if settings.compile else []
    parts += [f"--start {settings.start}"] if settings.start else []
    parts += [f"--rate {settings.rate:g}"] if settings.rate != 1 else []
    parts += [f"--decay {settings.decay:g}"] if settings.decay != Settings.decay else []
    parts += [f"--seed {settings.seed}"] if settings.seed else []
    parts += [f"--prose {' '.join(prose)}"] if prose else []
    return " ".join(parts)


def train(run: Run, folder: pathlib.Path, checkpoint: pathlib.Path, prose: list[str]) -> None:
    """Trains to the end, saving on the way; appends losses to `log.jsonl` next to the checkpoint.

    A finished run is only saved again.
    """
    log = checkpoint.with_name("log.jsonl")
    last_save, recent = time.monotonic(), 0.0
    with tqdm(total=100.0, unit="%", bar_format="{percentage:5.1f}%|{bar}| {postfix}") as bar:
        while run.progress < 1:
            loss = run.advance()
            recent = loss if not recent else 0.95 * recent + 0.05 * loss
            bar.n = min(100.0, 100 * run.progress)
            speed = run.tokens / run.seconds
            bar.set_postfix_str(f"step {run.step}, loss {recent:.3f}, {speed:.0f} tokens/s")
            entry = {"step": run.step, "tokens": run.tokens, "seconds": round(run.seconds, 1)}
            if run.step % run.settings.log_every == 0:
                _append(log, entry | {"loss": round(recent, 4)})
            is_due = time.monotonic() - last_save > run.settings.save_minutes * 60
            if is_due or run.progress >= 1:
                _append(log, entry | {"held_out": run.evaluate()})
                run.checkpoint(checkpoint)
                save(run, folder, prose, _probes(log))
                last_save = time.monotonic()
    save(run, folder, prose, _probes(log))


def _probes(log: pathlib.Path) -> list[dict[str, Any]]:
    """The entries of the log that hold a probe; a resumed run may have logged some steps twice."""
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return list({entry["step"]: entry for entry in entries if "held_out" in entry}.values())


def _append(path: pathlib.Path, entry: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def prepare(
    settings: Settings,
    tokenizer: PreTrainedTokenizerBase | None = None,
    texts: list[str] | None = None,
    **architecture: Any,
) -> Run:
    """A fresh run. Without a tokenizer one is trained on the corpus and the prose `texts`.

    With `settings.start` it begins with the weights of that model, else with random ones.
    """
    torch.manual_seed(settings.seed)
    if tokenizer is None:
        # Two million characters in pieces from everywhere are plenty for 4,096 tokens.
        pieces = [
            text[start : start + 2000].replace(END_OF_TEXT, "")
            for text in texts or []
            for start in range(0, len(text), max(2000, len(text) // 1000))
        ]
        tokenizer = train_tokenizer(pieces, seed=settings.seed)
    prose = encode_prose(tokenizer, texts or [])
    model = LlamaForCausalLM(model_config(len(tokenizer), **architecture))
    earlier = transplant(model, tokenizer, pathlib.Path(settings.start)) if settings.start else {}
    packer = Packer(tokenizer, prose, settings.seed)
    device = choose_device(settings.device)
    return Run(settings, tokenizer, model, packer, device, earlier=earlier)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long, on which text, and where everything goes."""
    parser.add_argument(
        "--hours", type=float, default=1.0, help="hours of wall time (default: %(default)s)"
    )
    parser.add_argument("--steps", type=int, default=0, help="number of steps instead of hours")
    commandline.add_device(parser)
    parser.add_argument(
        "--prose",
        type=pathlib.Path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="text files (.txt or .xz), documents separated by <|endoftext|>",
    )
    parser.add_argument(
        "--prose-note",
        default="",
        metavar="TEXT",
        help="where the prose comes from, for the model card",
    )
    parser.add_argument("--out", type=pathlib.Path, default=MODEL, help="folder of the model")
    parser.add_argument(
        "--work",
        type=pathlib.Path,
        default=pathlib.Path("training"),
        help="folder of the checkpoint, log and tokenizer",
    )
    parser.add_argument(
        "--compile", action="store_true", help="compile the model first (needs a C++ compiler)"
    )
    parser.add_argument(
        "--start", default="", metavar="DIR", help="start with the weights of the model in DIR"
    )
    parser.add_argument(
        "--rate", type=float, default=1.0, help="multiple of the usual peak learning rates"
    )
    parser.add_argument(
        "--decay",
        type=float,
        default=Settings.decay,
        help="part of the run in which the rates fall, 0 to 1",
    )
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")


def run(options: argparse.Namespace) -> None:
    """Train a model from the beginning, or continue from a checkpoint."""
    _check(options)
    checkpoint: pathlib.Path = options.work / "checkpoint.pt"
    if options.resume and not checkpoint.exists():
        raise LogitSpecError(f"There is no checkpoint {checkpoint}; start without --resume.")
    for folder in (options.work, options.out):
        folder.mkdir(parents=True, exist_ok=True)
        files.check_writable(folder / TRAINING)
    tokenizer = None
    if options.resume:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(options.work / "tokenizer")
    settings = Settings(
        hours=options.hours,
        steps=options.steps,
        seed=options.seed,
        device=options.device,
        compile=options.compile,
        prose_note=options.prose_note,
        start=options.start,
        rate=options.rate,
        decay=options.decay,
    )
    training = prepare(settings, tokenizer, [read_prose(path) for path in options.prose])
    if options.resume:
        training.restore(checkpoint)
    else:
        training.tokenizer.save_pretrained(options.work / "tokenizer")
        (options.work / "log.jsonl").unlink(missing_ok=True)
    train(training, options.out, checkpoint, [path.name for path in options.prose])


def _check(options: argparse.Namespace) -> None:
    """Refuse a device that is not there, and numbers with which a run would fail or never end."""
    choose_device(options.device)
    for name, right, wanted in (
        ("hours", 0 < options.hours < math.inf, "more than 0"),
        ("steps", options.steps >= 0, "1 or more, or 0 for a run of some hours"),
        ("rate", 0 < options.rate < math.inf, "more than 0"),
        ("decay", 0 < options.decay <= 1, "more than 0 and at most 1"),
        ("seed", 0 <= options.seed < SEEDS, "from 0 to 2^63 - 1"),
    ):
        if not right:
            raise LogitSpecError(f"--{name} must be {wanted}; got {getattr(options, name)}.")
    if options.start:
        check_start(pathlib.Path(options.start))
