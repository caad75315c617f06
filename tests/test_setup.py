"""What holds the project together: linters, layers, and files that must agree."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import ranges
import yaml
from packaging.version import Version

from logitspec.version import VERSION

ROOT = Path(__file__).resolve().parent.parent

# Imports point down. A module may import from its own row and from those below it.
LAYERS = [
    ["app"],
    ["ui", "__main__", "deploy"],
    ["session", "benchmark", "evidence", "export", "record", "replay", "generation"],
    ["picture", "jobs"],
    [
        "models",
        "checks",
        "placing",
        "traits",
        "runner",
        "engine",
        "race",
        "trace",
        "metrics",
        "builtin",
    ],
    ["llama", "forward", "product", "cache", "sampling", "ranks"],
    ["drafters"],
    ["graphs", "ngram", "automaton", "target", "tokens", "costs"],
    ["tree"],
    ["deploy_plan"],
    ["hub", "catalogue", "spacefile"],
    ["zero"],
    ["errors", "recordings", "version"],
]

# What a module must not import although its row would let it.
STRANGERS = {
    "app": {"models", "runner", "engine", "drafters", "trace"},
    "automaton": {"tree", "target"},
    "benchmark": {"session", "export", "record", "builtin"},
    "builtin": {"session", "runner"},
    "cache": {"trace", "engine", "models", "drafters", "tokens", "tree"},
    "checks": {"models", "placing", "engine", "trace", "metrics", "builtin", "drafters", "tree"},
    "engine": {"runner", "models", "cache", "graphs", "sampling", "tokens", "builtin"},
    "deploy": {"session", "models", "runner", "engine", "drafters", "trace", "benchmark"},
    "deploy_plan": {"hub", "catalogue"},
    "evidence": {"session", "export", "record", "benchmark", "runner"},
    "export": {"runner", "models", "engine", "session"},
    "forward": {"drafters", "tokens", "tree"},
    "generation": {"session", "builtin"},
    "graphs": {"*"},
    "hub": {"*"},
    "jobs": {"models", "runner", "metrics", "graphs", "builtin"},
    "llama": {"drafters", "tokens", "tree"},
    "metrics": {"runner", "models", "engine"},
    "models": {"drafters", "engine"},
    "ngram": {"tree", "target"},
    "picture": {"runner", "models", "engine", "metrics", "drafters"},
    "placing": {"models", "checks", "engine", "trace", "metrics", "builtin", "drafters", "tree"},
    "product": {"*"},
    "race": {"runner", "models", "metrics", "graphs", "builtin"},
    "ranks": {"tree", "drafters", "cache", "sampling", "forward"},
    "record": {"session", "export", "runner"},
    "recordings": {"*"},
    "replay": {"session", "export", "runner", "record", "benchmark", "builtin"},
    "runner": {"drafters", "tokens", "engine", "models", "checks", "placing"},
    "spacefile": {"*"},
    "sampling": {"tree", "cache", "runner"},
    "trace": {"engine", "runner", "models", "metrics"},
    "traits": {"*"},
    "tree": {"drafters"},
    "version": {"*"},
}

# Who may import the heavy packages.
MAY_IMPORT = {
    "torch": {
        "sampling",
        "ranks",
        "runner",
        "forward",
        "llama",
        "product",
        "cache",
        "graphs",
        "models",
        "checks",
        "placing",
        "traits",
        "generation",
        "benchmark",
        "builtin",
    },
    "transformers": {
        "models",
        "checks",
        "traits",
        "generation",
        "runner",
        "llama",
        "cache",
        "builtin",
        "benchmark",
    },
    "accelerate": {"models", "benchmark"},
    "gradio": {"ui"},
    "plotly": {"ui"},
    "spaces": {"zero"},
}

# Installed by the six packages of requirements.txt, or (spaces) there on Hugging Face only.
COME_ALONG = {
    "huggingface_hub": "transformers",
    "safetensors": "transformers",
    "tokenizers": "transformers",
    "tqdm": "transformers",
    "yaml": "transformers",
}

TOP_LEVEL = {
    "app.py", "logitspec", "assets", "tests", "requirements.txt", "README.md", "Spacefile",
    "LICENSE", "pyproject.toml", ".gitignore", ".gitattributes", ".ci",
}  # fmt: skip

COMMANDS = [
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python app.py",
    "python3 -m venv .venv && .venv/bin/pip install -r tests/requirements.txt && "
    ".venv/bin/python -m pytest -n 2 --dist loadfile",
]

MEGABYTES_AT_MOST = 9.5


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@cache
def files() -> list[Path]:
    """The project's files, relative to its folder: those in git, and new ones not ignored."""
    listed = run(
        "git", "-c", "safe.directory=*", "ls-files", "-z",
        "--cached", "--others", "--exclude-standard",
    )  # fmt: skip
    assert listed.returncode == 0, f"This test wants a git checkout: {listed.stderr}"
    names = {Path(name) for name in listed.stdout.split("\0") if name}
    return sorted(name for name in names if (ROOT / name).is_file())


