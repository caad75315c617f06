"""Why drafts are accepted, in numbers: what a model says, counted over some prompts (`gather.py`).

    python -m logitspec evidence --out assets/evidence/builtin.json.gz

No run is kept, only counts: of ranks, of accepted lengths, of tree sizes; and the cost of forwards.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from logitspec.errors import LogitSpecError
from logitspec.measure.replay.recorder import RANKS
from logitspec.measure.replay.recording import Recording
from logitspec.paths import ASSETS, MODEL
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.records import StepRecord, dumps

SCHEMA = 1
SHIPPED = ASSETS / "evidence" / "builtin.json.gz"
BEYOND = RANKS  # stands for every rank that was not kept


@dataclass(slots=True)
class Tally:
    """Counts over steps.

    lengths: steps by tokens emitted, root included. sizes: steps by nodes of the tree, root included.
    accepted: by origin, accepted drafts by depth, 1 right below the root. drafted: drafts by origin.
    outside: seconds of the steps outside the forward: drafting, observing and, live, the KV cache.
    """

    lengths: Counter[int] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    accepted: dict[str, Counter[int]] = field(default_factory=dict)
    drafted: Counter[str] = field(default_factory=Counter)
    outside: float = 0.0

    @property
    def steps(self) -> int:
        """Forwards of the target, prefill excluded."""
        return sum(self.lengths.values())

    @property
    def tokens(self) -> int:
        """Tokens emitted."""
        return sum(length * steps for length, steps in self.lengths.items())

    @property
    def mean_accepted_tokens(self) -> float:
        """Tokens emitted per target forward, root included, prefill excluded."""
        return self.tokens / max(1, self.steps)

    @property
    def mean_nodes(self) -> float:
        """Nodes of a tree, root included."""
        return sum(size * steps for size, steps in self.sizes.items()) / max(1, self.steps)

    def add(self, steps: Iterable[StepRecord]) -> None:
        """Count `steps`, too."""
        for step in steps:
            self.lengths[len(step.path)] += 1
            self.sizes[len(step.tree)] += 1
            self.outside += step.seconds.draft + step.seconds.commit
            self.drafted.update(each.origin.value for each in step.tree.provenance[1:])
            for depth, provenance in enumerate(step.provenance[1:], 1):
                self.accepted.setdefault(provenance.origin.value, Counter())[depth] += 1

    def merge(self, other: Tally) -> None:
        """Count what `other` counted, too."""
        self.lengths.update(other.lengths)
        self.sizes.update(other.sizes)
        self.drafted.update(other.drafted)
        self.outside += other.outside
        for origin, depths in other.accepted.items():
            self.accepted.setdefault(origin, Counter()).update(depths)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Tally:
        accepted = {origin: _counter(depths) for origin, depths in data["accepted"].items()}
        lengths, sizes = _counter(data["lengths"]), _counter(data["sizes"])
        return cls(lengths, sizes, accepted, Counter(data["drafted"]), data["outside"])


Tallies = dict[str, Tally]  # by task


@dataclass(slots=True)
class Evidence:
    """What was found out about one model.

    about: model, environment, prompts by task, new tokens at most, and the fingerprint of the
    weights, if they are the built-in ones. rows, seconds: of timed forwards, ascending. ranks: per
    task, how often the next-next token had which rank in the last logits (0 is the root's; BEYOND:
    none of those kept). runs: by method. capacities: of the paper's method by draft_tree_capacity.
    """

    about: dict[str, Any]
    rows: list[int]
    seconds: list[float]
    ranks: dict[str, Counter[int]] = field(default_factory=dict)
    runs: dict[str, Tallies] = field(default_factory=dict)
    capacities: dict[int, Tallies] = field(default_factory=dict)

    @property
    def tasks(self) -> list[str]:
        return list(self.ranks)

    @property
    def costs(self) -> ForwardCosts:
        return ForwardCosts(self.rows, self.seconds)

    def speed(self, tally: Tally) -> float:
        """Tokens a second, estimated: each forward is taken to last as long as a timed one of as many
        rows; the seconds outside it are added."""
        costs = self.costs
        forwards = sum(costs.at(size) * steps for size, steps in tally.sizes.items())
        return tally.tokens / (forwards + tally.outside)

    def to_json(self) -> str:
        """One JSON document."""
        rest = {name: getattr(self, name) for name in ("about", "rows", "seconds", "ranks")}
        runs = {name: _as_json(tallies) for name, tallies in self.runs.items()}
        capacities = {name: _as_json(tallies) for name, tallies in self.capacities.items()}
        document = {"kind": "evidence", "schema": SCHEMA, **rest}
        return dumps({**document, "runs": runs, "capacities": capacities})

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """LogitSpecError when `text` is no evidence, or some of another schema."""
        try:
            data = json.loads(text)
            if (data.pop("kind"), data.pop("schema")) != ("evidence", SCHEMA):
                raise LogitSpecError(f"of another kind than evidence of schema {SCHEMA}")
            data["ranks"] = {task: _counter(each) for task, each in data["ranks"].items()}
            data["runs"] = {name: _tallies(each) for name, each in data["runs"].items()}
            data["capacities"] = {
                int(capacity): _tallies(each) for capacity, each in data["capacities"].items()
            }
            return cls(**data)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LogitSpecError(
                f"This is no evidence ({error}); make it with `python -m logitspec evidence`."
            ) from error

    def save(self, path: Path) -> None:
        """Write it to `path`, gzipped; the same evidence gives the same file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(self.to_json().encode(), mtime=0))

    @classmethod
    def open(cls, path: Path) -> Evidence:
        """The evidence at `path`; LogitSpecError when there is none."""
        try:
            return cls.from_json(gzip.decompress(path.read_bytes()).decode())
        except (OSError, EOFError) as error:
            raise LogitSpecError(
                f"Can't read {path.name} ({error}); make it with `python -m logitspec evidence`."
            ) from error


def _counter(data: dict[str, int]) -> Counter[int]:
    return Counter({int(key): count for key, count in data.items()})


def _as_json(tallies: Tallies) -> dict[str, Any]:
    return {task: each.to_json() for task, each in tallies.items()}


def _tallies(data: dict[str, Any]) -> Tallies:
    return {task: Tally.from_json(each) for task, each in data.items()}


def total(tallies: Mapping[str, Tally]) -> Tally:
    """Those of all tasks as one."""
    whole = Tally()
    for each in tallies.values():
        whole.merge(each)
    return whole


def next_next_ranks(recording: Recording) -> Counter[int]:
    """How often the token after the root had which rank in the logits that chose the root."""
    before = recording.topk[len(recording.prompt_ids) - 1 :]
    found: Counter[int] = Counter()
    for last, token in zip(before, recording.output_ids[1:], strict=False):
        rank = last.head(RANKS).rank(token)
        found[BEYOND if rank is None else rank] += 1
    return found


def weights(folder: Path = MODEL) -> str:
    """A fingerprint of the weights in `folder`: evidence of other weights is no evidence."""
    digest = sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
