"""What an ingredient is worth: every switch, every size, honest sums."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.fakes import finished
from support.families import runner
from support.models import tokenizer

from logitspec import LogitSpecError, Origin, decode
from logitspec.__main__ import main
from logitspec.measure.replay.ingredients import (
    Ingredients,
    Recipe,
    count_runs,
    document,
    recipes,
    switches,
    table,
)
from logitspec.measure.replay.record import record
from logitspec.measure.replay.target import replay
from logitspec.measure.replay.transcript import Transcript, save
from logitspec.prompts import Prompt

PROMPTS = [
    Prompt(1, "letters", "", "ABCABDABCAB"),
    Prompt(2, "words", "", "HELLOHELLOHELP"),
    Prompt(3, "words", "", "BABA"),
]
PEERS = {
    "logitspec_paper",
    "prompt_lookup",
    "token_recycling",
    "suffix_automaton",
    "racer",
    "goose",
}


@pytest.fixture(scope="module")
def transcripts() -> list[Transcript]:
    return list(record(runner("llama"), tokenizer(), PROMPTS, 30))


@pytest.fixture(scope="module")
def files(transcripts: list[Transcript], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("transcripts")
    for name, part in (("one.gz", transcripts[:1]), ("two.gz", transcripts[1:])):
        save(part, folder / name)
    return [str(folder / "one.gz"), str(folder / "two.gz")]


def test_every_source_and_the_learning_is_switched_off_in_turn() -> None:
    rows = recipes((63, 8))
    assert switches() == ["copies", "runners_up", "successors", "adaptive"]
    assert [each.title for each in rows if each.drafts == 8] == [
        "logitspec", "without copies", "without runners_up", "without successors",
        "without adaptive",
    ]  # fmt: skip
    peers = [each.method for each in rows if each.drafts is None]
    assert set(peers) >= PEERS
    assert not {"logitspec", "autoregressive"} & set(peers)


@pytest.mark.parametrize(
    ("off", "origin"),
    [
        ("copies", None),
        ("runners_up", Origin.LOGIT),
        ("successors", Origin.RECYCLED),
    ],
)
def test_what_is_off_drafts_nothing_and_no_tree_exceeds_its_size(
    off: str, origin: object, transcripts: list[Transcript]
) -> None:
    trace = replay(transcripts[0], "logitspec", **Recipe("logitspec", off, 8).options)
    born = [each for step in trace.steps for each in step.tree.provenance[1:]]
    kinds = {each.key or each.origin for each in born}
    assert max(len(step.tree) for step in trace.steps) == 9
    assert origin not in kinds
    copies = [each for each in born if each.origin is Origin.RETRIEVED and each.match_length]
    assert bool(copies) == (off != "copies")


def test_scores_are_those_of_replays_made_one_by_one(transcripts: list[Transcript]) -> None:
    result = Ingredients((24, 8))
    result.add("all", transcripts)
    for recipe, score in result.scores["all"].items():
        options: dict[str, Any] = {}
        if recipe.drafts is not None:
            options = {
                "tree_size": "capacity",
                "draft_tree_capacity": {24: 25, 8: 9}[recipe.drafts],
            }
        if recipe.without:
            options[recipe.without] = False
        traces = [replay(each, recipe.method, **options) for each in transcripts]
        assert score.counts.tokens == sum(len(trace.output_ids) for trace in traces) == 90
        assert score.counts.forwards == sum(len(trace.steps) for trace in traces)
        assert score.prompts == 3
    assert len(result.scores["all"]) == 5 * 2 + len(PEERS)


def test_all_files_together_count_tokens_and_steps(transcripts: list[Transcript]) -> None:
    """Not the mean of the files' means."""
    result = Ingredients((8,))
    result.add("one", transcripts[:1])
    assert list(result.by_file()) == ["one"]
    result.add("two", transcripts[1:])
    one, two, both = (
        scores[Recipe("logitspec_paper")].counts for scores in result.by_file().values()
    )  # fmt: skip
    assert both.mean_accepted_tokens == 90 / (one.forwards + two.forwards)
    assert both.mean_accepted_tokens != (one.mean_accepted_tokens + two.mean_accepted_tokens) / 2


def test_processes_change_no_count(transcripts: list[Transcript]) -> None:
    rows = recipes((8,))[-5:]

    def counts(processes: int) -> list[list[tuple[int, ...]]]:
        return [
            [(each.tokens, each.forwards, each.drafted, each.accepted) for each in scores]
            for scores, _ in count_runs(transcripts, rows, processes)
        ]

    assert counts(2) == counts(1)
    assert len(counts(1)) == 3
    with pytest.raises(LogitSpecError, match="--processes must be from 1 to 64; got 0"):
        counts(0)


