"""The terminal command."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from logitspec import METHODS, DraftTree, Origin, Provenance, StepRecord, TopK, Trace
from logitspec.__main__ import Printer, harmless, main
from logitspec.drafters import option_fields

PROMPT = "Write a short story about a fox who found a red kite."
STYLED = re.compile("\x1b" + r"\[([0-9;]+)m(.*?)" + "\x1b" + r"\[0m", re.DOTALL)


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([PROMPT, "--max-new-tokens", "40", *arguments]) == 0
    return capsys.readouterr().out


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
    assert "share by origin: " in printed


def test_every_method_writes_the_same_text(capsys: pytest.CaptureFixture[str]) -> None:
    for sampling in ([], ["--temperature", "0.9", "--seed", "5"]):
        texts = {
            json.loads(output(capsys, "--json", "--method", m, *sampling).splitlines()[-1])["text"]
            for m in METHODS
        }
        assert len(texts) == 1


def test_options_come_from_the_dataclass_of_the_method(capsys: pytest.CaptureFixture[str]) -> None:
    for method in METHODS:
        with pytest.raises(SystemExit):
            main(["--help", "--method", method])
        shown = capsys.readouterr().out
        for each in option_fields(METHODS[method]):
            assert f"--{each.name.replace('_', '-')}" in shown
    printed = output(capsys, "--json", "--draft-tree-capacity", "8")
    assert json.loads(printed.splitlines()[-1])["options"]["draft_tree_capacity"] == 8
    switches = ["--method", "token_recycling", "--no-seed-from-prompt"]
    options = json.loads(output(capsys, "--json", *switches).splitlines()[-1])["options"]
    assert options == {"seed_from_prompt": False}


@pytest.mark.parametrize(
    "arguments",
    [
        [""],
        [PROMPT, "--model", "nobody/nothing"],
        [PROMPT, "--device", "abacus"],
        [PROMPT, "--max-new-tokens", "-3"],
        [PROMPT, "--temperature", "-1"],
        [PROMPT, "--draft-tree-capacity", "1000"],
        [PROMPT, "--max-new-tokens", "2", "--trace", "/no/such/folder/run.json"],
    ],
)
def test_what_can_not_be_done_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.endswith(".\n")
    assert said.count("\n") == 1


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
    shown = printed_steps(monkeypatch, FORCE_COLOR="1")
    assert STYLED.findall(shown)[:2] == [("1;33", " b"), ("4;36", " c")]
    assert "runner" not in shown.split("\n\n")[0]
    legend = shown.split("\n\n")[1]
    assert "next-next token" in legend
    assert "n-gram" in legend


def test_no_color_leaves_no_colour_but_the_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = printed_steps(monkeypatch, FORCE_COLOR="1", NO_COLOR="1")
    assert {style for style, _ in STYLED.findall(shown)} == {"1", "4"}


def test_a_pipe_gets_plain_text_with_whole_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed_steps(monkeypatch) == "a b c✓⟨1b⟩[31m\n"


@pytest.mark.parametrize("hostile", ["\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\r", "\u200f"])
def test_characters_that_command_a_terminal_are_spelled(hostile: str) -> None:
    assert harmless(hostile) == f"⟨{ord(hostile):02x}⟩"
    assert [harmless(c) for c in "a\n\té✓"] == list("a\n\té✓")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f'{sys.executable} -m logitspec "{PROMPT}" --max-new-tokens 30 | head -c 5'
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True
    )
    assert (done.stderr, len(done.stdout)) == ("", 5)


def test_options_are_not_abbreviated() -> None:
    with pytest.raises(SystemExit):
        main([PROMPT, "--meth", "prompt_lookup"])


def test_the_module_runs_as_a_command() -> None:
    command: list[Any] = [sys.executable, "-m", "logitspec", PROMPT, "--max-new-tokens", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "5 tokens from" in done.stdout
    assert done.stderr == ""
