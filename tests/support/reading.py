"""Files as the page's scripts read them."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

from logitspec.publish.node import find_node

READ = Path(__file__).parents[1] / "scripts" / "read.js"


def read_by_page(kind: str, files: list[bytes]) -> list[dict[str, str]]:
    """For each file: {} if the page's scripts can read it and make everything from it, else what is wrong."""
    done = subprocess.run(
        [str(find_node()), "--no-warnings", str(READ), kind],
        input=b"\n".join(map(base64.b64encode, files)),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]
