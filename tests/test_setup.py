"""What holds the project together: linters, layers, and files that must agree."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from measure import ranges
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from support import cached
from support.cached import python_versions

from logitspec.models.catalogue import CATALOGUE
from logitspec.serving.programs.package import REQUIREMENT
from logitspec.version import VERSION

ROOT = Path(__file__).resolve().parent.parent

HEAVY = ("accelerate", "gradio", "plotly", "spaces", "torch", "transformers")

# Installed by the eight packages of requirements.txt, or (spaces) there only on Hugging Face.
COME_ALONG = {
    "PIL": "gradio",
    "anyio": "gradio",
    "httpx": "gradio",
    "huggingface_hub": "transformers",
    "jinja2": "torch",
    "psutil": "accelerate",
    "pydantic": "gradio",
    "safetensors": "transformers",
    "starlette": "gradio",
    "tokenizers": "transformers",
    "tqdm": "transformers",
    "yaml": "transformers",
}

OPTIONAL = {
    "gguf",
    "mcp",
    "segno",
    "triton",
}  # the app says how to get the first three, and torch for CUDA brings the last

TOP_LEVEL = {
    "app.py", "logitspec", "assets", "tests", "requirements.txt", "README.md", "Spacefile",
    "LICENSE", "pyproject.toml", ".gitignore", ".gitattributes", ".ci",
}  # fmt: skip

COMMANDS = [
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python app.py",
    "python3 tests/run.py",
]

MEGABYTES_AT_MOST = 9.5


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@cache
def files() -> list[Path]:
    """The project's files, relative to its folder: those in git, and new ones not ignored."""
    if shutil.which("git") is None:
        return sorted(_not_ignored(ROOT))
    listed = run(
        "git", "-c", "safe.directory=*", "ls-files", "-z",
        "--cached", "--others", "--exclude-standard",
    )  # fmt: skip
    assert listed.returncode == 0, f"This test wants a git checkout: {listed.stderr}"
    names = {Path(name) for name in listed.stdout.split("\0") if name}
    return sorted(name for name in names if (ROOT / name).is_file())


def _not_ignored(folder: Path) -> Iterator[Path]:
    """As .gitignore says, which lists plain names of files and folders; caches bring one that ignores everything."""
    ignored = [".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().split())]
    for path in folder.iterdir():
        if any(map(path.match, ignored)) or (path / ".gitignore").exists():
            continue
        if path.is_dir():
            yield from _not_ignored(path)
        else:
            yield path.relative_to(ROOT)


def test_without_git_the_same_files_are_found() -> None:
    assert sorted(_not_ignored(ROOT)) == files()


# Linters


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    ["mypy", "ruff check .", "ruff format --check ."],
    ids=["types", "lint", "format"],
)
def test_linters_find_nothing(command: str) -> None:
    sources = [file for file in files() if file.suffix == ".py" or file.name == "pyproject.toml"]
    name, *_ = command.split(" .")
    cache = [f"--cache-dir={cached.MYPY_CACHE}"] if command == "mypy" else []
    result = cached.failure(
        name.replace(" ", "-"),
        [sys.executable, "-m", *command.split(), *cache],
        sources,
        python_versions(),
    )
    assert result == ""


# Imports


