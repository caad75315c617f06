"""Deploying to a hub on this machine: what is sent, what is not, and what is refused in one sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants
from support.app import ROOT
from support.hub_spaces import HARDWARE, TOKEN, USER, SpaceHub, serving_spaces

from logitspec.__main__ import main
from logitspec.publish import deploy, spacefile

# the hub's client sends large files in a way that its HTTP library is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:Use .content=")

NAME = f"{USER}/tiny-space"
SPACEFILE = """
name: tiny-space
front_matter: {sdk: gradio}
hardware:
  - {name: cpu-basic, python: "3.12", torch: 2.13.0}
  - {name: t4-small, python: "3.12", torch: 2.13.0, sleep_seconds: 900}
  - {name: zero-a10g, python: 3.12.12, torch: 2.11.0}
  - {name: moon-base, python: "3.12", torch: 2.13.0}
storage: none
variables: {QUIET: "1"}
secrets: [{name: KEY, from: SPACE_KEY, required: false}]
files:
  send: [app.py, logitspec, assets, requirements.txt, README.md, Spacefile]
  leave_out: [tests]
  ignore: [__pycache__, "*.pyc", ".*"]
smoke: {}
"""
README = '---\ntitle: Tiny\npython_version: "3.12"\nsuggested_hardware: cpu-basic\n---\n\nHello.\n'
FILES = {
    "Spacefile": SPACEFILE,
    "README.md": README,
    "requirements.txt": "gradio==6.31.0\n# torch is first of all\ntorch>=2.8.0,<=2.13.0\n",
    "app.py": "print('app')\n",
    "logitspec/one.py": "ONE = 1\n",
    "logitspec/__pycache__/one.pyc": "compiled",
    "assets/.hidden": "hidden",
    "assets/model.safetensors": "weights " * 100,
    "tests/test_one.py": "tests are not sent\n",
    "secrets.txt": "nothing names this",
}
SENT = {
    "Spacefile", "README.md", "requirements.txt", "app.py", "logitspec/one.py",
    "assets/model.safetensors",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that is small enough to be sent quickly."""
    place = tmp_path / "project"
    for name, text in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    (place / "assets/link").symlink_to(place / "secrets.txt")
    return place


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SpaceHub]:
    """A hub without Spaces, and a token that may write to it."""
    with serving_spaces() as server:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.delenv("SPACE_KEY", raising=False)
        monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
        yield server


