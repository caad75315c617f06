"""The player in a real Chromium: what to do in it, what it shows, and what a trace says it should."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from logitspec.trace.records import StepRecord, Trace
from support.player_page import hostile, page_html, story
from support.watching import visit, watched

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = "[data-logitspec-player]"
STORY = story()
HOSTILE = hostile()
READ_TOKENS = """() => [...document.querySelectorAll("[data-token]")].map((span) => [
  Number(span.dataset.token), Number(span.dataset.id), span.dataset.origin,
  Number(span.dataset.step), span.textContent])"""
READ_BOXES = """() => [...document.querySelectorAll("[data-node]")].map((node) => {
  const box = node.getBoundingClientRect();
  return [box.left, box.top, box.right, box.bottom];
})"""

READ_NODES = """() => [...document.querySelectorAll("[data-node]")].map((node) => [
  Number(node.dataset.node), node.dataset.origin, node.dataset.state])"""


@pytest.fixture
def page(player_tab: Page) -> Iterator[Page]:
    """A page with an empty player, in a tab that tests reuse."""
    with watched(player_tab):
        visit(player_tab, page_html)
        yield player_tab


def send(page: Page, *messages: str) -> None:
    for message in messages:
        page.evaluate("message => player.receive(message)", message)
    rested(page)


def show(page: Page, cursor: int) -> None:
    page.evaluate("cursor => player.show(cursor)", cursor)
    painted(page)


def painted(page: Page) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def rested(page: Page) -> None:
    """Wait until what a live step's first picture left out is painted too: at most 40 and 60 ms later.

    Each wait begins in the frame in which the player begins its own, and is longer.
    """
    page.evaluate(
        """async () => {
          for (const ms of [60, 80, 0]) {
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done, ms)));
          }
        }"""
    )


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    painted(page)


def state(page: Page) -> tuple[int, int, str]:
    """Steps, cursor and state, as the root element has them."""
    data = page.evaluate(f"() => ({{...document.querySelector('{ROOT}').dataset}})")
    return int(data["steps"]), int(data["cursor"]), data["state"]


def resting_step(trace: Trace) -> int:
    """Where a live run rests: the last step of median length, at least two tokens, or the very last."""
    lengths = [len(step.path) for step in trace.steps]
    expected = max(2, statistics.median_low(lengths))
    return max((at for at, each in enumerate(lengths, 1) if each == expected), default=len(lengths))


def shown_text(tokens: list[bytes]) -> list[str]:
    """What each token shows: characters with the token they begin in, torn bytes as hex."""
    owners = [number for number, token in enumerate(tokens) for _ in token]
    texts = [""] * len(tokens)
    at = 0
    for character in b"".join(tokens).decode("utf-8", "surrogateescape"):
        texts[owners[at]] += character
        at += 1 if "\udc80" <= character <= "\udcff" else len(character.encode())
    return [visible(text) for text in texts]


def visible(text: str) -> str:
    def hexed(match: re.Match[str]) -> str:
        return "⟨" + " ".join(f"{ord(byte) - 0xDC00:02x}" for byte in match[0]) + "⟩"

    text = re.sub("[\udc80-\udcff]+", hexed, text)
    controls = (
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
        "\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff]"
    )
    return re.sub(controls, lambda match: f"⟨{ord(match[0]):04x}⟩", text)


def expected_tokens(trace: Trace, cursor: int) -> list[list[Any]]:
    rows: list[tuple[int, str, int]] = [(token, "prompt", 0) for token in trace.prompt_ids]
    for number, step in enumerate(trace.steps[:cursor], start=1):
        for node in step.path:
            origin = step.tree.provenance[node].origin.value
            rows.append((step.tree.tokens[node], origin, number))
    texts = shown_text([trace.vocabulary[token] for token, _, _ in rows])
    return [[at, *row, text] for at, (row, text) in enumerate(zip(rows, texts, strict=True))]


def expected_nodes(step: StepRecord) -> list[list[Any]]:
    nodes = []
    for node, (token, parent) in enumerate(zip(step.tree.tokens, step.tree.parents, strict=True)):
        fate = "uncompared"
        if node in step.path:
            fate = "accepted"
        elif parent in step.path and step.choices[parent] != token:
            fate = "rejected"
        nodes.append([node, step.tree.provenance[node].origin.value, fate])
    return nodes
