"""GGUF files of a hub: which one is fetched, and that it works without the hub afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf import GGMLQuantizationType
from huggingface_hub import constants
from support import gguf_files
from support.errors import one_sentence
from support.hub import COMMIT, CONVERTED, Hub, serving, use_hub

from logitspec import LogitSpecError, load
from logitspec.models import names

NAME = "somebody/tiny-GGUF"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model in two quantisations, and an empty cache."""
    folder = tmp_path / "net"
    folder.mkdir()
    for kind in (GGMLQuantizationType.Q8_0, GGMLQuantizationType.Q4_1):
        gguf_files.write(folder / f"tiny-{kind.name}.gguf", "llama", kind)
    with serving() as server:
        server.models[NAME] = folder
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        yield server


def test_the_quantisation_that_is_asked_for_is_the_only_one_fetched(hub: Hub) -> None:
    progress_calls: list[tuple[int, int]] = []
    target, _ = load(
        f"hf.co/{NAME}:Q8_0", "cpu", progress=lambda *size: progress_calls.append(size)
    )
    assert (target.info["id"], target.info["revision"]) == (f"{NAME}:Q8_0", COMMIT)
    size = (hub.models[NAME] / "tiny-Q8_0.gguf").stat().st_size
    assert progress_calls[-1] == (size, size)
    assert hub.fetched("Q8_0.gguf") == [None]
    assert hub.fetched("Q4_1.gguf") == []


def test_an_address_and_the_default_mean_the_same_file_also_offline(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"https://huggingface.co/{NAME}/blob/main/tiny-Q4_1.gguf"
    assert load(address, "cpu")[0].info["id"] == f"{NAME}:Q4_1"
    assert load(NAME, "cpu")[0].info["id"] == f"{NAME}:Q4_1"
    assert hub.fetched("Q4_1.gguf") == [None]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load(NAME, "cpu")[0].info["revision"] == COMMIT


def test_of_a_revision_only_its_own_file_is_fetched(hub: Hub, tmp_path: Path) -> None:
    """The main branch may have another file of that name."""
    other = gguf_files.write(tmp_path / "other" / "tiny-Q8_0.gguf", "qwen2").parent
    hub.converted[NAME] = "somebody", other
    address = f"https://huggingface.co/{NAME}/resolve/{CONVERTED}/tiny-Q8_0.gguf"
    assert load(address, "cpu")[0].info["revision"] == CONVERTED
    assert hub.fetched("Q8_0.gguf") == [None]


def test_a_quantisation_that_is_not_there_is_refused_with_those_that_are(hub: Hub) -> None:
    with pytest.raises(LogitSpecError, match="has no Q6_K; choose one of Q4_1, Q8_0") as error:
        load(f"{NAME}:Q6_K", "cpu")
    one_sentence(error)
    with pytest.raises(LogitSpecError, match=r"has no file other\.gguf; choose one of") as error:
        load(f"{NAME}/other.gguf", "cpu")
    one_sentence(error)


def test_memory_is_compared_before_anything_is_fetched(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = hub.models[NAME] / "tiny-Q8_0.gguf"
    least = 4 * 8 * file.stat().st_size // 10  # float32, from 10 bits a weight at most
    monkeypatch.setattr("logitspec.models.devices.free_bytes", lambda device: least - 9)
    with pytest.raises(LogitSpecError, match="not enough memory for") as error:
        load(f"{NAME}:Q8_0", "cpu")
    one_sentence(error)
    assert hub.fetched("Q8_0.gguf") == []


@pytest.mark.parametrize(
    ("quantisation", "bits"),
    [
        ("Q4_K_M", 4.85),
        ("Q2_K", 3.35),
        ("Q8_0", 8.5),
        ("IQ1_S", 1.9),
        ("IQ2_XXS", 2.4),
        ("F16", 16.0),
    ],
)
def test_bits_of_a_weight_are_never_more_than_what_is_reckoned_with(
    quantisation: str, bits: float
) -> None:
    """By the tables of llama.cpp."""
    assert bits <= names.max_bits(quantisation) <= bits + 2
