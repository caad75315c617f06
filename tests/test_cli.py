"""The terminal command."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import pytest

from logitspec import (
    METHODS,
    DraftTree,
    LogitSpecError,
    Origin,
    Provenance,
    StepRecord,
    TopK,
    Trace,
)
from logitspec.__main__ import COMMANDS, main, parse
from logitspec.commandline import Terminated
from logitspec.drafters import DEFAULT_METHOD, option_fields
from logitspec.models import loader
from logitspec.runtime.runner import Runner
from logitspec.terminal import Printer, escape
from logitspec.trace.schema import LIMITS

PROMPT = "Write a short story about a fox who found a red kite."
LOAD = cache(loader.load)
STYLED = re.compile("\x1b" + r"\[([0-9;]+)m(.*?)" + "\x1b" + r"\[0m", re.DOTALL)


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "load", LOAD)


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([PROMPT, "--max-new-tokens", "40", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("limit", "why"),
    [("bytes", "has 0 MB, and files of up to 0 MB"), ("brackets", "has more steps and nodes")],
)
def test_a_trace_that_is_too_large_to_open_is_saved_and_said(
    limit: str,
    why: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(LIMITS, limit, 9)
    file = tmp_path / "run.json"
    assert main([PROMPT, "--max-new-tokens", "4", "--trace", str(file)]) == 0
    printed = capsys.readouterr()
    assert f"This trace {why}" in printed.err
    assert "fewer new tokens" in printed.err
    assert "mean accepted tokens" in printed.out
    with pytest.raises(LogitSpecError):
        Trace.open(file)
    monkeypatch.undo()
    assert len(Trace.open(file).output_ids) == 4


def test_an_error_in_the_middle_of_a_run_leaves_its_text_and_its_trace(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, left = Runner.commit, iter(range(3))

    def commit_until_full(target: Runner, path: Any) -> None:
        if next(left, None) is None:
            raise MemoryError
        commit(target, path)

    monkeypatch.setattr(Runner, "commit", commit_until_full)
    file = tmp_path / "run.json"
    words = [PROMPT, "--method", "autoregressive", "--trace", str(file)]
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("The memory is full")
    trace = Trace.open(file)
    assert (trace.finish, trace.error) == ("error", printed.err.strip())
    assert printed.out == trace.output_bytes.decode() + "\n"
    assert len(trace.steps) == 3


def test_text_summary_json_and_trace_agree(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "run.json.gz"
    printed = output(capsys, "--json", "--trace", str(file))
    document = json.loads(printed.splitlines()[-1])
    trace = Trace.open(file)
    assert printed.startswith(document["text"])
    assert document["text"] == trace.output_bytes.decode()
    assert document["output_ids"] == trace.output_ids
    numbers = document["summary"]
    assert numbers["tokens"] == len(trace.output_ids)
    assert numbers["forwards"] == len(trace.steps)
    mean = len(trace.output_ids) / len(trace.steps)
    assert numbers["mean_accepted_tokens"] == pytest.approx(mean)
    assert f"{mean:.2f} mean accepted tokens" in printed
    assert "tokens per target forward, root included, prefill excluded" in printed
    assert "tokens/s" in printed
    assert f"{len(trace.output_ids)} tokens from" in printed
    assert "share by origin: " in printed


def test_every_method_writes_the_same_text_and_has_its_own_defaults(
    capsys: pytest.CaptureFixture[str],
) -> None:
    texts = set()
    for method, drafter in METHODS.items():
        document = json.loads(output(capsys, "--json", "--method", method).splitlines()[-1])
        assert document["options"] == drafter().options()
        texts.add(document["text"])
    assert len(texts) == 1


def test_sampled_text_depends_on_no_method(capsys: pytest.CaptureFixture[str]) -> None:
    sampling = ["--json", "--temperature", "0.9", "--seed", "5"]
    plain, drafted = (
        json.loads(output(capsys, *sampling, "--method", method).splitlines()[-1])["text"]
        for method in ("autoregressive", DEFAULT_METHOD)
    )
    assert plain == drafted


def test_options_come_from_the_dataclasses_of_the_methods(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    text = capsys.readouterr().out
    kinds: dict[str, type] = {}
    for method in METHODS.values():
        for each in option_fields(method):
            assert f"--{each.name.replace('_', '-')}" in text
            assert kinds.setdefault(each.name, type(each.default)) is type(each.default)
    printed = output(capsys, "--json", "--draft-tree-capacity", "8")
    assert json.loads(printed.splitlines()[-1])["options"]["draft_tree_capacity"] == 8
    switches = ["--method", "token_recycling", "--no-seed-from-prompt"]
    options = json.loads(output(capsys, "--json", *switches).splitlines()[-1])["options"]
    assert options == {"seed_from_prompt": False}
    several = ["--method", "goose", "--ngram-lengths", "4", "2"]
    options = json.loads(output(capsys, "--json", *several).splitlines()[-1])["options"]
    assert options["ngram_lengths"] == [4, 2]


@pytest.mark.parametrize(
    "arguments",
    [
        [""],
        [PROMPT, "--model", "nobody/nothing"],
        [PROMPT, "--device", "abacus"],
        [PROMPT, "--max-new-tokens", "-3"],
        [PROMPT, "--temperature", "-1"],
        [PROMPT, "--draft-tree-capacity", "1000"],
        [PROMPT, "--method", "prompt_lookup", "--draft-tree-capacity", "8"],
        ["run", ""],
        ["export", "no/such/trace.json", "--html", "run.html"],
        ["train", "--resume", "--work", "no/such/folder"],
        ["benchmark", "--methods", "magic"],
        [PROMPT, "--max-new-tokens", "2", "--trace", "/no/such/folder/run.json"],
    ],
)
def test_what_can_not_be_done_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.endswith(".\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([" "], "The prompt is empty"),
        ([PROMPT, "--max-new-tokens", "0"], "max_new_tokens must be from 1"),
        ([PROMPT, "--temperature", "11"], "Temperature 11.0 is out of range"),
        ([PROMPT, "--seed", "-1"], "Seed -1 is out of range"),
        ([PROMPT, "--draft-tree-capacity", "1"], "draft_tree_capacity must be"),
        ([PROMPT, "--method", "racer", "--num-pred-tokens", "8"], "racer has no option"),
        (["replay", "record", "--out", "a.gz", "--max-new-tokens", "0"], "max_new_tokens must be"),
        (["evidence", "--out", "a.json", "--max-new-tokens", "0"], "max_new_tokens must be"),
    ],
)
def test_no_model_is_loaded_for_what_none_could_run(
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    def load(*_: Any, **__: Any) -> Any:
        raise LogitSpecError("It was loaded.")

    monkeypatch.setattr(loader, "load", load)
    assert main(words) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_signal_keeps_the_steps_so_far(
    number: int,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    honest = Printer.step

    def shows(printer: Printer, *step: Any) -> None:
        honest(printer, *step)
        signal.raise_signal(number)

    monkeypatch.setattr(Printer, "step", shows)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main([PROMPT, "--trace", str(tmp_path / "run.json")]) == code
    finally:
        signal.signal(signal.SIGINT, handler)
    assert "ended by cancelled" in capsys.readouterr().out
    trace = Trace.open(tmp_path / "run.json")
    assert (trace.finish, len(trace.steps)) == ("cancelled", 1)
    assert len(list(tmp_path.iterdir())) == 1


def step(*pieces: Origin) -> StepRecord:
    tree = DraftTree(0)
    for place, origin in enumerate(pieces[1:]):
        tree.add(place, place + 1, Provenance(origin))
    size = len(pieces)
    return StepRecord(0, TopK([0], [1.0]), tree, list(range(1, size + 1)), list(range(size)))


def printed_steps(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    printer = Printer(out)
    printer.step(step(Origin.ROOT, Origin.LOGIT, Origin.RETRIEVED), [b"a", b" b", b" c\xe2"])
    printer.step(step(Origin.ROOT), [b"\x9c\x93\x1b[31m"])
    printer.end()
    return out.getvalue()


def test_styles_tell_the_sources_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    output = printed_steps(monkeypatch, FORCE_COLOR="1")
    assert STYLED.findall(output)[:2] == [("1;33", " b"), ("4;36", " c")]
    assert "runner" not in output.split("\n\n")[0]
    legend = output.split("\n\n")[1]
    assert "next-next token" in legend
    assert "n-gram" in legend


def test_no_color_leaves_no_colour_but_the_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    output = printed_steps(monkeypatch, FORCE_COLOR="1", NO_COLOR="1")
    assert {style for style, _ in STYLED.findall(output)} == {"1", "4"}


def test_a_pipe_gets_plain_text_with_whole_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed_steps(monkeypatch) == "a b c✓⟨1b⟩[31m\n"


@pytest.mark.parametrize(
    "hostile", ["\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\r", "\u200f", "\u061c"]
)
def test_characters_that_command_a_terminal_are_spelled(hostile: str) -> None:
    assert escape(hostile) == f"⟨{ord(hostile):02x}⟩"
    assert [escape(c) for c in "a\n\té✓"] == list("a\n\té✓")


def test_one_of_a_thing_is_in_the_singular(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\n1 token from 1 forward: 1.00 mean" in output(capsys, "--max-new-tokens", "1")


def without_a_reader() -> TextIO:
    """What writes to a pipe that its reader, `head` for one, has closed."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


