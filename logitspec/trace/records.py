"""The trace: everything that one run did, step by step, and all that other modules read about it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from logitspec import files
from logitspec.errors import LogitSpecError
from logitspec.trace.metrics import Counts, StepSeconds
from logitspec.trace.results import TopK
from logitspec.trace.sampling import Sampling
from logitspec.trace.schema import LIMITS, SCHEMA, read, too_large, whole
from logitspec.trace.tree import DraftTree, Provenance

MAX_RANKS = 64


@dataclass(slots=True)
class StepRecord:
    """One step: what was drafted from which last logits, what the target chose, what was kept.

    position: absolute position of the root (the verified tokens before the step).
    last: the best tokens of the last logits, which chose the root: 64, or as many as were
        drafted from.
    choices: the target's token after each node, one per node.
    path: accepted nodes, root first; their tokens are what the step emitted.
    """

    position: int
    last: TopK
    tree: DraftTree
    choices: list[int]
    path: list[int]
    seconds: StepSeconds = field(default_factory=StepSeconds)

    @property
    def tokens(self) -> list[int]:
        """The token ids emitted, root first."""
        return [self.tree.tokens[node] for node in self.path]

    @property
    def provenance(self) -> list[Provenance]:
        """Where each emitted token came from."""
        return [self.tree.provenance[node] for node in self.path]

    @property
    def cache_length(self) -> int:
        """Rows in the KV cache after the step."""
        return self.position + len(self.path)

    def states(self) -> list[str]:
        """Per node "accepted", "rejected" (its parent was accepted, the target chose another token)
        or "uncompared" (below a rejection, or after the end of the text)."""
        accepted = set(self.path)
        states = []
        for node, (token, parent) in enumerate(
            zip(self.tree.tokens, self.tree.parents, strict=True)
        ):
            if node in accepted:
                states.append("accepted")
            elif parent in accepted and token != self.choices[parent]:
                states.append("rejected")
            else:
                states.append("uncompared")
        return states

    def counts(self) -> Counts:
        """The counts of this one step."""
        accepted = enumerate(self.provenance[1:], 1)
        return Counts(
            lengths=Counter([len(self.path)]),
            sizes=Counter([len(self.tree)]),
            drafted_by=Counter(each.origin.value for each in self.tree.provenance[1:]),
            accepted_by=Counter((each.origin.value, depth) for depth, each in accepted),
            uncompared=self.states().count("uncompared"),
            seconds=self.seconds,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "position": self.position,
            "last": {"ids": self.last.ids, "probs": self.last.probs},
            **self.tree.to_json(),
            "choices": self.choices,
            "path": self.path,
            "seconds": asdict(self.seconds),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StepRecord:
        return cls(
            data["position"],
            TopK(**data["last"]),
            DraftTree.from_json(data),
            data["choices"],
            data["path"],
            StepSeconds(**data["seconds"]),
        )


@dataclass(slots=True, repr=False)
class Trace:
    """One run. It grows while the run goes on; `finish` is None until it ends.

    options: the drafter's, by name. model, environment: what ran, as reported by the target.
    prompt_ids, eos_ids: token ids. vocabulary: the bytes of every token id that the trace mentions,
    if a tokenizer was at hand. prefill_seconds: device seconds to read the prompt.
    finish: "eos", "length" (max_new_tokens reached), "context" (no room left), "cancelled" or "error"
    (then `error` says why in one sentence).
    recorded: title of a run that was made to be replayed; empty for others. baseline: the method and
    the seconds per token of plain decoding, if the same prompt was measured on the same device.

    framed: the HTML that notebooks show for a run; set by the package, since nothing here knows of pages.
    """

    framed: ClassVar[Callable[[Trace], str] | None] = None

    method: str
    prompt_ids: list[int]
    max_new_tokens: int
    sampling: Sampling = field(default_factory=Sampling)
    options: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    eos_ids: list[int] = field(default_factory=list)
    run: str = ""
    prompt: str | None = None
    vocabulary: dict[int, bytes] = field(default_factory=dict)
    prefill_seconds: float = 0.0
    steps: list[StepRecord] = field(default_factory=list)
    finish: str | None = None
    error: str | None = None
    recorded: str = ""
    baseline: dict[str, Any] | None = None

    def __repr__(self) -> str:
        tokens = sum(len(step.path) for step in self.steps)
        return f"<Trace of {self.method}: {tokens} tokens in {len(self.steps)} steps, finish={self.finish!r}>"

    def _repr_html_(self) -> str | None:
        """The run, for a notebook to play; None, for which a notebook shows the `repr`, if nothing can play it."""
        framed = type(self).framed
        return framed(self) if framed else None

    @property
    def output_ids(self) -> list[int]:
        """The generated token ids, the end-of-sequence token included."""
        return [token for step in self.steps for token in step.tokens]

    @property
    def output_bytes(self) -> bytes:
        """The generated text as bytes; tokens without a known spelling are left out."""
        return b"".join(self.vocabulary.get(token, b"") for token in self.output_ids)

    def counts(self) -> Counts:
        """The counts of all steps."""
        return sum((step.counts() for step in self.steps), Counts())

    @property
    def totals(self) -> dict[str, float]:
        """Tokens emitted, target forwards after prefill, drafted and accepted nodes (roots not
        counted), wall and device seconds of decoding."""
        counts = self.counts()
        return {
            "tokens": counts.tokens,
            "forwards": counts.forwards,
            "drafted": counts.drafted,
            "accepted": counts.accepted,
            "seconds": round(counts.seconds.wall, 6),
            "device_seconds": round(counts.seconds.device, 6),
        }

    def mentioned(self, since: int = 0) -> set[int]:
        """Token ids in the prompt (for `since` 0) and in the steps from number `since` on."""
        ids = set(self.prompt_ids) if since == 0 else set()
        for step in self.steps[since:]:
            ids.update(step.tree.tokens, step.choices, step.last.ids)
        return ids

    def spell(self, speller: Callable[[int], bytes], since: int = 0) -> dict[int, bytes]:
        """Add the bytes of the ids mentioned from step number `since` on; return the new ones."""
        new = self.mentioned(since) - self.vocabulary.keys()
        spelt = {token: speller(token) for token in sorted(new)}
        self.vocabulary.update(spelt)
        return spelt

    def header(self) -> dict[str, Any]:
        """All but the steps, as JSON values."""
        return {
            "kind": "trace",
            "schema": SCHEMA,
            "run": self.run,
            "method": self.method,
            "options": self.options,
            "model": self.model,
            "environment": self.environment,
            "sampling": self.sampling.to_json(),
            "max_new_tokens": self.max_new_tokens,
            "eos_ids": self.eos_ids,
            "prompt": None if self.prompt is None else whole(self.prompt),
            "prompt_ids": self.prompt_ids,
            "vocabulary": spellings(self.vocabulary),
            "prefill_seconds": self.prefill_seconds,
            "finish": self.finish,
            "error": None if self.error is None else whole(self.error),
            "recorded": self.recorded,
            "baseline": self.baseline,
        }

    def document(self) -> dict[str, Any]:
        """The whole trace as JSON values (schema 1)."""
        steps = [step.to_json() for step in self.steps]
        return {**self.header(), "totals": self.totals, "steps": steps}

    def to_json(self) -> str:
        """The whole trace as one JSON document (schema 1)."""
        return dumps(self.document())

    @classmethod
    def from_json(cls, text: str | bytes) -> Trace:
        """The trace in `text`; LogitSpecError if it is not a trace, has another schema, or breaks the
        bounds of `assets/schema.json`."""
        data = read(text)
        fields = {name: data[name] for name in cls.__slots__ if name in data}
        fields["sampling"] = Sampling.from_json(data["sampling"])
        fields["vocabulary"] = {
            int(token): bytes.fromhex(s["hex"]) if isinstance(s, dict) else s.encode()
            for token, s in data["vocabulary"].items()
        }
        fields["steps"] = [StepRecord.from_json(step) for step in data["steps"]]
        return cls(**fields)

    def save(self, path: str | Path) -> None:
        """Write the JSON document to `path`, gzipped if the name ends in .gz; LogitSpecError if that fails."""
        data = self.to_json().encode()
        packed = str(path).endswith(".gz")
        # Without a timestamp, so that the same trace gives the same file.
        files.write(path, gzip.compress(data, mtime=0) if packed else data)

    @classmethod
    def open(cls, path: str | Path) -> Trace:
        """The trace stored at `path`, gzipped or not; LogitSpecError as in `from_json`, or if it can't be read."""
        return cls.from_json(_contents(path))