def test_imports_keep_to_the_rooms() -> None:
    done = run(
        sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def imported_packages() -> Iterator[tuple[Path, str]]:
    """Every top-level package that a file of the app imports anywhere, functions included."""
    for file in files():
        if file.suffix != ".py" or file.parts[0] not in ("app.py", "logitspec"):
            continue
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((file, alias.name.partition(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield file, node.module.partition(".")[0]


def test_no_test_module_imports_another() -> None:
    for file in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [getattr(node, "module", None) or "", *(each.name for each in node.names)]
                assert not [name for name in names if name.startswith("test_")], file


def test_the_engine_runs_without_the_heavy_packages() -> None:
    code = (
        "import sys, logitspec, logitspec.trace.metrics, logitspec.models.tokens\n"
        f"print(*sorted(set({HEAVY}) & set(sys.modules)))"
    )
    done = run(sys.executable, "-c", code)
    assert done.stdout.strip() == "", done.stdout
    assert done.returncode == 0, done.stderr


def test_imports_come_from_the_requirements() -> None:
    pins = {requirement.name for requirement in requirements("requirements.txt")}
    assert set(COME_ALONG.values()) <= pins
    allowed = {"logitspec", "app", "spaces"} | pins | set(COME_ALONG) | set(sys.stdlib_module_names)
    allowed |= OPTIONAL
    strangers = {
        f"{file} imports {package}"
        for file, package in imported_packages()
        if package not in allowed
    }
    assert strangers == set()


# Requirements, README and Spacefile


class Requirement:
    """A line of requirements.txt. lowest, version: equal where it is an exact pin."""

    def __init__(self, line: str) -> None:
        result = re.fullmatch(r"([\w.-]+)(?:==|>=([\d.]+),<=)([\w.]+)", line)
        assert result, f"neither an exact pin nor a range with two ends: {line}"
        self.name, lowest, self.version = result.groups()
        self.lowest = lowest or self.version


def requirements(name: str) -> list[Requirement]:
    lines = (re.split("[#;]", line)[0].strip() for line in (ROOT / name).read_text().splitlines())
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


def test_requirements_are_the_eight_packages_once() -> None:
    result = requirements("requirements.txt")
    assert sorted(each.name for each in result) == [
        "accelerate", "gradio", "numpy", "plotly", "protobuf", "sentencepiece", "torch", "transformers",
    ]  # fmt: skip
    for each in result:
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
    of_tests = {pin.name for pin in requirements("tests/requirements.txt")}
    of_app = {pin.name for pin in requirements("requirements.txt")}
    assert not of_tests & of_app
    assert of_tests >= OPTIONAL


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
    (model,) = front["models"]
    assert model == CATALOGUE[0].name
    (preloaded,) = front["preload_from_hub"]
    repository, files = preloaded.split(" ")
    assert repository == model
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(files.split(","))
    assert all(re.fullmatch(r"[a-z0-9-]+", tag) for tag in front["tags"])
    assert front["pinned"] is False


def test_spacefile_keys_are_known() -> None:
    space = spacefile()
    assert set(space) == {
        "name", "front_matter", "hardware", "storage", "variables", "packages", "secrets", "files",
        "smoke",
    }  # fmt: skip
    assert re.fullmatch(r"[a-z0-9-]+", space["name"])
    assert not set(space) & {"v", "micros", "engine", "presets"}  # Deta's, in a file of that name
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
        "GRADIO_MCP_SERVER": "True",
        "LOGITSPEC_MODEL": CATALOGUE[0].name,
    }
    send, leave_out = set(space["files"]["send"]), set(space["files"]["leave_out"])
    assert not send & leave_out
    assert send | leave_out == TOP_LEVEL
    assert {"app.py", "logitspec", "assets", "requirements.txt", "README.md"} <= send


def test_a_space_has_the_optional_packages_that_the_tests_and_the_app_know() -> None:
    pins = {pin.name: pin.version for pin in requirements("tests/requirements.txt")}
    assert spacefile()["packages"] == [f"{name}=={pins[name]}" for name in ("mcp", "segno")]
    assert SpecifierSet(REQUIREMENT.removeprefix("mcp")).contains(pins["mcp"])


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
    for name in ["requirements.txt", "tests/run.py", "app.py"]:
        assert (ROOT / name).is_file()


def test_the_changelog_begins_with_this_version() -> None:
    text = (ROOT / "logitspec" / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.match(r"# Changelog\n\n### (\d+\.\d+\.\d+)\n", text)
    assert newest
    assert newest[1] == VERSION


def test_ci_runs_the_readmes_test_command(tmp_path: Path) -> None:
    """With a stand-in for Python, which prints its arguments."""
    stub = tmp_path / "python3"
    stub.write_text('#!/bin/sh\necho "python3 $*"\nexit 3\n')
    stub.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [ROOT / ".ci/run"], env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [COMMANDS[1]]
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
    result = {
        f"{file}: {match[0]}" for file, text in texts() for match in MACHINE_PATH.finditer(text)
    }
    assert result == set()


@pytest.mark.parametrize("folder", ["home", "root", "work", "Users"])
def test_such_a_place_is_found(folder: str) -> None:
    assert MACHINE_PATH.search(f'open("/{folder}/somebody/model")')
    assert not MACHINE_PATH.search(f'open("model/{folder}/somebody")')
