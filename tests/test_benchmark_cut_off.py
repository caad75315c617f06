"""A benchmark that is cut off, reports its progress, is resumed, and is replayed where that is exact."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.fakes import ScriptedTarget
from support.families import runner
from support.models import tokenizer

from logitspec import LogitSpecError, files
from logitspec.__main__ import main
from logitspec.measure.benchmark import bench as bench_module
from logitspec.measure.benchmark.bench import Bench, measure
from logitspec.measure.benchmark.block import block, tables
from logitspec.measure.benchmark.contenders import method_contender, variants
from logitspec.measure.benchmark.figures import document
from logitspec.measure.benchmark.paper import beside
from logitspec.measure.benchmark.progress import progress
from logitspec.measure.benchmark.published import conditions, origin
from logitspec.measure.benchmark.questions import choose
from logitspec.measure.benchmark.replayed import Transcripts, with_replays
from logitspec.measure.benchmark.runs import Outcome, merge
from logitspec.measure.replay.record import record
from logitspec.measure.replay.transcript import save
from logitspec.measure.variants import Variant
from logitspec.prompts import Prompt

METHODS = ["autoregressive", "prompt_lookup", "logitspec"]
COUNTS = ("method", "question_id", "turn", "category", "repeat", "tokens", "forwards", "drafted", "accepted")  # fmt: skip
TEXT = [*range(40, 60)] * 30


@pytest.fixture(autouse=True)
def _no_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collecting it before each repeat is for timings, which nothing here reads, and takes most of a test's time."""
    monkeypatch.setattr(bench_module, "gc", SimpleNamespace(collect=bool))


