"""The loop: stop rules, limits, bookkeeping, and refusals."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import pytest
from support.app import ROOT
from support.fakes import ScriptedTarget, finished

from logitspec import METHODS, DraftTree, LogitSpecError, TopK, Trace, accept, decode
from logitspec.decoding.engine import begin, run
from logitspec.drafters.autoregressive import Autoregressive
from logitspec.trace.metrics import StepSeconds
from logitspec.trace.sampling import Sampling

TEXT = [1, 2, 3, 4, 5, 6, 7, 8] * 40


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("new", [1, 2, 7, 50])
def test_exactly_max_new_tokens(method: str, new: int) -> None:
    trace = finished(decode(ScriptedTarget(TEXT), TEXT[:20], method, new))
    assert trace.output_ids == TEXT[20 : 20 + new]
    assert trace.finish == "length"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stop_at", [20, 21, 25, 44])
def test_nothing_after_an_end_of_sequence_token_from_a_list(method: str, stop_at: int) -> None:
    text = [*TEXT[:stop_at], 77, *TEXT[stop_at:]]
    prompt = [*text[:20], 77, *text[:8]]
    whole = [*prompt, *text[20:]]
    trace = finished(decode(ScriptedTarget(whole, eos_ids=[500, 77]), prompt, method, 100))
    assert trace.output_ids == text[20 : stop_at + 1]
    assert trace.finish == "eos"
    # Where it is the last token that was asked for, too, the text is still one that has ended.
    last = finished(decode(ScriptedTarget(whole, [77]), prompt, method, stop_at - 19))
    assert (last.output_ids, last.finish) == (trace.output_ids, "eos")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("limit", [21, 22, 30, 41])
def test_a_full_context_ends_the_run_and_no_node_lies_beyond_it(method: str, limit: int) -> None:
    target = ScriptedTarget(TEXT, limit=limit)
    trace = finished(decode(target, TEXT[:20], method, 100))
    assert trace.output_ids == TEXT[20:limit]
    assert trace.finish == "context"
    for step in trace.steps:
        assert max(step.position + depth for depth in step.tree.depths()) < limit


def test_a_drafted_end_of_sequence_token_needs_no_step_of_its_own() -> None:
    text = [1, 2, 77, 5, 1, 2, 77, 5, *range(100, 120)]
    trace = finished(
        decode(ScriptedTarget(text, [77]), text[:4], "prompt_lookup", 9, num_pred_tokens=3)
    )
    assert [step.tokens for step in trace.steps] == [[1, 2, 77]]
    assert trace.counts().uncompared == 1


def test_a_step_keeps_the_last_logits_down_to_the_last_rank_that_it_drafted() -> None:
    class Wide(ScriptedTarget):
        def _result(self, places: list[int]) -> Any:
            result = super()._result(places)
            result.topk = [
                TopK([*top.ids, *range(1000, 1200)], [*top.probs, *[0.0] * 200])
                for top in result.topk
            ]
            return result

    for capacity, kept in ((9, 64), (64, 64), (65, 65), (66, 66), (128, 128)):
        options = {"draft_tree_capacity": capacity, "num_pred_tokens": 1, "max_ngram_size": 1}
        step = next(decode(Wide(range(300)), range(9), "logitspec_paper", 9, **options))
        assert len(step.tree) == capacity
        assert step.tree.provenance[-1].rank == capacity - 1
        assert step.last.ids == [9, 10, 999, *range(1000, 1200)][:kept]


def test_the_seconds_of_a_step_are_those_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that moves only while a part is at work."""
    clock = [0.0]

    def taking(seconds: float, work: Any) -> Any:
        def timed(*args: Any) -> Any:
            clock[0] += seconds
            return work(*args)

        return timed

    drafter = Autoregressive()
    for name, seconds in (("draft", 1), ("observe", 8)):
        monkeypatch.setattr(drafter, name, taking(seconds, getattr(drafter, name)))
    target = ScriptedTarget(TEXT)
    monkeypatch.setattr(target, "verify", taking(2, target.verify))
    monkeypatch.setattr(target, "commit", taking(16, target.commit))
    monkeypatch.setattr("logitspec.decoding.engine.accept", taking(4, accept))
    monkeypatch.setattr("logitspec.decoding.engine.perf_counter", lambda: clock[0])
    trace = begin(target, TEXT[:20], "autoregressive", 2)
    for step in run(target, trace, drafter):
        assert step.seconds.loop == pytest.approx(31 - 1 - 0.001)
        assert step.seconds == StepSeconds(draft=1, verify=2, accept=4, commit=24, device=0.001)
    assert trace.counts().seconds.drafter == 2 * (1 + 24)