def test_a_reader_that_leaves_early_ends_a_run_without_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "run.json"
    with without_a_reader() as nobody, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", nobody)
        assert main([PROMPT, "--max-new-tokens", "400", "--trace", str(file)]) == 0
    assert capsys.readouterr().err == ""
    trace = Trace.open(file)
    assert (trace.finish, len(trace.steps)) == ("cancelled", 1)


def test_a_process_without_a_reader_ends_in_silence() -> None:
    with without_a_reader() as nobody:
        command = [sys.executable, "-m", "logitspec"]
        done = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, check=False)
        nobody.close()
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="there is no /bin/sh")
def test_without_a_place_to_write_to_nothing_fails() -> None:
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        command = ["/bin/sh", "-c", f'"$0" -m logitspec {closed}', sys.executable]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_it_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--help"], ["-h"]):
        assert main(words) == 0
        output = capsys.readouterr().out
        assert [name for name in COMMANDS if not re.search(rf"^    {name}\b", output, re.M)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m logitspec {name} ")


def test_help_waits_for_no_model_library() -> None:
    for words in (["--help"], ["run", "--help"], ["benchmark", "--help"]):
        code = (
            "import sys\nfrom logitspec.__main__ import COMMANDS, main, parse\n"
            f"try: main({words})\nexcept SystemExit: pass\n"
            "print({'torch', 'transformers', 'gradio'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.endswith("\nset()\n"), done


def test_the_word_run_may_be_left_out() -> None:
    words = [PROMPT, "--max-new-tokens", "3", "--no-copies"]
    assert parse(words) == parse(["run", *words])
    assert parse(["run", "benchmark"])[1].prompt == "benchmark"
    assert parse(["--", "-5 + 3"])[1].prompt == "-5 + 3"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (LogitSpecError("Mend it."), 2, "Mend it.\n"),
        (FileNotFoundError(2, "No such file", "a.json"), 2, "Can't use a.json (No such file).\n"),
        (KeyboardInterrupt(), 130, ""),
        (Terminated(), 143, ""),
        (None, 0, ""),
    ],
)
def test_every_command_ends_alike(
    error: BaseException | None,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(options: object) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr("logitspec.publish.export.run", fails)
    assert main(["export", "run.json"]) == code
    assert capsys.readouterr().err == message


def test_no_character_ends_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logitspec.publish.export.run", lambda _: print("Füchse, 狐"))
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="latin-1"))
    assert main(["export", "run.json"]) == 0
    assert out.getvalue().rstrip() == b"F\xfcchse, \\u72d0"


