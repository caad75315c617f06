"""Tokenizers as users bring them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import transformers
from support.errors import refused
from support.families import VOCABULARY
from support.models import folder
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from logitspec import load
from logitspec.models import encode_prompt
from logitspec.models.tokens import Speller

WORDS = ["[UNK]", "[CLS]", "[SEP]", "the", "har", "##bour", "was", "quiet", ".", ",", "n't", "do"]


def wordpiece(cleanup: bool = True) -> transformers.PreTrainedTokenizerFast:
    """BERT's kind, which Chinese and Indonesian GPT-2 models have."""
    core = tokenizers.Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}))
    core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece(cleanup=cleanup)
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    core.add_special_tokens(["[CLS]", "[SEP]"])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def letters(post: str) -> transformers.PreTrainedTokenizerFast:
    """Letters as tokens, with a template of what is put around a text."""
    vocabulary = {**{chr(ord("A") + n): n for n in range(30)}, "<s>": 30, "</s>": 31}
    core = tokenizers.Tokenizer(models.BPE(vocabulary, []))
    core.post_processor = processors.TemplateProcessing(
        single=post, special_tokens=[("<s>", 30), ("</s>", 31)]
    )
    core.decoder = decoders.Fuse()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>"
    )


@pytest.mark.parametrize("cleanup", [True, False])
def test_bytes_of_wordpiece_are_what_it_decodes(cleanup: bool) -> None:
    result = wordpiece(cleanup)
    text = [3, 4, 5, 6, 7, 9, 3, 5, 11, 10, 8]
    spelled = b"".join(map(Speller(result), text))
    assert spelled.decode() == " " + result.backend_tokenizer.decode(text)
    assert spelled.startswith(b" the harbour was quiet, the" if cleanup else b" the harbour was")


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        ("$A", [0, 1]),
        ("<s> $A", [30, 0, 1]),
        ("$A </s>", [0, 1]),
        ("<s> $A </s>", [30, 0, 1]),
        ("</s> $A </s>", [31, 0, 1]),
        ("<s> $A </s> </s>", [30, 0, 1]),
    ],
)
def test_an_end_that_a_tokenizer_appends_is_not_part_of_a_prompt(
    post: str, expected: list[int]
) -> None:
    assert encode_prompt(letters(post), "AB") == expected


def test_an_end_that_a_person_wrote_stays() -> None:
    assert encode_prompt(letters("<s> $A </s>"), "AB</s>") == [30, 0, 1, 31]
    assert encode_prompt(letters("$A"), "</s>") == [31]


def test_the_separator_of_wordpiece_is_not_part_of_a_prompt() -> None:
    assert encode_prompt(wordpiece(), "the harbour") == [1, 3, 4, 5]


def sentencepiece_folder(at: Path) -> Path:
    """A folder whose tokenizer is a tokenizer.model alone."""
    import sentencepiece

    net = folder(at)
    for file in net.glob("tokenizer*"):
        file.unlink()
    (at / "text").write_text("The harbour was quiet that morning\n" * 3 + "A B C D E F G\n")
    sentencepiece.SentencePieceTrainer.train(
        input=str(at / "text"),
        model_prefix=str(at / "tokenizer"),
        vocab_size=VOCABULARY,
        model_type="bpe",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (at / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer"}')
    return net


def test_a_tokenizer_model_alone_is_read_by_what_the_requirements_install(tmp_path: Path) -> None:
    import sentencepiece

    _, result = load(sentencepiece_folder(tmp_path / "net"))
    read = sentencepiece.SentencePieceProcessor(
        model_file=str(tmp_path / "net" / "tokenizer.model")
    )
    for text in ("The harbour", "quiet morning", "A B C"):
        assert result(text, add_special_tokens=False)["input_ids"] == read.encode(text)


@pytest.mark.parametrize("missing", ["sentencepiece", "protobuf"])
def test_without_its_packages_the_sentence_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    net = sentencepiece_folder(tmp_path / "net")

    def unavailable(*args: Any, **options: Any) -> Any:
        raise ImportError(f"It requires the {missing} library but it was not found.")

    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", unavailable)
    monkeypatch.setattr(f"logitspec.models.resolve.is_{missing}_available", lambda: False)
    refused(
        net, "needs the packages sentencepiece and protobuf; install them with `pip install sent"
    )


@pytest.mark.parametrize(
    ("message", "package"),
    [
        ("`tiktoken` is required to read it. Install it with `pip install tiktoken`.", "tiktoken"),
        ("JumanTokenizer requires the Rhoknp library but it was not found.", "rhoknp"),
        ("Please run pip install --upgrade mistral-common to use it.", "mistral-common"),
    ],
)
def test_other_packages_are_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, package: str
) -> None:
    net = folder(tmp_path / "net")

    def unavailable(*args: Any, **options: Any) -> Any:
        raise ImportError(message)

    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", unavailable)
    refused(net, f"The tokenizer of net needs the package {package}, .*`pip install {package}`")


def test_a_tokenizer_that_is_not_there(tmp_path: Path) -> None:
    net = folder(tmp_path / "net")
    for file in net.glob("tokenizer*"):
        file.unlink()
    refused(net, "net has no tokenizer that loads; choose a model that comes with one")
    shutil.copy(folder(tmp_path / "other") / "config.json", net / "tokenizer.json")
    refused(net, "net has no tokenizer that loads")


@pytest.mark.parametrize("kind", ["LlamaTokenizer", "Qwen2Tokenizer", "GPT2Tokenizer"])
def test_a_tokenizer_without_its_tokens_is_not_there(tmp_path: Path, kind: str) -> None:
    """From its class alone, transformers makes one that knows its special tokens only."""
    net = folder(tmp_path / "net")
    (net / "tokenizer.json").unlink()
    (net / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": kind}))
    refused(net, "net has no tokenizer that loads; choose a model that comes with one")
