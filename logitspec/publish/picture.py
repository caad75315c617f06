"""A still of one step as SVG: the text so far, the draft tree, what became of every node, a legend.

assets/player/picture.js draws the same for the player's button, and a test holds both to one another:
so all numbers are whole, and nothing depends on how a language writes a float.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from logitspec.errors import LogitSpecError
from logitspec.trace.records import StepRecord, Trace

MARGIN, WIDE = 24, 1280
CELL, SMALL = 8, 7  # width of a letter in the two sizes of text
CHIP, ROW, GAP, APART, PAD = 24, 48, 28, 8, 8
TREE_AT, LEGEND_AT = 152, 32
LETTERS_AT_MOST = 28

INK, SOFT, LINE, PAPER = "#1f2937", "#4b5563", "#7b8593", "#ffffff"
COLOURS = {
    "prompt": SOFT,
    "root": "#4f5967",
    "logit": "#995700",
    "retrieved": "#0069a8",
    "recycled": "#00765a",
    "suffix": "#a3427c",
}
ORIGINS = {
    "root": "root, certain",
    "logit": "runner-up of the last logits, its rank",
    "retrieved": "copied n-gram",
    "recycled": "from the successor table",
    "suffix": "from the suffix automaton",
}
STATES = {"accepted": "accepted", "rejected": "rejected", "uncompared": "not compared"}
DASHES = {"accepted": "", "rejected": "", "uncompared": ' stroke-dasharray="2 3"'}

# What has no shape, or turns the direction of what follows it, and could not stand in XML.
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
SEEN = {"\n": "↵", "\t": "⇥"}
WIDE_LETTERS = [
    (0x1100, 0x115F), (0x2E80, 0xA4CF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE6F),
    (0xFF00, 0xFF60), (0x1F300, 0x1FAFF), (0x20000, 0x3FFFF),
]  # fmt: skip


def picture(trace: Trace, number: int) -> str:
    """Step `number` (from 1 on) of `trace` as an SVG document; LogitSpecError when there is none."""
    count = len(trace.steps)
    if not 1 <= number <= count:
        raise LogitSpecError(f"The run has {count} steps; choose one of them, not {number}.")
    step = trace.steps[number - 1]
    words = [label(trace.vocabulary.get(token), token) for token in step.tree.tokens]
    layout = Layout(step, words)
    width = max(WIDE, layout.right + MARGIN)
    below = TREE_AT + layout.free * ROW
    height = below + LEGEND_AT + 80
    heading, sentence = f"Step {number} of {count}", outcome(step)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-labelledby="title desc"'
        ' font-family="ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace">',
        f'<title id="title">{heading}</title>',
        f'<desc id="desc">{sentence}</desc>',
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        _text(MARGIN, 40, heading, INK, 20, "bold"),
        _text(MARGIN, 66, sentence, SOFT, 13),
        *_sequence(trace, number),
        *_edges(step, layout),
        *[line for node in range(len(words)) for line in _node(trace, step, layout, words, node)],
        *_legend(trace, below + LEGEND_AT),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def outcome(step: StepRecord) -> str:
    """Drafted = accepted + rejected + not compared, and what it bought."""
    states = step.states()[1:]
    accepted, rejected, uncompared = map(states.count, STATES)
    tokens = "1 token" if accepted == 0 else f"{accepted + 1} tokens"
    return (
        f"{len(states)} drafted = {accepted} accepted + {rejected} rejected"
        f" + {uncompared} not compared; {tokens} from one forward pass."
    )


# Letters


def label(spelt: bytes | None, token: int, space: str = "␣") -> str:
    """A token on one line, with all that can't be seen made visible; long ones are cut."""
    if spelt is None:
        return f"⟨#{token}⟩"
    letters = list(_visible(spelt).replace(" ", space))
    if len(letters) > LETTERS_AT_MOST:
        letters = [*letters[: LETTERS_AT_MOST - 1], "…"]
    return "".join(letters)