def test_plain_decoding_is_one_token_a_step() -> None:
    target = ScriptedTarget(TEXT)
    trace = finished(decode(target, TEXT[:20], "autoregressive", 30))
    assert target.verified == [1] * 30
    assert [len(step.tokens) for step in trace.steps] == [1] * 30


@pytest.mark.parametrize("method", METHODS)
def test_every_step_follows_from_what_the_target_said(method: str) -> None:
    rng = random.Random(1)
    text = [rng.randrange(5) for _ in range(400)]
    steps = list(decode(ScriptedTarget(text), text[:100], method, 150))
    place = 100
    for step in steps:
        assert step.position == place
        assert step.tree.tokens[0] == step.last.ids[0] == text[place]
        assert step.path == accept(step.tree, step.choices)[: len(step.path)]
        assert step.tokens == [step.tree.tokens[node] for node in step.path]
        place += len(step.tokens)
        assert step.cache_length == place
    assert [token for step in steps for token in step.tokens] == text[100:250]


def test_the_root_may_be_a_draw_that_is_not_the_best_token() -> None:
    class Drawn(ScriptedTarget):
        def _result(self, places: list[int]) -> Any:
            result = super()._result(places)
            result.topk = [TopK([998, *top.ids], [0.9, *top.probs]) for top in result.topk]
            return result

    step = next(decode(Drawn(TEXT), TEXT[:20], "logitspec_paper", 9))
    assert step.tree.provenance[0].rank == 1
    assert step.tree.provenance[0].probability == 0.6


def test_closing_the_generator_keeps_the_steps_and_says_cancelled() -> None:
    target = ScriptedTarget(TEXT)
    trace = begin(target, TEXT[:20], "autoregressive", 99)
    steps = run(target, trace)
    next(steps), next(steps)
    steps.close()
    assert trace.finish == "cancelled"
    assert trace.output_ids == TEXT[20:22]


def test_drafts_are_explained_while_a_device_computes() -> None:
    """Where nothing is launched, they are explained after it."""

    class Device(ScriptedTarget):
        log: ClassVar[list[str]] = []
        launches = True

        def launch(self, tree: DraftTree) -> bool:
            self.log.append("launch")
            tree._later = partial(self._explain, tree._later)
            return self.launches

        def _explain(self, later: Any) -> Any:
            self.log.append("explain")
            return later()

        def verify(self, tree: DraftTree) -> Any:
            self.log.append("verify")
            return super().verify(tree)

    for launches, order in (
        (True, ["launch", "explain", "verify"]),
        (False, ["launch", "verify", "explain"]),
    ):
        target = Device(TEXT)
        target.launches = launches
        target.log.clear()
        next(decode(target, TEXT[:20], "logitspec", 9))
        assert target.log == order


def test_a_draft_under_another_token_than_the_root_is_refused() -> None:
    """Nothing verifies the root, so that its text would not be the target's."""

    class Elsewhere(Autoregressive):
        def draft(self, root: int, last: TopK, *_: Any) -> DraftTree:
            return DraftTree(root + 1)

    trace = begin(ScriptedTarget(TEXT), TEXT[:20], "autoregressive", 99)
    with pytest.raises(LogitSpecError, match="not under the root, 5"):
        list(run(ScriptedTarget(TEXT), trace, Elsewhere()))
    assert (trace.finish, trace.output_ids) == ("error", [])


def test_a_failing_target_leaves_a_trace_that_says_so() -> None:
    class Failing(ScriptedTarget):
        def verify(self, tree: Any) -> Any:
            if len(self.verified) == 3:
                raise RuntimeError("device lost")
            return super().verify(tree)

    target = Failing(TEXT)
    trace = begin(target, TEXT[:20], "autoregressive", 99)
    with pytest.raises(RuntimeError, match="device lost"):
        list(run(target, trace))
    assert (trace.finish, trace.error, len(trace.steps)) == ("error", "device lost", 3)