@pytest.mark.parametrize("words", [["--exact"], ["--no-exact"], []])
@pytest.mark.parametrize("command", [["run", "hi"], ["benchmark", "--repeats", "1"]])
def test_every_run_may_be_exact(
    command: list[str], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: dict[str, Any] = {}

    def load(*_: Any, **options: Any) -> Any:
        taken.update(options)
        raise LogitSpecError("Enough.")

    monkeypatch.setattr(loader, "load", load)
    assert main([*command, "--model", "builtin", *words]) == 2
    assert taken["exact"] is {"--exact": True, "--no-exact": False}.get("".join(words))


@pytest.mark.parametrize(
    "words",
    [
        [PROMPT, "--meth", "prompt_lookup"],
        ["replay", "run", "run.gz", "--opti", "max_ngram_size=2"],
    ],
)
def test_options_are_not_abbreviated(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [PROMPT, "--trace", ""],
        ["benchmark", "--json="],
        ["benchmark", "--prompts", "a.jsonl", ""],
        ["replay", "run", "run.gz", "--json", ""],
        ["record", "--out", ""],
        ["deploy", "--space", ""],
    ],
)
def test_an_empty_value_is_refused_before_anything_runs(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    option = next(word for word in reversed(words) if word.startswith("--")).rstrip("=")
    assert (
        f"error: argument {option}: its value is empty; give one, or leave the option out"
        in capsys.readouterr().err
    )
