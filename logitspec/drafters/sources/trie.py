"""A bounded trie of n-grams with suffix links: the memory of RACER.

It behaves as the authors' automaton does (github.com/hkr04/RACER, fc494a3), even where that surprises:

- The least recently used node of an old path is the one nearest to the root, so making room cuts off whole
  subtries. A node that is cut off stays until its own turn: a link or the state may still lead there.
- Links are right only from a call of `link` to the next use of their path, which resets them to the root.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence

ROOT = 0


class NgramTrie:
    """The windows of `order` tokens of a text, in at most `max_nodes` nodes, the root (node 0) included.

    For each node: tokens[node], children[node] (token: node), depths[node]; counts[node], how many windows
    have begun with its path since it was added; places[node], the position of its token in the latest
    window. Nodes are reused, so a number may stand for another path once the trie is full.

    state: the node of the context, from which `matches` starts.
    """

    __slots__ = (
        "_links", "_parents", "_recent", "children", "counts", "depths", "max_nodes", "order", "places",
        "state", "tokens",
    )  # fmt: skip

    def __init__(self, order: int, max_nodes: int) -> None:
        self.order = order
        self.max_nodes = max_nodes
        self.tokens = [-1]
        self.children: list[dict[int, int]] = [{}]
        self.depths = [0]
        self.counts = [0]
        self.places = [-1]
        self.state = ROOT
        self._parents = [ROOT]
        self._links = [ROOT]
        self._recent: OrderedDict[int, None] = OrderedDict([(ROOT, None)])  # least recent first

    def insert(self, window: Sequence[int], place: int) -> None:
        """Add a window of tokens, the first of which is at position `place`."""
        node = ROOT
        self.counts[ROOT] += 1
        for position, token in enumerate(window, place):
            self._recent.move_to_end(node)
            child = self.children[node].get(token)
            node = self._new(node, token) if child is None else child
            self.counts[node] += 1
            self.places[node] = position
        self._recent.move_to_end(node)

    def link(self) -> None:
        """Set the link of every node to the longest proper suffix of its path that is in the trie."""
        waiting = deque([ROOT])
        while waiting:
            node = waiting.popleft()
            for token, child in self.children[node].items():
                self._links[child] = ROOT if node == ROOT else self._after(self._links[node], token)
                waiting.append(child)

    def matches(self, token: int, min_depth: int) -> list[int]:
        """The nodes that `token` leads to from the suffixes of the state's path, longest first; only
        those of at least `min_depth` tokens. The first node of any depth becomes the state; without one
        it stays."""
        found = []
        first = None
        for node in self._ends(self.state):
            child = self.children[node].get(token)
            if child is not None:
                first = child if first is None else first
                if self.depths[child] >= min_depth:
                    found.append(child)
        if first is not None:
            self.state = first
        for node in found:
            self._use(node)
        return found

    def follow(self, tokens: Sequence[int]) -> None:
        """Move the state by verified tokens."""
        for token in tokens:
            self._recent.move_to_end(self.state)
            if token not in self.children[self.state]:
                while self.state != ROOT and token not in self.children[self.state]:
                    self.state = self._links[self.state]
                self._use(self.state)
            self.state = self.children[self.state].get(token, self.state)
        self._recent.move_to_end(self.state)

    def _ends(self, node: int) -> Iterator[int]:
        """`node` and the nodes that its links lead to, down to the root."""
        while node != ROOT:
            yield node
            node = self._links[node]
        yield ROOT

    def _after(self, node: int, token: int) -> int:
        """The first child with `token` along the links from `node`, or the root."""
        children = (self.children[end].get(token) for end in self._ends(node))
        return next((child for child in children if child is not None), ROOT)

    def _use(self, node: int) -> None:
        """Mark a path as used, from `node` up, and reset its links to the root."""
        while True:
            self._links[node] = ROOT
            self._recent.move_to_end(node)
            if node == ROOT:
                return
            node = self._parents[node]

    def _new(self, parent: int, token: int) -> int:
        node = self._room()
        self.tokens[node] = token
        self.depths[node] = self.depths[parent] + 1
        self._parents[node] = parent
        self.children[parent][token] = node
        return node

    def _room(self) -> int:
        """A node without a path: a new one or, in a full trie, the least recent, cut off from its parent."""
        node = len(self.tokens)
        if node < self.max_nodes:
            for values in (
                self.tokens,
                self.depths,
                self.counts,
                self.places,
                self._parents,
                self._links,
            ):
                values.append(0)
            self.children.append({})
            self._recent[node] = None
            return node
        node = next(iter(self._recent))
        siblings, token = self.children[self._parents[node]], self.tokens[node]
        if siblings.get(token) == node:
            del siblings[token]
        self.children[node] = {}
        self.counts[node] = 0
        self._links[node] = ROOT
        self._recent.move_to_end(node)
        return node
