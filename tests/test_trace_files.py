"""Files that claim to be traces: Python and the page's scripts read them alike, within the same bounds."""

from __future__ import annotations

import gzip
import json
import random
import re
import tracemalloc
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from support import mutants
from support.fakes import ScriptedTarget, finished
from support.mutants import HOSTILE, Mutant, made_up, race
from support.player_page import page_html
from support.reading import read_by_page
from support.watching import visit, watched

from logitspec import LogitSpecError, Trace, decode
from logitspec.drafters import METHODS, option_fields
from logitspec.paths import ASSETS
from logitspec.publish.export import page, title
from logitspec.trace import schema
from logitspec.trace.records import MAX_RANKS


@cache
def mutants_of(kind: str) -> list[tuple[Mutant, str | None]]:
    """Mutants of one kind of file, and what Python says about each."""
    document = made_up() if kind == "trace" else race()
    return [(each, read_by_python(kind, each.data)) for each in mutants.mutants(document)]


def read_by_python(kind: str, data: bytes) -> str | None:
    """What is wrong with a file, None where nothing is."""
    try:
        schema.read(data, kind)
    except LogitSpecError as error:
        return str(error)
    return None


class Corpus:
    """Mutants of one kind of file, and what each side says about them."""

    def __init__(self, kind: str) -> None:
        self.mutants = [each for each, _ in mutants_of(kind)]
        self.page = read_by_page(kind, [each.data for each in self.mutants])
        self.python = [fault for _, fault in mutants_of(kind)]

    def passed(self) -> list[Mutant]:
        return [each for each, fault in zip(self.mutants, self.python, strict=True) if not fault]


@pytest.fixture(scope="module", params=["trace", "race"])
def corpus(request: pytest.FixtureRequest) -> Corpus:
    return Corpus(request.param)


def test_python_and_the_page_agree_on_every_mutant(corpus: Corpus) -> None:
    faults = [answer["fault"] for answer in corpus.page if "fault" in answer]
    assert faults == []
    pairs = zip(corpus.mutants, corpus.python, corpus.page, strict=True)
    differing = [
        (mutant.name, python, answer)
        for mutant, python, answer in pairs
        if (python is None) == ("refused" in answer)
    ]
    assert differing == []


def test_what_fails_is_one_sentence_without_anything_of_the_file(corpus: Corpus) -> None:
    sentences = [fault for fault in corpus.python if fault]
    sentences += [answer["refused"] for answer in corpus.page if "refused" in answer]
    for sentence in set(sentences):
        assert "\n" not in sentence
        assert len(sentence) < 200
        assert not any(
            word in sentence for word in ("<", "alert", "yyy", "\u2028", "\u202e", "Error")
        )


def test_what_passes_is_kept_whole_and_has_a_name(corpus: Corpus) -> None:
    passed = corpus.passed()
    assert 200 < len(passed) < len(corpus.mutants) / 3
    for mutant in random.Random(2).sample(passed, 200):
        document = json.loads(mutant.data.decode("utf-8-sig"))
        for lane in document.get("lanes", [document]):
            trace = Trace.from_json(json.dumps(lane))
            assert Trace.from_json(trace.to_json()) == trace, mutant.name
            assert len(title(trace)) < 80
            assert trace.counts().tokens == len(trace.output_ids)
            assert all(len(step.states()) == len(step.tree) for step in trace.steps)


@pytest.fixture
def tab(player_tab: Page) -> Iterator[Page]:
    """A page with a player and reduced motion, in which nothing may go wrong."""
    with watched(player_tab):
        visit(player_tab, page_html)
        player_tab.emulate_media(reduced_motion="reduce")
        yield player_tab


OPENED = """async ([text, number]) => {
  player.open(text);
  player.show(number);
  player.beat(2);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  player.show(number);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const element = document.querySelector("[data-logitspec-player]");
  return [element.dataset.state, element.querySelector("[role=alert]").textContent, player.snapshot()];
}"""


def test_what_passes_is_drawn(tab: Page) -> None:
    passed = [each for each, fault in mutants_of("trace") if not fault]
    for mutant in random.Random(1).sample(passed, 40):
        parts = mutant.name.split(".")
        number = (
            int(parts[1].partition(":")[0]) + 1 if parts[0] == "steps" and len(parts) > 2 else 1
        )
        state, alert, snapshot = tab.evaluate(OPENED, [mutant.data.decode("utf-8-sig"), number])
        trace = Trace.from_json(mutant.data)
        assert state == ("error" if trace.finish == "error" else "done"), (mutant.name, alert)
        assert Trace.from_json(snapshot) == trace, mutant.name