def _visible(spelt: bytes) -> str:
    text, torn = "", False
    at = 0
    while at < len(spelt):
        size = _size(spelt[at])
        try:
            letter = spelt[at : at + size].decode() if size else None
        except UnicodeDecodeError:
            letter = None
        if letter is None:
            text = f"{text[:-1]}.{spelt[at]:02x}⟩" if torn else f"{text}⟨{spelt[at]:02x}⟩"
        else:
            hidden = HIDDEN.match(letter)
            text += f"⟨{ord(letter):04x}⟩" if hidden else SEEN.get(letter, letter)
        torn = letter is None
        at += 1 if letter is None else size
    return text


def _size(lead: int) -> int:
    """Bytes of the character that `lead` begins; 0 when none does."""
    if lead < 0x80:
        return 1
    if 0xC2 <= lead <= 0xDF:
        return 2
    if 0xE0 <= lead <= 0xEF:
        return 3
    return 4 if 0xF0 <= lead <= 0xF4 else 0


def cells(text: str) -> int:
    """How many letters wide a text stands; East Asian letters and emoji take two."""
    return sum(1 + any(a <= ord(letter) <= b for a, b in WIDE_LETTERS) for letter in text)


def escaped(text: str) -> str:
    """Text for between two tags or in an attribute."""
    for letter, entity in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "apos")):
        text = text.replace(letter, f"&{entity};")
    return text


def _text(x: int, y: int, text: str, fill: str, size: int = 13, weight: str = "") -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text x="{x}" y="{y}" fill="{fill}" font-size="{size}"{bold} direction="ltr"'
        f' unicode-bidi="isolate-override" xml:space="preserve">{escaped(text)}</text>'
    )


# The tree


@dataclass(slots=True)
class Layout:
    """Where the nodes stand: a branch a row, children to the right of their parent, the accepted
    path straight on; siblings without children stand side by side."""

    step: StepRecord
    words: list[str]
    states: list[str] = field(init=False)
    at: list[tuple[int, int]] = field(init=False)
    first: list[bool] = field(init=False)
    free: int = 0
    right: int = 0

    def __post_init__(self) -> None:
        self.states = self.step.states()
        self.at = [(0, 0)] * len(self.words)
        self.first = [True] * len(self.words)
        self._place(0, MARGIN, 0)

    def width(self, node: int) -> int:
        """Of the node's box, the badge with the rank included."""
        provenance = self.step.tree.provenance[node]
        badge = f"#{provenance.rank}" if provenance.origin.value == "logit" else ""
        return 2 * PAD + CELL * cells(self.words[node]) + SMALL * (len(badge) + bool(badge))

    def _set(self, node: int, x: int, row: int) -> int:
        self.at[node] = x, row
        self.free = max(self.free, row + 1)
        end = x + self.width(node)
        self.right = max(self.right, end)
        return end

    def _place(self, node: int, x: int, row: int) -> None:
        column = self._set(node, x, row) + GAP
        parents, path = self.step.tree.parents, set(self.step.path)
        children = [each for each, parent in enumerate(parents) if parent == node]
        children.sort(key=lambda child: child not in path)
        inner = [child for child in children if child in path or child in parents]
        for order, child in enumerate(inner):
            self._place(child, column, self.free if order else row)
        leaves = [child for child in children if child not in inner]
        self._side_by_side(leaves, column, self.free if inner else row)

    def _side_by_side(self, leaves: list[int], column: int, row: int) -> None:
        x = column
        for leaf in leaves:
            if x > column and x + self.width(leaf) > WIDE - MARGIN:
                x, row = column, self.free
            self.first[leaf] = x == column
            x = self._set(leaf, x, row) + APART


def _edges(step: StepRecord, layout: Layout) -> list[str]:
    """From every parent to its children; of those side by side only to the first."""
    states, lines = layout.states, []
    for node, parent in enumerate(step.tree.parents):
        if parent < 0 or not layout.first[node]:
            continue
        x, row = layout.at[parent]
        start, y = x + layout.width(parent), TREE_AT + row * ROW + CHIP // 2
        end, down = layout.at[node][0], TREE_AT + layout.at[node][1] * ROW + CHIP // 2
        bold = 3 if states[node] == "accepted" else 1
        lines.append(
            f'<path d="M{start} {y}H{end - GAP // 2}V{down}H{end}" fill="none"'
            f' stroke="{LINE}" stroke-width="{bold}"{DASHES[states[node]]}/>'
        )
    return lines


