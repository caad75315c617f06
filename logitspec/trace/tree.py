"""Draft trees: what a drafter proposes, where every node came from, and which nodes are accepted.

root ── node ── node          node 0 is the root: the next token, already certain
  └──── node                  every other node is a draft of what follows its parent
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple

from logitspec.errors import LogitSpecError


class Origin(str, Enum):
    """The source of a token. The name and look of each are in assets/origins.json."""

    ROOT = "root"
    LOGIT = "logit"
    RETRIEVED = "retrieved"
    RECYCLED = "recycled"
    SUFFIX = "suffix"


class Provenance(NamedTuple):
    """Where a node came from; what does not apply to its origin is None.

    rank, probability: of the token in the last logits (rank 0 is the most probable); of a recycled
        one, in the logits after its parent's token when the target last read that.
    match_length: tokens of the n-gram that was looked up, or of the suffix that was matched.
    copied_from: absolute position in the sequence that the token was copied from.
    key: where a retrieved n-gram ended: "root" (at the root) or "next_next" (at the next-next token below
        the root; from a match length of 2 on, the n-gram included the root).
    """

    origin: Origin
    rank: int | None = None
    probability: float | None = None
    match_length: int | None = None
    copied_from: int | None = None
    key: str | None = None

    def to_json(self) -> list[Any]:
        """The fields in order, trailing None dropped."""
        row: list[Any] = [self.origin.value, *self[1:]]
        while row[-1] is None:
            row.pop()
        return row

    @classmethod
    def from_json(cls, row: Sequence[Any]) -> Provenance:
        return cls(Origin(row[0]), *row[1:])


class DraftTree:
    """A tree of draft tokens as parallel lists, parents before children; node 0 is the root.

    tokens[i], parents[i] and provenance[i] describe node i; the root's parent is -1.
    """

    __slots__ = ("_child", "_later", "_provenance", "parents", "tokens")

    def __init__(self, root: int, provenance: Provenance | None = None) -> None:
        self.tokens = [root]
        self.parents = [-1]
        self._provenance = [provenance or Provenance(Origin.ROOT)]
        self._later: Callable[[], list[Provenance]] | None = None
        # By parent and token; None: not worked out, as few trees grow that are whole.
        self._child: dict[tuple[int, int], int] | None = {}

    @classmethod
    def to_explain(
        cls, tokens: list[int], parents: list[int], later: Callable[[], list[Provenance]]
    ) -> DraftTree:
        """A whole tree; `later`, which gives its provenance, can wait until the device is at work."""
        tree = cls(tokens[0])
        tree.tokens, tree.parents, tree._later = tokens, parents, later
        tree._child = None
        return tree

    def explain(self) -> None:
        """Work out where the nodes came from, if that was left for later."""
        if self._later is not None:
            later, self._later = self._later, None
            self._provenance = later()

    @property
    def provenance(self) -> list[Provenance]:
        """The provenance of each node."""
        self.explain()
        return self._provenance

    def __len__(self) -> int:
        return len(self.tokens)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DraftTree) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"DraftTree(tokens={self.tokens}, parents={self.parents})"

    def add(self, parent: int, token: int, provenance: Provenance, merge: bool = True) -> int:
        """Add `token` under `parent` and return its node.

        With `merge`, a child of `parent` that already carries the token is returned instead, unchanged.
        Raises LogitSpecError when `parent` is not a node of this tree.
        """
        if not 0 <= parent < len(self.tokens):
            raise LogitSpecError(f"Node {parent} is not in this tree of {len(self.tokens)} nodes.")
        children = self._children()
        if merge and (twin := children.get((parent, token))) is not None:
            return twin
        node = len(self.tokens)
        self.tokens.append(token)
        self.parents.append(parent)
        self.provenance.append(provenance)
        children.setdefault((parent, token), node)
        return node

    def _children(self) -> dict[tuple[int, int], int]:
        """The first node of each parent and token."""
        if self._child is None:
            self._child = {}
            for node, place in enumerate(zip(self.parents, self.tokens, strict=True)):
                self._child.setdefault(place, node)
        return self._child

    def depths(self) -> list[int]:
        """Distance of every node from the root: [0, ...]."""
        depths = [0] * len(self.tokens)
        for node in range(1, len(depths)):
            depths[node] = depths[self.parents[node]] + 1
        return depths

    def path_to(self, node: int) -> list[int]:
        """The nodes from the root down to `node`, both included."""
        path = []
        while node >= 0:
            path.append(node)
            node = self.parents[node]
        return path[::-1]

    def ancestors(self) -> list[list[int]]:
        """For every node its path from the root, itself included: the rows of the ancestor mask."""
        paths: list[list[int]] = []
        for node, parent in enumerate(self.parents):
            paths.append([*paths[parent], node] if parent >= 0 else [node])
        return paths

    def cut(self, depth: int) -> DraftTree:
        """This tree without the nodes below `depth`; the tree itself if there are none."""
        depths = self.depths()
        if max(depths) <= depth:
            return self
        shallow = DraftTree(self.tokens[0], self.provenance[0])
        renumbered = {0: 0}
        for node in range(1, len(self)):
            if depths[node] <= depth:
                renumbered[node] = shallow.add(
                    renumbered[self.parents[node]], self.tokens[node], self.provenance[node], False
                )
        return shallow

    def to_json(self) -> dict[str, Any]:
        return {
            "tokens": self.tokens,
            "parents": self.parents,
            "provenance": [p.to_json() for p in self.provenance],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> DraftTree:
        rows = list(zip(data["tokens"], data["parents"], data["provenance"], strict=True))
        tree = cls(rows[0][0], Provenance.from_json(rows[0][2]))
        for token, parent, row in rows[1:]:
            tree.add(parent, token, Provenance.from_json(row), merge=False)
        return tree


def accept(tree: DraftTree, choices: Sequence[int]) -> list[int]:
    """The accepted path: nodes from the root down to the deepest whose whole path the target chose.

    choices: the target's token after each node, one per node. Among equally deep nodes the first one
    wins (duplicates carry the same tokens, so only the bookkeeping can tell them apart).
    """
    depth = [0] * len(tree)
    deepest = 0
    for node in range(1, len(tree)):
        parent = tree.parents[node]
        agreed = depth[parent] >= 0 and tree.tokens[node] == choices[parent]
        depth[node] = depth[parent] + 1 if agreed else -1
        if depth[node] > depth[deepest]:
            deepest = node
    return tree.path_to(deepest)
