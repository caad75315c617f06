"""What README.md and the other pages of documentation show is what happens."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from support.fakes import finished
from transformers import AutoModelForCausalLM, AutoTokenizer

from logitspec import METHODS, Origin, StepRecord, Trace, decode, load
from logitspec.__main__ import COMMANDS, parse
from logitspec.models.chat import encode_prompt
from logitspec.models.tokens import Speller
from logitspec.paths import MODEL
from logitspec.prompts import examples

ROOT = Path(__file__).parent.parent
WORKED = 18  # the README shows a step of this example's run
README = (ROOT / "README.md").read_text(encoding="utf-8")
# The pages of drafters and ui add a method and a tab, whose files don't exist; other tests run all they show.
PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for folder in ("", "logitspec", "logitspec/*", "assets/*")
    for page in sorted(ROOT.glob(f"{folder}/*.md" if folder else "*.md"))
    if page.parent.name not in ("drafters", "ui")
}


def worked_prompt() -> str:
    (prompt,) = [each.text for each in examples() if each.question_id == WORKED]
    return prompt


def worked_run() -> Trace:
    target, tokenizer = load(device="cpu", dtype="float32")
    ids = encode_prompt(tokenizer, worked_prompt())
    trace: Trace = finished(decode(target, ids, method="logitspec_paper", max_new_tokens=300))
    trace.spell(Speller(tokenizer))
    return trace


def worked_step(trace: Trace) -> int:
    """The first step that accepts a next-next token and something copied under it."""
    for number, step in enumerate(trace.steps, 1):
        origins = [provenance.origin for provenance in step.provenance]
        if origins[1:3] == [Origin.LOGIT, Origin.RETRIEVED]:
            return number
    raise AssertionError("No such step; choose another example.")


def worked_example(trace: Trace, number: int) -> str:
    """One step in words, from the trace alone."""
    step: StepRecord = trace.steps[number - 1]
    before = [token for each in trace.steps[: number - 1] for token in each.tokens]
    sequence = trace.prompt_ids + before

    def spelt(*tokens: int) -> str:
        return json.dumps(b"".join(trace.vocabulary[t] for t in tokens).decode())

    def listed(tokens: list[int]) -> str:
        return " ".join(spelt(token) for token in tokens)

    guess, copied = step.provenance[1], step.provenance[2]
    ranks = sorted({0, 1, 2, 3, 4, guess.rank or 0})
    size, start = copied.match_length or 0, copied.copied_from or 0
    copies = [
        t for t, p in zip(step.tokens, step.provenance, strict=True) if p.origin is Origin.RETRIEVED
    ]
    counts = step.states()
    width = 14
    rows = {
        "text so far": "... " + spelt(*sequence[-8:]),
        "last logits": ", ".join(f"{rank} {spelt(step.last.ids[rank])}" for rank in ranks),
        "root": f"{spelt(step.tree.tokens[0])}, rank 0: certain",
        "next-next": f"{spelt(step.tokens[1])}, rank {guess.rank}, is drafted as its child",
        "retrieve": (
            f"the last {size} of text + root + {spelt(step.tokens[1])} also stood before position"
            f" {start}: {spelt(*sequence[start - size : start])}"
        ),
        "copy": f"what followed there: {listed(copies)}",
        "verify": f"{len(step.tree)} nodes in one forward pass",
        "accept": (
            f"{listed(step.tokens)}: {len(step.tokens)} tokens, and"
            f" {counts.count('rejected')} nodes rejected, {counts.count('uncompared')} not compared"
        ),
        "next root": spelt(step.choices[step.path[-1]]),
    }
    lines = [f"{name:<{width}}{words}" for name, words in rows.items()]
    return "\n".join(lines)


def test_the_worked_example_is_a_step_of_the_built_in_model() -> None:
    trace = worked_run()
    number = worked_step(trace)
    expected = f"Step {number} of {len(trace.steps)}"
    block = f"```text\n{worked_example(trace, number)}\n```"
    assert expected in README, f"{expected}\n{block}"
    assert block in README, block
    assert f'"{worked_prompt().splitlines()[0]}"' in README


def python_output(place: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the README's Python example number `place` prints, run from the project's folder."""
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[place]
    out = io.StringIO()
    monkeypatch.chdir(ROOT)
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    return out.getvalue()


def test_the_python_example_runs_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = python_output(0, monkeypatch)
    lines = printed.splitlines()
    assert lines
    assert all(
        re.match(r"\d+ drafted, \d+ accepted: ", line) for line in lines if "drafted" in line
    )
    assert "63 drafted" in printed


def test_the_example_inside_transformers_writes_what_generate_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype="float32")
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    ids = encode_prompt(tokenizer, "Write a short story about a fox.")
    written = model.generate(torch.tensor([ids]), max_new_tokens=60)[0, len(ids) :]
    assert (
        python_output(1, monkeypatch) == tokenizer.decode(written, skip_special_tokens=True) + "\n"
    )


@pytest.mark.parametrize("name", PAGES)
def test_pictures_and_files_that_a_page_names_exist(name: str) -> None:
    page, text = ROOT / name, PAGES[name]
    for target in re.findall(r"\]\(((?!https?:)[^)#]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    for path in re.findall(r"`((?:logitspec|assets|tests)/[\w./]+)`", text):
        assert path.endswith("/node_modules") or (ROOT / path).exists(), path  # which npm makes


@pytest.mark.parametrize("name", PAGES)
def test_places_in_other_pages_that_a_page_names_exist(name: str) -> None:
    page = ROOT / name
    for target, place in re.findall(r"\]\(((?!https?:)[^)#]*)#([^)]+)\)", PAGES[name]):
        other = page.parent / target if target else page
        heads = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.M)
        assert place in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def commands(text: str) -> Iterator[str]:
    """The calls of the command line in a page: those of its shell blocks, and those between backticks
    that have options. Words in capitals stand for names of files."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    spans = [span for span in re.findall(r"`([^`\n]+)`", text) if " --" in span]
    for line in [*lines, *spans]:
        for call in line.split("&&"):
            if result := re.search(r"(?:^| )-m logitspec(?= |$)(.*)", call):
                yield result[1]


CALLS = [(name, call) for name, text in PAGES.items() for call in commands(text)]


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_every_command_of_a_page_is_one_that_the_program_takes(name: str, call: str) -> None:
    words = shlex.split(call, comments=True)
    module, options = parse(words)
    assert callable(module.run)
    assert options


def test_pages_show_every_command_by_name() -> None:
    mentioned = {shlex.split(call)[0] for _, call in CALLS if call.strip()}
    inline = re.findall(r"`python -m logitspec ([\w-]+)`", "".join(PAGES.values()))
    assert set(COMMANDS) - {"run"} <= mentioned | set(inline)
    assert set(inline) <= set(COMMANDS)


def test_the_methods_that_it_lists_exist_and_lead_to_their_papers() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", README, re.M))
    assert len(rows) >= 6
    for method, source in rows.items():
        assert f"({METHODS[method].paper})" in source or not METHODS[method].paper


def test_the_player_s_page_names_every_module_of_the_player() -> None:
    folder = ROOT / "assets" / "player"
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert {file.name for file in folder.glob("*.js") if f"`{file.name}`" not in page} == set()


def test_it_is_short() -> None:
    words = [each for each in README.split() if any(map(str.isalnum, each))]  # not table borders
    assert len(words) <= 2000
