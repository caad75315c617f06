"""The wire format: every message from a run to the page and to scripts, in its JSON form.

    one lane, for the player           several, for the race
    reset   the trace without steps    race        the race without steps
    steps   new steps of the lane      race_steps  new steps of every lane
    trace   the finished run           race        the finished race

and for both `waiting`, the expected wait, and `error`, one sentence. Both messages of a row come from the
same function: `opening_message`, `progress_message`, `whole_message`. assets/player/messages.js and
assets/compare/messages.js read them.
"""

from __future__ import annotations

import base64
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import asdict

from logitspec.decoding.race import Race
from logitspec.trace.records import Trace, dumps, spellings

MIN_PACKED = 1000  # characters; below that, packing saves too little to be worth unpacking
UNNUMBERED = -1  # the sequence number of requested steps

Vocabulary = dict[int, bytes]
"""Token bytes by token id."""


def opening_message(race: Race) -> str:
    """The first message: the lanes, no steps yet."""
    if race.is_run:
        return reset_message(race.traces[0], 0)
    lanes = [{**trace.header(), "steps": []} for trace in race.traces]
    return dumps({**race.header(), "verdict": None, "lanes": lanes})


def progress_message(
    race: Race, sent: Sequence[int], new: Sequence[Vocabulary], sequence: int = UNNUMBERED
) -> str:
    """The steps of every lane from number `sent` (0-based) on, with the token bytes that are `new`.

    sent, new: one for each lane. sequence: number of the message in its stream. It also says
    how finished lanes ended, and has the verdict of a finished race.
    """
    if race.is_run:
        return steps_message(race.traces[0], sequence, sent[0], new[0])
    lanes = [
        steps_message(trace, UNNUMBERED, first, spellings)
        for trace, first, spellings in zip(race.traces, sent, new, strict=True)
    ]
    verdict = dumps(asdict(race.verdict)) if race.over else "null"
    return (
        f'{{"kind":"race_steps","race":{dumps(race.name)},"lanes":[{",".join(lanes)}],'
        f'"verdict":{verdict}}}'
    )


def whole_message(race: Race) -> str:
    """Everything so far: the JSON document of the trace, or of the race."""
    return race.traces[0].to_json() if race.is_run else race.to_json()


def reset_message(trace: Trace, sequence: int) -> str:
    """The first message of a run: the header, no steps yet."""
    return dumps({"run": trace.run, "seq": sequence, "kind": "reset", "trace": trace.header()})


def steps_message(trace: Trace, sequence: int, first: int, new: Vocabulary) -> str:
    """The steps of a run from number `first` (0-based) on and the token bytes that are `new`; if the
    run has ended, also how. The first and the last message have its environment, as costs are measured after
    `reset`, and a target may change how it runs."""
    about = {"environment": trace.environment} if first == 0 or trace.finish else {}
    return dumps(
        {
            "run": trace.run,
            "seq": sequence,
            "kind": "steps",
            "from": first,
            "prefill_seconds": trace.prefill_seconds,
            **about,
            "vocabulary": spellings(new),
            "steps": [step.to_json() for step in trace.steps[first:]],
            **({"finish": trace.finish, "error": trace.error} if trace.finish else {}),
        }
    )


def error_message(sentence: str) -> str:
    """An error in one sentence, for any view."""
    return dumps({"kind": "error", "run": "", "id": _unique(), "message": sentence})


def waiting_message(ahead: int, seconds: float | None) -> str:
    """The expected wait: turns ahead, and seconds where they are known."""
    about = {"ahead": ahead, "seconds": None if seconds is None else round(seconds, 1)}
    return dumps({"kind": "waiting", "run": "", "id": _unique(), **about})


def autoplay_message(document: str, at: int = 1, scene: bool = False) -> str:
    """The message that plays a recorded run or race.

    document: its JSON. at: the step of a run to begin at. scene: whether only that step plays, by itself.
    """
    alone = ',"scene":true' if scene else ""
    return f'{{"autoplay":true,"at":{at}{alone},"id":"{_unique()}",{document[1:]}'


def _unique() -> str:
    """A random id, because a component ignores a value that equals its last one."""
    return secrets.token_hex(4)


def pack(message: str) -> str:
    """A message deflated and in base64, in less than half of its bytes. The page unpacks it; short
    ones stay as they are."""
    if len(message) < MIN_PACKED:
        return message
    return base64.b64encode(zlib.compress(message.encode())).decode()