# Linters


@pytest.mark.parametrize(
    "command",
    [("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy", "--strict")],
    ids=["format", "lint", "types"],
)
def test_linters_find_nothing(command: tuple[str, ...]) -> None:
    done = run(sys.executable, "-m", *command)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


# Layers


def row(module: str) -> int:
    return next(place for place, names in enumerate(LAYERS) if module in names)


def sources() -> dict[str, str]:
    """Python source by dotted module name, without the tests."""
    return {
        ".".join(file.with_suffix("").parts): (ROOT / file).read_text(encoding="utf-8")
        for file in files()
        if file.suffix == ".py" and file.parts[0] in ("app.py", "logitspec")
    }


def imports(name: str, source: str, known: frozenset[str]) -> set[str]:
    """Dotted names that the module `name` imports anywhere, functions and type checks included."""
    found: set[str] = set()
    package = name if name.endswith("__init__") else name.rpartition(".")[0]
    package = package.removesuffix(".__init__")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                whole = inner in known or f"{inner}.__init__" in known
                found.add(inner if whole else base)
    return found


def part(name: str) -> str:
    """The row entry of a dotted name: logitspec.drafters.base is of drafters."""
    pieces = name.removesuffix(".__init__").split(".")
    return pieces[1] if len(pieces) > 1 else pieces[0]


def graph(code: dict[str, str]) -> dict[str, set[str]]:
    return {name: imports(name, source, frozenset(code)) for name, source in code.items()}


def layer_faults(code: dict[str, str]) -> list[str]:
    """Every import that breaks the layers, as "importer -> imported: why"."""
    faults = []
    for name, imported in graph(code).items():
        own = part(name)
        if name == "logitspec.__init__":  # the public names, from wherever they are
            continue
        for other in sorted(imported):
            if other.split(".")[0] in ("logitspec", "app"):
                theirs = part(other)
                if theirs == own:
                    continue
                if theirs == "logitspec":
                    if row(own) > row("ui"):
                        faults.append(f"{name} -> {other}: the public names stand above it")
                elif row(theirs) < row(own):
                    faults.append(f"{name} -> {other}: points up")
                elif STRANGERS.get(own, set()) & {theirs, "*"} and theirs != "errors":
                    faults.append(f"{name} -> {other}: must not know it")
            elif own not in MAY_IMPORT.get(other.split(".")[0], {own}):
                faults.append(f"{name} -> {other}: must not know it")
    return faults


def test_every_module_has_a_row() -> None:
    rows = [name for names in LAYERS for name in names]
    assert len(rows) == len(set(rows))
    assert {part(name) for name in sources()} - {"logitspec"} <= set(rows)
    assert set(STRANGERS) | set().union(*MAY_IMPORT.values()) <= set(rows)