def test_an_interrupt_in_the_middle_of_a_step_keeps_the_steps_and_says_cancelled() -> None:
    class Interrupted(ScriptedTarget):
        def verify(self, tree: Any) -> Any:
            if len(self.verified) == 3:
                raise KeyboardInterrupt
            return super().verify(tree)

    target = Interrupted(TEXT)
    trace = begin(target, TEXT[:20], "autoregressive", 99)
    with pytest.raises(KeyboardInterrupt):
        list(run(target, trace))
    assert (trace.finish, trace.error, len(trace.steps)) == ("cancelled", None, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt_ids": []}, "prompt is empty"),
        ({"prompt_ids": [1] * 30}, "30 tokens.*holds 30"),
        ({"prompt_ids": "a text"}, "must be a list of token ids"),
        ({"prompt_ids": [[1, 2]]}, "must be a list of token ids"),
        ({"prompt_ids": {"input_ids": [1, 2]}}, "must be a list of token ids"),
        ({"prompt_ids": [1, 2.5]}, "must be a list of token ids"),
        ({"prompt_ids": None}, "must be a list of token ids"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"max_new_tokens": -5}, "max_new_tokens"),
        ({"max_new_tokens": 10**12}, "max_new_tokens"),
        ({"max_new_tokens": 2.5}, "max_new_tokens"),
        ({"temperature": -1.0}, "Temperature"),
        ({"temperature": float("nan")}, "Temperature"),
        ({"temperature": None}, "Temperature"),
        ({"seed": -1}, "Seed"),
        ({"seed": 2**70}, "Seed"),
        ({"top_p": 0.0}, "top_p"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"max_ngram_size": 99}, "max_ngram_size"),
    ],
)
def test_a_bad_request_is_refused_before_anything_runs(changes: Any, message: str) -> None:
    request: Any = {"prompt_ids": [1, 2], "method": "logitspec_paper", **changes}
    with pytest.raises(LogitSpecError, match=message):
        decode(ScriptedTarget(TEXT, limit=30), **request)


def test_summary_counts_by_hand() -> None:
    text = [1, 2, 3, 1, 2, 3, 1, 2, 9, 9, 8, 8]
    trace = finished(decode(ScriptedTarget(text), text[:5], "prompt_lookup", 4, num_pred_tokens=2))
    # Root 3 copies 1 2 (both right); then the root is 9, which nothing precedes.
    assert [step.tokens for step in trace.steps] == [[3, 1, 2], [9]]
    counts = trace.counts()
    assert (counts.tokens, counts.forwards, counts.mean_accepted_tokens) == (4, 2, 2.0)
    assert (counts.drafted, counts.accepted, counts.rejected, counts.uncompared) == (2, 2, 0, 0)
    assert counts.acceptance_rate == 1.0
    assert counts.shares() == {"root": 0.5, "retrieved": 0.5}
    wall = sum(step.seconds.wall for step in trace.steps)
    assert counts.seconds.wall == pytest.approx(wall)
    assert wall > 0
    assert counts.tokens_per_second == pytest.approx(4 / wall)


def test_drafted_is_accepted_rejected_and_uncompared() -> None:
    rng = random.Random(2)
    text = [rng.randrange(4) for _ in range(300)]
    trace = finished(decode(ScriptedTarget(text), text[:100], "logitspec_paper", 120))
    counts = trace.counts()
    assert counts.drafted == sum(len(step.tree) - 1 for step in trace.steps)
    assert counts.drafted == counts.accepted + counts.rejected + counts.uncompared
    assert min(counts.accepted, counts.rejected, counts.uncompared) > 0
    assert counts.accepted == counts.tokens - counts.forwards
    for step in trace.steps:
        for node, state in enumerate(step.states()):
            parent = step.tree.parents[node]
            if state == "rejected":
                assert step.states()[parent] == "accepted"
                assert step.tree.tokens[node] != step.choices[parent]


def test_an_empty_trace_sums_up_to_zeros() -> None:
    counts = Trace("autoregressive", [1], 5).counts()
    assert (counts.tokens, counts.mean_accepted_tokens, counts.tokens_per_second) == (0, 0, 0)


class Reader(Autoregressive):
    """Keeps what it is given about the prompt."""

    reads_prompt = True

    def learn(self, ids: Any, topk: Any) -> None:
        self.learnt = (ids, topk)


class Telling(ScriptedTarget):
    """A scripted target that ranks what it wanted after each token of the prompt."""

    def prefill(self, ids: Any, sampling: Sampling = Sampling(), everywhere: bool = False) -> Any:
        self.length = len(ids)
        last = self._result([self.length])
        every = self._result(list(range(1, self.length + 1)))
        return replace(last, topk=every.topk) if everywhere else last


def test_a_method_reads_what_the_target_put_after_each_token_of_the_prompt() -> None:
    for target, tells in ((Telling(TEXT), True), (ScriptedTarget(TEXT), False)):
        trace = begin(target, TEXT[:20], "autoregressive", 5)
        reader = Reader()
        list(run(target, trace, reader))
        assert trace.output_ids == TEXT[20:25]
        assert hasattr(reader, "learnt") == tells
        if tells:
            ids, topk = reader.learnt
            assert ids == TEXT[:20]
            assert [top.ids[0] for top in topk] == TEXT[1:21]


def test_the_target_of_the_documentation_writes_its_text() -> None:
    page = (ROOT / "logitspec" / "decoding" / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    text = names["text"]
    assert names["output"] == text[8 : text.index(0) + 1]
    assert len(names["steps"]) < len(names["output"]) / 3