def document(**fields: Any) -> dict[str, Any]:
    return {**made_up(), **fields}


def with_step(**fields: Any) -> dict[str, Any]:
    """A document with other fields in its last step, so that no other step begins elsewhere."""
    *steps, last = made_up()["steps"]
    return document(steps=[*steps, {**last, **fields}])


def copied_from(depth: int) -> dict[str, Any]:
    """A document whose last draft, a child of the root, says it was copied from `depth` tokens after the root."""
    content = tree([-1, 0])
    step = content["steps"][-1]
    step["provenance"][1][4] = step["position"] + depth
    return content


def tree(parents: list[int], path: Sequence[int] = (0,)) -> dict[str, Any]:
    """A document whose last step has such a tree, all of one token."""
    token = made_up()["prompt_ids"][0]
    rows = [["root"], *(["retrieved", None, None, 2, 0] for _ in parents[1:])]
    same = [token] * len(parents)
    return with_step(parents=parents, tokens=same, choices=same, provenance=rows, path=list(path))


NODES = 256
SIZES = {"draft_tree_capacity", "node_budget", "num_pred_tokens", "max_extended_chain"}

REFUSED = {
    "a number that is none": (document(prefill_seconds=float("nan")), "NaN"),
    "text for seconds": (document(prefill_seconds="1.5"), "prefill_seconds is not a number"),
    "no prompt": (document(prompt_ids=None), "prompt_ids is not a list"),
    "an empty prompt": (document(prompt_ids=[]), "prompt_ids is empty"),
    "a node from nowhere": (with_step(path=[int(1e9)]), "path"),
    "a path beyond the tree": (tree([-1, 0], [0, 1, 2]), "path is not in the tree"),
    "a path that skips": (tree([-1, 0, 1], [0, 2]), "path is not what the target chose"),
    "a path without the root": (tree([-1, 0], [1]), "path is not in the tree"),
    "three parents of 0": (tree([0, 0, 0]), "parents does not name earlier nodes"),
    "a parent that comes later": (tree([-1, 2, 0]), "parents does not name earlier nodes"),
    "a node that is its own parent": (tree([-1, 1]), "parents does not name earlier nodes"),
    "two roots": (tree([-1, -1]), "parents does not name earlier nodes"),
    "a chain of 1,100": (tree([-1, *range(1099)]), "is too long"),
    "20,000 nodes": (tree([-1, *([0] * 19_999)]), "is too long"),
    "a parent too few": (with_step(parents=[-1]), "parents does not have an entry for every token"),
    "an unknown origin": (with_step(provenance=[["dream"]] * 9), "provenance"),
    "a copy of itself": (copied_from(1), "is a copy of what comes later"),
    "a copy of what comes later": (copied_from(2), "is a copy of what comes later"),
    "a prompt cut short": (tree([-1, 0]) | {"prompt_ids": [0]}, "position"),
    "a token of 5 MB": (document(vocabulary={"1": "y" * 5_000_000}), "vocabulary.1 is too long"),
    "a token that is no number": (document(vocabulary={"__proto__": "a"}), "a wrong name"),
    "more text than can be drawn": (
        document(vocabulary={"1": "y" * 1000}, prompt_ids=[1] * 9000, steps=[]),
        "spells too long a text",
    ),
    "a step left out": (document(steps=made_up()["steps"][1:]), "does not begin where the text"),
    "half a character": (document(prompt="a\ud83d"), "prompt has half a character"),
    "a seed below 0": (document(sampling={"seed": -1}), "sampling.seed is out of bounds"),
    "a seed of too many digits": (document(sampling={"seed": str(2**63)}), "sampling.seed is out of"),
    "a seed in letters": (document(sampling={"seed": "one"}), "sampling.seed is not written as"),
    "an odd schema": (document(schema="<b>" * 999), "schema unknown"),
}  # fmt: skip