def test_imports_point_down() -> None:
    assert layer_faults(sources()) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("logitspec.tree", "import logitspec.engine"),
        ("logitspec.drafters.base", "def f():\n    from logitspec import runner"),
        ("logitspec.drafters.base", "from ..engine import decode"),
        ("logitspec.engine", "from logitspec import DraftTree"),
        ("logitspec.engine", "import torch.nn"),
        ("logitspec.engine", "from logitspec.runner import Runner"),
        ("logitspec.ngram", "from logitspec.tree import DraftTree"),
        ("logitspec.session", "from logitspec.ui import page"),
        ("logitspec.graphs", "from logitspec.sampling import pick"),
        ("logitspec.ui.page", "from spaces import GPU"),
        ("app", "import gradio"),
    ],
)
def test_a_wrong_import_is_found(name: str, source: str) -> None:
    known = {f"logitspec.{module}": "" for names in LAYERS for module in names}
    assert len(layer_faults({**known, name: source})) == 1


def test_no_modules_import_each_other_in_a_circle() -> None:
    code = sources()
    edges = {}
    for name, imported in graph(code).items():
        if name == "logitspec.__init__":
            continue
        inside = {
            f"{other}.__init__" if f"{other}.__init__" in code else other for other in imported
        }
        edges[name] = (inside & set(code)) - {name, "logitspec.__init__"}
    list(TopologicalSorter(edges).static_order())  # raises CycleError


def test_the_engine_runs_without_the_heavy_packages() -> None:
    code = (
        "import sys, logitspec, logitspec.metrics, logitspec.tokens\n"
        f"print(*sorted(set({sorted(MAY_IMPORT)}) & set(sys.modules)))"
    )
    done = run(sys.executable, "-c", code)
    assert done.stdout.strip() == "", done.stdout
    assert done.returncode == 0, done.stderr


def test_imports_come_from_the_requirements() -> None:
    pins = {requirement.name for requirement in requirements("requirements.txt")}
    assert set(COME_ALONG.values()) <= pins
    allowed = {"logitspec", "app", "spaces"} | pins | set(COME_ALONG) | set(sys.stdlib_module_names)
    strangers = {
        f"{name} -> {other}"
        for name, imported in graph(sources()).items()
        for other in imported
        if other.split(".")[0] not in allowed
    }
    assert strangers == set()


# Requirements, README and Spacefile


class Requirement:
    """A line of requirements.txt. lowest, version: equal where it is an exact pin."""

    def __init__(self, line: str) -> None:
        found = re.fullmatch(r"([\w.-]+)(?:==|>=([\d.]+),<=)([\w.]+)", line)
        assert found, f"neither an exact pin nor a range with two ends: {line}"
        self.name, lowest, self.version = found.groups()
        self.lowest = lowest or self.version


def requirements(name: str) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-r")]


def spacefile() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "Spacefile").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def front_matter() -> dict[str, Any]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, yaml_text, _ = text.split("---\n", 2)
    loaded = yaml.safe_load(yaml_text)
    assert isinstance(loaded, dict)
    return loaded


def test_requirements_are_the_six_packages_once() -> None:
    found = requirements("requirements.txt")
    assert sorted(each.name for each in found) == [
        "accelerate", "gradio", "numpy", "plotly", "torch", "transformers",
    ]  # fmt: skip
    for each in found:
        assert Version(each.lowest) <= Version(each.version)


def test_the_ends_of_the_ranges_are_those_of_the_requirements() -> None:
    ranged = [each for each in requirements("requirements.txt") if each.lowest != each.version]
    assert {each.name for each in ranged} >= {"torch", "transformers"}
    assert ranges.ends() == {
        "lowest": {each.name: each.lowest for each in ranged},
        "highest": {each.name: each.version for each in ranged},
    }


def test_test_requirements_include_those_of_the_app() -> None:
    text = (ROOT / "tests/requirements.txt").read_text()
    assert "-r ../requirements.txt" in text.splitlines()
    assert not {pin.name for pin in requirements("tests/requirements.txt")} & {
        pin.name for pin in requirements("requirements.txt")
    }


