"""Trees sized by cost against fixed sizes: by hand, and on a real transcript with costs that matter."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from support.recorded import SMOLLM2

from logitspec.__main__ import main
from logitspec.decoding import engine
from logitspec.drafters import logitspec
from logitspec.drafters.logitspec import LogitSpec
from logitspec.errors import LogitSpecError
from logitspec.measure.replay import sizes
from logitspec.measure.replay.sizes import (
    COSTS,
    MAX_LOSS,
    SizeScore,
    compare_sizes,
    loss,
    read_costs,
    table,
)
from logitspec.measure.replay.target import TranscriptTarget
from logitspec.measure.replay.transcript import Transcript, read, save
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.tree import DraftTree


@pytest.fixture(scope="module")
def transcripts() -> list[Transcript]:
    return list(read(SMOLLM2))[:3]


def test_a_replay_with_costs_takes_what_they_say(transcripts: list[Transcript]) -> None:
    target = TranscriptTarget(transcripts[0], ForwardCosts([1, 3], [0.5, 1.5]))
    assert target.measure_costs() is target.costs
    first = target.prefill(transcripts[0].prompt_ids).choices[0]
    assert target.verify(DraftTree(first)).seconds == pytest.approx(0.5)


def test_every_size_writes_the_same_text_in_its_own_number_of_forwards(
    transcripts: list[Transcript], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forwards take a thousand times as long as they would, so that times on this machine don't matter."""
    for name, costs in COSTS.items():
        slow = {**costs, "milliseconds": [1000 * each for each in costs["milliseconds"]]}
        monkeypatch.setitem(sizes.COSTS, name, slow)
    by_cost = {name: compare_sizes(transcripts, name) for name in COSTS}
    for scores in by_cost.values():
        assert {score.tokens for score in scores.values()} == {
            sum(len(each.output_ids) for each in transcripts)
        }
        forwards = [scores[str(nodes)].forwards for nodes in sizes.FIXED]
        assert forwards == sorted(forwards, reverse=True)
    # Where 64 rows take hardly longer than one, trees are larger.
    dear, flat = by_cost["cpu"]["measured"], by_cost["h100"]["measured"]
    assert flat.rows / flat.forwards > 2 * dear.rows / dear.forwards


# Seconds that drafting and learning took in replays of these transcripts, on an AMD EPYC, python 3.11.7. In live runs on a
# CPU, between forwards that empty its caches, they take longer, and with the H100's costs "measured" would stay
# further behind than it may.
START, NODE, LEARN, LEARN_NODE = 40e-6, 7e-6, 9e-6, 0.3e-6


@pytest.fixture
def recorded_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafting and learning take as long as they once took, whatever else this machine does."""
    now = 0.0

    def spent(method: str, seconds: Any) -> None:
        real = getattr(LogitSpec, method)

        def timed(self: LogitSpec, *arguments: Any) -> Any:
            nonlocal now
            now += seconds(*arguments)
            return real(self, *arguments)

        monkeypatch.setattr(LogitSpec, method, timed)

    spent("_sizing", lambda costs: START)
    spent("_weigh", lambda node, context: NODE)
    spent("_remember", lambda tree, path, result: LEARN + LEARN_NODE * len(tree))
    for module in (engine, logitspec):
        monkeypatch.setattr(module, "perf_counter", lambda: now)


@pytest.mark.usefixtures("recorded_clock")
@pytest.mark.parametrize("costs", COSTS)
def test_no_fixed_size_is_faster_on_what_a_real_model_wrote(costs: str) -> None:
    """Prompts as visitors type them, with forwards that take as long as on two cores and on a GPU."""
    scores = compare_sizes(read(SMOLLM2), costs)
    assert loss(scores) <= MAX_LOSS, table(scores)


def test_the_loss_by_hand() -> None:
    scores = {"measured": SizeScore(90, 30, 90, 10.0), "8": SizeScore(90, 40, 320, 9.0)}
    assert loss(scores) == pytest.approx(0.1)
    assert "measured stays 10.0% behind" in table(scores)


def test_costs_of_a_trace_are_those_that_it_was_drafted_with(tmp_path: Path) -> None:
    for costs in (ForwardCosts([1, 4], [0.003, 0.005]), ForwardCosts([1, 4], [0.003, 0.005], True)):
        document = json.dumps({"environment": {"forward_costs": costs.to_json()}}).encode()
        for name, content in (("run.json", document), ("run.json.gz", gzip.compress(document))):
            (tmp_path / name).write_bytes(content)
            read = read_costs(str(tmp_path / name))
            assert [read.at(rows) for rows in range(1, 7)] == [
                costs.at(rows) for rows in range(1, 7)
            ]


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"no json",
        b"\x1f\x8b",
        b"[1]",
        json.dumps({"environment": {"torch": "2"}}).encode(),  # of a method that sizes no trees
        json.dumps({"rows": [2, 1], "milliseconds": [1, 1]}).encode(),
        json.dumps({"rows": [1, 2], "milliseconds": ["1", "1"]}).encode(),
        json.dumps({"rows": [1, 2], "milliseconds": [0, 1]}).encode(),
    ],
)
def test_a_file_without_costs_is_refused_in_a_sentence(
    content: bytes | None, tmp_path: Path
) -> None:
    file = tmp_path / "run.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LogitSpecError, match="name a trace, or one of cpu, h100"):
        read_costs(str(file))


def test_damaged_costs_are_a_sentence(tmp_path: Path) -> None:
    packed = gzip.compress(b"{}" * 99)
    for damaged in (packed[:-9], packed[:12] + b"!" + packed[13:], packed[:3]):
        (tmp_path / "trace.json.gz").write_bytes(damaged)
        with pytest.raises(LogitSpecError, match="Can't read costs from"):
            read_costs(str(tmp_path / "trace.json.gz"))


def test_the_command(
    tmp_path: Path, transcripts: list[Transcript], capsys: pytest.CaptureFixture[str]
) -> None:
    save(transcripts[:1], tmp_path / "one.gz")
    main(["replay", "sizes", str(tmp_path / "one.gz"), "--costs", "h100"])
    assert "(wanted: at most 2% behind it)." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "words"), [(1.25, "stays 20.0% behind"), (0.8, "is 25.0% ahead of")]
)
def test_the_last_line_says_who_is_ahead(seconds: float, words: str) -> None:
    scores = {
        "measured": SizeScore(10, 4, 8, seconds),
        "8": SizeScore(10, 4, 32, 1.0),
        "64": SizeScore(10, 4, 256, 2.0),
    }
    assert table(scores).splitlines()[-1].startswith(f"measured {words} the best fixed size (")