TAKEN = {
    "the largest seed": document(sampling={"seed": str(2**63 - 1)}),
    "the widest tree": tree([-1, *([0] * (NODES - 1))]),
    "the deepest tree": tree([-1, *range(NODES - 1)], range(NODES)),
    "a copy of the root": copied_from(0),
    "the longest token": document(vocabulary={str(each): "\u202e" * 1024 for each in range(50)}),
    "a long text": document(vocabulary={"1": "y" * 800}, prompt_ids=[1] * 10_000, steps=[]),
    "markup": document(prompt=HOSTILE, recorded=HOSTILE, method=HOSTILE, run=HOSTILE),
    "what a later version may add": document(more={"a": [1, 2.5, None, "b"]}),
    "the most probable of 1,024": with_step(
        last={"ids": list(range(1024)), "probs": [1 / 1024] * 1024}
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_freeze_or_fail_a_reader_is_refused_by_both(name: str) -> None:
    content, words = REFUSED[name]
    data = json.dumps(content).encode()
    with pytest.raises(LogitSpecError, match=re.escape(words)):
        Trace.from_json(data)


def test_the_page_refuses_the_same_for_the_same_reason() -> None:
    """Except for NaN, which is not JSON there."""
    files = [json.dumps(content).encode() for content, _ in REFUSED.values()]
    for (name, (_, words)), answer in zip(
        REFUSED.items(), read_by_page("trace", files), strict=True
    ):
        assert ("not JSON" if words == "NaN" else words) in answer["refused"], name


def test_what_is_large_and_odd_and_right_is_taken_and_drawn(tab: Page) -> None:
    assert read_by_page("trace", [json.dumps(each).encode() for each in TAKEN.values()]) == [
        {}
    ] * len(TAKEN)
    for name, content in TAKEN.items():
        trace = Trace.from_json(json.dumps(content))
        state, alert, snapshot = tab.evaluate(OPENED, [json.dumps(content), len(trace.steps)])
        assert (state, alert) == ("done", ""), name
        assert Trace.from_json(snapshot) == trace
        assert page(trace).count("<script") == 2


def test_what_was_recorded_passes_with_room_to_spare() -> None:
    files = sorted((ASSETS / "traces").glob("*.gz"))
    assert files
    data = [gzip.decompress(file.read_bytes()) for file in files]
    for each in data:
        schema.read(each)
        assert len(each) * 20 < schema.LIMITS["bytes"]
        assert (each.count(b"[") + each.count(b"{")) * 20 < schema.LIMITS["brackets"]
    assert read_by_page("trace", data[:2]) == [{}] * 2
    races = [gzip.decompress(file.read_bytes()) for file in (ASSETS / "races").glob("*.gz")]
    assert read_by_page("race", races) == [{}] * len(races)


def test_every_tree_and_list_of_ranks_that_a_method_can_make_fits() -> None:
    step = schema.RULES["step"]["properties"]
    capacities = [
        each.metadata["high"]
        for drafter in METHODS.values()
        for each in option_fields(drafter)
        if each.name in SIZES
    ]
    assert 2 * max(capacities) <= step["tokens"]["maxItems"] == NODES
    assert step["last"]["properties"]["ids"]["maxItems"] >= max(*capacities, MAX_RANKS)


def test_an_unpacked_file_is_never_larger_than_a_trace_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(schema.LIMITS, "bytes", 100_000)
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(b" " * 50_000_000, mtime=0))
    (tmp_path / "large.json").write_bytes(b" " * 100_001)
    tracemalloc.start()
    try:
        for name in ("bomb.json.gz", "large.json"):
            with pytest.raises(LogitSpecError, match="more than 0 MB; save a shorter run"):
                Trace.open(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.json.gz", gzip.compress(b"{}" * 999, mtime=0)[:-9]),
        ("two.json.gz", gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0)),
        ("followed.json.gz", gzip.compress(b"{}", mtime=0) + b"more"),
        ("broken.json.gz", b"\x1f\x8bbroken"),
    ],
)
def test_a_broken_archive_is_called_by_its_name(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LogitSpecError, match=rf"{name} is cut short or damaged; save it again\."):
        Trace.open(tmp_path / name)


def test_a_null_byte_is_in_no_path() -> None:
    with pytest.raises(LogitSpecError, match="it is not a path") as caught:
        Trace.open("\0")
    assert str(caught.value).isprintable()


def test_a_race_is_not_taken_for_a_run() -> None:
    with pytest.raises(LogitSpecError, match="This is a race, not a run; open it in the page"):
        Trace.from_json(json.dumps(race()))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_s_trace_is_read_again(method: str) -> None:
    text = [1, 2, 3, 4, 5, 6, 7, 8, 2, 3, 9] * 30
    highest = {
        each.name: each.metadata["high"]
        for each in option_fields(METHODS[method])
        if each.name in SIZES
    }
    trace = finished(decode(ScriptedTarget(text), text[:150], method, 120, **highest))
    assert Trace.from_json(trace.to_json()) == trace