def test_front_matter_is_the_spacefiles() -> None:
    assert front_matter() == spacefile()["front_matter"]


def test_front_matter_says_what_hugging_face_wants() -> None:
    front = front_matter()
    pins = {pin.name: pin.version for pin in requirements("requirements.txt")}
    assert front["sdk"] == "gradio"
    assert front["sdk_version"] == pins["gradio"]
    assert front["python_version"] in ("3.10", "3.11", "3.12", "3.13")
    assert (ROOT / front["app_file"]).is_file()
    assert len(front["short_description"]) <= 60
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {front["colorFrom"], front["colorTo"]} <= colours
    assert front["title"] == "LogitSpec Live"
    assert front["license"] == "apache-2.0"
    assert isinstance(front["models"], list)
    assert all(re.fullmatch(r"[a-z0-9-]+", tag) for tag in front["tags"])
    assert front["pinned"] is False


def test_spacefile_keys_are_known() -> None:
    space = spacefile()
    assert set(space) == {
        "name", "front_matter", "hardware", "storage", "variables", "secrets", "files", "smoke",
    }  # fmt: skip
    assert re.fullmatch(r"[a-z0-9-]+", space["name"])
    assert not set(space) & {"v", "micros", "engine", "presets"}  # Deta's, of the same file name
    for choice in space["hardware"]:
        assert set(choice) - {"sleep_seconds"} == {"name", "python", "torch"}
        assert isinstance(choice["python"], str)
        assert re.fullmatch(r"\d+\.\d+\.\d+", choice["torch"])
    assert space["storage"] == "none"
    assert all(isinstance(value, str) for value in space["variables"].values())
    for secret in space["secrets"]:
        assert set(secret) == {"name", "from", "required"}


def test_spacefile_hardware_fits_the_requirements() -> None:
    space = spacefile()
    default = space["hardware"][0]
    pins = {pin.name: pin.version for pin in requirements("requirements.txt")}
    assert default["name"] == front_matter()["suggested_hardware"] == "cpu-basic"
    assert default["python"] == front_matter()["python_version"]
    assert default["torch"] == pins["torch"]
    torch = next(each for each in requirements("requirements.txt") if each.name == "torch")
    for choice in space["hardware"]:
        assert Version(torch.lowest) <= Version(choice["torch"]) <= Version(torch.version)
        assert choice["python"] in ("3.10", "3.11", "3.12", "3.13") or choice["name"] in ZERO


ZERO = {"zero-a10g"}


def test_zerogpu_gets_versions_that_it_runs() -> None:
    (choice,) = [each for each in spacefile()["hardware"] if each["name"] in ZERO]
    assert choice["python"] in ("3.12.12", "3.10.13")
    assert choice["torch"] in ("2.9.1", "2.10.0", "2.11.0")
    torch = next(each for each in requirements("requirements.txt") if each.name == "torch")
    assert torch.lowest == "2.9.1"


def test_spacefile_turns_telemetry_off_and_names_every_file() -> None:
    space = spacefile()
    assert space["variables"] == {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    send, leave_out = set(space["files"]["send"]), set(space["files"]["leave_out"])
    assert not send & leave_out
    assert send | leave_out == TOP_LEVEL
    assert {"app.py", "logitspec", "assets", "requirements.txt", "README.md"} <= send


def test_spacefile_smoke_call_is_one_that_the_app_takes() -> None:
    from logitspec import METHODS

    smoke = spacefile()["smoke"]
    assert smoke["api_name"] == "/generate"
    arguments = smoke["arguments"]
    assert list(arguments) == [
        "prompt", "method", "max_new_tokens", "temperature", "seed", "options",
    ]  # fmt: skip
    METHODS[arguments["method"]](**json.loads(arguments["options"]))
    assert set(smoke["finish"]) <= {"eos", "length", "context"}


def shell_blocks(text: str) -> list[str]:
    return [block.strip() for block in re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)]


