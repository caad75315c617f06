"""ZeroGPU, by means of a stand-in that forks, pickles, kills and counts as it does."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from threading import Event
from time import sleep
from types import ModuleType
from typing import Any

import pytest
from support.app import ROOT, forked_app
from support.families import runner
from support.models import tokenizer

from logitspec import LogitSpecError, Trace
from logitspec.decoding.race import begin_race
from logitspec.measure.evidence import gather as gathering
from logitspec.serving import live, models
from logitspec.serving import zerogpu as zero
from logitspec.serving.events import race_events
from logitspec.serving.host import Host
from logitspec.serving.request import Request
from logitspec.trace.costs import ForwardCosts

STAND_IN = Path(__file__).parent / "support" / "zerogpu"


@pytest.fixture
def spaces(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The stand-in, in place of the package."""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    result = importlib.util.spec_from_file_location("spaces_stand_in", STAND_IN / "spaces.py")
    assert result
    assert result.loader
    module = importlib.util.module_from_spec(result)
    result.loader.exec_module(module)
    monkeypatch.setattr(zero, "spaces", module)
    monkeypatch.setattr(zero, "HERE", True)
    yield module
    for worker in module.account.workers:
        worker.process.kill()


@pytest.fixture
def host(spaces: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(models, "load", lambda *asked, **placing: (runner("llama"), tokenizer()))
    monkeypatch.setattr(live, "SECONDS_PER_MESSAGE", 0)
    server = Host("tiny")
    server.models.load("tiny")
    return server


def wanted(
    method: Any = "logitspec", options: dict[str, Any] | None = None, **changes: Any
) -> Request:
    lanes = [(method, options or {})]
    usual = {"prompt": "ABCABCAB", "max_new_tokens": 30, "model": "tiny"}
    return Request(**{"methods": lanes, **usual, **changes})


def last(stream: Iterator[str]) -> Trace:
    return Trace.from_json(list(stream)[-1])


def test_a_run_crosses_and_is_the_same_as_one_here(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = wanted(method="logitspec_paper")
    target = host.models.load("tiny")[0]
    reset, *deltas, whole = map(json.loads, host.stream(request, Event()))
    assert target.length == 0  # nothing was read here
    assert reset["kind"] == "reset"
    assert [step for delta in deltas for step in delta["steps"]] == whole["steps"]
    assert whole["finish"] == "length"
    assert whole["prefill_seconds"] > 0
    monkeypatch.setattr(zero, "HERE", False)
    here = json.loads(list(Host("tiny").stream(request, Event()))[-1])
    for one, other in zip(whole["steps"], here["steps"], strict=True):
        del one["seconds"], other["seconds"]
        assert one == other
    assert whole["vocabulary"] == here["vocabulary"]


def test_only_plain_data_crosses(host: Host, spaces: ModuleType) -> None:
    def crossed(value: Any) -> set[str]:
        names = set()

        class Reader(pickle.Unpickler):
            def find_class(self, module: str, name: str) -> Any:
                names.add(module.split(".")[0])
                return super().find_class(module, name)

        import io

        Reader(io.BytesIO(pickle.dumps(value))).load()
        return names

    race = begin_race(host.models.load("tiny")[0], [5, 6, 5], ["logitspec"], 8)
    messages = host._worker._work("tiny", None, race_events, race)
    assert crossed(list(messages)) <= {"logitspec", "builtins"}


def test_forwards_are_timed_where_the_gpu_is_and_once(host: Host, spaces: ModuleType) -> None:
    target = host.models.load("tiny")[0]
    assert target.costs is None
    first = last(host.stream(wanted(), Event()))
    assert first.environment["forward_costs"]
    known = host._worker._costs["tiny"].to_json()
    second = last(host.stream(wanted(), Event()))
    timed: Any = second.environment["forward_costs"]
    assert timed == known
    assert target.costs is None
    assert len(spaces.account.workers) == 1  # reused


def test_the_duration_follows_from_the_request(host: Host, spaces: ModuleType) -> None:
    for tokens in (25, 100, 4096):
        stream = host.stream(wanted(max_new_tokens=tokens), Event())
        next(stream)
        next(stream)
        stream.close()
    race = host.stream(wanted(methods=["autoregressive", "logitspec"], max_new_tokens=100), Event())
    next(race)
    next(race)
    race.close()
    assert spaces.account.requests == [11, 14, 120, 18]


def test_stop_ends_it_and_frees_the_gpu(host: Host, spaces: ModuleType) -> None:
    stop = Event()
    stream = host.stream(wanted(max_new_tokens=400), stop)
    next(stream)
    next(stream)
    stop.set()
    stopped = last(stream)
    assert (stopped.finish, len(stopped.steps)) == ("cancelled", 2)
    assert [each.idle for each in spaces.account.workers] == [True]
    assert last(host.stream(wanted(), Event())).finish == "length"


def test_a_run_outlives_its_reader_there_too(host: Host) -> None:
    stream = host.stream(wanted(max_new_tokens=60), Event(), outlives=True)
    run = json.loads(next(stream))["run"]
    next(stream)
    stream.close()
    while json.loads(host.steps_from(run, 0) or "")["finish"] is None:
        sleep(0.05)
    whole = Trace.from_json(host.steps_from(run, 0) or "")
    assert (whole.finish, len(whole.output_ids)) == ("length", 60)


def test_a_refused_option_is_told_before_a_gpu_is_asked_for(host: Host, spaces: ModuleType) -> None:
    with pytest.raises(LogitSpecError, match="max_ngram_size"):
        next(host.stream(wanted(options={"max_ngram_size": None}), Event()))
    assert spaces.account.requests == []


def slow(*_: Any) -> Any:
    sleep(30)


def broken(*_: Any) -> Any:
    raise RuntimeError("secret detail")


def refusing(*_: Any) -> Any:
    raise LogitSpecError("This model can't; take another one.")


def after(steps: int, target: Any, then: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the forwards of `target`, and of others of its class, do something else after some steps."""
    verify, calls = type(target).verify, iter(range(1000))

    def verified(self: Any, tree: Any) -> Any:
        return then(tree) if next(calls) >= steps else verify(self, tree)

    monkeypatch.setattr(type(target), "verify", verified)
    monkeypatch.setattr(type(target), "measure_costs", lambda self: ForwardCosts([1], [0.01]))


def test_errors_cross_as_their_sentence(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    after(3, host.models.load("tiny")[0], refusing, monkeypatch)
    failed = last(host.stream(wanted(), Event()))
    assert (failed.finish, len(failed.steps)) == ("error", 3)
    assert failed.error == "This model can't; take another one."


def test_other_errors_cross_as_a_sentence_without_detail(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    after(3, host.models.load("tiny")[0], broken, monkeypatch)
    failed = last(host.stream(wanted(), Event()))
    assert (failed.finish, len(failed.steps)) == ("error", 3)
    assert failed.error
    assert "RuntimeError" in failed.error
    assert "secret" not in failed.error


def test_a_child_that_is_killed_leaves_the_trace_so_far(
    host: Host, spaces: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    after(3, host.models.load("tiny")[0], slow, monkeypatch)
    stream = host.stream(wanted(), Event())
    for _ in range(4):  # reset, three steps
        next(stream)
    spaces.account.workers[0].process.kill()
    failed = last(stream)
    assert (failed.finish, len(failed.steps)) == ("error", 3)
    assert failed.error == (
        "The GPU was taken back after the 11 seconds that were requested; ask for fewer new tokens."
    )
    monkeypatch.undo()


def test_time_that_is_over_ends_it_likewise(
    host: Host, spaces: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    after(2, host.models.load("tiny")[0], slow, monkeypatch)
    monkeypatch.setattr(zero, "_duration", lambda *_: 2)
    spaces.account.stretch = 1.0
    host = Host("tiny")
    host.models.load("tiny")
    failed = last(host.stream(wanted(), Event()))
    assert (failed.finish, len(failed.steps)) == ("error", 2)
    assert "after the 2 seconds" in (failed.error or "")


def test_a_quota_that_is_used_up_is_a_sentence(host: Host, spaces: ModuleType) -> None:
    spaces.account.seconds_left = 5
    failed = last(host.stream(wanted(), Event()))
    assert (failed.finish, failed.steps) == ("error", [])
    assert failed.error == (
        "This run asks for 11 seconds of GPU time and you have 5 left for now; ask for fewer new tokens,"
        " or try again in 0:17:00."
    )
    spaces.account.seconds_left = 1000
    assert last(host.stream(wanted(), Event())).finish == "length"


@pytest.mark.parametrize(
    ("title", "message", "sentence"),
    [
        ("ZeroGPU quota exceeded", "Space app has reached its GPU limit. Try", "is used up"),
        ("ZeroGPU illegal duration", "The requested GPU duration (90s) is larger", "is used up"),
        ("ZeroGPU pending credits exceeded", "You have too many", "is used up"),
        (
            "ZeroGPU queue timeout",
            "No GPU was available after 60s. <a href=x>",
            "No GPU was available;",
        ),
        ("ZeroGPU client error", "No GPU was available", "No GPU was available;"),
        ("", "ZeroGPU API /schedule error: 500", "No GPU was available;"),
    ],
)
def test_what_spaces_says_becomes_one_sentence(
    spaces: ModuleType, title: str, message: str, sentence: str
) -> None:
    def failing(*_: Any) -> Generator[Any, None, None]:
        raise spaces._error(title, message)
        yield

    spaces.GPU = lambda task, duration: failing  # type: ignore[attr-defined]
    with pytest.raises(LogitSpecError, match=sentence) as error:
        list(zero.boundary(failing)(10))
    assert "<" not in str(error.value)
    assert str(error.value).endswith(".")


def test_a_race_crosses_and_a_killed_one_keeps_its_lanes(
    host: Host, spaces: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = ["logitspec_paper", "autoregressive"]
    start, *deltas = map(json.loads, host.stream(wanted(methods=pair), Event(), outlives=True))
    plain = [step for delta in deltas for step in delta["lanes"][1]["steps"]]
    assert start["kind"] == "race"
    assert sum(len(step["path"]) for step in plain) == 30
    assert deltas[-1]["verdict"]["differs_at"] is None
    killed = host.stream(wanted(methods=pair, max_new_tokens=400), Event(), outlives=True)
    for _ in range(4):
        next(killed)
    spaces.account.workers[0].process.kill()
    seen = list(map(json.loads, killed))
    assert [lane["finish"] for lane in seen[-1]["lanes"]] == ["error", "error"]
    assert "taken back" in seen[-1]["lanes"][0]["error"]
    assert seen[-1]["verdict"]["complete"] is False


def test_evidence_crosses(host: Host, spaces: ModuleType) -> None:
    prompts = gathering.sample_prompts(1)[:2]
    steps = host.work("tiny", Event(), 10, gathering.gather, prompts, 8)
    progress = []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            actual = end.value
            break
    assert progress[-1].done == 2
    assert sum(map(len, actual.ranks.values())) > 0
    assert spaces.account.requests == [10]
    stop = Event()
    waiting = host.work("tiny", stop, 10, gathering.gather, prompts, 8)
    next(waiting)
    waiting.close()
    assert last(host.stream(wanted(), Event())).finish == "length"


def test_all_offered_models_are_there_before_the_page(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host("tiny")
    host.models.prepare()
    assert set(host.models._loaded) == {"tiny", "builtin"}
    monkeypatch.setattr(zero, "HERE", False)
    host = Host("tiny")
    host.models.prepare()
    assert set(host.models._loaded) == {"tiny"}


def test_spaces_comes_before_torch_and_only_where_it_is() -> None:
    code = (
        "import app, sys\n"
        "app.main(['--port', '-1'])\n"
        "module = sys.modules.get('spaces')\n"
        "print(None if module is None else module.TORCH_CAME_FIRST)"
    )
    for path, expected in ((str(STAND_IN), "False"), ("", "None")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected, done.stderr


@pytest.mark.long
def test_the_app_runs_there(tmp_path: Path, spaces: ModuleType) -> None:
    from gradio_client import Client

    log = tmp_path / "log"
    spaces.account.seconds_left = 30
    with forked_app(log) as address:
        client = Client(address, verbose=False)
        arguments = ["Write a short story about a fox and a bridge.", "logitspec", 16]
        first, second, third = (
            Trace.from_json(client.predict(*arguments, api_name="/generate")) for _ in range(3)
        )
        client.close()
    assert (first.finish, len(first.output_ids)) == ("length", 16)
    assert first.output_ids == second.output_ids
    assert (third.finish, third.steps) == ("error", [])
    assert "11 seconds of GPU time and you have 8 left" in (third.error or "")
    assert "ZeroGPU: every run requests a GPU." in log.read_text()
