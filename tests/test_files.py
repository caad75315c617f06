"""Files that are written whole or not at all: on a full disk, where nothing may be written, and cut off."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.player_page import story

from logitspec import LogitSpecError, files
from logitspec.__main__ import main
from logitspec.decoding.race import Race
from logitspec.measure.evidence import Evidence
from logitspec.measure.replay import transcript
from logitspec.measure.replay.transcript import Transcript
from logitspec.trace.results import TopK

FULL = "the disk is full; free some space, or choose another place."


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a disk that has room for a few hundred bytes: a real one where it can be mounted, otherwise
    files that take no more."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    try:
        real = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    except (AttributeError, OSError):  # Windows
        real = False
    if not real:
        monkeypatch.setattr(Path, "open", small(Path.open))
    yield folder
    if real:
        subprocess.run(["umount", str(folder)], check=True)


def small(honest: Callable[..., Any]) -> Callable[..., Any]:
    """`Path.open` whose files in a folder called full take few bytes."""

    def opened(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        file = honest(path, mode, *rest, **more)
        if path.parent.name != "full" or mode == "rb":
            return file
        write = file.write
        taken = 0

        def refuse(data: bytes) -> int:
            nonlocal taken
            taken += len(data)
            if taken > 4000:
                write(data[:100])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return int(write(data))

        return Limited(file, refuse)

    return opened


class Limited:
    """A file with another `write`."""

    def __init__(self, file: Any, write: Callable[[bytes], int]) -> None:
        self.file, self.write = file, write

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> Limited:
        return self

    def __exit__(self, *about: Any) -> None:
        self.file.close()


def noise(length: int) -> bytes:
    """Bytes that gzip can't compress."""
    return os.urandom(length)


def transcripts(count: int) -> Iterator[Transcript]:
    for number in range(count):
        ids = list(noise(3000))
        yield Transcript(
            number, "a", {}, [], 9, 9, [1], ids, 0, "length", [TopK([1], [1.0])] * (1 + len(ids))
        )


def evidence() -> Evidence:
    return Evidence({"noise": noise(9000).hex()}, [1], [0.1])


WRITERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: files.write(path, "word " * 9000),
    "a trace": lambda path: story().save(path),
    "a race": lambda path: Race(["a", "b"], [story(), story(12)]).save(path),
    "evidence": lambda path: evidence().save(path),
    "transcripts": lambda path: transcript.save(transcripts(9), path),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_a_sentence_and_the_old_file_stays(name: str, full: Path) -> None:
    path = full / "out.json"
    path.write_bytes(b"old")
    with pytest.raises(LogitSpecError) as caught:
        WRITERS[name](path)
    assert str(caught.value) == f"Can't write {path}: {FULL}"
    assert path.read_bytes() == b"old"
    assert list(full.iterdir()) == [path]
    path.unlink()
    with pytest.raises(LogitSpecError, match="the disk is full"):
        WRITERS[name](path)
    assert list(full.iterdir()) == []


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_takes_the_place_of_the_old(name: str, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    WRITERS[name](path)
    assert path.stat().st_size > 100
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 or os.name == "nt"
    assert list(tmp_path.iterdir()) == [path]


def test_commands_say_that_the_disk_is_full(
    full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run.json.gz"
    story().save(run)
    for words in (["--html", str(full / "a.html")], ["--html", str(full / "b" / "a.html")]):
        assert main(["export", str(run), *words]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"Can't write {words[1]}: ")
        assert error.count("\n") == 1
    assert list(full.iterdir()) == []


@pytest.mark.parametrize(
    ("work", "words"),
    [
        ("logitspec.measure.replay.command.compare", ["replay", "run", "t.gz", "--json"]),
        ("logitspec.measure.replay.command.read", ["replay", "ingredients", "t.gz", "--json"]),
        ("logitspec.measure.gpu_check.parts.run_part", ["gpu-check", "--device", "cpu", "--json"]),
        ("logitspec.builtin.evaluate.measure_all", ["evaluate", "--prompts", "1", "--wrong"]),
        ("logitspec.builtin.evaluate.measure_all", ["evaluate", "--card", "--model"]),
    ],
)
def test_commands_refuse_a_place_before_their_work(
    work: str,
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def too_late(*_: Any) -> None:
        pytest.fail("the work has begun")

    monkeypatch.setattr(work, too_late)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.gz").touch()
    assert main([*words, "no/such"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Can't write no/such")
    assert error.count("\n") == 1


def test_a_run_whose_trace_finds_no_room_ends_in_a_sentence(
    full: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = full / "run.json"
    words = ["once upon a time", "--max-new-tokens", "12", "--trace", str(out)]
    assert main(words) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"Can't write {out}: {FULL}"
    assert list(full.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_terminal_that_takes_nothing_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as nowhere:
        done = subprocess.run(
            [sys.executable, "-m", "logitspec"],
            stdout=nowhere,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "disk is full" in done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no/such/folder.json", "No such file or directory; choose another place."),
        ("a file/below.json", "; choose another place."),
        ("a folder", "it is a folder; choose another place."),
        ("y" * 300, "its name is too long; choose a shorter one."),
        ("round", "; choose another place."),
        ("a\0b", "it is not a path; choose another place."),
        ("line\nbreak/\u202ex", "No such file or directory; choose another place."),
    ],
)
def test_what_is_no_place_is_said_before_the_work_and_after(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "a folder").mkdir()
    (tmp_path / "round").symlink_to("round")
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    for refuse in (files.check_writable, lambda path: files.write(path, "text")):
        with pytest.raises(LogitSpecError) as caught:
            refuse(name)
        message = str(caught.value)
        assert message.startswith("Can't write ")
        assert message.endswith(words)
        assert len(message) < 300
        assert message.isprintable()
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_is_read_is_not_replaced(tmp_path: Path) -> None:
    source, link = tmp_path / "run.json", tmp_path / "link"
    source.write_text("run")
    link.symlink_to(source)
    for path in (source, link, tmp_path / "." / "run.json"):
        with pytest.raises(LogitSpecError, match="it is read from there; choose another place"):
            files.check_writable(path, ["missing", str(source)])
    files.check_writable(source, [tmp_path / "other"])
    assert source.read_text() == "run"


def test_a_file_that_may_only_be_read_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system lets root write anywhere, so the test answers in its place."""
    path = tmp_path / "kept"
    path.write_text("old")
    path.chmod(0o444)
    honest = os.access
    monkeypatch.setattr(os, "access", lambda file, mode: Path(file) != path and honest(file, mode))
    for refuse in (files.check_writable, lambda file: files.write(file, "new")):
        with pytest.raises(LogitSpecError, match="kept: it is read-only; choose another place"):
            refuse(path)
    assert path.read_text() == "old"


def test_a_folder_in_which_nothing_may_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, mode: str = "r", *rest: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refused)
    for refuse in (files.check_writable, lambda file: files.write(file, "new")):
        with pytest.raises(LogitSpecError, match="out: Permission denied; choose another place"):
            refuse(tmp_path / "out")


def test_a_check_leaves_nothing_and_a_long_name_is_taken(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    files.check_writable(path)
    assert list(tmp_path.iterdir()) == []
    files.write(path, "text")
    assert path.read_text() == "text"


def test_what_cuts_off_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    files.write(path, "old")
    with pytest.raises(KeyboardInterrupt), files.writing(path) as out:  # noqa: PT012
        out.write(b"ne")
        assert path.read_text() == "old"
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_filled_once_all_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with files.filling(folder) as beside:
        (beside / "one").write_text("first")

    def cut_off() -> None:
        with files.filling(folder) as beside:
            (beside / "one").write_text("sec")
            (beside / "two").write_text("")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert [each.name for each in folder.iterdir()] == ["one"]
    assert (folder / "one").read_text() == "first"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    files.write(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "text"
    if not hasattr(os, "mkfifo"):
        return
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    files.check_writable(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    files.write(pipe, "through")
    reader.join()
    assert read == ["through"]
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="pipes have no numbers here")
def test_a_pipe_is_written_by_its_number() -> None:
    """As in `--trace /dev/stdout | ...` and `--csv >(...)`."""
    reader, writer = os.pipe()
    path = Path(f"/dev/fd/{writer}")
    files.check_writable(path)
    files.write(path, "through")
    os.close(writer)
    with open(reader) as out:  # noqa: PTH123 - it has no path
        assert out.read() == "through"


def test_an_interrupt_keeps_the_transcripts_that_came(tmp_path: Path) -> None:
    def cut(after: int) -> Iterator[Transcript]:
        yield from transcripts(after)
        raise KeyboardInterrupt

    path = tmp_path / "some.jsonl.gz"
    with pytest.raises(KeyboardInterrupt):
        transcript.save(cut(0), path)
    assert not path.exists()
    with pytest.raises(KeyboardInterrupt):
        transcript.save(cut(2), path)
    assert [each.question_id for each in transcript.read(path)] == [0, 1]
    with pytest.raises(KeyboardInterrupt):
        transcript.save(cut(0), path)
    assert len(list(transcript.read(path))) == 2


def test_sigterm_keeps_the_transcripts_that_came_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Any) -> Iterator[Transcript]:
        yield from transcripts(2)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("logitspec.models.loader.load", lambda *_: (None, None))
    monkeypatch.setattr("logitspec.measure.replay.command.record", cut)
    path = tmp_path / "some.jsonl.gz"
    assert main(["replay", "record", "--out", str(path)]) == 143
    assert len(list(transcript.read(path))) == 2
    assert list(tmp_path.iterdir()) == [path]
