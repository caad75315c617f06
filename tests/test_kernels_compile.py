"""Every kernel compiles for a GPU, which this machine need not have: an interpreter forgives what a compiler
does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

SCRIPT = """
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from logitspec.runtime.kernels import attention, gate, norm, ranks, rotary

H100 = GPUTarget("cuda", 90, 32)
INTEGERS = {"query_row", "key_head", "key_row", "rotation_row", "row_stride", "rows", "parts", "vocabulary"}
LONGS = {"positions", "slots", "real", "levels"}
SINGLES = {"bests", "totals", "mixes", "highests", "cosines", "sines"}


def kind(name):
    if name == "width" or name in INTEGERS:
        return "i32"
    if name == "scale" or name.endswith("epsilon"):
        return "fp32"
    if name in ("columns", "packed"):
        return "*i32"
    if name == "ancestors":
        return "*u8"
    return "*i64" if name in LONGS else "*fp32" if name in SINGLES else "*bf16"


def build(kernel, **constants):
    names = kernel.arg_names
    if "early" in names:
        constants["early"] = True
    signature = {each: "constexpr" if each in constants else kind(each) for each in names}
    places = {(names.index(each),): value for each, value in constants.items()}
    compile(ASTSource(kernel, signature, places), target=H100)


of_tree = dict(groups=7, width=64, tile=16, dim=64, block=32, split=256, cap=50.0, interpreted=False)
for window in (0, 4096):
    build(attention.read_prefix, window=window, **of_tree)
    build(attention.read_ancestors, window=window, **of_tree)
build(attention.map_positions, size=64)
build(
    norm.add_and_norm, width=576, size=1024, adds=True, norms_after=True, norms_before=True,
    interpreted=False,
)
build(
    rotary.place_head, heads=14, key_heads=2, width=64, turned=48, dim=64, norms=True,
    interpreted=False,
)
for activation in ("silu", "gelu", "gelu_tanh"):
    build(gate.gate_part, kind=activation, size=1024, interpreted=False)
build(ranks.summarize, chunk=4096)
build(ranks.rank, k=16, top=64, most=8, wanted=16, chunk=4096)
print("all")
"""


def test_every_kernel_compiles_for_a_gpu(tmp_path: Path) -> None:
    """Triton compiles a kernel again only if it, the compiler or an option has changed."""
    root = Path(__file__).parents[1]
    environment = {
        **os.environ,
        "TRITON_INTERPRET": "0",
        "TRITON_CACHE_DIR": str(root / "build" / "triton"),
        "TRITON_DEFAULT_FP_FUSION": "1",
        "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
    }
    (tmp_path / "build.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "build.py")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert result.stdout == "all\n", result.stderr[-3000:]
