"""What the page's scripts read of files."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

from logitspec.publish.node import find_node

READ = Path(__file__).parents[1] / "scripts" / "read.js"


def read_by_page(kind: str, files: list[bytes]) -> list[dict[str, str]]:
    """For each file {} where the page's scripts read it and make of it all that they make, else what is wrong."""
    done = subprocess.run(
        [str(find_node()), "--no-warnings", str(READ), kind],
        input=b"\n".join(map(base64.b64encode, files)),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]