def test_live_runs_hear_the_logits_of_rejected_nodes(
    transcripts: list[Transcript], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Methods that don't hear them accept as much live as in a replay, and those that do, more or less."""
    target = runner("llama")
    monkeypatch.setattr("logitspec.measure.replay.live._load_once", lambda *names: target)
    replays, lives = Ingredients((24,)), Ingredients((24,), live="llama")
    for each in (replays, lives):
        each.add("all", transcripts)
    steps = [
        {recipe.title: score.counts.forwards for recipe, score in each.scores["all"].items()}
        for each in (replays, lives)
    ]
    deaf = ["without successors", "logitspec_paper", "prompt_lookup"]
    assert [steps[0][title] for title in deaf] == [steps[1][title] for title in deaf]
    assert steps[0]["logitspec"] != steps[1]["logitspec"]
    trace = finished(
        decode(target, transcripts[0].prompt_ids, "logitspec", 30,
               tree_size="capacity", draft_tree_capacity=25)
    )  # fmt: skip
    alone = Ingredients((24,), live="llama")
    alone.add("one", transcripts[:1])
    assert alone.scores["one"][Recipe("logitspec", "", 24)].counts.forwards == len(trace.steps)
    assert lives.differing == replays.differing == 0
    assert document(lives)["live"]
    assert not document(replays)["live"]


def test_outputs_that_are_not_the_recorded_are_told(
    transcripts: list[Transcript], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logitspec.measure.replay.live._load_once", lambda *names: runner("llama"))
    output = [*transcripts[0].output_ids[:-1], transcripts[0].output_ids[-1] ^ 1]
    result = Ingredients((8,), live="llama")
    result.add("one", [replace(transcripts[0], output_ids=output), transcripts[1]])
    assert result.differing == len(recipes((8,)))
    assert f"Live; {result.differing} outputs differ from the recorded ones." in table(result)
    result.differing = 1
    assert "Live; 1 output differs from the recorded ones." in table(result)


def test_another_model_than_the_recorded_is_refused(
    transcripts: list[Transcript], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logitspec.measure.replay.live._load_once", lambda *names: runner("llama"))
    other = replace(transcripts[0], model={**transcripts[0].model, "id": "somebody/else"})
    with pytest.raises(LogitSpecError, match="The transcripts are of somebody/else and the model"):
        Ingredients(live="llama").add("one", [other])


def test_from_files_to_a_table(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    main(["replay", "ingredients", *files, "--drafts", "24", "8", "--json", str(out)])
    lines = capsys.readouterr().out.splitlines()
    document = json.loads(out.read_text(encoding="utf-8"))
    assert list(document["files"]) == ["one.gz", "two.gz", "overall"]
    assert [line for line in lines if line[0] != " "][:3] == [
        "one.gz: 1 prompt, 30 tokens", "two.gz: 2 prompts, 60 tokens",
        "overall: 3 prompts, 90 tokens",
    ]  # fmt: skip
    assert document["mean_accepted_tokens"].startswith("tokens per target forward, root included")
    assert document["tree_size"] == "capacity"
    assert {each["dtype"] for each in document["models"]} == {"float64"}
    assert len(document["models"]) == 1
    assert not {"seconds", "ms_per_step"} & set(document["files"]["overall"][0])
    means = {
        (row["method"], row["without"], row["drafts"]): row["tokens"] / row["steps"]
        for row in document["files"]["overall"]
    }
    ours = [means["logitspec", "", drafts] for drafts in (24, 8)]
    assert [f"{mean:.3f}" for mean in ours] == row_of("logitspec", lines)
    paper = means["logitspec_paper", "", None]
    assert row_of("logitspec_paper", lines)[:3] == [
        *(f"{mean / paper:.3f}x" for mean in ours), f"{paper:.3f}",
    ]  # fmt: skip


def row_of(title: str, lines: list[str]) -> list[str]:
    """The cells of the last such row."""
    return [line for line in lines if line.startswith(f"  {title} ")][-1].split()[1:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["FILE", "nowhere.gz"], "Can't read transcripts from nowhere.gz"),
        (["FILE", "--drafts", "0"], "draft_tree_capacity must be a whole number from 2 to 128"),
        (["FILE", "--processes", "0"], "--processes must be from 1 to 64; got 0."),
        (["FILE", "--json", "no/such/folder.json"], "Can't write no/such/folder.json"),
        (["FILE", "--json", "FILE"], "one.gz: it is read from there"),
        (["FILE", "FILE"], "Two parts of the table would be called one.gz; rename a file."),
        (["FILE", "overall"], "Two parts of the table would be called overall; rename a file."),
    ],
)
def test_errors_are_one_sentence(
    arguments: list[str],
    message: str,
    files: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And where possible they are reported before anything is counted."""
    monkeypatch.setattr("logitspec.measure.replay.ingredients.replay", None)
    (tmp_path / "overall").touch()
    monkeypatch.chdir(tmp_path)
    names = [files[0] if each == "FILE" else each for each in arguments]
    assert main(["replay", "ingredients", *names]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_document_names_every_model_once(transcripts: list[Transcript]) -> None:
    result = Ingredients((8,))
    result.add("all", transcripts)
    (model,) = document(result)["models"]
    assert model == transcripts[0].model