class Fake(ScriptedTarget):
    """A target for the whole command, whose text repeats itself."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(TEXT, limit=500)
        self.info = {
            "id": "fake", "revision": None, "dtype": "none", "device": "none",
            "environment": {"python": "3", "forward": "fast: in 3 ms"},
        }  # fmt: skip

    def reserve(self, *_: int) -> None:
        """Nothing to make room in."""

    def measure_costs(self) -> None:
        """Nothing to measure."""


class Letters:
    """A tokenizer of the letters of a conversation."""

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return "".join(map(chr, ids))


class Trap:
    """Wraps a method's `decode` and calls `happens` at its run number `at`, counted from 1."""

    def __init__(self, at: int, happens: Any) -> None:
        self.at, self.happens, self.runs = at, happens, 0

    def __call__(self, inner: Any) -> Any:
        def decode(ids: list[int], most: int) -> Outcome:
            self.runs += 1
            if self.runs == self.at:
                self.happens()
            outcome: Outcome = inner(ids, most)
            return outcome

        return decode


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> Trap:
    """The command on a fake target; set `at` and `happens` of the returned trap."""
    set_up = Trap(0, None)

    def trapped(target: Any, variant: Variant) -> Any:
        contender = method_contender(target, variant)
        return (
            replace(contender, decode=set_up(contender.decode))
            if variant.method == "logitspec"
            else contender
        )

    monkeypatch.setattr("logitspec.models.loader.load", lambda *_, **__: (Fake(), Letters()))
    monkeypatch.setattr(
        "logitspec.models.chat.encode_prompt",
        lambda _, text, before: [
            ord(letter) for pair in (*before, (text,)) for letter in "|".join(pair)
        ],
    )
    monkeypatch.setattr("logitspec.measure.benchmark.contenders.method_contender", trapped)
    return set_up


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The command's arguments: five prompts of two categories, the first with two turns."""
    rows = [
        {"question_id": 1, "category": "a", "turns": ["ABC", "D"]},
        {"question_id": 2, "category": "a", "turns": ["ABCD"]},
        {"question_id": 3, "category": "a", "turns": ["ABCDE"]},
        {"question_id": 4, "category": "b", "turns": ["BCD"]},
        {"question_id": 5, "category": "b", "turns": ["BCDE"]},
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return [
        "benchmark", "--prompts", str(tmp_path / "p.jsonl"), "--methods", *METHODS, "--baselines",
        "--repeats", "2", "--max-new-tokens", "20", "--device", "cpu",
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def interrupts_arrive() -> Iterator[None]:
    """Let interrupts through: they are ignored where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def fill_the_memory() -> None:
    raise MemoryError("no room for 7 GB")


def read(path: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def counts(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    return sorted(tuple(each[name] for name in COUNTS) for each in document["measurements"])


# Cut off. logitspec runs once to warm up, 4 times for prompt 1 (two turns), then 2 times for prompt 4, which
# is the first of its category: its run number 7 is the last one of the second prompt.


@pytest.mark.parametrize(
    ("happens", "status", "why"),
    [
        (interrupt, 130, "an interrupt"),
        (terminate, 143, "SIGTERM"),
        (fill_the_memory, 1, "MemoryError: no room for 7 GB"),
    ],
)
def test_what_is_complete_is_kept_reported_and_resumed(
    happens: Any,
    status: int,
    why: str,
    trap: Trap,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole, cut = tmp_path / "whole.json", tmp_path / "cut.json"
    assert main([*words, "--json", str(whole)]) == 0
    expected = read(whole)
    assert (expected["complete"], expected["missing"]) == (True, [])
    assert len(expected["measurements"]) == 6 * 2 * len(METHODS)
    capsys.readouterr()

    trap.runs, trap.at, trap.happens = 0, 7, happens
    handler = signal.getsignal(signal.SIGTERM)
    assert main([*words, "--json", str(cut)]) == status
    assert signal.getsignal(signal.SIGTERM) is handler
    output = capsys.readouterr()
    assert (
        f"Ended by {why}: 1 of 5 prompts are complete, and only those count. --resume continues from there.\n"
        in output.err
    )
    actual = read(cut)
    assert (actual["complete"], actual["missing"]) == (False, [4, 2, 5, 3])
    assert counts(actual) == [each for each in counts(expected) if each[1] == 1]
    assert json.loads(output.out.splitlines()[-1])["missing"] == [4, 2, 5, 3]
    assert "| a |" in output.out
    assert "| b |" not in output.out
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cut.json", "p.jsonl", "whole.json"]

    trap.at = 0
    assert main([*words, "--resume", str(cut)]) == 0
    assert "measure: 4 of 12 rounds (33 %)" in capsys.readouterr().err
    resumed = read(cut)
    assert (resumed["complete"], resumed["missing"]) == (True, [])
    assert counts(resumed) == counts(expected)


def test_counts_without_times_continue_on_another_processor(
    trap: Trap, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words += ["--methods", "prompt_lookup", "logitspec:tree_size=capacity"]
    timed, cut = tmp_path / "timed.json", tmp_path / "cut.json"
    assert main([*words, "--json", str(timed)]) == 0
    trap.runs, trap.at, trap.happens = 0, 7, interrupt
    assert main([*words, "--untimed", "--json", str(cut)]) == 130
    trap.at = 0
    monkeypatch.setattr("logitspec.measure.environment.cpu_name", lambda: "Another")
    assert main([*words, "--resume", str(cut)]) == 2  # which would time the rest
    assert main([*words, "--untimed", "--resume", str(cut)]) == 0
    expected, actual = read(timed), read(cut)
    assert counts(actual) == counts(expected)
    for wanted, got in zip(expected["methods"], actual["methods"], strict=True):
        for category, score in got["scores"].items():
            times = {name for name in score if "per_second" in name or "speed" in name}
            times |= {"outside_forward", "prefill_ms"}
            assert {score.pop(name) for name in times} == {None}
            assert score.items() <= wanted["scores"][category].items()
    assert "threads" not in conditions(actual)
    assert "counted and not timed" in conditions(actual)


def test_counting_goes_on_from_a_timed_file_and_leaves_it_as_it_is(
    trap: Trap,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timed, counted, whole = (
        tmp_path / name for name in ("timed.json", "counted.json", "whole.json")
    )
    fixed = ["--untimed", "--methods", "logitspec:tree_size=capacity", "prompt_lookup"]
    every = ["--methods", "prompt_lookup", "logitspec:tree_size=capacity", "racer", "logitspec"]
    assert main([*words, *fixed, "--json", str(whole)]) == 0
    assert trap.runs == 6 * 2  # nothing warms up for times that nobody reads
    trap.runs, trap.at, trap.happens = 0, 12, interrupt
    assert main([*words, *every, "--json", str(timed)]) == 130
    assert read(timed)["missing"] == [4, 2, 5, 3]
    trap.at, before = 0, timed.read_bytes()
    monkeypatch.setattr("logitspec.measure.environment.cpu_name", lambda: "Another")
    capsys.readouterr()
    for onto in ([], ["--json", str(timed)]):
        assert main([*words, *fixed, "--resume", str(timed), *onto]) == 2
        assert "timed.json has times; name another file with --json" in capsys.readouterr().err
    more = [*fixed, "goose"]
    assert main([*words, *more, "--resume", str(timed), "--json", str(counted)]) == 2
    assert "another methods (" in capsys.readouterr().err
    assert main([*words, *fixed, "--resume", str(timed), "--json", str(counted)]) == 0
    assert "measure: 4 of 12 rounds (33 %)" in capsys.readouterr().err
    assert timed.read_bytes() == before
    expected, actual = read(whole), read(counted)
    assert counts(actual) == counts(expected)
    for name in ("request", "complete", "missing", "methods"):
        assert actual[name] == expected[name]
    times = ("timed_tokens", "prefill_seconds", "decode_seconds", "forward_seconds")
    assert {tuple(each[name] for name in times) for each in actual["measurements"]} == {
        (0, 0.0, 0.0, None)
    }


def test_the_file_grows_with_each_prompt_and_is_always_whole(
    trap: Trap, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "figures.json"
    seen = []
    honest = files.write

    def spied(at: str, line: str) -> None:
        honest(at, line)
        seen.append(read(path)["missing"])

    monkeypatch.setattr(files, "write", spied)
    assert main([*words, "--json", str(path)]) == 0
    assert seen == [[4, 2, 5, 3], [2, 5, 3], [5, 3], [3], [], []]


@pytest.mark.parametrize("saves", [0, 1, 5])  # at first, on the way, only at the end
def test_a_file_that_takes_no_more_costs_no_figures(
    saves: int,
    trap: Trap,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "figures.json"
    honest, remaining = files.write, iter(range(saves))

    def write(at: str, line: str) -> None:
        if next(remaining, None) is None:
            raise LogitSpecError("Can't write it: the disk is full; free some space.")
        honest(at, line)

    monkeypatch.setattr(files, "write", write)
    assert main([*words, "--json", str(path)]) == 1
    output = capsys.readouterr()
    assert output.err.endswith("\nCan't write it: the disk is full; free some space.\n")
    reason = "Ended by an error (Can't write it: the disk is full; free some space): "
    assert (reason in output.err) == ("Ended by" in output.err) == (saves < 5)
    assert "--resume continues" not in output.err
    missing = json.loads(output.out.splitlines()[-1])["missing"]
    assert len(missing) == max(0, 4 - saves)
    assert path.exists() == (saves > 0)


def test_before_the_first_prompt_there_is_a_sentence_and_no_file_of_figures(
    trap: Trap, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trap.at, trap.happens = 3, interrupt
    path = tmp_path / "figures.json"
    assert main([*words, "--json", str(path)]) == 130
    output = capsys.readouterr()
    assert (
        "Ended by an interrupt: 0 of 5 prompts are complete, and only those count.\n" in output.err
    )
    assert output.out == ""
    assert not path.exists()
    path.touch()  # as earlier versions left one
    trap.at = 0
    assert main([*words, "--resume", str(path)]) == 0
    assert read(path)["complete"]


def test_other_settings_are_refused_in_one_sentence(
    trap: Trap, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"
    trap.at, trap.happens = 7, interrupt
    assert main([*words, "--json", str(path)]) == 130
    before = path.read_bytes()
    capsys.readouterr()
    for change, message in [
        (["--repeats", "3"], "another repeats (2, now 3)"),
        (["--max-new-tokens", "21"], "another max_new_tokens (20, now 21)"),
        (["--per-category", "1"], "another per_category (None, now 1)"),
        (["--methods", "prompt_lookup"], "another methods (["),
    ]:
        assert main([*words, *change, "--resume", str(path)]) == 2
        output = capsys.readouterr()
        assert message in output.err
        assert output.err.count("\n") == 1
    assert path.read_bytes() == before


def test_other_texts_and_other_files_are_refused(
    trap: Trap, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, prompts = tmp_path / "figures.json", tmp_path / "p.jsonl"
    trap.at, trap.happens = 7, interrupt
    main([*words, "--json", str(path)])
    text = prompts.read_text(encoding="utf-8")
    prompts.write_text(text.replace("BCDE", "BCDF"), encoding="utf-8")
    assert main([*words, "--resume", str(path)]) == 2
    assert "another prompts_digest" in capsys.readouterr().err
    assert main([*words, "--resume", str(tmp_path / "none")]) == 2
    assert "no such file" in capsys.readouterr().err
    path.write_text("5", encoding="utf-8")
    assert main([*words, "--resume", str(path)]) == 2
    assert "was not written by `benchmark --json`" in capsys.readouterr().err


def test_a_file_is_shown_as_markdown_and_another_is_refused(
    trap: Trap, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"
    main([*words, "--json", str(path)])
    capsys.readouterr()
    assert main(["benchmark", "--markdown", str(path)]) == 0
    assert capsys.readouterr().out == block(read(path)) + "\n"
    older = {name: value for name, value in read(path).items() if name != "environment"}
    no_method_of_ours = {**read(path), "methods": read(path)["methods"][:1]}
    path.write_text(json.dumps(no_method_of_ours), encoding="utf-8")
    assert main(["benchmark", "--markdown", str(path)]) == 0
    assert "logitspec, times" not in capsys.readouterr().out  # a table without rows
    deep = "[" * 100_000
    for other in ("5", "[]", "{}", json.dumps(older), '{"request": 1, "environment": 2}', "", deep):
        path.write_text(other, encoding="utf-8")
        assert main(["benchmark", "--markdown", str(path)]) == 2
        error = capsys.readouterr().err
        assert "was not written by `benchmark --json`" in error
        assert error.count("\n") == 1


# Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that tqdm reads."""
    now = [1000.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    return now


def told(monkeypatch: pytest.MonkeyPatch, clock: list[float], seconds: float, stream: Any) -> str:
    """What is written while 10 rounds of `seconds` each end, after 4 earlier ones."""
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(4, 14) as bar:
        for _ in range(10):
            clock[0] += seconds
            bar.update()
    written: str = stream.getvalue()
    return written


def test_without_a_terminal_there_are_lines_with_what_is_left(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    lines = told(monkeypatch, clock, 60.0, io.StringIO()).splitlines()
    assert lines[0] == "measure: 4 of 14 rounds (29 %), 00:00 so far, about ? left"
    assert lines[3] == "measure: 7 of 14 rounds (50 %), 03:00 so far, about 07:00 left"
    assert lines[10] == "measure: 14 of 14 rounds (100 %), 10:00 so far, about 00:00 left"


def test_lines_are_half_a_minute_apart(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    """After 36, 72 and 108 seconds; the last one is written at the end."""
    lines = told(monkeypatch, clock, 12.0, io.StringIO()).splitlines()
    assert [line.split()[1] for line in lines] == ["4", "7", "10", "13", "14"]


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    assert told(monkeypatch, clock, 1.0, Terminal()).count("\r") > 5


# Which prompts


def test_the_first_of_each_category_comes_before_the_second_of_any(words: list[str]) -> None:
    file = words[2]
    assert [each.question_id for each in choose([file])] == [1, 4, 2, 5, 3]
    assert [each.question_id for each in choose([file], per_category=1)] == [1, 4]
    assert all(each.later == () for each in choose([file], turns=1))
    assert choose([file], turns=9) == choose([file])
    assert [each.question_id for each in choose([file], ["a"], 2)] == [1, 2]


# Replays

OURS = "logitspec:tree_size=capacity"  # its trees are sized by no clock
QUESTIONS = [
    Prompt(7, "letters", "", "ABCABDABCAB"),
    Prompt(8, "words", "", "HELLOHELLOHELP"),
    Prompt(9, "words", "", "HELPHELPHELLO"),
]


@pytest.fixture(scope="module")
def transcripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The transcripts of the first two questions."""
    path = tmp_path_factory.mktemp("replay") / "t.jsonl.gz"
    save(record(runner("llama"), tokenizer(), QUESTIONS[:2], 40), path)
    return path


def encode(text: str) -> list[int]:
    ids: list[int] = tokenizer()(text)["input_ids"]
    return ids


def measured(target: Any, file: Path | None) -> dict[str, Any]:
    """The document of all methods, with replays or without."""
    names = ["prompt_lookup", "logitspec_paper:draft_tree_capacity=16", OURS]
    contenders = [method_contender(target, each) for each in variants(names)]
    if file:
        result = Transcripts(file, target)
        contenders = [with_replays(each, result) for each in contenders]
    bench = Bench(
        contenders, lambda text, _: encode(text), str, target.limit, max_new_tokens=24, repeats=1
    )
    part = merge(list(measure(bench, QUESTIONS, quiet=True)))
    request = {"category": [], "prompts": ["p"], "model": "m", "decoding": "greedy", "max_new_tokens": 24, "repeats": 2}  # fmt: skip
    environment = {"dtype": "float64", "threads": 1, "cpu": "c"}
    return document(part, contenders, {"request": request, "environment": environment}, whole=True)


def test_replayed_rows_are_the_live_ones_and_say_so(transcripts: Path) -> None:
    target = runner("llama")
    live, mixed = measured(target, None), measured(target, transcripts)
    assert counts(mixed) == counts(live)
    assert mixed["divergences"] == []
    rows = {each["title"]: each["scores"] for each in mixed["methods"]}
    paper = "logitspec_paper draft_tree_capacity=16"
    own = "logitspec tree_size=capacity"
    assert {
        title: [scores[name]["replayed"] for name in ("letters", "words", "overall")]
        for title, scores in rows.items()
    } == {"autoregressive": [0, 0, 0], "prompt_lookup": [1, 1, 2], paper: [1, 1, 2], own: [0, 0, 0]}  # fmt: skip
    assert [rows[paper][name]["live"] for name in ("letters", "words", "overall")] == [0, 1, 1]
    for title in ("prompt_lookup", paper):
        assert rows[title]["overall"]["tokens_per_second"] is None
        assert rows[title]["overall"]["speed_up_over_autoregressive"] is None
    assert rows[own]["overall"]["tokens_per_second"]
    assert (
        f"autoregressive, {own} ran live on 3 turns; prompt_lookup, {paper} ran live on 1 and replayed on"
        " 2 turns."
    ) in block(mixed).replace("\n", " ")


def test_one_turn_is_one() -> None:
    def ran(live: int, replayed: int) -> str:
        scores = {"overall": {"live": live, "replayed": replayed}}
        return origin({"methods": [{"title": "a", "scores": scores}]})

    assert ran(1, 0) == "a ran live on 1 turn."
    assert ran(2, 1) == "a ran live on 2 and replayed on 1 turn."
    assert ran(1, 2) == "a ran live on 1 and replayed on 2 turns."


def test_a_method_that_drafts_from_more_ranks_than_were_recorded_runs_live(tmp_path: Path) -> None:
    """Its replay would draft, and accept, less than a live run."""
    target, file = runner("llama"), tmp_path / "t.jsonl.gz"
    save(record(runner("llama"), tokenizer(), QUESTIONS[:2], 40, ranks=4), file)
    live, mixed = measured(target, None), measured(target, file)
    assert counts(mixed) == counts(live)
    replayed = {each["title"]: each["scores"]["overall"]["replayed"] for each in mixed["methods"]}
    assert replayed["prompt_lookup"] == 2
    assert replayed["logitspec_paper draft_tree_capacity=16"] == 0
    assert Transcripts(file, target).find(encode(QUESTIONS[0].text), 24, ranks=4)


def test_transcripts_of_another_model_are_refused(transcripts: Path) -> None:
    with pytest.raises(LogitSpecError, match="record them again on this model"):
        Transcripts(transcripts, runner("gpt2"))


def test_a_transcript_that_is_too_short_is_none(transcripts: Path) -> None:
    result = Transcripts(transcripts, runner("llama"))
    ids = encode(QUESTIONS[0].text)
    assert result.find(ids, 41) is None
    assert result.find(ids[:-1], 20) is None
    transcript = result.find(ids, 20)
    assert transcript
    assert transcript.max_new_tokens == 20


# Tables


def figures(tokens: int, accepted: float) -> dict[str, Any]:
    return {"tokens": tokens, "mean_accepted_tokens": accepted, "prompts": 1, "tokens_per_second": None,
            "speed_up_over_transformers": None, "speed_up_over_autoregressive": None}  # fmt: skip


def test_tasks_of_spec_bench_stand_beside_the_authors_figures() -> None:
    """writing and coding are turns of MT-bench: 60 tokens from 10 + 10 forwards."""
    names = ["writing", "coding", "translation", "summarization", "qa", "math_reasoning", "rag"]
    paper = {name: figures(30, 2.0) for name in names} | {"overall": figures(210, 2.1)}
    paper |= {"writing": figures(20, 2.0), "coding": figures(40, 4.0)}
    mine = {name: figures(30, 3.0) for name in [*names, "overall"]}
    result: dict[str, Any] = {
        "methods": [
            {"title": "logitspec_paper", "method": "logitspec_paper", "scores": paper},
            {"title": "logitspec", "method": "logitspec", "scores": mine},
        ],
    }
    rows = {row[0]: row[1:] for row in beside(result).rows}
    assert rows["multi-turn"] == ["2.31", "3.00", "3.00"]
    assert rows["math"] == ["2.65", "2.00", "3.00"]
    assert rows["overall"] == ["2.37", f"{210 / 95:.2f}", "3.00"]
    text = tables(result)
    assert "| logitspec | 1.43 |" in text
    assert "| coding | 4.00 | 3.00 |" in text
    del paper["rag"], mine["rag"]
    assert "Vicuna" not in tables(result)