def _contents(path: str | Path) -> bytes:
    """The bytes of a file, unpacked; never more than a trace may have."""
    most: int = LIMITS["bytes"]
    try:
        with Path(path).open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise LogitSpecError(f"Can't read {path} ({error.strerror}).") from error
    except ValueError as error:  # a null byte
        raise LogitSpecError(f"Can't read {str(path)!r} (it is not a path).") from error
    if data[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(wbits=31)
        try:
            data = stream.decompress(data, most + 1)
        except zlib.error:
            data = b""
        if len(data) <= most and (not stream.eof or stream.unused_data):
            raise LogitSpecError(f"{path} is cut short or damaged; save it again.")
    if len(data) > most:
        raise too_large()
    return data


def dumps(value: Any) -> str:
    """Compact JSON in ASCII, so that no token text can break a line protocol on its way."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def spellings(vocabulary: dict[int, bytes]) -> dict[str, Any]:
    """Token bytes as JSON: a string where they are UTF-8 by themselves, otherwise {"hex": ...}."""
    return {str(token): _spelling(spelt) for token, spelt in vocabulary.items()}


def _spelling(spelt: bytes) -> str | dict[str, str]:
    try:
        return spelt.decode()
    except UnicodeDecodeError:
        return {"hex": spelt.hex()}
