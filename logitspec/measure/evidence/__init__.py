"""Why drafts are accepted, in numbers: counts over a model's runs on some prompts (`gather.py`).

    python -m logitspec evidence --model FOLDER --out assets/evidence/NAME.json.gz

Only counts are kept (ranks, accepted lengths, tree sizes), and the cost of forwards.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from logitspec import files
from logitspec.errors import LogitSpecError
from logitspec.measure.replay.record import RANKS
from logitspec.measure.replay.transcript import Transcript
from logitspec.paths import ASSETS, MODEL
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.metrics import Counts, StepSeconds
from logitspec.trace.records import dumps

SCHEMA = 1
FOLDER = ASSETS / "evidence"  # the shipped ones, one file per model
SHIPPED = FOLDER / "builtin.json.gz"
BEYOND = RANKS  # in place of any rank that was not recorded


ByTask = dict[str, Counts]


@dataclass(slots=True)
class Evidence:
    """Counts of one model's runs, and the conditions of the counting.

    about: model, environment, number of prompts by task, maximum of new tokens, and the fingerprint of the
    weights if the model is the built-in one. rows, seconds: of timed forwards, ascending by rows. ranks: by
    task, how often the next-next token had each rank in the last logits (0 is the root's; BEYOND: none of those
    recorded). runs: counts by method. capacities: counts of the paper's method, by draft_tree_capacity. padded:
    whether forwards are padded to the next of `rows`.
    """

    about: dict[str, Any]
    rows: list[int]
    seconds: list[float]
    ranks: dict[str, Counter[int]] = field(default_factory=dict)
    runs: dict[str, ByTask] = field(default_factory=dict)
    capacities: dict[int, ByTask] = field(default_factory=dict)
    padded: bool = False

    @property
    def model(self) -> str:
        """The name that `load` takes: the model's id without the quantisation of its file."""
        return str(self.about["model"]["id"]).partition(":")[0]

    @property
    def tasks(self) -> list[str]:
        return list(self.ranks)

    @property
    def costs(self) -> ForwardCosts:
        return ForwardCosts(self.rows, self.seconds, self.padded)

    def speed(self, counts: Counts) -> float:
        """An estimate of tokens a second: a forward lasts as long as a timed one of as many rows, and the
        drafter's own seconds are added."""
        costs = self.costs
        forwards = sum(costs.at(size) * steps for size, steps in counts.sizes.items())
        return counts.tokens / (forwards + counts.seconds.drafter)

    def to_json(self) -> str:
        """One JSON document."""
        rest = {name: getattr(self, name) for name in ("about", "rows", "seconds", "ranks")}
        runs = {name: _as_json(by_task) for name, by_task in self.runs.items()}
        capacities = {name: _as_json(by_task) for name, by_task in self.capacities.items()}
        document = {"kind": "evidence", "schema": SCHEMA, **rest}
        flag = {"padded": True} if self.padded else {}
        return dumps({**document, "runs": runs, "capacities": capacities, **flag})

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """The evidence in `text`; raises LogitSpecError when it is something else, or of another schema."""
        try:
            data = json.loads(text)
            if (data.pop("kind"), data.pop("schema")) != ("evidence", SCHEMA):
                raise LogitSpecError(f"expected evidence of schema {SCHEMA}")
            data["ranks"] = {task: _counter(each) for task, each in data["ranks"].items()}
            data["runs"] = {name: _from_json(each) for name, each in data["runs"].items()}
            data["capacities"] = {
                int(capacity): _from_json(each) for capacity, each in data["capacities"].items()
            }
            return cls(**data)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LogitSpecError(
                f"This is not evidence ({error}); make it with `python -m logitspec evidence`."
            ) from error

    def save(self, path: Path) -> None:
        """Write it to `path`, gzipped; the same evidence gives the same file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, gzip.compress(self.to_json().encode(), mtime=0))

    @classmethod
    def open(cls, path: Path) -> Evidence:
        """The evidence at `path`; LogitSpecError when there is none."""
        try:
            text = gzip.decompress(path.read_bytes()).decode()
        except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
            raise LogitSpecError(
                f"Can't read {path.name} ({error}); make it with `python -m logitspec evidence`."
            ) from error
        return cls.from_json(text)


def _counter(data: dict[str, int]) -> Counter[int]:
    return Counter({int(key): count for key, count in data.items()})


def _as_json(by_task: ByTask) -> dict[str, Any]:
    return {
        task: {
            "lengths": counts.lengths,
            "sizes": counts.sizes,
            "accepted": {origin: counts.accepted_at(origin) for origin in counts.origins},
            "drafted": counts.drafted_by,
            "outside": counts.seconds.drafter,
        }
        for task, counts in by_task.items()
    }


def _from_json(data: dict[str, Any]) -> ByTask:
    """Counts by task, as a file has them: only the sum of the drafter's seconds, and no uncompared drafts."""
    return {
        task: Counts(
            lengths=_counter(each["lengths"]),
            sizes=_counter(each["sizes"]),
            drafted_by=Counter(each["drafted"]),
            accepted_by=Counter(
                {
                    (origin, int(depth)): count
                    for origin, depths in each["accepted"].items()
                    for depth, count in depths.items()
                }
            ),
            seconds=StepSeconds(draft=each["outside"]),
        )
        for task, each in data.items()
    }


def total(by_task: ByTask) -> Counts:
    """The sum over all tasks."""
    return sum(by_task.values(), Counts())


def next_next_ranks(transcript: Transcript) -> Counter[int]:
    """How often the token after the root had each rank in the logits that chose the root."""
    before = transcript.topk[len(transcript.prompt_ids) - 1 :]
    counts: Counter[int] = Counter()
    for last, token in zip(before, transcript.output_ids[1:], strict=False):
        rank = last.head(RANKS).rank(token)
        counts[BEYOND if rank is None else rank] += 1
    return counts


def fingerprint_weights(folder: Path = MODEL) -> str:
    """A fingerprint of the weights in `folder`, by which evidence of older weights is known to be outdated."""
    digest = sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