def _node(trace: Trace, step: StepRecord, layout: Layout, words: list[str], node: int) -> list[str]:
    provenance, state = step.tree.provenance[node], layout.states[node]
    origin = provenance.origin.value
    x, row = layout.at[node]
    y, width = TREE_AT + row * ROW, layout.width(node)
    lines = [_box(x, y, width, origin, state)]
    ink = PAPER if state == "accepted" else INK
    start = x + PAD
    if origin == "logit":
        badge = f"#{provenance.rank}"
        lines.append(
            _text(start, y + 16, badge, ink if ink == PAPER else COLOURS[origin], 11, "bold")
        )
        start += SMALL * (len(badge) + 1)
    lines.append(_text(start, y + 16, words[node], ink))
    if state == "rejected":
        lines.append(f'<path d="M{x + 4} {y + 12}H{x + width - 4}" stroke="{COLOURS[origin]}"/>')
    if state == "accepted":
        choice = step.choices[node]
        wanted = "→ " + label(trace.vocabulary.get(choice), choice)
        lines.append(_text(x + 2, y + CHIP + 13, wanted, SOFT, 11))
    return lines


def _box(x: int, y: int, width: int, origin: str, state: str) -> str:
    """Round ends for runners-up, square corners for the root; filled when accepted."""
    radius = {"root": 0, "logit": CHIP // 2}.get(origin, 5)
    fill = COLOURS[origin] if state == "accepted" else PAPER
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{CHIP}" rx="{radius}" fill="{fill}"'
        f' stroke="{COLOURS[origin]}" stroke-width="2"{DASHES[state]}/>'
    )


# The text and the legend


def _sequence(trace: Trace, number: int) -> list[str]:
    """The end of the text before the step, and the tokens that the step added."""
    before = [(token, "prompt") for token in trace.prompt_ids]
    for step in trace.steps[: number - 1]:
        before += _emitted(step)
    new = _emitted(trace.steps[number - 1])
    spelt = [(label(trace.vocabulary.get(token), token, " "), origin) for token, origin in before]
    added = [(label(trace.vocabulary.get(token), token), origin) for token, origin in new]
    room = (WIDE - 2 * MARGIN) // CELL - 2 - sum(cells(text) + 2 for text, _ in added)
    start = len(spelt)
    while start > 0 and cells(spelt[start - 1][0]) <= room:
        start -= 1
        room -= cells(spelt[start][0])
    x, lines = MARGIN, []
    if start:
        lines.append(_text(x, 108, "…", SOFT))
        x += 2 * CELL
    for text, origin in spelt[start:]:
        width = CELL * cells(text)
        lines.append(_text(x, 108, text, INK if origin == "prompt" else COLOURS[origin]))
        if origin != "prompt":
            lines.append(f'<path d="M{x} 114H{x + width - 1}" stroke="{COLOURS[origin]}"/>')
        x += width
    for text, origin in added:
        width = CELL * cells(text) + 10
        lines.append(_box(x + 3, 91, width, origin, "accepted"))
        lines.append(_text(x + 8, 107, text, PAPER))
        x += width + 6
    return lines


def _emitted(step: StepRecord) -> list[tuple[int, str]]:
    return [(step.tree.tokens[node], step.tree.provenance[node].origin.value) for node in step.path]


def _legend(trace: Trace, y: int) -> list[str]:
    """The origins that occur in the run, and the three fates."""
    used = {each.origin.value for step in trace.steps for each in step.tree.provenance}
    lines = [f'<path d="M{MARGIN} {y - 16}H{WIDE - MARGIN}" stroke="#dfe3e8"/>']
    x = MARGIN
    for origin, words in ORIGINS.items():
        if origin in used:
            lines.append(_box(x, y, 28, origin, "accepted"))
            lines.append(_text(x + 36, y + 16, words, INK, 12))
            x += 36 + SMALL * len(words) + 24
    x = MARGIN
    for state, words in STATES.items():
        lines.append(_box(x, y + 32, 28, "root", state))
        if state == "rejected":
            lines.append(f'<path d="M{x + 4} {y + 44}H{x + 24}" stroke="{COLOURS["root"]}"/>')
        lines.append(_text(x + 36, y + 48, words, INK, 12))
        x += 36 + SMALL * len(words) + 24
    lines.append(_text(x, y + 48, "→ the target's own choice after a node", SOFT, 12))
    return lines