def call(folder: Path, *arguments: str) -> int:
    """The command, as if the project were in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deploy, "ROOT", folder)
        return main(["deploy", *arguments])


def deployed(folder: Path, *arguments: str) -> None:
    assert call(folder, *arguments) == 0


def refused(
    folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 2
) -> str:
    """The one sentence that a deployment ends with."""
    assert call(folder, *arguments) == status
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.endswith(".\n")
    assert "Traceback" not in error
    return error


def test_a_space_is_created_from_the_spacefile_with_its_files_and_nothing_else(
    hub: SpaceHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_KEY", "s3cret")
    deployed(folder)
    space = hub.spaces[NAME]
    assert set(space.files) == SENT | {".gitattributes"}
    for name in SENT - {"README.md", "requirements.txt"}:
        assert space.files[name].decode() == FILES[name]
    assert space.variables == {"QUIET": "1"}
    assert space.secrets == {"KEY": "s3cret"}
    assert space.hardware == "cpu-basic"
    assert space.files["README.md"].decode() == README
    assert b"torch==2.13.0\n" in space.files["requirements.txt"]
    kinds = {each["value"]["path"]: each["key"] for each in space.commits[0]}
    assert kinds["assets/model.safetensors"] == "lfsFile"
    assert kinds["app.py"] == "file"


def test_packages_that_a_variable_wants_are_in_the_requirements_of_the_space_alone(
    hub: SpaceHub, folder: Path
) -> None:
    (folder / "Spacefile").write_text(f"{SPACEFILE}packages: [mcp==1.30.0]\n")
    deployed(folder)
    sent = hub.spaces[NAME].files["requirements.txt"].decode()
    assert sent.splitlines()[-2:] == ["torch==2.13.0", "mcp==1.30.0"]
    assert "mcp" not in (folder / "requirements.txt").read_text()


def test_a_second_deployment_sends_nothing_and_a_third_what_changed(
    hub: SpaceHub, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_KEY", "s3cret")
    deployed(folder)
    space = hub.spaces[NAME]
    hub.requests.clear()
    deployed(folder)
    assert hub.written == []
    assert f"{NAME} is up to date." in capsys.readouterr().out
    (folder / "app.py").write_text("print('new')\n")
    (folder / "logitspec/one.py").unlink()
    (folder / "assets/model.safetensors").write_text("other weights")
    deployed(folder)
    operations = {each["value"]["path"]: each["key"] for each in space.commits[1]}
    assert operations == {
        "app.py": "file", "assets/model.safetensors": "lfsFile", "logitspec/one.py": "deletedFile",
    }  # fmt: skip
    assert set(space.files) == SENT - {"logitspec/one.py"} | {".gitattributes"}
    assert space.files["assets/model.safetensors"] == b"other weights"


def test_hardware_brings_its_versions_and_its_sleep_time(hub: SpaceHub, folder: Path) -> None:
    deployed(folder, "--hardware", "zero-a10g")
    space = hub.spaces[NAME]
    assert space.hardware == "zero-a10g"
    front = yaml.safe_load(space.files["README.md"].decode().split("---\n")[1])
    assert front["python_version"] == "3.12.12"
    assert front["suggested_hardware"] == "zero-a10g"
    lines = space.files["requirements.txt"].decode().splitlines()
    assert lines == ["gradio==6.31.0", "# torch is first of all", "torch==2.11.0"]
    deployed(folder, "--hardware", "t4-small")
    assert (space.hardware, space.sleep_seconds) == ("t4-small", 900)
    space.sleep_seconds = 60
    hub.requests.clear()
    deployed(folder, "--hardware", "t4-small")
    assert space.sleep_seconds == 900
    assert hub.written == [f"/api/spaces/{NAME}/sleeptime"]


def test_settings_that_are_no_longer_named_go_and_secrets_stay(
    hub: SpaceHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_KEY", "s3cret")
    deployed(folder)
    space = hub.spaces[NAME]
    space.variables |= {"OLD": "x", "QUIET": "0"}
    space.secrets["OTHER"] = "kept"
    monkeypatch.setenv("SPACE_KEY", "newer")
    deployed(folder)
    assert space.variables == {"QUIET": "1"}
    assert space.secrets == {"KEY": "s3cret", "OTHER": "kept"}
    deployed(folder, "--renew-secrets")
    assert space.secrets == {"KEY": "newer", "OTHER": "kept"}


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(
    hub: SpaceHub, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_KEY", "s3cret")
    deployed(folder, "--dry-run", "--hardware", "t4-small")
    assert hub.written == []
    assert hub.spaces == {}
    output = capsys.readouterr().out
    sent = {line.split()[1].rstrip(",") for line in output.splitlines() if line.startswith("send ")}
    assert sent == SENT
    for line in (
        f"create the Space {NAME}",
        "hardware t4-small: Python 3.12, torch 2.13.0",
        "sleep after 900 idle seconds",
        "variable QUIET=1",
        "secret KEY, its value from the environment",
        "send assets/model.safetensors, 800 bytes",
        "Nothing was sent.",
    ):
        assert line in output.splitlines()
    assert "s3cret" not in output
    deployed(folder)
    (folder / "app.py").unlink()
    (folder / "app.py").write_text("changed")
    capsys.readouterr()
    deployed(folder, "--dry-run")
    output = capsys.readouterr().out
    assert output.splitlines() == [
        "send app.py, 7 bytes", "1 files to send (0.0 MB), 0 to delete, 5 unchanged.", "Nothing was sent.",
    ]  # fmt: skip
    assert len(hub.spaces[NAME].commits) == 1


def test_the_value_of_a_secret_is_never_printed(
    hub: SpaceHub, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_KEY", "s3cret")
    hub.refuses["/secrets"] = 500
    assert call(folder) == 2
    hub.refuses.clear()
    deployed(folder)
    out, err = capfd.readouterr()
    assert "s3cret" not in out + err
    assert TOKEN not in out + err


def test_the_token_of_who_deploys_is_no_secret_of_the_space(hub: SpaceHub, folder: Path) -> None:
    space = spacefile.read(ROOT)
    assert space.secrets
    assert all(each.source != "HF_TOKEN" for each in space.secrets)
    deployed(folder)
    assert hub.spaces[NAME].secrets == {}


def test_without_a_token(
    hub: SpaceHub, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert "There is no Hugging Face token" in refused(folder, capsys)
    deployed(folder, "--dry-run")
    assert "the plan for a new one" in capsys.readouterr().out
    assert hub.requests == []


def test_with_a_token_that_is_not_known_or_may_not(
    hub: SpaceHub, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "may not write to other/space" in refused(folder, capsys, "--space", "other/space")
    for name in ("a/b/c", "space"):
        assert "is not a Space name" in refused(folder, capsys, "--space", name)
    hub.refuses["/commit/main"] = 403
    assert f"may not write to {NAME}" in refused(folder, capsys)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "does not accept this token" in refused(folder, capsys)


def test_offline(
    hub: SpaceHub, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "check the connection" in refused(folder, capsys)


def test_what_breaks_off_is_finished_by_the_next(
    hub: SpaceHub, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.refuses["/commit/main"] = 500
    assert "error 500" in refused(folder, capsys)
    hub.refuses.clear()
    deployed(folder)
    assert set(hub.spaces[NAME].files) == SENT | {".gitattributes"}


def test_hardware_that_nobody_knows(
    hub: SpaceHub, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(folder, capsys, "--hardware", "a100")
    assert "no hardware 'a100'; choose one of cpu-basic, t4-small" in error
    assert hub.requests == []
    assert "moon-base" not in HARDWARE
    assert "has no hardware 'moon-base'" in refused(folder, capsys, "--hardware", "moon-base")
    hub.refuses["/hardware"] = 402
    assert "not in this account's plan" in refused(folder, capsys, "--hardware", "t4-small")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("storage: none", "storage: large", "storage can only be none"),
        ("name: tiny-space", "", "can't be used"),
        ("QUIET: \"1\"", "QUIET: 1", "not text"),
        ("app.py, logitspec", "app.py, gone, logitspec", "names gone, which is not here"),
        ("files:", "files: [", "can't be used"),
        ("from: SPACE_KEY, required: false", "from: SPACE_KEY, required: true", "set SPACE_KEY"),
    ],
)  # fmt: skip
def test_a_spacefile_that_can_not_be_used(
    hub: SpaceHub,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    message: str,
) -> None:
    assert old in SPACEFILE
    (folder / "Spacefile").write_text(SPACEFILE.replace(old, new))
    assert message in refused(folder, capsys)
    assert hub.requests == []


def test_the_project_itself_can_be_sent() -> None:
    space = spacefile.read(ROOT)
    for hardware in space.hardware:
        files = spacefile.contents(space, ROOT, hardware)
        front = yaml.safe_load(bytes(files["README.md"]).decode().split("---\n")[1])
        assert front["python_version"] == hardware.python
        expected = f"torch=={hardware.torch}\n"
        assert expected in bytes(files["requirements.txt"]).decode()
        assert {path.split("/")[0] for path in files} == set(space.send)
        assert not [path for path in files if "__pycache__" in path or "/." in path]


def test_the_command_says_what_it_would_send() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "logitspec", "deploy", "--dry-run"],
        cwd=ROOT,
        env={"HF_HUB_OFFLINE": "1", "HF_HOME": "/nowhere", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "send app.py, " in done.stdout
    assert "send tests/" not in done.stdout
    assert done.stdout.endswith("Nothing was sent.\n")
