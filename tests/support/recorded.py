"""The contents of tests/golden: steps of other methods' official implementations, and transcripts of a real model."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from logitspec import DraftTree, Origin, Provenance

GOLDEN = Path(__file__).parents[1] / "golden"

# SmolLM2-135M-Instruct in float32: python -m logitspec replay record --model HuggingFaceTB/SmolLM2-135M-Instruct
#     --dtype float32 --prompts assets/prompts/typed.jsonl --max-new-tokens 64 --ranks 32 --out ...
SMOLLM2 = GOLDEN / "smollm2.jsonl.gz"


def recordings(method: str) -> list[Path]:
    return sorted((GOLDEN / method).glob("*.json.gz"))


def recording(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return loaded


def recorded_tree(step: dict[str, Any]) -> DraftTree:
    tree = DraftTree(step["tokens"][0])
    for parent, token in zip(step["parents"][1:], step["tokens"][1:], strict=True):
        tree.add(parent, token, Provenance(Origin.LOGIT), merge=False)
    return tree


def recorded_path(step: dict[str, Any], tree: DraftTree) -> list[int]:
    """The nodes of the accepted tokens, root first."""
    node, path = 0, [0]
    for token in step["accepted"][1:]:
        node = next(
            each
            for each in range(len(tree))
            if (tree.parents[each], tree.tokens[each]) == (node, token)
        )
        path.append(node)
    return path