def test_readme_begins_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert shell_blocks(text)[:2] == COMMANDS
    for heading, command in zip(["## Run", "## Test"], COMMANDS, strict=True):
        section = re.split(r"^## ", text.partition(f"\n{heading}\n")[2], flags=re.M)[0]
        assert shell_blocks(section)[:1] == [command]
    for name in ["requirements.txt", "tests/requirements.txt", "app.py"]:
        assert (ROOT / name).is_file()


def test_readme_has_a_changelog() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    newest = re.search(r"^## Changelog\n\n### (\d+\.\d+\.\d+)\n", text, re.M)
    assert newest
    assert newest[1] == VERSION


def test_ci_runs_the_readmes_test_command(tmp_path: Path) -> None:
    """With stand-ins for the programs that it calls, which note their arguments."""
    home = tmp_path / "clone"
    (home / ".ci").mkdir(parents=True)
    for name in [".ci/run", "README.md"]:
        (home / name).write_bytes((ROOT / name).read_bytes())
    programs = tmp_path / "bin"
    programs.mkdir()
    for place, code in [("chromium", 0), ("node", 0), ("python3", 0)]:
        stub = programs / place
        stub.write_text(f'#!/bin/sh\necho "{place} $*" >> "{tmp_path}/calls"\nexit {code}\n')
        stub.chmod(0o755)
    (home / ".venv/bin").mkdir(parents=True)
    for place, code in [("pip", 0), ("python", 3)]:
        stub = home / ".venv/bin" / place
        stub.write_text(f'#!/bin/sh\necho "{place} $*" >> "{tmp_path}/calls"\nexit {code}\n')
        stub.chmod(0o755)

    assert os.access(ROOT / ".ci/run", os.X_OK)
    done = subprocess.run(
        ["bash", home / ".ci/run"],
        env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tmp_path / "calls").read_text().splitlines() == [
        "python3 -m venv .venv",
        "pip install -r tests/requirements.txt",
        "python -m pytest -n 2 --dist loadfile",
    ]
    assert done.returncode == 3, done.stderr


def test_licence_is_apache_2() -> None:
    text = " ".join((ROOT / "LICENSE").read_text().split())
    assert text.startswith("Apache License Version 2.0, January 2004")
    assert "END OF TERMS AND CONDITIONS" in text
    assert "9. Accepting Warranty or Additional Liability." in text


# Files and network


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "huggingface.co"])
def test_tests_can_not_reach_the_network(address: str) -> None:
    with pytest.raises(RuntimeError, match=f"A test tried to .* {address}"):
        socket.create_connection((address, 443), timeout=1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_top_level_holds_what_belongs_there() -> None:
    assert {file.parts[0] for file in files()} == TOP_LEVEL


def test_no_file_is_too_large() -> None:
    large = [file for file in files() if (ROOT / file).stat().st_size > MEGABYTES_AT_MOST * 1e6]
    assert large == []


def texts() -> Iterator[tuple[Path, str]]:
    for file in files():
        content = (ROOT / file).read_bytes()
        if b"\0" not in content[:8192]:
            yield file, content.decode("utf-8", errors="replace")


MACHINE_PATH = re.compile(
    r"(?<![\w.~>)\]}*-])(?:/(?:home|Users|root|work|mnt|opt|tmp)/|[A-Z]:\\{1,2}Users\\)[\w.-]+"
)


def test_no_file_names_a_place_on_some_machine() -> None:
    found = {
        f"{file}: {match[0]}" for file, text in texts() for match in MACHINE_PATH.finditer(text)
    }
    assert found == set()


@pytest.mark.parametrize("folder", ["home", "root", "work", "Users"])
def test_such_a_place_is_found(folder: str) -> None:
    assert MACHINE_PATH.search(f'open("/{folder}/somebody/model")')
    assert not MACHINE_PATH.search(f'open("model/{folder}/somebody")')
